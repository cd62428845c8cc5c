import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { FakeChannel, FakeNetwork, placeOf } from "../../tests/fakes/channel.ts";
import { RecordedLog } from "../../tests/kernel.ts";
import type { Channel } from "../channel.ts";
import { checkConfig } from "../config.ts";
import type { OutboundMessage } from "../message.ts";
import type { SessionKey } from "../session.ts";
import type { Store } from "../store.ts";
import { openStore } from "../store/sqlite.ts";
import { Outbox } from "./outbox.ts";
import { ChatReplies } from "./reply.ts";
import type { Answering, Ending } from "./runs.ts";
import { Settings } from "./settings.ts";

const RUN: Answering = {
  runId: "r1",
  sessionKey: "agent:main:fake:direct:ada" as SessionKey,
  target: { place: placeOf("ada"), messageId: "m7" },
};
const OK: Ending = { status: "ok", stopReason: "stop", text: "", provider: "", model: "" };

/** Replies to a network of fakes, and what they put into the outbox. */
class World implements Disposable {
  readonly added: Omit<OutboundMessage, "id">[] = [];
  readonly origins: (string | undefined)[] = [];
  readonly channel = new FakeChannel();
  readonly replies: ChatReplies;

  constructor(
    { config = { channels: { fake: {} } }, channel }: {
      config?: unknown;
      channel?: Channel | null;
    } = {},
  ) {
    const { config: checked, issues } = checkConfig(config);
    deepStrictEqual(issues, []);
    const used = channel === null ? undefined : channel ?? this.channel;
    this.replies = new ChatReplies({
      outbox: {
        add: (message, origin) => {
          this.added.push(message);
          this.origins.push(origin);
          return `${this.added.length}`;
        },
        ended: () => Promise.resolve(undefined),
        ofOrigin: () => [],
        revise: () => Promise.resolve(undefined),
      },
      channel: () => used,
      settings: new Settings(() => checked),
      log: new RecordedLog(),
    });
  }

  get texts(): readonly string[] {
    return this.added.map(({ text }) => text);
  }

  get answered(): readonly (string | undefined)[] {
    return this.added.map(({ replyTo }) => replyTo);
  }

  [Symbol.dispose](): void {
    this.replies[Symbol.dispose]();
  }
}

Deno.test("what an agent says goes to the chat, in pieces that fit", () => {
  using world = new World();
  world.replies.began(RUN);
  world.replies.said(RUN, `${"word ".repeat(30)}\n\nend`);
  strictEqual(world.added.length, 2);
  for (const { place, text } of world.added) {
    deepStrictEqual(place, RUN.target.place);
    ok(text.length <= 100);
  }
  deepStrictEqual(world.origins, ["run:r1", "run:r1"]);
  deepStrictEqual(world.answered, [undefined, undefined]);
});

Deno.test("the configuration says which messages name the one that they answer", () => {
  for (
    const [replyToMode, expected] of [
      ["off", [undefined, undefined, undefined]],
      ["first", ["m7", undefined, undefined]],
      ["all", ["m7", "m7", "m7"]],
    ] as const
  ) {
    using world = new World({ config: { channels: { fake: { replyToMode } } } });
    world.replies.began(RUN);
    world.replies.said(RUN, `${"word ".repeat(30)}`);
    world.replies.said(RUN, "more");
    deepStrictEqual(world.answered, expected);
  }
});

Deno.test("all that answers what the network waits for names it", () => {
  using world = new World();
  const awaited = { ...RUN, target: { ...RUN.target, isAwaited: true as const } };
  world.replies.began(awaited);
  world.replies.said(awaited, `${"word ".repeat(30)}`);
  deepStrictEqual(world.answered, ["m7", "m7"]);
});

Deno.test("a lower limit of the owner's counts, a higher one does not", () => {
  using world = new World({ config: { channels: { fake: { textChunkLimit: 9 } } } });
  world.replies.said(RUN, "one two three");
  deepStrictEqual(world.texts, ["one two", "three"]);
  using other = new World({ config: { channels: { fake: { textChunkLimit: 5_000 } } } });
  other.replies.said(RUN, "word ".repeat(30));
  strictEqual(other.added.length, 2);
});

Deno.test("the owner may want each paragraph as a message of its own", () => {
  using world = new World({ config: { channels: { fake: { chunkMode: "newline" } } } });
  world.replies.said(RUN, "one\n\ntwo\nthree");
  deepStrictEqual(world.texts, ["one", "two\nthree"]);
});

Deno.test("an answer has the owner's prefix, or the agent's name", () => {
  const agents = { list: [{ id: "main", identity: { name: "Molty" } }] };
  using auto = new World({
    config: { agents, channels: { fake: {} }, messages: { responsePrefix: "auto" } },
  });
  auto.replies.said(RUN, "hello");
  auto.replies.said(RUN, "[Molty] already");
  deepStrictEqual(auto.texts, ["[Molty] hello", "[Molty] already"]);
  using own = new World({
    config: { channels: { fake: { responsePrefix: "🦞" } }, messages: { responsePrefix: "no" } },
  });
  own.replies.said(RUN, "hello");
  deepStrictEqual(own.texts, ["🦞 hello"]);
});

Deno.test("without a channel an answer is kept for it, in pieces that any would take", () => {
  using world = new World({ channel: null });
  world.replies.said(RUN, "word ".repeat(400));
  strictEqual(world.added.length, 2);
});

Deno.test("a run that fails says so in one message, one that was stopped says nothing", () => {
  using world = new World();
  const common = { text: "", provider: "", model: "" };
  world.replies.ended(RUN, {
    ...common,
    status: "error",
    kind: "overloaded",
    error: "the model is overloaded",
  });
  world.replies.ended(RUN, { ...common, status: "aborted", stoppedBy: "stop" });
  world.replies.ended(RUN, OK);
  deepStrictEqual(world.texts, ["⚠️ I could not answer: the model is overloaded"]);
  deepStrictEqual(world.answered, [undefined]);
  world.replies.ended(RUN, { ...common, status: "aborted", stoppedBy: "timeout" });
  deepStrictEqual(world.texts.slice(1), ["⚠️ I could not answer: it took too long"]);
});

Deno.test("a run's chat is known as long as it is at work", () => {
  using world = new World();
  strictEqual(world.replies.targetOf("r1"), undefined);
  world.replies.began(RUN);
  deepStrictEqual(world.replies.targetOf("r1"), RUN.target);
  world.replies.ended(RUN, OK);
  strictEqual(world.replies.targetOf("r1"), undefined);
});

Deno.test("somebody is shown to be writing until the run ends, also where the network can't", async () => {
  using world = new World({
    config: { channels: { fake: {} }, agents: { defaults: { typingIntervalSeconds: 1 } } },
  });
  const twice = Promise.withResolvers<void>();
  world.channel.onTyping = () => {
    if (world.channel.typed.length === 2) twice.resolve();
    return Promise.reject(new Error("no line"));
  };
  world.replies.began(RUN);
  await twice.promise;
  world.replies.ended(RUN, OK);
  deepStrictEqual(world.channel.typed, [RUN.target.place, RUN.target.place]);
});

Deno.test("the owner may not want it shown, and whoever is answered at once is not", async () => {
  const config = { channels: { fake: {} } };
  using never = new World({
    config: { ...config, agents: { defaults: { typingMode: "never" } } },
  });
  using quick = new World({ config });
  using slow = new World({ config });
  const shown = Promise.withResolvers<void>();
  slow.channel.onTyping = () => Promise.resolve(shown.resolve());
  for (const world of [never, quick, slow]) world.replies.began(RUN);
  quick.replies.ended(RUN, OK);
  await shown.promise; // so the others would have been by now
  deepStrictEqual([never.channel.typed, quick.channel.typed], [[], []]);
});

Deno.test("an answer of the gateway's own names its message, in a chat of two only where awaited", () => {
  for (
    const [target, expected] of [
      [RUN.target, undefined],
      [{ ...RUN.target, isAwaited: true }, "m7"],
      [{ ...RUN.target, place: placeOf("room", { kind: "group" }) }, "m7"],
    ] as const
  ) {
    using world = new World();
    world.replies.answer(target, "Paired.");
    deepStrictEqual([world.texts, world.answered], [["Paired."], [expected]]);
  }
});

// ── what is being written ───────────────────────────────────────────────────────────────────────

const SOME = "This is long enough to be shown";
const STREAMED = { channels: { fake: { streaming: "partial" } } };
const FAILED: Ending = {
  status: "error",
  kind: "overloaded",
  error: "the model is overloaded",
  text: "",
  provider: "",
  model: "",
};

/** Replies on their way through a real outbox to a network that lets messages be edited. */
class Live implements AsyncDisposable {
  readonly channel: FakeChannel;
  readonly outbox: Outbox;
  readonly replies: ChatReplies;
  readonly #store: Store;

  constructor(
    { config = STREAMED, store = openStore(":memory:"), channel }: {
      config?: unknown;
      store?: Store;
      channel?: FakeChannel;
    } = {},
  ) {
    const { config: checked, issues } = checkConfig(config);
    deepStrictEqual(issues, []);
    this.channel = channel ?? new FakeChannel({ capabilities: { editEveryMs: 1 } });
    this.#store = store;
    const log = new RecordedLog();
    this.outbox = new Outbox({
      store,
      outlets: { channel: () => this.channel, delivered: () => {} },
      log,
      timing: { graceMs: 10, arriveMs: 0 },
    });
    this.replies = new ChatReplies({
      outbox: this.outbox,
      channel: () => this.channel,
      settings: new Settings(() => checked),
      log,
    });
  }

  get texts(): readonly string[] {
    return this.channel.network.texts();
  }

  /** Writes on until the chat shows just that. */
  async writes(text: string): Promise<void> {
    this.replies.writing(RUN, text);
    await this.shows(text);
  }

  shows(...texts: readonly string[]): Promise<void> {
    return this.channel.network.until(() =>
      this.texts.length === texts.length && this.texts.every((text, i) => text === texts[i])
    );
  }

  /** Resolves when all that was accepted has ended. */
  async idle(): Promise<void> {
    for (const { id } of this.outbox.ofOrigin("run:r1")) {
      await this.outbox.ended(id, { timeoutMs: 60_000 });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.replies[Symbol.dispose]();
    await this.outbox[Symbol.asyncDispose]();
    this.#store[Symbol.dispose]();
  }
}

Deno.test("what is being written is shown by a message that becomes the answer", async () => {
  await using live = new Live();
  live.replies.began(RUN);
  await live.writes(SOME);
  await live.writes(`${SOME}, and more`);
  live.replies.said(RUN, `${SOME}, and more. ${"word ".repeat(30)}`);
  await live.channel.network.showing(2);
  await live.idle();
  strictEqual(live.texts[0], `${SOME}, and more. ${"word ".repeat(11)}`.trim());
  strictEqual(live.texts.length, 2);
  const [preview, answer] = live.outbox.ofOrigin("run:r1");
  deepStrictEqual([preview?.messageIds, answer?.messageIds], [["m1"], ["m1"]]);
  strictEqual(answer?.message.edits, preview?.id);
});

Deno.test("each message of a run has a preview of its own, and only the first names what it answers", async () => {
  const fake = { streaming: "partial", replyToMode: "first" };
  await using live = new Live({ config: { channels: { fake } } });
  live.replies.began(RUN);
  await live.writes(SOME);
  live.replies.said(RUN, "First.");
  await live.shows("First.");
  live.replies.writing(RUN, `${SOME} again`);
  await live.shows("First.", `${SOME} again`);
  live.replies.said(RUN, "Second.");
  await live.shows("First.", "Second.");
  deepStrictEqual(live.channel.network.shown.map(({ message }) => message.replyTo), [
    "m7",
    undefined,
  ]);
  live.replies.ended(RUN, OK);
  await live.idle();
  strictEqual(live.outbox.ofOrigin("run:r1").length, 4);
});

/** How the owner may want it, and whether it is then shown. */
const WANTED: readonly (readonly [unknown, boolean])[] = [
  [{}, false],
  [{ streaming: "off" }, false],
  [{ streaming: "block" }, false],
  [{ streaming: false }, false],
  [{ streaming: "sideways" }, false],
  [{ streaming: { chunkMode: "length" } }, false],
  [{ streaming: { mode: "block" }, streamMode: "partial" }, false],
  [{ streaming: "partial" }, true],
  [{ streaming: "progress" }, true],
  [{ streaming: true }, true],
  [{ streaming: { mode: "partial" } }, true],
  [{ streamMode: "partial" }, true],
  [{ streamMode: "replace" }, true],
  [{ streamMode: "append" }, false],
  [{ streaming: "off", streamMode: "partial" }, false],
  [{ streaming: "off", accounts: { default: { streaming: "partial" } } }, true],
  [{ streaming: "partial", accounts: { default: { streaming: "off" } } }, false],
];

Deno.test("the configuration says whether it is shown, also in the words of older ones", async () => {
  for (const [fake, isShown] of WANTED) {
    const what = JSON.stringify(fake);
    await using live = new Live({ config: { channels: { fake } } });
    live.replies.began(RUN);
    if (isShown) await live.writes(SOME);
    else live.replies.writing(RUN, SOME);
    live.replies.said(RUN, "All.");
    await live.channel.network.until(() => live.texts[0] === "All.");
    await live.idle();
    deepStrictEqual(live.texts, ["All."], what);
    strictEqual(live.outbox.ofOrigin("run:r1").length, isShown ? 2 : 1, what);
  }
});

Deno.test("nothing is shown where the network can't, where it waits, or where nothing may be said", async () => {
  const mute = new FakeChannel();
  const rigid = new FakeChannel({ capabilities: { editEveryMs: 1 } });
  Object.assign(rigid, { delete: undefined });
  const awaited = { ...RUN, target: { ...RUN.target, isAwaited: true as const } };
  for (
    const [channel, run, text] of [
      [mute, RUN, SOME],
      [rigid, RUN, SOME],
      [undefined, awaited, SOME],
      [undefined, RUN, "NO_RE"],
    ] as const
  ) {
    await using live = new Live(channel === undefined ? {} : { channel });
    live.replies.began(run);
    live.replies.writing(run, text);
    live.replies.said(run, "All.");
    await live.shows("All.");
    strictEqual(live.outbox.ofOrigin("run:r1").length, 1);
  }
});

Deno.test("a run that is cut leaves what it has said, or nothing, and no message twice", async () => {
  const stopped = (stoppedBy: "stop" | "timeout"): Ending => ({
    ...OK,
    status: "aborted",
    stoppedBy,
  });
  const NOTICE = "⚠️ I could not answer: the model is overloaded";
  for (
    const [kept, ending, expected] of [
      [`${SOME} unti`, stopped("stop"), [`${SOME} unti`]],
      [undefined, stopped("stop"), []],
      [`${SOME} unti`, stopped("timeout"), [
        `${SOME} unti`,
        "⚠️ I could not answer: it took too long",
      ]],
      [undefined, stopped("timeout"), ["⚠️ I could not answer: it took too long"]],
      [undefined, FAILED, [NOTICE]],
      [undefined, OK, []],
    ] as const
  ) {
    await using live = new Live();
    live.replies.began(RUN);
    await live.writes(SOME);
    if (kept !== undefined) live.replies.brokeOff(RUN, kept);
    live.replies.ended(RUN, ending);
    await live.shows(...expected);
    await live.idle();
    deepStrictEqual(live.texts, expected);
  }
});

Deno.test("nobody is told of a message that broke off before they saw any of it", async () => {
  await using live = new Live();
  live.replies.began(RUN);
  live.replies.brokeOff(RUN, SOME);
  live.replies.ended(RUN, { ...OK, status: "aborted", stoppedBy: "stop" });
  deepStrictEqual(live.outbox.ofOrigin("run:r1"), []);
});

Deno.test("what an earlier process has shown becomes the answer, whoever gives it", async () => {
  const folder = await Deno.makeTempDir();
  const network = new FakeNetwork();
  const born = () => ({
    store: openStore(`${folder}/store.sqlite`),
    channel: new FakeChannel({ network, capabilities: { editEveryMs: 1 } }),
  });
  try {
    {
      await using live = new Live(born());
      live.replies.began(RUN);
      await live.writes(SOME);
    }
    {
      await using live = new Live(born());
      live.replies.began(RUN);
      await live.writes("Now it is another text.");
    }
    {
      await using live = new Live({ ...born(), config: { channels: { fake: {} } } });
      live.replies.ended(RUN, FAILED);
      await live.shows("⚠️ I could not answer: the model is overloaded");
      await live.idle();
    }
    strictEqual(network.shown[0]?.id, "m1");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("nobody is shown to be writing where it can be seen", async () => {
  const config = { ...STREAMED, agents: { defaults: { typingIntervalSeconds: 1 } } };
  await using live = new Live({ config });
  await using other = new Live({ config: { ...config, channels: { fake: {} } } });
  live.replies.began(RUN);
  await live.writes(SOME);
  const twice = Promise.withResolvers<void>();
  other.channel.onTyping = () => {
    if (other.channel.typed.length === 2) twice.resolve();
    return Promise.resolve();
  };
  other.replies.began(RUN);
  await twice.promise;
  deepStrictEqual(live.channel.typed, []);
});
