import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { assistantMessage, toolResult } from "../../tests/kernel.ts";
import type { Message, UserMessage } from "../session.ts";
import type { Transcripts } from "../store.ts";
import { openStore } from "../store/sqlite.ts";
import { beginningOf, readHistory } from "./history.ts";

const user = (content: UserMessage["content"]): UserMessage => ({
  role: "user",
  content,
  timestamp: 5,
});

Deno.test("a message is told with its place in the transcript", () => {
  using store = openStore(":memory:");
  store.transcripts.append("s", {
    id: "m1",
    kind: "message",
    at: 7,
    runId: "r1",
    message: { ...user("hi"), idempotencyKey: "r1" },
  });
  deepStrictEqual(readHistory(store.transcripts, "s", { limit: 10 }), {
    messages: [{
      role: "user",
      timestamp: 5,
      content: "hi",
      __openclaw: {
        id: "m1",
        seq: 1,
        recordTimestampMs: 7,
        runId: "r1",
        idempotencyKey: "r1:user",
      },
    }],
    total: 1,
    hasMore: false,
  });
});

Deno.test("what is private stays behind: image data, signatures, and our own marks", () => {
  const [shown, answer, result] = tell([
    user([{ type: "text", text: "look" }, {
      type: "image",
      data: "A".repeat(400),
      mimeType: "image/png",
    }]),
    assistantMessage("", {
      api: "test-api",
      command: true,
      content: [
        { type: "thinking", thinking: "hm", thinkingSignature: "signed" },
        { type: "toolCall", id: "c1", name: "read", arguments: { path: "x" } },
      ],
    }),
    toolResult("c1", "found"),
  ]);
  deepStrictEqual(shown?.content, [
    { type: "text", text: "look" },
    { type: "image", mimeType: "image/png", omitted: true, bytes: 300 },
  ]);
  deepStrictEqual(answer?.content, [
    { type: "thinking", thinking: "hm" },
    { type: "toolCall", id: "c1", name: "read", arguments: { path: "x" } },
  ]);
  ok(!("command" in (answer ?? {})));
  deepStrictEqual([result?.toolCallId, result?.toolName, result?.isError], ["c1", "read", false]);
});

Deno.test("a long block is cut", () => {
  const long = "x".repeat(12_001);
  const [plain, blocks] = tell([user(long), user([{ type: "text", text: long }])]);
  const cut = `${"x".repeat(12_000)}\n…(truncated)…`;
  strictEqual(plain?.content, cut);
  deepStrictEqual(blocks?.content, [{ type: "text", text: cut }]);
  const [fits] = tell([user("x".repeat(12_000))]);
  strictEqual(fits?.content, "x".repeat(12_000));
});

Deno.test("a text is never cut through a character", () => {
  strictEqual(beginningOf("ab🦀", 3), "ab");
  strictEqual(beginningOf("ab🦀", 4), "ab🦀");
  const [message] = tell([user("x".repeat(11_999) + "🦀🦀")]);
  ok((message?.content as string).isWellFormed());
});

Deno.test("a message that is too large as a whole is replaced by a word about it", () => {
  const many = Array.from(
    { length: 12 },
    () => ({ type: "text" as const, text: "x".repeat(12_000) }),
  );
  const [message] = tell([user(many)]);
  deepStrictEqual(message?.content, [
    { type: "text", text: "[message of 144200 bytes left out: too large to show]" },
  ]);
  const call = {
    type: "toolCall",
    id: "c",
    name: "write",
    arguments: { text: "x".repeat(140_000) },
  } as const;
  const [write] = tell([assistantMessage("", { content: [call] })]);
  strictEqual((write?.content as { type: string }[])[0]?.type, "text");
});

Deno.test("pages go back from the newest, oldest first in each", () => {
  using store = openStore(":memory:");
  fill(store.transcripts, Array.from({ length: 5 }, (_, i) => user(`${i + 1}`)));
  const page = (limit: number, offset: number) => {
    const { messages, total, hasMore } = readHistory(store.transcripts, "s", { limit, offset });
    return [messages.map(({ content }) => content).join(""), total, hasMore];
  };
  deepStrictEqual(page(2, 0), ["45", 5, true]);
  deepStrictEqual(page(2, 2), ["23", 5, true]);
  deepStrictEqual(page(2, 4), ["1", 5, false]);
  deepStrictEqual(page(2, 9), ["", 5, false]);
  deepStrictEqual(page(9, 0), ["12345", 5, false]);
});

Deno.test("summaries are no messages", () => {
  using store = openStore(":memory:");
  fill(store.transcripts, [user("1"), user("2")]);
  const compaction = { summary: "s", firstKeptSeq: 2, tokensBefore: 9 };
  store.transcripts.append("s", { kind: "compaction", at: 1, compaction });
  fill(store.transcripts, [user("3")]);
  const { messages, total, hasMore } = readHistory(store.transcripts, "s", { limit: 2 });
  deepStrictEqual([messages.map(({ content }) => content), total, hasMore], [["2", "3"], 3, true]);
});

Deno.test("an answer stays within six megabytes; the rest is on the next page", () => {
  using store = openStore(":memory:");
  const large = Array.from(
    { length: 10 },
    () => ({ type: "text" as const, text: "x".repeat(12_000) }),
  );
  fill(store.transcripts, Array.from({ length: 60 }, () => user(large)));
  const { messages, hasMore } = readHistory(store.transcripts, "s", { limit: 60 });
  ok(messages.length > 40 && messages.length < 55, `${messages.length}`);
  ok(hasMore);
  const rest = readHistory(store.transcripts, "s", { limit: 60, offset: messages.length });
  deepStrictEqual([messages.length + rest.messages.length, rest.hasMore], [60, false]);
  ok(JSON.stringify(messages).length < 6.5 * 1024 * 1024);
});

function tell(messages: readonly Message[]) {
  using store = openStore(":memory:");
  fill(store.transcripts, messages);
  return readHistory(store.transcripts, "s", { limit: 100 }).messages;
}

function fill(transcripts: Transcripts, messages: readonly Message[]): void {
  for (const message of messages) transcripts.append("s", { kind: "message", message, at: 1 });
}
