import { strictEqual } from "node:assert/strict";
import { emojiOfName, nameOfEmoji } from "./emoji.ts";

for (
  const [emoji, name] of [
    ["👍", "+1"],
    ["👍🏽", "+1::skin-tone-4"],
    ["❤️", "heart"],
    ["❤", "heart"],
    ["✅", "white_check_mark"],
    [":eyes:", "eyes"],
    ["party-parrot", "party-parrot"],
    [":+1::skin-tone-2:", "+1::skin-tone-2"],
    ["🫥", undefined],
    ["not one", undefined],
  ] as const
) {
  Deno.test(`Slack calls ${emoji} ${name ?? "nothing"}`, () => {
    strictEqual(nameOfEmoji(emoji), name);
  });
}

for (
  const [name, emoji] of [
    ["thumbsup", "👍"],
    ["+1", "👍"],
    ["+1::skin-tone-6", "👍🏿"],
    ["heart", "❤️"],
    ["point_up::skin-tone-2", "☝🏻"],
    ["party-parrot", ":party-parrot:"],
  ] as const
) {
  Deno.test(`${name} is ${emoji}`, () => strictEqual(emojiOfName(name), emoji));
}
