/** Markdown as it is read for every network, and what several of them draw alike. */
import { Lexer, type MarkedToken, type Token, type Tokens } from "marked";

/** With tables, without footnotes or anything new. Throws `RangeError` where it is nested too deep. */
export function readMarkdown(markdown: string): readonly MarkedToken[] {
  return own(new Lexer({ gfm: true }).lex(markdown));
}

/** Tokens of Marked's own grammar; there are no others, since nothing extends it. */
export function own(tokens: readonly Token[] = []): readonly MarkedToken[] {
  return tokens as readonly MarkedToken[];
}

/** Blocks with a line between them where there was one. */
export function joinBlocks(
  tokens: readonly Token[] | undefined,
  block: (token: MarkedToken) => string,
): string {
  let text = "";
  let gap = "";
  for (const token of own(tokens)) {
    const shown = token.type === "space" ? "" : block(token);
    if (shown !== "") {
      text += (text === "" || gap !== "" ? gap : "\n") + shown;
      gap = "";
    }
    const newlines = /\n*$/.exec(token.raw)?.[0].length ?? 0;
    if (text !== "") gap = "\n".repeat(Math.min(2, gap.length + newlines));
  }
  return text;
}

/** Columns of one width each, for a fixed pitch. `cellText` says what stands in a cell: one line. */
export function drawTable(
  { header, rows, align }: Tokens.Table,
  cellText: (tokens: readonly Token[]) => string,
): string {
  const lines = [header, ...rows].map((cells) => cells.map(({ tokens }) => cellText(tokens)));
  const widths = header.map((_, column) =>
    Math.max(1, ...lines.map((cells) => [...cells[column] ?? ""].length))
  );
  const [head = "", ...body] = lines.map((cells) =>
    widths.map((width, column) => {
      const cell = cells[column] ?? "";
      const room = " ".repeat(width - [...cell].length);
      return align[column] === "right" ? room + cell : cell + room;
    }).join(" | ").trimEnd()
  );
  return [head, widths.map((width) => "-".repeat(width)).join("-|-"), ...body].join("\n");
}

const NAMED: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: "\u00a0",
};

/** Character references, which Markdown knows and networks do not. */
export function decodeReferences(text: string): string {
  return text.replaceAll(/&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([a-z]+));/g, (
    whole,
    decimal: string | undefined,
    hex: string | undefined,
    name: string | undefined,
  ) => {
    if (name !== undefined) return NAMED[name] ?? whole;
    const code = decimal === undefined ? Number.parseInt(hex ?? "", 16) : Number(decimal);
    const isCharacter = code >= 0x20 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
    return isCharacter ? String.fromCodePoint(code) : whole;
  });
}
