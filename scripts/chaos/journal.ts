/** What the gateway's store says of messages, read once nobody has it open; and when it is written. */
import { DatabaseSync } from "node:sqlite";
import { dirname } from "node:path";
import { Moments } from "./network.ts";

/** A message of a person. */
export interface InboundRow {
  readonly seq: number;
  readonly channel: string;
  readonly chat_id: string;
  readonly message_id: string;
  readonly state: string;
  readonly outcome: string | null;
}

/** A message of ours. */
export interface OutboundRow {
  readonly seq: number;
  readonly id: string;
  readonly channel: string;
  readonly lane: string;
  readonly origin: string | null;
  readonly state: string;
  readonly attempts: number;
  readonly started_at: number | null;
  readonly ended_at: number | null;
  readonly fault: string | null;
  readonly error: string | null;
  /** JSON of a list. */
  readonly message_ids: string | null;
  readonly chat_id: string;
  readonly text: string;
  /** The one that it puts its text in the place of. */
  readonly edits: string | null;
}

export interface RunRow {
  readonly run_id: string;
  readonly session_key: string;
  readonly state: string;
  /** JSON. */
  readonly result: string | null;
}

export interface Journal {
  readonly inbox: readonly InboundRow[];
  readonly outbox: readonly OutboundRow[];
  readonly runs: ReadonlyMap<string, RunRow>;
}

/** What was left open by a gateway that was killed. */
export interface Leftovers {
  /** Stored, and not brought to an agent. */
  readonly waiting: number;
  /** How many were stored in all, and the last few of them, also those that are done with. */
  readonly count: number;
  readonly stored: readonly Pick<InboundRow, "channel" | "chat_id" | "message_id">[];
  /** Runs that have no end. */
  readonly running: number;
  /** Messages of ours that have none. */
  readonly outbox: readonly Pick<OutboundRow, "channel" | "state" | "text">[];
}

/** As many as may be under way when a gateway dies. */
const RECENT = 40;

/** Reads it all. The gateway must have ended. */
export function readJournal(file: string): Journal {
  return ask(file, (all) => {
    const runs = all<RunRow>("SELECT run_id, session_key, state, result FROM runs");
    return {
      inbox: all(
        `SELECT seq, channel, chat_id, message_id, state, outcome FROM inbox ORDER BY seq`,
      ),
      outbox: all(
        `SELECT seq, id, channel, lane, origin, state, attempts, started_at, ended_at, fault, error,
           message_ids, json_extract(message, '$.place.chatId') AS chat_id,
           json_extract(message, '$.text') AS text, json_extract(message, '$.edits') AS edits
         FROM outbox ORDER BY seq`,
      ),
      runs: new Map(runs.map((run) => [run.run_id, run])),
    };
  });
}

/** Reads what is open. The gateway must be dead; `undefined` where it never came to have a store. */
export function readLeftovers(file: string): Leftovers | undefined {
  return ask(file, (all) => {
    if (all("SELECT 1 FROM sqlite_schema WHERE name = 'inbox'").length === 0) return undefined;
    return {
      waiting: all("SELECT 1 FROM inbox WHERE message IS NOT NULL AND state = 'waiting'").length,
      count: all<{ count: number }>("SELECT count(*) AS count FROM inbox")[0]?.count ?? 0,
      stored: all(
        `SELECT channel, chat_id, message_id FROM inbox ORDER BY seq DESC LIMIT ${RECENT}`,
      ),
      running: all("SELECT 1 FROM runs WHERE state IN ('accepted', 'started')").length,
      outbox: all(
        `SELECT channel, state, json_extract(message, '$.text') AS text FROM outbox
         WHERE ended_at IS NULL`,
      ),
    };
  });
}

/** Tells each time that a live gateway writes to its store: each change of a journal is one of them. */
export class JournalWatch implements Disposable {
  readonly moments = new Moments<"written">();
  readonly #watcher: Deno.FsWatcher;

  constructor(file: string) {
    this.#watcher = Deno.watchFs(dirname(file), { recursive: false });
    void this.#watch(`${file}-wal`);
  }

  [Symbol.dispose](): void {
    this.#watcher.close();
  }

  async #watch(log: string): Promise<void> {
    for await (const { kind, paths } of this.#watcher) {
      if (kind === "modify" && paths.includes(log)) this.moments.happened("written");
    }
  }
}

/** Leaves no trace: the next gateway finds the file as the last one left it. */
function ask<T>(file: string, read: (all: <Row>(sql: string) => Row[]) => T): T {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    return read(<Row>(sql: string) => database.prepare(sql).all() as Row[]); // as `sql` says
  } finally {
    database.close();
    removeIfThere(`${file}-shm`);
  }
}

function removeIfThere(file: string): void {
  try {
    Deno.removeSync(file);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
