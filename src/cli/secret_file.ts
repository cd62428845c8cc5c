/** A secret in a file of its own, as services and containers hand one over. */
import { dirname } from "node:path";
import type { Log } from "../log.ts";
import { Failure } from "./failure.ts";
import { octal } from "./private_files.ts";

/** Who replaces a secret may do it in several steps; it is read when that is done. Milliseconds. */
const SETTLE_MS = 300;
/** Nothing larger is a secret, in bytes. */
const MAX_BYTES = 4_096;

/** A secret that follows its file. What can't be used is reported, and the last one stays. */
export class SecretFile implements Disposable {
  readonly path: string;
  readonly #log: Log;
  #secret: string;
  #watcher: Deno.FsWatcher | undefined;
  #settling: ReturnType<typeof setTimeout> | undefined;

  private constructor(path: string, { secret, log }: { secret: string; log: Log }) {
    this.path = path;
    this.#secret = secret;
    this.#log = log;
  }

  /** Rejects with a `Failure` where there is no secret. Warns if others than its owner may read it. */
  static async open(path: string, log: Log): Promise<SecretFile> {
    const part = log.part("secrets");
    const file = new SecretFile(path, { secret: await readSecret(path), log: part });
    await file.#warn();
    return file;
  }

  get secret(): string {
    return this.#secret;
  }

  /** Follows the file until disposed of; `changed` is called when there is another secret in it. */
  watch(changed: () => void): void {
    this.#follow(changed).catch((cause) =>
      this.#log.error(`File '${this.path}' is not watched`, { cause })
    );
  }

  /** Reads the file now. Resolves to whether there was another secret in it; never rejects. */
  async reread(): Promise<boolean> {
    try {
      const secret = await readSecret(this.path);
      if (secret === this.#secret) return false;
      this.#secret = secret;
      await this.#warn();
      return true;
    } catch (cause) {
      this.#log.warn(`File '${this.path}' holds no secret now: the last one stays`, { cause });
      return false;
    }
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#settling);
    this.#watcher?.close();
  }

  async #follow(changed: () => void): Promise<void> {
    // The folder, as a replaced file is a new one; behind a link, that of the file itself too.
    const folders = [dirname(this.path), dirname(Deno.realPathSync(this.path))];
    this.#watcher = Deno.watchFs([...new Set(folders)], { recursive: false });
    for await (const { kind } of this.#watcher) {
      if (kind === "access") continue; // our own reading
      clearTimeout(this.#settling);
      this.#settling = setTimeout(async () => {
        if (await this.reread()) changed();
      }, SETTLE_MS);
    }
  }

  async #warn(): Promise<void> {
    const { mode } = await Deno.stat(this.path);
    if (mode === null || (mode & 0o077) === 0) return;
    this.#log.warn(
      `Others can read the secret in '${this.path}' (mode ${octal(mode)}); mend it with: ` +
        `chmod 600 '${this.path}'`,
    );
  }
}

/**
 * The one line of a file. The line end belongs to the editor, everything else to the secret.
 * Rejects with a `Failure` where there is none.
 */
export async function readSecret(path: string): Promise<string> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
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
