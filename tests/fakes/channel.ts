/** A network without wires: one account of it, the chats it shows, and the faults that a test scripts. */
import * as Type from "../../schemas/type.ts";
import type {
  Capabilities,
  Channel,
  ChannelOptions,
  Inbox,
  MessageRef,
  Network,
  NetworkEntry,
  Self,
} from "../../src/channel.ts";
import {
  chatOf,
  type InboundMessage,
  type OutboundMessage,
  type Place,
  type Receipt,
} from "../../src/message.ts";

/** What a test makes of one attempt to send: a receipt, or nothing to let it pass. */
export type SendFault = (
  message: OutboundMessage,
  signal: AbortSignal,
) => Receipt | undefined | Promise<Receipt | undefined>;

/** The same for what is done to a message that is there; an empty text removes it. */
export type ChangeFault = (
  target: MessageRef,
  text: string,
) => Receipt | undefined | Promise<Receipt | undefined>;

/** A message as people in the chat see it. */
export interface Shown {
  readonly id: string;
  readonly message: OutboundMessage;
}

/** The network itself: it outlives the channels that connect to it. */
export class FakeNetwork {
  readonly shown: Shown[] = [];
  readonly #waiting = new Set<() => void>();
  readonly #isIdempotent: boolean;
  #count = 0;

  /** With `isIdempotent` a message of one id is shown once. */
  constructor({ isIdempotent = false }: { isIdempotent?: boolean } = {}) {
    this.#isIdempotent = isIdempotent;
  }

  /** Takes a message, and returns what it calls it. */
  take(message: OutboundMessage): string {
    const known = this.#isIdempotent ? this.find(message.id) : undefined;
    if (known !== undefined) return known;
    const id = `m${++this.#count}`;
    this.shown.push({ id, message });
    for (const look of [...this.#waiting]) look();
    return id;
  }

  /** Changes what a message says, or removes it for an empty text. Returns whether it was there. */
  change(id: string, text: string): boolean {
    const at = this.shown.findIndex((shown) => shown.id === id);
    const [old] = this.shown.splice(at, at < 0 ? 0 : 1);
    if (old === undefined) return false;
    if (text !== "") this.shown.splice(at, 0, { id, message: { ...old.message, text } });
    for (const look of [...this.#waiting]) look();
    return true;
  }

  /** What it calls a message of ours; `undefined` for one that it does not show. */
  find(ourId: string): string | undefined {
    return this.shown.find(({ message }) => message.id === ourId)?.id;
  }

  /** The texts in a chat, or in all. */
  texts(place?: Place): readonly string[] {
    return this.shown.filter(({ message }) =>
      place === undefined || chatOf(message.place) === chatOf(place)
    ).map(({ message }) => message.text);
  }

  /** Resolves once so many messages are shown. */
  async showing(count: number): Promise<void> {
    await this.until(() => this.shown.length >= count);
  }

  /** Resolves once it is so; asked after each change of what is shown. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      await new Promise<void>((resolve) => {
        const look = () => {
          this.#waiting.delete(look);
          resolve();
        };
        this.#waiting.add(look);
      });
    }
  }
}

export interface FakeChannelOptions {
  readonly id?: string;
  readonly accountId?: string;
  readonly network?: FakeNetwork;
  readonly capabilities?: Partial<Capabilities>;
  /** Whether the network tells what it shows. */
  readonly canLook?: boolean;
}

/** One account. It connects when its `run` is asked to, and does what it is told. */
export class FakeChannel implements Channel {
  readonly id: string;
  readonly accountId: string;
  readonly capabilities: Capabilities;
  readonly network: FakeNetwork;
  /** Taken one by one, each for one attempt. */
  readonly faults: SendFault[] = [];
  /** The same for edits and deletions. */
  readonly changeFaults: ChangeFault[] = [];
  /** Every attempt, in order. */
  readonly attempts: OutboundMessage[] = [];
  readonly typed: Place[] = [];
  readonly done: { readonly what: string; readonly target: MessageRef; readonly text?: string }[] =
    [];
  readonly find?: (message: OutboundMessage) => Promise<Receipt | "absent" | undefined>;
  /** What `run` does once it is asked; it stays connected by default. */
  onRun: (inbox: Inbox, signal: AbortSignal) => Promise<void> = connected;
  onProbe: () => Promise<Self> = () => Promise.resolve({ id: "1", username: "fake_bot" });
  onTyping: (place: Place) => Promise<void> = () => Promise.resolve();
  inbox: Inbox | undefined;
  runs = 0;
  readonly #begun = Promise.withResolvers<void>();

  constructor(
    { id = "fake", accountId = "default", network, capabilities, canLook = false }:
      FakeChannelOptions = {},
  ) {
    this.id = id;
    this.accountId = accountId;
    this.network = network ?? new FakeNetwork();
    this.capabilities = { ...CAPABILITIES, ...capabilities };
    if (canLook) {
      this.find = ({ id }) => {
        const found = this.network.find(id);
        return Promise.resolve(
          found === undefined ? "absent" : { sent: true, messageIds: [found] } as const,
        );
      };
    }
  }

  async run(inbox: Inbox, signal: AbortSignal): Promise<void> {
    this.runs++;
    this.inbox = inbox;
    this.#begun.resolve();
    await this.onRun(inbox, signal);
  }

  /** Somebody wrote to us: hands it over once it runs, and resolves when the network may forget it. */
  async hears(message: InboundMessage): Promise<void> {
    await this.#begun.promise;
    await this.inbox?.receive(message);
  }

  async send(message: OutboundMessage, signal: AbortSignal): Promise<Receipt> {
    this.attempts.push(message);
    const fault = await this.faults.shift()?.(message, signal);
    return fault ?? { sent: true, messageIds: [this.network.take(message)] };
  }

  async typing(place: Place): Promise<void> {
    this.typed.push(place);
    await this.onTyping(place);
  }

  edit(target: MessageRef, text: string): Promise<Receipt> {
    this.done.push({ what: "edit", target, text });
    return this.#change(target, text);
  }

  delete(target: MessageRef): Promise<Receipt> {
    this.done.push({ what: "delete", target });
    return this.#change(target, "");
  }

  async #change(target: MessageRef, text: string): Promise<Receipt> {
    const fault = await this.changeFaults.shift()?.(target, text);
    if (fault !== undefined) return fault;
    return this.network.change(target.messageId, text)
      ? { sent: true, messageIds: [target.messageId] }
      : { sent: false, reason: "rejected", detail: "it is not there" };
  }

  react(target: MessageRef, emoji: string): Promise<Receipt> {
    this.done.push({ what: "react", target, text: emoji });
    return Promise.resolve({ sent: true, messageIds: [target.messageId] });
  }

  readonly hasPolls = true;

  probe(): Promise<Self> {
    return this.onProbe();
  }

  resolve(target: string): Promise<Place> {
    const match = /^(#?)(\w+)$/.exec(target);
    if (match === null) {
      return Promise.reject(new Error(`'${target}' is no chat: write name or #name`));
    }
    const kind = match[1] === "#" ? "group" : "direct";
    return Promise.resolve(
      placeOf(match[2]!, { kind, channel: this.id, accountId: this.accountId }),
    );
  }

  respond(request: Request): Promise<Response> {
    return request.text().then((body) => new Response(`got ${body}`));
  }
}

/** A network of fakes, as the registry would name it. `make` is asked for each account's channel. */
export function fakeNetwork(
  id: string,
  make: (options: ChannelOptions) => Channel,
): NetworkEntry {
  const label = id.charAt(0).toUpperCase() + id.slice(1);
  const network: Network = {
    id,
    label,
    schema: Type.Object({ token: Type.Optional(Type.String()) }),
    secrets: [{ key: "token", env: "FAKE_TOKEN", question: "Token", isRequired: true }],
    nextSteps: "Write to the bot.",
    create: make,
  };
  return { id, label, load: () => Promise.resolve(network) };
}

/** A chat of two, unless told otherwise. */
export function placeOf(chatId: string, more: Partial<Place> = {}): Place {
  return { channel: "fake", accountId: "default", kind: "direct", chatId, ...more };
}

/** Somebody wrote to us. */
export function inboundOf(
  text: string,
  { place = placeOf("ada"), messageId = crypto.randomUUID() }: {
    place?: Place;
    messageId?: string;
  } = {},
): InboundMessage {
  return {
    eventId: messageId,
    kind: "message",
    messageId,
    place,
    sender: { id: "ada", name: "Ada" },
    at: Date.now(),
    text,
    attachments: [],
    mentionsUs: true,
  };
}

/** Connects, and stays until the signal aborts. */
export async function connected(inbox: Inbox, signal: AbortSignal): Promise<void> {
  inbox.status({ kind: "connecting" });
  inbox.status({ kind: "connected", self: { id: "1", username: "fake_bot" } });
  await untilAborted(signal);
}

export function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) =>
    signal.addEventListener("abort", () => resolve(), { once: true })
  );
}

const CAPABILITIES: Capabilities = {
  textLimit: 100,
  captionLimit: 50,
  measure: (markdown) => markdown.length,
  maxUploadBytes: 1_000_000,
  idempotentForMs: 0,
  silentAfterMs: 60_000,
  editEveryMs: 0,
};
