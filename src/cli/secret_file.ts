/** A secret in a file of its own, as services and containers hand one over. */
import type { Log } from "../log.ts";
import { Failure } from "./failure.ts";
import { octal } from "./private_files.ts";
import { watchFiles } from "./watch_files.ts";

/** Nothing larger is a secret, in bytes. */
const MAX_BYTES = 4_096;

/** A secret that follows its file. What can't be used is reported, and the last one stays. */
export class SecretFile implements Disposable {
  readonly path: string;
  readonly #log: Log;
  #secret: string;
  #watch: Disposable | undefined;

  private constructor(path: string, { secret, log }: { secret: string; log: Log }) {
    this.path = path;
    this.#secret = secret;
    this.#log = log;
  }

  /** Throws a `Failure` where there is no secret. Warns if others than its owner may read it. */
  static open(path: string, log: Log): SecretFile {
    const part = log.part("secrets");
    const file = new SecretFile(path, { secret: readSecret(path), log: part });
    file.#warn();
    return file;
  }

  get secret(): string {
    return this.#secret;
  }

  /** Follows the file until disposed of; `changed` is called when there is another secret in it. */
  watch(changed: () => void): void {
    this.#watch ??= watchFiles([this.path], () => {
      if (this.reread()) changed();
    });
  }

  /** Reads the file now. Returns whether there was another secret in it; never throws. */
  reread(): boolean {
    try {
      const secret = readSecret(this.path);
      if (secret === this.#secret) return false;
      this.#secret = secret;
      this.#warn();
      return true;
    } catch (cause) {
      this.#log.warn(`File '${this.path}' holds no secret now: the last one stays`, { cause });
      return false;
    }
  }

  [Symbol.dispose](): void {
    this.#watch?.[Symbol.dispose]();
  }

  #warn(): void {
    const { mode } = Deno.statSync(this.path);
    if (mode === null || (mode & 0o077) === 0) return;
    this.#log.warn(
      `Others can read the secret in '${this.path}' (mode ${octal(mode)}); mend it with: ` +
        `chmod 600 '${this.path}'`,
    );
  }
}

/**
 * The one line of a file. The line end belongs to the editor, everything else to the secret.
 * Throws a `Failure` where there is none.
 */
export function readSecret(path: string): string {
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Failure("SECRET_FILE", `Cannot read the secret in '${path}': ${reason}`, {
      cause: error,
    });
  }
  const secret = text.replace(/\r?\n$/, "");
  const fault = secret.trim() === ""
    ? "it is empty"
    : /[\r\n\0]/.test(secret)
    ? "it has more than one line"
    : text.length > MAX_BYTES
    ? "it is too long"
    : undefined;
  if (fault === undefined) return secret;
  throw new Failure("SECRET_FILE", `Cannot use the secret in '${path}': ${fault}`, {
    hint: "the file must hold the secret and nothing else",
  });
}
