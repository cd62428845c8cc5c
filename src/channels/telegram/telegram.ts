/** Telegram: one bot. */
import { isAbsolute, relative } from "node:path";
import { Check } from "@sinclair/typebox/value";
import {
  type Capabilities,
  type Channel,
  ChannelError,
  type ChannelOptions,
  type Deletes,
  type Downloads,
  type Edits,
  type Inbox,
  type MenuCommand,
  type MessageRef,
  type Network,
  type Polls,
  type Probe,
  type Reactions,
  type Self,
  type Targets,
  type Typing,
  type Webhook,
} from "../../channel.ts";
import type { InboundAttachment, OutboundMessage, Place, Receipt } from "../../message.ts";
import { checkedSettings } from "../settings.ts";
import { type BotApi, type BotSignal, CallError, Client } from "./client.ts";
import { TelegramSettings } from "./config.ts";
import { FileRef, placeOf } from "./convert.ts";
import { measure, toFormatted } from "./entities.ts";
import { bytesOf, reactions, sendTo } from "./outbound.ts";
import {
  beCalled,
  chatNow,
  PACE,
  type Pace,
  poll,
  type Reception,
  rememberMigration,
  respond,
} from "./updates.ts";

/** The network, for the registry. */
export const network: Network = {
  id: "telegram",
  label: "Telegram",
  schema: TelegramSettings,
  secrets: [
    {
      key: "botToken",
      fileKey: "tokenFile",
      env: "TELEGRAM_BOT_TOKEN",
      question: "The bot's token (send /newbot to @BotFather in Telegram to get one)",
      isRequired: true,
    },
    {
      key: "webhookSecret",
      env: "TELEGRAM_WEBHOOK_SECRET",
      question: "A secret for the webhook, of letters, digits, _ and -",
      isRequired: false,
    },
  ],
  nextSteps: "Write to the bot in Telegram; it answers with a code for `openclaw pairing approve " +
    "telegram <code>`. For groups: add the bot, allow the group in `channels.telegram.groups`, and " +
    "send /setprivacy to @BotFather if it should read what is not addressed to it.",
  create: (options) => new TelegramChannel(options),
};

const MIB = 1024 * 1024;
/** What carries a file may take so long, whatever `timeoutSeconds` says. */
const UPLOAD_MS = 8 * 60 * 1000;
const MAX_COMMANDS = 100;
/** Why a file can only be sent as such: a picture that is too long, a voice to who wants none. */
const UNSHOWABLE = ["PHOTO_", "IMAGE_PROCESS_FAILED", "VOICE_MESSAGES_FORBIDDEN"];

/** One account: one bot. */
export class TelegramChannel
  implements Channel, Downloads, Edits, Deletes, Typing, Reactions, Polls, Probe, Targets, Webhook {
  readonly id = "telegram";
  readonly accountId: string;
  readonly capabilities: Capabilities;
  readonly hasPolls = true;
  readonly #options: ChannelOptions;
  readonly #settings: TelegramSettings;
  readonly #pace: Pace;
  readonly #client: Client;
  /** Who we are, once Telegram has said so. */
  #self: Self | undefined;

  /** Throws for settings that the schema does not allow. */
  constructor(options: ChannelOptions, pace: Pace = PACE) {
    this.#options = options;
    this.#settings = checkedSettings(options.settings, {
      schema: TelegramSettings,
      label: network.label,
    });
    this.#pace = pace;
    this.accountId = options.accountId;
    const { botToken = "", apiRoot, proxy, timeoutSeconds } = this.#settings;
    this.#client = new Client(botToken.trim(), {
      apiRoot,
      proxy,
      ...(timeoutSeconds === undefined ? {} : { timeoutMs: timeoutSeconds * 1000 }),
    });
    this.capabilities = {
      textLimit: 4096,
      captionLimit: 1024,
      measure,
      // a server of one's own takes more, or says itself that it is too much
      maxUploadBytes: (apiRoot === undefined ? 50 : 2000) * MIB,
      idempotentForMs: 0,
      silentAfterMs: pace.pollSeconds * 1000 + 2 * pace.grace,
      editEveryMs: 1000,
    };
  }

  async run(inbox: Inbox, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    inbox.status({ kind: "connecting" });
    const { botToken, webhookUrl: url, webhookSecret: secret } = this.#settings;
    if (!botToken) throw new ChannelError("config", "there is no 'botToken'");
    if (url !== undefined && secret === undefined) {
      throw new ChannelError("config", "a webhook needs a 'webhookSecret'");
    }
    try {
      this.#self = await this.#whoAmI(signal);
      this.#forgetOthers(this.#self);
      await this.#offerCommands(signal);
      const reception = this.#reception(this.#self, inbox);
      if (url === undefined || secret === undefined) await poll(reception, signal);
      else await beCalled(reception, { url, secret, signal });
    } catch (error) {
      if (!signal.aborted) throw asChannelError(error);
    }
  }

  async respond(request: Request, inbox: Inbox): Promise<Response> {
    const to = this.#self && this.#reception(this.#self, inbox);
    return await respond(request, to, this.#settings.webhookSecret);
  }

  async send(message: OutboundMessage, signal: AbortSignal): Promise<Receipt> {
    const { chatId } = message.place;
    let again: OutboundMessage | undefined;
    try {
      return await this.#post(message, this.#chatNow(chatId), signal);
    } catch (error) {
      again = this.#afterRefusal(message, error);
      if (again === undefined) return asReceipt(error);
    }
    try {
      return await this.#post(again, this.#chatNow(chatId), signal);
    } catch (error) {
      return asReceipt(error);
    }
  }

  async edit(target: MessageRef, text: string, signal: AbortSignal): Promise<Receipt> {
    const { text: plain, entities: readonly } = toFormatted(text);
    const entities = [...readonly];
    const message = this.#messageArgs(target);
    return await this.#change(target, async () => {
      try {
        await this.#ask(
          (api, abort) =>
            api.editMessageText(
              { ...message, text: plain, entities, ...this.#previewArgs() },
              abort,
            ),
          signal,
        );
      } catch (error) {
        if (isRefused(error, "message is not modified")) return;
        if (!isRefused(error, "there is no text in the message")) throw error;
        await this.#ask(
          (api, abort) =>
            api.editMessageCaption(
              { ...message, caption: plain, caption_entities: entities },
              abort,
            ),
          signal,
        );
      }
    });
  }

  async delete(target: MessageRef, signal: AbortSignal): Promise<Receipt> {
    const message = this.#messageArgs(target);
    return await this.#change(
      target,
      () => this.#ask((api, abort) => api.deleteMessage(message, abort), signal),
    );
  }

  async react(target: MessageRef, emoji: string, signal: AbortSignal): Promise<Receipt> {
    const args = { ...this.#messageArgs(target), reaction: reactions(emoji) };
    return await this.#change(
      target,
      () => this.#ask((api, abort) => api.setMessageReaction(args, abort), signal),
    );
  }

  async typing({ chatId, threadId }: Place, signal: AbortSignal): Promise<void> {
    // General is named here, unlike for messages
    const thread = threadId === undefined ? {} : { message_thread_id: Number(threadId) };
    const args = { chat_id: this.#chatNow(chatId), action: "typing", ...thread } as const;
    await this.#orChannelError(() =>
      this.#ask((api, abort) => api.sendChatAction(args, abort), signal)
    );
  }

  async probe(signal: AbortSignal): Promise<Self> {
    return await this.#orChannelError(() => this.#whoAmI(signal));
  }

  async download(
    { ref }: InboundAttachment,
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array>> {
    if (!Check(FileRef, ref)) {
      throw new Error("Cannot download it: it is no file of Telegram's");
    }
    return await this.#orChannelError(async () => {
      const { file_path: path } = await this.#ask(
        (api, abort) => api.getFile({ file_id: ref.fileId }, abort),
        signal,
      );
      if (path === undefined) throw new CallError("refused", "Telegram has the file no more");
      return isAbsolute(path)
        ? await openTrusted(path, this.#settings.trustedLocalFileRoots ?? [])
        : await this.#client.download(path, signal);
    });
  }

  /** Accepts `42`, `-100123`, `@name`, a `t.me` address, and `:topic:<n>` after each of them. */
  async resolve(target: string, signal: AbortSignal): Promise<Place> {
    const { chat, threadId } = parseTarget(target);
    const thread = threadId === undefined ? {} : { threadId };
    if (/^\d+$/.test(chat)) {
      return {
        channel: this.id,
        accountId: this.accountId,
        kind: "direct",
        chatId: chat,
        ...thread,
      };
    }
    try {
      const found = await this.#ask((api, abort) => api.getChat({ chat_id: chat }, abort), signal);
      return placeOf(found, this.accountId, threadId);
    } catch (error) {
      if (!isRefused(error)) throw asChannelError(error);
      throw new Error(
        `Cannot find '${target}' in Telegram: give the numeric id of a person who has written to ` +
          "the bot, or the id or the public @name of a group or channel that it is in",
      );
    }
  }

  /** What may be sent instead of a message that Telegram has refused, if anything. */
  #afterRefusal(message: OutboundMessage, error: unknown): OutboundMessage | undefined {
    const { place: { chatId }, attachment } = message;
    if (error instanceof CallError && error.migratedTo !== undefined) {
      // it was refused for being sent to where nobody is any more
      rememberMigration({ from: chatId, to: error.migratedTo }, this.#options);
      return message;
    }
    if (attachment === undefined || attachment.kind === "file") return undefined;
    return UNSHOWABLE.some((why) => isRefused(error, why))
      ? { ...message, attachment: { ...attachment, kind: "file" } }
      : undefined;
  }

  async #post(message: OutboundMessage, chatId: string, signal: AbortSignal): Promise<Receipt> {
    const { linkPreview } = this.#settings;
    const { threadId } = message.place;
    if (threadId !== undefined && !/^\d+$/.test(threadId)) {
      // sent as a number it would be none, and the message would go to all of the chat
      throw new CallError("refused", `There is no topic '${threadId}': topics are numbers`);
    }
    using file = message.attachment && await openToSend(message.attachment.path);
    const sent = await this.#client.ask(
      (api, abort) => {
        const bytes = file === undefined ? {} : { file: bytesOf(file) };
        return sendTo(api, message, { chatId, linkPreview, signal: abort, ...bytes });
      },
      { signal, ...(file === undefined ? {} : { timeoutMs: UPLOAD_MS }) },
    );
    if (!Number.isSafeInteger(sent?.message_id)) {
      throw new CallError("lost", "the answer names no message");
    }
    return { sent: true, messageIds: [String(sent.message_id)] };
  }

  /** Does something to a message of ours. */
  async #change({ messageId }: MessageRef, call: () => Promise<unknown>): Promise<Receipt> {
    try {
      await call();
      return { sent: true, messageIds: [messageId] };
    } catch (error) {
      return asReceipt(error);
    }
  }

  async #whoAmI(signal: AbortSignal): Promise<Self> {
    const me = await this.#ask((api, abort) => api.getMe(abort), signal);
    if (!Number.isSafeInteger(me?.id)) throw new CallError("lost", "the answer names no bot");
    return { id: String(me.id), name: me.first_name, username: me.username };
  }

  /** With another token we are another bot: it has other news to tell, and no menu yet. */
  #forgetOthers({ id }: Self): void {
    const { values } = this.#options;
    const before = values.get("bot");
    if (before === id) return;
    if (before !== undefined) {
      values.delete("offset");
      values.delete("menu");
    }
    values.set("bot", id);
  }

  /** Once, and again when they change: Telegram keeps them. It all works without a menu. */
  async #offerCommands(signal: AbortSignal): Promise<void> {
    const { values, log, commands: native = [] } = this.#options;
    const { customCommands = [], commands: { native: isNative } = {} } = this.#settings;
    const commands = menuOf(isNative === false ? [] : native, customCommands);
    const menu = JSON.stringify(commands);
    if ((values.get("menu") ?? "[]") === menu) return;
    try {
      await this.#ask((api, abort) => api.setMyCommands({ commands }, abort), signal);
      values.set("menu", menu);
    } catch (error) {
      if (!isRefused(error)) throw error;
      log.warn("Telegram refuses the menu of commands", { cause: error });
    }
  }

  #ask<T>(
    call: (api: BotApi, signal: BotSignal) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    return this.#client.ask(call, { signal });
  }

  async #orChannelError<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw asChannelError(error);
    }
  }

  #reception(self: Self, inbox: Inbox): Reception {
    const { values, log } = this.#options;
    const { allowedUpdates } = this.#settings;
    return {
      client: this.#client,
      accountId: this.accountId,
      self,
      inbox,
      values,
      log,
      allowedUpdates,
      pace: this.#pace,
    };
  }

  #chatNow(chatId: string): string {
    return chatNow(chatId, this.#options.values);
  }

  #messageArgs({ place, messageId }: MessageRef) {
    return { chat_id: this.#chatNow(place.chatId), message_id: Number(messageId) };
  }

  #previewArgs() {
    const isDisabled = this.#settings.linkPreview === false;
    return isDisabled ? { link_preview_options: { is_disabled: true } } : {};
  }
}

function isRefused(error: unknown, why = ""): boolean {
  return error instanceof CallError && error.fault === "refused" && error.message.includes(why);
}

/** What a failed call means for a message that was to be sent. */
function asReceipt(error: unknown): Receipt {
  if (!(error instanceof CallError)) throw error;
  const { fault, message: detail, retryAfterMs } = error;
  switch (fault) {
    case "auth":
      return { sent: false, reason: "auth", detail };
    case "rate_limited":
      return {
        sent: false,
        reason: "rate_limited",
        detail,
        ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      };
    case "unsent":
      return { sent: false, reason: "network", detail };
    case "lost":
      return { sent: false, reason: "unknown", detail };
    case "refused":
    case "conflict":
      return { sent: false, reason: "rejected", detail };
  }
}

/** What a failed call means for the connection. */
function asChannelError(error: unknown): unknown {
  if (!(error instanceof CallError)) return error;
  const { fault, message, retryAfterMs } = error;
  switch (fault) {
    case "auth":
      return new ChannelError("auth", `Telegram does not know the bot's token: ${message}`);
    case "conflict":
      return new ChannelError(
        "kicked",
        "another program uses the same bot: stop it, or get a new token from @BotFather " +
          `(${message})`,
      );
    case "refused":
      return new ChannelError("config", `Telegram refuses: ${message}`);
    case "rate_limited":
    case "unsent":
    case "lost":
      return new ChannelError("network", `Cannot reach Telegram: ${message}`, { retryAfterMs });
  }
}

/** The menu: lower case and short descriptions are all that Telegram takes. */
function menuOf(
  native: readonly MenuCommand[],
  custom: NonNullable<TelegramSettings["customCommands"]>,
): { command: string; description: string }[] {
  const entries = [
    ...native.map(({ name, description }) => ({ command: name, description })),
    ...custom.map(({ command, description }) => ({
      command: command.replace(/^\//, "").toLowerCase(),
      description,
    })),
  ];
  const byName = new Map(entries.map((entry) => [entry.command, entry]));
  return [...byName.values()]
    .filter(({ command, description }) =>
      /^[a-z0-9_]{1,32}$/.test(command) && description.trim() !== ""
    )
    .map(({ command, description }) => ({ command, description: description.slice(0, 256) }))
    .slice(0, MAX_COMMANDS);
}

/** Somebody's words for a chat. */
function parseTarget(target: string): { chat: string; threadId?: string } {
  const bare = target.trim().replace(/^(?:telegram|tg|user|group|channel|chat):/i, "")
    .replace(/^(?:https?:\/\/)?t\.me\//i, "@");
  const [, chat = bare, threadId] = /^(.*?)(?::topic)?:(\d+)$/.exec(bare) ?? [];
  const named = /^[a-z]\w{3,}$/i.test(chat) ? `@${chat}` : chat;
  return { chat: named, ...(threadId === undefined ? {} : { threadId }) };
}

async function openToSend(path: string): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path);
  } catch (error) {
    const why = error instanceof Deno.errors.NotFound ? "it is not there" : "it can't be read";
    throw new CallError("refused", `Cannot open '${path}': ${why}`);
  }
}

/** A server of one's own on this machine says where files lie. It is not trusted to name any. */
async function openTrusted(
  path: string,
  roots: readonly string[],
): Promise<ReadableStream<Uint8Array>> {
  for (const root of roots) {
    const [real, within] = await Promise.all([Deno.realPath(path), Deno.realPath(root)]);
    const inside = relative(within, real);
    const isInside = inside !== "" && !inside.startsWith("..") && !isAbsolute(inside);
    if (isInside) return (await Deno.open(real)).readable;
  }
  throw new ChannelError(
    "config",
    "the Bot API server names a file of this machine that is not in 'trustedLocalFileRoots'",
  );
}
