/** How the parts of the program tell each other, and the clients, what happened. */
import type { EventPayloads } from "../schemas/mod.ts";
import type { SessionKey } from "./session.ts";

/** Who an event is for, where it is not for everybody who may hear it. */
export interface Audience {
  /** Only these connections, and those that follow the conversation. */
  readonly connIds?: ReadonlySet<string>;
  /** The conversation it belongs to. */
  readonly sessionKey?: SessionKey;
  /** Only connections that declared this ability. */
  readonly cap?: string;
  /** Only this node, which is told of itself what else only operators hear. */
  readonly nodeId?: string;
}

/** One event on its way out. `payload` must not change once it is read; it may be made by that. */
export type GatewayEvent = {
  [Name in keyof EventPayloads]: {
    readonly name: Name;
    readonly payload: EventPayloads[Name];
    readonly stateVersion?: { readonly presence: number; readonly health: number };
    readonly audience?: Audience;
    /** Skipped for a client that is behind, although others of its name are not. */
    readonly droppable?: true;
  };
}[keyof EventPayloads];

/** Delivers each event to every subscriber, in order, before `publish` returns. */
export interface Bus {
  publish(event: GatewayEvent): void;
  /** Dispose of the result to stop hearing. */
  subscribe(hear: (event: GatewayEvent) => void): Disposable;
}
