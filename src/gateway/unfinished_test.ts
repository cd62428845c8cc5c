import { ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import type { Fit } from "./split.ts";
import { shownSoFar } from "./unfinished.ts";

const chars = (limit: number): Fit => ({ limit, measure: (text) => text.length });

/** What is written, and how it is shown. */
const SO_FAR: readonly (readonly [string, string])[] = [
  ["", ""],
  [" \n", ""],
  ["one two", "one two"],
  ["**bo", "**bo**"],
  ["**bold*", "**bold**"],
  ["**bold** and *it", "**bold** and *it*"],
  ["a **b *c", "a **b *c***"],
  ["text **", "text"],
  ["*", ""],
  ["a ** b, 2 * 3", "a ** b, 2 * 3"],
  ["* point **a", "* point **a**"],
  ["snake_case and _it", "snake_case and _it_"],
  ["run `co", "run `co`"],
  ["run ``a ` *b", "run ``a ` *b``"],
  ["\\*no", "\\*no"],
  ["~~go", "~~go~~"],
  ["see [here](https://exam", "see here"],
  ["```py\nprint(", "```py\nprint(\n```"],
  ["a\n```\n**x\n```", "a\n```\n**x\n```"],
  ["```\na**\n\nb\n```\nthen **bo", "```\na**\n\nb\n```\nthen **bo**"],
  ["over **there\n\nand **he", "over **there\n\nand **he**"],
];

Deno.test("what is open at the end of a text is closed, so that it can be shown", () => {
  for (const [written, shown] of SO_FAR) strictEqual(shownSoFar(written, chars(100)), shown);
});

Deno.test("no more is shown than the first message holds", () => {
  strictEqual(shownSoFar("One **two.\n\nThree four", chars(12)), "One **two.");
  strictEqual(shownSoFar("one **two", chars(10)), "one **two"); // closed it would be too long
  strictEqual(shownSoFar("One.\n\nTwo", { ...chars(100), byParagraph: true }), "One.");
  const text = fc.string({ unit: fc.constantFrom(..."ab *_`~[](\n\\".split("")), maxLength: 80 });
  fc.assert(fc.property(text, fc.integer({ min: 20, max: 60 }), (written, limit) => {
    ok(shownSoFar(written, chars(limit)).length <= limit);
  }));
});
