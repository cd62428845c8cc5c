import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import {
  agentOf,
  canonicalSessionKey,
  isAgentId,
  kindOf,
  type SessionKey,
  textOf,
} from "./session.ts";

const CONTEXT = { defaultAgentId: "home", mainKey: "desk" };

Deno.test("a key is read as clients spell it", () => {
  const table: readonly [spelled: string, canonical: string | undefined][] = [
    ["", "agent:home:desk"],
    ["  ", "agent:home:desk"],
    ["main", "agent:home:desk"],
    ["MAIN", "agent:home:desk"],
    ["desk", "agent:home:desk"],
    ["notes", "agent:home:notes"],
    [" Notes ", "agent:home:notes"],
    ["telegram:group:-100", "agent:home:telegram:group:-100"],
    ["agent:work:desk", "agent:work:desk"],
    ["agent:work:main", "agent:work:desk"],
    ["Agent:Work:Direct:ALICE", "agent:work:direct:alice"],
    ["agent:work:cron:main", "agent:work:cron:main"],
    ["global", "global"],
    ["unknown", "unknown"],
    ["agent:", undefined],
    ["agent:work", undefined],
    ["agent:work:", undefined],
    ["agent::main", undefined],
    ["agent:-x:main", undefined],
    ["agent:../etc:main", undefined],
    [`agent:${"x".repeat(65)}:main`, undefined],
    ["x".repeat(512), `agent:home:${"x".repeat(512)}`],
    ["x".repeat(513), undefined],
  ];
  for (const [spelled, canonical] of table) {
    strictEqual(canonicalSessionKey(spelled, CONTEXT), canonical, spelled);
  }
});

Deno.test("a key without an agent belongs to the agent that is named beside it", () => {
  strictEqual(canonicalSessionKey("main", CONTEXT, "work"), "agent:work:desk");
  strictEqual(canonicalSessionKey("notes", CONTEXT, "work"), "agent:work:notes");
  strictEqual(canonicalSessionKey("agent:other:notes", CONTEXT, "work"), "agent:other:notes");
});

Deno.test("what is no agent's id makes no key", () => {
  for (const agentId of ["", "..", "../../etc", "a:b", "Work", "a b"]) {
    strictEqual(canonicalSessionKey("notes", CONTEXT, agentId), undefined, agentId);
  }
});

Deno.test("canonical keys stay as they are", () => {
  for (const spelled of ["", "notes", "agent:work:main", "global", "agent:work:direct:alice"]) {
    const once = canonicalSessionKey(spelled, CONTEXT) ?? "";
    strictEqual(canonicalSessionKey(once, CONTEXT), once);
  }
});

Deno.test("ids of agents are short, lower-case and harmless in a path", () => {
  for (const id of ["main", "a", "0", "my-agent_2", "x".repeat(64)]) ok(isAgentId(id), id);
  for (const id of ["", "-a", "_a", "A", "a/b", "a.b", "a:b", "ä", "a\n", "x".repeat(65)]) {
    ok(!isAgentId(id), id);
  }
});

Deno.test("a key tells its agent, and what kind of place it is", () => {
  strictEqual(agentOf("agent:work:main" as SessionKey), "work");
  strictEqual(agentOf("global" as SessionKey), "main");
  const kinds = {
    "agent:main:main": "direct",
    "agent:main:telegram:direct:group-fan": "direct",
    "agent:main:telegram:group:-1": "group",
    "agent:main:discord:channel:5:thread:6": "group",
    global: "global",
    unknown: "unknown",
  };
  for (const [key, kind] of Object.entries(kinds)) strictEqual(kindOf(key), kind, key);
});

Deno.test("the text of a message is its text blocks", () => {
  strictEqual(textOf({ role: "user", content: "hi", timestamp: 1 }), "hi");
  const content = [
    { type: "thinking", thinking: "hm" },
    { type: "text", text: "one " },
    { type: "toolCall", id: "1", name: "read", arguments: {} },
    { type: "text", text: "two" },
  ] as const;
  const message = { role: "assistant", provider: "p", model: "m", stopReason: "stop" } as const;
  deepStrictEqual(textOf({ ...message, content, timestamp: 1 }), "one two");
});
