import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { ChatMessage } from "../../schemas/message.ts";
import type { EventPayloads } from "../../schemas/mod.ts";
import { stopClock } from "../../tests/clock.ts";
import { assistantMessage, RecordedLog, Recorder } from "../../tests/kernel.ts";
import type { SessionKey } from "../session.ts";
import { createBus } from "./bus.ts";
import { RunStream } from "./stream.ts";

const KEY = "agent:main:main" as SessionKey;
const DONE = { status: "ok", stopReason: "stop", text: "", provider: "p", model: "m" } as const;

Deno.test("events of a run are numbered over all its streams, chat events with their cause", () => {
  using told = tell((stream) => {
    stream.started(1);
    stream.tell({ type: "model", provider: "p", model: "m" });
    stream.tell({ type: "text", delta: "Hello" });
    stream.tell({ type: "message", message: assistantMessage("Hello") });
    stream.ended(DONE, { at: 9 });
  });
  deepStrictEqual(told.lines, [
    'agent 1 lifecycle {"phase":"start","startedAt":1}',
    'agent 2 lifecycle {"phase":"model","provider":"p","model":"m"}',
    'agent 3 assistant {"text":"Hello","delta":"Hello"}',
    "chat 3 delta Hello +Hello",
    'agent 4 lifecycle {"phase":"end","startedAt":1,"endedAt":9,"stopReason":"stop"}',
    "chat 4 final Hello",
  ]);
});

Deno.test("deltas come at a pace, and none of the text is lost", async () => {
  using told = tell((stream) => {
    for (const delta of ["one", " two", " three"]) stream.tell({ type: "text", delta });
  });
  deepStrictEqual(told.chat(), ["chat 1 delta one +one"]);
  await told.events.next("chat");
  const { payload } = await told.events.next("chat");
  strictEqual(payload.state === "delta" && payload.deltaText, " two three");
});

Deno.test("deltas keep their pace where the clock is set back", async () => {
  using told = tell((stream) => {
    using clock = stopClock("Date");
    stream.tell({ type: "text", delta: "one" });
    clock.setSystemTime(Date.now() - 3_600_000); // a timer can run for that long
    stream.tell({ type: "text", delta: " two" });
  });
  await told.events.next("chat");
  const { payload } = await told.events.next("chat");
  strictEqual(payload.state === "delta" && payload.deltaText, " two");
});

Deno.test("the end of a message is shown at once", () => {
  using told = tell((stream) => {
    for (const delta of ["one", " two"]) stream.tell({ type: "text", delta });
    stream.tell({ type: "message", message: assistantMessage("one two") });
  });
  deepStrictEqual(told.chat(), ["chat 1 delta one +one", "chat 2 delta one two + two"]);
});

Deno.test("what a long answer costs its followers does not grow with its square", () => {
  const words = Array.from({ length: 4_000 }, (_, i) => `word${i} `);
  using told = tell((stream) => {
    for (const delta of words) stream.tell({ type: "thinking", delta });
    for (const delta of words) stream.tell({ type: "text", delta });
    stream.tell({ type: "message", message: assistantMessage(words.join("")) });
  });
  const sent = told.lines.filter((line) => line.startsWith("agent"));
  ok(sent.length < words.length / 4, `${sent.length} events`);
  const deltas = (stream: string) =>
    sent.filter((line) => line.includes(` ${stream} `))
      .map((line) => JSON.parse(line.slice(line.indexOf("{"))).delta).join("");
  strictEqual(deltas("assistant"), words.join(""));
  strictEqual(deltas("thinking"), words.join(""));
});

Deno.test("the final message is whole also where the last delta was not shown", () => {
  using told = tell((stream) => {
    for (const delta of ["one", " two\n"]) stream.tell({ type: "text", delta });
    stream.ended(DONE, { at: 9 });
  });
  deepStrictEqual(told.chat(), ["chat 1 delta one +one", "chat 3 final one two"]);
});

Deno.test("a second message takes the place of the first, and says so", () => {
  using told = tell((stream) => {
    stream.tell({ type: "text", delta: "Let me look." });
    stream.tell({ type: "message", message: assistantMessage("Let me look.") });
    stream.tell({ type: "text", delta: "There" });
    stream.tell({ type: "message", message: assistantMessage("There") });
    stream.ended(DONE, { at: 9 });
  });
  deepStrictEqual(told.chat(), [
    "chat 1 delta Let me look. +Let me look.",
    "chat 2 delta There =There",
    "chat 3 final There",
  ]);
});

for (const word of ["NO_REPLY", "HEARTBEAT_OK"]) {
  Deno.test(`an answer of ${word} is not shown, and its end has no message`, () => {
    using told = tell((stream) => {
      for (const letter of word) stream.tell({ type: "text", delta: letter });
      stream.tell({ type: "message", message: assistantMessage(word) });
      stream.ended(DONE, { at: 9 });
    });
    deepStrictEqual(told.chat(), [`chat ${word.length + 1} final -`]);
  });
}

Deno.test("an answer that only begins like silence is shown", () => {
  using told = tell((stream) => {
    stream.tell({ type: "text", delta: "NO" });
    stream.tell({ type: "text", delta: "NE" });
    stream.ended(DONE, { at: 9 });
  });
  deepStrictEqual(told.chat(), ["chat 2 delta NONE +NONE", "chat 3 final NONE"]);
  using short = tell((stream) => {
    stream.tell({ type: "text", delta: "NO" });
    stream.ended(DONE, { at: 9 });
  });
  deepStrictEqual(short.chat(), ["chat 2 final NO"]);
});

Deno.test("a run that was stopped tells why, and what was said by then", () => {
  using told = tell((stream) => {
    stream.started(1);
    stream.tell({ type: "text", delta: "half" });
    const outcome = { status: "aborted", text: "half", provider: "p", model: "m" } as const;
    stream.ended(outcome, { at: 9, stopReason: "timeout" });
  });
  deepStrictEqual(told.lines.slice(-2), [
    "chat 2 aborted half timeout",
    'agent 3 lifecycle {"phase":"end","startedAt":1,"endedAt":9,"aborted":true,"stopReason":"timeout"}',
  ]);
});

Deno.test("a run that failed says so in both streams", () => {
  using told = tell((stream) => {
    stream.started(1);
    const failure = { status: "error", kind: "rate_limit", error: "too much" } as const;
    stream.ended({ text: "", provider: "", model: "", ...failure }, { at: 9 });
  });
  deepStrictEqual(told.lines.slice(-2), [
    'agent 2 lifecycle {"phase":"error","error":"too much","startedAt":1,"endedAt":9}',
    "chat 2 error too much rate_limit",
  ]);
});

Deno.test("kinds of failure that clients don't know are unknown to them", () => {
  for (const kind of ["auth", "overloaded", "network", "invalid", "unknown"] as const) {
    using told = tell((stream) => {
      const failure = { status: "error", kind, error: "no" } as const;
      stream.ended({ text: "", provider: "", model: "", ...failure }, { at: 9 });
    });
    deepStrictEqual(told.chat(), ["chat 1 error no unknown"]);
  }
});

Deno.test("tools are told to those who listen now, and who can show them", () => {
  const listeners = new Set(["a"]);
  using told = tell((stream) => {
    const call = { type: "tool", id: "1", name: "read" } as const;
    stream.tell({ ...call, phase: "start", args: { path: "x" } });
    listeners.add("b");
    stream.tell({ ...call, phase: "update", partial: "…" });
    const content = [{ type: "image", data: "AAAA", mimeType: "image/png" }] as const;
    stream.tell({ ...call, phase: "result", result: { content } });
  }, { toolListeners: () => new Set(listeners) });
  deepStrictEqual(
    told.events.all.map(({ audience }) => [[...audience?.connIds ?? []], audience?.cap]),
    [[["a"], "tool-events"], [["a", "b"], "tool-events"], [["a", "b"], "tool-events"]],
  );
  deepStrictEqual(told.lines, [
    'agent 1 tool {"phase":"start","name":"read","toolCallId":"1","args":{"path":"x"}}',
    'agent 2 tool {"phase":"update","name":"read","toolCallId":"1","partialResult":"…"}',
    'agent 3 tool {"phase":"result","name":"read","toolCallId":"1","isError":false,' +
    '"result":{"content":[{"type":"text","text":"[image image/png]"}]}}',
  ]);
});

Deno.test("thoughts, retries, compactions and usage are told as they come", () => {
  using told = tell((stream) => {
    stream.tell({ type: "thinking", delta: "hm" });
    stream.tell({ type: "thinking", delta: "m" });
    stream.tell({ type: "retry", attempt: 2, reason: "busy", delayMs: 5 });
    stream.tell({ type: "compaction", phase: "start" });
    const usage = { input: 1, output: 2, cacheRead: 0, cacheWrite: 0, totalTokens: 3 };
    stream.tell({ type: "usage", usage, contextTokens: 100 });
  });
  deepStrictEqual(told.lines, [
    'agent 1 thinking {"text":"hm","delta":"hm"}',
    'agent 2 thinking {"text":"hmm","delta":"m"}',
    'agent 3 run_status {"phase":"retrying","attempt":2,"reason":"busy","delayMs":5}',
    'agent 4 compaction {"phase":"start"}',
    'agent 5 usage {"outputTokens":2}',
  ]);
});

Deno.test("every event names the run, the conversation and the agent", () => {
  using told = tell((stream) => {
    stream.started(1);
    stream.merged();
  });
  for (const { payload, audience } of told.events.all) {
    const { runId, sessionKey, agentId } = payload as Record<string, unknown>;
    deepStrictEqual([runId, sessionKey, agentId], ["r1", KEY, "main"]);
    strictEqual(audience?.sessionKey, KEY);
  }
  ok(told.lines.includes("chat 1 final -"));
});

/** What a stream tells of some steps, a line for each event. */
function tell(
  steps: (stream: RunStream) => void,
  { toolListeners = () => new Set<string>() }: { toolListeners?: () => ReadonlySet<string> } = {},
) {
  const bus = createBus(new RecordedLog());
  const events = new Recorder(bus);
  const names = { runId: "r1", sessionKey: KEY, agentId: "main", sessionId: "s1" };
  const stream = new RunStream(bus, { ...names, toolListeners });
  steps(stream);
  const lines = events.all.map(({ name, payload }) => {
    if (name === "agent") {
      return `agent ${payload.seq} ${payload.stream} ${JSON.stringify(payload.data)}`;
    }
    return name === "chat" ? describe(payload) : name;
  });
  return {
    events,
    lines,
    chat: () => lines.filter((line) => line.startsWith("chat")),
    [Symbol.dispose]: () => stream[Symbol.dispose](),
  };
}

function describe(payload: EventPayloads["chat"]): string {
  const { seq, state } = payload;
  switch (state) {
    case "delta": {
      const { deltaText, replace, message } = payload;
      return `chat ${seq} delta ${textIn(message)} ${replace ? "=" : "+"}${deltaText}`;
    }
    case "final":
      return `chat ${seq} final ${textIn(payload.message)}`;
    case "aborted":
      return `chat ${seq} aborted ${textIn(payload.message)} ${payload.stopReason}`;
    case "error":
      return `chat ${seq} error ${payload.errorMessage} ${payload.errorKind}`;
    default:
      return `chat ${seq} ${state}`;
  }
}

function textIn(message: ChatMessage | undefined): string {
  const [block] = message?.content ?? [];
  return typeof block === "object" && block.type === "text" ? block.text : "-";
}
