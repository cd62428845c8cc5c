import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { stopClock } from "../../tests/clock.ts";
import { Attempts } from "./attempts.ts";

const LIMITS = { maxAttempts: 3, windowMs: 100, lockoutMs: 1000 };

Deno.test("who fails too often is locked out for a while", () => {
  const { attempts, clock } = start();
  for (let i = 0; i < 3; i++) {
    strictEqual(attempts.lockedFor("k"), 0);
    attempts.fail("k");
  }
  strictEqual(attempts.lockedFor("k"), 1000);
  clock.now += 400;
  strictEqual(attempts.lockedFor("k"), 600);
  clock.now += 600;
  strictEqual(attempts.lockedFor("k"), 0);
});

Deno.test("after a lock-out the count begins anew", () => {
  const { attempts, clock } = start();
  fail(attempts, 3);
  clock.now += 1000;
  fail(attempts, 2);
  strictEqual(attempts.lockedFor("k"), 0);
  fail(attempts, 1);
  strictEqual(attempts.lockedFor("k"), 1000);
});

Deno.test("failures that lie far apart lock nobody out", () => {
  const { attempts, clock } = start();
  for (let i = 0; i < 10; i++) {
    attempts.fail("k");
    clock.now += 50;
  }
  strictEqual(attempts.lockedFor("k"), 0);
});

Deno.test("a success forgets the failures", () => {
  const { attempts } = start();
  fail(attempts, 2);
  attempts.succeed("k");
  fail(attempts, 2);
  strictEqual(attempts.lockedFor("k"), 0);
});

Deno.test("a success lifts no lock that holds", () => {
  const { attempts, clock } = start();
  fail(attempts, 3);
  attempts.succeed("k");
  strictEqual(attempts.lockedFor("k"), 1000);
  clock.now += 1000;
  attempts.succeed("k");
  strictEqual(attempts.lockedFor("k"), 0);
});

Deno.test("keys don't hurt each other", () => {
  const { attempts } = start();
  fail(attempts, 3);
  strictEqual(attempts.lockedFor("other"), 0);
});

Deno.test("the longest silent key is forgotten when there are too many, a locked one last", () => {
  const { attempts, clock } = start();
  fail(attempts, 3);
  for (const key of ["silent", "silent", "recent", "recent"]) attempts.fail(key);
  for (let i = 0; i < 9_998; i++) attempts.fail(`n${i}`);
  strictEqual(attempts.lockedFor("k"), 1000);
  for (const key of ["recent", "silent"]) attempts.fail(key);
  deepStrictEqual(["recent", "silent"].map((key) => attempts.lockedFor(key)), [1000, 0]);
  clock.now += 1000;
  fail(attempts, 2);
  for (let i = 0; i < 10_000; i++) attempts.fail(`m${i}`);
  fail(attempts, 1);
  strictEqual(attempts.lockedFor("k"), 0);
});

Deno.test("there are never too many keys, also where all are locked", () => {
  const { attempts } = start();
  for (let i = 0; i <= 10_000; i++) for (let n = 0; n < 3; n++) attempts.fail(`k${i}`);
  deepStrictEqual(["k0", "k1", "k10000"].map((key) => attempts.lockedFor(key)), [0, 1000, 1000]);
});

Deno.test("a clock that is set back makes no lock last longer", () => {
  using clock = stopClock("Date");
  const attempts = new Attempts(LIMITS);
  fail(attempts, 3);
  clock.setSystemTime(0);
  ok(attempts.lockedFor("k") <= 1000);
});

Deno.test("a lock is told of once, when it falls", () => {
  const { attempts, locked } = start();
  fail(attempts, 2);
  deepStrictEqual(locked, []);
  fail(attempts, 2);
  deepStrictEqual(locked, ["k"]);
});

function start() {
  const clock = { now: 5000 };
  const locked: string[] = [];
  const onLock = (key: string) => void locked.push(key);
  return { clock, locked, attempts: new Attempts(LIMITS, { now: () => clock.now, onLock }) };
}

function fail(attempts: Attempts, times: number): void {
  for (let i = 0; i < times; i++) attempts.fail("k");
}
