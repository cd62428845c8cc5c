/** One call of a model: waited out where waiting helps, handed to the next model where it doesn't. */
import { Deadline, pause } from "../deadline.ts";
import { type Model, ModelError, type ModelEvent, type ModelRequest } from "../model.ts";
import type { RunEvent } from "../run.ts";
import type {
  AssistantMessage,
  Message,
  TextBlock,
  ThinkingBlock,
  ToolCallBlock,
  Usage,
} from "../session.ts";

/** How long to wait for what. */
export interface CallTiming {
  /** Before the second attempt; doubled for each one more. */
  readonly retryMs: number;
  /** Without a word from the model. */
  readonly silenceMs: number;
}

/** What people are given. */
export const CALL_TIMING: CallTiming = { retryMs: 1_000, silenceMs: 300_000 };

/** The models of a run, best first. Once one was given up, the run stays with the next. */
export class Lineup {
  readonly #models: readonly Model[];
  #at = 0;

  /** There must be one at least. */
  constructor(models: readonly Model[]) {
    if (models.length === 0) throw new Error("Cannot run without a model");
    this.#models = models;
  }

  get current(): Model {
    const model = this.#models[this.#at];
    if (model === undefined) throw new Error("The lineup is over");
    return model;
  }

  /** Goes on to the next model. Returns `false` if there is none. */
  giveUp(): boolean {
    if (this.#at + 1 >= this.#models.length) return false;
    this.#at++;
    return true;
  }
}

/** What came of a call. A partial message is whatever was said before it ended. */
export type CallResult =
  | { readonly status: "done"; readonly message: AssistantMessage; readonly usage: Usage }
  | { readonly status: "aborted"; readonly partial: AssistantMessage }
  | { readonly status: "failed"; readonly partial: AssistantMessage; readonly error: ModelError };

/** What a call needs besides its models. */
export interface CallParts {
  /** Asked again for every model, since they differ in what they can take. */
  request(model: Model): ModelRequest;
  readonly timing: CallTiming;
  readonly signal: AbortSignal;
  now(): number;
}

/**
 * Yields what the model says, and each `retry` and change of `model`. A failure is repeated only
 * while no text was shown; what was said once is not taken back.
 */
export async function* callModel(
  lineup: Lineup,
  { request, timing, signal, now }: CallParts,
): AsyncGenerator<RunEvent, CallResult> {
  let isBlind = false;
  for (let attempt = 1;; attempt++) {
    const model = lineup.current;
    const draft = new Draft(model, now());
    const whole = request(model);
    const asked: ModelRequest = isBlind ? withoutImages(whole) : whole;
    const error: ModelError | undefined = yield* speak(draft, { request: asked, timing, signal });
    if (signal.aborted) return { status: "aborted", partial: draft.message("aborted") };
    if (error === undefined) {
      return { status: "done", message: draft.message(draft.stopReason), usage: draft.usage };
    }
    const failed: CallResult = {
      status: "failed",
      partial: draft.message("error", error.message),
      error,
    };
    if (draft.hasText || error.kind === "context_length") return failed;
    let delayMs = delayBefore(attempt, error, timing);
    if (delayMs === undefined) {
      // One picture that it can't make out would be refused with all that is said after it.
      isBlind = !isBlind && error.kind === "invalid" && showsImages(whole, model);
      if (!isBlind && !lineup.giveUp()) return failed;
      delayMs = 0;
    }
    yield { type: "retry", attempt, reason: error.message, delayMs };
    if (lineup.current !== model) {
      const { provider, id } = lineup.current.info;
      yield { type: "model", provider, model: id };
      attempt = 0;
    }
    await pause(delayMs, signal);
    if (signal.aborted) return { status: "aborted", partial: draft.message("aborted") };
  }
}

const MAX_ATTEMPTS = 4;
/** A longer wait than this is the next model's chance. */
const MAX_DELAY_MS = 60_000;
const WORTH_WAITING: ReadonlySet<string> = new Set([
  "rate_limit",
  "overloaded",
  "network",
  "timeout",
]);

/** How long to wait before the next attempt; `undefined` where there is no point in one. */
function delayBefore(attempt: number, error: ModelError, { retryMs }: CallTiming) {
  if (!WORTH_WAITING.has(error.kind) || attempt >= MAX_ATTEMPTS) return undefined;
  const asked = error.options.retryAfterMs;
  const jitter = 0.75 + Math.random() / 2; // many conversations fail at once and must not return at once
  const delay = Math.round(asked ?? retryMs * 2 ** (attempt - 1) * jitter);
  return delay > MAX_DELAY_MS ? undefined : delay;
}

interface Speech {
  readonly request: ModelRequest;
  readonly timing: CallTiming;
  readonly signal: AbortSignal;
}

/** Streams one attempt into the draft. Returns why it failed, or nothing. */
async function* speak(
  draft: Draft,
  { request, timing, signal }: Speech,
): AsyncGenerator<RunEvent, ModelError | undefined> {
  using silence = new Deadline(timing.silenceMs, signal);
  try {
    for await (const event of draft.model.stream(inWholeLetters(request), silence.signal)) {
      silence.restart();
      if (event.type === "text") yield { type: "text", delta: event.delta };
      if (event.type === "thinking" && event.delta !== "") {
        yield { type: "thinking", delta: event.delta };
      }
      draft.add(event);
    }
  } catch (error) {
    if (error instanceof ModelError) return error;
    if (signal.aborted) return undefined;
    throw error;
  }
  const { provider } = draft.model.info;
  if (silence.isOver) {
    return new ModelError(
      "timeout",
      `${provider} said nothing for ${timing.silenceMs / 1000} seconds`,
    );
  }
  if (!draft.ended && !signal.aborted) {
    return new ModelError("network", `${provider} stopped in the middle of its answer`);
  }
}

function showsImages({ messages }: ModelRequest, { info }: Model): boolean {
  return info.input.includes("image") && messages.some(hasImages);
}

function hasImages({ role, content }: Message): boolean {
  return role === "user" && typeof content !== "string" &&
    content.some(({ type }) => type === "image");
}

/** The same request with words in place of its pictures. */
function withoutImages(request: ModelRequest): ModelRequest {
  return {
    ...request,
    messages: request.messages.map((message) =>
      message.role === "user" && typeof message.content !== "string"
        ? {
          ...message,
          content: message.content.map((block) => block.type === "image" ? UNREADABLE : block),
        }
        : message
    ),
  };
}

const UNREADABLE: TextBlock = { type: "text", text: "[a picture that could not be read]" };

/**
 * Providers refuse a request in which a letter is cut in half, and with it all that is said later in
 * its conversation. Whoever cuts a text may leave such; it is mended here, and never in the store.
 */
function inWholeLetters({ system, messages, ...request }: ModelRequest): ModelRequest {
  return { ...request, system: system.toWellFormed(), messages: messages.map(wellFormed) };
}

/** Of messages that were looked at: each is sent again with all that follow it. */
const wholes = new WeakMap<Message, Message>();

/** The message itself where nothing is to be mended, as mostly. */
function wellFormed(message: Message): Message {
  const known = wholes.get(message);
  if (known !== undefined) return known;
  const whole = isWellFormed(message) ? message : mended(message);
  wholes.set(message, whole);
  return whole;
}

function isWellFormed(value: unknown): boolean {
  if (typeof value === "string") return value.isWellFormed();
  if (typeof value !== "object" || value === null) return true;
  if (Array.isArray(value)) return value.every(isWellFormed);
  return Object.entries(value).every(([name, part]) => name.isWellFormed() && isWellFormed(part));
}

function mended<T>(value: T): T {
  if (typeof value === "string") return value.toWellFormed() as typeof value;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(mended) as typeof value;
  const parts = Object.entries(value).map(([name, part]) => [mended(name), mended(part)]);
  return Object.fromEntries(parts);
}

type Block = TextBlock | ThinkingBlock | ToolCallBlock;
type StopReason = AssistantMessage["stopReason"];

/** An assistant message while it is being said. */
class Draft {
  readonly model: Model;
  readonly #startedAt: number;
  readonly #blocks: Block[] = [];
  #end: Extract<ModelEvent, { type: "end" }> | undefined;

  constructor(model: Model, startedAt: number) {
    this.model = model;
    this.#startedAt = startedAt;
  }

  get hasText(): boolean {
    return this.#blocks.some(({ type }) => type === "text");
  }

  get ended(): boolean {
    return this.#end !== undefined;
  }

  get usage(): Usage {
    return this.#end?.usage ?? NO_USAGE;
  }

  get stopReason(): StopReason {
    return this.#end?.stopReason ?? "error";
  }

  add(event: ModelEvent): void {
    const last = this.#blocks.at(-1);
    switch (event.type) {
      case "text":
        if (last?.type === "text") this.#replaceLast({ ...last, text: last.text + event.delta });
        else this.#blocks.push({ type: "text", text: event.delta });
        break;
      case "thinking": {
        const { delta, signature } = event;
        const signed = signature === undefined ? {} : { thinkingSignature: signature };
        // a signature closes its thought: what follows is another one
        if (last?.type === "thinking" && last.thinkingSignature === undefined) {
          this.#replaceLast({ type: "thinking", thinking: last.thinking + delta, ...signed });
        } else {
          this.#blocks.push({ type: "thinking", thinking: delta, ...signed });
        }
        break;
      }
      case "toolCall":
        this.#blocks.push(event);
        break;
      case "end":
        this.#end = event;
        break;
    }
  }

  message(stopReason: StopReason, errorMessage?: string): AssistantMessage {
    const { info: { provider, id }, api } = this.model;
    return {
      role: "assistant",
      content: [...this.#blocks],
      api,
      provider,
      model: id,
      ...(this.#end === undefined ? {} : { usage: this.#end.usage }),
      stopReason,
      ...(errorMessage === undefined ? {} : { errorMessage }),
      timestamp: this.#startedAt,
    };
  }

  #replaceLast(block: Block): void {
    this.#blocks[this.#blocks.length - 1] = block;
  }
}

/** What nothing takes. */
export const NO_USAGE: Usage = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, totalTokens: 0 };

/** The sum of what two calls took. */
export function addUsage(a: Usage, b: Usage): Usage {
  return {
    input: a.input + b.input,
    output: a.output + b.output,
    cacheRead: a.cacheRead + b.cacheRead,
    cacheWrite: a.cacheWrite + b.cacheWrite,
    totalTokens: a.totalTokens + b.totalTokens,
  };
}
