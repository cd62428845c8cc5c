/** Telegram from outside: the channel's contract, and what is Telegram's own. */
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
import { ANNA, type FakeTelegram, startFakeTelegram } from "../../../tests/fakes/telegram.ts";
import { ChannelError, type ChannelOptions } from "../../channel.ts";
import type { Log } from "../../log.ts";
import type { OutboundMessage, Place } from "../../message.ts";
import type { KeyValues } from "../../store.ts";
import { TelegramChannel } from "./telegram.ts";
import type { Pace } from "./updates.ts";

/** As ever, but impatient. */
const QUICK: Pace = {
  pollSeconds: 1,
  grace: 300,
  conflictPause: 5,
  maxConflicts: 4,
  conflictWindow: 60_000,
  webhookCheck: 20,
};

channelContract("telegram", () => {
  const telegram = startFakeTelegram();
  telegram.addChat({ id: ANNA.id, type: "private", first_name: ANNA.first_name });
  return {
    network: new ContractNetwork(telegram),
    place: placeAt(ANNA.id, "direct"),
    create: (values) => channelOf(telegram, { values, settings: { timeoutSeconds: 1 } }),
  } satisfies Subject;
});

const FORUM = -1001700000002;

Deno.test("what is stored is not asked for again, also after a restart", async () => {
  await using telegram = startFakeTelegram();
  const values = new MemoryValues();
  const { updateId } = telegram.say("hello");
  {
    await using running = runIn(channelOf(telegram, { values }));
    await running.inbox.count(1);
    await telegram.until(() => telegram.isAcknowledged(updateId));
  }
  const offsets = telegram.calls("getUpdates").map(({ offset }) => offset);
  deepStrictEqual(offsets.slice(0, 2), [undefined, updateId + 1]);
  values.set("offset", [updateId + 1, Date.now()]);
  await using running = runIn(channelOf(telegram, { values }));
  await running.inbox.seen("heartbeat");
  const after = telegram.calls("getUpdates").map(({ offset }) => offset).slice(offsets.length);
  deepStrictEqual(after.slice(0, 2), [updateId + 1, undefined]);
  strictEqual(values.get("offset"), undefined);
});

Deno.test("what comes in another order is put in order, and none of it is lost", async () => {
  await using telegram = startFakeTelegram();
  const values = new MemoryValues();
  for (const text of ["one", "two", "three"]) telegram.say(text);
  telegram.reorder();
  {
    await using running = runIn(channelOf(telegram, { values }));
    running.inbox.refuse(1, { after: 1 });
    await rejects(running.ended, /the disk is full/);
    strictEqual(running.inbox.texts()[0], "one");
  }
  await using running = runIn(channelOf(telegram, { values }));
  await running.inbox.count(2);
  deepStrictEqual(running.inbox.texts(), ["two", "three"]);
});

Deno.test("an offset of last week is not trusted", async () => {
  await using telegram = startFakeTelegram();
  const values = new MemoryValues();
  values.set("offset", [999_999_999, Date.now() - 7 * 24 * 60 * 60 * 1000]);
  telegram.say("hello");
  await using running = runIn(channelOf(telegram, { values }));
  await running.inbox.count(1);
  strictEqual(telegram.calls("getUpdates")[0]?.offset, undefined);
});

Deno.test("another bot for the account is heard from the first word on, and gets its menu", async () => {
  await using before = startFakeTelegram({ token: "700700:AAFakeFakeFakeFakeFakeFakeFakeFake_x" });
  await using after = startFakeTelegram({ token: "700701:AAFakeFakeFakeFakeFakeFakeFakeFake_y" });
  const values = new MemoryValues();
  const commands = [{ name: "new", description: "Start afresh", acceptsArgs: true }];
  const group = { id: -100500, type: "supergroup", title: "Ops" } as const;
  const hear = async (telegram: FakeTelegram) => {
    telegram.addChat(group);
    telegram.say("in private");
    telegram.say("in a group", { chat: group.id });
    await using running = runIn(channelOf(telegram, { values, commands }));
    await running.inbox.count(2);
    return running.inbox.received.map(({ eventId }) => eventId);
  };
  const [one, shared] = await hear(before);
  values.set("offset", [999_999_999, Date.now()]); // as a stop between two questions leaves it
  const [other, sharedStill] = await hear(after);
  strictEqual(after.calls("getUpdates")[0]?.offset, undefined);
  ok(one !== other); // each bot counts its own messages with a person
  strictEqual(shared, sharedStill); // and a group's are the same for both
  strictEqual(after.commands.length, 1);
});

Deno.test("somebody else who polls is trouble, and has won if it stays", async () => {
  await using telegram = startFakeTelegram();
  await using running = runIn(channelOf(telegram));
  await running.inbox.seen("connected");
  const poll = async () => {
    const response = await fetch(`${telegram.url}/bot${telegram.token}/getUpdates?timeout=1`);
    return await response.json();
  };
  const other = poll();
  await running.inbox.seen("trouble");
  deepStrictEqual((await other).error_code, 409); // ours came back, and ended theirs
  const heartbeats = running.inbox.evidence.length;
  await running.inbox.seen("heartbeat", heartbeats);

  telegram.fail("getUpdates", {
    kind: "error",
    code: 409,
    description: "Conflict: terminated by other getUpdates request; make sure that only one bot " +
      "instance is running",
  });
  await rejects(
    running.ended,
    (error) =>
      error instanceof ChannelError && error.reason === "kicked" &&
      /another program uses the same bot/.test(error.message),
  );
});

Deno.test("of two that poll one leaves, and the other hears everything", async () => {
  await using telegram = startFakeTelegram();
  await using one = runIn(channelOf(telegram));
  await using other = runIn(channelOf(telegram));
  const left = await Promise.any([one, other].map(async (running) => {
    await rejects(running.ended, /another program uses the same bot/);
    return running;
  }));
  const stayed = left === one ? other : one;
  telegram.say("hello");
  await stayed.inbox.count(1);
  deepStrictEqual(left.inbox.texts(), []);
});

Deno.test("an answer in pieces, or that makes no sense, is a network that fails", async () => {
  await using telegram = startFakeTelegram();
  for (
    const fault of [
      { kind: "half" },
      { kind: "nonsense", body: "null" },
      { kind: "nonsense", body: "{}" },
      { kind: "nonsense", body: "[1" },
      { kind: "nonsense", body: '{"ok":true,"result":5}' },
      { kind: "nonsense", body: '{"ok":true,"result":[null]}' },
      { kind: "nonsense", body: '{"ok":false,"error_code":"x"}' },
    ] as const
  ) {
    telegram.fail("getUpdates", fault);
    await rejects(
      runIn(channelOf(telegram)).ended,
      (error) => error instanceof ChannelError && error.reason === "network",
      JSON.stringify(fault),
    );
  }
  telegram.fail("sendMessage", { kind: "nonsense", body: '{"ok":true,"result":true}' });
  const receipt = await say(channelOf(telegram), { place: known(telegram) });
  strictEqual(!receipt.sent && receipt.reason, "unknown");
});

Deno.test("only the kinds of updates that are meant to are asked for", async () => {
  await using telegram = startFakeTelegram();
  await using running = runIn(
    channelOf(telegram, { settings: { allowedUpdates: ["message", "poll"] } }),
  );
  await running.inbox.seen("connected");
  deepStrictEqual(telegram.calls("getUpdates")[0]?.allowed_updates, ["message"]);
});

Deno.test("the menu is told once, and again when it changes", async () => {
  await using telegram = startFakeTelegram();
  const values = new MemoryValues();
  const commands = [{ name: "new", description: "Start afresh", acceptsArgs: true }];
  const told = async (custom: readonly unknown[]) => {
    await using running = runIn(
      channelOf(telegram, { values, commands, settings: { customCommands: custom } }),
    );
    await running.inbox.seen("connected");
    return [telegram.calls("setMyCommands").length, telegram.commands];
  };
  const native = { command: "new", description: "Start afresh" };
  deepStrictEqual(await told([]), [1, [native]]);
  deepStrictEqual(await told([]), [1, [native]]);
  deepStrictEqual(
    await told([
      { command: "/Backup", description: "Save all" },
      { command: "no-way", description: "x" },
    ]),
    [2, [native, { command: "backup", description: "Save all" }]],
  );
  deepStrictEqual(await told([]), [3, [native]]);
});

Deno.test("a bot without a menu, or with one that is refused, works all the same", async () => {
  await using telegram = startFakeTelegram();
  telegram.fail("setMyCommands", { kind: "error", code: 400, description: "Bad Request: no" });
  const commands = [{ name: "new", description: "Start afresh", acceptsArgs: true }];
  await using running = runIn(channelOf(telegram, { commands }));
  await running.inbox.seen("connected");
});

Deno.test("a button is told that it was seen once what it says is stored", async () => {
  await using telegram = startFakeTelegram();
  const place = known(telegram);
  const channel = channelOf(telegram);
  const sent = await say(channel, {
    place,
    text: "Shall I?",
    buttons: [[{ text: "Yes", value: "go:1" }, { text: "No", value: "go:0" }]],
  });
  ok(sent.sent);
  await using running = runIn(channel);
  const release = running.inbox.hold();
  telegram.press(ANNA.id, Number(sent.messageIds[0]), "go:1");
  await running.inbox.asked(1);
  deepStrictEqual(telegram.calls("answerCallbackQuery"), []);
  release();
  const [press] = await running.inbox.count(1);
  ok(press?.kind === "button" && press.value === "go:1" && press.messageId === sent.messageIds[0]);
  await telegram.until(() => telegram.calls("answerCallbackQuery").length === 1);
});

Deno.test("a group that became a supergroup is followed, by what is sent and what is said", async () => {
  await using telegram = startFakeTelegram();
  const values = new MemoryValues();
  telegram.addChat({ id: -4001, type: "group", title: "Kitchen", migratedTo: -1001700000009 });
  telegram.addChat({ id: -1001700000009, type: "supergroup", title: "Kitchen" });
  const place = placeAt(-4001, "group");
  const channel = channelOf(telegram, { values });
  ok((await say(channel, { place, text: "one" })).sent);
  ok((await say(channelOf(telegram, { values }), { place, text: "two" })).sent);
  deepStrictEqual(telegram.calls("sendMessage").map(({ chat_id }) => chat_id), [
    "-4001",
    "-1001700000009",
    "-1001700000009",
  ]);
  deepStrictEqual(telegram.sent.map(({ text }) => text), ["one", "two"]);

  const fresh = new MemoryValues();
  await using running = runIn(channelOf(telegram, { values: fresh }));
  telegram.push({
    message: {
      message_id: 5,
      date: 1,
      from: ANNA,
      chat: { id: -4001, type: "group", title: "Kitchen" },
      migrate_to_chat_id: -1001700000009,
    },
  });
  telegram.say("done");
  await running.inbox.count(1);
  ok((await say(channelOf(telegram, { values: fresh }), { place, text: "three" })).sent);
  strictEqual(telegram.calls("sendMessage").at(-1)?.chat_id, "-1001700000009");
});

Deno.test("a topic is named, General only for typing", async () => {
  await using telegram = startFakeTelegram();
  telegram.addChat({ id: FORUM, type: "supergroup", title: "W", is_forum: true, topics: [7] });
  const channel = channelOf(telegram);
  const signal = new AbortController().signal;
  for (
    const [threadId, inMessages, inTyping] of [
      ["7", 7, 7],
      ["1", undefined, 1],
      [undefined, undefined, undefined],
    ] as const
  ) {
    const place = { ...placeAt(FORUM, "group"), ...(threadId === undefined ? {} : { threadId }) };
    ok((await say(channel, { place })).sent);
    await channel.typing(place, signal);
    strictEqual(telegram.calls("sendMessage").at(-1)?.message_thread_id, inMessages);
    strictEqual(telegram.calls("sendChatAction").at(-1)?.message_thread_id, inTyping);
  }
  const closed = await say(channel, { place: { ...placeAt(FORUM, "group"), threadId: "8" } });
  deepStrictEqual(closed, {
    sent: false,
    reason: "rejected",
    detail: "Bad Request: message thread not found",
  });
  const before = telegram.sent.length;
  const named = await say(channel, { place: { ...placeAt(FORUM, "group"), threadId: "plants" } });
  deepStrictEqual(named, {
    sent: false,
    reason: "rejected",
    detail: "There is no topic 'plants': topics are numbers",
  });
  strictEqual(telegram.sent.length, before);
  await rejects(channel.typing(placeAt(-5, "group"), signal), /chat not found/);
});

Deno.test("a message says what it answers, how loudly, and with which preview", async () => {
  await using telegram = startFakeTelegram();
  const place = known(telegram);
  ok(
    (await say(channelOf(telegram), { place, text: "**hi**", replyTo: "1", isSilent: true })).sent,
  );
  const quiet = channelOf(telegram, { settings: { linkPreview: false } });
  ok((await say(quiet, { place, text: "https://example.org", replyTo: "button:9" })).sent);
  const [first, second] = telegram.calls("sendMessage");
  deepStrictEqual(first, {
    chat_id: "42",
    reply_parameters: { message_id: 1, allow_sending_without_reply: true },
    disable_notification: true,
    text: "hi",
    entities: [{ type: "bold", offset: 0, length: 2 }],
  });
  deepStrictEqual(second?.link_preview_options, { is_disabled: true });
  strictEqual(second?.reply_parameters, undefined);
});

Deno.test("what can't be sent is refused in Telegram's words", async () => {
  await using telegram = startFakeTelegram();
  const place = known(telegram);
  const channel = channelOf(telegram);
  for (
    const [message, detail] of [
      [{ text: "" }, "Bad Request: message text is empty"],
      [{ text: "x".repeat(4097) }, "Bad Request: message is too long"],
      [{ text: "x", place: placeAt(1, "direct") }, "Bad Request: chat not found"],
      [
        { text: "x", buttons: [[{ text: "y", value: "z".repeat(65) }]] },
        "Bad Request: BUTTON_DATA_INVALID",
      ],
      [
        { poll: { question: "", options: ["a", "b"] } },
        "Bad Request: poll question must be non-empty",
      ],
    ] as const
  ) {
    deepStrictEqual(await say(channel, { place, text: "", ...message }), {
      sent: false,
      reason: "rejected",
      detail,
    });
  }
  ok((await say(channel, { place, text: "x".repeat(4096) })).sent);
});

Deno.test("a poll", async () => {
  await using telegram = startFakeTelegram();
  const place = known(telegram);
  const receipt = await say(channelOf(telegram), {
    place,
    text: "",
    poll: {
      question: "Tea?",
      options: ["Yes", "No"],
      maxSelections: 2,
      durationSeconds: 1,
      isAnonymous: false,
    },
  });
  ok(receipt.sent);
  deepStrictEqual(telegram.calls("sendPoll"), [{
    chat_id: "42",
    question: "Tea?",
    options: [{ text: "Yes" }, { text: "No" }],
    allows_multiple_answers: true,
    is_anonymous: false,
    open_period: 5,
  }]);
});

Deno.test("a file goes as what it is, with its name and caption, byte by byte", async () => {
  await using telegram = startFakeTelegram();
  const place = known(telegram);
  const channel = channelOf(telegram);
  const dir = await Deno.makeTempDir();
  try {
    const bytes = new Uint8Array(300_000).map((_, index) => index * 31 % 251);
    const path = join(dir, "file");
    await Deno.writeFile(path, bytes);
    for (
      const [kind, mimeType, method, field, size = bytes.length] of [
        ["image", "image/png", "sendPhoto", "photo"],
        ["image", "image/png", "sendDocument", "document", 11 * 1024 * 1024],
        ["image", "image/gif", "sendAnimation", "animation"],
        ["image", "image/svg+xml", "sendDocument", "document"],
        ["video", "video/mp4", "sendVideo", "video"],
        ["video", "video/x-matroska", "sendDocument", "document"],
        ["audio", "audio/mpeg", "sendAudio", "audio"],
        ["audio", "audio/flac", "sendDocument", "document"],
        ["voice", "audio/ogg; codecs=opus", "sendVoice", "voice"],
        ["sticker", "image/webp", "sendSticker", "sticker"],
        ["file", "image/png", "sendDocument", "document"],
      ] as const
    ) {
      const name = 'my "plan"; v=2 ü.bin';
      const receipt = await say(channel, {
        place,
        text: "*see*",
        replyTo: "1",
        attachment: { kind, path, name, mimeType, size },
      });
      ok(receipt.sent, JSON.stringify(receipt));
      const { message, method: used } = telegram.journal.flatMap((entry) =>
        entry.kind === "sent" ? [entry] : []
      ).at(-1)!;
      strictEqual(used, method, `${kind} ${mimeType}`);
      const shown = message[field];
      const [file] = Array.isArray(shown) ? shown : [shown];
      strictEqual(file.sha256, createHash("sha256").update(bytes).digest("hex"));
      strictEqual(file.file_name, "my _plan_; v=2 ü.bin");
      strictEqual(message.caption, kind === "sticker" ? undefined : "see");
      deepStrictEqual(message.reply_to_message, { message_id: 1 });
    }
    const missing = await say(channel, {
      place,
      attachment: { kind: "file", path: join(dir, "x"), name: "x", mimeType: "a/b", size: 1 },
    });
    ok(!missing.sent && missing.reason === "rejected" && /it is not there/.test(missing.detail));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("what Telegram won't show as what it is goes as a file", async () => {
  await using telegram = startFakeTelegram();
  const place = known(telegram);
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, "bytes");
    for (
      const [kind, mimeType, method, why] of [
        ["image", "image/png", "sendPhoto", "PHOTO_INVALID_DIMENSIONS"],
        ["voice", "audio/ogg", "sendVoice", "VOICE_MESSAGES_FORBIDDEN"],
      ] as const
    ) {
      const description = `Bad Request: ${why}`;
      telegram.fail(method, { kind: "error", code: 400, description });
      const attachment = { kind, path, name: "long", mimeType, size: 5 };
      const receipt = await say(channelOf(telegram), { place, text: "see", attachment });
      ok(receipt.sent, JSON.stringify(receipt));
      const shown = telegram.sent.at(-1);
      deepStrictEqual([shown?.caption, shown?.document !== undefined], ["see", true]);
    }
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("an upload that is given up closes its file, and may have arrived", async () => {
  await using telegram = startFakeTelegram();
  const place = known(telegram);
  telegram.fail("sendDocument", { kind: "stall" });
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeFile(path, new Uint8Array(2_000_000));
    const abort = new AbortController();
    const receipt = say(channelOf(telegram), {
      place,
      attachment: { kind: "file", path, name: "x", mimeType: "a/b", size: 2_000_000 },
    }, abort.signal);
    await telegram.until(() => telegram.calls("sendDocument").length === 1);
    abort.abort();
    strictEqual((await receipt as { reason?: string }).reason, "unknown");
    telegram.mend();
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("edits, deletions and reactions", async () => {
  await using telegram = startFakeTelegram();
  const place = known(telegram);
  const channel = channelOf(telegram);
  const signal = new AbortController().signal;
  const sent = await say(channel, { place, text: "draft" });
  ok(sent.sent);
  const target = { place, messageId: sent.messageIds[0]! };
  const done = { sent: true, messageIds: [target.messageId] };
  deepStrictEqual(await channel.edit(target, "**final**", signal), done);
  deepStrictEqual(await channel.edit(target, "**final**", signal), done); // as it is already
  const nothing = await channel.edit({ place, messageId: "999" }, "x", signal);
  deepStrictEqual(nothing, {
    sent: false,
    reason: "rejected",
    detail: "Bad Request: message to edit not found",
  });
  deepStrictEqual(await channel.react(target, "❤️", signal), done);
  deepStrictEqual(await channel.react(target, "", signal), done);
  deepStrictEqual(await channel.react(target, "custom:123", signal), done);
  const odd = await channel.react(target, "🦖", signal);
  deepStrictEqual(odd, {
    sent: false,
    reason: "rejected",
    detail: "Bad Request: REACTION_INVALID",
  });
  deepStrictEqual(telegram.calls("setMessageReaction").map(({ reaction }) => reaction), [
    [{ type: "emoji", emoji: "❤" }],
    [],
    [{ type: "custom_emoji", custom_emoji_id: "123" }],
    [{ type: "emoji", emoji: "🦖" }],
  ]);
  deepStrictEqual(await channel.delete(target, signal), done);
  ok(!(await channel.delete(target, signal)).sent);
});

Deno.test("an edit of a file's message changes its caption", async () => {
  await using telegram = startFakeTelegram();
  const place = known(telegram);
  const channel = channelOf(telegram);
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, "x");
    const sent = await say(channel, {
      place,
      text: "old",
      attachment: { kind: "file", path, name: "x.txt", mimeType: "text/plain", size: 1 },
    });
    ok(sent.sent);
    const target = { place, messageId: sent.messageIds[0]! };
    ok((await channel.edit(target, "new", new AbortController().signal)).sent);
    strictEqual(telegram.calls("editMessageCaption")[0]?.caption, "new");
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("downloads", async () => {
  await using telegram = startFakeTelegram();
  const channel = channelOf(telegram);
  const signal = new AbortController().signal;
  const read = async (fileId: string) =>
    new Uint8Array(
      await new Response(await channel.download({ kind: "file", ref: { fileId } }, signal))
        .arrayBuffer(),
    );
  telegram.addFile("A", { bytes: new Uint8Array([1, 2, 3]), path: "photos/file_1 ü.jpg" });
  deepStrictEqual(await read("A"), new Uint8Array([1, 2, 3]));
  telegram.addFile("B", { size: 1_000_000 });
  strictEqual((await read("B")).length, 1_000_000);
  telegram.addFile("C", { size: 21 * 1024 * 1024 });
  await rejects(read("C"), /Telegram refuses: Bad Request: file is too big/);
  await rejects(read("D"), /invalid file_id/);
  await rejects(channel.download({ kind: "file", ref: "x" }, signal), /no file of Telegram's/);
  telegram.fail("download", { kind: "error", code: 404, description: "Not Found" });
  await rejects(read("A"), (error) => error instanceof ChannelError);
  telegram.mend();
  telegram.line.set("cut");
  await rejects(
    read("A"),
    (error) => error instanceof ChannelError && error.reason === "network",
  );
});

Deno.test("a file of this machine is read only from where it may lie", async () => {
  await using telegram = startFakeTelegram();
  const dir = await Deno.realPath(await Deno.makeTempDir());
  const signal = new AbortController().signal;
  try {
    await Deno.mkdir(join(dir, "bot"));
    await Deno.writeTextFile(join(dir, "bot", "a.txt"), "hello");
    await Deno.writeTextFile(join(dir, "secret"), "x");
    await Deno.symlink(join(dir, "secret"), join(dir, "bot", "link"));
    telegram.addFile("in", { bytes: new Uint8Array(5), path: join(dir, "bot", "a.txt") });
    telegram.addFile("out", { bytes: new Uint8Array(1), path: join(dir, "secret") });
    telegram.addFile("link", { bytes: new Uint8Array(1), path: join(dir, "bot", "link") });
    const trusting = channelOf(telegram, {
      settings: { trustedLocalFileRoots: [join(dir, "bot")] },
    });
    const file = await trusting.download({ kind: "file", ref: { fileId: "in" } }, signal);
    strictEqual(await new Response(file).text(), "hello");
    for (
      const [channel, fileId] of [
        [trusting, "out"],
        [trusting, "link"],
        [channelOf(telegram), "in"],
      ] as const
    ) {
      await rejects(
        channel.download({ kind: "file", ref: { fileId } }, signal),
        (error) => error instanceof ChannelError && error.reason === "config",
      );
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("a place by what people call it", async () => {
  await using telegram = startFakeTelegram();
  telegram.addChat({ id: -1001, type: "channel", title: "News", username: "daily_news_x" });
  telegram.addChat({ id: FORUM, type: "supergroup", title: "W", is_forum: true, topics: [7] });
  const channel = channelOf(telegram);
  const signal = new AbortController().signal;
  const resolve = async (target: string) => {
    const { kind, chatId, threadId } = await channel.resolve(target, signal);
    return [kind, chatId, threadId];
  };
  deepStrictEqual(await resolve("42"), ["direct", "42", undefined]);
  deepStrictEqual(await resolve("telegram:42"), ["direct", "42", undefined]);
  deepStrictEqual(await resolve("user:42"), ["direct", "42", undefined]);
  deepStrictEqual(await resolve("@daily_news_x"), ["channel", "-1001", undefined]);
  deepStrictEqual(await resolve("daily_news_x"), ["channel", "-1001", undefined]);
  deepStrictEqual(await resolve("https://t.me/daily_news_x"), ["channel", "-1001", undefined]);
  deepStrictEqual(await resolve(`${FORUM}`), ["group", `${FORUM}`, undefined]);
  deepStrictEqual(await resolve(`${FORUM}:topic:7`), ["group", `${FORUM}`, "7"]);
  deepStrictEqual(await resolve(`group:${FORUM}:7`), ["group", `${FORUM}`, "7"]);
  await rejects(resolve("@nobody_at_all"), /Cannot find '@nobody_at_all' in Telegram: give/);
});

Deno.test("a probe asks who we are", async () => {
  await using telegram = startFakeTelegram();
  const signal = new AbortController().signal;
  deepStrictEqual(await channelOf(telegram).probe(signal), {
    id: "700700",
    name: "Fake",
    username: "fake_bot",
  });
  const wrong = channelOf(telegram, { settings: { botToken: "1:wrong" } });
  await rejects(
    wrong.probe(signal),
    (error) => error instanceof ChannelError && error.reason === "auth",
  );
  const odd = channelOf(telegram, { settings: { botToken: "not a token" } });
  await rejects(odd.probe(signal), (error) => error instanceof ChannelError);
});

Deno.test("settings that can't work are said to be so, without secrets", async () => {
  await using telegram = startFakeTelegram();
  const isConfig = (error: unknown) => error instanceof ChannelError && error.reason === "config";
  await rejects(runIn(channelOf(telegram, { settings: { botToken: undefined } })).ended, isConfig);
  await rejects(
    runIn(channelOf(telegram, { settings: { webhookUrl: "https://example.org/x" } })).ended,
    isConfig,
  );
  await rejects(
    async () => await Promise.resolve(channelOf(telegram, { settings: { apiRoot: "ftp://x" } })),
    /Cannot use the settings of Telegram: 'apiRoot'/,
  );
});

Deno.test("the token is in nothing that anybody reads", async () => {
  await using telegram = startFakeTelegram();
  const place = known(telegram);
  const said: string[] = [];
  const log = recordInto(said);
  const signal = new AbortController().signal;
  for (const fault of ["refuse", "cut", "garbage"] as const) {
    telegram.line.set(fault);
    const channel = channelOf(telegram, { log, settings: { timeoutSeconds: 1 } });
    said.push(JSON.stringify(await say(channel, { place })));
    for (
      const work of [
        runIn(channel).ended,
        channel.probe(signal),
        channel.download({ kind: "file", ref: { fileId: "A" } }, signal),
      ]
    ) {
      await work.catch((error) => said.push(Deno.inspect(error, { depth: 10 })));
    }
  }
  telegram.mend();
  telegram.addFile("A", { bytes: new Uint8Array(1) });
  telegram.fail("download", { kind: "error", code: 500, description: "x" });
  await channelOf(telegram).download({ kind: "file", ref: { fileId: "A" } }, signal)
    .catch((error) => said.push(Deno.inspect(error)));
  strictEqual(said.length, 3 * 4 + 1);
  for (const words of said) ok(!words.includes(telegram.token.split(":")[1]!), words);
});

Deno.test({
  name: "through a proxy",
  sanitizeResources: false, // the connections of a proxy are kept for the next one who wants them
  async fn() {
    await using telegram = startFakeTelegram();
    const asked: string[] = [];
    const proxy = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen() {} },
      async (request) => {
        asked.push(new URL(request.url).pathname.split("/").at(-1)!);
        const { method, headers, body } = request;
        const answer = await fetch(request.url, { method, headers, body });
        return new Response(await answer.text(), answer);
      },
    );
    try {
      const channel = channelOf(telegram, {
        settings: {
          proxy: `http://127.0.0.1:${proxy.addr.port}`,
          apiRoot: telegram.url.replace("127.0.0.1", "localhost"),
        },
      });
      ok((await say(channel, { place: known(telegram) })).sent);
      deepStrictEqual(asked, ["sendMessage"]);
    } finally {
      await proxy.shutdown();
    }
  },
});

Deno.test("a webhook answers success only for what is stored, and only to Telegram", async () => {
  await using telegram = startFakeTelegram();
  await using hook = new Webhook(telegram);
  strictEqual(await hook.status({ secret: hook.secret }), 503); // not connected yet
  const { inbox } = hook.run();
  await inbox.seen("connected");
  inbox.refuse(2);
  const first = telegram.say("first");
  await telegram.until(() => telegram.isAcknowledged(first.updateId));
  const second = telegram.say("second");
  await telegram.until(() => telegram.isAcknowledged(second.updateId));
  deepStrictEqual(inbox.texts(), ["first", "second"]);
  deepStrictEqual(telegram.calls("getUpdates"), []);

  strictEqual(await hook.status({}), 401);
  strictEqual(await hook.status({ secret: "wrong" }), 401);
  strictEqual(await hook.status({ secret: hook.secret, method: "GET" }), 405);
  strictEqual(await hook.status({ secret: hook.secret, body: "{" }), 400);
  strictEqual(await hook.status({ secret: hook.secret, body: '{"update_id":"x"}' }), 400);
  strictEqual(await hook.status({ secret: hook.secret, body: "x".repeat(5_000_000) }), 400);
  strictEqual(await hook.status({ secret: hook.secret, body: '{"update_id":1}' }), 200);
  deepStrictEqual(inbox.texts(), ["first", "second"]);
});

Deno.test("a webhook that Telegram can't reach is trouble, and one that is taken is lost", async () => {
  await using telegram = startFakeTelegram();
  await using hook = new Webhook(telegram);
  const { inbox, ended } = hook.run();
  await inbox.seen("heartbeat");
  inbox.refuse(1_000_000);
  telegram.say("hello");
  const trouble = await inbox.seen("trouble");
  ok(trouble.kind === "trouble" && /503/.test(trouble.detail));
  const lost = rejects(
    ended,
    (error) => error instanceof ChannelError && error.reason === "kicked",
  );
  await (await fetch(`${telegram.url}/bot${telegram.token}/deleteWebhook`)).body?.cancel();
  await lost;
});

/** A channel that runs until it is disposed of. */
function runIn(channel: TelegramChannel) {
  const inbox = new TestInbox();
  const abort = new AbortController();
  const ended = channel.run(inbox, abort.signal);
  ended.catch(() => {}); // a test that cares looks at it
  return {
    inbox,
    ended,
    async [Symbol.asyncDispose]() {
      abort.abort();
      await ended.catch(() => {});
      await inbox.idle();
    },
  };
}

/** A server as the gateway's, with a channel behind it. */
class Webhook implements AsyncDisposable {
  readonly secret = "S3cret_-x";
  readonly #channel: TelegramChannel;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #url: string;
  #running: ReturnType<typeof runIn> | undefined;

  constructor(telegram: FakeTelegram) {
    this.#server = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen() {} },
      (request) => this.#channel.respond(request, this.#running?.inbox ?? new TestInbox()),
    );
    this.#url = `http://127.0.0.1:${this.#server.addr.port}/webhooks/telegram/default`;
    this.#channel = channelOf(telegram, {
      settings: { webhookUrl: this.#url, webhookSecret: this.secret },
    });
  }

  run(): ReturnType<typeof runIn> {
    return this.#running = runIn(this.#channel);
  }

  async status({ secret, method = "POST", body = "{}" }: {
    secret?: string;
    method?: string;
    body?: string;
  }): Promise<number> {
    const response = await fetch(this.#url, {
      method,
      headers: secret === undefined ? {} : { "x-telegram-bot-api-secret-token": secret },
      ...(method === "GET" ? {} : { body }),
    });
    await response.body?.cancel();
    return response.status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running?.[Symbol.asyncDispose]();
    await this.#server.shutdown();
  }
}

/** A chat that exists. */
function known(telegram: FakeTelegram): Place {
  telegram.addChat({ id: ANNA.id, type: "private", first_name: ANNA.first_name });
  return placeAt(ANNA.id, "direct");
}

function placeAt(chatId: number, kind: Place["kind"]): Place {
  return { channel: "telegram", accountId: "default", kind, chatId: String(chatId) };
}

function say(
  channel: TelegramChannel,
  message: Partial<OutboundMessage> & { readonly place: Place },
  signal = new AbortController().signal,
) {
  return channel.send({ id: crypto.randomUUID(), text: "hello", ...message }, signal);
}

function recordInto(lines: string[]): Log {
  const note = (message: string, fields?: unknown) => {
    lines.push(`${message} ${Deno.inspect(fields, { depth: 10 })}`);
  };
  const log: Log = { error: note, warn: note, info: note, debug: note, part: () => log };
  return log;
}

function channelOf(
  telegram: FakeTelegram,
  { settings = {}, values = new MemoryValues(), ...options }:
    & { settings?: Readonly<Record<string, unknown>>; values?: KeyValues }
    & Partial<Pick<ChannelOptions, "commands" | "log">> = {},
): TelegramChannel {
  return new TelegramChannel({
    accountId: "default",
    settings: { botToken: telegram.token, apiRoot: telegram.url, ...settings },
    values,
    log: NO_LOG,
    ...options,
  }, QUICK);
}

/** The fake as the contract's suite wants it. */
class ContractNetwork implements FakeNetwork {
  readonly #telegram: FakeTelegram;
  readonly #updates = new Map<string, number>();

  constructor(telegram: FakeTelegram) {
    this.#telegram = telegram;
  }

  get sent(): readonly SeenMessage[] {
    return this.#telegram.sent.map(({ message_id, text = "" }) => ({
      id: String(message_id),
      text,
    }));
  }

  get shown(): readonly SeenMessage[] {
    return this.#telegram.shown(ANNA.id).map(({ message_id, text = "" }) => ({
      id: String(message_id),
      text,
    }));
  }

  say(text: string): Promise<string> {
    const { messageId, updateId } = this.#telegram.say(text);
    this.#updates.set(String(messageId), updateId);
    return Promise.resolve(String(messageId));
  }

  echo(text: string): Promise<void> {
    this.#telegram.say(text, { chat: ANNA.id, from: this.#telegram.me });
    return Promise.resolve();
  }

  isAcknowledged(messageId: string): boolean {
    return this.#telegram.isAcknowledged(this.#updates.get(messageId) ?? 0);
  }

  async acknowledged(messageId: string): Promise<void> {
    await this.#telegram.until(() => this.isAcknowledged(messageId));
  }

  redeliver(): Promise<void> {
    this.#telegram.redeliver();
    return Promise.resolve();
  }

  babble(): Promise<void> {
    const chat = { id: ANNA.id, type: "private", first_name: "Anna" };
    for (
      const update of [
        {},
        { message: 3 },
        { message: null },
        { message: { message_id: "1", date: "now", chat: {} } },
        { message: { message_id: 1, date: 1, chat: { id: 1, type: "planet" }, text: "x" } },
        { message: { message_id: 1, date: 1, chat, from: ANNA, text: 7 } },
        { message: { message_id: 1, date: 1, chat, from: ANNA, photo: [{}] } },
        { message: { message_id: 1, date: 1, chat, from: ANNA } },
        { message: { message_id: 1, date: 1, chat, from: ANNA, pinned_message: {} } },
        { edited_message: { message_id: 1 } },
        { callback_query: { id: "1", from: ANNA } },
        { callback_query: [] },
        { message_reaction: { chat, message_id: 1, date: 1, old_reaction: [], new_reaction: [] } },
        { poll: { id: "1" } },
        { something_new: { deep: [[[[[[]]]]]] } },
        { message: { toString: "x", constructor: null } },
      ]
    ) {
      this.#telegram.push(update);
    }
    return Promise.resolve();
  }

  async sendArrived(): Promise<void> {
    const before = this.#telegram.calls("sendMessage").length;
    await this.#telegram.until(() => this.#telegram.calls("sendMessage").length > before);
  }

  fault(fault: Fault): Promise<void> {
    switch (fault.kind) {
      case "unavailable":
        this.#telegram.fail("*", { kind: "bad gateway" });
        break;
      case "rate_limit": {
        const seconds = Math.ceil(fault.retryAfterMs / 1000);
        this.#telegram.fail("*", {
          kind: "error",
          code: 429,
          description: `Too Many Requests: retry after ${seconds}`,
          parameters: { retry_after: seconds },
        });
        break;
      }
      case "revoked":
        this.#telegram.revoke();
        break;
      case "reject":
        this.#telegram.addChat({
          id: ANNA.id,
          type: "private",
          first_name: ANNA.first_name,
          isClosed: true,
        });
        break;
      default:
        this.#telegram.line.set(fault.kind);
    }
    return Promise.resolve();
  }

  mend(): Promise<void> {
    this.#telegram.addChat({ id: ANNA.id, type: "private", first_name: ANNA.first_name });
    this.#telegram.mend();
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#telegram[Symbol.asyncDispose]();
  }
}

for (
  const [what, update] of [
    ["a button that is null", { callback_query: null }],
    ["a migration without a chat", { message: { migrate_to_chat_id: -1001 } }],
    ["a migration of null", { message: { migrate_to_chat_id: -1001, chat: null } }],
  ] as const
) {
  Deno.test(`${what} does not stop what comes after it`, async () => {
    await using telegram = startFakeTelegram();
    const inbox = new TestInbox();
    telegram.push(update);
    const { updateId } = telegram.say("after it");
    const channel = new TelegramChannel({
      accountId: "default",
      settings: { botToken: telegram.token, apiRoot: telegram.url },
      values: new MemoryValues(),
      log: NO_LOG,
    });
    const abort = new AbortController();
    const ended = channel.run(inbox, abort.signal);
    await Promise.race([ended, telegram.until(() => telegram.isAcknowledged(updateId))]);
    abort.abort();
    await ended;
    await inbox.idle();
    deepStrictEqual(inbox.texts(), ["after it"]);
  });
}
