import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { chatOf, type InboundMessage, type Place } from "../message.ts";
import { openStore } from "./sqlite.ts";

const PLACE: Place = { channel: "net", accountId: "default", kind: "group", chatId: "g1" };
const LANE = chatOf(PLACE);

function said(eventId: string, place: Partial<Place> = {}): InboundMessage {
  return {
    eventId,
    kind: "message",
    messageId: eventId,
    place: { ...PLACE, ...place },
    sender: { id: "ann" },
    at: 1,
    text: `text of ${eventId}`,
    attachments: [],
    mentionsUs: true,
  };
}

Deno.test("what came waits, in its order, until it is done with", () => {
  using store = openStore(":memory:");
  const { inbox } = store;
  const one = inbox.add(said("1"), 10);
  const two = inbox.add(said("2"), 20);
  inbox.add(said("1", { chatId: "g2" }), 30);
  deepStrictEqual(one, {
    seq: 1,
    lane: LANE,
    state: "waiting",
    receivedAt: 10,
    message: said("1"),
  });
  deepStrictEqual(inbox.waiting(LANE, 9), [one, two]);
  deepStrictEqual(inbox.waiting(LANE, 1), [one]);
  deepStrictEqual(inbox.lanes("net", "default"), [LANE, chatOf({ ...PLACE, chatId: "g2" })]);
  deepStrictEqual(inbox.lanes("net", "work"), []);
  strictEqual(inbox.close([1], "run"), 1);
  strictEqual(inbox.close([1, 2], "run"), 1);
  deepStrictEqual(inbox.waiting(LANE, 9), []);
  strictEqual(inbox.get(1), undefined);
});

Deno.test("the same event of the same chat is added once, done with or not", () => {
  const ids = fc.constantFrom("1", "2", "3");
  const event = fc.record({
    channel: fc.constantFrom("net", "other"),
    accountId: fc.constantFrom("default", "work"),
    chatId: fc.constantFrom("g1", "g2"),
    threadId: fc.option(fc.constantFrom("t1", "t2"), { nil: undefined }),
    eventId: ids,
    isClosed: fc.boolean(),
  });
  fc.assert(fc.property(fc.array(event, { maxLength: 40 }), (events) => {
    using store = openStore(":memory:");
    const seen = new Set<string>();
    for (const { eventId, isClosed, threadId, ...place } of events) {
      const name = JSON.stringify([place.channel, place.accountId, place.chatId, eventId]);
      const thread = threadId === undefined ? {} : { threadId };
      const row = store.inbox.add(said(eventId, { ...place, ...thread }), 1);
      strictEqual(row === undefined, seen.has(name));
      seen.add(name);
      if (row !== undefined && isClosed) store.inbox.close([row.seq], "run");
    }
  }));
});

Deno.test("a message is found by the network's name for it, in any thread, while it is open", () => {
  using store = openStore(":memory:");
  const { inbox } = store;
  const row = inbox.add(said("1", { threadId: "t" }), 1)!;
  inbox.add({ ...said("e1"), kind: "edit", messageId: "1", text: "x" } as InboundMessage, 2);
  deepStrictEqual(inbox.find(PLACE, "1"), row);
  strictEqual(inbox.find({ ...PLACE, accountId: "work" }, "1"), undefined);
  inbox.rewrite(row.seq, { ...row.message, sender: { id: "bob" } });
  strictEqual(inbox.get(row.seq)?.message.sender.id, "bob");
  inbox.close([row.seq], "run");
  strictEqual(inbox.find(PLACE, "1"), undefined);
  throws(() => inbox.rewrite(row.seq, row.message), /Cannot rewrite message 1: it is done with/);
});

Deno.test("of the context the newest are kept", () => {
  using store = openStore(":memory:");
  const { inbox } = store;
  for (const id of ["1", "2", "3", "4"]) inbox.add(said(id), 1);
  for (const seq of [1, 2, 3]) inbox.keep(seq, 2);
  const seqs = (before: number, limit: number) =>
    inbox.context(LANE, { before, limit }).map(({ seq }) => seq);
  deepStrictEqual([seqs(9, 9), seqs(3, 9), seqs(9, 1), seqs(9, 0)], [[2, 3], [2], [3], []]);
  deepStrictEqual(inbox.waiting(LANE, 9).map(({ seq }) => seq), [4]);
});

Deno.test("what is done with is forgotten after its time, and of an account that is there nothing else", () => {
  using store = openStore(":memory:");
  const { inbox } = store;
  for (const accountId of ["default", "gone"]) {
    for (const id of ["1", "2", "3"]) inbox.add(said(id, { accountId }), 10);
    inbox.add(said("4", { accountId }), 11);
  }
  for (const seq of [2, 6]) inbox.keep(seq, 9);
  inbox.close([3], "run");
  const isThere = ({ accountId }: { accountId: string }) => accountId === "default";
  strictEqual(inbox.prune(10, isThere), 0);
  strictEqual(inbox.prune(11, () => true), 1);
  strictEqual(inbox.prune(11, isThere), 3);
  deepStrictEqual([1, 2, 3, 4, 5, 6, 7, 8].filter((seq) => inbox.get(seq)), [1, 2, 4, 8]);
  strictEqual(inbox.add(said("3"), 20)?.seq, 9);
});
