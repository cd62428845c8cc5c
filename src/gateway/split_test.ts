import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { type Fit, fits, pieces, split } from "./split.ts";

const chars = (limit: number): Fit => ({ limit, measure: (text) => text.length });
const bytes = (limit: number): Fit => ({
  limit,
  measure: (text) => new TextEncoder().encode(text).length,
});
/** Counts what is shown, as networks do that take formatting apart from the text. */
const shown = (limit: number): Fit => ({
  limit,
  measure: (text) => text.replace(/[*_`]|\]\([^)]*\)/g, "").length,
});

Deno.test("a text that fits is left as it is", () => {
  deepStrictEqual(split("# Title\n\n- a\n  - b\n", chars(100)), ["# Title\n\n- a\n  - b"]);
  deepStrictEqual(split("  \n\n ", chars(100)), []);
  deepStrictEqual(split("", chars(100)), []);
});

Deno.test("it is cut between paragraphs, else lines, else sentences, else words, else letters", () => {
  deepStrictEqual(split("One two.\n\nThree four\nfive.", chars(16)), [
    "One two.",
    "Three four\nfive.",
  ]);
  deepStrictEqual(split("One two three\nfour. Five six", chars(20)), [
    "One two three",
    "four. Five six",
  ]);
  deepStrictEqual(split("One two. Three four five", chars(14)), ["One two.", "Three four", "five"]);
  deepStrictEqual(split("one two three", chars(8)), ["one two", "three"]);
  deepStrictEqual(split("abcdefghij", chars(4)), ["abcd", "efgh", "ij"]);
  deepStrictEqual(split("see https://example.org/x", chars(21)), ["see", "https://example.org/x"]);
});

Deno.test("each paragraph may be wanted as a message of its own", () => {
  const text = "One.\n\nTwo\nlines.\n\n```\ncode\n\nmore\n```\n \nA longer one that must be cut.";
  deepStrictEqual(split(text, { ...chars(22), byParagraph: true }), [
    "One.",
    "Two\nlines.",
    "```\ncode\n\nmore\n```",
    "A longer one that must",
    "be cut.",
  ]);
});

Deno.test("letters stay whole, however many code units they take", () => {
  deepStrictEqual(split("👨‍👩‍👧‍👦👨‍👩‍👧‍👦", chars(12)), ["👨‍👩‍👧‍👦", "👨‍👩‍👧‍👦"]);
  deepStrictEqual(split("🇩🇪🇫🇷🇨🇭", chars(9)), ["🇩🇪🇫🇷", "🇨🇭"]);
  deepStrictEqual(split("éé", bytes(3)), ["é", "é"]);
  deepStrictEqual(split("e\u0301e\u0301", chars(3)), ["e\u0301", "e\u0301"]);
});

Deno.test("a code block is closed and reopened with its language", () => {
  const code = "Look:\n\n```ts\nconst one = 1;\nconst two = 2;\nconst three = 3;\n```\n\nDone.";
  deepStrictEqual(split(code, chars(42)), [
    "Look:\n\n```ts\nconst one = 1;\n```",
    "```ts\nconst two = 2;\nconst three = 3;\n```",
    "Done.",
  ]);
});

Deno.test("a code block is not begun where none of its code fits", () => {
  deepStrictEqual(split("Some words before.\n```js\nlet a;\nlet b;\n```", chars(29)), [
    "Some words before.",
    "```js\nlet a;\nlet b;\n```",
  ]);
});

Deno.test("the end of a code block that was closed already is not said twice", () => {
  deepStrictEqual(split("```\naaaa\nbbbb\n```\nend", chars(17)), ["```\naaaa\nbbbb\n```", "end"]);
  deepStrictEqual(split("~~~~\naaaaaaaaaa\n~~~~", chars(16)), [
    "~~~~\naaaaaa\n~~~~",
    "~~~~\naaaa\n~~~~",
  ]);
});

Deno.test("a code block in a list goes on at the margin", () => {
  const list = "1. Do this:\n   ```sh\n   one\n     two\n   three\n   ```\n2. Done";
  deepStrictEqual(split(list, chars(34)), [
    "1. Do this:\n   ```sh\n   one\n   ```",
    "```sh\n  two\nthree\n```\n2. Done",
  ]);
});

Deno.test("a list that was deep goes on as a list and not as code", () => {
  const list = "- fruit\n    - apples\n    - pears\n        - hard\n- bread";
  deepStrictEqual(split(list, chars(26)), [
    "- fruit\n    - apples",
    "- pears\n    - hard\n- bread",
  ]);
});

Deno.test("a measure that counts little gets longer messages", () => {
  const link = "[word](https://example.org/a/very/long/address/that/nobody/sees) ";
  const parts = split(link.repeat(40), shown(100));
  strictEqual(parts.length, 3);
  for (const part of parts) ok(shown(100).measure(part) <= 100);
});

Deno.test("a text fits or not, and one that is far too long is not even measured", () => {
  ok(fits("[word](http://e)", shown(5)));
  ok(!fits("a word", shown(5)));
  const measure = () => {
    throw new Error("measured");
  };
  ok(!fits("x".repeat(17), { limit: 4, measure }));
});

const MARKDOWN = fc.array(
  fc.oneof(
    fc.constantFrom(
      "\n",
      "\n\n",
      " ",
      "  ",
      "    ",
      "\t",
      ". ",
      "! ",
      "- ",
      "1. ",
      "> ",
      "**",
      "`",
    ),
    fc.constantFrom(
      "\n```\n",
      "\n```js\n",
      "\n~~~~ x y\n",
      "\n  ```\n",
      "\n- ```\n",
      "```",
      "\r\n",
    ),
    fc.constantFrom("👨‍👩‍👧‍👦", "🇩🇪", "e\u0301", " \u0301", "你好。", "ẞ", "\u200d"),
    fc.string({ maxLength: 30 }),
    fc.string({ minLength: 40, maxLength: 200 }).map((text) => text.replace(/\s/g, "x")),
    fc.lorem({ maxCount: 20 }),
  ),
  { maxLength: 80, size: "max" },
).map((parts) => parts.join(""));

const FITS = fc.tuple(
  fc.constantFrom(chars, bytes, shown),
  fc.integer({ min: 120, max: 600 }),
  fc.boolean(),
).map(([fit, limit, byParagraph]) => ({ ...fit(limit), byParagraph }));

Deno.test("joined, the parts are the source; each fits, and none is empty", () => {
  fc.assert(
    fc.property(MARKDOWN, FITS, (markdown, fit) => {
      let at = 0;
      for (const { text, start, end, opening, closing } of pieces(markdown, fit)) {
        ok(fit.measure(text) <= fit.limit, `${fit.measure(text)} of ${fit.limit}`);
        ok(text.trim() !== "");
        const between = markdown.slice(at, start);
        ok(/^\s*((`{3,}|~{3,})\s*)?$/.test(between), `lost ${JSON.stringify(between)}`);
        const body = text.slice(opening.length, text.length - closing.length);
        const lines = (part: string) => part.split("\n").map((line) => line.trimStart());
        deepStrictEqual(lines(body), lines(markdown.slice(start, end)));
        at = end;
      }
      strictEqual(markdown.slice(at).replace(/^\s*(`{3,}|~{3,})?/, "").trim(), "");
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("no part ends within a letter, or in a code block", () => {
  const letters = new Intl.Segmenter();
  fc.assert(
    fc.property(MARKDOWN, FITS, (markdown, fit) => {
      const whole = letters.segment(markdown);
      for (const { text, start, end } of pieces(markdown, fit)) {
        ok(text.isWellFormed() || !markdown.isWellFormed());
        for (const cut of [start, end]) {
          if (cut < markdown.length) strictEqual(whole.containing(cut)?.index, cut);
        }
        // Ticks within a line open nothing, until a cut puts them at the beginning of one.
        const isWithinLine = start > 0 && markdown[start - 1] !== "\n";
        if (!isWithinLine || !/^\W*(`{3}|~{3})/.test(text)) strictEqual(isOpen(text), false, text);
      }
    }),
    { numRuns: 1_000 },
  );
});

/** Whether a code block has no end. */
function isOpen(markdown: string): boolean {
  let ticks: string | undefined;
  const lines = markdown.split("\n");
  for (const [i, line] of lines.entries()) {
    if (i === lines.length - 1 && ticks === undefined) return false; // nothing is in it
    const [, fence, info = ""] =
      /^(?:[ \t]*(?:[-*+>]|\d{1,9}[.)])(?=[ \t]))*[ \t]*(`{3,16}|~{3,16})([^`~].{0,60})?$/
        .exec(line.trimEnd()) ?? [];
    if (ticks !== undefined) {
      const end = line.trim();
      if (end.startsWith(ticks) && new Set(end).size === 1) ticks = undefined;
    } else if (fence !== undefined && !(fence[0] === "`" && info.includes("`"))) ticks = fence;
  }
  return ticks !== undefined;
}

Deno.test("a text ten times as long takes about ten times the work", () => {
  const count = (markdown: string, byParagraph: boolean) => {
    let measured = 0;
    split(markdown, {
      byParagraph,
      limit: 2_000,
      measure: (text) => {
        measured += text.length;
        return text.length;
      },
    });
    return measured;
  };
  for (const text of ["word ", "x", "a line\n", "```\ncode\n```\n", "[a](b) ", "\n- x", "👨‍👩‍👧‍👦"]) {
    for (const byParagraph of [false, true]) {
      const short = count(text.repeat(4_000), byParagraph);
      const long = count(text.repeat(40_000), byParagraph);
      ok(long < short * 12, `${JSON.stringify(text)}: ${short} and ${long}`);
    }
  }
});
