import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { callerOf, startKernel, type TestKernel } from "../../tests/kernel.ts";
import { type SessionKey, textOf } from "../session.ts";
import { commandEntries, isStopPhrase, parseCommand } from "./commands.ts";

const KEY = "agent:main:main" as SessionKey;

Deno.test("a command is a slash, its name, and what follows", () => {
  const table: readonly [text: string, name: string | undefined, argument?: string][] = [
    ["/help", "help", ""],
    ["  /Help \n", "help", ""],
    ["/new", "new", ""],
    ["/new hello\nworld", "new", "hello\nworld"],
    ["/think: high", "think", "high"],
    ["/think:high", "think", "high"],
    ["/t high", "think", "high"],
    ["/thinking high", "think", "high"],
    ["/models list", "model", "list"],
    ["/model a/b", "model", "a/b"],
    ["/nothing", undefined],
    ["/helpme", undefined],
    ["/new-york is nice", undefined],
    ["/usr/bin/env", undefined],
    ["see /help", undefined],
    ["/", undefined],
    ["", undefined],
  ];
  for (const [text, name, argument] of table) {
    deepStrictEqual(parseCommand(text), name && { name, argument }, text);
  }
});

Deno.test("words that stop are whole messages, in any case and with any end", () => {
  for (
    const text of [
      "stop",
      "STOP!",
      "Stop.  ",
      " wait… ",
      "please   stop",
      "stop don’t do anything",
      "/stop",
      "/Stop now",
      "hör auf",
      "стоп",
      "停止。",
      "やめて",
    ]
  ) ok(isStopPhrase(text), text);
  for (const text of ["stop it, please", "don't stop", "waiting", "", "!", "stopwatch", "/stopp"]) {
    ok(!isStopPhrase(text), text);
  }
});

Deno.test("every command that is listed is understood by each of its names", () => {
  const entries = commandEntries();
  deepStrictEqual(entries.map(({ name }) => name), [
    "help",
    "status",
    "new",
    "reset",
    "stop",
    "compact",
    "model",
    "think",
    "queue",
    "activation",
  ]);
  for (const { name, textAliases } of entries) {
    for (const alias of textAliases) strictEqual(parseCommand(alias)?.name, name);
  }
  strictEqual(entries.find(({ name }) => name === "stop")?.acceptsArgs, false);
  strictEqual(entries.find(({ name }) => name === "model")?.acceptsArgs, true);
});

Deno.test("/help and /status are answered by the gateway itself", async () => {
  await using kernel = startKernel();
  const help = await say(kernel, "/help");
  for (const { name } of commandEntries()) ok(help.includes(`/${name}`), name);
  const status = await say(kernel, "/status");
  match(status, /^OpenClaw gateway 1\.2\.3\n/);
  match(status, /Model: `test\/one` \(the test\)/);
  match(status, /Queue: steer, 0 waiting, idle/);
  strictEqual(kernel.agent.unclaimed, 0);
});

Deno.test("an answer is told under the key that the client wrote", async () => {
  await using kernel = startKernel();
  const answer = await kernel.call("chat.send", {
    sessionKey: "main",
    message: "/help",
    idempotencyKey: "c1",
  });
  deepStrictEqual(answer, { runId: "c1", status: "started" });
  const { runId, sessionKey, seq } = await kernel.events.chat("final");
  deepStrictEqual([runId, sessionKey, seq], ["c1", "main", 1]);
});

Deno.test("a command and its answer are kept for people", async () => {
  await using kernel = startKernel();
  await say(kernel, "/think low");
  const { messages } = await kernel.call("chat.history", { sessionKey: "main" });
  deepStrictEqual(messages.map(({ role }) => role), ["user", "assistant"]);
  deepStrictEqual([messages[0]?.content, messages[1]?.model], ["/think low", "gateway-injected"]);
});

Deno.test("/think sets how hard the session's model thinks", async () => {
  await using kernel = startKernel({
    config: { agents: { defaults: { thinkingDefault: "low" } } },
  });
  const level = () => kernel.store.sessions.get(KEY)?.settings.thinkingLevel;
  strictEqual(await say(kernel, "/think"), "Thinking: low.");
  strictEqual(await say(kernel, "/think high"), "Thinking: high.");
  strictEqual(level(), "high");
  match(await say(kernel, "/think harder"), /^Use one of off, minimal/);
  strictEqual(level(), "high");
  await say(kernel, "/think default");
  strictEqual(level(), undefined);
});

Deno.test("/model chooses the session's model", async () => {
  await using kernel = startKernel();
  const chosen = () => kernel.store.sessions.get(KEY)?.settings.model;
  strictEqual(await say(kernel, "/model"), "Model: `test/one` (the test).");
  strictEqual(await say(kernel, "/model list"), "Models:\n- `test/one`: One\n- `test/two`: Two");
  await say(kernel, "/model TWO");
  strictEqual(chosen(), "test/two");
  match(await say(kernel, "/model"), /`test\/two`, chosen for this session/);
  match(await say(kernel, "/status"), /`test\/two` \(chosen for this session\)/);
  match(await say(kernel, "/model three"), /There is no model `three`/);
  strictEqual(chosen(), "test/two");
  await say(kernel, "/model default");
  strictEqual(chosen(), undefined);
});

Deno.test("/activation chooses whether a group's agent hears all that is said", async () => {
  await using kernel = startKernel();
  strictEqual(await say(kernel, "/activation"), "Activation: as configured.");
  strictEqual(await say(kernel, "/activation always"), "Activation: always.");
  strictEqual(kernel.store.sessions.get(KEY)?.settings.groupActivation, "always");
  strictEqual(await say(kernel, "/activation never"), "Use mention, always or default.");
  strictEqual(await say(kernel, "/activation default"), "Activation: as configured.");
  strictEqual(kernel.store.sessions.get(KEY)?.settings.groupActivation, undefined);
});

Deno.test("/queue chooses what becomes of messages that come in between", async () => {
  await using kernel = startKernel();
  strictEqual(await say(kernel, "/queue"), "Queue: steer, 0 waiting.");
  strictEqual(await say(kernel, "/queue collect"), "Queue: collect.");
  match(await say(kernel, "/queue later"), /^Use one of collect, steer/);
  strictEqual(kernel.store.sessions.get(KEY)?.settings.queueMode, "collect");
  strictEqual(await say(kernel, "/queue default"), "Queue: steer.");
});

Deno.test("a command in a new conversation is about the agent that it is held with", async () => {
  await using kernel = startKernel({
    config: {
      agents: {
        defaults: { thinkingDefault: "low" },
        list: [{ id: "main" }, { id: "work", thinkingDefault: "high" }],
      },
    },
  });
  const at = (key: string, text: string) => say(kernel, text, `agent:work:${key}`);
  strictEqual(await at("a", "/think"), "Thinking: high.");
  match(await at("b", "/status"), /^- Thinking: high$/m);
});

Deno.test("/status reckons with the window of the model that answered", async () => {
  await using kernel = startKernel();
  await say(kernel, "/model two");
  await kernel.call("chat.send", { sessionKey: "main", message: "hi", idempotencyKey: "r1" });
  const turn = await kernel.agent.turn();
  const usage = { input: 400, output: 100, cacheRead: 0, cacheWrite: 0, totalTokens: 500 };
  await turn.emit({ type: "usage", usage, contextTokens: 2000 });
  await turn.answers("hello");
  await kernel.call("agent.wait", { runId: "r1" });
  match(await say(kernel, "/status"), /^- Context: 500 of 2000 tokens \(25 %\)$/m);
});

Deno.test("/new starts afresh, and says the rest to the agent", async () => {
  await using kernel = startKernel();
  await say(kernel, "/think high");
  const before = kernel.store.sessions.get(KEY);
  match(await say(kernel, "/reset"), /^New conversation\./);
  const after = kernel.store.sessions.get(KEY);
  ok(before !== undefined && after !== undefined && after.id !== before.id);
  strictEqual(after.settings.thinkingLevel, "high");
  strictEqual(kernel.store.transcripts.count(before.id), 2);

  const sent = { sessionKey: "main", message: "/new what now?", idempotencyKey: "n1" };
  deepStrictEqual(await kernel.call("chat.send", sent), { runId: "n1", status: "started" });
  const turn = await kernel.agent.turn();
  const texts = turn.io.history().map((entry) => entry.kind === "message" && textOf(entry.message));
  deepStrictEqual(texts, ["what now?"]);
  ok(turn.request.sessionId !== after.id);
  await turn.ends();
});

Deno.test("/compact is a turn that summarises", async () => {
  await using kernel = startKernel();
  await kernel.call("chat.send", { sessionKey: "main", message: "/compact", idempotencyKey: "c1" });
  const turn = await kernel.agent.turn();
  strictEqual(turn.kind, "compact");
  await turn.ends();
});

Deno.test("what is no command, or is said not to be one, goes to the agent", async () => {
  await using kernel = startKernel();
  const send = (message: string, plain: boolean) =>
    kernel.call("chat.send", {
      sessionKey: "main",
      message,
      idempotencyKey: crypto.randomUUID(),
      suppressCommandInterpretation: plain,
    });
  for (
    const [message, plain] of [["/usr/bin is a folder", false], ["/help", true], [
      "stop",
      true,
    ]] as const
  ) {
    await send(message, plain);
    const turn = await kernel.agent.turn();
    strictEqual(turn.io.history().at(-1)?.kind, "message");
    await turn.ends();
    await kernel.events.chat("final");
  }
});

Deno.test("a session that may not be written to takes no commands either", async () => {
  await using kernel = startKernel();
  await kernel.call("sessions.patch", { key: "main", sendPolicy: "deny" });
  await rejects(say(kernel, "/new"), /send blocked by session policy/);
  await rejects(say(kernel, "hi"), /send blocked by session policy/);
});

/** The gateway's answer to a message. */
async function say(kernel: TestKernel, message: string, sessionKey = "main"): Promise<string> {
  const idempotencyKey = crypto.randomUUID();
  const params = { sessionKey, message, idempotencyKey };
  await kernel.call("chat.send", params, { caller: callerOf({ scopes: ["operator.write"] }) });
  const { message: answer } = await kernel.events.chat("final", idempotencyKey);
  const [block] = answer?.content ?? [];
  return typeof block === "object" && block.type === "text" ? block.text : "";
}

Deno.test("a long message is no stop, however long its blanks or dots are", () => {
  for (const filler of [" ", ".", "\n"]) {
    strictEqual(isStopPhrase(`a${filler.repeat(1_000_000)}b`), false);
    strictEqual(isStopPhrase(`stop${filler.repeat(20)}`), true);
  }
});
