/**
 * One conversation with Discord's gateway: from the first word to the last, over one WebSocket. The
 * libraries for it take an event for dealt with once it has arrived; here it is once it is stored.
 */
import type { GatewayDispatchPayload } from "discord-api-types/v10";
import { ChannelError } from "../../channel.ts";
import { jsonObject } from "../json_object.ts";

/** What lets us come back to where we were. */
export interface GatewaySession {
  readonly id: string;
  readonly url: string;
  /** The last event that was dealt with. */
  readonly sequence: number;
}

/** How a conversation ended without harm. */
export type Ending =
  /** The signal aborted. */
  | "stopped"
  /** Discord wants us to come back at once, with the same session. */
  | "reconnect"
  /** Discord wants us to try the same session again, a little later. */
  | "retry"
  /** The session is over; another one can be begun. */
  | "invalid";

export interface ConversationOptions {
  readonly url: string;
  readonly token: string;
  readonly intents: number;
  /** To be taken up again; without one a new session begins. */
  readonly session?: GatewaySession;
  /** How long it may take until we are let in. */
  readonly patienceMs: number;
  /**
   * Called once, for what deals with events. They come in order, each once the one before it is
   * dealt with. The signal aborts when the conversation is over.
   */
  listen(signal: AbortSignal): (event: GatewayDispatchPayload) => Promise<void>;
  /** Everything up to here is dealt with. Told when nothing else waits, and at the end. */
  keep(sequence: number): void;
  /** Something came in. */
  sign(kind: "frame" | "heartbeat"): void;
}

/**
 * Talks until it is stopped or Discord ends it. Rejects with a `ChannelError` where the network is
 * lost or a person must mend something, and with whatever an event can't be dealt with for: that
 * event and those after it come again when the session is resumed. But for a stop, nothing is being
 * dealt with any more when it ends.
 */
export async function converse(
  options: ConversationOptions,
  signal: AbortSignal,
): Promise<Ending> {
  if (signal.aborted) return "stopped";
  using conversation = new Conversation(options);
  const stopped = Promise.withResolvers<void>();
  const stop = () => {
    conversation.end("stopped");
    stopped.resolve();
  };
  signal.addEventListener("abort", stop);
  try {
    return await conversation.ended;
  } finally {
    await Promise.race([conversation.idle, stopped.promise]);
    signal.removeEventListener("abort", stop);
  }
}

/** Anything but 1000 and 1001, which would end the session. */
const GOODBYE = 4200;
/** Events that wait for those before them. Beyond that the rest is asked for again later. */
const MAX_WAITING = 10_000;
/** Events that are dealt with between two `keep`s at most. */
const KEEP_EVERY = 100;
const LEAST_HEARTBEAT_MS = 20;

class Conversation implements Disposable {
  readonly #options: ConversationOptions;
  readonly #socket: WebSocket;
  readonly #end = Promise.withResolvers<Ending>();
  readonly #waiting: GatewayDispatchPayload[] = [];
  readonly #patience: ReturnType<typeof setTimeout>;
  readonly #over = new AbortController();
  readonly #handle: (event: GatewayDispatchPayload) => Promise<void>;
  #work: Promise<void> | undefined;
  #heartbeat: ReturnType<typeof setTimeout> | undefined;
  /** The last event that was dealt with, and the last that `keep` was told of. */
  #sequence: number | undefined;
  #kept: number | undefined;
  #isAnswered = true;

  constructor(options: ConversationOptions) {
    this.#options = options;
    this.#sequence = this.#kept = options.session?.sequence;
    this.#handle = options.listen(this.#over.signal);
    this.#socket = new WebSocket(options.url);
    this.#socket.onmessage = ({ data }) => this.#hear(data);
    this.#socket.onclose = ({ code, reason }) => this.#closed(code, reason);
    this.#socket.onerror = () => {}; // the close that follows says it
    this.#patience = setTimeout(
      () => this.#lose("Discord's gateway did not let us in in time"),
      options.patienceMs,
    );
  }

  get ended(): Promise<Ending> {
    return this.#end.promise;
  }

  /** Resolves when no event is being dealt with, once the conversation has ended. */
  get idle(): Promise<void> {
    return this.#work ?? Promise.resolve();
  }

  end(ending: Ending): void {
    try {
      this.#finish();
      this.#end.resolve(ending);
    } catch (error) {
      this.#end.reject(error);
    }
  }

  [Symbol.dispose](): void {
    this.#finish();
  }

  #fail(error: unknown): void {
    try {
      this.#finish();
    } catch {
      // how far we are can't be kept, either: those events come again, and are known by then
    }
    this.#end.reject(error);
  }

  #lose(message: string): void {
    this.#fail(new ChannelError("network", message));
  }

  #finish(): void {
    if (this.#over.signal.aborted) return;
    this.#over.abort();
    clearTimeout(this.#patience);
    clearTimeout(this.#heartbeat);
    this.#waiting.length = 0;
    this.#socket.onmessage = null;
    this.#socket.close(GOODBYE);
    this.#keep(); // may throw
  }

  #hear(data: unknown): void {
    const frame = readFrame(data);
    if (frame === undefined) return this.#lose("Discord's gateway sent something unintelligible");
    this.#options.sign("frame");
    switch (frame.op) {
      case Op.dispatch:
        return this.#take(frame);
      case Op.heartbeat:
        return this.#beat();
      case Op.heartbeatAck:
        this.#isAnswered = true;
        return this.#options.sign("heartbeat");
      case Op.hello:
        return this.#greet(frame.d);
      case Op.reconnect:
        return this.end("reconnect");
      case Op.invalidSession:
        return this.end(frame.d === true ? "retry" : "invalid");
    }
  }

  #greet(hello: unknown): void {
    const interval = typeof hello === "object" && hello !== null && "heartbeat_interval" in hello
      ? Number(hello.heartbeat_interval)
      : NaN;
    if (!(interval > 0)) return this.#lose("Discord's gateway said hello without a heartbeat");
    const everyMs = Math.max(interval, LEAST_HEARTBEAT_MS);
    this.#expect(everyMs * Math.random(), everyMs);
    const { token, intents, session } = this.#options;
    if (session !== undefined) {
      return this.#say(Op.resume, { token, session_id: session.id, seq: session.sequence });
    }
    const properties = { os: Deno.build.os, browser: "openclaw", device: "openclaw" };
    this.#say(Op.identify, { token, intents, properties });
  }

  /** Beats after a time, and from then on; what is not answered by the next beat, is not there. */
  #expect(afterMs: number, everyMs: number): void {
    clearTimeout(this.#heartbeat);
    this.#heartbeat = setTimeout(() => {
      if (!this.#isAnswered) return this.#lose("Discord's gateway does not answer any more");
      this.#isAnswered = false;
      this.#beat();
      this.#expect(everyMs, everyMs);
    }, afterMs);
  }

  /** Says how far we are: what is not stored yet, is not said to be here. */
  #beat(): void {
    this.#say(Op.heartbeat, this.#sequence ?? null);
  }

  #say(op: number, d: unknown): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify({ op, d }));
  }

  #take(event: GatewayDispatchPayload): void {
    if (event.t === "READY" || event.t === "RESUMED") clearTimeout(this.#patience);
    if (this.#waiting.length >= MAX_WAITING) {
      return this.#lose(`more than ${MAX_WAITING} events of Discord wait to be stored`);
    }
    this.#waiting.push(event);
    this.#work ??= this.#dealWithAll();
  }

  async #dealWithAll(): Promise<void> {
    try {
      for (let event = this.#waiting.shift(); event !== undefined; event = this.#waiting.shift()) {
        await this.#handle(event);
        if (this.#over.signal.aborted) return; // it is handed over again, and known by then
        this.#sequence = Math.max(event.s, this.#sequence ?? 0);
        if (this.#waiting.length === 0 || event.s - (this.#kept ?? 0) >= KEEP_EVERY) this.#keep();
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#work = undefined; // at once: an event may come before whoever waits for the work goes on
    }
  }

  #keep(): void {
    if (this.#sequence === undefined || this.#sequence === this.#kept) return;
    this.#kept = this.#sequence;
    this.#options.keep(this.#sequence);
  }

  #closed(code: number, reason: string): void {
    const known = CLOSINGS[code];
    if (known === "invalid") return this.end("invalid");
    if (known !== undefined) return this.#fail(new ChannelError(...known));
    this.#lose(
      code < 1000 || code === 1005 || code === 1006
        ? "the connection to Discord's gateway broke"
        : `Discord's gateway closed the connection (${code}${reason && `: ${reason}`})`,
    );
  }
}

const Op = {
  dispatch: 0,
  heartbeat: 1,
  identify: 2,
  resume: 6,
  reconnect: 7,
  invalidSession: 9,
  hello: 10,
  heartbeatAck: 11,
} as const;

/** What the reasons to close mean, where they mean more than "come back". */
const CLOSINGS: Readonly<
  Record<number, "invalid" | [reason: "auth" | "config", message: string] | undefined>
> = {
  4004: [
    "auth",
    "Discord does not accept the bot's token: set a new one from the Developer Portal",
  ],
  4007: "invalid",
  4009: "invalid",
  4010: ["config", "Discord does not accept shard 0 of 1 for this bot"],
  4011: ["config", "The bot is in more servers than one connection can serve: it must leave some"],
  4012: ["config", "Discord does not speak version 10 of its gateway any more"],
  4013: [
    "config",
    "Discord does not know the intents of this bot: check 'intents' in its settings",
  ],
  4014: [
    "config",
    "Discord does not grant this bot the intents it asks for: enable Message Content Intent " +
    "(and those set under 'intents') in the Developer Portal under Bot, Privileged Gateway " +
    "Intents; or set intents.messageContent to false to do without",
  ],
};

/** What the gateway may say. */
type Frame =
  | GatewayDispatchPayload
  | { readonly op: Exclude<typeof Op[keyof typeof Op], 0>; readonly d?: unknown };

/** `undefined` where it is none. An event is of the form that Discord documents. */
function readFrame(data: unknown): Frame | undefined {
  const value: unknown = typeof data === "string" ? jsonObject(data) : undefined;
  return isFrame(value) ? value : undefined;
}

function isFrame(value: unknown): value is Frame {
  if (typeof value !== "object" || value === null || !("op" in value)) return false;
  if (value.op !== Op.dispatch) return typeof value.op === "number";
  return "t" in value && typeof value.t === "string" && "s" in value &&
    Number.isSafeInteger(value.s) && "d" in value && typeof value.d === "object" &&
    value.d !== null;
}
