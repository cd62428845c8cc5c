/** The end of the event loop's turn, shared by many. */
import { setImmediate } from "node:timers";

/**
 * How much is done in one turn. A runtime's turn has a budget of 128 operations; those beyond it
 * are put off one by one, which takes as long again as to carry them out. And who else waits is
 * heard in between.
 */
const MOST = 100;

/** Somebody who has something to write. Neither step may throw. */
export interface Writer {
  /** Puts together what it writes. */
  prepare(): void;
  /** Writes it. `now` is of `performance.now()`. */
  write(now: number): void;
}

/**
 * Lets many write once everything that is ready now was heard, with one timer for all of them. What
 * they write is put together first and then written in one go: a reader on this machine that is
 * awake for one write need not be woken for the next.
 */
export class Turn {
  #waiting: Writer[] = [];

  atEnd(writer: Writer): void {
    if (this.#waiting.push(writer) === 1) setImmediate(() => this.#end());
  }

  #end(): void {
    const due = this.#waiting;
    this.#waiting = due.splice(MOST);
    if (this.#waiting.length > 0) setImmediate(() => this.#end());
    for (const writer of due) writer.prepare();
    const now = performance.now();
    for (const writer of due) writer.write(now);
  }
}
