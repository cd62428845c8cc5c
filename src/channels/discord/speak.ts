/** Says and does things on Discord, each with one attempt, and looks whether they were done. */
import type { APIMessage, APIThreadChannel } from "discord-api-types/v10";
import type { MessageRef } from "../../channel.ts";
import type { OutboundMessage, Place, Receipt } from "../../message.ts";
import { ApiError, type Client, type Upload } from "./client.ts";
import {
  emojiPath,
  isBefore,
  nonceOf,
  postTitleOf,
  toAnswer,
  toContent,
  toCreate,
  toEdit,
  toFollowUp,
  toPost,
} from "./compose.ts";
import type { Settings } from "./config.ts";
import { commandOf } from "./convert.ts";
import type { Directory } from "./directory.ts";
import type { Answer, Interaction, Memory } from "./memory.ts";

/** What of an answer of the API we rely on. */
type Said = Pick<APIMessage, "id">;

const PAGE = 100;
const MAX_PAGES = 10;
/** Forums, and forums for pictures. */
const FORUMS: ReadonlySet<number> = new Set([15, 16]);
/** Discord's numbers for what the errors mean that we know an answer to. */
const NO_TEXT_CHANNEL = 50008;
const MAY_NOT_REPLY = 160002;
const INTERACTION_IS_OVER: ReadonlySet<number> = new Set([10008, 10015, 10062, 50027]);
const IS_LOADING = 1 << 7;

export class Speaker {
  readonly #settings: Settings;
  readonly #client: Client;
  readonly #directory: Directory;
  readonly #memory: Memory;

  constructor(
    { settings, client, directory, memory }: {
      settings: Settings;
      client: Client;
      directory: Directory;
      memory: Memory;
    },
  ) {
    this.#settings = settings;
    this.#client = client;
    this.#directory = directory;
    this.#memory = memory;
  }

  /** Never rejects for what Discord does. */
  async send(message: OutboundMessage, signal: AbortSignal): Promise<Receipt> {
    if (message.poll?.isAnonymous) {
      const detail = "Discord has no anonymous polls";
      return { sent: false, reason: "rejected", detail };
    }
    return await receipt(async () => {
      const answered = await this.#answer(message, signal);
      if (answered !== undefined) return answered;
      return isForum(this.#directory, message.place)
        ? await this.#post(message, signal)
        : await this.#create(message, signal);
    });
  }

  async edit(target: MessageRef, text: string, signal: AbortSignal): Promise<Receipt> {
    const body = toEdit(text);
    return await receipt(() =>
      this.#client.call<Said>("PATCH", this.#pathOf(target), { body, signal })
    );
  }

  async delete(target: MessageRef, signal: AbortSignal): Promise<Receipt> {
    return await receipt(async () => {
      await this.#client.call("DELETE", this.#pathOf(target), { signal });
      return { id: target.messageId };
    });
  }

  async react(target: MessageRef, emoji: string, signal: AbortSignal): Promise<Receipt> {
    const path = `/channels/${channelOf(target.place)}/messages/${target.messageId}`;
    return await receipt(async () => {
      if (emoji !== "") {
        const own = `${path}/reactions/${emojiPath(emoji)}/@me`;
        await this.#client.call("PUT", own, { signal });
        return { id: target.messageId };
      }
      const { reactions = [] } = await this.#client.call<APIMessage>("GET", path, { signal });
      for (const { emoji: { id, name } } of reactions.filter(({ me }) => me)) {
        const own = emojiPath(id == null ? name ?? "" : `${name}:${id}`);
        await this.#client.call("DELETE", `${path}/reactions/${own}/@me`, { signal });
      }
      return { id: target.messageId };
    });
  }

  async typing(place: Place, signal: AbortSignal): Promise<void> {
    await this.#client.call("POST", `/channels/${channelOf(place)}/typing`, { signal });
  }

  /**
   * Looks for a message by its nonce. Discord tells it on the gateway, but not always in its lists:
   * `undefined` where a message of ours has the same text and no nonce, or nobody can say where to
   * stop. Rejects where Discord can't be asked.
   */
  async find(
    message: OutboundMessage,
    signal: AbortSignal,
  ): Promise<Receipt | "absent" | undefined> {
    const nonce = nonceOf(message.id);
    const echo = this.#memory.echoOf(nonce);
    if (echo !== undefined) return sent(echo);
    const interaction = this.#memory.interactions.find(({ answers }) =>
      answers?.some(({ id }) => id === message.id)
    );
    if (interaction !== undefined) return await this.#findAnswer(interaction, message, signal);
    if (this.#isPrivate(message)) return undefined;
    if (this.#memory.postBegunAt(message.id) !== undefined) {
      const post = await this.#findPost(message, signal);
      return post === undefined ? "absent" : sent(post);
    }
    const selfId = this.#memory.self?.id;
    const { content = "" } = toContent(message, this.#settings);
    let path = `/channels/${channelOf(message.place)}/messages?limit=${PAGE}`;
    let isUnsure = false;
    for (let page = 0; page < MAX_PAGES; page++) {
      const listed = await this.#client.call<APIMessage[]>("GET", path, { signal });
      for (const { id, nonce: found, author, content: text } of listed) {
        if (isBefore(id, message)) return isUnsure ? undefined : "absent";
        if (found === nonce) return sent(id);
        const isOurs = author.id === selfId || selfId === undefined;
        const isAnother = found !== undefined || this.#memory.hasEcho(id);
        if (isOurs && !isAnother && text === content) isUnsure = true;
      }
      const oldest = listed.at(-1);
      if (oldest === undefined || listed.length < PAGE) return isUnsure ? undefined : "absent";
      path = `/channels/${channelOf(message.place)}/messages?limit=${PAGE}&before=${oldest.id}`;
    }
    return undefined;
  }

  async #create(message: OutboundMessage, signal: AbortSignal): Promise<Said> {
    const path = `/channels/${channelOf(message.place)}/messages`;
    const body = toCreate(message, this.#settings);
    try {
      return await this.#client.call<Said>("POST", path, { body, ...uploadOf(message), signal });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.code === MAY_NOT_REPLY && message.replyTo !== undefined) {
        // Only who may read what was said before may point at it; what there is to say is worth more.
        return await this.#create({ ...message, replyTo: undefined }, signal);
      }
      if (error.code !== NO_TEXT_CHANNEL) throw error;
      await this.#directory.find(channelOf(message.place), signal);
      if (!isForum(this.#directory, message.place)) throw error;
      return await this.#post(message, signal);
    }
  }

  /** A forum has no nonces: what was begun before is looked for first. */
  async #post(message: OutboundMessage, signal: AbortSignal): Promise<Said> {
    const begunAt = this.#memory.postBegunAt(message.id);
    const known = begunAt === undefined ? undefined : await this.#findPost(message, signal);
    if (known !== undefined) return { id: known };
    if (begunAt === undefined) this.#memory.beginPost(message.id, Date.now());
    try {
      const { id } = await this.#client.call<Said>(
        "POST",
        `/channels/${message.place.chatId}/threads`,
        { body: toPost(message, this.#settings), ...uploadOf(message), signal },
      );
      this.#memory.endPost(message.id);
      return { id }; // the first message of a post has the id of the post
    } catch (error) {
      const isSure = error instanceof ApiError && error.fault !== "unknown";
      if (isSure && begunAt === undefined) this.#memory.endPost(message.id);
      throw error;
    }
  }

  async #findPost(message: OutboundMessage, signal: AbortSignal): Promise<string | undefined> {
    const { chatId, spaceId } = message.place;
    const begunAt = this.#memory.postBegunAt(message.id) ?? 0;
    const guildId = spaceId ?? this.#directory.channel(chatId)?.guildId;
    const { threads } = await this.#client.call<{ threads: APIThreadChannel[] }>(
      "GET",
      `/guilds/${guildId}/threads/active`,
      { signal },
    );
    const title = postTitleOf(message);
    return threads.find((thread) =>
      thread.parent_id === chatId && thread.name === title &&
      thread.owner_id === this.#memory.self?.id &&
      !isBefore(thread.id, { ...message, acceptedAt: begunAt })
    )?.id;
  }

  /**
   * Says it as an answer to a command; `undefined` for what is to be said like any other message.
   * What only who asked may see, is said to nobody else, and in the worst case not at all.
   */
  async #answer(message: OutboundMessage, signal: AbortSignal): Promise<Said | undefined> {
    const commandId = commandOf(message.replyTo);
    if (commandId === undefined) return undefined;
    const interaction = this.#memory.interactions.find(({ id }) => id === commandId);
    const isPrivate = this.#isPrivate(message);
    const answered = interaction &&
      await this.#answerTo(interaction, { message, isPrivate, signal });
    if (answered !== undefined || !isPrivate) return answered;
    throw new ApiError(
      "rejected",
      "the command takes no more answers, and others may not see this",
    );
  }

  /** Only the first answer has a place that waits for it. */
  async #answerTo(
    interaction: Interaction,
    { message, isPrivate, signal }: {
      message: OutboundMessage;
      isPrivate: boolean;
      signal: AbortSignal;
    },
  ): Promise<Said | undefined> {
    const { answers = [] } = interaction;
    const known = answers.find(({ id }) => id === message.id);
    const isFirst = answers.length === 0 || answers[0] === known;
    if (!isFirst && !isPrivate) return undefined;
    if (known?.messageId !== undefined) return { id: known.messageId };
    if (!isFirst && known !== undefined) {
      throw new ApiError("rejected", "Discord does not tell whether it has it already");
    }
    const others = answers.filter((answer) => answer !== known);
    const keep = (answer: Answer) => {
      const all = isFirst ? [answer, ...others] : [...others, answer];
      this.#memory.saveInteraction({ ...interaction, answers: all });
    };
    keep({ id: message.id });
    await this.#memory.announced(interaction.id);
    try {
      const { id } = isFirst
        ? await this.#client.call<Said>("PATCH", this.#answerPath(interaction), {
          body: toAnswer(message, this.#settings),
          ...uploadOf(message),
          signal,
        })
        : await this.#client.call<Said>("POST", this.#webhookPath(interaction), {
          body: toFollowUp(message, this.#settings),
          ...uploadOf(message),
          signal,
        });
      keep({ id: message.id, messageId: id });
      return { id };
    } catch (error) {
      if (!(error instanceof ApiError) || error.fault === "unknown") throw error;
      const isOver = error.code !== undefined && INTERACTION_IS_OVER.has(error.code);
      if (isOver) this.#memory.forgetInteraction(interaction.id);
      else this.#memory.saveInteraction(interaction);
      if (!isOver) throw error;
      return undefined;
    }
  }

  /** Whether it answers a command whose answers are shown to nobody but who asked. */
  #isPrivate({ place, replyTo }: OutboundMessage): boolean {
    return commandOf(replyTo) !== undefined && this.#settings.hasEphemeralCommands &&
      place.kind !== "direct";
  }

  async #findAnswer(
    interaction: Interaction,
    { id: ours }: OutboundMessage,
    signal: AbortSignal,
  ): Promise<Receipt | "absent" | undefined> {
    const [first, ...others] = interaction.answers ?? [];
    const answer = [first, ...others].find((known) => known?.id === ours);
    if (answer?.messageId !== undefined) return sent(answer.messageId);
    if (answer !== first) return undefined; // nobody can list what only one person sees
    try {
      const path = this.#answerPath(interaction);
      const { id, flags = 0 } = await this.#client.call<APIMessage>("GET", path, { signal });
      return (flags & IS_LOADING) !== 0 ? "absent" : sent(id);
    } catch (error) {
      if (error instanceof ApiError && error.fault === "rejected") return "absent";
      throw error;
    }
  }

  /** An answer to a command can be changed as such even where only one person sees it. */
  #pathOf({ place, messageId }: MessageRef): string {
    for (const interaction of this.#memory.interactions) {
      const at = interaction.answers?.findIndex((known) => known.messageId === messageId) ?? -1;
      if (at >= 0) return this.#answerPath(interaction, at === 0 ? undefined : messageId);
    }
    return `/channels/${channelOf(place)}/messages/${messageId}`;
  }

  #answerPath(interaction: Interaction, messageId = "@original"): string {
    return `${this.#webhookPath(interaction)}/messages/${messageId}`;
  }

  #webhookPath({ token }: Interaction): string {
    const applicationId = this.#settings.applicationId ?? this.#memory.self?.applicationId;
    return `/webhooks/${applicationId}/${encodeURIComponent(token)}`;
  }
}

/** The channel in Discord's sense: a thread is one too. */
export function channelOf({ chatId, threadId }: Place): string {
  return encodeURIComponent(threadId ?? chatId);
}

function isForum(directory: Directory, { chatId, threadId }: Place): boolean {
  return threadId === undefined && FORUMS.has(directory.channel(chatId)?.type ?? -1);
}

function uploadOf({ attachment }: OutboundMessage): { upload?: Upload } {
  return attachment === undefined ? {} : { upload: attachment };
}

async function receipt(work: () => Promise<Said>): Promise<Receipt> {
  try {
    const said: unknown = await work();
    const id = typeof said === "object" && said !== null && "id" in said ? said.id : undefined;
    if (typeof id === "string") return sent(id);
    return { sent: false, reason: "unknown", detail: "Discord's answer names no message" };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const { fault, message, retryAfterMs, isGlobal } = error;
    return {
      sent: false,
      reason: fault,
      detail: message,
      ...(retryAfterMs !== undefined && { retryAfterMs }),
      ...(isGlobal && { isGlobal }),
    };
  }
}

function sent(messageId: string): Receipt {
  return { sent: true, messageIds: [messageId] };
}
