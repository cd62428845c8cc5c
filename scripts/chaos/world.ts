/** The gateway among networks, people and operators: one life after another, until it may settle. */
import { freePort, type GatewayProcess, spawnGateway, type Start } from "../gateway_process.ts";
import { chaosDiscord } from "./discord.ts";
import { readJournal } from "./journal.ts";
import { idsIn, judge, type Said, type Sent, type Verdict } from "./judge.ts";
import { EchoModel } from "./model.ts";
import type { ChaosNetwork } from "./network.ts";
import { Operator } from "./operator.ts";
import { drawLife, type Event, type Kill, LIFE_MS } from "./plan.ts";
import { Random } from "./random.ts";
import { chaosSlack } from "./slack.ts";
import { chaosTelegram } from "./telegram.ts";

/** All networks, by their names. */
export const NETWORKS: Readonly<Record<string, () => ChaosNetwork>> = {
  telegram: chaosTelegram,
  discord: chaosDiscord,
  slack: chaosSlack,
};

export interface WorldOptions {
  readonly start: Start;
  readonly seed: number;
  /** A folder for the gateway alone. */
  readonly home: string;
  readonly networks: readonly string[];
  /** Messages in one life, more or less. */
  readonly messages: number;
}

/** What happened so far. */
export interface Tally {
  kills: number;
  /** How often it was asked to end instead. */
  stops: number;
  faults: number;
}

const OPEN_MS = 30_000;
/** Who is asked to end, may wait a moment for what is under way. */
const STOP_MS = 20_000;
/** So long nothing may happen, until it is taken as the end; and so long it may take in all. */
const QUIET_MS = 20_000;
const SETTLE_MS = 240_000;
/** What comes twice, may come late. */
const LATE_MS = 1_500;

export class World implements AsyncDisposable {
  readonly tally: Tally = { kills: 0, stops: 0, faults: 0 };
  readonly said: Said[] = [];
  readonly sent: Sent[] = [];
  /** What must not be, and is known before the end. */
  readonly violations: string[] = [];
  readonly #options: WorldOptions;
  readonly #networks: readonly ChaosNetwork[];
  readonly #model = new EchoModel();
  readonly #port = freePort();
  readonly #operator: Operator;
  /** Networks with which something is wrong. */
  readonly #ailing = new Set<ChaosNetwork>();
  #gateway: GatewayProcess | undefined;
  #lives = 0;

  constructor(options: WorldOptions) {
    this.#options = options;
    this.#networks = options.networks.map((name) => {
      const start = NETWORKS[name];
      if (start === undefined) throw new Error(`There is no network '${name}'`);
      return start();
    });
    this.#operator = new Operator(`ws://127.0.0.1:${this.#port}`);
    this.#configure();
  }

  get shown(): number {
    return this.#networks.reduce((sum, { shown }) => sum + shown.length, 0);
  }

  /** Lets the gateway be on every network once: what was said before is not its business. */
  async open(): Promise<void> {
    await using _gateway = this.#begin();
    const deadline = performance.now() + OPEN_MS;
    for (;;) {
      const missing = await this.#operator.disconnected().catch(() => ["the gateway"]);
      if (missing.length === 0) return;
      if (performance.now() > deadline) {
        throw new Error(`Not connected within ${OPEN_MS} ms: ${missing}\n${this.output()}`);
      }
      await pause(50);
    }
  }

  /** Starts the gateway, lets it work, and kills it. */
  async live(): Promise<void> {
    const random = new Random(this.#options.seed, this.#lives++);
    const { messages } = this.#options;
    const { events, kill, pausesMs } = drawLife(random, { networks: this.#networks, messages });
    const mends = this.#networks.filter(() => random.chance(0.5));
    for (const ms of pausesMs) this.#model.dawdle(ms);
    const gateway = this.#begin();
    const left = new Set(events);
    const happen = (event: Event) => left.delete(event) && this.#happen(event);
    const timers = events.map((event) => setTimeout(() => happen(event), event.atMs));
    const ended = await Promise.race([this.#moment(kill), gateway.ended]);
    if (ended !== undefined) {
      this.violations.push(`The gateway ended by itself, with ${ended}\n${gateway.output()}`);
    }
    const { code, ms } = await gateway.end(kill.signal);
    if (kill.signal === "SIGKILL") this.tally.kills++;
    else {
      this.tally.stops++;
      if (code !== 0 || ms > STOP_MS) {
        this.violations.push(`The gateway ended with ${code} in ${ms} ms\n${gateway.output()}`);
      }
    }
    for (const timer of timers) clearTimeout(timer);
    for (const event of left) if (event.kind !== "fault") this.#happen(event); // nobody hears of it
    for (const network of mends) this.#mend(network);
  }

  /** Lets the gateway come to rest, with nothing wrong any more, and judges. */
  async settle(): Promise<Verdict> {
    for (const network of this.#networks) this.#mend(network);
    const gateway = this.#begin();
    for (const network of this.#networks) {
      if (network.faults.includes("redeliver")) network.begin("redeliver");
    }
    await this.#rest();
    await pause(LATE_MS);
    const { code } = await gateway.end("SIGTERM");
    if (code !== 0) this.violations.push(`The gateway ended with ${code}\n${gateway.output()}`);
    const { said, sent } = this;
    const journal = readJournal(`${this.#options.home}/.openclaw/openclaw.sqlite`);
    const verdict = judge({ networks: this.#networks, said, sent, journal });
    return { ...verdict, violations: [...this.violations, ...verdict.violations] };
  }

  /** What the last gateway printed. */
  output(): string {
    return this.#gateway?.output() ?? "";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#operator[Symbol.asyncDispose]();
    await this.#gateway?.[Symbol.asyncDispose]();
    for (const network of this.#networks) await network[Symbol.asyncDispose]();
    await this.#model[Symbol.asyncDispose]();
  }

  #begin(): GatewayProcess {
    const { start, home } = this.#options;
    this.#gateway = spawnGateway(start, { home, port: this.#port });
    return this.#gateway;
  }

  /** Resolves when the gateway is to be killed: a life must end, whatever it waits for. */
  async #moment({ at, nth, delayMs }: Kill): Promise<undefined> {
    if (at.kind === "time") return await pause(delayMs);
    const next = at.kind === "model"
      ? () => this.#model.moments.next(at.moment)
      : () => this.#networks.find(({ id }) => id === at.network)?.moments.next(at.moment);
    let isOver = false;
    const over = pause(LIFE_MS).then(() => isOver = true);
    for (let n = 0; n < nth && !isOver; n++) await Promise.race([next(), over]);
    if (delayMs > 0 && !isOver) await pause(delayMs);
  }

  #happen(event: Event): void {
    const network = this.#networks.find(({ id }) => id === event.network);
    if (network === undefined) return;
    switch (event.kind) {
      case "say": {
        const id = this.#id("m", this.said.length);
        const messageId = network.say(event.chat, `please answer ${id}`);
        this.said.push({ id, network, chat: event.chat, messageId });
        break;
      }
      case "send": {
        const order: Sent = { id: this.#id("o", this.sent.length), network };
        this.sent.push(order);
        this.#operator.send(order, { to: event.chat, text: `by order ${order.id}` });
        break;
      }
      case "fault":
        this.tally.faults++;
        this.#ailing.add(network);
        network.begin(event.fault);
        break;
      case "mend":
        this.#mend(network);
    }
  }

  #id(letter: string, number: number): string {
    return `${letter}${number}x${this.#options.seed.toString(36)}`;
  }

  #mend(network: ChaosNetwork): void {
    if (this.#ailing.delete(network)) network.mend();
  }

  /** Resolves when all is answered, or nothing has happened for long. */
  async #rest(): Promise<void> {
    const deadline = performance.now() + SETTLE_MS;
    let [before, changedAt] = ["", performance.now()];
    while (performance.now() < deadline && performance.now() - changedAt < QUIET_MS) {
      await pause(250);
      const outbox = await this.#operator.outbox().catch(() => undefined);
      if (outbox === undefined) continue;
      const told = new Set([
        ...this.#networks.flatMap(({ shown }) => shown.flatMap(({ text }) => idsIn(text))),
        ...outbox.entries.flatMap(({ state, text }) => state === "unknown" ? idsIn(text) : []),
      ]);
      const open = this.said.filter(({ id }) => !told.has(id)).length;
      const unheard = this.sent.filter(({ heard }) => heard === undefined).length;
      const { accepted = 0, started = 0 } = outbox.counts;
      const now = JSON.stringify([open, unheard, accepted, started, this.shown]);
      if (open + unheard + accepted + started === 0) return;
      if (now !== before) [before, changedAt] = [now, performance.now()];
    }
  }

  #configure(): void {
    const { home } = this.#options;
    Deno.mkdirSync(`${home}/.openclaw`, { recursive: true, mode: 0o700 });
    const model = { id: "echo", name: "Echo", contextWindow: 1_000_000, maxTokens: 4096 };
    const provider = {
      baseUrl: `http://127.0.0.1:${this.#model.port}/v1`,
      apiKey: "none",
      api: "openai-completions",
      models: [{ ...model, reasoning: false, input: ["text"] }],
    };
    Deno.writeTextFileSync(
      `${home}/.openclaw/openclaw.json`,
      JSON.stringify({
        gateway: { mode: "local" },
        discovery: { mdns: { mode: "off" } },
        models: { providers: { chaos: provider } },
        agents: { defaults: { model: { primary: "chaos/echo" }, maxConcurrent: 16 } },
        session: { dmScope: "per-channel-peer" },
        channels: Object.fromEntries(this.#networks.map(({ id, settings }) => [id, settings])),
      }),
    );
  }
}

function pause(ms: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(resolve, ms, undefined));
}
