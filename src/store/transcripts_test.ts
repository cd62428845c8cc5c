import { deepStrictEqual, match, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import type { AssistantMessage, Message } from "../session.ts";
import { openDatabase } from "./database.ts";
import { init } from "./migrations/0001_init.ts";
import { SqliteTranscripts } from "./transcripts.ts";

Deno.test("an appended entry is numbered and read back as it was returned", () => {
  using database = open();
  const transcripts = new SqliteTranscripts(database);
  const message: AssistantMessage = {
    role: "assistant",
    content: [{ type: "text", text: "hé \u0000 🦞" }],
    provider: "p",
    model: "m",
    usage: undefined,
    stopReason: "stop",
    timestamp: 4,
  };
  const entry = transcripts.append("s1", {
    kind: "message",
    id: "e1",
    at: 4,
    runId: "r1",
    message,
  });
  const { usage: _, ...stored } = message;
  deepStrictEqual(entry, {
    kind: "message",
    seq: 1,
    id: "e1",
    at: 4,
    runId: "r1",
    message: stored,
  });
  deepStrictEqual(transcripts.page("s1", { limit: 1 }), [entry]);
  const second = transcripts.append("s1", { kind: "message", at: 5, message: user(2) });
  strictEqual(second.seq, 2);
  strictEqual("runId" in second, false);
  match(second.id, /^[0-9a-f-]{36}$/);
});

Deno.test("each session id has its own numbers", () => {
  using database = open();
  const transcripts = new SqliteTranscripts(database);
  const seqs = ["s1", "s2", "s1", "s1", "s2"].map((id) => say(transcripts, id));
  deepStrictEqual(seqs, [1, 1, 2, 3, 2]);
  strictEqual(transcripts.count("s1"), 3);
  strictEqual(transcripts.count("s2"), 2);
  strictEqual(transcripts.count("s3"), 0);
});

Deno.test("a page has the newest messages, oldest first, without compactions", () => {
  using database = open();
  const transcripts = new SqliteTranscripts(database);
  for (let i = 0; i < 3; i++) say(transcripts, "s1"); // 1 2 3
  compact(transcripts, "s1", 2); // 4
  for (let i = 0; i < 2; i++) say(transcripts, "s1"); // 5 6
  const page = (range: { limit: number; before?: number; offset?: number }) =>
    transcripts.page("s1", range).map(({ seq }) => seq);
  strictEqual(transcripts.count("s1"), 5);
  deepStrictEqual(page({ limit: 99 }), [1, 2, 3, 5, 6]);
  deepStrictEqual(page({ limit: 3 }), [3, 5, 6]);
  deepStrictEqual(page({ limit: 0 }), []);
  deepStrictEqual(page({ limit: -1 }), []);
  deepStrictEqual(page({ limit: 2, before: 6 }), [3, 5]);
  deepStrictEqual(page({ limit: 2, before: 5 }), [2, 3]);
  deepStrictEqual(page({ limit: 2, before: 4 }), [2, 3]);
  deepStrictEqual(page({ limit: 2, before: 2 }), [1]);
  deepStrictEqual(page({ limit: 2, before: 1 }), []);
  deepStrictEqual(page({ limit: 2, before: -5 }), []);
  deepStrictEqual(page({ limit: 2, before: 99 }), [5, 6]);
  deepStrictEqual(page({ limit: 2, offset: 1 }), [3, 5]);
  deepStrictEqual(page({ limit: 2, offset: 2 }), [2, 3]);
  deepStrictEqual(page({ limit: 2, offset: 4 }), [1]);
  deepStrictEqual(page({ limit: 2, offset: 5 }), []);
  deepStrictEqual(page({ limit: 2, offset: 99 }), []);
  deepStrictEqual(page({ limit: 2, before: 6, offset: 1 }), [2, 3]);
  deepStrictEqual(transcripts.page("s2", { limit: 2, offset: 1 }), []);
});

Deno.test("a page is a slice of the messages, wherever the compactions lie", () => {
  fc.assert(fc.property(
    fc.array(fc.boolean(), { maxLength: 30 }),
    fc.record({
      limit: fc.nat(12),
      before: fc.option(fc.nat(35), { nil: undefined }),
      offset: fc.option(fc.nat(35), { nil: undefined }),
    }),
    (isMessage, range) => {
      using database = open();
      const transcripts = new SqliteTranscripts(database);
      for (const is of isMessage) is ? say(transcripts, "s1") : compact(transcripts, "s1", 1);
      const messages = isMessage.flatMap((is, i) => is ? [i + 1] : [])
        .filter((seq) => seq < (range.before ?? Infinity));
      const end = Math.max(0, messages.length - (range.offset ?? 0));
      deepStrictEqual(
        transcripts.page("s1", range).map(({ seq }) => seq),
        messages.slice(Math.max(0, end - range.limit), end),
      );
      strictEqual(transcripts.count("s1"), isMessage.filter((is) => is).length);
    },
  ));
});

Deno.test("the context starts with the last compaction and goes on with what it kept", () => {
  using database = open();
  const transcripts = new SqliteTranscripts(database);
  const context = () => transcripts.context("s1").map(({ kind, seq }) => `${kind[0]}${seq}`);
  deepStrictEqual(context(), []);
  for (let i = 0; i < 4; i++) say(transcripts, "s1"); // 1 2 3 4
  deepStrictEqual(context(), ["m1", "m2", "m3", "m4"]);
  const compaction = { summary: "so far", firstKeptSeq: 3, tokensBefore: 7 };
  const entry = transcripts.append("s1", { kind: "compaction", at: 1, runId: "r", compaction });
  deepStrictEqual(context(), ["c5", "m3", "m4"]);
  deepStrictEqual(transcripts.context("s1")[0], entry);
  deepStrictEqual(entry.kind === "compaction" && entry.compaction, compaction);
  say(transcripts, "s1"); // 6
  compact(transcripts, "s1", 4); // 7: keeps from before the first compaction
  deepStrictEqual(context(), ["c7", "m4", "m6"]);
  compact(transcripts, "s1", 9); // 8: keeps nothing
  deepStrictEqual(context(), ["c8"]);
  say(transcripts, "s1"); // 9
  deepStrictEqual(context(), ["c8", "m9"]);
});

Deno.test("a context is what is stored, whatever came in between", () => {
  const step = fc.oneof(
    fc.record({ what: fc.constant("say" as const), id: fc.nat(2), isUndone: fc.boolean() }),
    fc.record({ what: fc.constant("compact" as const), id: fc.nat(2), isUndone: fc.boolean() }),
    fc.record({ what: fc.constant("remove" as const), id: fc.nat(2), isUndone: fc.boolean() }),
    fc.record({ what: fc.constant("read" as const), id: fc.nat(2), isUndone: fc.boolean() }),
  );
  fc.assert(fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
    using database = open();
    const transcripts = new SqliteTranscripts(database);
    const undone = new Error();
    for (const { what, id, isUndone } of steps) {
      const sessionId = `s${id}`;
      const change = () => {
        if (what === "say") say(transcripts, sessionId);
        if (what === "compact") {
          compact(transcripts, sessionId, Math.max(1, transcripts.count(sessionId) - 1));
        }
        if (what === "remove") transcripts.remove(sessionId);
        if (what === "read") transcripts.context(sessionId);
        if (isUndone) throw undone;
      };
      if (isUndone) throws(() => database.transaction(change), undone);
      else change();
      // one that remembers nothing
      const stored = new SqliteTranscripts(database).context(sessionId);
      deepStrictEqual(transcripts.context(sessionId), stored);
    }
  }));
});

Deno.test("a context that was read does not grow with what is said after it", () => {
  using database = open();
  const transcripts = new SqliteTranscripts(database);
  say(transcripts, "s1");
  const [first, again] = [transcripts.context("s1"), transcripts.context("s1")];
  say(transcripts, "s1");
  deepStrictEqual([first.length, again.length, transcripts.context("s1").length], [1, 1, 2]);
});

Deno.test("what is returned is the caller's to change", () => {
  using database = open();
  const transcripts = new SqliteTranscripts(database);
  const message = { role: "user", content: "kept", timestamp: 1 } as const;
  const entry = transcripts.append("s1", { kind: "message", at: 1, message });
  Object.assign(message, { content: "changed" });
  deepStrictEqual(transcripts.page("s1", { limit: 1 }), [entry]);
  strictEqual(entry.kind === "message" && entry.message.content, "kept");
});

function open() {
  return openDatabase(":memory:", [init]);
}

function user(timestamp: number): Message {
  return { role: "user", content: "hello", timestamp };
}

function say(transcripts: SqliteTranscripts, sessionId: string): number {
  return transcripts.append(sessionId, { kind: "message", at: 1, message: user(1) }).seq;
}

function compact(transcripts: SqliteTranscripts, sessionId: string, firstKeptSeq: number): void {
  const compaction = { summary: "", firstKeptSeq, tokensBefore: 1 };
  transcripts.append(sessionId, { kind: "compaction", at: 1, compaction });
}
