import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { Cell } from "./cell.ts";

Deno.test("a cell tells its watchers of a change, and of nothing else", () => {
  const cell = new Cell(1);
  const seen: number[] = [];
  const stop = cell.watch(() => seen.push(cell.value));
  cell.set(2);
  cell.set(2);
  cell.change((value) => value + 1);
  stop();
  cell.set(9);
  deepStrictEqual(seen, [2, 3]);
});

Deno.test("changes between two looks are shown once, and the value is always current", () => {
  const looks: (() => void)[] = [];
  const cell = new Cell("", (flush) => looks.push(flush));
  let told = 0;
  cell.watch(() => told++);
  for (const letter of "abc") cell.change((value) => value + letter);
  strictEqual(cell.value, "abc");
  strictEqual(looks.length, 1);
  looks.shift()?.();
  cell.set("d");
  looks.shift()?.();
  strictEqual(told, 2);
});
