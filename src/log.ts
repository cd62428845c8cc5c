/** Where the program says what it does. A message never holds a secret. */
export type LogLevel = "error" | "warn" | "info" | "debug";

/** Facts beside a message, searchable; `cause` is the error behind it, kept with its stack. */
export type LogFields = Readonly<Record<string, unknown>>;

export interface Log {
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  /** The same log, with the name of the part that speaks. */
  part(name: string): Log;
}

/** What `logs.tail` reads. Offsets are bytes of the file. */
export interface LogReader {
  readonly file: string;
  /** At most `maxBytes` from `from` on, and how large the file is now. */
  read(from: number, maxBytes: number): Promise<{ bytes: Uint8Array; size: number }>;
  size(): Promise<number>;
}

/** Characters of a text from outside that are written down. */
const MAX_QUOTE = 200;
// deno-lint-ignore no-control-regex
const CONTROL = /[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]+/g;
/** A stretch that may be a secret sent in a wrong place; words in capitals are the protocol's codes. */
const LIKE_A_SECRET = /(?<![\w+=-])(?![A-Z_]+(?![\w+=-]))[\w+=-]{20,}/g;

/**
 * What somebody outside chose, as far as it may be written down: one short line that no terminal
 * obeys, with everything masked that is long enough to be a secret.
 */
export function quoted(text: string): string {
  return oneLine(text).replace(LIKE_A_SECRET, "***");
}

/** An id or a name, on one short line that no terminal obeys. */
export function oneLine(text: string): string {
  const line = text.replace(CONTROL, " ").trim();
  return line.length > MAX_QUOTE ? `${line.slice(0, MAX_QUOTE)}…` : line;
}
