/** Turns messages of ours into what Discord's API wants. Pure. */
import { createHash } from "node:crypto";
import type {
  AllowedMentionsTypes,
  APIActionRowComponent,
  APIComponentInMessageActionRow,
  RESTAPIPoll,
  RESTPatchAPIChannelMessageJSONBody,
  RESTPostAPIChannelMessageJSONBody,
  RESTPostAPIGuildForumThreadsJSONBody,
  RESTPutAPIApplicationCommandsJSONBody,
} from "discord-api-types/v10";
import type { MenuCommand } from "../../channel.ts";
import type { Button, OutboundMessage, Poll } from "../../message.ts";
import { commandOf } from "./convert.ts";
import { timeOf } from "./snowflake.ts";
import { titleOf, toDiscord } from "./markdown.ts";

/** In characters. What we count, UTF-16 units, is never less. */
export const TEXT_LIMIT = 2000;

/** What is the same for everything that an account says. */
export interface Manners {
  /** Links are shown without a preview. */
  readonly suppressesEmbeds: boolean;
}

/** Only who asked sees it. */
export const EPHEMERAL = 1 << 6;

/** How long a text is for Discord. */
export function measure(markdown: string): number {
  return toDiscord(markdown).length;
}

/** By it Discord knows the message again: 22 characters, the same for the same id. */
export function nonceOf(messageId: string): string {
  return createHash("sha256").update(messageId).digest("base64url").slice(0, 22);
}

/** A message in a channel. */
export function toCreate(
  message: OutboundMessage,
  manners: Manners,
): RESTPostAPIChannelMessageJSONBody {
  return {
    ...toContent(message, manners),
    nonce: nonceOf(message.id),
    enforce_nonce: true,
    ...(message.replyTo !== undefined && commandOf(message.replyTo) === undefined && {
      message_reference: { message_id: message.replyTo, fail_if_not_exists: false },
    }),
  };
}

/** A post in a forum, whose title is the first line of the text. */
export function toPost(
  message: OutboundMessage,
  manners: Manners,
): RESTPostAPIGuildForumThreadsJSONBody {
  return {
    name: postTitleOf(message),
    message: toContent(message, manners),
  };
}

export function postTitleOf({ text, attachment, poll }: OutboundMessage): string {
  return cut(titleOf(text) || (poll?.question ?? attachment?.name ?? "Message"), 100);
}

/** What a message is but for how it is sent. */
export function toContent(
  { text, attachment, poll, buttons = [], isSilent = false }: OutboundMessage,
  { suppressesEmbeds }: Manners,
): RESTPostAPIChannelMessageJSONBody {
  const flags = (isSilent ? SUPPRESS_NOTIFICATIONS : 0) |
    (suppressesEmbeds ? SUPPRESS_EMBEDS : 0);
  return {
    ...(text !== "" && { content: toDiscord(text) }),
    allowed_mentions: PEOPLE_ONLY,
    ...(flags !== 0 && { flags }),
    ...(attachment && { attachments: [{ id: 0, filename: attachment.name }] }),
    ...(poll && { poll: toPoll(poll) }),
    ...(buttons.length > 0 && { components: buttons.map(toRow) }),
  };
}

/** The answer that a command waits for: what shows at once can't be silent. */
export function toAnswer(
  message: OutboundMessage,
  manners: Manners,
): RESTPostAPIChannelMessageJSONBody {
  return toContent({ ...message, isSilent: false }, manners);
}

/** What follows the answer to a command, for nobody but who asked. */
export function toFollowUp(
  message: OutboundMessage,
  manners: Manners,
): RESTPostAPIChannelMessageJSONBody {
  const answer = toAnswer(message, manners);
  return { ...answer, flags: (answer.flags ?? 0) | EPHEMERAL };
}

/** Another text for a message of ours. */
export function toEdit(text: string): RESTPatchAPIChannelMessageJSONBody {
  return { content: toDiscord(text), allowed_mentions: PEOPLE_ONLY };
}

/** The menu of slash commands; what follows a command is one option of it. */
export function toMenu(commands: readonly MenuCommand[]): RESTPutAPIApplicationCommandsJSONBody {
  return commands.slice(0, 100).map(({ name, description, acceptsArgs }) => ({
    name: name.toLowerCase(),
    description: description.slice(0, 100),
    type: 1,
    ...(acceptsArgs && {
      options: [{ type: 3, name: "text", description: "What follows it", required: false }],
    }),
  }));
}

/** How an emoji is written in a path: `<:name:id>` as `name:id`. */
export function emojiPath(emoji: string): string {
  const custom = /^<?a?:?(\w+:\d+)>?$/.exec(emoji.trim())?.[1];
  return encodeURIComponent(custom ?? emoji.trim());
}

/** Whether a message may have been sent before this one of ours was there to be sent. */
export function isBefore(discordId: string, { acceptedAt = 0 }: OutboundMessage): boolean {
  return timeOf(discordId) < acceptedAt - CLOCK_SKEW_MS;
}

const CLOCK_SKEW_MS = 60_000;
const SUPPRESS_EMBEDS = 1 << 2;
const SUPPRESS_NOTIFICATIONS = 1 << 12;
/** Neither everybody nor roles, nor who is answered. The enum itself would load its package. */
const PEOPLE_ONLY = { parse: ["users" as AllowedMentionsTypes], replied_user: false };

function toPoll(
  { question, options, maxSelections = 1, durationSeconds = 86_400 }: Poll,
): RESTAPIPoll {
  const hours = Math.ceil(durationSeconds / 3600);
  return {
    question: { text: question },
    answers: options.map((text) => ({ poll_media: { text } })),
    duration: Math.min(768, Math.max(1, hours)),
    allow_multiselect: maxSelections > 1,
  };
}

function toRow(row: readonly Button[]): APIActionRowComponent<APIComponentInMessageActionRow> {
  return {
    type: 1,
    components: row.map(({ text, value }) => ({
      type: 2,
      style: 2,
      label: cut(text, 80),
      custom_id: value,
    })),
  };
}

/** Its first letters, none of them in half. */
function cut(text: string, most: number): string {
  return [...text.slice(0, 2 * most)].slice(0, most).join("");
}
