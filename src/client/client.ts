/** The protocol's client: one connection, its requests and its events. For Deno and for browsers. */
import type { ClientInfo, ConnectAuth, ConnectParams, HelloOk } from "../../schemas/connect.ts";
import type { ErrorShape, EventFrame, ResponseFrame } from "../../schemas/frames.ts";
import type {
  EventName,
  EventPayloads,
  MethodName,
  ParamsOf,
  ResultOf,
} from "../../schemas/mod.ts";

/** A device's key, as far as the client needs it. */
export interface Identity {
  readonly deviceId: string;
  /** The raw 32 bytes, base64url. */
  readonly publicKey: string;
  /** Resolves to the Ed25519 signature of the text's UTF-8 bytes, base64url. */
  sign(payload: string): Promise<string>;
}

/** What the client needs of a WebSocket. Where it can't connect, the `ErrorEvent` says why. */
export type Socket = Pick<WebSocket, "addEventListener" | "send" | "close">;

export interface ClientOptions {
  /** `ws://` or `wss://`. */
  readonly url: string;
  /** Opens the socket, where it is not to be the platform's own. */
  readonly open?: (url: string) => Socket;
  readonly client: ClientInfo;
  /** `operator` unless said otherwise. */
  readonly role?: "operator" | "node";
  readonly scopes?: readonly string[];
  readonly caps?: readonly string[];
  readonly commands?: readonly string[];
  /** The wire versions to offer: 4 unless said otherwise. */
  readonly protocol?: { readonly min: number; readonly max: number };
  readonly auth?: Readonly<
    Pick<ConnectAuth, "token" | "password" | "deviceToken" | "bootstrapToken">
  >;
  /** Proves which device this is. */
  readonly identity?: Identity;
  /** Hears every event after `hello-ok`, in order. */
  readonly onEvent?: (event: EventFrame) => void;
  /** Hears that events were lost: `received` came where `expected` was due. */
  readonly onGap?: (expected: number, received: number) => void;
  /** Hears, once, that an established connection is over, whoever ended it. */
  readonly onClose?: (close: Close) => void;
  /** How long connecting may take, hello included. */
  readonly timeoutMs?: number;
  /** Aborting it ends the connection, or the attempt at one. */
  readonly signal?: AbortSignal;
}

export interface RequestOptions {
  /** How long the answer may take; without it, as long as the connection lasts. */
  readonly timeoutMs?: number;
  /** Aborting it stops the waiting; the gateway is not told. */
  readonly signal?: AbortSignal;
  /** Waits for the second answer of a two-phase method. */
  readonly final?: boolean;
  /** Hears the first answer of a two-phase method; needs `final`. */
  readonly onAccepted?: (payload: unknown) => void;
}

/** How a connection ended. */
export interface Close {
  readonly code: number;
  readonly reason: string;
}

/** The gateway's "no" to a request or to the connection, also one that it has said beforehand. */
export class GatewayRefusal extends Error {
  override readonly name = "GatewayRefusal";
  readonly code: string;
  readonly details?: unknown;
  readonly retryable: boolean;
  readonly retryAfterMs?: number;
  /** Sent beside the error by the few methods that answer with both. */
  readonly payload?: unknown;

  constructor(error: ErrorShape, payload?: unknown) {
    super(error.message);
    this.code = error.code;
    this.details = error.details;
    this.retryable = error.retryable ?? false;
    this.retryAfterMs = error.retryAfterMs;
    this.payload = payload;
  }

  /** The finer reason, `details.code`, where the gateway gave one. */
  get reason(): string | undefined {
    const code = isRecord(this.details) ? this.details.code : undefined;
    return typeof code === "string" ? code : undefined;
  }
}

/** No gateway was there, it did not answer in time, or the connection ended before it answered. */
export class ConnectionError extends Error {
  override readonly name = "ConnectionError";
  readonly kind: "unreachable" | "timeout" | "closed";
  /** Set where the connection was closed. */
  readonly close?: Close;

  constructor(
    kind: "unreachable" | "timeout" | "closed",
    message: string,
    { close, cause }: { close?: Close; cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.kind = kind;
    this.close = close;
  }
}

/** Whether an event is the named one; its payload then has that event's type, which nobody checks. */
export function isEvent<E extends EventName>(
  frame: EventFrame,
  name: E,
): frame is EventFrame & { event: E; payload: EventPayloads[E] } {
  return frame.event === name;
}

const CONNECT_TIMEOUT_MS = 10_000;
/** The longest that a timer can be set to; a longer one would ring at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;
/** What a UTF-16 code unit takes in UTF-8, at most. */
const MAX_UTF8_BYTES = 3;
/** How long `close` waits for the gateway to agree. */
const LINGER_MS = 1_000;
/** This many ticks without any frame mean that the gateway, or the way to it, is gone. */
const MISSED_TICKS = 2;

interface Waiting {
  readonly final: boolean;
  readonly onAccepted?: (payload: unknown) => void;
  resolve(payload: unknown): void;
  reject(reason: unknown): void;
}

/** A connection to a gateway. Dispose of it to close it. */
export class GatewayClient implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #options: ClientOptions;
  readonly #waiting = new Map<string, Waiting>();
  readonly #challenge = Promise.withResolvers<ConnectChallenge>();
  readonly #closed = Promise.withResolvers<Close>();
  #hello: HelloOk | undefined;
  #requests = 0;
  #seq: number | undefined;
  #heardAt = Date.now();
  #watchdog: ReturnType<typeof setInterval> | undefined;
  #linger: ReturnType<typeof setTimeout> | undefined;
  #ending: ConnectionError | undefined;
  #over = false;
  #socketError: { readonly message: string; readonly cause?: unknown } | undefined;

  /**
   * Resolves once the gateway said hello. Rejects with a `GatewayRefusal` if it said no, with a
   * `ConnectionError` that names the URL if it can't be reached or does not answer, and with the
   * signal's reason if that aborts.
   */
  static async connect(options: ClientOptions): Promise<GatewayClient> {
    options.signal?.throwIfAborted();
    const client = new GatewayClient(options);
    const { url, timeoutMs = CONNECT_TIMEOUT_MS } = options;
    const deadline = setTimeout(() => {
      const message = `Cannot connect to ${url}: no answer within ${timeoutMs} ms`;
      client.#end(
        { code: 4000, reason: "connect timeout" },
        new ConnectionError("timeout", message),
      );
    }, timeoutMs);
    try {
      client.#hello = await client.#shakeHands();
    } catch (error) {
      client.close();
      await client.closed;
      options.signal?.throwIfAborted();
      throw error;
    } finally {
      clearTimeout(deadline);
    }
    client.#watch(client.#hello.policy.tickIntervalMs);
    return client;
  }

  private constructor(options: ClientOptions) {
    this.#options = options;
    this.#socket = (options.open ?? open)(options.url);
    this.#socket.addEventListener("message", ({ data }) => this.#receive(data));
    this.#socket.addEventListener("error", (event) => {
      if (!(event instanceof ErrorEvent)) return; // browsers don't say why
      const { message, error: cause } = event;
      this.#socketError = { message: message.replace(/^NetworkError: /, ""), cause };
    });
    this.#socket.addEventListener("close", ({ code, reason }) => this.#finish({ code, reason }));
    options.signal?.addEventListener("abort", this.#abort);
    this.#challenge.promise.catch(() => {}); // whoever awaits it hears of it
  }

  get url(): string {
    return this.#options.url;
  }

  /** What the gateway said of itself when the connection began. */
  get hello(): HelloOk {
    if (this.#hello === undefined) throw new Error("No hello: the connection is not established");
    return this.#hello;
  }

  /** Resolves when the connection is over, whoever ended it. Never rejects. */
  get closed(): Promise<Close> {
    return this.#closed.promise;
  }

  /**
   * Resolves to the gateway's answer. Rejects with a `GatewayRefusal` if it is a no, and with a
   * `ConnectionError` if it did not come.
   */
  request<M extends MethodName>(
    method: M,
    params: ParamsOf<M>,
    options: RequestOptions = {},
  ): Promise<ResultOf<M>> {
    // The gateway's answers are taken at its word: it checks them against the same schemas.
    return this.call(method, params, options) as Promise<ResultOf<M>>;
  }

  /** `request` for a method that these schemas need not know. */
  async call(method: string, params: unknown, options: RequestOptions = {}): Promise<unknown> {
    const { timeoutMs, signal, final = false, onAccepted } = options;
    signal?.throwIfAborted();
    if (this.#ending !== undefined) throw this.#ending;
    const id = String(++this.#requests);
    const frame = JSON.stringify({ type: "req", id, method, params });
    this.#requireFits(frame, method);
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const abort = () => reject(signal?.reason);
    signal?.addEventListener("abort", abort);
    const deadline = timeoutMs === undefined ? undefined : setTimeout(() => {
      const message = `No answer to '${method}' from ${this.#options.url} within ${timeoutMs} ms`;
      reject(new ConnectionError("timeout", message));
    }, Math.min(timeoutMs, MAX_TIMER_MS));
    this.#waiting.set(id, { final, onAccepted, resolve, reject });
    try {
      this.#socket.send(frame);
      return await promise;
    } finally {
      this.#waiting.delete(id);
      clearTimeout(deadline);
      signal?.removeEventListener("abort", abort);
    }
  }

  /** Throws for what the gateway would end the connection for, each time that it came. */
  #requireFits(frame: string, method: string): void {
    const most = this.#hello?.policy.maxPayload ?? Infinity;
    if (frame.length * MAX_UTF8_BYTES <= most) return;
    const bytes = new TextEncoder().encode(frame).length;
    if (bytes <= most) return;
    const message = `'${method}' is too large: ${bytes} bytes, the gateway takes at most ${most}`;
    throw new GatewayRefusal({ code: "INVALID_REQUEST", message });
  }

  /** Ends the connection; requests that wait are rejected. */
  close(code = 1000, reason = ""): void {
    this.#end(
      { code, reason },
      new ConnectionError("closed", `Connection to ${this.#options.url} closed by this client`),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.closed;
  }

  async #shakeHands(): Promise<HelloOk> {
    const { client, role = "operator", scopes = [], caps, commands, auth, identity } =
      this.#options;
    const { min, max } = this.#options.protocol ?? { min: 4, max: 4 };
    const challenge = await this.#challenge.promise;
    const claims = { client, role, scopes: [...scopes], auth };
    const params: ConnectParams = {
      minProtocol: min,
      maxProtocol: max,
      ...claims,
      ...(caps === undefined ? {} : { caps: [...caps] }),
      ...(commands === undefined ? {} : { commands: [...commands] }),
      ...(identity === undefined ? {} : { device: await prove(identity, challenge, claims) }),
    };
    const hello = await this.request("connect", params);
    if (typeof hello?.policy?.tickIntervalMs !== "number") {
      throw new ConnectionError(
        "closed",
        `Cannot use ${this.#options.url}: it speaks another protocol`,
      );
    }
    return hello;
  }

  #receive(data: unknown): void {
    if (this.#ending !== undefined) return;
    this.#heardAt = Date.now();
    const frame = readFrame(data);
    if (frame === undefined) {
      const close = { code: 4002, reason: "not a gateway frame" };
      const message =
        `Cannot use ${this.#options.url}: what it sends is not the gateway's protocol`;
      this.#end(close, new ConnectionError("closed", message, { close }));
    } else if (frame.type === "res") {
      this.#answer(frame);
    } else if (frame.type === "event") {
      this.#hear(frame);
    } // other types are for later versions of this client
  }

  #answer({ id, ok, payload, error }: ResponseFrame): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return; // given up, or the second answer of two
    if (!ok) {
      waiting.reject(
        new GatewayRefusal(error ?? { code: "UNAVAILABLE", message: "no reason" }, payload),
      );
    } else if (waiting.final && isRecord(payload) && payload.status === "accepted") {
      waiting.onAccepted?.(payload);
    } else {
      waiting.resolve(payload);
    }
  }

  #hear(event: EventFrame): void {
    if (this.#hello === undefined && isEvent(event, "connect.challenge")) {
      this.#challenge.resolve(event.payload);
      return;
    }
    if (event.seq !== undefined) {
      const expected = (this.#seq ?? event.seq - 1) + 1;
      if (event.seq > expected) this.#options.onGap?.(expected, event.seq);
      this.#seq = event.seq;
    }
    this.#options.onEvent?.(event);
  }

  /** Closes a connection over which nothing came for too long: TCP alone may never tell. */
  #watch(tickIntervalMs: number): void {
    const patience = MISSED_TICKS * tickIntervalMs;
    this.#watchdog = setInterval(() => {
      if (Date.now() - this.#heardAt <= patience) return;
      const close = { code: 4000, reason: "tick timeout" };
      const message = `Connection to ${this.#options.url} lost: silent for ${patience} ms`;
      this.#end(close, new ConnectionError("timeout", message, { close }));
    }, tickIntervalMs);
  }

  readonly #abort = () => this.close(1000, "aborted");

  /** Rejects what waits, at once, and asks the peer to close. */
  #end(close: Close, error: ConnectionError): void {
    if (this.#ending !== undefined) return;
    this.#ending = error;
    clearInterval(this.#watchdog);
    this.#rejectAll(error);
    this.#socket.close(close.code, close.reason);
    this.#linger = setTimeout(() => this.#finish(close), LINGER_MS);
  }

  /** The connection is over. */
  #finish(close: Close): void {
    if (this.#over) return;
    this.#over = true;
    clearInterval(this.#watchdog);
    clearTimeout(this.#linger);
    this.#options.signal?.removeEventListener("abort", this.#abort);
    this.#ending ??= this.#lost(close);
    this.#rejectAll(this.#ending);
    this.#closed.resolve(close);
    if (this.#hello !== undefined) this.#options.onClose?.(close);
  }

  #lost(close: Close): ConnectionError {
    const { url } = this.#options;
    const { message, cause } = this.#socketError ?? {};
    const why = message || [close.code, close.reason].filter(Boolean).join(" ");
    // Before its challenge nothing proves that a gateway is there at all.
    return this.#requests === 0
      ? new ConnectionError("unreachable", `Cannot connect to ${url}: ${why || "closed"}`, {
        close,
        cause,
      })
      : new ConnectionError("closed", `Connection to ${url} closed (${why || "no reason"})`, {
        close,
      });
  }

  #rejectAll(error: ConnectionError): void {
    this.#challenge.reject(error);
    for (const { reject } of this.#waiting.values()) reject(error);
  }
}

type ConnectChallenge = EventPayloads["connect.challenge"];

function open(url: string): WebSocket {
  try {
    return new WebSocket(url);
  } catch (error) {
    throw new ConnectionError(
      "unreachable",
      `Cannot connect to '${url}': not a ws:// or wss:// URL`,
      {
        cause: error,
      },
    );
  }
}

/** Signs who we are and what we ask, over the gateway's nonce. */
async function prove(
  identity: Identity,
  { nonce, ts: signedAt }: ConnectChallenge,
  { client, role, scopes, auth }: {
    client: ClientInfo;
    role: string;
    scopes: readonly string[];
    auth: ClientOptions["auth"];
  },
): Promise<ConnectParams["device"]> {
  const { deviceId: id, publicKey } = identity;
  const signature = await identity.sign(
    [
      "v3",
      id,
      client.id,
      client.mode,
      role,
      scopes.join(","),
      signedAt,
      auth?.token ?? auth?.deviceToken ?? auth?.bootstrapToken ?? "",
      nonce,
      claim(client.platform),
      claim(client.deviceFamily),
    ].join("|"),
  );
  return { id, publicKey, signature, signedAt, nonce };
}

/** A claim as it is signed: trimmed, with only A to Z lower-cased. */
function claim(text = ""): string {
  return text.trim().replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** Returns `undefined` for what no gateway of any version sends. */
function readFrame(data: unknown): ResponseFrame | EventFrame | { type: "other" } | undefined {
  const frame = parse(data);
  if (!isRecord(frame)) return undefined;
  const { type, id, ok, payload, error, event, seq } = frame;
  if (type === "res") {
    if (typeof id !== "string" || typeof ok !== "boolean") return undefined;
    return { type, id, ok, payload, error: isErrorShape(error) ? error : undefined };
  }
  if (type === "event") {
    if (typeof event !== "string") return undefined;
    return { ...frame, type, event, seq: typeof seq === "number" ? seq : undefined };
  }
  return typeof type === "string" ? { type: "other" } : undefined;
}

function parse(data: unknown): unknown {
  if (typeof data !== "string") return undefined;
  try {
    return JSON.parse(data);
  } catch {
    return undefined;
  }
}

function isErrorShape(value: unknown): value is ErrorShape {
  return isRecord(value) && typeof value.code === "string" && typeof value.message === "string";
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
