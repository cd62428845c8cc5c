/** What the gateway's store says of messages, read once nobody has it open. */
import { DatabaseSync } from "node:sqlite";

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
  readonly reply_to: string | null;
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

/** Reads it all. The gateway must have ended. */
export function readJournal(file: string): Journal {
  const database = new DatabaseSync(file, { readOnly: true });
  const all = <Row>(sql: string) => database.prepare(sql).all() as unknown as Row[]; // as `sql` says
  try {
    const runs = all<RunRow>("SELECT run_id, session_key, state, result FROM runs");
    return {
      inbox: all(
        `SELECT seq, channel, chat_id, message_id, state, outcome FROM inbox ORDER BY seq`,
      ),
      outbox: all(
        `SELECT seq, id, channel, lane, origin, state, attempts, started_at, ended_at, fault, error,
           message_ids, json_extract(message, '$.place.chatId') AS chat_id,
           json_extract(message, '$.text') AS text,
           json_extract(message, '$.replyTo') AS reply_to
         FROM outbox ORDER BY seq`,
      ),
      runs: new Map(runs.map((run) => [run.run_id, run])),
    };
  } finally {
    database.close();
  }
}
