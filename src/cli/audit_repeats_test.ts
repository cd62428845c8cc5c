import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { AuditEntry } from "../audit.ts";
import { Repeats } from "./audit_repeats.ts";

Deno.test("the first of its kind is told, the rest are counted", () => {
  const repeats = new Repeats();
  const first = refusal({ ts: 1 });
  deepStrictEqual(repeats.take(first), first);
  strictEqual(repeats.take(refusal({ ts: 2 })), undefined);
  strictEqual(repeats.take(refusal({ ts: 7 })), undefined);
  deepStrictEqual(repeats.drain(), [{ ...first, ts: 7, since: 1, count: 2 }]);
  deepStrictEqual(repeats.drain(), []);
  deepStrictEqual(repeats.take(first), first, "and again after that");
});

Deno.test("another reason, address or target is another kind; another connection or name is not", () => {
  const repeats = new Repeats();
  for (
    const other of [{}, { reason: "b" }, { target: "t" }, { action: "x" }, from("198.51.100.7")]
  ) {
    ok(repeats.take(refusal(other)) !== undefined);
  }
  for (const same of [{ connId: "2" }, { clientId: "somebody" }]) {
    strictEqual(repeats.take(refusal({ who: { remoteIp: "192.0.2.1", ...same } })), undefined);
  }
});

Deno.test("of one address only so many kinds are told apart", () => {
  const repeats = new Repeats({ perAddress: 2 });
  const told = ["a", "b", "c", "d"].map((action, ts) => repeats.take(refusal({ action, ts })));
  deepStrictEqual(told.map((entry) => entry?.action), ["a", "b", "*", undefined]);
  ok(repeats.take(refusal(from("198.51.100.7"))) !== undefined, "others are not concerned");
  strictEqual(repeats.take(refusal({ action: "a" })), undefined);
  deepStrictEqual(repeats.drain().map(({ action, count }) => [action, count]), [["a", 1], [
    "*",
    1,
  ]]);
});

Deno.test("a flood from everywhere is a bounded number of entries", () => {
  const repeats = new Repeats({ perAddress: 2, total: 10 });
  let told = 0;
  for (let i = 0; i < 10_000; i++) {
    const entry = refusal({ action: `a${i % 7}`, ...from(`2001:db8::${(i % 1000).toString(16)}`) });
    if (repeats.take(entry) !== undefined) told++;
  }
  const counted = repeats.drain();
  ok(told <= 21, `${told} entries`);
  strictEqual(told + counted.reduce((sum, { count = 0 }) => sum + count, 0), 10_000);
});

function refusal(more: Partial<AuditEntry> = {}): AuditEntry {
  return { ts: 0, action: "connect", allowed: false, reason: "no", ...from("192.0.2.1"), ...more };
}

function from(remoteIp: string): Pick<AuditEntry, "who"> {
  return { who: { remoteIp, connId: "1" } };
}
