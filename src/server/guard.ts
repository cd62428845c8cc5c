/** The only TCP listener: limits what `Deno.serve` can't, and speaks to it over a private socket. */
import { addressKey } from "./address.ts";
import { Connection, type Origin, type Post } from "./guard_connection.ts";
import { Turn } from "./turn.ts";
import { PEER_HEADER } from "./guard_head.ts";
import { Framer, type Message } from "./guard_frames.ts";
import { InnerServer } from "./guard_inner.ts";
import { Buffers } from "./guard_intake.ts";
import { TOO_MANY_CONNECTIONS } from "./guard_refusal.ts";

/** In bytes, milliseconds and numbers of connections. */
export interface GuardLimits {
  /** One WebSocket message, its fragments together, before `raise`. */
  readonly preauthMessageBytes: number;
  /** A request's head. */
  readonly headerBytes: number;
  /** How long a client may take for a head; a handler, to accept a WebSocket. */
  readonly headerMs: number;
  /** The body of a plain request. */
  readonly bodyBytes: number;
  /** How long a client may say nothing in the middle of a body, or between two requests. */
  readonly idleHttpMs: number;
  /** Open connections in all. */
  readonly connections: number;
  /** Open connections of one address; `addressKey` tells which are one. */
  readonly perAddress: number;
  /** WebSockets of one address that are not raised. */
  readonly preauthPerAddress: number;
  /** How long such a one keeps its place when others of its address want it. */
  readonly patienceMs: number;
  /** How long bytes may wait for a client that takes none. */
  readonly stuckMs: number;
  /** How long an end may take, of one connection or of all, before it is made short. */
  readonly closeMs: number;
}

export const GUARD_LIMITS: GuardLimits = {
  preauthMessageBytes: 65_536,
  headerBytes: 32_768,
  headerMs: 10_000,
  bodyBytes: 26_214_400,
  idleHttpMs: 60_000,
  connections: 10_000,
  perAddress: 4_096,
  preauthPerAddress: 128,
  patienceMs: 1_000,
  stuckMs: 10_000,
  closeMs: 2_000,
};

/** One TCP connection as the handler sees it; all its requests share one. */
export interface Peer {
  /** Where it really comes from. */
  readonly address: Deno.NetAddr;
  /** Whether it came over TLS. */
  readonly secure: boolean;
  /** Resolves when the connection is gone; never rejects. */
  readonly closed: Promise<void>;
  /** Its WebSocket has proved itself: messages up to this size may come from now on. */
  raise(maxMessageBytes: number): void;
  /**
   * Sends a text message of its WebSocket straight to the client, which spares the way through the
   * inner server; that one must then send control frames only. To be called once the socket is
   * open. `false`, always, for a WebSocket that began on a connection used before: there the inner
   * server must send everything.
   */
  send(message: Message): boolean;
  /** Messages sent so that the client has not taken: their length, a letter of text for a byte. */
  readonly buffered: number;
  /**
   * Drops the connection now and frees what is buffered for it on both sides; the server's end of
   * its WebSocket closes. With a code, the client is sent that close frame if it can take it at once.
   */
  cut(code?: number, reason?: string): void;
}

/** A certificate, with those that vouch for it behind it, and its key; both in PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/**
 * `request.url` names the host that the client asked for, but not so in a clone. Among the headers
 * is a private one of the guard, which must not be passed on.
 */
export type Handler = (request: Request, peer: Peer) => Response | Promise<Response>;

export interface GuardOptions {
  readonly hostname: string;
  /** 0 for any that is free. */
  readonly port: number;
  /** Further addresses to listen on at the same port, where they can be had. */
  readonly also?: readonly string[];
  /** To speak TLS with. */
  readonly tls?: KeyPair;
  /** For private sockets and nothing else, where only this user may go; see `InnerOptions`. */
  readonly folder?: string;
  readonly limits?: Partial<GuardLimits>;
  /** Is told of what went wrong and concerns nobody else. */
  readonly log?: (line: string) => void;
  /** Is told of a peer that is dropped because it takes none of its bytes. */
  readonly onStuck?: (peer: Peer) => void;
}

export interface GuardStats {
  readonly connections: number;
  /** WebSockets that are not raised. */
  readonly unauthenticated: number;
}

export interface Guard extends AsyncDisposable {
  /** The first address that is listened on. */
  readonly addr: Deno.NetAddr;
  /** The further ones that could be had. */
  readonly also: readonly Deno.NetAddr[];
  stats(): GuardStats;
  /**
   * Shows another certificate from now on; connections that are open live on. Resolves when it is
   * shown. Rejects, and changes nothing, if TLS can't be spoken with it. One call at a time.
   */
  renew(tls: KeyPair): Promise<void>;
  /**
   * Stops listening, lets answers that are under way and sockets that are open finish for
   * `closeMs`, then drops what is left. Close the sockets first. Never rejects.
   */
  shutdown(): Promise<void>;
}

/**
 * Serves HTTP and WebSockets. A request that reaches the handler is well-formed and within the
 * limits, and so is every frame of a WebSocket that the handler makes of it. Throws
 * `Deno.errors.AddrInUse` where somebody else has the port.
 */
export function serveGuarded(handler: Handler, options: GuardOptions): Guard {
  return new ServingGuard(handler, options);
}

class ServingGuard implements Guard {
  readonly addr: Deno.NetAddr;
  readonly also: readonly Deno.NetAddr[];
  readonly #limits: GuardLimits;
  readonly #log: (line: string) => void;
  readonly #handler: Handler;
  readonly #inner: InnerServer;
  readonly #post: Post;
  /** Each with its loop, which ends after it was closed. */
  readonly #listeners = new Map<Listener, Promise<void>>();
  readonly #isSecure: boolean;
  readonly #connections = new Map<string, Connection>();
  /** Those over a limit, as long as they take to read why. */
  readonly #turnedAway = new Set<Connection>();
  readonly #origins = new Map<string, Origin>();
  readonly #sweeper: ReturnType<typeof setInterval>;
  #onSweep: (() => void)[] = [];
  #stopped: Promise<void> | undefined;

  constructor(handler: Handler, options: GuardOptions) {
    const { hostname, port, also = [], tls, folder, limits, ...tell } = options;
    this.#handler = handler;
    this.#limits = { ...GUARD_LIMITS, ...limits };
    this.#log = tell.log ?? (() => {});
    this.#isSecure = tls !== undefined;

    const first = listen(hostname, port, tls);
    const listeners = [first];
    this.addr = first.addr;
    for (const further of also) {
      try {
        listeners.push(listen(further, this.addr.port, tls));
      } catch (error) {
        this.#log(`Cannot listen on ${further} as well: ${error}`);
      }
    }
    this.also = listeners.slice(1).map(({ addr }) => addr);

    this.#inner = new InnerServer({
      handler: (request, info) => this.#answer(request, info),
      log: this.#log,
      folder,
    });
    this.#post = {
      turn: new Turn(),
      framer: new Framer(),
      limits: this.#limits,
      buffers: {
        small: new Buffers(SMALL_BUFFER, MAX_SPARE_SMALL),
        large: new Buffers(Math.max(LARGE_BUFFER, this.#limits.headerBytes), MAX_SPARE_LARGE),
      },
      connect: () => this.#inner.connect(),
      onStuck: tell.onStuck ?? (() => {}),
      log: this.#log,
    };
    // It keeps the process alive, as a listener does, while none can accept.
    this.#sweeper = setInterval(() => this.#sweep(), sweepMs(this.#limits));
    for (const listener of listeners) this.#listeners.set(listener, this.#accept(listener));
  }

  stats(): GuardStats {
    let unauthenticated = 0;
    for (const origin of this.#origins.values()) {
      unauthenticated += origin.unauthenticated.size;
    }
    return { connections: this.#connections.size, unauthenticated };
  }

  async renew(tls: KeyPair): Promise<void> {
    if (!this.#isSecure) throw new Error("Cannot renew the certificate: TLS is not spoken here");
    listen("127.0.0.1", 0, tls).close(); // throws where the pair is no good, and nothing is lost
    for (const [listener, accepting] of [...this.#listeners]) {
      if (this.#stopped !== undefined) return;
      // Deno can't swap the certificate of a listener. The port is free once the loop has ended.
      this.#listeners.delete(listener);
      listener.close();
      await accepting;
      await this.#reopen(listener.addr, tls);
    }
  }

  shutdown(): Promise<void> {
    return this.#stopped ??= this.#stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  /** Listens again where it was done before; resolves when that is so, or has no use any more. */
  async #reopen({ hostname, port }: Deno.NetAddr, tls: KeyPair): Promise<void> {
    while (this.#stopped === undefined) {
      try {
        const listener = listen(hostname, port, tls);
        this.#listeners.set(listener, this.#accept(listener));
        return;
      } catch (error) {
        this.#log(`Cannot listen on ${hostname} again: ${error}`);
        await this.#nextSweep();
      }
    }
  }

  async #accept(listener: Listener): Promise<void> {
    while (this.#stopped === undefined) {
      let client: Client;
      try {
        client = await listener.accept();
      } catch (error) {
        if (this.#stopped !== undefined || !this.#listeners.has(listener)) return;
        if (LEFT_ALREADY.some((kind) => error instanceof kind)) continue; // it, and nobody else
        this.#log(`Cannot accept a connection: ${error}`);
        await this.#nextSweep(); // mostly for want of file descriptors, which only time brings back
        continue;
      }
      this.#admit(client);
    }
  }

  #admit(client: Client): void {
    try {
      // Deno cannot do it for TLS: there a small write waits until the one before it has arrived.
      if ("setNoDelay" in client) client.setNoDelay(true);
    } catch {
      return client.close(); // it has left already
    }
    const key = addressKey(client.remoteAddr.hostname);
    const origin = this.#origins.get(key) ?? { open: 0, unauthenticated: new Set() };
    const connection = new Connection(client, { post: this.#post, origin, secure: this.#isSecure });
    if (
      this.#connections.size >= this.#limits.connections || origin.open >= this.#limits.perAddress
    ) {
      return this.#turnAway(connection);
    }
    origin.open++;
    this.#origins.set(key, origin);
    this.#connections.set(connection.token, connection);
    void connection.run().then(() => {
      this.#connections.delete(connection.token);
      if (--origin.open === 0) this.#origins.delete(key);
    });
  }

  /** Tells the client why, unless there are so many that only silence is cheap enough. */
  #turnAway(connection: Connection): void {
    if (this.#turnedAway.size >= MAX_TURNED_AWAY) return connection.drop();
    this.#turnedAway.add(connection);
    void connection.run(TOO_MANY_CONNECTIONS).then(() => this.#turnedAway.delete(connection));
  }

  /** Gives a request that came out of the inner server to its connection. */
  #answer(request: Request, { completed }: Deno.ServeHandlerInfo): Response | Promise<Response> {
    const peer = request.headers.get(PEER_HEADER) ?? "";
    const connection = this.#connections.get(peer.slice(0, TOKEN_LENGTH));
    if (connection === undefined) {
      completed.catch(() => {});
      return new Response("Forbidden", { status: 403 });
    }
    const mark = peer.slice(TOKEN_LENGTH);
    return connection.answer({ request, mark, completed }, this.#handler);
  }

  #nextSweep(): Promise<void> {
    return new Promise((resolve) => this.#onSweep.push(resolve));
  }

  #sweep(): void {
    const now = performance.now();
    for (const connection of this.#connections.values()) connection.sweep(now);
    for (const connection of this.#turnedAway) connection.sweep(now);
    const onSweep = this.#onSweep;
    this.#onSweep = [];
    for (const resume of onSweep) resume();
  }

  async #stop(): Promise<void> {
    const { closeMs } = this.#limits;
    const connections = () => [...this.#connections.values(), ...this.#turnedAway];
    const finished = (some: readonly Connection[]) =>
      Promise.all(some.map(({ finished }) => finished));

    for (const listener of this.#listeners.keys()) listener.close();
    // `Deno.serve` would close the sockets in its own way, over the close frames under way.
    await within(closeMs, finished(connections().filter(({ isWebSocket }) => isWebSocket)));
    for (const connection of connections()) if (!connection.hasAsked) connection.drop();
    const ended = this.#inner.shutdown();
    await within(closeMs, finished(connections()));
    for (const connection of connections()) connection.drop();
    await within(closeMs, ended);

    clearInterval(this.#sweeper);
    for (const resume of this.#onSweep) resume();
    await this.#inner.remove();
  }
}

const TOKEN_LENGTH = 36;
const SMALL_BUFFER = 1_024;
const LARGE_BUFFER = 32_768;
const MAX_SPARE_SMALL = 1_024;
const MAX_SPARE_LARGE = 64;
const MAX_TURNED_AWAY = 64;
/** Of a client that has reset its connection before it was accepted. */
const { ConnectionAborted, ConnectionReset, NotConnected } = Deno.errors;
const LEFT_ALREADY = [NotConnected, ConnectionAborted, ConnectionReset];

type Client = Deno.TcpConn | Deno.TlsConn;

interface Listener {
  readonly addr: Deno.NetAddr;
  accept(): Promise<Client>;
  close(): void;
}

function listen(hostname: string, port: number, tls: KeyPair | undefined): Listener {
  return tls === undefined
    ? Deno.listen({ hostname, port })
    : Deno.listenTls({ hostname, port, ...tls });
}

/** Often enough for the shortest limit to be kept within a quarter of it. */
function sweepMs({ headerMs, idleHttpMs, stuckMs, closeMs }: GuardLimits): number {
  return Math.min(1_000, Math.max(5, Math.min(headerMs, idleHttpMs, stuckMs, closeMs) / 4));
}

/** Resolves with the promise, which must not reject, or when the time is up. */
async function within(ms: number, promise: Promise<unknown>): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([promise, late]);
  clearTimeout(timer);
}
