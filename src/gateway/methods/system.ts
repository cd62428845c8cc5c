/** How the gateway is, who is here, and what the log says. */
import type { HandlersFor } from "../../../schemas/contract.ts";
import type * as contract from "../../../schemas/system.ts";
import type { StatusSession } from "../../../schemas/system.ts";
import type { Call } from "../../caller.ts";
import { allows } from "../../device.ts";
import { invalid } from "../../error.ts";
import type { LogReader } from "../../log.ts";
import { kindOf, type Session } from "../../session.ts";
import type { Store } from "../../store.ts";
import type { Conversations } from "../conversations.ts";
import type { Health } from "../health.ts";
import type { Heartbeats } from "../heartbeat.ts";
import type { Presence } from "../presence.ts";
import type { Settings } from "../settings.ts";
import type { SystemEvents } from "../system_events.ts";
import { tailLog } from "../tail.ts";

/** Sessions that `status` names. */
const RECENT = 10;

export interface SystemParts {
  readonly version: string;
  readonly store: Store;
  readonly settings: Settings;
  readonly health: Health;
  readonly heartbeats: Heartbeats;
  readonly presence: Presence;
  readonly systemEvents: SystemEvents;
  readonly conversations: Conversations;
  readonly logs: LogReader;
  /** One line for each account on a network. */
  channelSummary(): readonly string[];
}

export function systemHandlers(parts: SystemParts): HandlersFor<typeof contract, Call> {
  const { store, settings, health, heartbeats, presence, systemEvents, conversations } = parts;

  function rows(agentId?: string): readonly StatusSession[] {
    const now = Date.now();
    const query = agentId === undefined ? {} : { agentId };
    return store.sessions.list({ ...query, limit: RECENT }).map((session) =>
      statusRow(session, now)
    );
  }

  return {
    health: ({ probe }) => health.get({ fresh: probe === true }),

    status: async (_params, { caller }) => {
      const { heartbeatSeconds: _, agents, defaultAgentId } = health.get();
      const open = allows(caller.scopes, "operator.admin");
      const { info } = await conversations.defaultModel();
      return {
        runtimeVersion: parts.version,
        heartbeat: {
          defaultAgentId,
          agents: agents.map(({ agentId, heartbeat: { enabled, every, everyMs } }) => ({
            agentId,
            enabled,
            every,
            everyMs,
          })),
        },
        channelSummary: parts.channelSummary(),
        queuedSystemEvents: systemEvents.waiting(settings.mainSessionKey),
        sessions: {
          paths: open ? [store.path] : [],
          count: store.sessions.count({}),
          defaults: {
            model: open ? info.id : null,
            contextTokens: open ? info.contextWindow : null,
          },
          recent: open ? rows() : [],
          byAgent: settings.agentIds.map((agentId) => ({
            agentId,
            path: open ? store.path : "[redacted]",
            count: store.sessions.count({ agentId }),
            recent: open ? rows(agentId) : [],
          })),
        },
      };
    },

    "system-presence": () => presence.list(),

    "system-event": (params) => {
      const text = params.text.trim();
      if (text === "") throw invalid("text required");
      const parsed = parsePresence(text);
      if (parsed === undefined) {
        systemEvents.push(settings.mainSessionKey, text);
      } else {
        const { text: _text, lastInputSeconds, ...fields } = params;
        const idle = lastInputSeconds === undefined
          ? {}
          : { lastInputSeconds: Math.round(lastInputSeconds) };
        const key = params.deviceId ?? params.instanceId ?? params.host ?? parsed.host;
        presence.report(key, { ...parsed, ...fields, ...idle, text });
      }
      return { ok: true };
    },

    "last-heartbeat": () => heartbeats.last,

    "set-heartbeats": ({ enabled }) => {
      heartbeats.enabled = enabled;
      return { ok: true, enabled };
    },

    "logs.tail": (params) => tailLog(parts.logs, params),
  };
}

function statusRow({ key, agentId, id, updatedAt, settings, stats }: Session, now: number) {
  const { totalTokens, contextTokens } = stats;
  const remaining = totalTokens === undefined || contextTokens === undefined
    ? null
    : Math.max(0, contextTokens - totalTokens);
  return {
    agentId,
    key,
    kind: kindOf(key),
    sessionId: id,
    updatedAt,
    age: Math.max(0, now - updatedAt),
    ...(settings.thinkingLevel === undefined ? {} : { thinkingLevel: settings.thinkingLevel }),
    abortedLastRun: stats.abortedLastRun ?? false,
    totalTokens: totalTokens ?? null,
    totalTokensFresh: totalTokens !== undefined,
    remainingTokens: remaining,
    percentUsed: totalTokens === undefined || contextTokens === undefined || contextTokens === 0
      ? null
      : Math.min(100, Math.round(100 * totalTokens / contextTokens)),
    model: stats.model ?? null,
    contextTokens: contextTokens ?? null,
    flags: settings.thinkingLevel === undefined ? [] : [`think:${settings.thinkingLevel}`],
  };
}

/** Reads `Node: host (ip) · app v · last input Ns ago · mode m · reason r`. */
function parsePresence(text: string) {
  const match = /^Node:\s*([^(·]+?)\s*(?:\(([^)]+)\))?\s*(?:·|$)/.exec(text);
  if (match?.[1] === undefined) return undefined;
  const part = (pattern: RegExp) => pattern.exec(text)?.[1];
  const version = part(/·\s*app\s+(\S+)/);
  const idle = part(/·\s*last input\s+(\d+)s ago/);
  const mode = part(/·\s*mode\s+(\S+)/);
  const reason = part(/·\s*reason\s+(\S+)/);
  return {
    host: match[1],
    ...(match[2] === undefined ? {} : { ip: match[2] }),
    ...(version === undefined ? {} : { version }),
    ...(idle === undefined ? {} : { lastInputSeconds: Number(idle) }),
    ...(mode === undefined ? {} : { mode }),
    ...(reason === undefined ? {} : { reason }),
  };
}
