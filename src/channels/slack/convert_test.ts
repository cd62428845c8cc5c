import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { InboundMessage } from "../../message.ts";
import { mentionedIn, type Payload, type Surroundings, toInbound } from "./convert.ts";

const SELF = { id: "U0LAN0Z89", name: "openclaw", botId: "B0LAN0Z89", teamId: "T061EG9R6" };
const ANNA = { id: "U061F7AUR", name: "Anna", username: "anna" };
const USERS = new Map([
  [ANNA.id, { name: "Anna", username: "anna" }],
  ["U0G9QF9C6", { name: "Bo", username: "bo" }],
  [SELF.id, { name: "OpenClaw", username: "openclaw" }],
]);
const CHANNELS = new Map([
  ["C2147483705", { kind: "channel", name: "team" } as const],
  ["C0123ABCD", { kind: "channel", name: "help" } as const],
]);
const AROUND: Surroundings = {
  accountId: "work",
  self: SELF,
  commandName: "openclaw",
  now: 1_700_000_099_000,
  user: (id) => USERS.get(id),
  channel: (id) => CHANNELS.get(id),
};
const DIRECT = {
  channel: "slack",
  accountId: "work",
  kind: "direct",
  chatId: "D024BE91L",
  spaceId: "T061EG9R6",
} as const;
const TEAM_ROOM = {
  channel: "slack",
  accountId: "work",
  kind: "channel",
  chatId: "C2147483705",
  spaceId: "T061EG9R6",
  title: "#team",
  roomName: "team",
} as const;

Deno.test("a message in a chat of two has its signs and links back", async () => {
  deepStrictEqual(await convert("message_im"), {
    eventId: "1700000001.000200",
    place: DIRECT,
    sender: ANNA,
    at: 1_700_000_001_000,
    kind: "message",
    messageId: "1700000001.000200",
    text: "is 1 < 2 & 3 > 2? see [the page](https://example.com/a) or https://example.com",
    attachments: [],
    mentionsUs: true,
  });
});

Deno.test("people, channels, groups and dates are called by name", async () => {
  deepStrictEqual(await convert("message_channel"), {
    eventId: "1700000002.000300",
    place: TEAM_ROOM,
    sender: ANNA,
    at: 1_700_000_002_000,
    kind: "message",
    messageId: "1700000002.000300",
    text: "ask @Bo in #help and #general @here @design 14 Nov 2023",
    attachments: [],
    mentionsUs: true,
  });
});

Deno.test("a mention is the message that it stands in", async () => {
  deepStrictEqual(await convert("app_mention"), await convert("message_channel"));
});

Deno.test("what is not known keeps its id", async () => {
  const message = toInbound(await payload("message_channel"), {
    ...AROUND,
    user: () => undefined,
    channel: () => undefined,
  });
  ok(message?.kind === "message");
  strictEqual(
    message.text,
    "ask <@U0G9QF9C6> in <#C0123ABCD|> and #general @here @design 14 Nov 2023",
  );
  deepStrictEqual(message.sender, { id: ANNA.id });
});

Deno.test("a reply stands in its thread and answers whoever began it", async () => {
  const message = await convert("message_thread");
  ok(message?.kind === "message");
  strictEqual(message.place.kind, "group");
  strictEqual(message.place.threadId, "1700000000.000100");
  deepStrictEqual(message.replyTo, { messageId: "1700000000.000100", toUs: true });
  strictEqual(message.mentionsUs, false);
});

Deno.test("the first message of a thread is not in it", async () => {
  const message = await convert("thread_root");
  ok(message?.kind === "message");
  deepStrictEqual(message.place, TEAM_ROOM);
  strictEqual(message.replyTo, undefined);
});

Deno.test("files are attachments where Slack has them", async () => {
  const message = await convert("file_share");
  ok(message?.kind === "message");
  strictEqual(message.text, "");
  deepStrictEqual(message.attachments, [
    {
      kind: "image",
      ref: {
        id: "F0A1",
        url: "https://files.slack.com/files-pri/T061EG9R6-F0A1/download/cat.png",
        isPage: false,
      },
      name: "cat.png",
      mimeType: "image/png",
      size: 1234,
    },
    {
      kind: "voice",
      ref: {
        id: "F0A2",
        url: "https://files.slack.com/files-pri/T061EG9R6-F0A2/audio_message.m4a",
        isPage: false,
      },
      name: "audio_message.m4a",
      mimeType: "audio/mp4",
      size: 4321,
    },
    { kind: "file", ref: { id: "F0A5", url: "", isPage: false } },
  ]);
});

Deno.test("another bot says what is attached, if it says nothing else", async () => {
  const message = await convert("bot_message");
  ok(message?.kind === "message");
  deepStrictEqual(message.sender, { id: "B0OTHER1", name: "Builder", isBot: true });
  strictEqual(message.text, "Build 7\nfailed on [main](https://ci.example.com/7)");
});

Deno.test("a message that is shared comes along", async () => {
  const message = await convert("shared_message");
  ok(message?.kind === "message");
  strictEqual(message.text, "what of this?\n[Shared from Bo]\nship it & go");
});

Deno.test("an edit is named by its time", async () => {
  deepStrictEqual(await convert("message_changed"), {
    eventId: "1700000001.000200:edited:1700000007.000000",
    place: DIRECT,
    sender: ANNA,
    at: 1_700_000_007_000,
    kind: "edit",
    messageId: "1700000001.000200",
    text: "now *bold*",
  });
});

Deno.test("a preview that Slack adds is no edit", async () => {
  strictEqual(await convert("preview_added"), undefined);
});

Deno.test("a message that is taken back", async () => {
  deepStrictEqual(await convert("message_deleted"), {
    eventId: "1700000001.000200:deleted",
    place: DIRECT,
    sender: ANNA,
    at: 1_700_000_008_000,
    kind: "delete",
    messageId: "1700000001.000200",
  });
});

Deno.test("a reaction has its emoji with its shade", async () => {
  deepStrictEqual(await convert("reaction_added"), {
    eventId: "1700000009.001000:reaction:U061F7AUR:+1::skin-tone-4:1700000010.001100",
    place: TEAM_ROOM,
    sender: ANNA,
    at: 1_700_000_010_001,
    kind: "reaction",
    messageId: "1700000009.001000",
    emoji: "👍🏽",
    isAdded: true,
    toUs: true,
  });
});

Deno.test("our slash command says its text, another one what somebody would have typed", async () => {
  const given = await payload("slash_command");
  const trigger = "13345224609.738474920.8088930838d88f008e0";
  deepStrictEqual(toInbound(given, AROUND), {
    eventId: `command:${trigger}`,
    place: TEAM_ROOM,
    sender: ANNA,
    at: AROUND.now,
    kind: "command",
    messageId: `command:${ANNA.id}:${trigger}`,
    text: "what is up?",
    isAwaited: true,
  });
  const said = (change: Payload) => {
    const message = toInbound({ ...given, ...change }, AROUND);
    return message?.kind === "command" ? message.text : undefined;
  };
  strictEqual(said({ command: "/model", text: "fast" }), "/model fast");
  strictEqual(said({ command: "/status", text: "" }), "/status");
  strictEqual(said({ text: "" }), "/help");
});

Deno.test("a button of ours has its value, and its thread", async () => {
  const given = await payload("block_actions");
  deepStrictEqual(toInbound(given, AROUND), {
    eventId: "1700000013.001400:button:U061F7AUR:1700000014.001500",
    place: { ...TEAM_ROOM, threadId: "1700000000.000100" },
    sender: ANNA,
    at: 1_700_000_014_001,
    kind: "button",
    messageId: "1700000013.001400",
    value: "approve:yes",
  });
  const actions = [{ action_id: "other", value: "x", action_ts: "1700000014.001500" }];
  strictEqual(toInbound({ ...given, actions }, AROUND), undefined);
});

Deno.test("we do not hear ourselves", async () => {
  strictEqual(await convert("own_message"), undefined);
});

Deno.test("all who are named are looked up", async () => {
  deepStrictEqual(mentionedIn(await payload("message_channel")), {
    users: [ANNA.id, SELF.id, "U0G9QF9C6"],
    channels: ["C2147483705", "C0123ABCD"],
  });
  deepStrictEqual(mentionedIn(await payload("reaction_added")), {
    users: [ANNA.id],
    channels: ["C2147483705"],
  });
  deepStrictEqual(mentionedIn(await payload("block_actions")), {
    users: [ANNA.id],
    channels: ["C2147483705"],
  });
});

async function convert(name: string): Promise<InboundMessage | undefined> {
  return toInbound(await payload(name), AROUND);
}

/** As Slack hands it over. */
async function payload(name: string): Promise<Payload> {
  return JSON.parse(
    await Deno.readTextFile(new URL(`./testdata/${name}.json`, import.meta.url)),
  );
}
