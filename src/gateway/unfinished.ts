/** Markdown that is still being written, so that it can be shown already. */
import { firstPiece, type Fit } from "./split.ts";

/**
 * As much of a text as the first message holds, with what is open at its end closed, so that it looks
 * as it will when it is finished. Empty where there is nothing to show yet.
 */
export function shownSoFar(markdown: string, fit: Fit): string {
  const piece = firstPiece(markdown, fit);
  if (piece === undefined) return "";
  const isAll = piece.end === markdown.trimEnd().length;
  if (!isAll || piece.closing !== "") return piece.text;
  const closed = closeMarks(piece.text);
  return fit.measure(closed) <= fit.limit ? closed : piece.text;
}

/** Everything up to the last code block, or the last blank line behind it: marks end there. */
const BEFORE = /^[^]*\n[ \t]*(?:(?:`{3,}|~{3,})[^\n]*)?(?=\n|$)/;
/** The address of a link that does not end. */
const OPEN_LINK = /!?\[([^\[\]\n]*)\]\([^()\s]*$/;
/** What has a meaning of its own, with the letters on both sides of it. */
const MARK = /\\[^]|(?<run>`+|\*+|_+|~~|\|\|)/g;

/** The text with its marks for bold, code and the like closed; a mark with nothing behind it goes. */
function closeMarks(text: string): string {
  const [before = ""] = BEFORE.exec(text) ?? [];
  const stretch = text.slice(before.length).replace(OPEN_LINK, "$1");
  const open: string[] = [];
  let end = stretch.length;
  for (const { 0: mark, index, groups } of stretch.matchAll(MARK)) {
    const run = groups?.run;
    if (run === undefined) continue; // a letter that is meant as it is
    const code = open.at(-1)?.startsWith("`") ? open.at(-1) : undefined;
    if (code !== undefined) {
      if (run === code) open.pop();
      continue;
    }
    const after = stretch.slice(index + mark.length);
    const isLast = after.trim() === "";
    const closes = open.at(-1) === run && /\S/.test(stretch.charAt(index - 1));
    if (closes) open.pop();
    else if (isLast) end = index;
    else if (opens(run, stretch.charAt(index - 1), after)) open.push(run);
  }
  const shown = stretch.slice(0, end).trimEnd();
  return `${before}${shown}${open.reverse().join("")}`.trimEnd();
}

/** An underscore within a word is a letter; a star before a blank is a point of a list. */
function opens(run: string, before: string, after: string): boolean {
  if (run.startsWith("`")) return true;
  return /^\S/.test(after) && !(run.startsWith("_") && /[\p{L}\p{N}]/u.test(before));
}
