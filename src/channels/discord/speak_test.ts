/** What the channel says and does on Discord, whether it is connected or not. */
import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { createHash } from "node:crypto";
import { MemoryValues, NO_LOG, TestInbox } from "../../../tests/channel_contract.ts";
import {
  type Channel,
  ChannelType,
  type FakeDiscord,
  startFakeDiscord,
  type User,
} from "../../../tests/fakes/discord.ts";
import type { OutboundMessage, Place } from "../../message.ts";
import { DiscordChannel } from "./discord.ts";
import { idAt } from "./snowflake.ts";

const signal = new AbortController().signal;

/** A bot in a guild with a channel, and somebody to talk to. */
class Scene implements AsyncDisposable {
  readonly discord: FakeDiscord;
  readonly values = new MemoryValues();
  readonly inbox = new TestInbox();
  readonly general: Channel;
  readonly ada: User;
  readonly #settings: Record<string, unknown>;
  readonly #stop = new AbortController();
  #channel: DiscordChannel;
  #running: Promise<void> | undefined;

  constructor(
    options: Parameters<typeof startFakeDiscord>[0] = {},
    settings: Record<string, unknown> = {},
  ) {
    this.#settings = settings;
    this.discord = startFakeDiscord({ askEveryMs: 50, ...options });
    const { world } = this.discord;
    const guild = world.addGuild("guild");
    this.general = world.addChannel(guild, "general");
    this.ada = world.addUser("ada");
    guild.members.set(this.ada.id, { roles: [] });
    this.#channel = this.#create();
  }

  get channel(): DiscordChannel {
    return this.#channel;
  }

  /** The same account in another life of the program. */
  renew(): void {
    this.#channel = this.#create();
  }

  /** Stays until the end; resolves when it is let in. */
  async connect(): Promise<void> {
    this.#running = this.#channel.run(this.inbox, this.#stop.signal);
    await this.inbox.seen("connected");
  }

  place(chat: Channel, { parent }: { parent?: Channel } = {}): Place {
    return {
      channel: "discord",
      accountId: "default",
      kind: chat.guild_id === undefined ? "direct" : "channel",
      chatId: parent?.id ?? chat.id,
      ...(parent && { threadId: chat.id }),
      ...(chat.guild_id && { spaceId: chat.guild_id }),
    };
  }

  message(text: string, rest: Partial<OutboundMessage> = {}): OutboundMessage {
    return { id: crypto.randomUUID(), place: this.place(this.general), text, ...rest };
  }

  async send(message: OutboundMessage): Promise<string> {
    const receipt = await this.#channel.send(message, signal);
    ok(receipt.sent, JSON.stringify(receipt));
    return receipt.messageIds[0]!;
  }

  /** Ada's, which waits for its answer by now. */
  async command(chat: Channel) {
    const command = this.discord.command(chat, this.ada, { name: "status" });
    await this.discord.until(() => command.answer !== undefined);
    return { command, replyTo: `command:${command.id}` };
  }

  asked(which: RegExp) {
    return this.discord.rest.requests.filter(({ method, path }) => which.test(`${method} ${path}`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.discord[Symbol.asyncDispose]();
  }

  #create(): DiscordChannel {
    const { token, apiRoot } = this.discord;
    return new DiscordChannel({
      accountId: "default",
      settings: { token, apiRoot, mediaMaxMb: 1, ...this.#settings },
      values: this.values,
      log: NO_LOG,
    }, { answerMs: 2000, identifyEveryMs: 0, betweenMs: [0, 0] });
  }
}

Deno.test("a message says how it wants to be shown, and calls nobody who should not be", async () => {
  await using scene = new Scene();
  const answered = scene.discord.world.post(scene.general, scene.ada, "hello?");
  await scene.send(scene.message("Hello **@everyone** <@1>", {
    replyTo: answered.id,
    isSilent: true,
    buttons: [[{ text: "Yes", value: "y" }, { text: "No", value: "n" }]],
  }));
  const { nonce, ...rest } = scene.asked(/^POST/)[0]!.body;
  ok(typeof nonce === "string" && nonce.length <= 25);
  deepStrictEqual(rest, {
    content: "Hello **@\u200beveryone** <@1>",
    allowed_mentions: { parse: ["users"], replied_user: false },
    flags: 4096 | 4,
    components: [{
      type: 1,
      components: [
        { type: 2, style: 2, label: "Yes", custom_id: "y" },
        { type: 2, style: 2, label: "No", custom_id: "n" },
      ],
    }],
    enforce_nonce: true,
    message_reference: { message_id: answered.id, fail_if_not_exists: false },
  });
});

Deno.test("what is answered may be gone by then", async () => {
  await using scene = new Scene();
  await scene.send(scene.message("still", { replyTo: idAt(Date.now()) }));
  strictEqual(scene.discord.sent.length, 1);
});

Deno.test("where nobody may point at a message, it is answered all the same", async () => {
  await using scene = new Scene();
  const message = "Cannot reply without permission to read message history";
  scene.discord.rest.fault(/^POST .*messages$/, {
    kind: "status",
    status: 403,
    body: { message, code: 160002 },
  });
  await scene.send(scene.message("an answer", { replyTo: idAt(Date.now()) }));
  strictEqual(scene.discord.sent[0]?.content, "an answer");
  strictEqual(scene.asked(/^POST .*messages$/)[1]?.body.message_reference, undefined);
});

Deno.test("a thread is written to, and not the channel that it is in", async () => {
  await using scene = new Scene();
  const { world } = scene.discord;
  const guild = world.guilds.get(scene.general.guild_id!)!;
  const thread = world.addChannel(guild, "aside", {
    type: ChannelType.thread,
    parent: scene.general,
  });
  const place = scene.place(thread, { parent: scene.general });
  await scene.send(scene.message("here", { place }));
  strictEqual(scene.discord.sent[0]?.channel_id, thread.id);
});

Deno.test("a poll is sent, but none that pretends to be anonymous", async () => {
  await using scene = new Scene();
  const poll = { question: "Tea?", options: ["yes", "no"], maxSelections: 2, durationSeconds: 90 };
  await scene.send(scene.message("", { poll }));
  deepStrictEqual(scene.asked(/^POST/)[0]?.body.poll, {
    question: { text: "Tea?" },
    answers: [{ poll_media: { text: "yes" } }, { poll_media: { text: "no" } }],
    duration: 1,
    allow_multiselect: true,
  });
  const hidden = scene.message("", { poll: { ...poll, isAnonymous: true } });
  const receipt = await scene.channel.send(hidden, signal);
  ok(!receipt.sent && receipt.reason === "rejected");
  strictEqual(scene.discord.sent.length, 1);
});

Deno.test("a file is sent as it lies on the disk", async () => {
  await using scene = new Scene();
  const dir = await Deno.makeTempDir();
  try {
    const path = `${dir}/data`;
    const bytes = crypto.getRandomValues(new Uint8Array(65_536));
    await Deno.writeFile(path, bytes);
    const attachment = {
      kind: "file",
      path,
      name: 'we"ird\r\nname.bin',
      mimeType: "application/x-test",
      size: bytes.length,
    } as const;
    await scene.send(scene.message("see", { attachment }));
    const [file] = scene.asked(/^POST/)[0]!.files;
    strictEqual(file?.sha256, createHash("sha256").update(bytes).digest("hex"));
    strictEqual(file.filename, "we%22ird  name.bin");
    strictEqual(file.type, "application/x-test");
    deepStrictEqual(scene.asked(/^POST/)[0]?.body.content, "see");

    const gone = { ...attachment, path: `${dir}/none` };
    const missing = await scene.channel.send(scene.message("", { attachment: gone }), signal);
    ok(!missing.sent && missing.reason === "rejected");
    match(missing.detail, /not found/);

    scene.discord.rest.rules.maxUploadBytes = 1000;
    const large = await scene.channel.send(scene.message("", { attachment }), signal);
    ok(!large.sent && large.reason === "rejected");
    match(large.detail, /too large/);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("a file that is given up on the way is closed", async () => {
  await using scene = new Scene();
  const path = await Deno.makeTempFile();
  try {
    await Deno.truncate(path, 8 * 1024 * 1024);
    scene.discord.setLine("silence");
    const abort = new AbortController();
    const attachment = { kind: "file", path, name: "a", mimeType: "a/b", size: 8 << 20 } as const;
    const receipt = scene.channel.send(scene.message("", { attachment }), abort.signal);
    await scene.discord.until(() => scene.discord.sent.length > 0);
    abort.abort();
    const { sent } = await receipt;
    ok(!sent);
    scene.discord.mend();
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("a forum gets a post with the first line as its title", async () => {
  await using scene = new Scene();
  const { world } = scene.discord;
  const guild = world.guilds.get(scene.general.guild_id!)!;
  const forum = world.addChannel(guild, "help", { type: ChannelType.forum });
  const message = scene.message("# How **to**\n\nLike so.", { place: scene.place(forum) });
  const id = await scene.send(message);
  const thread = [...world.channels.values()].find(({ parent_id }) => parent_id === forum.id);
  strictEqual(thread?.name, "How to");
  strictEqual(thread.id, id);
  strictEqual(scene.discord.sent[0]?.content, "# How **to**\n\nLike so.");
});

Deno.test("a post whose answer was lost is not made twice", async () => {
  await using scene = new Scene();
  await scene.connect();
  const { world, rest } = scene.discord;
  const guild = world.guilds.get(scene.general.guild_id!)!;
  const forum = world.addChannel(guild, "help", { type: ChannelType.forum });
  const message = scene.message("Once", { place: scene.place(forum) });
  rest.fault(/^POST .*threads/, { kind: "half" });
  const lost = await scene.channel.send(message, signal);
  ok(!lost.sent && lost.reason === "unknown");
  const thread = [...world.channels.values()].find(({ parent_id }) => parent_id === forum.id);
  deepStrictEqual(await scene.channel.find(message, signal), {
    sent: true,
    messageIds: [thread!.id],
  });
  strictEqual(await scene.send(message), thread!.id);
  strictEqual(scene.discord.sent.length, 1);
});

Deno.test("a command is answered in its place, once, and then beside it", async () => {
  await using scene = new Scene();
  await scene.connect();
  const { command, replyTo } = await scene.command(scene.general);
  const answer = scene.message("all is well", { replyTo });
  scene.discord.rest.fault(/^PATCH/, { kind: "half" });
  const lost = await scene.channel.send(answer, signal);
  ok(!lost.sent && lost.reason === "unknown");
  ok(await isFound(scene, answer));
  const id = await scene.send(answer);
  strictEqual(command.message?.id, id);
  strictEqual(scene.discord.sent.length, 1);
  const more = await scene.send(scene.message("and more", { replyTo }));
  strictEqual(scene.discord.sent[1]?.id, more);
  const target = { place: scene.place(scene.general), messageId: id };
  ok((await scene.channel.edit(target, "all is better", signal)).sent);
  strictEqual(command.message?.content, "all is better");
  strictEqual(scene.asked(/^PATCH .*@original/).length, 3);
});

Deno.test("what follows the answer to a command is shown to nobody else either", async () => {
  await using scene = new Scene();
  await scene.connect();
  const { command, replyTo } = await scene.command(scene.general);
  await scene.send(scene.message("one", { replyTo }));
  const follows = scene.message("two", { replyTo });
  scene.discord.rest.fault(/^POST .*webhooks/, { kind: "status", status: 429 });
  const refused = await scene.channel.send(follows, signal);
  ok(!refused.sent && refused.reason === "rate_limited");
  scene.discord.mend();
  const messageId = await scene.send(follows);
  deepStrictEqual(await scene.channel.find(follows, signal), {
    sent: true,
    messageIds: [messageId],
  });
  strictEqual(await scene.send(follows), messageId);
  const unsure = scene.message("three", { replyTo });
  scene.discord.rest.fault(/^POST .*webhooks/, { kind: "half" });
  const lost = await scene.channel.send(unsure, signal);
  ok(!lost.sent && lost.reason === "unknown");
  strictEqual(await scene.channel.find(unsure, signal), undefined);
  const again = await scene.channel.send(unsure, signal);
  ok(!again.sent && again.reason === "rejected");
  deepStrictEqual(scene.discord.sent.map(({ content }) => content), ["one", "two", "three"]);
  strictEqual(command.isEphemeral, true);
  ok(scene.discord.sent.slice(1).every(({ flags = 0 }) => (flags & 64) !== 0));
  strictEqual(scene.asked(/^POST .*messages$/).length, 0);
  const target = { place: scene.place(scene.general), messageId };
  ok((await scene.channel.edit(target, "2", signal)).sent);
  strictEqual(scene.discord.sent[1]?.content, "2");
  strictEqual(scene.asked(/^PATCH .*webhooks.*\/\d+$/).length, 1);
});

Deno.test("a command is answered in its place, however soon the answer is there", async () => {
  await using scene = new Scene();
  await scene.connect();
  const told = Promise.withResolvers<void>();
  scene.discord.rest.fault(/callback$/, { kind: "slow", until: told.promise });
  const command = scene.discord.command(scene.general, scene.ada, { name: "status" });
  await scene.discord.until(() => scene.asked(/callback$/).length > 0);
  const replyTo = `command:${command.id}`;
  const sending = scene.send(scene.message("all is well", { replyTo }));
  await scene.channel.probe(signal); // what was asked before it is answered by now
  told.resolve();
  const id = await sending;
  strictEqual(command.message?.id, id);
  strictEqual(scene.asked(/^POST .*messages$/).length, 0); // nobody else sees it
});

Deno.test("a command that nobody waits for any more is answered where nobody else is", async () => {
  await using scene = new Scene();
  await scene.connect();
  const direct = scene.discord.world.direct(scene.ada);
  const [open, closed] = [await scene.command(direct), await scene.command(scene.general)];
  scene.discord.rest.interactions.clear();
  const place = scene.place(direct);
  const id = await scene.send(scene.message("late", { place, replyTo: open.replyTo }));
  strictEqual(scene.discord.sent[0]?.id, id);
  const late = scene.message("late", { replyTo: closed.replyTo });
  for (let i = 0; i < 2; i++) {
    const receipt = await scene.channel.send(late, signal);
    ok(!receipt.sent && receipt.reason === "rejected");
  }
  strictEqual(await scene.channel.find(late, signal), undefined);
  strictEqual(scene.discord.sent.length, 1);
});

Deno.test("a command whose answers everybody may see is answered as a message in the end", async () => {
  await using scene = new Scene({}, { slashCommand: { ephemeral: false } });
  await scene.connect();
  const { replyTo } = await scene.command(scene.general);
  await scene.send(scene.message("one", { replyTo }));
  await scene.send(scene.message("two", { replyTo }));
  strictEqual(scene.asked(/^POST .*channels.*messages$/).length, 1);
  scene.discord.rest.interactions.clear();
  await scene.send(scene.message("three", { replyTo }));
  deepStrictEqual(scene.discord.sent.map(({ content }) => content), ["one", "two", "three"]);
});

async function isFound(scene: Scene, message: OutboundMessage): Promise<boolean> {
  const found = await scene.channel.find(message, signal);
  return typeof found === "object" && found.sent;
}

Deno.test("a message that was perhaps sent is found by what the gateway told, also later", async () => {
  await using scene = new Scene({ listsNonces: false });
  await scene.connect();
  const message = scene.message("perhaps");
  scene.discord.rest.fault(/^POST/, { kind: "half" });
  ok(!(await scene.channel.send(message, signal)).sent);
  const [shown] = scene.discord.sent;
  await scene.discord.until(() => scene.discord.gateway.isAcknowledged(shown!.id));
  scene.renew();
  deepStrictEqual(await scene.channel.find(message, signal), {
    sent: true,
    messageIds: [shown!.id],
  });
  strictEqual(scene.asked(/^GET .*messages$/).length, 0);
});

Deno.test("a message that was perhaps sent is found in the list, or surely absent", async () => {
  await using scene = new Scene();
  const { world, rest } = scene.discord;
  const message = scene.message("perhaps", { acceptedAt: Date.now() });
  rest.fault(/^POST/, { kind: "half" });
  ok(!(await scene.channel.send(message, signal)).sent);
  for (let i = 0; i < 150; i++) world.post(scene.general, scene.ada, `${i}`);
  ok(await isFound(scene, message));
  const other = scene.message("perhaps", { acceptedAt: Date.now() });
  strictEqual(await scene.channel.find(other, signal), "absent");
});

Deno.test("nobody claims to know what a list without nonces does not tell", async () => {
  await using scene = new Scene({ listsNonces: false });
  const message = scene.message("perhaps", { acceptedAt: Date.now() });
  scene.discord.rest.fault(/^POST/, { kind: "half" });
  ok(!(await scene.channel.send(message, signal)).sent);
  strictEqual(await scene.channel.find(message, signal), undefined);
  const other = scene.message("surely not", { acceptedAt: Date.now() });
  strictEqual(await scene.channel.find(other, signal), "absent");
  scene.discord.rest.fault(/^GET/, { kind: "status", status: 500 });
  await rejects(scene.channel.find(other, signal));
});

Deno.test("a request too many is not sent", async () => {
  await using scene = new Scene({ limit: { requests: 2, withinMs: 60_000 } });
  await scene.send(scene.message("one"));
  await scene.send(scene.message("two"));
  const receipt = await scene.channel.send(scene.message("three"), signal);
  ok(!receipt.sent && receipt.reason === "rate_limited");
  ok(receipt.retryAfterMs! > 50_000);
  strictEqual(scene.asked(/^POST/).length, 2);
  // other chats have limits of their own
  await scene.send(
    scene.message("hi", { place: scene.place(scene.discord.world.direct(scene.ada)) }),
  );
});

Deno.test("a limit of the whole account is told as such", async () => {
  await using scene = new Scene();
  scene.discord.rest.fault(/^POST/, { kind: "limit", retryAfterMs: 1500, isGlobal: true });
  deepStrictEqual(await scene.channel.send(scene.message("one"), signal), {
    sent: false,
    reason: "rate_limited",
    detail: "Discord says: You are being rate limited.",
    retryAfterMs: 1500,
    isGlobal: true,
  });
  // As Cloudflare says it to an address that asked too much.
  const headers = { "retry-after": "600" };
  const status = { kind: "status", status: 429, body: "error code: 1015", headers } as const;
  scene.discord.rest.fault(/^POST/, status);
  deepStrictEqual(await scene.channel.send(scene.message("two"), signal), {
    sent: false,
    reason: "rate_limited",
    detail: "Discord answered 429",
    retryAfterMs: 600_000,
    isGlobal: true,
  });
});

for (
  const [refusal, words] of [[50001, /Missing Access/], [50013, /Permissions/], [
    50007,
    /this user/,
  ]] as const
) {
  Deno.test(`what Discord refuses with ${refusal} is not tried again`, async () => {
    await using scene = new Scene();
    scene.general.refusal = refusal;
    const receipt = await scene.channel.send(scene.message("no"), signal);
    ok(!receipt.sent && receipt.reason === "rejected");
    match(receipt.detail, words);
  });
}

Deno.test("a text that is too long, or none, is refused by Discord itself", async () => {
  await using scene = new Scene();
  for (const text of ["x".repeat(2001), " "]) {
    const receipt = await scene.channel.send(scene.message(text), signal);
    ok(!receipt.sent && receipt.reason === "rejected");
  }
  await scene.send(scene.message("x".repeat(2000)));
});

Deno.test("what stands before Discord's API speaks no JSON, and has sent nothing", async () => {
  await using scene = new Scene();
  scene.discord.rest.fault(/^POST/, { kind: "status", status: 403, body: "<html>" });
  const receipt = await scene.channel.send(scene.message("hi"), signal);
  ok(!receipt.sent && receipt.reason === "network");
});

Deno.test("messages of ours are changed, reacted to and taken away", async () => {
  await using scene = new Scene();
  const place = scene.place(scene.general);
  const target = { place, messageId: await scene.send(scene.message("first")) };
  const [message] = scene.discord.sent;
  ok((await scene.channel.edit(target, "**second**", signal)).sent);
  strictEqual(message?.content, "**second**");
  for (const emoji of ["👍", "<:party:123456789012345678>"]) {
    ok((await scene.channel.react(target, emoji, signal)).sent);
  }
  deepStrictEqual(message.reactions?.map(({ emoji }) => emoji), [
    { id: null, name: "👍" },
    { id: "123456789012345678", name: "party" },
  ]);
  ok((await scene.channel.react(target, "", signal)).sent);
  deepStrictEqual(message.reactions, []);
  await scene.channel.typing(place, signal);
  strictEqual(scene.asked(/typing/).length, 1);
  ok((await scene.channel.delete(target, signal)).sent);
  const again = await scene.channel.edit(target, "third", signal);
  ok(!again.sent && again.reason === "rejected");
  match(again.detail, /Unknown Message/);
});

Deno.test("asking who we are says what is wrong", async () => {
  await using scene = new Scene();
  const { id } = scene.discord.world.self;
  deepStrictEqual(await scene.channel.probe(signal), { id, username: "clawbot" });
  scene.discord.revoke();
  await rejects(scene.channel.probe(signal), { name: "ChannelError", reason: "auth" });
});

Deno.test("people's words for a place are understood", async () => {
  await using scene = new Scene();
  const { world } = scene.discord;
  const { ada, general } = scene;
  const guild = world.guilds.get(general.guild_id!)!;
  const thread = world.addChannel(guild, "aside", { type: ChannelType.thread, parent: general });
  const room = { ...scene.place(general), title: "#general", roomName: "general" };
  const chat = scene.place(world.direct(ada));
  for (
    const [words, place] of [
      [`channel:${general.id}`, room],
      [`<#${general.id}>`, room],
      [general.id, room],
      ["#general", room],
      ["channel:General", room],
      [`channel:${thread.id}`, { ...room, threadId: thread.id }],
      [`user:${ada.id}`, chat],
      [`<@${ada.id}>`, chat],
      [`discord:user:${ada.id}`, chat],
      [ada.id, chat],
      ["@ada", chat],
    ] as const
  ) deepStrictEqual(await scene.channel.resolve(words, signal), place, words);
  for (const words of ["ada", "#nowhere", "@nobody", `channel:${idAt(0).padEnd(18, "9")}`, ""]) {
    await rejects(scene.channel.resolve(words, signal), /Cannot find/, words);
  }
  const other = world.addChannel(guild, "general");
  scene.renew();
  await rejects(scene.channel.resolve("#general", signal), new RegExp(`channel:${other.id}`));
});

Deno.test("a file is downloaded, with a new address where the old one has run out", async () => {
  await using scene = new Scene({ urlTtlMs: -1000 });
  const { world, rest } = scene.discord;
  const bytes = new TextEncoder().encode("hello");
  const file = rest.file("a.txt", bytes.length, { bytes: () => new Blob([bytes]).stream() });
  const message = world.post(scene.general, scene.ada, "", { attachments: [file] });
  rest.rules.urlTtlMs = 60_000;
  const ref = { url: file.url, channelId: scene.general.id, messageId: message.id, id: file.id };
  const stream = await scene.channel.download({ kind: "file", ref }, signal);
  strictEqual(await new Response(stream).text(), "hello");
  strictEqual(scene.asked(/^GET .*messages/).length, 1);

  world.remove(message);
  await rejects(scene.channel.download({ kind: "file", ref }, signal));
  await rejects(scene.channel.download({ kind: "file", ref: { url: "x" } }, signal), /Cannot find/);
});
