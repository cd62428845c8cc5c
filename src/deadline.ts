/** Waiting that is bounded by a time and by a signal. */

const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Why something ends that nobody wants any more. To abort without a reason makes a new one each
 * time, with its stack, which takes longer than much of what is ended.
 */
export const OVER = new DOMException("It is over", "AbortError");

/**
 * A signal that aborts with another one, or once a time has passed without a restart. Disposing of
 * it ends the wait.
 *
 * It is no `AbortSignal.any`, which older runtimes lose when nobody holds on to it.
 */
export class Deadline implements Disposable {
  readonly #controller = new AbortController();
  readonly #ms: number;
  readonly #outer: AbortSignal | undefined;
  /** By `performance.now()`. */
  #restartedAt = performance.now();
  #timer: ReturnType<typeof setTimeout>;
  #isOver = false;
  readonly signal = this.#controller.signal;

  constructor(ms: number, outer?: AbortSignal) {
    this.#ms = ms;
    this.#outer = outer;
    this.#timer = this.#start(ms);
    if (outer?.aborted) this.#follow();
    outer?.addEventListener("abort", this.#follow);
  }

  /** Whether the time has passed. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Cheap enough for each word that somebody says: the timer runs on, and finds out when it is over. */
  restart(): void {
    this.#restartedAt = performance.now();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener("abort", this.#follow);
  }

  #start(ms: number): ReturnType<typeof setTimeout> {
    return setTimeout(() => {
      const left = this.#restartedAt + this.#ms - performance.now();
      if (left > 0) {
        this.#timer = this.#start(left);
      } else {
        this.#isOver = true;
        this.#controller.abort();
      }
    }, Math.min(Math.ceil(ms), MAX_TIMER_MS));
  }

  readonly #follow = (): void => this.#controller.abort(this.#outer?.reason);
}

/** Resolves when the time is up or the signal aborts, whichever is first. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms <= 0 || signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, Math.min(ms, MAX_TIMER_MS));
    signal.addEventListener("abort", done, { once: true });
  });
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) resolve();
  else signal.addEventListener("abort", () => resolve(), { once: true });
  return promise;
}
