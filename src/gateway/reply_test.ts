import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { FakeChannel, placeOf } from "../../tests/fakes/channel.ts";
import { RecordedLog } from "../../tests/kernel.ts";
import type { Channel } from "../channel.ts";
import { checkConfig } from "../config.ts";
import type { OutboundMessage } from "../message.ts";
import type { SessionKey } from "../session.ts";
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

Deno.test("an answer that the network waits for names its message in any case", () => {
  using world = new World();
  const awaited = { ...RUN, target: { ...RUN.target, isAwaited: true as const } };
  world.replies.began(awaited);
  world.replies.said(awaited, `${"word ".repeat(30)}`);
  deepStrictEqual(world.answered, ["m7", undefined]);
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
