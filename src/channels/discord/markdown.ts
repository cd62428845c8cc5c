/**
 * Markdown as Discord shows it. It knows most of CommonMark; tables, deep headings, rules and
 * images it would show as they are written.
 */
import type { MarkedToken, Token, Tokens } from "marked";
import {
  decodeReferences,
  drawTable,
  isBreak,
  joinBlocks,
  own,
  readMarkdown,
} from "../markdown.ts";

/**
 * Nobody is called by it: `@everyone` and `@here` lose their meaning, not their looks. A text of
 * which nothing would be seen, such as the address of a link, is shown as it is written.
 */
export function toDiscord(markdown: string): string {
  const shown = blocks(readMarkdown(markdown)).replace(/^\n+/, "").trimEnd();
  return shown === "" ? harmless(markdown.trim()) : shown;
}

/** The first line of a text, without marks; for a title. Empty where there is none. */
export function titleOf(markdown: string): string {
  return toDiscord(markdown).split("\n").map((text) =>
    text.replace(/^(?:#{1,3}|>|-|\d+\.)\s+/, "").replace(/[*_~`]/g, "").trim()
  ).find((text) => text !== "") ?? "";
}

function blocks(tokens: readonly Token[] | undefined): string {
  return joinBlocks(tokens, block);
}

function block(token: MarkedToken): string {
  switch (token.type) {
    case "heading":
      return heading(token);
    case "code":
      return fenced(token.text, token.lang);
    case "blockquote":
      return quote(blocks(token.tokens));
    case "list":
      return token.items.map((item, at) => listItem(token, item, at)).join("\n");
    case "table":
      return fenced(drawTable(token));
    case "hr":
      return RULE;
    case "html":
      return harmless(token.text.replace(/<!--[\s\S]*?(?:-->|$)/g, "")).trimEnd();
    case "def":
      return "";
    case "paragraph":
      return inline(token.tokens);
    case "text":
      return token.tokens === undefined ? harmless(token.raw) : inline(token.tokens);
    default:
      return harmless(token.raw).trimEnd();
  }
}

/** Of one level: there are no others. */
function quote(text: string): string {
  return text.split("\n").map((line) => line.startsWith("> ") ? line : `> ${line}`).join("\n");
}

const RULE = "─".repeat(12);
const DEEPEST_HEADING = 3;

function heading({ depth, tokens }: Tokens.Heading): string {
  const text = inline(tokens);
  if (depth <= DEEPEST_HEADING) return `${"#".repeat(depth)} ${text}`;
  return text.includes("**") ? text : `**${text}**`;
}

/** Nothing in a code block can end it early. */
function fenced(code: string, language = ""): string {
  const [word = ""] = language.split(/\s/);
  return `\`\`\`${word.replace(/`/g, "")}\n${code.replace(/```/g, "`\u200b`\u200b`")}\n\`\`\``;
}

function listItem(list: Tokens.List, item: Tokens.ListItem, at: number): string {
  const number = typeof list.start === "number" ? list.start : 1;
  const mark = list.ordered ? `${number + at}. ` : "- ";
  const box = item.task ? (item.checked ? "☑ " : "☐ ") : "";
  const inner = own(item.tokens).filter(({ type }) => type !== "checkbox");
  const [first = "", ...rest] = blocks(inner).trim().split("\n");
  const indent = " ".repeat(mark.length);
  return [mark + box + first, ...rest.map((line) => line === "" ? line : indent + line)].join("\n");
}

function inline(tokens: readonly Token[] | undefined): string {
  return own(tokens).map(span).join("");
}

function span(token: MarkedToken): string {
  switch (token.type) {
    case "strong":
      return `**${inline(token.tokens)}**`;
    case "em":
      return `*${inline(token.tokens)}*`;
    case "del":
      return `~~${inline(token.tokens)}~~`;
    case "codespan":
      return token.raw;
    case "br":
      return "\n";
    case "link":
      return link(inline(token.tokens), token);
    case "image":
      return link(harmless(token.text), token);
    case "html":
      return isBreak(token) ? "\n" : harmless(token.raw);
    case "text":
      return token.tokens === undefined
        ? harmless(decodeReferences(token.raw))
        : inline(token.tokens);
    default:
      return harmless(token.raw);
  }
}

/** Discord hides an address behind words only if it is one, and the words are none. */
function link(text: string, { href, raw }: { href: string; raw: string }): string {
  if (!raw.startsWith("[") && !raw.startsWith("!")) return raw;
  if (text === "" || text === href) return href;
  const canHide = /^https?:\/\/[^\s()]+$/i.test(href) && !/https?:\/\/|[[\]]/i.test(text);
  return canHide ? `[${text}](${href})` : `${text} (${href})`;
}

/** A mark that nobody sees keeps the words from calling everybody. */
function harmless(text: string): string {
  return text.replace(/@(?=everyone\b|here\b)/g, "@\u200b");
}
