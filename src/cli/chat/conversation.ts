/** One side of a conversation: what the agent says reaches a view, what the user says the gateway. */
import type { EventFrame } from "../../../schemas/frames.ts";
import type { ChatMessage } from "../../../schemas/message.ts";
import type { EventPayloads } from "../../../schemas/mod.ts";
import type { SessionRow } from "../../../schemas/sessions.ts";
import {
  ConnectionError,
  type GatewayClient,
  GatewayRefusal,
  isEvent,
} from "../../client/client.ts";
import { pause } from "../../deadline.ts";
import type { Call } from "../command.ts";
import { at } from "../config_file.ts";
import { ANSWER_TIMEOUT_MS, connect } from "../connect.ts";
import { Failure } from "../failure.ts";
import { plainText } from "../transcript.ts";

/** Who shows the conversation. */
export interface View {
  /** A message that is complete, from before or from somewhere else. */
  message(message: ChatMessage): void;
  /** The agent goes on: `text` is all of its current message, `delta` the end of it. */
  says(text: string, delta: string): void;
  toolStarts(name: string, args: Readonly<Record<string, unknown>>): void;
  toolEnds(name: string, result: { readonly text: string; readonly isError: boolean }): void;
  /** The agent is done; `problem` says why it did not come to an end of its own. */
  ends(problem?: string): void;
  /** Something about the conversation, not in it. */
  note(text: string): void;
  /** The state is not what it was. */
  changed(state: ConversationState): void;
}

export interface ConversationState {
  readonly connected: boolean;
  /** The agent is doing something that the view waits for. */
  readonly working: boolean;
}

/** How long to wait before each new attempt to reach a lost gateway, the last for ever. */
const BACK_OFF_MS = [500, 1_000, 2_000, 5_000, 10_000];
const OPTIONS = { timeoutMs: ANSWER_TIMEOUT_MS } as const;

/** A conversation that outlives its connections. */
export class Conversation {
  readonly #call: Call;
  readonly #view: View;
  readonly #limit: number;
  #gateway = Promise.withResolvers<GatewayClient>();
  #connected = false;
  /** The one to open; as the user spells it until the gateway has told its key. */
  #session: string | undefined;
  /** The key under which events of the conversation come; empty before it is open. */
  #key = "";
  #sessionId: string | undefined;
  /** The newest message that the view has seen. */
  #seq = 0;
  /** Runs that the view waits for. */
  readonly #runs = new Set<string>();
  /** Runs whose end was heard since the history was asked for, which may still name them. */
  readonly #over = new Set<string>();
  /** Messages that were said here, and need not be shown again. */
  readonly #own = new Set<string>();

  constructor(call: Call, { session, limit, view }: {
    /** As the user spells it; without it, the gateway's main one. */
    session: string | undefined;
    /** How many earlier messages to show. */
    limit: number;
    view: View;
  }) {
    this.#call = call;
    this.#session = session;
    this.#limit = limit;
    this.#view = view;
  }

  get working(): boolean {
    return this.#runs.size > 0;
  }

  /**
   * Keeps a connection until the signal aborts; `ready` is called when the first one is up. Rejects
   * if the first one can't be had, or if the gateway does not let us in again.
   */
  async run(signal: AbortSignal, ready: () => void = () => {}): Promise<void> {
    for (let attempt = 0, first = true; !signal.aborted;) {
      try {
        await using gateway = await connect(this.#call, {
          scopes: ["operator.write"],
          caps: ["tool-events"],
          onEvent: (event) => this.#hear(event),
          onGap: () => this.#view.note("some of what happened was not heard"),
          signal,
        });
        const main = gateway.hello.snapshot.sessionDefaults?.mainSessionKey ?? "main";
        await this.#open(gateway, this.#session ?? main);
        this.#connected = true;
        this.#gateway.resolve(gateway);
        this.#changed();
        if (first) ready();
        first = false;
        attempt = 0;
        await gateway.closed;
        if (!signal.aborted) this.#lost();
      } catch (error) {
        if (signal.aborted) return;
        if (first || !isLoss(error)) throw error;
        await pause(BACK_OFF_MS[Math.min(attempt++, BACK_OFF_MS.length - 1)] ?? 0, signal);
      }
    }
  }

  /**
   * Says something, as soon as there is a connection. Resolves when the gateway has taken it on, to
   * the run that answers it.
   */
  async say(message: string): Promise<string | undefined> {
    const gateway = await this.#gateway.promise;
    const runId = crypto.randomUUID();
    this.#own.add(runId);
    this.#runs.add(runId);
    this.#changed();
    try {
      const params = { sessionKey: this.#key, message, idempotencyKey: runId, deliver: false };
      const answer = await gateway.request("chat.send", params, OPTIONS);
      if ("status" in answer) return answer.runId;
    } catch (error) {
      this.#done(runId);
      throw error;
    }
    this.#done(runId); // it was a word that stops
    return undefined;
  }

  /** Stops what the agent does. */
  async abort(): Promise<void> {
    const gateway = await this.#gateway.promise;
    await gateway.request("chat.abort", { sessionKey: this.#key }, OPTIONS);
  }

  /** Goes on in another conversation. */
  async switchTo(session: string): Promise<void> {
    const gateway = await this.#gateway.promise;
    const before = this.#key;
    await this.#open(gateway, session);
    if (before !== this.#key) {
      await gateway.request("sessions.messages.unsubscribe", { key: before }, OPTIONS);
    }
    this.#changed();
  }

  /** The conversations that were last used. */
  async sessions(): Promise<readonly SessionRow[]> {
    const gateway = await this.#gateway.promise;
    const { sessions } = await gateway.request("sessions.list", { limit: 20 }, OPTIONS);
    return sessions;
  }

  /** Follows the conversation, and shows what of it was not seen yet. */
  async #open(gateway: GatewayClient, session: string): Promise<void> {
    const { key } = await gateway.request("sessions.messages.subscribe", { key: session }, OPTIONS);
    this.#over.clear();
    const params = { sessionKey: key, limit: this.#limit };
    const history = await gateway.request("chat.history", params, OPTIONS);
    if (key !== this.#key || history.sessionId !== this.#sessionId) this.#seq = 0;
    const fresh = history.messages.filter((message) => seqOf(message) > this.#seq);
    for (const message of fresh) this.#show(message);
    this.#session = key;
    this.#key = key;
    this.#sessionId = history.sessionId;
    this.#runs.clear();
    for (const runId of history.sessionInfo?.activeRunIds ?? []) {
      if (!this.#over.has(runId)) this.#runs.add(runId);
    }
  }

  #lost(): void {
    this.#gateway = Promise.withResolvers();
    this.#connected = false;
    this.#runs.clear();
    this.#view.ends();
    this.#view.note("the connection is lost, connecting again…");
    this.#changed();
  }

  #show(message: ChatMessage): void {
    this.#seq = Math.max(this.#seq, seqOf(message));
    this.#view.message(message);
  }

  #hear(event: EventFrame): void {
    if (isEvent(event, "chat")) this.#hearChat(event.payload);
    else if (isEvent(event, "agent")) this.#hearAgent(event.payload);
    else if (isEvent(event, "session.message")) this.#hearMessage(event.payload);
    else if (isEvent(event, "shutdown")) {
      this.#view.note(`the gateway says: ${event.payload.reason}`);
    }
  }

  #hearChat(payload: EventPayloads["chat"]): void {
    if (payload.sessionKey !== this.#key) return;
    const { runId } = payload;
    switch (payload.state) {
      case "status":
        return;
      case "delta":
        if (!this.#runs.has(runId)) {
          this.#runs.add(runId); // somebody else started it
          this.#changed();
        }
        return this.#view.says(plainText(payload.message.content), payload.deltaText);
      case "final":
        this.#finish(payload.message);
        return this.#done(runId);
      case "aborted":
        this.#finish(payload.message);
        return this.#done(runId, "stopped");
      case "error":
        return this.#done(runId, payload.errorMessage ?? "the run failed");
    }
  }

  /** Shows what the deltas left out of a message; a command's answer comes without any. */
  #finish(message: ChatMessage | undefined): void {
    const text = plainText(message?.content ?? "");
    if (text !== "") this.#view.says(text, "");
  }

  #hearAgent({ sessionKey, stream, data }: EventPayloads["agent"]): void {
    if (sessionKey !== this.#key || stream !== "tool") return;
    const { phase, name, args, isError } = data;
    if (typeof name !== "string") return;
    if (phase === "start") this.#view.toolStarts(name, { ...Object(args) });
    if (phase === "result") {
      const content = at(data, "result", "content");
      const text = Array.isArray(content)
        ? content.map((block) => at(block, "text") ?? "").join("")
        : "";
      this.#view.toolEnds(name, { text, isError: isError === true });
    }
  }

  #hearMessage(
    { sessionKey, message, messageSeq, session }: EventPayloads["session.message"],
  ): void {
    if (sessionKey !== this.#key) return;
    this.#seq = messageSeq ?? seqOf(message);
    this.#sessionId = session?.sessionId ?? this.#sessionId;
    // What the agent says is shown while it says it, and what was said here already is.
    if (message.role === "user" && !this.#own.has(runIdOf(message))) this.#view.message(message);
  }

  #changed(): void {
    this.#view.changed({ connected: this.#connected, working: this.working });
  }

  #done(runId: string, problem?: string): void {
    this.#runs.delete(runId);
    this.#over.add(runId);
    this.#view.ends(problem);
    this.#changed();
  }
}

/** The run that a user's message began. */
function runIdOf({ idempotencyKey, __openclaw: meta }: ChatMessage): string {
  return (idempotencyKey ?? meta?.idempotencyKey ?? meta?.runId ?? "").replace(/:user$/, "");
}

function seqOf(message: ChatMessage): number {
  return message.__openclaw?.seq ?? Infinity;
}

/** Whether a new attempt may help: the gateway went away, or is starting. */
function isLoss(error: unknown): boolean {
  const cause = error instanceof Failure ? error.cause : error;
  return cause instanceof ConnectionError || cause instanceof GatewayRefusal && cause.retryable;
}
