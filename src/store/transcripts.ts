/** Transcripts, in SQLite. */
import type { Compaction, Message, TranscriptEntry } from "../session.ts";
import type { NewEntry, Transcripts } from "../store.ts";
import { Contexts } from "./contexts.ts";
import { type Database, fromJson, toJson } from "./database.ts";

interface EntryRow {
  readonly session_id: string;
  readonly seq: number;
  readonly id: string;
  readonly at: number;
  readonly run_id: string | null;
  readonly kind: TranscriptEntry["kind"];
  readonly body: string;
}

export class SqliteTranscripts implements Transcripts {
  readonly #database: Database;
  readonly #contexts = new Contexts();
  #undone = 0;

  constructor(database: Database) {
    this.#database = database;
  }

  append(sessionId: string, entry: NewEntry): TranscriptEntry {
    const { id = crypto.randomUUID(), at, runId = null, kind } = entry;
    const body = toJson(kind === "message" ? entry.message : entry.compaction);
    const { seq } = this.#database.one<{ seq: number }>(
      `INSERT INTO entries (session_id, seq, id, at, run_id, kind, body)
       VALUES (?1, coalesce((SELECT max(seq) FROM entries WHERE session_id = ?1), 0) + 1,
         ?2, ?3, ?4, ?5, ?6)
       RETURNING seq`,
      sessionId,
      id,
      at,
      runId,
      kind,
      body,
    );
    const added = toEntry({ session_id: sessionId, seq, id, at, run_id: runId, kind, body });
    if (kind === "message") this.#known().append(sessionId, added, body.length);
    else this.#contexts.delete(sessionId);
    return added;
  }

  page(
    sessionId: string,
    { limit, before = Number.MAX_SAFE_INTEGER, offset = 0 }: {
      limit: number;
      before?: number;
      offset?: number;
    },
  ): readonly TranscriptEntry[] {
    const newest = offset > 0 ? this.#stepBack(sessionId, { before, offset }) : before - 1;
    return this.#database.all<EntryRow>(
      `SELECT * FROM entries WHERE session_id = ? AND seq <= ? AND kind = 'message'
       ORDER BY seq DESC LIMIT +?`,
      sessionId,
      newest,
      Math.max(0, limit), // to SQLite a negative limit means none
    ).reverse().map(toEntry);
  }

  count(sessionId: string): number {
    return this.#database.one<{ count: number }>(
      `SELECT coalesce((SELECT max(seq) FROM entries WHERE session_id = ?1), 0)
         - (SELECT count(*) FROM entries WHERE session_id = ?1 AND kind = 'compaction') AS count`,
      sessionId,
    ).count;
  }

  context(sessionId: string): readonly TranscriptEntry[] {
    const known = this.#known().get(sessionId);
    if (known !== undefined) return known;
    const last = this.#database.get<EntryRow>(
      `SELECT * FROM entries WHERE session_id = ? AND kind = 'compaction'
       ORDER BY seq DESC LIMIT 1`,
      sessionId,
    );
    const compaction = last && toEntry(last);
    const messages = this.#database.all<EntryRow>(
      `SELECT * FROM entries WHERE session_id = ? AND seq >= ? AND kind = 'message'
       ORDER BY seq`,
      sessionId,
      compaction?.kind === "compaction" ? compaction.compaction.firstKeptSeq : 1,
    );
    const rows = last === undefined ? messages : [last, ...messages];
    const entries = rows.map(toEntry);
    this.#contexts.set(sessionId, entries, rows.reduce((sum, { body }) => sum + body.length, 0));
    return entries;
  }

  /** Forgets the transcript of a session. */
  remove(sessionId: string): void {
    this.#contexts.delete(sessionId);
    this.#database.run("DELETE FROM entries WHERE session_id = ?", sessionId);
  }

  /** What is in memory and still true. */
  #known(): Contexts {
    const { undone } = this.#database;
    if (undone !== this.#undone) this.#contexts.clear();
    this.#undone = undone;
    return this.#contexts;
  }

  /**
   * The seq behind which lie `offset` messages before `before`. Since a seq has no holes, it is
   * reckoned from the few compactions on the way; an OFFSET would read all that it skips.
   */
  #stepBack(
    sessionId: string,
    { before, offset }: { before: number; offset: number },
  ): number {
    const { last } = this.#database.one<{ last: number }>(
      "SELECT coalesce(max(seq), 0) AS last FROM entries WHERE session_id = ?",
      sessionId,
    );
    const from = Math.min(before - 1, last);
    const compactions = this.#database.all<{ seq: number }>(
      `SELECT seq FROM entries WHERE session_id = ? AND seq <= ? AND kind = 'compaction'
       ORDER BY seq DESC`,
      sessionId,
      from,
    );
    let newest = from - offset;
    for (const { seq } of compactions) {
      if (seq <= newest) break;
      newest--;
    }
    return newest;
  }
}

function toEntry({ session_id, seq, id, at, run_id, kind, body }: EntryRow): TranscriptEntry {
  const where = { table: "entries", key: `${session_id} ${seq}` };
  const head = { seq, id, at, ...(run_id === null ? {} : { runId: run_id }) };
  return kind === "message"
    ? { ...head, kind, message: fromJson<Message>(body, where) }
    : { ...head, kind, compaction: fromJson<Compaction>(body, where) };
}
