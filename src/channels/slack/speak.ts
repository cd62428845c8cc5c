/** Says and does things in Slack, each with one attempt, and looks whether they were done. */
import type { WebClient } from "@slack/web-api";
import type { MessageRef } from "../../channel.ts";
import { pause } from "../../deadline.ts";
import type { OutboundAttachment, OutboundMessage, Receipt } from "../../message.ts";
import { asReceipt, CallError, type Client } from "./client.ts";
import {
  EVENT_TYPE,
  type Manners,
  threadOf,
  toContent,
  toEphemeral,
  toPost,
  toResponse,
  toUpdate,
} from "./compose.ts";
import { askerOf, isTs, type SlackSelf } from "./convert.ts";
import { nameOfEmoji } from "./emoji.ts";
import type { Memory } from "./memory.ts";

const PAGE = 200;
const MAX_PAGES = 10;
const CLOCK_SKEW_MS = 60_000;
/** Slack shows a file some time after it has it; so long it is asked where. */
const SHARE_PAUSES_MS = [0, 100, 200, 400, 800, 1500];

type HistoryMessages = NonNullable<
  Awaited<ReturnType<WebClient["conversations"]["history"]>>["messages"]
>;
type Shares = NonNullable<
  NonNullable<Awaited<ReturnType<WebClient["files"]["info"]>>["file"]>["shares"]
>;

export class Speaker {
  readonly #client: Client;
  readonly #memory: Memory;
  readonly #manners: Manners & { readonly hasEphemeralCommands: boolean };

  constructor(
    { client, memory, manners }: {
      client: Client;
      memory: Memory;
      manners: Manners & { readonly hasEphemeralCommands: boolean };
    },
  ) {
    this.#client = client;
    this.#memory = memory;
    this.#manners = manners;
  }

  /** Never rejects for what Slack does. */
  async send(message: OutboundMessage, signal: AbortSignal): Promise<Receipt> {
    const { attachment, poll, buttons = [] } = message;
    if (poll !== undefined) return rejected("Slack has no polls");
    if (attachment !== undefined && buttons.length > 0) {
      return rejected("Slack shows no buttons beside a file");
    }
    return await receipt(async () => {
      if (attachment !== undefined) return await this.#share(message, attachment, signal);
      if (await this.#answer(message, signal)) return [];
      const asker = this.#onlyReader(message);
      if (asker !== undefined) {
        await this.#client.ask(
          (api) => api.chat.postEphemeral(toEphemeral(message, asker)),
          signal,
        );
        return [];
      }
      const { ts } = await this.#client.ask(
        (api) => api.chat.postMessage(toPost(message, this.#manners)),
        signal,
      );
      if (ts === undefined) throw new CallError("lost", "Slack's answer names no message");
      return [ts];
    });
  }

  async edit({ place, messageId }: MessageRef, text: string, signal: AbortSignal) {
    const body = toUpdate({ chatId: place.chatId, ts: messageId, text });
    return await receipt(async () => {
      await this.#client.ask((api) => api.chat.update(body), signal);
      return [messageId];
    });
  }

  async delete({ place, messageId }: MessageRef, signal: AbortSignal): Promise<Receipt> {
    return await receipt(async () => {
      await this.#client.ask(
        (api) => api.chat.delete({ channel: place.chatId, ts: messageId }),
        signal,
      );
      return [messageId];
    });
  }

  /** An empty emoji takes back all of ours. */
  async react(
    { place: { chatId: channel }, messageId: timestamp }: MessageRef,
    emoji: string,
    { self, signal }: { self: SlackSelf; signal: AbortSignal },
  ): Promise<Receipt> {
    if (emoji !== "") {
      const name = nameOfEmoji(emoji);
      if (name === undefined) return rejected(`Slack has no name for ${emoji}: write :name:`);
      return await receipt(async () => {
        await orAlready(
          "already_reacted",
          () => this.#client.ask((api) => api.reactions.add({ channel, timestamp, name }), signal),
        );
        return [timestamp];
      });
    }
    return await receipt(async () => {
      const { message } = await this.#client.ask(
        (api) => api.reactions.get({ channel, timestamp, full: true }),
        signal,
      );
      for (const { name = "", users = [] } of message?.reactions ?? []) {
        if (!users.includes(self.id)) continue;
        await orAlready(
          "no_reaction",
          () =>
            this.#client.ask((api) => api.reactions.remove({ channel, timestamp, name }), signal),
        );
      }
      return [timestamp];
    });
  }

  /** Looks for a message by the id that it carries; rejects with a `CallError`. */
  async find(
    message: OutboundMessage,
    signal: AbortSignal,
  ): Promise<Receipt | "absent" | undefined> {
    if (message.attachment !== undefined) return await this.#findShared(message, signal);
    // nobody but who asked sees an answer to a command
    const isHidden = this.#onlyReader(message) !== undefined;
    if (isHidden || this.#memory.wasAnswer(message.id)) return undefined;
    const { place: { chatId: channel }, acceptedAt = 0 } = message;
    const threadTs = threadOf(message);
    const oldest = String(Math.max(0, acceptedAt - CLOCK_SKEW_MS) / 1000);
    const common = { channel, oldest, limit: PAGE, include_all_metadata: true };
    let cursor = "";
    for (let page = 0; page < MAX_PAGES; page++) {
      const more = cursor === "" ? {} : { cursor };
      const { messages = [], response_metadata } = await this.#client.ask<{
        messages?: HistoryMessages;
        response_metadata?: { next_cursor?: string };
      }>(
        (api) =>
          threadTs === undefined
            ? api.conversations.history({ ...common, ...more })
            : api.conversations.replies({ ...common, ...more, ts: threadTs }),
        signal,
      );
      const found = messages.find(({ metadata }) => carries(metadata, message.id));
      if (found?.ts !== undefined) return sent([found.ts]);
      cursor = response_metadata?.next_cursor ?? "";
      if (cursor === "") return "absent";
    }
    return undefined;
  }

  /** Whether the message is the answer that a command waits for. */
  async #answer(message: OutboundMessage, signal: AbortSignal): Promise<boolean> {
    const command = this.#memory.openCommand(message.replyTo);
    if (command === undefined) return false;
    this.#memory.keepCommand({
      ...command,
      answers: [...command.answers.filter((id) => id !== message.id), message.id],
    });
    const body = toResponse(message, this.#manners.hasEphemeralCommands);
    try {
      await this.#client.respond(command.url, body, signal);
      return true;
    } catch (error) {
      const isSure = error instanceof CallError && error.fault !== "lost";
      if (isSure) this.#memory.keepCommand(command);
      if (!isSure || error.fault !== "refused") throw error;
      return false; // it waits no more; what is said in the chat reaches who asked, too
    }
  }

  /** Who alone may see what answers a command; `undefined` where others may, or nobody else is. */
  #onlyReader({ place, replyTo }: OutboundMessage): string | undefined {
    const isOpen = !this.#manners.hasEphemeralCommands || place.kind === "direct";
    return isOpen ? undefined : askerOf(replyTo);
  }

  /** Sends a file: Slack gives an address for it, takes it, and is told where to show it. */
  async #share(
    message: OutboundMessage,
    { path, name, size }: OutboundAttachment,
    signal: AbortSignal,
  ): Promise<string[]> {
    using file = await openToSend(path, name);
    const { upload_url: url, file_id: fileId } = await unseen(() =>
      this.#client.ask(
        (api) => api.files.getUploadURLExternal({ filename: name, length: size }),
        signal,
      )
    );
    if (url === undefined || fileId === undefined) {
      throw new CallError("unsent", "Slack gives no address for the file");
    }
    await unseen(() => this.#client.upload(url, { file, size }, signal));
    this.#memory.keepUpload(message.id, fileId);
    const { place: { chatId } } = message;
    const threadTs = threadOf(message);
    const { text } = toContent(message);
    await this.#client.ask(
      (api) =>
        api.files.completeUploadExternal({
          files: [{ id: fileId, title: name }],
          channel_id: chatId,
          ...(text === "" ? {} : { initial_comment: text }),
          ...(threadTs === undefined ? {} : { thread_ts: threadTs }),
        }),
      signal,
    );
    return await this.#whereShown(fileId, chatId, signal);
  }

  /** Slack has the file and shows it: that it can't say under which name makes it no less sent. */
  async #whereShown(fileId: string, chatId: string, signal: AbortSignal): Promise<string[]> {
    try {
      const ts = await this.#awaitShare(fileId, chatId, signal);
      return ts === undefined ? [] : [ts];
    } catch (error) {
      if (error instanceof CallError) return [];
      throw error;
    }
  }

  async #findShared(
    { id, place: { chatId } }: OutboundMessage,
    signal: AbortSignal,
  ): Promise<Receipt | "absent" | undefined> {
    const fileId = this.#memory.uploadOf(id);
    if (fileId === undefined) return "absent"; // where to show it was never said
    const ts = await this.#awaitShare(fileId, chatId, signal);
    if (ts !== undefined) return sent([ts]);
    return signal.aborted ? undefined : "absent";
  }

  /** The message that shows a file; `undefined` where there is none after a while. */
  async #awaitShare(
    fileId: string,
    chatId: string,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    for (const ms of SHARE_PAUSES_MS) {
      await pause(ms, signal);
      if (signal.aborted) return undefined;
      const ts = await this.#shareOf(fileId, chatId, signal);
      if (ts !== undefined) return ts;
    }
    return undefined;
  }

  async #shareOf(
    fileId: string,
    chatId: string,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const { file } = await this.#client.ask((api) => api.files.info({ file: fileId }), signal);
    const { public: open = {}, private: closed = {} }: Shares = file?.shares ?? {};
    return [...(open[chatId] ?? []), ...(closed[chatId] ?? [])].at(-1)?.ts;
  }
}

/** What fails before anything is shown, may be done again. */
async function unseen<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof CallError) || error.fault !== "lost") throw error;
    throw new CallError("unsent", error.message, { cause: error });
  }
}

async function orAlready(code: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof CallError) || error.code !== code) throw error;
  }
}

function carries(metadata: unknown, id: string): boolean {
  if (typeof metadata !== "object" || metadata === null) return false;
  if (!("event_type" in metadata) || metadata.event_type !== EVENT_TYPE) return false;
  if (!("event_payload" in metadata)) return false;
  const { event_payload: payload } = metadata;
  return typeof payload === "object" && payload !== null && "id" in payload && payload.id === id;
}

async function receipt(work: () => Promise<readonly string[]>): Promise<Receipt> {
  try {
    return sent(await work());
  } catch (error) {
    return asReceipt(error);
  }
}

function sent(messageIds: readonly string[]): Receipt {
  return { sent: true, messageIds: messageIds.filter(isTs) };
}

function rejected(detail: string): Receipt {
  return { sent: false, reason: "rejected", detail };
}

async function openToSend(path: string, name: string): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path);
  } catch (cause) {
    const why = cause instanceof Deno.errors.NotFound ? "it is not there" : "it can't be read";
    throw new CallError("refused", `Cannot send file '${name}': ${why}`, { cause });
  }
}
