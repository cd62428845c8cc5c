/** Telegram's updates as messages of ours. Pure: what is not for us becomes nothing. */
import type { Chat, Message, MessageEntity, ReactionType, Update, User } from "grammy/types";
import type { Static, TSchema } from "@sinclair/typebox";
import { TypeCompiler } from "@sinclair/typebox/compiler";
import * as Type from "../../../schemas/type.ts";
import type { Self } from "../../channel.ts";
import type {
  GeoPoint,
  InboundAttachment,
  InboundContent,
  InboundMessage,
  Place,
  Sender,
} from "../../message.ts";

/** Where to find a file again. */
export const FileRef = Type.Object({ fileId: Type.String() });
export type FileRef = Static<typeof FileRef>;

/** The updates that `toInbound` understands, for `allowed_updates`. */
export const UPDATES = [
  "message",
  "edited_message",
  "channel_post",
  "edited_channel_post",
  "callback_query",
  "message_reaction",
] as const satisfies readonly (Exclude<keyof Update, "update_id">)[];

/** General, the topic of a forum that has no messages of its own. */
export const GENERAL_TOPIC = "1";

/** Who asks, and when. */
export interface Receiver {
  readonly accountId: string;
  readonly self: Self;
  /** For what Telegram gives no time for. Epoch milliseconds. */
  readonly now: number;
}

/**
 * What an update says to us: mostly one thing, several reactions at most. Empty for our own words, for
 * commands to other bots and for what is no message. Throws for what no update looks like.
 */
export function toInbound(update: Update, to: Receiver): readonly InboundMessage[] {
  if (!SHAPE.Check(update)) {
    const { path, message } = SHAPE.Errors(update).First() ?? {};
    throw new TypeError(`It is no update of Telegram's: ${path} ${message?.toLowerCase()}`);
  }
  const said = update.message ?? update.channel_post;
  const edited = update.edited_message ?? update.edited_channel_post;
  if (said !== undefined) return isOurs(said, to) ? [] : fromMessage(said, to);
  if (edited !== undefined) return isOurs(edited, to) ? [] : fromEdit(edited, update, to);
  if (update.callback_query !== undefined) return fromButton(update.callback_query, to);
  if (update.message_reaction !== undefined) return fromReaction(update, to);
  return [];
}

/** The group of this id has become a supergroup of another. */
export function migrationOf(update: Update): { from: string; to: string } | undefined {
  const { message } = update;
  return message?.migrate_to_chat_id === undefined || !SHAPE.Check(update)
    ? undefined
    : { from: String(message.chat.id), to: String(message.migrate_to_chat_id) };
}

/** The place of a chat, whoever speaks there. */
export function placeOf(chat: Chat, accountId: string, threadId?: string): Place {
  const title = chat.type === "private"
    ? [chat.first_name, chat.last_name].filter((name) => name !== undefined).join(" ")
    : chat.title;
  return {
    channel: "telegram",
    accountId,
    kind: KINDS[chat.type],
    chatId: String(chat.id),
    ...(threadId === undefined ? {} : { threadId }),
    ...(title ? { title } : {}),
  };
}

const KINDS = {
  private: "direct",
  group: "group",
  supergroup: "group",
  channel: "channel",
} as const satisfies Record<Chat["type"], Place["kind"]>;

function fromMessage(message: Message, to: Receiver): readonly InboundMessage[] {
  const sender = senderOf(message);
  const content = contentOf(message, to.self);
  if (sender === undefined || content === undefined) return [];
  return [{
    eventId: nameOf(message, to),
    place: placeOf(message.chat, to.accountId, threadOf(message)),
    sender,
    at: message.date * 1000,
    ...content,
  }];
}

/**
 * All bots call a message of a supergroup or a channel the same; in other chats each one counts by
 * itself, and the bot of an account may be exchanged for another.
 */
function nameOf({ chat: { type }, message_id }: Message, { self }: Receiver): string {
  return type === "supergroup" || type === "channel"
    ? String(message_id)
    : `${self.id}:${message_id}`;
}

function fromEdit(
  message: Message,
  { update_id }: Update,
  to: Receiver,
): readonly InboundMessage[] {
  const sender = senderOf(message);
  const text = textOf(message);
  // a live location that moves is an edit too, and says nothing
  if (sender === undefined || text === "") return [];
  return [{
    eventId: `edit:${update_id}`,
    place: placeOf(message.chat, to.accountId, threadOf(message)),
    sender,
    at: (message.edit_date ?? message.date) * 1000,
    kind: "edit",
    messageId: String(message.message_id),
    text,
  }];
}

function fromButton(
  { id, from, message, data }: NonNullable<Update["callback_query"]>,
  { accountId, now }: Receiver,
): readonly InboundMessage[] {
  if (message === undefined || data === undefined) return []; // a game, or not in a chat of ours
  return [{
    eventId: `button:${id}`,
    place: placeOf(message.chat, accountId, message.date === 0 ? undefined : threadOf(message)),
    sender: fromUser(from),
    at: now,
    kind: "button",
    messageId: String(message.message_id),
    value: data,
  }];
}

function fromReaction(
  { update_id, message_reaction: reaction }: Update,
  { accountId }: Receiver,
): readonly InboundMessage[] {
  if (reaction === undefined) return [];
  const { chat, user, actor_chat: actor, message_id, date, old_reaction, new_reaction } = reaction;
  const sender = user !== undefined ? fromUser(user) : actor && fromChat(actor);
  if (sender === undefined) return [];
  const before = old_reaction.map(emojiOf);
  const after = new_reaction.map(emojiOf);
  const changes = [
    ...before.filter((emoji) => !after.includes(emoji)).map((emoji) => ({ emoji, isAdded: false })),
    ...after.filter((emoji) => !before.includes(emoji)).map((emoji) => ({ emoji, isAdded: true })),
  ];
  return changes.map(({ emoji, isAdded }) => ({
    eventId: `reaction:${update_id}:${isAdded ? "+" : "-"}${emoji}`,
    place: placeOf(chat, accountId), // Telegram does not say in which topic
    sender,
    at: date * 1000,
    kind: "reaction",
    messageId: String(message_id),
    emoji,
    isAdded,
  }));
}

function emojiOf(reaction: ReactionType): string {
  if (reaction.type === "emoji") return reaction.emoji;
  return reaction.type === "custom_emoji" ? `custom:${reaction.custom_emoji_id}` : "⭐";
}

function isOurs({ from, sender_chat }: Message, { self }: Receiver): boolean {
  return sender_chat === undefined && String(from?.id) === self.id;
}

/** Who speaks: a person, or the group or channel in whose name an administrator does. */
function senderOf({ from, sender_chat, author_signature }: Message): Sender | undefined {
  if (sender_chat !== undefined) return fromChat(sender_chat, author_signature);
  return from && fromUser(from);
}

function fromUser({ id, first_name, last_name, username, is_bot }: User): Sender {
  return {
    id: String(id),
    name: last_name === undefined ? first_name : `${first_name} ${last_name}`,
    ...(username === undefined ? {} : { username }),
    ...(is_bot ? { isBot: true } : {}),
  };
}

function fromChat(chat: Chat, signature?: string): Sender {
  const title = chat.type === "private" ? chat.first_name : chat.title;
  return {
    id: String(chat.id),
    ...(signature ?? title ? { name: signature ?? title } : {}),
    ...(chat.username === undefined ? {} : { username: chat.username }),
  };
}

/** The topic, not the thread of replies that any supergroup has. */
function threadOf({ chat, is_topic_message, message_thread_id }: Message): string | undefined {
  if (is_topic_message === true && message_thread_id !== undefined) {
    return String(message_thread_id);
  }
  return chat.type === "supergroup" && chat.is_forum === true ? GENERAL_TOPIC : undefined;
}

/** `undefined` for what nobody said: somebody joined, something was pinned, a topic was opened. */
function contentOf(message: Message, self: Self): InboundContent | undefined {
  const messageId = String(message.message_id);
  const text = textOf(message);
  const attachments = attachmentsOf(message);
  const location = locationOf(message);
  const command = attachments.length === 0 ? commandOf(message) : undefined;
  if (command?.bot !== undefined) {
    if (command.bot.toLowerCase() !== self.username?.toLowerCase()) return undefined;
    return { kind: "command", messageId, text: command.text };
  }
  if (command !== undefined && message.chat.type === "private") {
    return { kind: "command", messageId, text: command.text };
  }
  if (text === "" && attachments.length === 0 && location === undefined) return undefined;
  const replyTo = replyOf(message, self);
  return {
    kind: "message",
    messageId,
    text,
    attachments,
    mentionsUs: message.chat.type === "private" || isMentioned(message, self),
    ...(replyTo === undefined ? {} : { replyTo }),
    ...(location === undefined ? {} : { location }),
    ...(message.media_group_id === undefined ? {} : { albumId: message.media_group_id }),
  };
}

/** All that a message says in words, links spelled out. */
function textOf(message: Message): string {
  const { text, caption, sticker, contact, poll, dice } = message;
  if (text !== undefined) return withLinks(text, message.entities ?? []);
  if (caption !== undefined) return withLinks(caption, message.caption_entities ?? []);
  if (sticker?.emoji !== undefined) return sticker.emoji;
  if (dice !== undefined) return `${dice.emoji} ${dice.value}`;
  if (contact !== undefined) {
    const { first_name, last_name, phone_number } = contact;
    return [first_name, last_name, phone_number].filter((part) => part !== undefined).join(" ");
  }
  if (poll !== undefined) {
    return [poll.question, ...poll.options.map((option) => `- ${option.text}`)].join("\n");
  }
  return "";
}

/** A link whose address is not what is read becomes one of Markdown's. */
function withLinks(text: string, entities: readonly MessageEntity[]): string {
  let out = "";
  let end = 0;
  for (const entity of entities) {
    if (entity.type !== "text_link" || entity.offset < end) continue;
    const words = text.slice(entity.offset, entity.offset + entity.length);
    out += `${text.slice(end, entity.offset)}[${words}](${entity.url})`;
    end = entity.offset + entity.length;
  }
  return out + text.slice(end);
}

/** A command at the very start, and whose it is. */
function commandOf({ text, entities = [] }: Message): { text: string; bot?: string } | undefined {
  const entity = entities.find(({ type, offset }) => type === "bot_command" && offset === 0);
  if (text === undefined || entity === undefined) return undefined;
  const [name = "", bot] = text.slice(0, entity.length).split("@", 2);
  return { text: name + text.slice(entity.length), ...(bot === undefined ? {} : { bot }) };
}

function isMentioned(message: Message, self: Self): boolean {
  const text = message.text ?? message.caption ?? "";
  const ours = `@${self.username?.toLowerCase()}`;
  return (message.entities ?? message.caption_entities ?? []).some((entity) => {
    if (entity.type === "text_mention") return String(entity.user.id) === self.id;
    if (entity.type !== "mention" && entity.type !== "bot_command") return false;
    const words = text.slice(entity.offset, entity.offset + entity.length).toLowerCase();
    return entity.type === "mention" ? words === ours : words.endsWith(ours);
  });
}

type Reply = Extract<InboundContent, { kind: "message" }>["replyTo"];

function replyOf({ reply_to_message: reply, quote, is_topic_message }: Message, self: Self): Reply {
  if (reply === undefined) return undefined;
  // in a topic whatever answers nothing answers the message that opened it
  if (is_topic_message === true && reply.forum_topic_created !== undefined) return undefined;
  const text = quote?.text ?? textOf(reply);
  const senderName = senderOf(reply)?.name;
  return {
    messageId: String(reply.message_id),
    ...(text === "" ? {} : { text }),
    ...(senderName === undefined ? {} : { senderName }),
    toUs: reply.sender_chat === undefined && String(reply.from?.id) === self.id,
  };
}

function attachmentsOf(message: Message): readonly InboundAttachment[] {
  const { photo, sticker, voice, audio, video, video_note, animation, document } = message;
  const largest = photo?.at(-1);
  if (largest !== undefined) return [attachment("image", largest, { mimeType: "image/jpeg" })];
  if (sticker !== undefined) return [attachment("sticker", sticker, { mimeType: form(sticker) })];
  if (voice !== undefined) return [attachment("voice", voice, { mimeType: voice.mime_type })];
  if (audio !== undefined) return [attachment("audio", audio, described(audio))];
  if (video !== undefined) return [attachment("video", video, described(video))];
  if (video_note !== undefined) {
    return [attachment("video", video_note, { mimeType: "video/mp4" })];
  }
  // an animation comes as a document too, for programs that know no animations
  if (animation !== undefined) return [attachment("video", animation, described(animation))];
  if (document !== undefined) return [attachment("file", document, described(document))];
  return [];
}

function attachment(
  kind: InboundAttachment["kind"],
  { file_id, file_size }: { readonly file_id: string; readonly file_size?: number },
  { name, mimeType }: { readonly name?: string; readonly mimeType?: string },
): InboundAttachment {
  const ref: FileRef = { fileId: file_id };
  return {
    kind,
    ref,
    ...(name === undefined ? {} : { name }),
    ...(mimeType === undefined ? {} : { mimeType }),
    ...(file_size === undefined ? {} : { size: file_size }),
  };
}

function described({ file_name, mime_type }: { file_name?: string; mime_type?: string }) {
  return { name: file_name, mimeType: mime_type };
}

function form({ is_animated, is_video }: NonNullable<Message["sticker"]>): string {
  if (is_animated) return "application/x-tgsticker";
  return is_video ? "video/webm" : "image/webp";
}

function locationOf({ venue, location }: Message): GeoPoint | undefined {
  if (venue !== undefined) {
    const { location: { latitude, longitude }, title: name, address } = venue;
    return { latitude, longitude, name, address };
  }
  return location && { latitude: location.latitude, longitude: location.longitude };
}

// What is relied on, checked, since anybody can stand in for Telegram's server. Everything else that
// is wrong with an update ends in a TypeError, or in words that make no sense.

const ChatShape = Type.Object({
  id: Type.Integer(),
  type: Type.Union([
    Type.Literal("private"),
    Type.Literal("group"),
    Type.Literal("supergroup"),
    Type.Literal("channel"),
  ]),
  title: Type.Optional(Type.String()),
  first_name: Type.Optional(Type.String()),
});

const UserShape = Type.Object({
  id: Type.Integer(),
  first_name: Type.String(),
  username: Type.Optional(Type.String()),
});

const EntitiesShape = Type.Optional(Type.Array(Type.Object({
  type: Type.String(),
  offset: Type.Integer(),
  length: Type.Integer(),
})));

function fileShape(fields: Record<string, TSchema> = {}) {
  return Type.Optional(Type.Object({
    file_id: Type.String(),
    file_size: Type.Optional(Type.Integer()),
    mime_type: Type.Optional(Type.String()),
    file_name: Type.Optional(Type.String()),
    ...fields,
  }));
}

const MessageShape = Type.Object({
  message_id: Type.Integer(),
  message_thread_id: Type.Optional(Type.Integer()),
  date: Type.Integer(),
  edit_date: Type.Optional(Type.Integer()),
  chat: ChatShape,
  from: Type.Optional(UserShape),
  sender_chat: Type.Optional(ChatShape),
  text: Type.Optional(Type.String()),
  caption: Type.Optional(Type.String()),
  entities: EntitiesShape,
  caption_entities: EntitiesShape,
  media_group_id: Type.Optional(Type.String()),
  migrate_to_chat_id: Type.Optional(Type.Integer()),
  photo: Type.Optional(Type.Array(Type.Object({ file_id: Type.String() }))),
  sticker: fileShape({ emoji: Type.Optional(Type.String()) }),
  voice: fileShape(),
  audio: fileShape(),
  video: fileShape(),
  video_note: fileShape(),
  animation: fileShape(),
  document: fileShape(),
  location: Type.Optional(Type.Object({ latitude: Type.Number(), longitude: Type.Number() })),
});

const ReactionShape = Type.Array(Type.Object({ type: Type.String() }));

const SHAPE = TypeCompiler.Compile(Type.Object({
  update_id: Type.Integer(),
  message: Type.Optional(MessageShape),
  edited_message: Type.Optional(MessageShape),
  channel_post: Type.Optional(MessageShape),
  edited_channel_post: Type.Optional(MessageShape),
  callback_query: Type.Optional(Type.Object({
    id: Type.String(),
    from: UserShape,
    data: Type.Optional(Type.String()),
    message: Type.Optional(Type.Object({
      message_id: Type.Integer(),
      date: Type.Integer(),
      chat: ChatShape,
    })),
  })),
  message_reaction: Type.Optional(Type.Object({
    chat: ChatShape,
    message_id: Type.Integer(),
    date: Type.Integer(),
    user: Type.Optional(UserShape),
    actor_chat: Type.Optional(ChatShape),
    old_reaction: ReactionShape,
    new_reaction: ReactionShape,
  })),
}));
