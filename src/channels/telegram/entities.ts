/** Markdown as Telegram takes it: a plain text, and what is bold, code or a link in it by position. */
import type { MessageEntity } from "grammy/types";
import type { Token, Tokens } from "marked";
import { decodeReferences, drawTable, isBreak, readMarkdown } from "../markdown.ts";

/** Offsets and lengths count UTF-16 units, as JavaScript's strings do. */
export interface FormattedText {
  readonly text: string;
  readonly entities: readonly MessageEntity[];
}

/** The most entities that a message keeps; Telegram drops what is beyond. */
export const MAX_ENTITIES = 100;

/**
 * Never fails, and is empty only for what is blank: what can't be shown as it is meant is shown as
 * it is written. There is no markup left for Telegram to trip over.
 */
export function toFormatted(markdown: string): FormattedText {
  const writer = new Writer();
  writeBlocks(readMarkdown(markdown), writer, { indent: "" });
  const formatted = writer.finish();
  return formatted.text === "" ? { text: clean(markdown).trim(), entities: [] } : formatted;
}

/** The length that Telegram counts. */
export function measure(markdown: string): number {
  return toFormatted(markdown).text.length;
}

/** Where blocks stand. */
interface Surroundings {
  /** What every line of a list item but the first begins with. */
  readonly indent: string;
  /** Within another quotation; Telegram has no quotations in quotations. */
  readonly isQuoted?: boolean;
  /** Blocks follow each other without an empty line. */
  readonly isTight?: boolean;
}

function writeBlocks(tokens: readonly Token[], writer: Writer, around: Surroundings): void {
  let isFirst = true;
  for (const token of tokens) {
    if (token.type === "space" || token.type === "checkbox") continue;
    if (!isFirst) writer.write(around.isTight === true ? "\n" : "\n\n");
    if (!isFirst) writer.write(around.indent);
    isFirst = false;
    writeBlock(token, writer, around);
  }
}

function writeBlock(token: Token, writer: Writer, around: Surroundings): void {
  switch (token.type) {
    case "heading":
      return writer.within("bold", () => writeInline(token.tokens ?? [], writer));
    case "paragraph":
    case "text":
      return token.tokens === undefined
        ? writer.write(decodeReferences(token.raw))
        : writeInline(token.tokens, writer);
    case "code":
      return writer.verbatim(
        token.text,
        token.lang ? { type: "pre", language: language(token.lang) } : { type: "pre" },
      );
    case "blockquote": {
      const write = () =>
        writeBlocks(token.tokens ?? [], writer, { ...around, isQuoted: true, isTight: false });
      return around.isQuoted === true ? write() : writer.within("blockquote", write);
    }
    case "list":
      return writeList(token as Tokens.List, writer, around);
    case "table":
      return writer.verbatim(drawTable(token as Tokens.Table), { type: "pre" });
    case "hr":
      return writer.write("———");
    default:
      return writer.write(token.raw.trim()); // HTML, and definitions of links
  }
}

function writeList(list: Tokens.List, writer: Writer, around: Surroundings): void {
  list.items.forEach((item, index) => {
    if (index > 0) writer.write(list.loose ? `\n\n${around.indent}` : `\n${around.indent}`);
    const bullet = list.ordered ? `${(list.start === "" ? 1 : list.start) + index}. ` : "• ";
    const mark = item.task ? item.checked === true ? "☑ " : "☐ " : bullet;
    writer.write(mark);
    const indent = around.indent + " ".repeat(mark.length);
    writeBlocks(item.tokens, writer, { ...around, indent, isTight: !item.loose });
  });
}

function writeInline(tokens: readonly Token[], writer: Writer): void {
  for (const token of tokens) {
    switch (token.type) {
      case "strong":
        writer.within("bold", () => writeInline(token.tokens ?? [], writer));
        break;
      case "em":
        writer.within("italic", () => writeInline(token.tokens ?? [], writer));
        break;
      case "del":
        writer.within("strikethrough", () => writeInline(token.tokens ?? [], writer));
        break;
      case "codespan":
        writer.verbatim(token.text, { type: "code" });
        break;
      case "link":
      case "image":
        writeLink(token as Tokens.Link, writer);
        break;
      case "br":
        writer.write("\n");
        break;
      case "escape":
        writer.write(token.text);
        break;
      case "html":
        writer.write(isBreak(token) ? "\n" : token.raw);
        break;
      default:
        if (token.type === "text" && token.tokens !== undefined) writeInline(token.tokens, writer);
        else writer.write(decodeReferences(token.raw));
    }
  }
}

function writeLink({ href, text, tokens }: Tokens.Link, writer: Writer): void {
  const isAsWritten = text === href || `mailto:${text}` === href; // Telegram finds these by itself
  const isEmpty = text.trim() === "";
  if (isAsWritten || isEmpty) return writer.write(isEmpty ? href : text);
  if (isLinkable(href)) return writer.link(href, () => writeInline(tokens, writer));
  writeInline(tokens, writer);
  writer.write(` (${href})`);
}

/** Links to anything else are dropped by Telegram, with the address in them. */
function isLinkable(href: string): boolean {
  return URL.canParse(href) && /^(https?|tg):/i.test(href);
}

/** Telegram takes a language to be one word. */
function language(info: string): string {
  return info.trim().split(/\s/, 1)[0] ?? "";
}

type Style = "bold" | "italic" | "strikethrough" | "blockquote";

interface OpenEntity {
  readonly type: Style | "text_link";
  readonly url?: string;
  offset: number;
}

/** Takes text piece by piece, and knows what each piece is. */
class Writer {
  #text = "";
  readonly #entities: MessageEntity[] = [];
  readonly #open: OpenEntity[] = [];

  write(text: string): void {
    this.#text += clean(text);
  }

  /** What `write` writes is of this style, unless it is already. */
  within(type: Style, write: () => void): void {
    if (this.#open.some((entity) => entity.type === type)) return write();
    this.#enclose({ type, offset: this.#text.length }, write);
  }

  /** What `write` writes leads there; a link within a link is only text. */
  link(url: string, write: () => void): void {
    if (this.#open.some(({ type }) => type === "text_link")) return write();
    this.#enclose({ type: "text_link", url, offset: this.#text.length }, write);
  }

  /** Code can be in no other entity, so those around it end before and begin anew after it. */
  verbatim(
    text: string,
    entity: { readonly type: "code" } | { readonly type: "pre"; readonly language?: string },
  ): void {
    if (this.#open.some(({ type }) => type === "text_link")) return this.write(text);
    for (const open of this.#open.toReversed()) this.#close(open);
    const offset = this.#text.length;
    this.write(text);
    this.#add({ ...entity, offset, length: this.#text.length - offset });
    for (const open of this.#open) open.offset = this.#text.length;
  }

  /** The text without blanks around it. */
  finish(): FormattedText {
    const start = this.#text.length - this.#text.trimStart().length;
    const text = this.#text.trim();
    const entities = this.#entities.flatMap((entity) => {
      const from = Math.max(0, entity.offset - start);
      const to = Math.min(text.length, entity.offset - start + entity.length);
      return to > from ? [{ ...entity, offset: from, length: to - from }] : [];
    });
    entities.sort((one, other) => one.offset - other.offset || other.length - one.length);
    return { text, entities: entities.slice(0, MAX_ENTITIES) };
  }

  #enclose(entity: OpenEntity, write: () => void): void {
    this.#open.push(entity);
    write();
    this.#open.pop();
    this.#close(entity);
  }

  #close({ type, url, offset }: OpenEntity): void {
    const length = this.#text.length - offset;
    this.#add(
      type === "text_link" ? { type, url: url ?? "", offset, length } : { type, offset, length },
    );
  }

  /** Blanks at either end are in no entity. */
  #add(entity: MessageEntity): void {
    const inner = this.#text.slice(entity.offset, entity.offset + entity.length);
    const length = inner.trim().length;
    if (length === 0) return;
    const offset = entity.offset + inner.length - inner.trimStart().length;
    this.#entities.push({ ...entity, offset, length });
  }
}

/** Without what Telegram would take out anyway, so that lengths agree. */
function clean(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replaceAll("\r\n", "\n").replaceAll(/[\0-\x08\x0b-\x1f]/g, " ");
}
