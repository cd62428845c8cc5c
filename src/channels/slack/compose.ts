/** Turns messages of ours into what Slack's Web API wants. Pure. */
import { createHash } from "node:crypto";
import type {
  ChatPostEphemeralArguments,
  ChatPostMessageArguments,
  ChatUpdateArguments,
} from "@slack/web-api";
import type { Button, OutboundMessage, Place } from "../../message.ts";
import { ACTION_PREFIX, isTs } from "./convert.ts";
import { toMrkdwn } from "./markdown.ts";

/** What Slack advises for a text, and what it takes when a message is changed. */
export const TEXT_LIMIT = 4000;

/** By this name our messages carry their ids. */
export const EVENT_TYPE = "openclaw_message";

const MAX_SECTION = 3000;
const MAX_BUTTON_TEXT = 75;

/** How long a text is for Slack, at most: it may count `&amp;` as one. */
export function measure(markdown: string): number {
  return toMrkdwn(markdown).length;
}

/** What is the same for everything that an account says. */
export interface Manners {
  readonly unfurlLinks: boolean | undefined;
  readonly unfurlMedia: boolean | undefined;
}

/** A message without a file. */
export function toPost(
  message: OutboundMessage,
  { unfurlLinks, unfurlMedia }: Manners,
): ChatPostMessageArguments {
  const { text, blocks } = toContent(message);
  const threadTs = threadOf(message);
  return {
    channel: message.place.chatId,
    text,
    ...(blocks === undefined ? {} : { blocks }),
    ...(threadTs === undefined ? {} : { thread_ts: threadTs }),
    ...(unfurlLinks === undefined ? {} : { unfurl_links: unfurlLinks }),
    ...(unfurlMedia === undefined ? {} : { unfurl_media: unfurlMedia }),
    metadata: { event_type: EVENT_TYPE, event_payload: { id: message.id } },
    ...clientId(message.id),
  };
}

/** The text of a message, and its buttons. */
export function toContent(
  { text: markdown, buttons = [] }: Pick<OutboundMessage, "text" | "buttons">,
): { text: string; blocks?: Block[] } {
  const text = toMrkdwn(markdown);
  const rows = buttons.filter((row) => row.length > 0);
  if (rows.length === 0) return { text };
  const sections = piecesOf(text).map((piece): Block => ({
    type: "section",
    text: { type: "mrkdwn", text: piece },
  }));
  return { text, blocks: [...sections, ...rows.map(toActions)] };
}

/** Another text for a message of ours; its buttons go. */
export function toUpdate(
  { chatId, ts, text }: { chatId: string; ts: string; text: string },
): ChatUpdateArguments {
  return { channel: chatId, ts, text: toMrkdwn(text), blocks: [] };
}

/** The answer to a command, by its own address. */
export function toResponse(message: OutboundMessage, isEphemeral: boolean): unknown {
  const response_type = isEphemeral ? "ephemeral" : "in_channel";
  return { response_type, replace_original: false, ...toContent(message) };
}

/** What only one person in a conversation sees. */
export function toEphemeral(message: OutboundMessage, user: string): ChatPostEphemeralArguments {
  const { text, blocks } = toContent(message);
  return {
    channel: message.place.chatId,
    user,
    text,
    ...(blocks === undefined ? {} : { blocks }),
  };
}

/**
 * The thread that a message goes to: its place's, or one that begins with what it answers. Slack
 * has no other way to answer something.
 */
export function threadOf(
  { place, replyTo }: { place: Place; replyTo?: string },
): string | undefined {
  if (place.threadId !== undefined) return place.threadId;
  return replyTo !== undefined && isTs(replyTo) ? replyTo : undefined;
}

/** Of Slack's blocks those that we use. */
type Block = Extract<ChatUpdateArguments, { blocks: unknown }>["blocks"][number];

/**
 * Slack's own programs send one so that what is sent twice appears once. It promises that to
 * nobody else, so nothing depends on it, and it may help.
 */
function clientId(id: string): { client_msg_id: string } {
  const hash = createHash("sha256").update(id).digest("hex");
  const parts = [
    hash.slice(0, 8),
    hash.slice(8, 12),
    `4${hash.slice(13, 16)}`,
    `8${hash.slice(17, 20)}`,
    hash.slice(20, 32),
  ];
  return { client_msg_id: parts.join("-") };
}

/** A block takes less than a message: a text is cut between lines, and within one where it must be. */
function piecesOf(text: string): string[] {
  const pieces: string[] = [];
  let rest = text;
  while (rest.length > MAX_SECTION) {
    const line = rest.lastIndexOf("\n", MAX_SECTION);
    const end = line > 0 ? line : cutIn(rest);
    pieces.push(rest.slice(0, end));
    rest = rest.slice(line > 0 ? end + 1 : end);
  }
  return [...pieces, rest].filter((piece) => piece.trim() !== "");
}

/** Where a long line can be cut: in no link, in no sign that is written as a word, in no letter. */
function cutIn(line: string): number {
  const head = line.slice(0, MAX_SECTION);
  const whole = head.search(/(?:<[^<>]*|&[a-z]{0,3}|[\ud800-\udbff])$/);
  return whole > 0 ? whole : head.isWellFormed() ? MAX_SECTION : MAX_SECTION - 1;
}

function toActions(row: readonly Button[], at: number): Block {
  return {
    type: "actions",
    elements: row.map(({ text, value }, column) => ({
      type: "button",
      text: { type: "plain_text", text: shortened(text), emoji: true },
      value,
      action_id: `${ACTION_PREFIX}${at}:${column}`,
    })),
  };
}

function shortened(text: string): string {
  if (text.length <= MAX_BUTTON_TEXT) return text;
  return `${text.slice(0, MAX_BUTTON_TEXT - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}
