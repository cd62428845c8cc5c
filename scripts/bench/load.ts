/**
 * The load generator: a process of its own, so that the server's work can be told from the asking.
 * Reads orders from standard input, one JSON object a line, and answers each with one.
 */
import { type Answered, MARK, type Pace, serveModel, tokensIn } from "./model.ts";
import { type NetworkOrders, Networks } from "./networks.ts";
import { type Address, ANSWERS, BROADCAST, Connection, isAnswer, PRESENCE_EVENT } from "./wire.ts";

/** What can be ordered, and what comes back. Times are milliseconds. */
export interface Orders extends NetworkOrders {
  /** Opens connections and keeps them. */
  open(order: Address & { count: number }): Promise<void>;
  /** Closes all that are kept. */
  close(): Promise<void>;
  /** Connects and closes, one after another. */
  handshakes(order: Address & { count: number }): Promise<{ perSecond: number }>;
  /**
   * Keeps so many `health` requests in flight on each of so many connections. An echo answers with
   * `echoBytes`.
   */
  flood(
    order: Address & { connections: number; inFlight: number; forMs: number; echoBytes?: number },
  ): Promise<{ perSecond: number; bytes: number }>;
  /** Causes events, one after another, each when all kept connections have the one before. */
  broadcast(order: { events: number; echoBytes?: number }): Promise<{ bytes: number }>;
  /** Starts a model server. */
  model(order: Pace): Promise<{ port: number }>;
  /** Lets agents answer, so many at once: what it took besides the model, and each token's way. */
  agents(
    order: Address & { atOnce: number; rounds: number },
  ): Promise<{ overheadMs: readonly number[]; tokenMs: readonly number[] }>;
  /** Reads a history: first alone, then four at once while a fifth client asks for `health`. */
  history(
    order: Address & { sessionKey: string; reads: number },
  ): Promise<{ readMs: readonly number[]; healthMs: readonly number[] }>;
}

/** A text that gateways read as somebody's presence, and tell to everybody. */
const PRESENCE = "Node: bench (192.0.2.1) · app 1 · last input 0s ago · mode ui · reason bench";

const kept: Connection[] = [];
const noted = new Map<string, Answered>();
const networks = new Networks();

const orders: Orders = {
  networks: () => networks.networks(),
  telegram: (order) => networks.telegram(order),
  connected: (order) => networks.connected(order),
  replies: (order) => networks.replies(order),
  receiveFile: (order) => networks.receiveFile(order),
  sendFile: (order) => networks.sendFile(order),

  async open({ count, ...address }) {
    kept.push(...await openMany(count, address));
  },

  async close() {
    await Promise.all(kept.splice(0).map((connection) => connection.close()));
  },

  async handshakes({ count, ...address }) {
    const closing: Promise<void>[] = [];
    const started = performance.now();
    while (closing.length < count) closing.push((await Connection.open(address)).close());
    const perSecond = count / (performance.now() - started) * 1000;
    await Promise.all(closing);
    return { perSecond };
  },

  async flood({ connections, inFlight, forMs, echoBytes, ...address }) {
    const all = await openMany(connections, address);
    let [answers, bytes] = [0, 0];
    for (const connection of all) {
      if (echoBytes !== undefined) connection.sendText(`${ANSWERS}${echoBytes}`);
      connection.onText = (text) => {
        if (!isAnswer(text)) return;
        answers++;
        bytes = text.length;
        connection.send("health", {});
      };
      for (let n = 0; n < inFlight; n++) connection.send("health", {});
    }
    await pause(forMs / 4); // until both sides are warm
    const [before, started] = [answers, performance.now()];
    await pause(forMs);
    const perSecond = (answers - before) / (performance.now() - started) * 1000;
    for (const connection of all) connection.onText = () => {};
    await Promise.all(all.map((connection) => connection.close()));
    return { perSecond, bytes };
  },

  async broadcast({ events, echoBytes }) {
    let bytes = 0;
    for (let event = 0; event < events; event++) {
      const { promise, resolve } = Promise.withResolvers<void>();
      let missing = kept.length;
      for (const connection of kept) {
        connection.onText = (text) => {
          if (!text.startsWith(PRESENCE_EVENT)) return;
          bytes = text.length;
          if (--missing === 0) resolve();
        };
      }
      if (echoBytes === undefined) kept[0]?.send("system-event", { text: PRESENCE });
      else kept[0]?.sendText(`${BROADCAST}${echoBytes}`);
      await promise;
    }
    return { bytes };
  },

  model(pace) {
    return Promise.resolve(serveModel(pace, noted));
  },

  async agents({ atOnce, rounds, ...address }) {
    const connection = await Connection.open(address);
    const waiting = new Map<string, () => void>();
    const tokenMs: number[] = [];
    connection.onText = (text) => {
      const now = performance.now();
      const { type, id, ok, event, payload, error } = JSON.parse(text);
      if (type === "res") {
        if (!ok) throw new Error(`Agent failed: ${JSON.stringify(error)}`);
        if (payload.status === "ok") waiting.get(id)?.();
      } else if (event === "agent" && payload.stream === "assistant") {
        const handedOver = noted.get(payload.runId)?.tokenAt ?? [];
        for (const token of tokensIn(payload.data.delta ?? "")) {
          tokenMs.push(now - (handedOver[token] ?? NaN));
        }
      }
    };
    const overheadMs: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const runs = Array.from({ length: atOnce }, async (_, n) => {
        const runId = crypto.randomUUID().replaceAll("-", "");
        const { promise: done, resolve } = Promise.withResolvers<void>();
        const started = performance.now();
        const id = connection.send("agent", {
          message: `${MARK}${runId}`,
          sessionKey: `agent:main:bench-${n}`,
          idempotencyKey: runId,
          deliver: false,
        });
        waiting.set(id, resolve);
        await done;
        overheadMs.push(performance.now() - started - (noted.get(runId)?.tookMs ?? NaN));
      });
      await Promise.all(runs);
    }
    await connection.close();
    return { overheadMs, tokenMs };
  },

  async history({ sessionKey, reads, ...address }) {
    const asker = await Connection.open(address);
    const readers = await openMany(4, address);
    const read = async (reader: Connection) => {
      const ms: number[] = [];
      const params = { sessionKey, limit: 200 };
      while (ms.length < reads) ms.push(await timed(() => reader.ask("chat.history", params)));
      return ms;
    };
    const [readMs = []] = await Promise.all(readers.slice(0, 1).map(read));
    const healthMs: number[] = [];
    let reading = true;
    const all = Promise.all(readers.map(read)).finally(() => reading = false);
    while (reading) healthMs.push(await timed(() => asker.ask("health", {})));
    await all;
    await Promise.all([asker, ...readers].map((connection) => connection.close()));
    return { readMs, healthMs };
  },
};

/** Some at a time: a gateway takes only so many that have not said who they are. */
async function openMany(count: number, address: Address): Promise<readonly Connection[]> {
  const open: Connection[] = [];
  while (open.length < count) {
    const some = Array.from({ length: Math.min(count - open.length, 20) });
    open.push(...await Promise.all(some.map(() => Connection.open(address))));
  }
  return open;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

if (import.meta.main) {
  const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream());
  let rest = "";
  for await (const text of lines) {
    const complete = (rest + text).split("\n");
    rest = complete.pop() ?? "";
    for (const line of complete) {
      const { name, order }: { name: keyof Orders; order: never } = JSON.parse(line);
      console.log(JSON.stringify({ result: await orders[name](order) }));
    }
  }
  Deno.exit(0); // whatever still listens
}
