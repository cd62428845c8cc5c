/** What Discord is given for Markdown. */
import { ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { titleOf, toDiscord } from "./markdown.ts";

const CASES: readonly (readonly [what: string, markdown: string, discord: string])[] = [
  ["plain words stay", "Hello, world.", "Hello, world."],
  [
    "marks that it knows stay",
    "**b** *i* ~~s~~ `c` ||spoiler||",
    "**b** *i* ~~s~~ `c` ||spoiler||",
  ],
  ["underscores mean what they mean elsewhere", "__bold__ _italic_", "**bold** *italic*"],
  ["three headings are known", "# a\n## b\n### c", "# a\n## b\n### c"],
  ["deeper headings are bold", "#### a *b*\n\ntext", "**a *b***\n\ntext"],
  ["lists keep their depth", "- a\n  - b\n    - c\n- d", "- a\n  - b\n    - c\n- d"],
  ["lists keep their numbers", "3. a\n4. b", "3. a\n4. b"],
  ["tasks are shown", "- [x] done\n- [ ] open", "- ☑ done\n- ☐ open"],
  ["quotes have one level", "> a\n> > b\n\nc", "> a\n> b\n\nc"],
  [
    "tables are code",
    "| a | b |\n|---|--:|\n| *x* | 1 |\n| yy | 200 |",
    "```\na  |   b\n---|----\nx  |   1\nyy | 200\n```",
  ],
  [
    "tables keep the addresses of links",
    "|a|\n|-|\n|[x](https://a.example)|\n|https://b.example|\n|![y](z.png)|",
    `\`\`\`\na\n${"-".repeat(21)}\nx (https://a.example)\nhttps://b.example\ny (z.png)\n\`\`\``,
  ],
  ["code keeps its language", "~~~ts\nconst a = 1;\n~~~", "```ts\nconst a = 1;\n```"],
  ["code can't end early", "~~~~\n```\n~~~~", "```\n`\u200b`\u200b`\n```"],
  ["indented code is code", "text\n\n    a\n    b", "text\n\n```\na\nb\n```"],
  ["rules are drawn", "a\n\n---\n\nb", `a\n\n${"─".repeat(12)}\n\nb`],
  ["links hide behind words", "[docs](https://a.example/x)", "[docs](https://a.example/x)"],
  ["links that Discord can't hide are shown", "[docs](./x.md)", "docs (./x.md)"],
  [
    "links can't lie",
    "[https://bank.example](https://evil.example)",
    "https://bank.example (https://evil.example)",
  ],
  [
    "bare links stay",
    "see https://a.example <https://b.example>",
    "see https://a.example <https://b.example>",
  ],
  ["images are links", "![a cat](https://a.example/c.png)", "[a cat](https://a.example/c.png)"],
  ["images without words too", "![](https://a.example/c.png)", "https://a.example/c.png"],
  ["breaks are breaks", "a  \nb<br>c", "a\nb\nc"],
  ["entities are read", "a &amp; b &lt;c&gt;", "a & b <c>"],
  ["escapes stay", "\\*not\\*", "\\*not\\*"],
  ["comments are for nobody", "a\n\n<!-- b -->\n\nc", "a\n\nc"],
  [
    "mentions of people stay",
    "<@123> <#4> <@&5> <:a:6> <t:7:R>",
    "<@123> <#4> <@&5> <:a:6> <t:7:R>",
  ],
  ["nobody calls everybody", "@everyone **@here**", "@\u200beveryone **@\u200bhere**"],
];

for (const [what, markdown, discord] of CASES) {
  Deno.test(`markdown: ${what}`, () => strictEqual(toDiscord(markdown), discord));
}

Deno.test("markdown: what is nested beyond reason is shown as it is written", () => {
  const shown = toDiscord("> ".repeat(10_000) + "@everyone");
  ok(shown === "> ".repeat(10_000 - 16) + "@\u200beveryone");
});

Deno.test("markdown: no text calls everybody, and none is lost on the way", () => {
  const word = fc.stringMatching(/^[a-z]{1,8}$/);
  const piece = fc.oneof(
    word,
    word.map((text) => `**${text}**`),
    word.map((text) => `\n\n#### ${text}\n\n`),
    word.map((text) => `\n\n- ${text}\n  - ${text}\n\n`),
    word.map((text) => `\n\n> ${text}\n\n`),
    word.map((text) => `\n\n| ${text} | b |\n|---|---|\n| c | ${text} |\n\n`),
    word.map((text) => `\n\n\`\`\`\n${text}\n\`\`\`\n\n`),
    word.map((text) => `[${text}](https://a.example)`),
    fc.constantFrom("@everyone", "@here", "@every", "`", "*", "_", "|", "<", "\n"),
  );
  fc.assert(fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
    const markdown = pieces.join(" ");
    const shown = toDiscord(markdown);
    const outside = shown.replace(/```[\s\S]*?```|`[^`]*`/g, "");
    ok(!/@(everyone|here)\b/.test(outside) || /[`]/.test(markdown), shown);
    const words = (text: string): string[] => text.replace(/\u200b/g, "").match(/[a-z]+/g) ?? [];
    const found = words(shown);
    for (const known of new Set(words(markdown))) ok(found.includes(known), `${known}: ${shown}`);
  }));
});

Deno.test("markdown: whatever the text, it is turned into something", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
    strictEqual(toDiscord(text) === "", text.trim() === "");
  }));
});

Deno.test("markdown: what nothing would be seen of is shown as it is written", () => {
  strictEqual(toDiscord("[a]: https://e.com/ @everyone\n"), "[a]: https://e.com/ @\u200beveryone");
});

Deno.test("a title is the first line without its marks", () => {
  strictEqual(titleOf("\n\n## **Hello** `world`\n\nrest"), "Hello world");
  strictEqual(titleOf(""), "");
});
