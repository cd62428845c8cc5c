/** Who is on the other end of a connection, and what they may do. */
import type { Protocol, Role } from "../schemas/contract.ts";
import type { ClientInfo } from "../schemas/connect.ts";

/** A client whose handshake succeeded. Nothing in it was taken on the client's word but `client`. */
export interface Caller {
  readonly connId: string;
  readonly protocol: Protocol;
  readonly role: Role;
  /** What was granted and asked for. */
  readonly scopes: ReadonlySet<string>;
  /** The client's description of itself: to be shown, not to be trusted. */
  readonly client: ClientInfo;
  readonly caps: ReadonlySet<string>;
  /** Set where a device proved its identity. */
  readonly deviceId?: string;
  /** Which credential let it in. */
  readonly method:
    | "none"
    | "token"
    | "password"
    | "trusted-proxy"
    | "tailscale"
    | "device-token"
    | "bootstrap-token";
  /** The person, where a trusted proxy or the tailnet names one. */
  readonly user?: string;
  /** The address of the TCP peer, or the one that a proxy names which proved itself. */
  readonly remoteIp: string;
  /** On this machine, provably: a loopback peer that no proxy speaks for. */
  readonly local: boolean;
  readonly connectedAtMs: number;
  /** What a node says it can do. */
  readonly surface?: NodeSurface;
}

/** The commands and abilities that a node declares, or was approved for. */
export interface NodeSurface {
  readonly caps: readonly string[];
  readonly commands: readonly string[];
  readonly permissions?: Readonly<Record<string, boolean>>;
}

/** What a handler gets besides its params. */
export interface Call {
  readonly caller: Caller;
  /** Aborted when the connection ends. */
  readonly signal: AbortSignal;
  /** Sends the first answer of a two-phase method; the handler's result is the second. */
  accept(payload: unknown): void;
}
