/** One message of a conversation, as the page shows it. */
import type { ChatBlock, ChatMessage } from "../../schemas/message.ts";

/** A picture that goes with a message; without `src` only its size is known. */
export interface Picture {
  readonly src?: string;
  readonly name?: string;
  readonly bytes?: number;
}

/** A tool that the assistant wants used. */
export interface ToolCall {
  readonly callId: string;
  readonly name: string;
  readonly args: unknown;
}

/** How an assistant's message ended. */
export type AnswerEnd = "done" | "calling" | "stopped" | "failed" | "cut";

export interface UserEntry {
  readonly role: "user";
  readonly text: string;
  readonly pictures: readonly Picture[];
  /** The idempotency key it was sent with. */
  readonly requestKey?: string;
}
export interface AnswerEntry {
  readonly role: "answer";
  readonly text: string;
  readonly thinking: string;
  readonly calls: readonly ToolCall[];
  readonly model?: string;
  readonly end: AnswerEnd;
  readonly problem?: string;
}
export interface ResultEntry {
  readonly role: "result";
  readonly callId: string;
  readonly name: string;
  readonly text: string;
  readonly pictures: readonly Picture[];
  readonly failed: boolean;
}
export interface NoteEntry {
  readonly role: "note";
  readonly text: string;
}

export type Entry =
  & {
    /** Unique in its conversation. */
    readonly id: string;
    readonly at: number;
    /** Counts the messages of a transcript; the page's own entries have none. */
    readonly seq?: number;
    readonly runId?: string;
  }
  & (UserEntry | AnswerEntry | ResultEntry | NoteEntry);

/** Reads a message of the wire. `fallbackId` names it where the gateway didn't. */
export function readEntry(message: ChatMessage, fallbackId: string): Entry {
  const { __openclaw: meta, timestamp, role } = message;
  const blocks: readonly ChatBlock[] = typeof message.content === "string"
    ? [{ type: "text", text: message.content }]
    : message.content;
  const common = {
    id: meta?.id ?? fallbackId,
    at: timestamp,
    ...(meta?.seq === undefined ? {} : { seq: meta.seq }),
    ...(meta?.runId === undefined ? {} : { runId: meta.runId }),
  };
  const text = textOf(blocks);
  switch (role) {
    case "user": {
      const requestKey = (meta?.idempotencyKey ?? message.idempotencyKey)?.replace(/:user$/, "");
      return {
        ...common,
        role: "user",
        text,
        pictures: picturesOf(blocks),
        ...(requestKey === undefined ? {} : { requestKey }),
      };
    }
    case "assistant": {
      const { model, provider, errorMessage } = message;
      return {
        ...common,
        role: "answer",
        text,
        thinking: blocks.flatMap((block) => block.type === "thinking" ? [block.thinking] : [])
          .join("\n\n"),
        calls: blocks.flatMap((block) =>
          block.type === "toolCall"
            ? [{ callId: block.id, name: block.name, args: block.arguments }]
            : []
        ),
        ...(model === undefined || provider === undefined ? {} : { model: `${provider}/${model}` }),
        end: endOf(message.stopReason),
        ...(errorMessage === undefined ? {} : { problem: errorMessage }),
      };
    }
    case "toolResult":
      return {
        ...common,
        role: "result",
        callId: message.toolCallId ?? "",
        name: message.toolName ?? "tool",
        text,
        pictures: picturesOf(blocks),
        failed: message.isError ?? false,
      };
    default:
      return { ...common, role: "note", text };
  }
}

function endOf(stopReason: string | undefined): AnswerEnd {
  switch (stopReason) {
    case "toolUse":
      return "calling";
    case "aborted":
      return "stopped";
    case "error":
      return "failed";
    case "length":
      return "cut";
    default:
      return "done";
  }
}

function textOf(blocks: readonly ChatBlock[]): string {
  return blocks.flatMap((block) => block.type === "text" ? [block.text] : []).join("\n\n");
}

function picturesOf(blocks: readonly ChatBlock[]): readonly Picture[] {
  return blocks.flatMap((block): Picture[] => {
    if (block.type !== "image") return [];
    const { data, mimeType = "image/png", bytes } = block;
    return [data === undefined ? { bytes } : { src: `data:${mimeType};base64,${data}` }];
  });
}
