/** What somebody here sends into a chat, or does to a message there, and hears the outcome of. */
import {
  canDelete,
  canEdit,
  type Channel,
  ChannelError,
  type MessageRef,
  type Polls,
  type Reactions,
  type Targets,
} from "../channel.ts";
import { Deadline } from "../deadline.ts";
import { GatewayError, invalid } from "../error.ts";
import type { OutboundAttachment, OutboundMessage, Place, Receipt } from "../message.ts";
import type { Delivery, Store } from "../store.ts";
import type { OutboundFiles } from "./outbound_files.ts";
import type { Outbox } from "./outbox.ts";
import { fits, split } from "./split.ts";
import type { Supervisor } from "./supervisor.ts";

/** Where somebody wants to write, in their own words. */
export interface Address {
  /** May be left out where there is one network only. */
  readonly channel?: string;
  readonly accountId?: string;
  readonly to: string;
  readonly threadId?: string;
}

/** A chat, and the channel that leads to it. */
export interface Destination {
  readonly place: Place;
  readonly channel: Channel;
}

/** What is to be said in a chat; it becomes as many messages as the network needs. */
export interface Letter extends Pick<OutboundMessage, "poll" | "replyTo" | "isSilent" | "buttons"> {
  readonly text: string;
  readonly attachments?: readonly OutboundAttachment[];
}

/** What can be done to a message that is there. */
export type Deed =
  | { readonly kind: "react"; readonly emoji: string }
  | { readonly kind: "edit"; readonly text: string }
  | { readonly kind: "delete" };

export interface MessagingParts {
  readonly store: Pick<Store, "transaction">;
  readonly supervisor: Pick<
    Supervisor,
    "account" | "accounts" | "channel" | "configured" | "defaultAccountId" | "network"
  >;
  readonly outbox: Outbox;
  readonly files: OutboundFiles;
}

/** How long somebody waits for the network, in milliseconds. */
const WAIT_MS = 30_000;

export class Messaging {
  readonly files: OutboundFiles;
  readonly #parts: MessagingParts;
  /** Letters that are being written, by what asked for them. */
  readonly #writing = new Map<string, Promise<readonly string[]>>();

  constructor(parts: MessagingParts) {
    this.files = parts.files;
    this.#parts = parts;
  }

  /** Whether a word is the name of a network. */
  knows(channel: string): boolean {
    return this.#parts.supervisor.network(channel.toLowerCase()) !== undefined;
  }

  /** Finds the chat. Rejects with an error for people where there is none, or no way to it. */
  async find(address: Address, signal: AbortSignal): Promise<Destination> {
    const { channel, accountId } = this.#requireAccount(address);
    const way = this.#requireChannel(channel, accountId);
    const prefix = `${channel}:`;
    const to = address.to.trim();
    const words = to.toLowerCase().startsWith(prefix) ? to.slice(prefix.length) : to;
    if (words === "") throw invalid("Error: a target is required");
    const place = await this.#resolve(way, words, signal);
    const { threadId } = address;
    return { channel: way, place: threadId === undefined ? place : { ...place, threadId } };
  }

  /** The channel that leads to a place. Throws an error for people where there is none now. */
  destination(place: Place): Destination {
    return { place, channel: this.#requireChannel(place.channel, place.accountId) };
  }

  /**
   * Sends what `write` makes, once for each `origin`, and resolves to what became of it. `alongside`
   * runs in the transaction in which it is accepted. Rejects where it can't be told that the network
   * has all of it; it may then still be on its way.
   */
  async send(
    origin: string,
    write: () => Promise<{ readonly destination: Destination; readonly letter: Letter }>,
    { signal, alongside = () => {} }: { signal: AbortSignal; alongside?: () => void },
  ): Promise<readonly Delivery[]> {
    const { outbox } = this.#parts;
    const known = outbox.ofOrigin(origin).map(({ id }) => id);
    const ids = known.length > 0 ? known : await this.#once(origin, async () => {
      const { destination, letter } = await write();
      try {
        return this.#post(origin, { ...destination, letter, alongside });
      } catch (error) {
        for (const attachment of letter.attachments ?? []) await this.files.release({ attachment });
        throw error;
      }
    });
    const deliveries = [];
    const deadline = Date.now() + WAIT_MS;
    for (const id of ids) {
      const timeoutMs = Math.max(0, deadline - Date.now());
      deliveries.push(requireSent(await outbox.ended(id, { signal, timeoutMs })));
    }
    return deliveries;
  }

  /** Does something to a message. Rejects where the network can't, or did not. */
  async act({ place, messageId }: MessageRef, deed: Deed, signal: AbortSignal): Promise<void> {
    const { channel } = this.destination(place);
    const label = this.#parts.supervisor.network(place.channel)?.label ?? place.channel;
    const target = { place, messageId };
    using deadline = new Deadline(WAIT_MS, signal);
    const { signal: until } = deadline;
    requireDone(await doneBy(channel, { target, deed, label, signal: until }), label);
  }

  /** Refuses a poll where the network has none. */
  requirePolls({ channel, place }: Destination): void {
    if (!hasPolls(channel)) {
      throw invalid(`${this.#parts.supervisor.network(place.channel)?.label} has no polls`);
    }
  }

  /** Puts a letter into the outbox, in one piece or in several. */
  #post(
    origin: string,
    { place, channel, letter, alongside }: Destination & {
      letter: Letter;
      alongside: () => void;
    },
  ): readonly string[] {
    const messages = messagesOf(letter, channel);
    return this.#parts.store.transaction(() => {
      alongside();
      return messages.map((message) => this.#parts.outbox.add({ place, ...message }, origin));
    });
  }

  #once(
    origin: string,
    write: () => Promise<readonly string[]>,
  ): Promise<readonly string[]> {
    const running = this.#writing.get(origin);
    if (running !== undefined) return running;
    const writing = write().finally(() => this.#writing.delete(origin));
    this.#writing.set(origin, writing);
    return writing;
  }

  #requireAccount({ channel: named, accountId }: Address): { channel: string; accountId: string } {
    const { supervisor } = this.#parts;
    const channel = named?.trim().toLowerCase() || this.#onlyChannel();
    if (channel === "webchat") {
      throw invalid(
        "unsupported channel: webchat (internal-only). Use `chat.send` to talk in a session",
      );
    }
    if (supervisor.network(channel) === undefined) throw invalid(`unsupported channel: ${channel}`);
    const standing = supervisor.account(channel, accountId?.trim() || undefined);
    if (standing === undefined) {
      const known = supervisor.accounts(channel).map(({ account }) => account.accountId);
      throw invalid(
        known.length === 0
          ? `Error: ${channel} is not set up`
          : `Error: there is no account '${accountId}' on ${channel}; there is ${known.join(", ")}`,
      );
    }
    return { channel, accountId: standing.account.accountId };
  }

  #onlyChannel(): string {
    const channels = this.#parts.supervisor.configured.map(({ id }) => id);
    const [only, ...others] = channels;
    if (only !== undefined && others.length === 0) return only;
    const choice = only === undefined ? "no network is set up" : `one of ${channels.join(", ")}`;
    throw invalid(`Error: Channel is required (${choice})`);
  }

  #requireChannel(channel: string, accountId: string): Channel {
    const { supervisor } = this.#parts;
    const way = supervisor.channel({ channel, accountId });
    if (way !== undefined) return way;
    const { attendant } = supervisor.account(channel, accountId) ?? {};
    const why = attendant?.vitals.halt?.message ?? "it is off";
    throw new GatewayError("UNAVAILABLE", `${channel} account '${accountId}' can't send: ${why}`);
  }

  async #resolve(channel: Channel, words: string, signal: AbortSignal): Promise<Place> {
    if (!resolvesTargets(channel)) {
      const { id, accountId } = channel;
      return { channel: id, accountId, kind: "direct", chatId: words };
    }
    try {
      return await channel.resolve(words, signal);
    } catch (cause) {
      const why = `Error: ${cause instanceof Error ? cause.message : cause}`;
      if (!(cause instanceof ChannelError)) throw invalid(why);
      throw new GatewayError("UNAVAILABLE", why, { retryable: cause.reason === "network" });
    }
  }
}

/** The messages that a letter becomes: a short text goes with its first file, a long one before it. */
function messagesOf(
  { text, attachments = [], poll, replyTo, isSilent, buttons }: Letter,
  { capabilities: { textLimit, captionLimit, measure } }: Channel,
): readonly Omit<OutboundMessage, "id" | "place" | "acceptedAt">[] {
  const common = isSilent === undefined ? {} : { isSilent };
  const [first, ...rest] = attachments;
  const isCaption = first !== undefined && fits(text, { limit: captionLimit, measure });
  const texts = isCaption ? [] : split(text, { limit: textLimit, measure });
  const messages = [
    ...texts.map((part) => ({ ...common, text: part })),
    ...(first === undefined ? [] : [{ ...common, text: isCaption ? text : "", attachment: first }]),
    ...rest.map((attachment) => ({ ...common, text: "", attachment })),
    ...(poll === undefined ? [] : [{ ...common, text: "", poll }]),
  ];
  return messages.map((message, i) => ({
    ...message,
    ...(i === 0 && replyTo !== undefined ? { replyTo } : {}),
    ...(i === messages.length - 1 && buttons !== undefined ? { buttons } : {}),
  }));
}

function requireSent(delivery: Delivery | undefined): Delivery {
  if (delivery?.state === "sent") return delivery;
  if (delivery === undefined) throw new GatewayError("UNAVAILABLE", "the message was dropped");
  const { state, error = "no reason is known", id } = delivery;
  if (state === "dead") throw new GatewayError("UNAVAILABLE", `the message was not sent: ${error}`);
  if (state === "unknown") {
    throw new GatewayError("UNAVAILABLE", `nobody can tell whether it was sent: ${error}`);
  }
  const why = delivery.error === undefined ? "" : ` (${delivery.error})`;
  throw new GatewayError(
    "UNAVAILABLE",
    `the message is still on its way${why}: it is '${id}' in the outbox`,
    { retryable: true },
  );
}

async function doneBy(
  channel: Channel,
  { target, deed, label, signal }: {
    target: MessageRef;
    deed: Deed;
    label: string;
    signal: AbortSignal;
  },
): Promise<Receipt> {
  switch (deed.kind) {
    case "react":
      if (!reacts(channel)) throw invalid(`${label} has no reactions`);
      return await channel.react(target, deed.emoji, signal);
    case "edit":
      if (!canEdit(channel)) throw invalid(`${label} does not let a message be edited`);
      return await channel.edit(target, deed.text, signal);
    case "delete":
      if (!canDelete(channel)) throw invalid(`${label} does not let a message be deleted`);
      return await channel.delete(target, signal);
  }
}

function requireDone(receipt: Receipt, label: string): void {
  if (receipt.sent) return;
  const { reason, detail, retryAfterMs } = receipt;
  if (reason === "rejected") throw invalid(`${label}: ${detail}`);
  const retry = retryAfterMs === undefined ? {} : { retryAfterMs };
  throw new GatewayError("UNAVAILABLE", `${label}: ${detail}`, {
    retryable: reason !== "auth",
    ...retry,
  });
}

function resolvesTargets(channel: Channel): channel is Channel & Targets {
  return "resolve" in channel && typeof channel.resolve === "function";
}

function reacts(channel: Channel): channel is Channel & Reactions {
  return "react" in channel && typeof channel.react === "function";
}

function hasPolls(channel: Channel): channel is Channel & Polls {
  return "hasPolls" in channel && channel.hasPolls === true;
}
