import { deepStrictEqual } from "node:assert/strict";
import { type Footing, Screen } from "./screen.ts";

const COLUMNS = 10;

/** As much of a terminal as the screen uses. */
class Terminal {
  rows: string[] = [""];
  row = 0;
  column = 0;

  write = (text: string) => {
    // deno-lint-ignore no-control-regex
    for (const [piece] of text.matchAll(/\x1b\[(\d*)([A-Z])|[^]/g)) {
      if (piece.startsWith("\x1b[")) this.#obey(Number(piece.slice(2, -1) || "1"), piece.at(-1));
      else if (piece === "\n") this.#moveTo(this.row + 1, 0);
      else if (piece === "\r") this.column = 0;
      else this.#put(piece);
    }
  };

  #put(character: string) {
    if (this.column === COLUMNS) this.#moveTo(this.row + 1, 0); // only now does the line wrap
    const line = this.rows[this.row]!.padEnd(this.column);
    this.rows[this.row] = line.slice(0, this.column) + character + line.slice(this.column + 1);
    this.column++;
  }

  #obey(count: number, command: string | undefined) {
    if (command === "A") this.row -= count;
    if (command === "C") this.column += count;
    if (command === "J") {
      this.rows.length = this.row + 1;
      this.rows[this.row] = this.rows[this.row]!.slice(0, this.column);
    }
  }

  #moveTo(row: number, column: number) {
    this.row = row;
    this.column = column;
    while (this.rows.length <= row) this.rows.push("");
  }
}

const footing = (change: Partial<Footing> = {}): Footing => ({
  growing: "",
  status: "",
  prompt: "> ",
  input: "",
  beforeCursor: "",
  ...change,
});

Deno.test("lines are printed above the footing, which stays at the end", () => {
  const terminal = new Terminal();
  const screen = new Screen(terminal.write, () => COLUMNS);
  screen.draw(footing({ input: "abc", beforeCursor: "ab" }), "one\n");
  deepStrictEqual([terminal.rows, terminal.row, terminal.column], [["one", "> abc"], 1, 4]);
  screen.draw(footing({ status: "busy", growing: "tw" }), "two and a half rows\n");
  deepStrictEqual(terminal.rows, ["one", "two and a ", "half rows", "tw", "busy", "> "]);
  deepStrictEqual([terminal.row, terminal.column], [5, 2]);
  screen.draw(footing());
  deepStrictEqual(terminal.rows, ["one", "two and a ", "half rows", "> "]);
  screen.clear();
  deepStrictEqual(terminal.rows, ["one", "two and a ", "half rows", ""]);
});

Deno.test("an input of several rows is drawn and taken away whole, wherever the cursor is", () => {
  const terminal = new Terminal();
  const screen = new Screen(terminal.write, () => COLUMNS);
  const input = "0123456789abcdef";
  for (const cursor of [0, 7, 8, 9, 16]) {
    screen.draw(footing({ input, beforeCursor: input.slice(0, cursor) }));
    deepStrictEqual(terminal.rows, ["> 01234567", "89abcdef"]);
    deepStrictEqual([terminal.row, terminal.column], [
      Math.floor((2 + cursor) / COLUMNS),
      (2 + cursor) % COLUMNS,
    ]);
  }
});

Deno.test("an input that ends at the right edge has its cursor on the next row", () => {
  const terminal = new Terminal();
  const screen = new Screen(terminal.write, () => COLUMNS);
  screen.draw(footing({ input: "01234567", beforeCursor: "01234567" }));
  deepStrictEqual([terminal.rows, terminal.row, terminal.column], [["> 01234567", ""], 1, 0]);
  screen.draw(footing({ input: "0", beforeCursor: "0" }));
  deepStrictEqual([terminal.rows, terminal.row], [["> 0"], 0]);
});

Deno.test("line breaks in the input are shown in the line", () => {
  const terminal = new Terminal();
  new Screen(terminal.write, () => COLUMNS).draw(footing({ input: "a\nb", beforeCursor: "a\nb" }));
  deepStrictEqual(terminal.rows, ["> a⏎b"]);
});
