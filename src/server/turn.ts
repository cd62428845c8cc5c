/** The end of the event loop's turn, shared by many. */
import { setImmediate } from "node:timers";

/** Runs work once everything that is ready now was heard, with one timer for all of it. */
export class Turn {
  #waiting: (() => void)[] = [];

  /** `work` must not throw. */
  atEnd(work: () => void): void {
    if (this.#waiting.push(work) === 1) setImmediate(() => this.#end());
  }

  #end(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const work of waiting) work();
  }
}
