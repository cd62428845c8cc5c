/**
 * The workspace as the tools see it: paths that a model wrote become real paths inside of it, or
 * are refused.
 *
 * There is no `openat` here, so what was checked can be exchanged before it is used. Each use
 * therefore works on the path without links, and looks again once the file is open or the folder
 * there. Only another program of the same user could win such a race, and it needs no tool of ours.
 */
import { dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { Refusal } from "./tool.ts";

/** An existing thing in the workspace. */
export interface Found {
  /** Without links. */
  readonly real: string;
  /** As people write it: relative to the workspace, `.` for the workspace itself. */
  readonly shown: string;
  readonly info: Deno.FileInfo;
}

/** Keeps every path inside one folder. */
export class Jail {
  readonly #root: string;

  /** `root` must exist by the time a path is asked for. */
  constructor(root: string) {
    this.#root = resolve(root);
  }

  /** Finds a file or folder. Throws `Refusal` if it isn't there, or isn't inside. */
  async find(path: string): Promise<Found> {
    const { root, wanted, shown } = await this.#locate(path);
    const real = await realPath(wanted);
    if (real === undefined) {
      const broken = await lstat(wanted) !== undefined;
      throw new Refusal(broken ? `'${shown}' is a link to nothing` : `'${shown}' does not exist`);
    }
    if (!isInside(root, real)) throw outside(path);
    const info = await lstat(real);
    if (info === undefined || info.isSymlink) throw new Refusal(`'${shown}' is being changed`);
    return { real, shown, info };
  }

  /** Opens a regular file for reading. The caller closes it. */
  async open(path: string): Promise<Found & { readonly file: Deno.FsFile }> {
    const found = await this.find(path);
    requireFile(found);
    const file = await Deno.open(found.real);
    try {
      await requireSame(found, file);
      return { ...found, file };
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /**
   * Writes a whole file, making its folders where they are missing. Readers see the old text or the
   * new, never a part. Rejects, and changes nothing, if `unlessChanged` isn't the file any more.
   */
  async write(
    path: string,
    text: string,
    { unlessChanged }: { unlessChanged?: Found } = {},
  ): Promise<{ readonly shown: string; readonly created: boolean }> {
    const { shown, wanted, root } = await this.#locate(path);
    if (wanted === root) throw new Refusal("The workspace itself is a folder; name a file in it");
    const existing = await lstat(wanted) === undefined ? undefined : await this.find(path);
    if (existing !== undefined) requireFile(existing);
    const target = existing?.real ??
      join(await this.#folder(root, dirname(wanted), path), base(wanted));
    const folder = dirname(target);
    const temporary = join(folder, `.openclaw-${crypto.randomUUID()}.tmp`);
    try {
      const mode = existing?.info.mode ?? await rightsOf(folder) & 0o666;
      await writeDurably(temporary, text, mode);
      if (await realPath(folder) !== folder) throw outside(path);
      // The look and the exchange in one go: another conversation may be at the same file.
      if (unlessChanged !== undefined && !isUnchanged(unlessChanged)) {
        throw new Refusal(`'${shown}' was changed by somebody else meanwhile; read it again`);
      }
      Deno.renameSync(temporary, target);
    } catch (error) {
      await Deno.remove(temporary).catch(() => {}); // not there, or nothing more to be done
      throw error;
    }
    return { shown, created: existing === undefined };
  }

  /** Where a path points before links are followed. */
  async #locate(path: string): Promise<{ root: string; wanted: string; shown: string }> {
    if (path.includes("\0")) throw new Refusal("A path can't hold a NUL character");
    if (path.split(/[/\\]/).includes("..")) {
      throw new Refusal(`Write '${path}' without '..': paths start at the workspace`);
    }
    const root = await Deno.realPath(this.#root);
    const spelled = isAbsolute(path) ? resolve(path) : resolve(root, path);
    const wanted = isInside(this.#root, spelled)
      ? join(root, relative(this.#root, spelled))
      : spelled;
    if (!isInside(root, wanted)) throw outside(path);
    return { root, wanted, shown: relative(root, wanted) || "." };
  }

  /** Makes a folder and those above it, all inside; returns its path without links. */
  async #folder(root: string, wanted: string, path: string): Promise<string> {
    let above = wanted;
    while (await lstat(above) === undefined) above = dirname(above);
    const real = await realPath(above);
    if (real === undefined || !isInside(root, real)) throw outside(path);
    if (!(await Deno.stat(real)).isDirectory) {
      throw new Refusal(`Cannot write '${path}': a part of the path is a file`);
    }
    const folder = join(real, relative(above, wanted));
    await Deno.mkdir(folder, { recursive: true, mode: await rightsOf(real) });
    if (await realPath(folder) !== folder) throw outside(path);
    return folder;
  }
}

function isInside(root: string, path: string): boolean {
  return path === root || path.startsWith(root.endsWith(sep) ? root : root + sep);
}

function outside(path: string): Refusal {
  return new Refusal(`'${path}' leads out of the workspace`);
}

function base(path: string): string {
  return relative(dirname(path), path);
}

function requireFile({ info, shown }: Found): void {
  if (info.isDirectory) throw new Refusal(`'${shown}' is a folder`);
  // a pipe would hold us up until somebody writes, a device has no end
  if (!info.isFile) throw new Refusal(`'${shown}' is not a regular file`);
}

async function requireSame({ info, real, shown }: Found, file: Deno.FsFile): Promise<void> {
  const opened = await file.stat();
  const same = opened.dev === info.dev && opened.ino === info.ino && await realPath(real) === real;
  if (!same) throw new Refusal(`'${shown}' is being changed`);
}

function isUnchanged({ real, info }: Found): boolean {
  try {
    const now = Deno.lstatSync(real);
    return now.ino === info.ino && now.size === info.size &&
      now.mtime?.getTime() === info.mtime?.getTime();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** What is made in a folder is for nobody whom the folder is not for, whatever the umask says. */
async function rightsOf(folder: string): Promise<number> {
  return ((await Deno.stat(folder)).mode ?? 0o755) & 0o777;
}

async function writeDurably(path: string, text: string, mode: number): Promise<void> {
  using file = await Deno.open(path, { write: true, createNew: true, mode });
  const bytes = new TextEncoder().encode(text);
  let done = 0;
  while (done < bytes.length) done += await file.write(bytes.subarray(done));
  await file.sync();
}

async function realPath(path: string): Promise<string | undefined> {
  return await unlessMissing(Deno.realPath(path));
}

async function lstat(path: string): Promise<Deno.FileInfo | undefined> {
  return await unlessMissing(Deno.lstat(path));
}

async function unlessMissing<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return undefined;
    }
    throw error;
  }
}
