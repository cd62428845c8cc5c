/** Talking with an agent in a conversation. */
import { closed, event, mapOf, method, nullable, oneOf, type Wire } from "./contract.ts";
import { Count, NonEmpty } from "./frames.ts";
import { ChatMessage, TokenUsage } from "./message.ts";
import { ModelChoice } from "./models.ts";
import { SessionListDefaults, SessionRow } from "./sessions.ts";
import * as Type from "./type.ts";

/** Something that a person can write after a slash instead of talking to the agent. */
export const CommandEntry = Type.Object({
  name: NonEmpty,
  nativeName: Type.Optional(NonEmpty),
  textAliases: Type.Array(NonEmpty),
  description: Type.String(),
  category: Type.Optional(NonEmpty),
  source: oneOf(["native", "skill", "plugin"]),
  scope: oneOf(["text", "native", "both"]),
  acceptsArgs: Type.Boolean(),
  args: Type.Optional(Type.Array(Type.Unknown())),
}, { $id: "CommandEntry" });
export type CommandEntry = Wire<typeof CommandEntry>;

/** A file that goes with a message. `content` is base64, with or without a `data:` prefix. */
export const ChatAttachment = Type.Object({
  type: Type.Optional(Type.String()),
  mimeType: Type.Optional(Type.String()),
  fileName: Type.Optional(Type.String()),
  content: Type.Optional(Type.Unknown()),
}, { $id: "ChatAttachment" });
export type ChatAttachment = Wire<typeof ChatAttachment>;

const historyParams = {
  agentId: Type.Optional(NonEmpty),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
  offset: Type.Optional(Count),
  cursor: Type.Optional(Type.String()),
  maxBytes: Type.Optional(Type.Integer({ minimum: 1024 })),
  maxChars: Type.Optional(Type.Integer({ minimum: 1, maximum: 500_000 })),
  pendingBefore: Type.Optional(Type.Integer({ minimum: 1 })),
  inputRunIds: Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 256 }), { minItems: 1, maxItems: 50 }),
  ),
  messageId: Type.Optional(NonEmpty),
  sessionId: Type.Optional(NonEmpty),
};

const historyResult = {
  sessionKey: NonEmpty,
  sessionId: Type.Optional(NonEmpty),
  messages: Type.Array(ChatMessage),
  thinkingLevel: Type.Optional(Type.String()),
  verboseLevel: Type.Optional(Type.String()),
  pendingInputs: Type.Optional(
    Type.Object({ items: Type.Array(Type.Unknown()), total: Count }, { $id: "PendingInputs" }),
  ),
  hasMore: Type.Optional(Type.Boolean()),
  nextOffset: Type.Optional(Count),
  totalMessages: Type.Optional(Count),
  defaults: Type.Optional(SessionListDefaults),
  sessionInfo: Type.Optional(SessionRow),
};

/** What a chat page offers besides the messages. */
export const ChatOffers = Type.Object({
  models: Type.Array(ModelChoice),
  commands: Type.Array(CommandEntry),
}, { $id: "ChatOffers" });
export type ChatOffers = Wire<typeof ChatOffers>;

/** The newest messages of a conversation, oldest first. */
export const ChatHistory = method("chat.history", {
  access: "operator.read",
  params: closed({ sessionKey: NonEmpty, ...historyParams }),
  result: Type.Object(historyResult),
});

/** Which runs were stopped. */
export const ChatStopped = Type.Object({
  ok: Type.Literal(true),
  aborted: Type.Boolean(),
  runIds: Type.Array(NonEmpty),
}, { $id: "ChatStopped" });
export type ChatStopped = Wire<typeof ChatStopped>;

/** Says something to the agent. `runId` is the client's `idempotencyKey`. */
export const ChatSend = method("chat.send", {
  access: "operator.write",
  params: closed({
    sessionKey: Type.String({ minLength: 1, maxLength: 512 }),
    message: Type.String(),
    idempotencyKey: NonEmpty,
    agentId: Type.Optional(NonEmpty),
    sessionId: Type.Optional(NonEmpty),
    thinking: Type.Optional(Type.String()),
    fastMode: Type.Optional(Type.Union([Type.Boolean(), Type.Literal("auto")])),
    fastAutoOnSeconds: Type.Optional(Type.Integer({ minimum: 1 })),
    queueMode: Type.Optional(oneOf(["steer", "followup", "collect", "interrupt"])),
    deliver: Type.Optional(Type.Boolean()),
    attachments: Type.Optional(Type.Array(ChatAttachment)),
    timeoutMs: Type.Optional(Count),
    mentions: Type.Optional(Type.Array(Type.Unknown(), { maxItems: 10 })),
    workContext: Type.Optional(Type.Unknown()),
    intent: Type.Optional(Type.Unknown()),
    originatingChannel: Type.Optional(Type.String()),
    originatingTo: Type.Optional(Type.String()),
    originatingAccountId: Type.Optional(Type.String()),
    originatingThreadId: Type.Optional(Type.String()),
    replyToId: Type.Optional(NonEmpty),
    toolBindings: Type.Optional(mapOf(Type.Unknown())),
    systemInputProvenance: Type.Optional(Type.Unknown()),
    systemProvenanceReceipt: Type.Optional(Type.String()),
    suppressCommandInterpretation: Type.Optional(Type.Boolean()),
    expectedLeafEntryId: Type.Optional(nullable(NonEmpty)),
    expectedSessionRoutingContract: Type.Optional(NonEmpty),
    expectedPermissionMode: Type.Optional(Type.Unknown()),
    expectedToolOverrides: Type.Optional(Type.Unknown()),
    /** The page sends again what it sent before it lost its connection. */
    __controlUiReconnectResume: Type.Optional(Type.Boolean()),
  }),
  result: Type.Union([
    Type.Object(
      { runId: NonEmpty, status: oneOf(["started", "in_flight", "ok"]) },
      { $id: "ChatSendStatus" },
    ),
    ChatStopped,
  ]),
});

/** Stops one run of a conversation, or all of them. */
export const ChatAbort = method("chat.abort", {
  access: "operator.write",
  params: closed({
    sessionKey: NonEmpty,
    agentId: Type.Optional(NonEmpty),
    runId: Type.Optional(NonEmpty),
    preserveSideRuns: Type.Optional(Type.Boolean()),
  }),
  result: ChatStopped,
});

/** Adds a message to a conversation as if the agent had said it. */
export const ChatInject = method("chat.inject", {
  access: "operator.admin",
  advertised: false,
  params: closed({
    sessionKey: NonEmpty,
    agentId: Type.Optional(NonEmpty),
    message: NonEmpty,
    label: Type.Optional(Type.String({ maxLength: 100 })),
  }),
  result: Type.Object({ ok: Type.Literal(true), messageId: NonEmpty }),
});

export const ChatMetadata = method("chat.metadata", {
  access: "operator.read",
  since: 4,
  params: closed({
    agentId: Type.Optional(NonEmpty),
    authProfileId: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
    sessionKey: Type.Optional(NonEmpty),
  }),
  result: ChatOffers,
});

/** `chat.history` and, where it is at hand, `chat.metadata` in one. */
export const ChatStartup = method("chat.startup", {
  access: "operator.read",
  since: 4,
  params: closed({
    sessionKey: Type.Optional(NonEmpty),
    shortId: Type.Optional(NonEmpty),
    slugHint: Type.Optional(NonEmpty),
    ...historyParams,
  }),
  result: Type.Object({ ...historyResult, metadata: Type.Optional(ChatOffers) }),
});

export const CommandsList = method("commands.list", {
  access: "operator.read",
  since: 4,
  params: closed({
    sessionKey: Type.Optional(NonEmpty),
    agentId: Type.Optional(NonEmpty),
    provider: Type.Optional(NonEmpty),
    scope: Type.Optional(oneOf(["text", "native", "both"])),
    includeArgs: Type.Optional(Type.Boolean()),
  }),
  result: Type.Object({ commands: Type.Array(CommandEntry) }),
});

const chatEvent = {
  runId: NonEmpty,
  sessionKey: NonEmpty,
  agentId: Type.Optional(NonEmpty),
  seq: Count,
};

/** The agent is getting ready. Version 4. */
export const ChatStatus = Type.Object({
  ...chatEvent,
  state: Type.Literal("status"),
  phase: NonEmpty,
}, { $id: "ChatStatus" });
export type ChatStatus = Wire<typeof ChatStatus>;

/** The agent goes on talking. `message` is all it said so far, `deltaText` what is new in it. */
export const ChatDelta = Type.Object({
  ...chatEvent,
  state: Type.Literal("delta"),
  message: ChatMessage,
  deltaText: Type.String(),
  /** `deltaText` is the whole text. */
  replace: Type.Optional(Type.Boolean()),
}, { $id: "ChatDelta" });
export type ChatDelta = Wire<typeof ChatDelta>;

/** The agent has spoken. Without `message` it had nothing to say. */
export const ChatFinal = Type.Object({
  ...chatEvent,
  state: Type.Literal("final"),
  message: Type.Optional(ChatMessage),
  usage: Type.Optional(TokenUsage),
  stopReason: Type.Optional(Type.String()),
}, { $id: "ChatFinal" });
export type ChatFinal = Wire<typeof ChatFinal>;

/** The run was stopped. `message` is what the agent had said by then. */
export const ChatAborted = Type.Object({
  ...chatEvent,
  state: Type.Literal("aborted"),
  message: Type.Optional(ChatMessage),
  errorMessage: Type.Optional(Type.String()),
  stopReason: Type.Optional(Type.String()),
}, { $id: "ChatAborted" });
export type ChatAborted = Wire<typeof ChatAborted>;

/** The run failed. */
export const ChatError = Type.Object({
  ...chatEvent,
  state: Type.Literal("error"),
  message: Type.Optional(ChatMessage),
  errorMessage: Type.Optional(Type.String()),
  errorKind: Type.Optional(
    oneOf(["refusal", "timeout", "rate_limit", "context_length", "unknown"]),
  ),
  usage: Type.Optional(TokenUsage),
  stopReason: Type.Optional(Type.String()),
}, { $id: "ChatError" });
export type ChatError = Wire<typeof ChatError>;

/** What a chat page shows of a run. */
export const ChatEvent = event("chat", {
  access: "operator.read",
  droppable: false,
  payload: Type.Union([ChatStatus, ChatDelta, ChatFinal, ChatAborted, ChatError]),
});
