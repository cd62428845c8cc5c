/** Notices that a conversation's agent hears with its next turn. */
import type { SessionKey } from "../session.ts";
import type { KeyValues } from "../store.ts";

interface Notice {
  readonly text: string;
  readonly at: number;
}

/** Notices that are told to an agent. */
export interface Told {
  /** A line for each of them. */
  readonly lines: string;
  /** The agent has answered to them: they are not told again. */
  heard(): void;
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

  /** What the agent is to be told with a turn. It waits on, as the turn may end before it is heard. */
  tell(key: SessionKey): Told | undefined {
    const notices = this.#read(key);
    if (notices.length === 0) return undefined;
    return {
      lines: notices.map(({ text, at }) => `System: [${new Date(at).toISOString()}] ${text}`)
        .join("\n"),
      heard: () => {
        const isTold = ({ text, at }: Notice) =>
          notices.some((told) => told.text === text && told.at === at);
        const left = this.#read(key).filter((notice) => !isTold(notice));
        if (left.length > 0) this.#values.set(nameOf(key), left);
        else this.#values.delete(nameOf(key));
      },
    };
  }

  #read(key: SessionKey): readonly Notice[] {
    return (this.#values.get(nameOf(key)) ?? []) as readonly Notice[]; // written by push
  }
}

function nameOf(key: SessionKey): string {
  return `system-events.${key}`;
}
