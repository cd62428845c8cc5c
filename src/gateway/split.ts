/** A long Markdown text as messages that each fit: cut where a reader would, and never within a letter. */

/** What a network can show. */
export interface Fit {
  /** In the unit of `measure`. */
  readonly limit: number;
  measure(markdown: string): number;
  /** Each paragraph is to be a message of its own, however short. */
  readonly byParagraph?: boolean;
}

/** Whether a text is one message as it is. */
export function fits(markdown: string, { limit, measure }: Fit): boolean {
  return !isFar(markdown.length, limit) && measure(markdown) <= limit;
}

/** A measure may count less than one for a letter. What is far too long need not be measured. */
function isFar(length: number, limit: number): boolean {
  return length > limit * 4;
}

/** One message: a stretch of the source, and what was put around it so that it stands alone. */
export interface Piece {
  readonly text: string;
  /**
   * Where the stretch begins and ends in the source. Between two of them lies white space only, and
   * the end of a code block where the piece before has closed it already.
   */
  readonly start: number;
  readonly end: number;
  /** What `text` has before and behind the stretch: a code block that is reopened, or closed. */
  readonly opening: string;
  readonly closing: string;
}

/**
 * The texts of the messages, in order, none of them empty. Each fits, where the limit has room for
 * one letter and the ends of a code block. Takes time in proportion to the text.
 */
export function split(markdown: string, fit: Fit): readonly string[] {
  return pieces(markdown, fit).map(({ text }) => text);
}

/** The first of them, with where it comes from; `undefined` where there is none. */
export function firstPiece(markdown: string, fit: Fit): Piece | undefined {
  const source = new Source(markdown);
  const start = nextStart(source, 0);
  return start >= source.end ? undefined : nextPiece(source, start, fit);
}

/** All of them, with where each comes from. */
export function pieces(markdown: string, fit: Fit): readonly Piece[] {
  const source = new Source(markdown);
  const found: Piece[] = [];
  for (let at = 0;;) {
    const start = nextStart(source, at);
    if (start >= source.end) return found;
    const piece = nextPiece(source, start, fit);
    found.push(piece);
    at = piece.end;
  }
}

const BLANK_LINE = /\n[ \t\r]*(?=\n)/g;

class Source {
  readonly markdown: string;
  /** Behind it there is white space only. */
  readonly end: number;
  readonly fences: readonly Fence[];
  #letters: Intl.Segmenter | undefined;
  #paragraphEnd = 0;

  constructor(markdown: string) {
    this.markdown = markdown;
    this.end = markdown.trimEnd().length;
    this.fences = fencesOf(markdown);
  }

  /** Tells letters apart. The first one of a process takes its time, and few texts need it. */
  get letters(): Intl.Segmenter {
    this.#letters ??= new Intl.Segmenter();
    return this.#letters;
  }

  /**
   * Where the paragraph ends that an offset is in: blank lines in code are a part of it. Offsets
   * that are asked for only grow, so that each paragraph is read once.
   */
  paragraphEnd(start: number): number {
    if (start >= this.#paragraphEnd) this.#paragraphEnd = this.#findParagraphEnd(start);
    return this.#paragraphEnd;
  }

  #findParagraphEnd(start: number): number {
    BLANK_LINE.lastIndex = letterFrom(this.markdown, start);
    for (let match; (match = BLANK_LINE.exec(this.markdown)) !== null;) {
      const fence = fenceAt(this.fences, match.index);
      if (fence === undefined) return Math.min(match.index, this.end);
      if (fence.end >= this.end) return this.end;
      BLANK_LINE.lastIndex = fence.end;
    }
    return this.end;
  }
}

// ── code blocks ─────────────────────────────────────────────────────────────────────────────────

/** A code block. The lines that open and close it belong to it. */
interface Fence {
  readonly start: number;
  /** Where the first line of its code begins. */
  readonly codeStart: number;
  /** Where the last line of its code has ended, before its line break. */
  readonly codeEnd: number;
  readonly end: number;
  readonly ticks: string;
  /** The language, and whatever else stands behind the ticks. */
  readonly info: string;
  /** Columns before the ticks. */
  readonly indent: number;
}

/** Also in a list or a quotation: then what stands before the ticks is as wide as their indent. */
const FENCE =
  /^((?:[ \t]*(?:[-*+>]|\d{1,9}[.)])(?=[ \t]))*[ \t]*)(`{3,16}|~{3,16})([^`~].{0,60})?$/;

/** All code blocks, in order; one that is never closed has no end. */
function fencesOf(markdown: string): readonly Fence[] {
  const fences: Fence[] = [];
  let open: Omit<Fence, "codeEnd" | "end"> | undefined;
  for (let start = 0; start < markdown.length;) {
    const stop = markdown.indexOf("\n", start);
    const end = stop < 0 ? markdown.length : stop;
    const next = stop < 0 ? end : end + 1;
    const line = markdown.slice(start, end).trimEnd();
    if (open !== undefined) {
      if (closes(line.trim(), open.ticks)) {
        fences.push({ ...open, codeEnd: Math.max(open.codeStart, start - 1), end });
        open = undefined;
      }
    } else {
      const [, before = "", ticks, info = ""] = FENCE.exec(line) ?? [];
      if (ticks !== undefined && !(ticks.startsWith("`") && info.includes("`"))) {
        open = { start, codeStart: next, ticks, info, indent: before.length };
      }
    }
    start = next;
  }
  if (open !== undefined) fences.push({ ...open, codeEnd: Infinity, end: Infinity });
  return fences;
}

function closes(line: string, ticks: string): boolean {
  return line.startsWith(ticks) && line === ticks.charAt(0).repeat(line.length);
}

/** The first code block that has not ended at an offset. */
function fenceFrom(fences: readonly Fence[], offset: number): Fence | undefined {
  let [low, high] = [0, fences.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (fences[middle]!.end <= offset) low = middle + 1;
    else high = middle;
  }
  return fences[low];
}

/** The code block whose code, or whose last line, is at an offset. */
function fenceAt(fences: readonly Fence[], offset: number): Fence | undefined {
  const fence = fenceFrom(fences, offset);
  return fence !== undefined && fence.codeStart <= offset ? fence : undefined;
}

// ── pieces ──────────────────────────────────────────────────────────────────────────────────────

/** The first place from `at` on with something to show. The indent of a line belongs to it. */
function nextStart(source: Source, at: number): number {
  const { markdown, end, fences } = source;
  const letter = letterFrom(markdown, at);
  if (letter >= end) return end;
  const fence = fenceAt(fences, letter);
  if (fence !== undefined && letter > fence.codeEnd) {
    return nextStart(source, fence.end); // its code has all been shown
  }
  const line = markdown.lastIndexOf("\n", letter - 1) + 1;
  return line > at || at === 0 ? line : letter;
}

/** White space, but for one that a mark is set on. */
const BLANK = /(?:\s*(?:\n|\s(?![\p{M}\u200d\ufe0f])))?/uy;

function letterFrom(markdown: string, at: number): number {
  BLANK.lastIndex = at;
  BLANK.exec(markdown);
  return BLANK.lastIndex;
}

/** As much as fits, from `start` on. */
function nextPiece(source: Source, start: number, fit: Fit): Piece {
  const end = fit.byParagraph ? source.paragraphEnd(start) : source.end;
  if (!isFar(end - start, fit.limit)) {
    const rest = dress(source, start, end);
    if (fit.measure(rest.text) <= fit.limit) return rest;
  }
  let reach = Math.min(end, start + Math.max(1, fit.limit));
  for (;;) {
    const piece = dress(source, start, cutBefore(source, { start, reach, end }));
    const size = fit.measure(piece.text);
    if (size <= fit.limit) return grown(source, piece, { reach, end, fit });
    const length = Math.min(piece.end, reach) - start;
    const shorter = Math.min(Math.floor(length * fit.limit / size), length - 1 - (length >> 5));
    const least = leastCut(source, start);
    if (start + shorter < least) return dress(source, start, least);
    reach = start + shorter;
  }
}

/** The piece made longer, where the measure counts so little of it that much more fits. */
function grown(
  source: Source,
  piece: Piece,
  { reach, end, fit }: { reach: number; end: number; fit: Fit },
): Piece {
  const { start } = piece;
  let best = piece;
  let farther = reach;
  for (;;) {
    const size = fit.measure(best.text);
    if (farther >= end || size * 5 > fit.limit * 4) return best;
    const times = size === 0 ? 2 : Math.min(2, fit.limit / size);
    farther = Math.min(end, start + Math.floor((farther - start) * times));
    const longer = dress(source, start, cutBefore(source, { start, reach: farther, end }));
    if (longer.end <= best.end || fit.measure(longer.text) > fit.limit) return best;
    best = longer;
  }
}

/** A stretch of the source as a message of its own. */
function dress({ markdown, fences }: Source, start: number, stop: number): Piece {
  const source = markdown.slice(start, stop).trimEnd();
  const end = start + source.length;
  const into = fenceAt(fences, start);
  const opening = into === undefined ? "" : `${into.ticks}${into.info}\n`;
  const lines = source.split("\n");
  outdent(lines, {
    // A line that is deep in a list would be code without it.
    columns: into?.indent ?? (start === 0 ? 0 : lines[0]!.length - lines[0]!.trimStart().length),
    code: into === undefined ? 0 : linesIn(source.slice(0, into.codeEnd - start)),
  });
  const outof = fenceAt(fences, end);
  let closing = "";
  if (outof !== undefined && end <= outof.codeEnd) {
    const opener = outof === into ? "" : lines[linesIn(markdown.slice(start, outof.start)) - 1];
    const before = FENCE.exec(opener ?? "")?.[1] ?? "";
    closing = `\n${" ".repeat(before.length)}${outof.ticks}`;
  }
  return { text: opening + lines.join("\n") + closing, start, end, opening, closing };
}

function linesIn(text: string): number {
  return text.split("\n").length;
}

/**
 * Moves lines to the left: those of the code that the piece begins with as far as they go, the
 * others up to the first that is not so deep.
 */
function outdent(
  lines: string[],
  { columns, code }: { columns: number; code: number },
): void {
  for (const [i, line] of lines.entries()) {
    const depth = line.length - line.trimStart().length;
    if (i >= code && depth < columns && depth < line.length) return;
    lines[i] = line.slice(Math.min(columns, depth));
  }
}

// ── cuts ────────────────────────────────────────────────────────────────────────────────────────

/** White space that a text can be cut at, and the end of a sentence before it. */
const BREAK = /([.!?…]["'”’)\]*_]*|[。！？])?(\s*(?:\n|\s(?![\p{M}\u200d\ufe0f])))/gu;

/**
 * Where to cut, behind `start` and not behind `reach`: at the end of a paragraph, of a line, of a
 * sentence, of a word, whichever comes first in this order and leaves no less than half; else at the
 * end of a word; else between letters.
 */
function cutBefore(
  source: Source,
  { start, reach, end }: { start: number; reach: number; end: number },
): number {
  const { markdown, fences } = source;
  if (reach >= end) return end;
  const half = start + (reach - start) / 2;
  const best = { paragraph: 0, line: 0, sentence: 0, word: 0 };
  let last = 0;
  // One letter more: white space at `reach` itself is where all before it fits.
  for (const match of markdown.slice(start, reach + 1).matchAll(BREAK)) {
    const [, mark = "", blank = ""] = match;
    const at = start + match.index + mark.length;
    if (at <= start || at > reach) continue;
    const fence = fenceFrom(fences, at);
    if (fence !== undefined && at >= fence.start && at < fence.codeStart) continue; // no code before
    last = at;
    const isCode = fence !== undefined && at >= fence.codeStart && at <= fence.codeEnd;
    const breaks = blank.split("\n").length - 1;
    if (breaks > 1 && !isCode) best.paragraph = at;
    else if (breaks > 0) best.line = at;
    else if (mark !== "" && !isCode) best.sentence = at;
    else best.word = at;
  }
  for (const at of [best.paragraph, best.line, best.sentence, best.word]) {
    if (at >= half) return at;
  }
  return last > 0 ? last : letterCut(source, start, reach);
}

/** More code units than a letter has. */
const LETTER = 64;

/** The last place between two letters that is not behind `reach`; the first one if there is none. */
function letterCut({ markdown, letters }: Source, start: number, reach: number): number {
  const stretch = letters.segment(markdown.slice(start, reach + LETTER));
  const { index = 0, segment = "" } = stretch.containing(reach - start) ?? {};
  return start + (index === 0 ? segment.length : index);
}

/** The least that a piece can hold: what is before its first letter, and that letter. */
function leastCut({ markdown, letters }: Source, start: number): number {
  const at = letterFrom(markdown, start);
  const { segment = "" } = letters.segment(markdown.slice(at, at + LETTER)).containing(0) ?? {};
  return at + segment.length;
}
