/** Slack from outside: the channel's contract, and what is Slack's own. */
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import {
  channelContract,
  type FakeNetwork,
  type Fault,
  MemoryValues,
  NO_LOG,
  type SeenMessage,
  type Subject,
  TestInbox,
} from "../../../tests/channel_contract.ts";
import {
  ANNA,
  type FakeSlack,
  signedRequest,
  startFakeSlack,
  TEAM,
} from "../../../tests/fakes/slack.ts";
import { ChannelError, type ChannelOptions } from "../../channel.ts";
import type { OutboundMessage, Place } from "../../message.ts";
import type { KeyValues } from "../../store.ts";
import { SlackChannel } from "./slack.ts";
import type { Pace } from "./socket_mode.ts";

/** As ever, but impatient. */
const QUICK: Pace = {
  pingEvery: 100,
  silence: 400,
  patience: 800,
  farewell: 300,
  retry: 20,
  check: 20,
};

channelContract("slack", () => {
  const slack = startFakeSlack();
  const { id: chatId } = slack.world.direct(ANNA.id);
  return {
    network: new ContractNetwork(slack),
    place: { channel: "slack", accountId: "default", kind: "direct", chatId, spaceId: TEAM },
    create: (values) => channelOf(slack, { values }),
  } satisfies Subject;
});

const { signal } = new AbortController();

Deno.test("a new socket says hello before the old one goes", async () => {
  await using slack = startFakeSlack({ maxConnections: 2, farewellMs: 60_000 });
  await using run = start(slack);
  await run.inbox.seen("connected");
  for (const reason of ["warning", "refresh_requested", "warning"]) {
    const opened = count(slack, "opened");
    const closed = count(slack, "closed");
    slack.deliveries.disconnect(reason);
    await slack.until(() => count(slack, "opened") > opened);
    await slack.until(() => count(slack, "closed") > closed);
    const { ts } = slack.say(`after ${reason}`);
    await slack.until(() => slack.isAcknowledged(ts));
  }
  strictEqual(slack.deliveries.mostConnections, 2);
  strictEqual(slack.deliveries.connections, 1);
  deepStrictEqual(run.inbox.texts(), [
    "after warning",
    "after refresh_requested",
    "after warning",
  ]);
  ok(run.inbox.evidence.every(({ kind }) => kind !== "trouble"));
});

Deno.test("what came over the old socket is acknowledged there", async () => {
  await using slack = startFakeSlack({ farewellMs: 60_000, acknowledgeMs: 60_000 });
  await using run = start(slack);
  await run.inbox.seen("connected");
  const release = run.inbox.hold();
  const { ts } = slack.say("on the way");
  await run.inbox.asked(1);
  slack.deliveries.disconnect("warning");
  await slack.until(() => slack.deliveries.mostConnections === 2);
  release();
  await slack.until(() => slack.isAcknowledged(ts));
  deepStrictEqual(run.inbox.texts(), ["on the way"]);
  strictEqual(slack.deliveries.all.find((one) => one.ts === ts)?.envelopes.length, 1);
});

Deno.test("where no new socket is to be had, the old one serves as long as it can", async () => {
  await using slack = startFakeSlack({ farewellMs: 60_000 });
  await using run = start(slack);
  await run.inbox.seen("connected");
  slack.fail("apps.connections.open", { kind: "error", error: "internal_error" }, 3);
  slack.deliveries.disconnect("warning");
  await slack.until(() => slack.deliveries.mostConnections === 2);
  await slack.until(() => slack.deliveries.connections === 1);
  ok(run.inbox.evidence.some(({ kind }) => kind === "trouble"));
  const { ts } = slack.say("still here");
  await slack.until(() => slack.isAcknowledged(ts));
});

Deno.test("Socket Mode that was turned off is for a person to mend", async () => {
  await using slack = startFakeSlack();
  const run = start(slack);
  await run.inbox.seen("connected");
  const failed = rejects(
    run.ended,
    (error) => error instanceof ChannelError && error.reason === "config",
  );
  slack.deliveries.disconnect("link_disabled");
  await failed;
});

Deno.test("too many sockets are no reason to open more at once", async () => {
  await using slack = startFakeSlack({ maxConnections: 0 });
  const run = start(slack);
  await rejects(
    run.ended,
    (error) => error instanceof ChannelError && error.reason === "network",
  );
  strictEqual(slack.calls("apps.connections.open").length, 1);
});

Deno.test("a socket that breaks again and again is for the supervisor", async () => {
  await using slack = startFakeSlack();
  const run = start(slack);
  const failed = rejects(run.ended, ChannelError);
  const broken = (async () => {
    for (let i = 1; i <= 4; i++) {
      await slack.until(() => count(slack, "opened") >= i);
      slack.deliveries.drop();
    }
  })();
  await failed;
  await broken;
  strictEqual(slack.calls("apps.connections.open").length, 4);
});

Deno.test("an event that is handed over twice at once is acknowledged twice", async () => {
  await using slack = startFakeSlack({ acknowledgeMs: 20 });
  await using run = start(slack);
  const release = run.inbox.hold();
  const { ts } = slack.say("slowly");
  await slack.until(() => (slack.deliveries.all[0]?.envelopes.length ?? 0) >= 3);
  release();
  await slack.until(() => slack.isAcknowledged(ts));
  await run.inbox.count(1);
  deepStrictEqual(new Set(run.inbox.received.map(({ eventId }) => eventId)).size, 1);
});

Deno.test("nothing is lost, whatever becomes of the sockets", async () => {
  await using slack = startFakeSlack({ acknowledgeMs: 30, farewellMs: 5 });
  const abort = new AbortController();
  const inbox = new TestInbox();
  const supervised = (async () => {
    for (let run = 0; run < 500 && !abort.signal.aborted; run++) {
      await channelOf(slack).run(inbox, abort.signal).catch(() => {});
    }
  })();
  const said: string[] = [];
  const mischief = [
    () => slack.deliveries.disconnect("warning"),
    () => slack.deliveries.disconnect("refresh_requested"),
    () => slack.deliveries.drop(),
    () => slack.line.cut(),
    () => slack.deliveries.babble("{"),
    () => inbox.refuse(1),
    () => slack.fail("apps.connections.open", { kind: "status", status: 500 }, 1),
    () => slack.fail("*", { kind: "half" }, 1),
  ];
  for (let i = 0; i < 120; i++) {
    if (i % 10 === 3) slack.deliveries.hold();
    said.push(slack.say(`message ${i}`).ts);
    if (i % 10 === 6) slack.deliveries.release({ reversed: true });
    if (i % 3 === 0) mischief[(i / 3) % mischief.length]!();
    // While nothing is held, so that what fails now can come once more.
    if (i % 10 === 9) await slack.until(() => slack.isAcknowledged(said[i - 9]!));
  }
  await slack.until(() => said.every((ts) => slack.isAcknowledged(ts)));
  deepStrictEqual(new Set(inbox.received.map(({ eventId }) => eventId)), new Set(said));
  strictEqual(inbox.mostAtOnce, 1);
  abort.abort();
  await supervised;
});

Deno.test("settings that are missing are named", async () => {
  await using slack = startFakeSlack();
  for (
    const [settings, name] of [
      [{ botToken: "" }, "botToken"],
      [{ appToken: "" }, "appToken"],
      [{ mode: "http" }, "signingSecret"],
    ] as const
  ) {
    await rejects(
      channelOf(slack, { settings }).run(new TestInbox(), signal),
      (error) =>
        error instanceof ChannelError && error.reason === "config" && error.message.includes(name),
    );
  }
});

Deno.test("a mention in a channel comes twice under one name", async () => {
  await using slack = startFakeSlack();
  await using run = start(slack);
  const { id: channel } = slack.addChannel(room("C0TEAM"));
  slack.say(`<@${slack.world.me.id}> who is <@${ANNA.id}>?`, { channel });
  const [first, second] = await run.inbox.count(2);
  deepStrictEqual(second, first);
  ok(first?.kind === "message" && first.mentionsUs);
  strictEqual(first.text, "who is @Anna?");
  deepStrictEqual(first.sender, { id: ANNA.id, name: "Anna", username: "anna" });
  strictEqual(first.place.title, "#c0team");
  strictEqual(first.place.kind, "channel");
});

Deno.test("a message does not wait for names that Slack does not tell", async () => {
  await using slack = startFakeSlack();
  await using run = start(slack);
  slack.fail("users.info", {
    kind: "error",
    error: "missing_scope",
    more: { needed: "users:read" },
  });
  slack.fail("conversations.info", { kind: "limit" });
  slack.say("who am I?");
  const [message] = await run.inbox.count(1);
  deepStrictEqual(message?.sender, { id: ANNA.id });
  slack.say("and now?");
  await run.inbox.count(2);
  strictEqual(slack.calls("users.info").length, 1);
});

Deno.test("group chats are heard only where they are allowed", async () => {
  await using slack = startFakeSlack();
  await using run = start(slack, {
    settings: { dm: { groupEnabled: true, groupChannels: ["G2"] } },
  });
  for (const id of ["G1", "G2"]) slack.addChannel({ ...room(id), kind: "mpim" });
  slack.say("not here", { channel: "G1" });
  slack.say("here", { channel: "G2" });
  await run.inbox.count(1);
  deepStrictEqual(run.inbox.texts(), ["here"]);
});

Deno.test("a mention in a group chat is no mention in a channel, though Slack tells nothing of it", async () => {
  await using slack = startFakeSlack();
  await using run = start(slack);
  slack.fail("conversations.info", { kind: "error", error: "missing_scope" });
  const { id: channel } = slack.addChannel({ ...room("C0GROUP"), kind: "mpim" });
  slack.say(`<@${slack.world.me.id}> among us`, { channel });
  slack.say("to you alone");
  await run.inbox.count(1);
  deepStrictEqual(run.inbox.texts(), ["to you alone"]);
});

Deno.test("a reply goes to its thread, and an answer begins one", async () => {
  await using slack = startFakeSlack();
  const channel = channelOf(slack);
  slack.addChannel(room("C0TEAM"));
  const { ts } = slack.say("question", { channel: "C0TEAM" });
  const place = placeOf("C0TEAM");
  ok((await channel.send(message({ place }), signal)).sent);
  ok((await channel.send(message({ place, replyTo: ts }), signal)).sent);
  ok(
    (await channel.send(message({ place: { ...place, threadId: ts }, replyTo: "x" }), signal)).sent,
  );
  deepStrictEqual(slack.sent.map(({ thread_ts }) => thread_ts), [undefined, ts, ts]);
});

Deno.test("our messages are changed, reacted to and taken back", async () => {
  await using slack = startFakeSlack();
  const channel = channelOf(slack);
  const place = directPlace(slack);
  const receipt = await channel.send(message({ place, text: "first" }), signal);
  ok(receipt.sent);
  const [messageId = ""] = receipt.messageIds;
  const target = { place, messageId };
  const done = { sent: true, messageIds: [messageId] } as const;
  deepStrictEqual(await channel.edit(target, "**second**", signal), done);
  strictEqual(slack.world.find(place.chatId, messageId)?.text, "*second*");
  deepStrictEqual(await channel.react(target, "👍", signal), done);
  deepStrictEqual(await channel.react(target, "👍", signal), done);
  deepStrictEqual(await channel.react(target, ":eyes:", signal), done);
  deepStrictEqual(slack.world.reactions.map(({ name }) => name), ["+1", "eyes"]);
  deepStrictEqual(await channel.react(target, "", signal), done);
  deepStrictEqual(slack.world.reactions, []);
  deepStrictEqual(await channel.delete(target, signal), done);
  strictEqual(slack.world.find(place.chatId, messageId), undefined);
  const again = await channel.delete(target, signal);
  ok(!again.sent && again.reason === "rejected");
});

Deno.test("a button comes back with its value, and goes when its message changes", async () => {
  await using slack = startFakeSlack();
  await using run = start(slack);
  const place = directPlace(slack);
  const buttons = [[{ text: "Yes", value: "yes" }], [{ text: "n".repeat(80), value: "no" }]];
  const text = "line\n".repeat(700);
  const receipt = await run.channel.send(message({ place, text, buttons }), signal);
  ok(receipt.sent);
  const [messageId = ""] = receipt.messageIds;
  slack.press(place.chatId, messageId, "no");
  const [pressed] = await run.inbox.count(1);
  ok(pressed?.kind === "button");
  deepStrictEqual([pressed.value, pressed.messageId], ["no", messageId]);
  ok((await run.channel.edit({ place, messageId }, "decided", signal)).sent);
  strictEqual(slack.world.find(place.chatId, messageId)?.blocks, undefined);
});

Deno.test("a command is answered by its own address as long as that works", async () => {
  await using slack = startFakeSlack();
  const values = new MemoryValues();
  const first = start(slack, { values });
  slack.addChannel({ ...room("C0OTHER"), isMember: false });
  slack.command("/openclaw", "what is up?", { channel: "C0OTHER" });
  const [said] = await first.inbox.count(1);
  ok(said?.kind === "command");
  strictEqual(said.text, "what is up?");
  await first[Symbol.asyncDispose]();
  const channel = channelOf(slack, { values });
  const answer = message({ place: said.place, replyTo: said.messageId, text: "**much**" });
  deepStrictEqual(await channel.send(answer, signal), { sent: true, messageIds: [] });
  const { response_type, text } = slack.api.responses[0]?.body ?? {};
  deepStrictEqual([response_type, text], ["ephemeral", "*much*"]);
  strictEqual(await channel.find(answer, signal), undefined);
  for (const known of slack.api.responseUrls.values()) known.isExpired = true;
  const late = await channel.send({ ...answer, id: crypto.randomUUID() }, signal);
  ok(!late.sent && late.reason === "rejected" && late.detail.includes("not_in_channel"));
});

Deno.test("what answers a command is shown to nobody else, however much it is", async () => {
  await using slack = startFakeSlack();
  await using run = start(slack);
  slack.addChannel(room("C0ROOM"));
  slack.command("/openclaw", "tell me all", { channel: "C0ROOM" });
  const [said] = await run.inbox.count(1);
  ok(said?.kind === "command");
  const { place, messageId: replyTo } = said;
  const send = (text: string) => run.channel.send(message({ place, replyTo, text }), signal);
  for (const text of "123456") {
    deepStrictEqual(await send(text), { sent: true, messageIds: [] });
  }
  for (const known of slack.api.responseUrls.values()) known.isExpired = true;
  slack.fail("chat.postEphemeral", { kind: "half" }, 1);
  const unsure = message({ place, replyTo, text: "7" });
  const lost = await run.channel.send(unsure, signal);
  ok(!lost.sent && lost.reason === "unknown");
  strictEqual(await run.channel.find(unsure, signal), undefined);
  strictEqual(slack.api.responses.length, 5);
  deepStrictEqual(
    slack.calls("chat.postEphemeral").map(({ channel, user, text }) => [channel, user, text]),
    [["C0ROOM", ANNA.id, "6"], ["C0ROOM", ANNA.id, "7"]],
  );
  deepStrictEqual(slack.sent, []);
});

Deno.test("a message that was perhaps sent is found by its id", async () => {
  await using slack = startFakeSlack({ pageSize: 2 });
  const channel = channelOf(slack);
  const place = directPlace(slack);
  const { ts: threadId } = slack.say("begins a thread");
  for (const where of [place, { ...place, threadId }]) {
    const acceptedAt = Date.now();
    const sought = { ...message({ place: where, text: "there" }), acceptedAt };
    strictEqual(await channel.find(sought, signal), "absent");
    slack.fail("chat.postMessage", { kind: "half" }, 1);
    const receipt = await channel.send(sought, signal);
    ok(!receipt.sent && receipt.reason === "unknown");
    const { ts } = slack.sent.at(-1)!;
    for (let i = 0; i < 5; i++) ok((await channel.send(message({ place: where }), signal)).sent);
    deepStrictEqual(await channel.find(sought, signal), { sent: true, messageIds: [ts] });
  }
  slack.fail("conversations.history", { kind: "error", error: "missing_scope" });
  strictEqual(await channel.find(message({ place }), signal), undefined);
  slack.fail("conversations.history", { kind: "limit" });
  await rejects(channel.find(message({ place }), signal), ChannelError);
});

Deno.test("a file goes up from the disk, and is found again", async () => {
  await using slack = startFakeSlack({ sharesAfter: 1 });
  const channel = channelOf(slack);
  const place = directPlace(slack);
  const dir = await Deno.makeTempDir();
  try {
    const path = join(dir, "data.bin");
    const bytes = crypto.getRandomValues(new Uint8Array(60_000));
    await Deno.writeFile(path, bytes);
    const attachment = {
      kind: "file",
      path,
      name: "data.bin",
      mimeType: "application/octet-stream",
      size: bytes.length,
    } as const;
    const file = message({ place, text: "**look**", attachment });
    strictEqual(await channel.find(file, signal), "absent");
    const receipt = await channel.send(file, signal);
    const shown = slack.sent.at(-1)!;
    deepStrictEqual(receipt, { sent: true, messageIds: [shown.ts] });
    strictEqual(shown.text, "*look*");
    const [stored] = slack.world.files.values();
    strictEqual(stored?.sha256, createHash("sha256").update(bytes).digest("hex"));
    deepStrictEqual(await channel.find(file, signal), receipt);

    // what is lost before Slack shows it, was surely not seen
    slack.fail("upload", { kind: "half" }, 1);
    slack.fail("files.getUploadURLExternal", { kind: "status", status: 502 }, 1);
    for (let i = 0; i < 2; i++) {
      const lost = await channel.send({ ...file, id: crypto.randomUUID() }, signal);
      ok(!lost.sent && lost.reason === "network");
    }
    slack.fail("files.completeUploadExternal", { kind: "half" }, 1);
    const unsure = { ...file, id: crypto.randomUUID() };
    const perhaps = await channel.send(unsure, signal);
    ok(!perhaps.sent && perhaps.reason === "unknown");
    const { ts } = slack.sent.at(-1)!;
    slack.fail("files.info", { kind: "limit" }, 1);
    await rejects(channel.find(unsure, signal), ChannelError);
    deepStrictEqual(await channel.find(unsure, signal), { sent: true, messageIds: [ts] });

    const gone = { ...attachment, path: join(dir, "gone") };
    const missing = await channel.send(message({ place, attachment: gone }), signal);
    ok(!missing.sent && missing.reason === "rejected");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("a file of somebody's comes down, and the token goes to Slack alone", async () => {
  await using slack = startFakeSlack();
  await using run = start(slack);
  const bytes = new TextEncoder().encode("hello");
  const given = slack.addFile("note.txt", { mimetype: "text/plain", bytes });
  slack.say("", { subtype: "file_share", files: [given] });
  const [received] = await run.inbox.count(1);
  ok(received?.kind === "message");
  const [attachment] = received.attachments;
  strictEqual(await new Response(await run.channel.download(attachment!, signal)).text(), "hello");
  const elsewhere = {
    ...attachment!,
    ref: { id: "F1", url: "http://127.0.0.1:1/x", isPage: false },
  };
  await rejects(run.channel.download(elsewhere, signal), /does not lie with Slack/);
  slack.api.rules.botToken = "another";
  await rejects(run.channel.download(attachment!, signal), /files:read/);
});

Deno.test("polls, and buttons beside a file, are refused in words", async () => {
  await using slack = startFakeSlack();
  const channel = channelOf(slack);
  const poll = { question: "?", options: ["a", "b"] };
  const receipt = await channel.send(message({ place: directPlace(slack), poll }), signal);
  ok(!receipt.sent && receipt.reason === "rejected");
  deepStrictEqual(slack.sent, []);
});

Deno.test("a person's words become a place", async () => {
  await using slack = startFakeSlack({ pageSize: 1 });
  const channel = channelOf(slack);
  slack.addChannel(room("C0TEAM"));
  slack.addChannel({ ...room("G0MPIM"), kind: "mpim" });
  for (
    const [words, chatId, kind] of [
      ["C0TEAM", "C0TEAM", "channel"],
      ["channel:C0TEAM", "C0TEAM", "channel"],
      ["#c0team", "C0TEAM", "channel"],
      ["slack:#c0team", "C0TEAM", "channel"],
      ["G0MPIM", "G0MPIM", "group"],
      [`user:${ANNA.id}`, directPlace(slack).chatId, "direct"],
      [ANNA.id, directPlace(slack).chatId, "direct"],
      [`<@${ANNA.id}>`, directPlace(slack).chatId, "direct"],
      ["@anna", directPlace(slack).chatId, "direct"],
    ] as const
  ) {
    const place = await channel.resolve(words, signal);
    deepStrictEqual([place.chatId, place.kind, place.spaceId], [chatId, kind, TEAM], words);
  }
  for (const words of ["C0NONE", "#none", "@nobody", "U0NOBODY", "somebody"]) {
    await rejects(channel.resolve(words, signal), /use user:<id>/, words);
  }
});

Deno.test("who we are is asked of Slack", async () => {
  await using slack = startFakeSlack();
  const channel = channelOf(slack);
  deepStrictEqual(await channel.probe(signal), {
    id: slack.world.me.id,
    name: "openclaw",
    username: "openclaw",
  });
  slack.revoke();
  await rejects(
    channel.probe(signal),
    (error) => error instanceof ChannelError && error.reason === "auth",
  );
});

Deno.test("in mode http Slack calls, and is told only what is stored", async () => {
  await using slack = startFakeSlack();
  const settings = { mode: "http", signingSecret: "secret", appToken: undefined };
  await using run = start(slack, { settings });
  await run.inbox.seen("connected");
  await using server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    (request) => run.channel.respond(request, run.inbox),
  );
  run.inbox.refuse(1);
  slack.deliveries.requestUrl = {
    url: `http://127.0.0.1:${server.addr.port}/webhooks/slack/default`,
    signingSecret: "secret",
  };
  const { ts } = slack.say("hello");
  await slack.until(() => slack.isAcknowledged(ts));
  slack.command("/status", "");
  const [first, second] = await run.inbox.count(2);
  ok(first?.kind === "message" && first.text === "hello");
  ok(second?.kind === "command" && second.text === "/status");
  strictEqual(slack.deliveries.all[0]?.envelopes.length, 2);
  await run.inbox.seen("heartbeat");
  strictEqual(slack.deliveries.mostConnections, 0);
});

Deno.test("of two calls at once the first is stored first, whoever has written it", async () => {
  await using slack = startFakeSlack();
  const signingSecret = "secret";
  await using run = start(slack, { settings: { mode: "http", signingSecret } });
  await run.inbox.seen("connected");
  const { id: channel } = slack.world.direct(ANNA.id);
  const call = (user: string, text: string, ts: string) => {
    const event = { type: "message", channel_type: "im", channel, user, text, ts };
    const to = { url: "http://gateway.test/webhooks/slack/default", signingSecret };
    const body = JSON.stringify({ type: "event_callback", team_id: TEAM, event });
    return run.channel.respond(signedRequest(to, body), run.inbox);
  };
  slack.fail("users.info", { kind: "stall" }, 1);
  const first = call("U0UNKNOWN", "one", "1763712001.000100");
  await slack.until(() => slack.calls("users.info").length === 1);
  const second = call(ANNA.id, "two", "1763712002.000100");
  await slack.until(() => slack.calls("users.info").length === 2);
  await run.channel.probe(signal); // what was asked before it is answered by now
  slack.mend();
  deepStrictEqual((await Promise.all([first, second])).map(({ status }) => status), [200, 200]);
  deepStrictEqual(run.inbox.texts(), ["one", "two"]);
});

Deno.test("where Slack is connected to, nobody may call", async () => {
  await using slack = startFakeSlack();
  const channel = channelOf(slack, { settings: { signingSecret: "secret" } });
  const request = new Request("http://gateway.test/webhooks/slack/default", { method: "POST" });
  strictEqual((await channel.respond(request, new TestInbox())).status, 404);
});

/** A channel that runs until the test ends. */
function start(slack: FakeSlack, options: Parameters<typeof channelOf>[1] = {}) {
  const abort = new AbortController();
  const inbox = new TestInbox();
  const channel = channelOf(slack, options);
  const ended = channel.run(inbox, abort.signal);
  ended.catch(() => {}); // whoever cares awaits it
  return {
    channel,
    inbox,
    ended,
    async [Symbol.asyncDispose]() {
      abort.abort();
      await ended;
      await inbox.idle();
    },
  };
}

function count(slack: FakeSlack, kind: "opened" | "closed"): number {
  return slack.journal.filter((entry) => entry.kind === kind).length;
}

function room(id: string) {
  return { id, kind: "channel", name: id.toLowerCase(), isMember: true } as const;
}

function placeOf(chatId: string): Place {
  return { channel: "slack", accountId: "default", kind: "channel", chatId, spaceId: TEAM };
}

function directPlace(slack: FakeSlack): Place {
  return { ...placeOf(slack.world.direct(ANNA.id).id), kind: "direct" };
}

function message(content: Partial<OutboundMessage> & { readonly place: Place }): OutboundMessage {
  return { id: crypto.randomUUID(), text: "hi", ...content };
}

function channelOf(
  slack: FakeSlack,
  { settings = {}, values = new MemoryValues(), ...options }:
    & { settings?: Readonly<Record<string, unknown>>; values?: KeyValues }
    & Partial<Pick<ChannelOptions, "log">> = {},
): SlackChannel {
  const { botToken, appToken, apiUrl } = slack;
  return new SlackChannel({
    accountId: "default",
    settings: { botToken, appToken, apiUrl, ...settings },
    values,
    log: NO_LOG,
    ...options,
  }, QUICK);
}

/** The fake as the contract's suite wants it. */
class ContractNetwork implements FakeNetwork {
  readonly #slack: FakeSlack;

  constructor(slack: FakeSlack) {
    this.#slack = slack;
  }

  get sent(): readonly SeenMessage[] {
    return this.#slack.sent.map(({ ts, text }) => ({ id: ts, text }));
  }

  get shown(): readonly SeenMessage[] {
    const { world } = this.#slack;
    return (world.messages.get(world.direct(ANNA.id).id) ?? [])
      .filter(({ user }) => user === world.me.id)
      .map(({ ts, text }) => ({ id: ts, text }));
  }

  say(text: string): Promise<string> {
    return Promise.resolve(this.#slack.say(text).ts);
  }

  echo(text: string): Promise<void> {
    const { id: channel } = this.#slack.world.direct(ANNA.id);
    const { me, botId } = this.#slack.world;
    this.#slack.say(text, { channel, user: me.id, bot_id: botId });
    return Promise.resolve();
  }

  isAcknowledged(messageId: string): boolean {
    return this.#slack.isAcknowledged(messageId);
  }

  async acknowledged(messageId: string): Promise<void> {
    await this.#slack.until(() => this.isAcknowledged(messageId));
  }

  redeliver(): Promise<void> {
    this.#slack.deliveries.redeliver();
    return Promise.resolve();
  }

  babble(): Promise<void> {
    const { id: channel } = this.#slack.world.direct(ANNA.id);
    const base = { type: "message", channel, channel_type: "im" };
    const ts = "1700000000.000100";
    for (
      const event of [
        {},
        { type: "message" },
        { ...base, ts: 3, text: 4, user: ANNA.id },
        { ...base, ts: "now", text: "x", user: ANNA.id },
        { ...base, ts, text: "x" },
        { ...base, ts, text: "", user: ANNA.id },
        { ...base, ts, text: 7, user: [ANNA.id] },
        { ...base, ts, text: "joined", user: ANNA.id, subtype: "channel_join" },
        { ...base, ts, user: ANNA.id, files: [null, 3, {}, { id: "F1", mode: "tombstone" }] },
        { ...base, ts, user: ANNA.id, subtype: "message_changed" },
        { ...base, ts, subtype: "message_changed", message: { ts, user: ANNA.id, text: "x" } },
        { ...base, ts, subtype: "message_deleted" },
        { type: "reaction_added", item: { type: "file" }, user: ANNA.id, reaction: "x" },
        { type: "something_new", deep: [[[[[[]]]]]] },
        { type: "toString", constructor: null },
      ]
    ) {
      this.#slack.event(event);
    }
    for (
      const text of ["", "nonsense", "[]", "null", "3", '{"type":"ping"}', '{"type":7}', "{}"]
    ) {
      this.#slack.deliveries.babble(text);
    }
    const payloads = [{}, { type: "block_actions" }, { type: "block_actions", actions: [3] }];
    for (const payload of payloads) this.#slack.deliveries.push({ type: "interactive", payload });
    this.#slack.deliveries.push({ type: "slash_commands", payload: { command: "/x" } });
    return Promise.resolve();
  }

  async sendArrived(): Promise<void> {
    const before = this.#slack.calls("chat.postMessage").length;
    await this.#slack.until(() => this.#slack.calls("chat.postMessage").length > before);
  }

  fault(fault: Fault): Promise<void> {
    switch (fault.kind) {
      case "unavailable":
        this.#slack.fail("*", { kind: "status", status: 503 });
        this.#slack.deliveries.drop();
        break;
      case "rate_limit": {
        const retryAfterSeconds = Math.ceil(fault.retryAfterMs / 1000);
        this.#slack.fail("*", { kind: "limit", retryAfterSeconds });
        this.#slack.deliveries.drop();
        break;
      }
      case "revoked":
        this.#slack.revoke();
        break;
      case "reject":
        this.#slack.fail("chat.postMessage", { kind: "error", error: "restricted_action" });
        break;
      default:
        this.#slack.line.set(fault.kind);
    }
    return Promise.resolve();
  }

  mend(): Promise<void> {
    this.#slack.mend();
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#slack[Symbol.asyncDispose]();
  }
}
