/** One turn of an agent: from a user's message to the end of its answer. */
import type {
  AssistantMessage,
  Compaction,
  ThinkingLevel,
  ToolResultMessage,
  TranscriptEntry,
  Usage,
  UserMessage,
} from "./session.ts";
import type { ModelErrorKind, ToolResult, ToolSpec } from "./model.ts";
import type { SessionKey } from "./session.ts";

/** What an agent is asked to do. Its input is already in the transcript. */
export interface RunRequest {
  readonly runId: string;
  readonly agentId: string;
  readonly sessionKey: SessionKey;
  readonly sessionId: string;
  /** `provider/model`; the agent's own when omitted. */
  readonly model?: string;
  readonly thinking?: ThinkingLevel;
  readonly extraSystemPrompt?: string;
}

/** What a run may ask of whoever started it. */
export interface RunIo {
  /** The part of the transcript that the model should see: from the last compaction on. */
  history(): readonly TranscriptEntry[];
  /** Messages that arrived meanwhile and should join this turn; each is handed out once. */
  steering(): readonly UserMessage[];
}

/**
 * What happens in a run, in order. The consumer stores each `message` and `compaction` before it
 * asks for the next event, so a tool runs only after the call that asked for it is on disk.
 */
export type RunEvent =
  | { readonly type: "model"; readonly provider: string; readonly model: string }
  | { readonly type: "text"; readonly delta: string }
  | { readonly type: "thinking"; readonly delta: string }
  | {
    readonly type: "tool";
    readonly phase: "start";
    readonly id: string;
    readonly name: string;
    readonly args: Readonly<Record<string, unknown>>;
  }
  | {
    readonly type: "tool";
    readonly phase: "update";
    readonly id: string;
    readonly name: string;
    readonly partial: string;
  }
  | {
    readonly type: "tool";
    readonly phase: "result";
    readonly id: string;
    readonly name: string;
    readonly result: ToolResult;
  }
  | {
    readonly type: "message";
    readonly message: UserMessage | AssistantMessage | ToolResultMessage;
  }
  | { readonly type: "compaction"; readonly phase: "start" }
  | { readonly type: "compaction"; readonly phase: "end"; readonly compaction?: Compaction }
  | {
    readonly type: "retry";
    readonly attempt: number;
    readonly reason: string;
    readonly delayMs: number;
  }
  | { readonly type: "usage"; readonly usage: Usage; readonly contextTokens: number }
  | { readonly type: "end"; readonly outcome: RunOutcome };

/** How a run ended. `text` is all assistant text of the run, also when it was cut short. */
export type RunOutcome =
  & {
    readonly text: string;
    readonly provider: string;
    readonly model: string;
    readonly usage?: Usage;
  }
  & (
    | { readonly status: "ok"; readonly stopReason: "stop" | "length" }
    | { readonly status: "aborted" }
    | { readonly status: "error"; readonly kind: ModelErrorKind; readonly error: string }
  );

/** A tool as `tools.catalog` shows it. */
export interface ToolListing extends ToolSpec {
  readonly label: string;
  /** `files`, `web`, … for people. */
  readonly group: string;
}

/** How an agent presents itself, from configuration and its IDENTITY.md. */
export interface AgentIdentity {
  readonly agentId: string;
  readonly name?: string;
  readonly emoji?: string;
  readonly avatar?: string;
  readonly theme?: string;
}

/** Something that can take a turn in a conversation. */
export interface Agent {
  /** The last event is `end`, once, unless the consumer stops early. Never throws for an abort. */
  run(request: RunRequest, io: RunIo, signal: AbortSignal): AsyncIterable<RunEvent>;
  /** Summarises the conversation so far; ends like `run`, with nothing said. */
  compact(request: RunRequest, io: RunIo, signal: AbortSignal): AsyncIterable<RunEvent>;
  tools(agentId: string): readonly ToolListing[];
  identity(agentId: string): Promise<AgentIdentity>;
  /**
   * The same agent, which asks no model: what it says is of no use, but it has done what a first turn
   * would have to wait for.
   */
  standIn(): Agent;
}
