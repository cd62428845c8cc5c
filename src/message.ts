/** A message as the program knows it, whatever network it comes from or goes to. */

/**
 * Where something was said, and where the answer to it goes. It is taken down at the door and
 * carried along, never looked up again. Ids are the network's own stable ones, never names.
 */
export interface Place {
  /** The network: `telegram`, `discord`, … */
  readonly channel: string;
  /** Which of our accounts there; `default` where there is only one. */
  readonly accountId: string;
  /** A chat of two, a closed group, or a room that many can join. */
  readonly kind: "direct" | "group" | "channel";
  readonly chatId: string;
  /** A thread or topic within the chat. */
  readonly threadId?: string;
  /** The server, guild, team or workspace that the chat belongs to. */
  readonly spaceId?: string;
  /** What people call the chat; to be shown only. */
  readonly title?: string;
  /** What a room is called by those who run its space, where nobody else can name one. */
  readonly roomName?: string;
}

/** Somebody who wrote. Only `id` says who it is; the rest is for show. */
export interface Sender {
  readonly id: string;
  readonly name?: string;
  readonly username?: string;
  readonly isBot?: boolean;
  /** Ids of the roles that the network gives them in this chat. */
  readonly roles?: readonly string[];
}

/** What kind of file it is, as far as people care. */
export type MediaKind = "image" | "audio" | "voice" | "video" | "sticker" | "file";

/** A file that came with a message and lies with the network still. */
export interface InboundAttachment {
  readonly kind: MediaKind;
  /** How the channel finds it again: JSON of its own, without secrets. */
  readonly ref: unknown;
  readonly name?: string;
  /** What the network says it is; the bytes decide. */
  readonly mimeType?: string;
  /** Bytes, as the network says. */
  readonly size?: number;
}

export interface GeoPoint {
  readonly latitude: number;
  readonly longitude: number;
  readonly name?: string;
  readonly address?: string;
}

/** Something that a network handed to us. What it is about depends on `kind`. */
export type InboundMessage = InboundBase & InboundContent;

export interface InboundBase {
  /**
   * What the network would call it if it said it again: unique within channel, account and chat.
   * For an edit or a reaction it names that edit or reaction, not the message.
   */
  readonly eventId: string;
  readonly place: Place;
  readonly sender: Sender;
  /** When it was said, by the network's clock. Epoch milliseconds. */
  readonly at: number;
}

export type InboundContent =
  | {
    readonly kind: "message";
    readonly messageId: string;
    /** With the mentions of people resolved to names. Empty where there are only attachments. */
    readonly text: string;
    readonly attachments: readonly InboundAttachment[];
    /** The network itself says that we are meant: a mention, or a chat of two. */
    readonly mentionsUs: boolean;
    readonly replyTo?: {
      readonly messageId: string;
      readonly text?: string;
      readonly senderName?: string;
      /** It answers a message of ours. */
      readonly toUs: boolean;
    };
    readonly location?: GeoPoint;
    /** Messages with the same id were sent as one; they become one turn. */
    readonly albumId?: string;
  }
  | { readonly kind: "edit"; readonly messageId: string; readonly text: string }
  | { readonly kind: "delete"; readonly messageId: string }
  | {
    readonly kind: "reaction";
    readonly messageId: string;
    readonly emoji: string;
    readonly isAdded: boolean;
    /** The message is one of ours; absent where the network does not say whose it is. */
    readonly toUs?: boolean;
  }
  /** A command of the network's own menu, as the text that somebody would have typed. */
  | {
    readonly kind: "command";
    readonly messageId: string;
    readonly text: string;
    /** The network shows that it waits, until there is an answer to it. */
    readonly isAwaited?: true;
  }
  /** A button of ours was pressed; `value` is what we gave it. */
  | { readonly kind: "button"; readonly messageId: string; readonly value: string };

/** A file of ours to send. */
export interface OutboundAttachment {
  readonly kind: MediaKind;
  /** Where it lies on this machine; a channel streams it from there. */
  readonly path: string;
  readonly name: string;
  readonly mimeType: string;
  /** Bytes. */
  readonly size: number;
}

export interface Button {
  readonly text: string;
  /** Comes back in `InboundMessage` when it is pressed. At most 64 bytes. */
  readonly value: string;
}

export interface Poll {
  readonly question: string;
  readonly options: readonly string[];
  /** How many may be chosen; 1 when absent. */
  readonly maxSelections?: number;
  readonly durationSeconds?: number;
  readonly isAnonymous?: boolean;
}

/** One message to send: it becomes one message of the network. */
export interface OutboundMessage {
  /**
   * Names this message for ever. Where the network has an idempotency key this is it, so that what
   * is sent twice appears once.
   */
  readonly id: string;
  readonly place: Place;
  /** Markdown, short enough by the channel's own measure. May be empty beside other content. */
  readonly text: string;
  readonly attachment?: OutboundAttachment;
  readonly poll?: Poll;
  readonly buttons?: readonly (readonly Button[])[];
  /**
   * The network's id of the message that it answers. All that answers a command has it: some
   * networks keep a place open for that, and show it to nobody but who asked.
   */
  readonly replyTo?: string;
  /** Without a sound. */
  readonly isSilent?: boolean;
  /** When it was accepted, in epoch milliseconds: who looks for it need not look further back. */
  readonly acceptedAt?: number;
  /** What an answer says that is still being written. Another message `edits` it in the end. */
  readonly isPreview?: true;
  /**
   * Our id of a preview that was accepted before, in the same chat. This takes its place where the
   * network shows it, and is sent by itself where not. With `isPreview` it is only how the preview
   * ends that no answer follows: never sent by itself, and with an empty text the preview is removed.
   */
  readonly edits?: string;
}

/** Where the answer to something goes. Carried with the run from the door on. */
export interface ReplyTarget {
  readonly place: Place;
  /** The message that is answered, in the network's words. */
  readonly messageId?: string;
  /** The network waits for an answer to just that message. */
  readonly isAwaited?: true;
}

/** What became of a message that was to be sent. */
export type Receipt =
  | {
    readonly sent: true;
    /** The network's ids of what was sent; more than one where it had to cut. */
    readonly messageIds: readonly string[];
  }
  | {
    readonly sent: false;
    readonly reason: SendFault;
    /** For people, without secrets. */
    readonly detail: string;
    /** Milliseconds to wait, by the network's own answer. */
    readonly retryAfterMs?: number;
    /** The wait is the whole account's, not only this chat's. */
    readonly isGlobal?: boolean;
  };

/**
 * Why a message was not sent. `auth`: the account must be mended first. `rate_limited`: later.
 * `rejected`: never, as it is. `network`: it surely did not arrive. `unknown`: it may have arrived.
 */
export type SendFault = "auth" | "rate_limited" | "rejected" | "network" | "unknown";

/** The chat as one word, the same for every message of it: what must stay in order, stays in one lane. */
export function chatOf({ channel, accountId, chatId, threadId }: Place): string {
  return JSON.stringify([
    channel,
    accountId,
    chatId,
    ...(threadId === undefined ? [] : [threadId]),
  ]);
}
