import { deepStrictEqual } from "node:assert/strict";
import { RecordedLog } from "../../tests/kernel.ts";
import { unattended } from "./unattended.ts";

Deno.test("work that nobody waits for is logged where it fails, at once or later", async () => {
  const log = new RecordedLog();
  const cause = new Error("database or disk is full");
  const failing = [
    () => {
      throw cause;
    },
    () => Promise.reject(cause),
  ];
  for (const work of [...failing, () => {}]) {
    await unattended(work, { log, failed: "It could not be done" })();
  }
  const line = { level: "error", message: "It could not be done", fields: { cause } };
  deepStrictEqual(log.lines, [line, line]);
});
