import { deepStrictEqual, match, notStrictEqual, strictEqual, throws } from "node:assert/strict";
import type { ReplyTarget, Sender } from "../message.ts";
import { openStore } from "../store/sqlite.ts";
import { RecordedLog } from "../../tests/kernel.ts";
import { CODE_TTL_MS, DmPairing } from "./dm_pairing.ts";

const ACCOUNT = { channel: "net", accountId: "default" };
const WORK = { channel: "net", accountId: "work" };

function setUp() {
  const store = openStore(":memory:");
  const told: { target: ReplyTarget; text: string }[] = [];
  const clock = { now: 1_000_000 };
  const pairing = new DmPairing(store, {
    notices: { answer: (target, text) => void told.push({ target, text }) },
    log: new RecordedLog(),
    now: () => clock.now,
  });
  const ask = (id: string, { account = ACCOUNT, ...more }: Partial<Sender> & {
    account?: typeof ACCOUNT;
  } = {}) =>
    pairing.ask({ id, ...more }, {
      place: { ...account, kind: "direct", chatId: `chat of ${id}` },
      messageId: "m1",
    });
  return { store, told, clock, pairing, ask, [Symbol.dispose]: () => store[Symbol.dispose]() };
}

Deno.test("a stranger is told a code once, where they wrote", () => {
  using all = setUp();
  const { pairing, told, ask } = all;
  strictEqual(ask("7", { name: "Ann\n(8)", username: "ann" }), "asked");
  strictEqual(ask("7"), "waiting");
  const [{ code = "", senderLabel, metadata } = {}] = pairing.pending();
  match(code, /^[A-HJ-NP-Z2-9]{8}$/);
  deepStrictEqual([senderLabel, metadata], ["Ann 8", { name: "Ann 8", username: "ann" }]);
  strictEqual(told.length, 1);
  strictEqual(told[0]?.target.place.chatId, "chat of 7");
  match(told[0]?.text ?? "", new RegExp(`your id here is 7\\.[^]*pairing approve net ${code}\n`));
});

Deno.test("three of an account wait at a time, and the fourth hears nothing", () => {
  using all = setUp();
  const { told, ask } = all;
  deepStrictEqual(["1", "2", "3", "4"].map((id) => ask(id)), ["asked", "asked", "asked", "full"]);
  strictEqual(ask("4", { account: WORK }), "asked");
  strictEqual(told.length, 4);
  match(told[3]?.text ?? "", /--account work\n/);
});

Deno.test("a code ends after an hour, whoever writes meanwhile", () => {
  using all = setUp();
  const { pairing, clock, ask } = all;
  ask("7");
  const [{ code = "" } = {}] = pairing.pending();
  clock.now += CODE_TTL_MS - 1;
  strictEqual(ask("7"), "waiting");
  clock.now += 1;
  throws(() => pairing.approve(code, ACCOUNT), /unknown pairing request/);
  strictEqual(ask("7"), "asked");
  notStrictEqual(pairing.pending()[0]?.code, code);
});

Deno.test("an approval is for that sender through that account, by a code in either case", () => {
  using all = setUp();
  const { pairing, told, ask } = all;
  ask("7");
  const [{ code = "" } = {}] = pairing.pending();
  throws(() => pairing.approve(code, WORK), /unknown pairing request/);
  throws(() => pairing.approve("AAAAAAAA", ACCOUNT), /unknown pairing request/);
  pairing.approve(` ${code.toLowerCase()} `, { ...ACCOUNT, notify: true });
  strictEqual(pairing.isApproved(ACCOUNT, "7"), true);
  strictEqual(pairing.isApproved(WORK, "7"), false);
  strictEqual(pairing.isApproved(ACCOUNT, "8"), false);
  strictEqual(told.at(-1)?.text, "You are let in: write to me.");
  deepStrictEqual(pairing.pending(), []);
  throws(() => pairing.approve(code, ACCOUNT), /unknown pairing request/);
});

Deno.test("who was dismissed may ask again", () => {
  using all = setUp();
  const { pairing, ask } = all;
  ask("7");
  pairing.dismiss(pairing.pending()[0]?.code ?? "", ACCOUNT);
  strictEqual(pairing.isApproved(ACCOUNT, "7"), false);
  strictEqual(ask("7"), "asked");
});

Deno.test("where the message can't be accepted, nobody waits for an approval", () => {
  using store = openStore(":memory:");
  const pairing = new DmPairing(store, {
    notices: {
      answer() {
        throw new Error("full disk");
      },
    },
    log: new RecordedLog(),
  });
  const place = { ...ACCOUNT, kind: "direct", chatId: "1" } as const;
  throws(() => pairing.ask({ id: "7" }, { place }), /full disk/);
  deepStrictEqual(pairing.pending(), []);
});
