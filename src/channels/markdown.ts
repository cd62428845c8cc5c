/** Markdown as it is read for every network, and what several of them draw alike. */
import { Lexer, type MarkedToken, type Token, Tokenizer, type Tokens } from "marked";

/**
 * With tables, without footnotes or anything new. Whatever the text, it takes little time and little
 * of the stack: what goes beyond reason is read as plain text.
 */
export function readMarkdown(markdown: string): readonly MarkedToken[] {
  return own(new Lexer({ gfm: true, tokenizer: new BoundedTokenizer() }).lex(markdown));
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

/**
 * Columns of one width each, for a fixed pitch. It is to be shown as code, in which no network knows
 * a link, so that the addresses are there to be read.
 */
export function drawTable({ header, rows, align }: Tokens.Table): string {
  const lines = [header, ...rows].map((cells) =>
    cells.map(({ tokens }) => plainText(tokens, withAddress))
  );
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

/** On one line, without marks. `link` says what becomes of a link or an image: its words, if nothing. */
export function plainText(
  tokens: readonly Token[] | undefined,
  link: (words: string, token: Tokens.Link | Tokens.Image) => string = (words) => words,
): string {
  return own(tokens).map((token): string => {
    switch (token.type) {
      case "codespan":
      case "escape":
        return token.text;
      case "br":
        return " ";
      case "html":
        return isBreak(token) ? " " : token.raw;
      case "link":
      case "image":
        return link(plainText(token.tokens, link), token);
    }
    if ("tokens" in token && token.tokens !== undefined) return plainText(token.tokens, link);
    return decodeReferences("text" in token ? String(token.text) : token.raw);
  }).join("").replace(/\n/g, " ");
}

function withAddress(words: string, { href, raw }: { href: string; raw: string }): string {
  if (words === "") return href;
  const isAddress = words === href || !/^!?\[/.test(raw);
  return isAddress ? words : `${words} (${href})`;
}

/** Whether a tag is no more than a line break. */
export function isBreak({ raw }: { raw: string }): boolean {
  return /^<br\s*\/?>$/i.test(raw);
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

/** Quotations, lists and marks in each other. */
const MAX_DEPTH = 16;
/** A line that alone begins more than that: Marked goes through all of it once for each. */
const TOO_DEEP = new RegExp(
  `^ {0,3}(?:>[ \\t]*|(?:[-*+]|\\d{1,9}[.)])[ \\t]+){${MAX_DEPTH + 1}}`,
);
/** Of a table. Each row has all of them, however short it is. */
const MAX_COLUMNS = 64;
/** Characters of a heading that is known by the line below it, that line included. */
const MAX_HEADING = 1_000;
/** Characters that are looked through in search of the end of a mark, or of an address. */
const MAX_SEARCHED = 2_000_000;

/** Marked's own within limits that only hostile texts get to: without them its time has none. */
class BoundedTokenizer extends Tokenizer {
  #depth = 0;
  #searched = 0;

  override blockquote(source: string) {
    return this.#deeper(() => super.blockquote(source));
  }

  override list(source: string) {
    return TOO_DEEP.test(source) ? undefined : this.#deeper(() => super.list(source));
  }

  override emStrong(source: string, masked: string, before?: string) {
    return this.#deeper(() => super.emStrong(source, masked, before));
  }

  override del(source: string, masked: string, before?: string) {
    return this.#deeper(() => super.del(source, masked, before));
  }

  /** In a list each line is asked about anew, and with it all that follow. */
  override lheading(source: string) {
    const heading = super.lheading(source.slice(0, MAX_HEADING));
    const isCut = heading?.raw.length === MAX_HEADING && source.length > MAX_HEADING;
    return isCut ? undefined : heading;
  }

  override table(source: string) {
    const [header = ""] = /^.*/.exec(source) ?? [];
    return header.split("|").length > MAX_COLUMNS ? undefined : super.table(source);
  }

  /** Is asked wherever nothing else begins, after all that might begin there has been looked for. */
  override inlineText(source: string) {
    this.#searched += source.length;
    if (this.#searched <= MAX_SEARCHED) return super.inlineText(source);
    return { type: "text" as const, raw: source, text: source, escaped: false };
  }

  #deeper<T>(read: () => T): T | undefined {
    if (this.#depth === MAX_DEPTH) return undefined;
    this.#depth++;
    const token = read();
    this.#depth--;
    return token;
  }
}
