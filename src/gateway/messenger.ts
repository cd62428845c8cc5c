/** The chats as an agent may use them: its own, and others only where the owner allows it. */
import { randomUUID } from "node:crypto";
import { invalid } from "../error.ts";
import type { Place, ReplyTarget } from "../message.ts";
import type { AgentTarget, Elsewhere, Messenger } from "../messenger.ts";
import type { Delivery } from "../store.ts";
import type { Deed, Destination, Letter, Messaging } from "./messaging.ts";
import type { Settings } from "./settings.ts";

export interface MessengerParts {
  readonly messaging: Messaging;
  readonly settings: Settings;
  /** Where files lie that came with messages. */
  readonly mediaFolder: string;
}

/**
 * What a run may do, given the chat that it answers in. `undefined` where it may not write into any
 * chat.
 */
export function createMessenger(
  runId: string,
  target: ReplyTarget | undefined,
  { messaging, settings, mediaFolder }: MessengerParts,
): Messenger | undefined {
  const { allowWithinProvider = false, allowAcrossProviders = false } =
    settings.config.tools?.message?.crossContext ?? {};
  if (target === undefined && !allowAcrossProviders) return undefined;

  async function find({ to }: Elsewhere, signal: AbortSignal): Promise<Destination> {
    if (to === undefined) {
      if (target !== undefined) return messaging.destination(target.place);
      throw invalid("This conversation is in no chat: say in 'to' which one is meant");
    }
    const [, network, words = to] = /^([a-z][a-z0-9-]*):(.+)$/is.exec(to) ?? [];
    const isNetwork = network !== undefined && messaging.knows(network);
    const channel = isNetwork ? network : target?.place.channel;
    const isOwn = channel === target?.place.channel;
    const found = await messaging.find({
      ...(channel === undefined ? {} : { channel }),
      ...(isOwn && target !== undefined ? { accountId: target.place.accountId } : {}),
      to: isNetwork ? words : to,
    }, signal);
    requireAllowed(found.place);
    return target !== undefined && isSameChat(found.place, target.place)
      ? messaging.destination(target.place) // with its thread
      : found;
  }

  function requireAllowed(place: Place): void {
    if (allowAcrossProviders || target !== undefined && isSameChat(place, target.place)) return;
    const isWithin = place.channel === target?.place.channel &&
      place.accountId === target.place.accountId;
    if (isWithin && allowWithinProvider) return;
    const key = isWithin ? "allowWithinProvider" : "allowAcrossProviders";
    throw invalid(
      `Only the chat of this conversation may be written to: the owner has not set ` +
        `tools.message.crossContext.${key}`,
    );
  }

  async function send(
    to: Elsewhere,
    write: (destination: Destination) => Promise<Letter>,
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    const destination = await find(to, signal);
    const deliveries = await messaging.send(
      `tool:${runId}:${randomUUID()}`,
      async () => ({ destination, letter: await write(destination) }),
      { signal },
    );
    return deliveries.flatMap(({ messageIds = [] }: Delivery) => messageIds);
  }

  async function act(to: AgentTarget, deed: Deed, signal: AbortSignal): Promise<void> {
    const { place } = await find(to, signal);
    const isOwn = target !== undefined && isSameChat(place, target.place);
    const messageId = to.messageId ?? (isOwn ? target.messageId : undefined);
    if (messageId === undefined) throw invalid("Say in 'messageId' which message is meant");
    await messaging.act({ place, messageId }, deed, signal);
  }

  return {
    here: target === undefined ? undefined : nameOf(target.place),

    send: (letter, signal) =>
      send(letter, async ({ channel }) => {
        const { text, files = [], folder, replyTo, isSilent } = letter;
        const maxBytes = channel.capabilities.maxUploadBytes;
        const roots = [folder, mediaFolder];
        const attachments = await messaging.files.keepAll(
          files.map((file) => () => messaging.files.keepPath(file, { maxBytes, signal, roots })),
        );
        return {
          text,
          attachments,
          ...(replyTo === undefined ? {} : { replyTo }),
          ...(isSilent === undefined ? {} : { isSilent }),
        };
      }, signal),

    poll: ({ to, ...poll }, signal) =>
      send({ ...(to === undefined ? {} : { to }) }, (destination) => {
        messaging.requirePolls(destination);
        return Promise.resolve({ text: "", poll });
      }, signal),

    react: ({ emoji, ...to }, signal) => act(to, { kind: "react", emoji }, signal),
    edit: ({ text, ...to }, signal) => act(to, { kind: "edit", text }, signal),
    delete: (to, signal) => act(to, { kind: "delete" }, signal),
  };
}

function isSameChat(a: Place, b: Place): boolean {
  return a.channel === b.channel && a.accountId === b.accountId && a.chatId === b.chatId;
}

function nameOf({ channel, kind, title, chatId }: Place): string {
  return `${channel} ${kind} chat ${title ?? chatId}`;
}
