/** A value that changes, and those who watch it. */

/** Calls `flush` when it is a good time to show changes; never twice for one call. */
export type Pace = (flush: () => void) => void;

/** One value with one owner. Watchers are told after it changed, at the cell's own pace. */
export class Cell<T> {
  #value: T;
  #due = false;
  readonly #pace: Pace;
  readonly #watchers = new Set<() => void>();

  constructor(value: T, pace: Pace = atOnce) {
    this.#value = value;
    this.#pace = pace;
  }

  get value(): T {
    return this.#value;
  }

  set(next: T): void {
    if (Object.is(next, this.#value)) return;
    this.#value = next;
    if (this.#due) return;
    this.#due = true;
    this.#pace(() => {
      this.#due = false;
      for (const tell of [...this.#watchers]) tell();
    });
  }

  change(how: (value: T) => T): void {
    this.set(how(this.#value));
  }

  /** Returns the function that ends the watch. */
  watch(tell: () => void): () => void {
    this.#watchers.add(tell);
    return () => this.#watchers.delete(tell);
  }
}

const atOnce: Pace = (flush) => flush();

/** What showing a change may take before the next one has to wait for it, in milliseconds. */
const CHEAP_MS = 10;

/**
 * Once per frame, and rarer while showing is dear: what is shown may grow, the share of time that
 * is spent on it does not.
 */
export function framePace(): Pace {
  let cost = 0;
  return (flush) => {
    const show = () =>
      requestAnimationFrame(() => {
        const start = performance.now();
        flush();
        // Preact renders in a microtask that `flush` has queued before this one.
        queueMicrotask(() => cost = performance.now() - start);
      });
    if (cost > CHEAP_MS) setTimeout(show, cost * 4);
    else show();
  };
}
