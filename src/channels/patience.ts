/** Waiting that is bounded by a time and by a signal. */

/** A signal that aborts with another one or after a time. Disposing of it ends the wait. */
export class Patience implements Disposable {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal;
  readonly #timer: ReturnType<typeof setTimeout>;
  readonly signal = this.#controller.signal;
  #isOver = false;

  constructor(ms: number, outer: AbortSignal) {
    this.#outer = outer;
    this.#timer = setTimeout(() => {
      this.#isOver = true;
      this.#controller.abort();
    }, ms);
    if (outer.aborted) this.#follow();
    outer.addEventListener("abort", this.#follow);
  }

  /** Whether the time has passed. */
  get isOver(): boolean {
    return this.#isOver;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#outer.removeEventListener("abort", this.#follow);
  }

  readonly #follow = (): void => this.#controller.abort(this.#outer.reason);
}

/** Resolves after a time, or as soon as the signal aborts. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  using patience = new Patience(ms, signal);
  if (patience.signal.aborted) return;
  await new Promise((resolve) => patience.signal.addEventListener("abort", resolve));
}
