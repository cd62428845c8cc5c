/** A turn of the agent: the model speaks, tools act, until the model has nothing more to do. */
import type { Model, ModelError, ModelErrorKind, ModelRequest, Tool } from "../model.ts";
import type { RunEvent, RunIo } from "../run.ts";
import {
  type AssistantMessage,
  textOf,
  type ThinkingLevel,
  type TranscriptEntry,
  type Usage,
} from "../session.ts";
import { act, answerCalls } from "./act.ts";
import {
  addUsage,
  callModel,
  type CallResult,
  type CallTiming,
  type Lineup,
  NO_USAGE,
} from "./call.ts";
import {
  compact,
  type CompactionResult,
  contextTokens,
  planCompaction,
  roomIn,
} from "./compaction.ts";
import { estimateTokens, tokensOfTool, toMessages } from "./context.ts";

/** What a turn is made with. */
export interface TurnParts {
  readonly lineup: Lineup;
  readonly system: string;
  readonly tools: readonly Tool[];
  readonly thinking: ThinkingLevel;
  /** Tokens of the window that stay free for the answer. */
  readonly reserveTokens: number;
  readonly timing: CallTiming;
  now(): number;
  log(line: string): void;
}

/** Model calls in one turn; a model that needs more is going in circles. */
export const MAX_MODEL_CALLS = 50;

/** Takes a turn. The last event is `end`. */
export async function* takeTurn(
  parts: TurnParts,
  io: RunIo,
  signal: AbortSignal,
): AsyncGenerator<RunEvent> {
  const turn = new Turn(parts, signal);
  yield turn.begin();
  yield turn.end(yield* converse(turn, io, signal));
}

/** Summarises what was said so far, but for the newest message. The last event is `end`. */
export async function* summariseTurn(
  parts: TurnParts,
  io: RunIo,
  signal: AbortSignal,
): AsyncGenerator<RunEvent> {
  const turn = new Turn(parts, signal);
  yield turn.begin();
  const result = yield* turn.makeRoom(io.history(), 0);
  if (result?.status === "failed") yield turn.end(failed(result));
  else if (result?.status === "aborted") yield turn.end({ status: "aborted" });
  else yield turn.end({ status: "ok", stopReason: "stop" });
}

type Ending =
  | { readonly status: "ok"; readonly stopReason: "stop" | "length" }
  | { readonly status: "aborted" }
  | { readonly status: "error"; readonly kind: ModelErrorKind; readonly error: string };

async function* converse(
  turn: Turn,
  io: RunIo,
  signal: AbortSignal,
): AsyncGenerator<RunEvent, Ending> {
  let hasOverflowed = false;
  for (let calls = 0; calls < MAX_MODEL_CALLS; calls++) {
    if (signal.aborted) return { status: "aborted" };
    yield* steer(io);

    let history = io.history();
    if (turn.isFull(history)) {
      yield* turn.makeRoom(history); // where it could not, the model may still manage
      history = io.history();
    }

    const result = yield* turn.call(history);
    if (result.status !== "done") {
      const { partial } = result;
      if (result.status === "failed" && result.error.kind === "context_length" && !hasOverflowed) {
        hasOverflowed = true;
        const made = yield* turn.makeRoom(history);
        if (made?.status === "done" || signal.aborted) continue;
      }
      if (result.status === "failed" || partial.content.length > 0) {
        yield { type: "message", message: partial };
        yield* answerCalls(partial, turn.now());
      }
      return result.status === "failed" ? failed(result) : { status: "aborted" };
    }

    const { message, usage } = result;
    yield { type: "message", message };
    yield { type: "usage", usage, contextTokens: turn.contextWindow };
    if (message.content.some(({ type }) => type === "toolCall")) {
      yield* turn.act(message, io);
    } else if (!(yield* steer(io))) {
      return { status: "ok", stopReason: message.stopReason === "length" ? "length" : "stop" };
    }
  }
  const error = `Stopped after ${MAX_MODEL_CALLS} calls of the model in one turn`;
  return { status: "error", kind: "unknown", error };
}

/** Takes in what the user has written meanwhile. Returns whether there was anything. */
function* steer(io: RunIo): Generator<RunEvent, boolean> {
  const messages = io.steering();
  for (const message of messages) yield { type: "message", message };
  return messages.length > 0;
}

function failed(
  { error: { kind, message } }: { error: { kind: ModelErrorKind; message: string } },
): Ending {
  return { status: "error", kind, error: message };
}

/** The steps that a turn is made of, and what it has come to so far. */
class Turn {
  readonly #parts: TurnParts;
  readonly #signal: AbortSignal;
  readonly #texts: string[] = [];
  #usage: Usage = NO_USAGE;
  /** The tokens of what every call is shown besides the history. */
  readonly #overhead: number;

  constructor(parts: TurnParts, signal: AbortSignal) {
    this.#parts = parts;
    this.#signal = signal;
    const { system, tools } = parts;
    this.#overhead = estimateTokens(system) +
      tools.reduce((sum, tool) => sum + tokensOfTool(tool), 0);
  }

  get contextWindow(): number {
    return this.#parts.lineup.current.info.contextWindow;
  }

  now(): number {
    return this.#parts.now();
  }

  begin(): RunEvent {
    const { provider, id } = this.#parts.lineup.current.info;
    return { type: "model", provider, model: id };
  }

  end(ending: Ending): RunEvent {
    const { provider, id } = this.#parts.lineup.current.info;
    const text = this.#texts.join("\n\n");
    return { type: "end", outcome: { ...ending, text, provider, model: id, usage: this.#usage } };
  }

  /** Calls the model on a history, and keeps count of what it says and takes. */
  async *call(history: readonly TranscriptEntry[]): AsyncGenerator<RunEvent, CallResult> {
    const messages = toMessages(history);
    const used = this.#tokens(history);
    const result = yield* callModel(this.#parts.lineup, {
      ...this.#callParts(),
      request: (model) => this.#request(model, messages, used),
    });
    const text = textOf(result.status === "done" ? result.message : result.partial);
    if (text !== "") this.#texts.push(text);
    if (result.status === "done") this.#usage = addUsage(this.#usage, result.usage);
    if (result.status === "failed") this.#report(result.error);
    return result;
  }

  act(message: AssistantMessage, io: RunIo): AsyncGenerator<RunEvent> {
    const { tools, now, log } = this.#parts;
    return act(message, { tools, now, log, signal: this.#signal, steering: () => io.steering() });
  }

  isFull(history: readonly TranscriptEntry[]): boolean {
    const { limit } = roomIn(this.contextWindow, this.#parts.reserveTokens);
    return this.#tokens(history) > limit;
  }

  /** Summarises all but the newest. Says nothing and returns nothing where nothing is left to do. */
  async *makeRoom(
    history: readonly TranscriptEntry[],
    keepTokens: number = roomIn(this.contextWindow, this.#parts.reserveTokens).keep,
  ): AsyncGenerator<RunEvent, CompactionResult | undefined> {
    const plan = planCompaction(history, { keepTokens, tokensBefore: this.#tokens(history) });
    if (plan === undefined) return undefined;
    const result = yield* compact(plan, this.#parts.lineup, this.#callParts());
    this.#usage = addUsage(this.#usage, result.usage);
    return result;
  }

  #report({ kind, message, cause }: ModelError): void {
    const trace = cause instanceof Error ? `\n${cause.stack}` : "";
    this.#parts.log(`Model call failed (${kind}): ${message}${trace}`);
  }

  #callParts() {
    const { timing, now } = this.#parts;
    return { timing, now, signal: this.#signal };
  }

  #request({ info }: Model, messages: ModelRequest["messages"], used: number): ModelRequest {
    const { system, tools, thinking } = this.#parts;
    // some providers count what may be answered against the window, before a word is said
    const left = Math.max(MIN_ANSWER, info.contextWindow - used);
    const maxOutputTokens = info.maxOutputTokens === undefined
      ? undefined
      : Math.min(info.maxOutputTokens, left);
    return { system, messages, tools, thinking, maxOutputTokens };
  }

  #tokens(history: readonly TranscriptEntry[]): number {
    return contextTokens(history, this.#overhead);
  }
}

const MIN_ANSWER = 1_000;
