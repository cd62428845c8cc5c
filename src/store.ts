/**
 * What must outlive the process. Calls are synchronous: when one returns, its change outlives the
 * process, however that ends; when it throws, nothing changed. What somebody is told is kept must
 * outlive a loss of power as well: wait for `synced()` before you tell.
 */
import type { PairedDevice, PairingRequest } from "./device.ts";
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
  readonly method: "agent" | "chat.send";
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
  /** Those that a crash left accepted or started, oldest first. */
  unfinished(): readonly StoredRun[];
  /** Forgets ended runs that ended before `before`. */
  prune(before: number): number;
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
  /** Where it lies, for people. */
  readonly path: string;
}
