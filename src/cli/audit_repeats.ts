/** What a flood of entries leaves in the audit log: who and how many, in a few lines. */
import type { AuditEntry } from "../audit.ts";

/** How many different entries are kept apart before they are only counted. */
export interface RepeatLimits {
  /** Of one address. */
  readonly perAddress: number;
  /** Of all. */
  readonly total: number;
}

const LIMITS: RepeatLimits = { perAddress: 20, total: 200 };

interface Counted {
  readonly first: AuditEntry;
  last: number;
  more: number;
}

/** Lets through what is said for the first time since the last `drain`, and counts the rest. */
export class Repeats {
  readonly #limits: RepeatLimits;
  readonly #counted = new Map<string, Counted>();
  /** How many entries an address has of its own. */
  readonly #apart = new Map<string, number>();

  constructor(limits: Partial<RepeatLimits> = {}) {
    this.#limits = { ...LIMITS, ...limits };
  }

  /** The entry to write now; `undefined` for one that is only counted. */
  take(entry: AuditEntry): AuditEntry | undefined {
    const { action, allowed, reason, target, who: { clientId, ...who } = {} } = entry;
    const { remoteIp = "", deviceId, role } = who;
    const apart = this.#apart.get(remoteIp) ?? 0;
    // The connection's id is always new, and a refused client calls itself what it likes.
    const name = allowed ? clientId : undefined;
    const own = JSON.stringify([remoteIp, action, allowed, reason, target, deviceId, role, name]);
    const hasRoom = this.#counted.size < this.#limits.total && apart < this.#limits.perAddress;
    const isOwn = hasRoom || this.#counted.has(own);
    const key = isOwn ? own : apart > 0 ? remoteIp : "";
    const known = this.#counted.get(key);
    if (known !== undefined) {
      known.last = entry.ts;
      known.more++;
      return undefined;
    }
    if (isOwn) this.#apart.set(remoteIp, apart + 1);
    const first = isOwn ? entry : unspecific(entry, key);
    this.#counted.set(key, { first, last: entry.ts, more: 0 });
    return first;
  }

  /** The entries that say how much was counted; then begins anew. */
  drain(): readonly AuditEntry[] {
    const told = [...this.#counted.values()].filter(({ more }) => more > 0)
      .map(({ first, last, more }) => ({ ...first, ts: last, since: first.ts, count: more }));
    this.#counted.clear();
    this.#apart.clear();
    return told;
  }
}

function unspecific({ ts, allowed }: AuditEntry, remoteIp: string): AuditEntry {
  const who = remoteIp === "" ? {} : { who: { remoteIp } };
  return { ts, action: "*", allowed, reason: "too many to tell apart", ...who };
}
