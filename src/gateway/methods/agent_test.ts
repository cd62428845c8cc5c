import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import type { ParamsOf } from "../../../schemas/mod.ts";
import { callerOf, startKernel, type TestKernel } from "../../../tests/kernel.ts";
import { textOf } from "../../session.ts";

const config = { agents: { list: [{ id: "main" }, { id: "work", name: "Work" }] } };

Deno.test("agent: a turn goes to the session that is meant", async () => {
  await using kernel = startKernel({ config });
  await kernel.call("sessions.patch", { key: "notes", label: "n" });
  const { sessions } = await kernel.call("sessions.list", {});
  const table: readonly [Partial<ParamsOf<"agent">>, string][] = [
    [{}, "agent:main:main"],
    [{ agentId: "work" }, "agent:work:main"],
    [{ sessionKey: "main", agentId: "work" }, "agent:work:main"],
    [{ sessionKey: "agent:work:notes" }, "agent:work:notes"],
    [{ sessionId: sessions[0]?.sessionId }, "agent:main:notes"],
    [{ sessionId: "unknown" }, "agent:main:main"],
    [{ to: "+1555" }, "agent:main:direct:+1555"],
    [{ to: " ", channel: "last" }, "agent:main:main"],
  ];
  for (const [params, key] of table) {
    const answer = ask(kernel, params);
    const turn = await kernel.agent.turn();
    strictEqual(turn.request.sessionKey, key);
    await turn.ends();
    await answer;
  }
});

Deno.test("agent: what does not fit together is refused before anything is stored", async () => {
  await using kernel = startKernel({ config });
  const table: readonly [Partial<ParamsOf<"agent">>, RegExp][] = [
    [{ agentId: "ghost" }, /^GatewayError: invalid agent params: unknown agent id "ghost"$/],
    [{ sessionKey: "agent:ghost:x" }, /invalid agent params: unknown agent id "ghost"/],
    [
      { agentId: "work", sessionKey: "agent:main:main" },
      /invalid agent params: agent "work" does not match session key agent "main"/,
    ],
    [{ sessionKey: "agent:" }, /malformed session key: agent:/],
    [{ channel: "pigeon" }, /invalid agent params: unknown channel: pigeon/],
    [{ thinking: "harder" }, /invalid agent params: thinking must be one of off, minimal/],
    [{ attachments: ["x"] }, /content must be base64 text/],
    [{ message: "a\0b" }, /must not contain NUL/],
    [{ expectedExistingSessionId: "gone" }, /session changed since last load/],
  ];
  for (const [params, reason] of table) await rejects(ask(kernel, params), reason);
  deepStrictEqual(kernel.store.sessions.list({}), []);
});

Deno.test("agent: a session that may not be written to is not", async () => {
  await using kernel = startKernel();
  await kernel.call("sessions.patch", { key: "main", sendPolicy: "deny" });
  await rejects(ask(kernel, {}), /^GatewayError: send blocked by session policy$/);
});

Deno.test("agent: options of the call are those of the turn", async () => {
  await using kernel = startKernel();
  const asked = async (params: Partial<ParamsOf<"agent">>) => {
    const answer = ask(kernel, params);
    const turn = await kernel.agent.turn();
    await turn.ends();
    await answer;
    const { model, thinking, extraSystemPrompt } = turn.request;
    return [model, thinking, extraSystemPrompt];
  };
  deepStrictEqual(await asked({ model: "two", provider: "test", thinking: "low" }), [
    "test/two",
    "low",
    undefined,
  ]);
  deepStrictEqual(await asked({ model: "test/two", provider: "ignored" }), [
    "test/two",
    "off",
    undefined,
  ]);
  deepStrictEqual(await asked({ model: "", extraSystemPrompt: "x" }), [undefined, "off", "x"]);
});

Deno.test("agent: /new is an admin's, and starts afresh", async () => {
  await using kernel = startKernel();
  const writer = callerOf({ scopes: ["operator.write"] });
  await rejects(ask(kernel, { message: "/new" }, writer), /missing scope: operator\.admin/);
  for (
    const [message, said] of [["/new Hello", "Hello"], ["/reset", "A new conversation begins"]]
  ) {
    const answer = ask(kernel, { message });
    const turn = await kernel.agent.turn();
    const [entry, ...others] = turn.io.history();
    ok(entry?.kind === "message" && textOf(entry.message).startsWith(said!), message ?? "");
    deepStrictEqual(others, []);
    await turn.answers("hi");
    await answer;
  }
});

Deno.test("agent: an answer that was cut short says so", async () => {
  await using kernel = startKernel();
  const answer = ask(kernel, { idempotencyKey: "a1" });
  const turn = await kernel.agent.turn();
  await turn.says("Half");
  await kernel.call("chat.abort", { sessionKey: "main" });
  const last = await answer;
  ok(last.status === "ok");
  deepStrictEqual([last.summary, last.result.payloads, last.result.meta.aborted], [
    "aborted",
    [{ text: "Half", mediaUrl: null }],
    true,
  ]);
  strictEqual(last.result.meta.stopReason, "rpc");
  strictEqual((await kernel.call("agent.wait", { runId: "a1" })).status, "ok");
});

Deno.test("agents.list and agent.identity.get tell who the agents are", async () => {
  await using kernel = startKernel({ config });
  const { defaultId, mainKey, agents } = await kernel.call("agents.list", {});
  deepStrictEqual([defaultId, mainKey, agents.map(({ id }) => id)], ["main", "main", [
    "main",
    "work",
  ]]);
  deepStrictEqual(agents[1]?.identity, { name: "The work", emoji: "🦀" });
  const identity = (params: ParamsOf<"agent.identity.get">) =>
    kernel.call("agent.identity.get", params);
  deepStrictEqual(await identity({}), { agentId: "main", name: "The main", emoji: "🦀" });
  strictEqual((await identity({ sessionKey: "agent:work:x" })).agentId, "work");
  await rejects(identity({ agentId: "ghost" }), /unknown agent id "ghost"/);
});

Deno.test("models.list and tools.catalog tell what the agent has", async () => {
  await using kernel = startKernel();
  const { models } = await kernel.call("models.list", {});
  deepStrictEqual(models.map(({ id, thinkingLevels }) => [id, thinkingLevels !== undefined]), [
    ["one", false],
    ["two", true],
  ]);
  deepStrictEqual((await kernel.call("models.list", { provider: "other" })).models, []);
  const { groups } = await kernel.call("tools.catalog", {});
  deepStrictEqual(groups.map(({ id, label, tools }) => [id, label, tools.map(({ id }) => id)]), [
    ["files", "Files", ["read"]],
  ]);
  await rejects(kernel.call("tools.catalog", { agentId: "ghost" }), /unknown agent id "ghost"/);
});

function ask(kernel: TestKernel, params: Partial<ParamsOf<"agent">>, caller = callerOf()) {
  const idempotencyKey = crypto.randomUUID();
  return kernel.call("agent", { message: "hi", idempotencyKey, ...params }, { caller });
}
