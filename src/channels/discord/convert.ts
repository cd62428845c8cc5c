/** Turns what Discord hands over into messages of ours. Pure. */
import type { Static } from "@sinclair/typebox";
import type {
  APIAttachment,
  APIEmbed,
  APIGuildMember,
  APIInteraction,
  APIMessage,
  APIUser,
  GatewayMessageReactionAddDispatchData,
  GatewayMessageReactionRemoveDispatchData,
} from "discord-api-types/v10";
import * as Type from "../../../schemas/type.ts";
import type {
  InboundAttachment,
  InboundBase,
  InboundMessage,
  MediaKind,
  Place,
  Sender,
} from "../../message.ts";
import type { KnownChannel, KnownRole } from "./directory.ts";
import { timeOf } from "./snowflake.ts";

/** What must be known to understand a message. */
export interface Surroundings {
  readonly accountId: string;
  /** Our own id. */
  readonly selfId: string;
  channel(id: string): KnownChannel | undefined;
  role(guildId: string, id: string): KnownRole | undefined;
}

/** A message as the gateway hands it over, or as the API lists it. */
export type AnyMessage = APIMessage & {
  readonly guild_id?: string;
  readonly member?: Partial<Pick<APIGuildMember, "nick" | "roles">>;
};

/** How an attachment is found again. */
export const AttachmentRef = Type.Object({
  url: Type.String(),
  channelId: Type.String(),
  messageId: Type.String(),
  id: Type.String(),
});
export type AttachmentRef = Static<typeof AttachmentRef>;

/** `undefined` for what is ours, or is nothing that somebody said. */
export function toMessage(message: AnyMessage, around: Surroundings): InboundMessage | undefined {
  if (!isSaid(message, around)) return undefined;
  const { referenced_message: answered } = message;
  // The first message of a thread begun at a message is that message once more.
  if (message.type === THREAD_STARTER) return undefined;
  const place = placeOf(message, around);
  return {
    ...baseOf(message, message.id, around),
    place,
    kind: "message",
    messageId: message.id,
    text: textOf(message, around),
    attachments: attachmentsOf(message),
    mentionsUs: place.kind === "direct" || mentionsUs(message, around),
    ...(answered != null && {
      replyTo: {
        messageId: answered.id,
        ...(answered.content && { text: resolved(answered, around) }),
        senderName: nameOf(answered.author),
        toUs: answered.author.id === around.selfId,
      },
    }),
  };
}

/** `undefined` where nobody has changed the text: Discord also tells of previews that it adds. */
export function toEdit(message: AnyMessage, around: Surroundings): InboundMessage | undefined {
  const { edited_timestamp: editedAt } = message;
  if (message.author === undefined || editedAt == null || !isSaid(message, around)) {
    return undefined;
  }
  return {
    ...baseOf(message, `${message.id}:${editedAt}`, around),
    at: Date.parse(editedAt),
    kind: "edit",
    messageId: message.id,
    text: textOf(message, around),
  };
}

/** Discord does not say who it was. */
export function toDelete(
  { id, ...where }: { id: string; channel_id: string; guild_id?: string },
  at: number,
  around: Surroundings,
): InboundMessage {
  return {
    eventId: `${id}:deleted`,
    place: placeOf(where, around),
    sender: { id: "" },
    at,
    kind: "delete",
    messageId: id,
  };
}

/** `eventId` must name this event: one can take a reaction back and set it again. */
export function toReaction(
  reaction: GatewayMessageReactionAddDispatchData | GatewayMessageReactionRemoveDispatchData,
  { eventId, isAdded, at }: { eventId: string; isAdded: boolean; at: number },
  around: Surroundings,
): InboundMessage | undefined {
  const { user_id: userId, emoji } = reaction;
  if (userId === around.selfId) return undefined;
  const member = "member" in reaction ? reaction.member : undefined;
  const author = "message_author_id" in reaction ? reaction.message_author_id : undefined;
  return {
    eventId,
    place: placeOf(reaction, around),
    sender: member?.user ? senderOf(member.user, member) : { id: userId },
    at,
    kind: "reaction",
    messageId: reaction.message_id,
    emoji: emoji.id == null ? emoji.name ?? "" : `:${emoji.name}:`,
    isAdded,
    ...(author !== undefined && { toUs: author === around.selfId }),
  };
}

/** A slash command as its text, or a button as its value; `undefined` for anything else. */
export function toInteraction(
  interaction: APIInteraction,
  around: Surroundings,
): InboundMessage | undefined {
  const { id, member, channel } = interaction;
  const user = member?.user ?? interaction.user;
  const channelId = channel?.id ?? interaction.channel_id;
  if (user === undefined || channelId === undefined) return undefined;
  const base: InboundBase = {
    eventId: id,
    place: placeOf({ channel_id: channelId, guild_id: interaction.guild_id }, around),
    sender: senderOf(user, member),
    at: timeOf(id),
  };
  if (interaction.type === APPLICATION_COMMAND && interaction.data.type === SLASH_COMMAND) {
    const { name, options = [] } = interaction.data;
    const words = [`/${name}`, ...wordsOf(options)].join(" ");
    return { ...base, kind: "command", messageId: COMMAND + id, text: words, isAwaited: true };
  }
  if (interaction.type === MESSAGE_COMPONENT) {
    const { custom_id: value } = interaction.data;
    return { ...base, kind: "button", messageId: interaction.message.id, value };
  }
  return undefined;
}

/** The command that a message answers, as Discord calls it. */
export function commandOf(replyTo: string | undefined): string | undefined {
  return replyTo?.startsWith(COMMAND) ? replyTo.slice(COMMAND.length) : undefined;
}

/** Where somebody speaks. A thread's chat is the channel that the thread is in. */
export function placeOf(
  { channel_id: id, guild_id }: { channel_id: string; guild_id?: string },
  { accountId, channel }: Pick<Surroundings, "accountId" | "channel">,
): Place {
  const known = channel(id);
  const parent = known?.parentId === undefined ? undefined : channel(known.parentId);
  const spaceId = guild_id ?? known?.guildId;
  const room = known?.parentId === undefined ? known : parent; // anybody can name a thread
  const name = room?.name ?? known?.name;
  return {
    channel: "discord",
    accountId,
    kind: spaceId !== undefined ? "channel" : known?.type === GROUP_DM ? "group" : "direct",
    chatId: known?.parentId ?? id,
    ...(known?.parentId !== undefined && { threadId: id }),
    ...(spaceId !== undefined && { spaceId }),
    ...(name !== undefined && { title: spaceId === undefined ? name : `#${name}` }),
    ...(spaceId !== undefined && room?.name !== undefined && { roomName: room.name }),
  };
}

/** By it a command is told from a message, also once Discord has forgotten it. */
const COMMAND = "command:";
/** Numbers of Discord's own. */
const DEFAULT = 0;
const REPLY = 19;
const SLASH_COMMAND_ANSWER = 20;
const THREAD_STARTER = 21;
const CONTEXT_MENU_ANSWER = 23;
const SAID: ReadonlySet<number> = new Set([
  DEFAULT,
  REPLY,
  SLASH_COMMAND_ANSWER,
  CONTEXT_MENU_ANSWER,
]);
const GROUP_DM = 3;
const VOICE_MESSAGE = 1 << 13;
const APPLICATION_COMMAND = 2;
const SLASH_COMMAND = 1;
const MESSAGE_COMPONENT = 3;
/** Stickers of this format are drawings in JSON. */
const LOTTIE = 3;

/** Somebody else said it; it is no notice of Discord's. */
function isSaid({ type, author }: AnyMessage, { selfId }: Surroundings): boolean {
  return SAID.has(type) && author.id !== selfId;
}

function baseOf(message: AnyMessage, eventId: string, around: Surroundings): InboundBase {
  return {
    eventId,
    place: placeOf(message, around),
    sender: senderOf(message.author, message.member),
    at: Date.parse(message.timestamp),
  };
}

function senderOf(
  user: APIUser,
  member: { readonly nick?: string | null; readonly roles?: readonly string[] } = {},
): Sender {
  return {
    id: user.id,
    name: member.nick ?? nameOf(user),
    username: user.username,
    ...(user.bot && { isBot: true }),
    ...(member.roles !== undefined && { roles: member.roles }),
  };
}

function nameOf({ global_name, username }: APIUser): string {
  return global_name ?? username;
}

function mentionsUs(
  { mentions, mention_roles, guild_id, content, referenced_message: answered }: AnyMessage,
  { selfId, role }: Surroundings,
): boolean {
  // an answer mentions whom it answers, unless its author says otherwise
  const isWritten = answered?.author.id !== selfId || content.includes(`<@${selfId}>`);
  return isWritten && mentions.some(({ id }) => id === selfId) ||
    guild_id !== undefined && mention_roles.some((id) => role(guild_id, id)?.botId === selfId);
}

/** All that was said in a message, whatever form it has. */
function textOf(message: AnyMessage, around: Surroundings): string {
  const own = withoutAddress(resolved(message, around), message, around);
  const forwarded = (message.message_snapshots ?? []).map(({ message: { content, embeds } }) =>
    `[Forwarded]\n${content || embeds.map(embedText).join("\n")}`.trim()
  );
  // What a webhook or a bot says often stands in embeds alone; beside a text they are previews.
  const embeds = own === "" && message.author.bot ? message.embeds.map(embedText) : [];
  const { poll } = message;
  const asked = poll && [
    `[Poll] ${poll.question.text ?? ""}`,
    ...poll.answers.map(({ poll_media: { text } }) => `- ${text ?? ""}`),
  ].join("\n");
  return [own, ...forwarded, ...embeds, asked].filter(Boolean).join("\n");
}

function embedText({ title, description, url, fields = [] }: APIEmbed): string {
  const lines = fields.map(({ name, value }) => `${name}: ${value}`);
  return [title, description, ...lines, url].filter(Boolean).join("\n");
}

/** With names where Discord writes ids. */
function resolved(
  { content, mentions, mention_channels = [], guild_id }: AnyMessage,
  { channel, role }: Surroundings,
): string {
  const people = new Map(mentions.map((user) => [user.id, memberName(user)]));
  const channels = new Map(mention_channels.map(({ id, name }) => [id, name]));
  return content
    .replace(/<@!?(\d+)>/g, (whole, id) => people.has(id) ? `@${people.get(id)}` : whole)
    .replace(/<#(\d+)>/g, (whole, id) => {
      const name = channels.get(id) ?? channel(id)?.name;
      return name === undefined ? whole : `#${name}`;
    })
    .replace(/<@&(\d+)>/g, (whole, id) => {
      const name = guild_id === undefined ? undefined : role(guild_id, id)?.name;
      return name === undefined ? whole : `@${name}`;
    })
    .replace(/<a?:(\w+):\d+>/g, ":$1:")
    .replace(/<t:(-?\d{1,12})(?::[a-zA-Z])?>/g, (whole, seconds) => {
      const time = new Date(Number(seconds) * 1000);
      return Number.isNaN(time.getTime()) ? whole : time.toISOString();
    })
    .replace(/<(\/[\w -]+):\d+>/g, "$1");
}

/** The gateway adds who they are in the guild. */
function memberName(user: APIUser & { member?: { nick?: string | null } }): string {
  return user.member?.nick ?? nameOf(user);
}

/** Who only calls us by name before what they say, says the rest. */
function withoutAddress(text: string, { content, mentions }: AnyMessage, { selfId }: Surroundings) {
  const self = mentions.find(({ id }) => id === selfId);
  if (self === undefined || !new RegExp(`^\\s*<@!?${selfId}>`).test(content)) return text;
  const rest = text.trimStart().slice(`@${memberName(self)}`.length).replace(/^[\s,:]+/, "");
  return rest === "" ? text : rest;
}

function attachmentsOf(message: AnyMessage): InboundAttachment[] {
  const isVoice = ((message.flags ?? 0) & VOICE_MESSAGE) !== 0;
  const forwarded = (message.message_snapshots ?? []).flatMap((snapshot) =>
    snapshot.message.attachments ?? []
  );
  const files = [...message.attachments, ...forwarded].map((file): InboundAttachment => ({
    kind: isVoice ? "voice" : kindOf(file),
    ref: refOf(message, file),
    name: file.filename,
    ...(file.content_type !== undefined && { mimeType: file.content_type }),
    size: file.size,
  }));
  const stickers = (message.sticker_items ?? []).filter(({ format_type }) => format_type !== LOTTIE)
    .map(({ id, name, format_type }): InboundAttachment => ({
      kind: "sticker",
      ref: refOf(message, { id, url: stickerUrl(id, format_type) }),
      name,
    }));
  return [...files, ...stickers];
}

function refOf(
  { id: messageId, channel_id: channelId }: AnyMessage,
  { id, url }: Pick<APIAttachment, "id" | "url">,
): AttachmentRef {
  return { url, channelId, messageId, id };
}

function stickerUrl(id: string, format: number): string {
  return format === 4
    ? `https://media.discordapp.net/stickers/${id}.gif`
    : `https://cdn.discordapp.com/stickers/${id}.png`;
}

function kindOf({ content_type: type = "" }: APIAttachment): MediaKind {
  const [family] = type.split("/");
  return family === "image" || family === "audio" || family === "video" ? family : "file";
}

interface CommandOption {
  readonly name: string;
  readonly value?: string | number | boolean;
  readonly options?: readonly CommandOption[];
}

/** Options as somebody would have typed them: the names of subcommands, and the values. */
function wordsOf(options: readonly CommandOption[]): string[] {
  return options.flatMap(({ name, value, options: inner }) =>
    value === undefined ? [name, ...wordsOf(inner ?? [])] : [String(value)]
  );
}
