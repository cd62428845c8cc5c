/** Conversations: their list, their settings, and who follows them. */
import { closed, event, method, nullable, oneOf, type Wire } from "./contract.ts";
import { Count, ErrorShape, NonEmpty } from "./frames.ts";
import { ChatMessage } from "./message.ts";
import { ThinkingLevelOption } from "./models.ts";
import * as Type from "./type.ts";

const SessionLabel = Type.String({ minLength: 1, maxLength: 512 });
const Setting = Type.Optional(nullable(NonEmpty));

/** A conversation, as lists show it. */
export const SessionRow = Type.Object({
  key: NonEmpty,
  kind: oneOf(["direct", "group", "global", "unknown"]),
  label: Type.Optional(Type.String()),
  displayName: Type.Optional(Type.String()),
  derivedTitle: Type.Optional(Type.String()),
  lastMessagePreview: Type.Optional(Type.String()),
  channel: Type.Optional(Type.String()),
  subject: Type.Optional(Type.String()),
  groupChannel: Type.Optional(Type.String()),
  space: Type.Optional(Type.String()),
  chatType: Type.Optional(oneOf(["direct", "group", "channel"])),
  origin: Type.Optional(Type.Unknown()),
  deliveryContext: Type.Optional(Type.Unknown()),
  lastChannel: Type.Optional(Type.String()),
  lastTo: Type.Optional(Type.String()),
  lastAccountId: Type.Optional(Type.String()),
  sessionId: Type.Optional(NonEmpty),
  updatedAt: nullable(Count),
  systemSent: Type.Optional(Type.Boolean()),
  abortedLastRun: Type.Optional(Type.Boolean()),
  thinkingLevel: Type.Optional(Type.String()),
  verboseLevel: Type.Optional(Type.String()),
  reasoningLevel: Type.Optional(Type.String()),
  elevatedLevel: Type.Optional(Type.String()),
  responseUsage: Type.Optional(oneOf(["off", "tokens", "full", "on"])),
  sendPolicy: Type.Optional(oneOf(["allow", "deny"])),
  groupActivation: Type.Optional(oneOf(["mention", "always"])),
  modelProvider: Type.Optional(Type.String()),
  model: Type.Optional(Type.String()),
  contextTokens: Type.Optional(Count),
  inputTokens: Type.Optional(Count),
  outputTokens: Type.Optional(Count),
  totalTokens: Type.Optional(Count),
  totalTokensFresh: Type.Boolean(),
  spawnedBy: Type.Optional(Type.String()),
  spawnDepth: Type.Optional(Count),
  // Version 4 has all that follows, and more.
  agentId: Type.Optional(NonEmpty),
  createdAt: Type.Optional(Count),
  status: Type.Optional(oneOf(["queued", "running", "done", "failed", "killed", "timeout"])),
  startedAt: Type.Optional(Count),
  endedAt: Type.Optional(Count),
  runtimeMs: Type.Optional(Count),
  lastRunId: Type.Optional(NonEmpty),
  hasActiveRun: Type.Optional(Type.Boolean()),
  activeRunIds: Type.Optional(Type.Array(NonEmpty)),
  isMain: Type.Optional(Type.Boolean()),
  isBackground: Type.Optional(Type.Boolean()),
  classification: Type.Optional(NonEmpty),
  visibility: Type.Optional(oneOf(["shared", "read-only", "suggest", "draft"])),
  sharingRole: Type.Optional(oneOf(["admin", "owner", "member", "viewer"])),
  archived: Type.Optional(Type.Boolean()),
  pinned: Type.Optional(Type.Boolean()),
  unread: Type.Optional(Type.Boolean()),
  lastActivityAt: Type.Optional(Count),
  lastInteractionAt: Type.Optional(Count),
  snapshotAt: Type.Optional(Count),
  thinkingLevels: Type.Optional(Type.Array(ThinkingLevelOption)),
  thinkingOptions: Type.Optional(Type.Array(NonEmpty)),
  thinkingDefault: Type.Optional(NonEmpty),
  modelOverrideSource: Type.Optional(nullable(oneOf(["user", "auto", "inherited"]))),
  effectiveQueueMode: Type.Optional(oneOf(["steer", "followup", "collect", "interrupt"])),
  effectiveResponseUsage: Type.Optional(oneOf(["off", "tokens", "full"])),
}, { $id: "SessionRow" });
export type SessionRow = Wire<typeof SessionRow>;

/** What a new conversation starts with. */
export const SessionListDefaults = Type.Object({
  modelProvider: nullable(Type.String()),
  model: nullable(Type.String()),
  contextTokens: nullable(Count),
  thinkingLevels: Type.Optional(Type.Array(ThinkingLevelOption)),
  thinkingOptions: Type.Optional(Type.Array(NonEmpty)),
  thinkingDefault: Type.Optional(NonEmpty),
}, { $id: "SessionListDefaults" });
export type SessionListDefaults = Wire<typeof SessionListDefaults>;

/** A conversation as it is kept: the settings that were made on it, and its counters. */
export const SessionEntry = Type.Object({
  sessionId: NonEmpty,
  updatedAt: Count,
  createdAt: Type.Optional(Count),
  label: Type.Optional(Type.String()),
  displayName: Type.Optional(Type.String()),
  thinkingLevel: Type.Optional(Type.String()),
  verboseLevel: Type.Optional(Type.String()),
  reasoningLevel: Type.Optional(Type.String()),
  elevatedLevel: Type.Optional(Type.String()),
  responseUsage: Type.Optional(Type.String()),
  sendPolicy: Type.Optional(Type.String()),
  groupActivation: Type.Optional(Type.String()),
  queueMode: Type.Optional(Type.String()),
  execHost: Type.Optional(Type.String()),
  execSecurity: Type.Optional(Type.String()),
  execAsk: Type.Optional(Type.String()),
  execNode: Type.Optional(Type.String()),
  spawnedBy: Type.Optional(Type.String()),
  spawnDepth: Type.Optional(Count),
  providerOverride: Type.Optional(Type.String()),
  modelOverride: Type.Optional(Type.String()),
  modelProvider: Type.Optional(Type.String()),
  model: Type.Optional(Type.String()),
  contextTokens: Type.Optional(Count),
  inputTokens: Type.Optional(Count),
  outputTokens: Type.Optional(Count),
  totalTokens: Type.Optional(Count),
  totalTokensFresh: Type.Optional(Type.Boolean()),
  compactionCount: Type.Optional(Count),
  abortedLastRun: Type.Optional(Type.Boolean()),
  systemSent: Type.Optional(Type.Boolean()),
}, { $id: "SessionEntry" });
export type SessionEntry = Wire<typeof SessionEntry>;

export const SessionsList = method("sessions.list", {
  access: "operator.read",
  params: closed({
    limit: Type.Optional(Type.Integer({ minimum: 1 })),
    offset: Type.Optional(Count),
    activeMinutes: Type.Optional(Type.Integer({ minimum: 1 })),
    activeOnly: Type.Optional(Type.Boolean()),
    requireLastInteraction: Type.Optional(Type.Boolean()),
    sortBy: Type.Optional(oneOf(["updatedAt", "lastInteractionAt", "activity"])),
    includeGlobal: Type.Optional(Type.Boolean()),
    includeUnknown: Type.Optional(Type.Boolean()),
    excludeSubagents: Type.Optional(Type.Boolean()),
    excludeCron: Type.Optional(Type.Boolean()),
    excludeSystem: Type.Optional(Type.Boolean()),
    configuredAgentsOnly: Type.Optional(Type.Boolean()),
    includeDerivedTitles: Type.Optional(Type.Boolean()),
    includeLastMessage: Type.Optional(Type.Boolean()),
    includeActivitySummary: Type.Optional(Type.Boolean()),
    label: Type.Optional(SessionLabel),
    projectId: Type.Optional(NonEmpty),
    workspaceDir: Type.Optional(NonEmpty),
    group: Type.Optional(Type.String()),
    pinned: Type.Optional(Type.Boolean()),
    boardFace: Type.Optional(oneOf(["chat", "dashboard"])),
    hasBoard: Type.Optional(Type.Boolean()),
    creatorId: Type.Optional(NonEmpty),
    ownerId: Type.Optional(NonEmpty),
    ownerFirst: Type.Optional(Type.Boolean()),
    involvingMe: Type.Optional(Type.Boolean()),
    involvingProfileId: Type.Optional(NonEmpty),
    profileRelation: Type.Optional(closed({
      profileId: NonEmpty,
      relationship: oneOf(["owned", "created", "involving"]),
    })),
    includePeople: Type.Optional(Type.Boolean()),
    spawnedBy: Type.Optional(NonEmpty),
    agentId: Type.Optional(NonEmpty),
    search: Type.Optional(Type.String()),
    archived: Type.Optional(Type.Union([Type.Boolean(), Type.Literal("all")])),
  }),
  result: Type.Object({
    ts: Count,
    path: Type.String(),
    count: Count,
    defaults: SessionListDefaults,
    sessions: Type.Array(SessionRow),
    totalCount: Type.Optional(Count),
    limitApplied: Type.Optional(Count),
    nextOffset: Type.Optional(nullable(Count)),
    hasMore: Type.Optional(Type.Boolean()),
    owners: Type.Optional(Type.Array(Type.Unknown())),
  }),
});

/** The last few lines of a conversation. */
export const SessionPreview = Type.Object({
  key: NonEmpty,
  status: oneOf(["ok", "empty", "missing", "error"]),
  items: Type.Array(Type.Object({
    role: oneOf(["user", "assistant", "tool", "system", "other"]),
    text: Type.String(),
  }, { $id: "SessionPreviewItem" })),
}, { $id: "SessionPreview" });
export type SessionPreview = Wire<typeof SessionPreview>;

/** The last few lines of some conversations, for lists. */
export const SessionsPreview = method("sessions.preview", {
  access: "operator.read",
  params: closed({
    keys: Type.Array(NonEmpty, { minItems: 1 }),
    limit: Type.Optional(Type.Integer({ minimum: 1 })),
    maxChars: Type.Optional(Type.Integer({ minimum: 20 })),
  }),
  result: Type.Object({
    ts: Count,
    previews: Type.Array(SessionPreview),
  }),
});

/** Finds a conversation by one of its names. */
export const SessionsResolve = method("sessions.resolve", {
  access: "operator.read",
  advertised: false,
  params: closed({
    key: Type.Optional(NonEmpty),
    sessionId: Type.Optional(NonEmpty),
    label: Type.Optional(SessionLabel),
    reference: Type.Optional(closed({ key: NonEmpty, slug: Type.Optional(NonEmpty) })),
    shortId: Type.Optional(NonEmpty),
    slugHint: Type.Optional(NonEmpty),
    agentId: Type.Optional(NonEmpty),
    spawnedBy: Type.Optional(NonEmpty),
    includeGlobal: Type.Optional(Type.Boolean()),
    includeUnknown: Type.Optional(Type.Boolean()),
    allowMissing: Type.Optional(Type.Boolean()),
  }),
  result: Type.Union([
    Type.Object(
      { ok: Type.Literal(true), key: NonEmpty, agentId: Type.Optional(NonEmpty) },
      { $id: "SessionFound" },
    ),
    /** Only to a client that said `allowMissing`; for others it is an error. */
    Type.Object({ ok: Type.Literal(false) }, { $id: "SessionNotFound" }),
  ]),
});

/**
 * Makes settings on a conversation; `null` clears one. Settings that this gateway does not keep are
 * no properties here: it is better that making them fails than that they have no effect.
 */
export const SessionsPatch = method("sessions.patch", {
  access: { 3: "operator.admin", 4: "operator.write" },
  params: closed({
    key: NonEmpty,
    agentId: Type.Optional(NonEmpty),
    expectedSessionId: Type.Optional(NonEmpty),
    expectedLifecycleRevision: Type.Optional(NonEmpty),
    label: Type.Optional(nullable(SessionLabel)),
    thinkingLevel: Setting,
    verboseLevel: Setting,
    reasoningLevel: Setting,
    elevatedLevel: Setting,
    responseUsage: Type.Optional(nullable(oneOf(["off", "tokens", "full", "on"]))),
    execHost: Setting,
    execSecurity: Setting,
    execAsk: Setting,
    execNode: Setting,
    model: Setting,
    spawnedBy: Setting,
    spawnDepth: Type.Optional(nullable(Count)),
    sendPolicy: Type.Optional(nullable(oneOf(["allow", "deny"]))),
    groupActivation: Type.Optional(nullable(oneOf(["mention", "always"]))),
    unread: Type.Optional(Type.Boolean()),
    expectedMarkedUnreadAt: Type.Optional(nullable(Type.Number({ minimum: 0 }))),
  }),
  result: Type.Object({
    ok: Type.Literal(true),
    path: Type.String(),
    key: NonEmpty,
    entry: SessionEntry,
    resolved: Type.Optional(Type.Object({
      modelProvider: Type.Optional(Type.String()),
      model: Type.Optional(Type.String()),
    })),
  }),
});

/** Starts the conversation afresh; its settings stay. */
export const SessionsReset = method("sessions.reset", {
  access: "operator.admin",
  params: closed({
    key: NonEmpty,
    agentId: Type.Optional(NonEmpty),
    reason: Type.Optional(oneOf(["new", "reset"])),
    expectedSessionId: Type.Optional(NonEmpty),
  }),
  result: Type.Object({ ok: Type.Literal(true), key: NonEmpty, entry: SessionEntry }),
});

export const SessionsDelete = method("sessions.delete", {
  access: { 3: "operator.admin", 4: "operator.write" },
  params: closed({
    key: NonEmpty,
    agentId: Type.Optional(NonEmpty),
    deleteTranscript: Type.Optional(Type.Boolean()),
    expectedSessionId: Type.Optional(NonEmpty),
    expectedLifecycleRevision: Type.Optional(NonEmpty),
    expectedSessionUpdatedAt: Type.Optional(Type.Number({ minimum: 0 })),
    emitLifecycleHooks: Type.Optional(Type.Boolean()),
    archivedOnly: Type.Optional(Type.Boolean()),
  }),
  result: Type.Object({
    ok: Type.Literal(true),
    key: NonEmpty,
    deleted: Type.Boolean(),
    archived: Type.Array(Type.String()),
  }),
});

/** Shortens what the model is told of the conversation. */
export const SessionsCompact = method("sessions.compact", {
  access: "operator.admin",
  params: closed({
    key: NonEmpty,
    agentId: Type.Optional(NonEmpty),
    maxLines: Type.Optional(Type.Integer({ minimum: 1 })),
  }),
  result: Type.Object({
    ok: Type.Boolean(),
    key: NonEmpty,
    compacted: Type.Boolean(),
    archived: Type.Optional(Type.String()),
    kept: Type.Optional(Count),
    reason: Type.Optional(Type.String()),
  }),
});

/** From here on this connection hears `sessions.changed` and `session.message`. */
export const SessionsSubscribe = method("sessions.subscribe", {
  access: "operator.read",
  since: 4,
  params: closed({}),
  result: Type.Object({ subscribed: Type.Literal(true) }),
});

/** The opposite of `sessions.subscribe`; the released gateways have none. */
export const SessionsUnsubscribe = method("sessions.unsubscribe", {
  access: "operator.read",
  since: 4,
  advertised: false,
  params: closed({}),
  result: Type.Object({ subscribed: Type.Literal(false) }),
});

/** From here on this connection hears the messages of one conversation. */
export const SessionsMessagesSubscribe = method("sessions.messages.subscribe", {
  access: "operator.read",
  since: 4,
  params: closed({
    key: NonEmpty,
    agentId: Type.Optional(NonEmpty),
    includeApprovals: Type.Optional(Type.Literal(true)),
  }),
  result: Type.Object({ subscribed: Type.Literal(true), key: NonEmpty }),
});

export const SessionsMessagesUnsubscribe = method("sessions.messages.unsubscribe", {
  access: "operator.read",
  since: 4,
  params: closed({ key: NonEmpty, agentId: Type.Optional(NonEmpty) }),
  result: Type.Object({ subscribed: Type.Literal(false), key: NonEmpty }),
});

export const SessionsDescribe = method("sessions.describe", {
  access: "operator.read",
  since: 4,
  params: closed({
    key: NonEmpty,
    agentId: Type.Optional(NonEmpty),
    includeDerivedTitles: Type.Optional(Type.Boolean()),
    includeLastMessage: Type.Optional(Type.Boolean()),
  }),
  result: Type.Object({ session: nullable(SessionRow) }),
});

export const SessionsGet = method("sessions.get", {
  access: "operator.read",
  since: 4,
  advertised: false,
  params: closed({
    key: Type.Optional(NonEmpty),
    /** Another name of `key`. */
    sessionKey: Type.Optional(NonEmpty),
    agentId: Type.Optional(NonEmpty),
    limit: Type.Optional(Type.Integer({ minimum: 1 })),
  }),
  result: Type.Object({ messages: Type.Array(ChatMessage) }),
});

export const SessionsCreate = method("sessions.create", {
  access: "operator.write",
  since: 4,
  params: closed({
    key: Type.Optional(NonEmpty),
    idempotencyKey: Type.Optional(NonEmpty),
    agentId: Type.Optional(NonEmpty),
    label: Type.Optional(SessionLabel),
    displayName: Type.Optional(Type.String({ minLength: 1, maxLength: 500 })),
    titleSource: Type.Optional(Type.String({ maxLength: 1000 })),
    model: Type.Optional(NonEmpty),
    thinkingLevel: Type.Optional(NonEmpty),
    parentSessionKey: Type.Optional(NonEmpty),
    succeedsParent: Type.Optional(Type.Boolean()),
    emitCommandHooks: Type.Optional(Type.Boolean()),
    message: Type.Optional(Type.String()),
    task: Type.Optional(Type.String()),
    attachments: Type.Optional(Type.Array(Type.Unknown())),
    timeoutMs: Type.Optional(Count),
  }),
  result: Type.Object({
    ok: Type.Literal(true),
    key: NonEmpty,
    sessionId: NonEmpty,
    entry: SessionEntry,
    runStarted: Type.Optional(Type.Boolean()),
    runId: Type.Optional(NonEmpty),
    messageSeq: Type.Optional(Type.Integer({ minimum: 1 })),
    runError: Type.Optional(ErrorShape),
  }),
});

export const SessionsAbort = method("sessions.abort", {
  access: "operator.write",
  since: 4,
  params: closed({
    key: Type.Optional(NonEmpty),
    runId: Type.Optional(NonEmpty),
    agentId: Type.Optional(NonEmpty),
    clearQueued: Type.Optional(Type.Boolean()),
  }),
  result: Type.Object({
    ok: Type.Literal(true),
    abortedRunId: nullable(NonEmpty),
    status: oneOf(["aborted", "no-active-run"]),
  }),
});

/** A conversation was made, changed or removed. */
export const SessionsChangedEvent = event("sessions.changed", {
  access: "operator.read",
  since: 4,
  payload: Type.Object({
    sessionKey: NonEmpty,
    agentId: Type.Optional(NonEmpty),
    reason: Type.Optional(NonEmpty),
    phase: Type.Optional(NonEmpty),
    runId: Type.Optional(NonEmpty),
    ts: Count,
    session: Type.Optional(SessionRow),
  }),
});

/** A message was added to a conversation. */
export const SessionMessageEvent = event("session.message", {
  access: "operator.read",
  since: 4,
  payload: Type.Object({
    sessionKey: NonEmpty,
    agentId: Type.Optional(NonEmpty),
    message: ChatMessage,
    messageId: Type.Optional(NonEmpty),
    messageSeq: Type.Optional(Count),
    session: Type.Optional(SessionRow),
  }),
});
