/** The audit log: one JSON line for each decision, or for a flood of them. */
import type { Audit, AuditEntry } from "../audit.ts";
import { type Log, oneLine, quoted } from "../log.ts";
import { AppendFile } from "./append_file.ts";
import { Repeats } from "./audit_repeats.ts";

/** Where it lies in the state folder. */
export const AUDIT_FILE = "logs/audit.jsonl";
/** Full files beside it: `.1` is the newest. */
export const AUDIT_LIMITS = { maxBytes: 5 * 1024 * 1024, keep: 10 } as const;

/** How long repeats are only counted, in milliseconds. */
const COUNTING_MS = 5 * 60_000;

export interface AuditFile extends Audit, Disposable {}

/**
 * Appends to a file that only its owner can read. An entry is written when `record` returns, unless
 * it is one of many connections or refusals that are alike: those are counted for some minutes.
 * Disposal writes what was counted.
 */
export function openAudit(
  path: string,
  { log, hide = (text) => text, now = Date.now, limits = AUDIT_LIMITS }: {
    log: Log;
    /** Takes out of a line what must not be written down. */
    hide?: (text: string) => string;
    now?: () => number;
    limits?: { readonly maxBytes: number; readonly keep: number };
  },
): AuditFile {
  const file = new AppendFile(path, limits);
  const refusals = new Repeats();
  const arrivals = new Repeats();
  let counting: ReturnType<typeof setTimeout> | undefined;
  let isFailing = false;

  function write(entry: AuditEntry): void {
    try {
      file.append(hide(JSON.stringify(clean(entry))));
      isFailing = false;
    } catch (cause) {
      // Whoever is let in or kept out is so all the same; one line says that the record has a gap.
      if (!isFailing) log.error("The audit log can't be written", { cause });
      isFailing = true;
    }
  }

  function repeatsOf({ action, allowed }: AuditEntry): Repeats | undefined {
    if (!allowed) return refusals;
    return action === "connect" ? arrivals : undefined; // each deed is told by itself
  }

  function drain(): void {
    clearTimeout(counting);
    counting = undefined;
    for (const entry of [...refusals.drain(), ...arrivals.drain()]) write(entry);
  }

  return {
    record(given) {
      const entry = { ts: now(), ...given };
      const repeats = repeatsOf(entry);
      if (repeats === undefined) return write(entry);
      counting ??= setTimeout(drain, COUNTING_MS);
      const first = repeats.take(entry);
      if (first !== undefined) write(first);
    },
    [Symbol.dispose]() {
      drain();
      file[Symbol.dispose]();
    },
  };
}

/** The entry in the order in which people read it, and nothing in it that a client could misuse. */
function clean({ ts, action, allowed, reason, who, target, count, since }: AuditEntry) {
  const { remoteIp, role, deviceId, clientId, method, connId } = who ?? {};
  const said = allowed ? oneLine : quoted; // who is refused may have written anything anywhere
  return {
    ts,
    action: said(action),
    allowed,
    reason: reason && said(reason),
    target: target && oneLine(target),
    who: who && {
      remoteIp: remoteIp && oneLine(remoteIp),
      role,
      deviceId: deviceId && oneLine(deviceId),
      clientId: clientId && quoted(clientId),
      method,
      connId,
    },
    count,
    since,
  };
}
