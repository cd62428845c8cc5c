/** What is being written, shown in its chat before it is whole: by a message that is edited. */
import { pause } from "../deadline.ts";
import type { Log } from "../log.ts";
import type { Outbox } from "./outbox.ts";

export interface PreviewParts {
  readonly outbox: Pick<Outbox, "ended" | "revise">;
  readonly log: Log;
  /** How often the message may be edited, in milliseconds. */
  readonly everyMs: number;
  /** What can be shown of a text; nothing where it is empty. */
  shown(text: string): string;
  /** Accepts the message that shows it, and returns its id. */
  send(text: string): string;
  /** The message, where an earlier process has sent it. */
  readonly id?: string;
}

/** A shorter text is shown once it has a sentence. */
const ENOUGH = 20;
const SENTENCE = /[.!?…。！？](?:\s|$)/u;
/** Longer than any message waits to be sent. Milliseconds. */
const LONG_MS = 2 ** 31 - 1;
/** So many edits may fail in a row. */
const MAX_FAULTS = 3;

/** Shows what it is told, at the network's pace, until it is disposed of. It is a nicety: it never fails. */
export class Preview implements Disposable {
  readonly #parts: PreviewParts;
  readonly #stop = new AbortController();
  #text = "";
  #news = Promise.withResolvers<void>();
  #stands = false;

  constructor(parts: PreviewParts) {
    this.#parts = parts;
    this.#show().catch((cause) => parts.log.debug("A preview failed", { cause }));
  }

  /** Whether the chat has it. */
  get stands(): boolean {
    return this.#stands;
  }

  /** Says what is written so far. */
  write(text: string): void {
    this.#text = text;
    this.#news.resolve();
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
    this.#news.resolve();
  }

  async #show(): Promise<void> {
    const { outbox, shown, send } = this.#parts;
    const { signal } = this.#stop;
    let seen = "";
    await this.#until(() => isEnough(this.#text) && (seen = shown(this.#text)) !== "");
    if (signal.aborted) return;
    const id = this.#parts.id ?? send(seen);
    if (this.#parts.id !== undefined) seen = ""; // whatever it shows
    const delivery = await outbox.ended(id, { signal, timeoutMs: LONG_MS });
    if (signal.aborted || delivery?.state !== "sent") return;
    this.#stands = true;
    let { everyMs } = this.#parts;
    let waitMs = everyMs;
    let faults = 0;
    let written = "";
    while (faults < MAX_FAULTS) {
      await pause(waitMs, signal);
      await this.#until(() => this.#text !== written);
      if (signal.aborted) return;
      waitMs = everyMs;
      written = this.#text;
      const text = shown(written);
      if (text === "" || text === seen) continue;
      const receipt = await outbox.revise(id, text);
      if (receipt === undefined) written = ""; // its chat had something else to do
      else if (receipt.sent) [seen, faults] = [text, 0];
      else if (receipt.reason === "rejected") return;
      else {
        faults++;
        if (receipt.reason === "rate_limited") everyMs *= 2;
        waitMs = Math.max(everyMs * 2 ** (faults - 1), receipt.retryAfterMs ?? 0);
        written = "";
      }
    }
  }

  /** Asks after each piece of news. Resolves once it is so, or the end has come. */
  async #until(isSo: () => boolean): Promise<void> {
    while (!this.#stop.signal.aborted && !isSo()) {
      await this.#news.promise;
      this.#news = Promise.withResolvers();
    }
  }
}

function isEnough(text: string): boolean {
  const said = text.trim();
  return said.length >= ENOUGH || SENTENCE.test(said);
}
