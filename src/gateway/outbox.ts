/**
 * Messages on their way to the networks. What was accepted is sent, in the order of its chat, once;
 * where nobody can tell whether it was, that is said, and it is not sent again by itself.
 */
import { randomUUID } from "node:crypto";
import { canDelete, canEdit, type Channel, type Lookup, type MessageRef } from "../channel.ts";
import { Deadline } from "../deadline.ts";
import { GatewayError, invalid } from "../error.ts";
import type { Log } from "../log.ts";
import { chatOf, type OutboundMessage, type Place, type Receipt } from "../message.ts";
import type { Delivery, DeliveryProgress, DeliveryState, Store } from "../store.ts";
import {
  answered,
  begun,
  edited,
  expired,
  givenUp,
  idle,
  lookedUp,
  type Network,
  renewed,
  REPEATABLE,
  type Step,
  stepOf,
  wait,
} from "./delivery.ts";

/** Which account of which network. */
export type Account = Pick<Place, "channel" | "accountId">;

/** The networks as the outbox sees them. */
export interface Outlets {
  /** The channel of an account; `undefined` where nothing can be handed to it now. */
  channel(account: Account): Channel | undefined;
  /** How a message to an account fared. */
  delivered(account: Account, receipt: Receipt): void;
}

export interface OutboxParts {
  readonly store: Pick<Store, "outbox" | "transaction" | "synced">;
  readonly outlets: Outlets;
  readonly log: Log;
  /** Told of each message that needs its files no more. */
  readonly released?: (message: OutboundMessage) => void;
  readonly now?: () => number;
  readonly random?: () => number;
  readonly timing?: Partial<OutboxTiming>;
}

/** Milliseconds. */
export interface OutboxTiming {
  /** How long a message is worth sending. */
  readonly ttlMs: number;
  /** How long a network may take for one message; a file gets more by its size. */
  readonly sendMs: number;
  /** The same for what is shown of a message that is still being written. */
  readonly reviseMs: number;
  /** How long it has for a word of its own after that, and at a stop. */
  readonly graceMs: number;
  /** How soon the store is tried again that could not be written. */
  readonly rewriteMs: number;
  /** How long a message may take to arrive after whoever sent it has gone. */
  readonly arriveMs: number;
}

const TIMING: OutboxTiming = {
  ttlMs: 24 * 60 * 60_000,
  sendMs: 60_000,
  reviseMs: 10_000,
  graceMs: 3_000,
  rewriteMs: 1_000,
  arriveMs: 5_000,
};
/** What a network may take longer for each byte of a file: 100 kB a second is slow. */
const MS_PER_BYTE = 1_000 / 100_000;
/** Messages of one account that may be under way at a time, each of another chat. */
const AT_ONCE = 32;
/** An account whose token was refused is tried again after this, if nobody mended it sooner. */
const REFUSED_MS = 10 * 60_000;
/** How often a network is asked in vain whether it has a message. */
const MAX_LOOKS = 8;
/** How long the journal is kept after the end, by how it ended. */
const KEEP_MS = {
  sent: 2 * 24 * 60 * 60_000,
  unknown: 30 * 24 * 60 * 60_000,
  dead: 30 * 24 * 60 * 60_000,
} as const;
/** How long after its end a message of unknown fate is still looked for. */
const LOOK_BACK_MS = 24 * 60 * 60_000;
const MAX_TIMER_MS = 2 ** 31 - 1;

/** A message in the hands of a network. */
interface Task {
  readonly delivery: Delivery;
  readonly channel: Channel;
  readonly network: Network;
  readonly step: Exclude<Step, "give up">;
  /** What of the preview that it takes the place of is in the chat. */
  readonly shown?: MessageRef;
  readonly begunAt: number;
}

/** What a task came to. */
interface Outcome {
  readonly delivery: Delivery;
  readonly progress: DeliveryProgress;
  /** The message can't take the place of its preview, which is in no chat any more. */
  readonly hasLostPreview?: true;
}

/** What the outbox knows of an account beside what is stored. */
interface Standing {
  readonly account: Account;
  underWay: number;
  /** Lanes that wait until fewer are under way. */
  readonly queue: Set<string>;
  /** Nothing is sent before this: the network said so. */
  limitedUntil: number;
  /** Nothing is sent before this: the network would not have us. */
  refusedUntil: number;
  hasLookedBack: boolean;
}

export class Outbox implements AsyncDisposable {
  readonly #store: OutboxParts["store"];
  readonly #outlets: Outlets;
  readonly #log: Log;
  readonly #released: (message: OutboundMessage) => void;
  readonly #now: () => number;
  readonly #random: () => number;
  readonly #timing: OutboxTiming;
  readonly #standings = new Map<string, Standing>();
  /** Lanes to look at in the next turn, and whose they are. */
  readonly #due = new Map<string, Account>();
  /** Lanes of which a message is in the hands of a network, and which it is. */
  readonly #busy = new Map<string, string>();
  readonly #outcomes: Outcome[] = [];
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  readonly #looks = new Map<string, number>();
  /** Lanes that wait after an edit: the network wants it, or the edit may be on its way still. */
  readonly #heldUntil = new Map<string, number>();
  /** Who is told when a message has ended. */
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly #tasks = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  readonly #bornAt: number;
  #closing = false;
  #turn: ReturnType<typeof setImmediate> | undefined;

  constructor(parts: OutboxParts) {
    this.#store = parts.store;
    this.#outlets = parts.outlets;
    this.#log = parts.log.part("outbox");
    this.#released = parts.released ?? (() => {});
    this.#now = parts.now ?? Date.now;
    this.#random = parts.random ?? Math.random;
    this.#timing = { ...TIMING, ...parts.timing };
    this.#bornAt = this.#now();
  }

  /**
   * Accepts a message, and returns its id. Call it in the transaction that holds the reason: once
   * that is kept, the message will be sent, also after a crash.
   */
  add(message: Omit<OutboundMessage, "id" | "acceptedAt">, origin?: string): string {
    const id = randomUUID();
    const acceptedAt = this.#now();
    this.#store.outbox.add({
      message: { ...message, id, acceptedAt },
      ...(origin === undefined ? {} : { origin }),
      acceptedAt,
      expiresAt: acceptedAt + this.#timing.ttlMs,
    });
    this.#wake(chatOf(message.place), message.place);
    return id;
  }

  /**
   * Changes what a preview shows, where its chat has nothing else to do; else returns `undefined`.
   * It is not kept: whoever wants it to be true in the end says so by a message that `edits` it, and
   * that waits until nothing can come after it any more.
   */
  async revise(id: string, text: string): Promise<Receipt | undefined> {
    const delivery = this.#store.outbox.get(id);
    const shown = shownOf(delivery);
    if (this.#closing || delivery === undefined || shown === undefined) return undefined;
    const { lane, message: { place } } = delivery;
    const channel = this.#outlets.channel(place);
    const standing = this.#standing(place);
    const isFree = !this.#busy.has(lane) && this.#store.outbox.next(lane) === undefined &&
      standing.underWay < AT_ONCE && this.#readyAt(standing, lane) <= this.#now();
    if (channel === undefined || !isFree) return undefined;
    this.#busy.set(lane, id);
    standing.underWay++;
    const work = this.#ask(
      delivery,
      this.#timing.reviseMs,
      (signal) => replace(channel, shown, { text, signal }),
    );
    this.#track(work.then(() => {}));
    try {
      const receipt = await work;
      if (receipt?.sent === false) this.#hold(lane, standing, receipt);
      return receipt;
    } finally {
      this.#busy.delete(lane);
      this.#leave(delivery);
    }
  }

  /** Takes up what the last run of the program left. */
  recover(): void {
    for (const { lane, channel, accountId } of this.#store.outbox.waiting()) {
      this.#wake(lane, { channel, accountId });
    }
  }

  /** An account can be used, or again: what waited for it goes on. */
  resume({ channel, accountId }: Account): void {
    const standing = this.#standing({ channel, accountId });
    standing.refusedUntil = 0;
    this.#store.outbox.hasten(channel, accountId);
    for (const { lane, ...account } of this.#store.outbox.waiting()) {
      if (keyOf(account) === keyOf(standing.account)) this.#wake(lane, account);
    }
    this.#lookBack(standing);
  }

  /** Gives up what is too old, and forgets what ended long ago. */
  sweep(): void {
    const now = this.#now();
    for (const [lane, until] of this.#heldUntil) if (until <= now) this.#heldUntil.delete(lane);
    const old: Delivery[] = [];
    this.#store.transaction(() => {
      for (const delivery of this.#store.outbox.expired(now)) {
        if (this.#busy.get(delivery.lane) === delivery.id) continue;
        this.#store.outbox.update(delivery.id, expired(delivery, now));
        old.push(delivery);
      }
      for (const state of ["sent", "unknown", "dead"] as const) {
        this.#store.outbox.prune(state, now - KEEP_MS[state]);
      }
    });
    for (const delivery of old) {
      this.#log.warn("A message was given up: its time is over", namesOf(delivery));
      this.#announce(delivery.id);
      this.#wake(delivery.lane, delivery.message.place);
    }
  }

  /**
   * How a message ended. Waits for the end; resolves to how it stands if the signal aborts or the
   * time is up first. Rejects if the store can't be read.
   */
  async ended(
    id: string,
    { signal, timeoutMs }: { signal?: AbortSignal; timeoutMs: number },
  ): Promise<Delivery | undefined> {
    const known = this.#store.outbox.get(id);
    if (known === undefined || known.endedAt !== undefined || signal?.aborted) return known;
    const { promise, resolve } = Promise.withResolvers<void>();
    const tell = () => resolve();
    const waiters = this.#waiting.get(id) ?? new Set();
    this.#waiting.set(id, waiters.add(tell));
    signal?.addEventListener("abort", tell, { once: true });
    const timer = setTimeout(tell, timeoutMs);
    await promise;
    clearTimeout(timer);
    signal?.removeEventListener("abort", tell);
    waiters.delete(tell);
    if (waiters.size === 0) this.#waiting.delete(id);
    return this.#store.outbox.get(id);
  }

  ofOrigin(origin: string): readonly Delivery[] {
    return this.#store.outbox.ofOrigin(origin);
  }

  list(query: Parameters<Store["outbox"]["list"]>[0]): readonly Delivery[] {
    return this.#store.outbox.list(query);
  }

  count(state: DeliveryState): number {
    return this.#store.outbox.count(state);
  }

  /** Sends again what was given up. Whoever asks takes it upon them that it may then be there twice. */
  retry(id: string): Delivery {
    const delivery = this.#require(id);
    if (delivery.state !== "dead" && delivery.state !== "unknown") {
      throw invalid(`Cannot retry message '${id}': it is ${delivery.state}`);
    }
    if (delivery.message.isPreview) {
      throw invalid(`Cannot retry message '${id}': it is a preview, and its answer goes by itself`);
    }
    const expiresAt = this.#now() + this.#timing.ttlMs;
    this.#store.outbox.update(id, renewed(expiresAt));
    this.#wake(delivery.lane, delivery.message.place);
    return this.#require(id);
  }

  /** Forgets a message that is in no network's hands. */
  drop(id: string): Delivery {
    const delivery = this.#require(id);
    if (this.#busy.get(delivery.lane) === delivery.id) {
      throw new GatewayError("UNAVAILABLE", `Cannot drop message '${id}': it is being sent`, {
        retryable: true,
      });
    }
    this.#store.outbox.remove(id);
    this.#announce(id);
    this.#released(delivery.message);
    this.#wake(delivery.lane, delivery.message.place);
    return delivery;
  }

  /** Waits a moment for what is under way. What then has no receipt is looked into at the next start. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    let late: ReturnType<typeof setTimeout> | undefined;
    await Promise.race([
      this.#idle(),
      new Promise((resolve) => late = setTimeout(resolve, this.#timing.graceMs)),
    ]);
    clearTimeout(late);
    this.#stop.abort();
    await this.#idle();
    clearImmediate(this.#turn);
    this.#advance();
    for (const id of [...this.#waiting.keys()]) this.#announce(id);
  }

  /** Resolves when nothing is under way: what is, may begin more. */
  async #idle(): Promise<void> {
    while (this.#tasks.size > 0) await Promise.all(this.#tasks);
  }

  // ── turns ───────────────────────────────────────────────────────────────────────────────────

  #wake(lane: string, { channel, accountId }: Account): void {
    clearTimeout(this.#timers.get(lane));
    this.#timers.delete(lane);
    this.#due.set(lane, { channel, accountId });
    this.#schedule();
  }

  #wakeAt(lane: string, account: Account, at: number): void {
    clearTimeout(this.#timers.get(lane));
    if (this.#closing) return;
    const timer = setTimeout(() => {
      this.#timers.delete(lane);
      this.#wake(lane, account);
    }, Math.min(Math.max(0, at - this.#now()), MAX_TIMER_MS));
    this.#timers.set(lane, timer);
  }

  #schedule(): void {
    if (this.#closing) return;
    this.#turn ??= setImmediate(() => {
      this.#turn = undefined;
      this.#advance();
    });
  }

  /**
   * Writes down what the tasks came to, and begins the next ones: one transaction, and one wait for
   * the disk, however many chats there are.
   */
  #advance(): void {
    const outcomes = this.#outcomes.splice(0);
    const due = [...this.#due];
    this.#due.clear();
    if (outcomes.length === 0 && due.length === 0) return;
    const tasks: Task[] = [];
    const ended: string[] = [];
    try {
      this.#store.transaction(() => {
        for (const { delivery, progress, hasLostPreview } of outcomes) {
          if (hasLostPreview) this.#losePreview(delivery);
          this.#store.outbox.update(delivery.id, progress);
          if (progress.endedAt !== undefined) ended.push(delivery.id);
        }
        if (this.#closing) return;
        const returned = new Set(outcomes.map(({ delivery }) => delivery.lane));
        for (const [lane, account] of due) {
          if (this.#busy.has(lane) && !returned.has(lane)) continue;
          const standing = this.#standing(account);
          if (standing.underWay >= AT_ONCE) standing.queue.add(lane);
          else this.#pick(lane, account, { tasks, ended });
        }
        for (const standing of this.#standings.values()) {
          for (const lane of standing.queue) {
            if (standing.underWay >= AT_ONCE) break;
            standing.queue.delete(lane);
            due.push([lane, standing.account]);
            this.#pick(lane, standing.account, { tasks, ended });
          }
        }
      });
    } catch (cause) {
      // Nothing was written. What the networks said must not be lost: it is written when it can be.
      this.#log.error("The outbox could not be written", { cause });
      this.#outcomes.unshift(...outcomes);
      for (const [lane, account] of due) {
        this.#wakeAt(lane, account, this.#now() + this.#timing.rewriteMs);
      }
      for (const { delivery: { lane, message: { place } } } of tasks) {
        this.#standing(place).underWay--;
        this.#wakeAt(lane, place, this.#now() + this.#timing.rewriteMs);
      }
      return;
    }
    for (const { delivery } of outcomes) this.#busy.delete(delivery.lane);
    for (const { delivery } of tasks) this.#busy.set(delivery.lane, delivery.id);
    for (const id of ended) this.#announce(id);
    if (tasks.length === 0) return;
    const begins = this.#store.synced().then(
      () => {
        if (this.#stop.signal.aborted) this.#takeBack(tasks);
        else tasks.forEach((task) => this.#track(this.#perform(task)));
      },
      (cause) => {
        this.#log.error("The disk can't be written: nothing is sent", { cause });
        this.#takeBack(tasks);
      },
    );
    this.#track(begins);
  }

  /** Begins a lane's first message, if there is anything to be done with it now. */
  #pick(
    lane: string,
    account: Account,
    { tasks, ended }: { tasks: Task[]; ended: string[] },
  ): void {
    const standing = this.#standing(account);
    const channel = this.#outlets.channel(account);
    const now = this.#now();
    for (;;) {
      const delivery = this.#store.outbox.next(lane);
      if (delivery === undefined) return;
      if (delivery.expiresAt <= now) {
        this.#store.outbox.update(delivery.id, expired(delivery, now));
        ended.push(delivery.id);
        continue;
      }
      const preview = this.#previewOf(delivery);
      const shown = shownOf(preview);
      if (this.#isOvertaken(delivery)) {
        this.#store.outbox.remove(delivery.id);
        ended.push(delivery.id);
        continue;
      }
      if (shown === undefined && isAboutPreview(delivery)) {
        this.#store.outbox.update(delivery.id, idle(delivery, now));
        ended.push(delivery.id);
        continue;
      }
      if (channel === undefined) return; // until the account is resumed
      const settledAt = shown === undefined ? 0 : this.#settledAt(delivery, preview?.endedAt);
      if (settledAt > now) {
        // Written down, as the next process would wait from its own birth on.
        this.#store.outbox.update(delivery.id, { ...delivery, notBefore: settledAt });
      }
      const at = Math.max(delivery.notBefore ?? 0, this.#readyAt(standing, lane), settledAt);
      if (at > now) return this.#wakeAt(lane, account, at);
      const network = shown === undefined
        ? { ...channel.capabilities, canLook: canLook(channel) }
        : REPEATABLE;
      const step = stepOf(delivery, network, now);
      if (step === "give up") {
        this.#store.outbox.update(delivery.id, givenUp(delivery, now));
        ended.push(delivery.id);
        continue;
      }
      if (step === "send") this.#store.outbox.update(delivery.id, begun(delivery, now));
      standing.underWay++;
      tasks.push({ delivery, channel, network, step, begunAt: now, ...(shown && { shown }) });
      return;
    }
  }

  async #perform(task: Task): Promise<void> {
    const { delivery, step, shown } = task;
    const outcome = shown !== undefined
      ? await this.#replace(task, shown)
      : step === "send"
      ? await this.#send(task)
      : await this.#look(task);
    if (outcome === undefined) return this.#setBack(delivery);
    this.#outcomes.push(outcome);
    this.#leave(delivery);
  }

  /** Hands a message to its network. `undefined` where a stop of ours leaves it open. */
  async #send({ delivery, channel, network, begunAt }: Task): Promise<Outcome | undefined> {
    const { message } = delivery;
    const receipt = await this.#ask(
      delivery,
      this.#timing.sendMs + (message.attachment?.size ?? 0) * MS_PER_BYTE,
      (signal) => channel.send(message, signal),
    );
    if (receipt === undefined) return undefined;
    const now = this.#now();
    const random = this.#random();
    const progress = answered(delivery, receipt, { network, begunAt, now, random });
    if (!receipt.sent) this.#failed(delivery, receipt, progress);
    return { delivery, progress };
  }

  /**
   * Puts a message in the place of its preview. Where that can't be done the preview is taken back, if
   * it is there at all, and the message goes by itself. `undefined` where a stop of ours leaves it open.
   */
  async #replace(
    { delivery, channel, begunAt }: Task,
    shown: MessageRef,
  ): Promise<Outcome | undefined> {
    const { sendMs } = this.#timing;
    const { text } = delivery.message;
    const ask = (text: string) =>
      this.#ask(delivery, sendMs, (signal) => replace(channel, shown, { text, signal }));
    let receipt = await ask(text);
    if (receipt === undefined) return undefined;
    if (!receipt.sent && receipt.reason === "rejected") {
      const { detail } = receipt;
      this.#log.debug("A preview can't be replaced", { ...namesOf(delivery), detail });
      if (isAboutPreview(delivery)) return { delivery, progress: idle(delivery, this.#now()) };
      const removed = await ask("");
      if (removed === undefined) return undefined;
      if (removed.sent || removed.reason === "rejected") {
        return { delivery, progress: renewed(delivery.expiresAt), hasLostPreview: true };
      }
      receipt = removed; // all of it is tried again
    }
    const [now, random] = [this.#now(), this.#random()];
    const progress = edited(delivery, receipt, { begunAt, now, random });
    if (!receipt.sent) this.#failed(delivery, receipt, progress);
    return { delivery, progress };
  }

  /** What the channel says, at last; `undefined` where a stop of ours leaves it open. Never rejects. */
  async #ask(
    delivery: Delivery,
    ms: number,
    call: (signal: AbortSignal) => Promise<Receipt>,
  ): Promise<Receipt | undefined> {
    const receipt = await this.#within(ms, call).catch((cause): Receipt => {
      this.#log.error("A channel failed to send", { ...namesOf(delivery), cause });
      return { sent: false, reason: "unknown", detail: "the channel failed: see the log" };
    }) ?? { sent: false, reason: "unknown", detail: "the network did not answer in time" };
    if (this.#stop.signal.aborted && !receipt.sent && receipt.reason === "unknown") {
      return undefined;
    }
    this.#outlets.delivered(delivery.message.place, receipt);
    return receipt;
  }

  /** A chat waits after an edit whose end is not known, or that the network did not want yet. */
  #hold(
    lane: string,
    standing: Standing,
    { reason, retryAfterMs = 0, isGlobal }: Exclude<Receipt, { sent: true }>,
  ): void {
    const waitMs = reason === "unknown" ? this.#timing.arriveMs : retryAfterMs;
    const until = this.#now() + waitMs;
    if (isGlobal) standing.limitedUntil = Math.max(standing.limitedUntil, until);
    else if (waitMs > 0) this.#heldUntil.set(lane, until);
  }

  #failed(
    delivery: Delivery,
    { reason, detail, isGlobal }: Exclude<Receipt, { sent: true }>,
    { state, notBefore }: DeliveryProgress,
  ): void {
    const facts = { ...namesOf(delivery), reason, detail };
    const standing = this.#standing(delivery.message.place);
    if (reason === "auth") standing.refusedUntil = this.#now() + REFUSED_MS;
    else if (isGlobal && notBefore !== undefined) {
      standing.limitedUntil = Math.max(standing.limitedUntil, notBefore);
    }
    if (state === "dead") this.#log.warn("A message can't be sent", facts);
    else if (state === "unknown") {
      this.#log.warn("Nobody can tell whether a message was sent", facts);
    } else this.#log.debug("A message is tried again later", { ...facts, notBefore });
  }

  /** Asks the network whether it has a message. `undefined` where a stop of ours leaves it open. */
  async #look({ delivery, channel }: Task): Promise<Outcome | undefined> {
    const outcome = (progress: DeliveryProgress) => ({ delivery, progress });
    if (!canLook(channel)) return outcome(givenUp(delivery, this.#now()));
    const { id, message } = delivery;
    try {
      const found = await this.#within(
        this.#timing.sendMs,
        (signal) => channel.find(message, signal),
      );
      if (this.#stop.signal.aborted && found === undefined) return undefined;
      this.#looks.delete(id);
      const { arriveMs } = this.#timing;
      return outcome(lookedUp(delivery, found, { now: this.#now(), arriveMs }));
    } catch (cause) {
      if (this.#stop.signal.aborted) return undefined;
      const looks = (this.#looks.get(id) ?? 0) + 1;
      this.#looks.set(id, looks);
      this.#log.debug("A network could not be asked for a message", {
        ...namesOf(delivery),
        cause,
      });
      const now = this.#now();
      if (looks >= MAX_LOOKS) {
        this.#looks.delete(id);
        return outcome(givenUp(delivery, now));
      }
      const { attempts, expiresAt, startedAt, fault, error } = delivery;
      const notBefore = now + wait(looks, this.#random());
      return outcome({
        state: "started",
        attempts,
        expiresAt,
        startedAt,
        notBefore,
        fault,
        error,
      });
    }
  }

  /**
   * What the channel says, or `undefined` where it says nothing in time. Its signal aborts at the
   * end of the time; then it has a moment left for a word of its own.
   */
  async #within<T>(ms: number, ask: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
    using deadline = new Deadline(Math.min(ms, MAX_TIMER_MS), this.#stop.signal);
    const { signal } = deadline;
    let grace: ReturnType<typeof setTimeout> | undefined;
    const silence = Promise.withResolvers<undefined>();
    const overruled = () => {
      grace = setTimeout(() => silence.resolve(undefined), this.#timing.graceMs);
    };
    signal.addEventListener("abort", overruled, { once: true });
    if (signal.aborted) overruled(); // it was before we began
    try {
      return await Promise.race([ask(signal), silence.promise]);
    } finally {
      signal.removeEventListener("abort", overruled);
      clearTimeout(grace);
    }
  }

  /** A task ended: its lane goes on, and another one of the account may have its turn. */
  #leave({ lane, message: { place } }: Delivery): void {
    this.#standing(place).underWay--;
    this.#wake(lane, place);
  }

  /** What was surely not sent is as it was, once that can be written, and tried again later. */
  #takeBack(tasks: readonly Task[]): void {
    const soon = this.#now() + this.#timing.rewriteMs;
    for (const { delivery } of tasks) {
      const notBefore = Math.max(delivery.notBefore ?? 0, soon);
      this.#outcomes.push({ delivery, progress: { ...delivery, notBefore } });
      this.#leave(delivery);
    }
  }

  /** A task that came to nothing is as if it had not been begun; the journal tells the next start. */
  #setBack(delivery: Delivery): void {
    const { lane, message: { place } } = delivery;
    this.#busy.delete(lane);
    this.#standing(place).underWay--;
    this.#wakeAt(lane, place, this.#now() + this.#timing.rewriteMs);
  }

  #track(task: Promise<void>): void {
    const done = task.catch((cause) => this.#log.error("The outbox failed", { cause }))
      .finally(() => this.#tasks.delete(done));
    this.#tasks.add(done);
  }

  // ── messages of unknown fate ────────────────────────────────────────────────────────────────

  /** Once per account and run of the program: asks the network for what could not be told before. */
  #lookBack(standing: Standing): void {
    const channel = this.#outlets.channel(standing.account);
    if (standing.hasLookedBack || channel === undefined || !canLook(channel)) return;
    standing.hasLookedBack = true;
    const since = this.#now() - LOOK_BACK_MS;
    const open = this.#store.outbox.list({ ...standing.account, states: ["unknown"] })
      .filter(({ endedAt = 0 }) => endedAt >= since)
      .filter((delivery) => shownOf(this.#previewOf(delivery)) === undefined);
    if (open.length > 0) this.#track(this.#lookInto(open, channel));
  }

  async #lookInto(open: readonly Delivery[], channel: Channel & Lookup): Promise<void> {
    for (const delivery of open) {
      try {
        const found = await this.#within(
          this.#timing.sendMs,
          (signal) => channel.find(delivery.message, signal),
        );
        const now = this.#now();
        if (this.#store.outbox.get(delivery.id)?.state !== "unknown") continue;
        if (found === "absent") {
          // Its chat has gone on: to send it now would put it out of order.
          const dead = { ...givenUp(delivery, now), state: "dead", error: ABSENT } as const;
          this.#store.outbox.update(delivery.id, dead);
        } else if (found?.sent) {
          const { arriveMs } = this.#timing;
          this.#store.outbox.update(delivery.id, lookedUp(delivery, found, { now, arriveMs }));
        }
      } catch (cause) {
        this.#log.debug("A network could not be asked for a message", {
          ...namesOf(delivery),
          cause,
        });
        return;
      }
    }
  }

  // ── previews ────────────────────────────────────────────────────────────────────────────────

  #previewOf({ message: { edits } }: Delivery): Delivery | undefined {
    return edits === undefined ? undefined : this.#store.outbox.get(edits);
  }

  /** A preview that surely was not sent, and whose answer waits already. */
  #isOvertaken({ id, message, origin, startedAt }: Delivery): boolean {
    if (!message.isPreview || origin === undefined || startedAt !== undefined) return false;
    return this.#store.outbox.ofOrigin(origin).some(({ message: { edits } }) => edits === id);
  }

  /**
   * From when on no edit by an earlier process can come after what replaces the preview; 0 where
   * that has been waited for, or is written down: once the replacement is there, none is begun.
   */
  #settledAt({ attempts, notBefore }: Delivery, endedAt = 0): number {
    const isKnown = attempts > 0 || notBefore !== undefined || endedAt >= this.#bornAt;
    return isKnown ? 0 : this.#bornAt + this.#timing.arriveMs;
  }

  #losePreview(delivery: Delivery): void {
    const preview = this.#previewOf(delivery);
    if (preview !== undefined) {
      this.#store.outbox.update(preview.id, { ...preview, messageIds: [] });
    }
  }

  // ── what is known ───────────────────────────────────────────────────────────────────────────

  #standing(account: Account): Standing {
    const key = keyOf(account);
    const known = this.#standings.get(key);
    if (known !== undefined) return known;
    const standing: Standing = {
      account: { channel: account.channel, accountId: account.accountId },
      underWay: 0,
      queue: new Set(),
      limitedUntil: 0,
      refusedUntil: 0,
      hasLookedBack: false,
    };
    this.#standings.set(key, standing);
    return standing;
  }

  /** Before this nothing is sent to a chat, whatever it is. */
  #readyAt({ limitedUntil, refusedUntil }: Standing, lane: string): number {
    return Math.max(limitedUntil, refusedUntil, this.#heldUntil.get(lane) ?? 0);
  }

  #require(id: string): Delivery {
    const delivery = this.#store.outbox.get(id);
    if (delivery === undefined) throw invalid(`There is no message '${id}' in the outbox`);
    return delivery;
  }

  /** Tells who waits for a message that it ended, or that nobody waits on with it. Never throws. */
  #announce(id: string): void {
    try {
      const delivery = this.#store.outbox.get(id);
      if (delivery?.state === "sent") this.#released(delivery.message);
    } catch (cause) {
      this.#log.error("A message has ended, and its row can't be read", { id, cause });
    }
    const waiters = this.#waiting.get(id);
    this.#waiting.delete(id);
    for (const tell of waiters ?? []) tell();
  }
}

const ABSENT = "the network says that it is not there";

function keyOf({ channel, accountId }: Account): string {
  return JSON.stringify([channel, accountId]);
}

function namesOf({ id, message: { place: { channel, accountId, chatId } } }: Delivery) {
  return { id, channel, accountId, chatId };
}

function canLook(channel: Channel): channel is Channel & Lookup {
  return "find" in channel && typeof channel.find === "function";
}

/** What is in the chat of a preview that was sent. */
function shownOf(preview: Delivery | undefined): MessageRef | undefined {
  const [messageId] = preview?.messageIds ?? [];
  if (preview?.state !== "sent" || messageId === undefined) return undefined;
  return { place: preview.message.place, messageId };
}

/** The end of a preview that no answer follows: there is nothing to do where that is not shown. */
function isAboutPreview({ message: { edits, isPreview } }: Delivery): boolean {
  return edits !== undefined && isPreview === true;
}

/** Edits a message of ours, or removes it for an empty text. */
function replace(
  channel: Channel,
  shown: MessageRef,
  { text, signal }: { text: string; signal: AbortSignal },
): Promise<Receipt> {
  if (text !== "" && canEdit(channel)) return channel.edit(shown, text, signal);
  if (text === "" && canDelete(channel)) return channel.delete(shown, signal);
  return Promise.resolve({ sent: false, reason: "rejected", detail: "the network can't do it" });
}
