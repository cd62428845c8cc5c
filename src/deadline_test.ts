import { strictEqual } from "node:assert/strict";
import { aborted, Deadline, pause } from "./deadline.ts";

Deno.test("a deadline aborts once its time has passed, and says so", async () => {
  using deadline = new Deadline(1);
  await aborted(deadline.signal);
  strictEqual(deadline.isOver, true);
});

Deno.test("a deadline that is restarted begins anew, also when its first time is over", async () => {
  const { now } = performance;
  let time = 0;
  performance.now = () => time;
  try {
    using deadline = new Deadline(1);
    time = 1_000;
    deadline.restart();
    // timers of one length go off in their order: its own has gone off again and again
    for (let n = 0; n < 10; n++) await new Promise((resolve) => setTimeout(resolve, 1));
    strictEqual(deadline.isOver, false);
    time = 1_001;
    await aborted(deadline.signal);
    strictEqual(deadline.isOver, true);
  } finally {
    performance.now = now;
  }
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
