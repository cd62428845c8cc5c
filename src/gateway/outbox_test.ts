import { deepStrictEqual, ok, rejects, strictEqual, throws } from "node:assert/strict";
import { FakeChannel, FakeNetwork, placeOf, untilAborted } from "../../tests/fakes/channel.ts";
import { RecordedLog } from "../../tests/kernel.ts";
import type { Channel, Deletes, Edits } from "../channel.ts";
import { chatOf, type OutboundMessage, type Place, type Receipt } from "../message.ts";
import type { Delivery, Store } from "../store.ts";
import { openStore } from "../store/sqlite.ts";
import { Outbox, type OutboxParts } from "./outbox.ts";

const ADA = placeOf("ada");
const BOB = placeOf("bob");
const LIMITED = {
  sent: false,
  reason: "rate_limited",
  detail: "slow down",
  retryAfterMs: 1,
} as const;
const UNKNOWN = { sent: false, reason: "unknown", detail: "the line broke" } as const;
const LOST = { sent: false, reason: "network", detail: "no line", retryAfterMs: 60_000 } as const;

/** An outbox and the one account that it sends to. */
class World implements AsyncDisposable {
  readonly store: Store;
  readonly log = new RecordedLog();
  readonly channel: FakeChannel;
  readonly outbox: Outbox;
  readonly receipts: Receipt[] = [];
  isUp = true;
  readonly #ownsStore: boolean;

  constructor(
    { store, channel = new FakeChannel(), ...parts }:
      & { channel?: FakeChannel }
      & Partial<OutboxParts>
      & { store?: Store } = {},
  ) {
    this.#ownsStore = store === undefined;
    this.store = store ?? openStore(":memory:");
    this.channel = channel;
    this.outbox = new Outbox({
      store: this.store,
      outlets: {
        channel: () => this.isUp ? channel : undefined,
        delivered: (_account, receipt) => void this.receipts.push(receipt),
      },
      log: this.log,
      random: () => 0.5,
      timing: { graceMs: 10, arriveMs: 0 },
      ...parts,
    });
  }

  say(text: string, place: Place = ADA): string {
    return this.store.transaction(() => this.outbox.add({ place, text }));
  }

  async ended(id: string): Promise<Delivery> {
    const delivery = await this.outbox.ended(id, { timeoutMs: 60_000 });
    ok(delivery);
    return delivery;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.outbox[Symbol.asyncDispose]();
    if (this.#ownsStore) this.store[Symbol.dispose]();
  }
}

Deno.test("what is accepted is sent, and its receipt is kept", async () => {
  await using world = new World();
  const id = world.say("hello");
  const { state, messageIds, attempts } = await world.ended(id);
  deepStrictEqual([state, messageIds, attempts], ["sent", ["m1"], 1]);
  const [{ acceptedAt, ...message }] = world.channel.attempts as [OutboundMessage];
  deepStrictEqual(message, { id, place: ADA, text: "hello" });
  strictEqual(acceptedAt, world.store.outbox.get(id)?.acceptedAt);
  deepStrictEqual(world.receipts, [{ sent: true, messageIds: ["m1"] }]);
});

Deno.test("what is undone with its transaction is not sent", async () => {
  await using world = new World();
  throws(() =>
    world.store.transaction(() => {
      world.outbox.add({ place: ADA, text: "never" });
      throw new Error("undone");
    }), /undone/);
  await world.ended(world.say("later"));
  deepStrictEqual(world.channel.network.texts(), ["later"]);
});

Deno.test("a chat's order is kept, whatever the network does meanwhile", async () => {
  await using world = new World();
  world.channel.faults.push(() => LIMITED, () => undefined, () => LIMITED, () => LIMITED);
  const ids = ["one", "two", "three"].map((text) => world.say(text));
  await world.ended(ids[2]!);
  deepStrictEqual(world.channel.network.texts(), ["one", "two", "three"]);
  deepStrictEqual(world.outbox.list({}).map(({ attempts }) => attempts), [1, 1, 1]);
});

Deno.test("a chat that must wait does not hold up another one", async () => {
  await using world = new World();
  world.channel.faults.push(() => LOST);
  const first = world.say("to ada");
  await world.ended(world.say("to bob", BOB));
  deepStrictEqual(world.channel.network.texts(), ["to bob"]);
  const { state, fault, notBefore = 0 } = world.store.outbox.get(first)!;
  deepStrictEqual([state, fault], ["accepted", "network"]);
  ok(notBefore > Date.now());
});

Deno.test("a limit of the whole account holds up all its chats", async () => {
  await using world = new World();
  world.channel.faults.push(() => ({ ...LIMITED, retryAfterMs: 300, isGlobal: true }));
  const first = world.say("to ada");
  while (world.receipts.length === 0) await setImmediateDone();
  const second = world.say("to bob", BOB);
  await setImmediateDone();
  await setImmediateDone();
  strictEqual(world.channel.attempts.length, 1);
  for (const id of [first, second]) strictEqual((await world.ended(id)).state, "sent");
});

Deno.test("an account that comes back tries at once what waited for the network", async () => {
  await using world = new World();
  world.channel.faults.push(() => LOST);
  const id = world.say("hello");
  while (world.receipts.length === 0) await setImmediateDone();
  await setImmediateDone();
  world.outbox.resume(ADA);
  strictEqual((await world.ended(id)).attempts, 2);
});

Deno.test("without a channel everything waits for it", async () => {
  await using world = new World();
  world.isUp = false;
  const id = world.say("hello");
  await setImmediateDone();
  strictEqual(world.store.outbox.get(id)?.state, "accepted");
  world.isUp = true;
  world.outbox.resume(ADA);
  strictEqual((await world.ended(id)).state, "sent");
});

Deno.test("an account whose token is refused waits as a whole until it is mended", async () => {
  await using world = new World();
  world.channel.faults.push(() => ({ sent: false, reason: "auth", detail: "bad token" }));
  const first = world.say("to ada");
  while (world.receipts.length === 0) await setImmediateDone();
  const second = world.say("to bob", BOB);
  await setImmediateDone();
  await setImmediateDone();
  strictEqual(world.channel.attempts.length, 1);
  deepStrictEqual(
    [first, second].map((id) => world.store.outbox.get(id)?.state),
    ["accepted", "accepted"],
  );
  world.outbox.resume(ADA);
  await world.ended(first);
  await world.ended(second);
});

Deno.test("what the network refuses is a dead letter, and the next one is sent", async () => {
  await using world = new World();
  world.channel.faults.push(() => ({ sent: false, reason: "rejected", detail: "too rude" }));
  const [bad, good] = [world.say("bad"), world.say("good")];
  await world.ended(good);
  const { state, fault, error } = world.store.outbox.get(bad)!;
  deepStrictEqual([state, fault, error], ["dead", "rejected", "too rude"]);
  deepStrictEqual(world.outbox.list({ states: ["dead"] }).map(({ id }) => id), [bad]);

  strictEqual(world.outbox.retry(bad).state, "accepted");
  strictEqual((await world.ended(bad)).state, "sent");
  throws(() => world.outbox.retry(bad), { message: `Cannot retry message '${bad}': it is sent` });
});

Deno.test("a dropped message is forgotten, and whoever waits for it is told", async () => {
  await using world = new World();
  world.isUp = false;
  const id = world.say("hello");
  const waits = world.outbox.ended(id, { timeoutMs: 60_000 });
  world.outbox.drop(id);
  strictEqual(await waits, undefined);
  throws(() => world.outbox.drop(id), {
    message: `There is no message '${id}' in the outbox`,
  });
});

Deno.test("a message that is being sent can't be dropped", async () => {
  await using world = new World();
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const arrived = Promise.withResolvers<void>();
  world.channel.faults.push(() => {
    arrived.resolve();
    return promise;
  });
  const id = world.say("hello");
  await arrived.promise;
  throws(() => world.outbox.drop(id), /it is being sent/);
  resolve(undefined);
  await world.ended(id);
});

Deno.test("where nobody can tell whether it was sent, it says so and goes on", async () => {
  await using world = new World();
  world.channel.faults.push(() => UNKNOWN);
  const [first, second] = [world.say("one"), world.say("two")];
  await world.ended(second);
  const { state, error } = world.store.outbox.get(first)!;
  deepStrictEqual([state, error], ["unknown", "the line broke"]);
  deepStrictEqual(world.channel.network.texts(), ["two"]);
});

Deno.test("a network with a key for each message is given it again", async () => {
  const network = new FakeNetwork({ isIdempotent: true });
  const channel = new FakeChannel({ network, capabilities: { idempotentForMs: 300_000 } });
  await using world = new World({ channel, random: () => -1.4 }); // hardly waits
  channel.faults.push((message) => {
    network.take(message);
    return UNKNOWN;
  });
  const [first, second] = [world.say("one"), world.say("two")];
  strictEqual((await world.ended(first)).state, "sent");
  await world.ended(second);
  deepStrictEqual(network.texts(), ["one", "two"]);
  deepStrictEqual(channel.attempts.map(({ id }) => id), [first, first, second]);
});

Deno.test("a network that tells what it shows is asked", async () => {
  const channel = new FakeChannel({ canLook: true });
  await using world = new World({ channel, random: () => -1.4 });
  channel.faults.push((message) => {
    channel.network.take(message);
    return UNKNOWN;
  }, () => UNKNOWN);
  const [first, second] = [world.say("shown"), world.say("not shown")];
  deepStrictEqual((await world.ended(first)).messageIds, ["m1"]);
  await world.ended(second);
  deepStrictEqual(channel.network.texts(), ["shown", "not shown"]);
});

Deno.test("what a network does not show yet may be on its way, and is not sent again", async () => {
  let now = 0;
  const channel = new FakeChannel({ canLook: true });
  const timing = { graceMs: 10, arriveMs: 10_000 };
  await using world = new World({ channel, now: () => now, timing });
  channel.faults.push(() => UNKNOWN);
  const id = world.say("hello");
  while (world.store.outbox.get(id)?.fault !== "unknown") await setImmediateDone();
  now = 5_000;
  world.outbox.resume(ADA);
  while (world.store.outbox.get(id)?.notBefore !== 10_000) await setImmediateDone();
  for (const message of channel.attempts) channel.network.take(message);
  now = 10_000;
  world.outbox.resume(ADA);
  strictEqual((await world.ended(id)).state, "sent");
  deepStrictEqual(channel.network.texts(), ["hello"]);
});

Deno.test("a message of unknown fate is looked for at the next start", async () => {
  using store = openStore(":memory:");
  let id = "";
  const network = new FakeNetwork();
  {
    await using world = new World({ store, channel: new FakeChannel({ network }) });
    world.channel.faults.push((message) => {
      network.take(message);
      return UNKNOWN;
    });
    id = world.say("hello");
    strictEqual((await world.ended(id)).state, "unknown");
  }
  await using world = new World({ store, channel: new FakeChannel({ network, canLook: true }) });
  world.outbox.resume(ADA);
  while (store.outbox.get(id)?.state === "unknown") await setImmediateDone();
  deepStrictEqual(store.outbox.get(id)?.messageIds, ["m1"]);
});

Deno.test("a channel that throws, or never answers, leaves the message unknown", async () => {
  await using world = new World({ timing: { sendMs: 1, graceMs: 1 } });
  world.channel.faults.push(
    () => Promise.reject(new Error("bug")),
    () => new Promise(() => {}),
  );
  const [first, second] = [world.say("one"), world.say("two")];
  strictEqual((await world.ended(first)).state, "unknown");
  strictEqual((await world.ended(second)).error, "the network did not answer in time");
  ok(
    world.log.lines.some(({ level, message }) =>
      level === "error" && message === "A channel failed to send"
    ),
  );
});

Deno.test("what is too old is given up, and told", async () => {
  let now = 1_000;
  await using world = new World({ now: () => now, timing: { ttlMs: 500, graceMs: 1 } });
  world.isUp = false;
  const id = world.say("hello");
  const waits = world.ended(id);
  await setImmediateDone();
  now += 500;
  world.outbox.sweep();
  const { state, fault } = await waits;
  deepStrictEqual([state, fault], ["dead", "expired"]);
  now += 40 * 24 * 60 * 60_000;
  world.outbox.sweep();
  strictEqual(world.store.outbox.get(id), undefined);
});

Deno.test("a store that can't be written for a while loses no receipt", async () => {
  using store = openStore(":memory:");
  let isBroken = false;
  const log = new RecordedLog();
  const flaky = {
    outbox: store.outbox,
    synced: () => store.synced(),
    transaction: <T>(change: () => T): T => {
      if (isBroken) throw new Error("disk full");
      return store.transaction(change);
    },
  };
  const channel = new FakeChannel();
  await using outbox = new Outbox({
    store: flaky,
    outlets: { channel: () => channel, delivered: () => {} },
    log,
    timing: { rewriteMs: 1 },
  });
  channel.faults.push(() => {
    isBroken = true;
    return undefined;
  });
  const id = outbox.add({ place: ADA, text: "hello" });
  while (log.lines.length === 0) await setImmediateDone();
  strictEqual(log.lines[0]?.message, "The outbox could not be written");
  isBroken = false;
  strictEqual((await outbox.ended(id, { timeoutMs: 60_000 }))?.state, "sent");
  strictEqual(channel.attempts.length, 1);
});

Deno.test("a store that can't be read for a while fails who waits, and goes on sending", async () => {
  using store = openStore(":memory:");
  let isBroken = false;
  const log = new RecordedLog();
  const get = store.outbox.get.bind(store.outbox);
  store.outbox.get = (id) => {
    if (isBroken) throw new Error("disk unreadable");
    return get(id);
  };
  const channel = new FakeChannel();
  await using outbox = new Outbox({
    store,
    outlets: { channel: () => channel, delivered: () => {} },
    log,
  });
  const first = outbox.add({ place: ADA, text: "one" });
  const waited = outbox.ended(first, { timeoutMs: 60_000 });
  isBroken = true;
  await rejects(waited, /disk unreadable/);
  strictEqual(log.lines[0]?.message, "A message has ended, and its row can't be read");
  isBroken = false;
  const second = outbox.add({ place: ADA, text: "two" });
  strictEqual((await outbox.ended(second, { timeoutMs: 60_000 }))?.state, "sent");
  deepStrictEqual(channel.network.texts(), ["one", "two"]);
});

// ── previews ────────────────────────────────────────────────────────────────────────────────────

const preview = (world: World, text = "One tw") =>
  world.outbox.add({ place: ADA, text, isPreview: true }, "run:r");
const answer = (world: World, edits: string, text = "One two three") =>
  world.outbox.add({ place: ADA, text, edits }, "run:r");

Deno.test("an answer takes the place of its preview, and has its name", async () => {
  await using world = new World();
  const id = preview(world);
  await world.ended(id);
  strictEqual((await world.outbox.revise(id, "One two"))?.sent, true);
  const final = answer(world, id);
  const more = world.say("Four");
  deepStrictEqual((await world.ended(final)).messageIds, ["m1"]);
  await world.ended(more);
  deepStrictEqual(world.channel.network.texts(), ["One two three", "Four"]);
  deepStrictEqual(world.channel.done.map(({ text }) => text), ["One two", "One two three"]);
  deepStrictEqual(world.outbox.list({}).map(({ state }) => state), ["sent", "sent", "sent"]);
});

Deno.test("a preview that was not sent yet is left out where its answer waits", async () => {
  await using world = new World();
  world.isUp = false;
  const id = preview(world);
  const shown = world.outbox.ended(id, { timeoutMs: 60_000 });
  const final = answer(world, id);
  strictEqual(await shown, undefined);
  world.isUp = true;
  world.outbox.resume(ADA);
  strictEqual((await world.ended(final)).state, "sent");
  deepStrictEqual(world.channel.network.texts(), ["One two three"]);
  deepStrictEqual(world.outbox.list({}).map(({ id }) => id), [final]);
});

Deno.test("an answer whose preview is not there is sent by itself", async () => {
  for (
    const [what, fault, expected] of [
      ["refused", { sent: false, reason: "rejected", detail: "rude" }, "dead"],
      ["of unknown fate", UNKNOWN, "unknown"],
      ["without a name", { sent: true, messageIds: [] }, "sent"],
    ] as const
  ) {
    await using world = new World();
    world.channel.faults.push(() => fault);
    const id = preview(world);
    strictEqual((await world.ended(id)).state, expected, what);
    strictEqual((await world.ended(answer(world, id))).state, "sent", what);
    deepStrictEqual(world.channel.network.texts(), ["One two three"], what);
    deepStrictEqual(world.channel.done, [], what);
  }
});

Deno.test("a preview of unknown fate that is found is edited", async () => {
  const channel = new FakeChannel({ canLook: true });
  await using world = new World({ channel, random: () => -1.4 });
  channel.faults.push((message) => {
    channel.network.take(message);
    return UNKNOWN;
  });
  const final = answer(world, preview(world));
  deepStrictEqual((await world.ended(final)).messageIds, ["m1"]);
  deepStrictEqual(channel.network.texts(), ["One two three"]);
});

Deno.test("an answer is there once, also where its preview was deleted or may not be edited", async () => {
  for (const isDeleted of [true, false]) {
    await using world = new World();
    const id = preview(world);
    await world.ended(id);
    if (isDeleted) world.channel.network.change("m1", "");
    else {
      world.channel.changeFaults.push(() => ({ sent: false, reason: "rejected", detail: "old" }));
    }
    deepStrictEqual((await world.ended(answer(world, id))).messageIds, ["m2"]);
    deepStrictEqual(world.channel.network.texts(), ["One two three"]);
    deepStrictEqual(world.store.outbox.get(id)?.messageIds, []);
  }
});

Deno.test("an answer is put in its place again and again until the network says that it is", async () => {
  for (
    const fault of [
      LIMITED,
      { sent: false, reason: "network", detail: "no line" },
      UNKNOWN,
      { sent: false, reason: "auth", detail: "bad token" },
    ] as const
  ) {
    await using world = new World({ random: () => -1.4 });
    const id = preview(world);
    await world.ended(id);
    world.channel.changeFaults.push(() => fault, () => fault);
    const final = answer(world, id);
    for (const count of [2, 3]) {
      while (world.receipts.length < count) await setImmediateDone();
      if (fault.reason === "auth") world.outbox.resume(ADA);
    }
    deepStrictEqual((await world.ended(final)).messageIds, ["m1"], fault.reason);
    strictEqual(world.channel.done.length, 3);
    deepStrictEqual(world.channel.network.texts(), ["One two three"]);
  }
});

Deno.test("a network that never tells does not hold up its chat for ever", async () => {
  await using world = new World({ random: () => -1.5 });
  const id = preview(world);
  await world.ended(id);
  world.channel.changeFaults.push(...Array.from({ length: 20 }, () => () => UNKNOWN));
  const final = answer(world, id);
  await world.ended(world.say("next"));
  strictEqual(world.store.outbox.get(final)?.state, "unknown");
  world.channel.changeFaults.length = 0;
  world.outbox.retry(final);
  strictEqual((await world.ended(final)).state, "sent");
  deepStrictEqual(world.channel.network.texts(), ["One two three", "next"]);
});

Deno.test("after a crash an answer is put in its place once more", async () => {
  using store = openStore(":memory:");
  const network = new FakeNetwork();
  let final = "";
  {
    await using world = new World({ store, channel: new FakeChannel({ network }) });
    const id = preview(world);
    await world.ended(id);
    const { promise, resolve } = Promise.withResolvers<void>();
    world.channel.changeFaults.push((_target, text) => {
      network.change("m1", text);
      resolve();
      return new Promise(() => {});
    });
    final = answer(world, id);
    await promise;
  }
  strictEqual(store.outbox.get(final)?.state, "started");
  await using world = new World({ store, channel: new FakeChannel({ network }) });
  world.outbox.recover();
  deepStrictEqual((await world.ended(final)).messageIds, ["m1"]);
  deepStrictEqual(network.texts(), ["One two three"]);
});

Deno.test("what an earlier process may have asked for does not come after the answer", async () => {
  using store = openStore(":memory:");
  const network = new FakeNetwork();
  let [now, id] = [1_000, ""];
  const parts = () => ({ store, channel: new FakeChannel({ network }), now: () => now });
  {
    await using world = new World(parts());
    id = preview(world);
    await world.ended(id);
  }
  const timing = { graceMs: 10, arriveMs: 5_000 };
  let final = "";
  for (now of [2_000, 4_000, 6_000]) { // lives shorter than the wait: it is not begun anew
    await using world = new World({ ...parts(), timing });
    world.outbox.recover();
    final ||= answer(world, id);
    await setImmediateDone();
    await setImmediateDone();
    deepStrictEqual([world.channel.done, store.outbox.get(final)?.state], [[], "accepted"]);
  }
  now = 7_000;
  await using world = new World({ ...parts(), timing });
  world.outbox.recover();
  strictEqual((await world.ended(final)).state, "sent");
});

Deno.test("a preview that no answer follows ends as it is told, or was never there", async () => {
  for (const text of ["One two", ""]) {
    await using world = new World();
    const end = (edits: string) => world.outbox.add({ place: ADA, text, isPreview: true, edits });
    const id = preview(world);
    await world.ended(id);
    strictEqual((await world.ended(end(id))).state, "sent");
    deepStrictEqual(world.channel.network.texts(), text === "" ? [] : [text]);

    world.channel.network.change("m1", "");
    const again = await world.ended(end(id));
    deepStrictEqual([again.state, again.messageIds], ["sent", []]);
    world.channel.faults.push(() => UNKNOWN);
    const lost = preview(world);
    await world.ended(lost);
    deepStrictEqual((await world.ended(end(lost))).messageIds, []);
    deepStrictEqual(world.channel.network.texts(), []);
  }
});

Deno.test("an answer waits for the edit that is under way, and for one that may be", async () => {
  let now = 1_000;
  const timing = { graceMs: 10, arriveMs: 5_000 };
  await using world = new World({ now: () => now, timing });
  const id = preview(world);
  await world.ended(id);
  const begun = Promise.withResolvers<void>();
  const edit = Promise.withResolvers<Receipt | undefined>();
  world.channel.changeFaults.push(() => {
    begun.resolve();
    return edit.promise;
  });
  const revised = world.outbox.revise(id, "One two");
  await begun.promise;
  const final = answer(world, id);
  strictEqual(await world.outbox.revise(id, "One two th"), undefined);
  strictEqual(world.channel.done.length, 1);
  edit.resolve(UNKNOWN);
  deepStrictEqual(await revised, UNKNOWN);
  await setImmediateDone();
  await setImmediateDone();
  strictEqual(world.channel.done.length, 1);
  now = 6_000;
  world.outbox.resume(ADA);
  strictEqual((await world.ended(final)).state, "sent");
  deepStrictEqual(world.channel.done.map(({ text }) => text), ["One two", "One two three"]);
});

Deno.test("a preview is not edited while its chat, its account or the network has no time", async () => {
  let now = 1_000;
  await using world = new World({ now: () => now });
  const id = preview(world);
  strictEqual(await world.outbox.revise(id, "a"), undefined); // it is not there yet
  await world.ended(id);
  for (const isGlobal of [false, true]) {
    world.channel.changeFaults.push(() => ({ ...LIMITED, retryAfterMs: 500, isGlobal }));
    strictEqual((await world.outbox.revise(id, "b"))?.sent, false);
    strictEqual(await world.outbox.revise(id, "b"), undefined);
    now += 500;
    strictEqual((await world.outbox.revise(id, "b"))?.sent, true);
  }
  world.isUp = false;
  strictEqual(await world.outbox.revise(id, "c"), undefined);
  strictEqual(await world.outbox.revise("nobody", "c"), undefined);
  strictEqual(world.channel.done.length, 4);
});

Deno.test("a preview is not sent again by hand", async () => {
  await using world = new World();
  world.channel.faults.push(() => UNKNOWN);
  const id = preview(world);
  await world.ended(id);
  throws(() => world.outbox.retry(id), /it is a preview/);
  world.outbox.drop(id);
  strictEqual((await world.ended(answer(world, id))).state, "sent");
});

Deno.test("many chats share one transaction and one wait for the disk", async () => {
  using store = openStore(":memory:");
  let [transactions, waits] = [0, 0];
  const channel = new FakeChannel();
  await using outbox = new Outbox({
    store: {
      outbox: store.outbox,
      transaction: (change) => {
        transactions++;
        return store.transaction(change);
      },
      synced: () => {
        waits++;
        return store.synced();
      },
    },
    outlets: { channel: () => channel, delivered: () => {} },
    log: new RecordedLog(),
  });
  const ids = store.transaction(() =>
    Array.from({ length: 30 }, (_, i) => outbox.add({ place: placeOf(`chat${i}`), text: "hello" }))
  );
  await Promise.all(ids.map((id) => outbox.ended(id, { timeoutMs: 60_000 })));
  strictEqual(waits, 1);
  ok(transactions <= 3, `${transactions} transactions`);
});

Deno.test("no more than so many of one account are under way", async () => {
  await using world = new World();
  let [now, most] = [0, 0];
  const slow = async () => {
    most = Math.max(most, ++now);
    await setImmediateDone();
    now--;
    return undefined;
  };
  const ids = Array.from({ length: 100 }, (_, i) => {
    world.channel.faults.push(slow);
    return world.say("hello", placeOf(`chat${i}`));
  });
  await Promise.all(ids.map((id) => world.ended(id)));
  strictEqual(most, 32);
  strictEqual(world.channel.network.shown.length, 100);
});

Deno.test("who waits is told how it stands when the time is up", async () => {
  await using world = new World();
  world.isUp = false;
  const id = world.say("hello");
  strictEqual((await world.outbox.ended(id, { timeoutMs: 1 }))?.state, "accepted");
  const aborted = { timeoutMs: 60_000, signal: AbortSignal.abort() };
  strictEqual((await world.outbox.ended(id, aborted))?.state, "accepted");
  strictEqual(await world.outbox.ended("no such", { timeoutMs: 1 }), undefined);
  await rejects(Promise.resolve().then(() => world.outbox.retry("no such")), /There is no message/);
});

// ── crashes ─────────────────────────────────────────────────────────────────────────────────────

const TEXTS = ["one", "two", "three", "four"];

/** Dies at its n-th moment: before or after a write, a wait for the disk, or a word of the network. */
class Life {
  moments = 0;
  isOver = false;
  readonly #end: number;

  constructor(end: number) {
    this.#end = end;
  }

  /** Throws once it is over. */
  moment(): void {
    if (this.moments++ === this.#end) this.isOver = true;
    if (this.isOver) throw new Error("the process is gone");
  }

  store(store: Store): OutboxParts["store"] {
    return {
      outbox: store.outbox,
      transaction: (change) => {
        this.moment();
        const result = store.transaction(change);
        this.moment();
        return result;
      },
      synced: async () => {
        this.moment();
        await store.synced();
      },
    };
  }

  /** A network hears nothing of a process that is gone, and cannot tell it anything. */
  channel(channel: FakeChannel): Channel & Edits & Deletes {
    const ask = async (signal: AbortSignal, call: () => Promise<Receipt>): Promise<Receipt> => {
      try {
        this.moment();
        const receipt = await call();
        this.moment();
        return receipt;
      } catch {
        await untilAborted(signal);
        return UNKNOWN;
      }
    };
    const { id, accountId, capabilities, find } = channel;
    return {
      id,
      accountId,
      capabilities,
      run: (inbox, signal) => channel.run(inbox, signal),
      send: (message, signal) => ask(signal, () => channel.send(message, signal)),
      edit: (target, text, signal) => ask(signal, () => channel.edit(target, text)),
      delete: (target, signal) => ask(signal, () => channel.delete(target)),
      ...(find === undefined ? {} : { find }),
    };
  }
}

const NETWORKS = {
  "with a key for each message": {
    network: () => new FakeNetwork({ isIdempotent: true }),
    options: { capabilities: { idempotentForMs: 300_000 } },
  },
  "that tells what it shows": { network: () => new FakeNetwork(), options: { canLook: true } },
  "that tells nothing": { network: () => new FakeNetwork(), options: {} },
};

for (const [name, { network: create, options }] of Object.entries(NETWORKS)) {
  Deno.test(`killed at any moment, on a network ${name}, each message appears once or is unknown`, async () => {
    let survived = false;
    let unknowns = 0;
    for (let end = 0; !survived; end++) {
      ok(end < 200, "it never gets to the end");
      const folder = await Deno.makeTempDir();
      const network = create();
      const life = new Life(end);
      try {
        let ids: readonly string[];
        {
          using store = openStore(`${folder}/store.sqlite`);
          const mortal = life.channel(new FakeChannel({ network, ...options }));
          await using outbox = new Outbox({
            store: life.store(store),
            outlets: { channel: () => mortal, delivered: () => {} },
            log: new RecordedLog(),
            timing: { graceMs: 1 },
          });
          ids = store.transaction(() => TEXTS.map((text) => outbox.add({ place: ADA, text })));
          while (!life.isOver && store.outbox.waiting().length > 0) await setImmediateDone();
          await setImmediateDone();
          survived = !life.isOver;
          life.isOver = true; // whatever still stirs finds the process gone
        }
        using store = openStore(`${folder}/store.sqlite`);
        await using world = new World({ store, channel: new FakeChannel({ network, ...options }) });
        world.outbox.recover();
        for (const id of ids) await world.ended(id);

        const shown = network.texts(ADA);
        deepStrictEqual(shown, TEXTS.filter((text) => shown.includes(text)), "in order, once");
        for (const [i, id] of ids.entries()) {
          const { state, messageIds } = store.outbox.get(id)!;
          if (state === "unknown") unknowns++;
          else deepStrictEqual([state, messageIds], ["sent", [network.find(id)]], TEXTS[i] ?? "");
        }
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    }
    if (name === "that tells nothing") ok(unknowns > 0);
    else strictEqual(unknowns, 0);
  });
}

for (const [name, { network: create, options }] of Object.entries(NETWORKS)) {
  for (const isDeleted of [false, true]) {
    const what = isDeleted ? ", though its preview is deleted" : "";
    Deno.test(`killed at any moment, on a network ${name}, an answer is there once${what}`, async () => {
      let survived = false;
      let strays = 0;
      for (let end = 0; !survived; end++) {
        ok(end < 200, "it never gets to the end");
        const folder = await Deno.makeTempDir();
        const network = create();
        const life = new Life(end);
        try {
          const add = (outbox: Outbox, text: string, about: Partial<OutboundMessage>) =>
            outbox.add({ place: ADA, text, ...about }, "run:r");
          let [id, final] = ["", ""];
          {
            using store = openStore(`${folder}/store.sqlite`);
            const mortal = life.channel(new FakeChannel({ network, ...options }));
            await using outbox = new Outbox({
              store: life.store(store),
              outlets: { channel: () => mortal, delivered: () => {} },
              log: new RecordedLog(),
              timing: { graceMs: 1 },
            });
            const isIdle = () => life.isOver || store.outbox.waiting().length === 0;
            id = add(outbox, "One", { isPreview: true });
            while (!isIdle()) await setImmediateDone();
            let isRevised = false;
            void outbox.revise(id, "One two").finally(() => isRevised = true);
            while (!life.isOver && !isRevised) await setImmediateDone();
            if (isDeleted) network.change(network.find(id) ?? "", "");
            if (!life.isOver) final = add(outbox, "One two three", { edits: id });
            while (!isIdle()) await setImmediateDone();
            await setImmediateDone();
            survived = !life.isOver;
            life.isOver = true;
          }
          using store = openStore(`${folder}/store.sqlite`);
          const channel = new FakeChannel({ network, ...options });
          await using world = new World({ store, channel });
          if (final === "") final = add(world.outbox, "One two three", { edits: id });
          world.outbox.recover();
          const { state } = await world.ended(final);
          const shown = network.texts(ADA);
          const isStray = store.outbox.get(id)?.state === "unknown" && shown.length > 1;
          if (isStray) strays++;
          if (state === "unknown") ok(shown.length <= 1); // sent by itself, and nobody can tell
          else deepStrictEqual(shown.slice(isStray ? 1 : 0), ["One two three"]);
        } finally {
          await Deno.remove(folder, { recursive: true });
        }
      }
      if (name !== "that tells nothing") strictEqual(strays, 0);
    });
  }
}

Deno.test("the lanes of the outbox are the chats", () => {
  strictEqual(chatOf(ADA) === chatOf(placeOf("ada", { threadId: "7" })), false);
});

/** Lets whatever is ready run. */
function setImmediateDone(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

Deno.test("what is being sent is not dropped, also where an older one waits again", async () => {
  await using world = new World();
  world.channel.faults.push(() => ({ sent: false, reason: "rejected", detail: "no" }));
  const old = world.say("old");
  strictEqual((await world.ended(old)).state, "dead");
  const going = Promise.withResolvers<undefined>();
  const begun = Promise.withResolvers<void>();
  world.channel.faults.push(() => {
    begun.resolve();
    return going.promise;
  });
  const young = world.say("young");
  await begun.promise;
  world.outbox.retry(old);
  throws(() => world.outbox.drop(young), /it is being sent/);
  going.resolve(undefined);
  strictEqual((await world.ended(world.say("to bob", BOB))).state, "sent");
  strictEqual((await world.ended(young)).state, "sent");
});

Deno.test("what may have been sent is not sent again because the clock was set back", async () => {
  using store = openStore(":memory:");
  const clock = { now: 1_000_000 };
  const network = new FakeNetwork();
  const channel = new FakeChannel({ network });
  const first = new World({ store, channel, now: () => clock.now });
  const shown = Promise.withResolvers<void>();
  channel.faults.push((message) => {
    network.take(message); // it arrives, and then the process is killed
    shown.resolve();
    return new Promise<Receipt>(() => {});
  });
  const id = first.say("once");
  await shown.promise;
  clock.now -= 2;
  await using second = new World({
    store,
    channel: new FakeChannel({ network }),
    now: () => clock.now,
  });
  second.outbox.recover();
  const { state } = await second.ended(id);
  await first[Symbol.asyncDispose]();
  deepStrictEqual([state, network.texts()], ["unknown", ["once"]]);
});

Deno.test("a stop waits for what begins while the journal is brought to the disk", async () => {
  using store = openStore(":memory:");
  const disk = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  const channel = new FakeChannel();
  channel.faults.push(async (_message, signal) => {
    await setImmediateDone(); // a network does not answer in the same turn
    return signal.aborted ? { sent: false, reason: "unknown", detail: "cut" } : undefined;
  });
  const slow = {
    ...store,
    transaction: <T>(change: () => T) => store.transaction(change),
    synced() {
      reached.resolve();
      return disk.promise;
    },
  };
  const first = new World({ store: slow, channel, timing: { graceMs: 60_000, arriveMs: 0 } });
  const id = first.say("hello");
  await reached.promise;
  const stopped = first[Symbol.asyncDispose]();
  disk.resolve();
  await stopped;
  deepStrictEqual(channel.network.texts(), ["hello"]);
  strictEqual(store.outbox.get(id)?.state, "sent");
});

Deno.test("a disk that fails twice in a row costs no chat its place", async () => {
  using store = openStore(":memory:");
  let [syncs, isBroken] = [0, false];
  const broken = failing(store, "update", () => {
    const fails = isBroken;
    isBroken = false;
    return fails;
  });
  await using world = new World({
    store: {
      ...broken,
      synced() {
        if (syncs++ > 0) return Promise.resolve();
        isBroken = true; // the write that follows fails as well
        return Promise.reject(new Error("EIO"));
      },
    },
    timing: { graceMs: 10, arriveMs: 0, rewriteMs: 10 },
  });
  const [first, second] = [world.say("hello"), world.say("later")];
  strictEqual((await world.ended(first)).state, "sent");
  strictEqual((await world.ended(second)).state, "sent");
  deepStrictEqual(world.channel.network.texts(), ["hello", "later"]);
});

Deno.test("a chat that waits for its turn is not forgotten where the store fails", async () => {
  using store = openStore(":memory:");
  let refused = "";
  const broken = failing(store, "next", (lane) => {
    const fails = lane === refused;
    if (fails) refused = "";
    return fails;
  });
  await using world = new World({
    store: broken,
    timing: { graceMs: 10, arriveMs: 0, rewriteMs: 10 },
  });
  const atOnce = 32;
  const [full, go] = [Promise.withResolvers<void>(), Promise.withResolvers<undefined>()];
  for (let n = 1; n <= atOnce; n++) {
    world.channel.faults.push(() => {
      if (n === atOnce) full.resolve();
      return go.promise;
    });
  }
  const ids = Array.from({ length: atOnce + 1 }, (_, n) => world.say(`t${n}`, placeOf(`c${n}`)));
  await full.promise;
  refused = chatOf(placeOf(`c${atOnce}`));
  go.resolve(undefined);
  strictEqual((await world.ended(ids.at(-1) ?? "")).state, "sent");
});

/** The same store, but that a call of its outbox throws where `fails` says so. */
function failing(
  store: Store,
  call: "update" | "next",
  fails: (argument: unknown) => boolean,
): Store {
  const outbox = new Proxy(store.outbox, {
    get(target, name) {
      const value = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        if (name === call && fails(args[0])) throw new Error("disk I/O error");
        return Reflect.apply(value, target, args);
      };
    },
  });
  return { ...store, outbox, transaction: (change) => store.transaction(change) };
}
