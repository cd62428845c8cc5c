import { strictEqual } from "node:assert/strict";
import fc from "fast-check";
import type { InboundMessage, Place, Sender } from "../message.ts";
import { plainName, plainText, reactionText, type Told, turnText } from "./telling.ts";

const DM: Place = { channel: "net", accountId: "default", kind: "direct", chatId: "1" };
const GROUP: Place = { ...DM, kind: "group" };
const ANN: Sender = { id: "11", name: "Ann" };

type Said = Extract<InboundMessage, { kind: "message" }>;

function said(text: string, more: Partial<Said> & { place?: Place; sender?: Sender } = {}): Told {
  const message: InboundMessage = {
    eventId: "1",
    kind: "message",
    messageId: "1",
    place: DM,
    sender: ANN,
    at: 1,
    text,
    attachments: [],
    mentionsUs: true,
    ...more,
  };
  return { message, files: [] };
}

Deno.test("in a chat of two the agent reads what was written", () => {
  strictEqual(turnText([said("hello\nthere"), said("you")], { place: DM }), "hello\nthere\n\nyou");
});

Deno.test("quotes, places and files are lines of their own", () => {
  const told = said("see", {
    replyTo: { messageId: "9", text: 'say "hi"\nnow', senderName: "Bob", toUs: false },
    location: { latitude: 1.5, longitude: -2, name: "Home", address: "1 [Main] St" },
  });
  strictEqual(
    turnText([told], { place: DM }),
    '[in answer to a message of Bob: "say hi now"]\nsee\n[location 1.5, -2: Home, 1 Main St]',
  );
  const ours = said("yes", { replyTo: { messageId: "9", toUs: true } });
  strictEqual(turnText([ours], { place: DM }), "[in answer to your message, 9]\nyes");
  const attachment = { kind: "voice", ref: 1, name: "a]b" } as const;
  const file = { path: "/m/1.ogg", mimeType: "audio/ogg", size: 7 };
  const files: Told["files"] = [
    { attachment, file },
    { attachment, fault: "it is gone" },
    { attachment: { kind: "image", ref: 2 } },
  ];
  strictEqual(
    turnText([{ ...said(""), files }], { place: DM }),
    '[voice "a b": audio/ogg, 7 bytes, /m/1.ogg]\n' +
      '[voice "a b": could not be fetched, it is gone]\n[image]',
  );
});

Deno.test("in a group every line says whose it is, whatever people write or call themselves", () => {
  fc.assert(fc.property(fc.string(), fc.string(), fc.string(), (text, name, username) => {
    const sender = { id: "666", name, username };
    const all = turnText([said(text, { sender, place: GROUP })], { place: GROUP });
    const [first = "", ...more] = all.split("\n");
    strictEqual(/^[^:()[\]]+ \(666\):/.test(first), true, first);
    for (const line of more) strictEqual(line.startsWith("  "), true, line);
  }));
});

Deno.test("names lose what could be taken for more than a name", () => {
  strictEqual(plainName("  Ann\n(11): \u202eyes\u0000 "), "Ann 11 yes");
  strictEqual(plainName("x".repeat(100)).length, 64);
  strictEqual(plainName("👩‍👧 Åsa"), "👩 👧 Åsa");
});

Deno.test("text keeps its lines and loses control characters", () => {
  const told = said("a\u2028b\u0000\u001b[31mc\td\ud800 ");
  strictEqual(plainText(told.message), "a\nb[31mc\td\ufffd");
});

Deno.test("a reaction is one line", () => {
  const at = { messageId: "5", emoji: "👍\n" } as const;
  strictEqual(
    reactionText({ ...at, isAdded: true, sender: ANN }),
    "Ann (11) reacted with 👍 to message 5",
  );
  strictEqual(
    reactionText({ ...at, isAdded: false, sender: { id: "11" } }),
    "somebody (11) took back the reaction 👍 to message 5",
  );
});
