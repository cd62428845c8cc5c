/**
 * Telegram's Bot API on loopback, for one bot: long polling and webhooks, messages, media, files,
 * with the refusals that the real server words, and with faults on demand. Also a program of its
 * own: `deno run -A tests/fakes/telegram.ts [--port 0] [--token 1:x]` prints where it listens and
 * where it takes orders.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { Line, type LineFault } from "./line.ts";
import { type FormPart, readForm } from "./multipart.ts";
import { acceptText, type Entity, TextError } from "./telegram_text.ts";

export interface FakeTelegramOptions {
  /** 0 for any that is free. */
  readonly port?: number;
  readonly token?: string;
  readonly username?: string;
  /** Larger files are not given out: 20 MB, as in the cloud; more on a self-hosted server. */
  readonly maxDownloadBytes?: number;
  readonly maxUploadBytes?: number;
}

type Json = Readonly<Record<string, unknown>>;

/** A chat that exists; those of two come into being when somebody speaks. */
export interface FakeChat {
  readonly id: number;
  readonly type: "private" | "group" | "supergroup" | "channel";
  readonly title?: string;
  readonly username?: string;
  readonly first_name?: string;
  readonly is_forum?: boolean;
  /** Topics of a forum, beside General. */
  readonly topics?: readonly number[];
  /** The person blocked the bot, or the bot was removed. */
  readonly isClosed?: boolean;
  /** The group became a supergroup of this id. */
  readonly migratedTo?: number;
}

/** What happened, in order. Times are epoch milliseconds with fractions. */
export type JournalEntry =
  & { readonly at: number }
  & (
    | {
      readonly kind: "queued" | "handed" | "acknowledged";
      readonly updateId: number;
      readonly chatId?: number;
      readonly messageId?: number;
    }
    | { readonly kind: "called"; readonly method: string; readonly args: Json }
    | { readonly kind: "sent"; readonly method: string; readonly message: FakeMessage }
    | { readonly kind: "edited"; readonly message: FakeMessage }
  );

/** A message of the bot, as it appeared. */
export interface FakeMessage {
  readonly message_id: number;
  readonly chat: FakeChat;
  readonly date: number;
  readonly text?: string;
  readonly caption?: string;
  readonly entities?: readonly Entity[];
  readonly [field: string]: unknown;
}

/** How a call is answered instead of properly. All but `error` let it happen first. */
export type Fault =
  | {
    readonly kind: "error";
    readonly code: number;
    readonly description: string;
    readonly parameters?: Json;
  }
  /** The proxy before the server gives up. */
  | { readonly kind: "bad gateway" }
  /** Half of an answer, then the connection breaks. */
  | { readonly kind: "half" }
  /** An answer that is no JSON, or none that makes sense. */
  | { readonly kind: "nonsense"; readonly body: string }
  /** No answer before the fault is mended. */
  | { readonly kind: "stall" };

/** Starts it on a free port of loopback, unless `port` says which. */
export function startFakeTelegram(options: FakeTelegramOptions = {}): FakeTelegram {
  return new FakeTelegram(options);
}

/** The server, Telegram's side of every chat, and the people in them. */
export class FakeTelegram implements AsyncDisposable {
  /** For `apiRoot`. */
  readonly url: string;
  readonly token: string;
  readonly me: Readonly<{ id: number; is_bot: true; first_name: string; username: string }>;
  readonly journal: JournalEntry[] = [];
  readonly chats = new Map<number, FakeChat>();
  /** What the bot's menu offers. */
  commands: readonly Json[] = [];
  readonly line: Line;
  readonly #options: FakeTelegramOptions;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #files = new Map<string, FakeFile>();
  readonly #messages = new Map<string, FakeMessage>();
  readonly #faults = new Map<string, { fault: Fault; times: number }>();
  readonly #deliveries = new Set<Promise<void>>();
  #queue: Json[] = [];
  #past: Json[] = [];
  #allowed: ReadonlySet<string> | undefined;
  #webhook: { url: string; secret?: string; error?: string } | undefined;
  #poll: PromiseWithResolvers<"news" | "conflict" | "webhook" | "end"> | undefined;
  #changed = Promise.withResolvers<void>();
  #mended = Promise.withResolvers<void>();
  #nextUpdate = 700_000_001;
  #nextMessage = 1;
  #isRevoked = false;
  #isDelivering = false;
  #ended = false;

  constructor(options: FakeTelegramOptions) {
    this.#options = options;
    this.token = options.token ?? "700700:AAFakeFakeFakeFakeFakeFakeFakeFake_x";
    const username = options.username ?? "fake_bot";
    this.me = {
      id: Number.parseInt(this.token),
      is_bot: true,
      first_name: "Fake",
      username,
    };
    this.#server = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen() {} },
      (request) => this.#serve(request),
    );
    this.line = new Line(this.#server.addr.port, options.port ?? 0);
    this.url = `http://127.0.0.1:${this.line.port}`;
  }

  /** Where orders are taken, whatever state the line is in. */
  get controlUrl(): string {
    return `http://127.0.0.1:${this.#server.addr.port}/control`;
  }

  // What people do.

  /** Somebody writes; `chat` is the one with them alone unless told. More fields as the API has them. */
  say(text: string, { chat, from = ANNA, ...fields }: {
    readonly chat?: number;
    readonly from?: Json & { readonly id: number };
    readonly [field: string]: unknown;
  } = {}): { updateId: number; messageId: number } {
    const where = this.chats.get(chat ?? from.id) ?? privateChat(from);
    this.chats.set(where.id, where);
    const messageId = this.#nextMessage++;
    const message = {
      message_id: messageId,
      from,
      chat: shown(where),
      date: Math.floor(Date.now() / 1000),
      ...(text === "" ? {} : { text }),
      ...fields,
    };
    const kind = where.type === "channel" ? "channel_post" : "message";
    return { updateId: this.push({ [kind]: message }), messageId };
  }

  /** Somebody presses a button below a message of the bot. */
  press(chat: number, messageId: number, data: string, from: Json = ANNA): number {
    const message = this.#messages.get(`${chat}/${messageId}`);
    return this.push({
      callback_query: {
        id: String(4_000_000_000 + this.#nextUpdate),
        from,
        chat_instance: "1",
        data,
        message: message ?? { chat: this.chats.get(chat), message_id: messageId, date: 0 },
      },
    });
  }

  /** Queues an update as it is, unless the bot did not ask for its kind. Returns its id. */
  push(update: Json): number {
    const updateId = this.#nextUpdate++;
    const [kind = ""] = Object.keys(update);
    if (this.#allowed === undefined ? OPT_IN.has(kind) : !this.#allowed.has(kind)) return updateId;
    this.#queue.push({ update_id: updateId, ...update });
    this.#note({ kind: "queued", ...named({ update_id: updateId, ...update }) });
    this.#poll?.resolve("news");
    this.#track(this.#callWebhook());
    return updateId;
  }

  /** Hands over once more what was handed over, under the same ids. */
  redeliver(): void {
    this.#queue = [...this.#past, ...this.#queue];
    this.#past = [];
    this.#poll?.resolve("news");
    this.#track(this.#callWebhook());
  }

  /** What waits is handed over in the opposite order. */
  reorder(): void {
    this.#queue.reverse();
  }

  addChat(chat: FakeChat): void {
    this.chats.set(chat.id, chat);
  }

  /** A file that lies with Telegram; one of `size` bytes is made up while it is read. */
  addFile(fileId: string, file: FakeFile): void {
    this.#files.set(fileId, file);
  }

  // What the network does.

  /** A call of this method, or any (`*`), fails so, `times` times or until `mend`. */
  fail(method: string, fault: Fault, times = Infinity): void {
    this.#faults.set(method.toLowerCase(), { fault, times });
  }

  /** The owner revoked the token. */
  revoke(): void {
    this.#isRevoked = true;
    this.#poll?.resolve("end");
  }

  /** All of it works again. */
  mend(): void {
    this.#faults.clear();
    this.#isRevoked = false;
    this.line.set(undefined);
    this.#mended.resolve();
    this.#mended = Promise.withResolvers();
  }

  // What is seen.

  /** Messages of the bot in the order in which they appeared. */
  get sent(): readonly FakeMessage[] {
    return this.journal.flatMap((entry) => entry.kind === "sent" ? [entry.message] : []);
  }

  /** Those in a chat that are there, as they are now. */
  shown(chat: number): readonly FakeMessage[] {
    return [...this.#messages.values()].filter((message) => message.chat.id === chat);
  }

  /** Calls of a method, answered or not. */
  calls(method: string): readonly Json[] {
    return this.journal.flatMap((entry) =>
      entry.kind === "called" && entry.method === method ? [entry.args] : []
    );
  }

  isAcknowledged(updateId: number): boolean {
    return this.journal.some((entry) =>
      entry.kind === "acknowledged" && entry.updateId === updateId
    );
  }

  /** Resolves with the first thing that `find` makes of the state of things; asked after each change. */
  async until<T>(find: () => T | undefined | false): Promise<T> {
    for (;;) {
      const found = find();
      if (found !== undefined && found !== false) return found;
      if (this.#ended) throw new Error("the fake has ended");
      await this.#changed.promise;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true;
    this.#poll?.resolve("end");
    this.#mended.resolve();
    this.#changed.resolve();
    await this.line[Symbol.asyncDispose]();
    await this.#server.shutdown();
    await Promise.all(this.#deliveries);
  }

  // The server.

  async #serve(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith("/control")) return await this.#control(request);
    const file = /^\/file\/bot([^/]+)\/(.+)$/.exec(pathname);
    if (file !== null) return this.#download(file[1]!, decodeURIComponent(file[2]!));
    const call = /^\/bot([^/]+)\/(\w+)$/.exec(pathname);
    if (call === null || !/^\d+:/.test(call[1]!)) return refusal(404, "Not Found");
    const [, token, name] = call;
    let args: Args;
    try {
      args = await readArgs(request);
    } catch {
      return refusal(400, "Bad Request: can't parse request"); // it broke off
    }
    const method = METHODS.find((known) => known.toLowerCase() === name!.toLowerCase());
    this.#note({ kind: "called", method: method ?? name!, args: args.plain() });
    if (token !== this.token || this.#isRevoked) return refusal(401, "Unauthorized");
    const fault = this.#takeFault(name!.toLowerCase());
    if (fault?.kind === "error") return refusal(fault.code, fault.description, fault.parameters);
    const answer = await this.#answer(method, args);
    if (fault?.kind === "stall") await this.#mended.promise;
    return fault === undefined ? answer : spoil(fault, answer, this.line);
  }

  #takeFault(method: string): Fault | undefined {
    for (const key of [method, "*"]) {
      const found = this.#faults.get(key);
      if (found === undefined) continue;
      if (--found.times <= 0) this.#faults.delete(key);
      return found.fault;
    }
    return undefined;
  }

  async #answer(method: string | undefined, args: Args): Promise<Response> {
    if (method === undefined) return refusal(404, "Not Found: method not found");
    try {
      const result = method === "getUpdates"
        ? await this.#getUpdates(args)
        : this.#call(method, args);
      return Response.json({ ok: true, result });
    } catch (error) {
      if (error instanceof TextError) return refusal(400, `Bad Request: ${error.message}`);
      if (error instanceof ApiError) return refusal(error.code, error.message, error.parameters);
      throw error;
    }
  }

  async #getUpdates(args: Args): Promise<readonly Json[]> {
    if (this.#webhook !== undefined) {
      throw new ApiError(
        409,
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to " +
          "delete the webhook first",
      );
    }
    const offset = args.integer("offset") ?? 0;
    const limit = args.integer("limit") ?? 100;
    const timeout = Math.min(args.integer("timeout") ?? 0, 50);
    this.#allow(args);
    this.#acknowledge((update) => Number(update.update_id) < offset);
    if (this.#queue.length === 0 && timeout > 0) {
      this.#poll?.resolve("conflict");
      const poll = Promise.withResolvers<"news" | "conflict" | "webhook" | "end">();
      this.#poll = poll;
      const timer = setTimeout(() => poll.resolve("news"), timeout * 1000);
      const outcome = await poll.promise;
      clearTimeout(timer);
      if (this.#poll === poll) this.#poll = undefined;
      if (outcome === "conflict") {
        throw new ApiError(
          409,
          "Conflict: terminated by other getUpdates request; make sure that only one bot " +
            "instance is running",
        );
      }
      if (outcome === "webhook") {
        throw new ApiError(409, "Conflict: terminated by setWebhook request");
      }
      if (this.#isRevoked) throw new ApiError(401, "Unauthorized");
    }
    const updates = this.#queue.slice(0, limit);
    for (const update of updates) this.#note({ kind: "handed", ...named(update) });
    return updates;
  }

  #call(method: string, args: Args): unknown {
    switch (method) {
      case "getMe":
        return {
          ...this.me,
          can_join_groups: true,
          can_read_all_group_messages: false,
          supports_inline_queries: false,
        };
      case "setWebhook":
        return this.#setWebhook(args);
      case "deleteWebhook":
        this.#webhook = undefined;
        if (args.flag("drop_pending_updates")) this.#queue = [];
        return true;
      case "getWebhookInfo":
        return {
          url: this.#webhook?.url ?? "",
          has_custom_certificate: false,
          pending_update_count: this.#queue.length,
          ...(this.#webhook === undefined ? {} : { max_connections: 40, ip_address: "127.0.0.1" }),
          ...(this.#webhook?.error === undefined ? {} : {
            last_error_date: Math.floor(Date.now() / 1000),
            last_error_message: this.#webhook.error,
          }),
        };
      case "getFile":
        return this.#getFile(args);
      case "getChat": {
        const id = args.text("chat_id") ?? "";
        const chat = [...this.chats.values()].find((known) =>
          String(known.id) === id || (known.username !== undefined && `@${known.username}` === id)
        );
        if (chat === undefined) throw bad("chat not found");
        return { ...shown(chat), accent_color_id: 1, max_reaction_count: 11 };
      }
      case "sendChatAction":
        this.#chat(args);
        if (!ACTIONS.has(args.text("action") ?? "")) throw bad("wrong parameter action in request");
        return true;
      case "setMessageReaction":
        this.#chat(args);
        for (const reaction of args.list("reaction")) {
          const { type, emoji } = reaction;
          if (type === "emoji" && !EMOJI.has(String(emoji))) throw bad("REACTION_INVALID");
        }
        return true;
      case "answerCallbackQuery":
        if (args.text("callback_query_id") === undefined) {
          throw bad("query is too old and response timeout expired or query ID is invalid");
        }
        return true;
      case "setMyCommands": {
        const commands = args.list("commands");
        for (const { command, description } of commands) {
          if (!/^[a-z0-9_]{1,32}$/.test(String(command))) throw bad("BOT_COMMAND_INVALID");
          if (!/^[^]{1,256}$/.test(String(description))) {
            throw bad("BOT_COMMAND_DESCRIPTION_INVALID");
          }
        }
        this.commands = commands;
        return true;
      }
      case "deleteMyCommands":
        this.commands = [];
        return true;
      case "sendMessage":
        return this.#show(method, args, this.#text(args, "text", "entities", 4096));
      case "sendPoll":
        return this.#sendPoll(args);
      case "sendMediaGroup":
        return this.#sendMediaGroup(args);
      case "editMessageText":
        return this.#edit(args, this.#text(args, "text", "entities", 4096));
      case "editMessageCaption":
        return this.#edit(args, this.#caption(args));
      case "deleteMessage": {
        const key = this.#key(args);
        if (!this.#messages.delete(key)) throw bad("message to delete not found");
        return true;
      }
      default:
        return this.#sendFile(method, args);
    }
  }

  #setWebhook(args: Args): true {
    const url = args.text("url") ?? "";
    const secret = args.text("secret_token");
    if (secret !== undefined && !/^[\w-]{1,256}$/.test(secret)) {
      throw bad("secret token contains unallowed characters");
    }
    this.#allow(args);
    this.#poll?.resolve("webhook");
    if (url === "") {
      this.#webhook = undefined;
      return true;
    }
    if (!URL.canParse(url)) throw bad("invalid webhook URL specified");
    if (!/^https:|^http:\/\/(127\.0\.0\.1|localhost)[:/]/.test(url)) {
      throw bad("bad webhook: An HTTPS URL must be provided for webhook");
    }
    this.#webhook = { url, ...(secret === undefined ? {} : { secret }) };
    this.#track(this.#callWebhook());
    return true;
  }

  /** Hands over what waits, one by one; what is not answered with success is handed over again. */
  async #callWebhook(): Promise<void> {
    if (this.#isDelivering) return; // the one that is under way takes it along
    this.#isDelivering = true;
    for (let failures = 0; failures < 50 && !this.#ended;) {
      const [update] = this.#queue;
      const webhook = this.#webhook;
      if (update === undefined || webhook === undefined) break;
      this.#note({ kind: "handed", ...named(update) });
      try {
        const response = await fetch(webhook.url, {
          method: "POST",
          headers: {
            "content-type": "application/json",
            ...(webhook.secret === undefined
              ? {}
              : { "x-telegram-bot-api-secret-token": webhook.secret }),
          },
          body: JSON.stringify(update),
        });
        await response.body?.cancel();
        if (response.ok) {
          failures = 0;
          this.#acknowledge((other) => other === update);
          continue;
        }
        webhook.error =
          `Wrong response from the webhook: ${response.status} ${response.statusText}`;
      } catch {
        webhook.error = "Connection refused";
      }
      failures++;
      await new Promise((resolve) => setTimeout(resolve, 20 * failures));
    }
    this.#isDelivering = false;
  }

  #getFile(args: Args): Json {
    const fileId = args.text("file_id") ?? "";
    const file = this.#files.get(fileId);
    if (file === undefined) throw bad("invalid file_id");
    const size = sizeOf(file);
    if (size > (this.#options.maxDownloadBytes ?? 20 * 1024 * 1024)) throw bad("file is too big");
    return {
      file_id: fileId,
      file_unique_id: `u${fileId}`,
      file_size: size,
      file_path: file.path ?? `documents/${fileId}.bin`,
    };
  }

  #download(token: string, path: string): Response {
    if (token !== this.token || this.#isRevoked) return refusal(401, "Unauthorized");
    const [, file] =
      [...this.#files].find(([id, { path: own }]) => (own ?? `documents/${id}.bin`) === path) ?? [];
    if (file === undefined) return refusal(404, "Not Found");
    const fault = this.#takeFault("download");
    if (fault?.kind === "error") return refusal(fault.code, fault.description);
    const size = sizeOf(file);
    const body = new Response(file.bytes ?? madeUp(size), {
      headers: { "content-length": String(size), "content-type": "application/octet-stream" },
    });
    return fault === undefined ? body : spoil(fault, body, this.line);
  }

  #sendFile(method: string, args: Args): FakeMessage {
    const field = method.slice(4).replaceAll(
      /[A-Z]/g,
      (sign, at) => `${at === 0 ? "" : "_"}${sign.toLowerCase()}`,
    );
    this.#chat(args); // refuses before it looks at the file
    const file = args.file(field);
    if (file === undefined) {
      throw bad(`there is no ${field.replace("_", " ")} in the request`);
    }
    const size = file === "by id" ? 0 : file.size;
    const most = method === "sendPhoto" ? 10 * 1024 * 1024 : undefined;
    if (size > (most ?? this.#options.maxUploadBytes ?? 50 * 1024 * 1024)) {
      throw most === undefined
        ? new ApiError(413, "Request Entity Too Large")
        : bad("file is too big");
    }
    if (size === 0 && file !== "by id") throw bad("file must be non-empty");
    const sent = { file_id: `S${this.#nextMessage}`, file_unique_id: `s${this.#nextMessage}` };
    const details = file === "by id" ? sent : {
      ...sent,
      file_size: file.size,
      file_name: file.filename,
      sha256: file.sha256,
    };
    return this.#show(method, args, {
      [field]: field === "photo" ? [{ ...details, width: 90, height: 90 }] : details,
      ...this.#caption(args),
    });
  }

  #sendMediaGroup(args: Args): readonly FakeMessage[] {
    const media = args.list("media");
    if (media.length < 2 || media.length > 10) {
      throw bad("wrong number of messages in the album");
    }
    const album = String(13_000_000_000 + this.#nextMessage);
    return media.map(({ type, media: file, caption, caption_entities }) => {
      const part = args.attached(String(file));
      if (part === undefined) throw bad("wrong file identifier/HTTP URL specified");
      const text = acceptText(String(caption ?? ""), {
        entities: caption_entities,
        limit: 1024,
        what: "caption",
      });
      return this.#show("sendMediaGroup", args, {
        media_group_id: album,
        [String(type)]: { file_id: `S${this.#nextMessage}`, file_size: part.size },
        ...(text.text === "" ? {} : { caption: text.text, caption_entities: text.entities }),
      });
    });
  }

  #sendPoll(args: Args): FakeMessage {
    const question = args.text("question") ?? "";
    const options = args.list("options").map(({ text }) => String(text));
    if (question.trim() === "") throw bad("poll question must be non-empty");
    if (question.length > 300) throw bad("poll question length must not exceed 300");
    if (options.length < 1) throw bad("poll must have at least 1 option");
    if (options.length > 12) throw bad("poll can't have more than 12 options");
    if (options.some((text) => text.trim() === "")) throw bad("poll options must be non-empty");
    if (options.some((text) => text.length > 100)) {
      throw bad("poll options length must not exceed 100");
    }
    return this.#show("sendPoll", args, {
      poll: {
        id: String(5_000_000_000 + this.#nextMessage),
        question,
        options: options.map((text) => ({ text, voter_count: 0 })),
        total_voter_count: 0,
        is_closed: false,
        is_anonymous: args.flag("is_anonymous") ?? true,
        type: "regular",
        allows_multiple_answers: args.flag("allows_multiple_answers") ?? false,
        ...(args.integer("open_period") === undefined
          ? {}
          : { open_period: args.integer("open_period") }),
      },
    });
  }

  /** A message of the bot appears. */
  #show(method: string, args: Args, content: Json): FakeMessage {
    const chat = this.#chat(args);
    const thread = args.integer("message_thread_id");
    const reply = args.object("reply_parameters");
    if (
      reply !== undefined && reply.allow_sending_without_reply !== true &&
      Number(reply.message_id) >= this.#nextMessage
    ) {
      throw bad("message to be replied not found");
    }
    const markup = args.object("reply_markup");
    for (const row of Array.isArray(markup?.inline_keyboard) ? markup.inline_keyboard : []) {
      for (const { text, callback_data: data } of row) {
        if (String(text ?? "") === "") throw bad("text buttons must be non-empty");
        if (new TextEncoder().encode(String(data)).length > 64) throw bad("BUTTON_DATA_INVALID");
      }
    }
    const message: FakeMessage = {
      message_id: this.#nextMessage++,
      from: this.me,
      chat: shown(chat),
      date: Math.floor(Date.now() / 1000),
      ...(thread === undefined ? {} : { message_thread_id: thread, is_topic_message: true }),
      ...(reply === undefined ? {} : { reply_to_message: { message_id: reply.message_id } }),
      ...(markup === undefined ? {} : { reply_markup: markup }),
      ...content,
    };
    this.#messages.set(`${chat.id}/${message.message_id}`, message);
    this.#note({ kind: "sent", method, message });
    return message;
  }

  #edit(args: Args, content: Json): FakeMessage {
    const key = this.#key(args);
    const old = this.#messages.get(key);
    if (old === undefined) throw bad("message to edit not found");
    if ("text" in content && old.text === undefined) {
      throw bad("there is no text in the message to edit");
    }
    if (old.text === content.text && old.caption === content.caption) {
      throw bad(
        "message is not modified: specified new message content and reply markup are exactly the " +
          "same as a current content and reply markup of the message",
      );
    }
    const message = { ...old, ...content, edit_date: Math.floor(Date.now() / 1000) };
    this.#messages.set(key, message);
    this.#note({ kind: "edited", message });
    return message;
  }

  /** The chat of a call, where the bot may speak. */
  #chat(args: Args): FakeChat {
    const id = args.text("chat_id");
    if (id === undefined || id === "") throw bad("chat_id is empty");
    const chat = this.chats.get(Number(id));
    if (chat === undefined) throw bad("chat not found");
    if (chat.migratedTo !== undefined) {
      throw new ApiError(400, "Bad Request: group chat was upgraded to a supergroup chat", {
        migrate_to_chat_id: chat.migratedTo,
      });
    }
    if (chat.isClosed === true) {
      throw new ApiError(
        403,
        chat.type === "private"
          ? "Forbidden: bot was blocked by the user"
          : `Forbidden: bot was kicked from the ${chat.type} chat`,
      );
    }
    const thread = args.integer("message_thread_id");
    const isTyping = args.text("action") !== undefined; // General may be named there
    if (
      thread !== undefined && !(chat.topics?.includes(thread) ?? false) &&
      !(isTyping && thread === 1 && chat.is_forum === true)
    ) {
      throw bad("message thread not found");
    }
    return chat;
  }

  #key(args: Args): string {
    return `${this.#chat(args).id}/${args.integer("message_id")}`;
  }

  #text(args: Args, field: string, entities: string, limit: number): Json {
    const accepted = acceptText(args.text(field) ?? "", {
      parseMode: args.text("parse_mode"),
      entities: args.json(entities),
      limit,
      what: "text",
    });
    return {
      text: accepted.text,
      ...(accepted.entities.length === 0 ? {} : { entities: accepted.entities }),
    };
  }

  #caption(args: Args): Json {
    const accepted = acceptText(args.text("caption") ?? "", {
      parseMode: args.text("parse_mode"),
      entities: args.json("caption_entities"),
      limit: 1024,
      what: "caption",
    });
    return accepted.text === ""
      ? {}
      : { caption: accepted.text, caption_entities: accepted.entities };
  }

  #allow(args: Args): void {
    const allowed = args.json("allowed_updates");
    if (Array.isArray(allowed)) {
      this.#allowed = allowed.length === 0 ? undefined : new Set(allowed.map(String));
    }
  }

  #acknowledge(isDone: (update: Json) => boolean): void {
    const done = this.#queue.filter(isDone);
    this.#queue = this.#queue.filter((update) => !done.includes(update));
    this.#past.push(...done);
    for (const update of done) this.#note({ kind: "acknowledged", ...named(update) });
  }

  #note(entry: JournalFact): void {
    this.journal.push({ at: performance.timeOrigin + performance.now(), ...entry });
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  #track(work: Promise<void>): void {
    this.#deliveries.add(work);
    void work.finally(() => this.#deliveries.delete(work));
  }

  /** Orders from another process: `POST` one, or `GET ?from=<index>` for the journal. */
  async #control(request: Request): Promise<Response> {
    if (request.method === "GET") {
      const from = Number(new URL(request.url).searchParams.get("from") ?? 0);
      return Response.json(this.journal.slice(from));
    }
    const order: Order = await request.json();
    return Response.json({ result: this.#obey(order) ?? null });
  }

  #obey(order: Order): unknown {
    switch (order.do) {
      case "say":
        return this.say(order.text, order.options);
      case "press":
        return this.press(order.chat, order.messageId, order.data);
      case "push":
        return this.push(order.update);
      case "addChat":
        return this.addChat(order.chat);
      case "addFile":
        return this.addFile(order.fileId, order.file);
      case "fail":
        return this.fail(order.method, order.fault, order.times);
      case "line":
        return this.line.set(order.fault);
      case "cut":
        return this.line.cut();
      case "redeliver":
        return this.redeliver();
      case "reorder":
        return this.reorder();
      case "revoke":
        return this.revoke();
      case "mend":
        return this.mend();
      case "mark":
        return this.journal.length;
    }
  }
}

/** What `controlUrl` takes; each does what the method of its name does. */
export type Order =
  | { readonly do: "say"; readonly text: string; readonly options?: SayOptions }
  | {
    readonly do: "press";
    readonly chat: number;
    readonly messageId: number;
    readonly data: string;
  }
  | { readonly do: "push"; readonly update: Json }
  | { readonly do: "addChat"; readonly chat: FakeChat }
  | { readonly do: "addFile"; readonly fileId: string; readonly file: { readonly size: number } }
  | {
    readonly do: "fail";
    readonly method: string;
    readonly fault: Fault;
    readonly times?: number;
  }
  | { readonly do: "line"; readonly fault?: LineFault }
  /** How long the journal is. */
  | { readonly do: "mark" }
  | { readonly do: "cut" | "redeliver" | "reorder" | "revoke" | "mend" };

type SayOptions = Parameters<FakeTelegram["say"]>[1];

/** A file of Telegram's. */
export interface FakeFile {
  readonly bytes?: Uint8Array<ArrayBuffer>;
  readonly size?: number;
  readonly path?: string;
}

/** Who speaks unless a test says otherwise. */
export const ANNA = {
  id: 42,
  is_bot: false,
  first_name: "Anna",
  last_name: "Lind",
  username: "anna",
  language_code: "en",
} as const;

type JournalFact = JournalEntry extends infer Entry ? Entry extends unknown ? Omit<Entry, "at">
  : never
  : never;

/** The methods that it knows, as they are written. */
const METHODS: readonly string[] = [
  ..."getMe getUpdates setWebhook deleteWebhook getWebhookInfo getFile getChat sendMessage".split(
    " ",
  ),
  ..."sendPhoto sendVideo sendDocument sendAudio sendVoice sendAnimation sendSticker".split(" "),
  ..."sendVideoNote sendMediaGroup sendPoll editMessageText editMessageCaption".split(" "),
  ..."deleteMessage sendChatAction setMessageReaction answerCallbackQuery".split(" "),
  ..."setMyCommands deleteMyCommands".split(" "),
];

/** Updates that a bot gets only where it asks for them. */
const OPT_IN: ReadonlySet<string> = new Set([
  "chat_member",
  "message_reaction",
  "message_reaction_count",
]);

const ACTIONS: ReadonlySet<string> = new Set(
  ("typing upload_photo record_video upload_video record_voice upload_voice upload_document " +
    "choose_sticker find_location record_video_note upload_video_note").split(" "),
);

/** A part of the emoji that Telegram takes as reactions. */
const EMOJI: ReadonlySet<string> = new Set(
  "❤ 👍 👎 🔥 🥰 👏 😁 🤔 🤯 😱 🤬 😢 🎉 🤩 🤮 💩 🙏 👌 🕊 🤡 🥱 🥴 😍 🐳 ❤‍🔥 🌚 🌭 💯 🤣 ⚡ 🍌 🏆 💔 🤨 😐 🍓 👀"
    .split(" "),
);

class ApiError extends Error {
  constructor(readonly code: number, description: string, readonly parameters?: Json) {
    super(description);
  }
}

function bad(why: string): ApiError {
  return new ApiError(400, `Bad Request: ${why}`);
}

function refusal(code: number, description: string, parameters?: Json): Response {
  const retryAfter = parameters?.retry_after;
  return Response.json({
    ok: false,
    error_code: code,
    description,
    ...(parameters === undefined ? {} : { parameters }),
  }, {
    status: code,
    headers: retryAfter === undefined ? {} : { "retry-after": String(retryAfter) },
  });
}

/** What becomes of an answer on its way. */
function spoil(fault: Fault, answer: Response, line: Line): Response {
  switch (fault.kind) {
    case "bad gateway":
      void answer.body?.cancel();
      return new Response(
        "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n" +
          "<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx/1.18.0</center>\r\n" +
          "</body>\r\n</html>\r\n",
        { status: 502, headers: { "content-type": "text/html" } },
      );
    case "half":
      return new Response(
        new ReadableStream({
          async start(controller) {
            const bytes = new Uint8Array(await answer.arrayBuffer());
            controller.enqueue(bytes.subarray(0, bytes.length >> 1));
          },
          async pull() {
            await new Promise((resolve) => setTimeout(resolve, 20)); // so that the half arrives
            line.cut();
          },
        }, { highWaterMark: 0 }),
        { headers: answer.headers, status: answer.status },
      );
    case "nonsense":
      void answer.body?.cancel();
      return new Response(fault.body, { headers: { "content-type": "application/json" } });
    default:
      return answer;
  }
}

/** What a call was made with, however it was written. */
class Args {
  readonly #values: ReadonlyMap<string, unknown>;
  readonly #files: ReadonlyMap<string, FormPart>;

  constructor(values: ReadonlyMap<string, unknown>, files: ReadonlyMap<string, FormPart>) {
    this.#values = values;
    this.#files = files;
  }

  text(name: string): string | undefined {
    const value = this.#values.get(name);
    return value === undefined ? undefined : String(value);
  }

  integer(name: string): number | undefined {
    const value = Number(this.#values.get(name) ?? NaN);
    return Number.isInteger(value) ? value : undefined;
  }

  flag(name: string): boolean | undefined {
    const value = this.#values.get(name);
    return value === undefined ? undefined : value === true || value === "true" || value === "True";
  }

  /** An object or a list; in a form it is written as text. */
  json(name: string): unknown {
    const value = this.#values.get(name);
    if (typeof value !== "string") return value;
    try {
      return JSON.parse(value);
    } catch {
      throw bad(`can't parse ${name.replaceAll("_", " ")} JSON object`);
    }
  }

  object(name: string): Json | undefined {
    const value = this.json(name);
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  }

  list(name: string): readonly Json[] {
    const value = this.json(name);
    return Array.isArray(value) ? value : [];
  }

  file(name: string): FormPart | "by id" | undefined {
    const value = this.text(name);
    const direct = this.#files.get(name);
    if (direct !== undefined) return direct;
    if (value === undefined) return undefined;
    return value.startsWith("attach://") ? this.attached(value) : "by id";
  }

  attached(reference: string): FormPart | undefined {
    return this.#files.get(reference.replace(/^attach:\/\//, ""));
  }

  plain(): Json {
    return {
      ...Object.fromEntries(this.#values),
      ...Object.fromEntries([...this.#files].map(([name, { filename, size, sha256 }]) => [
        name,
        { filename, size, sha256 },
      ])),
    };
  }
}

async function readArgs(request: Request): Promise<Args> {
  const type = request.headers.get("content-type") ?? "";
  const values = new Map<string, unknown>(new URL(request.url).searchParams);
  const files = new Map<string, FormPart>();
  if (type.startsWith("application/json")) {
    for (const [name, value] of Object.entries(await request.json())) values.set(name, value);
  } else if (type.startsWith("multipart/form-data")) {
    for (const part of await readForm(request)) {
      if (part.filename === undefined) values.set(part.name, part.text);
      else files.set(part.name, part);
    }
  } else if (type.startsWith("application/x-www-form-urlencoded")) {
    for (const [name, value] of new URLSearchParams(await request.text())) values.set(name, value);
  }
  return new Args(values, files);
}

/** Which update, and about what. */
function named(update: Json): { updateId: number; chatId?: number; messageId?: number } {
  const [about] = Object.values(update).filter((value) => typeof value === "object");
  const { message_id: messageId, chat } = (about ?? {}) as {
    message_id?: number;
    chat?: { id?: number };
  };
  return {
    updateId: Number(update.update_id),
    ...(chat?.id === undefined ? {} : { chatId: chat.id }),
    ...(messageId === undefined ? {} : { messageId }),
  };
}

function privateChat(from: Json & { readonly id: number }): FakeChat {
  return {
    id: from.id,
    type: "private",
    first_name: String(from.first_name),
    ...(from.username === undefined ? {} : { username: String(from.username) }),
  };
}

/** A chat as the API writes it. */
function shown(
  { topics: _topics, isClosed: _isClosed, migratedTo: _migratedTo, ...chat }: FakeChat,
) {
  return chat;
}

function sizeOf({ bytes, size }: FakeFile): number {
  return bytes?.length ?? size ?? 0;
}

/** So many bytes, made when they are asked for. */
function madeUp(size: number): ReadableStream<Uint8Array<ArrayBuffer>> {
  let left = size;
  return new ReadableStream({
    pull(controller) {
      if (left === 0) return controller.close();
      const chunk = new Uint8Array(Math.min(left, 64 * 1024)).fill(left & 0xff);
      left -= chunk.length;
      controller.enqueue(chunk);
    },
  });
}

if (import.meta.main) {
  const { values } = parseArgs({
    args: process.argv.slice(2),
    options: { port: { type: "string" }, token: { type: "string" } },
  });
  const fake = startFakeTelegram({
    port: Number(values.port ?? 0),
    ...(values.token === undefined ? {} : { token: values.token }),
    maxDownloadBytes: Infinity,
  });
  console.log(JSON.stringify({ url: fake.url, control: fake.controlUrl, token: fake.token }));
}
