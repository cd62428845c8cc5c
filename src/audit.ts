/** What was allowed and what was refused, kept for the owner to read later. */
import type { Caller } from "./caller.ts";

/** Who did it, as far as that is proven. */
export type AuditActor =
  & Partial<Pick<Caller, "connId" | "role" | "deviceId" | "method" | "user">>
  & { readonly clientId?: string; readonly remoteIp?: string };

/** One decision. Holds no secret: ids, names and reasons only. */
export interface AuditEntry {
  /** Epoch milliseconds. */
  readonly ts: number;
  /** The method that was called, `connect`, or the verb and path of an HTTP request. */
  readonly action: string;
  readonly allowed: boolean;
  /** Why not, or what made it so; a code of the protocol where it has one. */
  readonly reason?: string;
  readonly who?: AuditActor;
  /** The id of what it was done to. */
  readonly target?: string;
  /** How many more there were like one that has its own entry, which was made at `since`. */
  readonly count?: number;
  /** Epoch milliseconds. */
  readonly since?: number;
}

/** Where decisions are written down. */
export interface Audit {
  /** Never throws: what can't be written is reported to the log. */
  record(entry: Omit<AuditEntry, "ts" | "count" | "since">): void;
}

/** Who a caller is, for the record. */
export function actorOf(
  { connId, role, deviceId, method, user, client, remoteIp }: Caller,
): AuditActor {
  const person = user === undefined ? {} : { user };
  return { connId, role, deviceId, method, ...person, clientId: client.id, remoteIp };
}
