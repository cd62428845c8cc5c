/** Notices that a conversation's agent hears with its next turn. */
import type { SessionKey } from "../session.ts";
import type { KeyValues } from "../store.ts";

interface Notice {
  readonly text: string;
  readonly at: number;
}

/** Notices kept for one conversation; older ones give way. */
const CAP = 20;

/** On disk from the moment they are accepted. */
export class SystemEvents {
  readonly #values: KeyValues;

  constructor(values: KeyValues) {
    this.#values = values;
  }

  push(key: SessionKey, text: string): void {
    const notices = [...this.#read(key), { text, at: Date.now() }].slice(-CAP);
    this.#values.set(nameOf(key), notices);
  }

  waiting(key: SessionKey): readonly string[] {
    return this.#read(key).map(({ text }) => text);
  }

  /** Hands out what waits, as lines for the agent; they are gone once `take` returned. */
  take(key: SessionKey): string | undefined {
    const notices = this.#read(key);
    if (notices.length === 0) return undefined;
    this.#values.delete(nameOf(key));
    return notices.map(({ text, at }) => `System: [${new Date(at).toISOString()}] ${text}`).join(
      "\n",
    );
  }

  #read(key: SessionKey): readonly Notice[] {
    return (this.#values.get(nameOf(key)) ?? []) as readonly Notice[]; // written by push
  }
}

function nameOf(key: SessionKey): string {
  return `system-events.${key}`;
}
