/** The patterns by which people say that an agent is meant: as they write them, made safe to try. */

/** Only the beginning of a message is looked at: characters. */
const MAX_TEXT = 300;
const MAX_PATTERN = 200;
/** With more than so many open ends a pattern could take seconds even on a short text. */
const MAX_OPEN_ENDS = 2;
/** A repetition of at most so many is no open end. */
const MAX_BOUND = 10;

/** A pattern that can be tried on any text in a few milliseconds, or why it is none. */
export type MentionPattern =
  | { readonly matches: (text: string) => boolean }
  | { readonly fault: string };

/** Reads a regular expression, in which letters count for themselves in either case. */
export function mentionPattern(written: string): MentionPattern {
  const source = written.replace(/^\(\?i\)/, "");
  if (source.length > MAX_PATTERN) return { fault: `is longer than ${MAX_PATTERN} characters` };
  const fault = slowness(source);
  if (fault !== undefined) return { fault };
  const pattern = compile(source);
  if (pattern === undefined) return { fault: "is not a regular expression" };
  return { matches: (text) => pattern.test(normal(text)) };
}

/** Whether a text has a name in it as people address somebody, whole and in either case. */
export function mentionsName(text: string, name: string): boolean {
  const words = name.trim().split(/\s+/).map((word) =>
    word.replace(/[\^$.*+?()[\]{}|\\]/g, "\\$&")
  );
  const pattern = new RegExp(`(?<![\\p{L}\\p{N}])@?${words.join("\\s?")}(?![\\p{L}\\p{N}])`, "iu");
  return name.trim() !== "" && pattern.test(normal(text));
}

/** A run of spaces is one, so that `\s+` in a pattern has nothing to try. */
function normal(text: string): string {
  const seen = text.slice(0, 2 * MAX_TEXT).replace(/[\u200b-\u200f\u2060\ufeff]/g, "");
  return seen.replace(/\s+/g, " ").slice(0, MAX_TEXT);
}

function compile(source: string): RegExp | undefined {
  for (const flags of ["iu", "i"]) {
    try {
      return new RegExp(source, flags);
    } catch {
      // Without `u` more is allowed; if that fails too, it is none.
    }
  }
  return undefined;
}

/**
 * Why a pattern might take for ever; `undefined` where it can't. A repeated group with a choice or a
 * repetition inside has exponentially many ways to match, and each open end one more dimension.
 */
function slowness(source: string): string | undefined {
  const isChoosing: boolean[] = [false];
  let openEnds = 0;
  let i = 0;
  while (i < source.length) {
    const [item = ""] = /^(?:\\.|\[(?:\\.|[^\]\\])*\]|\(\?<?[=!:]|\(|.)/s.exec(source.slice(i)) ??
      [];
    i += item.length;
    if (/^\\(?:[1-9]|k)/.test(item)) return "refers back to a group, which can take for ever";
    if (item === "|") isChoosing[isChoosing.length - 1] = true;
    if (item.startsWith("(")) {
      isChoosing.push(false);
      continue;
    }
    const isGroup = item === ")";
    const chooses = isGroup && isChoosing.length > 1 ? isChoosing.pop() ?? false : false;
    const [quantifier = ""] = /^(?:[*+?]|\{\d+(?:,\d*)?\})\??/.exec(source.slice(i)) ?? [];
    i += quantifier.length;
    if (quantifier === "" || quantifier.startsWith("?")) {
      // A choice within a choice is one of the outer group.
      if (chooses || quantifier !== "") isChoosing[isChoosing.length - 1] = true;
      continue;
    }
    if (isGroup && chooses) return "repeats a group with a choice in it, which can take for ever";
    if (item !== "\\s" && maxOf(quantifier) > MAX_BOUND) openEnds++;
    isChoosing[isChoosing.length - 1] = true;
  }
  return openEnds > MAX_OPEN_ENDS ? "has too many repetitions, which can take for ever" : undefined;
}

function maxOf(quantifier: string): number {
  const [, least = "", most] = /^\{(\d+)(?:,(\d*))?\}/.exec(quantifier) ?? [];
  if (least === "") return Infinity;
  if (most === undefined) return Number(least);
  return most === "" ? Infinity : Number(most);
}
