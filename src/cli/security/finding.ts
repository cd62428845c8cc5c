/** What `openclaw security audit` finds, and how it is mended. */

import type { Loose } from "../private_files.ts";

/** More files than this are no command line for a person. */
const MAX_NAMED = 5;

export type Severity = "critical" | "warn" | "info";

/** One thing that is not as it should be, or that the owner should know. */
export interface Finding {
  /** Names the check; it never changes, so that programs can look for it. */
  readonly checkId: string;
  readonly severity: Severity;
  readonly title: string;
  readonly detail: string;
  readonly mend?: Mend;
}

/** How to mend it. What is not for a hand, `--fix` does: it keeps out nobody but strangers. */
export type Mend =
  /** A command line, or what else a person can do. */
  | { readonly by: "hand"; readonly how: string }
  /** `openclaw config set` and `unset`, one after the other. */
  | { readonly by: "config"; readonly steps: readonly Step[] }
  | { readonly by: "chmod"; readonly loose: readonly Loose[] };

/** One change of the configuration; without a value it takes the setting out. */
export interface Step {
  readonly path: string;
  readonly value?: string;
}

/** The command line, or the words, by which a person mends it. */
export function remedy(mend: Mend): string {
  switch (mend.by) {
    case "hand":
      return mend.how;
    case "config":
      return mend.steps.map(stepText).join(" && ");
    case "chmod":
      return mend.loose.length > MAX_NAMED
        ? "openclaw security audit --fix"
        : `chmod go-rwx ${mend.loose.map(({ path }) => quoted(path)).join(" ")}`;
  }
}

/** The command line that takes one step. */
export function stepText({ path, value }: Step): string {
  return value === undefined
    ? `openclaw config unset ${quoted(path)}`
    : `openclaw config set ${quoted(path)} ${quoted(value)}`;
}

/** A word as a shell takes it whole. */
export function quoted(word: string): string {
  return /^[\w./:@%+,=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** The path of a setting below another one, as `openclaw config` reads it. */
export function below(path: string, key: string): string {
  if (!/^[^.[\]]+$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === "" ? key : `${path}.${key}`;
}

/** The worst first, and otherwise in the order in which they were found. */
export function bySeverity(a: Finding, b: Finding): number {
  return ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity);
}

const ORDER: readonly Severity[] = ["critical", "warn", "info"];
