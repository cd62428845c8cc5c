/** Finds the lines of a text that match; a regular expression gets its own thread and a deadline. */
import { Refusal } from "./tool.ts";

/** Says which of the lines match, by index. One that has thrown is of no more use. */
export interface Matcher extends Disposable {
  match(lines: readonly string[]): Promise<readonly number[]>;
}

/** Finds a text as it is written, whatever its case. */
export function textMatcher(text: string): Matcher {
  const wanted = text.toLowerCase();
  return {
    match: (lines) =>
      Promise.resolve(
        lines.flatMap((line, i) => line.toLowerCase().includes(wanted) ? [i] : []),
      ),
    [Symbol.dispose]() {},
  };
}

/**
 * Finds what a regular expression matches. An expression can take longer than the world will last,
 * and nothing on its own thread can stop it: so it runs in a worker, which can be ended.
 */
export class RegexMatcher implements Matcher {
  readonly #pattern: string;
  readonly #deadlineMs: number;
  readonly #signal: AbortSignal;
  readonly #worker: Worker;

  /** Throws `Refusal` for a pattern that is no regular expression. */
  constructor(
    pattern: string,
    { deadlineMs, signal }: { deadlineMs: number; signal: AbortSignal },
  ) {
    try {
      new RegExp(pattern, "i");
    } catch (error) {
      throw new Refusal(error instanceof Error ? error.message : String(error));
    }
    this.#pattern = pattern;
    this.#deadlineMs = deadlineMs;
    this.#signal = signal;
    // as text, because the compiled program has no file for a worker to start from
    const source = `data:application/javascript,${encodeURIComponent(`(${matchInWorker})()`)}`;
    this.#worker = new Worker(source, { type: "module" });
  }

  /** Throws `Refusal` when it takes too long, and the signal's reason when that aborts. */
  async match(lines: readonly string[]): Promise<readonly number[]> {
    this.#signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<readonly number[]>();
    this.#worker.onmessage = ({ data }: MessageEvent<readonly number[]>) => resolve(data);
    this.#worker.onerror = (event) => {
      event.preventDefault(); // else it would end the whole program
      reject(new Refusal(`The expression failed: ${event.message}`));
    };
    const abort = () => reject(this.#signal.reason);
    this.#signal.addEventListener("abort", abort);
    const timer = setTimeout(() => {
      reject(new Refusal("The regular expression takes too long: simplify it, or search for text"));
    }, this.#deadlineMs);
    try {
      this.#worker.postMessage({ pattern: this.#pattern, lines });
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#signal.removeEventListener("abort", abort);
    }
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
  }
}

/** Runs in the worker, from its own text: it can use nothing from this module. */
function matchInWorker() {
  addEventListener("message", (event) => {
    const { pattern, lines } = (event as MessageEvent<{ pattern: string; lines: string[] }>).data;
    const regex = new RegExp(pattern, "i");
    postMessage(lines.flatMap((line, i) => regex.test(line) ? [i] : []));
  });
}
