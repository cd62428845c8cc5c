import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { Turn, type Writer } from "./turn.ts";

/** One that writes down its steps. */
function writer(name: number | string, steps: unknown[], then = () => {}): Writer {
  return {
    prepare: () => void steps.push(`${name} is ready`),
    write() {
      steps.push(name);
      then();
    },
  };
}

Deno.test("all who wait get ready before the first of them writes", async () => {
  const turn = new Turn();
  const steps: unknown[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  turn.atEnd(writer("a", steps));
  turn.atEnd(writer("b", steps, resolve));
  strictEqual(steps.length, 0);
  await promise;
  deepStrictEqual(steps, ["a is ready", "b is ready", "a", "b"]);
});

Deno.test("what was put off is done in its order, much of it over several turns", async () => {
  const turn = new Turn();
  const steps: unknown[] = [];
  const written = () => steps.filter((step) => typeof step === "number");
  for (let n = 0; n < 250; n++) turn.atEnd(writer(n, steps));
  const seen: number[] = [];
  while (written().length < 250) {
    await setImmediate();
    seen.push(written().length);
  }
  deepStrictEqual(seen, [100, 200, 250]);
  deepStrictEqual(written(), Array.from({ length: 250 }, (_, n) => n));
});

Deno.test("who comes while others write writes behind all that wait", async () => {
  const turn = new Turn();
  const steps: unknown[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  turn.atEnd(writer("first", steps, () => turn.atEnd(writer("third", steps, resolve))));
  turn.atEnd(writer("second", steps));
  await promise;
  deepStrictEqual(steps.filter((step) => !`${step}`.endsWith("ready")), [
    "first",
    "second",
    "third",
  ]);
});
