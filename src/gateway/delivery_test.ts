import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { placeOf } from "../../tests/fakes/channel.ts";
import type { Receipt, SendFault } from "../message.ts";
import type { Delivery } from "../store.ts";
import {
  answered,
  begun,
  expired,
  lookedUp,
  type Network,
  renewed,
  stepOf,
  wait,
} from "./delivery.ts";

const FRESH: Delivery = {
  id: "a",
  seq: 1,
  lane: "",
  message: { id: "a", place: placeOf("ada"), text: "hello" },
  state: "accepted",
  acceptedAt: 0,
  expiresAt: 1_000_000,
  attempts: 0,
};
/** An earlier attempt may have arrived. */
const DOUBTFUL: Delivery = { ...FRESH, state: "started", attempts: 1, startedAt: 100 };

const MUTE: Network = { idempotentForMs: 0, canLook: false };
const KEYED: Network = { idempotentForMs: 60_000, canLook: false };
const OPEN: Network = { idempotentForMs: 0, canLook: true };

function fault(reason: SendFault, retryAfterMs?: number): Receipt {
  return { sent: false, reason, detail: reason, retryAfterMs };
}

Deno.test("what may have been sent is sent again only while the network's key holds", () => {
  strictEqual(stepOf(FRESH, MUTE, 500), "send");
  strictEqual(stepOf(DOUBTFUL, MUTE, 500), "give up");
  strictEqual(stepOf(DOUBTFUL, OPEN, 500), "look");
  strictEqual(stepOf(DOUBTFUL, KEYED, 60_099), "send");
  strictEqual(stepOf(DOUBTFUL, KEYED, 60_100), "give up");
  strictEqual(stepOf(DOUBTFUL, { ...KEYED, canLook: true }, 60_100), "look");
  // the clock may have been set back since
  strictEqual(stepOf(DOUBTFUL, MUTE, 99), "give up");
  strictEqual(stepOf(DOUBTFUL, KEYED, 99), "send");
});

/** What each answer makes of a message: state, attempts, and since when it is in doubt. */
const ANSWERS: readonly [Delivery, SendFault, Network, readonly unknown[]][] = [
  [FRESH, "rejected", MUTE, ["dead", 1, undefined]],
  [FRESH, "auth", MUTE, ["accepted", 0, undefined]],
  [FRESH, "rate_limited", MUTE, ["accepted", 0, undefined]],
  [FRESH, "network", MUTE, ["accepted", 1, undefined]],
  [FRESH, "unknown", MUTE, ["unknown", 1, undefined]],
  [FRESH, "unknown", KEYED, ["started", 1, 400]],
  [FRESH, "unknown", OPEN, ["started", 1, 400]],
  [DOUBTFUL, "rejected", KEYED, ["unknown", 2, undefined]],
  [DOUBTFUL, "auth", KEYED, ["started", 1, 100]],
  [DOUBTFUL, "rate_limited", KEYED, ["started", 1, 100]],
  [DOUBTFUL, "network", KEYED, ["started", 2, 100]],
  [DOUBTFUL, "unknown", KEYED, ["started", 2, 100]],
  [{ ...FRESH, attempts: 99 }, "network", MUTE, ["dead", 100, undefined]],
  [{ ...DOUBTFUL, attempts: 99 }, "network", KEYED, ["unknown", 100, undefined]],
];

for (const [delivery, reason, network, expected] of ANSWERS) {
  const doubt = delivery.startedAt === undefined ? "" : ", in doubt before,";
  const kind = network === MUTE ? "mute" : network === KEYED ? "keyed" : "open";
  Deno.test(`attempt ${delivery.attempts + 1}${doubt} fails as '${reason}' on a ${kind} network`, () => {
    const at = { network, begunAt: 400, now: 500, random: 0.5 };
    const progress = answered(delivery, fault(reason), at);
    deepStrictEqual([progress.state, progress.attempts, progress.startedAt], expected);
    strictEqual(progress.fault, reason);
    const isOver = progress.state === "dead" || progress.state === "unknown";
    strictEqual(progress.endedAt, isOver ? 500 : undefined);
    const waits = !isOver && reason !== "auth"; // that holds up the account
    strictEqual(progress.notBefore !== undefined, waits);
  });
}

Deno.test("a receipt ends it", () => {
  const at = { network: MUTE, begunAt: 400, now: 500, random: 0.5 };
  const { state, messageIds, endedAt } = answered(FRESH, { sent: true, messageIds: ["m"] }, at);
  deepStrictEqual([state, messageIds, endedAt], ["sent", ["m"], 500]);
  deepStrictEqual(begun(DOUBTFUL, 500).startedAt, 100);
  deepStrictEqual(begun(FRESH, 500).startedAt, 500);
});

Deno.test("the network's own word on when to come back is obeyed", () => {
  const at = { network: MUTE, begunAt: 400, now: 500, random: 0.5 };
  strictEqual(answered(FRESH, fault("rate_limited", 7_000), at).notBefore, 7_500);
  strictEqual(answered(FRESH, fault("rate_limited", 0), at).notBefore, 600); // but not at once
  strictEqual(answered(FRESH, fault("network", 7_000), at).notBefore, 7_500);
});

Deno.test("what the network shows when it is asked decides", () => {
  const at = { now: 500, arriveMs: 400 };
  strictEqual(lookedUp(DOUBTFUL, { sent: true, messageIds: ["m"] }, at).state, "sent");
  deepStrictEqual(lookedUp(DOUBTFUL, "absent", at), {
    state: "accepted",
    attempts: 1,
    expiresAt: 1_000_000,
  });
  strictEqual(lookedUp(DOUBTFUL, undefined, at).state, "unknown");
  strictEqual(lookedUp(DOUBTFUL, fault("unknown"), at).error, "unknown");
});

Deno.test("what is not there yet may still be on its way", () => {
  const { state, startedAt, notBefore } = lookedUp(DOUBTFUL, "absent", { now: 499, arriveMs: 400 });
  deepStrictEqual([state, startedAt, notBefore], ["started", 100, 500]);
  const early = lookedUp(DOUBTFUL, "absent", { now: 99, arriveMs: 400 });
  strictEqual(early.state, "accepted", "a clock that was set back holds nothing up");
});

Deno.test("what is too old is dead, or unknown where it may have been sent", () => {
  deepStrictEqual([expired(FRESH, 500).state, expired(FRESH, 500).fault], ["dead", "expired"]);
  strictEqual(expired(DOUBTFUL, 500).state, "unknown");
  deepStrictEqual(renewed(9), { state: "accepted", attempts: 0, expiresAt: 9 });
});

Deno.test("waits grow, differ, and have an end", () => {
  deepStrictEqual([1, 2, 3].map((attempt) => wait(attempt, 0.5)), [1_000, 2_000, 4_000]);
  strictEqual(wait(1_000, 0.5), 15 * 60_000);
  ok(wait(3, 0) < wait(3, 0.99));
});
