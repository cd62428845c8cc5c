/** Runs, in SQLite. */
import type { TranscriptEntry } from "../session.ts";
import type { NewEntry, Runs, StoredRun, Transcripts } from "../store.ts";
import { type Database, fromJson, toJson } from "./database.ts";

interface RunRow {
  readonly run_id: string;
  readonly method: StoredRun["method"];
  readonly session_key: StoredRun["sessionKey"];
  readonly session_id: string;
  readonly state: StoredRun["state"];
  readonly accepted_at: number;
  readonly started_at: number | null;
  readonly ended_at: number | null;
  readonly input: string;
  readonly result: string | null;
}

export class SqliteRuns implements Runs {
  readonly #database: Database;
  readonly #transcripts: Transcripts;

  constructor(database: Database, transcripts: Transcripts) {
    this.#database = database;
    this.#transcripts = transcripts;
  }

  get(runId: string): StoredRun | undefined {
    const row = this.#database.get<RunRow>("SELECT * FROM runs WHERE run_id = ?", runId);
    return row && toRun(row);
  }

  accept({ runId, method, sessionKey, sessionId, acceptedAt, input }: Pick<
    StoredRun,
    "runId" | "method" | "sessionKey" | "sessionId" | "acceptedAt" | "input"
  >): void {
    const added = this.#database.run(
      `INSERT INTO runs (run_id, method, session_key, session_id, state, accepted_at, input)
       VALUES (?, ?, ?, ?, 'accepted', ?, ?) ON CONFLICT (run_id) DO NOTHING`,
      runId,
      method,
      sessionKey,
      sessionId,
      acceptedAt,
      toJson(input),
    );
    if (added === 0) throw new Error(`Cannot accept run '${runId}': the id is taken`);
  }

  /** Throws unless the run is accepted and neither started nor ended. */
  start(runId: string, sessionId: string, entry: NewEntry, startedAt: number): TranscriptEntry {
    return this.#database.transaction(() => {
      const started = this.#database.run(
        `UPDATE runs SET state = 'started', session_id = ?, started_at = ?
         WHERE run_id = ? AND state = 'accepted'`,
        sessionId,
        startedAt,
        runId,
      );
      if (started === 0) throw new Error(`Cannot start run '${runId}': ${this.#standing(runId)}`);
      return this.#transcripts.append(sessionId, entry);
    });
  }

  /** Throws unless the run is accepted and has not ended. */
  finish(
    runId: string,
    state: "ok" | "error" | "aborted",
    result: unknown,
    endedAt: number,
  ): void {
    const ended = this.#database.run(
      `UPDATE runs SET state = ?, result = ?, ended_at = ?
       WHERE run_id = ? AND ended_at IS NULL`,
      state,
      result === undefined ? null : toJson(result),
      endedAt,
      runId,
    );
    if (ended === 0) throw new Error(`Cannot finish run '${runId}': ${this.#standing(runId)}`);
  }

  unfinished(): readonly StoredRun[] {
    // Not by time, which a clock that is set back turns round; "+" or SQLite would read all runs.
    return this.#database.all<RunRow>(
      "SELECT * FROM runs WHERE ended_at IS NULL ORDER BY +rowid",
    ).map(toRun);
  }

  prune(before: number): number {
    return this.#database.run("DELETE FROM runs WHERE ended_at < ?", before);
  }

  #standing(runId: string): string {
    const run = this.get(runId);
    return run === undefined ? "it was never accepted" : `it is in state '${run.state}'`;
  }
}

function toRun(row: RunRow): StoredRun {
  const json = (text: string) => fromJson<unknown>(text, { table: "runs", key: row.run_id });
  return {
    runId: row.run_id,
    method: row.method,
    sessionKey: row.session_key,
    sessionId: row.session_id,
    state: row.state,
    acceptedAt: row.accepted_at,
    ...(row.started_at === null ? {} : { startedAt: row.started_at }),
    ...(row.ended_at === null ? {} : { endedAt: row.ended_at }),
    input: json(row.input),
    ...(row.result === null ? {} : { result: json(row.result) }),
  };
}
