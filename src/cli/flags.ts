/** Flags: how they are declared, and how a command line is read by the declarations. */
import { parseArgs, type ParseArgsOptionsConfig } from "node:util";

/** One flag. `value` stands for its value in the help, and is what makes it take one. */
export type Flag =
  & { readonly about: string; readonly short?: string }
  & (
    | { readonly kind: "switch" }
    | { readonly kind: "text"; readonly value: string; readonly oneOf?: readonly string[] }
    | { readonly kind: "list"; readonly value: string }
    | {
      readonly kind: "number";
      readonly value: string;
      readonly min?: number;
      readonly max?: number;
    }
  );

/** Flags by their names, without the dashes. */
export type Flags = Readonly<Record<string, Flag>>;

/** What a command line set. A switch that it did not name is `false`, a list is empty. */
export type ValuesOf<F extends Flags> = { readonly [K in keyof F]: ValueOf<F[K]> };

type ValueOf<F extends Flag> = F extends { kind: "switch" } ? boolean
  : F extends { kind: "list" } ? readonly string[]
  : F extends { kind: "number" } ? number | undefined
  : F extends { oneOf: readonly (infer Choice)[] } ? Choice | undefined
  : string | undefined;

/** The command line can't be meant. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** The words that are no flags and no flags' values; never throws, knows only `flags`. */
export function wordsOf(argv: readonly string[], flags: Flags): readonly string[] {
  return tokensOf(argv, flags).flatMap((token) => token.kind === "positional" ? [token.value] : []);
}

/**
 * Reads `flags`, passing over those in `others`, which win where both declare a flag. Throws a `UsageError` for an unknown flag, a
 * missing value and one that can't be used.
 */
export function parseFlags<const F extends Flags>(
  argv: readonly string[],
  flags: F,
  others: Flags = {},
): { values: ValuesOf<F>; words: readonly string[] } {
  const values: Record<string, unknown> = {};
  for (const [name, { kind }] of Object.entries(flags)) {
    values[name] = kind === "switch" ? false : kind === "list" ? [] : undefined;
  }
  const words: string[] = [];
  const all = { ...flags, ...others };
  for (const token of tokensOf(argv, all)) {
    if (token.kind === "positional") words.push(token.value);
    if (token.kind !== "option") continue;
    const { name, rawName, value, inlineValue } = token;
    const flag = Object.hasOwn(all, name) ? all[name] : undefined;
    if (flag === undefined) throw unknownFlag(rawName, all);
    if (flag.kind === "switch") {
      if (value !== undefined) throw new UsageError(`${rawName} takes no value`);
      if (Object.hasOwn(flags, name)) values[name] = true;
      continue;
    }
    if (value === undefined || (!inlineValue && /^-./.test(value))) {
      const equals = value === undefined
        ? ""
        : ` (for one that starts with a dash: --${name}=${value})`;
      throw new UsageError(`${rawName} needs a value${equals}`);
    }
    const read = readValue(rawName, value, flag);
    if (!Object.hasOwn(flags, name)) continue;
    values[name] = flag.kind === "list" ? [...values[name] as string[], read] : read;
  }
  // Filled above from the same declarations that `ValuesOf` reads.
  return { values: values as ValuesOf<F>, words };
}

function tokensOf(argv: readonly string[], flags: Flags) {
  const options: ParseArgsOptionsConfig = {};
  for (const [name, { kind, short }] of Object.entries(flags)) {
    const type = kind === "switch" ? "boolean" : "string";
    options[name] = short === undefined ? { type } : { type, short };
  }
  return parseArgs({ args: [...argv], options, strict: false, tokens: true }).tokens;
}

function readValue(name: string, text: string, flag: Exclude<Flag, { kind: "switch" }>) {
  if (flag.kind === "number") {
    const { min = 0, max = Number.MAX_SAFE_INTEGER } = flag;
    const number = Number(text);
    if (text.trim() !== "" && Number.isInteger(number) && number >= min && number <= max) {
      return number;
    }
    const range = max === Number.MAX_SAFE_INTEGER ? `from ${min} on` : `from ${min} to ${max}`;
    throw new UsageError(`${name} must be a whole number ${range}, not '${text}'`);
  }
  if (flag.kind === "text" && flag.oneOf !== undefined && !flag.oneOf.includes(text)) {
    throw new UsageError(`${name} must be one of ${flag.oneOf.join(", ")}, not '${text}'`);
  }
  return text;
}

function unknownFlag(rawName: string, flags: Flags): UsageError {
  const near = rawName.startsWith("--") ? nearest(rawName.slice(2), Object.keys(flags)) : undefined;
  return new UsageError(
    `Unknown flag ${rawName}${near === undefined ? ": see --help" : `, did you mean --${near}?`}`,
  );
}

/** The candidate that is a few slips away from the word, if there is one. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestSlips = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const slips = slipsBetween(word, candidate);
    if (slips < bestSlips) [best, bestSlips] = [candidate, slips];
  }
  return best;
}

/** Letters left out, added, changed or swapped with their neighbour. */
function slipsBetween(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1;
      row[j] = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + change);
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) row[j] = Math.min(row[j]!, before[j - 2]! + 1);
    }
    [before, last] = [last, row];
  }
  return last[b.length]!;
}
