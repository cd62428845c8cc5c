/** What was allowed and what was refused, kept for the owner to read later. */
import type { Caller } from "./caller.ts";

/** Who did it, as far as that is proven. */
export type AuditActor =
  & Partial<Pick<Caller, "connId" | "role" | "deviceId" | "method">>
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
}

/** Where decisions are written down. */
export interface Audit {
  /** Never throws: what can't be written is reported to the log. */
  record(entry: Omit<AuditEntry, "ts">): void;
}

/** Who a caller is, for the record. */
export function actorOf({ connId, role, deviceId, method, client, remoteIp }: Caller): AuditActor {
  return { connId, role, deviceId, method, clientId: client.id, remoteIp };
}
