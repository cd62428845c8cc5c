/** Secrets that this process knows of, kept out of everything that it writes down. */
import { secretsIn } from "../config.ts";
import type { Env } from "./paths.ts";

/** Texts that look like secrets, whoever wrote them. */
const PATTERNS =
  /(bearer\s+|(?:token|password|secret|api[_-]?key)["'\\]*\s*[=:]\s*["'\\]*)[^\s"'\\,&]{6,}|\bsk-[A-Za-z0-9_-]{10,}/gi;
/** Variables that hold a secret, by their names. */
const SECRET_VARIABLE = /(token|key|secret|password|passphrase|credential)s?$/i;
const SCHEME = /^(?:bearer|basic|token)\s+(\S+)$/i;
/** Anything shorter is a part of too many words. */
const MIN_LENGTH = 8;

/** Masks what it has learnt, and what looks like a secret. It never forgets: logs outlive a change. */
export class Secrets {
  /** The longest first: one may be a part of another. */
  #known: readonly string[] = [];

  /** Takes in what a configuration and an environment hold. */
  learn({ config, env = {} }: { config?: unknown; env?: Env }): void {
    for (const { secret } of secretsIn(config)) this.add(secret);
    for (const [name, value] of Object.entries(env)) {
      if (value !== undefined && SECRET_VARIABLE.test(name)) this.add(value);
    }
  }

  /** Takes in one secret, and how it is spelled in JSON and in an address. */
  add(secret: string): void {
    if (secret.length < MIN_LENGTH) return;
    const spellings = [secret, JSON.stringify(secret).slice(1, -1)];
    // A server may name it without its scheme, and an address is told in parts.
    const parts = [SCHEME.exec(secret)?.[1] ?? "", ...partsOf(secret)];
    spellings.push(...parts.filter((part) => part.length >= MIN_LENGTH));
    if (secret.isWellFormed()) spellings.push(encodeURIComponent(secret));
    this.#known = [...new Set([...this.#known, ...spellings])].sort((a, b) => b.length - a.length);
  }

  /** The text with every secret in it replaced. */
  readonly hide = (text: string): string => {
    let hidden = text;
    for (const secret of this.#known) {
      if (hidden.includes(secret)) hidden = hidden.replaceAll(secret, "***");
    }
    return hidden.replace(PATTERNS, (_whole, label = "") => `${label}***`);
  };
}

/** The secrets in an address: its password, and what its query says. */
function partsOf(address: string): readonly string[] {
  const { password = "", searchParams } = URL.parse(address) ?? {};
  return [password, ...searchParams?.values() ?? []];
}
