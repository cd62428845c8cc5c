/** How the gateway is: one snapshot, refreshed when asked and once a minute. */
import type { HealthSnapshot } from "../../schemas/system.ts";
import type { Bus } from "../event.ts";
import type { Sessions } from "../store.ts";
import type { Settings } from "./settings.ts";

/** A snapshot older than this is made again. */
const FRESH_MS = 60_000;
/** Sessions named in a snapshot. */
const RECENT = 5;

/** The networks and how they are. */
export type ChannelsHealth = Pick<HealthSnapshot, "channels" | "channelOrder" | "channelLabels">;

/** The newest snapshot and its number. */
export class Health {
  readonly #sessions: Sessions;
  readonly #settings: Settings;
  readonly #bus: Bus;
  readonly #path: string;
  readonly #channels: () => ChannelsHealth;
  readonly #version: () => { presence: number; health: number };
  readonly #bump: () => void;
  #snapshot: HealthSnapshot | undefined;

  constructor({ sessions, settings, bus, path, channels, version, bump }: {
    sessions: Sessions;
    settings: Settings;
    bus: Bus;
    /** Where the sessions are kept, for people. */
    path: string;
    channels: () => ChannelsHealth;
    version: () => { presence: number; health: number };
    bump: () => void;
  }) {
    this.#sessions = sessions;
    this.#settings = settings;
    this.#bus = bus;
    this.#path = path;
    this.#channels = channels;
    this.#version = version;
    this.#bump = bump;
  }

  /** The newest snapshot. It is frozen, so that it is put into JSON once however many ask. */
  get({ fresh = false } = {}): HealthSnapshot {
    if (this.#snapshot === undefined || fresh || Date.now() - this.#snapshot.ts > FRESH_MS) {
      this.#snapshot = this.#make();
      this.#bump();
    }
    return this.#snapshot;
  }

  /** Makes a new snapshot and tells everybody. */
  refresh(): void {
    const payload = this.get({ fresh: true });
    this.#bus.publish({ name: "health", payload, stateVersion: this.#version() });
  }

  #make(): HealthSnapshot {
    const ts = Date.now();
    const { config, agentIds, keys } = this.#settings;
    const agents = agentIds.map((agentId) => {
      const agent = config.agents?.list?.find(({ id }) => id === agentId);
      const every = agent?.heartbeat?.every ?? config.agents?.defaults?.heartbeat?.every;
      const everyMs = parseEvery(every);
      return {
        agentId,
        ...(agent?.name === undefined ? {} : { name: agent.name }),
        isDefault: agentId === keys.defaultAgentId,
        heartbeat: {
          enabled: everyMs !== undefined,
          every: every ?? "disabled",
          everyMs: everyMs ?? null,
          prompt: HEARTBEAT_PROMPT,
          target: "none",
          ackMaxChars: HEARTBEAT_ACK_CHARS,
        },
        sessions: this.#summary(ts, agentId),
      };
    });
    const heartbeatMs = agents.find(({ isDefault }) => isDefault)?.heartbeat.everyMs ?? 0;
    return Object.freeze({
      ok: true as const,
      ts,
      durationMs: Date.now() - ts,
      ...this.#channels(),
      heartbeatSeconds: Math.round(heartbeatMs / 1000),
      defaultAgentId: keys.defaultAgentId,
      agents,
      sessions: this.#summary(ts),
    });
  }

  #summary(now: number, agentId?: string) {
    const query = agentId === undefined ? {} : { agentId };
    const recent = this.#sessions.list({ ...query, limit: RECENT }).map(({ key, updatedAt }) => ({
      key,
      updatedAt,
      age: Math.max(0, now - updatedAt),
    }));
    return { path: this.#path, count: this.#sessions.count(query), recent };
  }
}

/** What the agent is asked at each heartbeat. */
export const HEARTBEAT_PROMPT =
  "This is a heartbeat. If the workspace has a HEARTBEAT.md, do what it says. " +
  "If nothing needs attention, answer exactly HEARTBEAT_OK.";
/** An acknowledgement with at most this much beside it is not shown to anybody. */
export const HEARTBEAT_ACK_CHARS = 300;

/** Milliseconds of `30m`, `2h`, `90s`, `1d`, or a bare number of minutes; `undefined` for off. */
export function parseEvery(every: string | undefined): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?$/.exec(every?.trim() ?? "");
  if (match === null) return undefined;
  const unit = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[match[2] ?? "m"] ?? 0;
  const ms = Math.round(Number(match[1]) * unit);
  return ms > 0 ? ms : undefined;
}
