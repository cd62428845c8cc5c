/** The gateway itself: how it is, who is connected to it, what its log says. */
import { closed, event, mapOf, method, nullable, oneOf, type Wire } from "./contract.ts";
import { Count, NonEmpty } from "./frames.ts";
import * as Type from "./type.ts";

/** A client of the gateway, or the gateway. `ts` is when it was last heard of. */
export const PresenceEntry = closed({
  host: Type.Optional(NonEmpty),
  clientId: Type.Optional(NonEmpty),
  ip: Type.Optional(NonEmpty),
  version: Type.Optional(NonEmpty),
  platform: Type.Optional(NonEmpty),
  deviceFamily: Type.Optional(NonEmpty),
  modelIdentifier: Type.Optional(NonEmpty),
  timeZone: Type.Optional(NonEmpty),
  mode: Type.Optional(NonEmpty),
  lastInputSeconds: Type.Optional(Count),
  reason: Type.Optional(NonEmpty),
  tags: Type.Optional(Type.Array(NonEmpty)),
  text: Type.Optional(Type.String()),
  ts: Count,
  onlineSince: Type.Optional(Count),
  lastActivityAt: Type.Optional(Count),
  deviceId: Type.Optional(NonEmpty),
  roles: Type.Optional(Type.Array(NonEmpty)),
  scopes: Type.Optional(Type.Array(NonEmpty)),
  instanceId: Type.Optional(NonEmpty),
}, { $id: "PresenceEntry" });
export type PresenceEntry = Wire<typeof PresenceEntry>;

/** Sessions of one agent, or of all, by number and by the newest few. */
export const SessionSummary = Type.Object({
  path: Type.String(),
  count: Count,
  recent: Type.Array(Type.Object({
    key: NonEmpty,
    updatedAt: nullable(Count),
    age: nullable(Count),
  }, { $id: "RecentSession" })),
}, { $id: "SessionSummary" });
export type SessionSummary = Wire<typeof SessionSummary>;

/** An agent as `health` shows it. */
export const AgentHealth = Type.Object({
  agentId: NonEmpty,
  name: Type.Optional(NonEmpty),
  isDefault: Type.Boolean(),
  heartbeat: Type.Object({
    enabled: Type.Boolean(),
    every: Type.String(),
    everyMs: nullable(Count),
    prompt: Type.String(),
    target: Type.String(),
    model: Type.Optional(Type.String()),
    ackMaxChars: Count,
  }),
  sessions: SessionSummary,
}, { $id: "AgentHealth" });
export type AgentHealth = Wire<typeof AgentHealth>;

/** How the gateway is. Clients show what they know of it. */
export const HealthSnapshot = Type.Object({
  ok: Type.Literal(true),
  ts: Count,
  durationMs: Count,
  channels: mapOf(Type.Unknown()),
  channelOrder: Type.Array(NonEmpty),
  channelLabels: mapOf(NonEmpty),
  heartbeatSeconds: Count,
  defaultAgentId: NonEmpty,
  agents: Type.Array(AgentHealth),
  sessions: SessionSummary,
}, { $id: "HealthSnapshot" });
export type HealthSnapshot = Wire<typeof HealthSnapshot>;

/** A recent session as `status` shows it. */
export const StatusSession = Type.Object({
  agentId: Type.Optional(NonEmpty),
  key: NonEmpty,
  kind: oneOf(["direct", "group", "global", "unknown"]),
  sessionId: Type.Optional(NonEmpty),
  updatedAt: nullable(Count),
  age: nullable(Count),
  thinkingLevel: Type.Optional(Type.String()),
  verboseLevel: Type.Optional(Type.String()),
  systemSent: Type.Optional(Type.Boolean()),
  abortedLastRun: Type.Optional(Type.Boolean()),
  inputTokens: Type.Optional(Count),
  outputTokens: Type.Optional(Count),
  totalTokens: nullable(Count),
  totalTokensFresh: Type.Boolean(),
  remainingTokens: nullable(Count),
  percentUsed: nullable(Count),
  model: nullable(Type.String()),
  contextTokens: nullable(Count),
  flags: Type.Array(Type.String()),
}, { $id: "StatusSession" });
export type StatusSession = Wire<typeof StatusSession>;

/** What became of a heartbeat. */
export const Heartbeat = Type.Object({
  ts: Count,
  status: oneOf(["sent", "ok-empty", "ok-token", "skipped", "failed"]),
  to: Type.Optional(Type.String()),
  accountId: Type.Optional(Type.String()),
  preview: Type.Optional(Type.String()),
  durationMs: Type.Optional(Count),
  hasMedia: Type.Optional(Type.Boolean()),
  reason: Type.Optional(Type.String()),
  channel: Type.Optional(Type.String()),
  silent: Type.Optional(Type.Boolean()),
  indicatorType: Type.Optional(oneOf(["ok", "alert", "error"])),
}, { $id: "Heartbeat" });
export type Heartbeat = Wire<typeof Heartbeat>;

// The params of the methods below, logs.tail excepted, are open: the released gateways never
// looked for unknown properties in them, and clients came to send some.

/** `probe` asks for fresh facts instead of those of the last minute. */
export const Health = method("health", {
  access: { 3: "anyone", 4: "operator.read" },
  params: Type.Object({ probe: Type.Optional(Type.Boolean()) }),
  result: HealthSnapshot,
});

export const Status = method("status", {
  access: "operator.read",
  params: Type.Object({ includeChannelSummary: Type.Optional(Type.Boolean()) }),
  result: Type.Object({
    runtimeVersion: Type.Optional(NonEmpty),
    heartbeat: Type.Object({
      defaultAgentId: NonEmpty,
      agents: Type.Array(Type.Object({
        agentId: NonEmpty,
        enabled: Type.Boolean(),
        every: Type.String(),
        everyMs: nullable(Count),
      })),
    }),
    channelSummary: Type.Array(Type.String()),
    queuedSystemEvents: Type.Array(Type.String()),
    sessions: Type.Object({
      paths: Type.Array(Type.String()),
      count: Count,
      defaults: Type.Object({
        model: nullable(Type.String()),
        contextTokens: nullable(Count),
      }),
      recent: Type.Array(StatusSession),
      byAgent: Type.Array(Type.Object({
        agentId: NonEmpty,
        path: Type.String(),
        count: Count,
        recent: Type.Array(StatusSession),
      })),
    }),
  }),
});

export const SystemPresence = method("system-presence", {
  access: "operator.read",
  params: Type.Object({}),
  result: Type.Array(PresenceEntry),
});

/** A client tells of itself, or of something that the agent should hear of. */
export const SystemEvent = method("system-event", {
  access: "operator.admin",
  params: Type.Object({
    text: NonEmpty,
    deviceId: Type.Optional(Type.String()),
    instanceId: Type.Optional(Type.String()),
    host: Type.Optional(Type.String()),
    ip: Type.Optional(Type.String()),
    mode: Type.Optional(Type.String()),
    version: Type.Optional(Type.String()),
    platform: Type.Optional(Type.String()),
    deviceFamily: Type.Optional(Type.String()),
    modelIdentifier: Type.Optional(Type.String()),
    lastInputSeconds: Type.Optional(Type.Number()),
    reason: Type.Optional(Type.String()),
    roles: Type.Optional(Type.Array(Type.String())),
    scopes: Type.Optional(Type.Array(Type.String())),
    tags: Type.Optional(Type.Array(Type.String())),
  }),
  result: Type.Object({ ok: Type.Literal(true) }),
});

export const LastHeartbeat = method("last-heartbeat", {
  access: "operator.read",
  params: Type.Object({}),
  result: nullable(Heartbeat),
});

export const SetHeartbeats = method("set-heartbeats", {
  access: "operator.admin",
  params: Type.Object({ enabled: Type.Boolean() }),
  result: Type.Object({ ok: Type.Literal(true), enabled: Type.Boolean() }),
});

/** Lines of the log from `cursor` on. `reset` says that the file shrank and `cursor` was void. */
export const LogsTail = method("logs.tail", {
  access: "operator.read",
  params: closed({
    cursor: Type.Optional(Count),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 5000 })),
    maxBytes: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
  }),
  result: Type.Object({
    file: NonEmpty,
    cursor: Count,
    size: Count,
    lines: Type.Array(Type.String()),
    truncated: Type.Optional(Type.Boolean()),
    reset: Type.Optional(Type.Boolean()),
  }),
});

export const PresenceEvent = event("presence", {
  access: "operator.read",
  payload: Type.Object({ presence: Type.Array(PresenceEntry) }),
});

/** A sign of life; clients that miss two of them connect again. */
export const TickEvent = event("tick", {
  access: "anyone",
  payload: Type.Object({ ts: Count }),
});

export const HealthEvent = event("health", {
  access: "anyone",
  droppable: false,
  payload: HealthSnapshot,
});

export const HeartbeatEvent = event("heartbeat", { access: "anyone", payload: Heartbeat });

/** The gateway is about to end. */
export const ShutdownEvent = event("shutdown", {
  access: "anyone",
  droppable: false,
  payload: Type.Object({
    reason: NonEmpty,
    restartExpectedMs: Type.Optional(nullable(Count)),
  }),
});
