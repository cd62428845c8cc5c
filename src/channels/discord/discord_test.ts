/** How Discord's channel keeps its session, and what it reads when it has lost it. */
import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { MemoryValues, NO_LOG, TestInbox } from "../../../tests/channel_contract.ts";
import { CloseCode, type FakeDiscord, startFakeDiscord } from "../../../tests/fakes/discord.ts";
import { ChannelError } from "../../channel.ts";
import { DiscordChannel, network, type Pace } from "./discord.ts";

const QUICK: Pace = { answerMs: 2000, connectMs: 2000, identifyEveryMs: 0, betweenMs: [0, 0] };

/** An account on a Discord, in one life of the program after the other. */
class Account implements AsyncDisposable {
  readonly discord: FakeDiscord;
  readonly values: MemoryValues;
  readonly inbox = new TestInbox();
  #life: { readonly abort: AbortController; readonly ended: Promise<void> } | undefined;

  constructor(discord: FakeDiscord, values = new MemoryValues()) {
    this.discord = discord;
    this.values = values;
  }

  /** Begins the next life; resolves or rejects as its run does. */
  live(
    { settings = {}, pace = {}, commands = [] }: {
      settings?: Readonly<Record<string, unknown>>;
      pace?: Partial<Pace>;
      commands?: ConstructorParameters<typeof DiscordChannel>[0]["commands"];
    } = {},
  ): Promise<void> {
    const { discord, values } = this;
    const channel = new DiscordChannel({
      accountId: "default",
      settings: { token: discord.token, apiRoot: discord.apiRoot, ...settings },
      values,
      log: NO_LOG,
      commands,
    }, { ...QUICK, ...pace });
    const abort = new AbortController();
    const ended = channel.run(this.inbox, abort.signal);
    ended.catch(() => {});
    this.#life = { abort, ended };
    return ended;
  }

  /** Lives until it is let in. */
  async connect(options: Parameters<Account["live"]>[0] = {}): Promise<void> {
    const from = this.inbox.evidence.length;
    this.live(options);
    await this.inbox.seen("connected", from);
  }

  async stop(): Promise<void> {
    this.#life?.abort.abort();
    await this.#life?.ended.catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.discord[Symbol.asyncDispose]();
  }

  /** Resolves once Discord has been told that we have a message. */
  async has({ id }: { readonly id: string }): Promise<void> {
    await this.discord.until(() => this.discord.gateway.isAcknowledged(id));
  }

  /** Ends this life once Discord has been told that we have a message, and with it the session. */
  async endAfter(message: { readonly id: string }): Promise<void> {
    await this.has(message);
    await this.stop();
    this.discord.gateway.expire();
  }

  /** Resolves once somebody's words are stored. */
  async heard(text: string): Promise<void> {
    while (!this.inbox.texts().includes(text)) {
      await this.inbox.count(this.inbox.received.length + 1);
    }
  }

  said(op: number) {
    return this.discord.gateway.heard.filter((heard) => heard.op === op);
  }
}

const IDENTIFY = 2;
const RESUME = 6;

function account(options: Parameters<typeof startFakeDiscord>[0] = {}): Account {
  return new Account(startFakeDiscord({ askEveryMs: 50, ...options }));
}

Deno.test("a restart resumes the session where it was stored", async () => {
  await using me = account();
  const { world, gateway } = me.discord;
  const ada = world.addUser("ada");
  await me.connect();
  await me.has(me.discord.say(ada, "before"));
  await me.stop();
  me.discord.say(ada, "between");
  await me.connect();
  me.discord.say(ada, "after");
  await me.inbox.count(3);
  deepStrictEqual(me.inbox.texts(), ["before", "between", "after"]);
  strictEqual(me.said(IDENTIFY).length, 1);
  strictEqual(me.said(RESUME).length, 1);
  deepStrictEqual(gateway.violations, []);
});

Deno.test("an event that comes while the last one is being done with is not left behind", async () => {
  await using me = account();
  const { world } = me.discord;
  const ada = world.addUser("ada");
  const guild = world.addGuild("guild");
  const general = world.addChannel(guild, "general");
  await me.connect();
  for (let i = 0; i < 20; i++) {
    const thread = world.addChannel(guild, `aside ${i}`, { type: 11, parent: general });
    world.post(thread, ada, `${i}`);
    await me.heard(`${i}`); // nothing else comes that would wake anybody
  }
  strictEqual(me.inbox.texts().length, 20);
});

Deno.test("what was missed is read when the session is lost", async () => {
  await using me = account();
  const { world } = me.discord;
  const [ada, bob] = [world.addUser("ada"), world.addUser("bob", { name: "Bob" })];
  const guild = world.addGuild("guild");
  const role = world.addRole(guild, "friends");
  guild.members.set(bob.id, { roles: [role.id], nick: "Bobby" });
  const general = world.addChannel(guild, "general");
  const quiet = world.addChannel(guild, "quiet");
  world.post(quiet, bob, "long ago");
  await me.connect();
  await me.endAfter(me.discord.say(ada, "one"));
  me.discord.say(ada, "two");
  world.post(general, bob, "three");
  world.post(general, world.self, "our own");
  const thread = world.addChannel(guild, "aside", { type: 11, parent: general });
  world.post(thread, bob, "four");
  await me.connect();
  me.discord.say(ada, "five");
  for (const text of ["three", "four", "five"]) await me.heard(text);
  const texts = [...new Set(me.inbox.texts())];
  deepStrictEqual(texts.toSorted(), ["five", "four", "one", "three", "two"]);
  ok(texts.indexOf("two") < texts.indexOf("five"));
  const three = me.inbox.messages().find(({ text }) => text === "three");
  deepStrictEqual(three?.place, {
    channel: "discord",
    accountId: "default",
    kind: "channel",
    chatId: general.id,
    spaceId: guild.id,
    title: "#general",
    roomName: "general",
  });
  deepStrictEqual(three.sender, {
    id: bob.id,
    name: "Bobby",
    username: "bob",
    roles: [role.id],
  });
  const four = me.inbox.messages().find(({ text }) => text === "four");
  deepStrictEqual([four?.place.chatId, four?.place.threadId], [general.id, thread.id]);
});

Deno.test("what was missed in a direct chat that nobody knew of is read when it is", async () => {
  await using me = account();
  const { world } = me.discord;
  const [ada, bob] = [world.addUser("ada"), world.addUser("bob")];
  await me.connect();
  await me.endAfter(me.discord.say(ada, "one"));
  me.discord.say(bob, "two");
  await me.connect();
  await me.has(me.discord.say(ada, "three"));
  await me.has(me.discord.say(bob, "four"));
  deepStrictEqual([...new Set(me.inbox.texts())], ["one", "three", "two", "four"]);
});

Deno.test("a direct chat is new until all is read that was missed in it", async () => {
  await using me = account();
  const { world } = me.discord;
  const [ada, bob] = [world.addUser("ada"), world.addUser("bob")];
  await me.connect();
  await me.endAfter(me.discord.say(ada, "one"));
  for (const text of ["two", "three"]) me.discord.say(bob, text);
  await me.connect();
  await me.has(me.discord.say(ada, "four"));
  const release = me.inbox.hold();
  me.discord.say(bob, "five");
  await me.inbox.asked(me.inbox.received.length + 1); // "two" is being stored
  const stopped = me.stop();
  release();
  await stopped;
  await me.connect();
  await me.has(me.discord.say(bob, "six"));
  deepStrictEqual([...new Set(me.inbox.texts())], ["one", "four", "two", "three", "five", "six"]);
});

Deno.test("many missed messages are read page by page, also when Discord says to wait", async () => {
  await using me = account();
  const { world, rest } = me.discord;
  const ada = world.addUser("ada");
  await me.connect();
  await me.endAfter(me.discord.say(ada, "0"));
  for (let i = 1; i <= 250; i++) me.discord.say(ada, String(i));
  rest.fault(/GET .*messages/, { kind: "limit", retryAfterMs: 10 }, 2);
  await me.connect();
  await me.heard("250");
  deepStrictEqual([...new Set(me.inbox.texts())], Array.from({ length: 251 }, (_, i) => String(i)));
});

Deno.test("who has said what was missed is asked as slowly as Discord wants it", async () => {
  await using me = account();
  const { world, rest } = me.discord;
  const guild = world.addGuild("guild");
  const general = world.addChannel(guild, "general");
  const people = ["ada", "bob", "eve"].map((name) => world.addUser(name));
  for (const { id } of people) guild.members.set(id, { roles: [] });
  await me.connect();
  await me.endAfter(world.post(general, people[0]!, "0"));
  for (const person of people) world.post(general, person, person.username);
  rest.fault(/GET .*members/, { kind: "limit", retryAfterMs: 10 }, 2);
  const run = me.live();
  await Promise.race([me.heard("eve"), run]);
  deepStrictEqual([...new Set(me.inbox.texts())], ["0", "ada", "bob", "eve"]);
});

Deno.test("what could not be stored while catching up is read again", async () => {
  await using me = account();
  const { world } = me.discord;
  const ada = world.addUser("ada");
  const guild = world.addGuild("guild");
  const general = world.addChannel(guild, "general");
  await me.connect();
  await me.endAfter(me.discord.say(ada, "one"));
  me.discord.say(ada, "two");
  world.post(general, ada, "three");
  for (let life = 0; life < 5; life++) {
    me.inbox.refuse(1);
    await rejects(me.live(), /the disk is full/);
  }
  me.inbox.refuse(0);
  me.live();
  await me.heard("three");
  deepStrictEqual([...new Set(me.inbox.texts())].toSorted(), ["one", "three", "two"]);
});

Deno.test("catching up gets on, however often it is cut", async () => {
  await using me = account();
  const { world } = me.discord;
  const ada = world.addUser("ada");
  await me.connect();
  await me.endAfter(me.discord.say(ada, "0"));
  for (let i = 1; i <= 9; i++) me.discord.say(ada, String(i));
  for (let life = 0; life < 2; life++) {
    me.inbox.refuse(1, { after: 4 });
    await rejects(me.live(), /the disk is full/);
  }
  me.live();
  await me.heard("9");
  // "0" once more, since something may have been said just before it
  deepStrictEqual(me.inbox.texts(), ["0", ..."0123456789"]);
});

for (
  const [code, reason, words] of [
    [CloseCode.authenticationFailed, "auth", /token/],
    [CloseCode.invalidShard, "config", /shard/],
    [CloseCode.shardingRequired, "config", /servers/],
    [CloseCode.invalidVersion, "config", /version/],
    [CloseCode.invalidIntents, "config", /intents/],
    [CloseCode.disallowedIntents, "config", /Message Content Intent/],
  ] as const
) {
  Deno.test(`closing with ${code} is for a person to mend`, async () => {
    await using me = account({ closeWith: code });
    await rejects(me.live(), (error) => {
      ok(error instanceof ChannelError);
      strictEqual(error.reason, reason);
      match(error.message, words);
      return true;
    });
  });
}

Deno.test("an intent that is not granted can be done without", async () => {
  await using me = account({ privileged: 0 });
  await rejects(me.live(), /Message Content Intent/);
  await me.connect({ settings: { intents: { messageContent: false } } });
});

for (const code of [CloseCode.invalidSequence, CloseCode.sessionTimedOut]) {
  Deno.test(`closing with ${code} begins another session at once`, async () => {
    await using me = account();
    await me.connect();
    const from = me.inbox.evidence.length;
    me.discord.gateway.expire();
    me.discord.gateway.close(code);
    await me.inbox.seen("connected", from);
    strictEqual(me.said(IDENTIFY).length, 2);
  });
}

for (
  const code of [
    CloseCode.unknownError,
    CloseCode.unknownOpcode,
    CloseCode.decodeError,
    CloseCode.notAuthenticated,
    CloseCode.alreadyAuthenticated,
    CloseCode.rateLimited,
    1001,
  ]
) {
  Deno.test(`closing with ${code} loses the network, and the session stays`, async () => {
    await using me = account();
    const ended = me.live();
    await me.inbox.seen("connected");
    me.discord.gateway.close(code);
    await rejects(ended, (error) => error instanceof ChannelError && error.reason === "network");
    await me.connect();
    strictEqual(me.said(RESUME).length, 1);
  });
}

Deno.test("a gateway that answers no heartbeat is left", async () => {
  await using me = account({ isZombie: true, heartbeatMs: 50 });
  await rejects(me.live(), /does not answer any more/);
});

Deno.test("a gateway that never says hello is left", async () => {
  await using me = account({ isMute: true });
  await rejects(me.live({ pace: { connectMs: 100 } }), /did not let us in/);
});

Deno.test("a heartbeat is sent when it is asked for", async () => {
  await using me = account({ heartbeatMs: 60_000 });
  await me.connect();
  const before = me.said(1).length;
  me.discord.gateway.requestHeartbeat();
  await me.discord.until(() => me.said(1).length > before);
});

Deno.test("being asked to reconnect is no failure", async () => {
  await using me = account();
  await me.connect();
  const from = me.inbox.evidence.length;
  me.discord.gateway.reconnect();
  await me.inbox.seen("connected", from);
  strictEqual(me.said(RESUME).length, 1);
  strictEqual(me.said(IDENTIFY).length, 1);
});

Deno.test("an invalid session is tried again where it may be, and left where not", async () => {
  await using me = account();
  await me.connect();
  let from = me.inbox.evidence.length;
  me.discord.gateway.invalidate(true);
  await me.inbox.seen("connected", from);
  deepStrictEqual([me.said(RESUME).length, me.said(IDENTIFY).length], [1, 1]);
  from = me.inbox.evidence.length;
  me.discord.gateway.invalidate(false);
  await me.inbox.seen("connected", from);
  deepStrictEqual([me.said(RESUME).length, me.said(IDENTIFY).length], [1, 2]);
});

Deno.test("a gateway that ends every session is left to the supervisor", async () => {
  await using me = account();
  const ended = me.live();
  const busy = (async () => {
    for (let i = 0; i < 10; i++) {
      const from = me.inbox.evidence.length;
      await me.inbox.seen("connected", from);
      me.discord.gateway.reconnect();
    }
  })();
  await rejects(ended, /ends every session at once/);
  await Promise.race([busy, Promise.resolve()]);
});

Deno.test("no session is begun when there is none left today", async () => {
  await using me = account({ identifies: 0 });
  await rejects(me.live(), (error) => {
    ok(error instanceof ChannelError);
    strictEqual(error.reason, "network");
    strictEqual(error.retryAfterMs, 14_400_000);
    return true;
  });
  strictEqual(me.said(IDENTIFY).length, 0);
});

Deno.test("sessions are not begun faster than Discord allows", async () => {
  await using me = account({ identifyEveryMs: 100 });
  await me.connect();
  await me.stop();
  me.discord.gateway.expire();
  me.values.delete("connection");
  me.values.set("connection", { identifiedAt: Date.now() });
  await me.connect({ pace: { identifyEveryMs: 200 } });
  strictEqual(me.said(IDENTIFY).length, 2);
});

Deno.test("events that come twice or in another order are handed over by the same names", async () => {
  await using me = account();
  const { world, gateway } = me.discord;
  const ada = world.addUser("ada");
  await me.connect();
  gateway.hold();
  const messages = ["one", "two", "three"].map((text) => me.discord.say(ada, text));
  gateway.release({ isReversed: true });
  for (const message of messages) {
    world.tell("MESSAGE_CREATE", world.announcement(message));
  }
  await me.inbox.count(6);
  const names = me.inbox.messages().map(({ eventId, text }) => `${eventId} ${text}`);
  deepStrictEqual(
    [...new Set(names)].toSorted(),
    messages.map(({ id, content }) => `${id} ${content}`).toSorted(),
  );
});

Deno.test("edits, deletions and reactions are handed over, and our own are not", async () => {
  await using me = account();
  const { world } = me.discord;
  const ada = world.addUser("ada");
  await me.connect();
  const message = me.discord.say(ada, "tpyo");
  const ours = world.post(world.direct(ada), world.self, "ours");
  world.edit(message, "typo");
  world.edit(ours, "changed");
  world.react(ours, ada, { id: null, name: "👍" });
  world.react(ours, world.self, { id: null, name: "👀" });
  world.react(ours, ada, { id: null, name: "👍" }, false);
  world.remove(message);
  const received = await me.inbox.count(5);
  deepStrictEqual(received.map(({ kind }) => kind), [
    "message",
    "edit",
    "reaction",
    "reaction",
    "delete",
  ]);
  const [, edit, added, removed, deleted] = received;
  ok(edit?.kind === "edit" && edit.text === "typo" && edit.messageId === message.id);
  ok(added?.kind === "reaction" && added.isAdded && added.emoji === "👍");
  strictEqual(added.messageId, ours.id);
  ok(removed?.kind === "reaction" && !removed.isAdded && removed.eventId !== added.eventId);
  ok(deleted?.kind === "delete" && deleted.messageId === message.id);
});

Deno.test("the menu of commands is registered once", async () => {
  await using me = account();
  const commands = [
    { name: "new", description: "Start afresh", acceptsArgs: true },
    { name: "stop", description: "Stop", acceptsArgs: false },
  ];
  const registrations = () => me.discord.rest.requests.filter(({ method }) => method === "PUT");
  await me.connect({ commands });
  await me.discord.until(() => registrations().length === 1);
  deepStrictEqual(me.discord.rest.commands, [
    {
      name: "new",
      description: "Start afresh",
      type: 1,
      options: [{ type: 3, name: "text", description: "What follows it", required: false }],
    },
    { name: "stop", description: "Stop", type: 1 },
  ]);
  const ada = me.discord.world.addUser("ada");
  await me.has(me.discord.say(ada, "stored")); // and so is the session
  await me.stop();
  me.discord.gateway.expire();
  await me.connect({ commands });
  await me.stop();
  strictEqual(registrations().length, 1);
});

Deno.test("another bot for the account gets the menu too", async () => {
  await using one = account();
  const commands = [{ name: "stop", description: "Stop", acceptsArgs: false }];
  const ada = one.discord.world.addUser("ada");
  await one.connect({ commands });
  await one.has(one.discord.say(ada, "stored"));
  await one.stop();
  await using other = new Account(startFakeDiscord({ token: "another.bot.token" }), one.values);
  const gatewayUrl = `${other.discord.url.replace("http", "ws")}/gateway`;
  await other.connect({ commands, settings: { gatewayUrl } });
  await other.discord.until(() => other.discord.rest.commands.length === 1);
});

Deno.test("a command is acknowledged once it is stored, and a button too", async () => {
  await using me = account();
  const { world, rest } = me.discord;
  const guild = world.addGuild("guild");
  const general = world.addChannel(guild, "general");
  const ada = world.addUser("ada");
  await me.connect();
  const release = me.inbox.hold();
  const command = me.discord.command(general, ada, {
    name: "new",
    options: [{ name: "text", type: 3, value: "hello there" }],
  });
  await me.inbox.asked(1);
  strictEqual(command.answer, undefined);
  release();
  await me.discord.until(() => command.answer !== undefined);
  strictEqual(command.answer, 5);
  strictEqual(command.isEphemeral, true);
  const [received] = me.inbox.received;
  ok(received?.kind === "command");
  strictEqual(received.text, "/new hello there");
  strictEqual(received.messageId, `command:${command.id}`);
  strictEqual(received.sender.id, ada.id);
  strictEqual(received.place.chatId, general.id);

  const shown = world.post(general, world.self, "choose");
  const press = me.discord.press(shown, ada, "yes");
  await me.discord.until(() => press.answer !== undefined);
  strictEqual(press.answer, 6);
  const pressed = me.inbox.received[1];
  ok(pressed?.kind === "button" && pressed.value === "yes" && pressed.messageId === shown.id);
  strictEqual(rest.requests.filter(({ status }) => status >= 400).length, 0);
});

Deno.test("a guild's resumed session still knows its roles and threads", async () => {
  await using me = account();
  const { world } = me.discord;
  const guild = world.addGuild("guild");
  const role = world.addRole(guild, "friends");
  const general = world.addChannel(guild, "general");
  const thread = world.addChannel(guild, "aside", { type: 11, parent: general });
  const ada = world.addUser("ada");
  await me.connect();
  await me.has(me.discord.say(ada, "stored"));
  await me.stop();
  await me.connect(); // resumed: nobody tells of guilds again
  world.post(thread, ada, `<@&${role.id}> look at <#${general.id}> <@&${guild.roles[1]!.id}>`);
  const [, message] = await me.inbox.count(2);
  ok(message?.kind === "message" && message.mentionsUs);
  strictEqual(message.place.chatId, general.id);
  strictEqual(message.place.threadId, thread.id);
  match(message.text, /^@friends look at (#general|<#\d+>) @clawbot$/);
});

Deno.test("group chats outside of guilds are for those who asked for them", async () => {
  await using me = account();
  const { world } = me.discord;
  const ada = world.addUser("ada");
  const group = world.addGroup("friends", [ada]);
  await me.connect();
  world.post(group, ada, "nobody asked");
  await me.has(me.discord.say(ada, "alone"));
  await me.stop();
  await me.connect({ settings: { dm: { groupEnabled: true } } });
  world.post(group, ada, "now");
  await me.heard("now");
  deepStrictEqual(me.inbox.texts(), ["alone", "now"]);
  const { place } = me.inbox.messages()[1]!;
  deepStrictEqual([place.kind, place.chatId, place.title], ["group", group.id, "friends"]);
});

Deno.test("what is being stored is waited for before Discord is met again", async () => {
  await using me = account();
  const ada = me.discord.world.addUser("ada");
  await me.connect();
  const release = me.inbox.hold();
  const message = me.discord.say(ada, "slowly");
  await me.inbox.asked(1);
  me.discord.gateway.reconnect();
  await me.discord.until(() => me.discord.gateway.connected === 0);
  release();
  await me.has(message);
  strictEqual(me.inbox.mostAtOnce, 1);
});

Deno.test("the token goes to no address that is less safe than the API", async () => {
  const values = new MemoryValues();
  values.set("connection", { session: { id: "s", url: "ws://127.0.0.1:9/", sequence: 1 } });
  const channel = new DiscordChannel({
    accountId: "default",
    settings: { token: "t", apiRoot: "https://127.0.0.1:9/api" },
    values,
    log: NO_LOG,
  });
  await rejects(
    channel.run(new TestInbox(), new AbortController().signal),
    /no safe address/,
  );
});

Deno.test("settings that do not fit are refused when the channel is made", () => {
  const options = { accountId: "default", values: new MemoryValues(), log: NO_LOG };
  const create = (settings: unknown) => () => network.create({ ...options, settings });
  for (const settings of [{}, { token: 5 }, { token: "x", apiRoot: "ftp://x" }, null]) {
    let failed = false;
    try {
      create(settings)();
    } catch {
      failed = true;
    }
    ok(failed);
  }
  strictEqual(create({ token: "x", guilds: {}, unknown: 1 })().id, "discord");
});
