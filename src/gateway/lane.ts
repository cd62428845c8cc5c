/** Lets at most so many jobs run side by side, first come, first served. */
export class Slots {
  readonly #limit: () => number;
  readonly #waiting: (() => void)[] = [];
  #busy = 0;

  constructor(limit: () => number) {
    this.#limit = limit;
  }

  /** Resolves when a slot is free; dispose of the result to hand it on. */
  async take(): Promise<Disposable> {
    if (this.#busy >= this.#limit()) await new Promise<void>((own) => this.#waiting.push(own));
    else this.#busy++;
    let held = true;
    return {
      [Symbol.dispose]: () => {
        if (!held) return;
        held = false;
        const next = this.#waiting.shift();
        if (next === undefined) this.#busy--;
        else next(); // the slot changes hands: nobody can slip in between
      },
    };
  }

  get busy(): number {
    return this.#busy;
  }
}

/** What waits for one conversation while its agent is at work, oldest first. */
export class Backlog<T> {
  readonly #items: T[] = [];

  push(item: T): void {
    this.#items.push(item);
  }

  /** The next one, or all of them as one turn. */
  take(all: boolean): T[] {
    return this.#items.splice(0, all ? this.#items.length : 1);
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
}
