import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { MemoryLog } from "../../tests/kernel.ts";
import { tailLog } from "./tail.ts";

Deno.test("a line that is still being written waits for the next call", async () => {
  const logs = new MemoryLog("one\ntw");
  const first = await tailLog(logs, {});
  deepStrictEqual([first.lines, first.cursor], [["one"], 4]);
  logs.append("o\n");
  deepStrictEqual((await tailLog(logs, { cursor: first.cursor })).lines, ["two"]);
});

Deno.test("a file that became shorter is read from its start", async () => {
  const logs = new MemoryLog("new\n");
  const { lines, reset, cursor } = await tailLog(logs, { cursor: 1000 });
  deepStrictEqual([lines, reset, cursor], [["new"], true, 4]);
  strictEqual((await tailLog(logs, { cursor: 4 })).reset, undefined);
});

Deno.test("more than was asked for is passed over, from the older end, by whole lines", async () => {
  const logs = new MemoryLog("aaaa\nbbbb\ncccc\n");
  const tail = async (options: Parameters<typeof tailLog>[1]) => {
    const { lines, truncated = false, cursor } = await tailLog(logs, options);
    return [lines, truncated, cursor];
  };
  deepStrictEqual(await tail({ maxBytes: 100 }), [["aaaa", "bbbb", "cccc"], false, 15]);
  deepStrictEqual(await tail({ maxBytes: 7 }), [["cccc"], true, 15]);
  deepStrictEqual(await tail({ cursor: 5, maxBytes: 7 }), [["cccc"], true, 15]);
  deepStrictEqual(await tail({ cursor: 5, maxBytes: 10 }), [["bbbb", "cccc"], false, 15]);
  deepStrictEqual(await tail({ limit: 1 }), [["cccc"], true, 15]);
});

Deno.test("a line longer than what may be read does not hold up the next ones", async () => {
  const logs = new MemoryLog(`${"x".repeat(50)}`);
  const first = await tailLog(logs, { maxBytes: 10 });
  deepStrictEqual(first.lines, []);
  logs.append("xx\nnext\n");
  const second = await tailLog(logs, { cursor: first.cursor, maxBytes: 10 });
  deepStrictEqual([second.lines, second.cursor], [["next"], logs.bytes.length]);
});

Deno.test("a character that was cut does not spoil the line behind it", async () => {
  const logs = new MemoryLog("ü".repeat(20) + "\nnext\n");
  deepStrictEqual((await tailLog(logs, { maxBytes: 9 })).lines, ["next"]);
});

Deno.test("an empty file has no lines", async () => {
  const logs = new MemoryLog();
  deepStrictEqual(await tailLog(logs, {}), { file: logs.file, cursor: 0, size: 0, lines: [] });
});
