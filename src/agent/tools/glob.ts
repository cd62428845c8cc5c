/** Matches paths against globs, in time that the pattern's author can't make explode. */

/**
 * Whether a path fits a glob: `*` and `?` stay within a name, `**` spans folders. A glob without a
 * slash is about the name alone, so `*.md` fits `notes/today.md`.
 */
export function matchesGlob(path: string, glob: string): boolean {
  const names = path.split("/");
  if (!glob.includes("/")) return matchesName(names.at(-1) ?? "", glob);
  const parts = glob.replace(/^\/+/, "").split("/");
  return matches(parts, names, { isStar: (part) => part === "**", fits: matchesGlobName });
}

function matchesName(name: string, glob: string): boolean {
  return matches([...glob], [...name], {
    isStar: (char) => char === "*",
    fits: (char, letter) => char === "?" || char === letter,
  });
}

function matchesGlobName(part: string, name: string): boolean {
  return matchesName(name, part);
}

/** The usual wildcard walk: on a mismatch only the last star takes one more, so it is quadratic. */
function matches<T>(
  pattern: readonly T[],
  items: readonly T[],
  { isStar, fits }: { isStar(part: T): boolean; fits(part: T, item: T): boolean },
): boolean {
  let p = 0;
  let star = -1;
  let resume = 0;
  for (let i = 0; i < items.length;) {
    const part = pattern[p];
    const item = items[i];
    if (part !== undefined && isStar(part)) {
      star = p++;
      resume = i;
    } else if (part !== undefined && item !== undefined && fits(part, item)) {
      p++;
      i++;
    } else if (star >= 0) {
      p = star + 1;
      i = ++resume;
    } else {
      return false;
    }
  }
  return pattern.slice(p).every(isStar);
}
