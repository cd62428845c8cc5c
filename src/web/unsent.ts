/** Messages that wait to be sent, kept in the browser in case the page is closed before. */
import type { Outgoing } from "./conversation.ts";
import type { Keep } from "./keep.ts";

/** As a message is kept: without its files, which can be large. */
interface Kept {
  /** The key of the conversation that it is for. */
  readonly conversation: string;
  readonly key: string;
  readonly text: string;
  readonly at: number;
  /** Why it is not to be sent by itself. */
  readonly problem?: string;
}

const NAME = "openclaw.unsent";
/** Characters that are kept in all; what is written beyond lives as long as the page. */
const ROOM = 500_000;
/** The gateway knows for a day which messages it has; after that one might arrive twice. */
const GOOD_FOR_MS = 12 * 60 * 60_000;

/** What has not surely arrived. Pages of one browser share the place, each with messages of its own. */
export class UnsentMessages {
  readonly #keep: Keep;
  /** Those that are this page's to take out again. */
  readonly #own = new Set<string>();

  constructor(keep: Keep) {
    this.#keep = keep;
  }

  /** What earlier pages left, in the order of writing. It is this page's from here on. */
  take(): readonly { readonly conversation: string; readonly message: Outgoing }[] {
    const now = Date.now();
    return this.#read().map(({ conversation, key, text, at, problem: known }) => {
      this.#own.add(key);
      const problem = known ?? (now - at > GOOD_FOR_MS ? TOO_OLD : undefined);
      const common = { key, text, at, pictures: [] };
      const message: Outgoing = problem === undefined
        ? { ...common, state: "sending" }
        : { ...common, state: "failed", problem };
      return { conversation, message };
    });
  }

  /** Keeps what of this has not arrived, instead of what was kept for the conversation before. */
  update(conversation: string, outgoing: readonly Outgoing[]): void {
    const unsent = outgoing.filter(({ state }) => state !== "sent");
    if (unsent.length + this.#own.size === 0) return;
    const keys = new Set(unsent.map(({ key }) => key));
    const others = this.#read().filter((one) =>
      !keys.has(one.key) && (one.conversation !== conversation || !this.#own.delete(one.key))
    );
    for (const key of keys) this.#own.add(key);
    this.#write([...others, ...unsent.map((message) => keptOf(conversation, message))]);
  }

  /** Leaves nothing behind for whoever uses the browser next. */
  clear(): void {
    this.#own.clear();
    this.#keep.removeItem(NAME);
  }

  #read(): readonly Kept[] {
    try {
      const kept: unknown = JSON.parse(this.#keep.getItem(NAME) ?? "[]");
      return Array.isArray(kept) ? kept.filter(isKept) : [];
    } catch {
      return []; // not by this version of the page
    }
  }

  #write(kept: readonly Kept[]): void {
    let room = ROOM;
    // One that is too long must not keep from being written what became of the others.
    const fitting = kept.filter(({ text }) => {
      if (text.length > room) return false;
      room -= text.length;
      return true;
    });
    if (fitting.length === 0) return this.#keep.removeItem(NAME);
    try {
      this.#keep.setItem(NAME, JSON.stringify(fitting));
    } catch {
      // the browser has no room: they live as long as the page
    }
  }
}

function keptOf(conversation: string, { key, text, at, pictures, problem }: Outgoing): Kept {
  const why = pictures.length > 0 ? WITHOUT_FILES : problem;
  return { conversation, key, text, at, ...(why === undefined ? {} : { problem: why }) };
}

const WITHOUT_FILES = "the page was closed before, and its files are lost";
const TOO_OLD = "the gateway was away for too long";

function isKept(value: unknown): value is Kept {
  const { conversation, key, text, at, problem } = Object(value);
  return [conversation, key, text].every((part) => typeof part === "string") &&
    typeof at === "number" && (problem === undefined || typeof problem === "string");
}
