import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { paintFor } from "../paint.ts";
import { AuditRecord, isRefusal, lineText } from "./record.ts";

const every = () => true;

Deno.test("the newest lines are found over as many files as it takes", () =>
  inHouse(async (stateDir, put) => {
    await put(".2", ["a", "b"]);
    await put(".1", ["c", "d"]);
    await put("", ["e"]);
    const newest = (limit: number) => new AuditRecord(stateDir).newest(limit, every);
    deepStrictEqual(await newest(1), ["e"]);
    deepStrictEqual(await newest(4), ["b", "c", "d", "e"]);
    deepStrictEqual(await newest(99), ["a", "b", "c", "d", "e"]);
    deepStrictEqual(await new AuditRecord(stateDir).newest(1, (line) => line < "c"), ["b"]);
    deepStrictEqual(await new AuditRecord("/nowhere").newest(9, every), []);
  }));

Deno.test("what is written later comes once, also over the change of files", () =>
  inHouse(async (stateDir, put) => {
    await put("", ["a"]);
    const record = new AuditRecord(stateDir);
    deepStrictEqual(await record.newest(9, every), ["a"]);
    const stop = new AbortController();
    const path = `${stateDir}/logs/audit.jsonl`;
    const lines = record.follow(stop.signal)[Symbol.asyncIterator]();
    await Deno.writeTextFile(path, 'b\nhalf of "c', { append: true });
    deepStrictEqual((await lines.next()).value, ["b"]);
    await Deno.writeTextFile(path, '"\nd\n', { append: true });
    await Deno.rename(path, `${path}.1`);
    await put("", ["e"]);
    const seen: string[] = [];
    while (!seen.includes("e")) seen.push(...(await lines.next()).value ?? []);
    deepStrictEqual(seen, ['half of "c"', "d", "e"]);
    stop.abort();
    strictEqual((await lines.next()).done, true);
  }));

Deno.test("a line for people says when, whether, what, why and who", () => {
  const paint = paintFor(false);
  const line = JSON.stringify({
    ts: 0,
    action: "connect",
    allowed: false,
    reason: "AUTH_TOKEN_MISMATCH",
    who: { remoteIp: "192.0.2.1", clientId: "x" },
    count: 3,
    since: 0,
  });
  strictEqual(
    lineText(line, { paint, utc: true }),
    "1970-01-01 00:00:00 refused connect AUTH_TOKEN_MISMATCH " +
      "remoteIp=192.0.2.1 clientId=x count=3 since=1970-01-01 00:00:00",
  );
  strictEqual(lineText("no JSON \x1b[2J", { paint, utc: true }), "no JSON [2J");
  deepStrictEqual([line, '{"action":"a","allowed":true}', "{"].map(isRefusal), [
    true,
    false,
    false,
  ]);
});

/** A state folder with an audit log; `put` makes one of its files. */
async function inHouse(
  use: (
    stateDir: string,
    put: (age: string, lines: readonly string[]) => Promise<void>,
  ) => Promise<void>,
): Promise<void> {
  const stateDir = await Deno.makeTempDir({ prefix: "openclaw-record-" });
  try {
    await Deno.mkdir(`${stateDir}/logs`);
    await use(stateDir, (age, lines) =>
      Deno.writeTextFile(
        `${stateDir}/logs/audit.jsonl${age}`,
        lines.map((line) => `${line}\n`).join(""),
      ));
  } finally {
    await Deno.remove(stateDir, { recursive: true });
  }
}
