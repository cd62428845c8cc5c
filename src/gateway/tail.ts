/** Reads the end of the log, a page at a time. */
import { Buffer } from "node:buffer";
import type { LogReader } from "../log.ts";

/**
 * The lines after `cursor` (a byte offset), or the newest ones. `reset` says that the file is
 * shorter than the cursor, `truncated` that older lines were passed over.
 */
export async function tailLog(
  logs: LogReader,
  { cursor, limit = 500, maxBytes = 250_000 }: {
    cursor?: number;
    limit?: number;
    maxBytes?: number;
  },
): Promise<{
  file: string;
  cursor: number;
  size: number;
  lines: readonly string[];
  truncated?: boolean;
  reset?: boolean;
}> {
  const now = await logs.size();
  const reset = cursor !== undefined && cursor > now;
  const wanted = cursor === undefined || reset ? 0 : cursor;
  const from = Math.max(wanted, now - maxBytes);
  const { bytes, size } = await logs.read(from, maxBytes);
  const end = bytes.lastIndexOf(10) + 1; // a line that is still being written waits for the next call
  let text = Buffer.from(bytes.subarray(0, end)).toString("utf8");
  const cutInside = from > wanted;
  if (cutInside) text = text.slice(text.indexOf("\n") + 1);
  const lines = text.split("\n").filter((line) => line !== "");
  const kept = lines.slice(-limit);
  return {
    file: logs.file,
    cursor: from + end,
    size,
    lines: kept,
    ...(cutInside || kept.length < lines.length ? { truncated: true } : {}),
    ...(reset ? { reset: true } : {}),
  };
}
