/**
 * Messages that networks hand to us: stored before the network hears that we have them, then, chat by
 * chat, let in or not, brought to their agents, and done with in the transaction that begins the run.
 * What is still to be done stands in the store and nowhere else, so a crash loses and doubles nothing.
 */
import { createHash } from "node:crypto";
import { type Account, isListed } from "../account.ts";
import type { Channel, Self } from "../channel.ts";
import { GatewayError } from "../error.ts";
import type { Log } from "../log.ts";
import type { InboundMessage, Place, ReplyTarget } from "../message.ts";
import type { Session, SessionKey, UserMessage } from "../session.ts";
import type { Store, StoredInbound } from "../store.ts";
import { type Admission, admit, type Arrival, mayCommand, type Rules } from "./admission.ts";
import { carryOut, type CarryOutParts } from "./carry_out.ts";
import { type Invocation, isStopPhrase, parseCommand } from "./commands.ts";
import type { DmPairing, Notices } from "./dm_pairing.ts";
import { filesOf, imagesOf, InboundFiles } from "./inbound_files.ts";
import type { MediaFolder } from "./media.ts";
import { isMain, type Route, route } from "./routing.ts";
import { lastRoute, type Submission } from "./runs.ts";
import type { Settings } from "./settings.ts";
import type { SystemEvents } from "./system_events.ts";
import {
  type Fetched,
  groupNotice,
  plainName,
  plainText,
  reactionText,
  type Told,
  turnText,
} from "./telling.ts";
import { nextTurn, type Turn } from "./turn.ts";

type AccountRef = Pick<Place, "channel" | "accountId">;

/** The accounts as the inbox sees them. */
export interface Connections {
  /** Who we are there; `undefined` as long as the network has not told. */
  self(account: AccountRef): Self | undefined;
  /** What the account's files are fetched by. */
  channel(account: AccountRef): Channel | undefined;
}

export interface InboxParts extends CarryOutParts {
  readonly store: Store;
  readonly settings: Settings;
  readonly connections: Connections;
  readonly pairing: DmPairing;
  readonly notices: Notices;
  readonly systemEvents: SystemEvents;
  readonly media: MediaFolder;
  readonly log: Log;
  readonly timing?: Partial<InboxTiming>;
  readonly now?: () => number;
}

/** Milliseconds. */
export interface InboxTiming {
  /** The first wait after something failed that should not; each further one is twice as long. */
  readonly retryMs: number;
  /** How long a network has for the first bytes of a file. */
  readonly fetchMs: number;
}

/** What became of the messages of an account since the gateway began. */
export interface InboxReport {
  readonly received: number;
  readonly duplicates: number;
  readonly admitted: number;
  /** By the reason. */
  readonly skipped: Readonly<Record<string, number>>;
}

const TIMING: InboxTiming = { retryMs: 500, fetchMs: 30_000 };
/** A message that can't be handled is given up after so many attempts: others wait behind it. */
const MAX_FAILURES = 8;
/** Waiting messages of a chat that are looked at together. */
const PAGE = 50;
/** Networks say again what they are not sure that we heard: for days. Milliseconds. */
const REMEMBER_MS = 15 * 24 * 60 * 60_000;

/** A chat in which something is to be done. */
interface Lane {
  readonly id: string;
  isBusy: boolean;
  /** Something came while it was busy. */
  isDue: boolean;
  failures: number;
  /** After a failure nothing is tried before this. Epoch milliseconds. */
  retryAt?: number;
  timer?: ReturnType<typeof setTimeout>;
  room?: Disposable;
}

/** When a chat is to be looked at again: at a time, or when a conversation takes more. */
type Rest = { readonly until: number } | { readonly room: SessionKey } | "done";

/** A turn, and all that decides on it. */
interface Scene {
  readonly rows: Turn["rows"];
  readonly place: Place;
  readonly account: Account;
  readonly self: Self | undefined;
  readonly route: Route;
  readonly session: Session | undefined;
  readonly rules: Rules;
}

interface Counts {
  received: number;
  duplicates: number;
  admitted: number;
  readonly skipped: Map<string, number>;
}

export class Inbox implements AsyncDisposable {
  readonly #parts: InboxParts;
  readonly #store: Store;
  readonly #settings: Settings;
  readonly #log: Log;
  readonly #timing: InboxTiming;
  readonly #now: () => number;
  readonly #lanes = new Map<string, Lane>();
  readonly #counts = new Map<string, Counts>();
  readonly #working = new Set<Promise<void>>();
  readonly #files: InboundFiles;
  readonly #stop = new AbortController();

  constructor(parts: InboxParts) {
    this.#parts = parts;
    this.#store = parts.store;
    this.#settings = parts.settings;
    this.#log = parts.log.part("inbox");
    this.#timing = { ...TIMING, ...parts.timing };
    this.#now = parts.now ?? Date.now;
    this.#files = new InboundFiles(parts.media, {
      channel: (account) => parts.connections.channel(account),
      log: this.#log,
      timing: this.#timing,
    });
  }

  /**
   * Resolves once the message is on the disk itself, or was there already. Rejects where it can't be
   * kept, or is of an account that nobody configured: then the network must not hear that we have it.
   */
  async receive(message: InboundMessage): Promise<void> {
    const { channel, accountId } = message.place;
    if (this.#stop.signal.aborted) throw new Error("Cannot take a message: the gateway stops");
    if (this.#settings.account(channel, accountId) === undefined) {
      throw new Error(`Cannot take a message: '${channel}' has no account '${accountId}'`);
    }
    const counts = this.#countsOf(message.place);
    const row = this.#store.transaction(() => {
      const added = this.#store.inbox.add(message, this.#now());
      if (added !== undefined) this.#amend(added);
      return added;
    });
    if (row === undefined) counts.duplicates++;
    else {
      counts.received++;
      if (isAmendment(message)) return await this.#store.synced();
      const text = commandText(message, this.#parts.connections.self(message.place));
      if (isStopPhrase(text)) this.#track(this.#stopAtOnce(row));
      else this.#look(row.lane);
    }
    await this.#store.synced();
  }

  /** An account can be used, or again: what was left of it is taken up. */
  resume({ channel, accountId }: AccountRef): void {
    for (const lane of this.#store.inbox.lanes(channel, accountId)) this.#look(lane);
  }

  report(account: AccountRef): InboxReport {
    const { skipped, ...counts } = this.#countsOf(account);
    return { ...counts, skipped: Object.fromEntries(skipped) };
  }

  /** Forgets messages that no network will say again, and what accounts left that nobody has now. */
  prune(): void {
    this.#store.inbox.prune(
      this.#now() - REMEMBER_MS,
      ({ channel, accountId }) => this.#settings.account(channel, accountId) !== undefined,
    );
  }

  /** Takes no more. What is not done with is taken up at the next start. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    for (const { timer, room } of this.#lanes.values()) {
      clearTimeout(timer);
      room?.[Symbol.dispose]();
    }
    await Promise.allSettled(this.#working);
  }

  // ── one chat after another message ──────────────────────────────────────────────────────────

  /** Looks at a chat as soon as it is not being looked at. */
  #look(id: string): void {
    if (this.#stop.signal.aborted) return;
    const lane: Lane = this.#lanes.get(id) ?? { id, isBusy: false, isDue: false, failures: 0 };
    this.#lanes.set(id, lane);
    if (lane.retryAt !== undefined && lane.retryAt > this.#now()) return; // its timer will look
    lane.isDue = true;
    clearTimeout(lane.timer);
    lane.room?.[Symbol.dispose]();
    if (!lane.isBusy) this.#track(this.#work(lane));
  }

  #track(work: Promise<void>): void {
    const tracked = work.catch((cause) =>
      this.#log.error("A message could not be handled", { cause })
    ).finally(() => this.#working.delete(tracked));
    this.#working.add(tracked);
  }

  async #work(lane: Lane): Promise<void> {
    lane.isBusy = true;
    let rest: Rest = "done";
    while (lane.isDue && !this.#stop.signal.aborted) {
      lane.isDue = false;
      rest = await this.#takeTurns(lane);
    }
    lane.isBusy = false;
    if (this.#stop.signal.aborted) return;
    if (rest === "done") return void this.#lanes.delete(lane.id);
    const look = () => {
      lane.retryAt = undefined; // a timer may be early
      this.#look(lane.id);
    };
    if ("until" in rest) {
      lane.timer = setTimeout(look, Math.max(0, rest.until - this.#now()));
      return;
    }
    lane.room = this.#parts.runs.onRoom(rest.room, look);
    if (this.#parts.runs.hasRoom(rest.room)) look(); // since it was asked for
  }

  /** Takes turns of a chat as long as any is due. Never rejects. */
  async #takeTurns(lane: Lane): Promise<Rest> {
    let rows: readonly StoredInbound[] = [];
    try {
      while (!this.#stop.signal.aborted) {
        const turn = this.#nextTurn(this.#store.inbox.waiting(lane.id, PAGE));
        if (turn === undefined) return "done";
        const now = this.#now();
        const isAhead = turn.rows.some(({ receivedAt }) => receivedAt > now); // the clock was set back
        if (turn.dueAt > now && !isAhead) return { until: turn.dueAt };
        rows = turn.rows;
        const rest = await this.#take(turn.rows);
        lane.failures = 0;
        lane.retryAt = undefined;
        if (rest !== undefined) return rest;
      }
    } catch (cause) {
      return this.#failed(lane, { rows, cause });
    }
    return "done";
  }

  #nextTurn(rows: readonly StoredInbound[]): Turn | undefined {
    const [first] = rows;
    if (first === undefined) return undefined;
    const self = this.#parts.connections.self(first.message.place);
    return nextTurn(rows, {
      quietMs: this.#settings.inboundDebounceMs(first.message.place.channel),
      isCommand: ({ message }) =>
        this.#commandIn(message, self) !== undefined || isStopPhrase(commandText(message, self)),
    });
  }

  #failed(
    lane: Lane,
    { rows, cause }: { rows: readonly StoredInbound[]; cause: unknown },
  ): Rest {
    if (this.#stop.signal.aborted) return "done";
    lane.failures++;
    this.#log.error("A message could not be handled", { lane: lane.id, cause });
    const [first] = rows;
    if (lane.failures > MAX_FAILURES && first !== undefined) {
      try {
        this.#skip(rows, "failed");
        lane.failures = 0;
      } catch (cause) {
        this.#log.error("A message could not even be given up", { lane: lane.id, cause });
      }
    }
    const exponent = Math.min(lane.failures, MAX_FAILURES);
    lane.retryAt = this.#now() + this.#timing.retryMs * (2 ** exponent - 1);
    return { until: lane.retryAt };
  }

  // ── one turn ────────────────────────────────────────────────────────────────────────────────

  /** Decides on a turn and does it. Returns where it can't be done yet. */
  async #take(rows: Turn["rows"]): Promise<Rest | undefined> {
    const scene = this.#sceneOf(rows);
    if (scene === undefined) return void this.#skip(rows, "account-gone");
    const [first] = rows;
    const verdicts = rows.map(({ message }) => this.#admit(message, scene));
    // One of the turn that is meant for us takes those along that only were not addressed.
    const verdict = verdicts.find(({ verdict }) => verdict === "admit") ?? verdicts[0];
    if (verdict === undefined || verdict.verdict === "skip") {
      return this.#leave(rows, { scene, reason: verdict?.reason ?? "empty" });
    }
    if (verdict.verdict === "pair") return this.#pair(scene);
    if (scene.session?.settings.sendPolicy === "deny") return void this.#skip(rows, "denied");
    const { message } = first;
    if (message.kind === "reaction") return this.#note(first, scene);
    const text = commandText(message, scene.self);
    if (isStopPhrase(text) && mayCommand(message, scene.rules)) {
      return await this.#halt(first, scene);
    }
    const command = this.#commandIn(message, scene.self);
    if (command?.name === "stop") return await this.#halt(first, scene);
    if (command !== undefined) return await this.#obey(first, { command, scene });
    return await this.#say(scene);
  }

  #sceneOf(rows: Turn["rows"]): Scene | undefined {
    const { place, sender } = rows[0].message;
    const account = this.#settings.account(place.channel, place.accountId);
    if (account === undefined) return undefined;
    const chosen = route({ place, sender }, this.#settings.config);
    const self = this.#parts.connections.self(place);
    const session = this.#store.sessions.get(chosen.sessionKey);
    const activation = session?.settings.groupActivation;
    const rules: Rules = {
      policy: account.policy,
      commands: this.#settings.commandRules(place.channel),
      isApproved: this.#parts.pairing.isApproved(place, sender.id),
      ...(self === undefined ? {} : { selfId: self.id }),
      ...(activation === "always" || activation === "mention" ? { activation } : {}),
    };
    return { rows, place, account, self, route: chosen, session, rules };
  }

  #admit(message: InboundMessage, { self, route, rules }: Scene): Admission {
    if (message.kind === "edit" || message.kind === "delete") {
      return { verdict: "skip", reason: "not-addressed" }; // they were done with when they came
    }
    const arrival: Arrival = {
      kind: message.kind,
      place: message.place,
      sender: message.sender,
      isAddressed: this.#isAddressed(message, route.agentId),
      isMentioned: message.kind !== "message" || message.mentionsUs,
      isCommand: this.#commandIn(message, self) !== undefined,
    };
    return admit(arrival, rules);
  }

  #isAddressed(message: InboundMessage, agentId: string): boolean {
    if (message.kind === "reaction") return message.toUs ?? this.#isOurs(message);
    if (message.kind !== "message") return true;
    return message.place.kind === "direct" || message.mentionsUs ||
      message.replyTo?.toUs === true ||
      this.#settings.mentions(agentId, message.text);
  }

  /** Whether a message of a chat is one that we sent, as far back as anybody reacts to one. */
  #isOurs({ place, messageId }: InboundMessage): boolean {
    const { channel, accountId } = place;
    const sent = this.#store.outbox.list({ channel, accountId, states: ["sent"], limit: 200 });
    return sent.some(({ message, messageIds }) =>
      message.place.chatId === place.chatId && messageIds?.includes(messageId) === true
    );
  }

  /** The command that a message is, if it is one. */
  #commandIn(message: InboundMessage, self: Self | undefined): Invocation | undefined {
    if (message.kind !== "command" && !this.#settings.hasTextCommands) return undefined;
    return parseCommand(commandText(message, self));
  }

  /** Not for the agent: counted, and kept only where it is heard of later. */
  #leave(
    rows: readonly StoredInbound[],
    { scene, reason }: { scene: Scene; reason: string },
  ): undefined {
    const { account, route } = scene;
    const limit = this.#settings.historyLimit(route.agentId, account.policy);
    if (reason !== "not-addressed" || limit === 0) return this.#refuse(rows, reason);
    this.#store.transaction(() => {
      for (const { seq } of rows) this.#store.inbox.keep(seq, limit);
    });
    this.#count(scene.place, reason, rows.length);
  }

  #pair({ rows, place }: Scene): undefined {
    const { message } = rows[0];
    this.#store.transaction(() => {
      if (this.#close(rows, "pairing") === 0) return;
      this.#parts.pairing.ask(message.sender, replyTo(message));
    });
    this.#count(place, "pairing", rows.length);
  }

  /** A reaction: the agent hears of it with its next turn. */
  #note(row: StoredInbound, { route, place }: Scene): undefined {
    const { message } = row;
    if (message.kind !== "reaction") return;
    this.#store.transaction(() => {
      if (this.#close([row], "noted") === 0) return;
      this.#parts.systemEvents.push(route.sessionKey, reactionText(message));
    });
    this.#countsOf(place).admitted++;
  }

  async #obey(
    row: StoredInbound,
    { command, scene }: { command: Invocation; scene: Scene },
  ): Promise<Rest | undefined> {
    const { sessionKey: key } = scene.route;
    const { message } = row;
    const runId = runIdOf(message);
    const said = userMessage(plainText(message), runId);
    if (command.name === "compact") {
      if (!this.#parts.runs.hasRoom(key)) return { room: key };
      return this.#submit([row], {
        scene,
        submission: { message: said, options: { compact: true } },
      });
    }
    const answered = (answer: string) => {
      if (this.#close([row], runId) === 0) return;
      this.#parts.notices.answer(replyTo(message), answer);
    };
    let rest: string | undefined;
    try {
      rest = await carryOut(command, {
        key,
        message: said,
        runId,
        method: "inbound",
        spelled: key,
        channel: message.place.channel,
        along: answered,
      }, this.#parts);
    } catch (refusal) {
      if (!(refusal instanceof GatewayError)) throw refusal;
      // To try again would keep the chat waiting, and stop what was asked for meanwhile.
      this.#store.transaction(() => answered(`⚠️ ${refusal.message}`));
    }
    if (rest === undefined) return void this.#countsOf(scene.place).admitted++;
    return this.#submit([row], {
      scene,
      submission: { message: userMessage(rest, runId), options: this.#groupOptions(scene) },
    });
  }

  /** A message to stop does not wait in its chat: what is before it is what is to stop. */
  async #stopAtOnce(row: StoredInbound): Promise<void> {
    try {
      const scene = this.#sceneOf([row]);
      const isMeant = scene !== undefined &&
        this.#admit(row.message, scene).verdict === "admit" && mayCommand(row.message, scene.rules);
      if (isMeant) await this.#halt(row, scene);
    } finally {
      this.#look(row.lane);
    }
  }

  async #halt(row: StoredInbound, { route, place }: Scene): Promise<undefined> {
    const runIds = await this.#parts.runs.abort(route.sessionKey, { stopReason: "stop" });
    this.#store.transaction(() => {
      if (this.#close([row], "stop") === 0) return;
      const before = this.#store.inbox.waiting(row.lane, PAGE).filter(({ seq }) => seq < row.seq);
      this.#close(before, "stopped");
      const isIdle = runIds.length === 0 && before.length === 0;
      this.#parts.notices.answer(
        replyTo(row.message),
        isIdle ? "There was nothing to stop." : "Stopped.",
      );
    });
    this.#countsOf(place).admitted++;
  }

  /** Something to say to the agent. */
  async #say(scene: Scene): Promise<Rest | undefined> {
    const { rows, place, account, route } = scene;
    const { sessionKey, agentId } = route;
    if (!this.#parts.runs.hasRoom(sessionKey)) return { room: sessionKey };
    const files = new Map<number, readonly Fetched[]>();
    for (const row of rows) {
      const { mediaMaxBytes: maxBytes } = account.policy;
      files.set(row.seq, await this.#files.fetch(row, { maxBytes, signal: this.#stop.signal }));
    }
    const images = await imagesOf([...files.values()].flat());
    this.#stop.signal.throwIfAborted();
    // Meanwhile they may have been edited, deleted, or stopped.
    const fresh = rows.flatMap(({ seq }) => this.#store.inbox.get(seq) ?? []);
    const last = fresh.at(-1);
    if (last === undefined) return undefined;
    const limit = place.kind === "direct"
      ? 0
      : this.#settings.historyLimit(agentId, account.policy);
    const before = this.#store.inbox.context(last.lane, { before: last.seq, limit });
    const told = ({ message, seq }: StoredInbound): Told => ({
      message,
      files: files.get(seq) ?? filesOf(message),
    });
    const text = turnText(fresh.map(told), { place, context: before.map(told) });
    if (text === "") return void this.#skip(fresh, "empty");
    const content = images.length === 0 ? text : [{ type: "text" as const, text }, ...images];
    return this.#submit(fresh, {
      scene,
      submission: {
        message: userMessage(content, runIdOf(fresh[0]?.message ?? last.message)),
        options: this.#groupOptions(scene),
      },
      context: before,
    });
  }

  #groupOptions({ place }: Scene): Submission["options"] {
    return place.kind === "direct" ? {} : { extraSystemPrompt: groupNotice(place) };
  }

  /** Begins the run, and is done with its messages, all or nothing. */
  #submit(
    rows: readonly StoredInbound[],
    { scene, submission, context = [] }: {
      scene: Scene;
      submission: Pick<Submission, "message" | "options">;
      context?: readonly StoredInbound[];
    },
  ): Rest | undefined {
    const { route, place } = scene;
    const last = rows.at(-1);
    const runId = submission.message.idempotencyKey;
    if (last === undefined || runId === undefined) return undefined;
    if (!this.#parts.runs.hasRoom(route.sessionKey)) return { room: route.sessionKey };
    const reply = replyTo(last.message);
    const options = { ...submission.options, reply };
    const { message } = submission;
    const { sessionKey } = route;
    this.#parts.runs.submit(
      { runId, method: "inbound", sessionKey, message, options },
      (session) => {
        if (this.#close(rows, runId) !== rows.length) {
          throw new Error(`Cannot begin run '${runId}': a message of it is done with already`);
        }
        this.#close(context, "told");
        this.#keepRoute(session, { scene, reply });
      },
    );
    this.#countsOf(place).admitted += rows.length;
    return undefined;
  }

  /** The owner's chat is the one to write to unasked; a group's name is what people know it by. */
  #keepRoute(session: Session, { scene, reply }: { scene: Scene; reply: ReplyTarget }): void {
    const { place, route, rules, rows } = scene;
    const now = this.#now();
    const title = plainName(place.title ?? "");
    const { agentId, settings } = session;
    if (place.kind !== "direct" && title !== "" && settings.displayName === undefined) {
      this.#store.sessions.save(session.key, {
        agentId,
        settings: { displayName: title },
        now,
        touch: false,
      });
    }
    const isOwner = isListed(rules.commands.owners, rows[0].message.sender.id, place.channel);
    if (place.kind !== "direct" || !isOwner || isMain(route, this.#settings.config)) return;
    this.#store.sessions.save(this.#settings.sessionKey("main", route.agentId), {
      agentId: route.agentId,
      stats: lastRoute(reply),
      now,
      touch: false,
    });
  }

  // ── the store ───────────────────────────────────────────────────────────────────────────────

  /** What changes an earlier message is done with when it comes, if that one still waits. */
  #amend(row: StoredInbound): void {
    const { message, seq } = row;
    if (message.kind !== "edit" && message.kind !== "delete") return;
    const target = this.#store.inbox.find(message.place, message.messageId);
    if (target === undefined || target.message.kind !== "message") {
      this.#skip([row], "late");
    } else if (message.kind === "delete") {
      this.#close([target, row], "deleted");
    } else if (target.message.sender.id !== message.sender.id) {
      this.#skip([row], "not-theirs");
    } else {
      this.#store.inbox.rewrite(target.seq, { ...target.message, text: message.text });
      this.#store.inbox.close([seq], "edited");
    }
  }

  /** Who waits for an answer is told that none will come; everybody else meets with silence. */
  #refuse(rows: readonly StoredInbound[], reason: string): undefined {
    this.#store.transaction(() => {
      this.#skip(rows, reason);
      for (const { message } of rows) {
        const target = replyTo(message);
        if (target.isAwaited) {
          this.#parts.notices.answer(target, "This is not for you to use here.");
        }
      }
    });
  }

  #skip(rows: readonly StoredInbound[], reason: string): undefined {
    this.#close(rows, reason);
    const [first] = rows;
    if (first !== undefined) this.#count(first.message.place, reason, rows.length);
  }

  #close(rows: readonly StoredInbound[], outcome: string): number {
    return rows.length === 0 ? 0 : this.#store.inbox.close(rows.map(({ seq }) => seq), outcome);
  }

  #count(account: AccountRef, reason: string, count: number): void {
    const { skipped } = this.#countsOf(account);
    skipped.set(reason, (skipped.get(reason) ?? 0) + count);
  }

  #countsOf({ channel, accountId }: AccountRef): Counts {
    const name = JSON.stringify([channel, accountId]);
    const known = this.#counts.get(name);
    if (known !== undefined) return known;
    const counts: Counts = { received: 0, duplicates: 0, admitted: 0, skipped: new Map() };
    this.#counts.set(name, counts);
    return counts;
  }
}

function isAmendment({ kind }: InboundMessage): boolean {
  return kind === "edit" || kind === "delete";
}

/** What a message says when it is not said to us by name: `@bot /status` is `/status`. */
function commandText(message: InboundMessage, self: Self | undefined): string {
  if (message.kind === "message" && message.attachments.length > 0) return ""; // nobody commands so
  const text = plainText(message);
  for (const name of [self?.username, self?.name]) {
    if (name === undefined || name === "") continue;
    const address = `@${name.replace(/^@/, "")}`;
    if (text.toLowerCase().startsWith(`${address.toLowerCase()} `)) {
      return text.slice(address.length).trim();
    }
  }
  return text;
}

function replyTo(message: InboundMessage): ReplyTarget {
  const { place, messageId } = message;
  const isAwaited = message.kind === "command" && message.isAwaited === true;
  return { place, messageId, ...(isAwaited ? { isAwaited } : {}) };
}

/** The same for the same message in every life of the program, and the same for no other message. */
function runIdOf({ place: { channel, accountId, chatId }, eventId }: InboundMessage): string {
  const name = JSON.stringify([channel, accountId, chatId, eventId]);
  return `in-${createHash("sha256").update(name).digest("hex").slice(0, 32)}`;
}

function userMessage(content: UserMessage["content"], runId: string): UserMessage {
  return { role: "user", content, timestamp: Date.now(), idempotencyKey: runId };
}
