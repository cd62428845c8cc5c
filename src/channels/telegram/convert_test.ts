/** What becomes of what Telegram says. The updates in testdata/ are as the Bot API writes them. */
import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import type { InboundMessage } from "../../message.ts";
import { migrationOf, toInbound } from "./convert.ts";
import events from "./testdata/events.json" with { type: "json" };
import groups from "./testdata/groups.json" with { type: "json" };
import media from "./testdata/media.json" with { type: "json" };
import messages from "./testdata/messages.json" with { type: "json" };

const SAID_AT = 1_763_712_000_000;
const ANNA = { id: "42", name: "Anna Lind", username: "anna" };
const US = { id: "700700", username: "fake_bot" };

Deno.test("a message of a person", () => {
  deepStrictEqual(said(messages["text"]), [{
    eventId: "700700:11",
    place: {
      channel: "telegram",
      accountId: "work",
      kind: "direct",
      chatId: "42",
      title: "Anna Lind",
    },
    sender: ANNA,
    at: SAID_AT,
    kind: "message",
    messageId: "11",
    text: "Hello there",
    attachments: [],
    mentionsUs: true,
  }]);
});

Deno.test("a link shows where it leads, counted in UTF-16", () => {
  strictEqual(
    only(messages["link"]).text,
    "😀 see [the plan](https://example.org/plan) and https://example.org/x",
  );
});

Deno.test("what we said is not said to us", () => {
  deepStrictEqual(said(messages["our own"]), []);
});

Deno.test("an answer says to what, and to whom", () => {
  deepStrictEqual(only(messages["reply with a quote"]).replyTo, {
    messageId: "9",
    text: "second",
    senderName: "Fake",
    toUs: true,
  });
  deepStrictEqual(only(groups["reply to us"]).replyTo, {
    messageId: "20",
    text: "Water it",
    senderName: "Fake",
    toUs: true,
  });
  strictEqual(only(groups["reply in General"]).replyTo?.toUs, false);
  strictEqual(only(groups["reply in a topic"]).replyTo?.messageId, "30");
});

Deno.test("a message in a topic is no answer to whoever opened the topic", () => {
  strictEqual(only(groups["topic"]).replyTo, undefined);
});

Deno.test("a mention counts where it is ours", () => {
  for (
    const [name, isMeant] of [
      ["not to us", false],
      ["mention", true],
      ["mention of another", false],
      ["mention by name", true],
      ["mention in a caption", true],
      ["reply to us", false],
      ["command to anybody", false],
    ] as const
  ) {
    strictEqual(only(groups[name]).mentionsUs, isMeant, name);
  }
});

Deno.test("a place is a chat, and a topic only where there are topics", () => {
  const place = (update: unknown) => {
    const { kind, chatId, threadId } = said(update)[0]!.place;
    return [kind, chatId, threadId];
  };
  deepStrictEqual(place(groups["mention by name"]), ["group", "-4001", undefined]);
  deepStrictEqual(place(groups["reply to us"]), ["group", "-1001700000001", undefined]);
  deepStrictEqual(place(groups["topic"]), ["group", "-1001700000002", "7"]);
  deepStrictEqual(place(groups["General"]), ["group", "-1001700000002", "1"]);
  deepStrictEqual(place(groups["reply in General"]), ["group", "-1001700000002", "1"]);
  deepStrictEqual(place(groups["channel post"]), ["channel", "-1001700000003", undefined]);
});

Deno.test("who speaks for a group or a channel is that group or channel", () => {
  deepStrictEqual(said(groups["anonymous administrator"])[0]?.sender, {
    id: "-1001700000001",
    name: "head gardener",
    username: "the_garden",
  });
  deepStrictEqual(said(groups["as a channel"])[0]?.sender.id, "-1001700000003");
  deepStrictEqual(said(groups["channel post"])[0]?.sender, {
    id: "-1001700000003",
    name: "Daily News",
    username: "daily_news_x",
  });
});

Deno.test("a command is one where it can be for nobody else", () => {
  const command = (update: unknown) => said(update).map(({ kind }) => kind);
  const [direct] = said(messages["command"]);
  deepStrictEqual(direct?.kind === "command" && direct.text, "/think high");
  const [named] = said(groups["command to us"]);
  deepStrictEqual(named?.kind === "command" && named.text, "/status now");
  deepStrictEqual(command(groups["command to another"]), []);
  deepStrictEqual(command(groups["command to anybody"]), ["message"]);
});

Deno.test("what nobody said is nothing", () => {
  for (
    const update of [
      groups["somebody joined"],
      groups["topic opened"],
      groups["became a supergroup"],
      media["story"],
      events["edit of a live location"],
      events["button of a game"],
      events["something else"],
    ]
  ) {
    deepStrictEqual(said(update), []);
  }
});

Deno.test("a group that becomes a supergroup says its new id", () => {
  deepStrictEqual(migrationOf(groups["became a supergroup"] as never), {
    from: "-4001",
    to: "-1001700000009",
  });
  strictEqual(migrationOf(groups["mention"] as never), undefined);
});

Deno.test("files", () => {
  for (
    const [name, attachment] of [
      ["photo of an album", { kind: "image", id: "P1large", type: "image/jpeg", size: 70000 }],
      ["voice", { kind: "voice", id: "V1", type: "audio/ogg", size: 12345 }],
      ["audio", { kind: "audio", id: "A1", type: "audio/mpeg", size: 3200000, name: "song.mp3" }],
      ["video", { kind: "video", id: "W1", type: "video/mp4", size: 2500000, name: "IMG_1.MP4" }],
      ["video note", { kind: "video", id: "N1", type: "video/mp4", size: 400000 }],
      ["animation", {
        kind: "video",
        id: "G1",
        type: "video/mp4",
        size: 90000,
        name: "cat.gif.mp4",
      }],
      ["document", {
        kind: "file",
        id: "D1",
        type: "application/pdf",
        size: 45678,
        name: "plan ü.pdf",
      }],
      ["sticker", { kind: "sticker", id: "S1", type: "image/webp", size: 20000 }],
    ] as const
  ) {
    const { id, type, ...rest } = attachment;
    deepStrictEqual(
      only(media[name]).attachments,
      [{ ...rest, ref: { fileId: id }, mimeType: type }],
      name,
    );
  }
});

Deno.test("an album's parts say that they belong together", () => {
  strictEqual(only(media["photo of an album"]).albumId, "13900000000000001");
  strictEqual(only(media["photo of an album"]).text, "Two of them");
});

Deno.test("what is neither text nor file is put into words", () => {
  strictEqual(only(media["contact"]).text, "Carl May +4912345");
  strictEqual(only(media["poll"]).text, "Tea?\n- Yes\n- No");
  strictEqual(only(media["dice"]).text, "🎲 4");
  strictEqual(only(media["sticker"]).text, "🎉");
  deepStrictEqual(only(media["location"]).location, { latitude: 52.52, longitude: 13.405 });
  deepStrictEqual(only(media["venue"]).location, {
    latitude: 52.5,
    longitude: 13.4,
    name: "Café",
    address: "Main St 1",
  });
});

Deno.test("an edit is not the message that it changes", () => {
  const [edit] = said(events["edit"]);
  deepStrictEqual(
    edit?.kind === "edit" && [edit.messageId, edit.text, edit.at, edit.eventId],
    ["11", "Hello where", SAID_AT + 60_000, `edit:${events["edit"].update_id}`],
  );
  strictEqual(said(events["edit of a channel post"])[0]?.kind, "edit");
});

Deno.test("a button is pressed where its message is", () => {
  const [press] = said(events["button"]);
  deepStrictEqual(
    press?.kind === "button" && [press.eventId, press.value, press.messageId, press.sender.id],
    ["button:180388626433", "y", "71", "42"],
  );
  strictEqual(press?.place.threadId, "7");
  strictEqual(press?.at, 5);
  strictEqual(said(events["button of an old message"])[0]?.place.chatId, "42");
});

Deno.test("a reaction is what came and what went", () => {
  const changes = (update: unknown) =>
    said(update).map((message) =>
      message.kind === "reaction" && [message.emoji, message.isAdded, message.sender.id]
    );
  deepStrictEqual(changes(events["reaction"]), [["👍", true, "42"]]);
  deepStrictEqual(changes(events["reaction changed"]), [
    ["👍", false, "42"],
    ["🔥", true, "42"],
    ["custom:5368324170671202286", true, "42"],
  ]);
  deepStrictEqual(changes(events["reaction of an anonymous administrator"]), [
    ["👍", false, "-1001700000001"],
  ]);
  const ids = said(events["reaction changed"]).map(({ eventId }) => eventId);
  strictEqual(new Set(ids).size, 3);
});

Deno.test("what is no update is refused, and named", () => {
  throws(() => said({ update_id: "1" }), /no update of Telegram's: \/update_id/);
  throws(() => said({ update_id: 1, message: { message_id: 1 } }), /\/message\//);
});

function said(update: unknown): readonly InboundMessage[] {
  return toInbound(update as never, { accountId: "work", self: US, now: 5 });
}

function only(update: unknown) {
  const [message, ...more] = said(update);
  deepStrictEqual(more, []);
  if (message?.kind !== "message") throw new Error("it is no message");
  return message;
}
