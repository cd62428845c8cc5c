import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import type { SessionKey } from "../session.ts";
import { openDatabase } from "./database.ts";
import { init } from "./migrations/0001_init.ts";
import { SqliteRuns } from "./runs.ts";
import { SqliteTranscripts } from "./transcripts.ts";

Deno.test("a run is accepted, started and finished", () => {
  using parts = open();
  const { runs, transcripts } = parts;
  strictEqual(runs.get("r1"), undefined);
  accept(runs, "r1", 10);
  const accepted = {
    runId: "r1",
    method: "chat.send",
    sessionKey: KEY,
    sessionId: "s1",
    state: "accepted",
    acceptedAt: 10,
    input: { text: "hello" },
  };
  deepStrictEqual(runs.get("r1"), accepted);
  const entry = runs.start("r1", "s1", LINE, 20);
  deepStrictEqual(transcripts.page("s1", { limit: 9 }), [entry]);
  const started = { ...accepted, state: "started", startedAt: 20 };
  deepStrictEqual(runs.get("r1"), started);
  runs.finish("r1", "ok", { text: "hi" }, 30);
  deepStrictEqual(runs.get("r1"), {
    ...started,
    state: "ok",
    endedAt: 30,
    result: { text: "hi" },
  });
});

Deno.test("an id is accepted once", () => {
  using parts = open();
  accept(parts.runs, "r1", 10);
  throws(() => accept(parts.runs, "r1", 11), {
    message: "Cannot accept run 'r1': the id is taken",
  });
  parts.runs.finish("r1", "aborted", undefined, 12);
  throws(() => accept(parts.runs, "r1", 13), /the id is taken/);
  strictEqual(parts.runs.get("r1")?.acceptedAt, 10);
});

Deno.test("a run starts once, and only then says its line", () => {
  using parts = open();
  const { runs, transcripts } = parts;
  throws(() => runs.start("r1", "s1", LINE, 1), {
    message: "Cannot start run 'r1': it was never accepted",
  });
  accept(runs, "r1", 10);
  runs.start("r1", "s1", LINE, 20);
  throws(() => runs.start("r1", "s1", LINE, 21), {
    message: "Cannot start run 'r1': it is in state 'started'",
  });
  strictEqual(transcripts.count("s1"), 1);
});

Deno.test("a run whose line can't be stored is not started", () => {
  using parts = open();
  accept(parts.runs, "r1", 10);
  throws(() => parts.runs.start("r1", "s1", { ...LINE, at: 1.5 }, 20));
  strictEqual(parts.runs.get("r1")?.state, "accepted");
});

Deno.test("a run that starts after a reset belongs to the new transcript", () => {
  using parts = open();
  accept(parts.runs, "r1", 10);
  parts.runs.start("r1", "s2", LINE, 20);
  strictEqual(parts.runs.get("r1")?.sessionId, "s2");
  strictEqual(parts.transcripts.count("s1"), 0);
});

Deno.test("a run finishes once, started or not", () => {
  using parts = open();
  const { runs } = parts;
  throws(() => runs.finish("r1", "ok", {}, 1), /Cannot finish run 'r1': it was never accepted/);
  accept(runs, "r1", 10);
  runs.finish("r1", "aborted", undefined, 20);
  throws(() => runs.finish("r1", "ok", {}, 21), /it is in state 'aborted'/);
  throws(() => runs.start("r1", "s1", LINE, 21), /it is in state 'aborted'/);
  const run = runs.get("r1");
  deepStrictEqual([run?.state, run?.startedAt, run?.endedAt, run?.result], [
    "aborted",
    undefined,
    20,
    undefined,
  ]);
});

Deno.test("unfinished runs come as they were accepted, whatever the clock said then", () => {
  using parts = open();
  const { runs } = parts;
  for (const [id, at] of [["late", 30], ["first", 10], ["twin", 10], ["done", 5]] as const) {
    accept(runs, id, at);
  }
  runs.start("twin", "s1", LINE, 40);
  runs.finish("done", "error", "why", 50);
  deepStrictEqual(runs.unfinished().map(({ runId, state }) => [runId, state]), [
    ["late", "accepted"],
    ["first", "accepted"],
    ["twin", "started"],
  ]);
});

Deno.test("prune forgets what ended before, and nothing that has not", () => {
  using parts = open();
  const { runs } = parts;
  for (const id of ["old", "new", "open"]) accept(runs, id, 1);
  runs.finish("old", "ok", {}, 10);
  runs.finish("new", "error", {}, 20);
  strictEqual(runs.prune(10), 0);
  strictEqual(runs.prune(20), 1);
  deepStrictEqual(["old", "new", "open"].map((id) => runs.get(id)?.state), [
    undefined,
    "error",
    "accepted",
  ]);
});

const KEY = "agent:main:main" as SessionKey;

const LINE = {
  kind: "message",
  at: 1,
  runId: "r1",
  message: { role: "user", content: "hello", timestamp: 1 },
} as const;

function open() {
  const database = openDatabase(":memory:", [init]);
  const transcripts = new SqliteTranscripts(database);
  const runs = new SqliteRuns(database, transcripts);
  return { runs, transcripts, [Symbol.dispose]: () => database[Symbol.dispose]() };
}

function accept(runs: SqliteRuns, runId: string, acceptedAt: number): void {
  runs.accept({
    runId,
    method: "chat.send",
    sessionKey: KEY,
    sessionId: "s1",
    acceptedAt,
    input: { text: "hello" },
  });
}
