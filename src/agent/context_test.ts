import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { FakeConversation } from "../../tests/fakes/conversation.ts";
import type { AssistantMessage, Message } from "../session.ts";
import {
  estimateTokens,
  isTimeZone,
  SUMMARY_HEADING,
  systemPrompt,
  toMessages,
} from "./context.ts";

const SITUATION = {
  identity: { agentId: "main", name: "Claw" },
  workspace: "/state/workspace",
  files: [],
  tools: [{ name: "read" }, { name: "write" }],
  now: new Date("2026-11-21T23:30:00Z"),
  timeZone: "Asia/Tokyo",
  extra: undefined,
};

Deno.test("the system prompt says who, when, where and with what", () => {
  const prompt = systemPrompt({
    ...SITUATION,
    extra: "Speak softly.",
    files: [{ name: "SOUL.md", text: "Be kind." }],
  });
  for (
    const part of [
      "You are Claw",
      "Sunday",
      "22 November 2026",
      "Asia/Tokyo",
      "/state/workspace",
      "read, write",
      "Speak softly.",
      '<file name="SOUL.md">\nBe kind.\n</file>',
    ]
  ) ok(prompt.includes(part), part);
});

Deno.test("the system prompt stays the same for a day, so that it can be cached", () => {
  const later = new Date("2026-11-22T09:00:00Z");
  strictEqual(systemPrompt(SITUATION), systemPrompt({ ...SITUATION, now: later }));
});

Deno.test("a time zone that nobody knows is not taken", () => {
  ok(isTimeZone("Europe/Vienna"));
  ok(!isTimeZone("Middle/Earth") && !isTimeZone(undefined));
  ok(systemPrompt({ ...SITUATION, timeZone: "Middle/Earth" }).includes("2026"));
});

Deno.test("a summary comes first", async () => {
  const conversation = new FakeConversation().say("one").say("two");
  const compaction = { summary: "they said one", firstKeptSeq: 2, tokensBefore: 9 };
  await conversation.take((async function* () {
    yield { type: "compaction", phase: "end", compaction } as const;
  })());
  const messages = toMessages(conversation.history());
  deepStrictEqual(messages.map(({ content }) => content), [
    `${SUMMARY_HEADING}\nthey said one`,
    "two",
  ]);
});

Deno.test("a call that a crash left without a result gets one", () => {
  const conversation = new FakeConversation().say("go").store(calling("a", "b"))
    .store(answer("a")).say("and?");
  deepStrictEqual(outline(conversation), ["user", "assistant", "a", "b!", "user"]);
  deepStrictEqual(conversation.messages.length, 4, "the transcript is not touched");
});

Deno.test("results come right behind their calls, and strays are left out", () => {
  const conversation = new FakeConversation().store(answer("lost")).store(calling("a"))
    .say("wait").store(answer("a")).store(calling("a")).store(answer("a")).store(answer("z"));
  deepStrictEqual(outline(conversation), ["assistant", "a", "user", "assistant", "a"]);
});

Deno.test("what somebody else put into the conversation does not part a call from its result", () => {
  const conversation = new FakeConversation().store(calling("a")).store(calling()).store(
    answer("a"),
  );
  deepStrictEqual(outline(conversation), ["assistant", "a", "assistant"]);
});

Deno.test("tokens are estimated by length", () => {
  strictEqual(estimateTokens("12345678"), 2);
  ok(estimateTokens(calling("a")) > 0);
});

function outline(conversation: FakeConversation): readonly string[] {
  return toMessages(conversation.history()).map((message: Message) =>
    message.role === "toolResult" ? message.toolCallId + (message.isError ? "!" : "") : message.role
  );
}

function calling(...ids: string[]): AssistantMessage {
  return {
    role: "assistant",
    content: ids.map((id) => ({ type: "toolCall", id, name: "read", arguments: { path: id } })),
    provider: "fake",
    model: "m",
    stopReason: "toolUse",
    timestamp: 1,
  };
}

function answer(toolCallId: string): Message {
  return {
    role: "toolResult",
    toolCallId,
    toolName: "read",
    content: [],
    isError: false,
    timestamp: 1,
  };
}
