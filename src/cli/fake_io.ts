/** A process made of strings, for tests of the commands. */
import { run } from "./cli.ts";
import type { Io } from "./io.ts";
import type { Env } from "./paths.ts";

export interface FakeIoOptions {
  readonly env?: Env;
  /** What comes over standard input, piece by piece. */
  readonly input?: AsyncIterable<string> | Iterable<string>;
  /** Whether input and output are a terminal. */
  readonly terminal?: boolean;
  readonly now?: number;
}

export class FakeIo implements Io {
  readonly env: Env;
  readonly terminal: Io["terminal"];
  readonly now: () => number;
  stdout = "";
  stderr = "";
  readonly #input: FakeIoOptions["input"];
  readonly #interrupts = new Set<AbortController>();
  readonly #waiting = new Set<() => void>();

  constructor(
    { env = {}, input = [], terminal = false, now = 1_000_000_000_000 }: FakeIoOptions = {},
  ) {
    this.env = env;
    this.terminal = { in: terminal, out: terminal, err: terminal };
    this.now = () => now;
    this.#input = input;
  }

  out = (text: string) => {
    this.stdout += text;
    this.#tell();
  };

  err = (text: string) => {
    this.stderr += text;
    this.#tell();
  };

  note = (text: string) => this.err(text);

  columns = () => 80;

  async *input(): AsyncIterable<Uint8Array> {
    for await (const text of this.#input ?? []) yield new TextEncoder().encode(text);
  }

  raw(): Disposable {
    return { [Symbol.dispose]() {} };
  }

  interrupt(): Disposable & { readonly signal: AbortSignal } {
    const controller = new AbortController();
    this.#interrupts.add(controller);
    return {
      signal: controller.signal,
      [Symbol.dispose]: () => void this.#interrupts.delete(controller),
    };
  }

  /** Presses Ctrl-C. */
  pressInterrupt(): void {
    for (const controller of this.#interrupts) controller.abort(new Error("Interrupted"));
  }

  /** Resolves once the text stands in standard output or standard error. */
  async printed(text: string): Promise<void> {
    while (!this.stdout.includes(text) && !this.stderr.includes(text)) {
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  #tell(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

/** Runs a command line to its end. */
export async function runOn(
  argv: readonly string[],
  options: FakeIoOptions = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const io = new FakeIo(options);
  const code = await run(argv, io);
  return { code, stdout: io.stdout, stderr: io.stderr };
}

/** A home of one's own, for as long as `use` runs. */
export async function withHome<T>(
  use: (home: { readonly stateDir: string; readonly env: Env }) => Promise<T>,
): Promise<T> {
  const stateDir = await Deno.makeTempDir();
  try {
    return await use({ stateDir, env: { OPENCLAW_STATE_DIR: stateDir } });
  } finally {
    await Deno.remove(stateDir, { recursive: true });
  }
}
