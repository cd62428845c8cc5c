/** A whole gateway for a test: real store, real port, its own state folder, gone afterwards. */
import { type RunningGateway, start } from "../src/cli/serve.ts";
import type { ServeFlags } from "../src/cli/serve_flags.ts";
import { type ClientOptions, GatewayClient } from "../src/client/client.ts";
import type { ChannelAccountSnapshot } from "../schemas/channels.ts";
import type { EventFrame } from "../schemas/frames.ts";

export const TOKEN = "test-token-that-nobody-could-guess-0123456789";

export interface TestGateway extends AsyncDisposable {
  readonly url: string;
  readonly http: string;
  readonly stateDir: string;
  readonly running: RunningGateway;
  /** Lines that it printed for people. */
  readonly printed: readonly string[];
  /** An operator with every scope, as the command line would be. */
  connect(options?: Partial<ClientOptions>): Promise<TestClient>;
  /** Stops it and starts another one on the same state. */
  restart(): Promise<TestGateway>;
}

/** A client that remembers what it was told. */
export interface TestClient extends AsyncDisposable {
  readonly client: GatewayClient;
  readonly request: GatewayClient["request"];
  readonly events: readonly EventFrame[];
  /** The first event that fits, whether it came already or will. */
  event(fits: (event: EventFrame) => boolean): Promise<EventFrame>;
}

/** `config` is written to `openclaw.json` first; `env` is all of the environment that it sees. */
export async function startGateway(
  { config, env = {}, stateDir, token = TOKEN, tls = false, flags = {} }: {
    config?: unknown;
    /** What `--token` says; `null` leaves it to the configuration. */
    token?: string | null;
    env?: Readonly<Record<string, string>>;
    stateDir?: string;
    /** What `--tls` says. */
    tls?: boolean;
    /** What other flags say. */
    flags?: Partial<ServeFlags>;
  } = {},
): Promise<TestGateway> {
  const folder = stateDir ?? await Deno.makeTempDir({ prefix: "openclaw-test-" });
  if (stateDir === undefined || config !== undefined) {
    await Deno.writeTextFile(`${folder}/openclaw.json`, JSON.stringify(config ?? DEMO));
  }
  const printed: string[] = [];
  const running = await start({
    stateDir: folder,
    configPath: `${folder}/openclaw.json`,
    port: 0,
    defaultPort: 0,
    ...(token === null ? {} : { token }),
    tls,
    verbose: false,
    force: false,
    dev: false,
    allowUnconfigured: true,
    colour: false,
    env: { OPENCLAW_DISABLE_BONJOUR: "1", ...env }, // no test is the network's business
    ...flags,
  }, (line) => printed.push(line));
  const { port } = running.server.addr;
  const secure = running.tls === undefined ? "" : "s";
  const url = `ws${secure}://127.0.0.1:${port}`;
  let removes = stateDir === undefined;
  return {
    url,
    http: `http${secure}://127.0.0.1:${port}`,
    stateDir: folder,
    running,
    printed,
    connect: (options) => connectTo(url, options),
    async restart() {
      removes = false;
      await running[Symbol.asyncDispose]();
      const next = await startGateway({ env, stateDir: folder });
      return {
        ...next,
        async [Symbol.asyncDispose]() {
          await next[Symbol.asyncDispose]();
          await Deno.remove(folder, { recursive: true });
        },
      };
    },
    async [Symbol.asyncDispose]() {
      if (stateDir === undefined && !removes) return; // handed over by restart
      await running[Symbol.asyncDispose]();
      if (removes) await Deno.remove(folder, { recursive: true });
    },
  };
}

/** Nothing else that runs on the developer's machine may answer in the demo's place. */
export const DEMO = { agents: { defaults: { model: { primary: "demo/demo" } } } };

const ALL_SCOPES = [
  "operator.admin",
  "operator.read",
  "operator.write",
  "operator.approvals",
  "operator.pairing",
];

/** The accounts on all networks as `network/account`. */
export type Accounts = Readonly<Record<string, ChannelAccountSnapshot>>;

/** Resolves to the accounts once they are so; asked again when the gateway tells that one has changed. */
export async function accountsOnce(
  { request, events, event }: TestClient,
  areSo: (accounts: Accounts) => boolean,
): Promise<Accounts> {
  for (;;) {
    const { length } = events;
    const { channelAccounts } = await request("channels.status", {});
    const accounts = Object.fromEntries(
      Object.entries(channelAccounts).flatMap(([channel, all]) =>
        all.map((account) => [`${channel}/${account.accountId}`, account])
      ),
    );
    if (areSo(accounts)) return accounts;
    await event((heard) => heard.event === "health" && events.indexOf(heard) >= length);
  }
}

/** Connects to any gateway; see `TestGateway.connect`. */
export async function connectTo(
  url: string,
  options: Partial<ClientOptions> = {},
): Promise<TestClient> {
  const events: EventFrame[] = [];
  const waiting = new Set<(event: EventFrame) => void>();
  const client = await GatewayClient.connect({
    url,
    client: { id: "cli", mode: "cli", version: "test", platform: "linux" },
    scopes: ALL_SCOPES,
    auth: { token: TOKEN },
    ...options,
    onEvent(event) {
      events.push(event);
      for (const hear of waiting) hear(event);
    },
  });
  return {
    client,
    request: client.request.bind(client),
    events,
    event(fits) {
      const known = events.find(fits);
      if (known !== undefined) return Promise.resolve(known);
      return new Promise((resolve) => {
        const hear = (event: EventFrame) => {
          if (!fits(event)) return;
          waiting.delete(hear);
          resolve(event);
        };
        waiting.add(hear);
      });
    },
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}

/** A socket without manners: sends what it is told and remembers all that comes. */
export class RawSocket implements AsyncDisposable {
  readonly socket: WebSocket;
  readonly frames: Record<string, unknown>[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  #waiting: (() => void)[] = [];

  constructor(url: string) {
    this.socket = new WebSocket(url);
    const { promise, resolve } = Promise.withResolvers<{ code: number; reason: string }>();
    this.closed = promise;
    this.socket.onmessage = ({ data }) => {
      this.frames.push(JSON.parse(data));
      for (const wake of this.#waiting.splice(0)) wake();
    };
    this.socket.onerror = () => {};
    this.socket.onclose = ({ code, reason }) => {
      resolve({ code, reason });
      for (const wake of this.#waiting.splice(0)) wake();
    };
  }

  /** The first frame that fits; rejects if the socket closes before it came. */
  async frame(fits: (frame: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> {
    for (;;) {
      const found = this.frames.find(fits);
      if (found !== undefined) return found;
      if (this.socket.readyState === WebSocket.CLOSED) throw new Error("closed before it came");
      await new Promise<void>((wake) => this.#waiting.push(wake));
    }
  }

  /** Sends text as it is, once the gateway has sent its challenge. */
  async send(text: string | Uint8Array<ArrayBuffer>): Promise<void> {
    await this.frame(({ event }) => event === "connect.challenge");
    this.socket.send(text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.socket.readyState !== WebSocket.CLOSED) this.socket.close();
    await this.closed;
  }
}

/** The text of a `connect` request. */
export function connectFrame(params: Record<string, unknown> = {}): string {
  return JSON.stringify({
    type: "req",
    id: "c1",
    method: "connect",
    params: {
      minProtocol: 4,
      maxProtocol: 4,
      client: { id: "cli", mode: "cli", version: "test", platform: "linux" },
      scopes: ALL_SCOPES,
      auth: { token: TOKEN },
      ...params,
    },
  });
}
