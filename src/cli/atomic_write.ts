/** Files that are either the old ones or the new ones, whole, and readable by their owner only. */
import { dirname } from "node:path";

/**
 * Resolves once the text is on disk. Makes the folder, closed to others, where there is none, and
 * leaves a link that stands at `path` as it is.
 */
export async function writePrivately(path: string, text: string): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const target = await behindLinks(path);
  const draft = await draftOf(target, text);
  try {
    await Deno.rename(draft, target);
  } catch (error) {
    await Deno.remove(draft);
    throw error;
  }
}

/** The same for a file that must not be there yet; resolves to `false`, and does nothing, if it is. */
export async function createPrivately(path: string, text: string): Promise<boolean> {
  await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = await draftOf(path, text);
  try {
    await Deno.link(draft, path); // unlike a rename, it fails where there is a file
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return false;
    throw error;
  } finally {
    await Deno.remove(draft);
  }
}

/** The text in a file beside the one it is for. */
async function draftOf(path: string, text: string): Promise<string> {
  const draft = `${path}.${crypto.randomUUID()}.tmp`;
  using file = await Deno.open(draft, { write: true, createNew: true, mode: 0o600 });
  const bytes = new TextEncoder().encode(text);
  try {
    for (let written = 0; written < bytes.length;) {
      written += await file.write(bytes.subarray(written));
    }
    await file.sync();
  } catch (error) {
    await Deno.remove(draft); // half of a secret on a full disk is of use to nobody
    throw error;
  }
  return draft;
}

/** Where a file really lies, or will: people link their configuration from elsewhere. */
async function behindLinks(path: string): Promise<string> {
  try {
    return await Deno.realPath(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return path;
    throw error;
  }
}
