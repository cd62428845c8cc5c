/** How a command prints what it got. */
import type { Call } from "./command.ts";
import type { Io } from "./io.ts";
import { printableJson } from "./text.ts";

/** Prints a value as JSON, or as `show` puts it for people. Returns the exit code 0. */
export function answer<T>(
  { json, io }: Pick<Call, "json" | "io">,
  value: T,
  show: (value: T) => string,
): number {
  if (json) printJson(io, value);
  else io.out(show(value));
  return 0;
}

/** Prints a value as JSON; `null` for none. */
export function printJson(io: Pick<Io, "out">, value: unknown): void {
  io.out(`${printableJson(JSON.stringify(value ?? null, null, 2))}\n`);
}
