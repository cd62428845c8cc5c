/** One socket: a challenge, a handshake, then requests in, answers and events out. */
import { randomUUID } from "node:crypto";
import type { ErrorShape } from "../../schemas/frames.ts";
import { events } from "../../schemas/mod.ts";
import { explainRequestFrame, isRequestFrame } from "../../schemas/validate.ts";
import type { Call, Caller } from "../caller.ts";
import { GatewayError, invalid, toWireError } from "../error.ts";
import type { GatewayEvent } from "../event.ts";
import type { Log } from "../log.ts";
import { challenge, type Door, enter, Refusal } from "./handshake.ts";
import { toJson } from "./json.ts";
import type { Origin } from "./locality.ts";
import { POLICY, type WireVersion } from "./version.ts";

/** The TCP connection under the socket, as far as it concerns us. */
export interface Line {
  readonly remoteIp: string;
  /** Sends a text message; `false`, always, where the socket itself must do it. */
  send(text: string): boolean;
  /** Bytes of such messages that the client has not taken. */
  readonly buffered: number;
  /** The handshake is done: larger messages may come. */
  raise(maxMessageBytes: number): void;
  /** Drops the connection now; says why where the client still listens. */
  cut(code: number, reason: string): void;
}

/** What all connections share. */
export interface ConnectionParts extends Door {
  readonly log: Log;
  /** How long a client may take for its handshake, in milliseconds. */
  readonly handshakeMs: number;
}

/** Bytes that a close reason may take. */
const MAX_REASON_BYTES = 123;
/** Refusals of the wrong role, one after another, before the connection ends. */
const MAX_ROLE_FAULTS = 10;
/** Requests of one connection that may wait for their answers. */
const MAX_IN_FLIGHT = 512;
/** How long a closed socket may take to say goodbye before it is cut, in milliseconds. */
const GOODBYE_MS = 700;

/** Open connections, told of every event that is for them. */
export class Connections {
  readonly #parts: ConnectionParts;
  readonly #open = new Set<Connection>();

  constructor(parts: ConnectionParts) {
    this.#parts = parts;
  }

  /** Takes over a socket that is about to open. */
  add(socket: WebSocket, line: Line, origin: Origin): void {
    const connection = new Connection(socket, { line, origin, parts: this.#parts });
    this.#open.add(connection);
    connection.closed.then(() => this.#open.delete(connection));
  }

  /** Sends an event to everybody whom it concerns; its payload is put into JSON once. */
  tell(event: GatewayEvent): void {
    let json: string | undefined;
    for (const connection of this.#open) {
      if (!connection.concerns(event)) continue;
      json ??= eventJson(event);
      connection.tell(json, event.droppable ?? events[event.name].droppable);
    }
  }

  /** Ends the connections that came in by the gateway's own secret: it is another one now. */
  evict(): void {
    for (const connection of this.#open) connection.evict();
  }

  /** Says goodbye to all; resolves when they are gone, or were cut for not answering. */
  async closeAll(code: number, reason: string): Promise<void> {
    const closing = [...this.#open].map((connection) => {
      connection.close(code, reason);
      return connection.closed;
    });
    await Promise.all(closing);
  }

  get size(): number {
    return this.#open.size;
  }
}

function eventJson({ name, payload, stateVersion }: GatewayEvent): string {
  const state = stateVersion === undefined ? "" : `,"stateVersion":${JSON.stringify(stateVersion)}`;
  return `{"type":"event","event":"${name}","payload":${toJson(payload)}${state}`;
}

class Connection {
  readonly #socket: WebSocket;
  readonly #line: Line;
  readonly #parts: ConnectionParts;
  readonly #origin: Origin;
  readonly #connId = randomUUID();
  readonly #nonce: string;
  readonly #ended = new AbortController();
  readonly #handshakeTimer: ReturnType<typeof setTimeout>;
  #state:
    | { readonly wire: WireVersion; readonly caller: Caller; readonly admission: Disposable }
    | undefined;
  #seq = 0;
  #inFlight = 0;
  #roleFaults = 0;
  #goodbye: ReturnType<typeof setTimeout> | undefined;
  readonly closed: Promise<void>;

  constructor(socket: WebSocket, { line, origin, parts }: {
    line: Line;
    origin: Origin;
    parts: ConnectionParts;
  }) {
    this.#socket = socket;
    this.#line = line;
    this.#parts = parts;
    this.#origin = origin;
    const { nonce, ts } = challenge();
    this.#nonce = nonce;
    this.#handshakeTimer = setTimeout(() => this.close(1000, ""), parts.handshakeMs);
    socket.onopen = () =>
      this.#send(
        `{"type":"event","event":"connect.challenge","payload":{"nonce":"${nonce}","ts":${ts}}}`,
      );
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onerror = () => {}; // a close event follows
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    socket.onclose = () => {
      this.#end();
      resolve();
    };
  }

  /** Whether an event is for this connection. */
  concerns(event: GatewayEvent): boolean {
    return this.#state !== undefined && this.#parts.gateway.concerns(this.#state.caller, event);
  }

  /** Sends an event whose JSON lacks only its number. A dropped one leaves a gap to be seen. */
  tell(json: string, droppable: boolean): void {
    const seq = ++this.#seq;
    if (this.#buffered > POLICY.maxBufferedBytes) {
      if (!droppable) this.#cutSlow();
      return;
    }
    this.#send(`${json},"seq":${seq}}`);
  }

  evict(): void {
    if (this.#state === undefined || this.#state.caller.method === "device-token") return;
    this.close(4001, "gateway auth changed");
  }

  close(code: number, reason: string): void {
    if (this.#socket.readyState > WebSocket.OPEN) return;
    this.#socket.close(code, cutReason(reason));
    this.#goodbye ??= setTimeout(() => this.#line.cut(code, reason), GOODBYE_MS);
  }

  #end(): void {
    clearTimeout(this.#handshakeTimer);
    clearTimeout(this.#goodbye);
    this.#ended.abort();
    this.#state?.admission[Symbol.dispose]();
    this.#state = undefined;
  }

  #send(text: string): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    if (!this.#line.send(text)) this.#socket.send(text);
  }

  /** Bytes that the client has not taken. */
  get #buffered(): number {
    return this.#line.buffered + this.#socket.bufferedAmount;
  }

  #cutSlow(): void {
    this.#parts.log.warn("A client was cut off: it does not read", { connId: this.#connId });
    this.#line.cut(1008, "slow consumer");
  }

  #receive(data: unknown): void {
    const frame = readFrame(data);
    if (this.#socket.readyState !== WebSocket.OPEN) return; // told to go: what it still says is void
    if (this.#state === undefined) return this.#handshake(frame);
    if (frame === undefined) {
      this.#parts.log.warn("A message is no JSON: ignored", { connId: this.#connId });
      return;
    }
    if (!isRequestFrame(frame)) {
      const fault = explainRequestFrame(frame) ?? "";
      return this.#refuse(idOf(frame), invalid(`invalid request frame: ${fault}`));
    }
    this.#request(frame, this.#state);
  }

  #handshake(frame: unknown): void {
    if (frame === undefined) return this.close(1000, "");
    if (!isRequestFrame(frame)) return this.close(1008, "invalid request frame");
    const { id, method, params } = frame;
    try {
      if (method !== "connect") {
        const message = "invalid handshake: first request must be connect";
        const close = { code: 1008, reason: message };
        throw new Refusal({ code: "INVALID_REQUEST", message }, close);
      }
      const visitor = {
        ...this.#origin,
        connId: this.#connId,
        nonce: this.#nonce,
        remoteIp: this.#line.remoteIp,
      };
      const { wire, caller, hello } = enter(params, visitor, this.#parts);
      clearTimeout(this.#handshakeTimer);
      this.#line.raise(POLICY.maxPayload);
      this.#respond(id, hello);
      const close = (code: number, reason: string) => this.close(code, reason);
      const admission = this.#parts.gateway.connect({ caller, close });
      this.#state = { wire, caller, admission };
      this.#parts.log.debug("A client connected", {
        connId: this.#connId,
        client: caller.client.id,
        mode: caller.client.mode,
        protocol: wire.protocol,
        method: caller.method,
      });
      this.#parts.gateway.greet(caller);
    } catch (thrown) {
      if (!(thrown instanceof Refusal)) {
        this.#parts.log.error("A handshake failed", { cause: thrown });
        this.#answer(id, { ok: false, error: toWireError(thrown) });
        return this.close(1011, "gateway message handler unavailable");
      }
      this.#parts.log.info("A connection was refused", {
        connId: this.#connId,
        remoteIp: this.#line.remoteIp,
        reason: thrown.message,
      });
      this.#answer(id, { ok: false, error: thrown.error });
      this.close(thrown.close.code, thrown.close.reason);
    }
  }

  #request(
    { id, method, params }: { id: string; method: string; params?: unknown },
    { caller }: { caller: Caller },
  ): void {
    if (method === "connect") {
      return this.#refuse(id, invalid("connect is only valid as the first request"));
    }
    if (this.#inFlight >= MAX_IN_FLIGHT) {
      return this.#refuse(
        id,
        new GatewayError("UNAVAILABLE", `too many requests wait for their answers`, {
          retryable: true,
          retryAfterMs: 1_000,
        }),
      );
    }
    const call: Call = {
      caller,
      signal: this.#ended.signal,
      accept: (payload) => this.#respond(id, payload),
    };
    try {
      const result = this.#parts.gateway.dispatch(method, params, call);
      if (!(result instanceof Promise)) return this.#succeed(id, result);
      this.#inFlight++;
      result.then(
        (payload) => this.#succeed(id, payload),
        (thrown) => this.#refuse(id, thrown, method),
      ).finally(() => this.#inFlight--);
    } catch (thrown) {
      this.#refuse(id, thrown, method);
    }
  }

  #succeed(id: string, payload: unknown): void {
    this.#roleFaults = 0;
    this.#respond(id, payload);
  }

  #respond(id: string, payload: unknown): void {
    if (this.#buffered > POLICY.maxBufferedBytes) return this.#cutSlow();
    this.#send(
      `{"type":"res","id":${JSON.stringify(id)},"ok":true,"payload":${toJson(payload)}}`,
    );
  }

  #refuse(id: string, thrown: unknown, method?: string): void {
    if (!(thrown instanceof GatewayError)) {
      this.#parts.log.error(`Method '${method}' failed`, { cause: thrown });
    }
    const error = toWireError(thrown);
    const payload = thrown instanceof GatewayError ? thrown.payload : undefined;
    this.#answer(id, {
      ok: false,
      ...(payload === undefined ? {} : { payload }),
      error: this.#state?.wire.error(error) ?? error,
    });
    if (!error.message.startsWith("unauthorized role:")) this.#roleFaults = 0;
    else if (++this.#roleFaults > MAX_ROLE_FAULTS) this.close(1008, "repeated unauthorized calls");
  }

  #answer(id: string, answer: { ok: false; payload?: unknown; error: ErrorShape }): void {
    this.#send(JSON.stringify({ type: "res", id, ...answer }));
  }
}

/** The JSON of a message, text or binary; `undefined` where it is none. */
function readFrame(data: unknown): unknown {
  try {
    const text = typeof data === "string"
      ? data
      : new TextDecoder("utf-8", { fatal: true }).decode(data as ArrayBuffer); // the socket's only other kind
    return JSON.parse(text);
  } catch {
    return undefined; // said by its absence
  }
}

function idOf(frame: unknown): string {
  const id = typeof frame === "object" && frame !== null && "id" in frame ? frame.id : undefined;
  return typeof id === "string" && id !== "" ? id : "invalid";
}

/** A close reason within the protocol's limit, cut between characters. */
function cutReason(reason: string): string {
  const bytes = new TextEncoder().encode(reason);
  if (bytes.length <= MAX_REASON_BYTES) return reason;
  let end = MAX_REASON_BYTES;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return new TextDecoder().decode(bytes.subarray(0, end));
}
