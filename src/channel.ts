/** A network that messages come from and go to: what every adapter is, and what it may ask of us. */
import type { TSchema } from "@sinclair/typebox";
import type { Log } from "./log.ts";
import type {
  InboundAttachment,
  InboundMessage,
  OutboundMessage,
  Place,
  Receipt,
} from "./message.ts";
import type { KeyValues } from "./store.ts";

/** One account of one network. */
export interface Channel {
  readonly id: string;
  readonly accountId: string;
  readonly capabilities: Capabilities;
  /**
   * Connects, and stays connected until the signal aborts; then resolves within a second. Rejects
   * when the network is lost, with a `ChannelError` where a person must mend it. Whether and when
   * to come back is the supervisor's to decide.
   */
  run(inbox: Inbox, signal: AbortSignal): Promise<void>;
  /**
   * Tries once, and does not wait to be connected. Never rejects for what the network does: that is
   * in the receipt. Where the signal aborts after the message went out, the receipt is `unknown`.
   */
  send(message: OutboundMessage, signal: AbortSignal): Promise<Receipt>;
}

/** Limits and abilities, as data. */
export interface Capabilities {
  /** How long a text may be, in the unit of `measure`. */
  readonly textLimit: number;
  /** How long a text beside an attachment may be. */
  readonly captionLimit: number;
  /** The length that Markdown has on this network: UTF-16 units, bytes, whatever it counts. */
  measure(markdown: string): number;
  /** The largest file to send, in bytes. */
  readonly maxUploadBytes: number;
  /** The network shows a message of one id once, for so many milliseconds; 0 where it has no such key. */
  readonly idempotentForMs: number;
  /** After so long without a sign of life a connection is not `ok` any more. Milliseconds. */
  readonly silentAfterMs: number;
  /** How often a message may be edited while it is being written, in milliseconds; 0 for never. */
  readonly editEveryMs: number;
}

/** All that a channel may ask of us. */
export interface Inbox {
  /**
   * Resolves once the message is on disk, or was there already: only then may the channel tell the
   * network that it has it. Rejects where it can't be stored; then it must not be acknowledged.
   */
  receive(message: InboundMessage): Promise<void>;
  /** Says what is known of the connection; the time is taken here. */
  status(evidence: Evidence): void;
}

/** A sign of life, or of trouble. */
export type Evidence =
  | { readonly kind: "connecting" }
  /** The network has let us in. */
  | { readonly kind: "connected"; readonly self: Self }
  /** Something came in. */
  | { readonly kind: "frame" }
  /** The network answered when it was asked whether it is there. */
  | { readonly kind: "heartbeat" }
  /** Not lost, but not well either. */
  | { readonly kind: "trouble"; readonly detail: string };

/** Who we are on a network. */
export interface Self {
  readonly id: string;
  readonly name?: string;
  readonly username?: string;
}

/** Why a channel can't go on. */
export class ChannelError extends Error {
  override readonly name = "ChannelError";

  /**
   * `auth`: the token is wrong or was taken back. `kicked`: another session took the place.
   * `config`: something must be allowed or set at the network. All three are for a person to mend.
   * `network`: it may be better later.
   */
  constructor(
    readonly reason: "auth" | "kicked" | "config" | "network",
    message: string,
    { retryAfterMs, cause }: { retryAfterMs?: number; cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.retryAfterMs = retryAfterMs;
  }

  /** Milliseconds to wait, by the network's own answer. */
  readonly retryAfterMs: number | undefined;
}

// Optional powers: a channel has one if it has its functions.

export interface Downloads {
  /** The bytes of an attachment. Rejects with a `ChannelError`, or where the network has it no more. */
  download(attachment: InboundAttachment, signal: AbortSignal): Promise<ReadableStream<Uint8Array>>;
}

export interface Edits {
  /** Replaces the text of a message of ours. */
  edit(target: MessageRef, text: string, signal: AbortSignal): Promise<Receipt>;
}

export interface Deletes {
  delete(target: MessageRef, signal: AbortSignal): Promise<Receipt>;
}

export function canEdit(channel: Channel): channel is Channel & Edits {
  return "edit" in channel && typeof channel.edit === "function";
}

export function canDelete(channel: Channel): channel is Channel & Deletes {
  return "delete" in channel && typeof channel.delete === "function";
}

export interface Typing {
  /** Shows, for a few seconds, that something is being written. */
  typing(place: Place, signal: AbortSignal): Promise<void>;
}

export interface Reactions {
  /** Sets our reaction to a message; an empty emoji takes it back. */
  react(target: MessageRef, emoji: string, signal: AbortSignal): Promise<Receipt>;
}

export interface Polls {
  /** Messages with a `poll` may be sent. */
  readonly hasPolls: true;
}

export interface Lookup {
  /**
   * Looks whether a message that was perhaps sent is there: its receipt, or `absent`. `undefined`
   * where the network does not tell.
   */
  find(message: OutboundMessage, signal: AbortSignal): Promise<Receipt | "absent" | undefined>;
}

export interface Probe {
  /** Asks the network who we are. Rejects with a `ChannelError`. */
  probe(signal: AbortSignal): Promise<Self>;
}

export interface Targets {
  /**
   * The place that a person's words name: an id, `@name`, `#room`, `channel:…`, `user:…`. Rejects
   * with an error that says what would be accepted.
   */
  resolve(target: string, signal: AbortSignal): Promise<Place>;
}

export interface Webhook {
  /**
   * Answers a request of the network to `/webhooks/<channel>/<account>`. Checks by itself that it
   * comes from the network, and answers success only after `receive` resolved.
   */
  respond(request: Request, inbox: Inbox): Promise<Response>;
}

/** A message of the network that something is to be done to. */
export interface MessageRef {
  readonly place: Place;
  readonly messageId: string;
}

/** What an adapter is made with. */
export interface ChannelOptions {
  readonly accountId: string;
  /** The account's settings, checked against the network's schema; secrets filled in. */
  readonly settings: unknown;
  /** What must survive a restart and is the channel's own: an offset, a session. */
  readonly values: KeyValues;
  readonly log: Log;
  /** What people can say to the gateway itself; for the network's own menu. */
  readonly commands?: readonly MenuCommand[];
}

/** A command of the gateway, as a network may offer it. */
export interface MenuCommand {
  /** Without the slash: `[a-z]+`. */
  readonly name: string;
  readonly description: string;
  /** Something may follow it. */
  readonly acceptsArgs: boolean;
}

/** One network, as `channels/registry.ts` names it. */
export interface Network {
  readonly id: string;
  /** For people. */
  readonly label: string;
  /** The settings of one account, beside those that all networks share. */
  readonly schema: TSchema;
  /** The secrets among them, and where else they may be found. */
  readonly secrets: readonly {
    readonly key: string;
    /** The key that names a file which holds it instead. */
    readonly fileKey?: string;
    /** The environment variable that the default account may take it from. */
    readonly env: string;
    /** What to ask a person for, and where it is found. */
    readonly question: string;
    readonly isRequired: boolean;
  }[];
  /** Says what a person should do next at the network, once the account is set up. */
  readonly nextSteps: string;
  create(options: ChannelOptions): Channel;
}

/** One network that the program knows; it is loaded when an account of it is set up. */
export interface NetworkEntry {
  readonly id: string;
  /** For people. */
  readonly label: string;
  load(): Promise<Network>;
}
