/** What becomes of a message on its way out: pure steps from one state of its journal to the next. */
import type { Capabilities } from "../channel.ts";
import type { Receipt } from "../message.ts";
import type { Delivery, DeliveryProgress } from "../store.ts";

/** No network is asked again sooner than this, whatever it says. Milliseconds. */
const SHORTEST_WAIT_MS = 100;
/** The first wait after a failed attempt, and the longest, in milliseconds. */
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 15 * 60_000;
/** Attempts that surely failed, after which nobody tries any more. */
const MAX_ATTEMPTS = 100;
/** Attempts to edit, after which one of unknown outcome is the last: some 15 minutes. */
const MAX_EDITS = 10;

/** What can be done now with a message that waits. */
export type Step =
  /** It was not sent, or sending it again shows it once. */
  | "send"
  /** It may have been sent: the network can be asked. */
  | "look"
  /** It may have been sent, and nobody can tell. */
  | "give up";

/** What is known of the network that a message goes to. */
export interface Network extends Pick<Capabilities, "idempotentForMs"> {
  readonly canLook: boolean;
}

/** What is done to a message that is there may be done again: it comes to the same. */
export const REPEATABLE: Network = { idempotentForMs: Infinity, canLook: false };

/** The next step of a message that is in nobody's hands. */
export function stepOf(
  { startedAt }: Pick<Delivery, "startedAt">,
  { idempotentForMs, canLook }: Network,
  now: number,
): Step {
  if (startedAt === undefined || Math.abs(now - startedAt) < idempotentForMs) return "send";
  return canLook ? "look" : "give up";
}

/** It is about to be handed to the network. */
export function begun(delivery: Delivery, now: number): DeliveryProgress {
  const { attempts, expiresAt, startedAt = now } = delivery;
  return { state: "started", attempts: attempts + 1, expiresAt, startedAt };
}

/** The network has answered. `delivery` is as it was before it was handed over, at `begunAt`. */
export function answered(
  delivery: Delivery,
  receipt: Receipt,
  { network, begunAt, now, random }: {
    network: Network;
    begunAt: number;
    now: number;
    /** From 0 up to 1. */
    random: number;
  },
): DeliveryProgress {
  const attempts = delivery.attempts + 1;
  if (receipt.sent) return sent({ ...delivery, attempts }, receipt.messageIds, now);
  const { reason: fault, detail: error, retryAfterMs } = receipt;
  const told = { expiresAt: delivery.expiresAt, fault, error };
  if (fault === "unknown") {
    const doubtful = { ...delivery, startedAt: delivery.startedAt ?? begunAt };
    const notBefore = now + wait(attempts, random);
    return stepOf(doubtful, network, notBefore) === "give up"
      ? { ...told, state: "unknown", attempts, endedAt: now }
      : { ...told, state: "started", attempts, startedAt: doubtful.startedAt, notBefore };
  }
  // An earlier attempt may have arrived, whatever became of this one.
  const isDoubtful = delivery.startedAt !== undefined;
  const still = isDoubtful
    ? { ...told, state: "started", startedAt: delivery.startedAt } as const
    : { ...told, state: "accepted" } as const;
  const ended = { ...told, state: isDoubtful ? "unknown" : "dead", endedAt: now } as const;
  switch (fault) {
    case "rejected":
      return { ...ended, attempts };
    case "auth": // it says nothing of the message
      return { ...still, attempts: delivery.attempts };
    case "rate_limited":
      return {
        ...still,
        attempts: delivery.attempts,
        notBefore: now + Math.max(retryAfterMs ?? wait(attempts, random), SHORTEST_WAIT_MS),
      };
    case "network":
      if (attempts >= MAX_ATTEMPTS) return { ...ended, attempts };
      return {
        ...still,
        attempts,
        notBefore: now + Math.max(retryAfterMs ?? 0, wait(attempts, random)),
      };
  }
}

/**
 * The network has answered to a message that took the place of another one, or should have. Not for
 * one that was rejected: whether it can be sent by itself is not known yet.
 */
export function edited(
  delivery: Delivery,
  receipt: Receipt,
  at: { begunAt: number; now: number; random: number },
): DeliveryProgress {
  const progress = answered(delivery, receipt, { ...at, network: REPEATABLE });
  const { state, fault, attempts } = progress;
  const isHopeless = state === "started" && fault === "unknown" && attempts >= MAX_EDITS;
  return isHopeless ? givenUp({ ...delivery, ...progress }, at.now) : progress;
}

/** There was nothing to do. */
export function idle(delivery: Delivery, now: number): DeliveryProgress {
  return sent(delivery, [], now);
}

/**
 * The network has been asked whether it has the message. That it is not there means something only
 * once nothing can be on its way to it any more, `arriveMs` after it was sent: until then it is asked
 * again.
 */
export function lookedUp(
  delivery: Delivery,
  found: Receipt | "absent" | undefined,
  { now, arriveMs }: { now: number; arriveMs: number },
): DeliveryProgress {
  const { attempts, expiresAt, startedAt = 0, fault, error } = delivery;
  if (found === "absent") {
    const isOnItsWay = startedAt <= now && now < startedAt + arriveMs;
    if (!isOnItsWay) return { state: "accepted", attempts, expiresAt };
    const notBefore = startedAt + arriveMs;
    return { state: "started", attempts, expiresAt, startedAt, notBefore, fault, error };
  }
  if (found?.sent) return sent(delivery, found.messageIds, now);
  return givenUp({ ...delivery, error: found?.detail ?? delivery.error }, now);
}

/** Nobody can tell whether it was sent. */
export function givenUp({ attempts, expiresAt, error }: Delivery, now: number): DeliveryProgress {
  return {
    state: "unknown",
    attempts,
    expiresAt,
    endedAt: now,
    fault: "unknown",
    error: error ?? INTERRUPTED,
  };
}

/** Its time is over. */
export function expired(delivery: Delivery, now: number): DeliveryProgress {
  const { attempts, expiresAt, error } = delivery;
  if (delivery.startedAt !== undefined) return givenUp(delivery, now);
  const why = error === undefined ? "it could not be sent in time" : `not in time: ${error}`;
  return { state: "dead", attempts, expiresAt, endedAt: now, fault: "expired", error: why };
}

/** Somebody wants it sent, although it was given up. */
export function renewed(expiresAt: number): DeliveryProgress {
  return { state: "accepted", attempts: 0, expiresAt };
}

/** How long to wait after an attempt, in milliseconds: longer each time, and never quite the same. */
export function wait(attempts: number, random: number): number {
  const even = Math.min(FIRST_WAIT_MS * 2 ** Math.min(attempts - 1, 20), LONGEST_WAIT_MS);
  return Math.round(even * (0.75 + random / 2));
}

function sent(
  { attempts, expiresAt, startedAt }: Delivery,
  messageIds: readonly string[],
  now: number,
): DeliveryProgress {
  return {
    state: "sent",
    attempts,
    expiresAt,
    ...(startedAt === undefined ? {} : { startedAt }),
    endedAt: now,
    messageIds,
  };
}

const INTERRUPTED = "the gateway stopped while it was being sent";
