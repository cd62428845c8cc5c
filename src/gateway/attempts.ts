/** Counts failed credentials and locks out who keeps guessing. */

/** How many failures in which time, and how long the lock then holds. Times in milliseconds. */
export interface AttemptLimits {
  readonly maxAttempts: number;
  readonly windowMs: number;
  readonly lockoutMs: number;
}

export const ATTEMPT_LIMITS: AttemptLimits = {
  maxAttempts: 10,
  windowMs: 60_000,
  lockoutMs: 300_000,
};

/**
 * Keys kept at most; beyond it the longest silent one is forgotten. One that is locked goes last:
 * with a new device for each try anybody has as many keys as they like.
 */
const MAX_KEYS = 10_000;

interface Record {
  failures: number[];
  lockedUntil: number;
}

/**
 * A sliding window per key. A key names the kind of credential and who tries, so that failures with
 * one kind never lock out another.
 */
export class Attempts {
  readonly #limits: AttemptLimits;
  readonly #now: () => number;
  readonly #onLock: (key: string) => void;
  readonly #records = new Map<string, Record>();

  /** `onLock` is told of each key that is locked out. `now` is a clock that nobody sets. */
  constructor(
    limits: Partial<AttemptLimits> = {},
    { now = () => performance.now(), onLock = () => {} }: {
      now?: () => number;
      onLock?: (key: string) => void;
    } = {},
  ) {
    this.#limits = { ...ATTEMPT_LIMITS, ...limits };
    this.#now = now;
    this.#onLock = onLock;
  }

  /** Milliseconds until the key may try again; 0 when it may now. */
  lockedFor(key: string): number {
    return Math.max(0, (this.#records.get(key)?.lockedUntil ?? 0) - this.#now());
  }

  fail(key: string): void {
    const now = this.#now();
    const record = this.#records.get(key) ?? { failures: [], lockedUntil: 0 };
    this.#records.delete(key); // re-inserted at the end: the map's order is that of last use
    record.failures = record.failures.filter((at) => now - at < this.#limits.windowMs);
    record.failures.push(now);
    if (record.failures.length >= this.#limits.maxAttempts) {
      record.lockedUntil = now + this.#limits.lockoutMs;
      record.failures = [];
      this.#onLock(key);
    }
    if (this.#records.size >= MAX_KEYS) this.#forgetOne(now);
    this.#records.set(key, record);
  }

  /** Forgives the failures of a key. A lock that holds stays: it is against others who share the key. */
  succeed(key: string): void {
    if (this.lockedFor(key) === 0) this.#records.delete(key);
  }

  #forgetOne(now: number): void {
    const [longestSilent] = this.#records.keys();
    const [key] = this.#records.entries().find(([, { lockedUntil }]) => lockedUntil <= now) ??
      [longestSilent];
    if (key !== undefined) this.#records.delete(key);
  }
}
