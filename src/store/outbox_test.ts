import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { chatOf, type Place } from "../message.ts";
import { openDatabase } from "./database.ts";
import { init } from "./migrations/0001_init.ts";
import { outbox as migration } from "./migrations/0002_outbox.ts";
import { SqliteOutbox } from "./outbox.ts";

Deno.test("a message is kept as it is, until it says how far it has come", () => {
  using world = open();
  const { outbox } = world;
  add(outbox, "a", { origin: "run:1" });
  const accepted = {
    id: "a",
    seq: 1,
    lane: chatOf(ADA),
    message: { id: "a", place: ADA, text: "text of a" },
    origin: "run:1",
    state: "accepted",
    acceptedAt: 10,
    expiresAt: 100,
    attempts: 0,
  };
  deepStrictEqual(outbox.get("a"), accepted);
  const started = {
    state: "started",
    attempts: 1,
    expiresAt: 100,
    startedAt: 20,
    notBefore: 30,
    fault: "unknown",
    error: "the line broke",
  } as const;
  outbox.update("a", started);
  deepStrictEqual(outbox.get("a"), { ...accepted, ...started });
  const sent = {
    state: "sent",
    attempts: 2,
    expiresAt: 100,
    endedAt: 40,
    messageIds: ["m1"],
  } as const;
  outbox.update("a", sent);
  deepStrictEqual(outbox.get("a"), { ...accepted, ...sent });
});

Deno.test("an id is accepted once, and what is not there can't come farther", () => {
  using world = open();
  add(world.outbox, "a");
  throws(() => add(world.outbox, "a"), { message: "Cannot accept message 'a': the id is taken" });
  throws(() => world.outbox.update("b", ENDED), {
    message: "Cannot update message 'b': there is none",
  });
});

Deno.test("each chat has its own order, and goes on behind what ended", () => {
  using world = open();
  const { outbox } = world;
  for (const id of ["a", "b"]) add(outbox, id);
  add(outbox, "c", { place: BOB });
  const next = (place: Place) => outbox.next(chatOf(place))?.id;
  deepStrictEqual([next(ADA), next(BOB)], ["a", "c"]);
  deepStrictEqual(outbox.waiting(), [
    { lane: chatOf(ADA), channel: "telegram", accountId: "default" },
    { lane: chatOf(BOB), channel: "telegram", accountId: "default" },
  ]);
  outbox.update("a", { ...ENDED, state: "unknown" });
  strictEqual(next(ADA), "b");
  outbox.update("b", { ...ENDED, state: "dead" });
  deepStrictEqual([next(ADA), outbox.waiting().length], [undefined, 1]);
});

Deno.test("they are found by state, account and what asked for them", () => {
  using world = open();
  const { outbox } = world;
  for (const id of ["a", "b"]) add(outbox, id, { origin: "send:1" });
  add(outbox, "c", { place: { ...ADA, channel: "discord" } });
  outbox.update("b", { ...ENDED, state: "dead" });
  const ids = (query: Parameters<typeof outbox.list>[0]) => outbox.list(query).map(({ id }) => id);
  deepStrictEqual(ids({}), ["c", "b", "a"]);
  deepStrictEqual(ids({ limit: 1 }), ["c"]);
  deepStrictEqual(ids({ limit: -1 }), []);
  deepStrictEqual(ids({ states: ["dead", "sent"] }), ["b"]);
  deepStrictEqual(ids({ channel: "telegram" }), ["b", "a"]);
  deepStrictEqual(ids({ channel: "telegram", accountId: "work" }), []);
  deepStrictEqual(outbox.ofOrigin("send:1").map(({ id }) => id), ["a", "b"]);
  deepStrictEqual([outbox.count("accepted"), outbox.count("sent")], [2, 0]);
});

Deno.test("previews are kept like messages, and do not count", () => {
  using world = open();
  const { outbox } = world;
  const message = { id: "p", place: ADA, text: "One tw", isPreview: true } as const;
  const times = { acceptedAt: 10, expiresAt: 100 };
  outbox.add({ message, origin: "run:1", ...times });
  outbox.add({ message: { ...message, id: "e", edits: "p" }, origin: "run:1", ...times });
  const answer = { id: "a", place: ADA, text: "One two three", edits: "p" };
  outbox.add({ message: answer, origin: "run:1", ...times });
  deepStrictEqual(outbox.get("p")?.message, message);
  deepStrictEqual(outbox.get("a")?.message, answer);
  deepStrictEqual(outbox.list({}).map(({ id }) => id), ["a", "e", "p"]);
  strictEqual(outbox.count("accepted"), 1);
  outbox.update("p", { ...ENDED, state: "unknown" });
  deepStrictEqual([outbox.count("unknown"), outbox.list({ states: ["unknown"] }).length], [0, 1]);
});

Deno.test("only what waits for the network is hastened", () => {
  using world = open();
  const { outbox } = world;
  const waits = { state: "accepted", attempts: 1, expiresAt: 100, notBefore: 50 } as const;
  for (const id of ["a", "b"]) add(outbox, id);
  outbox.update("a", { ...waits, fault: "network" });
  outbox.update("b", { ...waits, fault: "rate_limited" });
  outbox.hasten("telegram", "default");
  deepStrictEqual(["a", "b"].map((id) => outbox.get(id)?.notBefore), [undefined, 50]);
});

Deno.test("what is too old is named, and what ended long ago is forgotten", () => {
  using world = open();
  const { outbox } = world;
  for (const id of ["a", "b", "c"]) add(outbox, id);
  outbox.update("b", ENDED);
  deepStrictEqual(outbox.expired(99), []);
  deepStrictEqual(outbox.expired(100).map(({ id }) => id), ["a", "c"]);
  strictEqual(outbox.prune("sent", 40), 0);
  strictEqual(outbox.prune("sent", 41), 1);
  deepStrictEqual([outbox.remove("a"), outbox.remove("a")], [true, false]);
  add(outbox, "d");
  strictEqual(outbox.get("d")?.seq, 4); // a number is not given twice
});

const ADA: Place = { channel: "telegram", accountId: "default", kind: "direct", chatId: "ada" };
const BOB: Place = { ...ADA, chatId: "bob" };
const ENDED = { state: "sent", attempts: 1, expiresAt: 100, endedAt: 40 } as const;

function open(): { readonly outbox: SqliteOutbox } & Disposable {
  const database = openDatabase(":memory:", [init, migration]);
  return {
    outbox: new SqliteOutbox(database),
    [Symbol.dispose]: () => database[Symbol.dispose](),
  };
}

function add(
  outbox: SqliteOutbox,
  id: string,
  { place = ADA, origin }: { place?: Place; origin?: string } = {},
): void {
  outbox.add({
    message: { id, place, text: `text of ${id}` },
    ...(origin === undefined ? {} : { origin }),
    acceptedAt: 10,
    expiresAt: 100,
  });
}
