/** Files that came with messages, on this machine's disk, in a folder that does not grow for ever. */
import { join } from "node:path";
import { byteReader } from "../byte_reader.ts";
import { fileType, HEAD_BYTES } from "./file_type.ts";

/** A file that was fetched. */
export interface MediaFile {
  readonly path: string;
  /** What its bytes say. */
  readonly mimeType: string;
  /** Bytes. */
  readonly size: number;
}

/** Why a file was not kept, for people. */
export class MediaError extends Error {
  override readonly name = "MediaError";
}

export interface MediaOptions {
  /** Bytes that the folder may hold; the oldest files go first. */
  readonly quotaBytes?: number;
  /** Milliseconds without a byte after which a download is given up. */
  readonly stallMs?: number;
  /** The slowest download that is waited for, in bytes a second, and what it has at least, in ms. */
  readonly minRate?: number;
  readonly minMs?: number;
}

/** How a file's temporary name ends. */
const PART = ".part";
/** What is read at a time. */
const PIECE_BYTES = 65_536;

export class MediaFolder {
  readonly #path: string;
  readonly #quotaBytes: number;
  readonly #stallMs: number;
  readonly #minRate: number;
  readonly #minMs: number;
  /** Bytes in the folder, as far as this object knows; `undefined` before it has looked. */
  #size: number | undefined;
  #tidying: Promise<void> = Promise.resolve();

  constructor(path: string, options: MediaOptions = {}) {
    this.#path = path;
    this.#quotaBytes = options.quotaBytes ?? 1024 ** 3;
    this.#stallMs = options.stallMs ?? 20_000;
    this.#minRate = options.minRate ?? 100_000;
    this.#minMs = options.minMs ?? 30_000;
  }

  /**
   * Writes a stream to a file, a chunk at a time. The same `stem` again replaces the file. Rejects
   * with a `MediaError` for one that is too large or too slow; what was written is then removed, and
   * the stream is cancelled.
   */
  async save(
    stream: ReadableStream<Uint8Array>,
    { stem, name, maxBytes, signal }: {
      /** What the file is called here, without an extension: must be fit for a path. */
      stem: string;
      /** What its sender calls it. */
      name?: string;
      maxBytes: number;
      signal: AbortSignal;
    },
  ): Promise<MediaFile> {
    await Deno.mkdir(this.#path, { recursive: true, mode: 0o700 });
    const part = join(this.#path, `${stem}${PART}`);
    try {
      const { head, size } = await this.#write(part, { stream, maxBytes, signal });
      const { mimeType, extension } = fileType(head);
      const path = join(this.#path, `${stem}${shownName(name, { mimeType, extension })}`);
      await Deno.rename(part, path);
      await this.#tidy(size);
      return { path, mimeType, size };
    } catch (error) {
      await Deno.remove(part).catch(() => {}); // it may not have come to be
      throw error;
    }
  }

  async #write(
    path: string,
    { stream, maxBytes, signal }: {
      stream: ReadableStream<Uint8Array>;
      maxBytes: number;
      signal: AbortSignal;
    },
  ): Promise<{ head: Uint8Array; size: number }> {
    const reader = byteReader(stream, PIECE_BYTES);
    const end = (error: unknown) => void reader.cancel(error).catch(() => {}); // a read then ends
    let fault: MediaError | undefined;
    const giveUp = (reason: string) => {
      fault = new MediaError(reason);
      end(fault);
    };
    const abort = () => end(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort(); // it was while the folder was made
    const limitMs = this.#minMs + 1000 * maxBytes / this.#minRate;
    const limit = setTimeout(() => giveUp("it took too long"), limitMs);
    let stall = setTimeout(() => giveUp("the network stopped sending it"), this.#stallMs);
    try {
      using file = await Deno.open(path, {
        write: true,
        create: true,
        truncate: true,
        mode: 0o600,
      });
      const head = new Uint8Array(HEAD_BYTES);
      let size = 0;
      for (;;) {
        const { done, value } = await reader.read();
        signal.throwIfAborted();
        if (fault !== undefined) throw fault;
        if (done || value === undefined) {
          return { head: head.subarray(0, Math.min(size, HEAD_BYTES)), size };
        }
        clearTimeout(stall);
        stall = setTimeout(() => giveUp("the network stopped sending it"), this.#stallMs);
        if (size < HEAD_BYTES) head.set(value.subarray(0, HEAD_BYTES - size), size);
        size += value.length;
        if (size > maxBytes) {
          throw new MediaError(`it is larger than ${Math.floor(maxBytes / 1024 ** 2)} MB`);
        }
        await writeAll(file, value);
      }
    } catch (error) {
      end(error);
      throw error;
    } finally {
      clearTimeout(stall);
      clearTimeout(limit);
      signal.removeEventListener("abort", abort);
    }
  }

  /** Removes the oldest files until the rest fits. */
  #tidy(added: number): Promise<void> {
    const done = this.#tidying.then(async () => {
      if (this.#size !== undefined) this.#size += added;
      if (this.#size !== undefined && this.#size <= this.#quotaBytes) return;
      const files = await this.#files();
      let size = files.reduce((sum, file) => sum + file.size, 0);
      for (const file of files.slice(0, -1)) { // never the one that was just asked for
        if (size <= this.#quotaBytes) break;
        await Deno.remove(file.path).catch(() => {}); // somebody else did
        size -= file.size;
      }
      this.#size = size;
    });
    this.#tidying = done.catch(() => {}); // who saved the file hears of it
    return done;
  }

  /** Oldest first. */
  async #files(): Promise<readonly { path: string; size: number; at: number }[]> {
    const files = [];
    for await (const { name, isFile } of Deno.readDir(this.#path)) {
      if (!isFile) continue;
      const path = join(this.#path, name);
      const info = await Deno.stat(path).catch(() => undefined); // gone meanwhile
      if (info !== undefined) files.push({ path, size: info.size, at: info.mtime?.getTime() ?? 0 });
    }
    return files.sort((a, b) => a.at - b.at);
  }
}

/** What is left of a sender's name for a file, with the extension that its bytes ask for. */
function shownName(
  name: string | undefined,
  { mimeType, extension }: { mimeType: string; extension: string },
): string {
  const [, base = "", given = ""] = /^(.*?)(?:\.([A-Za-z0-9]{1,8}))?$/s.exec(name ?? "") ?? [];
  const safe = base.normalize("NFC").replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-+|-+$/g, "");
  // Many formats are texts or archives inside; then the name tells more.
  const isVague = /^(?:text\/plain|application\/(?:zip|octet-stream))$/.test(mimeType);
  const end = isVague && given !== "" ? given.toLowerCase() : extension;
  return `${safe === "" ? "" : `-${[...safe].slice(0, 40).join("")}`}.${end}`;
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    written += await file.write(bytes.subarray(written));
  }
}
