/** A kernel for a test: a real store in memory, an agent that does what it is told, no sockets. */
import type { EventName, EventPayloads, MethodName, ParamsOf, ResultOf } from "../schemas/mod.ts";
import type { Audit, AuditEntry } from "../src/audit.ts";
import type { Caller } from "../src/caller.ts";
import type { NetworkEntry } from "../src/channel.ts";
import { type Config, type ConfigFile, parseConfig } from "../src/config.ts";
import type { Audience, Bus, GatewayEvent } from "../src/event.ts";
import { createGateway, type Gateway } from "../src/gateway/gateway.ts";
import type { GatewayUrl, Host } from "../src/host.ts";
import type { Log, LogFields, LogLevel, LogReader } from "../src/log.ts";
import { type ModelCatalog, ModelError, type ModelInfo, modelRef } from "../src/model.ts";
import type { Agent, AgentIdentity, RunEvent, RunIo, RunOutcome, RunRequest } from "../src/run.ts";
import type { AssistantMessage, ToolResultMessage } from "../src/session.ts";
import type { Store } from "../src/store.ts";
import { openStore } from "../src/store/sqlite.ts";

export interface TestKernel extends AsyncDisposable {
  readonly gateway: Gateway;
  readonly store: Store;
  readonly agent: ScriptedAgent;
  readonly config: MemoryConfig;
  readonly log: RecordedLog;
  readonly audit: RecordedAudit;
  readonly events: Recorder;
  /** Asks as a connection would; resolves to the last answer. */
  call<M extends MethodName>(
    method: M,
    params: ParamsOf<M>,
    options?: { caller?: Caller; signal?: AbortSignal; accept?: (payload: unknown) => void },
  ): Promise<ResultOf<M>>;
  /** Stops it, and starts another one on the same store, which must be disposed of before this one. */
  restart(): Promise<TestKernel>;
}

/** `store` stays open for whoever gave it; without one it is in memory, and ends with the kernel. */
export function startKernel(
  { config = {}, store, logs = new MemoryLog(), urls = [], networks = [], stateDir = "/state" }: {
    config?: Config;
    store?: Store;
    logs?: LogReader;
    /** Where others than this machine reach it. */
    urls?: readonly GatewayUrl[];
    /** The messaging networks that it could be on. */
    networks?: readonly NetworkEntry[];
    /** Where files would be written, if any are. */
    stateDir?: string;
  } = {},
): TestKernel {
  const kept = store ?? openStore(":memory:");
  const file = new MemoryConfig(config);
  const parts = {
    config: file,
    store: kept,
    agent: new ScriptedAgent(),
    models: new FakeModels(),
    log: new RecordedLog(),
    logs,
    audit: new RecordedAudit(),
  };
  const gateway = createGateway({
    ...parts,
    host: HOST,
    stateDir,
    networks: {
      entries: networks,
      secrets: { env: {}, readFile: Deno.readTextFileSync },
      fileRoots: () => [],
    },
    authMode: () => "token",
    urls: () => urls,
    drawQr: (text) => Promise.resolve(`data:image/png;base64,${btoa(text)}`),
  });
  const events = new Recorder(gateway.bus);
  return {
    ...parts,
    gateway,
    events,
    async call<M extends MethodName>(
      method: M,
      params: ParamsOf<M>,
      { caller = callerOf(), signal = new AbortController().signal, accept = () => {} }: {
        caller?: Caller;
        signal?: AbortSignal;
        accept?: (payload: unknown) => void;
      } = {},
    ) {
      return await gateway.dispatch(method, params, { caller, signal, accept }) as ResultOf<M>;
    },
    async restart() {
      await gateway[Symbol.asyncDispose]();
      return startKernel({ config: file.config, store: kept, logs, networks, stateDir });
    },
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      if (store === undefined) kept[Symbol.dispose]();
    },
  };
}

/** The machine that tests are on. */
export const HOST: Host = {
  name: "testbox",
  ip: "192.0.2.1",
  platform: "linux 6",
  deviceFamily: "Linux",
  arch: "x86_64",
  version: "1.2.3",
};

/** Somebody whose handshake succeeded: a local operator with every right, unless told otherwise. */
export function callerOf(
  { scopes = ["operator.admin"], caps = [], client, ...caller }:
    & Partial<Omit<Caller, "scopes" | "caps" | "client">>
    & {
      scopes?: readonly string[];
      caps?: readonly string[];
      client?: Partial<Caller["client"]>;
    } = {},
): Caller {
  return {
    connId: crypto.randomUUID(),
    protocol: 4,
    role: "operator",
    scopes: new Set(scopes),
    client: { id: "cli", mode: "cli", version: "1", platform: "linux", ...client },
    caps: new Set(caps),
    method: "token",
    remoteIp: "127.0.0.1",
    local: true,
    connectedAtMs: Date.now(),
    ...caller,
  };
}

/** An agent that does nothing by itself: every step of its turns is the test's. */
export class ScriptedAgent implements Agent {
  readonly #begun: Turn[] = [];
  readonly #waiting: ((turn: Turn) => void)[] = [];

  /** The turns in the order in which the kernel asks for them, each handed out once. */
  turn(): Promise<Turn> {
    const turn = this.#begun.shift();
    if (turn !== undefined) return Promise.resolve(turn);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Turns that began and that nobody has asked for. */
  get unclaimed(): number {
    return this.#begun.length;
  }

  run(request: RunRequest, io: RunIo, signal: AbortSignal): AsyncIterable<RunEvent> {
    return this.#begin(new Turn("run", request, { io, signal }));
  }

  compact(request: RunRequest, io: RunIo, signal: AbortSignal): AsyncIterable<RunEvent> {
    return this.#begin(new Turn("compact", request, { io, signal }));
  }

  tools() {
    return [{ name: "read", label: "Read", description: "Reads", group: "files", parameters: {} }];
  }

  identity(agentId: string): Promise<AgentIdentity> {
    return Promise.resolve({ agentId, name: `The ${agentId}`, emoji: "🦀" });
  }

  standIn(): Agent {
    return this;
  }

  #begin(turn: Turn): AsyncIterable<RunEvent> {
    const claim = this.#waiting.shift();
    if (claim === undefined) this.#begun.push(turn);
    else claim(turn);
    return turn.events();
  }
}

type Step = { readonly event: RunEvent; acted(): void } | { readonly error: Error };

/** One turn of the agent. When it is aborted it gives what it said so far, and ends. */
export class Turn {
  readonly kind: "run" | "compact";
  readonly request: RunRequest;
  readonly io: RunIo;
  readonly signal: AbortSignal;
  readonly #steps: Step[] = [];
  #wake = Promise.withResolvers<void>();
  #said = "";

  constructor(
    kind: "run" | "compact",
    request: RunRequest,
    { io, signal }: { io: RunIo; signal: AbortSignal },
  ) {
    this.kind = kind;
    this.request = request;
    this.io = io;
    this.signal = signal;
    signal.addEventListener("abort", () => this.#wake.resolve(), { once: true });
  }

  /** Resolves when the kernel has acted on the event, and asks for the next one. */
  emit(event: RunEvent): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#push({ event, acted: resolve });
    return promise;
  }

  /** Goes on with a message that is not finished. */
  says(delta: string): Promise<void> {
    return this.emit({ type: "text", delta });
  }

  /** Says a message and ends. */
  async answers(text: string): Promise<void> {
    await this.says(text);
    await this.emit({ type: "message", message: assistantMessage(text) });
    await this.ends({ text });
  }

  ends(outcome: Partial<RunOutcome> = {}): Promise<void> {
    const end = { status: "ok", stopReason: "stop", text: "", provider: "test", model: "one" };
    return this.emit({ type: "end", outcome: { ...end, ...outcome } as RunOutcome });
  }

  throws(error: Error): void {
    this.#push({ error });
  }

  /** Takes in what was written meanwhile, as an agent does between its steps. */
  async steers(): Promise<void> {
    for (const message of this.io.steering()) await this.emit({ type: "message", message });
  }

  async *events(): AsyncGenerator<RunEvent> {
    for (;;) {
      const step = await this.#next();
      if (step === undefined) return yield* this.#aborted();
      if ("error" in step) throw step.error;
      const { event, acted } = step;
      if (event.type === "text") this.#said += event.delta;
      if (event.type === "message" && event.message.role === "assistant") this.#said = "";
      yield event;
      acted();
      if (event.type === "end") return;
    }
  }

  *#aborted(): Generator<RunEvent> {
    const text = this.#said;
    if (text !== "") {
      yield { type: "message", message: assistantMessage(text, { stopReason: "aborted" }) };
    }
    yield { type: "end", outcome: { status: "aborted", text, provider: "test", model: "one" } };
  }

  async #next(): Promise<Step | undefined> {
    while (this.#steps.length === 0) {
      if (this.signal.aborted) return undefined;
      await this.#wake.promise;
      this.#wake = Promise.withResolvers();
    }
    return this.#steps.shift();
  }

  #push(step: Step): void {
    this.#steps.push(step);
    this.#wake.resolve();
  }
}

export function assistantMessage(
  text: string,
  more: Partial<AssistantMessage> = {},
): AssistantMessage {
  return {
    role: "assistant",
    content: [{ type: "text", text }],
    provider: "test",
    model: "one",
    stopReason: "stop",
    timestamp: 1,
    ...more,
  };
}

export function toolResult(toolCallId: string, text: string): ToolResultMessage {
  return {
    role: "toolResult",
    toolCallId,
    toolName: "read",
    content: [{ type: "text", text }],
    isError: false,
    timestamp: 1,
  };
}

/** Two models of one provider, each for the agent of its name; what is not listed can't be used. */
export class FakeModels implements ModelCatalog {
  readonly models: readonly ModelInfo[] = [
    {
      provider: "test",
      id: "one",
      name: "One",
      contextWindow: 1000,
      reasoning: false,
      input: ["text"],
    },
    {
      provider: "test",
      id: "two",
      name: "Two",
      contextWindow: 2000,
      reasoning: true,
      input: ["text"],
    },
  ];

  choose(agentId?: string) {
    const info = this.models.find(({ id }) => id === agentId) ?? this.models[0]!;
    return Promise.resolve({ info, source: "the test", demo: false });
  }

  list() {
    return Promise.resolve(this.models);
  }

  resolve(ref: string | undefined) {
    if (this.models.some((info) => modelRef(info) === ref)) return Promise.resolve([]);
    return Promise.reject(new ModelError("invalid", `no model ${ref}`));
  }
}

/** A configuration file that is a string. */
export class MemoryConfig implements ConfigFile {
  readonly path = "/state/openclaw.json";
  #text: string | undefined;
  #config: Config = {};

  constructor(config: Config) {
    if (Object.keys(config).length > 0) this.edit(JSON.stringify(config));
  }

  get text(): string | undefined {
    return this.#text;
  }

  get config(): Config {
    return this.#config;
  }

  catchUp(): Promise<void> {
    return Promise.resolve();
  }

  // deno-lint-ignore require-await -- what `edit` throws is a rejection
  async rewrite(edit: (text: string | undefined) => string | undefined): Promise<void> {
    const text = edit(this.#text);
    if (text !== undefined) this.edit(text);
  }

  /** What a person with an editor does. */
  edit(text: string): void {
    const { config, issues } = parseConfig(text);
    this.#text = text;
    if (issues.length === 0) this.#config = config;
  }
}

/** A log that nobody sees, and that a test can read. */
export class RecordedLog implements Log {
  readonly lines: { level: LogLevel; message: string; fields: LogFields }[] = [];

  error = (message: string, fields: LogFields = {}) => this.#write("error", message, fields);
  warn = (message: string, fields: LogFields = {}) => this.#write("warn", message, fields);
  info = (message: string, fields: LogFields = {}) => this.#write("info", message, fields);
  debug = (message: string, fields: LogFields = {}) => this.#write("debug", message, fields);
  part = () => this;

  #write(level: LogLevel, message: string, fields: LogFields): void {
    this.lines.push({ level, message, fields });
  }
}

/** An audit log that a test can read. */
export class RecordedAudit implements Audit {
  readonly entries: Omit<AuditEntry, "ts">[] = [];

  record(entry: Omit<AuditEntry, "ts">): void {
    this.entries.push(entry);
  }
}

/** A log file that is an array of bytes. */
export class MemoryLog implements LogReader {
  readonly file = "/state/logs/openclaw.log";
  bytes: Uint8Array;

  constructor(text = "") {
    this.bytes = new TextEncoder().encode(text);
  }

  append(text: string): void {
    this.bytes = new Uint8Array([...this.bytes, ...new TextEncoder().encode(text)]);
  }

  size = () => Promise.resolve(this.bytes.length);

  read(from: number, maxBytes: number) {
    const bytes = this.bytes.slice(from, from + maxBytes);
    return Promise.resolve({ bytes, size: this.bytes.length });
  }
}

/** An event of one name. */
export interface Heard<N extends EventName> {
  readonly name: N;
  readonly payload: EventPayloads[N];
  readonly audience?: Audience;
}

/** Hears all that is published, from its making on. */
export class Recorder {
  readonly all: GatewayEvent[] = [];
  readonly #waiting = new Set<() => void>();
  #seen = 0;

  constructor(bus: Bus) {
    bus.subscribe((event) => {
      this.all.push(event);
      for (const look of [...this.#waiting]) look();
    });
  }

  /** The first event that fits, behind the one that this method returned last. */
  next<N extends EventName>(
    name: N,
    fits: (payload: EventPayloads[N]) => boolean = () => true,
  ): Promise<Heard<N>> {
    return new Promise((resolve) => {
      const look = () => {
        for (const [i, event] of this.all.entries()) {
          if (i < this.#seen || !isNamed(event, name) || !fits(event.payload)) continue;
          this.#seen = i + 1;
          this.#waiting.delete(look);
          return resolve(event);
        }
      };
      this.#waiting.add(look);
      look();
    });
  }

  /** The next `chat` event of a state, of a run or of any. */
  async chat<S extends ChatPayload["state"]>(
    state: S,
    runId?: string,
  ): Promise<Extract<ChatPayload, { state: S }>> {
    const { payload } = await this.next(
      "chat",
      (chat) => chat.state === state && (runId === undefined || chat.runId === runId),
    );
    return payload as Extract<ChatPayload, { state: S }>; // of the state that was asked for
  }

  /** Payloads of all events of a name so far. */
  of<N extends EventName>(name: N): readonly EventPayloads[N][] {
    const payloads: EventPayloads[N][] = [];
    for (const event of this.all) if (isNamed(event, name)) payloads.push(event.payload);
    return payloads;
  }
}

type ChatPayload = EventPayloads["chat"];

function isNamed<N extends EventName>(event: Heard<EventName>, name: N): event is Heard<N> {
  return event.name === name;
}
