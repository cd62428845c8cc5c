/** Text for a terminal: safe to print, measured in columns, laid out in tables. */

/** Control characters, which could move the cursor or rename the window: others chose this text. */
// deno-lint-ignore no-control-regex
const CONTROL = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g;
// deno-lint-ignore no-control-regex
const COLOUR = /\x1b\[\d+m/g;
const WIDE =
  /[\p{Emoji_Presentation}\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]/u;
const NO_WIDTH = /[\p{Mn}\p{Me}\u200b-\u200d\ufe00-\ufe0f]/u;

/** A text of many lines with everything taken out that a terminal would obey. */
export function printable(text: string): string {
  return text.replace(/\r\n?/g, "\n").replace(CONTROL, "");
}

/** A text on one line, with everything taken out that a terminal would obey. */
export function oneLine(text: string): string {
  return printable(text).replace(/\s+/g, " ").trim();
}

/** JSON that means the same, with everything escaped that a terminal would obey. */
export function printableJson(json: string): string {
  return json.replace(
    CONTROL,
    (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** How many columns a terminal gives one character. */
export function columnsOf(character: string): number {
  return NO_WIDTH.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
}

/** How many columns a terminal gives a text, colours not counted. */
export function widthOf(text: string): number {
  let width = 0;
  for (const character of text.replace(COLOUR, "")) width += columnsOf(character);
  return width;
}

/** The text, or as much of it as fits with an ellipsis behind it. */
export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let kept = "";
  let used = 1;
  for (const character of text) {
    used += columnsOf(character);
    if (used > width) break;
    kept += character;
  }
  return `${kept.trimEnd()}…`;
}

/** Rows with their columns aligned, the heads above them; each line ends in a newline. */
export function table(
  heads: readonly string[],
  rows: readonly (readonly string[])[],
  dim: (text: string) => string,
): string {
  const lines = [heads.map(dim), ...rows];
  const widths = heads.map((_, i) => Math.max(...lines.map((line) => widthOf(line[i] ?? ""))));
  return lines.map((line) => {
    const cells = line.map((cell, i) => cell + " ".repeat(widths[i]! - widthOf(cell)));
    return `${cells.join("  ").trimEnd()}\n`;
  }).join("");
}

/** Names and values beneath each other; pairs without a value are left out. */
export function facts(
  pairs: readonly (readonly [name: string, value: string | undefined])[],
  dim: (text: string) => string,
): string {
  const shown = pairs.filter(([, value]) => value !== undefined && value !== "");
  const width = Math.max(...shown.map(([name]) => name.length));
  return shown.map(([name, value]) => `${dim(name.padEnd(width))}  ${value}\n`).join("");
}

/** A line in pieces that each fit in the width, broken at spaces where there are any. */
export function wrap(line: string, width: number): readonly string[] {
  const pieces: string[] = [];
  let piece = "";
  let used = 0;
  for (const character of line) {
    const columns = columnsOf(character);
    if (used + columns > width) {
      const space = character === " " ? piece.length : piece.lastIndexOf(" ");
      const end = space > 0 ? space : piece.length;
      pieces.push(piece.slice(0, end));
      piece = piece.slice(end).trimStart();
      used = widthOf(piece);
      if (character === " " && piece === "") continue;
    }
    piece += character;
    used += columns;
  }
  return [...pieces, piece];
}
