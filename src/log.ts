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
