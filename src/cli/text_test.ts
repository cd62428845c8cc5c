import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { cut, facts, oneLine, printable, printableJson, table, widthOf, wrap } from "./text.ts";

const plain = (text: string) => text;

Deno.test("text of others can't steer the terminal", () => {
  strictEqual(printable("a\x1b[31mb\x07\r\nc\td\u202ee\x9b1m"), "a[31mb\nc\tde1m");
  strictEqual(oneLine("  a\nb\t c\x1b]0;title\x07 "), "a b c]0;title");
});

Deno.test("JSON that steers no terminal means the same", () => {
  const value = { name: "a\x1b[31m\x9b31m\u202e\x7f\n日本 👍" };
  const text = printableJson(JSON.stringify(value, null, 2));
  deepStrictEqual(JSON.parse(text), value);
  // deno-lint-ignore no-control-regex
  strictEqual(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/.test(text), false);
});

Deno.test("width counts columns", () => {
  strictEqual(widthOf("abc"), 3);
  strictEqual(widthOf("日本語"), 6);
  strictEqual(widthOf("e\u0301"), 1);
  strictEqual(widthOf("🙂"), 2);
  strictEqual(widthOf("\x1b[31mred\x1b[39m"), 3);
});

Deno.test("cut keeps what fits", () => {
  strictEqual(cut("abc", 3), "abc");
  strictEqual(cut("abcd", 3), "ab…");
  strictEqual(cut("日本語", 4), "日…");
});

Deno.test("a table has its columns aligned, also with wide letters and colours", () => {
  strictEqual(
    table(["A", "NAME", "C"], [["1", "日本", "x"], ["22", "\x1b[31mred\x1b[39m", ""]], plain),
    "A   NAME  C\n1   日本  x\n22  \x1b[31mred\x1b[39m\n",
  );
});

Deno.test("facts are aligned, those without a value left out", () => {
  strictEqual(
    facts([["A", "1"], ["Long", "2"], ["Longest", undefined], ["B", ""]], plain),
    "A     1\nLong  2\n",
  );
});

Deno.test("wrap breaks at spaces, and inside words that are too long", () => {
  deepStrictEqual(wrap("one two three", 8), ["one two", "three"]);
  deepStrictEqual(wrap("one two ", 7), ["one two", ""]);
  deepStrictEqual(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
  deepStrictEqual(wrap("日本語", 4), ["日本", "語"]);
  deepStrictEqual(wrap("", 3), [""]);
});
