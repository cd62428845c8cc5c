/** A conversation: its key, its settings, and the messages that it is made of. */

declare const sessionKey: unique symbol;
/** The canonical name of a conversation, `agent:<agentId>:<rest>`, lower-case. */
export type SessionKey = string & { readonly [sessionKey]: true };

/** The agent that a machine has when nobody configured one. */
export const DEFAULT_AGENT_ID = "main";
/** The `<rest>` of an agent's main conversation when nobody configured one. */
export const DEFAULT_MAIN_KEY = "main";

/** What is needed to read a session key as a client writes it. */
export interface KeyContext {
  readonly defaultAgentId: string;
  readonly mainKey: string;
}

const AGENT_ID = /^[a-z0-9][a-z0-9_-]{0,63}$/;
/** Characters of a key as a client spells it. */
const MAX_KEY_LENGTH = 512;

/** Whether a text can be the id of an agent. */
export function isAgentId(text: string): boolean {
  return AGENT_ID.test(text);
}

/** The key of an agent's main conversation. */
export function mainSessionKey(agentId: string, { mainKey }: KeyContext): SessionKey {
  return `agent:${agentId}:${mainKey}` as SessionKey;
}

/**
 * The canonical form of a key as a client spells it: `main`, the empty string and the configured
 * main key mean the agent's main conversation, a bare key belongs to that agent, and letters are
 * lower-cased. Returns `undefined` where the key, or `agentId`, names no valid agent, and for a key
 * that is too long.
 */
export function canonicalSessionKey(
  spelled: string,
  context: KeyContext,
  agentId: string = context.defaultAgentId,
): SessionKey | undefined {
  if (!isAgentId(agentId) || spelled.length > MAX_KEY_LENGTH) return undefined;
  const key = spelled.trim().toLowerCase();
  if (key === "" || key === DEFAULT_MAIN_KEY || key === context.mainKey) {
    return mainSessionKey(agentId, context);
  }
  if (key === "global" || key === "unknown") return key as SessionKey;
  if (!key.startsWith("agent:")) return `agent:${agentId}:${key}` as SessionKey;
  const [, agent = "", ...rest] = key.split(":");
  if (!isAgentId(agent) || rest.join(":") === "") return undefined;
  if (rest.length === 1 && rest[0] === DEFAULT_MAIN_KEY) return mainSessionKey(agent, context);
  return key as SessionKey;
}

/** The agent that a canonical key belongs to. */
export function agentOf(key: SessionKey): string {
  return key.startsWith("agent:") ? key.split(":")[1] ?? DEFAULT_AGENT_ID : DEFAULT_AGENT_ID;
}

/** What kind of place a conversation is, read off its key. */
export type SessionKind = "direct" | "group" | "global" | "unknown";

/** The kind that a key's tokens say. */
export function kindOf(key: string): SessionKind {
  if (key === "global") return "global";
  if (key === "unknown") return "unknown";
  const tokens = key.split(":");
  return tokens.includes("group") || tokens.includes("channel") ? "group" : "direct";
}

/** How hard a model should think before it answers. */
export const THINKING_LEVELS = ["off", "minimal", "low", "medium", "high"] as const;
export type ThinkingLevel = typeof THINKING_LEVELS[number];

/** What happens to a message that arrives while its session's agent is at work. */
export const QUEUE_MODES = ["collect", "steer", "followup", "interrupt"] as const;
export type QueueMode = typeof QUEUE_MODES[number];

export interface TextBlock {
  readonly type: "text";
  readonly text: string;
}
export interface ThinkingBlock {
  readonly type: "thinking";
  readonly thinking: string;
  /** What the provider wants back to trust its own thought; never sent to clients. */
  readonly thinkingSignature?: string;
}
export interface ToolCallBlock {
  readonly type: "toolCall";
  readonly id: string;
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}
export interface ImageBlock {
  readonly type: "image";
  /** Base64, without a `data:` prefix. */
  readonly data: string;
  readonly mimeType: string;
}

/** Tokens that one model call took. */
export interface Usage {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
  readonly totalTokens: number;
}

export interface UserMessage {
  readonly role: "user";
  readonly content: string | readonly (TextBlock | ImageBlock)[];
  readonly timestamp: number;
  /** The client's key of the request that brought it. */
  readonly idempotencyKey?: string;
  /** A slash command: part of the conversation for people, never shown to the model. */
  readonly command?: true;
}
export interface AssistantMessage {
  readonly role: "assistant";
  readonly content: readonly (TextBlock | ThinkingBlock | ToolCallBlock)[];
  readonly api?: string;
  readonly provider: string;
  readonly model: string;
  readonly usage?: Usage;
  readonly stopReason: "stop" | "length" | "toolUse" | "error" | "aborted";
  readonly errorMessage?: string;
  readonly timestamp: number;
  /** The answer to a slash command: never shown to the model. */
  readonly command?: true;
}
export interface ToolResultMessage {
  readonly role: "toolResult";
  readonly toolCallId: string;
  readonly toolName: string;
  readonly content: readonly (TextBlock | ImageBlock)[];
  readonly isError: boolean;
  readonly timestamp: number;
}
/** One message of a conversation. `timestamp` is epoch milliseconds. */
export type Message = UserMessage | AssistantMessage | ToolResultMessage;

/** Everything before `firstKeptSeq` is told to the model as `summary` from here on. */
export interface Compaction {
  readonly summary: string;
  readonly firstKeptSeq: number;
  readonly tokensBefore: number;
}

/** One line of a transcript. `seq` counts from 1 in each session id, without holes. */
export type TranscriptEntry =
  & { readonly seq: number; readonly id: string; readonly at: number; readonly runId?: string }
  & (
    | { readonly kind: "message"; readonly message: Message }
    | { readonly kind: "compaction"; readonly compaction: Compaction }
  );

/** What a person can set on a conversation; an absent one takes the agent's default. */
export interface SessionSettings {
  readonly label?: string;
  readonly displayName?: string;
  readonly thinkingLevel?: ThinkingLevel;
  readonly verboseLevel?: string;
  readonly reasoningLevel?: string;
  readonly elevatedLevel?: string;
  readonly responseUsage?: string;
  readonly sendPolicy?: "allow" | "deny";
  readonly groupActivation?: string;
  readonly queueMode?: QueueMode;
  /** `provider/model`. */
  readonly model?: string;
  readonly spawnedBy?: string;
  readonly spawnDepth?: number;
  readonly execHost?: string;
  readonly execSecurity?: string;
  readonly execAsk?: string;
  readonly execNode?: string;
}

/** What the program counts and notes of a conversation. Tokens are those of the last model call. */
export interface SessionStats {
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  readonly totalTokens?: number;
  readonly contextTokens?: number;
  readonly compactionCount?: number;
  readonly modelProvider?: string;
  readonly model?: string;
  readonly lastRunId?: string;
  readonly status?: "running" | "done" | "failed" | "killed";
  readonly startedAt?: number;
  readonly endedAt?: number;
  readonly abortedLastRun?: boolean;
  readonly lastChannel?: string;
  readonly lastTo?: string;
  readonly lastAccountId?: string;
  readonly lastThreadId?: string;
}

/** A conversation as the store keeps it. Times are epoch milliseconds. */
export interface Session {
  readonly key: SessionKey;
  readonly agentId: string;
  /** Names the transcript; a reset gives a new one. */
  readonly id: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly settings: SessionSettings;
  readonly stats: SessionStats;
}

/** The plain text of a message: text blocks joined, nothing else. */
export function textOf(message: Message): string {
  if (typeof message.content === "string") return message.content;
  let text = "";
  for (const block of message.content) if (block.type === "text") text += block.text;
  return text;
}
