import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { Tool } from "../model.ts";
import type { RunEvent } from "../run.ts";
import type { AssistantMessage } from "../session.ts";
import { act } from "./act.ts";

const CALL: AssistantMessage = {
  role: "assistant",
  content: [{ type: "toolCall", id: "c1", name: "work", arguments: { much: true } }],
  provider: "fake",
  model: "m",
  stopReason: "toolUse",
  timestamp: 1,
};

Deno.test("what a tool tells on its way is heard before its result", async () => {
  const events = await acting(async (_, { update }) => {
    update("half");
    await Promise.resolve();
    update("nearly");
    return { content: [{ type: "text", text: "done" }] };
  });
  deepStrictEqual(events.map(outline), ["start", "half", "nearly", "done", "message done"]);
});

Deno.test("a tool with a bug fails for the model, and is told of in the log", async () => {
  const lines: string[] = [];
  const events = await acting(() => Promise.reject(new Error("a bug")), {
    log: (line) => lines.push(line),
  });
  deepStrictEqual(events.map(outline).slice(-1), [
    "message The tool failed: see the gateway's log",
  ]);
  ok(lines[0]?.includes("a bug"));
});

Deno.test("what a tool had done when the turn was aborted is told as it is", async () => {
  const aborter = new AbortController();
  const events = await acting(async () => {
    aborter.abort();
    await Promise.resolve();
    return { content: [{ type: "text", text: "written" }] };
  }, { signal: aborter.signal });
  deepStrictEqual(events.map(outline).slice(-1), ["message written"]);
});

Deno.test("a tool that doesn't hear of an abort is left behind", async () => {
  const aborter = new AbortController();
  const events = await acting(() => {
    aborter.abort();
    return new Promise(() => {});
  }, { signal: aborter.signal });
  deepStrictEqual(events.map(outline).slice(-1), ["message Aborted by the user"]);
});

Deno.test("nothing is begun after an abort", async () => {
  let runs = 0;
  const events = await acting(() => {
    runs++;
    return Promise.resolve({ content: [] });
  }, { signal: AbortSignal.abort() });
  strictEqual(runs, 0);
  deepStrictEqual(events.map(outline), ["message Aborted by the user"]);
});

function acting(
  run: Tool["run"],
  { signal = new AbortController().signal, log = () => {} }: {
    signal?: AbortSignal;
    log?(line: string): void;
  } = {},
): Promise<RunEvent[]> {
  const work = { name: "work", label: "Work", description: "Works", parameters: {}, run };
  return Array.fromAsync(
    act(CALL, { tools: [work], signal, log, steering: () => [], now: () => 1 }),
  );
}

function outline(event: RunEvent): string {
  if (event.type === "tool") {
    if (event.phase === "start") return "start";
    if (event.phase === "update") return event.partial;
    return event.result.content.map((block) => block.type === "text" ? block.text : "").join("");
  }
  if (event.type !== "message" || event.message.role !== "toolResult") return event.type;
  const [block] = event.message.content;
  return `message ${block?.type === "text" ? block.text : ""}`;
}
