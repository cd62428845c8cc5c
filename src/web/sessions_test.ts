import { deepStrictEqual, strictEqual } from "node:assert/strict";
import type { EventFrame } from "../../schemas/frames.ts";
import type { SessionRow } from "../../schemas/sessions.ts";
import type { Requests } from "./link.ts";
import { ageGroup, chosenModel, Sessions, titleOf } from "./sessions.ts";

Deno.test("the list is read, newest first, and then follows what happens", async () => {
  const sessions = new Sessions(listing([row("a", 1), row("b", 2)]));
  await sessions.read();
  const keys = () => sessions.state.value.rows.map(({ key }) => key);
  deepStrictEqual(keys(), ["b", "a"]);
  sessions.hear(changed("a", { ...row("a", 3) }));
  deepStrictEqual(keys(), ["a", "b"]);
  sessions.hear(changed("c", row("c", 4)));
  deepStrictEqual(keys(), ["c", "a", "b"]);
  sessions.hear(changed("a", undefined, "delete"));
  deepStrictEqual(keys(), ["c", "b"]);
});

Deno.test("a change without a title leaves the title that was known, up to a reset", async () => {
  const sessions = new Sessions(listing([{ ...row("a", 1), derivedTitle: "Lease" }]));
  await sessions.read();
  sessions.hear(changed("a", row("a", 2)));
  strictEqual(sessions.row("a")?.derivedTitle, "Lease");
  sessions.hear(changed("a", { ...row("a", 3), sessionId: "another" }));
  strictEqual(sessions.row("a")?.derivedTitle, undefined);
});

Deno.test("a change that comes before a list that does not have it yet is not undone by it", async () => {
  const up = listing([{ ...row("a", 1), hasActiveRun: true }, row("gone", 1)]);
  const list = Promise.withResolvers<void>();
  const sessions = new Sessions({
    request: async (method, params) => {
      const answer = await up.request(method, params);
      if (method === "sessions.list") await list.promise;
      return answer;
    },
  });
  const reading = sessions.read();
  sessions.hear(changed("a", { ...row("a", 2), hasActiveRun: false }));
  sessions.hear(changed("new", row("new", 3)));
  sessions.hear(changed("gone", undefined, "delete"));
  list.resolve();
  await reading;
  deepStrictEqual(sessions.state.value.rows.map(({ key }) => key), ["new", "a"]);
  strictEqual(sessions.row("a")?.hasActiveRun, false);
});

Deno.test("the first thing said is the title of a conversation without one", async () => {
  const sessions = new Sessions(listing([row("a", 1)]));
  await sessions.read();
  const say = (role: "user" | "assistant", content: string): EventFrame => ({
    type: "event",
    event: "session.message",
    payload: { sessionKey: "a", message: { role, content, timestamp: 1 } },
  });
  sessions.hear(say("user", "Translate\n the lease"));
  sessions.hear(say("assistant", "Gladly."));
  strictEqual(sessions.row("a")?.derivedTitle, "Translate the lease");
  strictEqual(sessions.row("a")?.lastMessagePreview, "Gladly.");
});

Deno.test("a list that can't be read says why and keeps what was there", async () => {
  let isDown = false;
  const up = listing([row("a", 1)]);
  const sessions = new Sessions({
    request: (method, params) =>
      isDown ? Promise.reject(new Error("the gateway is busy")) : up.request(method, params),
  });
  await sessions.read();
  isDown = true;
  await sessions.read();
  const { phase, problem, rows } = sessions.state.value;
  deepStrictEqual([phase, problem, rows.length], ["failed", "the gateway is busy", 1]);
});

Deno.test("a conversation is called by its label, its first words or its key", () => {
  const key = "agent:main:telegram:dm:42";
  strictEqual(titleOf({ ...row(key, 1), label: "Anna" }, key), "Anna");
  strictEqual(titleOf({ ...row(key, 1), derivedTitle: "Hi" }, key), "Hi");
  strictEqual(titleOf(undefined, key), "telegram · dm · 42");
  strictEqual(titleOf(undefined, "agent:main:main"), "Main");
  strictEqual(titleOf(undefined, "agent:main:web-1f"), "New conversation");
});

Deno.test("a model counts as chosen only where a person chose it", () => {
  const base = { ...row("a", 1), modelProvider: "demo", model: "demo" };
  strictEqual(chosenModel({ ...base, modelOverrideSource: null }), undefined);
  strictEqual(chosenModel({ ...base, modelOverrideSource: "user" }), "demo/demo");
});

Deno.test("conversations are grouped by the day", () => {
  const noon = new Date(2026, 4, 20, 12).getTime();
  const hours = (n: number) => noon - n * 3_600_000;
  deepStrictEqual(
    [hours(0), hours(11), hours(13), hours(35), hours(37), hours(24 * 6), hours(24 * 9)]
      .map((at) => ageGroup(at, noon)),
    ["Today", "Today", "Yesterday", "Yesterday", "This week", "This week", "Earlier"],
  );
});

function row(key: string, updatedAt: number): SessionRow {
  return { key, kind: "direct", updatedAt, totalTokensFresh: false, sessionId: `s-${key}` };
}

function changed(sessionKey: string, session?: SessionRow, reason = "send"): EventFrame {
  return {
    type: "event",
    event: "sessions.changed",
    payload: { sessionKey, reason, ts: 1, session },
  };
}

/** A gateway that has these conversations, and answers nothing else. */
function listing(sessions: readonly SessionRow[]): Requests {
  const answers: Readonly<Record<string, unknown>> = {
    "sessions.subscribe": { subscribed: true },
    "sessions.list": { sessions, defaults: { modelProvider: null, model: null } },
  };
  return { request: (method) => Promise.resolve(answers[method] as never) };
}
