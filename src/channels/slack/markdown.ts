/** Markdown as Slack shows it: in its own mrkdwn, in which nothing but people can be called. */
import type { MarkedToken, Token, Tokens } from "marked";
import {
  decodeReferences,
  drawTable,
  isBreak,
  joinBlocks,
  own,
  plainText,
  readMarkdown,
} from "../markdown.ts";

/**
 * Nobody but those named by id is called: what would call all of a channel is shown as it is. So is
 * a text of which nothing would be seen, such as the address of a link.
 */
export function toMrkdwn(markdown: string): string {
  const shown = blocks(readMarkdown(markdown)).replace(/^\n+/, "").trimEnd();
  return shown === "" ? escaped(markdown.trim()) : shown;
}

function blocks(tokens: readonly Token[] | undefined): string {
  return joinBlocks(tokens, block);
}

function block(token: MarkedToken): string {
  switch (token.type) {
    case "heading":
      return heading(token);
    case "code":
      return fenced(token.text);
    case "blockquote":
      return blocks(token.tokens).split("\n").map((line) => `> ${line}`).join("\n");
    case "list":
      return token.items.map((item, at) => listItem(token, item, at)).join("\n");
    case "table":
      return fenced(drawTable(token));
    case "hr":
      return RULE;
    case "html":
      return escaped(token.text.replace(/<!--[\s\S]*?(?:-->|$)/g, "")).trimEnd();
    case "def":
      return "";
    case "paragraph":
      return inline(token.tokens);
    case "text":
      return token.tokens === undefined ? escaped(token.raw) : inline(token.tokens);
    default:
      return escaped(token.raw).trimEnd();
  }
}

const RULE = "─".repeat(12);

/** Slack has no headings. */
function heading({ tokens }: Tokens.Heading): string {
  const text = inline(tokens);
  return text === "" || text.includes("*") ? text : `*${text}*`;
}

/** Nothing in a code block can end it early. */
function fenced(code: string): string {
  return `\`\`\`\n${symbols(code).replace(/```/g, "`\u200b`\u200b`")}\n\`\`\``;
}

const BULLETS = ["•", "◦", "▪"];

function listItem(list: Tokens.List, item: Tokens.ListItem, at: number, depth = 0): string {
  const number = typeof list.start === "number" ? list.start : 1;
  const mark = list.ordered ? `${number + at}.` : BULLETS[Math.min(depth, BULLETS.length - 1)];
  const box = item.task ? (item.checked ? "☑ " : "☐ ") : "";
  const lines = own(item.tokens).filter(({ type }) => type !== "checkbox" && type !== "space")
    .flatMap((token) =>
      token.type === "list"
        ? token.items.map((inner, place) => listItem(token, inner, place, depth + 1))
        : [block(token)]
    ).join("\n").split("\n");
  const [first = "", ...rest] = lines;
  return [`${mark} ${box}${first}`, ...rest.map((line) => line === "" ? line : `    ${line}`)]
    .join("\n");
}

function inline(tokens: readonly Token[] | undefined): string {
  let text = "";
  let wasMarked = false;
  for (const token of own(tokens)) {
    const shown = span(token);
    if (shown === "") continue;
    const isMarked = MARKED.has(token.type);
    // a mark within a word means nothing to Slack, unless something that nobody sees parts them
    const ends = /[\p{L}\p{N}*_~`]$/u.test(text);
    const begins = /^[\p{L}\p{N}*_~`]/u.test(shown);
    if ((isMarked && ends) || (wasMarked && begins)) text += "\u200b";
    text += shown;
    wasMarked = isMarked;
  }
  return text;
}

const MARKED: ReadonlySet<string> = new Set(["strong", "em", "del", "codespan"]);

function span(token: MarkedToken): string {
  switch (token.type) {
    case "strong":
      return around("*", inline(token.tokens));
    case "em":
      return around("_", inline(token.tokens));
    case "del":
      return around("~", inline(token.tokens));
    case "codespan":
      return `\`${symbols(token.text).replace(/`/g, "ˋ")}\``;
    case "br":
      return "\n";
    case "link":
      return link(plainText(token.tokens), token);
    case "image":
      return link(token.text, token);
    case "html":
      return isBreak(token) ? "\n" : escaped(token.raw);
    case "text":
      return token.tokens === undefined
        ? escaped(decodeReferences(token.raw))
        : inline(token.tokens);
    case "escape":
      return escaped(token.text);
    default:
      return escaped(token.raw);
  }
}

/** A mark must touch what it marks. */
function around(mark: string, text: string): string {
  const [, before = "", inner = "", after = ""] = /^(\s*)([\s\S]*?)(\s*)$/.exec(text) ?? [];
  return inner === "" ? text : before + mark + inner + mark + after;
}

function link(text: string, { href }: { href: string }): string {
  if (!/^(?:https?:\/\/|mailto:|tel:|slack:\/\/)[^\s<>]*$/i.test(href)) {
    return text === "" || text === href ? symbols(href) : symbols(`${text} (${href})`);
  }
  const address = symbols(href).replace(/\|/g, "%7C");
  const label = symbols(text).replace(/\|/g, "¦").replace(/\s+/g, " ").trim();
  const isSame = label === "" || label === address || `mailto:${label}` === address;
  return isSame ? `<${address}>` : `<${address}|${label}>`;
}

/** As it is written, but for people and channels that are named by their ids. */
function escaped(text: string): string {
  return symbols(text)
    .replace(/&lt;(@[UW][A-Z0-9]{2,}|#C[A-Z0-9]{2,})&gt;/g, "<$1>")
    .replace(/@(?=(?:everyone|channel|here)\b)/g, "@\u200b");
}

/** The three signs that mean something to Slack wherever they stand. */
function symbols(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}
