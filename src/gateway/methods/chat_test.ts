import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { ParamsOf } from "../../../schemas/mod.ts";
import { callerOf, startKernel, type TestKernel } from "../../../tests/kernel.ts";
import type { SessionKey } from "../../session.ts";
import { readMessage } from "./chat.ts";

const KEY = "agent:main:main" as SessionKey;
const PNG = Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), Buffer.alloc(20)])
  .toString("base64");

Deno.test("a message is normalised, trimmed and freed of control characters", () => {
  strictEqual(readMessage(" e\u0301\x07 \t a\r\nb\x7f "), "é \t a\r\nb");
  strictEqual(readMessage("\x1b[31mred"), "[31mred");
});

Deno.test("chat.send refuses what can't be a message", async () => {
  await using kernel = startKernel();
  const table: readonly [Partial<ParamsOf<"chat.send">>, RegExp][] = [
    [{ message: "" }, /message or attachment required/],
    [{ message: " \x07 " }, /message or attachment required/],
    [{ message: "a\0b" }, /must not contain NUL/],
    [{ message: "hi", attachments: [{ content: "?" }] }, /content is not base64/],
    [{ message: "hi", thinking: "harder" }, /invalid thinking \(use off\|minimal/],
    [{ message: "hi", sessionKey: "agent:" }, /malformed session key: agent:/],
    [{ message: "hi", sessionKey: "agent:nobody:main" }, /unknown agent id "nobody"/],
    [{ message: "hi", agentId: "../../etc" }, /malformed session key/],
    [{ message: "hi", agentId: "nobody" }, /unknown agent id "nobody"/],
  ];
  for (const [params, reason] of table) {
    await rejects(send(kernel, { idempotencyKey: "r1", ...params }), reason);
  }
  strictEqual(kernel.store.runs.get("r1"), undefined);
  deepStrictEqual(kernel.store.sessions.list({}), []);
});

Deno.test("attachments go with the message, or alone", async () => {
  await using kernel = startKernel();
  const text = Buffer.from("1,2").toString("base64");
  await send(kernel, {
    message: "what is this?",
    attachments: [{ content: `data:image/png;base64,${PNG}` }, {
      content: text,
      fileName: "a.csv",
    }],
  });
  const first = await kernel.agent.turn();
  const [entry] = first.io.history();
  deepStrictEqual(entry?.kind === "message" && entry.message.content, [
    { type: "text", text: "what is this?" },
    { type: "image", data: PNG, mimeType: "image/png" },
    { type: "text", text: "File a.csv:\n```\n1,2\n```" },
  ]);
  await first.ends();
  await send(kernel, { message: "", attachments: [{ content: PNG }] });
  const second = await kernel.agent.turn();
  const last = second.io.history().at(-1);
  strictEqual(last?.kind === "message" && last.message.content.length, 1);
  await second.ends();
});

Deno.test("a command with an attachment is a message", async () => {
  await using kernel = startKernel();
  await send(kernel, { message: "/new", attachments: [{ content: PNG }] });
  await (await kernel.agent.turn()).ends();
});

Deno.test("chat.history names the run that is at work", async () => {
  await using kernel = startKernel();
  await send(kernel, { message: "hi", idempotencyKey: "r1" });
  const turn = await kernel.agent.turn();
  const during = await kernel.call("chat.history", { sessionKey: "main" });
  deepStrictEqual(during.sessionInfo?.activeRunIds, ["r1"]);
  await turn.ends();
  await kernel.events.next("sessions.changed", ({ reason }) => reason === "run-end");
  const after = await kernel.call("chat.history", { sessionKey: "main" });
  deepStrictEqual(after.sessionInfo?.activeRunIds, []);
});

Deno.test("chat.history tells the messages, the session and what waits", async () => {
  await using kernel = startKernel();
  const empty = await kernel.call("chat.history", { sessionKey: "main" });
  deepStrictEqual([empty.messages, empty.sessionId, empty.totalMessages, empty.hasMore], [
    [],
    undefined,
    0,
    false,
  ]);
  await converse(kernel, ["one", "two", "three"]);
  await kernel.call("sessions.patch", { key: "main", thinkingLevel: "high", verboseLevel: "full" });
  const page = await kernel.call("chat.history", { sessionKey: "main", limit: 4 });
  deepStrictEqual(page.messages.map(({ role }) => role), [
    "user",
    "assistant",
    "user",
    "assistant",
  ]);
  deepStrictEqual([page.sessionKey, page.thinkingLevel, page.verboseLevel], [
    "main",
    "high",
    "full",
  ]);
  deepStrictEqual([page.hasMore, page.nextOffset, page.totalMessages], [true, 4, 6]);
  deepStrictEqual(page.pendingInputs, { items: [], total: 0 });
  strictEqual(page.sessionInfo?.key, KEY);
  const rest = await kernel.call("chat.history", { sessionKey: KEY, limit: 4, offset: 4 });
  deepStrictEqual([rest.messages.length, rest.hasMore, rest.nextOffset], [2, false, undefined]);
});

Deno.test("a conversation from before a reset can still be read by its id", async () => {
  await using kernel = startKernel();
  await converse(kernel, ["old"]);
  const before = kernel.store.sessions.get(KEY)?.id ?? "";
  await kernel.call("sessions.reset", { key: "main" });
  await converse(kernel, ["new", "newer"]);
  const read = async (sessionId: string | undefined, sessionKey = "main") => {
    const page = await kernel.call("chat.history", { sessionKey, sessionId });
    return [page.sessionId, page.messages.length];
  };
  const now = kernel.store.sessions.get(KEY)?.id;
  deepStrictEqual(await read(undefined), [now, 4]);
  deepStrictEqual(await read(now), [now, 4]);
  deepStrictEqual(await read(before), [before, 2]);
  await kernel.call("sessions.patch", { key: "other", label: "x" });
  const other = kernel.store.sessions.get("agent:main:other" as SessionKey)?.id;
  deepStrictEqual(await read(now, "other"), [other, 0]);
});

Deno.test("chat.startup is the history of the main session, and what a page offers", async () => {
  await using kernel = startKernel();
  await converse(kernel, ["hello"]);
  const startup = await kernel.call("chat.startup", {});
  deepStrictEqual([startup.sessionKey, startup.messages.length], [KEY, 2]);
  deepStrictEqual(startup.metadata?.models.map(({ id }) => id), ["one", "two"]);
  deepStrictEqual(await kernel.call("chat.metadata", {}), startup.metadata);
  const { commands } = await kernel.call("commands.list", {});
  deepStrictEqual(commands, startup.metadata?.commands);
});

Deno.test("chat.inject says something in the agent's name", async () => {
  await using kernel = startKernel();
  await rejects(
    kernel.call("chat.inject", { sessionKey: "main", message: "hi" }),
    /session not found: main/,
  );
  await converse(kernel, ["hello"]);
  const params = { sessionKey: "main", message: "by the way", label: "note" };
  const { messageId } = await kernel.call("chat.inject", params);
  const { runId, seq, sessionKey, message } = await kernel.events.chat(
    "final",
    `inject-${messageId}`,
  );
  deepStrictEqual([runId, seq, sessionKey], [`inject-${messageId}`, 0, "main"]);
  deepStrictEqual(message?.content, [{ type: "text", text: "[note]\n\nby the way" }]);
  const { messages } = await kernel.call("chat.history", { sessionKey: "main" });
  strictEqual(messages.at(-1)?.model, "gateway-injected");
  const caller = callerOf({ scopes: ["operator.write"] });
  await rejects(kernel.call("chat.inject", params, { caller }), /missing scope: operator\.admin/);
});

Deno.test("every message is told to those who follow, with its number", async () => {
  await using kernel = startKernel();
  await converse(kernel, ["hello"]);
  const told = kernel.events.of("session.message");
  deepStrictEqual(told.map(({ messageSeq, message }) => [messageSeq, message.role]), [
    [1, "user"],
    [2, "assistant"],
  ]);
  ok(told.every(({ sessionKey, agentId }) => sessionKey === KEY && agentId === "main"));
  match(told[0]?.messageId ?? "", /^[0-9a-f-]{36}$/);
});

function send(kernel: TestKernel, params: Partial<ParamsOf<"chat.send">>) {
  const idempotencyKey = crypto.randomUUID();
  return kernel.call("chat.send", { sessionKey: "main", message: "", idempotencyKey, ...params });
}

/** Says things and has each of them answered. */
async function converse(kernel: TestKernel, messages: readonly string[]): Promise<void> {
  for (const message of messages) {
    await send(kernel, { message });
    await (await kernel.agent.turn()).answers(`${message}!`);
    await kernel.events.chat("final");
  }
}

Deno.test("a command that is repeated while it is carried out is carried out once", async () => {
  for (const method of ["chat.send", "agent"] as const) {
    await using kernel = startKernel();
    await kernel.call("chat.send", { sessionKey: "main", message: "work", idempotencyKey: "k0" });
    await (await kernel.agent.turn()).says("at it");
    const ask = () =>
      kernel.call(method, { sessionKey: "main", message: "/new hello", idempotencyKey: "k1" });
    const first = ask(); // it stops the work at hand first
    strictEqual(Object(await ask()).status, "in_flight");
    await (await kernel.agent.turn()).answers("hi");
    await first;
    const resets = kernel.events.of("sessions.changed").filter(({ reason }) => reason === "reset");
    strictEqual(resets.length, 1);
  }
});

Deno.test("of a command that is repeated, nobody is told what is not kept", async () => {
  await using kernel = startKernel();
  const ask = () =>
    kernel.call("chat.send", { sessionKey: "main", message: "/model", idempotencyKey: "k1" });
  await Promise.all([ask(), ask()]);
  const told = kernel.events.of("session.message").map(({ messageSeq }) => messageSeq);
  const { totalMessages } = await kernel.call("chat.history", { sessionKey: "main" });
  deepStrictEqual([told, totalMessages], [[1, 2], 2]);
});
