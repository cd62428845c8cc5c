/** A file that only grows, for its owner's eyes only; a full one is put aside. */

/** How large a file gets, in bytes, and how many full ones are kept beside it. */
export interface AppendLimits {
  readonly maxBytes: number;
  readonly keep: number;
}

/** Lines, in the order in which they were given. The newest full file ends in `.1`. */
export class AppendFile implements Disposable {
  readonly path: string;
  readonly #limits: AppendLimits;
  readonly #encoder = new TextEncoder();
  #file: Deno.FsFile;
  #size: number;
  /** The last line has no end: the disk was full, or an earlier process died over it. */
  #isTorn: boolean;

  /** Makes the file if there is none; its folder must be there. */
  constructor(path: string, limits: AppendLimits) {
    this.path = path;
    this.#limits = limits;
    this.#file = open(path);
    this.#size = this.#file.statSync().size;
    this.#isTorn = this.#size > 0 && !this.#endsLine();
  }

  /** Has written the line when it returns. Throws where the disk does not take it. */
  append(line: string): void {
    const bytes = this.#encoder.encode(`${this.#isTorn ? "\n" : ""}${line}\n`);
    if (this.#size > 0 && this.#size + bytes.length > this.#limits.maxBytes) this.#putAside();
    let written = 0;
    try {
      while (written < bytes.length) written += this.#file.writeSync(bytes.subarray(written));
      this.#isTorn = false;
    } finally {
      if (written > 0 && written < bytes.length) this.#isTorn = true;
      this.#size += written;
    }
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }

  #putAside(): void {
    this.#file.close();
    try {
      for (let age = this.#limits.keep; age > 0; age--) {
        renameIfThere(age === 1 ? this.path : `${this.path}.${age - 1}`, `${this.path}.${age}`);
      }
    } finally {
      this.#file = open(this.path);
      this.#size = this.#file.statSync().size;
    }
  }

  #endsLine(): boolean {
    const last = new Uint8Array(1);
    this.#file.seekSync(-1, Deno.SeekMode.End);
    this.#file.readSync(last);
    return last[0] === 10;
  }
}

function open(path: string): Deno.FsFile {
  const file = Deno.openSync(path, { read: true, create: true, append: true, mode: 0o600 });
  if (Deno.build.os !== "windows") Deno.chmodSync(path, 0o600); // an older file may be open to others
  return file;
}

function renameIfThere(from: string, to: string): void {
  try {
    Deno.renameSync(from, to);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
