import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { Backlog, Beginnings, Slots } from "./lane.ts";

const never = new AbortController().signal;

Deno.test("slots are given to as many as there are, and then in the order of asking", async () => {
  const slots = new Slots(() => 2);
  const order: string[] = [];
  const ask = async (name: string) => {
    const slot = await slots.take(never);
    order.push(name);
    return slot;
  };
  const [a, b] = await Promise.all([ask("a"), ask("b")]);
  const later = [ask("c"), ask("d")];
  strictEqual(slots.busy, 2);
  b?.[Symbol.dispose]();
  await later[0];
  deepStrictEqual(order, ["a", "b", "c"]);
  a?.[Symbol.dispose]();
  await later[1];
  deepStrictEqual(order, ["a", "b", "c", "d"]);
});

Deno.test("who waits counts by the limit as it is now", async () => {
  let limit = 1;
  const slots = new Slots(() => limit);
  const order: string[] = [];
  const ask = async (name: string) => {
    const slot = await slots.take(never);
    order.push(name);
    return slot;
  };
  const first = await ask("a");
  const waiting = ["b", "c", "d"].map(ask);
  limit = 3;
  const last = ask("e");
  const [second, third] = await Promise.all(waiting.slice(0, 2));
  deepStrictEqual([order, slots.busy], [["a", "b", "c"], 3]);
  limit = 1;
  for (const slot of [first, second]) slot?.[Symbol.dispose]();
  strictEqual(slots.busy, 1);
  third?.[Symbol.dispose]();
  (await waiting[2])?.[Symbol.dispose]();
  await last;
  deepStrictEqual(order, ["a", "b", "c", "d", "e"]);
});

Deno.test("a slot is given back once, however often it is disposed of", async () => {
  const slots = new Slots(() => 2);
  const first = await slots.take(never);
  await slots.take(never);
  first?.[Symbol.dispose]();
  first?.[Symbol.dispose]();
  strictEqual(slots.busy, 1);
});

Deno.test("who stops waiting gets none, and those behind keep their turn", async () => {
  const slots = new Slots(() => 1);
  const first = await slots.take(never);
  const impatient = new AbortController();
  const second = slots.take(impatient.signal);
  const third = slots.take(never);
  impatient.abort();
  strictEqual(await second, undefined);
  first?.[Symbol.dispose]();
  ok(await third);
  strictEqual(slots.busy, 1);
  strictEqual(await slots.take(AbortSignal.abort()), undefined);
});

Deno.test("a slot that was got is kept when its taker is aborted", async () => {
  const slots = new Slots(() => 1);
  const first = await slots.take(never);
  const taker = new AbortController();
  const second = slots.take(taker.signal);
  first?.[Symbol.dispose]();
  ok(await second);
  taker.abort();
  strictEqual(slots.busy, 1);
});

Deno.test("a backlog gives the next one, with those behind it that share its turn", () => {
  const backlog = new Backlog<number>();
  for (const n of [2, 4, 5, 6, 7]) backlog.push(n);
  const isEven = (n: number) => n % 2 === 0;
  deepStrictEqual(backlog.take(isEven), [2, 4]);
  deepStrictEqual(backlog.take(isEven), [5]);
  deepStrictEqual(backlog.take(() => false), [6]);
  deepStrictEqual(backlog.take(() => true), [7]);
  deepStrictEqual(backlog.take(() => true), []);
});

Deno.test("what is taken out of a backlog leaves the others in their order", () => {
  const backlog = new Backlog<number>();
  for (const n of [1, 2, 3, 4]) backlog.push(n);
  deepStrictEqual(backlog.remove((n) => n % 2 === 0), [2, 4]);
  strictEqual(backlog.size, 2);
  deepStrictEqual(backlog.take(() => true), [1, 3]);
});

Deno.test("jobs begin in their order, a few in each turn of the event loop", async () => {
  const beginnings = new Beginnings();
  const begun: number[] = [];
  for (let n = 0; n < 20; n++) void beginnings.next().then(() => begun.push(n));
  const seen: number[] = [];
  while (begun.length < 20) {
    await setImmediate();
    seen.push(begun.length);
  }
  deepStrictEqual(begun, Array.from({ length: 20 }, (_, n) => n));
  deepStrictEqual(seen, [8, 16, 20]);
});

Deno.test("a job that comes while others begin waits for the next turn", async () => {
  const beginnings = new Beginnings();
  const begun: string[] = [];
  const late = beginnings.next().then(() => {
    begun.push("first");
    return beginnings.next().then(() => begun.push("late"));
  });
  await beginnings.next();
  begun.push("second");
  await Promise.resolve();
  deepStrictEqual(begun, ["first", "second"]);
  await late;
  deepStrictEqual(begun, ["first", "second", "late"]);
});
