/** A conversation in memory: stores what a run yields, as the gateway does, and hands it back. */
import type { RunEvent, RunIo } from "../../src/run.ts";
import type { Compaction, Message, TranscriptEntry, UserMessage } from "../../src/session.ts";

/** A transcript, what the user writes meanwhile, and every event of the runs that used it. */
export class FakeConversation implements RunIo {
  readonly entries: TranscriptEntry[] = [];
  readonly events: RunEvent[] = [];
  readonly #waiting: UserMessage[] = [];

  /** Writes as the user would. */
  say(text: string): this {
    return this.store({ role: "user", content: text, timestamp: 1 });
  }

  /** Puts a message into the transcript. */
  store(message: Message): this {
    this.#append({ kind: "message", message });
    return this;
  }

  /** Writes while a run goes on. */
  steer(text: string): void {
    this.#waiting.push({ role: "user", content: text, timestamp: 2 });
  }

  get messages(): readonly Message[] {
    return this.entries.flatMap((entry) => entry.kind === "message" ? [entry.message] : []);
  }

  history(): readonly TranscriptEntry[] {
    const compaction = this.entries.findLast((entry) => entry.kind === "compaction");
    if (compaction?.kind !== "compaction") return [...this.entries];
    const { firstKeptSeq } = compaction.compaction;
    const kept = this.entries.filter(({ kind, seq }) => kind === "message" && seq >= firstKeptSeq);
    return [compaction, ...kept];
  }

  steering(): readonly UserMessage[] {
    return this.#waiting.splice(0);
  }

  /** Consumes a run to its end, storing as it goes; `hear` is told of each event after that. */
  async take(
    run: AsyncIterable<RunEvent>,
    hear: (event: RunEvent) => void | Promise<void> = () => {},
  ): Promise<readonly RunEvent[]> {
    const events: RunEvent[] = [];
    for await (const event of run) {
      events.push(event);
      this.events.push(event);
      if (event.type === "message") this.store(event.message);
      if (event.type === "compaction" && event.phase === "end" && event.compaction !== undefined) {
        this.#append({ kind: "compaction", compaction: event.compaction });
      }
      await hear(event);
    }
    return events;
  }

  #append(
    content: { kind: "message"; message: Message } | { kind: "compaction"; compaction: Compaction },
  ): void {
    const seq = this.entries.length + 1;
    this.entries.push({ seq, id: `e${seq}`, at: seq, ...content });
  }
}
