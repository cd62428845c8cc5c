/** Messages that a client sends into the chats of a network, and what became of them. */
import { closed, mapOf, method, oneOf, type Wire } from "./contract.ts";
import { Count, NonEmpty } from "./frames.ts";
import * as Type from "./type.ts";

/** Where the network put a message. */
const Sent = Type.Object({
  /** The request's idempotency key. */
  runId: NonEmpty,
  /** The network's id of it; of the last one, where it took several. */
  messageId: Type.String(),
  channel: NonEmpty,
  accountId: Type.Optional(NonEmpty),
  chatId: Type.Optional(Type.String()),
  channelId: Type.Optional(Type.String()),
  conversationId: Type.Optional(Type.String()),
  toJid: Type.Optional(Type.String()),
  pollId: Type.Optional(Type.String()),
  messageIds: Type.Optional(Type.Array(Type.String())),
});

export const Send = method("send", {
  access: "operator.write",
  params: closed({
    to: NonEmpty,
    message: Type.Optional(Type.String()),
    mediaUrl: Type.Optional(Type.String()),
    mediaUrls: Type.Optional(Type.Array(Type.String(), { maxItems: 10 })),
    /** A file, in base64. */
    buffer: Type.Optional(Type.String()),
    filename: Type.Optional(Type.String()),
    contentType: Type.Optional(Type.String()),
    asVoice: Type.Optional(Type.Boolean()),
    gifPlayback: Type.Optional(Type.Boolean()),
    channel: Type.Optional(Type.String()),
    accountId: Type.Optional(Type.String()),
    agentId: Type.Optional(Type.String()),
    replyToId: Type.Optional(Type.String()),
    threadId: Type.Optional(Type.String()),
    forceDocument: Type.Optional(Type.Boolean()),
    silent: Type.Optional(Type.Boolean()),
    parseMode: Type.Optional(Type.Literal("HTML")),
    /** The conversation that takes note of it. */
    sessionKey: Type.Optional(Type.String()),
    idempotencyKey: NonEmpty,
  }),
  result: Sent,
});

export const Poll = method("poll", {
  access: "operator.write",
  advertised: false,
  params: closed({
    to: NonEmpty,
    question: NonEmpty,
    options: Type.Array(NonEmpty, { minItems: 2, maxItems: 12 }),
    maxSelections: Type.Optional(Type.Integer({ minimum: 1, maximum: 12 })),
    durationSeconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 604_800 })),
    durationHours: Type.Optional(Type.Integer({ minimum: 1 })),
    silent: Type.Optional(Type.Boolean()),
    isAnonymous: Type.Optional(Type.Boolean()),
    threadId: Type.Optional(Type.String()),
    channel: Type.Optional(Type.String()),
    accountId: Type.Optional(Type.String()),
    idempotencyKey: NonEmpty,
  }),
  result: Sent,
});

/** Something done to a message that is there, or a message sent, by the name of the action. */
export const MessageAction = method("message.action", {
  access: "operator.write",
  since: 4,
  params: closed({
    channel: NonEmpty,
    action: NonEmpty,
    params: mapOf(Type.Unknown()),
    reply: Type.Optional(Type.Unknown()),
    accountId: Type.Optional(Type.String()),
    requesterAccountId: Type.Optional(Type.String()),
    requesterSenderId: Type.Optional(Type.String()),
    senderIsOwner: Type.Optional(Type.Boolean()),
    sessionKey: Type.Optional(Type.String()),
    sessionId: Type.Optional(Type.String()),
    inboundTurnKind: Type.Optional(Type.String()),
    agentId: Type.Optional(Type.String()),
    toolContext: Type.Optional(mapOf(Type.Unknown())),
    conversationReadOrigin: Type.Optional(Type.String()),
    idempotencyKey: NonEmpty,
  }),
  result: Type.Object({
    ok: Type.Literal(true),
    action: NonEmpty,
    channel: NonEmpty,
    accountId: NonEmpty,
    chatId: Type.String(),
    messageId: Type.Optional(Type.String()),
    messageIds: Type.Optional(Type.Array(Type.String())),
  }),
});

/** How far a message has come. */
const DeliveryState = oneOf(["accepted", "started", "sent", "unknown", "dead"]);

/** A message on its way out. */
export const OutboxEntry = Type.Object({
  id: NonEmpty,
  /** A preview shows an answer that is being written; the answer itself is a message. */
  kind: oneOf(["message", "preview"]),
  state: DeliveryState,
  channel: NonEmpty,
  accountId: NonEmpty,
  chatId: Type.String(),
  threadId: Type.Optional(Type.String()),
  /** The beginning of its text. */
  text: Type.String(),
  hasAttachment: Type.Boolean(),
  acceptedAt: Count,
  expiresAt: Count,
  endedAt: Type.Optional(Count),
  notBefore: Type.Optional(Count),
  attempts: Count,
  fault: Type.Optional(Type.String()),
  error: Type.Optional(Type.String()),
  messageIds: Type.Optional(Type.Array(Type.String())),
}, { $id: "OutboxEntry" });
export type OutboxEntry = Wire<typeof OutboxEntry>;

export const OutboxList = method("outbox.list", {
  access: "operator.read",
  advertised: false,
  params: closed({
    /** Those that are not sent, where it is not said. */
    states: Type.Optional(Type.Array(DeliveryState, { minItems: 1 })),
    channel: Type.Optional(NonEmpty),
    accountId: Type.Optional(NonEmpty),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
  }),
  result: Type.Object({
    ts: Count,
    entries: Type.Array(OutboxEntry),
    /** Of messages; previews do not count. */
    counts: mapOf(Count),
  }),
});

/** Sends again what was given up, at the risk that it is then there twice. */
export const OutboxRetry = method("outbox.retry", {
  access: "operator.admin",
  advertised: false,
  params: closed({ ids: Type.Array(NonEmpty, { minItems: 1, maxItems: 1000 }) }),
  result: Type.Object({ entries: Type.Array(OutboxEntry) }),
});

/** Forgets messages that are not sent, for good. */
export const OutboxDrop = method("outbox.drop", {
  access: "operator.admin",
  advertised: false,
  params: closed({ ids: Type.Array(NonEmpty, { minItems: 1, maxItems: 1000 }) }),
  result: Type.Object({ entries: Type.Array(OutboxEntry) }),
});
