import {
  deepStrictEqual,
  match,
  notStrictEqual,
  ok,
  rejects,
  strictEqual,
} from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { ParamsOf } from "../../../schemas/mod.ts";
import { stopClock } from "../../../tests/clock.ts";
import { callerOf, startKernel, type TestKernel } from "../../../tests/kernel.ts";
import type { SessionKey } from "../../session.ts";

const KEY = "agent:main:main" as SessionKey;

Deno.test("sessions.list shows what there is, newest first, page by page", async () => {
  await using kernel = startKernel();
  for (const key of ["one", "two", "three"]) {
    await kernel.call("sessions.patch", { key, label: key });
  }
  const all = await kernel.call("sessions.list", {});
  deepStrictEqual(all.sessions.map(({ key }) => key), [
    "agent:main:three",
    "agent:main:two",
    "agent:main:one",
  ]);
  deepStrictEqual([all.count, all.totalCount, all.hasMore, all.nextOffset, all.limitApplied], [
    3,
    3,
    false,
    null,
    100,
  ]);
  deepStrictEqual([all.defaults.modelProvider, all.defaults.model, all.defaults.contextTokens], [
    "test",
    "one",
    1000,
  ]);
  const first = await kernel.call("sessions.list", { limit: 2 });
  deepStrictEqual([first.count, first.hasMore, first.nextOffset], [2, true, 2]);
  const second = await kernel.call("sessions.list", { limit: 2, offset: 2 });
  deepStrictEqual(second.sessions.map(({ label }) => label), ["one"]);
  const found = await kernel.call("sessions.list", { search: "TW" });
  deepStrictEqual(found.sessions.map(({ label }) => label), ["two"]);
  deepStrictEqual((await kernel.call("sessions.list", { label: "one" })).count, 1);
  deepStrictEqual((await kernel.call("sessions.list", { agentId: "other" })).count, 0);
  deepStrictEqual((await kernel.call("sessions.list", { archived: true })).count, 0);
});

Deno.test("a row says how messages from the session's own network are queued", async () => {
  const config = { messages: { queue: { mode: "steer", byChannel: { net: "collect" } } } } as const;
  await using kernel = startKernel({ config });
  const at = { agentId: "main", now: 1 };
  kernel.store.sessions.save(KEY, { ...at, stats: { lastChannel: "net" } });
  const modes = async () =>
    (await kernel.call("sessions.list", {})).sessions.map((row) => row.effectiveQueueMode);
  deepStrictEqual(await modes(), ["collect"]);
  kernel.store.sessions.save(KEY, { ...at, settings: { queueMode: "interrupt" } });
  deepStrictEqual(await modes(), ["interrupt"]);
});

Deno.test("sessions.list leaves out what is nobody's conversation", async () => {
  await using kernel = startKernel();
  for (const key of ["global", "unknown", "cron:daily:run:1", "cron:daily"]) {
    await kernel.call("sessions.patch", { key, label: key });
  }
  const keys = async (params: ParamsOf<"sessions.list"> = {}) =>
    (await kernel.call("sessions.list", params)).sessions.map(({ key }) => key);
  deepStrictEqual(await keys(), ["agent:main:cron:daily"]);
  deepStrictEqual(await keys({ includeGlobal: true, includeUnknown: true }), [
    "agent:main:cron:daily",
    "unknown",
    "global",
  ]);
});

Deno.test("a row shows the model of its own agent", async () => {
  const config = { agents: { list: [{ id: "main" }, { id: "two" }] } };
  await using kernel = startKernel({ config });
  for (const key of ["agent:main:main", "agent:two:main"]) {
    await kernel.call("sessions.create", { key });
  }
  const { sessions } = await kernel.call("sessions.list", {});
  deepStrictEqual(
    sessions.map(({ agentId, model, contextTokens }) => [agentId, model, contextTokens]).toSorted(),
    [["main", "one", 1000], ["two", "two", 2000]],
  );
});

Deno.test("rows have titles and previews where they are asked for", async () => {
  await using kernel = startKernel();
  await converse(kernel, "What is  the\nweather?", "Sunny.");
  const [plain] = (await kernel.call("sessions.list", {})).sessions;
  deepStrictEqual([plain?.derivedTitle, plain?.lastMessagePreview], [undefined, undefined]);
  const params = { includeDerivedTitles: true, includeLastMessage: true };
  const [row] = (await kernel.call("sessions.list", params)).sessions;
  deepStrictEqual([row?.derivedTitle, row?.lastMessagePreview], ["What is the weather?", "Sunny."]);
  deepStrictEqual([row?.isMain, row?.kind, row?.status, row?.hasActiveRun], [
    true,
    "direct",
    "done",
    false,
  ]);
  const { session } = await kernel.call("sessions.describe", { key: "main", ...params });
  deepStrictEqual(session, row);
  deepStrictEqual(await kernel.call("sessions.describe", { key: "nothing" }), { session: null });
});

Deno.test("sessions.preview shows the last lines of each, and never fails for one of them", async () => {
  await using kernel = startKernel();
  await converse(kernel, "hi", "x".repeat(50));
  await kernel.call("sessions.patch", { key: "silent", label: "s" });
  const { previews } = await kernel.call("sessions.preview", {
    keys: ["main", "silent", "nothing", "agent:"],
    maxChars: 20,
  });
  deepStrictEqual(previews, [
    {
      key: "main",
      status: "ok",
      items: [{ role: "user", text: "hi" }, { role: "assistant", text: `${"x".repeat(19)}…` }],
    },
    { key: "silent", status: "empty", items: [] },
    { key: "nothing", status: "missing", items: [] },
    { key: "agent:", status: "error", items: [] },
  ]);
});

Deno.test("sessions.get gives the messages of a session under either name of its key", async () => {
  await using kernel = startKernel();
  await converse(kernel, "hi", "hello");
  for (const params of [{ key: "main" }, { sessionKey: "main" }, { key: KEY, limit: 2 ** 40 }]) {
    strictEqual((await kernel.call("sessions.get", params)).messages.length, 2);
  }
  deepStrictEqual(await kernel.call("sessions.get", { key: "nothing" }), { messages: [] });
});

Deno.test("sessions.resolve finds a session by key, id or label, and wants exactly one of them", async () => {
  await using kernel = startKernel();
  await kernel.call("sessions.patch", { key: "main", label: "home" });
  const sessionId = kernel.store.sessions.get(KEY)?.id ?? "";
  for (const params of [{ key: "main" }, { sessionId }, { label: "home" }]) {
    deepStrictEqual(await kernel.call("sessions.resolve", params), {
      ok: true,
      key: KEY,
      agentId: "main",
    });
  }
  const resolve = (params: ParamsOf<"sessions.resolve">) => kernel.call("sessions.resolve", params);
  await rejects(resolve({ label: "work" }), /^GatewayError: No session found: work$/);
  deepStrictEqual(await resolve({ label: "work", allowMissing: true }), { ok: false });
  await rejects(resolve({}), /exactly one of key, sessionId, label is required/);
  await rejects(resolve({ key: "main", label: "home" }), /exactly one of/);
});

Deno.test("sessions.patch makes a session, sets and clears, and says what applies", async () => {
  await using kernel = startKernel();
  const set = await kernel.call("sessions.patch", {
    key: "notes",
    label: "Notes",
    thinkingLevel: "high",
    model: "two",
    sendPolicy: "allow",
    spawnDepth: 0,
  });
  const { entry, resolved, key } = set;
  deepStrictEqual([key, entry.label, entry.thinkingLevel, entry.sendPolicy, entry.spawnDepth], [
    "agent:main:notes",
    "Notes",
    "high",
    "allow",
    0,
  ]);
  deepStrictEqual([entry.providerOverride, entry.modelOverride], ["test", "two"]);
  deepStrictEqual(resolved, { modelProvider: "test", model: "two" });
  const cleared = await kernel.call("sessions.patch", {
    key: "notes",
    label: null,
    thinkingLevel: null,
    model: null,
    spawnDepth: null,
  });
  deepStrictEqual([cleared.entry.label, cleared.entry.thinkingLevel, cleared.entry.spawnDepth], [
    undefined,
    undefined,
    undefined,
  ]);
  deepStrictEqual([cleared.entry.sendPolicy, cleared.resolved], ["allow", {
    modelProvider: "test",
    model: "one",
  }]);
  const reasons = kernel.events.of("sessions.changed").map(({ reason }) => reason);
  deepStrictEqual(reasons, ["patch", "patch"]);
});

Deno.test("a patch is applied whole or not at all", async () => {
  await using kernel = startKernel();
  await kernel.call("sessions.patch", { key: "other", label: "taken" });
  const table: readonly [Partial<ParamsOf<"sessions.patch">>, RegExp][] = [
    [{ thinkingLevel: "harder" }, /invalid thinkingLevel \(use off\|minimal/],
    [{ model: "three" }, /model not allowed: three/],
    [{ label: "taken" }, /label already in use: taken/],
    [{ key: "agent:x" }, /malformed session key/],
    [{ expectedSessionId: "somebody else's" }, /session changed since last load/],
  ];
  for (const [params, reason] of table) {
    const call = kernel.call("sessions.patch", { key: "main", verboseLevel: "full", ...params });
    await rejects(call, reason);
  }
  strictEqual(kernel.store.sessions.get(KEY), undefined);
  await kernel.call("sessions.patch", { key: "other", label: "taken" });
});

Deno.test("pages that talk don't set options, unless they are an admin's", async () => {
  await using kernel = startKernel();
  const client = { id: "webchat-ui", mode: "webchat" } as const;
  const page = callerOf({ client, scopes: ["operator.write"] });
  const params = { key: "main", label: "x" };
  await rejects(kernel.call("sessions.patch", params, { caller: page }), /missing scope/);
  await rejects(kernel.call("sessions.delete", { key: "x" }, { caller: page }), /missing scope/);
  await kernel.call("sessions.patch", params, { caller: callerOf({ client }) });
  const panel = callerOf({
    client: { id: "openclaw-control-ui", mode: "webchat" },
    scopes: ["operator.write"],
  });
  await kernel.call("sessions.patch", params, { caller: panel });
});

Deno.test("a page may say that a conversation was read, in the words of released ones", async () => {
  await using kernel = startKernel();
  const read = { key: "main", agentId: "main", unread: false, expectedMarkedUnreadAt: null };
  strictEqual((await kernel.call("sessions.patch", read)).key, KEY);
});

Deno.test("sessions.create makes a session of its own, and may say the first words", async () => {
  await using kernel = startKernel({
    config: { agents: { list: [{ id: "main" }, { id: "work" }] } },
  });
  const empty = await kernel.call("sessions.create", { agentId: "work", label: "w", model: "two" });
  match(empty.key, /^agent:work:dashboard:[0-9a-f-]{36}$/);
  deepStrictEqual([empty.runStarted, empty.runId, empty.entry.modelOverride], [
    false,
    undefined,
    "two",
  ]);

  const content = Buffer.from("1,2").toString("base64");
  const params = {
    message: " hello ",
    attachments: [{ content, fileName: "a.csv" }],
    idempotencyKey: "c1",
  };
  const talking = await kernel.call("sessions.create", params);
  deepStrictEqual([talking.runStarted, talking.runId], [true, "c1"]);
  const turn = await kernel.agent.turn();
  const [entry] = turn.io.history();
  deepStrictEqual(entry?.kind === "message" && entry.message.content, [
    { type: "text", text: "hello" },
    { type: "text", text: "File a.csv:\n```\n1,2\n```" },
  ]);
  const again = await kernel.call("sessions.create", params);
  deepStrictEqual([again.key, again.runId], [talking.key, "c1"]);
  await turn.ends();
  strictEqual(kernel.agent.unclaimed, 0);

  for (const params of [{ agentId: "ghost" }, { key: "agent:ghost:x" }]) {
    await rejects(kernel.call("sessions.create", params), /unknown agent id "ghost"/);
  }
  const count = kernel.store.sessions.count({});
  await rejects(kernel.call("sessions.create", { label: "w" }), /label already in use: w/);
  await rejects(
    kernel.call("sessions.create", { attachments: [{}] }),
    /content must be base64 text/,
  );
  strictEqual(kernel.store.sessions.count({}), count);
});

Deno.test("sessions.create asked for twice at once makes one session", async () => {
  await using kernel = startKernel();
  const params = { message: "hello", idempotencyKey: "c1" };
  const [one, other] = await Promise.all(
    [params, params].map((params) => kernel.call("sessions.create", params)),
  );
  deepStrictEqual([one?.key, one?.sessionId], [other?.key, other?.sessionId]);
  strictEqual(kernel.store.sessions.count({}), 1);
  await (await kernel.agent.turn()).ends();
});

Deno.test("sessions.create says nothing in a session that may not be written to", async () => {
  await using kernel = startKernel();
  await kernel.call("sessions.patch", { key: "x", sendPolicy: "deny" });
  await rejects(
    kernel.call("sessions.create", { key: "x", label: "w", message: "hi" }),
    /send blocked by session policy/,
  );
  strictEqual(kernel.store.sessions.get("agent:main:x" as SessionKey)?.settings.label, undefined);
});

Deno.test("sessions.reset gives a new id, keeps what was set, and the old transcript", async () => {
  await using kernel = startKernel();
  await kernel.call("sessions.patch", { key: "main", label: "home", thinkingLevel: "low" });
  await converse(kernel, "hi", "hello");
  const before = kernel.store.sessions.get(KEY);
  const { entry, key } = await kernel.call("sessions.reset", { key: "main", reason: "new" });
  ok(before !== undefined && entry.sessionId !== before.id);
  deepStrictEqual([key, entry.label, entry.thinkingLevel], [KEY, "home", "low"]);
  strictEqual(kernel.store.sessions.get(KEY)?.stats.lastRunId, undefined);
  strictEqual(kernel.store.transcripts.count(before.id), 2);
  strictEqual((await kernel.call("chat.history", { sessionKey: "main" })).messages.length, 0);
  await rejects(
    kernel.call("sessions.reset", { key: "main", expectedSessionId: before.id }),
    /session changed since last load/,
  );
});

Deno.test("sessions.reset stops what runs and what waits", async () => {
  await using kernel = startKernel();
  for (const runId of ["r1", "r2"]) await send(kernel, "hi", runId);
  const turn = await kernel.agent.turn();
  await kernel.call("sessions.reset", { key: "main" });
  strictEqual(turn.signal.aborted, true);
  for (const runId of ["r1", "r2"]) strictEqual(kernel.store.runs.get(runId)?.state, "aborted");
  strictEqual((await kernel.call("chat.history", { sessionKey: "main" })).messages.length, 0);
});

Deno.test("a run that does not stop keeps its session from being reset or deleted", async () => {
  await using kernel = startKernel();
  const begun = Promise.withResolvers<void>();
  const over = Promise.withResolvers<void>();
  kernel.agent.run = async function* () { // deaf to its signal
    begun.resolve();
    await over.promise;
    yield { type: "end", outcome: { status: "aborted", text: "", provider: "test", model: "one" } };
  };
  const params = { sessionKey: "notes", message: "hi", idempotencyKey: "r1" };
  await kernel.call("chat.send", params);
  await begun.promise;
  const session = () => kernel.store.sessions.get("agent:main:notes" as SessionKey);
  const before = session()?.id;
  {
    using clock = stopClock("setTimeout", "clearTimeout");
    const refusals = (["sessions.reset", "sessions.delete"] as const).map((method) =>
      rejects(kernel.call(method, { key: "notes" }), /is at work/)
    );
    await clock.tickAsync(5_000);
    await Promise.all(refusals);
  }
  strictEqual(session()?.id, before);
  over.resolve();
  await kernel.call("agent.wait", { runId: "r1" });
  await kernel.call("sessions.reset", { key: "notes" });
  notStrictEqual(session()?.id, before);
  strictEqual(session()?.stats.status, undefined);
});

Deno.test("sessions.delete forgets a session, but not the main one", async () => {
  await using kernel = startKernel();
  await converse(kernel, "hi", "hello", "notes");
  const { id } = kernel.store.sessions.get("agent:main:notes" as SessionKey) ?? { id: "" };
  await rejects(
    kernel.call("sessions.delete", { key: "main" }),
    /^GatewayError: Cannot delete the main session \(agent:main:main\)\.$/,
  );
  const remove = (params: Partial<ParamsOf<"sessions.delete">>) =>
    kernel.call("sessions.delete", { key: "notes", ...params });
  await rejects(remove({ expectedSessionId: "other" }), /session changed since last load/);
  await rejects(remove({ expectedSessionUpdatedAt: 1 }), /session changed since last load/);
  strictEqual((await remove({ archivedOnly: true })).deleted, false);
  deepStrictEqual(await remove({ expectedSessionId: id, deleteTranscript: false }), {
    ok: true,
    key: "agent:main:notes",
    deleted: true,
    archived: [],
  });
  strictEqual(kernel.store.transcripts.count(id), 2);
  strictEqual((await remove({})).deleted, false);
  strictEqual(kernel.events.of("sessions.changed").at(-1)?.reason, "delete");
});

Deno.test("sessions.delete stops what runs, and takes the transcript along", async () => {
  await using kernel = startKernel();
  await kernel.call("chat.send", { sessionKey: "notes", message: "hi", idempotencyKey: "r1" });
  const turn = await kernel.agent.turn();
  const { id } = kernel.store.sessions.get("agent:main:notes" as SessionKey) ?? { id: "" };
  strictEqual((await kernel.call("sessions.delete", { key: "notes" })).deleted, true);
  strictEqual(turn.signal.aborted, true);
  strictEqual(kernel.store.transcripts.count(id), 0);
  deepStrictEqual(kernel.store.sessions.list({}), []);
});

Deno.test("version 3 lets only an admin set and delete", async () => {
  await using kernel = startKernel();
  const caller = callerOf({ protocol: 3, scopes: ["operator.write"] });
  await rejects(kernel.call("sessions.patch", { key: "x" }, { caller }), /operator\.admin/);
  await rejects(kernel.call("sessions.delete", { key: "x" }, { caller }), /operator\.admin/);
  const later = callerOf({ protocol: 4, scopes: ["operator.write"] });
  await kernel.call("sessions.patch", { key: "x" }, { caller: later });
  await kernel.call("sessions.delete", { key: "x" }, { caller: later });
});

Deno.test("sessions.compact with a number keeps the newest messages in the model's sight", async () => {
  await using kernel = startKernel();
  for (const n of [1, 2, 3]) await converse(kernel, `q${n}`, `a${n}`);
  const compact = (maxLines: number) => kernel.call("sessions.compact", { key: "main", maxLines });
  deepStrictEqual(await compact(6), { ok: true, key: KEY, compacted: false, kept: 6 });
  deepStrictEqual(await compact(2), { ok: true, key: KEY, compacted: true, kept: 2 });
  strictEqual((await kernel.call("chat.history", { sessionKey: "main" })).totalMessages, 6);
  await send(kernel, "and?", "r1");
  const turn = await kernel.agent.turn();
  const [summary, ...kept] = turn.io.history();
  strictEqual(
    summary?.kind === "compaction" && summary.compaction.summary,
    "4 older messages were left out.",
  );
  deepStrictEqual(kept.map(({ seq }) => seq), [5, 6, 8]);
  await turn.ends();
  deepStrictEqual(await kernel.call("sessions.compact", { key: "nothing", maxLines: 1 }), {
    ok: true,
    key: "agent:main:nothing",
    compacted: false,
    reason: "no session",
  });
});

Deno.test("sessions.compact without one has the agent summarise", async () => {
  await using kernel = startKernel();
  await converse(kernel, "hi", "hello");
  const done = kernel.call("sessions.compact", { key: "main" });
  const turn = await kernel.agent.turn();
  strictEqual(turn.kind, "compact");
  const compaction = { summary: "they greeted", firstKeptSeq: 2, tokensBefore: 9 };
  await turn.emit({ type: "compaction", phase: "end", compaction });
  await turn.ends();
  deepStrictEqual(await done, { ok: true, key: KEY, compacted: true });

  const nothing = kernel.call("sessions.compact", { key: "main" });
  await (await kernel.agent.turn()).ends();
  deepStrictEqual(await nothing, {
    ok: true,
    key: KEY,
    compacted: false,
    reason: "nothing to compact",
  });

  const failing = kernel.call("sessions.compact", { key: "main" });
  await (await kernel.agent.turn()).ends({ status: "error", kind: "auth", error: "no key" });
  deepStrictEqual(await failing, { ok: false, key: KEY, compacted: false, reason: "no key" });
});

Deno.test("sessions.abort stops by key or by run", async () => {
  await using kernel = startKernel();
  await send(kernel, "hi", "r1");
  await kernel.agent.turn();
  const abort = (params: ParamsOf<"sessions.abort">) => kernel.call("sessions.abort", params);
  await rejects(abort({}), /key or the runId of an active run is required/);
  deepStrictEqual(await abort({ runId: "r1" }), {
    ok: true,
    abortedRunId: "r1",
    status: "aborted",
  });
  deepStrictEqual(await abort({ key: "main" }), {
    ok: true,
    abortedRunId: null,
    status: "no-active-run",
  });
});

function send(kernel: TestKernel, message: string, idempotencyKey: string, sessionKey = "main") {
  return kernel.call("chat.send", { sessionKey, message, idempotencyKey });
}

async function converse(
  kernel: TestKernel,
  message: string,
  answer: string,
  sessionKey = "main",
): Promise<void> {
  const runId = crypto.randomUUID();
  await send(kernel, message, runId, sessionKey);
  await (await kernel.agent.turn()).answers(answer);
  await kernel.call("agent.wait", { runId });
}
