/** Conversations that go on, in memory: each turn reads all that was said, and adds two messages. */
import type { TranscriptEntry } from "../session.ts";

/** Letters of JSON that are kept in all; a conversation with more is read each time. */
const MAX_LENGTH = 2_000_000;

interface Context {
  readonly entries: TranscriptEntry[];
  length: number;
}

/** What contexts consist of, those that were used longest ago forgotten first. */
export class Contexts {
  readonly #maxLength: number;
  /** By the session's id, the one used last at the end. */
  readonly #contexts = new Map<string, Context>();
  #length = 0;

  constructor(maxLength = MAX_LENGTH) {
    this.#maxLength = maxLength;
  }

  /** A copy, which does not grow. */
  get(sessionId: string): readonly TranscriptEntry[] | undefined {
    const context = this.#contexts.get(sessionId);
    if (context === undefined) return undefined;
    this.#contexts.delete(sessionId);
    this.#contexts.set(sessionId, context);
    return [...context.entries];
  }

  /** `length` is how much JSON the entries are. */
  set(sessionId: string, entries: readonly TranscriptEntry[], length: number): void {
    this.delete(sessionId);
    if (length > this.#maxLength) return; // others would go for nothing
    this.#contexts.set(sessionId, { entries: [...entries], length });
    this.#length += length;
    this.#makeRoom();
  }

  /** Adds a message to a context that is kept. */
  append(sessionId: string, entry: TranscriptEntry, length: number): void {
    const context = this.#contexts.get(sessionId);
    if (context === undefined) return;
    context.entries.push(entry);
    context.length += length;
    this.#length += length;
    this.#makeRoom();
  }

  delete(sessionId: string): void {
    this.#length -= this.#contexts.get(sessionId)?.length ?? 0;
    this.#contexts.delete(sessionId);
  }

  clear(): void {
    this.#contexts.clear();
    this.#length = 0;
  }

  #makeRoom(): void {
    for (const sessionId of this.#contexts.keys()) {
      if (this.#length <= this.#maxLength) return;
      this.delete(sessionId);
    }
  }
}
