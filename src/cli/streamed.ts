/** Prints a text while it grows. */
import { printable } from "./text.ts";

/** Turns what a client hears of a growing text into what is new on the screen. */
export class Streamed {
  #shown = "";

  /**
   * What to print for `text`, all that is said so far, of which `delta` is the end. A text that
   * starts anew begins on a line of its own; what was missed in between is made up for.
   */
  next(text: string, delta: string): string {
    if (delta === "" && this.#shown.startsWith(text)) return ""; // only its end was trimmed
    const before = text.slice(0, text.length - delta.length);
    const goesOn = before === "" ? this.#shown === "" : text.startsWith(this.#shown);
    const fresh = goesOn
      ? text.slice(this.#shown.length)
      : `${this.#shown === "" ? "" : "\n\n"}${text}`;
    this.#shown = text;
    return printable(fresh);
  }

  /** Whether anything was printed. */
  get started(): boolean {
    return this.#shown !== "";
  }

  /** What is missing to end the line. */
  get lineEnd(): string {
    return this.#shown === "" || this.#shown.endsWith("\n") ? "" : "\n";
  }
}
