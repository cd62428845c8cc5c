import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { ConnectionError, GatewayRefusal } from "../client/client.ts";
import type { EventFrame } from "../../schemas/frames.ts";
import type { Pace } from "./cell.ts";
import { Chats } from "./chats.ts";
import { MemoryKeep } from "./keep.ts";
import { UnsentMessages } from "./unsent.ts";

const KEY = "agent:main:main";

Deno.test("showing a conversation reads it once and follows it", async () => {
  const { chats, gateway } = setUp();
  chats.show(KEY);
  await gateway.idle();
  chats.show(KEY);
  await gateway.idle();
  deepStrictEqual(gateway.methods(), ["sessions.messages.subscribe", "chat.history"]);
  strictEqual(chats.get(KEY).value.phase, "ready");
});

Deno.test("another conversation is followed instead", async () => {
  const { chats, gateway } = setUp();
  chats.show(KEY);
  await gateway.idle();
  chats.show("agent:main:other");
  await gateway.idle();
  deepStrictEqual(
    gateway.asked.filter(({ method }) => method.startsWith("sessions.messages")).map((asked) => [
      asked.method.split(".").at(-1),
      asked.params.key,
    ]),
    [["subscribe", KEY], ["subscribe", "agent:main:other"], ["unsubscribe", KEY]],
  );
});

Deno.test("a conversation whose key is spelled otherwise is the one that the gateway tells of", async () => {
  const { chats, gateway, renamed } = setUp();
  const { promise, resolve } = Promise.withResolvers<unknown>();
  gateway.answer("chat.send", () => promise);
  chats.show("main");
  chats.send("main", "hi", []);
  await gateway.idle();
  deepStrictEqual(renamed, [["main", KEY]]);
  chats.show(KEY);
  resolve({ runId: "id-1", status: "started" });
  await gateway.idle();
  strictEqual(chats.get(KEY).value.outgoing[0]?.state, "sent");
  chats.hear(event("session.message", {
    sessionKey: KEY,
    message: {
      role: "user",
      content: "hi",
      timestamp: 1,
      __openclaw: { id: "m1", seq: 1, idempotencyKey: "id-1:user" },
    },
  }));
  await gateway.idle();
  deepStrictEqual(chats.get(KEY).value.outgoing, []);
  strictEqual(chats.get("main"), chats.get(KEY));
});

Deno.test("a message is sent with its pictures under an id of its own", async () => {
  const { chats, gateway } = setUp();
  chats.send(KEY, "see", [{ name: "a.png", src: "data:image/png;base64,QUI=", bytes: 2 }]);
  await gateway.idle();
  const [sent] = gateway.asked;
  deepStrictEqual(sent?.params, {
    sessionKey: KEY,
    message: "see",
    deliver: false,
    idempotencyKey: "id-1",
    attachments: [{ type: "image", mimeType: "image/png", fileName: "a.png", content: "QUI=" }],
  });
  strictEqual(chats.get(KEY).value.outgoing[0]?.state, "sent");
});

Deno.test("a refused message says why, and goes again under its old id", async () => {
  const { chats, gateway } = setUp();
  gateway.answer("chat.send", () => {
    throw new GatewayRefusal({ code: "INVALID_REQUEST", message: "too long" });
  });
  chats.send(KEY, "hi", []);
  await gateway.idle();
  const [failed] = chats.get(KEY).value.outgoing;
  ok(failed?.state === "failed" && failed.problem === "too long");
  gateway.answer("chat.send", () => ({ runId: "id-1", status: "started" }));
  chats.resend(KEY, failed);
  await gateway.idle();
  deepStrictEqual(gateway.asked.map(({ params }) => params.idempotencyKey), ["id-1", "id-1"]);
});

Deno.test("what a lost connection left unsure is sent again, unless it had arrived", async () => {
  const { chats, gateway } = setUp();
  gateway.losesMessages();
  chats.send(KEY, "lost", []);
  chats.send(KEY, "arrived", []);
  await gateway.idle();
  gateway.asked.length = 0;
  gateway.answer("chat.send", () => ({ runId: "id-1", status: "started" }));
  gateway.answer("chat.history", () => historyOf("arrived", "id-2:user"));
  chats.resume(KEY);
  await gateway.idle();
  const again = gateway.asked.filter(({ method }) => method === "chat.send");
  deepStrictEqual(again.map(({ params }) => params.idempotencyKey), ["id-1"]);
});

Deno.test("what waits when the page is closed is sent by the next one, under its old id", async () => {
  const keep = new MemoryKeep();
  const { chats: closed, gateway: away } = setUp(keep);
  away.answer("chat.send", () => {
    throw new ConnectionError("closed", "gone");
  });
  for (const text of ["first", "unwanted", "second"]) closed.send(KEY, text, []);
  const unwanted = closed.get(KEY).value.outgoing[1];
  ok(unwanted !== undefined);
  closed.discard(KEY, unwanted);
  await away.idle();

  const { chats, gateway } = setUp(keep);
  const waiting = chats.get(KEY).value.outgoing.map(({ text, state }) => [text, state]);
  deepStrictEqual(waiting, [["first", "sending"], ["second", "sending"]]);
  chats.resume(undefined);
  await gateway.idle();
  const sent = gateway.asked.filter(({ method }) => method === "chat.send");
  deepStrictEqual(sent.map(({ params }) => [params.message, params.idempotencyKey]), [
    ["first", "id-1"],
    ["second", "id-3"],
  ]);
  deepStrictEqual(setUp(keep).chats.get(KEY).value.outgoing, []);
});

Deno.test("what has arrived is kept no longer, even by a page that is hidden", async () => {
  const keep = new MemoryKeep();
  const frames: (() => void)[] = [];
  const { chats, gateway } = setUp(keep, (flush) => void frames.push(flush));
  gateway.answer("chat.send", () => ({ runId: "id-1", status: "started" }));
  chats.send(KEY, "arrived", []);
  strictEqual(keep.values.size, 1);
  await gateway.idle();
  strictEqual(keep.values.size, 0);

  gateway.losesMessages();
  chats.send(KEY, "arrived, too", []);
  await gateway.idle();
  strictEqual(keep.values.size, 1);
  gateway.answer("chat.history", () => historyOf("arrived, too", "id-2:user"));
  chats.resume(undefined);
  await gateway.idle();
  strictEqual(keep.values.size, 0);

  gateway.answer("chat.send", () => ({ runId: "id-3", status: "started" }));
  chats.send("main", "under another key", []);
  chats.rename("main", KEY);
  await gateway.idle();
  strictEqual(keep.values.size, 0);
  for (const flush of frames) flush(); // it is shown again
  strictEqual(keep.values.size, 0);
});

Deno.test("a command that was answered while the connection was lost doesn't stay as a message", async () => {
  const { chats, gateway } = setUp();
  gateway.losesMessages();
  chats.send(KEY, "/new", []);
  await gateway.idle();
  gateway.answer("chat.send", () => ({ runId: "id-1", status: "ok" }));
  chats.resume(KEY);
  await gateway.idle();
  deepStrictEqual(chats.get(KEY).value.outgoing, []);
});

Deno.test("what is written while older messages are sent again goes after them", async () => {
  const { chats, gateway } = setUp();
  gateway.losesMessages();
  chats.send(KEY, "first", []);
  chats.send(KEY, "second", []);
  await gateway.idle();
  gateway.asked.length = 0;
  gateway.answer("chat.send", () => ({ runId: "r", status: "started" }));
  chats.resume(KEY);
  chats.send(KEY, "third", []);
  await gateway.idle();
  const sent = gateway.asked.filter(({ method }) => method === "chat.send");
  deepStrictEqual(sent.map(({ params }) => params.message), ["first", "second", "third"]);
});

Deno.test("that goes for a conversation, too, whose key the gateway spells otherwise", async () => {
  const { chats, gateway, renamed } = setUp();
  gateway.losesMessages();
  chats.send("main", "first", []);
  chats.send("main", "second", []);
  await gateway.idle();
  gateway.asked.length = 0;
  const first = Promise.withResolvers<unknown>();
  gateway.answer("chat.send", () => first.promise);
  chats.resume("main");
  await gateway.idle();
  deepStrictEqual(renamed, [["main", KEY]]);
  chats.send(KEY, "third", []);
  first.resolve({ runId: "r", status: "started" });
  await gateway.idle();
  const sent = gateway.asked.filter(({ method }) => method === "chat.send");
  deepStrictEqual(sent.map(({ params }) => params.message), ["first", "second", "third"]);
  gateway.answer("chat.send", () => ({ runId: "r", status: "started" }));
  chats.send(KEY, "fourth", []);
  await gateway.idle();
  strictEqual(gateway.asked.at(-1)?.params.message, "fourth");
});

Deno.test("a word that stops the agent doesn't stay as a message", async () => {
  const { chats, gateway } = setUp();
  gateway.answer("chat.send", () => ({ ok: true, aborted: true, runIds: ["r"] }));
  chats.send(KEY, "stop", []);
  await gateway.idle();
  deepStrictEqual(chats.get(KEY).value.outgoing, []);
});

Deno.test("a conversation that was started afresh is read afresh", async () => {
  const { chats, gateway } = setUp();
  gateway.answer("chat.history", () => ({
    sessionKey: KEY,
    sessionId: "s1",
    messages: [{ role: "user", content: "old", timestamp: 1, __openclaw: { id: "m1", seq: 1 } }],
  }));
  chats.show(KEY);
  await gateway.idle();
  gateway.answer("chat.history", () => ({ sessionKey: KEY, sessionId: "s2", messages: [] }));
  chats.hear(event("sessions.changed", {
    sessionKey: KEY,
    reason: "reset",
    ts: 1,
    session: { key: KEY, sessionId: "s2" },
  }));
  await gateway.idle();
  deepStrictEqual(chats.get(KEY).value.entries, []);
  strictEqual(chats.get(KEY).value.phase, "ready");
});

Deno.test("a conversation that somebody deleted is there to be begun again", async () => {
  const { chats, gateway } = setUp();
  gateway.answer("chat.history", () => ({
    sessionKey: KEY,
    sessionId: "s1",
    messages: [{ role: "user", content: "old", timestamp: 1, __openclaw: { id: "m1", seq: 1 } }],
  }));
  chats.show(KEY);
  await gateway.idle();
  gateway.answer("chat.send", () => {
    throw new GatewayRefusal({ code: "UNAVAILABLE", message: "at work" });
  });
  chats.send(KEY, "not sent", []);
  await gateway.idle();
  chats.hear(event("sessions.changed", { sessionKey: KEY, reason: "delete", ts: 1 }));
  await gateway.idle();
  const { phase, entries, outgoing } = chats.get(KEY).value;
  deepStrictEqual([phase, entries], ["ready", []]);
  deepStrictEqual(outgoing.map(({ text }) => text), ["not sent"]);
});

Deno.test("when messages were missed, the conversation is read again", async () => {
  const { chats, gateway } = setUp();
  chats.show(KEY);
  await gateway.idle();
  const message = (seq: number) => ({
    sessionKey: KEY,
    message: { role: "user", content: "x", timestamp: 1, __openclaw: { id: `m${seq}`, seq } },
  });
  chats.hear(event("session.message", message(1)));
  chats.hear(event("session.message", message(5)));
  await gateway.idle();
  strictEqual(gateway.methods().filter((method) => method === "chat.history").length, 2);
});

Deno.test("what is said while a conversation is read is not lost for it", async () => {
  const { chats, gateway } = setUp();
  const said = (seq: number) => ({
    role: "user",
    content: `m${seq}`,
    timestamp: seq,
    __openclaw: { id: `m${seq}`, seq },
  });
  const history = Promise.withResolvers<unknown>();
  gateway.answer("chat.history", () => history.promise);
  chats.show(KEY);
  // Told at once, while an answer waits until the disk has what it says.
  chats.hear(event("session.message", { sessionKey: KEY, message: said(2) }));
  const page = { sessionKey: KEY, sessionId: "s1" };
  gateway.answer("chat.history", () => ({ ...page, messages: [said(1), said(2)] }));
  history.resolve({ ...page, messages: [said(1)] });
  await gateway.idle();
  deepStrictEqual(chats.get(KEY).value.entries.map(({ id }) => id), ["m1", "m2"]);
});

Deno.test("a refresh that failed is made up for when the conversation goes on", async () => {
  const { chats, gateway } = setUp();
  chats.show(KEY);
  await gateway.idle();
  gateway.answer("chat.history", () => {
    throw new ConnectionError("timeout", "no answer");
  });
  chats.resume(KEY);
  await gateway.idle();
  const message = {
    role: "user",
    content: "x",
    timestamp: 1,
    __openclaw: { id: "m1", seq: 1 },
  } as const;
  gateway.answer("chat.history", () => ({
    sessionKey: KEY,
    sessionId: "s1",
    messages: [message],
  }));
  chats.hear(event("session.message", { sessionKey: KEY, message }));
  await gateway.idle();
  deepStrictEqual(chats.get(KEY).value.entries.map(({ id }) => id), ["m1"]);
});

Deno.test("a finished answer is told to those who can't see it", async () => {
  const { chats, gateway, heard } = setUp();
  chats.show(KEY);
  await gateway.idle();
  const message = { role: "assistant", content: [{ type: "text", text: "Done." }], timestamp: 1 };
  const base = { runId: "r", sessionKey: KEY, seq: 1 };
  chats.hear(event("chat", { ...base, state: "delta", deltaText: "D", message }));
  chats.hear(event("chat", { ...base, state: "final", message }));
  deepStrictEqual(heard, ["Done."]);
});

function setUp(keep = new MemoryKeep(), pace?: Pace) {
  const gateway = new FakeGateway();
  const heard: string[] = [];
  const renamed: (readonly [string, string])[] = [];
  let ids = 0;
  const chats = new Chats({
    requests: gateway,
    unsent: new UnsentMessages(keep),
    ...(pace === undefined ? {} : { pace }),
    newId: () => `id-${++ids}`,
    onAnswer: (_key, text) => heard.push(text),
    onRenamed: (spelled, key) => renamed.push([spelled, key]),
  });
  return { chats, gateway, heard, renamed };
}

/** A history in which a message of ours is. */
function historyOf(content: string, idempotencyKey: string) {
  const __openclaw = { id: "m1", seq: 1, idempotencyKey };
  const messages = [{ role: "user", content, timestamp: 1, __openclaw }];
  return { sessionKey: KEY, sessionId: "s1", messages };
}

function event(name: string, payload: unknown): EventFrame {
  return { type: "event", event: name, payload };
}

/** Answers requests at once, and remembers them. */
class FakeGateway {
  readonly asked: { method: string; params: Readonly<Record<string, unknown>> }[] = [];
  readonly #answers = new Map<string, () => unknown>([
    ["chat.history", () => ({ sessionKey: KEY, sessionId: "s1", messages: [] })],
    ["chat.send", () => ({ runId: "id-1", status: "started" })],
    ["sessions.messages.subscribe", () => ({ subscribed: true, key: KEY })],
    ["sessions.messages.unsubscribe", () => ({ subscribed: false, key: KEY })],
  ]);

  answer(method: string, how: () => unknown): void {
    this.#answers.set(method, how);
  }

  /** From now on the connection is lost before a message is answered. */
  losesMessages(): void {
    this.answer("chat.send", () => {
      throw new ConnectionError("closed", "gone");
    });
  }

  methods(): string[] {
    return this.asked.map(({ method }) => method);
  }

  // deno-lint-ignore require-await -- rejects where an answer throws
  async request(method: string, params: object): Promise<never> {
    this.asked.push({ method, params: { ...params } });
    return this.#answers.get(method)?.() as never;
  }

  /** Resolves once everything that was begun has been answered and acted on. */
  async idle(): Promise<void> {
    for (let turn = 0; turn < 50; turn++) await Promise.resolve();
  }
}
