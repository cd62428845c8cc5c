import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { ChatMessage } from "../../schemas/message.ts";
import {
  type Conversation,
  emptyConversation,
  movingRows,
  settledRows,
  toolsOf,
  withAgent,
  withChat,
  withMessage,
  withNewest,
  withOlder,
  withOutgoing,
  withTranscript,
} from "./conversation.ts";

const KEY = "agent:main:main";
const RUN = "run-1";

Deno.test("an answer grows, and then is the transcript's message, once", () => {
  let chat = loaded([said(1, "hi")]);
  chat = withAgent(chat, agent("lifecycle", { phase: "start" }));
  deepStrictEqual(shown(chat), ["user: hi", "run: "]);
  chat = withChat(chat, delta("Hello"));
  chat = withChat(chat, delta("Hello, you"));
  deepStrictEqual(shown(chat), ["user: hi", "run: Hello, you"]);
  chat = added(chat, answered(2, "Hello, you"));
  deepStrictEqual(shown(chat), ["user: hi", "answer: Hello, you", "run: "]);
  chat = withChat(chat, final("Hello, you"));
  deepStrictEqual(shown(chat), ["user: hi", "answer: Hello, you"]);
});

Deno.test("the end of a run may come before its message", () => {
  let chat = loaded([said(1, "hi")]);
  chat = withChat(chat, delta("Hello"));
  chat = withChat(chat, final("Hello"));
  deepStrictEqual(shown(chat), ["user: hi", "answer: Hello"]);
  chat = added(chat, answered(2, "Hello"));
  deepStrictEqual(shown(chat), ["user: hi", "answer: Hello"]);
});

Deno.test("a tool is shown from its start to its result, in the message that asked for it", () => {
  let chat = loaded([said(1, "look")]);
  chat = withAgent(chat, tool({ phase: "start", args: { path: "a" } }));
  deepStrictEqual(shown(chat), ["user: look", "run:  [read running]"]);
  chat = added(chat, called(2));
  deepStrictEqual(shown(chat), ["user: look", "answer: Let me look. [read running]", "run: "]);
  chat = withAgent(chat, tool({ phase: "update", partialResult: "some" }));
  chat = withAgent(
    chat,
    tool({ phase: "result", isError: true, result: { content: [{ type: "text", text: "no" }] } }),
  );
  deepStrictEqual(shown(chat), ["user: look", "answer: Let me look. [read failed no]", "run: "]);
  chat = added(chat, result(3, "No such file"));
  chat = withChat(chat, final("Gone"));
  deepStrictEqual(shown(chat), [
    "user: look",
    "answer: Let me look. [read failed No such file]",
    "answer: Gone",
  ]);
});

Deno.test("a tool whose end nobody told is not shown as running for ever", () => {
  const chat = loaded([said(1, "look"), called(2)]);
  deepStrictEqual(shown(chat), ["user: look", "answer: Let me look. [read unknown]"]);
});

Deno.test("a stopped answer keeps what was said", () => {
  let chat = withChat(loaded([said(1, "hi")]), delta("Hel"));
  chat = withChat(chat, { ...base, state: "aborted", message: answer("Hel"), stopReason: "rpc" });
  strictEqual(chat.runs.size, 0);
  const last = chat.entries.at(-1);
  ok(last?.role === "answer" && last.end === "stopped" && last.text === "Hel");
  // What still comes of that run doesn't bring it back.
  chat = withAgent(chat, agent("lifecycle", { phase: "end", aborted: true }));
  strictEqual(chat.runs.size, 0);
});

Deno.test("a failed run says why", () => {
  const chat = withChat(loaded([said(1, "hi")]), {
    ...base,
    state: "error",
    errorMessage: "no credit left",
  });
  const last = chat.entries.at(-1);
  ok(last?.role === "answer" && last.end === "failed" && last.problem === "no credit left");
});

Deno.test("what one sends is shown at once, and once", () => {
  let chat = withOutgoing(loaded([]), outgoing("k1", "hi"));
  deepStrictEqual(shown(chat), ["outgoing: hi"]);
  chat = added(chat, said(1, "hi", "k1"));
  deepStrictEqual(shown(chat), ["user: hi"]);
});

Deno.test("what is sent while the agent works waits below it", () => {
  let chat = withChat(loaded([said(1, "hi", RUN)]), delta("Hello"));
  chat = withOutgoing(chat, { ...outgoing("k2", "and this"), state: "sent" });
  deepStrictEqual(shown(chat), ["user: hi", "run: Hello", "outgoing: and this (queued)"]);
});

Deno.test("one's own pictures are kept where the transcript leaves them out", () => {
  const src = "data:image/png;base64,AA==";
  const chat = withOutgoing(loaded([]), { ...outgoing("k1", "see"), pictures: [{ src }] });
  const message = said(1, "see", "k1");
  const stored = added(chat, {
    ...message,
    content: [{ type: "text", text: "see" }, { type: "image", omitted: true, bytes: 9 }],
  });
  const [entry] = stored.entries;
  ok(entry?.role === "user");
  deepStrictEqual(entry.pictures, [{ src }]);
});

Deno.test("an answer that the transcript cuts stays whole while the page is open", () => {
  const long = "word ".repeat(4_000);
  let chat = withChat(loaded([said(1, "hi")]), delta(long));
  chat = added(chat, answered(2, `${long.slice(0, 12_000)}\n…(truncated)…`));
  const last = chat.entries.at(-1);
  ok(last?.role === "answer" && last.text === long);
});

Deno.test("a message told twice is shown once, and a missing one is noticed", () => {
  const chat = loaded([said(1, "hi")]);
  strictEqual(withMessage(chat, said(1, "hi")), chat);
  strictEqual(withMessage(chat, answered(3, "late")), "gap");
});

Deno.test("an injected message is shown once, whichever event comes first", () => {
  const message = answered(2, "Note", "other");
  const event = { ...base, runId: "inject-m2", seq: 0, state: "final" as const, message };
  const first = withChat(added(loaded([said(1, "hi")]), message), event);
  deepStrictEqual(shown(first), ["user: hi", "answer: Note"]);
  const second = added(withChat(loaded([said(1, "hi")]), event), message);
  deepStrictEqual(shown(second), ["user: hi", "answer: Note"]);
});

Deno.test("older pages go before, without doubles", () => {
  const newest = { ...page([said(3, "three"), answered(4, "four")]), hasMore: true, nextOffset: 2 };
  let chat = withNewest(emptyConversation(KEY), newest);
  strictEqual(chat.olderFrom, 2);
  chat = withOlder(chat, page([said(1, "one"), answered(2, "two"), said(3, "three")]), 2);
  deepStrictEqual(shown(chat), ["user: one", "answer: two", "user: three", "answer: four"]);
  strictEqual(chat.olderFrom, undefined);
});

Deno.test("a refresh keeps the older messages that join it, and drops those behind a hole", () => {
  const chat = loaded([said(1, "one"), answered(2, "two")]);
  deepStrictEqual(shown(withNewest(chat, page([answered(2, "two"), said(3, "three")]))), [
    "user: one",
    "answer: two",
    "user: three",
  ]);
  const far = { ...page([said(9, "nine")]), hasMore: true, nextOffset: 1 };
  const jumped = withNewest(chat, far);
  deepStrictEqual(shown(jumped), ["user: nine"]);
  strictEqual(jumped.olderFrom, 1);
});

Deno.test("a refresh doesn't take away why a run failed that had nothing to say", () => {
  const asked = { ...said(1, "hi", RUN), __openclaw: { id: "m1", seq: 1, runId: RUN } };
  let chat = loaded([asked]);
  chat = withChat(chat, { ...base, state: "error", errorMessage: "no such model" });
  chat = withNewest(chat, page([asked]));
  const last = chat.entries.at(-1);
  ok(last?.role === "answer" && last.problem === "no such model");
  // Once the transcript has an answer of its own, that is the one.
  chat = withNewest(chat, page([asked, answered(2, "Hello")]));
  deepStrictEqual(shown(chat), ["user: hi", "answer: Hello"]);
});

Deno.test("a page that comes to a run, or back to one, shows what is at work", () => {
  const row = { key: KEY, kind: "direct", updatedAt: 1, totalTokensFresh: false } as const;
  const sessionInfo = { ...row, hasActiveRun: true, activeRunIds: [RUN] };
  const now = (messages: readonly ChatMessage[]) => ({ ...page(messages), sessionInfo });
  const came = withNewest(emptyConversation(KEY), now([said(1, "look"), called(2)]));
  deepStrictEqual(shown(came), ["user: look", "answer: Let me look. [read running]", "run: "]);
  // A run that ended while the page was away makes way for the one that goes on.
  const start = agent("lifecycle", { phase: "start" });
  let chat = withAgent(loaded([]), { ...start, runId: "before" });
  chat = withChat(chat, delta("Let me look."));
  chat = withNewest(chat, now([said(1, "look"), called(2)]));
  deepStrictEqual(shown(chat), ["user: look", "answer: Let me look. [read running]", "run: "]);
  // What was heard of it goes on, and its end is not taken back by an older answer.
  chat = withNewest(withChat(chat, delta("It says")), now([said(1, "look"), called(2)]));
  deepStrictEqual(shown(chat).at(-1), "run: It says");
  chat = withChat(chat, final("It says no"));
  chat = withNewest(chat, now([said(1, "look"), called(2), result(3, "no")]));
  strictEqual(chat.runs.size, 0);
});

Deno.test("a reset forgets what was said, not what is being sent", () => {
  const chat = withOutgoing(loaded([said(1, "old")]), outgoing("k1", "new"));
  deepStrictEqual(shown(withTranscript(chat, "s2")), ["outgoing: new"]);
  strictEqual(withTranscript(chat, "s1"), chat);
});

Deno.test("rows that don't change are told apart from those that do", () => {
  const chat = loaded([said(1, "hi")]);
  const more = withChat(chat, delta("Hello"));
  strictEqual(more.entries, chat.entries);
  strictEqual(toolsOf(withChat(more, delta("Hello, you"))), toolsOf(more));
});

/** The list as text, one line for each row but the days. */
function shown(chat: Conversation): string[] {
  return [...settledRows(chat.entries, toolsOf(chat)), ...movingRows(chat)].flatMap((row) => {
    switch (row.kind) {
      case "day":
        return [];
      case "entry":
        return [`user: ${row.entry.text}`];
      case "outgoing":
        return [`outgoing: ${row.message.text}${row.isQueued ? " (queued)" : ""}`];
      case "answer":
      case "run": {
        const { text } = row.kind === "run" ? row.run : row.entry;
        const calls = row.calls.map(({ name, state, output }) =>
          ` [${[name, state, output].filter(Boolean).join(" ")}]`
        );
        return [`${row.kind}: ${text}${calls.join("")}`];
      }
    }
  });
}

const base = { runId: RUN, sessionKey: KEY, seq: 1 };

function loaded(messages: readonly ChatMessage[]): Conversation {
  return withNewest(emptyConversation(KEY), page(messages));
}

function page(messages: readonly ChatMessage[]) {
  return { sessionKey: KEY, sessionId: "s1", messages: [...messages], hasMore: false };
}

function added(chat: Conversation, message: ChatMessage): Conversation {
  const next = withMessage(chat, message);
  if (next === "gap") throw new Error("A message is missing");
  return next;
}

function answer(text: string): ChatMessage {
  return { role: "assistant", content: [{ type: "text", text }], timestamp: 1 };
}

function said(seq: number, text: string, key = `k${seq}0`): ChatMessage {
  const meta = { id: `m${seq}`, seq, idempotencyKey: `${key}:user` };
  return { role: "user", content: text, timestamp: seq, __openclaw: meta };
}

function answered(seq: number, text: string, runId = RUN): ChatMessage {
  const meta = { id: `m${seq}`, seq, runId };
  return { ...answer(text), timestamp: seq, stopReason: "stop", __openclaw: meta };
}

function called(seq: number): ChatMessage {
  return {
    role: "assistant",
    content: [
      { type: "text", text: "Let me look." },
      { type: "toolCall", id: "c1", name: "read", arguments: { path: "a" } },
    ],
    stopReason: "toolUse",
    timestamp: seq,
    __openclaw: { id: `m${seq}`, seq, runId: RUN },
  };
}

function result(seq: number, text: string): ChatMessage {
  return {
    role: "toolResult",
    toolCallId: "c1",
    toolName: "read",
    isError: true,
    content: [{ type: "text", text }],
    timestamp: seq,
    __openclaw: { id: `m${seq}`, seq, runId: RUN },
  };
}

function delta(text: string) {
  return { ...base, state: "delta" as const, deltaText: "", message: answer(text) };
}

function final(text: string) {
  return { ...base, state: "final" as const, message: answer(text) };
}

function agent(stream: string, data: Record<string, unknown>) {
  return { runId: RUN, sessionKey: KEY, seq: 1, ts: 1, stream, data };
}

function tool(data: Record<string, unknown>) {
  return agent("tool", { name: "read", toolCallId: "c1", ...data });
}

function outgoing(key: string, text: string) {
  return { key, text, pictures: [], at: 1, state: "sending" as const };
}
