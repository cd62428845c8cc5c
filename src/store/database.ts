/** One SQLite file that this process alone has open: how it is opened, asked and closed. */
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { dirname } from "node:path";
import { GroupSync } from "./group_sync.ts";
import { readHolder, StoreBusyError } from "./holder.ts";
import { migrate, schemaVersion } from "./migration.ts";

/** The file can't be used as a store. It is never deleted or made anew. */
export class StoreFileError extends Error {
  override readonly name = "StoreFileError";
  readonly path: string;

  constructor(path: string, reason: string, { cause }: { cause?: unknown } = {}) {
    super(`Cannot use store '${path}': ${reason}`, { cause });
    this.path = path;
  }
}

/**
 * Opens a file, or `:memory:`, and brings its schema up to date. The file is made if there is none,
 * readable by its owner only, and belongs to this process until it is disposed of or the process
 * ends, however it ends. Throws `StoreBusyError` at once if somebody else has it, and
 * `StoreFileError` if it is damaged, not ours, or of a newer program.
 */
export function openDatabase(path: string, migrations: readonly string[]): Database {
  try {
    if (path !== ":memory:") createFile(path);
    const database = new Database(path);
    try {
      database.own();
      const version = schemaVersion(database, migrations.length);
      // Only now is it known to be ours, and may be written to.
      if (path !== ":memory:") makePrivate(path);
      database.one("PRAGMA journal_mode = WAL");
      // A commit is written, and not waited for: see synced().
      database.script("PRAGMA synchronous = NORMAL");
      // The log goes into the file at 16 MiB: everybody waits for that, as the disk is waited for.
      database.script("PRAGMA wal_autocheckpoint = 4000");
      migrate(database, version, migrations);
      return database;
    } catch (error) {
      database[Symbol.dispose]();
      throw error;
    }
  } catch (error) {
    if (error instanceof StoreFileError) throw error;
    if (primaryCode(error) === SQLITE_BUSY) {
      throw new StoreBusyError(path, { holder: readHolder(path), cause: error });
    }
    throw new StoreFileError(path, error instanceof Error ? error.message : String(error), {
      cause: error,
    });
  }
}

/**
 * Never opens a file that exists: closing any handle of it would drop this process's POSIX locks,
 * those of an open store among them. For the same reason no other code here may open the file, not
 * even to read it, while it is in use.
 */
function createFile(path: string): void {
  Deno.mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  try {
    Deno.openSync(path, { createNew: true, write: true, mode: 0o600 }).close();
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
}

/** For files that came from elsewhere; SQLite gives those it makes the mode of the main one. */
function makePrivate(path: string): void {
  if (Deno.build.os === "windows") return; // there the folder's rights count
  for (const file of [path, `${path}-wal`]) {
    try {
      Deno.chmodSync(file, 0o600);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

const OUTER = { begin: "BEGIN IMMEDIATE", commit: "COMMIT", undo: ["ROLLBACK"] };
const NESTED = {
  begin: "SAVEPOINT nested",
  commit: "RELEASE nested",
  undo: ["ROLLBACK TO nested", "RELEASE nested"],
};

/**
 * Runs SQL. Each text is compiled once and kept, so texts must be few and values must be
 * parameters. A limit is written `LIMIT +?`: SQLite looks at a bare parameter there when it
 * compiles, and compiles again for each value. The tables are STRICT: a row's type is what the
 * schema says of its columns.
 */
export class Database implements Disposable {
  readonly path: string;
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #sync: GroupSync | undefined;
  #log: Deno.FsFile | undefined;
  /** The log may have lost some of what is in it, and what comes after that would be lost, too. */
  #isLogDoubtful = false;
  #depth = 0;
  #undone = 0;

  constructor(path: string) {
    this.path = path;
    this.#db = new DatabaseSync(path, { timeout: 0, enableForeignKeyConstraints: true });
    if (path !== ":memory:") this.#sync = new GroupSync(() => this.#syncLog());
  }

  /** How often changes were undone: what was written before may not be there any more. */
  get undone(): number {
    return this.#undone;
  }

  /** Whether all that was changed is on the disk itself. */
  get isSynced(): boolean {
    return this.#sync?.isSynced ?? true;
  }

  /**
   * Resolves when what was changed so far is on the disk itself, and so outlives a loss of power;
   * the death of the process it outlives as soon as it is committed. The event loop does not stand
   * still meanwhile, and everybody who waits at one time waits for one and the same write.
   */
  synced(): Promise<void> {
    return this.#sync?.synced() ?? Promise.resolve();
  }

  /** Takes the lock of the file, to keep it until the end, or throws SQLITE_BUSY. Only reads. */
  own(): void {
    this.one("PRAGMA locking_mode = EXCLUSIVE");
    this.run("BEGIN EXCLUSIVE");
    this.run("ROLLBACK");
  }

  /** All rows of the answer. */
  all<Row>(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#ask(sql, (statement) => statement.all(...values)) as Row[];
  }

  /** The first row of the answer. */
  get<Row>(sql: string, ...values: SQLInputValue[]): Row | undefined {
    // Not statement.get(): it stops at the row, before the commit of a RETURNING could fail.
    return this.all<Row>(sql, ...values)[0];
  }

  /** The first row of an answer that always has one. */
  one<Row>(sql: string, ...values: SQLInputValue[]): Row {
    const row = this.get<Row>(sql, ...values);
    if (row === undefined) throw new Error(`No row came of: ${sql}`);
    return row;
  }

  /** Returns how many rows were changed. */
  run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#ask(sql, (statement) => statement.run(...values)).changes);
  }

  /** Compiles all that another database of the same schema was asked. */
  prepareAs(other: Database): void {
    for (const sql of other.#statements.keys()) this.#statement(sql);
  }

  /** Runs several statements that are needed once. */
  script(sql: string): void {
    this.#db.exec(sql);
  }

  /**
   * Runs `change` so that all of it is kept, or, if it throws, nothing. Within another transaction
   * it is a part of that one: undone alone when it throws, kept only if the whole is.
   */
  transaction<T>(change: () => T): T {
    const { begin, commit, undo } = this.#depth === 0 ? OUTER : NESTED;
    this.run(begin);
    this.#depth++;
    try {
      const result = change();
      if (result instanceof Promise) {
        throw new TypeError("Cannot keep a change that is still going on: it must be synchronous");
      }
      this.run(commit);
      return result;
    } catch (error) {
      this.#undone++;
      // A full disk, say, makes SQLite undo the whole by itself.
      if (this.#db.isTransaction) { for (const sql of undo) this.run(sql); }
      throw error;
    } finally {
      this.#depth--;
    }
  }

  /** Whether it was not disposed of. */
  get isOpen(): boolean {
    return this.#db.isOpen;
  }

  /** Moves what the log holds into the file and gives it free. */
  [Symbol.dispose](): void {
    this.#statements.clear();
    if (this.isOpen) this.#db.close();
    this.#log?.close();
    this.#log = undefined;
  }

  /**
   * A system that fails to bring something to the disk takes it for clean from then on: to wait again
   * would succeed and mean nothing. All that the log holds then goes into the file.
   */
  async #syncLog(): Promise<void> {
    if (this.#isLogDoubtful) {
      const { busy } = this.one<{ busy: number }>("PRAGMA wal_checkpoint(TRUNCATE)");
      if (busy !== 0) throw new Error(`Cannot move the log of store '${this.path}' into it`);
      this.#isLogDoubtful = false;
      return;
    }
    // The log alone: it has no locks, which closing a handle would drop.
    this.#log ??= Deno.openSync(`${this.path}-wal`, { write: true });
    try {
      await this.#log.syncData();
    } catch (error) {
      this.#isLogDoubtful = true;
      throw error;
    }
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #ask<T>(sql: string, question: (statement: StatementSync) => T): T {
    if (this.#depth > 0 && !this.#db.isTransaction) {
      throw new Error("Cannot go on with a transaction that SQLite has undone");
    }
    try {
      const answer = question(this.#statement(sql));
      if (WRITES.test(sql)) this.#sync?.changed();
      return answer;
    } catch (error) {
      const damage = DAMAGE.get(primaryCode(error));
      if (damage === undefined) throw error;
      throw new StoreFileError(
        this.path,
        `${damage}; put a backup in its place, or move it away to start anew`,
        { cause: error },
      );
    }
  }
}

const WRITES = /^\s*(INSERT|REPLACE|UPDATE|DELETE)\b/i;
const SQLITE_BUSY = 5;
const DAMAGE: ReadonlyMap<number | undefined, string> = new Map([
  [11, "it is damaged"],
  [26, "it is not an SQLite database"],
]);

/** SQLite's result code without its extension; `undefined` if the error is not SQLite's. */
function primaryCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error)) return undefined;
  return typeof error.errcode === "number" ? error.errcode & 0xff : undefined;
}

/** A value as a column keeps it. Throws for one that JSON can't say. */
export function toJson(value: unknown): string {
  const text: string | undefined = JSON.stringify(value);
  if (text === undefined) {
    throw new TypeError(`Cannot store ${typeof value}: JSON has no such value`);
  }
  return text;
}

/** Reads a column back. Throws an error that names the row, for one that is not JSON. */
export function fromJson<T>(text: string, { table, key }: { table: string; key: string }): T {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`Cannot read '${key}' in table '${table}': it is not JSON`, { cause });
  }
}
