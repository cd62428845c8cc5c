/** Tells clients of one run as it happens: the `agent` and `chat` events of the protocol. */
import type { Bus } from "../event.ts";
import type { RunEvent, RunOutcome } from "../run.ts";
import type { SessionKey } from "../session.ts";

/** At most one chat delta in this time, and the last one always. */
export const CHAT_PACE_MS = 75;
/** Each `agent` event repeats the text so far: beyond this many characters they are paced too. */
const UNPACED_CHARS = 4_000;
/** Thinking is told each time that it has grown by this part: all of it repeats, and nobody waits. */
const THINKING_STEP = 0.02;
/** Answers that say: nothing to say. */
const SILENT = ["NO_REPLY", "HEARTBEAT_OK"] as const;

/** Why a run was stopped from outside, in the protocol's words. */
export type StopReason = "rpc" | "stop" | "timeout" | "restart";

/** Numbers the events of a run, keeps its text so far, and paces what is shown of it. */
export class RunStream implements Disposable {
  readonly #bus: Bus;
  readonly #runId: string;
  readonly #sessionKey: SessionKey;
  readonly #agentId: string;
  readonly #sessionId: string;
  /** Connections that hear of tools: asked each time, as others may join the conversation. */
  readonly #toolListeners: () => ReadonlySet<string>;
  #seq = 0;
  #text = "";
  #thinking = "";
  #shown = "";
  /** How much of text and thinking the `agent` events have told. */
  #told = 0;
  #toldThinking = 0;
  /** An earlier message of the run was shown: the next one takes its place. */
  #replaces = false;
  #ended = false;
  /** By `performance.now()`. */
  #lastShownAt = -Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #startedAt = 0;

  constructor(bus: Bus, { runId, sessionKey, agentId, sessionId, toolListeners }: {
    runId: string;
    sessionKey: SessionKey;
    agentId: string;
    sessionId: string;
    toolListeners: () => ReadonlySet<string>;
  }) {
    this.#bus = bus;
    this.#runId = runId;
    this.#sessionKey = sessionKey;
    this.#agentId = agentId;
    this.#sessionId = sessionId;
    this.#toolListeners = toolListeners;
  }

  /** What the current assistant message says so far. */
  get text(): string {
    return this.#text;
  }

  started(at: number): void {
    this.#startedAt = at;
    this.#agent("lifecycle", { phase: "start", startedAt: at });
  }

  /** Everything but `message`, `usage` and `end`, which the owner of the run acts on. */
  tell(event: RunEvent): void {
    switch (event.type) {
      case "model":
        return this.#agent("lifecycle", {
          phase: "model",
          provider: event.provider,
          model: event.model,
        });
      case "text":
        if (this.#ended) this.#begin();
        this.#tellThinking();
        this.#text += event.delta;
        if (this.#text.length <= UNPACED_CHARS) this.#tellText();
        return this.#show();
      case "thinking":
        if (this.#ended) this.#begin();
        this.#thinking += event.delta;
        if (this.#thinking.length - this.#toldThinking >= this.#thinking.length * THINKING_STEP) {
          this.#tellThinking();
        }
        return;
      case "tool":
        return this.#tool(event);
      case "compaction":
        return this.#agent("compaction", { phase: event.phase });
      case "retry":
        return this.#agent("run_status", {
          phase: "retrying",
          attempt: event.attempt,
          reason: event.reason,
          delayMs: event.delayMs,
        });
      case "message":
        if (event.message.role === "assistant") {
          this.#tellThinking();
          this.#flush();
          this.#ended = true; // the next text starts a new message
        }
        return;
      case "usage":
        return this.#agent("usage", { outputTokens: event.usage.output });
    }
  }

  /** The last events of the run. */
  ended(outcome: RunOutcome, { at, stopReason }: { at: number; stopReason?: StopReason }): void {
    clearTimeout(this.#timer);
    this.#tellThinking();
    this.#tellText();
    const text = this.#text;
    const message = isSilent(text) ? undefined : assistant(text.trimEnd(), at);
    if (outcome.status === "aborted") {
      this.#chat({
        state: "aborted",
        stopReason: stopReason ?? "rpc",
        ...(message && { message }),
      });
      return this.#agent("lifecycle", {
        phase: "end",
        startedAt: this.#startedAt,
        endedAt: at,
        aborted: true,
        stopReason: stopReason ?? "rpc",
      });
    }
    if (outcome.status === "error") {
      this.#agent("lifecycle", {
        phase: "error",
        error: outcome.error,
        startedAt: this.#startedAt,
        endedAt: at,
      });
      return this.#chat({
        state: "error",
        errorMessage: outcome.error,
        errorKind: errorKind(outcome.kind),
      });
    }
    this.#agent("lifecycle", {
      phase: "end",
      startedAt: this.#startedAt,
      endedAt: at,
      stopReason: outcome.stopReason,
    });
    this.#chat({ state: "final", stopReason: outcome.stopReason, ...(message && { message }) });
  }

  /** Ends a run that joined another one: nothing of its own to show. */
  merged(): void {
    this.#chat({ state: "final" });
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #begin(): void {
    this.#ended = false;
    this.#text = "";
    this.#thinking = "";
    this.#replaces ||= this.#shown !== "";
    this.#shown = "";
    this.#told = 0;
    this.#toldThinking = 0;
  }

  #tool(event: RunEvent & { type: "tool" }): void {
    const { phase, id: toolCallId, name } = event;
    const common = { name, toolCallId };
    const data = event.phase === "start"
      ? { phase, ...common, args: event.args }
      : event.phase === "update"
      ? { phase, ...common, partialResult: event.partial }
      : {
        phase,
        ...common,
        isError: event.result.isError ?? false,
        result: {
          content: event.result.content.map((block) =>
            block.type === "image" ? { type: "text", text: `[image ${block.mimeType}]` } : block
          ),
        },
      };
    this.#agent("tool", data);
  }

  #show(): void {
    if (mayBeSilent(this.#text)) return;
    const wait = this.#lastShownAt + CHAT_PACE_MS - performance.now();
    if (wait <= 0) return this.#flush();
    this.#timer ??= setTimeout(() => this.#flush(), wait);
  }

  #tellThinking(): void {
    const delta = this.#thinking.slice(this.#toldThinking);
    if (delta === "") return;
    this.#toldThinking = this.#thinking.length;
    this.#agent("thinking", { text: this.#thinking, delta });
  }

  /** Tells agents' followers what is new in the text. */
  #tellText(): void {
    const delta = this.#text.slice(this.#told);
    if (delta === "") return;
    this.#told = this.#text.length;
    this.#agent("assistant", { text: this.#text, delta });
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#tellText();
    if (this.#text === this.#shown || mayBeSilent(this.#text)) return;
    const deltaText = this.#text.slice(this.#shown.length);
    const replaces = this.#replaces && this.#shown === "";
    this.#shown = this.#text;
    this.#lastShownAt = performance.now();
    this.#chat({
      state: "delta",
      deltaText,
      ...(replaces ? { replace: true } : {}),
      message: assistant(this.#text, Date.now()),
    });
  }

  #agent(stream: string, data: Record<string, unknown>): void {
    const toTools = stream === "tool";
    this.#bus.publish({
      name: "agent",
      payload: {
        runId: this.#runId,
        stream,
        data,
        sessionKey: this.#sessionKey,
        agentId: this.#agentId,
        sessionId: this.#sessionId,
        seq: ++this.#seq,
        ts: Date.now(),
        isHeartbeat: false,
      },
      audience: {
        sessionKey: this.#sessionKey,
        ...(toTools ? { connIds: this.#toolListeners(), cap: "tool-events" } : {}),
      },
    });
  }

  #chat(fields: ChatFields): void {
    this.#bus.publish({
      name: "chat",
      payload: {
        runId: this.#runId,
        sessionKey: this.#sessionKey,
        agentId: this.#agentId,
        seq: Math.max(1, this.#seq), // that of the agent event which caused it
        ...fields,
      },
      audience: { sessionKey: this.#sessionKey },
      ...(fields.state === "delta" ? { droppable: true } : {}), // the next one says it all again
    });
  }
}

type ChatMessage = ReturnType<typeof assistant>;
type ChatFields =
  | { state: "delta"; deltaText: string; replace?: boolean; message: ChatMessage }
  | { state: "final"; stopReason?: string; message?: ChatMessage }
  | { state: "aborted"; stopReason: string; message?: ChatMessage }
  | { state: "error"; errorMessage: string; errorKind: ReturnType<typeof errorKind> };

/** Whether a whole answer says nothing. */
export function isSilent(text: string): boolean {
  const said = text.trim();
  return said === "" || SILENT.some((word) => word === said);
}

/** Whether an answer that goes on may turn out to say nothing. */
export function mayBeSilent(text: string): boolean {
  const said = text.trim();
  return SILENT.some((word) => word.startsWith(said));
}

function assistant(text: string, timestamp: number) {
  return {
    role: "assistant" as const,
    content: [{ type: "text" as const, text }],
    timestamp,
  };
}

function errorKind(kind: (RunOutcome & { status: "error" })["kind"]) {
  switch (kind) {
    case "refusal":
    case "timeout":
    case "rate_limit":
    case "context_length":
      return kind;
    default:
      return "unknown" as const;
  }
}
