import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { decode, GrowingMarkdown, readBlocks, safeLink, safePicture } from "./markdown.ts";

const ANSWER = `# Title

A paragraph with **bold** text
over two lines.

- one
- two

  still two

1. first
2. second

\`\`\`ts
const a = 1;

const b = \`x\`;
\`\`\`

| a | b |
|---|---|
| 1 | 2 |

> quoted

~~~
tilde
~~~

The end.
`;

Deno.test("a text that grows letter by letter ends up as the whole text does", () => {
  const growing = new GrowingMarkdown();
  for (let end = 1; end <= ANSWER.length; end++) growing.blocks(ANSWER.slice(0, end));
  const shape = (blocks: readonly { type: string; raw: string }[]) =>
    blocks.map(({ type, raw }) => [type, raw]);
  deepStrictEqual(shape(growing.blocks(ANSWER)), shape(readBlocks(ANSWER)));
});

Deno.test("what is complete is not read again", () => {
  const growing = new GrowingMarkdown();
  const before = growing.blocks("First.\n\nSecond.\n\nThird");
  const after = growing.blocks("First.\n\nSecond.\n\nThird grows");
  strictEqual(after[0], before[0]);
  strictEqual(after[2], before[2]);
});

Deno.test("the same text gives the same blocks", () => {
  const growing = new GrowingMarkdown();
  strictEqual(growing.blocks("A.\n\nB"), growing.blocks("A.\n\nB"));
});

Deno.test("a text that is another one starts over", () => {
  const growing = new GrowingMarkdown();
  growing.blocks("First.\n\nSecond.\n\nThird");
  deepStrictEqual(growing.blocks("Other").map(({ raw }) => raw), ["Other"]);
});

Deno.test("an open code block is one block, up to its closing line", () => {
  const growing = new GrowingMarkdown();
  const code = (text: string) => {
    const block = growing.blocks(text).at(-1);
    return block?.type === "code" ? { lang: block.lang, text: block.text } : block?.type;
  };
  deepStrictEqual(code("Look:\n\n```ts\nlet a"), { lang: "ts", text: "let a" });
  deepStrictEqual(code("Look:\n\n```ts\nlet a;\n\nlet b;\n``"), {
    lang: "ts",
    text: "let a;\n\nlet b;\n``",
  });
  deepStrictEqual(code("Look:\n\n```ts\nlet a;\n\nlet b;\n```"), {
    lang: "ts",
    text: "let a;\n\nlet b;",
  });
  strictEqual(code("Look:\n\n```ts\nlet a;\n\nlet b;\n```\n\nAfter"), "paragraph");
});

Deno.test("a long answer takes time in proportion to its length", () => {
  // Counted, not timed: the work is what isn't the same object as before.
  const growing = new GrowingMarkdown();
  let text = "";
  let read = 0;
  let seen = new Set<unknown>();
  for (let i = 0; i < 500; i++) {
    text += `Paragraph ${i} says something.\n\n`;
    const blocks = growing.blocks(text);
    for (const block of blocks) if (!seen.has(block)) read += block.raw.length;
    seen = new Set(blocks);
  }
  ok(read < 4 * text.length, `${read} characters read for ${text.length}`);
});

Deno.test("hopelessly nested text is shown as it is", () => {
  const text = ">".repeat(20_000) + " deep";
  ok(readBlocks(text).length > 0);
});

Deno.test("a text is read at once, whatever is repeated in it", () => {
  for (const piece of [" ", "!", "a_", "    a\n"]) {
    const text = `- a${piece.repeat(100_000 / piece.length)}b`;
    strictEqual(readBlocks(text).map(({ raw }) => raw).join(""), text);
  }
});

Deno.test("a long paragraph is one text with its links in it", () => {
  const words = "some words and more of them ".repeat(100);
  const [block] = readBlocks(`${words}https://example.com/a_b ${words}**bold** ${words}`);
  const tokens = block?.type === "paragraph" ? block.tokens : [];
  deepStrictEqual(tokens.map(({ type }) => type), ["text", "link", "text", "strong", "text"]);
  strictEqual(tokens[0]?.raw, words);
});

Deno.test("a long paragraph hides no link, shortens none, and is no heading", () => {
  for (let length = 970; length <= 1_005; length++) {
    const words = `${"word ".repeat(200).slice(0, length - 1)}.`;
    for (const link of ["some.one@example.com", "https://example.com/a", "www.example.com"]) {
      const [block] = readBlocks(`${words} ${link} and more`);
      const tokens = block?.type === "paragraph" ? block.tokens : [];
      deepStrictEqual(tokens.map(({ raw }) => raw), [`${words} `, link, " and more"]);
      strictEqual(tokens[1]?.type, "link");
    }
    const blocks = readBlocks(`${words}\n- one\n- two`);
    deepStrictEqual(blocks.map(({ type }) => type), ["paragraph", "list"]);
  }
});

Deno.test("a link is one, also where it is long", () => {
  const link = `https://example.com/?signature=${"a1".repeat(1_500)}`;
  const [block] = readBlocks(`See ${link} there`);
  const tokens = block?.type === "paragraph" ? block.tokens : [];
  deepStrictEqual(tokens.map(({ type, raw }) => [type, raw]), [
    ["text", "See "],
    ["link", link],
    ["text", " there"],
  ]);
});

Deno.test("a link leads to a page or a mailbox, or nowhere", () => {
  const base = "http://localhost:18789/chat";
  strictEqual(safeLink("https://example.com/a b", base), "https://example.com/a%20b");
  strictEqual(safeLink("mailto:a@b.c", base), "mailto:a@b.c");
  strictEqual(safeLink("/devices", base), "http://localhost:18789/devices");
  for (
    const href of [
      "javascript:alert(1)",
      " JaVaScRiPt:alert(1)",
      "java\nscript:alert(1)",
      "data:text/html,<script>alert(1)</script>",
      "vbscript:x",
      "file:///etc/passwd",
      "blob:http://localhost/x",
      "http://[",
    ]
  ) strictEqual(safeLink(href, base), undefined, href);
});

Deno.test("a picture comes with the text or from the gateway", () => {
  const base = "http://localhost:18789/chat";
  ok(safePicture("data:image/png;base64,AA==", base));
  ok(safePicture("/avatar.png", base));
  for (
    const src of [
      "https://tracker.example/pixel.gif",
      "//tracker.example/pixel.gif",
      "http://localhost:1/x.png",
      "data:image/svg+xml;base64,AA==",
      "data:text/html,x",
      "javascript:x",
    ]
  ) strictEqual(safePicture(src, base), undefined, src);
});

Deno.test("character references are read, unknown ones are left alone", () => {
  strictEqual(
    decode("a &amp; b &lt;c&gt; &#169; &#x41; &nosuch; &#0;"),
    "a & b <c> © A &nosuch; &#0;",
  );
});
