import { deepStrictEqual, ok, rejects, strictEqual, throws } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { type Database, openDatabase, StoreFileError, toJson } from "./database.ts";

const TABLE = "CREATE TABLE t (n INTEGER PRIMARY KEY) STRICT";

Deno.test("a transaction answers with what its change returns", () => {
  using database = openDatabase(":memory:", [TABLE]);
  strictEqual(database.transaction(() => insert(database, 1)), 1);
  deepStrictEqual(numbers(database), [1]);
});

Deno.test("what another database was asked is compiled, and not again when it is asked here", () => {
  using database = openDatabase(":memory:", [TABLE]);
  {
    using other = openDatabase(":memory:", [TABLE]);
    insert(other, 1);
    database.prepareAs(other);
  }
  const { prepare } = DatabaseSync.prototype;
  DatabaseSync.prototype.prepare = () => {
    throw new Error("It is compiled again");
  };
  try {
    strictEqual(insert(database, 2), 1);
  } finally {
    DatabaseSync.prototype.prepare = prepare;
  }
  deepStrictEqual(numbers(database), [2]);
});

Deno.test("a transaction that throws leaves nothing and does not stand in the next one's way", () => {
  using database = openDatabase(":memory:", [TABLE]);
  const fault = new Error("no");
  const change = () => {
    insert(database, 1);
    throw fault;
  };
  throws(() => database.transaction(change), (error) => error === fault);
  deepStrictEqual(numbers(database), []);
  database.transaction(() => insert(database, 2));
  deepStrictEqual(numbers(database), [2]);
});

Deno.test("an inner transaction that throws is undone alone, if the outer one goes on", () => {
  using database = openDatabase(":memory:", [TABLE]);
  database.transaction(() => {
    insert(database, 1);
    throws(() =>
      database.transaction(() => {
        insert(database, 2);
        database.transaction(() => insert(database, 3));
        insert(database, 1);
      }), /UNIQUE/);
    database.transaction(() => insert(database, 4));
  });
  deepStrictEqual(numbers(database), [1, 4]);
});

Deno.test("an inner transaction is kept only if the outer one is", () => {
  using database = openDatabase(":memory:", [TABLE]);
  throws(() =>
    database.transaction(() => {
      database.transaction(() => insert(database, 1));
      throw new Error("no");
    })
  );
  deepStrictEqual(numbers(database), []);
});

Deno.test("a change that goes on after it returned is undone", () => {
  using database = openDatabase(":memory:", [TABLE]);
  // deno-lint-ignore require-await
  const change = async () => insert(database, 1);
  throws(() => database.transaction(change), /must be synchronous/);
  deepStrictEqual(numbers(database), []);
});

Deno.test("nothing is written after SQLite has undone the transaction by itself", () => {
  using database = openDatabase(":memory:", [TABLE]);
  throws(() =>
    database.transaction(() => {
      insert(database, 1);
      database.script("ROLLBACK"); // as a full disk does
      insert(database, 2);
    }), /that SQLite has undone/);
  deepStrictEqual(numbers(database), []);
});

Deno.test("a full disk loses the change that met it, and no other", async () => {
  await withFile((path) => {
    const script = `${TABLE}; CREATE TABLE big (bytes TEXT) STRICT`;
    {
      using database = openDatabase(path, [script]);
      insert(database, 1);
      database.one("PRAGMA max_page_count = 12");
      throws(() =>
        database.transaction(() => {
          insert(database, 2);
          database.run("INSERT INTO big VALUES (?)", "x".repeat(100_000));
        }), /full/);
      insert(database, 3);
    }
    using database = openDatabase(path, [script]);
    deepStrictEqual(numbers(database), [1, 3]);
  });
});

Deno.test("migrations run in order, each once, also over several openings", async () => {
  await withFile((path) => {
    const first = [TABLE, "INSERT INTO t VALUES (1)"];
    {
      using database = openDatabase(path, first);
      deepStrictEqual(numbers(database), [1]);
    }
    using database = openDatabase(path, [...first, "INSERT INTO t VALUES (2)"]);
    deepStrictEqual(numbers(database), [1, 2]);
  });
});

Deno.test("a migration that fails leaves the file at the version before it", async () => {
  await withFile((path) => {
    const broken = [TABLE, "INSERT INTO t VALUES (1); INSERT INTO nowhere VALUES (1)"];
    throws(() => openDatabase(path, broken), StoreFileError);
    using database = openDatabase(path, [TABLE]);
    deepStrictEqual(numbers(database), []);
  });
});

Deno.test("an older program refuses what a newer one made", async () => {
  await withFile((path) => {
    openDatabase(path, [TABLE, "INSERT INTO t VALUES (1)"])[Symbol.dispose]();
    throws(() => openDatabase(path, [TABLE]), /version 2, this program knows versions up to 1/);
  });
});

Deno.test("each commit outlives the process at once, and a loss of power once it is synced", async () => {
  await withFile(async (path) => {
    using database = openDatabase(path, [TABLE]);
    const pragma = (name: string) => Object.values(database.one<object>(`PRAGMA ${name}`))[0];
    strictEqual(pragma("journal_mode"), "wal");
    strictEqual(pragma("synchronous"), 1); // NORMAL: synced() waits, and not the event loop
    strictEqual(pragma("foreign_keys"), 1);
    await database.synced();
    strictEqual(database.isSynced, true);
    insert(database, 1);
    ok(Deno.statSync(`${path}-wal`).size > 0);
    strictEqual(database.isSynced, false);
    await database.synced();
    strictEqual(database.isSynced, true);
    database.one("INSERT INTO t VALUES (2) RETURNING n");
    strictEqual(database.isSynced, false);
    await database.synced();
    strictEqual(database.isSynced, true);
    numbers(database);
    strictEqual(database.isSynced, true);
  });
});

Deno.test("what a disk has perhaps dropped is written anew before it is told to be there", async () => {
  await withFile(async (path) => {
    using database = openDatabase(path, [TABLE]);
    const { syncData } = Deno.FsFile.prototype;
    Deno.FsFile.prototype.syncData = () => Promise.reject(new Error("Input/output error"));
    try {
      insert(database, 1);
      await rejects(database.synced(), /output error/);
    } finally {
      Deno.FsFile.prototype.syncData = syncData;
    }
    insert(database, 2);
    await database.synced();
    strictEqual(Deno.statSync(`${path}-wal`).size, 0); // all of it is in the file itself
    insert(database, 3);
    await database.synced();
    strictEqual(database.isSynced, true);
    deepStrictEqual(numbers(database), [1, 2, 3]);
  });
});

Deno.test("no statement holds the log back", async () => {
  await withFile((path) => {
    using database = openDatabase(path, [TABLE]);
    for (let n = 0; n < 3; n++) insert(database, n);
    database.get("SELECT n FROM t");
    database.one("INSERT INTO t VALUES (9) RETURNING n");
    const { busy, log } = database.one<{ busy: number; log: number }>(
      "PRAGMA wal_checkpoint(TRUNCATE)",
    );
    deepStrictEqual([busy, log], [0, 0]);
  });
});

Deno.test("what JSON can't say is not stored", () => {
  throws(() => toJson(undefined), /Cannot store undefined/);
  throws(() => toJson(() => 1), /Cannot store function/);
});

function insert(database: Database, n: number): number {
  return database.run("INSERT INTO t VALUES (?)", n);
}

function numbers(database: Database): number[] {
  return database.all<{ n: number }>("SELECT n FROM t ORDER BY n").map(({ n }) => n);
}

async function withFile(test: (path: string) => void | Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(`${folder}/test.db`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
