/** Reads the audit log, which lies on this machine: no gateway needs to run. */
import { pause } from "../../deadline.ts";
import { AUDIT_FILE, AUDIT_LIMITS } from "../audit_file.ts";
import type { Paint } from "../paint.ts";
import { oneLine } from "../text.ts";
import { moment } from "../time.ts";

/** How often new lines are looked for, in milliseconds. */
const FOLLOW_MS = 500;

/** The audit log of a state folder: what it holds, and then what comes. */
export class AuditRecord {
  readonly #path: string;
  /** Which file was read last, and how far. */
  #inode = 0;
  #at = 0;

  constructor(stateDir: string) {
    this.#path = `${stateDir}/${AUDIT_FILE}`;
  }

  /** The newest lines that fit, the oldest of them first, over as many files as it takes. */
  async newest(limit: number, fits: (line: string) => boolean): Promise<readonly string[]> {
    let lines = (await this.#more()).filter(fits);
    for (let age = 1; age <= AUDIT_LIMITS.keep && lines.length < limit; age++) {
      const older = await readFrom(`${this.#path}.${age}`, 0);
      if (older === undefined) break;
      lines = [...linesOf(older.text).filter(fits), ...lines];
    }
    return lines.slice(-limit);
  }

  /** Gives the lines behind those, as they are written, until the signal aborts. */
  async *follow(signal: AbortSignal): AsyncIterable<readonly string[]> {
    for (; !signal.aborted; await pause(FOLLOW_MS, signal)) {
      const lines = await this.#more();
      if (lines.length > 0) yield lines;
    }
  }

  /** Whole lines since the last time. */
  async #more(): Promise<readonly string[]> {
    const read = await readFrom(this.#path, this.#at);
    if (read === undefined) return [];
    if (this.#inode !== 0 && read.inode !== this.#inode) {
      // The file was put aside meanwhile: what came last stands in it there.
      const last = await readFrom(`${this.#path}.1`, this.#at);
      this.#inode = read.inode;
      this.#at = 0;
      return [...linesOf(last?.text ?? ""), ...await this.#more()];
    }
    const end = read.text.lastIndexOf("\n") + 1;
    this.#inode = read.inode;
    this.#at += new TextEncoder().encode(read.text.slice(0, end)).length;
    return linesOf(read.text.slice(0, end));
  }
}

/** Whether a line tells of something that was refused. */
export function isRefusal(line: string): boolean {
  return parse(line)?.allowed === false;
}

/** `2026-01-02 12:03:44 refused connect AUTH_TOKEN_MISMATCH 192.0.2.7` */
export function lineText(line: string, { paint, utc }: { paint: Paint; utc: boolean }): string {
  const entry = parse(line);
  if (entry === undefined) return oneLine(line);
  const { ts, action, allowed, reason, target, who = {}, count, since, ...rest } = entry;
  const facts = {
    target,
    ...Object(who),
    count,
    since: since === undefined ? undefined : moment(since, utc),
    ...rest,
  };
  const named = Object.entries(facts).filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`);
  return [
    paint.dim(moment(ts, utc)),
    allowed === true ? paint.green("allowed") : paint.red("refused"),
    oneLine(String(action)),
    oneLine(String(reason ?? "")),
    paint.dim(oneLine(named.join(" "))),
  ].filter((text) => text !== "").join(" ");
}

function linesOf(text: string): readonly string[] {
  return text.split("\n").filter((line) => line !== "");
}

/** What stands in a file behind a place; `undefined` where there is no file. */
async function readFrom(
  path: string,
  at: number,
): Promise<{ readonly text: string; readonly inode: number } | undefined> {
  try {
    using file = await Deno.open(path);
    const { ino, size } = await file.stat();
    await file.seek(Math.min(at, size), Deno.SeekMode.Start);
    const bytes = new Uint8Array(Math.max(0, size - at));
    for (let filled = 0; filled < bytes.length;) {
      const count = await file.read(bytes.subarray(filled));
      if (count === null) break;
      filled += count;
    }
    return { text: new TextDecoder().decode(bytes), inode: ino ?? 0 };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function parse(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value = JSON.parse(line);
    return typeof value?.action === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}
