import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { Turn } from "./turn.ts";

Deno.test("what was put off is done in its order, much of it over several turns", async () => {
  const turn = new Turn();
  const done: number[] = [];
  for (let n = 0; n < 250; n++) turn.atEnd(() => done.push(n));
  strictEqual(done.length, 0);
  const seen: number[] = [];
  while (done.length < 250) {
    await setImmediate();
    seen.push(done.length);
  }
  deepStrictEqual(seen, [100, 200, 250]);
  deepStrictEqual(done, Array.from({ length: 250 }, (_, n) => n));
});

Deno.test("work that asks for more work has it done behind what waits", async () => {
  const turn = new Turn();
  const done: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  turn.atEnd(() => {
    done.push("first");
    turn.atEnd(() => {
      done.push("third");
      resolve();
    });
  });
  turn.atEnd(() => done.push("second"));
  await promise;
  deepStrictEqual(done, ["first", "second", "third"]);
});
