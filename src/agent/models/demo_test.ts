import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { ModelEvent } from "../../model.ts";
import type { Message } from "../../session.ts";
import { SUMMARY_INSTRUCTIONS } from "../compaction.ts";
import { demoModel } from "./demo.ts";

const demo = demoModel({ tokenMs: 0, now: () => new Date("2026-11-21T10:00:00Z") });

Deno.test("the first answer says that this is a demo, and how to get a real model", async () => {
  const first = textOf(await ask(user("hello")));
  for (
    const part of [
      "demo",
      "ANTHROPIC_API_KEY",
      "openclaw config set agents.defaults.model.primary anthropic/",
    ]
  ) {
    ok(first.includes(part), part);
  }
  const second = textOf(await ask(user("hello"), assistant("hi"), user("hello")));
  ok(!second.includes("ANTHROPIC_API_KEY"));
});

Deno.test("the same question gets the same answer, word by word", async () => {
  const events = await ask(user("help"));
  deepStrictEqual(await ask(user("help")), events);
  ok(events.filter(({ type }) => type === "text").length > 20);
});

const CALLS: readonly (readonly [said: string, tool: string, args: Record<string, string>])[] = [
  ["list the files", "list", {}],
  ["List the files in your workspace", "list", {}],
  ["Show me the files in notes.", "list", { path: "notes" }],
  ["read AGENTS.md", "read", { path: "AGENTS.md" }],
  ["Please read the file notes/a.md.", "read", { path: "notes/a.md" }],
  ["write notes.md: buy milk\nand bread", "write", {
    path: "notes.md",
    content: "buy milk\nand bread",
  }],
  ["edit notes.md: milk -> tea", "edit", { path: "notes.md", oldText: "milk", newText: "tea" }],
  ['search for "buy milk"', "search", { query: "buy milk" }],
  ["search for tea in notes.md", "search", { query: "tea", path: "notes.md" }],
  ["[Sat 21 Nov 10:00] read USER.md", "read", { path: "USER.md" }],
];
for (const [said, tool, args] of CALLS) {
  Deno.test(`“${said}” uses ${tool}`, async () => {
    const events = await ask(assistant("hi"), user(said));
    const call = events.find((event) => event.type === "toolCall");
    deepStrictEqual([call?.name, call?.arguments], [tool, args]);
    const end = events.at(-1);
    strictEqual(end?.type === "end" && end.stopReason, "toolUse");
  });
}

Deno.test("what it says of a result is read off the result", async () => {
  const about = async (toolName: string, text: string, isError = false) =>
    textOf(await ask(user("x"), assistant("y"), result(toolName, text, isError)));
  strictEqual(await about("list", "a.md (1 bytes)"), "There is 1 entry:\na.md (1 bytes)");
  strictEqual(await about("read", "one\ntwo"), "It has 2 lines. It begins:\none\ntwo");
  strictEqual(
    await about("write", "Created 'a' (1 characters)"),
    "Done. Created 'a' (1 characters)",
  );
  strictEqual(
    await about("search", "(nothing found in 3 files)"),
    "Nothing found. (nothing found in 3 files)",
  );
  strictEqual(
    await about("read", "'a' does not exist", true),
    "That did not work. 'a' does not exist",
  );
});

Deno.test("it thinks when asked to, echoes, counts, and knows the time", async () => {
  const thought = await ask(assistant("hi"), user("think about rain"));
  ok(thought.some((event) => event.type === "thinking") && textOf(thought).includes("rain"));
  strictEqual(textOf(await ask(assistant("hi"), user("echo one  two"))), "one  two");
  strictEqual(textOf(await ask(assistant("hi"), user("count to 5"))), "1 2 3 4 5");
  ok(textOf(await ask(assistant("hi"), user("What time is it?"))).includes("2026-11-21T10:00:00"));
});

Deno.test("it can summarise", async () => {
  const content =
    "# What you remembered so far\n- likes tea\n\n# What came after it\nUser: my name is Ada\n\nAssistant: hello";
  const request = {
    system: SUMMARY_INSTRUCTIONS,
    messages: [user(content)],
    tools: [],
    thinking: "off",
  } as const;
  const events = await Array.fromAsync(demo.stream(request, new AbortController().signal));
  strictEqual(textOf(events), "The user has said:\n- likes tea\n- my name is Ada");
});

Deno.test("an abort stops it in the middle of a sentence", async () => {
  const slow = demoModel({ tokenMs: 1_000_000, now: () => new Date() });
  const aborter = new AbortController();
  const request = { system: "", messages: [user("hello")], tools: [], thinking: "off" } as const;
  const events = Array.fromAsync(slow.stream(request, aborter.signal));
  queueMicrotask(() => aborter.abort());
  deepStrictEqual(await events, []);
});

function ask(...messages: Message[]): Promise<ModelEvent[]> {
  const request = { system: "", messages, tools: [], thinking: "off" } as const;
  return Array.fromAsync(demo.stream(request, new AbortController().signal));
}

function textOf(events: readonly ModelEvent[]): string {
  return events.map((event) => event.type === "text" ? event.delta : "").join("");
}

function user(content: string): Message {
  return { role: "user", content, timestamp: 1 };
}

function assistant(text: string): Message {
  return {
    role: "assistant",
    content: [{ type: "text", text }],
    provider: "demo",
    model: "demo",
    stopReason: "stop",
    timestamp: 1,
  };
}

function result(toolName: string, text: string, isError: boolean): Message {
  return {
    role: "toolResult",
    toolCallId: "demo_1",
    toolName,
    content: [{ type: "text", text }],
    isError,
    timestamp: 1,
  };
}
