import { strictEqual } from "node:assert/strict";
import { stopClock } from "../tests/clock.ts";
import { aborted, Deadline, pause } from "./deadline.ts";

Deno.test("a deadline aborts once its time has passed, and says so", async () => {
  using deadline = new Deadline(1);
  await aborted(deadline.signal);
  strictEqual(deadline.isOver, true);
});

Deno.test("a deadline that is restarted begins anew, also when its first time is over", () => {
  using clock = stopClock("performance", "setTimeout", "clearTimeout");
  using deadline = new Deadline(100);
  clock.tick(60);
  deadline.restart();
  clock.tick(99);
  strictEqual(deadline.isOver, false);
  clock.tick(1);
  strictEqual(deadline.isOver, true);
  strictEqual(deadline.signal.aborted, true);
  strictEqual(clock.countTimers(), 0);
});

Deno.test("a deadline aborts with the outer signal, for its reason", () => {
  const outer = new AbortController();
  const reason = new Error("stopped");
  using before = new Deadline(60_000, outer.signal);
  outer.abort(reason);
  using after = new Deadline(60_000, outer.signal);
  for (const { signal, isOver } of [before, after]) {
    strictEqual(signal.reason, reason);
    strictEqual(isOver, false);
  }
});

Deno.test("a deadline that was disposed of aborts no more", () => {
  const outer = new AbortController();
  const deadline = new Deadline(60_000, outer.signal);
  deadline[Symbol.dispose]();
  outer.abort();
  strictEqual(deadline.signal.aborted, false);
});

Deno.test("a pause ends with its time, or with the signal", async () => {
  const outer = new AbortController();
  await pause(1, outer.signal);
  const long = pause(60_000, outer.signal);
  outer.abort();
  await long;
  await pause(60_000, outer.signal);
});

Deno.test("an abort is waited for, unless it has been already", async () => {
  const controller = new AbortController();
  const waiting = aborted(controller.signal);
  controller.abort();
  await waiting;
  await aborted(controller.signal);
});
