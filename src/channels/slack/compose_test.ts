import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { toContent } from "./compose.ts";
import { toMrkdwn } from "./markdown.ts";

const buttons = [[{ text: "Yes", value: "yes" }]];

/** The texts of the blocks before the buttons. */
function sections(text: string): string[] {
  const { blocks = [] } = toContent({ text, buttons });
  return blocks.flatMap((block) =>
    "text" in block && typeof block.text === "object" ? [block.text.text] : []
  );
}

Deno.test("a text beside buttons is cut in blocks, and nothing of it is lost", () => {
  const word = fc.constantFrom("😀", "<b>", "&", "\n", " ", "[x](https://a.example)");
  const part = fc.tuple(fc.integer({ min: 2900, max: 3010 }), fc.array(word));
  fc.assert(fc.property(fc.array(part), (parts) => {
    const text = parts.map(([length, words]) => "a".repeat(length) + words.join("")).join("");
    const pieces = sections(text);
    for (const piece of pieces) {
      ok(piece.length <= 3000 && piece.isWellFormed());
      ok(!/<[^<>]*$|&[a-z]*$/.test(piece), piece.slice(-30)); // no link and no sign is cut
    }
    const bare = (shown: string) => shown.replace(/\s/g, "");
    strictEqual(bare(pieces.join("")), bare(toMrkdwn(text)));
  }));
});

Deno.test("a line is cut before a letter that has no room", () => {
  deepStrictEqual(sections("a".repeat(2999) + "😀b"), ["a".repeat(2999), "😀b"]);
});

Deno.test("what stands on a button is cut between letters", () => {
  const { blocks } = toContent({
    text: "x",
    buttons: [[{ text: "x" + "😀".repeat(60), value: "v" }]],
  });
  ok(JSON.stringify(blocks).includes(`"x${"😀".repeat(36)}…"`));
});
