/** Which of a chat's waiting messages make the next turn, and when it begins. */
import type { StoredInbound } from "../store.ts";

/** Messages of one person that belong together. */
export interface Turn {
  /** Oldest first; one at least. */
  readonly rows: readonly [StoredInbound, ...StoredInbound[]];
  /** It is not begun before this: more may come. Epoch milliseconds. */
  readonly dueAt: number;
}

/** How long the parts of an album may come one after the other, in milliseconds. */
export const ALBUM_MS = 500;

/**
 * The first turn of what waits. Quick messages of one person share it: those that came within
 * `quietMs` of each other, with nothing of others in between. A file or a command is not waited
 * behind, but an album is, until it is whole.
 */
export function nextTurn(
  rows: readonly StoredInbound[],
  { quietMs, isCommand }: { quietMs: number; isCommand: (row: StoredInbound) => boolean },
): Turn | undefined {
  const [first, ...later] = rows;
  if (first === undefined) return undefined;
  if (!isTalk(first) || isCommand(first)) return { rows: [first], dueAt: first.receivedAt };
  const turn: [StoredInbound, ...StoredInbound[]] = [first];
  let dueAt = first.receivedAt + patience(first, quietMs);
  for (const row of later) {
    const follows = isTalk(row) && !isCommand(row) && isSameSender(first, row) &&
      row.receivedAt < dueAt;
    if (!follows) return { rows: turn, dueAt: Math.min(dueAt, row.receivedAt) };
    turn.push(row);
    dueAt = row.receivedAt + patience(row, quietMs);
  }
  return { rows: turn, dueAt };
}

function isTalk({ message }: StoredInbound): boolean {
  return message.kind === "message";
}

function isSameSender(one: StoredInbound, other: StoredInbound): boolean {
  return one.message.sender.id === other.message.sender.id;
}

/** How long a message waits for another one to join it. */
function patience({ message }: StoredInbound, quietMs: number): number {
  if (message.kind !== "message") return 0;
  if (message.albumId !== undefined) return Math.max(ALBUM_MS, quietMs);
  return message.attachments.length > 0 ? 0 : quietMs;
}
