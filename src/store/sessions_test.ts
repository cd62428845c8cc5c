import { deepStrictEqual, notStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import type { SessionKey, SessionSettings } from "../session.ts";
import { LabelTakenError, type SessionQuery } from "../store.ts";
import { openDatabase } from "./database.ts";
import { init } from "./migrations/0001_init.ts";
import { listStatement, SqliteSessions } from "./sessions.ts";
import { SqliteTranscripts } from "./transcripts.ts";

Deno.test("a session is made by its first save and found by key, id and label", () => {
  using database = open();
  const sessions = new SqliteSessions(database, new SqliteTranscripts(database));
  const saved = sessions.save(key("a"), {
    agentId: "main",
    sessionId: "s1",
    settings: { label: "Holiday", thinkingLevel: "low" },
    stats: { inputTokens: 3 },
    now: 5,
  });
  deepStrictEqual(saved, {
    key: key("a"),
    agentId: "main",
    id: "s1",
    createdAt: 5,
    updatedAt: 5,
    settings: { label: "Holiday", thinkingLevel: "low" },
    stats: { inputTokens: 3 },
  });
  deepStrictEqual(sessions.get(key("a")), saved);
  deepStrictEqual(sessions.byId("s1"), saved);
  deepStrictEqual(sessions.byLabel("Holiday"), saved);
  strictEqual(sessions.get(key("b")), undefined);
  strictEqual(sessions.byId("s2"), undefined);
  strictEqual(sessions.byLabel("holiday"), undefined);
});

Deno.test("a session gets an id of its own where none is given, and keeps it", () => {
  using database = open();
  const sessions = new SqliteSessions(database, new SqliteTranscripts(database));
  const a = sessions.save(key("a"), { agentId: "main", now: 1 });
  const b = sessions.save(key("b"), { agentId: "main", now: 1 });
  notStrictEqual(a.id, b.id);
  strictEqual(sessions.save(key("a"), { agentId: "main", now: 2 }).id, a.id);
});

Deno.test("a save changes what it names, and undefined clears", () => {
  using database = open();
  const sessions = new SqliteSessions(database, new SqliteTranscripts(database));
  sessions.save(key("a"), {
    agentId: "main",
    settings: { label: "Old", spawnedBy: key("b"), model: "x/y", verboseLevel: "on" },
    stats: { inputTokens: 1, outputTokens: 2 },
    now: 1,
  });
  const changed = sessions.save(key("a"), {
    agentId: "main",
    settings: { label: undefined, spawnedBy: undefined, verboseLevel: "off" },
    stats: { outputTokens: undefined, totalTokens: 9 },
    now: 2,
  });
  deepStrictEqual(changed.settings, { model: "x/y", verboseLevel: "off" });
  deepStrictEqual(changed.stats, { inputTokens: 1, totalTokens: 9 });
  deepStrictEqual(sessions.get(key("a")), changed);
  strictEqual(sessions.byLabel("Old"), undefined);
  strictEqual(sessions.count({ spawnedBy: key("b") }), 0);
  strictEqual(sessions.count({ search: "old" }), 0);
});

Deno.test("a save moves the session up, unless told not to", () => {
  using database = open();
  const sessions = new SqliteSessions(database, new SqliteTranscripts(database));
  sessions.save(key("a"), { agentId: "main", now: 1, touch: false });
  sessions.save(key("b"), { agentId: "main", now: 2 });
  strictEqual(sessions.save(key("a"), { agentId: "main", now: 3, touch: false }).updatedAt, 1);
  deepStrictEqual(keys(sessions.list({})), ["b", "a"]);
  const touched = sessions.save(key("a"), { agentId: "main", now: 4 });
  deepStrictEqual([touched.createdAt, touched.updatedAt], [1, 4]);
  deepStrictEqual(keys(sessions.list({})), ["a", "b"]);
});

Deno.test("a label belongs to one session", () => {
  using database = open();
  const sessions = new SqliteSessions(database, new SqliteTranscripts(database));
  const label = (name: string, label: string | undefined) =>
    sessions.save(key(name), { agentId: "main", settings: { label }, now: 1 });
  label("a", "Mine");
  label("a", "Mine");
  throws(() => label("b", "Mine"), (error) => {
    ok(error instanceof LabelTakenError);
    strictEqual(error.label, "Mine");
    strictEqual(error.owner, key("a"));
    return true;
  });
  strictEqual(sessions.get(key("b")), undefined);
  label("a", undefined);
  label("b", "Mine");
  strictEqual(sessions.byLabel("Mine")?.key, key("b"));
});

Deno.test("a session id belongs to one session", () => {
  using database = open();
  const sessions = new SqliteSessions(database, new SqliteTranscripts(database));
  sessions.save(key("a"), { agentId: "main", sessionId: "s1", now: 1 });
  throws(
    () => sessions.save(key("b"), { agentId: "main", sessionId: "s1", now: 1 }),
    { message: "Cannot save session 'agent:main:b': 'agent:main:a' has the id 's1'" },
  );
});

Deno.test("a reset starts a new transcript, and the old one stays readable", () => {
  using database = open();
  const transcripts = new SqliteTranscripts(database);
  const sessions = new SqliteSessions(database, transcripts);
  sessions.save(key("a"), { agentId: "main", sessionId: "s1", settings: { label: "L" }, now: 1 });
  say(transcripts, "s1");
  const reset = sessions.save(key("a"), { agentId: "main", sessionId: "s2", now: 2 });
  deepStrictEqual([reset.id, reset.createdAt, reset.settings.label], ["s2", 1, "L"]);
  strictEqual(sessions.byId("s1"), undefined);
  strictEqual(transcripts.count("s1"), 1);
  strictEqual(transcripts.count("s2"), 0);
  strictEqual(say(transcripts, "s2").seq, 1);
});

Deno.test("a forgotten session leaves its transcript, unless that is to go too", () => {
  using database = open();
  const transcripts = new SqliteTranscripts(database);
  const sessions = new SqliteSessions(database, transcripts);
  for (const name of ["a", "b"]) {
    sessions.save(key(name), { agentId: "main", sessionId: name, now: 1 });
    say(transcripts, name);
  }
  strictEqual(sessions.remove(key("a"), { transcript: false }), true);
  strictEqual(sessions.get(key("a")), undefined);
  strictEqual(transcripts.count("a"), 1);
  strictEqual(sessions.remove(key("b"), { transcript: true }), true);
  strictEqual(transcripts.count("b"), 0);
  deepStrictEqual(transcripts.page("b", { limit: 9 }), []);
  strictEqual(sessions.remove(key("b"), { transcript: true }), false);
  deepStrictEqual(sessions.list({}), []);
});

Deno.test("sessions are listed newest first, page by page", () => {
  using database = open();
  const sessions = new SqliteSessions(database, new SqliteTranscripts(database));
  for (const [i, name] of ["a", "b", "c", "d"].entries()) {
    sessions.save(key(name), { agentId: "main", now: i });
  }
  sessions.save(key("e"), { agentId: "main", now: 3 }); // made after d in the same moment
  const page = (query: SessionQuery) => keys(sessions.list(query)).join("");
  strictEqual(page({}), "edcba");
  strictEqual(page({ limit: 2 }), "ed");
  strictEqual(page({ limit: 2, offset: 2 }), "cb");
  strictEqual(page({ limit: 2, offset: 4 }), "a");
  strictEqual(page({ offset: 3 }), "ba");
  strictEqual(page({ offset: 9 }), "");
  strictEqual(page({ limit: 0 }), "");
  strictEqual(page({ limit: -1 }), "");
  strictEqual(page({ updatedSince: 2 }), "edc");
  strictEqual(sessions.count({}), 5);
  strictEqual(sessions.count({ limit: 1, offset: 3 }), 5);
  strictEqual(sessions.count({ updatedSince: 3 }), 2);
});

Deno.test("sessions are found by agent, label and spawner, and by all together", () => {
  using database = open();
  const sessions = new SqliteSessions(database, new SqliteTranscripts(database));
  const save = (agentId: string, name: string, settings: SessionSettings) =>
    sessions.save(`agent:${agentId}:${name}` as SessionKey, { agentId, settings, now: 1 });
  save("main", "a", { label: "One" });
  save("main", "b", { spawnedBy: key("a") });
  save("work", "c", { spawnedBy: key("a"), label: "Two" });
  const found = (query: SessionQuery) => {
    const list = sessions.list(query);
    strictEqual(sessions.count(query), list.length);
    return keys(list).sort().join("");
  };
  strictEqual(found({ agentId: "main" }), "ab");
  strictEqual(found({ agentId: "none" }), "");
  strictEqual(found({ label: "One" }), "a");
  strictEqual(found({ spawnedBy: key("a") }), "bc");
  strictEqual(found({ agentId: "main", spawnedBy: key("a") }), "b");
  strictEqual(
    found({
      agentId: "work",
      spawnedBy: key("a"),
      label: "Two",
      search: "tw",
      updatedSince: 1,
    }),
    "c",
  );
});

Deno.test("a search looks for its very letters, whatever their case", () => {
  using database = open();
  const sessions = new SqliteSessions(database, new SqliteTranscripts(database));
  const save = (name: string, settings: SessionSettings) =>
    sessions.save(key(name), { agentId: "main", settings, now: 1 });
  save("a", { label: "50% Off" });
  save("b", { label: "5000 Offers" });
  save("c", { displayName: "snake_case" });
  save("d", { displayName: "snakeXcase" });
  save("e", { label: "ÜBUNG" });
  save("f", { label: 'it\'s \\ "quoted"' });
  const found = (search: string) => keys(sessions.list({ search })).sort().join("");
  strictEqual(found("50% o"), "a");
  strictEqual(found("%"), "a");
  strictEqual(found("_"), "c");
  strictEqual(found("SNAKE"), "cd");
  strictEqual(found("übung"), "e");
  strictEqual(found('\\ "Q'), "f");
  strictEqual(found("it's"), "f");
  strictEqual(found("main:b"), "b");
  strictEqual(found("nothing like it"), "");
  strictEqual(found(""), "abcdef");
});

Deno.test("listing is a walk of an index, with nothing to sort", () => {
  using database = open();
  const cases: readonly [SessionQuery, string][] = [
    [{}, "sessions_by_update"],
    [{ updatedSince: 1 }, "sessions_by_update"],
    [{ search: "x" }, "sessions_by_update"],
    [{ agentId: "main" }, "sessions_by_agent"],
    [{ agentId: "main", updatedSince: 1 }, "sessions_by_agent"],
    [{ spawnedBy: "x" }, "sessions_by_spawner"],
  ];
  for (const [query, index] of cases) {
    const { sql, values } = listStatement({ ...query, limit: 50 });
    const plan = database.all<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`, ...values);
    strictEqual(plan.length, 1, JSON.stringify(plan));
    ok(plan[0]?.detail.includes(`INDEX ${index}`), plan[0]?.detail ?? "");
  }
});

Deno.test("what is returned is nobody's to change", () => {
  using database = open();
  const sessions = new SqliteSessions(database, new SqliteTranscripts(database));
  const settings = { label: "L" };
  const saved = sessions.save(key("a"), { agentId: "main", settings, now: 1 });
  throws(() => Object.assign(saved.settings, { label: "changed" }), TypeError);
  settings.label = "changed too";
  strictEqual(sessions.get(key("a"))?.settings.label, "L");
});

Deno.test("what is undone was never there", () => {
  using database = open();
  const sessions = new SqliteSessions(database, new SqliteTranscripts(database));
  const saved = sessions.save(key("a"), { agentId: "main", settings: { label: "L" }, now: 1 });
  const undo = (change: () => void) =>
    throws(() =>
      database.transaction(() => {
        change();
        throw new Error("no");
      }), /no/);
  undo(() => {
    sessions.save(key("a"), { agentId: "main", settings: { label: "M" }, now: 2 });
    strictEqual(sessions.get(key("a"))?.settings.label, "M");
  });
  deepStrictEqual(sessions.get(key("a")), saved);
  undo(() => {
    sessions.remove(key("a"), { transcript: false });
    strictEqual(sessions.get(key("a")), undefined);
  });
  deepStrictEqual(sessions.get(key("a")), saved);
});

function open() {
  return openDatabase(":memory:", [init]);
}

function key(name: string): SessionKey {
  return `agent:main:${name}` as SessionKey;
}

/** The last part of each key. */
function keys(sessions: readonly { key: SessionKey }[]): string[] {
  return sessions.map(({ key }) => key.split(":")[2] ?? "");
}

function say(transcripts: SqliteTranscripts, sessionId: string) {
  const message = { role: "user", content: "hello", timestamp: 1 } as const;
  return transcripts.append(sessionId, { kind: "message", at: 1, message });
}
