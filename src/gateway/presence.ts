/** Who is here: the gateway itself, its connected clients, and what hosts report of themselves. */
import type { PresenceEntry } from "../../schemas/system.ts";
import type { Caller } from "../caller.ts";
import type { Bus } from "../event.ts";
import type { Host } from "../host.ts";

/** How long a host that reported itself is remembered, in milliseconds. */
const TTL_MS = 5 * 60_000;
/** Rows kept at most, newest first. */
const MAX_ENTRIES = 200;
/** Changes within this time are told together: a thousand clients may arrive at once. */
const BROADCAST_MS = 50;
const SHORT_LIVED: ReadonlySet<string> = new Set(["cli", "probe", "backend"]);

/** The presence table, and the events that tell of it. */
export class Presence implements Disposable {
  readonly #host: Host;
  readonly #bus: Bus;
  readonly #version: () => { presence: number; health: number };
  readonly #bump: () => void;
  readonly #entries = new Map<string, PresenceEntry>();
  /** Connections behind an entry: the same device may be here twice. */
  readonly #present = new Map<string, Set<string>>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(host: Host, { bus, version, bump }: {
    bus: Bus;
    version: () => { presence: number; health: number };
    bump: () => void;
  }) {
    this.#host = host;
    this.#bus = bus;
    this.#version = version;
    this.#bump = bump;
  }

  /** The table as clients see it: the gateway first, then newest first. */
  list(now = Date.now()): readonly PresenceEntry[] {
    for (const [key, entry] of this.#entries) {
      if (!this.#present.has(key) && now - entry.ts > TTL_MS) this.#entries.delete(key);
    }
    const rows = [...this.#entries.values()].sort((a, b) => b.ts - a.ts).slice(0, MAX_ENTRIES - 1);
    return [this.#self(now), ...rows];
  }

  connected(caller: Caller): void {
    if (isShortLived(caller.client)) return;
    const key = keyOf(caller);
    const connections = this.#present.get(key) ?? new Set();
    connections.add(caller.connId);
    this.#present.set(key, connections);
    this.#entries.set(key, entryOf(caller, "connect"));
    this.#changed();
  }

  disconnected(caller: Caller): void {
    const key = keyOf(caller);
    const connections = this.#present.get(key);
    if (!connections?.delete(caller.connId)) return;
    if (connections.size > 0) return;
    this.#present.delete(key);
    this.#entries.set(key, entryOf(caller, "disconnect"));
    this.#changed();
  }

  /** A host reports itself; fields that it leaves out keep what was known. */
  report(key: string, entry: Omit<PresenceEntry, "ts">): void {
    const id = key.toLowerCase();
    this.#entries.set(id, { ...this.#entries.get(id), ...entry, ts: Date.now() });
    this.#changed();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #changed(): void {
    this.#bump();
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#bus.publish({
        name: "presence",
        payload: { presence: this.list() },
        stateVersion: this.#version(),
      });
    }, BROADCAST_MS);
  }

  #self(ts: number): PresenceEntry {
    const { name, ip, platform, deviceFamily, arch, version } = this.#host;
    const where = ip === undefined ? name : `${name} (${ip})`;
    return {
      host: name,
      ...(ip === undefined ? {} : { ip }),
      version,
      platform,
      deviceFamily,
      modelIdentifier: arch,
      mode: "gateway",
      reason: "self",
      text: `Gateway: ${where} · app ${version} · mode gateway · reason self`,
      ts,
    };
  }
}

/** Whether a client comes for one request and leaves: such are nobody's company. */
export function isShortLived({ mode }: { readonly mode: string }): boolean {
  return SHORT_LIVED.has(mode);
}

function keyOf({ deviceId, client, connId }: Caller): string {
  return (deviceId ?? client.instanceId ?? connId).toLowerCase();
}

function entryOf(caller: Caller, reason: "connect" | "disconnect"): PresenceEntry {
  const { client, deviceId, role, scopes, local, remoteIp } = caller;
  const name = client.displayName ?? client.id;
  return {
    host: name,
    clientId: client.id,
    version: client.version,
    platform: client.platform,
    mode: client.mode,
    ...(client.deviceFamily === undefined ? {} : { deviceFamily: client.deviceFamily }),
    ...(client.modelIdentifier === undefined ? {} : { modelIdentifier: client.modelIdentifier }),
    ...(client.timeZone === undefined ? {} : { timeZone: client.timeZone }),
    ...(local ? {} : { ip: remoteIp }),
    ...(deviceId === undefined ? {} : { deviceId }),
    roles: [role],
    scopes: [...scopes],
    instanceId: client.instanceId ?? deviceId ?? caller.connId,
    onlineSince: caller.connectedAtMs,
    reason,
    text: `Node: ${name} · mode ${client.mode}`,
    ts: Date.now(),
  };
}
