/** The log: JSON lines in a file, and what a person should see on the terminal. */
import type { Log, LogFields, LogLevel, LogReader } from "../log.ts";

const LEVELS: readonly LogLevel[] = ["error", "warn", "info", "debug"];
/** A file this large is put aside for a new one, in bytes. */
const ROTATE_BYTES = 20 * 1024 * 1024;
/** Anything that looks like a secret is masked, whoever logs it. */
const SECRETS =
  /(bearer\s+|(?:token|password|secret|api[_-]?key)["'\\]*\s*[=:]\s*["'\\]*)[^\s"'\\,&]{6,}|\bsk-[A-Za-z0-9_-]{10,}/gi;

export interface LogFile extends Disposable {
  readonly log: Log;
  readonly reader: LogReader;
}

/**
 * Appends to a file that only its owner can read. Lines at or above `level` go to the file; those
 * at or above `shown` also to standard error, for people.
 */
export function openLog(
  path: string,
  { level, shown, print }: {
    level: LogLevel;
    shown: LogLevel;
    print: (line: string) => void;
  },
): LogFile {
  let file = open(path);
  let size = file.statSync().size;

  function write(at: LogLevel, part: string, message: string, fields: LogFields): void {
    const wanted = LEVELS.indexOf(at);
    if (wanted > LEVELS.indexOf(level) && wanted > LEVELS.indexOf(shown)) return;
    const text = mask(message);
    if (wanted <= LEVELS.indexOf(shown)) print(`${at === "info" ? "" : `${at}: `}${text}`);
    if (wanted > LEVELS.indexOf(level)) return;
    const line = mask(JSON.stringify({
      time: new Date().toISOString(),
      level: at,
      part,
      message,
      ...fields,
      ...("cause" in fields ? { cause: describe(fields.cause) } : {}),
    }));
    const bytes = new TextEncoder().encode(`${line}\n`);
    if (size + bytes.length > ROTATE_BYTES) {
      file.close();
      Deno.renameSync(path, `${path}.1`);
      file = open(path);
      size = 0;
    }
    size += bytes.length;
    for (let sent = 0; sent < bytes.length;) sent += file.writeSync(bytes.subarray(sent));
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
    [Symbol.dispose]: () => file.close(),
  };
}

function open(path: string): Deno.FsFile {
  const file = Deno.openSync(path, { create: true, append: true, mode: 0o600 });
  if (Deno.build.os !== "windows") Deno.chmodSync(path, 0o600); // an older file may be open to others
  return file;
}

function describe(cause: unknown): string {
  return cause instanceof Error ? cause.stack ?? cause.message : String(cause);
}

function mask(text: string): string {
  return text.replace(SECRETS, (_whole, label = "") => `${label}***`);
}
