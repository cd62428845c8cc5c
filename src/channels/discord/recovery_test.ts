/** What comes back, and what is told again, after something went wrong. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { MemoryValues, NO_LOG, TestInbox } from "../../../tests/channel_contract.ts";
import { stopClock } from "../../../tests/clock.ts";
import { type FakeDiscord, startFakeDiscord } from "../../../tests/fakes/discord.ts";
import { DiscordChannel, type Pace } from "./discord.ts";

const QUICK: Pace = { answerMs: 2_000, connectMs: 2_000, identifyEveryMs: 0, betweenMs: [0, 0] };

/** Can be made to fail, as a full disk does. */
class Disk extends MemoryValues {
  isFull = false;

  override set(name: string, value: unknown): void {
    if (this.isFull) throw new Error("database or disk is full");
    super.set(name, value);
  }
}

/** An account that runs until it is stopped; `values` outlive it. */
function start(discord: FakeDiscord, { values = new Disk(), inbox = new TestInbox() } = {}) {
  const channel = new DiscordChannel({
    accountId: "default",
    settings: { token: discord.token, apiRoot: discord.apiRoot },
    values,
    log: NO_LOG,
  }, QUICK);
  const abort = new AbortController();
  const evidence = inbox.evidence.length;
  const ended = channel.run(inbox, abort.signal).then(() => "ended", String);
  return {
    channel,
    inbox,
    values,
    ended,
    connected: () => inbox.seen("connected", evidence),
    async stop() {
      abort.abort();
      await inbox.idle();
      return await ended;
    },
  };
}

/** Changes what is remembered of the connection. */
function remember(values: MemoryValues, change: (saved: Saved) => object): void {
  values.set("connection", change(values.get("connection") as Saved)); // written by the channel
}

interface Saved {
  readonly session?: { readonly url: string };
}

async function heard(inbox: TestInbox, text: string): Promise<void> {
  while (!inbox.texts().includes(text)) await inbox.count(inbox.received.length + 1);
}

Deno.test("a full disk ends the run, and nothing else", async () => {
  await using discord = startFakeDiscord({ askEveryMs: 50 });
  const ada = discord.world.addUser("ada");
  const { inbox, values, connected, ended } = start(discord);
  await connected();
  discord.say(ada, "zero");
  await inbox.count(1);
  const release = inbox.hold();
  for (const text of ["one", "two", "three"]) discord.say(ada, text);
  await inbox.asked(2);
  inbox.refuse(1, { after: 1 }); // "one" is stored, and that it is can't be kept
  values.isFull = true;
  release();
  strictEqual(await ended, "Error: the disk is full");
});

Deno.test("what was missed in any direct chat is read, not only in the fifty freshest", async () => {
  await using discord = startFakeDiscord({ askEveryMs: 50 });
  const people = Array.from({ length: 51 }, (_, n) => discord.world.addUser(`user${n}`));
  const [first] = people;
  ok(first);
  const { inbox, values, connected, stop } = start(discord);
  await connected();
  for (const person of people) discord.say(person, `hello from ${person.username}`);
  await inbox.count(people.length);
  await stop();
  remember(values, (saved) => ({ ...saved, session: undefined })); // it is lost
  discord.say(first, "missed");
  const again = start(discord, { values, inbox });
  await again.connected();
  discord.say(first, "are you there?");
  await heard(inbox, "are you there?");
  await again.stop();
  ok(inbox.texts().includes("missed"));
});

Deno.test("what was said before the account was there for the first time is not answered later", async () => {
  await using discord = startFakeDiscord({ askEveryMs: 50 });
  const ada = discord.world.addUser("ada");
  discord.say(ada, "to nobody");
  const { inbox, values, connected, stop } = start(discord);
  await connected();
  const { id } = discord.say(ada, "first");
  await discord.until(() => discord.gateway.isAcknowledged(id));
  await stop();
  discord.gateway.expire();
  discord.say(ada, "missed");
  const again = start(discord, { values, inbox });
  await heard(inbox, "missed");
  await again.stop();
  deepStrictEqual([...new Set(inbox.texts())], ["first", "missed"]); // the inbox knows repeats
});

Deno.test("what is said while the first session is waited for is answered", async () => {
  await using discord = startFakeDiscord({ askEveryMs: 50 });
  const ada = discord.world.addUser("ada");
  const values = new Disk();
  discord.gateway.rules.identifyEveryMs = Infinity;
  const first = start(discord, { values });
  while (values.get("connection") === undefined) await setImmediate();
  await first.stop();
  discord.say(ada, "missed");
  discord.gateway.rules.identifyEveryMs = 0;
  const { inbox, connected, stop } = start(discord, { values });
  await connected();
  discord.say(ada, "heard");
  await heard(inbox, "heard");
  await stop();
  deepStrictEqual([...new Set(inbox.texts())], ["missed", "heard"]); // the inbox knows repeats
});

Deno.test("what was said long before the first session is not answered any more", async () => {
  using clock = stopClock("Date");
  await using discord = startFakeDiscord({ askEveryMs: 50 });
  const ada = discord.world.addUser("ada");
  const values = new Disk();
  values.set("connection", { identifiedAt: Date.now() }); // and Discord would not have it
  clock.tick(1_000);
  discord.say(ada, "long ago");
  clock.tick(3_600_000);
  const { inbox, connected, stop } = start(discord, { values });
  await connected();
  clock.tick(1_000);
  discord.say(ada, "heard");
  await heard(inbox, "heard");
  await stop();
  deepStrictEqual([...new Set(inbox.texts())], ["heard"]);
});

Deno.test("an address to resume at that is gone is not tried for ever", async () => {
  await using discord = startFakeDiscord({ askEveryMs: 50 });
  const ada = discord.world.addUser("ada");
  const { inbox, values, connected, stop } = start(discord);
  await connected();
  discord.say(ada, "before");
  await inbox.count(1);
  await stop();
  const gone = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const url = `ws://127.0.0.1:${gone.addr.port}/gateway`;
  gone.close();
  remember(values, (saved) => ({ ...saved, session: { ...saved.session, url } }));
  discord.say(ada, "between");
  const lost = start(discord, { values, inbox });
  ok((await lost.ended).startsWith("ChannelError"));
  const found = start(discord, { values, inbox });
  await heard(inbox, "between");
  await found.stop();
  deepStrictEqual([...new Set(inbox.texts())], ["before", "between"]); // the inbox knows repeats
  strictEqual(discord.gateway.heard.filter(({ op }) => op === 2).length, 1); // it was resumed
});

Deno.test("a command that comes again keeps the answer that it has", async () => {
  await using discord = startFakeDiscord({ askEveryMs: 50 });
  const ada = discord.world.addUser("ada");
  const general = discord.world.addChannel(discord.world.addGuild("guild"), "general");
  const { channel, inbox, connected, stop } = start(discord);
  await connected();
  const command = discord.command(general, ada, { name: "status" });
  await discord.until(() => command.answer !== undefined);
  const handed = discord.gateway.handed.find(({ t }) => t === "INTERACTION_CREATE");
  const place = inbox.received[0]?.place;
  ok(handed && place);
  const { signal } = new AbortController();
  const say = (id: string, text: string) =>
    channel.send({ id, place, text, replyTo: `command:${command.id}` }, signal);
  ok((await say("a", "first half")).sent);
  discord.gateway.dispatch("INTERACTION_CREATE", handed.d); // as after a resume
  const isCallback = ({ path }: { path: string }) => path.includes("callback");
  await discord.until(() => discord.rest.requests.filter(isCallback).length > 1);
  ok((await say("b", "second half")).sent);
  await stop();
  strictEqual(command.message?.content, "first half");
});

for (const ids of [undefined, null]) {
  Deno.test(`a deletion of ${ids} does not stop what comes after it`, async () => {
    await using discord = startFakeDiscord({ askEveryMs: 50 });
    const ada = discord.world.addUser("ada");
    const { inbox, connected, stop } = start(discord);
    await connected();
    discord.gateway.dispatch("MESSAGE_DELETE_BULK", { channel_id: "1", ids });
    discord.say(ada, "after");
    await heard(inbox, "after");
    strictEqual(await stop(), "ended");
  });
}
