/** How an account on a network is: told from what was seen of it, and when. */
import type { Evidence, Self } from "../channel.ts";
import type { Receipt } from "../message.ts";

/**
 * `ok`: the network was heard from lately. `degraded`: it was not, or it has trouble. `dead`: nothing
 * comes in. `unproven`: it was begun, and nothing was heard yet.
 */
export type Health = "ok" | "degraded" | "dead" | "unproven";

/** Why an account stands still until somebody does something. */
export interface Halt {
  readonly reason: "auth" | "kicked" | "config" | "stuck";
  readonly message: string;
}

/** What was seen of an account. Times are epoch milliseconds. */
export interface Vitals {
  /** Its connection is being kept up now. */
  readonly isRunning: boolean;
  readonly startedAt?: number;
  readonly stoppedAt?: number;
  readonly connectedAt?: number;
  readonly self?: Self;
  /** The last thing that only the network can have said. */
  readonly signAt?: number;
  readonly inboundAt?: number;
  readonly outboundAt?: number;
  readonly trouble?: { readonly at: number; readonly detail: string };
  /** Why the connection was lost the last time. */
  readonly lost?: { readonly at: number; readonly detail: string };
  /** Attempts to come back since it was well. */
  readonly restarts: number;
  readonly halt?: Halt & { readonly at: number };
}

/** Nothing was seen yet. */
export const UNSEEN: Vitals = { isRunning: false, restarts: 0 };

/** How many times the network's own patience a silence may last before nothing is expected any more. */
const DEAD_AFTER = 3;

/** The state, and the reason where it is not `ok`. */
export function healthOf(
  { isRunning, startedAt = 0, connectedAt = 0, signAt, trouble, lost, halt }: Vitals,
  { silentAfterMs, now }: { silentAfterMs: number; now: number },
): { readonly health: Health; readonly why?: string } {
  if (halt !== undefined) return { health: "dead", why: halt.message };
  const since = Math.max(signAt ?? 0, connectedAt);
  if (!isRunning) {
    const wasWell = since > 0 && now - since <= silentAfterMs;
    return { health: wasWell ? "degraded" : "dead", why: lost?.detail ?? "it is not running" };
  }
  if (since < startedAt || since === 0) {
    const waited = now - startedAt;
    return waited <= silentAfterMs
      ? { health: "unproven", why: lost?.detail ?? "it is connecting" }
      : { health: "dead", why: `nothing was heard for ${seconds(waited)} s` };
  }
  const silence = now - since;
  if (silence > silentAfterMs) {
    const health = silence > silentAfterMs * DEAD_AFTER ? "dead" : "degraded";
    return { health, why: `nothing was heard for ${seconds(silence)} s` };
  }
  if (trouble !== undefined && trouble.at >= since) {
    return { health: "degraded", why: trouble.detail };
  }
  return { health: "ok" };
}

/**
 * The same, with nothing in it that is yet to come: a clock that was set back would let a silence
 * pass for as long as it was set back by.
 */
export function upTo(now: number, vitals: Vitals): Vitals {
  const { startedAt, connectedAt, signAt, trouble } = vitals;
  if (Math.max(startedAt ?? 0, connectedAt ?? 0, signAt ?? 0, trouble?.at ?? 0) <= now) {
    return vitals;
  }
  return {
    ...vitals,
    ...(startedAt === undefined ? {} : { startedAt: Math.min(startedAt, now) }),
    ...(connectedAt === undefined ? {} : { connectedAt: Math.min(connectedAt, now) }),
    ...(signAt === undefined ? {} : { signAt: Math.min(signAt, now) }),
    ...(trouble === undefined ? {} : { trouble: { ...trouble, at: Math.min(trouble.at, now) } }),
  };
}

/** What a sign of life, or of trouble, adds. */
export function witnessed(vitals: Vitals, evidence: Evidence, now: number): Vitals {
  switch (evidence.kind) {
    case "connecting":
      return vitals;
    case "connected":
      return { ...vitals, connectedAt: now, signAt: now, self: evidence.self };
    case "frame":
    case "heartbeat":
      return { ...vitals, signAt: now };
    case "trouble":
      return { ...vitals, trouble: { at: now, detail: evidence.detail } };
  }
}

/** What the fate of a message of ours adds. */
export function sentOver(vitals: Vitals, receipt: Receipt, now: number): Vitals {
  if (receipt.sent) return { ...vitals, outboundAt: now };
  if (receipt.reason !== "auth" && receipt.reason !== "network") return vitals;
  return { ...vitals, trouble: { at: now, detail: `cannot send: ${receipt.detail}` } };
}

function seconds(ms: number): number {
  return Math.round(ms / 1000);
}
