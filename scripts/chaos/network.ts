/** What chaos needs of a fake network, whichever it is. */

/** A chat that people write in. */
export interface Chat {
  /** As the network calls it. */
  readonly id: string;
  /** As an operator calls it in `send`. */
  readonly to: string;
}

/** A message of the bot, as people see it now. */
export interface Shown {
  readonly chat: string;
  readonly id: string;
  text: string;
  /** The message that it answers. */
  readonly replyTo?: string;
}

/** How far a message of a person has come. */
export type Fate = "waiting" | "handed" | "acknowledged";

/** Something that can be seen on the wire. */
export const MOMENTS = ["handed", "acknowledged", "called", "shown"] as const;
export type Moment = typeof MOMENTS[number];

/** Lets whoever wants it wait for the next time that something happens. */
export class Moments<T extends string> {
  readonly #waiting = new Map<T, PromiseWithResolvers<void>>();

  happened(what: T): void {
    this.#waiting.get(what)?.resolve();
    this.#waiting.delete(what);
  }

  next(what: T): Promise<void> {
    const known = this.#waiting.get(what) ?? Promise.withResolvers<void>();
    this.#waiting.set(what, known);
    return known.promise;
  }
}

/** A network that goes on while the gateway dies. */
export interface ChaosNetwork extends AsyncDisposable {
  /** As `channels.<id>` calls it. */
  readonly id: string;
  /** What stands under `channels.<id>`. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly chats: readonly Chat[];
  /** What the bot has said, in the order in which it appeared. */
  readonly shown: readonly Shown[];
  readonly moments: Moments<Moment>;
  /** Names of what can go wrong. */
  readonly faults: readonly string[];
  /** Somebody writes. Returns the network's id of the message. */
  say(chat: string, text: string): string;
  fate(chat: string, messageId: string): Fate;
  /** Lets it go wrong, once or until `mend`. */
  begin(fault: string): void;
  /** Whether the order in which messages of a chat were handed over may not be that in which they were said. */
  isShuffled(chat: string): boolean;
  mend(): void;
}

/** Each shorter than what a network would forget in. */
export const FAULT_TIMES = { once: 1, few: 3 } as const;

/** What was seen of a network: how far each message of a person has come, and what the bot said. */
export class Seen {
  readonly shown: Shown[] = [];
  readonly moments = new Moments<Moment>();
  readonly #fates = new Map<string, Fate>();
  /** Messages of people that are not acknowledged. */
  readonly #waiting = new Set<string>();
  readonly #shuffled = new Set<string>();

  /** How many messages of people are not acknowledged. */
  get waiting(): number {
    return this.#waiting.size;
  }

  said(chat: string, messageId: string): void {
    this.#waiting.add(keyOf(chat, messageId));
  }

  came(chat: string, messageId: string, fate: "handed" | "acknowledged"): void {
    const key = keyOf(chat, messageId);
    // what is handed over again was acknowledged before
    if (this.#fates.get(key) !== "acknowledged") this.#fates.set(key, fate);
    if (fate === "acknowledged") this.#waiting.delete(key);
  }

  fate(chat: string, messageId: string): Fate {
    return this.#fates.get(keyOf(chat, messageId)) ?? "waiting";
  }

  show(message: Shown): void {
    this.shown.push(message);
    this.moments.happened("shown");
  }

  /** The text is another one now. */
  edit({ chat, id, text }: Pick<Shown, "chat" | "id" | "text">): void {
    const message = this.shown.findLast((shown) => shown.chat === chat && shown.id === id);
    if (message !== undefined) message.text = text;
  }

  /** What waits may be handed over in any order. */
  shuffle(): void {
    for (const key of this.#waiting) this.#shuffled.add(key.split("/")[0] ?? "");
  }

  isShuffled(chat: string): boolean {
    return this.#shuffled.has(chat);
  }
}

function keyOf(chat: string, messageId: string): string {
  return `${chat}/${messageId}`;
}
