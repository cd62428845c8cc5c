/** The port: every request of the outside world comes in here. */
import type { Config } from "../config.ts";
import type { Bus } from "../event.ts";
import type { Log } from "../log.ts";
import { type ConnectionParts, Connections } from "./connection.ts";
import { type Guard, type GuardLimits, type Peer, serveGuarded } from "./guard.ts";
import { isLoopback, judge } from "./locality.ts";

/** Seconds without a sign of life after which a socket is closed; the ping goes out at half time. */
const IDLE_SECONDS = 50;

export interface ServerOptions extends ConnectionParts {
  readonly hostname: string;
  /** Further addresses to listen on, where they can be had. */
  readonly also?: readonly string[];
  readonly port: number;
  readonly limits?: Partial<GuardLimits>;
  readonly config: () => Config;
  readonly bus: Bus;
  readonly log: Log;
  /** The web pages; resolves to `undefined` for a path that is none of theirs. */
  readonly page: { respond(request: Request): Promise<Response | undefined> };
}

export interface Server extends AsyncDisposable {
  readonly addr: Deno.NetAddr;
  /** Ends the connections that came in by the gateway's own secret, which changed. */
  evict(): void;
  /** Tells every client that the gateway goes, and waits until they are gone. */
  goodbye(): Promise<void>;
}

/** Opens the port. Throws `Deno.errors.AddrInUse` where somebody else has it. */
export function listen(options: ServerOptions): Server {
  const { hostname, also = [], port, limits, config, bus, log, page } = options;
  const connections = new Connections(options);
  const startedAt = Date.now();
  const bindsLoopback = isLoopback(hostname) || hostname === "localhost";

  async function respond(request: Request, peer: Peer): Promise<Response> {
    const from = judge(request.headers, {
      peer: peer.address.hostname,
      config: config(),
      bindsLoopback,
    });
    if ("refused" in from) return refuse(403, from.refused, "forbidden");
    if (request.headers.get("upgrade")?.toLowerCase() === "websocket") {
      const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: IDLE_SECONDS });
      connections.add(socket, {
        remoteIp: peer.address.hostname.replace(/^::ffff:/i, ""),
        send: (text) => peer.send(text),
        get buffered() {
          return peer.buffered;
        },
        raise: (bytes) => peer.raise(bytes),
        cut: (code, reason) => peer.cut(code, reason),
      }, from);
      return response;
    }
    return probe(new URL(request.url).pathname, request.method) ?? await page.respond(request) ??
      refuse(404, "Not Found", "not_found");
  }

  /** What monitors ask; open to everybody, as it tells nothing of anybody. */
  function probe(path: string, method: string): Response | undefined {
    const body = PROBES[path]?.(Date.now() - startedAt);
    if (body === undefined) return undefined;
    if (method !== "GET" && method !== "HEAD") return refuse(405, "Method Not Allowed", "method");
    return secured(Response.json(body, { headers: { "Cache-Control": "no-store" } }));
  }

  const guard: Guard = serveGuarded(respond, {
    hostname,
    port,
    also: [...also],
    ...(limits === undefined ? {} : { limits }),
    log: (line) => log.debug(line),
  });
  const hearing = bus.subscribe((event) => connections.tell(event));

  return {
    addr: guard.addr,
    evict: () => connections.evict(),
    goodbye: () => connections.closeAll(1012, "service restart"),
    async [Symbol.asyncDispose]() {
      hearing[Symbol.dispose]();
      await guard.shutdown();
    },
  };
}

const live = () => ({ ok: true, status: "live" });
const ready = (uptimeMs: number) => ({ ready: true, failing: [], uptimeMs });
const PROBES: Readonly<Record<string, ((uptimeMs: number) => object) | undefined>> = {
  "/health": live,
  "/healthz": live,
  "/ready": ready,
  "/readyz": ready,
  "/startupz": (uptimeMs) => ({ ok: true, status: "started", uptimeMs }),
};

function refuse(status: number, message: string, type: string): Response {
  return secured(Response.json({ error: { message, type } }, { status }));
}

function secured(response: Response): Response {
  response.headers.set("X-Content-Type-Options", "nosniff");
  response.headers.set("Referrer-Policy", "no-referrer");
  return response;
}
