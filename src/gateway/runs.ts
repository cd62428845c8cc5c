/**
 * The turns of all conversations: accepted and stored, queued, run one at a time in each, told as
 * they happen, ended once.
 */
import { OVER, pause } from "../deadline.ts";
import { GatewayError } from "../error.ts";
import type { Bus } from "../event.ts";
import type { Log } from "../log.ts";
import { chatOf, type ReplyTarget } from "../message.ts";
import type { Agent, RunEvent, RunOutcome, RunRequest } from "../run.ts";
import {
  agentOf,
  type AssistantMessage,
  type Message,
  type QueueMode,
  type Session,
  type SessionKey,
  type SessionStats,
  textOf,
  type ThinkingLevel,
  type TranscriptEntry,
  type UserMessage,
} from "../session.ts";
import type { Store, StoredRun } from "../store.ts";
import { Backlog, Beginnings, Slots } from "./lane.ts";
import { wireMessage } from "./history.ts";
import type { Settings } from "./settings.ts";
import { isSilent, RunStream, type StopReason } from "./stream.ts";
import type { SystemEvents, Told } from "./system_events.ts";
import { unattended } from "./unattended.ts";

/** A turn that a client asks for. */
export interface Submission {
  /** The client's idempotency key: it names the run for ever, and is that of its message too. */
  readonly runId: string;
  readonly method: StoredRun["method"];
  readonly sessionKey: SessionKey;
  readonly message: UserMessage;
  readonly options: TurnOptions;
  /** The connection that asked: it hears of tools. */
  readonly connId?: string;
  /** The device that asked. When it loses its rights, the turn is stopped. */
  readonly deviceId?: string;
  /** Begun before a crash, with nothing said: its message is in the transcript already. */
  readonly isRetaken?: true;
}

/** How a turn is to be taken. Kept in the store with the message. */
export interface TurnOptions {
  readonly thinking?: ThinkingLevel;
  readonly model?: string;
  readonly extraSystemPrompt?: string;
  /** 0 means no limit. */
  readonly timeoutMs?: number;
  readonly queueMode?: QueueMode;
  /** Summarise the conversation instead of answering. */
  readonly compact?: true;
  /** Where the answer goes, besides to those who follow the conversation. */
  readonly reply?: ReplyTarget;
}

/** A run that answers in a chat of a network. */
export interface Answering {
  readonly runId: string;
  readonly sessionKey: SessionKey;
  readonly target: ReplyTarget;
}

/** How a run ended, and why it was stopped if it was. */
export type Ending = RunOutcome & { readonly stoppedBy?: StopReason };

/** What brings the words of a run to the chat that it answers in. */
export interface Replies {
  /** The run begins; after a crash perhaps again. */
  began(run: Answering): void;
  /** What the message that is being written says so far. Called with each word: it must be quick. */
  writing(run: Answering, text: string): void;
  /**
   * A message is said. Called within the transaction that stores it: what this puts into the store
   * is there if and only if the message is.
   */
  said(run: Answering, text: string): void;
  /** The same for the beginning of a message that nobody goes on with. */
  brokeOff(run: Answering, text: string): void;
  /** Called within the transaction that ends the run, whatever was said. */
  ended(run: Answering, ending: Ending): void;
}

/** How a run ended, as `agent` and `agent.wait` tell it; kept in the store. */
export interface RunResult {
  readonly status: "ok" | "error" | "aborted";
  readonly texts: readonly string[];
  readonly sessionId: string;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly provider?: string;
  readonly model?: string;
  readonly usage?: RunOutcome["usage"];
  readonly error?: string;
  readonly stopReason?: string;
  /** The run whose answer also answers this one. */
  readonly mergedInto?: string;
}

/** What a conversation is doing. */
interface Lane {
  active?: ActiveRun;
  readonly backlog: Backlog<Submission>;
  /** Messages that join the active run at its next step. */
  readonly steering: Backlog<Submission>;
  debounce?: ReturnType<typeof setTimeout>;
}

interface ActiveRun {
  readonly runId: string;
  readonly reply: ReplyTarget | undefined;
  readonly controller: AbortController;
  /** Handed to the agent, and not yet part of the transcript. */
  readonly joining: Submission[];
  /** What was counted so far; stored with the end of the run, as each write to disk takes its time. */
  stats: SessionStats;
  stopReason?: StopReason;
  /** Something of it is stored since it was last asked: it can't be taken again. */
  hasActed: boolean;
  /** Why it fails is in the transcript. */
  hasSaidWhy: boolean;
  /** Told to the agent, which has not answered yet. */
  notices: Told | undefined;
}

/** What a chat hears when `/compact` is done. */
const COMPACTED = "The conversation so far is now a summary.";
/** A crash cut the run: said in the transcript, and to whoever asks for the run. */
const INTERRUPTED = "interrupted: the gateway stopped while this answer was being written";
/** A run that takes the gateway with it each time is given up after so many times. */
const MAX_TAKES = 10;
/** Under this name the store keeps how often runs were taken again. */
const TAKES = "runs.takes";
/** The longest that a timer can be set to, in milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;
/** How long a stop waits for an agent that does not listen. */
const STOP_MS = 5_000;
/** How soon the store is tried again that could not be written. */
const REWRITE_MS = 1_000;
/** How long the connections that ran something in a conversation hear of its tools. */
const LISTENER_TTL_MS = 10 * 60_000;
/** How long ended runs can still be asked for. */
const KEEP_ENDED_MS = 24 * 60 * 60_000;

export class Runs implements AsyncDisposable {
  readonly #store: Store;
  readonly #agent: Agent;
  readonly #bus: Bus;
  readonly #settings: Settings;
  readonly #systemEvents: SystemEvents;
  readonly #replies: Replies | undefined;
  readonly #log: Log;
  readonly #slots: Slots;
  readonly #beginnings = new Beginnings();
  readonly #lanes = new Map<SessionKey, Lane>();
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly #toolListeners = new Map<SessionKey, Map<string, number>>();
  readonly #working = new Set<Promise<void>>();
  readonly #preparing = new Set<string>();
  /** Called when a conversation has room for more turns. */
  readonly #roomWanted = new Map<SessionKey, Set<() => void>>();
  /** The devices behind the runs that did not end. */
  readonly #askers = new Map<string, string>();
  readonly #changed: (key: SessionKey, reason: string) => void;
  readonly #stop = new AbortController();

  constructor({ store, agent, bus, settings, systemEvents, replies, log, changed }: {
    store: Store;
    agent: Agent;
    bus: Bus;
    settings: Settings;
    systemEvents: SystemEvents;
    /** Without it nobody is answered in a chat. */
    replies?: Replies;
    log: Log;
    /** Called when a conversation changed, for those who watch the list. */
    changed: (key: SessionKey, reason: string) => void;
  }) {
    this.#store = store;
    this.#agent = agent;
    this.#bus = bus;
    this.#settings = settings;
    this.#systemEvents = systemEvents;
    this.#replies = replies;
    this.#log = log.part("runs");
    this.#slots = new Slots(() => settings.maxConcurrent);
    this.#changed = changed;
  }

  /**
   * Takes up what a crash left: accepted turns are taken, half-done ones are closed as such. One that
   * answers in a chat, and had done nothing yet since it was last asked, is taken again.
   */
  recover(): void {
    const now = Date.now();
    const before = (this.#store.values.get(TAKES) ?? {}) as Readonly<Record<string, number>>; // ours
    const takes: Record<string, number> = {};
    for (const run of this.#store.runs.unfinished()) {
      const said = run.state === "started" ? this.#messagesOf(run) : [];
      const hasActed = said.length > 0 && said.at(-1)?.role !== "user";
      if (run.state === "accepted") this.#enqueue(restored(run));
      else if (isWhole(said.at(-1))) this.#closeWhole(run, { said, now });
      else if ((before[run.runId] ?? 0) < MAX_TAKES && !hasActed && isRetakable(run)) {
        takes[run.runId] = (before[run.runId] ?? 0) + 1;
        this.#enqueue({ ...restored(run), isRetaken: true });
      } else this.#closeInterrupted(run, now);
    }
    // Before anything of it begins, or a run that brings us down would never be counted.
    if (Object.keys({ ...before, ...takes }).length > 0) this.#store.values.set(TAKES, takes);
    this.prune(now);
  }

  /** Forgets runs that ended too long ago to be asked for again, and who heard of their tools. */
  prune(now: number): void {
    for (const key of this.#toolListeners.keys()) {
      if (this.#listeners(key).size === 0) this.#toolListeners.delete(key);
    }
    this.#store.runs.prune(now - KEEP_ENDED_MS);
  }

  /**
   * Stores the turn and queues it: when this returns, it will be taken, also after a crash. What
   * `along` changes in the store is changed in the same transaction. Throws where too many wait
   * already.
   */
  submit(submission: Submission, along: (session: Session) => void = () => {}): void {
    const { runId, method, sessionKey, message, options, connId, deviceId } = submission;
    if (!this.hasRoom(sessionKey)) {
      throw new GatewayError("UNAVAILABLE", `too many messages wait in session ${sessionKey}`, {
        retryable: true,
      });
    }
    const session = this.#store.transaction(() => {
      const now = Date.now();
      const kept = this.#store.sessions.save(sessionKey, {
        agentId: agentOf(sessionKey),
        ...(options.reply === undefined ? {} : { stats: lastRoute(options.reply) }),
        now,
      });
      const { id: sessionId } = kept;
      const input = { message, options, ...optional("deviceId", deviceId) };
      this.#store.runs.accept({ runId, method, sessionKey, sessionId, acceptedAt: now, input });
      along(kept);
      return kept;
    });
    if (connId !== undefined) this.#listen(session.key, connId);
    this.#enqueue(submission);
    this.#changed(sessionKey, "send");
  }

  /** Keeps a request that was answered without the agent, so that its repeat is known. */
  noteAnswered(
    { key, id: sessionId }: Session,
    { runId, message, text, method = "chat.send" }: {
      runId: string;
      message: UserMessage;
      text: string;
      method?: StoredRun["method"];
    },
  ): void {
    const at = Date.now();
    const input = { message, options: {} };
    const times = { startedAt: at, endedAt: at };
    const result: RunResult = { status: "ok", texts: [text], sessionId, ...times };
    const run = { runId, method, sessionKey: key, sessionId, input };
    this.#store.transaction(() => {
      this.#store.runs.accept({ ...run, acceptedAt: at });
      this.#store.runs.finish(runId, "ok", result, at);
    });
  }

  get(runId: string): StoredRun | undefined {
    return this.#store.runs.get(runId);
  }

  /** Does what comes before a turn is stored, and while which its key must count as known. */
  async prepare<T>(runId: string, work: () => Promise<T>): Promise<T> {
    this.#preparing.add(runId);
    try {
      return await work();
    } finally {
      this.#preparing.delete(runId);
    }
  }

  /** Whether a turn is on its way that is not stored yet. */
  isPreparing(runId: string): boolean {
    return this.#preparing.has(runId);
  }

  /**
   * How the run ended. Waits for the end; `undefined` if the signal aborts, the time is up or the
   * gateway stops first. Rejects where the store can't be read.
   */
  async ended(
    runId: string,
    { signal, timeoutMs }: { signal?: AbortSignal; timeoutMs?: number },
  ): Promise<RunResult | undefined> {
    const result = () => this.#store.runs.get(runId)?.result as RunResult | undefined; // by #end
    const known = result();
    if (known !== undefined || signal?.aborted) return known;
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiters = this.#waiting.get(runId) ?? new Set();
    this.#waiting.set(runId, waiters.add(resolve));
    const stop = () => resolve();
    signal?.addEventListener("abort", stop, { once: true });
    const timer = timeoutMs === undefined ? undefined : setTimeout(stop, timeoutMs);
    await promise;
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
    waiters.delete(resolve);
    if (waiters.size === 0 && this.#waiting.get(runId) === waiters) this.#waiting.delete(runId);
    return result();
  }

  isActive(key: SessionKey): boolean {
    return this.activeRun(key) !== undefined;
  }

  /** The run that is at work in a conversation. */
  activeRun(key: SessionKey): string | undefined {
    return this.#lanes.get(key)?.active?.runId;
  }

  /** Runs at work in all conversations. */
  get activeCount(): number {
    return this.#slots.busy;
  }

  /** Turns that wait in a conversation. */
  queued(key: SessionKey): number {
    const lane = this.#lanes.get(key);
    return lane === undefined ? 0 : lane.backlog.size + lane.steering.size;
  }

  /** Whether one more turn may wait in a conversation. */
  hasRoom(key: SessionKey): boolean {
    return this.queued(key) < this.#settings.queueCap;
  }

  /** Calls `tell` once, when a conversation may have room again. Dispose of the result to forget it. */
  onRoom(key: SessionKey, tell: () => void): Disposable {
    const waiting = this.#roomWanted.get(key) ?? new Set();
    this.#roomWanted.set(key, waiting.add(tell));
    return { [Symbol.dispose]: () => void waiting.delete(tell) };
  }

  /** The conversation that a run belongs to, while it is not ended. */
  sessionOf(runId: string): SessionKey | undefined {
    const stored = this.#store.runs.get(runId);
    return stored?.endedAt === undefined ? stored?.sessionKey : undefined;
  }

  /**
   * Stops a run, or all of a conversation; resolves with their ids once they are stopped. Rejects
   * where what waits can't be stopped, because the store can't be written: then it is taken as if
   * nobody had asked. What runs is stopped in any case.
   */
  async abort(
    key: SessionKey,
    { runId, stopReason }: { runId?: string; stopReason: StopReason },
  ): Promise<readonly string[]> {
    const lane = this.#lanes.get(key);
    if (lane === undefined) return [];
    const wanted = (id: string) => runId === undefined || id === runId;
    const active = lane.active !== undefined && wanted(lane.active.runId) ? lane.active : undefined;
    if (active !== undefined) {
      active.stopReason ??= stopReason;
      active.controller.abort();
    }
    const waiting = [...lane.backlog, ...lane.steering].filter(({ runId }) => wanted(runId));
    this.#drop(waiting, stopReason);
    const stopped = waiting.map(({ runId }) => runId);
    if (active === undefined) return stopped;
    await this.ended(active.runId, { timeoutMs: STOP_MS });
    return [...stopped, active.runId];
  }

  /** Stops what a device asked for, and drops what of it waits; resolves once that is done. */
  async abortOf(deviceId: string): Promise<void> {
    const runIds = [...this.#askers].filter(([, asker]) => asker === deviceId).map(([id]) => id);
    const stop = async (runId: string) => {
      const key = this.sessionOf(runId);
      if (key !== undefined) await this.abort(key, { runId, stopReason: "stop" });
    };
    await Promise.all(runIds.map((runId) => this.#insist(runId, () => stop(runId))));
  }

  /** Stops what runs, keeping what was said; what only waits is taken up at the next start. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(OVER);
    for (const lane of this.#lanes.values()) {
      clearTimeout(lane.debounce);
      if (lane.active === undefined) continue;
      lane.active.stopReason ??= "restart";
      lane.active.controller.abort();
    }
    await Promise.allSettled(this.#working);
  }

  get #closing(): boolean {
    return this.#stop.signal.aborted;
  }

  // ── queueing ────────────────────────────────────────────────────────────────────────────────

  #enqueue(submission: Submission): void {
    const { runId, deviceId } = submission;
    if (deviceId !== undefined) this.#askers.set(runId, deviceId);
    const lane = this.#lane(submission.sessionKey);
    if (lane.active === undefined) {
      lane.backlog.push(submission);
      if (lane.debounce !== undefined) return; // the turn that waits for more takes it along
      return this.#advance(submission.sessionKey, lane);
    }
    const session = this.#store.sessions.get(submission.sessionKey);
    const mode = submission.options.queueMode ?? session?.settings.queueMode ??
      this.#settings.queueModeOf(submission.options.reply?.place.channel);
    const { active } = lane;
    if (
      mode === "steer" && canJoin(submission) && sameChat(submission.options.reply, active.reply)
    ) {
      lane.steering.push(submission);
      return;
    }
    if (mode === "interrupt") {
      active.stopReason ??= "stop";
      active.controller.abort();
      try {
        this.#drop([...lane.steering, ...lane.backlog], "stop");
      } catch (cause) { // this one is accepted, and must not be lost with them
        this.#log.error("What waits could not be replaced: it is taken first", { cause });
      }
    }
    lane.backlog.push(submission);
  }

  #lane(key: SessionKey): Lane {
    const known = this.#lanes.get(key);
    if (known !== undefined) return known;
    const lane: Lane = { backlog: new Backlog(), steering: new Backlog() };
    this.#lanes.set(key, lane);
    return lane;
  }

  /** Starts the next turn of a conversation that has none at work. */
  #advance(key: SessionKey, lane: Lane): void {
    if (this.#closing || lane.active !== undefined) return;
    const first = lane.backlog.first;
    if (first === undefined) return void this.#lanes.delete(key);
    const session = this.#store.sessions.get(key);
    const { reply } = first.options;
    const mode = session?.settings.queueMode ?? this.#settings.queueModeOf(reply?.place.channel);
    const batch = lane.backlog.take((waiting) =>
      mode === "collect" && canJoin(waiting) && sameChat(waiting.options.reply, reply)
    );
    const last = batch.at(-1) ?? first;
    const active: ActiveRun = {
      runId: last.runId,
      reply: last.options.reply,
      controller: new AbortController(),
      joining: [],
      stats: {},
      hasActed: false,
      hasSaidWhy: false,
      notices: undefined,
    };
    lane.active = active;
    const work = this.#take(batch, { last, lane, active }).finally(() => {
      this.#working.delete(work);
      lane.active = undefined;
      // What came too late to join begins the next turn, or joins it, before what came later.
      const [late, ...joining] = [...active.joining, ...lane.steering.remove(() => true)];
      for (const waiting of joining) lane.steering.push(waiting);
      if (late !== undefined) lane.backlog.unshift(late);
      try {
        this.#announceEnd(last.runId);
        this.#changed(key, "run-end");
      } finally {
        queueMicrotask(() => this.#tellRoom(key)); // once what waits has moved up
        if (lane.backlog.size > 0 && mode === "collect" && !this.#closing) {
          const next = () => {
            lane.debounce = undefined;
            this.#advance(key, lane);
          };
          const failed = "What waits could not be taken";
          lane.debounce = setTimeout(
            unattended(next, { log: this.#log, failed }),
            this.#settings.queueDebounceMs,
          );
        } else this.#advance(key, lane);
      }
    }).catch((cause) => this.#log.error(`Run '${last.runId}' failed outside its agent`, { cause }));
    this.#working.add(work);
  }

  #tellRoom(key: SessionKey): void {
    if (this.#closing || !this.hasRoom(key)) return;
    const waiting = this.#roomWanted.get(key) ?? [];
    this.#roomWanted.delete(key);
    for (const tell of waiting) tell();
  }

  /**
   * Turns of one conversation that are stopped before they began: their messages are kept, their
   * ends told. All or nothing: where it throws, they wait as before.
   */
  #drop(stopped: readonly Submission[], stopReason: StopReason): void {
    if (stopped.length === 0) return;
    const now = Date.now();
    const outcome = { status: "aborted", text: "", provider: "", model: "" } as const;
    const dropped = this.#store.transaction(() =>
      stopped.map((submission) => {
        const { session, appended } = this.#start([submission], now);
        this.#end(submission, { outcome, session, texts: [], startedAt: now, stopReason });
        return { submission, session, appended };
      })
    );
    // All of them before anybody is told, who may look at what waits; and telling may fail.
    for (const { runId, sessionKey } of stopped) {
      const lane = this.#lanes.get(sessionKey);
      for (const queue of [lane?.backlog, lane?.steering]) {
        queue?.remove((one) => one.runId === runId);
      }
    }
    for (const { submission: { runId, sessionKey }, session, appended } of dropped) {
      try {
        for (const entry of appended) this.#announce(session, entry);
        this.#stream(runId, session).ended(outcome, { at: now, stopReason });
        this.#announceEnd(runId);
        this.#tellRoom(sessionKey);
        this.#changed(sessionKey, "abort");
      } catch (cause) { // it has ended all the same, and can't be stopped again
        this.#log.error(`That run '${runId}' was stopped could not be told`, { cause });
      }
    }
  }

  /**
   * Does what a conversation can't go on without, as often as it takes. Gives up, and returns
   * `undefined`, where it failed and the signal is aborted.
   */
  async #insist<T>(
    runId: string,
    work: () => T | Promise<T>,
    signal = this.#stop.signal,
  ): Promise<T | undefined> {
    for (let attempt = 1;; attempt++) {
      try {
        return await work();
      } catch (cause) {
        if (attempt === 1) this.#log.error(`Run '${runId}' waits for its store`, { cause });
      }
      if (signal.aborted) return undefined;
      await pause(REWRITE_MS, signal);
    }
  }

  // ── one turn ────────────────────────────────────────────────────────────────────────────────

  async #take(
    batch: readonly Submission[],
    { last, lane, active }: { last: Submission; lane: Lane; active: ActiveRun },
  ): Promise<void> {
    const { runId, sessionKey, options } = last;
    const { signal } = active.controller;
    // Who asked hears that the turn is accepted, which must be true, before hearing of the turn.
    await this.#insist(runId, () => this.#store.synced(), signal);
    await this.#beginnings.next();
    using slot = await this.#slots.take(signal);
    const begun = await this.#insist(runId, () => slot && this.#start(batch, Date.now()), signal);
    if (begun === undefined) {
      if (this.#closing) return; // still accepted: taken up at the next start
      await this.#insist(runId, () => this.#drop(batch, active.stopReason ?? "stop"));
      return;
    }
    const { session, startedAt, appended } = begun;
    using stream = this.#stream(runId, session);
    const answering = answeringOf(last);
    const limit = options.timeoutMs ?? this.#settings.timeoutMs;
    const timer = limit === 0 ? undefined : setTimeout(() => {
      active.stopReason ??= "timeout";
      active.controller.abort();
    }, Math.min(limit, MAX_TIMER_MS));
    const texts: string[] = [];
    let outcome: RunOutcome | undefined;
    try {
      for (const entry of appended) this.#announce(session, entry);
      const merged = batch.filter((other) => other !== last);
      for (const { runId: other } of merged) this.#tellMerged(other, session);
      stream.started(startedAt);
      if (answering !== undefined) this.#replies?.began(answering);
      this.#changed(sessionKey, "run-start");
      for await (const event of this.#events(last, { session, lane, active })) {
        if (this.#isForNextStart(last, active)) continue;
        stream.tell(event);
        if (event.type === "end") outcome = event.outcome;
        else this.#keep(event, { session, runId, texts, active, answering });
        if (event.type === "text" && answering !== undefined) {
          this.#replies?.writing(answering, stream.text);
        }
      }
    } catch (cause) {
      this.#log.error(`Run '${runId}' failed`, { cause });
    } finally {
      clearTimeout(timer);
    }
    if (this.#isForNextStart(last, active)) return;
    outcome ??= {
      status: "error",
      kind: "unknown",
      error: "the agent failed: see the gateway's log",
      text: "",
      provider: "",
      model: "",
    };
    if (outcome.status === "error" && !active.hasSaidWhy) {
      const { error, provider, model } = outcome;
      const message: AssistantMessage = {
        ...failed(error, { provider, model, timestamp: Date.now() }),
        ...(options.compact === true ? { command: true } : {}),
      };
      const run = { session, runId, texts, active, answering };
      await this.#insist(runId, () => this.#keep({ type: "message", message }, run));
    }
    const { stopReason, stats } = active;
    const ending = { outcome, session, texts, startedAt, stopReason, stats };
    const at = await this.#insist(runId, () => this.#end(last, ending));
    if (at !== undefined) stream.ended(outcome, { at, stopReason });
  }

  /** The gateway stops before the answer to somebody's message began: it is left as it is. */
  #isForNextStart({ method }: Submission, { stopReason, hasActed }: ActiveRun): boolean {
    return this.#closing && stopReason === "restart" && method === "inbound" && !hasActed;
  }

  #events(
    { runId, options }: Submission,
    { session, lane, active }: { session: Session; lane: Lane; active: ActiveRun },
  ): AsyncIterable<RunEvent> {
    const isCompaction = options.compact === true;
    active.notices = isCompaction ? undefined : this.#systemEvents.tell(session.key);
    const extra = [options.extraSystemPrompt, active.notices?.lines].filter((part) =>
      part !== undefined
    );
    const request: RunRequest = {
      runId,
      agentId: session.agentId,
      sessionKey: session.key,
      sessionId: session.id,
      ...optional("model", options.model ?? session.settings.model),
      thinking: options.thinking ?? session.settings.thinkingLevel ??
        this.#settings.thinkingDefault(session.agentId),
      ...optional("extraSystemPrompt", extra.length === 0 ? undefined : extra.join("\n\n")),
    };
    const io = {
      history: () => this.#store.transcripts.context(session.id).filter(isForModel),
      steering: () => {
        const joining = lane.steering.remove(() => true);
        active.joining.push(...joining);
        return joining.map(({ message }) => message);
      },
    };
    const { signal } = active.controller;
    return isCompaction
      ? this.#agent.compact(request, io, signal)
      : this.#agent.run(request, io, signal);
  }

  /**
   * Stores the messages of the turn and marks it started, all or nothing. All but the last end here:
   * its answer is theirs.
   */
  #start(batch: readonly Submission[], startedAt: number): {
    readonly session: Session;
    readonly startedAt: number;
    readonly appended: readonly TranscriptEntry[];
  } {
    const appended: TranscriptEntry[] = [];
    const session = this.#store.transaction(() => {
      const { runId: into, sessionKey } = batch.at(-1) ?? batch[0]!;
      const kept = this.#store.sessions.save(sessionKey, {
        agentId: agentOf(sessionKey),
        stats: { status: "running", startedAt, lastRunId: into, abortedLastRun: false },
        now: startedAt,
      });
      for (const { runId, message, options, isRetaken } of batch) {
        const shown: UserMessage = options.compact === true
          ? { ...message, command: true }
          : message;
        const entry = { kind: "message", message: shown, at: startedAt, runId } as const;
        if (!isRetaken) appended.push(this.#store.runs.start(runId, kept.id, entry, startedAt));
        if (runId !== into) this.#finishMerged(runId, { into, session: kept, at: startedAt });
      }
      return kept;
    });
    return { session, startedAt, appended };
  }

  /** Acts on an event of the agent: messages and compactions are on disk when this returns. */
  #keep(
    event: RunEvent,
    { session, runId, texts, active, answering }: {
      session: Session;
      runId: string;
      texts: string[];
      active: ActiveRun;
      answering: Answering | undefined;
    },
  ): void {
    const at = Date.now();
    if (event.type === "message" && event.message.role === "user") {
      return this.#joined(event.message, { session, active });
    }
    if (event.type === "message") {
      const { message } = event;
      const text = message.role === "assistant" ? textOf(message).trim() : "";
      if (text !== "") texts.push(text);
      active.hasActed = true;
      if (message.role === "assistant") active.hasSaidWhy = message.stopReason === "error";
      const isAnswer = message.role === "assistant" && message.stopReason !== "error";
      const entry = this.#store.transaction(() => {
        const isWhole = message.role === "assistant" && message.stopReason !== "aborted";
        if (isAnswer) active.notices?.heard();
        if (answering !== undefined && text !== "" && !isSilent(text)) {
          if (isWhole) this.#replies?.said(answering, text);
          else this.#replies?.brokeOff(answering, text);
        }
        const line = { kind: "message", message, at, runId } as const;
        return this.#store.transcripts.append(session.id, line);
      });
      if (isAnswer) active.notices = undefined;
      this.#announce(session, entry);
    } else if (event.type === "compaction" && event.phase === "end" && event.compaction) {
      const { compaction } = event;
      this.#store.transaction(() => {
        this.#store.transcripts.append(session.id, { kind: "compaction", compaction, at, runId });
        const compactionCount = (this.#stats(session).compactionCount ?? 0) + 1;
        this.#saveStats(session, { compactionCount });
      });
    } else if (event.type === "usage") {
      active.stats = {
        ...active.stats,
        inputTokens: event.usage.input,
        outputTokens: event.usage.output,
        totalTokens: event.usage.totalTokens,
        contextTokens: event.contextTokens,
      };
    } else if (event.type === "model") {
      active.stats = { ...active.stats, modelProvider: event.provider, model: event.model };
    }
  }

  /** A message joined the turn: its own run starts and ends here. */
  #joined(
    { idempotencyKey }: UserMessage,
    { session, active }: { session: Session; active: ActiveRun },
  ): void {
    const index = active.joining.findIndex(({ runId }) => runId === idempotencyKey);
    const submission = active.joining[index];
    if (submission === undefined) return;
    const at = Date.now();
    const { runId, message } = submission;
    const entry = this.#store.transaction(() => {
      const line = { kind: "message", message, at, runId } as const;
      const appended = this.#store.runs.start(runId, session.id, line, at);
      this.#finishMerged(runId, { into: active.runId, session, at });
      return appended;
    });
    active.joining.splice(index, 1);
    active.hasActed = false; // all that was done is stored: from here on it can be taken again
    this.#announce(session, entry);
    this.#tellMerged(runId, session);
  }

  #finishMerged(
    runId: string,
    { into, session, at }: { into: string; session: Session; at: number },
  ): void {
    const result: RunResult = {
      status: "ok",
      texts: [],
      sessionId: session.id,
      startedAt: at,
      endedAt: at,
      mergedInto: into,
    };
    this.#store.runs.finish(runId, "ok", result, at);
  }

  #tellMerged(runId: string, session: Session): void {
    this.#stream(runId, session).merged();
    this.#announceEnd(runId);
  }

  /** Stores how the run ended. Returns when that was, in epoch milliseconds. */
  #end(
    submission: Submission,
    { outcome, session, texts, startedAt, stopReason, stats = {} }: {
      outcome: RunOutcome;
      session: Session;
      texts: readonly string[];
      startedAt: number;
      stopReason?: StopReason;
      stats?: SessionStats;
    },
  ): number {
    const endedAt = Date.now();
    const { runId, options } = submission;
    const answering = answeringOf(submission);
    const result: RunResult = {
      status: outcome.status,
      texts,
      sessionId: session.id,
      startedAt,
      endedAt,
      provider: outcome.provider,
      model: outcome.model,
      ...optional("usage", outcome.usage),
      ...(outcome.status === "error" ? { error: outcome.error } : {}),
      ...optional(
        "stopReason",
        outcome.status === "aborted"
          ? stopReason ?? "rpc"
          : outcome.status === "ok"
          ? outcome.stopReason
          : undefined,
      ),
    };
    const status = { ok: "done", error: "failed", aborted: "killed" } as const;
    this.#store.transaction(() => {
      this.#store.runs.finish(runId, outcome.status, result, endedAt);
      this.#saveStats(session, {
        ...stats,
        status: status[outcome.status],
        endedAt,
        abortedLastRun: outcome.status === "aborted",
      });
      if (answering === undefined) return;
      if (options.compact === true && outcome.status === "ok") {
        this.#replies?.said(answering, COMPACTED);
      }
      this.#replies?.ended(answering, { ...outcome, ...optional("stoppedBy", stopReason) });
    });
    return endedAt;
  }

  /** Wakes who waits for a run. They read for themselves how it ended, and hear where that fails. */
  #announceEnd(runId: string): void {
    this.#askers.delete(runId);
    const waiters = this.#waiting.get(runId);
    this.#waiting.delete(runId);
    for (const wake of waiters ?? []) wake();
  }

  /** What a run was asked, at first and by what joined it, and has said and done, as far as it is stored. */
  #messagesOf({ runId, sessionId }: StoredRun): readonly Message[] {
    const entries = this.#store.transcripts.context(sessionId);
    const first = entries.findIndex((entry) => entry.runId === runId);
    return entries.slice(first < 0 ? entries.length : first).flatMap((entry) =>
      entry.kind === "message" && this.#isOf(runId, entry.runId) ? entry.message : []
    );
  }

  /** Whether a run is this one, or became a part of it. */
  #isOf(runId: string, other: string | undefined): boolean {
    if (other === undefined || other === runId) return other === runId;
    const result = this.#store.runs.get(other)?.result as RunResult | undefined; // written by #end
    return result?.mergedInto === runId;
  }

  /** A run whose answer is whole ends as it would have, had there been no crash. */
  #closeWhole(
    run: StoredRun,
    { said, now }: { said: readonly Message[]; now: number },
  ): void {
    const last = said.at(-1);
    if (last?.role !== "assistant") return;
    const texts = said.flatMap((message) => message.role === "assistant" ? textOf(message) : [])
      .map((text) => text.trim()).filter((text) => text !== "");
    const { provider, model, usage } = last;
    this.#end(restored(run), {
      outcome: {
        status: "ok",
        stopReason: last.stopReason === "length" ? "length" : "stop",
        text: texts.join("\n\n"),
        provider,
        model,
        ...optional("usage", usage),
      },
      session: this.#sessionFor(run, now),
      texts,
      startedAt: run.startedAt ?? run.acceptedAt,
    });
  }

  /** A run that a crash cut in half is closed as such, and never repeated: its tools may have acted. */
  #closeInterrupted(run: StoredRun, now: number): void {
    const session = this.#sessionFor(run, now);
    const { stats } = session;
    const used = { provider: stats.modelProvider, model: stats.model };
    const message = failed(INTERRUPTED, { ...used, timestamp: now });
    const { provider, model } = message;
    const error = { status: "error", kind: "unknown", error: INTERRUPTED } as const;
    const outcome: RunOutcome = { ...error, text: "", provider, model };
    this.#store.transaction(() => {
      const entry = { kind: "message", message, at: now, runId: run.runId } as const;
      this.#store.transcripts.append(run.sessionId, entry);
      const startedAt = run.startedAt ?? run.acceptedAt;
      this.#end(restored(run), { outcome, session, texts: [], startedAt });
    });
    this.#log.warn("A run was cut by the last stop of the gateway", { runId: run.runId });
  }

  /** The conversation that a run of before a crash was in, made anew should it be gone. */
  #sessionFor({ sessionKey, sessionId }: StoredRun, now: number): Session {
    return this.#store.sessions.get(sessionKey) ??
      this.#store.sessions.save(sessionKey, { agentId: agentOf(sessionKey), sessionId, now });
  }

  // ── the transcript ──────────────────────────────────────────────────────────────────────────

  /** Appends a message and tells those who follow the conversation. */
  append(
    session: Pick<Session, "key" | "id" | "agentId">,
    message: Message,
    { runId, at }: { runId?: string; at: number },
  ): TranscriptEntry {
    const entry = this.#store.transcripts.append(session.id, {
      kind: "message",
      message,
      at,
      ...optional("runId", runId),
    });
    this.#announce(session, entry);
    return entry;
  }

  #announce({ key, agentId }: Pick<Session, "key" | "agentId">, entry: TranscriptEntry): void {
    if (entry.kind !== "message") return;
    this.#bus.publish({
      name: "session.message",
      payload: {
        sessionKey: key,
        agentId,
        message: wireMessage(entry),
        messageId: entry.id,
        messageSeq: entry.seq,
      },
      audience: { sessionKey: key },
    });
  }

  #stats(session: Session): SessionStats {
    return this.#store.sessions.get(session.key)?.stats ?? session.stats;
  }

  #saveStats({ key, agentId }: Session, stats: SessionStats): void {
    this.#store.sessions.save(key, { agentId, stats, now: Date.now() });
  }

  #stream(runId: string, { key, agentId, id }: Session): RunStream {
    return new RunStream(this.#bus, {
      runId,
      sessionKey: key,
      agentId,
      sessionId: id,
      toolListeners: () => this.#listeners(key),
    });
  }

  #listen(key: SessionKey, connId: string): void {
    const listeners = this.#toolListeners.get(key) ?? new Map<string, number>();
    listeners.set(connId, Date.now());
    this.#toolListeners.set(key, listeners);
  }

  #listeners(key: SessionKey): ReadonlySet<string> {
    const listeners = this.#toolListeners.get(key) ?? new Map<string, number>();
    const since = Date.now() - LISTENER_TTL_MS;
    for (const [connId, at] of listeners) if (at < since) listeners.delete(connId);
    return new Set(listeners.keys());
  }
}

/** Whether a turn can be a part of another. Who asks an agent for its answer gets one of their own. */
function canJoin({ method, options }: Submission): boolean {
  return method !== "agent" && options.compact === undefined;
}

/** Whether one answer can be that to both: what is asked in a chat is answered there. */
function sameChat(one: ReplyTarget | undefined, other: ReplyTarget | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return chatOf(one.place) === chatOf(other.place);
}

/** What stands in the transcript where an answer would, for a run that failed. */
function failed(
  errorMessage: string,
  { provider, model, timestamp }: { provider?: string; model?: string; timestamp: number },
): AssistantMessage {
  return {
    role: "assistant",
    content: [],
    provider: provider || "openclaw",
    model: model || "gateway",
    stopReason: "error",
    errorMessage,
    timestamp,
  };
}

function answeringOf({ runId, sessionKey, options }: Submission): Answering | undefined {
  return options.reply && { runId, sessionKey, target: options.reply };
}

/** Where a conversation was last held, for what goes to wherever that is. */
export function lastRoute({ place }: ReplyTarget): SessionStats {
  return {
    lastChannel: place.channel,
    lastTo: place.chatId,
    lastAccountId: place.accountId,
    lastThreadId: place.threadId,
  };
}

/** A command and its answer are for people only. */
function isForModel(entry: TranscriptEntry): boolean {
  return entry.kind !== "message" || entry.message.role === "toolResult" ||
    entry.message.command !== true;
}

/** Whether a message is the last one of an answer. */
function isWhole(message: Message | undefined): boolean {
  return message?.role === "assistant" &&
    (message.stopReason === "stop" || message.stopReason === "length");
}

/** Who asked in a chat does not hear of a crash; others ask again themselves. */
function isRetakable({ method }: StoredRun): boolean {
  return method === "inbound";
}

function restored({ runId, method, sessionKey, input }: StoredRun): Submission {
  const { message, options, deviceId } = input as // ours, by submit
  Pick<Submission, "message" | "options" | "deviceId">;
  return { runId, method, sessionKey, message, options, ...optional("deviceId", deviceId) };
}

/** `{ name: value }`, or nothing for an absent value. */
function optional<K extends string, V>(name: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : { [name]: value } as { [P in K]: V };
}
