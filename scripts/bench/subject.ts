/** What is measured: our gateway, the bare echo beside it, and the released gateways where they are. */
import { dirname } from "node:path";
import type { SessionKey } from "../../src/session.ts";
import { openStore } from "../../src/store/sqlite.ts";
import type { Peers, Protocol } from "../../tests/clients/install.ts";
import {
  compiled,
  type GatewayProcess,
  spawnGateway,
  type Start,
  TOKEN,
} from "../gateway_process.ts";
import { Loader } from "./loader.ts";
import type { Pace } from "./model.ts";
import type { Channels } from "./networks.ts";
import { type Address, Connection } from "./wire.ts";

/** One of the programs measured. */
export interface Subject {
  readonly name: "ours" | "echo" | "v3" | "v4";
  readonly start: Start;
  /** It has sessions, agents and a command line. */
  readonly isGateway: boolean;
  /** It starts in seconds: it is measured once where others are measured often. */
  readonly slow: boolean;
  /** Where it lives when a measurement doesn't want an empty place. */
  readonly home: string;
}

/** The conversation of 10,000 messages; only ours has it. */
export const LONG_CONVERSATION = "agent:main:bench-history";

/** The compiled gateway, with a home that has a long conversation in it. */
export function ours(home: string): Subject {
  Deno.mkdirSync(`${home}/.openclaw`, { recursive: true, mode: 0o700 });
  using store = openStore(`${home}/.openclaw/openclaw.sqlite`);
  store.transaction(() => {
    const { id } = store.sessions.save(LONG_CONVERSATION as SessionKey, {
      agentId: "main",
      now: Date.now(),
    });
    for (let n = 0; n < 10_000; n++) {
      const [at, text] = [Date.now(), `Message ${n}: ${"some words of no weight ".repeat(12)}`];
      const message = n % 2 === 0 ? { role: "user", content: text, timestamp: at } as const : {
        role: "assistant",
        content: [{ type: "text", text }],
        provider: "bench",
        model: "bench",
        stopReason: "stop",
        timestamp: at,
      } as const;
      store.transcripts.append(id, { at, kind: "message", message });
    }
  });
  return { name: "ours", start: compiled(), isGateway: true, slow: false, home };
}

/** The echo server, compiled to `file`. */
export function echo(file: string, home: string): Subject {
  return { name: "echo", start: compiled(file), isGateway: false, slow: false, home };
}

/** A released gateway. */
export function released(peers: Peers, protocol: Protocol, home: string): Subject {
  const start = {
    command: [peers.node, peers.entry[protocol]],
    env: { OPENCLAW_DISABLE_BONJOUR: "1", OPENCLAW_NO_RESPAWN: "1" },
  };
  return { name: `v${protocol}`, start, isGateway: true, slow: true, home };
}

/** A subject that runs, with a load generator of its own. */
export interface Running extends AsyncDisposable {
  readonly gateway: GatewayProcess;
  readonly address: Address;
  readonly load: Loader;
}

/**
 * Starts a subject in its home; its agent's model is a server on loopback that speaks at `pace`, and
 * it is on the networks that `prepare` has the load generator start.
 */
export async function run(
  subject: Subject,
  pace: Pace = { tokens: 1, tokenMs: 1 },
  prepare: (load: Loader) => Promise<Channels> = () => Promise.resolve({}),
): Promise<Running> {
  await using parts = new AsyncDisposableStack();
  const load = parts.use(new Loader());
  if (subject.isGateway) {
    const { port } = await load.do("model", pace);
    await configure(subject.home, port, await prepare(load));
  }
  const { gateway } = await firstAnswer(subject, subject.home);
  parts.use(gateway);
  const all = parts.move();
  return {
    gateway,
    address: addressOf(subject, gateway),
    load,
    [Symbol.asyncDispose]: () => all[Symbol.asyncDispose](),
  };
}

/** Starts a subject and asks it for its health; `ms` is from the start to the answer. */
export async function firstAnswer(
  subject: Subject,
  home: string,
): Promise<{ gateway: GatewayProcess; ms: number }> {
  const started = performance.now();
  const gateway = spawnGateway(subject.start, { home });
  const giveUpAt = started + START_TIMEOUT_MS;
  while (performance.now() < giveUpAt) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port: gateway.port })).close();
      const connection = await Connection.open(addressOf(subject, gateway));
      await connection.ask("health", {});
      const ms = performance.now() - started;
      await connection.close();
      return { gateway, ms };
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 1)); // not yet
    }
  }
  await gateway.end("SIGKILL");
  throw new Error(`${subject.name} does not answer:\n${gateway.output()}`);
}

const START_TIMEOUT_MS = 90_000;

function addressOf({ isGateway }: Subject, { url }: GatewayProcess): Address {
  return isGateway ? { url, token: TOKEN } : { url };
}

/** Every gateway measured reads this. */
async function configure(home: string, modelPort: number, channels: Channels) {
  const path = `${home}/.openclaw/openclaw.json`;
  await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const cost = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
  const model = {
    id: "bench",
    name: "Bench",
    reasoning: false,
    input: ["text"],
    contextWindow: 128_000,
    maxTokens: 4096,
    cost,
  };
  const provider = {
    baseUrl: `http://127.0.0.1:${modelPort}/v1`,
    apiKey: "none",
    api: "openai-completions",
    models: [model],
  };
  await Deno.writeTextFile(
    path,
    JSON.stringify({
      gateway: { mode: "local" },
      models: { providers: { bench: provider } },
      agents: { defaults: { model: { primary: "bench/bench" }, maxConcurrent: 64 } },
      ...Object.keys(channels).length === 0
        ? {}
        : { channels, session: { dmScope: "per-channel-peer" } },
    }),
  );
}
