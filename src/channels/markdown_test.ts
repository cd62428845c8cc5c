import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import type { MarkedToken, Token } from "marked";
import { drawTable, own, readMarkdown } from "./markdown.ts";

const DEEP: readonly (readonly [what: string, markdown: string])[] = [
  ["quotations", "> ".repeat(10_000) + "x"],
  ["quotations without blanks", ">".repeat(10_000)],
  ["lists", "- ".repeat(10_000) + "x"],
  ["numbered lists", "1. ".repeat(10_000) + "x"],
  ["lists, line by line", lines((depth) => `${"  ".repeat(depth)}- x`)],
  ["quotations, line by line", lines((depth) => `${"> ".repeat(depth)}x`)],
  ["quotations in lists", "- > ".repeat(10_000) + "x"],
  ["bold in italics", "*a **b ".repeat(10_000) + "x" + "** *".repeat(10_000)],
  ["what is struck out", "~~a ".repeat(10_000) + "x" + " a~~".repeat(10_000)],
  ["stars", "*".repeat(10_000) + "x" + "*".repeat(10_000)],
  ["brackets", "[".repeat(10_000) + "x" + "]".repeat(10_000)],
  ["links", "[".repeat(10_000) + "x" + "](https://a.example)".repeat(10_000)],
];

function lines(line: (depth: number) => string): string {
  return Array.from({ length: 300 }, (_, depth) => line(depth)).join("\n");
}

for (const [what, markdown] of DEEP) {
  Deno.test(`${what}, however deep, are read, and nothing of them is lost`, () => {
    const tokens = readMarkdown(markdown);
    ok(tokens.map(({ raw }) => raw).join("") === markdown);
    ok(depthOf(tokens) <= 60);
  });
}

Deno.test("marks in each other are what they are as deep as anybody sets them", () => {
  const depth = 16;
  let [token] = readMarkdown("> ".repeat(depth) + "x");
  for (let level = 1; level < depth; level++) token = inner(token)[0];
  strictEqual(token?.type, "blockquote");
  strictEqual(inner(token)[0]?.type, "paragraph");
});

Deno.test("a table of more columns than anybody reads is text", () => {
  const wide = (columns: number) =>
    ["a", "-", "b"].map((cell) => `|${cell}`.repeat(columns)).join("\n");
  strictEqual(readMarkdown(wide(20))[0]?.type, "table");
  strictEqual(readMarkdown(wide(5_000))[0]?.type, "paragraph");
});

Deno.test("a heading is underlined near its beginning, or is text", () => {
  const underlined = (words: number) => readMarkdown("word ".repeat(words) + "\n===")[0]?.type;
  strictEqual(underlined(100), "heading");
  strictEqual(underlined(5_000), "paragraph");
});

Deno.test("marks that are never closed are looked for so often and not more", () => {
  const markdown = "a_b*c ".repeat(20_000);
  const [paragraph] = readMarkdown(markdown);
  ok(inner(paragraph).map(({ raw }) => raw).join("") === markdown);
});

Deno.test("a table is drawn on lines of one width, with the addresses of its links", () => {
  const [table] = readMarkdown(
    "|a|b|\n|-|-:|\n|**x**|[y](https://a.example)|\n|`z`<br>&amp;|<https://b.example>|",
  );
  ok(table?.type === "table");
  deepStrictEqual(drawTable(table).split("\n"), [
    "a   |                     b",
    "----|----------------------",
    "x   | y (https://a.example)",
    "z & |     https://b.example",
  ]);
});

Deno.test("nothing of a text is lost when it is read", () => {
  const piece = fc.constantFrom(
    ...["> ", "- ", "1. ", "  ", "*", "**", "_", "~~", "`", "[", "](", ")", "|", "\n", "\n\n"],
    ...["a", "b ", "#", "---", "<br>", "https://a.example", "|-|-|\n", "    ", "```"],
  );
  fc.assert(fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
    const markdown = pieces.join("");
    strictEqual(readMarkdown(markdown).map(({ raw }) => raw).join("").trim(), markdown.trim());
  }));
});

function depthOf(tokens: readonly MarkedToken[]): number {
  return tokens.length === 0 ? 0 : 1 + Math.max(...tokens.map((token) => depthOf(inner(token))));
}

function inner(token: MarkedToken | undefined): readonly MarkedToken[] {
  if (token?.type === "list") return token.items;
  return token !== undefined && "tokens" in token ? own(token.tokens as Token[]) : [];
}
