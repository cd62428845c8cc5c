/** What we have to say as calls of the Bot API. */
import { InputFile } from "grammy/web";
import type { InlineKeyboardMarkup, Message, ReactionType, ReactionTypeEmoji } from "grammy/types";
import type { OutboundAttachment, OutboundMessage, Place } from "../../message.ts";
import type { BotApi, BotSignal } from "./client.ts";
import { GENERAL_TOPIC } from "./convert.ts";
import { toFormatted } from "./entities.ts";

/** Which of the Bot API's methods shows a file as what it is. */
export type FileMethod =
  | "sendPhoto"
  | "sendAnimation"
  | "sendVideo"
  | "sendAudio"
  | "sendVoice"
  | "sendSticker"
  | "sendDocument";

const MAX_PHOTO_BYTES = 10 * 1024 * 1024;

/** What Telegram can't show as what it is, goes as a file. */
export function fileMethod({ kind, mimeType, size }: OutboundAttachment): FileMethod {
  const type = mimeType.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  if (kind === "file") return "sendDocument";
  if (kind === "sticker" && STICKERS.has(type)) return "sendSticker";
  if (kind === "voice" && VOICES.has(type)) return "sendVoice";
  if ((kind === "audio" || kind === "voice") && AUDIO.has(type)) return "sendAudio";
  if (kind === "video" && type === "video/mp4") return "sendVideo";
  if (type === "image/gif") return "sendAnimation";
  if (PHOTOS.has(type) && size <= MAX_PHOTO_BYTES) return "sendPhoto";
  return "sendDocument";
}

const PHOTOS: ReadonlySet<string> = new Set(["image/jpeg", "image/png", "image/webp"]);
const STICKERS: ReadonlySet<string> = new Set([
  "image/webp",
  "video/webm",
  "application/x-tgsticker",
]);
const VOICES: ReadonlySet<string> = new Set(["audio/ogg", "audio/mpeg", "audio/mp4"]);
const AUDIO: ReadonlySet<string> = new Set(["audio/mpeg", "audio/mp4"]);

/** Telegram's limit of a poll's life, in seconds. */
const POLL_SECONDS = { min: 5, max: 2_628_000 };

/** Sends a message: one call. `file` has the attachment's bytes. */
export function sendTo(
  api: BotApi,
  message: OutboundMessage,
  { chatId, file, linkPreview, signal }: {
    /** Where the chat is now. */
    chatId: string;
    file?: AsyncIterable<Uint8Array>;
    linkPreview?: boolean;
    signal: BotSignal;
  },
): Promise<Message> {
  const { poll, attachment } = message;
  const { text, entities } = toFormatted(message.text);
  const common = {
    chat_id: chatId,
    ...threadArgs(message.place),
    ...replyArgs(message.replyTo),
    ...(message.isSilent === true ? { disable_notification: true } : {}),
    ...(message.buttons === undefined ? {} : { reply_markup: keyboard(message.buttons) }),
  };
  if (poll !== undefined) {
    const { question, options, maxSelections = 1, durationSeconds, isAnonymous } = poll;
    return api.sendPoll({
      ...common,
      question,
      options: options.map((option) => ({ text: option })),
      allows_multiple_answers: maxSelections > 1,
      ...(isAnonymous === undefined ? {} : { is_anonymous: isAnonymous }),
      ...(durationSeconds === undefined ? {} : {
        open_period: Math.min(Math.max(durationSeconds, POLL_SECONDS.min), POLL_SECONDS.max),
      }),
      ...(text === "" ? {} : { description: text, description_entities: [...entities] }),
    }, signal);
  }
  if (attachment !== undefined && file !== undefined) {
    const input = new InputFile(file, quoted(attachment.name));
    const args = {
      ...common,
      ...(text === "" ? {} : { caption: text, caption_entities: [...entities] }),
    };
    switch (fileMethod(attachment)) {
      case "sendPhoto":
        return api.sendPhoto({ ...args, photo: input }, signal);
      case "sendAnimation":
        return api.sendAnimation({ ...args, animation: input }, signal);
      case "sendVideo":
        return api.sendVideo({ ...args, video: input, supports_streaming: true }, signal);
      case "sendAudio":
        return api.sendAudio({ ...args, audio: input }, signal);
      case "sendVoice":
        return api.sendVoice({ ...args, voice: input }, signal);
      case "sendSticker":
        return api.sendSticker({ ...common, sticker: input }, signal);
      case "sendDocument":
        return api.sendDocument({ ...args, document: input }, signal);
    }
  }
  return api.sendMessage({
    ...common,
    text,
    entities: [...entities],
    ...(linkPreview === false ? { link_preview_options: { is_disabled: true } } : {}),
  }, signal);
}

/** General takes no messages under its own number, only those without one. */
function threadArgs({ kind, threadId }: Place): { message_thread_id?: number } {
  if (threadId === undefined || (kind !== "direct" && threadId === GENERAL_TOPIC)) return {};
  return { message_thread_id: Number(threadId) };
}

/** The reaction that an emoji names; none for an empty one. */
export function reactions(emoji: string): ReactionType[] {
  const [, custom] = /^custom:(\d+)$/.exec(emoji) ?? [];
  if (emoji === "") return [];
  if (custom !== undefined) return [{ type: "custom_emoji", custom_emoji_id: custom }];
  // Telegram writes its emoji without the selector for colour, and says itself which ones it takes
  const known = emoji.replaceAll("\ufe0f", "") as ReactionTypeEmoji["emoji"];
  return [{ type: "emoji", emoji: known }];
}

/** An answer to what is deleted by now is still worth saying. */
function replyArgs(messageId: string | undefined) {
  const id = Number(messageId);
  if (!Number.isSafeInteger(id) || id <= 0) return {}; // a button's or a reaction's, perhaps
  return { reply_parameters: { message_id: id, allow_sending_without_reply: true } };
}

function keyboard(rows: NonNullable<OutboundMessage["buttons"]>): InlineKeyboardMarkup {
  return {
    inline_keyboard: rows.map((row) =>
      row.map(({ text, value }) => ({ text, callback_data: value }))
    ),
  };
}

/** grammY writes the name as it is, and nothing but letters survives that without quotes. */
function quoted(name: string): string {
  // deno-lint-ignore no-control-regex
  return `"${name.replaceAll(/[\0-\x1f"\\/]/g, "_")}"`;
}

// so small that the garbage collector keeps up, and memory does not grow with the file
const CHUNK_BYTES = 16 * 1024;

/** What is in a file, piece by piece. Whoever opened it closes it. */
export async function* bytesOf(file: Deno.FsFile): AsyncGenerator<Uint8Array> {
  for (;;) {
    const buffer = new Uint8Array(CHUNK_BYTES); // a new one, since grammY still has the last
    const size = await file.read(buffer);
    if (size === null) return;
    yield buffer.subarray(0, size);
  }
}
