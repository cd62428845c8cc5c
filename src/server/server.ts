/** The port: every request of the outside world comes in here. */
import type { Config } from "../config.ts";
import type { Bus } from "../event.ts";
import type { Log } from "../log.ts";
import { isLoopback, plainAddress } from "./address.ts";
import { type ConnectionParts, Connections, type Line } from "./connection.ts";
import { type Message, textOf } from "./guard_frames.ts";
import { type Guard, type GuardLimits, type KeyPair, type Peer, serveGuarded } from "./guard.ts";
import { createJudge, type Judge, type Origin, type Refused } from "./locality.ts";
import { isDisguised, spelledPath } from "./path.ts";
import {
  findRoute,
  provesItself,
  type Route,
  type RouteName,
  ROUTES,
  type SelfProving,
} from "./routes.ts";
import { answerWebhook, webhookAccount, WebhookBodies, type WebhookHandler } from "./webhook.ts";

/** Answers that say: not you, or not so often. */
const DENIALS: ReadonlySet<number> = new Set([401, 403, 429]);
/** Mostly seen by who sets up a proxy. */
const NO_HANDSHAKE =
  "no WebSocket handshake: a proxy must pass on Connection and Sec-WebSocket-Key with Upgrade";
/** Seconds without a sign of life after which a socket is closed; the ping goes out at half time. */
const IDLE_SECONDS = 50;

export interface ServerOptions extends ConnectionParts {
  readonly hostname: string;
  /** Further addresses to listen on, where they can be had. */
  readonly also?: readonly string[];
  readonly port: number;
  /** To speak TLS with. */
  readonly tls?: KeyPair;
  readonly limits?: Partial<GuardLimits>;
  /** The same object for as long as it says the same, as is `auth`'s. */
  readonly config: () => Config;
  /** Names in DNS that are this machine's own and nobody else's to give. */
  readonly ownNames: () => readonly string[];
  readonly bus: Bus;
  readonly log: Log;
  /** The web pages; resolves to `undefined` for a path that is none of theirs. */
  readonly page: { respond(request: Request): Promise<Response | undefined> };
  /** Who is called by networks. */
  readonly webhook: WebhookHandler;
}

export interface Server extends AsyncDisposable {
  readonly addr: Deno.NetAddr;
  /** The further addresses that could be had. */
  readonly also: readonly Deno.NetAddr[];
  /** Ends the connections that came in by anything but a device's own: the rules changed. */
  evict(): void;
  /** Shows another certificate to who comes from now on; see `Guard.renew`. */
  renew(tls: KeyPair): Promise<void>;
  /** Tells every client that the gateway goes, and waits until they are gone. */
  goodbye(): Promise<void>;
}

/** Opens the port. Throws `Deno.errors.AddrInUse` where somebody else has it. */
export function listen(options: ServerOptions): Server {
  const { hostname, also = [], port, tls, limits, config, auth, ownNames, bus, log } = options;
  const { audit, page, webhook } = options;
  const connections = new Connections(options);
  const bodies = new WebhookBodies();
  const startedAt = Date.now();
  const bindsLoopback = isLoopback(hostname) || hostname === "localhost";
  let rules = { config: config(), policy: auth() };
  let judge = createJudge({ ...rules, bindsLoopback, ownNames });

  function judgeOfNow(): Judge {
    const now = { config: config(), policy: auth() };
    if (now.config !== rules.config || now.policy !== rules.policy) {
      judge = createJudge({ ...now, bindsLoopback, ownNames });
      rules = now;
    }
    return judge;
  }

  async function respond(request: Request, peer: Peer): Promise<Response> {
    const asked = admit(request, peer);
    const response = "refused" in asked
      ? refuse(403, asked.refused, "forbidden")
      : await answer(request, asked, peer);
    if (DENIALS.has(response.status)) {
      audit.record({
        action: `${request.method} ${spelledPath(request.url)}`,
        allowed: false,
        reason: "refused" in asked ? asked.refused : `HTTP ${response.status}`,
        who: { remoteIp: plainAddress(peer.address.hostname) },
      });
    }
    return response;
  }

  function admit(request: Request, peer: Peer): Asked | Refused {
    const path = spelledPath(request.url);
    if (isDisguised(path)) return { refused: "path not allowed" };
    const upgrades = request.headers.get("upgrade")?.toLowerCase() === "websocket";
    const route = findRoute(path, { upgrades });
    // A network calls by whatever name leads here.
    if (provesItself(route)) return { route };
    const from = judgeOfNow()(request.headers, {
      peer: peer.address.hostname,
      secure: peer.secure,
      method: request.method,
    });
    return "refused" in from ? from : { route, from };
  }

  async function answer(request: Request, asked: Asked, peer: Peer): Promise<Response> {
    if (asked.route === undefined) return refuse(404, "Not Found", "not_found");
    const { verbs }: Route = ROUTES[asked.route];
    if (!verbs.includes(request.method)) {
      const response = refuse(405, "Method Not Allowed", "method");
      response.headers.set("Allow", verbs.join(", "));
      return response;
    }
    const path = spelledPath(request.url);
    switch (asked.route) {
      case "webhook":
        return secured(await answerWebhook(request, webhookAccount(path), webhook, { bodies }));
      case "socket":
        return upgrade(request, asked.from, peer);
      case "probe":
        return secured(probe(path, Date.now() - startedAt));
      case "file":
      case "page":
        return pageIsWanted() && await page.respond(request) ||
          refuse(404, "Not Found", "not_found");
    }
  }

  function pageIsWanted(): boolean {
    return config().gateway?.controlUi?.enabled !== false;
  }

  function upgrade(request: Request, from: Origin, peer: Peer): Response {
    let upgraded: Deno.WebSocketUpgrade;
    try {
      upgraded = Deno.upgradeWebSocket(request, { idleTimeout: IDLE_SECONDS });
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      return refuse(400, NO_HANDSHAKE, "bad_request");
    }
    const { socket, response } = upgraded;
    const line = new SocketLine(socket, { peer, remoteIp: from.remoteIp });
    connections.add(socket, line, from);
    return response;
  }

  const guard: Guard = serveGuarded(respond, {
    hostname,
    port,
    also: [...also],
    ...(tls === undefined ? {} : { tls }),
    folder: `${options.paths.stateDir}/openclaw.sockets`,
    ...(limits === undefined ? {} : { limits }),
    log: (line) => log.debug(line),
  });
  const hearing = bus.subscribe((event) => connections.tell(event));

  return {
    addr: guard.addr,
    also: guard.also,
    evict: () => connections.evict(),
    renew: (tls) => guard.renew(tls),
    goodbye: () => connections.closeAll(1012, "service restart"),
    async [Symbol.asyncDispose]() {
      hearing[Symbol.dispose]();
      await guard.shutdown();
    },
  };
}

/** What is sent goes past the socket straight to the peer, for as long as that takes it. */
class SocketLine implements Line {
  readonly #peer: Peer;
  #isDirect = true;
  readonly #socket: WebSocket;
  readonly remoteIp: string;

  constructor(socket: WebSocket, { peer, remoteIp }: { peer: Peer; remoteIp: string }) {
    this.#socket = socket;
    this.#peer = peer;
    this.remoteIp = remoteIp;
  }

  send(message: Message): void {
    this.#isDirect &&= this.#peer.send(message);
    if (!this.#isDirect && this.#socket.readyState === WebSocket.OPEN) {
      this.#socket.send(textOf(message));
    }
  }

  get buffered(): number {
    return this.#isDirect ? this.#peer.buffered : this.#socket.bufferedAmount;
  }

  raise(maxMessageBytes: number): void {
    this.#peer.raise(maxMessageBytes);
  }

  cut(code: number, reason: string): void {
    this.#peer.cut(code, reason);
  }
}

/** By which way somebody comes, and who they are as far as that is looked at. */
type Asked =
  | { readonly route: SelfProving }
  | { readonly route: Exclude<RouteName, SelfProving> | undefined; readonly from: Origin };

function probe(path: string, uptimeMs: number): Response {
  const body = path.startsWith("/health")
    ? { ok: true, status: "live" }
    : path.startsWith("/ready")
    ? { ready: true, failing: [], uptimeMs }
    : { ok: true, status: "started", uptimeMs };
  return Response.json(body, { headers: { "Cache-Control": "no-store" } });
}

function refuse(status: number, message: string, type: string): Response {
  return secured(Response.json({ error: { message, type } }, { status }));
}

function secured(response: Response): Response {
  response.headers.set("X-Content-Type-Options", "nosniff");
  response.headers.set("Referrer-Policy", "no-referrer");
  return response;
}
