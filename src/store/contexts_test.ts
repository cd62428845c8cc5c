import { deepStrictEqual, strictEqual } from "node:assert/strict";
import type { TranscriptEntry } from "../session.ts";
import { Contexts } from "./contexts.ts";

function entryOf(seq: number): TranscriptEntry {
  const message = { role: "user", content: "hello", timestamp: 1 } as const;
  return { kind: "message", seq, id: String(seq), at: 1, message };
}

Deno.test("the contexts that were used longest ago make room for new ones", () => {
  const contexts = new Contexts(10);
  contexts.set("a", [entryOf(1)], 4);
  contexts.set("b", [entryOf(1)], 4);
  deepStrictEqual(contexts.get("a"), [entryOf(1)]);
  contexts.set("c", [entryOf(1)], 4);
  strictEqual(contexts.get("b"), undefined);
  deepStrictEqual(contexts.get("a"), [entryOf(1)]);
  deepStrictEqual(contexts.get("c"), [entryOf(1)]);
});

Deno.test("a context that grows makes others go, and itself in the end", () => {
  const contexts = new Contexts(10);
  contexts.set("a", [], 4);
  contexts.set("b", [], 4);
  contexts.append("b", entryOf(1), 3);
  strictEqual(contexts.get("a"), undefined);
  deepStrictEqual(contexts.get("b"), [entryOf(1)]);
  contexts.append("b", entryOf(2), 4);
  strictEqual(contexts.get("b"), undefined);
});

Deno.test("a context that is set again counts once, and one that is deleted no more", () => {
  const contexts = new Contexts(10);
  for (let n = 0; n < 5; n++) contexts.set("a", [entryOf(n)], 6);
  contexts.set("b", [], 4);
  deepStrictEqual(contexts.get("a"), [entryOf(4)]);
  contexts.delete("a");
  contexts.set("c", [], 6);
  deepStrictEqual(contexts.get("b"), []);
});

Deno.test("a context that is too large takes nobody's place", () => {
  const contexts = new Contexts(10);
  contexts.set("a", [], 4);
  contexts.set("b", [], 11);
  strictEqual(contexts.get("b"), undefined);
  deepStrictEqual(contexts.get("a"), []);
});

Deno.test("nothing is added to a context that is not there", () => {
  const contexts = new Contexts(10);
  contexts.append("a", entryOf(1), 1);
  strictEqual(contexts.get("a"), undefined);
});
