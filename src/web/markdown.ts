/** Markdown that grows: what is complete is read once, only the end is read again. */
import { Lexer, type MarkedToken, type Token, Tokenizer } from "marked";

/** A top-level piece of a text. The same object as before as long as it means the same. */
export type Block = MarkedToken;

interface OpenFence {
  /** Where the line after the opening one starts, counted from the settled end. */
  readonly bodyAt: number;
  readonly close: RegExp;
  readonly lang: string;
  /** No closing line starts before this. */
  scannedTo: number;
}

/** Reads one text again and again while it grows. */
export class GrowingMarkdown {
  #settledText = "";
  #settled: Block[] = [];
  #fence: OpenFence | undefined;
  #last: readonly Block[] = [];
  #text = "";

  /** The blocks of a text that mostly is the one before and something more. */
  blocks(text: string): readonly Block[] {
    if (text === this.#text) return this.#last;
    if (!text.startsWith(this.#settledText)) this.#reset();
    this.#text = text;
    const tail = text.slice(this.#settledText.length);
    const end = this.#openFence(tail) ?? this.#read(tail); // may settle some of it
    this.#last = [...this.#settled, ...end];
    return this.#last;
  }

  #reset(): void {
    this.#settledText = "";
    this.#settled = [];
    this.#fence = undefined;
  }

  /** A code block that isn't closed yet is all the rest of the text, however long: no need to parse. */
  #openFence(tail: string): Block[] | undefined {
    this.#fence ??= openingFence(tail);
    const fence = this.#fence;
    if (fence === undefined) return undefined;
    fence.close.lastIndex = fence.scannedTo;
    if (fence.close.test(tail)) {
      this.#fence = undefined;
      return undefined;
    }
    fence.scannedTo = Math.max(fence.scannedTo, tail.lastIndexOf("\n") + 1);
    const body = tail.slice(fence.bodyAt).replace(/\n$/, "");
    return [{ type: "code", raw: tail, lang: fence.lang, text: body }];
  }

  #read(tail: string): Block[] {
    const blocks = lex(tail);
    const lastIndex = blocks.findLastIndex(({ type }) => type !== "space");
    const complete = blocks.slice(0, Math.max(0, lastIndex));
    const raw = complete.map(({ raw }) => raw).join("");
    // Before a blank line nothing changes any more: a list or a paragraph can't reach across it
    // once something else has begun after it.
    if (raw.endsWith("\n\n") && tail.startsWith(raw)) {
      this.#settledText += raw;
      this.#settled.push(...complete);
      this.#fence = undefined;
      return blocks.slice(complete.length);
    }
    return blocks;
  }
}

/** The blocks of a text that is complete. */
export function readBlocks(text: string): readonly Block[] {
  return lex(text);
}

function lex(text: string): Block[] {
  try {
    // Extensions could add other tokens; there are none.
    const tokenizer = new NearTokenizer();
    return new Lexer({ gfm: true, breaks: true, tokenizer }).lex(text) as MarkedToken[];
  } catch {
    return [{ type: "text", raw: text, text }]; // nested too deep for the parser
  }
}

/** How far the rules below may look, in characters. */
const NEAR = 1_000;
/** An address that somebody signed can be long. */
const LONGEST_LINK = 4_000;

/**
 * Some rules look through all of the text, from each place in it where they may begin, and from each
 * blank once more. No word, link or heading needs that; a piece of text that is cut is joined again.
 * What reaches to where they may look, nobody knows the end of.
 */
class NearTokenizer extends Tokenizer {
  override inlineText(src: string) {
    return super.inlineText(src.slice(0, wordsEnd(src)));
  }

  override url(src: string) {
    const most = /^(?:https?:|ftp:|www\.)/i.test(src) ? LONGEST_LINK : NEAR;
    const link = super.url(src.slice(0, most));
    return link?.raw.length === most && src.length > most ? undefined : link;
  }

  override lheading(src: string) {
    const heading = super.lheading(src.slice(0, NEAR));
    return heading?.raw.length === NEAR && src.length > NEAR ? undefined : heading;
  }
}

/** Where a text may be cut: in front of a blank, as a word may be a link that is known by its end. */
function wordsEnd(text: string): number {
  if (text.length <= NEAR) return text.length;
  const end = Math.max(text.lastIndexOf(" ", NEAR), text.lastIndexOf("\n", NEAR));
  return end > 0 ? end : NEAR;
}

function openingFence(text: string): OpenFence | undefined {
  const match = /^ {0,3}(`{3,}|~{3,})([^\n]*)\n/.exec(text);
  const [line, marks = "", info = ""] = match ?? [];
  if (line === undefined || (marks.startsWith("`") && info.includes("`"))) return undefined;
  const close = new RegExp(`^ {0,3}${marks[0]}{${marks.length},}[ \\t]*(?:\\n|$)`, "gm");
  return { bodyAt: line.length, close, lang: info.trim(), scannedTo: line.length };
}

/** Where a link may lead: to a page or a mailbox. `undefined` for anything that could run. */
export function safeLink(href: string, base: string): string | undefined {
  const url = URL.parse(href, base);
  return url && /^(?:https?|mailto):$/.test(url.protocol) ? url.href : undefined;
}

/** Where a picture may come from: the text itself, or this gateway. Nobody else learns of it. */
export function safePicture(src: string, base: string): string | undefined {
  const url = URL.parse(src, base);
  if (url?.protocol === "data:") {
    return /^data:image\/(?:png|jpe?g|gif|webp|avif);/i.test(url.href) ? url.href : undefined;
  }
  return url && url.origin === new URL(base).origin ? url.href : undefined;
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: "\u00a0",
  copy: "©",
  reg: "®",
  trade: "™",
  hellip: "…",
  mdash: "—",
  ndash: "–",
  rarr: "→",
  larr: "←",
  times: "×",
  deg: "°",
  euro: "€",
};

/** A text with its character references replaced by what they mean, those that people use. */
export function decode(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|([a-z]{2,8}));/gi, (raw, dec, hex, name) => {
    if (name !== undefined) return Object.hasOwn(ENTITIES, name) ? ENTITIES[name] ?? raw : raw;
    const code = dec === undefined ? parseInt(hex, 16) : Number(dec);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : raw;
  });
}

/** Whether a piece of HTML in a text is one that has a meaning without attributes. */
export function isLineBreak({ raw }: Token): boolean {
  return /^<br\s*\/?>$/i.test(raw.trim());
}

/** Whether a piece of HTML in a text says nothing to its reader. */
export function isComment({ raw }: Token): boolean {
  return /^<!--[\s\S]*-->$/.test(raw.trim());
}
