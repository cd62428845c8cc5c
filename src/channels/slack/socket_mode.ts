/** Slack's socket mode: one socket at a time, and a second only while it takes the first one's place. */
import { ChannelError } from "../../channel.ts";
import { Deadline, pause } from "../../deadline.ts";
import type { Log } from "../../log.ts";
import { jsonObject } from "../json_object.ts";
import { Wire } from "./wire.ts";

/** Something that Slack hands over. */
export interface Envelope {
  readonly envelope_id: string;
  readonly type: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** How long things take, in milliseconds. */
export interface Pace {
  /** How often Slack is asked whether it is there. */
  readonly pingEvery: number;
  /** After so long without any sign a socket is given up. */
  readonly silence: number;
  /** How long it may take until we are let in, and how long a call may take. */
  readonly patience: number;
  /** How long an old socket may take to deal with what it has. */
  readonly farewell: number;
  /** The pause after a new socket could not be opened while the old one still works. */
  readonly retry: number;
  /** How often it is looked whether we are still let in, where Slack calls us. */
  readonly check: number;
}

export const PACE: Pace = {
  pingEvery: 10_000,
  silence: 25_000,
  patience: 30_000,
  farewell: 5000,
  retry: 5000,
  check: 60_000,
};

export interface ListenOptions {
  /** Asks for the address of a new socket. */
  address(signal: AbortSignal): Promise<string>;
  /** Deals with what came; it is acknowledged when this resolves. One at a time, in order. */
  handle(envelope: Envelope): Promise<void>;
  /** We are let in; told again for each socket. */
  connected(): void;
  sign(kind: "frame" | "heartbeat"): void;
  /** A socket was lost and another one is being opened. */
  trouble(detail: string): void;
  readonly pace: Pace;
  readonly log: Log;
}

/**
 * Listens until the signal aborts. Rejects with what `address` rejects with, with a `ChannelError`,
 * or with what `handle` rejects with: what it was given then, and what came after, is not
 * acknowledged, and Slack hands it over again.
 */
export async function listen(options: ListenOptions, signal: AbortSignal): Promise<void> {
  const abort = new AbortController();
  const queue = new Queue(options.handle);
  const old = new Set<Promise<void>>();
  let socket: Socket | undefined;
  let losses = 0;
  const stop = () => {
    abort.abort();
    socket?.[Symbol.dispose]();
  };
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  try {
    socket = await Socket.open(options, queue, abort.signal);
    while (!abort.signal.aborted) {
      const ending = await Promise.race([socket.ended, queue.failed]);
      if (abort.signal.aborted) break;
      if (ending === "lost") {
        const lived = performance.now() - socket.since;
        losses = lived > STEADY_MS ? 1 : losses + 1;
        if (losses > MAX_LOSSES) throw new ChannelError("network", socket.lossDetail);
        options.trouble(socket.lossDetail);
        socket = await Socket.open(options, queue, abort.signal);
      } else {
        const next = await takeOver(socket, options, queue, abort.signal);
        const retired = socket.retire(options.pace.farewell, abort.signal);
        old.add(retired);
        void retired.finally(() => old.delete(retired));
        socket = next;
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    abort.abort();
    queue.end();
    socket?.[Symbol.dispose]();
    signal.removeEventListener("abort", stop);
    await Promise.all(old);
  }
}

/** A socket that lived so long was no failure. */
const STEADY_MS = 60_000;
/** So many short-lived sockets in a row are for the supervisor to judge. */
const MAX_LOSSES = 3;
/** Envelopes that wait for those before them. Beyond that they come again later. */
const MAX_WAITING = 10_000;

/** Opens a socket in the place of one that Slack is about to close, while that one still works. */
async function takeOver(
  socket: Socket,
  options: ListenOptions,
  queue: Queue,
  signal: AbortSignal,
): Promise<Socket> {
  for (;;) {
    try {
      return await Socket.open(options, queue, signal);
    } catch (error) {
      const isFinal = error instanceof ChannelError && error.reason !== "network";
      if (signal.aborted || isFinal || !socket.isOpen) throw error;
      options.trouble("no new socket to Slack could be opened yet");
      const { retryAfterMs = 0 } = error instanceof ChannelError ? error : {};
      const ms = Math.max(retryAfterMs, options.pace.retry);
      await Promise.race([pause(ms, signal), socket.closed]);
      if (retryAfterMs > 0 && !socket.isOpen) throw error; // the supervisor waits for the rest
    }
  }
}

/** Deals with envelopes one after the other, over whichever socket they came. */
class Queue {
  readonly #handle: (envelope: Envelope) => Promise<void>;
  readonly #failure = Promise.withResolvers<never>();
  #tail: Promise<void> = Promise.resolve();
  #waiting = 0;
  #isOver = false;

  constructor(handle: (envelope: Envelope) => Promise<void>) {
    this.#handle = handle;
    this.#failure.promise.catch(() => {}); // heard by whoever listens, if anybody still does
  }

  /** Rejects when something could not be dealt with. */
  get failed(): Promise<never> {
    return this.#failure.promise;
  }

  /** Resolves when all that was pushed is dealt with. */
  get idle(): Promise<void> {
    return this.#tail;
  }

  /** Nothing is dealt with any more. */
  end(): void {
    this.#isOver = true;
  }

  push(envelope: Envelope, done: () => void): void {
    if (this.#waiting >= MAX_WAITING) return;
    this.#waiting++;
    this.#tail = this.#tail.then(async () => {
      this.#waiting--;
      if (this.#isOver) return;
      try {
        await this.#handle(envelope);
        done();
      } catch (error) {
        this.#isOver = true; // what comes after it must not be stored before it
        this.#failure.reject(error);
      }
    });
  }
}

class Socket implements Disposable {
  readonly since = performance.now();
  readonly #wire: Wire;
  readonly #options: ListenOptions;
  readonly #queue: Queue;
  readonly #hello = Promise.withResolvers<void>();
  readonly #end = Promise.withResolvers<"lost" | "leaving">();
  readonly #closed = Promise.withResolvers<void>();
  #watch: ReturnType<typeof setTimeout> | undefined;
  #lastSign = performance.now();
  #lossDetail = "the connection to Slack broke";
  #isOpen = true;

  private constructor(wire: Wire, options: ListenOptions, queue: Queue) {
    this.#wire = wire;
    this.#options = options;
    this.#queue = queue;
    this.#end.promise.catch(() => {}); // where it ends before it says hello
    this.#hello.promise.catch(() => {}); // where it is given up before it says hello
    this.#expect();
    void this.#read();
  }

  /** Resolves when Slack has said hello. */
  static async open(
    options: ListenOptions,
    queue: Queue,
    signal: AbortSignal,
  ): Promise<Socket> {
    const url = await options.address(signal);
    using deadline = new Deadline(options.pace.patience, signal);
    let socket: Socket | undefined;
    const giveUp = () => socket?.[Symbol.dispose]();
    deadline.signal.addEventListener("abort", giveUp);
    try {
      socket = new Socket(await Wire.open(url, deadline.signal), options, queue);
      if (deadline.signal.aborted) giveUp();
      await socket.#hello.promise;
      options.connected();
      return socket;
    } catch (cause) {
      socket?.[Symbol.dispose]();
      if (cause instanceof ChannelError) throw cause;
      const why = deadline.isOver
        ? "it did not say hello in time"
        : cause instanceof Error
        ? cause.message
        : String(cause);
      throw new ChannelError("network", `Cannot open a socket to Slack: ${why}`, { cause });
    } finally {
      deadline.signal.removeEventListener("abort", giveUp);
    }
  }

  /** `leaving` where Slack wants another one in its place. Rejects where Slack wants none. */
  get ended(): Promise<"lost" | "leaving"> {
    return this.#end.promise;
  }

  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  get lossDetail(): string {
    return this.#lossDetail;
  }

  /** Closes it when what came over it is acknowledged. */
  async retire(ms: number, signal: AbortSignal): Promise<void> {
    const abort = new AbortController();
    const stop = () => abort.abort();
    signal.addEventListener("abort", stop);
    if (signal.aborted) stop();
    await Promise.race([this.#queue.idle, this.#closed.promise, pause(ms, abort.signal)]);
    await Promise.race([this.#wire.close(), pause(ms, abort.signal)]);
    await Promise.race([this.#closed.promise, pause(ms, abort.signal)]);
    stop();
    signal.removeEventListener("abort", stop);
    this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    clearTimeout(this.#watch);
    this.#wire[Symbol.dispose]();
    this.#hello.reject(new Error(this.#lossDetail));
    this.#end.resolve("lost");
    this.#closed.resolve();
  }

  async #read(): Promise<void> {
    try {
      for await (const frame of this.#wire.frames()) {
        if (!this.#isOpen) return;
        this.#lastSign = performance.now();
        if (frame.kind === "text") this.#hear(frame.text);
        else this.#options.sign("heartbeat");
      }
    } catch (error) {
      this.#options.log.debug("A socket to Slack broke", { cause: error });
    }
    this[Symbol.dispose]();
  }

  /** Asks now and then whether Slack is there, and gives up on it when it says nothing. */
  #expect(): void {
    const { pingEvery, silence } = this.#options.pace;
    this.#watch = setTimeout(() => {
      if (performance.now() - this.#lastSign >= silence) {
        this.#lossDetail = "Slack does not answer any more";
        return this[Symbol.dispose]();
      }
      void this.#wire.ping();
      this.#expect();
    }, pingEvery);
  }

  #hear(text: string): void {
    const frame = readFrame(text);
    if (frame === undefined) {
      this.#options.log.debug("Slack says something unintelligible; it is passed over");
      return;
    }
    if (frame.type === "hello") return this.#hello.resolve();
    if (frame.type === "disconnect") return this.#leave(frame.reason);
    this.#options.sign("frame");
    if (isEnvelope(frame)) {
      this.#queue.push(frame, () => {
        void this.#wire.send(JSON.stringify({ envelope_id: frame.envelope_id }));
      });
    }
  }

  #leave(reason: unknown): void {
    if (reason === "link_disabled") {
      const error = new ChannelError(
        "config",
        "Slack has turned Socket Mode off for the app: enable it in the app's settings",
      );
      this.#hello.reject(error);
      return this.#end.reject(error);
    }
    if (reason === "too_many_websockets") {
      this.#lossDetail = "the app has too many sockets to Slack open already";
      return this[Symbol.dispose]();
    }
    this.#end.resolve("leaving");
  }
}

interface SocketFrame {
  readonly type: string;
  readonly reason?: unknown;
  readonly envelope_id?: unknown;
  readonly payload?: unknown;
}

function readFrame(text: string): SocketFrame | undefined {
  const value = jsonObject(text);
  return typeof value?.type === "string" ? { ...value, type: value.type } : undefined;
}

function isEnvelope(frame: SocketFrame): frame is Envelope {
  return typeof frame.envelope_id === "string" && typeof frame.payload === "object" &&
    frame.payload !== null;
}
