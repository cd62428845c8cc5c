/** A message of a conversation, as clients see it. */
import { mapOf, oneOf, type Wire } from "./contract.ts";
import { Count, NonEmpty } from "./frames.ts";
import * as Type from "./type.ts";

/** Tokens that one model call took. */
export const TokenUsage = Type.Object({
  input: Type.Optional(Count),
  output: Type.Optional(Count),
  cacheRead: Type.Optional(Count),
  cacheWrite: Type.Optional(Count),
  totalTokens: Type.Optional(Count),
}, { $id: "TokenUsage" });
export type TokenUsage = Wire<typeof TokenUsage>;

/** One piece of a message. Which properties it has depends on `type`. */
export const ChatBlock = Type.Union([
  Type.Object({ type: Type.Literal("text"), text: Type.String() }, { $id: "ChatTextBlock" }),
  Type.Object(
    { type: Type.Literal("thinking"), thinking: Type.String() },
    { $id: "ChatThinkingBlock" },
  ),
  Type.Object({
    type: Type.Literal("toolCall"),
    id: NonEmpty,
    name: NonEmpty,
    arguments: mapOf(Type.Unknown()),
  }, { $id: "ChatToolCallBlock" }),
  Type.Object({
    type: Type.Literal("image"),
    mimeType: Type.Optional(NonEmpty),
    data: Type.Optional(Type.String()),
    /** The data was left out; `bytes` says how much it was. */
    omitted: Type.Optional(Type.Boolean()),
    bytes: Type.Optional(Count),
  }, { $id: "ChatImageBlock" }),
], { $id: "ChatBlock" });
export type ChatBlock = Wire<typeof ChatBlock>;

/** Where a message stands in its transcript. Version 4. */
export const ChatMessageMeta = Type.Object({
  id: Type.Optional(NonEmpty),
  seq: Type.Optional(Count),
  kind: Type.Optional(NonEmpty),
  runId: Type.Optional(NonEmpty),
  idempotencyKey: Type.Optional(NonEmpty),
  recordTimestampMs: Type.Optional(Count),
}, { $id: "ChatMessageMeta" });
export type ChatMessageMeta = Wire<typeof ChatMessageMeta>;

/** A message of a transcript. */
export const ChatMessage = Type.Object({
  role: oneOf(["user", "assistant", "toolResult", "system"]),
  content: Type.Union([Type.String(), Type.Array(ChatBlock)]),
  timestamp: Count,
  provider: Type.Optional(Type.String()),
  model: Type.Optional(Type.String()),
  api: Type.Optional(Type.String()),
  usage: Type.Optional(TokenUsage),
  stopReason: Type.Optional(Type.String()),
  errorMessage: Type.Optional(Type.String()),
  toolCallId: Type.Optional(Type.String()),
  toolName: Type.Optional(Type.String()),
  isError: Type.Optional(Type.Boolean()),
  idempotencyKey: Type.Optional(Type.String()),
  __openclaw: Type.Optional(ChatMessageMeta),
}, { $id: "ChatMessage" });
export type ChatMessage = Wire<typeof ChatMessage>;
