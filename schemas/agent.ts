/** Agents: who they are, and turns that are asked of them. */
import { closed, event, mapOf, method, nullable, oneOf, type Wire } from "./contract.ts";
import { Count, NonEmpty } from "./frames.ts";
import { ThinkingLevelOption } from "./models.ts";
import * as Type from "./type.ts";

/** An agent, and how it presents itself. */
export const AgentSummary = Type.Object({
  id: NonEmpty,
  name: Type.Optional(NonEmpty),
  identity: Type.Optional(Type.Object({
    name: Type.Optional(NonEmpty),
    theme: Type.Optional(NonEmpty),
    emoji: Type.Optional(NonEmpty),
    avatar: Type.Optional(NonEmpty),
    avatarUrl: Type.Optional(NonEmpty),
  })),
  workspace: Type.Optional(NonEmpty),
  model: Type.Optional(Type.Object({
    primary: Type.Optional(NonEmpty),
    fallbacks: Type.Optional(Type.Array(NonEmpty)),
  })),
  thinkingLevels: Type.Optional(Type.Array(ThinkingLevelOption)),
  thinkingOptions: Type.Optional(Type.Array(NonEmpty)),
  thinkingDefault: Type.Optional(NonEmpty),
}, { $id: "AgentSummary" });
export type AgentSummary = Wire<typeof AgentSummary>;

/** The run was taken on; its outcome follows as a second response. */
export const AgentAccepted = Type.Object({
  runId: NonEmpty,
  status: Type.Literal("accepted"),
  acceptedAt: Count,
  sessionKey: Type.Optional(NonEmpty),
  agentId: Type.Optional(NonEmpty),
}, { $id: "AgentAccepted" });
export type AgentAccepted = Wire<typeof AgentAccepted>;

/** The run was taken on earlier and has not ended. */
export const AgentInFlight = Type.Object({
  runId: NonEmpty,
  status: Type.Literal("in_flight"),
  sessionKey: Type.Optional(NonEmpty),
  agentId: Type.Optional(NonEmpty),
}, { $id: "AgentInFlight" });
export type AgentInFlight = Wire<typeof AgentInFlight>;

/** One message of an agent's answer. */
export const AgentPayload = Type.Object({
  text: Type.Optional(Type.String()),
  mediaUrl: nullable(Type.String()),
  mediaUrls: Type.Optional(Type.Array(Type.String())),
}, { $id: "AgentPayload" });
export type AgentPayload = Wire<typeof AgentPayload>;

/** What an agent said in a run, and what it took. */
export const AgentAnswer = Type.Object({
  payloads: Type.Array(AgentPayload),
  meta: Type.Object({
    durationMs: Count,
    agentMeta: Type.Optional(Type.Object({
      sessionId: NonEmpty,
      provider: Type.String(),
      model: Type.String(),
      usage: Type.Optional(Type.Object({
        input: Type.Optional(Count),
        output: Type.Optional(Count),
        cacheRead: Type.Optional(Count),
        cacheWrite: Type.Optional(Count),
        total: Type.Optional(Count),
      }, { $id: "AgentRunUsage" })),
    }, { $id: "AgentRunModel" })),
    aborted: Type.Boolean(),
    stopReason: Type.Optional(Type.String()),
  }, { $id: "AgentRunMeta" }),
}, { $id: "AgentAnswer" });
export type AgentAnswer = Wire<typeof AgentAnswer>;

/** The run ended, and this is what the agent said. */
export const AgentDone = Type.Object({
  runId: NonEmpty,
  status: Type.Literal("ok"),
  summary: Type.String(),
  result: AgentAnswer,
}, { $id: "AgentDone" });
export type AgentDone = Wire<typeof AgentDone>;

/** The run failed; sent beside an error. */
export const AgentFailed = Type.Object({
  runId: NonEmpty,
  status: Type.Literal("error"),
  summary: Type.String(),
}, { $id: "AgentFailed" });
export type AgentFailed = Wire<typeof AgentFailed>;

/**
 * A turn of an agent. Answered twice: when the run is taken on, and when it has ended. `runId` is
 * the client's `idempotencyKey`. Options of the released gateway that would forbid something, and
 * that this one could not honour, are no properties here: asking for them fails.
 */
export const Agent = method("agent", {
  access: "operator.write",
  params: closed({
    message: NonEmpty,
    idempotencyKey: NonEmpty,
    agentId: Type.Optional(NonEmpty),
    sessionKey: Type.Optional(Type.String()),
    sessionId: Type.Optional(Type.String()),
    expectedExistingSessionId: Type.Optional(NonEmpty),
    provider: Type.Optional(Type.String()),
    model: Type.Optional(Type.String()),
    thinking: Type.Optional(Type.String()),
    /** Seconds; 0 for no limit. */
    timeout: Type.Optional(Count),
    attachments: Type.Optional(Type.Array(Type.Unknown())),
    extraSystemPrompt: Type.Optional(Type.String()),
    deliver: Type.Optional(Type.Boolean()),
    bestEffortDeliver: Type.Optional(Type.Boolean()),
    to: Type.Optional(Type.String()),
    replyTo: Type.Optional(Type.String()),
    channel: Type.Optional(Type.String()),
    replyChannel: Type.Optional(Type.String()),
    accountId: Type.Optional(Type.String()),
    replyAccountId: Type.Optional(Type.String()),
    threadId: Type.Optional(Type.String()),
    groupId: Type.Optional(Type.String()),
    groupChannel: Type.Optional(Type.String()),
    groupSpace: Type.Optional(Type.String()),
    lane: Type.Optional(Type.String()),
    label: Type.Optional(Type.String({ minLength: 1, maxLength: 512 })),
    spawnedBy: Type.Optional(Type.String()),
    inputProvenance: Type.Optional(Type.Unknown()),
    cleanupBundleMcpOnRunEnd: Type.Optional(Type.Boolean()),
    bootstrapContextMode: Type.Optional(oneOf(["full", "lightweight"])),
    bootstrapContextRunKind: Type.Optional(oneOf(["default", "heartbeat", "cron"])),
    voiceWakeTrigger: Type.Optional(Type.String()),
  }),
  result: Type.Union([AgentAccepted, AgentInFlight, AgentDone, AgentFailed]),
});

/** Answers when the run has ended, or with `timeout` when it has not after `timeoutMs`. */
export const AgentWait = method("agent.wait", {
  access: "operator.write",
  params: closed({ runId: NonEmpty, timeoutMs: Type.Optional(Count) }),
  result: Type.Object({
    runId: NonEmpty,
    status: oneOf(["ok", "error", "timeout"]),
    startedAt: Type.Optional(Count),
    endedAt: Type.Optional(Count),
    error: Type.Optional(Type.String()),
  }),
});

export const AgentIdentityGet = method("agent.identity.get", {
  access: "operator.read",
  params: closed({
    agentId: Type.Optional(NonEmpty),
    sessionKey: Type.Optional(Type.String()),
  }),
  result: Type.Object({
    agentId: NonEmpty,
    name: Type.Optional(NonEmpty),
    avatar: Type.Optional(NonEmpty),
    emoji: Type.Optional(NonEmpty),
  }),
});

export const AgentsList = method("agents.list", {
  access: "operator.read",
  params: closed({}),
  result: Type.Object({
    defaultId: NonEmpty,
    mainKey: NonEmpty,
    scope: oneOf(["per-sender", "global"]),
    agents: Type.Array(AgentSummary),
    ownership: Type.Optional(oneOf(["sole", "legacy", "explicit"])),
    selectionRequired: Type.Optional(Type.Boolean()),
  }),
});

/** What happens in a run. `seq` counts the events of the run from 1, over all its streams. */
export const AgentEvent = event("agent", {
  access: "operator.read",
  droppable: false,
  payload: Type.Object({
    runId: NonEmpty,
    seq: Count,
    stream: NonEmpty,
    ts: Count,
    data: mapOf(Type.Unknown()),
    sessionKey: Type.Optional(NonEmpty),
    sessionId: Type.Optional(NonEmpty),
    agentId: Type.Optional(NonEmpty),
    isHeartbeat: Type.Optional(Type.Boolean()),
  }),
});
