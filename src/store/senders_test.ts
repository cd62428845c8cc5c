import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import type { SenderRequest } from "../store.ts";
import { openStore } from "./sqlite.ts";

const ACCOUNT = { channel: "net", accountId: "default" };

function request(code: string, senderId: string, more: Partial<SenderRequest> = {}): SenderRequest {
  return {
    ...ACCOUNT,
    code,
    senderId,
    senderLabel: senderId,
    metadata: {},
    reply: { place: { ...ACCOUNT, kind: "direct", chatId: senderId } },
    createdAt: 1,
    lastSeenAt: 1,
    ...more,
  };
}

Deno.test("a sender has one request, and it is the last", () => {
  using store = openStore(":memory:");
  const { senders } = store;
  senders.savePending(request("AAAA", "1"));
  senders.savePending(request("BBBB", "2", { createdAt: 0 }));
  senders.savePending(request("CCCC", "1", { lastSeenAt: 5 }));
  senders.savePending(request("DDDD", "1", { accountId: "work" }));
  const codes = (account = {}) => senders.pending(account).map(({ code }) => code);
  deepStrictEqual(codes(), ["BBBB", "CCCC", "DDDD"]);
  deepStrictEqual(codes({ accountId: "work" }), ["DDDD"]);
  deepStrictEqual(codes({ channel: "other" }), []);
  deepStrictEqual(senders.pending()[1], request("CCCC", "1", { lastSeenAt: 5 }));
  throws(() => senders.savePending(request("CCCC", "9"))); // a code is one sender's
  strictEqual(senders.removePending("CCCC"), true);
  strictEqual(senders.removePending("CCCC"), false);
});

Deno.test("who was approved stays so, through that account", () => {
  using store = openStore(":memory:");
  const { senders } = store;
  senders.approve(ACCOUNT, "1", 5);
  senders.approve(ACCOUNT, "1", 6);
  strictEqual(senders.isApproved(ACCOUNT, "1"), true);
  strictEqual(senders.isApproved({ ...ACCOUNT, accountId: "work" }, "1"), false);
  strictEqual(senders.isApproved(ACCOUNT, "2"), false);
});
