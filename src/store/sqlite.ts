/** The store, in one SQLite file. */
import type { Store } from "../store.ts";
import { type Database, openDatabase } from "./database.ts";
import { SqliteDevices } from "./devices.ts";
import { type Holder, removeHolder, writeHolder } from "./holder.ts";
import { SqliteInbox } from "./inbox.ts";
import { init } from "./migrations/0001_init.ts";
import { outbox } from "./migrations/0002_outbox.ts";
import { inbox } from "./migrations/0003_inbox.ts";
import { SqliteOutbox } from "./outbox.ts";
import { SqliteRuns } from "./runs.ts";
import { SqliteSenders } from "./senders.ts";
import { SqliteSessions } from "./sessions.ts";
import { SqliteTranscripts } from "./transcripts.ts";
import { SqliteValues } from "./values.ts";

export { StoreFileError } from "./database.ts";
export { type Holder, StoreBusyError } from "./holder.ts";

/** In the order in which they were released; one that was is never edited. */
const MIGRATIONS = [init, outbox, inbox];

/** The schema that this program writes: how many migrations a file has seen. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/**
 * Opens the store at `path`, which nobody else can then open, and brings an older one up to date.
 * Made if there is none, for its owner's eyes only; `:memory:` is one that ends with its disposal.
 * `holder` is what those are told who find it taken.
 *
 * Throws `StoreBusyError` at once if it is in use, and `StoreFileError` if it is damaged, not a
 * store, or written by a newer program; what the file holds is then as it was.
 */
export function openStore(
  path: string,
  { holder, now = Date.now }: { holder?: Holder; now?: () => number } = {},
): Store {
  const database = openDatabase(path, MIGRATIONS);
  const onDisk = path !== ":memory:";
  if (onDisk) writeHolder(path, holder ?? { pid: Deno.pid, startedAt: now() });
  return storeOf(database, () => {
    if (onDisk) removeHolder(path);
  });
}

/** `closing` is called before the database is closed, if it is not yet. */
function storeOf(database: Database, closing: () => void): Store {
  const transcripts = new SqliteTranscripts(database);
  return {
    path: database.path,
    sessions: new SqliteSessions(database, transcripts),
    transcripts,
    runs: new SqliteRuns(database, transcripts),
    inbox: new SqliteInbox(database),
    senders: new SqliteSenders(database),
    outbox: new SqliteOutbox(database),
    devices: new SqliteDevices(database),
    values: new SqliteValues(database),
    transaction: (change) => database.transaction(change),
    get isSynced() {
      return database.isSynced;
    },
    synced: () => database.synced(),
    rehearsal() {
      const rehearsed = openDatabase(":memory:", MIGRATIONS);
      return storeOf(rehearsed, () => {
        if (database.isOpen) database.prepareAs(rehearsed);
      });
    },
    [Symbol.dispose]: () => {
      if (database.isOpen) closing();
      database[Symbol.dispose]();
    },
  };
}
