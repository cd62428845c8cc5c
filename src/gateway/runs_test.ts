import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import type { ParamsOf } from "../../schemas/mod.ts";
import {
  assistantMessage,
  callerOf,
  startKernel,
  type TestKernel,
  toolResult,
} from "../../tests/kernel.ts";
import { GatewayError } from "../error.ts";
import type { RunRequest } from "../run.ts";
import { type SessionKey, textOf } from "../session.ts";
import type { Store } from "../store.ts";
import { openStore } from "../store/sqlite.ts";

const KEY = "agent:main:main" as SessionKey;

Deno.test("a turn is accepted, begun and ended, and told in that order", async () => {
  await using kernel = startKernel();
  const told: string[] = [];
  kernel.gateway.bus.subscribe(({ name, payload }) => {
    if (name === "agent") told.push(`agent ${payload.data.phase ?? payload.stream}`);
    if (name === "chat") told.push(`chat ${payload.state}`);
    if (name === "sessions.changed") told.push(`changed ${payload.reason}`);
  });
  const answer = send(kernel, "hi", { idempotencyKey: "r1" });
  answer.then(({ status }) => told.push(`answer ${status}`));
  const turn = await kernel.agent.turn();
  await turn.answers("hello");
  await kernel.events.next("sessions.changed", ({ reason }) => reason === "run-end");
  deepStrictEqual(told, [
    "changed send",
    "answer started",
    "agent start",
    "changed run-start",
    "agent assistant",
    "chat delta",
    "agent end",
    "chat final",
    "changed run-end",
  ]);
});

Deno.test("a message is on disk before it is accepted", async () => {
  await using kernel = startKernel();
  const answer = send(kernel, "hi", { idempotencyKey: "r1" });
  const run = kernel.store.runs.get("r1");
  strictEqual(run?.state, "accepted");
  strictEqual(run.sessionKey, KEY);
  deepStrictEqual(await answer, { runId: "r1", status: "started" });
  await (await kernel.agent.turn()).ends();
});

Deno.test("the agent goes on only when what it said, and what its tools did, is on disk", async () => {
  await using kernel = startKernel();
  await send(kernel, "look", { idempotencyKey: "r1" });
  const turn = await kernel.agent.turn();
  deepStrictEqual(transcript(kernel), ["user: look"]);
  const call = { type: "toolCall", id: "c1", name: "read", arguments: { path: "a" } } as const;
  const message = assistantMessage("", { content: [call], stopReason: "toolUse" });
  await turn.emit({ type: "message", message });
  deepStrictEqual(turn.io.history().map(({ seq }) => seq), [1, 2]);
  await turn.emit({ type: "message", message: toolResult("c1", "it is empty") });
  await turn.answers("nothing there");
  deepStrictEqual(transcript(kernel), [
    "user: look",
    "assistant: ",
    "toolResult: it is empty",
    "assistant: nothing there",
  ]);
  for (const entry of entries(kernel)) strictEqual(entry.runId, "r1");
});

Deno.test("a turn is asked with what the call, the session or the configuration says", async () => {
  await using kernel = startKernel({
    config: { agents: { defaults: { thinkingDefault: "low" } } },
  });
  const asked = async (params: Partial<ParamsOf<"chat.send">> = {}): Promise<RunRequest> => {
    await send(kernel, "hi", params);
    const turn = await kernel.agent.turn();
    await turn.ends();
    return turn.request;
  };
  const first = await asked();
  deepStrictEqual([first.agentId, first.sessionKey, first.thinking], ["main", KEY, "low"]);
  strictEqual(first.model, undefined);
  await kernel.call("sessions.patch", { key: "main", thinkingLevel: "high", model: "test/two" });
  const second = await asked();
  deepStrictEqual([second.thinking, second.model], ["high", "test/two"]);
  strictEqual((await asked({ thinking: "minimal" })).thinking, "minimal");
});

Deno.test("what a run took, and which model it used, is kept with its session", async () => {
  await using kernel = startKernel();
  await send(kernel, "hi", { idempotencyKey: "r1" });
  const turn = await kernel.agent.turn();
  await turn.emit({ type: "model", provider: "test", model: "two" });
  const usage = { input: 5, output: 7, cacheRead: 0, cacheWrite: 0, totalTokens: 12 };
  await turn.emit({ type: "usage", usage, contextTokens: 2000 });
  await turn.emit({ type: "compaction", phase: "start" });
  const compaction = { summary: "earlier", firstKeptSeq: 1, tokensBefore: 900 };
  await turn.emit({ type: "compaction", phase: "end", compaction });
  await turn.emit({ type: "compaction", phase: "end" });
  deepStrictEqual(turn.io.history()[0]?.kind, "compaction");
  await turn.answers("hello");
  await ended(kernel, "r1");
  const stats = kernel.store.sessions.get(KEY)?.stats;
  deepStrictEqual([stats?.modelProvider, stats?.model], ["test", "two"]);
  deepStrictEqual([stats?.inputTokens, stats?.outputTokens, stats?.totalTokens], [5, 7, 12]);
  deepStrictEqual([stats?.compactionCount, stats?.status, stats?.lastRunId], [1, "done", "r1"]);
});

Deno.test("when a run has ended its session is at rest", async () => {
  await using kernel = startKernel();
  await send(kernel, "hi");
  const started = await kernel.events.next(
    "sessions.changed",
    ({ reason }) => reason === "run-start",
  );
  deepStrictEqual([started.payload.session?.hasActiveRun, started.payload.session?.status], [
    true,
    "running",
  ]);
  await (await kernel.agent.turn()).answers("hello");
  const { payload } = await kernel.events.next(
    "sessions.changed",
    ({ reason }) => reason === "run-end",
  );
  deepStrictEqual([payload.session?.hasActiveRun, payload.session?.status], [false, "done"]);
});

// ── queueing ──────────────────────────────────────────────────────────────────────────────────

Deno.test("steer: a message joins the turn at its next step, and its own run ends with it", async () => {
  await using kernel = startKernel();
  await send(kernel, "do it", { idempotencyKey: "r1" });
  const turn = await kernel.agent.turn();
  await send(kernel, "but quickly", { idempotencyKey: "r2" });
  strictEqual(kernel.store.runs.get("r2")?.state, "accepted");
  strictEqual((await kernel.call("chat.history", { sessionKey: "main" })).pendingInputs?.total, 1);
  await turn.steers();
  deepStrictEqual(transcript(kernel), ["user: do it", "user: but quickly"]);
  strictEqual((await kernel.events.chat("final", "r2")).message, undefined);
  deepStrictEqual(await send(kernel, "but quickly", { idempotencyKey: "r2" }), {
    runId: "r2",
    status: "ok",
  });
  await turn.answers("done");
  await ended(kernel, "r1");
  strictEqual(kernel.agent.unclaimed, 0);
});

Deno.test("steer: a message that comes too late to join begins the next turn, and the order is kept", async () => {
  await using kernel = startKernel();
  await send(kernel, "one", { idempotencyKey: "r1" });
  const first = await kernel.agent.turn();
  await send(kernel, "two", { idempotencyKey: "r2" });
  await send(kernel, "three", { idempotencyKey: "r3" });
  await first.answers("1");
  const second = await kernel.agent.turn();
  strictEqual(second.request.runId, "r2");
  await send(kernel, "four", { idempotencyKey: "r4" });
  await second.steers();
  await second.answers("2, 3 and 4");
  await ended(kernel, "r2");
  deepStrictEqual(transcript(kernel), [
    "user: one",
    "assistant: 1",
    "user: two",
    "user: three",
    "user: four",
    "assistant: 2, 3 and 4",
  ]);
});

Deno.test("steer: a message that was handed out and not taken in is not lost", async () => {
  await using kernel = startKernel();
  await send(kernel, "one");
  const first = await kernel.agent.turn();
  await send(kernel, "two", { idempotencyKey: "r2" });
  strictEqual(first.io.steering().length, 1);
  strictEqual(first.io.steering().length, 0);
  first.throws(new Error("broken"));
  const second = await kernel.agent.turn();
  strictEqual(second.request.runId, "r2");
  await second.ends();
});

Deno.test("followup: each message is a turn, in the order in which they came", async () => {
  await using kernel = startKernel({ config: { messages: { queue: { mode: "followup" } } } });
  for (const runId of ["r1", "r2", "r3"]) await send(kernel, runId, { idempotencyKey: runId });
  for (const runId of ["r1", "r2", "r3"]) {
    const turn = await kernel.agent.turn();
    strictEqual(turn.request.runId, runId);
    strictEqual(turn.io.steering().length, 0);
    strictEqual(kernel.agent.unclaimed, 0);
    await turn.answers("ok");
  }
});

Deno.test("collect: what waits becomes one turn, whose answer is everybody's", async () => {
  await using kernel = startKernel({
    config: { messages: { queue: { mode: "collect", debounceMs: 0 } } },
  });
  for (const runId of ["r1", "r2", "r3"]) await send(kernel, runId, { idempotencyKey: runId });
  await (await kernel.agent.turn()).answers("first");
  const turn = await kernel.agent.turn();
  strictEqual(turn.request.runId, "r3");
  deepStrictEqual(transcript(kernel).slice(2), ["user: r2", "user: r3"]);
  const merged = await kernel.call("agent.wait", { runId: "r2" });
  strictEqual(merged.status, "ok");
  await turn.answers("both");
  await ended(kernel, "r3");
  strictEqual(kernel.agent.unclaimed, 0);
});

Deno.test("collect: a message that comes while more is waited for is taken along", async () => {
  await using kernel = startKernel({
    config: { messages: { queue: { mode: "collect", debounceMs: 1 } } },
  });
  await send(kernel, "r1", { idempotencyKey: "r1" });
  const first = await kernel.agent.turn();
  await send(kernel, "r2", { idempotencyKey: "r2" });
  await first.answers("1");
  await kernel.events.next("sessions.changed", ({ reason }) => reason === "run-end");
  await send(kernel, "r3", { idempotencyKey: "r3" });
  const second = await kernel.agent.turn();
  strictEqual(second.request.runId, "r3");
  strictEqual(kernel.store.runs.get("r2")?.state, "ok");
  await second.answers("2");
});

Deno.test("collect: a summary is never a part of another turn", async () => {
  await using kernel = startKernel({
    config: { messages: { queue: { mode: "collect", debounceMs: 0 } } },
  });
  await send(kernel, "r1");
  const first = await kernel.agent.turn();
  await send(kernel, "r2", { idempotencyKey: "r2" });
  await send(kernel, "/compact", { idempotencyKey: "r3" });
  await send(kernel, "r4", { idempotencyKey: "r4" });
  await first.answers("1");
  for (const [kind, runId] of [["run", "r2"], ["compact", "r3"], ["run", "r4"]]) {
    const turn = await kernel.agent.turn();
    deepStrictEqual([turn.kind, turn.request.runId], [kind, runId]);
    await turn.ends();
  }
});

Deno.test("who asks an agent for its answer gets a turn of their own, in every mode", async () => {
  for (const mode of ["steer", "collect"] as const) {
    await using kernel = startKernel({ config: { messages: { queue: { mode, debounceMs: 0 } } } });
    await send(kernel, "one", { idempotencyKey: "r1" });
    const first = await kernel.agent.turn();
    const params = { message: "two", idempotencyKey: "a1", sessionKey: "main" };
    const answer = kernel.call("agent", params);
    await send(kernel, "three", { idempotencyKey: "r3", queueMode: "followup" });
    strictEqual(first.io.steering().length, 0);
    await first.answers("1");
    const second = await kernel.agent.turn();
    strictEqual(second.request.runId, "a1");
    await second.answers("2");
    const last = await answer;
    deepStrictEqual(last.status === "ok" && last.result.payloads, [{ text: "2", mediaUrl: null }]);
    await (await kernel.agent.turn()).answers("3");
    await ended(kernel, "r3");
  }
});

Deno.test("interrupt: the newest message stops what runs and replaces what waits", async () => {
  await using kernel = startKernel();
  await send(kernel, "one", { idempotencyKey: "r1" });
  const first = await kernel.agent.turn();
  await first.says("Well,");
  await send(kernel, "two", { idempotencyKey: "r2" });
  await send(kernel, "three", { idempotencyKey: "r3", queueMode: "followup" });
  await send(kernel, "four", { idempotencyKey: "r4", queueMode: "interrupt" });
  const last = await kernel.agent.turn();
  strictEqual(last.request.runId, "r4");
  for (const runId of ["r2", "r3", "r1"]) {
    strictEqual(kernel.store.runs.get(runId)?.state, "aborted");
  }
  const reasons = kernel.events.of("chat").map((chat) =>
    chat.state === "aborted" && `${chat.runId} ${chat.stopReason}`
  );
  deepStrictEqual(reasons.filter((line) => line !== false).sort(), [
    "r1 stop",
    "r2 stop",
    "r3 stop",
  ]);
  await last.answers("four it is");
  await ended(kernel, "r4");
  deepStrictEqual(transcript(kernel), [
    "user: one",
    "user: two",
    "user: three",
    "assistant: Well,",
    "user: four",
    "assistant: four it is",
  ]);
});

Deno.test("a session's own queue mode comes before the configured one", async () => {
  await using kernel = startKernel();
  await send(kernel, "/queue followup");
  await send(kernel, "one");
  const first = await kernel.agent.turn();
  await send(kernel, "two");
  strictEqual(first.io.steering().length, 0);
  await first.ends();
  await (await kernel.agent.turn()).ends();
});

Deno.test("sessions run side by side, as many as are allowed", async () => {
  await using kernel = startKernel({ config: { agents: { defaults: { maxConcurrent: 2 } } } });
  for (const key of ["a", "b", "c"]) await send(kernel, "hi", { sessionKey: key });
  const [first, second] = [await kernel.agent.turn(), await kernel.agent.turn()];
  deepStrictEqual([first, second].map(({ request }) => request.sessionKey), [
    "agent:main:a",
    "agent:main:b",
  ]);
  strictEqual(kernel.agent.unclaimed, 0);
  await second.ends();
  const third = await kernel.agent.turn();
  strictEqual(third.request.sessionKey, "agent:main:c");
  await first.ends();
  await third.ends();
});

Deno.test("a session that has too many messages waiting takes no more", async () => {
  await using kernel = startKernel({ config: { messages: { queue: { cap: 2 } } } });
  await send(kernel, "one");
  const turn = await kernel.agent.turn();
  await send(kernel, "two");
  await send(kernel, "three");
  await rejects(send(kernel, "four", { idempotencyKey: "r4" }), (error) => {
    ok(error instanceof GatewayError);
    deepStrictEqual([error.code, error.retryable], ["UNAVAILABLE", true]);
    return true;
  });
  strictEqual(kernel.store.runs.get("r4"), undefined);
  await turn.steers();
  await send(kernel, "four");
  await turn.steers();
  await turn.ends();
});

// ── being stopped ─────────────────────────────────────────────────────────────────────────────

Deno.test("abort: what was said is kept, and the end is told before the abort is answered", async () => {
  await using kernel = startKernel();
  await send(kernel, "tell me a story", { idempotencyKey: "r1" });
  const turn = await kernel.agent.turn();
  await turn.says("Once upon");
  const answer = await kernel.call("chat.abort", { sessionKey: "main", runId: "r1" });
  deepStrictEqual(answer, { ok: true, aborted: true, runIds: ["r1"] });
  strictEqual(kernel.events.of("chat").at(-1)?.state, "aborted");
  const { stopReason, message } = await kernel.events.chat("aborted");
  strictEqual(stopReason, "rpc");
  deepStrictEqual(message?.content, [{ type: "text", text: "Once upon" }]);
  const lifecycle = kernel.events.of("agent").at(-1);
  deepStrictEqual([lifecycle?.data.phase, lifecycle?.data.aborted], ["end", true]);
  deepStrictEqual(transcript(kernel), ["user: tell me a story", "assistant: Once upon"]);
  deepStrictEqual(kernel.store.sessions.get(KEY)?.stats.abortedLastRun, true);
  deepStrictEqual(await kernel.call("chat.abort", { sessionKey: "main" }), {
    ok: true,
    aborted: false,
    runIds: [],
  });
});

Deno.test("abort: a turn that waits is never begun, and its message is kept", async () => {
  await using kernel = startKernel({ config: { messages: { queue: { mode: "followup" } } } });
  await send(kernel, "one", { idempotencyKey: "r1" });
  const turn = await kernel.agent.turn();
  const answer = kernel.call("agent", { message: "two", idempotencyKey: "r2", sessionKey: "main" });
  await kernel.events.next("sessions.changed", ({ reason }) => reason === "send");
  const aborted = await kernel.call("sessions.abort", { key: "main", runId: "r2" });
  strictEqual(aborted.abortedRunId, "r2");
  const last = await answer;
  strictEqual(last.status === "ok" && last.summary, "aborted");
  await turn.answers("1");
  await ended(kernel, "r1");
  strictEqual(kernel.agent.unclaimed, 0);
  ok(transcript(kernel).includes("user: two"));
});

Deno.test("abort: a turn that waits for other sessions stops at once", async () => {
  await using kernel = startKernel({ config: { agents: { defaults: { maxConcurrent: 1 } } } });
  await send(kernel, "one", { sessionKey: "a" });
  const turn = await kernel.agent.turn();
  await send(kernel, "two", { sessionKey: "b", idempotencyKey: "r2" });
  deepStrictEqual(await kernel.call("chat.abort", { sessionKey: "b" }), {
    ok: true,
    aborted: true,
    runIds: ["r2"],
  });
  await kernel.events.chat("aborted", "r2");
  await send(kernel, "three", { sessionKey: "b" });
  await turn.ends();
  const next = await kernel.agent.turn();
  strictEqual(next.request.sessionKey, "agent:main:b");
  await next.ends();
});

Deno.test("abort: a run of another session is not touched", async () => {
  await using kernel = startKernel();
  await send(kernel, "one", { sessionKey: "a", idempotencyKey: "r1" });
  const turn = await kernel.agent.turn();
  await rejects(
    kernel.call("chat.abort", { sessionKey: "b", runId: "r1" }),
    /^GatewayError: runId does not match sessionKey$/,
  );
  deepStrictEqual((await kernel.call("chat.abort", { sessionKey: "b" })).aborted, false);
  strictEqual(turn.signal.aborted, false);
  await turn.ends();
});

Deno.test("a stop phrase stops everything in the session and is no message", async () => {
  await using kernel = startKernel();
  await send(kernel, "one", { idempotencyKey: "r1" });
  await kernel.agent.turn();
  await send(kernel, "two", { idempotencyKey: "r2" });
  const answer = await send(kernel, "Stop!", { idempotencyKey: "r3" });
  deepStrictEqual(answer, { ok: true, aborted: true, runIds: ["r2", "r1"] });
  strictEqual(kernel.store.runs.get("r3"), undefined);
  const reasons = kernel.events.of("chat").map((chat) =>
    chat.state === "aborted" && chat.stopReason
  );
  deepStrictEqual(reasons, ["stop", "stop"]);
});

Deno.test("a turn that takes longer than its caller allows is stopped", async () => {
  await using kernel = startKernel();
  await send(kernel, "hurry", { idempotencyKey: "r1", timeoutMs: 1 });
  const turn = await kernel.agent.turn();
  await turn.says("So");
  strictEqual((await kernel.events.chat("aborted")).stopReason, "timeout");
  await ended(kernel, "r1");
});

Deno.test("a limit beyond what timers can do is none", async () => {
  await using kernel = startKernel();
  await send(kernel, "take your time", { timeoutMs: 2 ** 40 });
  const turn = await kernel.agent.turn();
  await kernel.call("agent.wait", { runId: "nobody", timeoutMs: 5 });
  strictEqual(turn.signal.aborted, false);
  await turn.ends();
});

Deno.test("an agent that throws ends its run with an error, and the next one begins", async () => {
  await using kernel = startKernel();
  await send(kernel, "one", { idempotencyKey: "r1" });
  const first = await kernel.agent.turn();
  const failure = new Error("the secret path is /home/me");
  first.throws(failure);
  const { errorMessage } = await kernel.events.chat("error");
  strictEqual(errorMessage, "the agent failed: see the gateway's log");
  deepStrictEqual(
    kernel.log.lines.filter(({ level }) => level === "error").map((l) => l.fields.cause),
    [
      failure,
    ],
  );
  await send(kernel, "two", { idempotencyKey: "r2" });
  await (await kernel.agent.turn()).answers("2");
  await ended(kernel, "r2");
});

Deno.test("whoever reads of a run that failed finds why, once", async () => {
  await using kernel = startKernel();
  const why = async (runId: string) => {
    await kernel.events.chat("error", runId);
    const { messages } = await kernel.call("chat.history", { sessionKey: "main" });
    return messages.filter(({ __openclaw, role }) =>
      __openclaw?.runId === runId && role === "assistant"
    ).map(({ errorMessage }) => errorMessage);
  };
  await send(kernel, "one", { idempotencyKey: "r1" });
  await (await kernel.agent.turn()).ends({ status: "error", kind: "auth", error: "no key" });
  deepStrictEqual(await why("r1"), ["no key"]);
  strictEqual(kernel.events.of("session.message").at(-1)?.message.errorMessage, "no key");

  await send(kernel, "two", { idempotencyKey: "r2" });
  const second = await kernel.agent.turn();
  await second.emit({
    type: "message",
    message: assistantMessage("", { stopReason: "error", errorMessage: "too much" }),
  });
  await second.ends({ status: "error", kind: "rate_limit", error: "too much" });
  deepStrictEqual(await why("r2"), ["too much"]);

  await send(kernel, "/compact", { idempotencyKey: "r3" });
  await (await kernel.agent.turn()).ends({ status: "error", kind: "auth", error: "no key" });
  deepStrictEqual(await why("r3"), ["no key"]);
  await send(kernel, "four");
  const last = await kernel.agent.turn();
  deepStrictEqual(
    last.io.history().map((entry) => entry.kind === "message" && entry.message.role),
    ["user", "assistant", "user", "assistant", "user"],
  );
  await last.ends();
});

// ── what outlives the process ─────────────────────────────────────────────────────────────────

Deno.test("after a crash, what was accepted is done", async () => {
  using store = openStore(":memory:");
  {
    const message = { role: "user", content: "hi", timestamp: 1, idempotencyKey: "r1" } as const;
    const input = { message, options: { thinking: "high" } };
    const run = { runId: "r1", method: "chat.send", sessionKey: KEY, sessionId: "s1" } as const;
    store.runs.accept({ ...run, acceptedAt: 1, input });
  }
  await using kernel = startKernel({ store });
  const turn = await kernel.agent.turn();
  deepStrictEqual([turn.request.runId, turn.request.thinking], ["r1", "high"]);
  deepStrictEqual(transcript(kernel), ["user: hi"]);
  await turn.answers("hello again");
  await ended(kernel, "r1");
});

Deno.test("after a crash, what was half done is closed as such and not repeated", async () => {
  using store = openStore(":memory:");
  {
    const { id: sessionId } = store.sessions.save(KEY, { agentId: "main", now: Date.now() });
    const message = { role: "user", content: "hi", timestamp: 1, idempotencyKey: "r1" } as const;
    const run = { runId: "r1", method: "agent", sessionKey: KEY, sessionId } as const;
    store.runs.accept({ ...run, acceptedAt: 1, input: { message, options: {} } });
    store.runs.start("r1", sessionId, { kind: "message", message, at: 2, runId: "r1" }, 2);
  }
  await using kernel = startKernel({ store });
  strictEqual(kernel.agent.unclaimed, 0);
  const [, closing] = entries(kernel);
  ok(closing?.kind === "message" && closing.message.role === "assistant");
  match(closing.message.errorMessage ?? "", /^interrupted: /);
  const { status, error } = await kernel.call("agent.wait", { runId: "r1" });
  strictEqual(status, "error");
  match(error ?? "", /^interrupted: /);
  await rejects(send(kernel, "hi", { idempotencyKey: "r1" }), /interrupted: /);
});

Deno.test("after a crash, a run whose answer is whole has ended well", async () => {
  using store = openStore(":memory:");
  {
    const { id: sessionId } = store.sessions.save(KEY, { agentId: "main", now: Date.now() });
    const message = { role: "user", content: "hi", timestamp: 1, idempotencyKey: "r1" } as const;
    const run = { runId: "r1", method: "agent", sessionKey: KEY, sessionId } as const;
    store.runs.accept({ ...run, acceptedAt: 1, input: { message, options: {} } });
    store.runs.start("r1", sessionId, { kind: "message", message, at: 2, runId: "r1" }, 2);
    const answer = assistantMessage("hello");
    store.transcripts.append(sessionId, { kind: "message", message: answer, at: 3, runId: "r1" });
  }
  await using kernel = startKernel({ store });
  deepStrictEqual(transcript(kernel), ["user: hi", "assistant: hello"]);
  strictEqual((await kernel.call("agent.wait", { runId: "r1" })).status, "ok");
});

Deno.test("after a crash, what joined a run and was not answered, is answered", async () => {
  using store = openStore(":memory:");
  {
    const { id: sessionId } = store.sessions.save(KEY, { agentId: "main", now: Date.now() });
    const place = { channel: "net", accountId: "default", kind: "direct", chatId: "1" } as const;
    const says = (runId: string, content: string, at: number) => {
      const message = { role: "user", content, timestamp: at, idempotencyKey: runId } as const;
      const run = { runId, method: "inbound", sessionKey: KEY, sessionId } as const;
      store.runs.accept({
        ...run,
        acceptedAt: at,
        input: { message, options: { reply: { place } } },
      });
      store.runs.start(runId, sessionId, { kind: "message", message, at, runId }, at);
    };
    says("r1", "one", 1);
    const answer = assistantMessage("1");
    store.transcripts.append(sessionId, { kind: "message", message: answer, at: 2, runId: "r1" });
    says("r2", "two", 3);
    const times = { startedAt: 3, endedAt: 3 };
    const merged = { status: "ok", texts: [], sessionId, ...times, mergedInto: "r1" };
    store.runs.finish("r2", "ok", merged, 3);
  }
  await using kernel = startKernel({ store });
  const turn = await kernel.agent.turn();
  strictEqual(turn.request.runId, "r1");
  await turn.answers("2");
  await ended(kernel, "r1");
  deepStrictEqual(transcript(kernel), ["user: one", "assistant: 1", "user: two", "assistant: 2"]);
});

Deno.test("the queue mode can be another one for each network", async () => {
  const config = { messages: { queue: { mode: "steer", byChannel: { net: "queue" } } } } as const;
  await using kernel = startKernel({ config });
  const { settings } = kernel.gateway;
  deepStrictEqual([settings.queueModeOf("net"), settings.queueModeOf("other")], ["steer", "steer"]);
  kernel.config.edit(JSON.stringify({ messages: { queue: { byChannel: { net: "collect" } } } }));
  deepStrictEqual([settings.queueModeOf("net"), settings.queueModeOf(undefined)], [
    "collect",
    "steer",
  ]);
});

Deno.test("a stop keeps what was said, and leaves what waits for the next start", async () => {
  await using first = startKernel({ config: { messages: { queue: { mode: "followup" } } } });
  await send(first, "one", { idempotencyKey: "r1" });
  const turn = await first.agent.turn();
  await turn.says("Well");
  await send(first, "two", { idempotencyKey: "r2" });
  await first.gateway.stopRuns();
  strictEqual((await first.events.chat("aborted")).stopReason, "restart");
  await send(first, "three", { idempotencyKey: "r3" });
  await using second = await first.restart();
  deepStrictEqual(transcript(second), ["user: one", "assistant: Well"]);
  await turnsAre(second, ["r2", "r3"]);
  await ended(second, "r3");
});

// ── a store that can't be written ─────────────────────────────────────────────────────────────

Deno.test("an end that could not be written is written later, and told to who waits for it", async () => {
  using store = openStore(":memory:");
  await using kernel = startKernel({ store: failing(store, { finish: 1 }) });
  await send(kernel, "hi", { idempotencyKey: "r1" });
  const turn = await kernel.agent.turn();
  const waiting = kernel.call("agent.wait", { runId: "r1" });
  await turn.answers("hello");
  strictEqual((await waiting).status, "ok");
  await kernel.events.chat("final", "r1");
  await send(kernel, "and now?");
  await (await kernel.agent.turn()).answers("nothing");
});

Deno.test("a stop of the gateway does not wait for an end that can't be written", async () => {
  using store = openStore(":memory:");
  await using kernel = startKernel({ store: failing(store, { finish: Infinity }) });
  await send(kernel, "hi", { idempotencyKey: "r1" });
  const turn = await kernel.agent.turn();
  await turn.answers("hello");
  await kernel.gateway.stopRuns();
  await using next = startKernel({ store });
  strictEqual((await next.call("agent.wait", { runId: "r1" })).status, "ok");
});

Deno.test("what waits and can't be stopped is taken, and what runs is stopped nonetheless", async () => {
  using store = openStore(":memory:");
  await using kernel = startKernel({
    store: failing(store, { finish: 1 }),
    config: { messages: { queue: { mode: "followup" } } },
  });
  for (const runId of ["r1", "r2", "r3"]) await send(kernel, runId, { idempotencyKey: runId });
  const turn = await kernel.agent.turn();
  await rejects(kernel.call("chat.abort", { sessionKey: "main" }), /disk is full/);
  strictEqual(turn.signal.aborted, true);
  await turnsAre(kernel, ["r2", "r3"]);
  await ended(kernel, "r3");
});

Deno.test("interrupt: no message is lost where those before it can't be dropped", async () => {
  using store = openStore(":memory:");
  await using kernel = startKernel({ store: failing(store, { finish: 1 }) });
  await send(kernel, "one", { idempotencyKey: "r1" });
  const first = await kernel.agent.turn();
  await send(kernel, "two", { idempotencyKey: "r2", queueMode: "followup" });
  await send(kernel, "three", { idempotencyKey: "r3", queueMode: "interrupt" });
  strictEqual(first.signal.aborted, true);
  await turnsAre(kernel, ["r2", "r3"]);
});

Deno.test("steer: a message whose joining can't be written begins the next turn", async () => {
  using store = openStore(":memory:");
  const faults: Faults = {};
  await using kernel = startKernel({ store: failing(store, faults) });
  await send(kernel, "one", { idempotencyKey: "r1" });
  const first = await kernel.agent.turn();
  await send(kernel, "two", { idempotencyKey: "r2" });
  faults.start = 1;
  const [message] = first.io.steering();
  ok(message !== undefined);
  void first.emit({ type: "message", message });
  const second = await kernel.agent.turn();
  strictEqual(second.request.runId, "r2");
  await second.answers("2");
  await ended(kernel, "r2");
});

Deno.test("abort: a turn that was stopped before it began is not begun, whatever can't be written", async () => {
  using store = openStore(":memory:");
  const faults: Faults = { finish: 1 };
  await using kernel = startKernel({
    store: failing(store, faults),
    config: { agents: { defaults: { maxConcurrent: 1 } } },
  });
  await send(kernel, "one", { sessionKey: "a", idempotencyKey: "r1" });
  const first = await kernel.agent.turn();
  await send(kernel, "two", { sessionKey: "b", idempotencyKey: "r2" });
  const { runIds } = await kernel.call("chat.abort", { sessionKey: "b" });
  deepStrictEqual(runIds, ["r2"]);
  strictEqual(store.runs.get("r2")?.state, "aborted");
  faults.synced = 1;
  const sent = send(kernel, "three", { sessionKey: "c", idempotencyKey: "r3" });
  await kernel.call("chat.abort", { sessionKey: "c" });
  await sent;
  strictEqual(store.runs.get("r3")?.state, "aborted");
  await first.answers("1");
  strictEqual(kernel.agent.unclaimed, 0);
});

Deno.test("a run ends, and the next one begins, also where the store can't be read", async () => {
  using store = openStore(":memory:");
  const faults: Faults = {};
  await using kernel = startKernel({
    store: failing(store, faults),
    config: { messages: { queue: { mode: "collect", debounceMs: 0 } } },
  });
  for (const runId of ["r1", "r2", "r3"]) await send(kernel, runId, { idempotencyKey: runId });
  const turn = await kernel.agent.turn();
  const waiting = rejects(kernel.call("agent.wait", { runId: "r1" }), /disk is full/);
  faults.get = 1;
  await turn.answers("1");
  await waiting;
  await (await kernel.agent.turn()).answers("2 and 3");
  for (const runId of ["r1", "r2", "r3"]) await ended(kernel, runId);
});

Deno.test("abort: a turn that was stopped before it began ends once, whatever can't be read", async () => {
  using store = openStore(":memory:");
  const faults: Faults = {};
  await using kernel = startKernel({
    store: failing(store, faults),
    config: { agents: { defaults: { maxConcurrent: 1 } } },
  });
  await send(kernel, "one", { sessionKey: "a", idempotencyKey: "r1" });
  const first = await kernel.agent.turn();
  await send(kernel, "two", { sessionKey: "b", idempotencyKey: "r2" });
  faults.get = 1;
  await rejects(kernel.call("chat.abort", { sessionKey: "b" }), /disk is full/);
  await kernel.events.chat("aborted", "r2");
  deepStrictEqual(kernel.log.lines, []);
  await first.answers("1");
  await send(kernel, "three", { sessionKey: "b", idempotencyKey: "r3" });
  const next = await kernel.agent.turn();
  strictEqual(next.request.runId, "r3");
  await next.answers("3");
});

Deno.test("abort: what is stopped waits no more, whatever else happens while it is told", async () => {
  using store = openStore(":memory:");
  await using kernel = startKernel({
    store,
    config: { messages: { queue: { mode: "followup" } } },
  });
  for (const runId of ["r1", "r2", "r3"]) await send(kernel, runId, { idempotencyKey: runId });
  const turn = await kernel.agent.turn();
  const told: string[] = [];
  let again: unknown;
  kernel.gateway.bus.subscribe(({ name, payload }) => {
    if (name !== "chat") return;
    told.push(`${payload.runId} ${payload.state}`);
    again ??= kernel.call("chat.abort", { sessionKey: "main" });
  });
  await kernel.call("chat.abort", { sessionKey: "main" });
  await again;
  strictEqual(turn.signal.aborted, true);
  deepStrictEqual(told, ["r2 aborted", "r3 aborted", "r1 aborted"]);
});

// ── being asked twice ─────────────────────────────────────────────────────────────────────────

Deno.test("chat.send: the same request again is told how the first one stands", async () => {
  await using kernel = startKernel();
  const again = () => send(kernel, "hi", { idempotencyKey: "r1" });
  deepStrictEqual(await again(), { runId: "r1", status: "started" });
  deepStrictEqual(await again(), { runId: "r1", status: "in_flight" });
  const turn = await kernel.agent.turn();
  deepStrictEqual(await again(), { runId: "r1", status: "in_flight" });
  await turn.answers("hello");
  await ended(kernel, "r1");
  deepStrictEqual(await again(), { runId: "r1", status: "ok" });
  deepStrictEqual(transcript(kernel), ["user: hi", "assistant: hello"]);

  await send(kernel, "fail", { idempotencyKey: "r2" });
  await (await kernel.agent.turn()).ends({ status: "error", kind: "auth", error: "no key" });
  await ended(kernel, "r2");
  await rejects(send(kernel, "fail", { idempotencyKey: "r2" }), (error) => {
    ok(error instanceof GatewayError);
    deepStrictEqual([error.code, error.message], ["UNAVAILABLE", "no key"]);
    return true;
  });
});

Deno.test("chat.send: the same command again is not carried out again", async () => {
  await using kernel = startKernel();
  await send(kernel, "hello", { idempotencyKey: "r1" });
  await (await kernel.agent.turn()).answers("hi");
  await ended(kernel, "r1");
  deepStrictEqual(await send(kernel, "/new", { idempotencyKey: "n1" }), {
    runId: "n1",
    status: "started",
  });
  const { id } = kernel.store.sessions.get(KEY) ?? {};
  deepStrictEqual(await send(kernel, "/new", { idempotencyKey: "n1" }), {
    runId: "n1",
    status: "ok",
  });
  strictEqual(kernel.store.sessions.get(KEY)?.id, id);
});

Deno.test("agent: two answers, and the last one again for the same request", async () => {
  await using kernel = startKernel();
  const accepted: unknown[] = [];
  const params = { message: "hi", idempotencyKey: "a1", sessionKey: "main" };
  const answer = kernel.call("agent", params, { accept: (payload) => accepted.push(payload) });
  const { acceptedAt, ...first } = accepted[0] as Record<string, unknown>;
  deepStrictEqual(first, { runId: "a1", status: "accepted", sessionKey: KEY, agentId: "main" });
  strictEqual(typeof acceptedAt, "number");
  const inFlight = { runId: "a1", status: "in_flight", sessionKey: KEY, agentId: "main" };
  deepStrictEqual(await kernel.call("agent", params), inFlight);
  const turn = await kernel.agent.turn();
  await turn.emit({ type: "message", message: assistantMessage("Let me look.") });
  await turn.answers("Found it");
  const last = await answer;
  deepStrictEqual(last.status === "ok" && last.summary, "completed");
  deepStrictEqual(last.status === "ok" && last.result.payloads, [
    { text: "Let me look.", mediaUrl: null },
    { text: "Found it", mediaUrl: null },
  ]);
  strictEqual(last.status === "ok" && last.result.meta.aborted, false);
  strictEqual(accepted.length, 1);
  deepStrictEqual(await kernel.call("agent", params), last);
  await using next = await kernel.restart();
  deepStrictEqual(await next.call("agent", params), last);
  deepStrictEqual(await send(next, "hi", { idempotencyKey: "a1" }), { runId: "a1", status: "ok" });
});

Deno.test("agent: a failure is told with a payload beside the error, the first time and later", async () => {
  await using kernel = startKernel();
  const params = { message: "hi", idempotencyKey: "a1" };
  const answer = kernel.call("agent", params);
  const fails = (promise: Promise<unknown>) =>
    rejects(promise, (error) => {
      ok(error instanceof GatewayError);
      strictEqual(error.message, "too much");
      deepStrictEqual(error.payload, { runId: "a1", status: "error", summary: "too much" });
      return true;
    });
  const failed = fails(answer);
  await (await kernel.agent.turn()).ends({
    status: "error",
    kind: "rate_limit",
    error: "too much",
  });
  await failed;
  await fails(kernel.call("agent", params));
});

Deno.test("agent.wait: tells the end of a run, and gives up in time where there is none", async () => {
  await using kernel = startKernel();
  await send(kernel, "hi", { idempotencyKey: "r1" });
  const turn = await kernel.agent.turn();
  deepStrictEqual(await kernel.call("agent.wait", { runId: "r1", timeoutMs: 1 }), {
    runId: "r1",
    status: "timeout",
  });
  deepStrictEqual(await kernel.call("agent.wait", { runId: "r9", timeoutMs: 0 }), {
    runId: "r9",
    status: "timeout",
  });
  const waiting = [1, 2].map(() => kernel.call("agent.wait", { runId: "r1" }));
  await turn.answers("hello");
  const [first, second] = await Promise.all(waiting);
  strictEqual(first?.status, "ok");
  deepStrictEqual(first, second);
  deepStrictEqual(await kernel.call("agent.wait", { runId: "r1" }), first);
});

Deno.test("who asked and left is not waited for", async () => {
  await using kernel = startKernel();
  const connection = new AbortController();
  const params = { message: "hi", idempotencyKey: "a1" };
  const answer = kernel.call("agent", params, { signal: connection.signal });
  connection.abort();
  await rejects(answer, /the connection ended/);
  await (await kernel.agent.turn()).answers("hello");
  await ended(kernel, "a1");
});

// ── what the agent and others get to see ──────────────────────────────────────────────────────

Deno.test("commands and their answers are for people: the agent does not see them", async () => {
  await using kernel = startKernel();
  await send(kernel, "/help");
  await send(kernel, "hi");
  const turn = await kernel.agent.turn();
  strictEqual(transcript(kernel).length, 3);
  const seen = turn.io.history().map((entry) => entry.kind === "message" && textOf(entry.message));
  deepStrictEqual(seen, ["hi"]);
  await turn.ends();
});

Deno.test("notices are told with the next turn, once, and not to a summary", async () => {
  await using kernel = startKernel();
  await kernel.call("system-event", { text: "the door is open" });
  await send(kernel, "/compact");
  const summary = await kernel.agent.turn();
  deepStrictEqual([summary.kind, summary.request.extraSystemPrompt], ["compact", undefined]);
  await summary.ends();
  const params = { message: "hi", extraSystemPrompt: "Be brief.", sessionKey: "main" };
  const answer = kernel.call("agent", { ...params, idempotencyKey: "a1" });
  const first = await kernel.agent.turn();
  match(first.request.extraSystemPrompt ?? "", /^Be brief\.\n\nSystem: \[.+\] the door is open$/);
  await first.answers("I will");
  await answer;
  await send(kernel, "and now?");
  const second = await kernel.agent.turn();
  strictEqual(second.request.extraSystemPrompt, undefined);
  await second.ends();
});

Deno.test("notices wait until the agent has answered to them, whatever ends the turn before", async () => {
  await using kernel = startKernel();
  await kernel.call("system-event", { text: "the door is open" });
  await send(kernel, "one");
  const first = await kernel.agent.turn();
  const message = assistantMessage("", { stopReason: "error", errorMessage: "no key" });
  await first.emit({ type: "message", message });
  await first.ends({ status: "error", kind: "auth", error: "no key" });
  await send(kernel, "two");
  match((await kernel.agent.turn()).request.extraSystemPrompt ?? "", /the door is open$/);
  await using next = await kernel.restart();
  await send(next, "three");
  const third = await next.agent.turn();
  match(third.request.extraSystemPrompt ?? "", /the door is open$/);
  await next.call("system-event", { text: "the door is shut" });
  await third.answers("I see");
  await send(next, "four");
  const last = await next.agent.turn();
  match(last.request.extraSystemPrompt ?? "", /^System: \[[^\]]+\] the door is shut$/);
  await last.ends();
});

Deno.test("tools are told to those who started something in the session, and can show them", async () => {
  await using kernel = startKernel();
  const caps = ["tool-events"];
  const [starter, joiner, other] = [callerOf({ caps }), callerOf({ caps }), callerOf({ caps })];
  await send(kernel, "one", {}, starter);
  const turn = await kernel.agent.turn();
  const call = { type: "tool", id: "1", name: "read" } as const;
  await turn.emit({ ...call, phase: "start", args: {} });
  await send(kernel, "two", {}, joiner);
  await turn.emit({ ...call, phase: "update", partial: "…" });
  const heard = kernel.events.all.filter((event) =>
    event.name === "agent" && event.payload.stream === "tool"
  ).map((event) =>
    [starter, joiner, other].map((caller) => kernel.gateway.concerns(caller, event))
  );
  deepStrictEqual(heard, [[true, false, false], [true, true, false]]);
  const plain = callerOf({ connId: starter.connId });
  const [tool] = kernel.events.all.filter((event) =>
    event.name === "agent" && event.payload.stream === "tool"
  );
  ok(tool !== undefined && !kernel.gateway.concerns(plain, tool));
  await turn.steers();
  await turn.ends();
});

function send(
  kernel: TestKernel,
  message: string,
  params: Partial<ParamsOf<"chat.send">> = {},
  caller = callerOf(),
) {
  const idempotencyKey = crypto.randomUUID();
  const call = { sessionKey: "main", message, idempotencyKey, ...params };
  return kernel.call("chat.send", call, { caller }) as Promise<{ runId: string; status: string }>;
}

/** The next turns are these runs, in this order; each is answered. */
async function turnsAre(kernel: TestKernel, runIds: readonly string[]): Promise<void> {
  for (const runId of runIds) {
    const turn = await kernel.agent.turn();
    strictEqual(turn.request.runId, runId);
    await turn.answers("ok");
  }
}

async function ended(kernel: TestKernel, runId: string): Promise<void> {
  const { status } = await kernel.call("agent.wait", { runId });
  ok(status !== "timeout");
}

function entries({ store }: TestKernel) {
  return store.transcripts.page(store.sessions.get(KEY)?.id ?? "", { limit: 100 });
}

function transcript(kernel: TestKernel): readonly string[] {
  return entries(kernel).map((entry) =>
    entry.kind === "message" ? `${entry.message.role}: ${textOf(entry.message)}` : entry.kind
  );
}

/** How often which calls of the store fail: those of its runs, and `synced`. */
type Faults = Partial<Record<keyof Store["runs"] | "synced", number>>;

/** The same store, but for the calls that fail. */
function failing(store: Store, faults: Faults): Store {
  const fail = (name: keyof Faults) => {
    const left = faults[name] ?? 0;
    faults[name] = left - 1;
    if (left > 0) throw new Error("database or disk is full");
  };
  const runs = new Proxy(store.runs, {
    get(target, name: keyof Store["runs"]) {
      return (...args: unknown[]) => {
        fail(name);
        return Reflect.apply(target[name], target, args);
      };
    },
  });
  return {
    ...store,
    runs,
    transaction: <T>(change: () => T) => store.transaction(change),
    // deno-lint-ignore require-await -- what is thrown is a rejection
    synced: async () => fail("synced"),
  };
}
