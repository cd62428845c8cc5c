/** How a command prints what it got. */
import type { Call } from "./command.ts";
import { printableJson } from "./text.ts";

/** Prints a value as JSON, or as `show` puts it for people. Returns the exit code 0. */
export function answer<T>(
  { json, io }: Pick<Call, "json" | "io">,
  value: T,
  show: (value: T) => string,
): number {
  io.out(json ? `${printableJson(JSON.stringify(value ?? null, null, 2))}\n` : show(value));
  return 0;
}
