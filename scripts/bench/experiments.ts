/** What is measured, and how. */
import { dirname } from "node:path";
import { TOKEN } from "../gateway_process.ts";
import type { Loader } from "./loader.ts";
import type { Channels } from "./networks.ts";
import { cpuMs, peakMiB, residentMiB } from "./process.ts";
import { firstAnswer, LONG_CONVERSATION, run, type Running, type Subject } from "./subject.ts";

/** One number, and what it should be. */
export interface Figure {
  readonly title: string;
  readonly unit: "ms" | "MiB" | "/s" | "%";
  readonly target: Target;
}

/** A bound, in the figure's unit or as a multiple of the echo's figure. */
export type Target =
  | { readonly atMost: number }
  | { readonly atLeast: number }
  | { readonly atMostOfEcho: number }
  | { readonly atLeastOfEcho: number };

/** One way to measure, and the figures that it gives, in their order. */
export interface Experiment {
  readonly name: string;
  readonly figures: readonly Figure[];
  /** Whether it makes sense of a subject. */
  suits(subject: Subject): boolean;
  measure(subject: Subject, effort: Effort): Promise<readonly number[]>;
}

/** How long and how often to measure. */
export interface Effort {
  readonly quick: boolean;
}

/** All of them. Ours is to be measured before the echo. */
export function experiments(): readonly Experiment[] {
  return [
    start,
    cli,
    memory,
    handshakes,
    new Requests(),
    new Broadcast(),
    agent,
    history,
    chats,
    files,
    sick,
  ];
}

const everything = () => true;
const gateways = ({ isGateway }: Subject) => isGateway;

const start: Experiment = {
  name: "start",
  figures: [
    { title: "start on an empty state → first answer", unit: "ms", target: { atMost: 300 } },
    { title: "warm start → first answer", unit: "ms", target: { atMost: 150 } },
  ],
  suits: everything,
  async measure(subject) {
    const home = await Deno.makeTempDir({ prefix: "openclaw-bench-empty-" });
    try {
      const times: number[] = [];
      for (let time = 0; time < 2; time++) {
        const { gateway, ms } = await firstAnswer(subject, home);
        times.push(ms);
        await gateway.end("SIGTERM");
      }
      return times;
    } finally {
      await Deno.remove(home, { recursive: true });
    }
  },
};

const cli: Experiment = {
  name: "cli",
  figures: [
    { title: "openclaw health --json, whole process", unit: "ms", target: { atMost: 100 } },
    { title: "openclaw health --json, most memory", unit: "MiB", target: { atMost: 80 } },
  ],
  suits: gateways,
  async measure(subject) {
    await using running = await run(subject);
    const [program = "", ...args] = subject.start.command;
    const started = performance.now();
    const child = new Deno.Command(program, {
      args: [...args, "health", "--json"],
      clearEnv: true,
      env: {
        ...subject.start.env,
        HOME: subject.home,
        OPENCLAW_GATEWAY_PORT: String(running.gateway.port),
        OPENCLAW_GATEWAY_TOKEN: TOKEN,
      },
      stdin: "null",
      stdout: "null",
    }).spawn();
    let [ms, peak] = [0, 0];
    const over = child.status.then(({ success }) => {
      if (!success) throw new Error(`${subject.name}: openclaw health failed`);
      ms = performance.now() - started;
    });
    while (ms === 0) {
      peak = Math.max(peak, peakMiB(child.pid));
      await Promise.race([over, pause(1)]);
    }
    return [ms, peak];
  },
};

const memory: Experiment = {
  name: "memory",
  figures: [
    { title: "memory, idle", unit: "MiB", target: { atMost: 90 } },
    { title: "memory per 1,000 idle connections", unit: "MiB", target: { atMost: 60 } },
  ],
  suits: everything,
  async measure(subject, { quick }) {
    await using running = await run(subject);
    const { gateway, address, load } = running;
    await pause(quick ? 1_000 : 5_000);
    const idle = residentMiB(gateway.pid);
    await load.do("open", { ...address, count: 1_000 });
    await pause(quick ? 500 : 2_000);
    const crowded = residentMiB(gateway.pid);
    await load.do("close");
    return [idle, crowded - idle];
  },
};

const handshakes: Experiment = {
  name: "handshakes",
  figures: [{ title: "handshakes, one after another", unit: "/s", target: { atLeast: 500 } }],
  suits: everything,
  async measure(subject, { quick }) {
    await using running = await run(subject);
    const { address, load } = running;
    await load.do("handshakes", { ...address, count: 50 });
    const count = quick || subject.slow ? 300 : 1_500;
    return [(await load.do("handshakes", { ...address, count })).perSecond];
  },
};

/** The echo answers with as many bytes as ours, measured before it. */
class Requests implements Experiment {
  readonly name = "requests";
  readonly figures = [
    { title: "health, 1 connection × 64 in flight", unit: "/s", target: { atLeastOfEcho: 0.6 } },
    { title: "health, 50 connections × 8 in flight", unit: "/s", target: { atLeastOfEcho: 0.5 } },
  ] as const;
  #bytes = 1_000;

  suits = everything;

  async measure(subject: Subject, { quick }: Effort): Promise<readonly number[]> {
    await using running = await run(subject);
    const { address, load } = running;
    const forMs = quick ? 1_000 : 4_000;
    const order = subject.isGateway
      ? { ...address, forMs }
      : { ...address, forMs, echoBytes: this.#bytes };
    const one = await load.do("flood", { ...order, connections: 1, inFlight: 64 });
    const many = await load.do("flood", { ...order, connections: 50, inFlight: 8 });
    if (subject.name === "ours") this.#bytes = one.bytes;
    return [one.perSecond, many.perSecond];
  }
}

/** The echo sends as many bytes to everybody as ours, measured before it. */
class Broadcast implements Experiment {
  readonly name = "broadcast";
  readonly figures = [
    {
      title: "an event to 1,000 clients, server's processor",
      unit: "ms",
      target: { atMostOfEcho: 1.5 },
    },
  ] as const;
  #bytes = 1_000;

  suits = everything;

  async measure(subject: Subject, { quick }: Effort): Promise<readonly number[]> {
    await using running = await run(subject);
    const { gateway, address, load } = running;
    await load.do("open", { ...address, count: 1_000 });
    const order = subject.isGateway ? {} : { echoBytes: this.#bytes };
    await load.do("broadcast", { ...order, events: 60 }); // until both sides are warm
    const events = quick ? 60 : 150;
    const before = cpuMs(gateway.pid);
    const { bytes } = await load.do("broadcast", { ...order, events });
    const spent = cpuMs(gateway.pid) - before;
    if (subject.name === "ours") this.#bytes = bytes;
    await load.do("close");
    return [spent / events];
  }
}

const agent: Experiment = {
  name: "agent",
  figures: [
    { title: "agent run beyond its model's time, alone", unit: "ms", target: { atMost: 15 } },
    { title: "agent run beyond its model's time, p99 of 32", unit: "ms", target: { atMost: 60 } },
    { title: "model's token → client's event, p50", unit: "ms", target: { atMost: 1 } },
  ],
  suits: gateways,
  async measure(subject, { quick }) {
    await using running = await run(subject, { tokens: 20, tokenMs: 25 }); // 40 a second
    const { address, load } = running;
    // A gateway runs for weeks: what it takes once it is warm.
    await load.do("agents", { ...address, atOnce: 32, rounds: subject.slow ? 1 : 6 });
    const alone = await load.do("agents", { ...address, atOnce: 1, rounds: quick ? 5 : 20 });
    const rounds = quick || subject.slow ? 1 : 5;
    const crowd = await load.do("agents", { ...address, atOnce: 32, rounds });
    return [
      quantile(alone.overheadMs, 0.5),
      quantile(crowd.overheadMs, 0.99),
      quantile(alone.tokenMs, 0.5),
    ];
  },
};

const history: Experiment = {
  name: "history",
  figures: [
    { title: "chat.history, 200 of 10,000 messages, p50", unit: "ms", target: { atMost: 3 } },
    { title: "another client's health meanwhile, p99", unit: "ms", target: { atMost: 20 } },
  ],
  suits: ({ name }) => name === "ours",
  async measure(subject, { quick }) {
    await using running = await run(subject);
    const { address, load } = running;
    const reads = quick ? 50 : 300;
    const order = { ...address, sessionKey: LONG_CONVERSATION, reads };
    const { readMs, healthMs } = await load.do("history", order);
    return [quantile(readMs, 0.5), quantile(healthMs, 0.99)];
  },
};

/** A model that answers at once. */
const AT_ONCE = { tokens: 1, tokenMs: 0 } as const;
const isOurs = ({ name }: Subject) => name === "ours";

const chats: Experiment = {
  name: "chats",
  figures: [
    { title: "memory, idle on three networks", unit: "MiB", target: { atMost: 140 } },
    { title: "Telegram's message → our answer, the first", unit: "ms", target: { atMost: 40 } },
    { title: "Telegram's message → our answer, p50", unit: "ms", target: { atMost: 40 } },
    { title: "the same in 100 chats at once, p99", unit: "ms", target: { atMost: 400 } },
  ],
  suits: isOurs,
  async measure(subject, { quick }) {
    await using running = await onNetworks(subject, (load) => load.do("networks"));
    const { gateway, address, load } = running;
    await load.do("connected", { ...address, count: 3 });
    await pause(quick ? 1_000 : 5_000);
    const idle = residentMiB(gateway.pid);
    const first = await load.do("replies", { chats: 1, rounds: 1 });
    const alone = await load.do("replies", { chats: 1, rounds: quick ? 20 : 100 });
    const crowd = await load.do("replies", { chats: 100, rounds: quick ? 3 : 10 });
    return [
      idle,
      quantile(first.replyMs, 0),
      quantile(alone.replyMs, 0.5),
      quantile(crowd.replyMs, 0.99),
    ];
  },
};

const FILE_BYTES = 50_000_000;

const files: Experiment = {
  name: "files",
  figures: [
    { title: "memory for a file of 50 MB that comes in", unit: "MiB", target: { atMost: 30 } },
    { title: "memory for a file of 50 MB that goes out", unit: "MiB", target: { atMost: 30 } },
  ],
  suits: isOurs,
  async measure(subject) {
    await using running = await onNetworks(
      subject,
      (load) => load.do("telegram", { sick: false }),
    );
    const file = `${running.home}/.openclaw/workspace/large.bin`;
    const { gateway, address, load } = running;
    await load.do("connected", { ...address, count: 1 });
    await Deno.mkdir(dirname(file), { recursive: true });
    await Deno.writeFile(file, new Uint8Array(FILE_BYTES));
    await load.do("replies", { chats: 1, rounds: 5 });
    await load.do("receiveFile", { bytes: 1_000 }); // what the first file loads, is not the file's
    const received = await growth(
      gateway.pid,
      () => load.do("receiveFile", { bytes: FILE_BYTES }),
    );
    const sent = await growth(gateway.pid, () => load.do("sendFile", { ...address, file }));
    await Deno.remove(file);
    return [received, sent];
  },
};

const sick: Experiment = {
  name: "sick",
  figures: [{
    title: "p99 of answers beside sick networks, more than alone",
    unit: "%",
    target: { atMost: 20 },
  }],
  suits: isOurs,
  async measure(subject, { quick }) {
    await using parts = new AsyncDisposableStack();
    const both = [];
    for (const sick of [false, true]) {
      const { address, load } = parts.use(
        await onNetworks(subject, (load) => load.do("telegram", { sick })),
      );
      await load.do("connected", { ...address, count: 1 });
      // A conversation that grows would cost more with every answer.
      await load.do("replies", { chats: 1, rounds: 50, among: 50 });
      both.push({ load, replyMs: [] as number[] });
    }
    for (let turns = quick ? 4 : 20; turns > 0; turns--) {
      // By turns, so that what else the machine does touches both.
      for (const { load, replyMs } of both) {
        const told = await load.do("replies", { chats: 1, rounds: 50, among: 50 });
        replyMs.push(...told.replyMs);
      }
    }
    const [alone = NaN, beside = NaN] = both.map(({ replyMs }) => quantile(replyMs, 0.99));
    return [(beside / alone - 1) * 100];
  },
};

/** Runs it in a new home: networks that begin anew give messages ids that an older one has seen. */
async function onNetworks(
  subject: Subject,
  prepare: (load: Loader) => Promise<Channels>,
): Promise<Running & { readonly home: string }> {
  const home = `${subject.home}-${crypto.randomUUID()}`;
  await Deno.mkdir(`${home}/.openclaw`, { recursive: true, mode: 0o700 });
  const running = await run({ ...subject, home }, AT_ONCE, prepare);
  return { ...running, home };
}

/** How much more memory a process has at any time during some work than before it, in MiB. */
async function growth(pid: number, work: () => Promise<unknown>): Promise<number> {
  const before = residentMiB(pid);
  let most = before;
  const timer = setInterval(() => most = Math.max(most, residentMiB(pid)), 10);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return most - before;
}

/** The value below which a part of the values lies. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
