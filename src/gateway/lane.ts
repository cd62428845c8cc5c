/** What runs side by side, and what waits. */
import { setImmediate } from "node:timers";

/** Lets at most so many jobs run side by side, first come, first served. */
export class Slots {
  readonly #limit: () => number;
  readonly #waiting: (() => void)[] = [];
  #busy = 0;

  constructor(limit: () => number) {
    this.#limit = limit;
  }

  /**
   * Resolves when a slot is free; dispose of the result to hand it on. Resolves to nothing if the
   * signal aborts first.
   */
  async take(signal: AbortSignal): Promise<Disposable | undefined> {
    if (signal.aborted || !await this.#queue(signal)) return undefined;
    let held = true;
    return {
      [Symbol.dispose]: () => {
        if (!held) return;
        held = false;
        this.#busy--;
        this.#handOut();
      },
    };
  }

  get busy(): number {
    return this.#busy;
  }

  /** Whether a slot was handed over before the signal aborted. */
  #queue(signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const own = () => {
        signal.removeEventListener("abort", leave);
        resolve(true);
      };
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(own), 1);
        resolve(false);
      };
      this.#waiting.push(own);
      signal.addEventListener("abort", leave, { once: true });
      this.#handOut();
    });
  }

  /** Lets in whoever waits, as many as there is room for now: the limit may have changed. */
  #handOut(): void {
    while (this.#busy < this.#limit()) {
      const own = this.#waiting.shift();
      if (own === undefined) return;
      this.#busy++;
      own();
    }
  }
}

/** How many begin in one turn of the event loop. */
const AT_ONCE = 8;

/**
 * Lets jobs begin at the end of the event loop's turn, a few in each, first come, first served. All
 * that are due would begin before the first of them could send anything, wait for their answers
 * together, and end together; each alone could share nothing with the others, not even a write.
 */
export class Beginnings {
  readonly #waiting: (() => void)[] = [];

  /** Resolves when it is time to begin. */
  next(): Promise<void> {
    return new Promise((begin) => {
      if (this.#waiting.push(begin) === 1) this.#plan();
    });
  }

  #plan(): void {
    setImmediate(() => {
      for (const begin of this.#waiting.splice(0, AT_ONCE)) begin();
      if (this.#waiting.length > 0) this.#plan();
    });
  }
}

/** What waits for one conversation while its agent is at work, oldest first. */
export class Backlog<T> {
  readonly #items: T[] = [];

  push(item: T): void {
    this.#items.push(item);
  }

  /** Puts one before all others. */
  unshift(item: T): void {
    this.#items.unshift(item);
  }

  /** The next one, which stays. */
  get first(): T | undefined {
    return this.#items[0];
  }

  /** The next one, with those right behind it that can share its turn. */
  take(shares: (item: T) => boolean): T[] {
    const end = this.#items.findIndex((item) => !shares(item));
    return this.#items.splice(0, end < 0 ? this.#items.length : Math.max(1, end));
  }

  /** Removes those that match, and returns them. */
  remove(matches: (item: T) => boolean): T[] {
    const removed = this.#items.filter(matches);
    for (const item of removed) this.#items.splice(this.#items.indexOf(item), 1);
    return removed;
  }

  get size(): number {
    return this.#items.length;
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#items.values();
  }
}
