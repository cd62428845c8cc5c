/** Follows files by looking at them, which works on every file system, and on no other file. */

/** How often to look, in milliseconds. A change is told once it has lasted from one look to the next. */
const LOOK_MS = 250;

/**
 * Calls `changed` after each change of the files, be they written, replaced, linked elsewhere, made
 * or removed, until disposed of. It is called once at the beginning too, for what changed since the
 * caller has read them.
 */
export function watchFiles(paths: readonly string[], changed: () => void): Disposable {
  let seen: string | undefined;
  let told: string | undefined;
  const timer = setInterval(() => {
    const now = paths.map(stampOf).join("\n");
    const isSettled = now === seen;
    seen = now;
    if (!isSettled || now === told) return;
    told = now;
    changed();
  }, LOOK_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** Another one for another content; links are followed. */
function stampOf(path: string): string {
  try {
    const { dev, ino, mtime, size } = Deno.statSync(path);
    return `${dev} ${ino} ${mtime?.getTime()} ${size}`;
  } catch {
    return ""; // not there, or not for us
  }
}
