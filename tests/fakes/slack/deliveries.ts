/** How Slack hands events over: through sockets, or by calling a URL, until they are acknowledged. */
import { createHmac } from "node:crypto";

type Json = Readonly<Record<string, unknown>>;

/** Something that the bot is to hear. */
export interface Delivery {
  readonly type: "events_api" | "slash_commands" | "interactive";
  readonly payload: Json;
  readonly channel?: string;
  readonly ts?: string;
  /** What it was called each time that it was handed over. */
  readonly envelopes: string[];
  isAcknowledged: boolean;
  connection?: Connection;
  timer?: ReturnType<typeof setTimeout>;
}

/** Where events go that are not handed over through sockets. */
export interface RequestUrl {
  readonly url: string;
  readonly signingSecret: string;
}

export interface DeliveryRules {
  /** How long a connection may take to acknowledge. */
  acknowledgeMs: number;
  /** At the same time, for one app. */
  maxConnections: number;
  /** How long a connection lives on after it was told that it will be closed. */
  farewellMs: number;
  /** What hello says of how long a connection will live. */
  connectionSeconds: number;
}

/** What happened to a delivery or a connection. */
export type DeliveryNote =
  | {
    readonly kind: "queued" | "handed" | "acknowledged";
    readonly envelope?: string;
    readonly channel?: string;
    readonly ts?: string;
  }
  | { readonly kind: "opened" | "closed"; readonly connections: number };

interface Connection {
  readonly socket: WebSocket;
  /** It gets nothing any more. */
  isLeaving: boolean;
}

export class Deliveries {
  readonly rules: DeliveryRules;
  /** In the order in which they happened; those that are acknowledged, too. */
  readonly all: Delivery[] = [];
  /** The most sockets that were open at once. */
  mostConnections = 0;
  /** What came over a socket that was no acknowledgement. */
  readonly noise: string[] = [];
  requestUrl: RequestUrl | undefined;
  /** Nothing is handed over. */
  isHeld = false;
  readonly #appId: string;
  readonly #note: (note: DeliveryNote) => void;
  readonly #connections = new Set<Connection>();
  readonly #tickets = new Set<string>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  readonly #byEnvelope = new Map<string, Delivery>();
  #waiting: Delivery[] = [];
  #calling: Promise<void> | undefined;
  #isOver = false;

  constructor(
    { appId, rules, note }: {
      appId: string;
      rules: DeliveryRules;
      note: (note: DeliveryNote) => void;
    },
  ) {
    this.#appId = appId;
    this.rules = rules;
    this.#note = note;
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** For one connection; `undefined` where there are too many. */
  ticket(): string | undefined {
    if (this.#connections.size >= this.rules.maxConnections) return undefined;
    const ticket = crypto.randomUUID();
    this.#tickets.add(ticket);
    return ticket;
  }

  /** `false` for a ticket that is used or was never given. */
  redeem(ticket: string | null): boolean {
    return ticket !== null && this.#tickets.delete(ticket);
  }

  accept(socket: WebSocket): void {
    const connection: Connection = { socket, isLeaving: false };
    socket.onopen = () => {
      if (this.#connections.size >= this.rules.maxConnections) {
        this.#tell(connection, { type: "disconnect", reason: "too_many_websockets" });
        socket.close();
        return;
      }
      this.#connections.add(connection);
      this.mostConnections = Math.max(this.mostConnections, this.#connections.size);
      this.#note({ kind: "opened", connections: this.#connections.size });
      this.#tell(connection, {
        type: "hello",
        connection_info: { app_id: this.#appId },
        num_connections: this.#connections.size,
        debug_info: {
          host: "applink-fake",
          started: new Date().toISOString(),
          build_number: 1,
          approximate_connection_time: this.rules.connectionSeconds,
        },
      });
      this.#handOut();
    };
    socket.onmessage = ({ data }) => this.#hear(String(data));
    socket.onclose = () => this.#gone(connection);
    socket.onerror = () => this.#gone(connection);
  }

  push(what: Pick<Delivery, "type" | "payload" | "channel" | "ts">): Delivery {
    const delivery: Delivery = { ...what, envelopes: [], isAcknowledged: false };
    this.all.push(delivery);
    this.#note({ kind: "queued", ...namesOf(delivery) });
    this.#waiting.push(delivery);
    this.#handOut();
    return delivery;
  }

  /** Hands over once more what was handed over, acknowledged or not. */
  redeliver(): void {
    const again = this.all.filter(({ envelopes }) => envelopes.length > 0);
    for (const delivery of again) delivery.isAcknowledged = false;
    this.#waiting = [...again, ...this.#waiting.filter((waits) => !again.includes(waits))];
    this.#handOut();
  }

  /** Nothing is handed over until `release`. */
  hold(): void {
    this.isHeld = true;
  }

  release({ reversed = false } = {}): void {
    this.isHeld = false;
    if (reversed) this.#waiting.reverse();
    this.#handOut();
  }

  /** Says on every connection that it will be closed, and closes it after a while. */
  disconnect(reason: string): void {
    for (const connection of [...this.#connections]) {
      this.#tell(connection, { type: "disconnect", reason, debug_info: { host: "applink-fake" } });
      connection.isLeaving = true;
      const ms = reason === "link_disabled" ? 0 : this.rules.farewellMs;
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        close(connection.socket);
      }, ms);
      this.#timers.add(timer);
    }
  }

  /** Closes what is open without a word. */
  drop(): void {
    for (const { socket } of this.#connections) close(socket, 1011);
  }

  /** Says something on every connection that no protocol knows. */
  babble(text: string): void {
    for (const { socket } of this.#connections) {
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    }
  }

  async end(): Promise<void> {
    this.#isOver = true;
    this.#waiting = [];
    for (const timer of this.#timers) clearTimeout(timer);
    for (const { timer } of this.all) clearTimeout(timer);
    for (const { socket } of this.#connections) close(socket);
    await this.#calling;
  }

  #tell({ socket }: Connection, frame: Json): void {
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frame));
  }

  #hear(text: string): void {
    let id: unknown;
    try {
      id = JSON.parse(text)?.envelope_id;
    } catch {
      id = undefined;
    }
    const delivery = typeof id === "string" ? this.#byEnvelope.get(id) : undefined;
    if (delivery === undefined || typeof id !== "string") {
      this.noise.push(text);
      return;
    }
    this.#acknowledge(delivery, id);
  }

  #acknowledge(delivery: Delivery, envelope: string): void {
    clearTimeout(delivery.timer);
    delivery.isAcknowledged = true;
    delivery.connection = undefined;
    this.#waiting = this.#waiting.filter((other) => other !== delivery);
    this.#note({ kind: "acknowledged", envelope, ...namesOf(delivery) });
  }

  /** What a connection did not acknowledge goes to the next one, before what came later. */
  #gone(connection: Connection): void {
    if (!this.#connections.delete(connection)) return;
    this.#note({ kind: "closed", connections: this.#connections.size });
    const left = this.all.filter((delivery) => delivery.connection === connection);
    for (const delivery of left) {
      clearTimeout(delivery.timer);
      delivery.connection = undefined;
    }
    this.#waiting = [...left, ...this.#waiting.filter((waits) => !left.includes(waits))];
    this.#handOut();
  }

  #handOut(): void {
    if (this.isHeld || this.#isOver) return;
    if (this.requestUrl !== undefined) {
      this.#calling ??= this.#call().finally(() => this.#calling = undefined);
      return;
    }
    while (this.#waiting.length > 0) {
      const open = [...this.#connections].filter(({ isLeaving, socket }) =>
        !isLeaving && socket.readyState === WebSocket.OPEN
      );
      const delivery = this.#waiting[0]!;
      const connection = open.find((other) => other !== delivery.connection) ?? open[0];
      if (connection === undefined) return;
      this.#waiting.shift();
      this.#hand(delivery, connection);
    }
  }

  #hand(delivery: Delivery, connection: Connection): void {
    const envelope = crypto.randomUUID();
    const attempt = delivery.envelopes.push(envelope) - 1;
    this.#byEnvelope.set(envelope, delivery);
    delivery.connection = connection;
    this.#note({ kind: "handed", envelope, ...namesOf(delivery) });
    this.#tell(connection, {
      envelope_id: envelope,
      type: delivery.type,
      accepts_response_payload: delivery.type !== "events_api",
      payload: delivery.payload,
      ...(delivery.type === "events_api"
        ? { retry_attempt: attempt, retry_reason: attempt === 0 ? "" : "timeout" }
        : {}),
    });
    clearTimeout(delivery.timer);
    delivery.timer = setTimeout(() => {
      if (delivery.isAcknowledged) return;
      this.#waiting.unshift(delivery);
      this.#handOut();
    }, this.rules.acknowledgeMs);
  }

  /** Calls the URL with what waits, one after the other; what fails is tried again. */
  async #call(): Promise<void> {
    for (let failures = 0; failures < 50 && !this.#isOver;) {
      const [delivery] = this.#waiting;
      const { requestUrl } = this;
      if (delivery === undefined || requestUrl === undefined || this.isHeld) return;
      const envelope = crypto.randomUUID();
      const attempt = delivery.envelopes.push(envelope) - 1;
      this.#note({ kind: "handed", envelope, ...namesOf(delivery) });
      const isDone = await callOnce(delivery, requestUrl, attempt);
      if (isDone) {
        failures = 0;
        this.#acknowledge(delivery, envelope);
      } else {
        await new Promise((resolve) => setTimeout(resolve, 20 * ++failures));
      }
    }
  }
}

/** A request as Slack signs it. */
export function signedRequest(
  { url, signingSecret }: RequestUrl,
  body: string,
  { type = "application/json", at = Date.now(), headers = {} }: {
    type?: string;
    at?: number;
    headers?: Readonly<Record<string, string>>;
  } = {},
): Request {
  const timestamp = String(Math.floor(at / 1000));
  const signature = createHmac("sha256", signingSecret).update(`v0:${timestamp}:${body}`)
    .digest("hex");
  return new Request(url, {
    method: "POST",
    headers: {
      "content-type": type,
      "x-slack-request-timestamp": timestamp,
      "x-slack-signature": `v0=${signature}`,
      ...headers,
    },
    body,
  });
}

async function callOnce(
  { type, payload }: Delivery,
  to: RequestUrl,
  attempt: number,
): Promise<boolean> {
  const form = "application/x-www-form-urlencoded";
  const headers: Record<string, string> = attempt === 0
    ? {}
    : { "x-slack-retry-num": String(attempt), "x-slack-retry-reason": "http_error" };
  const request = type === "events_api"
    ? signedRequest(to, JSON.stringify(payload), { headers })
    : type === "interactive"
    ? signedRequest(to, new URLSearchParams({ payload: JSON.stringify(payload) }).toString(), {
      type: form,
      headers,
    })
    : signedRequest(
      to,
      new URLSearchParams(
        Object.entries(payload).map(([name, value]) => [name, String(value)]),
      ).toString(),
      { type: form, headers },
    );
  try {
    const response = await fetch(request);
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

function namesOf({ channel, ts }: Delivery): { channel?: string; ts?: string } {
  return {
    ...(channel === undefined ? {} : { channel }),
    ...(ts === undefined ? {} : { ts }),
  };
}

function close(socket: WebSocket, code = 1000): void {
  if (socket.readyState <= WebSocket.OPEN) socket.close(code);
}
