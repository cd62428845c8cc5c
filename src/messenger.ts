/** What an agent can do in chats beside answering. One is made for each run, and may do what that may. */
import type { Poll } from "./message.ts";

/** Which chat: the one that the run answers in, where `to` is absent. */
export interface Elsewhere {
  /** In a person's words: an id, a name, `network:…`. */
  readonly to?: string;
}

export interface AgentLetter extends Elsewhere {
  /** Markdown of any length. */
  readonly text: string;
  /** Absolute paths of files to send along. */
  readonly files?: readonly string[];
  /** The only folder that they may lie in, besides that of files which came with messages. */
  readonly folder: string;
  /** The network's id of the message that it answers. */
  readonly replyTo?: string;
  readonly isSilent?: boolean;
}

/** A message that something is done to: the one that is answered, where `messageId` is absent. */
export interface AgentTarget extends Elsewhere {
  readonly messageId?: string;
}

/** Each rejects with a `GatewayError` whose text the agent may read. */
export interface Messenger {
  /** The chat that the run answers in, for people; `undefined` where it answers in none. */
  readonly here: string | undefined;
  /** Resolves to the network's ids, once it has the messages. */
  send(letter: AgentLetter, signal: AbortSignal): Promise<readonly string[]>;
  poll(poll: Poll & Elsewhere, signal: AbortSignal): Promise<readonly string[]>;
  /** An empty emoji takes the reaction back. */
  react(target: AgentTarget & { readonly emoji: string }, signal: AbortSignal): Promise<void>;
  edit(
    target: AgentTarget & { readonly messageId: string; readonly text: string },
    signal: AbortSignal,
  ): Promise<void>;
  delete(target: AgentTarget & { readonly messageId: string }, signal: AbortSignal): Promise<void>;
}
