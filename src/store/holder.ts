/** A note beside the store's file that says who has it open. For people; the lock is SQLite's. */
import type { Static } from "@sinclair/typebox";
import { Check } from "@sinclair/typebox/value";
import * as Type from "../../schemas/type.ts";

const HolderSchema = Type.Object({
  pid: Type.Integer(),
  /** Epoch milliseconds. */
  startedAt: Type.Integer({ minimum: 0, maximum: 8.64e15 }),
  port: Type.Optional(Type.Integer()),
  url: Type.Optional(Type.String()),
});

/** A process that has a store open. */
export type Holder = Readonly<Static<typeof HolderSchema>>;

/** Another process, or another part of this one, has the store open. */
export class StoreBusyError extends Error {
  override readonly name = "StoreBusyError";
  readonly path: string;
  /** Who has it, as far as could be learnt. After a crash this may name a process that is gone. */
  readonly holder?: Holder;

  constructor(path: string, { holder, cause }: { holder?: Holder; cause?: unknown } = {}) {
    const who = holder === undefined ? "another process" : describe(holder);
    super(`Cannot open store '${path}': it is in use by ${who}`, { cause });
    this.path = path;
    this.holder = holder;
  }
}

function describe({ pid, port, startedAt, url }: Holder): string {
  const where = url ?? (port === undefined ? undefined : `port ${port}`);
  const since = `since ${new Date(startedAt).toISOString()}`;
  return `process ${pid} (${where === undefined ? since : `${where}, ${since}`})`;
}

/** The file of the note: `gateway.holder.json` beside `gateway.db`. */
export function holderFile(path: string): string {
  return `${path.replace(/\.[^./\\]+$/, "")}.holder.json`;
}

/** What the note says; `undefined` if there is none, or none that can be read. */
export function readHolder(path: string): Holder | undefined {
  try {
    const value: unknown = JSON.parse(Deno.readTextFileSync(holderFile(path)));
    return Check(HolderSchema, value) ? value : undefined;
  } catch {
    return undefined; // then nobody is named
  }
}

/** Leaves the note. To be called only by who has the lock. */
export function writeHolder(path: string, holder: Holder): void {
  try {
    Deno.writeTextFileSync(holderFile(path), `${JSON.stringify(holder)}\n`, { mode: 0o600 });
  } catch {
    // the store works without it
  }
}

/** Takes the note away. To be called only by who has the lock. */
export function removeHolder(path: string): void {
  try {
    Deno.removeSync(holderFile(path));
  } catch {
    // a stale note misleads nobody: it is read only while somebody has the lock
  }
}
