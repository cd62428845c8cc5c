/** One socket: a challenge, a handshake, then requests in, answers and events out. */
import { randomUUID } from "node:crypto";
import type { ErrorShape } from "../../schemas/frames.ts";
import { events } from "../../schemas/mod.ts";
import { explainRequestFrame, isRequestFrame } from "../../schemas/validate.ts";
import { actorOf, type Audit } from "../audit.ts";
import type { Call, Caller } from "../caller.ts";
import { OVER } from "../deadline.ts";
import { GatewayError, invalid, toWireError } from "../error.ts";
import type { GatewayEvent } from "../event.ts";
import { type Log, quoted } from "../log.ts";
import type { Message } from "./guard_frames.ts";
import { type Admitted, challenge, type Door, enter, Refusal } from "./handshake.ts";
import { answer, toJson } from "./json.ts";
import type { Origin } from "./locality.ts";
import { POLICY, type WireVersion } from "./version.ts";

/** The TCP connection under the socket, as far as it concerns us. */
export interface Line {
  readonly remoteIp: string;
  /** Sends a text message on the socket; throws nothing where that is gone. */
  send(message: Message): void;
  /** How long the messages sent are that the client has not taken: a letter counts as a byte. */
  readonly buffered: number;
  /** The handshake is done: larger messages may come. */
  raise(maxMessageBytes: number): void;
  /** Drops the connection now; says why where the client still listens. */
  cut(code: number, reason: string): void;
}

/** What all connections share. */
export interface ConnectionParts extends Door {
  readonly log: Log;
  readonly audit: Audit;
  /** How long a client may take for its handshake, in milliseconds. */
  readonly handshakeMs: number;
  /** Asks the tailnet's daemon who has an address; `undefined` for nobody. Never rejects. */
  readonly whois?: (address: string) => Promise<string | undefined>;
}

/** Bytes that a close reason may take. */
const MAX_REASON_BYTES = 123;
/** Refusals of the wrong role, one after another, before the connection ends. */
const MAX_ROLE_FAULTS = 10;
/** Requests of one connection that may wait for their answers. */
const MAX_IN_FLIGHT = 512;
/** How long these may be together; a letter is taken for a byte. */
const MAX_IN_FLIGHT_LENGTH = 50 * 1024 * 1024;
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

  /** Sends an event to everybody whom it concerns; its payload is put into bytes once. */
  tell(event: GatewayEvent): void {
    const { droppable = events[event.name].droppable } = event;
    let start: Uint8Array | undefined;
    for (const connection of this.#open) {
      if (!connection.concerns(event)) continue;
      start ??= encoder.encode(eventJson(event));
      connection.tell(start, droppable);
    }
  }

  /** Ends the connections that came in by anything but a device's own: the rules are others now. */
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
  // What every event asks of every connection lies together, in memory too.
  readonly #line: Line;
  readonly #parts: ConnectionParts;
  /** Who it is, once that is known. */
  #caller: Caller | undefined;
  #seq = 0;
  /** What the socket knows too, but takes its time to tell. It is over once it is told to close. */
  #stage: "opening" | "open" | "over" = "opening";
  #wire: WireVersion | undefined;
  readonly #socket: WebSocket;
  readonly #origin: Origin;
  readonly #connId = randomUUID();
  readonly #nonce: string;
  readonly #ended = new AbortController();
  readonly #handshakeTimer: ReturnType<typeof setTimeout>;
  #admission: Disposable | undefined;
  /** Its `connect` came, and is not answered yet. */
  #isAsking = false;
  #inFlight = 0;
  #inFlightLength = 0;
  #roleFaults = 0;
  #goodbye: ReturnType<typeof setTimeout> | undefined;
  readonly #gone: () => void;
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
    socket.onopen = () => {
      if (this.#stage === "opening") this.#stage = "open";
      this.#send(
        `{"type":"event","event":"connect.challenge","payload":{"nonce":"${nonce}","ts":${ts}}}`,
      );
    };
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onerror = () => {}; // a close event follows
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#gone = () => {
      this.#end();
      resolve();
    };
    socket.onclose = this.#gone;
  }

  /** Whether an event is for this connection. */
  concerns(event: GatewayEvent): boolean {
    return this.#caller !== undefined && this.#parts.gateway.concerns(this.#caller, event);
  }

  /** Sends an event whose JSON lacks only its number. A dropped one leaves a gap to be seen. */
  tell(start: Uint8Array, droppable: boolean): void {
    const seq = ++this.#seq;
    if (this.#line.buffered > POLICY.maxBufferedBytes) {
      if (!droppable) this.#cutSlow();
      return;
    }
    this.#send({ start, rest: `,"seq":${seq}}` });
  }

  /** Whoever is still at the door comes again, too: where they come from was judged by the old rules. */
  evict(): void {
    const method = this.#caller?.method;
    if (method === "device-token" || method === "bootstrap-token") return;
    this.close(4001, "gateway auth changed");
  }

  close(code: number, reason: string): void {
    if (this.#stage === "over") return;
    this.#stage = "over";
    this.#ended.abort(OVER); // nobody reads the answers to what was asked
    this.#socket.close(code, cutReason(reason));
    this.#goodbye ??= setTimeout(() => {
      this.#line.cut(code, reason);
      this.#gone(); // a socket that was cut before it opened never says so
    }, GOODBYE_MS);
  }

  #end(): void {
    this.#stage = "over";
    clearTimeout(this.#handshakeTimer);
    clearTimeout(this.#goodbye);
    this.#ended.abort(OVER);
    this.#admission?.[Symbol.dispose]();
    this.#admission = undefined;
    this.#caller = undefined;
  }

  #send(message: Message): void {
    if (this.#stage === "open") this.#line.send(message);
  }

  #cutSlow(): void {
    this.#parts.log.warn("A client was cut off: it does not read", { connId: this.#connId });
    this.#line.cut(1008, "slow consumer");
  }

  #receive(data: unknown): void {
    const frame = readFrame(data);
    if (this.#stage !== "open") return; // told to go: what it still says is void
    if (this.#caller === undefined) return this.#handshake(frame);
    if (frame === undefined) {
      this.#parts.log.warn("A message is no JSON: ignored", { connId: this.#connId });
      return;
    }
    if (!isRequestFrame(frame)) {
      const fault = explainRequestFrame(frame) ?? "";
      return this.#refuse(idOf(frame), invalid(`invalid request frame: ${fault}`));
    }
    this.#request(frame, this.#caller, lengthOf(data));
  }

  #handshake(frame: unknown): void {
    if (frame === undefined) return this.close(1000, "");
    if (!isRequestFrame(frame)) {
      this.#turnedAway({ code: "INVALID_REQUEST", message: "invalid request frame" });
      return this.close(1008, "invalid request frame");
    }
    if (this.#isAsking) return this.close(1008, "invalid handshake: wait for the answer");
    const { identity } = this.#origin;
    const { whois } = this.#parts;
    if (identity?.by !== "tailscale" || whois === undefined) return this.#enter(frame);
    this.#isAsking = true;
    void whois(identity.address).then((login) => {
      if (this.#stage === "open") this.#enter(frame, login);
    });
  }

  #enter(
    { id, method, params }: { id: string; method: string; params?: unknown },
    tailnetLogin?: string,
  ): void {
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
        ...(tailnetLogin === undefined ? {} : { tailnetLogin }),
      };
      const admitted = enter(params, visitor, this.#parts);
      clearTimeout(this.#handshakeTimer);
      const close = (code: number, reason: string) => this.close(code, reason);
      this.#admission = this.#parts.gateway.connect({ caller: admitted.caller, close });
      const kept = this.#parts.gateway.kept();
      if (kept === undefined) return this.#welcome(id, admitted);
      // What a device is told of its rights holds, also after a loss of power.
      this.#isAsking = true;
      kept.then(
        () => this.#welcome(id, admitted),
        (cause) => this.#failed(id, { cause, params }),
      );
    } catch (thrown) {
      if (!(thrown instanceof Refusal)) return this.#failed(id, { cause: thrown, params });
      this.#parts.log.info("A connection was refused", {
        connId: this.#connId,
        remoteIp: this.#line.remoteIp,
        reason: quoted(thrown.message),
      });
      this.#turnedAway(thrown.error, params);
      this.#answer(id, { ok: false, error: thrown.error });
      this.close(thrown.close.code, thrown.close.reason);
    }
  }

  #welcome(id: string, { wire, caller, hello }: Admitted): void {
    if (this.#stage !== "open") return; // gone, or shut out meanwhile
    this.#line.raise(POLICY.maxPayload);
    this.#respond(id, hello);
    this.#wire = wire;
    this.#caller = caller;
    this.#parts.audit.record({
      action: "connect",
      allowed: true,
      reason: [...caller.scopes].join(" "),
      who: actorOf(caller),
    });
    this.#parts.log.debug("A client connected", {
      connId: this.#connId,
      client: quoted(caller.client.id),
      mode: quoted(caller.client.mode),
      protocol: wire.protocol,
      method: caller.method,
    });
    this.#parts.gateway.greet(caller);
  }

  #failed(id: string, { cause, params }: { cause: unknown; params: unknown }): void {
    this.#parts.log.error("A handshake failed", { cause });
    const error = toWireError(cause);
    this.#turnedAway(error, params);
    this.#answer(id, { ok: false, error });
    this.close(1011, "gateway message handler unavailable");
  }

  /** Writes down that a client was not let in. What it calls itself is nobody's proof. */
  #turnedAway({ message, details }: ErrorShape, params?: unknown): void {
    const clientId = textIn(propertyOf(params, "client"), "id");
    this.#parts.audit.record({
      action: "connect",
      allowed: false,
      reason: textIn(details, "code") ?? message,
      who: { remoteIp: this.#line.remoteIp, connId: this.#connId, clientId },
      target: textIn(details, "requestId"),
    });
  }

  #request(
    { id, method, params }: { id: string; method: string; params?: unknown },
    caller: Caller,
    length: number,
  ): void {
    if (method === "connect") {
      return this.#refuse(id, invalid("connect is only valid as the first request"));
    }
    const isTooLong = this.#inFlight > 0 && this.#inFlightLength + length > MAX_IN_FLIGHT_LENGTH;
    if (isTooLong || this.#inFlight >= MAX_IN_FLIGHT) {
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
      this.#inFlightLength += length;
      result.then(
        (payload) => this.#succeed(id, payload),
        (thrown) => this.#refuse(id, thrown, method),
      ).finally(() => {
        this.#inFlight--;
        this.#inFlightLength -= length;
      });
    } catch (thrown) {
      this.#refuse(id, thrown, method);
    }
  }

  #succeed(id: string, payload: unknown): void {
    this.#roleFaults = 0;
    this.#respond(id, payload);
  }

  #respond(id: string, payload: unknown): void {
    if (this.#line.buffered > POLICY.maxBufferedBytes) return this.#cutSlow();
    this.#send(answer(id, payload));
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
      error: this.#wire?.error(error) ?? error,
    });
    if (!error.message.startsWith("unauthorized role:")) this.#roleFaults = 0;
    else if (++this.#roleFaults > MAX_ROLE_FAULTS) this.close(1008, "repeated unauthorized calls");
  }

  #answer(id: string, answer: { ok: false; payload?: unknown; error: ErrorShape }): void {
    this.#send(JSON.stringify({ type: "res", id, ...answer }));
  }
}

const encoder = new TextEncoder();

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

function lengthOf(data: unknown): number {
  return typeof data === "string" ? data.length : (data as ArrayBuffer).byteLength; // the only other kind
}

function idOf(frame: unknown): string {
  return textIn(frame, "id") || "invalid";
}

function textIn(value: unknown, name: string): string | undefined {
  const text = propertyOf(value, name);
  return typeof text === "string" ? text : undefined;
}

function propertyOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

/** A close reason within the protocol's limit, cut between characters. */
function cutReason(reason: string): string {
  const bytes = new TextEncoder().encode(reason);
  if (bytes.length <= MAX_REASON_BYTES) return reason;
  let end = MAX_REASON_BYTES;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return new TextDecoder().decode(bytes.subarray(0, end));
}
