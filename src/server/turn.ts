/** The end of the event loop's turn, shared by many. */
import { setImmediate } from "node:timers";

/**
 * How much is done in one turn. A runtime's turn has a budget of 128 operations; those beyond it
 * are put off one by one, which takes as long again as to carry them out. And who else waits is
 * heard in between.
 */
const MOST = 100;

/** Runs work once everything that is ready now was heard, with one timer for all of it. */
export class Turn {
  #waiting: (() => void)[] = [];

  /** `work` must not throw. */
  atEnd(work: () => void): void {
    if (this.#waiting.push(work) === 1) setImmediate(() => this.#end());
  }

  #end(): void {
    const due = this.#waiting;
    this.#waiting = due.splice(MOST);
    if (this.#waiting.length > 0) setImmediate(() => this.#end());
    for (const work of due) work();
  }
}
