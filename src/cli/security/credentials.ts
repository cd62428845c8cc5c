/** Whether the secrets are such that nobody finds them, by guessing or by looking. */
import { type Strength, strengthOf } from "../../secret.ts";
import { at } from "../config_file.ts";
import type { Env } from "../paths.ts";
import { type Finding, quoted } from "./finding.ts";

/** A secret and the setting or variable that holds it. */
export interface Held {
  readonly path: string;
  readonly secret: string;
}

/** The secrets that clients show: what must not be guessed, since anybody may try. */
export function shownSecrets(config: unknown, env: Env): readonly Held[] {
  const held: Held[] = [];
  const add = (path: string, secret: unknown) => {
    const variable = typeof secret === "string" ? /^\$\{(\w+)\}$/.exec(secret)?.[1] : undefined;
    const value = variable === undefined ? secret : env[variable];
    if (typeof value === "string" && value !== "") held.push({ path, secret: value });
  };
  const auth = at(config, "gateway", "auth");
  add("gateway.auth.token", at(auth, "token"));
  add("OPENCLAW_GATEWAY_TOKEN", env.OPENCLAW_GATEWAY_TOKEN);
  add("gateway.auth.password", at(auth, "password"));
  add("OPENCLAW_GATEWAY_PASSWORD", env.OPENCLAW_GATEWAY_PASSWORD);
  add("gateway.auth.trustedProxy.secret", at(auth, "trustedProxy", "secret"));
  add("hooks.token", at(config, "hooks", "token"));
  return held;
}

/** Looks at the secrets that clients show, by themselves and beside all others. */
export function* credentialFindings(
  { shown, all }: {
    shown: readonly Held[];
    /** Every secret that the configuration itself holds. */
    all: readonly Held[];
  },
): Iterable<Finding> {
  for (const held of shown) yield* strengthFindings(held);
  yield* reuseFindings(shown, all);
  if (all.length > 0) {
    yield {
      checkId: "config.secrets_plaintext",
      severity: "info",
      title: "Secrets stand in the configuration",
      detail: `${listed(all.map(({ path }) => path))}: whoever gets a copy of the file has them; ` +
        '"${NAME}" in its place takes it from the environment, or from .env in the state folder',
    };
  }
}

function* strengthFindings({ path, secret }: Held): Iterable<Finding> {
  const strength = strengthOf(secret);
  if (strength === "strong") return;
  yield { ...STRENGTHS[strength](path), mend: { by: "hand", how: renewed(path) } };
}

/** What is said of a secret that is less than strong. */
const STRENGTHS: Readonly<
  Record<Exclude<Strength, "strong">, (path: string) => Omit<Finding, "mend">>
> = {
  placeholder: (path) => ({
    checkId: "credentials.guessable",
    severity: "critical",
    title: "A secret is what everybody tries first",
    detail: `${path} is a placeholder, a common word or a row of keys`,
  }),
  weak: (path) => ({
    checkId: "credentials.weak",
    severity: "critical",
    title: "A secret can be guessed",
    detail: `${path} is short or of few different characters: some days of trying find it`,
  }),
  fair: (path) => ({
    checkId: "credentials.fair",
    severity: "info",
    title: "A secret is safe only as long as guesses are counted",
    detail: `${path} has fewer than 32 characters`,
  }),
};

function* reuseFindings(shown: readonly Held[], all: readonly Held[]): Iterable<Finding> {
  const places = new Map<string, Set<string>>();
  for (const { path, secret } of [...shown, ...all]) {
    places.set(secret, (places.get(secret) ?? new Set()).add(path));
  }
  for (const [secret, paths] of places) {
    // What clients show goes over the wire and into other people's programs: it opens one door only.
    const first = shown.find((held) => held.secret === secret);
    const others = [...paths].filter((path) => !isSame(path, first?.path));
    if (first === undefined || others.length === 0) continue;
    yield {
      checkId: first.path === "hooks.token" || paths.has("hooks.token")
        ? "hooks.token_reuse_gateway_token"
        : "credentials.reused",
      severity: "critical",
      title: "One secret opens several doors",
      detail: `${[...paths].join(" and ")} are the same`,
      mend: { by: "hand", how: renewed(paths.has("hooks.token") ? "hooks.token" : first.path) },
    };
  }
}

/** The same secret may come by the configuration or by the variable that is meant for it. */
function isSame(path: string, other: string | undefined): boolean {
  return path === other ||
    ALIASES.some((pair) => pair.includes(path) && pair.includes(other ?? ""));
}

const ALIASES: readonly (readonly string[])[] = [
  ["gateway.auth.token", "OPENCLAW_GATEWAY_TOKEN", "gateway.remote.token"],
  ["gateway.auth.password", "OPENCLAW_GATEWAY_PASSWORD", "gateway.remote.password"],
];

/** The command that puts a new secret in the place of one. */
function renewed(path: string): string {
  const fresh = '"$(openssl rand -hex 24)"';
  return /^[A-Z_]+$/.test(path)
    ? `set ${path} to what \`openssl rand -hex 24\` prints`
    : `openclaw config set --text ${quoted(path)} ${fresh}`;
}

/** The first few of a list, and how many more there are. */
export function listed(items: readonly string[], most = 5): string {
  const rest = items.length - most;
  return items.slice(0, most).join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}
