/** A gateway of a few lines, for tests of its clients: it says what it is told to. */
import type { ConnectParams, HelloOk } from "../../schemas/connect.ts";
import type { ErrorShape } from "../../schemas/frames.ts";

/** Thrown by an answer to refuse the request. */
export class Refuse extends Error {
  readonly error: ErrorShape;
  readonly payload?: unknown;

  constructor(error: ErrorShape, payload?: unknown) {
    super(error.message);
    this.error = error;
    this.payload = payload;
  }
}

/** One connection, as an answer sees it. */
export interface Peer {
  /** Sends an answer before the one that is returned. */
  answer(payload: unknown): void;
  event(event: string, payload: unknown, seq?: number): void;
  send(text: string): void;
  close(code: number, reason: string): void;
}

type Answer = (params: never, peer: Peer) => unknown;

export interface FakeGatewayOptions {
  /** What to answer to each method; what is returned is the payload. `connect` has an answer. */
  readonly answers?: Readonly<Record<string, Answer>>;
  /** `false` says nothing when a client comes. */
  readonly challenge?: boolean;
}

export const NONCE = "the-nonce";

export class FakeGateway implements AsyncDisposable {
  /** What clients sent, in order. */
  readonly requests: { readonly method: string; readonly params: unknown }[] = [];
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #sockets = new Set<WebSocket>();
  readonly #answers: Readonly<Record<string, Answer>>;

  constructor({ answers = {}, challenge = true }: FakeGatewayOptions = {}) {
    this.#answers = { connect: (params: ConnectParams) => helloFor(params), ...answers };
    this.#server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
      const { socket, response } = Deno.upgradeWebSocket(request);
      this.#sockets.add(socket);
      const peer = peerOf(socket, "");
      socket.onopen = () => {
        if (challenge) peer.event("connect.challenge", { nonce: NONCE, ts: Date.now() });
      };
      socket.onmessage = ({ data }) => this.#receive(String(data), socket);
      socket.onclose = () => this.#sockets.delete(socket);
      return response;
    });
  }

  get port(): number {
    return this.#server.addr.port;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}`;
  }

  /** What clients sent with `connect`. */
  get connects(): readonly ConnectParams[] {
    return this.requests.filter(({ method }) => method === "connect")
      .map(({ params }) => params as ConnectParams);
  }

  /** Tells every client. */
  broadcast(event: string, payload: unknown): void {
    for (const socket of this.#sockets) peerOf(socket, "").event(event, payload);
  }

  /** Ends every connection. */
  drop(code = 1012, reason = "service restart"): void {
    for (const socket of this.#sockets) socket.close(code, reason);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.drop(1001, "");
    await this.#server.shutdown();
  }

  async #receive(text: string, socket: WebSocket): Promise<void> {
    const { id, method, params } = JSON.parse(text);
    this.requests.push({ method, params });
    const answer = this.#answers[method];
    const respond = (rest: object) => send(socket, { type: "res", id, ...rest });
    try {
      if (answer === undefined) {
        throw new Refuse({ code: "INVALID_REQUEST", message: `unknown method: ${method}` });
      }
      respond({ ok: true, payload: await answer(params as never, peerOf(socket, id)) });
    } catch (error) {
      if (!(error instanceof Refuse)) throw error;
      respond({ ok: false, error: error.error, payload: error.payload });
      if (method === "connect") socket.close(1008, error.error.message.slice(0, 100));
    }
  }
}

/** What a gateway says to a client that it lets in, with everything that it asked for. */
export function helloFor({ role = "operator", scopes = [] }: ConnectParams): HelloOk {
  return {
    type: "hello-ok",
    protocol: 4,
    server: { version: "1.2.3", connId: "c1" },
    features: { methods: [], events: [] },
    snapshot: {
      presence: [],
      health: {},
      stateVersion: { presence: 1, health: 1 },
      uptimeMs: 61_000,
      sessionDefaults: {
        defaultAgentId: "main",
        mainKey: "main",
        mainSessionKey: "agent:main:main",
      },
    },
    auth: { role, scopes },
    policy: { maxPayload: 100_000, maxBufferedBytes: 1000, tickIntervalMs: 30_000 },
  };
}

function peerOf(socket: WebSocket, id: string): Peer {
  return {
    answer: (payload) => send(socket, { type: "res", id, ok: true, payload }),
    event: (event, payload, seq) => send(socket, { type: "event", event, payload, seq }),
    send: (text) => socket.send(text),
    close: (code, reason) => socket.close(code, reason),
  };
}

function send(socket: WebSocket, frame: object): void {
  if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frame));
}
