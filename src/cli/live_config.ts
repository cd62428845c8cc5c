/** The configuration file of a running gateway: read, watched, and written back. */
import { type Config, type ConfigFile, parseConfig } from "../config.ts";
import type { Log } from "../log.ts";
import { writePrivately } from "./atomic_write.ts";
import { keepComments } from "./config_file.ts";
import { Failure } from "./failure.ts";
import { turnAt } from "./file_lock.ts";
import { watchFiles } from "./watch_files.ts";

/** How long a text must last to be no half of an edit, in milliseconds. */
const SETTLE_MS = 250;

/** A configuration that follows its file. An edit that is not valid is reported and ignored. */
export class LiveConfig implements ConfigFile, Disposable {
  readonly path: string;
  readonly #log: Log;
  readonly #listeners = new Set<() => void>();
  #text: string | undefined;
  #config: Config;
  #watch: Disposable | undefined;
  /** The last edit that was asked for. */
  #last: Promise<void> = Promise.resolve();

  private constructor(path: string, { text, log }: { text: string | undefined; log: Log }) {
    this.path = path;
    this.#log = log.part("config");
    this.#text = text;
    const { config, issues, warnings } = parseConfig(text ?? "");
    if (issues.length > 0) {
      const lines = issues.map(({ path, message }) =>
        `${path === "" ? "the file" : path} ${message}`
      );
      throw new Failure("CONFIG_INVALID", `Cannot use config '${this.path}': ${lines.join("; ")}`, {
        hint: "correct the file, then check it with `openclaw config validate`",
      });
    }
    for (const { path, message } of warnings) this.#log.warn(`Config key '${path}' ${message}`);
    this.#config = config;
  }

  /** Reads the file. Throws a `Failure` where it can't be used; a missing file is empty. */
  static open(path: string, log: Log): LiveConfig {
    return new LiveConfig(path, { text: readText(path), log });
  }

  get config(): Config {
    return this.#config;
  }

  get text(): string | undefined {
    return this.#text;
  }

  async catchUp(): Promise<void> {
    for (let seen = this.#text;;) {
      let now: string | undefined;
      try {
        now = readText(this.path);
      } catch {
        return; // who watches the file says so
      }
      if (now === this.#text) return;
      if (now === seen) return this.#reread();
      seen = now;
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    }
  }

  rewrite(edit: (text: string | undefined) => string | undefined): Promise<void> {
    // A lock keeps others out; where there is none to be had, our own still take turns.
    const done = this.#last.then(() => this.#rewrite(edit));
    this.#last = done.catch(() => {}); // who asked for it hears of it
    return done;
  }

  /** Calls `changed` after each change that is in force, until disposed of. */
  onChange(changed: () => void): Disposable {
    this.#listeners.add(changed);
    return { [Symbol.dispose]: () => void this.#listeners.delete(changed) };
  }

  /** Follows changes that others make, until disposed of. */
  watch(): void {
    this.#watch ??= watchFiles([this.path], () => this.#reread());
  }

  [Symbol.dispose](): void {
    this.#watch?.[Symbol.dispose]();
  }

  async #rewrite(edit: (text: string | undefined) => string | undefined): Promise<void> {
    using _turn = await turnAt(this.path);
    await this.catchUp();
    const before = this.#text;
    const text = edit(before);
    if (text === undefined) return;
    readText(this.path); // throws where nobody knows what would be written over
    if (before !== undefined) await keepComments(this.path, before);
    if (before !== undefined && parseConfig(before).issues.length > 0) {
      await writePrivately(`${this.path}.bak`, before); // an edit that was never in force
    }
    await writePrivately(this.path, text);
    this.#take(text);
    this.#log.info("Config written");
  }

  #reread(): void {
    try {
      const text = readText(this.path);
      if (text !== this.#text && this.#take(text)) this.#log.info("Config reloaded");
    } catch (cause) {
      this.#log.warn(`Config '${this.path}' can't be read: the last one stays in force`, { cause });
    }
  }

  /** Puts a text in force. Returns `false` for one that can't be. */
  #take(text: string | undefined): boolean {
    const { config, issues } = parseConfig(text ?? "");
    this.#text = text;
    if (issues.length > 0) {
      const [{ path, message } = { path: "", message: "" }] = issues;
      this.#log.warn(`Config edit ignored: ${path} ${message}`);
      return false;
    }
    this.#config = config;
    for (const changed of this.#listeners) changed();
    return true;
  }
}

function readText(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
