/** What becomes of Discord's payloads. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import type { InboundMessage, Place } from "../../message.ts";
import {
  type AnyMessage,
  type Surroundings,
  toDelete,
  toEdit,
  toInteraction,
  toMessage,
  toReaction,
} from "./convert.ts";

const GUILD = "912837465019283746";
const GENERAL = "912837465463872512";
const THREAD = "1201837462910283746";
const DIRECT = "1187400000000000001";
const ADA = {
  id: "201734528901234567",
  name: "Countess",
  username: "ada_l",
  roles: ["915537460912837465"],
};
const ADA_ALONE = { id: ADA.id, name: "Ada Lovelace", username: "ada_l" };

const around: Surroundings = {
  accountId: "main",
  selfId: "1187301926413881425",
  channel: (id) =>
    new Map([
      [GENERAL, { id: GENERAL, type: 0, name: "general", guildId: GUILD }],
      [THREAD, { id: THREAD, type: 11, name: "aside", guildId: GUILD, parentId: GENERAL }],
    ]).get(id),
  role: (_guildId, id) =>
    new Map([
      ["915537460912837465", { name: "friends" }],
      ["1187302000000000001", { name: "clawbot", botId: "1187301926413881425" }],
    ]).get(id),
};

const ROOM: Place = {
  channel: "discord",
  accountId: "main",
  kind: "channel",
  chatId: GENERAL,
  spaceId: GUILD,
  title: "#general",
  roomName: "general",
};
const CHAT: Place = { channel: "discord", accountId: "main", kind: "direct", chatId: DIRECT };
const SAID_AT = Date.parse("2025-11-03T17:22:41.903Z");

async function payload(name: string) {
  return JSON.parse(
    await Deno.readTextFile(new URL(`./testdata/${name}.json`, import.meta.url)),
  );
}

/** What differs from Ada's words in the general channel. */
const MESSAGES: Readonly<Record<string, Readonly<Record<string, unknown>> | undefined>> = {
  guild_message: {
    text: "ask @Bobby in #general with @friends :party: 2023-11-14T22:13:20.000Z /new " +
      "<@999999999999999999>",
    mentionsUs: true,
  },
  reply_to_us: {
    text: "and then?",
    replyTo: {
      messageId: "1434960000000000001",
      text: "First this.",
      senderName: "clawbot",
      toUs: true,
    },
  },
  reply_to_deleted: { text: "what was that?" },
  direct_files: {
    place: CHAT,
    sender: ADA_ALONE,
    text: "",
    mentionsUs: true,
    attachments: [
      {
        kind: "image",
        ref: {
          url: "https://cdn.discordapp.com/attachments/1187400000000000001/1434967823419830001/" +
            "cat.png?ex=690a1b2c&is=6908c9ac&hm=00&",
          channelId: DIRECT,
          messageId: "1434967823419834453",
          id: "1434967823419830001",
        },
        name: "cat.png",
        mimeType: "image/png",
        size: 48213,
      },
      {
        kind: "file",
        ref: {
          url: "https://cdn.discordapp.com/attachments/1187400000000000001/1434967823419830002/" +
            "notes.pdf?ex=690a1b2c&is=6908c9ac&hm=00&",
          channelId: DIRECT,
          messageId: "1434967823419834453",
          id: "1434967823419830002",
        },
        name: "notes.pdf",
        mimeType: "application/pdf",
        size: 1024,
      },
      {
        kind: "sticker",
        ref: {
          url: "https://cdn.discordapp.com/stickers/749054660769218632.png",
          channelId: DIRECT,
          messageId: "1434967823419834453",
          id: "749054660769218632",
        },
        name: "Party",
      },
    ],
  },
  voice_message: {
    place: CHAT,
    sender: ADA_ALONE,
    text: "",
    mentionsUs: true,
    attachments: [{
      kind: "voice",
      ref: {
        url: "https://cdn.discordapp.com/attachments/1/2/voice-message.ogg?ex=690a1b2c",
        channelId: DIRECT,
        messageId: "1434967823419834454",
        id: "1434967823419830003",
      },
      name: "voice-message.ogg",
      mimeType: "audio/ogg",
      size: 9381,
    }],
  },
  thread_message: {
    place: { ...ROOM, threadId: THREAD },
    sender: { id: "310582937461029384", name: "bob", username: "bob", roles: [] },
    text: "in the thread",
  },
  webhook_embed: {
    sender: { id: "1187500000000000001", name: "CI", username: "CI", isBot: true },
    text: "Build failed\nstep 3\nbranch: main\nhttps://ci.example/1",
  },
  forwarded: { text: "[Forwarded]\noriginal words" },
  poll: { text: "[Poll] Tea?\n- yes\n- no" },
  join_notice: undefined,
  own_message: undefined,
  address: { text: "/status", mentionsUs: true },
};

for (const [name, expected] of Object.entries(MESSAGES)) {
  Deno.test(`a payload is understood: ${name}`, async () => {
    const message = await payload(name);
    deepStrictEqual(
      toMessage(message, around),
      expected && {
        eventId: message.id,
        place: ROOM,
        sender: ADA,
        at: SAID_AT,
        kind: "message",
        messageId: message.id,
        attachments: [],
        mentionsUs: false,
        ...expected,
      },
    );
  });
}

Deno.test("a mention of our own role is a mention of us", async () => {
  const message = await payload("guild_message");
  const own = { ...message, mentions: [], mention_roles: ["1187302000000000001"] };
  const inbound = toMessage(own, around);
  ok(inbound?.kind === "message" && inbound.mentionsUs);
});

Deno.test("an answer to us mentions us only where it says so itself", async () => {
  const answer = await payload("reply_to_us");
  const mentions = [{ ...answer.author, id: around.selfId }];
  for (
    const [content, mentionsUs] of [["Yes", false], [`<@${around.selfId}> yes`, true]] as const
  ) {
    const inbound = toMessage({ ...answer, content, mentions }, around);
    ok(inbound?.kind === "message" && inbound.replyTo?.toUs);
    strictEqual(inbound.mentionsUs, mentionsUs);
  }
});

Deno.test("an edit is named by when it was made, and a preview is no edit", async () => {
  const edited = await payload("edited");
  deepStrictEqual(toEdit(edited, around), {
    eventId: `${edited.id}:2025-11-03T17:25:00.000000+00:00`,
    place: ROOM,
    sender: ADA,
    at: Date.parse("2025-11-03T17:25:00Z"),
    kind: "edit",
    messageId: edited.id,
    text: "fixed",
  });
  strictEqual(toEdit(await payload("preview_added"), around), undefined);
  strictEqual(
    toEdit({ ...edited, author: { ...edited.author, id: around.selfId } }, around),
    undefined,
  );
});

Deno.test("a deletion is named by its message", () => {
  deepStrictEqual(toDelete({ id: "17", channel_id: GENERAL, guild_id: GUILD }, 5, around), {
    eventId: "17:deleted",
    place: ROOM,
    sender: { id: "" },
    at: 5,
    kind: "delete",
    messageId: "17",
  });
});

Deno.test("reactions are understood, set and taken back", async () => {
  deepStrictEqual(
    toReaction(await payload("reaction"), { eventId: "s:1", isAdded: true, at: 5 }, around),
    {
      eventId: "s:1",
      place: ROOM,
      sender: ADA,
      at: 5,
      kind: "reaction",
      messageId: "1434960000000000001",
      emoji: ":party:",
      isAdded: true,
      toUs: true,
    },
  );
  const removed = await payload("reaction_removed");
  deepStrictEqual(toReaction(removed, { eventId: "s:2", isAdded: false, at: 5 }, around), {
    eventId: "s:2",
    place: CHAT,
    sender: { id: ADA.id },
    at: 5,
    kind: "reaction",
    messageId: "1434960000000000001",
    emoji: "👍",
    isAdded: false,
  });
  const own = { ...removed, user_id: around.selfId };
  strictEqual(toReaction(own, { eventId: "s:3", isAdded: true, at: 5 }, around), undefined);
});

Deno.test("commands and buttons are understood, and nothing else that people do to us", async () => {
  deepStrictEqual(toInteraction(await payload("slash_command"), around), {
    eventId: "1434970000000000001",
    place: ROOM,
    sender: ADA,
    at: 1762193908453,
    kind: "command",
    messageId: "command:1434970000000000001",
    text: "/model openai/gpt-5",
    isAwaited: true,
  });
  deepStrictEqual(toInteraction(await payload("button"), around), {
    eventId: "1434970000000000002",
    place: CHAT,
    sender: ADA_ALONE,
    at: 1762193908453,
    kind: "button",
    messageId: "1434960000000000004",
    value: "approve:17",
  });
  strictEqual(toInteraction(await payload("autocomplete"), around), undefined);
});

Deno.test("whatever somebody writes, the text has no id that has a name, and nothing else is lost", async () => {
  const template: AnyMessage = await payload("guild_message");
  const part = fc.constantFrom(
    "<@310582937461029384>",
    "<@!310582937461029384>",
    `<#${GENERAL}>`,
    "<@&915537460912837465>",
    "<a:wave:1>",
    "<:wave:2>",
    "<@5>",
    "<#6>",
    "$&",
    "$1",
    "plain",
    "<",
    "\n",
    "@everyone",
  );
  fc.assert(fc.property(fc.array(fc.oneof(part, fc.string()), { maxLength: 8 }), (parts) => {
    const content = `start ${parts.join(" ")} end`;
    const inbound = toMessage({ ...template, content }, around);
    ok(inbound?.kind === "message");
    const { text } = inbound;
    ok(!text.includes("310582937461029384") && !text.includes(GENERAL));
    ok(text.startsWith("start ") && text.endsWith(" end"));
    for (const kept of ["$&", "$1", "<@5>", "<#6>", "plain", "@everyone"]) {
      ok(!parts.includes(kept) || text.includes(kept));
    }
  }));
});

Deno.test("what is understood can be kept as JSON", async () => {
  for (const [name, expected] of Object.entries(MESSAGES)) {
    if (expected === undefined) continue;
    const inbound: InboundMessage | undefined = toMessage(await payload(name), around);
    deepStrictEqual(JSON.parse(JSON.stringify(inbound)), inbound);
  }
});
