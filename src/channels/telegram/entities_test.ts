/** Markdown in Telegram's terms. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { acceptText } from "../../../tests/fakes/telegram_text.ts";
import { MAX_ENTITIES, measure, toFormatted } from "./entities.ts";

Deno.test("each style is an entity", () => {
  for (
    const [markdown, text, entities] of [
      ["plain", "plain", []],
      ["**b**", "b", ["bold 0+1"]],
      ["*i* and _j_", "i and j", ["italic 0+1", "italic 6+1"]],
      ["~~gone~~", "gone", ["strikethrough 0+4"]],
      ["`x < y & z`", "x < y & z", ["code 0+9"]],
      ["😀 **b**", "😀 b", ["bold 3+1"]],
      ["***both***", "both", ["bold 0+4", "italic 0+4"]],
      ["snake_case_name 2 * 3", "snake_case_name 2 * 3", []],
      ["# Title\ntext", "Title\n\ntext", ["bold 0+5"]],
      ["[t](https://e.org/a?b=c)", "t", ["text_link 0+1 https://e.org/a?b=c"]],
      ["![alt](https://e.org/i.png)", "alt", ["text_link 0+3 https://e.org/i.png"]],
      ["https://e.org <https://f.org>", "https://e.org https://f.org", []],
      ["[here](./notes.md)", "here (./notes.md)", []],
      ["```ts\nlet a = 1;\n```", "let a = 1;", ["pre 0+10 ts"]],
      ["a\n\n```\nb\n```\n\nc", "a\n\nb\n\nc", ["pre 3+1"]],
      ["> said\n> so\n\nok", "said\nso\n\nok", ["blockquote 0+7"]],
      ["- a\n- b\n  1. c\n  2. d", "• a\n• b\n  1. c\n  2. d", []],
      ["3. c\n4. d", "3. c\n4. d", []],
      ["- [x] done\n- [ ] open", "☑ done\n☐ open", []],
      ["a  \nb<br>c", "a\nb\nc", []],
      ["---", "———", []],
      ["1 &lt; 2 &amp;&#33; &bogus;", "1 < 2 &! &bogus;", []],
      ["\\*not\\*", "*not*", []],
      ["<b>raw</b>", "<b>raw</b>", []],
      ["|a|bb|\n|-|-|\n|`1`|2|", "a | bb\n--|---\n1 | 2", ["pre 0+19"]],
      ["|a|\n|-|\n|[t](https://e.org)|", `a\n${"-".repeat(17)}\nt (https://e.org)`, ["pre 0+37"]],
    ] as const
  ) {
    const formatted = toFormatted(markdown);
    strictEqual(formatted.text, text, markdown);
    deepStrictEqual(formatted.entities.map(brief), entities, markdown);
  }
});

Deno.test("code is in nothing else: what is around it ends and begins anew", () => {
  deepStrictEqual(toFormatted("**a `b` c**").entities.map(brief), [
    "bold 0+1",
    "code 2+1",
    "bold 4+1",
  ]);
  deepStrictEqual(toFormatted("> a\n>\n> ```\n> b\n> ```\n>\n> c").entities.map(brief), [
    "blockquote 0+1",
    "pre 3+1",
    "blockquote 6+1",
  ]);
  deepStrictEqual(toFormatted("[`a`](https://e.org)").entities.map(brief), [
    "text_link 0+1 https://e.org",
  ]);
});

Deno.test("what would show nothing is shown as it is written", () => {
  for (const markdown of ["#", ">", "[ref]: https://e.org", "****", "- ", "```\n```"]) {
    ok(toFormatted(markdown).text.length > 0, markdown);
  }
  strictEqual(toFormatted(" \n ").text, "");
});

Deno.test("what is nested beyond reason is shown as it is written", () => {
  const { text, entities } = toFormatted("> ".repeat(10_000) + "x");
  ok(text === "> ".repeat(10_000 - 16) + "x");
  deepStrictEqual(entities.map(brief), [`blockquote 0+${text.length}`]);
});

Deno.test("no more entities than Telegram keeps", () => {
  strictEqual(toFormatted("**a** ".repeat(300)).entities.length, MAX_ENTITIES);
});

const PIECES = [
  ..."**|*|_|~~|`|```|\n```ts\n|> |- |1. |# |[|](|)|](https://e.org)|\n|\n\n|    |   |\\|<b>|&amp;"
    .split("|"),
  ..."😀|é|漢字|👩‍🌾|word|a b|\t|\r\n|\u0000|\u202e|||x|y||\n|-|-|\n|".split("|"),
  "\n| a | b |\n|---|---|\n| c | d |\n",
  "\ud800",
];
const markdown = fc.array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 5 })), {
  maxLength: 40,
}).map((pieces) => pieces.join(""));

Deno.test("whatever the Markdown, Telegram takes it as it is, and counts as we do", () => {
  fc.assert(
    fc.property(markdown, (source) => {
      const { text, entities } = toFormatted(source);
      strictEqual(measure(source), text.length);
      if (text === "") return ok(/^[\s\p{Cc}]*$/u.test(source));
      deepStrictEqual(acceptText(text, { entities, limit: 4096, what: "text" }), {
        text,
        entities: entities.map((entity) => ({ ...entity })),
      });
    }),
    { numRuns: 2000 },
  );
});

Deno.test("whatever the Markdown, entities lie in each other as Telegram allows", () => {
  fc.assert(
    fc.property(markdown, (source) => {
      const { text, entities } = toFormatted(source);
      for (const [index, entity] of entities.entries()) {
        const { offset, length, type } = entity;
        ok(offset >= 0 && length > 0 && offset + length <= text.length);
        const words = text.slice(offset, offset + length);
        strictEqual(words, words.trim());
        for (const other of entities.slice(index + 1)) {
          const end = offset + length;
          const isApart = other.offset >= end;
          const isInside = other.offset + other.length <= end;
          ok(isApart || isInside, `${brief(entity)} and ${brief(other)}`);
          if (isApart) continue;
          const types = [type, other.type];
          ok(!types.includes("code") && !types.includes("pre"), `code in ${types}`);
          ok(type !== other.type, `${type} in itself`);
        }
      }
    }),
    { numRuns: 2000 },
  );
});

Deno.test("plain words stay what they are", () => {
  fc.assert(fc.property(
    fc.array(fc.stringMatching(/^[a-z]{1,8}$/), { minLength: 1 }),
    (words) => strictEqual(toFormatted(words.join(" ")).text, words.join(" ")),
  ));
});

function brief(entity: ReturnType<typeof toFormatted>["entities"][number]): string {
  const detail = entity.type === "text_link"
    ? ` ${entity.url}`
    : entity.type === "pre" && entity.language
    ? ` ${entity.language}`
    : "";
  return `${entity.type} ${entity.offset}+${entity.length}${detail}`;
}
