/** Which connections follow which conversations. */
import type { Caller } from "../caller.ts";
import type { GatewayEvent } from "../event.ts";
import type { SessionKey } from "../session.ts";

/** Events that only those hear who asked for the list of conversations, or for that one. */
const SUBSCRIBED_ONLY: ReadonlySet<string> = new Set(["sessions.changed", "session.message"]);
/** Events that belong to one conversation. */
const OF_A_SESSION: ReadonlySet<string> = new Set(["agent", "chat", "session.message"]);

/** What each connection asked to hear of conversations. */
export class Subscriptions {
  readonly #all = new Set<string>();
  readonly #keys = new Map<string, Set<SessionKey>>();

  followAll(connId: string, on: boolean): void {
    if (on) this.#all.add(connId);
    else this.#all.delete(connId);
  }

  follow(connId: string, key: SessionKey, on: boolean): void {
    const keys = this.#keys.get(connId) ?? new Set();
    if (on) keys.add(key);
    else keys.delete(key);
    this.#keys.set(connId, keys);
  }

  /** Forgets a connection that ended. */
  forget(connId: string): void {
    this.#all.delete(connId);
    this.#keys.delete(connId);
  }

  /** Whether an event that the caller may hear is also meant for this connection. */
  concerns({ connId, caps }: Caller, { name, audience }: GatewayEvent): boolean {
    const follows = audience?.sessionKey !== undefined &&
      (this.#keys.get(connId)?.has(audience.sessionKey) ?? false);
    if (audience?.cap !== undefined && !caps.has(audience.cap)) return false;
    if (audience?.connIds !== undefined) return audience.connIds.has(connId) || follows;
    if (OF_A_SESSION.has(name) && caps.has("session-scoped-events")) return follows;
    if (SUBSCRIBED_ONLY.has(name)) return this.#all.has(connId) || follows;
    return true;
  }
}
