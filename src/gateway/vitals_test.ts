import { deepStrictEqual } from "node:assert/strict";
import { healthOf, sentOver, UNSEEN, type Vitals, witnessed } from "./vitals.ts";

const SELF = { id: "1" };
const RUNNING: Vitals = { ...UNSEEN, isRunning: true, startedAt: 1_000 };
const CONNECTED = witnessed(RUNNING, { kind: "connected", self: SELF }, 2_000);

/** `silentAfterMs` is 10 s. */
const CASES: readonly [what: string, vitals: Vitals, now: number, health: string, why?: string][] =
  [
    ["nothing was begun", UNSEEN, 1_000, "dead", "it is not running"],
    ["it was begun just now", RUNNING, 5_000, "unproven", "it is connecting"],
    ["it has been connecting for long", RUNNING, 12_000, "dead", "nothing was heard for 11 s"],
    ["the network let us in", CONNECTED, 12_000, "ok"],
    ["it has been silent", CONNECTED, 12_001, "degraded", "nothing was heard for 10 s"],
    ["it has been silent for long", CONNECTED, 32_001, "dead", "nothing was heard for 30 s"],
    ["something came", witnessed(CONNECTED, { kind: "frame" }, 20_000), 29_000, "ok"],
    ["it answered", witnessed(CONNECTED, { kind: "heartbeat" }, 20_000), 29_000, "ok"],
    [
      "it has trouble",
      witnessed(CONNECTED, { kind: "trouble", detail: "slow" }, 3_000),
      4_000,
      "degraded",
      "slow",
    ],
    [
      "trouble is over when it is heard from",
      witnessed(
        witnessed(CONNECTED, { kind: "trouble", detail: "slow" }, 3_000),
        { kind: "frame" },
        3_001,
      ),
      4_000,
      "ok",
    ],
    [
      "it was lost a moment ago",
      { ...CONNECTED, isRunning: false, lost: { at: 3_000, detail: "line cut" } },
      4_000,
      "degraded",
      "line cut",
    ],
    [
      "it was lost and does not come back",
      { ...CONNECTED, isRunning: false, lost: { at: 3_000, detail: "line cut" } },
      20_000,
      "dead",
      "line cut",
    ],
    ["it comes back", { ...CONNECTED, startedAt: 5_000 }, 6_000, "unproven", "it is connecting"],
    [
      "a person must help",
      { ...UNSEEN, halt: { reason: "auth", message: "bad token", at: 1 } },
      2_000,
      "dead",
      "bad token",
    ],
    [
      "messages can't be sent",
      sentOver(CONNECTED, { sent: false, reason: "auth", detail: "no rights" }, 3_000),
      4_000,
      "degraded",
      "cannot send: no rights",
    ],
    [
      "a message was refused",
      sentOver(CONNECTED, { sent: false, reason: "rejected", detail: "too long" }, 3_000),
      4_000,
      "ok",
    ],
  ];

for (const [what, vitals, now, health, why] of CASES) {
  Deno.test(`health: ${what}`, () => {
    deepStrictEqual(healthOf(vitals, { silentAfterMs: 10_000, now }), {
      health,
      ...(why === undefined ? {} : { why }),
    });
  });
}

Deno.test("what is sent says nothing of whether we hear", () => {
  const sent = sentOver(CONNECTED, { sent: true, messageIds: [] }, 40_000);
  deepStrictEqual([sent.outboundAt, sent.signAt], [40_000, 2_000]);
});
