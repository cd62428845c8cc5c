import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { FakeConversation } from "../../tests/fakes/conversation.ts";
import type { Message } from "../session.ts";
import { contextTokens, planCompaction, roomIn } from "./compaction.ts";

const NO_ROOM = { keepTokens: 0, tokensBefore: 0 };

Deno.test("the newest messages stay, as many as have room", () => {
  const conversation = new FakeConversation();
  for (let i = 1; i <= 10; i++) conversation.say("x".repeat(400)); // 100 tokens each
  const plan = planCompaction(conversation.history(), { keepTokens: 350, tokensBefore: 1_000 });
  strictEqual(plan?.firstKeptSeq, 8);
  strictEqual(plan?.older.length, 7);
  strictEqual(plan?.tokensBefore, 1_000);
});

Deno.test("a result is never parted from its call", () => {
  const conversation = new FakeConversation().say("go").store(call("x".repeat(4_000)))
    .store(result("y".repeat(4_000)));
  strictEqual(planCompaction(conversation.history(), NO_ROOM)?.firstKeptSeq, 2);
});

Deno.test("the newest message stays, however long it is", () => {
  const conversation = new FakeConversation().say("short").say("x".repeat(100_000));
  strictEqual(planCompaction(conversation.history(), NO_ROOM)?.firstKeptSeq, 2);
});

Deno.test("there is nothing to do where nothing is older", () => {
  const keepAll = { keepTokens: 1_000, tokensBefore: 0 };
  strictEqual(planCompaction([], NO_ROOM), undefined);
  strictEqual(planCompaction(new FakeConversation().say("one").history(), NO_ROOM), undefined);
  strictEqual(
    planCompaction(new FakeConversation().say("one").say("two").history(), keepAll),
    undefined,
  );
});

Deno.test("what an earlier summary said goes into the next one", async () => {
  const conversation = new FakeConversation().say("one").say("two").say("three");
  await compacted(conversation, "they said one", 2);
  const plan = planCompaction(conversation.history(), NO_ROOM);
  strictEqual(plan?.previous, "they said one");
  deepStrictEqual(plan?.older.map(({ content }) => content), ["two"]);
});

Deno.test("the model's own count is believed, until a compaction makes it old", async () => {
  const conversation = new FakeConversation().say("one").store(answer(5_000)).say("x".repeat(400));
  strictEqual(contextTokens(conversation.history(), 700), 5_100);
  await compacted(conversation, "y".repeat(40), 2);
  ok(contextTokens(conversation.history(), 700) < 1_000);
  conversation.store(answer(900));
  strictEqual(contextTokens(conversation.history(), 700), 900);
});

Deno.test("a small window keeps less free than a large one", () => {
  deepStrictEqual(roomIn(200_000, 20_000), { limit: 180_000, keep: 20_000 });
  deepStrictEqual(roomIn(8_000, 20_000), { limit: 6_000, keep: 2_000 });
});

async function compacted(conversation: FakeConversation, summary: string, firstKeptSeq: number) {
  await conversation.take((async function* () {
    const compaction = { summary, firstKeptSeq, tokensBefore: 1 };
    yield { type: "compaction", phase: "end", compaction } as const;
  })());
}

function answer(totalTokens: number): Message {
  return {
    role: "assistant",
    content: [{ type: "text", text: "ok" }],
    provider: "fake",
    model: "m",
    usage: { input: totalTokens, output: 0, cacheRead: 0, cacheWrite: 0, totalTokens },
    stopReason: "stop",
    timestamp: 1,
  };
}

function call(text: string): Message {
  return {
    role: "assistant",
    content: [{ type: "toolCall", id: "a", name: "write", arguments: { text } }],
    provider: "fake",
    model: "m",
    stopReason: "toolUse",
    timestamp: 1,
  };
}

function result(text: string): Message {
  return {
    role: "toolResult",
    toolCallId: "a",
    toolName: "write",
    content: [{ type: "text", text }],
    isError: false,
    timestamp: 1,
  };
}
