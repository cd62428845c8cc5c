/** The log: JSON lines in a file, and what a person should see on the terminal. */
import type { Log, LogFields, LogLevel, LogReader } from "../log.ts";
import { AppendFile } from "./append_file.ts";
import { Secrets } from "./secrets.ts";

const LEVELS: readonly LogLevel[] = ["error", "warn", "info", "debug"];
const LIMITS = { maxBytes: 20 * 1024 * 1024, keep: 1 } as const;

export interface LogFile extends Disposable {
  readonly log: Log;
  readonly reader: LogReader;
}

/**
 * Appends to a file that only its owner can read. Lines at or above `level` go to the file; those
 * at or above `shown` also to standard error, for people. Secrets are masked, whoever logs them.
 */
export function openLog(
  path: string,
  { level, shown, print, secrets = new Secrets() }: {
    level: LogLevel;
    shown: LogLevel;
    print: (line: string) => void;
    secrets?: Secrets;
  },
): LogFile {
  const file = new AppendFile(path, LIMITS);
  const { hide } = secrets;
  let isFailing = false;

  function write(at: LogLevel, part: string, message: string, fields: LogFields): void {
    const wanted = LEVELS.indexOf(at);
    if (wanted > LEVELS.indexOf(level) && wanted > LEVELS.indexOf(shown)) return;
    const text = hide(message);
    if (wanted <= LEVELS.indexOf(shown)) print(`${at === "info" ? "" : `${at}: `}${text}`);
    if (wanted > LEVELS.indexOf(level)) return;
    const line = hide(JSON.stringify({
      time: new Date().toISOString(),
      level: at,
      part,
      message,
      ...fields,
      ...("cause" in fields ? { cause: describe(fields.cause) } : {}),
    }));
    try {
      file.append(line);
      isFailing = false;
    } catch (cause) {
      // Whoever logs has something else to do; a full disk must not end it.
      if (!isFailing) print(`error: The log can't be written: ${hide(describe(cause))}`);
      isFailing = true;
    }
  }

  function part(name: string): Log {
    return {
      error: (message, fields = {}) => write("error", name, message, fields),
      warn: (message, fields = {}) => write("warn", name, message, fields),
      info: (message, fields = {}) => write("info", name, message, fields),
      debug: (message, fields = {}) => write("debug", name, message, fields),
      part,
    };
  }

  return {
    log: part("gateway"),
    reader: {
      file: path,
      async size() {
        return (await Deno.stat(path)).size;
      },
      async read(from, maxBytes) {
        using reading = await Deno.open(path);
        const { size } = await reading.stat();
        await reading.seek(from, Deno.SeekMode.Start);
        const bytes = new Uint8Array(Math.max(0, Math.min(maxBytes, size - from)));
        let filled = 0;
        while (filled < bytes.length) {
          const read = await reading.read(bytes.subarray(filled));
          if (read === null) break;
          filled += read;
        }
        return { bytes: bytes.subarray(0, filled), size };
      },
    },
    [Symbol.dispose]: () => file[Symbol.dispose](),
  };
}

function describe(cause: unknown): string {
  return cause instanceof Error ? cause.stack ?? cause.message : String(cause);
}
