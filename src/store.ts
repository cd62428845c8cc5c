/**
 * What must outlive the process. Calls are synchronous: when one returns, its change outlives the
 * process, however that ends; when it throws, nothing changed. What somebody is told is kept must
 * outlive a loss of power as well: wait for `synced()` before you tell.
 */
import type { PairedDevice, PairingRequest } from "./device.ts";
import type { InboundMessage, OutboundMessage, Place, ReplyTarget, SendFault } from "./message.ts";
import type {
  Compaction,
  Message,
  Session,
  SessionKey,
  SessionSettings,
  SessionStats,
  TranscriptEntry,
} from "./session.ts";

/** Which sessions to list; newest `updatedAt` first. */
export interface SessionQuery {
  readonly agentId?: string;
  readonly label?: string;
  readonly spawnedBy?: string;
  /** Case-insensitive part of key, label or display name. */
  readonly search?: string;
  readonly updatedSince?: number;
  readonly limit?: number;
  readonly offset?: number;
}

/** Two conversations can't have one label. */
export class LabelTakenError extends Error {
  override readonly name = "LabelTakenError";
  readonly label: string;
  /** The session that has it. */
  readonly owner: SessionKey;

  constructor(label: string, owner: SessionKey) {
    super(`Cannot use label '${label}': session '${owner}' has it`);
    this.label = label;
    this.owner = owner;
  }
}

export interface Sessions {
  get(key: SessionKey): Session | undefined;
  byId(sessionId: string): Session | undefined;
  byLabel(label: string): Session | undefined;
  list(query: SessionQuery): readonly Session[];
  count(query: SessionQuery): number;
  /**
   * Creates the session where it doesn't exist; `undefined` values in `settings` clear. Throws
   * `LabelTakenError` for another session's label.
   */
  save(key: SessionKey, change: {
    agentId: string;
    /** Used only for a new session, or to start a new transcript in an old one. */
    sessionId?: string;
    settings?: SessionSettings;
    stats?: SessionStats;
    now: number;
    /** `false` keeps `updatedAt`. */
    touch?: boolean;
  }): Session;
  /** Forgets the session. Its transcript stays readable by session id unless `transcript`. */
  remove(key: SessionKey, options: { transcript: boolean }): boolean;
}

/** A line to append. */
export type NewEntry =
  & { readonly id?: string; readonly at: number; readonly runId?: string }
  & (
    | { readonly kind: "message"; readonly message: Message }
    | { readonly kind: "compaction"; readonly compaction: Compaction }
  );

export interface Transcripts {
  append(sessionId: string, entry: NewEntry): TranscriptEntry;
  /** At most `limit` messages, oldest first: the newest ones, or those before `before` (a seq). */
  page(
    sessionId: string,
    range: { limit: number; before?: number; offset?: number },
  ): readonly TranscriptEntry[];
  /** Messages, without compactions. */
  count(sessionId: string): number;
  /** From the last compaction's `firstKeptSeq` on, that compaction first. */
  context(sessionId: string): readonly TranscriptEntry[];
}

/** A run that a client was told is accepted. */
export interface StoredRun {
  readonly runId: string;
  readonly method: "agent" | "chat.send" | "inbound";
  readonly sessionKey: SessionKey;
  readonly sessionId: string;
  readonly state: "accepted" | "started" | "ok" | "error" | "aborted";
  readonly acceptedAt: number;
  readonly startedAt?: number;
  readonly endedAt?: number;
  /** What is needed to start it after a restart; JSON of the gateway's own. */
  readonly input: unknown;
  /** The final answer, or the error; JSON of the gateway's own. */
  readonly result?: unknown;
}

export interface Runs {
  get(runId: string): StoredRun | undefined;
  /** Throws if the id is taken. */
  accept(
    run: Pick<StoredRun, "runId" | "method" | "sessionKey" | "sessionId" | "acceptedAt" | "input">,
  ): void;
  /** Marks it started and appends its user message, in one transaction. */
  start(runId: string, sessionId: string, entry: NewEntry, startedAt: number): TranscriptEntry;
  finish(runId: string, state: "ok" | "error" | "aborted", result: unknown, endedAt: number): void;
  /** Those that a crash left accepted or started, in the order in which they were accepted. */
  unfinished(): readonly StoredRun[];
  /** Forgets ended runs that ended before `before`. */
  prune(before: number): number;
}

/** A message that a network handed to us, and that is not done with. */
export interface StoredInbound {
  /** The order in which they came. Names it for ever. */
  readonly seq: number;
  /** `chatOf(message.place)`: what must stay in order. */
  readonly lane: string;
  readonly message: InboundMessage;
  /**
   * `waiting`: nothing was done with it. `context`: it was said among others, and the agent hears of
   * it when somebody there turns to us.
   */
  readonly state: "waiting" | "context";
  /** Epoch milliseconds. */
  readonly receivedAt: number;
}

export interface Inbox {
  /** Appends what is new, as waiting. `undefined` for what was there, done or not. */
  add(message: InboundMessage, receivedAt: number): StoredInbound | undefined;
  get(seq: number): StoredInbound | undefined;
  /** Those of a lane that wait, oldest first. */
  waiting(lane: string, limit: number): readonly StoredInbound[];
  /** The lanes of an account in which something waits, the one that waits longest first. */
  lanes(channel: string, accountId: string): readonly string[];
  /** The newest of a lane's context before `seq`, oldest first. */
  context(lane: string, options: { before: number; limit: number }): readonly StoredInbound[];
  /** A message that is not done with, by what the network calls it; in whatever thread of the chat. */
  find(
    chat: Pick<Place, "channel" | "accountId" | "chatId">,
    messageId: string,
  ): StoredInbound | undefined;
  /** Changes what a message that is not done with says. */
  rewrite(seq: number, message: InboundMessage): void;
  /** Makes a waiting one part of the context, of which the newest `limit` are kept. */
  keep(seq: number, limit: number): void;
  /** Is done with them; what they said is forgotten. Returns how many were not done with before. */
  close(seqs: readonly number[], outcome: string): number;
  /**
   * Forgets that those came which were received before `before` and are done with, or of an account
   * that is not there. Returns how many.
   */
  prune(
    before: number,
    isThere: (account: { channel: string; accountId: string }) => boolean,
  ): number;
}

/** Somebody who wrote to us and waits for the owner's leave. Times are epoch milliseconds. */
export interface SenderRequest {
  /** Eight characters; names the request among all that are pending. */
  readonly code: string;
  readonly channel: string;
  readonly accountId: string;
  readonly senderId: string;
  /** For people, as are the others of `metadata`. */
  readonly senderLabel: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Where they are told that they were let in. */
  readonly reply: ReplyTarget;
  readonly createdAt: number;
  readonly lastSeenAt: number;
}

/** Who may write to us directly besides those whom the configuration names. */
export interface Senders {
  /** Oldest first. */
  pending(account?: { channel?: string; accountId?: string }): readonly SenderRequest[];
  /** One request for each sender: a new one replaces the old. */
  savePending(request: SenderRequest): void;
  removePending(code: string): boolean;
  isApproved(account: { channel: string; accountId: string }, senderId: string): boolean;
  approve(
    account: { channel: string; accountId: string },
    senderId: string,
    approvedAt: number,
  ): void;
}

/**
 * How far a message has come. `started`: it may have been sent. `unknown`: it may have been sent, and
 * nobody can tell. `dead`: it was not sent, and will not be by itself.
 */
export type DeliveryState = "accepted" | "started" | "sent" | "unknown" | "dead";

/** A message on its way out. Times are epoch milliseconds. */
export interface Delivery {
  /** Names the message for ever, and is what the network knows it by. */
  readonly id: string;
  /** The order in which they were accepted. */
  readonly seq: number;
  /** `chatOf(message.place)`: what must stay in order. */
  readonly lane: string;
  readonly message: OutboundMessage;
  /** What asked for it: a run, or the request of a client. */
  readonly origin?: string;
  readonly state: DeliveryState;
  readonly acceptedAt: number;
  /** It is not sent any more after this. */
  readonly expiresAt: number;
  readonly attempts: number;
  /** Since when it may have been sent. */
  readonly startedAt?: number;
  /** It is not tried before this. */
  readonly notBefore?: number;
  readonly endedAt?: number;
  /** Why the last attempt failed, and the same for people. */
  readonly fault?: SendFault | "expired";
  readonly error?: string;
  /** What the network calls it. */
  readonly messageIds?: readonly string[];
}

/** Where a delivery stands, without what it delivers. */
export type DeliveryProgress = Pick<
  Delivery,
  | "state"
  | "attempts"
  | "expiresAt"
  | "startedAt"
  | "notBefore"
  | "endedAt"
  | "fault"
  | "error"
  | "messageIds"
>;

export interface Outbox {
  /** Appends to the lane of its chat. Throws if the id is taken. */
  add(delivery: {
    readonly message: OutboundMessage;
    readonly origin?: string;
    readonly acceptedAt: number;
    readonly expiresAt: number;
  }): void;
  get(id: string): Delivery | undefined;
  /** All that one run or request asked for, in order. */
  ofOrigin(origin: string): readonly Delivery[];
  /** The first in a lane that waits: accepted, or started and not ended. */
  next(lane: string): Delivery | undefined;
  /** The lanes in which something waits, with the account of each. */
  waiting(): readonly {
    readonly lane: string;
    readonly channel: string;
    readonly accountId: string;
  }[];
  /** Replaces all that `progress` names; what it leaves out is cleared. */
  update(id: string, progress: DeliveryProgress): void;
  /** Newest first. */
  list(query: {
    readonly states?: readonly DeliveryState[];
    readonly channel?: string;
    readonly accountId?: string;
    readonly limit?: number;
  }): readonly Delivery[];
  /** Those in a state. Previews do not count: what is said in the end does. */
  count(state: DeliveryState): number;
  /** Those of an account that wait only since the network was lost may be tried at once. */
  hasten(channel: string, accountId: string): void;
  /** Waiting ones whose time is over at `now`, oldest first. */
  expired(now: number): readonly Delivery[];
  remove(id: string): boolean;
  /** Forgets those that ended in a state before `before`. */
  prune(state: DeliveryState, before: number): number;
}

export interface Devices {
  paired(): readonly PairedDevice[];
  pending(): readonly PairingRequest[];
  get(deviceId: string): PairedDevice | undefined;
  request(requestId: string): PairingRequest | undefined;
  requestOf(deviceId: string): PairingRequest | undefined;
  saveDevice(device: PairedDevice): void;
  saveRequest(request: PairingRequest): void;
  removeDevice(deviceId: string): boolean;
  removeRequest(requestId: string): boolean;
}

/** Small things under a name, for whoever owns the name. Values are JSON. */
export interface KeyValues {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  delete(name: string): boolean;
}

export interface Store extends Disposable {
  readonly sessions: Sessions;
  readonly transcripts: Transcripts;
  readonly runs: Runs;
  readonly inbox: Inbox;
  readonly senders: Senders;
  readonly outbox: Outbox;
  readonly devices: Devices;
  readonly values: KeyValues;
  /** Runs `change` so that either all of it is on disk, or nothing. */
  transaction<T>(change: () => T): T;
  /** Whether every change is on the disk itself. */
  readonly isSynced: boolean;
  /**
   * Resolves when every change before the call is on the disk itself. Many who wait share one write,
   * and nothing else stands still meanwhile.
   */
  synced(): Promise<void>;
  /**
   * An empty store in memory. When it is disposed of, this one has made ready for all that that one
   * was asked.
   */
  rehearsal(): Store;
  /** Where it lies, for people. */
  readonly path: string;
}
