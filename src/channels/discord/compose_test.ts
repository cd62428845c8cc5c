/** What our messages become for Discord. */
import { deepStrictEqual, notStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { emojiPath, measure, nonceOf, postTitleOf, toContent, toMenu } from "./compose.ts";
import { toDiscord } from "./markdown.ts";

Deno.test("a nonce is short, and the same for the same message alone", () => {
  fc.assert(fc.property(fc.string(), fc.string(), (one, other) => {
    ok(/^[\w-]{22}$/.test(nonceOf(one)));
    strictEqual(nonceOf(one), nonceOf(one));
    if (one !== other) notStrictEqual(nonceOf(one), nonceOf(other));
  }));
});

Deno.test("a text is never longer for Discord than we count", () => {
  strictEqual(measure("héllo 😀"), 8);
  strictEqual(measure("| a |\n|---|\n| b |"), "```\na\n-\nb\n```".length);
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    ok([...toDiscord(text)].length <= measure(text));
  }));
});

Deno.test("an emoji is written as a path wants it", () => {
  strictEqual(emojiPath("👍"), "%F0%9F%91%8D");
  strictEqual(emojiPath("<:party:123>"), "party%3A123");
  strictEqual(emojiPath("<a:party:123>"), "party%3A123");
  strictEqual(emojiPath("party:123"), "party%3A123");
});

Deno.test("a menu keeps Discord's limits", () => {
  const commands = Array.from({ length: 120 }, (_, i) => ({
    name: `Name${i}`,
    description: "x".repeat(200),
    acceptsArgs: false,
  }));
  const menu = toMenu(commands);
  strictEqual(menu.length, 100);
  deepStrictEqual(menu[0], { name: "name0", description: "x".repeat(100), type: 1 });
});

Deno.test("a button and a title are cut between letters", () => {
  const place = { channel: "discord", accountId: "default", kind: "direct", chatId: "1" } as const;
  const text = "x" + "😀".repeat(100);
  const message = { id: "1", place, text: "", buttons: [[{ text, value: "v" }]] };
  const content = JSON.stringify(toContent(message, { suppressesEmbeds: true }));
  ok(content.includes(`"x${"😀".repeat(79)}"`));
  const poll = { question: text, options: ["a", "b"] };
  for (const said of [{ poll }, { text: `- ${text}` }]) {
    strictEqual(postTitleOf({ ...message, ...said }), "x" + "😀".repeat(99));
  }
});
