/** What a channel must do whatever its network is. Each channel runs this against its fake network. */
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import {
  canDelete,
  canEdit,
  type Channel,
  ChannelError,
  type Evidence,
  type Inbox,
} from "../src/channel.ts";
import { pause } from "../src/deadline.ts";
import { split } from "../src/gateway/split.ts";
import type { Log } from "../src/log.ts";
import type { InboundMessage, OutboundMessage, Place } from "../src/message.ts";
import type { KeyValues } from "../src/store.ts";

/** How a network fails, until it is mended. */
export type Fault =
  /** It can't be reached: no connection opens. */
  | { readonly kind: "refuse" }
  /** Connections break; what is asked is done, but the answer never arrives. */
  | { readonly kind: "cut" }
  /** Nothing comes back and nothing closes. What is asked is done. */
  | { readonly kind: "silence" }
  /** What comes back is noise. What is asked is done. */
  | { readonly kind: "garbage" }
  /** A server error for whatever is asked, which may have been done all the same. */
  | { readonly kind: "unavailable" }
  /** Too much was asked. */
  | { readonly kind: "rate_limit"; readonly retryAfterMs: number }
  /** Our token counts no more. */
  | { readonly kind: "revoked" }
  /** Messages are refused for what they are. */
  | { readonly kind: "reject" };

/** A message as people in the chat see it. */
export interface SeenMessage {
  readonly id: string;
  readonly text: string;
}

/** The network that the channel under test is on, as the suite needs it. */
export interface FakeNetwork extends AsyncDisposable {
  /** Somebody writes to us in a chat of two. Resolves to the network's id of the message. */
  say(text: string): Promise<string>;
  /** Our own account writes in that chat, from elsewhere. */
  echo(text: string): Promise<void>;
  /** Whether the network thinks that we have the message. */
  isAcknowledged(messageId: string): boolean;
  /** Resolves when the network thinks so. */
  acknowledged(messageId: string): Promise<void>;
  /** Hands over once more what was said, acknowledged or not. */
  redeliver(): Promise<void>;
  /** Hands over events that the protocol allows or does not, none of which is a message to us. */
  babble(): Promise<void>;
  /** What we said, in the order in which it appeared. */
  readonly sent: readonly SeenMessage[];
  /** What of it is there, as it is now. */
  readonly shown: readonly SeenMessage[];
  /** Resolves when the next message of ours has reached the network, whatever it answers. */
  sendArrived(): Promise<void>;
  /** Fails from now on, also for what is connected. */
  fault(fault: Fault): Promise<void>;
  /** Works again. */
  mend(): Promise<void>;
}

/** A fake network, and the channel for an account of it. */
export interface Subject {
  readonly network: FakeNetwork;
  /** The chat in which `say` speaks. */
  readonly place: Place;
  /**
   * A new channel, with what a former one left in `values`. It must lose patience with a silent
   * network within two seconds.
   */
  create(values: KeyValues): Channel;
}

/** Registers the suite for one network. `setUp` is called for each test. */
export function channelContract(
  name: string,
  setUp: () => Subject | Promise<Subject>,
): void {
  const test = (what: string, body: (world: World) => Promise<void>) =>
    Deno.test(`${name}: ${what}`, async () => {
      await using world = new World(await setUp());
      await body(world);
    });

  test("hands over what is said, in order, one at a time", async (world) => {
    world.connect();
    await world.inbox.seen("connected");
    const said: string[] = [];
    for (let i = 0; i < 20; i++) said.push(await world.network.say(`message ${i}`));
    await world.inbox.count(20);
    deepStrictEqual(world.inbox.texts(), said.map((_, i) => `message ${i}`));
    deepStrictEqual(world.inbox.messages().map(({ messageId }) => messageId), said);
    strictEqual(world.inbox.mostAtOnce, 1);
  });

  test("says who wrote, where and when", async (world) => {
    const before = Date.now() - 60_000;
    world.connect();
    await world.network.say("hello");
    const [message] = await world.inbox.count(1);
    const { place, sender, at, eventId } = message!;
    strictEqual(place.channel, world.channel.id);
    strictEqual(place.accountId, world.channel.accountId);
    strictEqual(place.kind, "direct");
    strictEqual(place.chatId, world.place.chatId);
    ok(sender.id.length > 0);
    ok(eventId.length > 0);
    ok(at >= before && at <= Date.now() + 60_000);
    ok(message?.kind === "message" && message.mentionsUs && message.attachments.length === 0);
  });

  test("shows that it lives", async (world) => {
    world.connect();
    const connected = await world.inbox.seen("connected");
    ok(connected.kind === "connected" && connected.self.id.length > 0);
    strictEqual(world.inbox.evidence[0]?.kind, "connecting");
    const before = world.inbox.evidence.length;
    await world.network.say("hello");
    await world.inbox.count(1);
    ok(world.inbox.evidence.slice(before).some(({ kind }) => kind === "frame"));
  });

  test("acknowledges only what is stored", async (world) => {
    const release = world.inbox.hold();
    world.connect();
    const messageId = await world.network.say("slowly");
    await world.inbox.asked(1);
    // a whole round trip later an early acknowledgement would have arrived
    ok((await world.send("meanwhile")).sent);
    ok(!world.network.isAcknowledged(messageId));
    release();
    await world.network.acknowledged(messageId);
  });

  test("is handed again what could not be stored, before what came after", async (world) => {
    world.inbox.refuse(1);
    const stop = world.supervise();
    await world.inbox.seen("connected");
    const first = await world.network.say("first");
    const second = await world.network.say("second");
    await world.network.acknowledged(first);
    await world.network.acknowledged(second);
    deepStrictEqual(distinct(world.inbox.texts()), ["first", "second"]);
    await stop();
  });

  test("calls what is handed over again by the same name", async (world) => {
    world.connect();
    await world.network.acknowledged(await world.network.say("again"));
    await world.stop();
    await world.network.redeliver();
    world.connect({ values: new MemoryValues() });
    const [first, second] = await world.inbox.count(2);
    strictEqual(second!.eventId, first!.eventId);
    deepStrictEqual(second!.place, first!.place);
  });

  test("takes up after a restart where it was", async (world) => {
    world.connect();
    await world.network.acknowledged(await world.network.say("before"));
    await world.stop();
    const messageId = await world.network.say("while we were away");
    world.connect();
    await world.network.acknowledged(messageId);
    deepStrictEqual(distinct(world.inbox.texts()), ["before", "while we were away"]);
  });

  test("does not hear itself", async (world) => {
    world.connect();
    await world.inbox.seen("connected");
    ok((await world.send("mine")).sent);
    await world.network.echo("mine too");
    await world.network.say("theirs");
    await world.inbox.count(1);
    deepStrictEqual(world.inbox.texts(), ["theirs"]);
  });

  test("passes over what it does not understand", async (world) => {
    const stop = world.supervise();
    await world.inbox.seen("connected");
    await world.network.babble();
    const messageId = await world.network.say("sense");
    await world.network.acknowledged(messageId);
    deepStrictEqual(distinct(world.inbox.texts()), ["sense"]);
    await stop();
  });

  test("stops within a second when it is connected", async (world) => {
    world.connect();
    await world.inbox.seen("connected");
    await world.stop();
  });

  test("stops within a second in the middle of a conversation", async (world) => {
    world.connect();
    for (let i = 0; i < 10; i++) await world.network.say(`message ${i}`);
    await world.inbox.count(1);
    await world.stop();
  });

  for (const fault of [{ kind: "silence" }, { kind: "refuse" }] as const) {
    test(`stops within a second while it connects (${fault.kind})`, async (world) => {
      await world.network.fault(fault);
      const run = world.connect();
      await world.inbox.seen("connecting");
      await world.stop({ mayHaveFailed: true });
      await world.network.mend();
      await run.catch(() => {});
    });
  }

  test("does not start when it is stopped already", async (world) => {
    await world.channel.run(world.inbox, AbortSignal.abort());
    deepStrictEqual(world.inbox.received, []);
  });

  for (
    const fault of [
      { kind: "refuse" },
      { kind: "cut" },
      { kind: "silence" },
      { kind: "garbage" },
      { kind: "unavailable" },
      { kind: "rate_limit", retryAfterMs: 1000 },
    ] as const
  ) {
    test(`notices a broken network and loses nothing (${fault.kind})`, async (world) => {
      const stop = world.supervise();
      await world.inbox.seen("connected");
      await world.network.acknowledged(await world.network.say("before"));
      const trouble = world.trouble();
      await world.network.fault(fault);
      const messageId = await world.network.say("in between");
      const failure = await trouble;
      if (failure instanceof ChannelError) strictEqual(failure.reason, "network");
      await world.network.mend();
      await world.network.acknowledged(messageId);
      await world.network.acknowledged(await world.network.say("after"));
      deepStrictEqual(distinct(world.inbox.texts()), ["before", "in between", "after"]);
      await stop();
    });
  }

  test("gives no sign of life that it did not get", async (world) => {
    world.connect().catch(() => {});
    await world.inbox.seen("connected");
    await world.network.acknowledged(await world.network.say("before"));
    const trouble = world.trouble();
    await world.network.fault({ kind: "silence" });
    const before = world.inbox.evidence.length;
    await trouble;
    const signs = world.inbox.evidence.slice(before).filter(({ kind }) =>
      kind === "frame" || kind === "heartbeat" || kind === "connected"
    );
    deepStrictEqual(signs, []);
  });

  test("gives up for good when its token is revoked", async (world) => {
    const run = world.connect();
    await world.inbox.seen("connected");
    await Promise.all([
      rejects(run, (error) => error instanceof ChannelError && error.reason === "auth"),
      world.network.fault({ kind: "revoked" }),
    ]);
    await rejects(
      world.connect(),
      (error) => error instanceof ChannelError && error.reason === "auth",
    );
  });

  test("sends without being connected, in order, and says under which ids", async (world) => {
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) {
      const receipt = await world.send(`reply ${i}`);
      ok(receipt.sent);
      ids.push(...receipt.messageIds);
    }
    deepStrictEqual(world.network.sent, ids.map((id, i) => ({ id, text: `reply ${i}` })));
  });

  for (
    const [what, text] of [
      ["quotations", "> ".repeat(10_000) + "x"],
      ["lists", "- ".repeat(10_000) + "x"],
      ["brackets", "[".repeat(10_000) + "x" + "]".repeat(10_000)],
      ["emphasis", "*a **b ".repeat(5_000) + "x" + "** *".repeat(5_000)],
    ] as const
  ) {
    test(`sends what is nested beyond reason (${what})`, async (world) => {
      const { textLimit: limit, measure } = world.channel.capabilities;
      ok(measure(text) > limit);
      const parts = split(text, { limit, measure });
      for (const part of parts) ok((await world.send(part)).sent);
      strictEqual(world.network.sent.length, parts.length);
      ok(world.network.sent.some(({ text }) => text.includes("x")));
    });
  }

  for (
    const [fault, reason] of [
      [{ kind: "reject" }, "rejected"],
      [{ kind: "revoked" }, "auth"],
      [{ kind: "refuse" }, "network"],
      [{ kind: "cut" }, "unknown"],
      [{ kind: "garbage" }, "unknown"],
      [{ kind: "silence" }, "unknown"],
      [{ kind: "unavailable" }, "unknown"],
      [{ kind: "rate_limit", retryAfterMs: 3000 }, "rate_limited"],
    ] as const
  ) {
    test(`tells what became of a message (${fault.kind}: ${reason})`, async (world) => {
      await world.network.fault(fault);
      const receipt = await world.send("hello");
      ok(!receipt.sent);
      strictEqual(receipt.reason, reason);
      ok(receipt.detail.length > 0);
      if (fault.kind === "rate_limit") ok((receipt.retryAfterMs ?? 0) >= fault.retryAfterMs);
      // whatever was asked was asked once
      ok(world.network.sent.length <= (reason === "unknown" ? 1 : 0));
      await world.network.mend();
      ok((await world.send("and now")).sent);
    });
  }

  test("shows the last text of a message that is edited, if it can", async (world) => {
    const { channel, place, network } = world;
    const { editEveryMs } = channel.capabilities;
    if (!canEdit(channel) || !canDelete(channel)) return strictEqual(editEveryMs, 0);
    ok(editEveryMs > 0);
    const { signal } = new AbortController();
    const receipt = await world.send("One");
    ok(receipt.sent);
    const [messageId = ""] = receipt.messageIds;
    const target = { place, messageId };
    for (const text of ["One two", "One two three", "One two three"]) {
      deepStrictEqual(await channel.edit(target, text, signal), receipt);
    }
    deepStrictEqual(network.shown, [{ id: messageId, text: "One two three" }]);
    deepStrictEqual(await channel.delete(target, signal), receipt);
    deepStrictEqual(network.shown, []);
    const again = [
      await channel.edit(target, "Four", signal),
      await channel.delete(target, signal),
    ];
    ok(again.every((receipt) => !receipt.sent && receipt.reason === "rejected"));
  });

  test("does not hear what it edits", async (world) => {
    world.connect();
    await world.inbox.seen("connected");
    const { channel, place } = world;
    const receipt = await world.send("mine");
    if (!receipt.sent || !canEdit(channel)) return;
    const [messageId = ""] = receipt.messageIds;
    ok((await channel.edit({ place, messageId }, "still mine", new AbortController().signal)).sent);
    await world.network.say("theirs");
    await world.inbox.count(1);
    deepStrictEqual(world.inbox.received.map(({ kind }) => kind), ["message"]);
    deepStrictEqual(world.inbox.texts(), ["theirs"]);
  });

  for (
    const [fault, reason] of [
      [{ kind: "revoked" }, "auth"],
      [{ kind: "cut" }, "unknown"],
      [{ kind: "garbage" }, "unknown"],
      [{ kind: "unavailable" }, "unknown"],
      [{ kind: "rate_limit", retryAfterMs: 7000 }, "rate_limited"],
    ] as const
  ) {
    test(`tells what became of an edit (${fault.kind}: ${reason})`, async (world) => {
      const { channel, place } = world;
      const receipt = await world.send("One");
      if (!receipt.sent || !canEdit(channel)) return;
      const [messageId = ""] = receipt.messageIds;
      const { signal } = new AbortController();
      await world.network.fault(fault);
      const edited = await channel.edit({ place, messageId }, "One two", signal);
      ok(!edited.sent);
      strictEqual(edited.reason, reason);
      if (fault.kind === "rate_limit") ok((edited.retryAfterMs ?? 0) >= fault.retryAfterMs);
      await world.network.mend();
      ok((await channel.edit({ place, messageId }, "One two", signal)).sent);
      deepStrictEqual(world.network.shown, [{ id: messageId, text: "One two" }]);
    });
  }

  test("does not know what became of a message that was given up on the way", async (world) => {
    await world.network.fault({ kind: "silence" });
    const abort = new AbortController();
    const arrived = world.network.sendArrived();
    const receipt = world.send("hello", { signal: abort.signal });
    await arrived;
    abort.abort();
    const { sent, ...rest } = await receipt;
    ok(!sent && "reason" in rest && rest.reason === "unknown");
  });

  test("sends nothing that was given up before", async (world) => {
    const receipt = await world.send("hello", { signal: AbortSignal.abort() });
    ok(!receipt.sent && receipt.reason === "network");
    deepStrictEqual(world.network.sent, []);
  });

  test("shows a message of one id once, if it says so", async (world) => {
    if (world.channel.capabilities.idempotentForMs === 0) return;
    const id = crypto.randomUUID();
    const first = await world.send("once", { id });
    deepStrictEqual(await world.send("once", { id }), first);
    strictEqual(world.network.sent.length, 1);
    await world.network.fault({ kind: "cut" });
    const cut = crypto.randomUUID();
    ok(!(await world.send("twice", { id: cut })).sent);
    await world.network.mend();
    ok((await world.send("twice", { id: cut })).sent);
    strictEqual(world.network.sent.length, 2);
  });
}

/** Keeps JSON, as the store does. */
export class MemoryValues implements KeyValues {
  readonly #values = new Map<string, string>();

  get(name: string): unknown {
    const value = this.#values.get(name);
    return value === undefined ? undefined : JSON.parse(value);
  }

  set(name: string, value: unknown): void {
    this.#values.set(name, JSON.stringify(value));
  }

  delete(name: string): boolean {
    return this.#values.delete(name);
  }
}

/** For channels whose words no test reads. */
export const NO_LOG: Log = {
  error() {},
  warn() {},
  info() {},
  debug() {},
  part: () => NO_LOG,
};

/** Takes what a channel hands over, as slowly and as badly as a test wants. */
export class TestInbox implements Inbox {
  /** What was stored, also twice. */
  readonly received: InboundMessage[] = [];
  readonly evidence: Evidence[] = [];
  /** The most messages that were handed over without waiting for the one before. */
  mostAtOnce = 0;
  #asked = 0;
  #refusals = 0;
  #spared = 0;
  #atOnce = 0;
  #gate: Promise<void> | undefined;
  #changed = Promise.withResolvers<void>();

  async receive(message: InboundMessage): Promise<void> {
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#atOnce);
    this.#asked++;
    this.#wake();
    // A store takes a while: what is handed over in the same turn, without waiting, shows.
    await (this.#gate ?? new Promise((resolve) => setTimeout(resolve, 0)));
    this.#atOnce--;
    if (this.#spared > 0) this.#spared--;
    else if (this.#refusals > 0) {
      this.#refusals--;
      this.#wake();
      throw new Error("the disk is full");
    }
    this.received.push(message);
    this.#wake();
  }

  status(evidence: Evidence): void {
    this.evidence.push(evidence);
    this.#wake();
  }

  /** Nothing is stored before the function that this returns is called. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gate = promise;
    return () => {
      this.#gate = undefined;
      resolve();
    };
  }

  /** The next so many can't be stored, or those after the next few. */
  refuse(count: number, { after = 0 } = {}): void {
    this.#refusals = count;
    this.#spared = after;
  }

  /** Resolves when nothing is being stored, unless it is held. */
  async idle(): Promise<void> {
    while (this.#atOnce > 0 && this.#gate === undefined) await this.#changed.promise;
  }

  /** Resolves when so many have been handed over, stored or not. */
  async asked(count: number): Promise<void> {
    while (this.#asked < count) await this.#changed.promise;
  }

  /** Resolves when so many are stored. */
  async count(count: number): Promise<readonly InboundMessage[]> {
    while (this.received.length < count) await this.#changed.promise;
    return this.received;
  }

  /** Resolves with the first evidence of this kind from number `from` on. */
  async seen(kind: Evidence["kind"], from = 0): Promise<Evidence> {
    for (;;) {
      const found = this.evidence.slice(from).find((evidence) => evidence.kind === kind);
      if (found !== undefined) return found;
      await this.#changed.promise;
    }
  }

  messages(): (InboundMessage & { kind: "message" })[] {
    return this.received.filter((message) => message.kind === "message");
  }

  texts(): string[] {
    return this.messages().map(({ text }) => text);
  }

  #wake(): void {
    const { resolve } = this.#changed;
    this.#changed = Promise.withResolvers();
    resolve();
  }
}

/** What a supervisor waits before it begins a channel anew, made short. */
const RESTART_MS = 20;

/** One channel on its network. */
class World implements AsyncDisposable {
  readonly inbox = new TestInbox();
  readonly network: FakeNetwork;
  readonly place: Place;
  readonly #subject: Subject;
  readonly #values = new MemoryValues();
  #channel: Channel;
  #running: { readonly abort: AbortController; readonly ended: Promise<void> } | undefined;
  #failed = Promise.withResolvers<unknown>();

  constructor(subject: Subject) {
    this.#subject = subject;
    this.network = subject.network;
    this.place = subject.place;
    this.#channel = subject.create(this.#values);
  }

  get channel(): Channel {
    return this.#channel;
  }

  /** A new channel runs, as in a new process, until the test ends; resolves or rejects as it does. */
  connect({ values = this.#values }: { values?: KeyValues } = {}): Promise<void> {
    const abort = new AbortController();
    this.#channel = this.#subject.create(values);
    const ended = this.#channel.run(this.inbox, abort.signal);
    ended.catch((error) => this.#fail(error));
    this.#running = { abort, ended };
    return ended;
  }

  /** Starts a channel again whenever it fails, until the function that this returns is called. */
  supervise(): () => Promise<void> {
    const abort = new AbortController();
    const work = (async () => {
      for (let run = 0; run < 1000 && !abort.signal.aborted; run++) {
        this.#channel = this.#subject.create(this.#values);
        try {
          await this.#channel.run(this.inbox, abort.signal);
        } catch (error) {
          this.#fail(error);
          await pause(RESTART_MS, abort.signal);
        }
      }
    })();
    this.#running = { abort, ended: work };
    return async () => {
      abort.abort();
      await work;
    };
  }

  /** Resolves when the channel fails from now on, or says that it has trouble. */
  trouble(): Promise<unknown> {
    return Promise.race([
      this.#failed.promise,
      this.inbox.seen("trouble", this.inbox.evidence.length),
    ]);
  }

  /** Stops what runs, and fails if that takes more than the second that a channel has for it. */
  async stop({ mayHaveFailed = false } = {}): Promise<void> {
    const { abort, ended } = this.#running!;
    abort.abort();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<"late">((resolve) => timer = setTimeout(resolve, 1000, "late"));
    const stopped = mayHaveFailed ? ended.catch(() => {}) : ended;
    const outcome = await Promise.race([stopped, late]).finally(() => clearTimeout(timer));
    ok(outcome !== "late", "it did not stop within a second");
  }

  send(text: string, { id = crypto.randomUUID(), signal }: {
    id?: string;
    signal?: AbortSignal;
  } = {}) {
    const message: OutboundMessage = { id, place: this.place, text };
    return this.#channel.send(message, signal ?? new AbortController().signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#running?.abort.abort();
    await this.#running?.ended.catch(() => {});
    await this.network[Symbol.asyncDispose]();
  }

  #fail(error: unknown): void {
    const { resolve } = this.#failed;
    this.#failed = Promise.withResolvers();
    resolve(error);
  }
}

/** What the inbox would keep: a message that was handed over again is dropped there. */
function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
