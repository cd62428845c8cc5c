/** Transcripts as clients read them: what is private or too large stays behind. */
import type { ChatBlock, ChatMessage } from "../../schemas/message.ts";
import type { Message, TranscriptEntry } from "../session.ts";
import type { Transcripts } from "../store.ts";

/** Characters of one block that a client gets where it does not say how many. */
const MAX_BLOCK_CHARS = 12_000;
/** Bytes of one message, and of all messages of an answer. */
const MAX_MESSAGE_BYTES = 128 * 1024;
const MAX_TOTAL_BYTES = 6 * 1024 * 1024;

type MessageEntry = TranscriptEntry & { kind: "message" };

/** One message as clients see it, each block cut at `maxChars`. */
export function wireMessage(
  { message, seq, id, at, runId }: MessageEntry,
  maxChars = MAX_BLOCK_CHARS,
): ChatMessage {
  const key = message.role === "user" ? message.idempotencyKey : undefined;
  return {
    ...described(message),
    content: typeof message.content === "string"
      ? cut(message.content, maxChars)
      : message.content.map((block) => wireBlock(block, maxChars)),
    __openclaw: {
      id,
      seq,
      recordTimestampMs: at,
      ...(runId === undefined ? {} : { runId }),
      ...(key === undefined ? {} : { idempotencyKey: `${key}:user` }),
    },
  };
}

function described(message: Message): Omit<ChatMessage, "content"> {
  switch (message.role) {
    case "user":
      return { role: "user", timestamp: message.timestamp };
    case "toolResult": {
      const { role, toolCallId, toolName, isError, timestamp } = message;
      return { role, toolCallId, toolName, isError, timestamp };
    }
    case "assistant": {
      const { role, api, provider, model, usage, stopReason, errorMessage, timestamp } = message;
      return {
        role,
        ...(api === undefined ? {} : { api }),
        provider,
        model,
        ...(usage === undefined ? {} : { usage }),
        stopReason,
        ...(errorMessage === undefined ? {} : { errorMessage }),
        timestamp,
      };
    }
  }
}

function wireBlock(
  block: Exclude<Message["content"], string>[number],
  maxChars: number,
): ChatBlock {
  switch (block.type) {
    case "text":
      return { type: "text", text: cut(block.text, maxChars) };
    case "thinking":
      return { type: "thinking", thinking: cut(block.thinking, maxChars) };
    case "toolCall":
      return block;
    case "image": {
      const bytes = Math.floor(block.data.length * 3 / 4);
      return { type: "image", mimeType: block.mimeType, omitted: true, bytes };
    }
  }
}

function cut(text: string, limit: number): string {
  return text.length <= limit ? text : `${beginningOf(text, limit)}\n…(truncated)…`;
}

/** The first `limit` characters, and never half of one: some clients can't read a lone surrogate. */
export function beginningOf(text: string, limit: number): string {
  return text.slice(0, limit).replace(/[\ud800-\udbff]$/, "");
}

/** What a client asks of a transcript. */
export interface HistoryRange {
  readonly limit: number;
  /** Newest messages to pass over. */
  readonly offset?: number;
  /** Where each block of a message is cut. */
  readonly maxChars?: number;
}

/** A page of messages, oldest first, within the protocol's size limits. */
export function readHistory(
  transcripts: Transcripts,
  sessionId: string,
  { limit, offset = 0, maxChars }: HistoryRange,
): { messages: readonly ChatMessage[]; total: number; hasMore: boolean } {
  const total = transcripts.count(sessionId);
  const entries = transcripts.page(sessionId, { limit, offset });
  const newestFirst: ChatMessage[] = [];
  let bytes = 0;
  for (const entry of entries.toReversed()) {
    if (entry.kind !== "message") continue;
    const message = fitting(wireMessage(entry, maxChars));
    bytes += sizeOf(message);
    if (bytes > MAX_TOTAL_BYTES && newestFirst.length > 0) break;
    newestFirst.push(message);
  }
  const messages = newestFirst.reverse();
  return { messages, total, hasMore: offset + messages.length < total };
}

function fitting(message: ChatMessage): ChatMessage {
  if (sizeOf(message) <= MAX_MESSAGE_BYTES) return message;
  const text = `[message of ${sizeOf(message)} bytes left out: too large to show]`;
  return { ...message, content: [{ type: "text", text }] };
}

/** About how many bytes a message takes on the wire; exact enough for a limit. */
function sizeOf({ content }: ChatMessage): number {
  if (typeof content === "string") return content.length;
  let bytes = 200;
  for (const block of content) {
    if (block.type === "text") bytes += block.text.length;
    else if (block.type === "thinking") bytes += block.thinking.length;
    else if (block.type === "toolCall") bytes += JSON.stringify(block.arguments).length;
  }
  return bytes;
}
