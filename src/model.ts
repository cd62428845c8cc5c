/** What the agent asks of a language model, and of a tool. */
import type { ImageBlock, Message, TextBlock, ThinkingLevel, Usage } from "./session.ts";

/** One model that could answer. */
export interface ModelInfo {
  readonly provider: string;
  readonly id: string;
  readonly name: string;
  /** Tokens that prompt and answer may take together. */
  readonly contextWindow: number;
  readonly maxOutputTokens?: number;
  readonly reasoning: boolean;
  readonly input: readonly ("text" | "image")[];
}

/** `provider/id`, the name of a model in configuration and commands. */
export function modelRef({ provider, id }: Pick<ModelInfo, "provider" | "id">): string {
  return `${provider}/${id}`;
}

/** One call of a model. */
export interface ModelRequest {
  readonly system: string;
  readonly messages: readonly Message[];
  readonly tools: readonly ToolSpec[];
  readonly thinking: ThinkingLevel;
  readonly maxOutputTokens?: number;
}

/** What a model says, in order. `end` is last and comes once. */
export type ModelEvent =
  | { readonly type: "text"; readonly delta: string }
  | { readonly type: "thinking"; readonly delta: string; readonly signature?: string }
  | {
    readonly type: "toolCall";
    readonly id: string;
    readonly name: string;
    readonly arguments: Readonly<Record<string, unknown>>;
  }
  | {
    readonly type: "end";
    readonly stopReason: "stop" | "length" | "toolUse";
    readonly usage: Usage;
  };

/** A model that can be called. */
export interface Model {
  readonly info: ModelInfo;
  /** The wire format it is spoken to in, such as `anthropic-messages`; kept with each message. */
  readonly api: string;
  /** Throws `ModelError` when the call fails; ends at once, without `end`, when aborted. */
  stream(request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelEvent>;
  /** A stand-in that does what a call would, and calls nobody. What it says is of no use. */
  standIn?(): Model;
}

/** Why a model call failed. */
export type ModelErrorKind =
  | "auth"
  | "rate_limit"
  | "overloaded"
  | "context_length"
  | "refusal"
  | "timeout"
  | "network"
  | "invalid"
  | "unknown";

/** A model call that failed. Its message is for people and holds no secret. */
export class ModelError extends Error {
  override readonly name = "ModelError";
  constructor(
    readonly kind: ModelErrorKind,
    message: string,
    readonly options: { status?: number; retryAfterMs?: number; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
  }
}

/** The model that will answer, and why it is that one. */
export interface ModelChoice {
  readonly info: ModelInfo;
  /** For people: `agents.defaults.model.primary`, `Ollama at http://…`, `built-in demo`. */
  readonly source: string;
  /** `true` only for the built-in demo. */
  readonly demo: boolean;
}

/** The models of this machine. */
export interface ModelCatalog {
  /** What answers when nobody says otherwise; may look for model servers on first use. */
  choose(agentId?: string): Promise<ModelChoice>;
  /** Every model that can be used now. */
  list(): Promise<readonly ModelInfo[]>;
  /** The models to try for a run, best first. Throws `ModelError` `invalid` for an unknown ref. */
  resolve(ref: string | undefined, agentId: string): Promise<readonly Model[]>;
}

/** What a model is told of a tool. `parameters` is a JSON Schema of type object. */
export interface ToolSpec {
  readonly name: string;
  readonly description: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** What a tool gives back; shown to the model. */
export interface ToolResult {
  readonly content: readonly (TextBlock | ImageBlock)[];
  readonly isError?: boolean;
}

/** Something the agent can do besides talking. */
export interface Tool extends ToolSpec {
  readonly label: string;
  /** A failure that the model should hear of is a result with `isError`. */
  run(
    args: Readonly<Record<string, unknown>>,
    context: { readonly signal: AbortSignal; update(partial: string): void },
  ): Promise<ToolResult>;
}
