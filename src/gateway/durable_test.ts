import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { callerOf } from "../../tests/kernel.ts";
import { durable } from "./durable.ts";

/** A store whose disk is done when a test says so. */
class Disk {
  isSynced = true;
  readonly #write = Promise.withResolvers<void>();
  readonly synced = () => this.#write.promise;

  finish(): void {
    this.isSynced = true;
    this.#write.resolve();
  }

  fail(): void {
    this.#write.reject(new Error("disk is gone"));
  }
}

const call = (accept: (payload: unknown) => void = () => {}) => ({
  caller: callerOf({ protocol: 4, role: "operator", scopes: [] }),
  signal: AbortSignal.abort(),
  accept,
});

Deno.test("an answer is given at once where nothing was changed", () => {
  strictEqual(durable(() => "answer", new Disk())("health", {}, call()), "answer");
});

Deno.test("answers wait for the disk, the first of two before the second", async () => {
  const disk = new Disk();
  const told: unknown[] = [];
  const dispatch = durable((_name, _params, { accept }) => {
    disk.isSynced = false;
    accept("accepted");
    return Promise.resolve("done");
  }, disk);
  const answer = Promise.resolve(dispatch("agent", {}, call((payload) => told.push(payload))))
    .then((payload) => told.push(payload));
  await Promise.resolve();
  deepStrictEqual(told, []);
  disk.finish();
  await answer;
  deepStrictEqual(told, ["accepted", "done"]);
});

Deno.test("where the disk fails, nothing is told as done", async () => {
  const disk = new Disk();
  const told: unknown[] = [];
  const dispatch = durable((_name, _params, { accept }) => {
    disk.isSynced = false;
    accept("accepted");
    return "done";
  }, disk);
  const answer = dispatch("agent", {}, call((payload) => told.push(payload)));
  disk.fail();
  await rejects(Promise.resolve(answer), /disk is gone/);
  deepStrictEqual(told, []);
});
