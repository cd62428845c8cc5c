/** Turns at a file, among all programs of this machine that ask for one. */
import { dirname } from "node:path";

/**
 * Resolves when it is the caller's turn at the file, which need not be there; the turn ends with the
 * result's disposal, or with the process. What is locked is a file of its own, `<path>.lock`, since
 * the one that it is for gets replaced.
 */
export async function turnAt(path: string): Promise<Disposable> {
  const lock = await openLock(path);
  try {
    await lock?.lock(true);
  } catch {
    // A file system without locks: as good as alone there.
  }
  return { [Symbol.dispose]: () => lock?.close() };
}

/** `undefined` where nobody may make one: whether the file may be replaced is not for it to say. */
async function openLock(path: string): Promise<Deno.FsFile | undefined> {
  await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
  try {
    return await Deno.open(`${path}.lock`, { create: true, write: true, mode: 0o600 });
  } catch (error) {
    if (isRefused(error)) return undefined;
    throw error;
  }
}

function isRefused(error: unknown): boolean {
  if (error instanceof Deno.errors.PermissionDenied) return true;
  // The runtime has no name for a file system that is read-only.
  return error instanceof Error && "code" in error && error.code === "EROFS";
}
