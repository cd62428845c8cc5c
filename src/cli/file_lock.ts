/** Turns at a file, among all programs of this machine that ask for one. */
import { folderOf } from "./atomic_write.ts";

/**
 * Resolves when it is the caller's turn at the file, which need not be there; the turn ends with the
 * result's disposal, or with the process. What is locked is a file of its own, `<path>.lock`, since
 * the one that it is for gets replaced.
 */
export async function turnAt(path: string): Promise<Disposable> {
  await Deno.mkdir(folderOf(path), { recursive: true, mode: 0o700 });
  const lock = await Deno.open(`${path}.lock`, { create: true, write: true, mode: 0o600 });
  try {
    await lock.lock(true);
  } catch {
    // A file system without locks: as good as alone there.
  }
  return { [Symbol.dispose]: () => lock.close() };
}
