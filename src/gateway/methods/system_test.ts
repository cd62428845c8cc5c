import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { callerOf, MemoryLog, startKernel } from "../../../tests/kernel.ts";

Deno.test("status tells an admin all, and others nothing about where things are", async () => {
  await using kernel = startKernel();
  await kernel.call("chat.send", { sessionKey: "main", message: "hi", idempotencyKey: "r1" });
  const turn = await kernel.agent.turn();
  const usage = { input: 200, output: 50, cacheRead: 0, cacheWrite: 0, totalTokens: 250 };
  await turn.emit({ type: "usage", usage, contextTokens: 1000 });
  await turn.answers("hello");
  await kernel.call("agent.wait", { runId: "r1" });
  const { runtimeVersion, sessions } = await kernel.call("status", {});
  deepStrictEqual([runtimeVersion, sessions.count, sessions.paths], ["1.2.3", 1, [":memory:"]]);
  deepStrictEqual(sessions.defaults, { model: "one", contextTokens: 1000 });
  const [row] = sessions.recent;
  deepStrictEqual([row?.key, row?.percentUsed, row?.remainingTokens, row?.totalTokensFresh], [
    "agent:main:main",
    25,
    750,
    true,
  ]);
  const caller = callerOf({ scopes: ["operator.read"] });
  const { sessions: shown } = await kernel.call("status", {}, { caller });
  deepStrictEqual([shown.paths, shown.recent, shown.defaults, shown.count], [
    [],
    [],
    { model: null, contextTokens: null },
    1,
  ]);
  deepStrictEqual(shown.byAgent, [{ agentId: "main", path: "[redacted]", count: 1, recent: [] }]);
});

Deno.test("a notice waits for the main session, and status shows it", async () => {
  await using kernel = startKernel();
  deepStrictEqual(await kernel.call("system-event", { text: " the door is open " }), { ok: true });
  const { queuedSystemEvents } = await kernel.call("status", {});
  deepStrictEqual(queuedSystemEvents, ["the door is open"]);
  await rejects(kernel.call("system-event", { text: "  " }), /text required/);
});

Deno.test("only the newest twenty notices are kept, also over a restart", async () => {
  await using kernel = startKernel();
  for (let i = 1; i <= 25; i++) await kernel.call("system-event", { text: `notice ${i}` });
  await using next = await kernel.restart();
  const { queuedSystemEvents } = await next.call("status", {});
  deepStrictEqual([queuedSystemEvents.length, queuedSystemEvents[0]], [20, "notice 6"]);
});

Deno.test("a host that reports itself is present", async () => {
  await using kernel = startKernel();
  const text =
    "Node: den (192.0.2.3) · app 2.1 · last input 42s ago · mode local · reason periodic";
  await kernel.call("system-event", {
    text,
    deviceId: "DEN-1",
    lastInputSeconds: 41.6,
    tags: ["mac"],
  });
  const row = (await kernel.call("system-presence", {})).find(({ host }) => host === "den");
  const { ts: _ts, ...known } = row ?? {};
  deepStrictEqual(known, {
    host: "den",
    ip: "192.0.2.3",
    version: "2.1",
    lastInputSeconds: 42,
    mode: "local",
    reason: "periodic",
    deviceId: "DEN-1",
    tags: ["mac"],
    text,
  });
  await kernel.call("system-event", { text: "Node: den · mode remote", deviceId: "den-1" });
  const rows = (await kernel.call("system-presence", {})).filter(({ host }) => host === "den");
  deepStrictEqual(rows.map(({ mode, version }) => [mode, version]), [["remote", "2.1"]]);
  deepStrictEqual((await kernel.call("status", {})).queuedSystemEvents, []);
});

Deno.test("heartbeats can be switched off and on, and stay so", async () => {
  await using kernel = startKernel();
  strictEqual(await kernel.call("last-heartbeat", {}), null);
  deepStrictEqual(await kernel.call("set-heartbeats", { enabled: false }), {
    ok: true,
    enabled: false,
  });
  strictEqual(kernel.store.values.get("heartbeat.enabled"), false);
});

Deno.test("logs.tail gives the newest lines, and then those that were added", async () => {
  const logs = new MemoryLog("one\ntwo\nthree\n");
  await using kernel = startKernel({ logs });
  const first = await kernel.call("logs.tail", { limit: 2 });
  deepStrictEqual(first, {
    file: "/state/logs/openclaw.log",
    cursor: 14,
    size: 14,
    lines: ["two", "three"],
    truncated: true,
  });
  logs.append("four\nfi");
  const second = await kernel.call("logs.tail", { cursor: first.cursor });
  deepStrictEqual([second.lines, second.cursor, second.size], [["four"], 19, 21]);
  logs.append("ve\n");
  deepStrictEqual((await kernel.call("logs.tail", { cursor: second.cursor })).lines, ["five"]);
  ok(!("reset" in second) && !("truncated" in second));
});

Deno.test("a version-3 client needs no scope for health, but for the rest", async () => {
  await using kernel = startKernel();
  const caller = callerOf({ protocol: 3, scopes: [] });
  strictEqual((await kernel.call("health", {}, { caller })).ok, true);
  await rejects(kernel.call("system-presence", {}, { caller }), /missing scope: operator\.read/);
});

Deno.test("what the gateway has none of yet is an empty list", async () => {
  await using kernel = startKernel();
  deepStrictEqual((await kernel.call("channels.status", {})).channelOrder, []);
  const jobs = await kernel.call("cron.list", { limit: 5, offset: 2 });
  deepStrictEqual([jobs.jobs, jobs.limit, jobs.offset, jobs.nextOffset], [[], 5, 2, null]);
  strictEqual((await kernel.call("cron.status", {})).jobs, 0);
  deepStrictEqual(await kernel.call("question.list", {}), { questions: [] });
  deepStrictEqual(await kernel.call("exec.approval.list", {}), []);
});
