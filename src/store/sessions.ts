/** Sessions, in SQLite. */
import type { SQLInputValue } from "node:sqlite";
import type { Session, SessionKey, SessionSettings, SessionStats } from "../session.ts";
import { LabelTakenError, type SessionQuery, type Sessions } from "../store.ts";
import { type Database, fromJson, toJson } from "./database.ts";
import type { SqliteTranscripts } from "./transcripts.ts";

interface SessionRow {
  readonly key: SessionKey;
  readonly agent_id: string;
  readonly session_id: string;
  readonly settings: string;
  readonly stats: string;
  readonly created_at: number;
  readonly updated_at: number;
}

const COLUMNS = "key, agent_id, session_id, settings, stats, created_at, updated_at";

/** Sessions that are kept in memory. */
const MAX_KNOWN = 1_000;

export class SqliteSessions implements Sessions {
  readonly #database: Database;
  readonly #transcripts: SqliteTranscripts;
  /** What was read or written lately: a run asks for its session again and again. */
  readonly #known = new Map<SessionKey, Session>();
  #undone = 0;

  constructor(database: Database, transcripts: SqliteTranscripts) {
    this.#database = database;
    this.#transcripts = transcripts;
  }

  get(key: SessionKey): Session | undefined {
    return this.#remembered(key) ?? this.#remember(this.#find("key", key));
  }

  byId(sessionId: string): Session | undefined {
    return this.#find("session_id", sessionId);
  }

  byLabel(label: string): Session | undefined {
    return this.#find("label", label);
  }

  list(query: SessionQuery): readonly Session[] {
    const { sql, values } = listStatement(query);
    return this.#database.all<SessionRow>(sql, ...values).map(toSession);
  }

  count(query: SessionQuery): number {
    const { where, values } = conditions(query);
    return this.#database.one<{ count: number }>(
      `SELECT count(*) AS count FROM sessions ${where}`,
      ...values,
    ).count;
  }

  /**
   * Stats are merged as settings are. Throws `LabelTakenError` for the label of another session,
   * and an error for another session's id.
   */
  save(key: SessionKey, change: {
    agentId: string;
    sessionId?: string;
    settings?: SessionSettings;
    stats?: SessionStats;
    now: number;
    touch?: boolean;
  }): Session {
    const old = this.get(key);
    const id = change.sessionId ?? old?.id ?? crypto.randomUUID();
    const settings: SessionSettings = { ...old?.settings, ...change.settings };
    const stats: SessionStats = { ...old?.stats, ...change.stats };
    const { label } = settings;
    if (label !== undefined && label !== old?.settings.label) this.#claimLabel(label, key);
    if (id !== old?.id) this.#claimId(id, key);
    const row: SessionRow = {
      key,
      agent_id: change.agentId,
      session_id: id,
      settings: toJson(settings),
      stats: toJson(stats),
      created_at: old?.createdAt ?? change.now,
      updated_at: old === undefined || change.touch !== false ? change.now : old.updatedAt,
    };
    const session = toSession(row);
    if (old !== undefined && isFoundAlike(session, old)) this.#update(row, old);
    else this.#put(row, settings);
    return this.#remember(session);
  }

  remove(key: SessionKey, { transcript }: { transcript: boolean }): boolean {
    this.#known.delete(key);
    return this.#database.transaction(() => {
      const row = this.#database.get<{ session_id: string }>(
        "DELETE FROM sessions WHERE key = ? RETURNING session_id",
        key,
      );
      if (row !== undefined && transcript) {
        this.#transcripts.remove(row.session_id);
      }
      return row !== undefined;
    });
  }

  /** Writes all of a session. */
  #put(row: SessionRow, { label, displayName, spawnedBy }: SessionSettings): void {
    this.#database.run(
      `INSERT INTO sessions (${COLUMNS}, label, spawned_by, search)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (key) DO UPDATE SET
         agent_id = excluded.agent_id, session_id = excluded.session_id,
         settings = excluded.settings, stats = excluded.stats, updated_at = excluded.updated_at,
         label = excluded.label, spawned_by = excluded.spawned_by, search = excluded.search`,
      row.key,
      row.agent_id,
      row.session_id,
      row.settings,
      row.stats,
      row.created_at,
      row.updated_at,
      label ?? null,
      spawnedBy ?? null,
      [row.key, label, displayName].join("\n").toLowerCase(),
    );
  }

  /** Writes what changes with every turn; to leave the indexes alone takes a third of the time. */
  #update({ key, settings, stats, updated_at }: SessionRow, { updatedAt }: Session): void {
    const changed = updated_at === updatedAt
      ? this.#database.run(
        "UPDATE sessions SET settings = ?, stats = ? WHERE key = ?",
        settings,
        stats,
        key,
      )
      : this.#database.run(
        "UPDATE sessions SET settings = ?, stats = ?, updated_at = ? WHERE key = ?",
        settings,
        stats,
        updated_at,
        key,
      );
    if (changed === 0) throw new Error(`Cannot save session '${key}': it is gone`);
  }

  #remembered(key: SessionKey): Session | undefined {
    const { undone } = this.#database;
    if (undone !== this.#undone) this.#known.clear();
    this.#undone = undone;
    return this.#known.get(key);
  }

  #remember<T extends Session | undefined>(session: T): T {
    if (session === undefined) return session;
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    this.#known.set(session.key, session);
    return session;
  }

  #find(column: "key" | "session_id" | "label", value: string): Session | undefined {
    const row = this.#database.get<SessionRow>(
      `SELECT ${COLUMNS} FROM sessions WHERE ${column} = ?`,
      value,
    );
    return row && toSession(row);
  }

  #claimLabel(label: string, key: SessionKey): void {
    const owner = this.byLabel(label);
    if (owner !== undefined && owner.key !== key) throw new LabelTakenError(label, owner.key);
  }

  #claimId(id: string, key: SessionKey): void {
    const owner = this.byId(id);
    if (owner !== undefined && owner.key !== key) {
      throw new Error(`Cannot save session '${key}': '${owner.key}' has the id '${id}'`);
    }
  }
}

/** Whether all that sessions are found by is the same. */
function isFoundAlike(a: Session, b: Session): boolean {
  return a.agentId === b.agentId && a.id === b.id && a.settings.label === b.settings.label &&
    a.settings.displayName === b.settings.displayName &&
    a.settings.spawnedBy === b.settings.spawnedBy;
}

/** What `list` asks SQLite: a walk of one index, newest first, that ends at the limit. */
export function listStatement(query: SessionQuery): { sql: string; values: SQLInputValue[] } {
  const { where, values } = conditions(query);
  return {
    sql: `SELECT ${COLUMNS} FROM sessions ${where}
          ORDER BY updated_at DESC, rowid DESC LIMIT +? OFFSET +?`,
    values: [...values, Math.max(0, query.limit ?? Number.MAX_SAFE_INTEGER), query.offset ?? 0],
  };
}

function conditions(
  { agentId, label, spawnedBy, search, updatedSince }: SessionQuery,
): { where: string; values: SQLInputValue[] } {
  const asked = [
    ["agent_id = ?", agentId],
    ["label = ?", label],
    ["spawned_by = ?", spawnedBy],
    // LIKE would fold ASCII only, and take % and _ for wild cards.
    ["instr(search, ?) > 0", search?.toLowerCase()],
    ["updated_at >= ?", updatedSince],
  ] as const;
  const texts: string[] = [];
  const values: SQLInputValue[] = [];
  for (const [text, value] of asked) {
    if (value === undefined) continue;
    texts.push(text);
    values.push(value);
  }
  return { where: texts.length === 0 ? "" : `WHERE ${texts.join(" AND ")}`, values };
}

function toSession(row: SessionRow): Session {
  const where = { table: "sessions", key: row.key };
  return Object.freeze({
    key: row.key,
    agentId: row.agent_id,
    id: row.session_id,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    settings: Object.freeze(fromJson<SessionSettings>(row.settings, where)),
    stats: Object.freeze(fromJson<SessionStats>(row.stats, where)),
  });
}
