/** The process as the commands see it: its environment, its streams, its terminal, its clock. */
import type { Env } from "./paths.ts";

export interface Io {
  readonly env: Env;
  /** Writes to standard output. */
  out(text: string): void;
  /** Writes to standard error. */
  err(text: string): void;
  /** The same for a program that goes on when nobody reads it any more. */
  note(text: string): void;
  /** Which of the streams are terminals. */
  readonly terminal: { readonly in: boolean; readonly out: boolean; readonly err: boolean };
  /** How many columns the terminal has now. */
  columns(): number;
  /** What comes over standard input, as it comes. */
  input(): AsyncIterable<Uint8Array>;
  /** Keys come one by one and unechoed until the result is disposed of. */
  raw(): Disposable;
  /** Aborts at the first Ctrl-C; the second ends the process. Until disposed of. */
  interrupt(): Disposable & { readonly signal: AbortSignal };
  now(): number;
}

/** What a terminal has whose size is not known. */
const COLUMNS = 80;

/** The process that this program runs in. */
export function processIo(): Io {
  const encoder = new TextEncoder();
  return {
    env: Deno.env.toObject(),
    out: (text) => {
      // Whoever read us has enough, as in `openclaw logs | head`.
      if (!writeAll(Deno.stdout, encoder.encode(text))) Deno.exit(0);
    },
    // What nobody reads any more ends nothing: there may be more to do, and the exit code is to come.
    err: (text) => void writeAll(Deno.stderr, encoder.encode(text)),
    note: (text) => {
      try {
        Deno.stderr.writeSync(encoder.encode(text));
      } catch {
        // the terminal is gone; the log has it all
      }
    },
    terminal: {
      in: Deno.stdin.isTerminal(),
      out: Deno.stdout.isTerminal(),
      err: Deno.stderr.isTerminal(),
    },
    columns: () => {
      try {
        return Deno.consoleSize().columns || COLUMNS; // 0 where nobody has told the terminal its size
      } catch {
        return COLUMNS; // not a terminal
      }
    },
    input: readInput,
    raw: () => {
      Deno.stdin.setRaw(true);
      return { [Symbol.dispose]: () => Deno.stdin.setRaw(false) };
    },
    interrupt: () => {
      const controller = new AbortController();
      const onSignal = () => {
        if (controller.signal.aborted) Deno.exit(130);
        controller.abort(new DOMException("Interrupted", "AbortError"));
      };
      Deno.addSignalListener("SIGINT", onSignal);
      return {
        signal: controller.signal,
        [Symbol.dispose]: () => Deno.removeSignalListener("SIGINT", onSignal),
      };
    },
    now: Date.now,
  };
}

/** Returns `false` where nobody reads it. */
function writeAll(stream: { writeSync(bytes: Uint8Array): number }, bytes: Uint8Array): boolean {
  for (let written = 0; written < bytes.length;) {
    try {
      written += stream.writeSync(bytes.subarray(written));
    } catch (error) {
      if (error instanceof Deno.errors.BrokenPipe) return false;
      // Another program that has the stream too, as a parent in Node.js, made it so that it waits for
      // nobody. It must wait for its reader, as streams do.
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
      Atomics.wait(NEVER, 0, 0, FULL_MS);
    }
  }
  return true;
}

/** How long to wait for the reader of a full stream before the next look, in milliseconds. */
const FULL_MS = 5;
const NEVER = new Int32Array(new SharedArrayBuffer(4));

/** Unlike `Deno.stdin.readable`, leaves standard input open for the next reader. */
async function* readInput(): AsyncIterable<Uint8Array> {
  const buffer = new Uint8Array(4096);
  for (;;) {
    const count = await Deno.stdin.read(buffer);
    if (count === null) return;
    yield buffer.slice(0, count);
  }
}
