import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import type { Message, SessionKey } from "../session.ts";
import type { Store } from "../store.ts";
import { holderFile } from "./holder.ts";
import { openStore, StoreBusyError, StoreFileError } from "./sqlite.ts";
import { OwnerProcess } from "./testdata/owner_process.ts";

Deno.test("a store keeps what it was given", async () => {
  await inFolder((folder) => {
    const path = `${folder}/gateway.db`;
    {
      using store = openStore(path);
      strictEqual(store.path, path);
      useAll(store);
    }
    using store = openStore(path);
    strictEqual(store.sessions.get(KEY)?.settings.label, "Label");
    deepStrictEqual(store.transcripts.page("s1", { limit: 9 }).map(({ seq }) => seq), [1, 2]);
    strictEqual(store.runs.get("r1")?.state, "ok");
    strictEqual(store.devices.get("d1")?.publicKey, "key");
    strictEqual(store.devices.requestOf("d2")?.requestId, "q1");
    deepStrictEqual(store.values.get("name"), { some: ["value"] });
  });
});

Deno.test("a closed store is one file, and closing it again does nothing", async () => {
  await inFolder((folder) => {
    const store = openStore(`${folder}/gateway.db`);
    useAll(store);
    store[Symbol.dispose]();
    deepStrictEqual(names(folder), ["gateway.db"]);
    store[Symbol.dispose]();
  });
});

Deno.test("a second opener is refused at once and told who the owner is", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/gateway.db`;
    await using owner = new OwnerProcess(path);
    strictEqual(await owner.line(), "open");
    throws(() => openStore(path), (error) => {
      ok(error instanceof StoreBusyError);
      strictEqual(
        error.message,
        `Cannot open store '${path}': it is in use by process ${owner.pid} ` +
          "(ws://127.0.0.1:18789, since 1970-01-01T00:00:00.000Z)",
      );
      strictEqual(error.holder?.pid, owner.pid);
      return true;
    });
    Deno.writeTextFileSync(holderFile(path), "{"); // the note is not what is trusted
    throws(() => openStore(path), /in use by another process/);
  });
});

Deno.test("a refused opener in the same process does not loosen the owner's hold", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/gateway.db`;
    using _store = openStore(path, { holder: { pid: 7, startedAt: 0, port: 99 } });
    throws(() => openStore(path), /in use by process 7 \(port 99, since 1970/);
    await using other = new OwnerProcess(path);
    ok((await other.line())?.includes("in use by process 7"));
  });
});

Deno.test("a killed owner leaves the store free", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/gateway.db`;
    await using owner = new OwnerProcess(path);
    strictEqual(await owner.line(), "open");
    await owner.kill();
    ok(names(folder).includes("gateway.holder.json"), "its note is still there");
    using _store = openStore(path, { now: () => 5 });
    const note = JSON.parse(Deno.readTextFileSync(holderFile(path)));
    deepStrictEqual(note, { pid: Deno.pid, startedAt: 5 });
  });
});

Deno.test("whatever the umask, only the owner may read", async (t) => {
  if (Deno.build.os === "windows") return;
  for (const umask of [0o000, 0o077]) {
    await t.step(umask.toString(8), async () => {
      await inFolder(async (folder) => {
        const path = `${folder}/new/gateway.db`;
        await using owner = new OwnerProcess(path, { umask });
        strictEqual(await owner.line(), "open");
        strictEqual(mode(`${folder}/new`), 0o700);
        for (const file of ["gateway.db", "gateway.db-wal", "gateway.holder.json"]) {
          strictEqual(mode(`${folder}/new/${file}`), 0o600, file);
        }
      });
    });
  }
});

Deno.test("a file that others may read is taken from them", async () => {
  if (Deno.build.os === "windows") return;
  await inFolder((folder) => {
    const path = `${folder}/gateway.db`;
    openStore(path)[Symbol.dispose]();
    Deno.chmodSync(path, 0o644);
    using _store = openStore(path);
    strictEqual(mode(path), 0o600);
    strictEqual(mode(`${path}-wal`), 0o600);
  });
});

Deno.test("a file of a newer program is refused and not touched", async () => {
  await inFolder((folder) => {
    const path = `${folder}/gateway.db`;
    openStore(path)[Symbol.dispose]();
    exec(path, "PRAGMA user_version = 99");
    refusesUntouched(path, /version 99, this program knows versions up to \d+$/);
  });
});

Deno.test("a newer program's file is refused with all it holds, also if that was killed", async () => {
  await inFolder((folder) => {
    const [running, path] = [`${folder}/running.db`, `${folder}/gateway.db`];
    openStore(running)[Symbol.dispose]();
    const newer = new DatabaseSync(running);
    newer.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA user_version = 99; CREATE TABLE news (a)");
    for (const end of ["", "-wal"]) Deno.copyFileSync(`${running}${end}`, `${path}${end}`);
    newer.close();
    throws(() => openStore(path), /version 99/);
    exec(path, "INSERT INTO news VALUES (1)");
    throws(() => openStore(path), /version 99/);
  });
});

Deno.test("a file that is not a store is refused and not touched", async (t) => {
  const cases: readonly [string, RegExp, (path: string) => void][] = [
    ["text", /not an SQLite database; put/, (path) => {
      Deno.writeTextFileSync(path, "Dear diary, ".repeat(1000));
    }],
    ["another program's", /the database of another program$/, (path) => {
      exec(path, "CREATE TABLE recipes (name TEXT)");
    }],
    ["another program's, with a log", /the database of another program$/, (path) => {
      exec(path, "PRAGMA journal_mode = WAL; CREATE TABLE recipes (name TEXT)");
    }],
    ["cut short", /it is damaged; put/, (path) => {
      openStore(path)[Symbol.dispose]();
      Deno.truncateSync(path, 3 * 4096);
    }],
    ["damaged", /it is damaged; put/, (path) => {
      openStore(path)[Symbol.dispose]();
      overwrite(path, { from: 100, to: 200 });
    }],
    ["a folder", /unable to open/, (path) => Deno.mkdirSync(path)],
  ];
  for (const [name, reason, make] of cases) {
    await t.step(name, async () => {
      await inFolder((folder) => {
        make(`${folder}/gateway.db`);
        refusesUntouched(`${folder}/gateway.db`, reason);
      });
    });
  }
});

Deno.test("damage that shows later names the file", async () => {
  await inFolder((folder) => {
    const path = `${folder}/gateway.db`;
    openStore(path)[Symbol.dispose]();
    const from = Deno.statSync(path).size; // behind the schema, which is read at once
    {
      using store = openStore(path);
      store.transaction(() => {
        for (let i = 0; i < 300; i++) append(store, "s1");
      });
    }
    overwrite(path, { from, to: Deno.statSync(path).size });
    using store = openStore(path);
    throws(() => store.transcripts.page("s1", { limit: 200 }), (error) => {
      ok(error instanceof StoreFileError);
      ok(error.message.startsWith(`Cannot use store '${path}': it is damaged`));
      return true;
    });
  });
});

Deno.test("a row that is not JSON is named", async (t) => {
  const cases: readonly [string, string, (store: Store) => unknown][] = [
    ["sessions SET settings", `${KEY}' in table 'sessions`, ({ sessions }) => sessions.list({})],
    ["sessions SET stats", `${KEY}' in table 'sessions`, ({ sessions }) => sessions.get(KEY)],
    ["entries SET body", "s1 2' in table 'entries", ({ transcripts }) => {
      transcripts.page("s1", { limit: 1 });
    }],
    ["runs SET input", "r1' in table 'runs", ({ runs }) => runs.get("r1")],
    ["devices SET device", "d1' in table 'devices", ({ devices }) => devices.paired()],
    ["pairing_requests SET request", "q1' in table 'pairing_requests", ({ devices }) => {
      devices.pending();
    }],
    ["named_values SET value", "name' in table 'named_values", ({ values }) => values.get("name")],
  ];
  for (const [column, where, read] of cases) {
    await t.step(column, async () => {
      await inFolder((folder) => {
        const path = `${folder}/gateway.db`;
        {
          using store = openStore(path);
          useAll(store);
        }
        exec(path, `UPDATE ${column} = '{"cut'`);
        using store = openStore(path);
        throws(() => read(store), { message: `Cannot read '${where}': it is not JSON` });
      });
    });
  }
});

Deno.test("a transaction over several parts is kept whole or not at all", () => {
  using store = openStore(":memory:");
  throws(
    () =>
      store.transaction(() => {
        useAll(store);
        throw new Error("no");
      }),
    /^Error: no$/,
  );
  deepStrictEqual(store.sessions.list({}), []);
  strictEqual(store.transcripts.count("s1"), 0);
  strictEqual(store.runs.get("r1"), undefined);
  store.transaction(() => useAll(store));
  strictEqual(store.transcripts.count("s1"), 2);
});

Deno.test("what was appended survives a kill at any moment", async (t) => {
  const seed = crypto.getRandomValues(new Int32Array(1))[0];
  const moments = fc.sample(fc.integer({ min: 1, max: 150 }), { numRuns: 12, seed });
  await inFolder(async (folder) => {
    const path = `${folder}/gateway.db`;
    for (const [round, moment] of moments.entries()) {
      await t.step(`round ${round}, seed ${seed}: after ${moment} lines`, async () => {
        let last = 0;
        {
          await using owner = new OwnerProcess(path, { task: "append" });
          strictEqual(await owner.line(), "open");
          for (let i = 0; i < moment; i++) last = Number(await owner.line());
          await owner.kill();
          for (let line = await owner.line(); line !== undefined; line = await owner.line()) {
            last = Number(line);
          }
        }
        {
          using store = openStore(path);
          const count = store.transcripts.count("s");
          ok(count >= last, `${count} entries are there, ${last} were promised`);
          strictEqual(count % 2, 0, "half a pair is there");
          const seqs = store.transcripts.page("s", { limit: count }).map(({ seq }) => seq);
          deepStrictEqual(seqs, Array.from({ length: count }, (_, i) => i + 1));
        }
        strictEqual(integrity(path), "ok");
      });
    }
  });
});

Deno.test("a store can't be opened where no file can be", async () => {
  await inFolder((folder) => {
    Deno.writeTextFileSync(`${folder}/file`, "");
    throws(() => openStore(`${folder}/file/gateway.db`), StoreFileError);
  });
});

const KEY = "agent:main:main" as SessionKey;

const message: Message = { role: "user", content: "hello", timestamp: 1 };

function append(store: Store, sessionId: string) {
  return store.transcripts.append(sessionId, { kind: "message", at: 1, message });
}

function useAll(store: Store): void {
  const { sessions, transcripts, runs, devices, values } = store;
  sessions.save(KEY, {
    agentId: "main",
    sessionId: "s1",
    settings: { label: "Label" },
    stats: { inputTokens: 1 },
    now: 1,
  });
  append(store, "s1");
  runs.accept({
    runId: "r1",
    method: "agent",
    sessionKey: KEY,
    sessionId: "s1",
    acceptedAt: 1,
    input: {},
  });
  runs.start("r1", "s1", { kind: "message", at: 1, message }, 2);
  runs.finish("r1", "ok", {}, 3);
  strictEqual(runs.unfinished().length + runs.prune(1), 0);
  devices.saveDevice({
    deviceId: "d1",
    publicKey: "key",
    roles: [],
    scopes: [],
    tokens: {},
    createdAtMs: 1,
    approvedAtMs: 1,
    approvedVia: "owner",
  });
  devices.saveRequest({
    requestId: "q1",
    deviceId: "d2",
    publicKey: "key",
    role: "node",
    roles: [],
    scopes: [],
    silent: false,
    isRepair: false,
    ts: 1,
  });
  values.set("name", { some: ["value"] });
  strictEqual(sessions.count({}) + transcripts.count("s1") + transcripts.context("s1").length, 5);
}

async function inFolder(test: (folder: string) => void | Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function names(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

function mode(path: string): number {
  return (Deno.statSync(path).mode ?? 0) & 0o777;
}

/** Runs SQL as another program would. */
function exec(path: string, sql: string): void {
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
}

function integrity(path: string): unknown {
  const database = new DatabaseSync(path);
  const row = database.prepare("PRAGMA integrity_check").get();
  database.close();
  return row?.integrity_check;
}

function overwrite(path: string, { from, to }: { from: number; to: number }): void {
  using file = Deno.openSync(path, { write: true });
  file.seekSync(from, Deno.SeekMode.Start);
  file.writeSync(new Uint8Array(to - from).fill(0xaa));
}

function refusesUntouched(path: string, reason: RegExp): void {
  const folder = path.slice(0, path.lastIndexOf("/"));
  const state = () => {
    const { isFile, mode, mtime } = Deno.statSync(path);
    return { mode, mtime, bytes: isFile ? Deno.readFileSync(path) : [], files: names(folder) };
  };
  const before = state();
  throws(() => openStore(path), (error) => {
    ok(error instanceof StoreFileError);
    ok(error.message.startsWith(`Cannot use store '${path}': `), error.message);
    ok(reason.test(error.message), error.message);
    return true;
  });
  deepStrictEqual(state(), before);
}

Deno.test("a rehearsal is empty, keeps nothing, and leaves the store as it was", () => {
  using store = openStore(":memory:");
  store.values.set("known", 1);
  {
    using rehearsal = store.rehearsal();
    strictEqual(rehearsal.values.get("known"), undefined);
    rehearsal.values.set("known", 2);
    rehearsal.values.set("new", 3);
  }
  strictEqual(store.values.get("known"), 1);
  strictEqual(store.values.get("new"), undefined);
});
