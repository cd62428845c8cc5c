/** A terminal of which the lower end changes: above it lies what was printed for good. */
import { columnsOf } from "../text.ts";

/** The changing end of the screen. */
export interface Footing {
  /** What is still growing: the last line of an answer. */
  readonly growing: string;
  /** A line about what is going on; may be empty. */
  readonly status: string;
  readonly prompt: string;
  readonly input: string;
  /** The part of `input` that stands before the cursor. */
  readonly beforeCursor: string;
}

/** Draws the footing, and takes it away while something is printed above it. */
export class Screen {
  readonly #write: (text: string) => void;
  readonly #columns: () => number;
  /** What stands between the top of the footing and the cursor. */
  #aboveCursor: string | undefined;

  constructor(write: (text: string) => void, columns: () => number) {
    this.#write = write;
    this.#columns = columns;
  }

  /** Prints whole lines for good, and draws the footing beneath them. */
  draw(footing: Footing, lines = ""): void {
    const { growing, status, prompt, input, beforeCursor } = footing;
    const upper = [growing, status].filter((line) => line !== "").map((line) => `${line}\n`).join(
      "",
    );
    const above = `${upper}${prompt}${visible(beforeCursor)}`;
    const all = `${upper}${prompt}${visible(input)}`;
    const columns = this.#columns();
    const here = cursorAfter(above, columns);
    const end = cursorAfter(all, columns);
    this.#write(
      this.#erasure() + lines + all +
        // At the right edge a terminal waits with the new line until something comes.
        (end.column === 0 && !all.endsWith("\n") ? "\n" : "") +
        up(end.row - here.row) + "\r" + right(here.column),
    );
    this.#aboveCursor = above;
  }

  /** Takes the footing away. */
  clear(): void {
    this.#write(this.#erasure());
    this.#aboveCursor = undefined;
  }

  #erasure(): string {
    if (this.#aboveCursor === undefined) return "";
    return `${up(cursorAfter(this.#aboveCursor, this.#columns()).row)}\r\x1b[J`;
  }
}

/** Line breaks in what is being written, as one line can show them. */
function visible(text: string): string {
  return text.replace(/\n/g, "⏎").replace(/\t/g, " ");
}

// deno-lint-ignore no-control-regex
const COLOUR = /\x1b\[\d+m/g;

/** Where the cursor stands after a text that began at the left edge. */
function cursorAfter(text: string, columns: number): { row: number; column: number } {
  let row = 0;
  let column = 0;
  for (const character of text.replace(COLOUR, "")) {
    if (character === "\n") {
      row++;
      column = 0;
      continue;
    }
    const width = character === "\t" ? 8 - column % 8 : columnsOf(character);
    if (column + width > columns) {
      row++;
      column = 0;
    }
    column += width;
  }
  return column < columns ? { row, column } : { row: row + 1, column: 0 };
}

function up(rows: number): string {
  return rows > 0 ? `\x1b[${rows}A` : "";
}

function right(columns: number): string {
  return columns > 0 ? `\x1b[${columns}C` : "";
}
