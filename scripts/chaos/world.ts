/** The gateway among networks, people and operators: one life after another, until it may settle. */
import { freePort, type GatewayProcess, spawnGateway, type Start } from "../gateway_process.ts";
import { chaosDiscord } from "./discord.ts";
import { JournalWatch, readJournal, readLeftovers } from "./journal.ts";
import { idsIn, INTERRUPTED, judge, type Said, type Sent, type Verdict } from "./judge.ts";
import { ASKING, EchoModel } from "./model.ts";
import type { ChaosNetwork } from "./network.ts";
import { Operator } from "./operator.ts";
import { drawLife, type Event, type Life } from "./plan.ts";
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
  /** Answers are shown while they are written. */
  readonly streaming: boolean;
}

/** What happened so far. */
export interface Tally {
  kills: number;
  /** How often it was asked to end instead. */
  stops: number;
  faults: number;
  /** How many of those that were killed left something in this state. */
  readonly left: Record<Left, number>;
}

/** What a kill can leave half done: where on its way a message was. */
const LEFT = [
  "handed over, not stored",
  "stored, not acknowledged",
  "stored, not taken up",
  "run begun, not ended",
  "accepted, not started",
  "started, not shown",
  "started and shown, not sent",
] as const;
export type Left = typeof LEFT[number];

const OPEN_MS = 30_000;
/** The first start of all takes so long where nothing else is going on. */
const SMOOTH_OPEN_MS = 800;
const MAX_SLOWNESS = 4;
/** Who is asked to end, may wait a moment for what is under way. */
const STOP_MS = 20_000;
/** So long nothing may happen, until it is taken as the end; and so long it may take in all. */
const QUIET_MS = 20_000;
const SETTLE_MS = 240_000;
/** So long nothing may happen after an answer was cut, which nobody waits for any more. */
const CUT_MS = 3_000;
/** What comes twice, may come late. */
const LATE_MS = 1_500;
/** What was under way when a gateway died, is among so many. */
const RECENT = 40;
/** While so many wait, nothing more is said: what is done in short lives is soon too little. */
const MAX_WAITING = 200;

export class World implements AsyncDisposable {
  readonly tally: Tally = {
    kills: 0,
    stops: 0,
    faults: 0,
    left: Object.fromEntries(LEFT.map((what) => [what, 0])) as Record<Left, number>,
  };
  readonly said: Said[] = [];
  readonly sent: Sent[] = [];
  /** What must not be, and is known before the end. */
  readonly violations: string[] = [];
  readonly #options: WorldOptions;
  readonly #networks: readonly ChaosNetwork[];
  readonly #model = new EchoModel();
  readonly #port = freePort();
  readonly #file: string;
  readonly #journal: JournalWatch;
  readonly #operator: Operator;
  /** Networks with which something is wrong. */
  readonly #ailing = new Set<ChaosNetwork>();
  #gateway: GatewayProcess | undefined;
  /** How many messages the last gateway that was killed had not done with, or never got. */
  #waiting = 0;
  #lives = 0;
  #slowness = 1;

  constructor(options: WorldOptions) {
    this.#options = options;
    this.#networks = options.networks.map((name) => {
      const start = NETWORKS[name];
      if (start === undefined) throw new Error(`There is no network '${name}'`);
      return start();
    });
    this.#operator = new Operator(`ws://127.0.0.1:${this.#port}`);
    this.#configure();
    this.#file = `${options.home}/.openclaw/openclaw.sqlite`;
    this.#journal = new JournalWatch(this.#file);
  }

  get shown(): number {
    return this.#networks.reduce((sum, { shown }) => sum + shown.length, 0);
  }

  /** Lets the gateway be on every network once: what was said before is not its business. */
  async open(): Promise<void> {
    await using _gateway = this.#begin();
    const begunAt = performance.now();
    for (;;) {
      const missing = await this.#operator.disconnected().catch(() => ["the gateway"]);
      const ms = performance.now() - begunAt;
      if (missing.length === 0) {
        this.#slowness = Math.min(Math.max(1, ms / SMOOTH_OPEN_MS), MAX_SLOWNESS);
        return;
      }
      if (ms > OPEN_MS) {
        throw new Error(`Not connected within ${OPEN_MS} ms: ${missing}\n${this.output()}`);
      }
      await pause(50);
    }
  }

  /** Starts the gateway, lets it work, and kills it. */
  async live(): Promise<void> {
    const random = new Random(this.#options.seed, this.#lives++);
    const networks = this.#networks;
    const messages = this.#waiting > MAX_WAITING ? 0 : this.#options.messages;
    const life = drawLife(random, { networks, messages, slowness: this.#slowness });
    const { events, kill, pausesMs } = life;
    const mends = this.#networks.filter(() => random.chance(0.5));
    for (const ms of pausesMs) this.#model.dawdle(ms);
    const gateway = this.#begin();
    const left = new Set(events);
    const happen = (event: Event) => left.delete(event) && this.#happen(event);
    const timers = events.map((event) => setTimeout(() => happen(event), event.atMs));
    const ended = await Promise.race([this.#moment(life), gateway.ended]);
    if (ended !== undefined) {
      this.violations.push(`The gateway ended by itself, with ${ended}\n${gateway.output()}`);
    }
    const { code, ms } = await gateway.end(kill.signal);
    if (kill.signal === "SIGKILL") {
      this.tally.kills++;
      this.#countLeft();
    } else {
      this.tally.stops++;
      const isUp = gateway.output().includes("listening"); // before that any end is good
      if (isUp && (code !== 0 || ms > STOP_MS)) {
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
    await this.#rest();
    await pause(LATE_MS);
    const before = this.#networks.flatMap(({ shown }) => shown);
    const old = new Set(before);
    const told = new Set(before.flatMap(({ text }) => idsIn(text)));
    for (const network of this.#networks) {
      if (network.faults.includes("redeliver")) network.begin("redeliver");
    }
    await pause(LATE_MS);
    // what a network had kept until now may still be answered
    const more = this.#networks.flatMap(({ shown }) => shown).filter((message) =>
      !old.has(message) && idsIn(message.text).every((id) => told.has(id))
    );
    for (const { text } of more) {
      this.violations.push(`When all was handed over once more, it was shown again: ${text}`);
    }
    const { code } = await gateway.end("SIGTERM");
    if (code !== 0) this.violations.push(`The gateway ended with ${code}\n${gateway.output()}`);
    const { said, sent } = this;
    const journal = readJournal(this.#file);
    const verdict = judge({ networks: this.#networks, said, sent, journal });
    return { ...verdict, violations: [...this.violations, ...verdict.violations] };
  }

  /** What the last gateway printed. */
  output(): string {
    return this.#gateway?.output() ?? "";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#journal[Symbol.dispose]();
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
  async #moment({ kill: { at, nth, delayMs }, ms }: Life): Promise<undefined> {
    if (at.kind === "time") return await pause(delayMs);
    const next = at.kind === "journal"
      ? () => this.#journal.moments.next("written")
      : at.kind === "model"
      ? () => this.#model.moments.next(at.moment)
      : () => this.#networks.find(({ id }) => id === at.network)?.moments.next(at.moment);
    let isOver = false;
    const over = pause(ms).then(() => isOver = true);
    for (let n = 0; n < nth && !isOver; n++) await Promise.race([next(), over]);
    if (delayMs > 0 && !isOver) await pause(delayMs);
  }

  /** Takes down how far the messages had come that were under way when the gateway was killed. */
  #countLeft(): void {
    const left = readLeftovers(this.#file);
    if (left === undefined) return;
    const missing = this.said.length - left.count;
    this.#waiting = missing + left.waiting + left.running + left.outbox.length;
    const stored = new Set(left.stored.map((row) => nameOf(row.channel, row)));
    const handed = this.said.slice(-RECENT).filter(({ network, chat, messageId }) =>
      network.fate(chat, messageId) === "handed"
    ).map(({ network, chat, messageId }) =>
      nameOf(network.id, { chat_id: chat, message_id: messageId })
    );
    const started = left.outbox.filter(({ state }) => state === "started");
    const shown = started.filter(({ channel, text }) =>
      this.#networks.find(({ id }) => id === channel)?.shown.slice(-RECENT)
        .some((message) => message.text === text)
    );
    const found: Record<Left, boolean> = {
      "handed over, not stored": handed.some((name) => !stored.has(name)),
      "stored, not acknowledged": handed.some((name) => stored.has(name)),
      "stored, not taken up": left.waiting > 0,
      "run begun, not ended": left.running > 0,
      "accepted, not started": left.outbox.length > started.length,
      "started, not shown": started.length > shown.length,
      "started and shown, not sent": shown.length > 0,
    };
    for (const what of LEFT) if (found[what]) this.tally.left[what]++;
  }

  #happen(event: Event): void {
    const network = this.#networks.find(({ id }) => id === event.network);
    if (network === undefined) return;
    switch (event.kind) {
      case "say":
      case "say for tool": {
        const id = this.#id("m", this.said.length);
        const isForTool = event.kind === "say for tool";
        const asking = isForTool ? ASKING.forTool : ASKING.plainly;
        const messageId = network.say(event.chat, `${asking} ${id}`);
        this.said.push({ id, network, chat: event.chat, messageId, isForTool });
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
      const cut = new Set(
        this.#networks.flatMap((network) =>
          network.shown.filter(({ text }) => INTERRUPTED.test(text)).map(({ chat }) =>
            `${network.id} ${chat}`
          )
        ),
      );
      const untold = this.said.filter(({ id }) => !told.has(id));
      // where an answer was cut, it is not said whose
      const open = untold.filter(({ network, chat }) => !cut.has(`${network.id} ${chat}`)).length;
      const unheard = this.sent.filter(({ heard }) => heard === undefined).length;
      const { accepted = 0, started = 0 } = outbox.counts;
      const now = JSON.stringify([open, unheard, accepted, started, this.shown]);
      const isAllTold = open + unheard + accepted + started === 0;
      if (isAllTold && (untold.length === 0 || performance.now() - changedAt > CUT_MS)) {
        return;
      }
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
        channels: Object.fromEntries(this.#networks.map(({ id, settings }) => [id, {
          ...settings,
          streaming: this.#options.streaming ? "partial" : "off",
        }])),
      }),
    );
  }
}

function nameOf(
  network: string,
  { chat_id, message_id }: { readonly chat_id: string; readonly message_id: string },
): string {
  return [network, chat_id, message_id].join("\n");
}

function pause(ms: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(resolve, ms, undefined));
}
