/** Files and folders that ought to be their owner's alone, and are not. */

/** Something that other users of this machine have rights to. */
export interface Loose {
  readonly path: string;
  readonly kind: "file" | "folder";
  /** Permission bits as they are. */
  readonly mode: number;
  /** As they should be: the owner's rights stay. */
  readonly wanted: number;
}

/** How far a walk goes. */
export interface WalkLimits {
  /** Folders below the first one; 0 is only what lies in it. */
  readonly depth: number;
  /** Files and folders looked at, so that a walk ends soon in any house. */
  readonly entries: number;
}

/**
 * What is open to others in a folder, the folder itself first. A folder comes before what is in it,
 * so that closing each as it comes leaves no gap. Links are not followed. On Windows, where a
 * folder's own rights count, there is nothing.
 */
export async function* looseIn(
  folder: string,
  { depth, entries }: WalkLimits,
): AsyncIterable<Loose> {
  if (Deno.build.os === "windows") return;
  const waiting = [{ path: folder, left: depth + 1 }];
  let looked = 0;
  for (let next; looked < entries && (next = waiting.shift()) !== undefined;) {
    const { path, left } = next;
    const info = await unlessGone(Deno.lstat(path));
    looked++;
    if (info === undefined || info.isSymlink) continue;
    const mode = (info.mode ?? 0) & 0o777;
    if ((mode & 0o077) !== 0) {
      yield { path, kind: info.isDirectory ? "folder" : "file", mode, wanted: mode & 0o700 };
    }
    if (!info.isDirectory || left === 0) continue;
    for (const name of await namesIn(path)) {
      waiting.push({ path: `${path}/${name}`, left: left - 1 });
    }
  }
}

/** Takes the rights of others away. Rejects where this user may not. */
export async function close({ path, wanted }: Loose): Promise<void> {
  await Deno.chmod(path, wanted);
}

/** `rwxr-x---` as people write it: `750`. */
export function octal(mode: number): string {
  return (mode & 0o777).toString(8).padStart(3, "0");
}

/** In the order of their names; nothing for a folder that can't be listed. */
async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();
  } catch (error) {
    if (isUnreachable(error)) return [];
    throw error;
  }
}

async function unlessGone<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (isUnreachable(error)) return undefined;
    throw error;
  }
}

function isUnreachable(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied ||
    error instanceof Deno.errors.NotADirectory || error instanceof Deno.errors.NotCapable;
}
