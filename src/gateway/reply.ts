/** What an agent says in a chat, as messages of the chat's network. */
import { type Account, accountOf } from "../account.ts";
import type { Channel, Typing } from "../channel.ts";
import { Deadline, pause } from "../deadline.ts";
import type { Log } from "../log.ts";
import type { Place, ReplyTarget } from "../message.ts";
import { agentOf } from "../session.ts";
import type { Outbox } from "./outbox.ts";
import type { Answering, Ending, Replies } from "./runs.ts";
import type { Settings } from "./settings.ts";
import { split } from "./split.ts";
import type { StopReason } from "./stream.ts";

export interface ReplyParts {
  readonly outbox: Pick<Outbox, "add">;
  /** The channel of an account, also of one that can't be sent to now. */
  channel(account: Pick<Place, "channel" | "accountId">): Channel | undefined;
  readonly settings: Settings;
  readonly log: Log;
}

/** Which of our messages name the one that they answer. */
type ReplyToMode = "off" | "first" | "all";

/** Where no channel says how long a text may be: every network takes so much. */
const FALLBACK_LIMIT = 1_500;
/** An error is told in a chat up to so many characters. */
const MAX_ERROR = 300;
/** Whoever is answered sooner need not see that we write. Milliseconds. */
const TYPING_AFTER_MS = 150;
/** How often somebody is shown to be writing, in seconds, where nobody says otherwise. */
const TYPING_SECONDS = 4;
/** How long a network may take to be told that, in milliseconds. */
const TYPING_MS = 10_000;

/** A run that answers in a chat now. */
interface Writing {
  readonly answering: Answering;
  readonly controller: AbortController;
  hasSpoken: boolean;
}

/** Splits what is said, and puts it into the outbox with whoever's transaction stores it. */
export class ChatReplies implements Replies, Disposable {
  readonly #parts: ReplyParts;
  readonly #log: Log;
  readonly #writing = new Map<string, Writing>();

  constructor(parts: ReplyParts) {
    this.#parts = parts;
    this.#log = parts.log.part("replies");
  }

  began(answering: Answering): void {
    this.#forget(answering.runId);
    const controller = new AbortController();
    this.#writing.set(answering.runId, { answering, controller, hasSpoken: false });
    void this.#showWriting(answering, controller.signal);
  }

  writing(): void {
    // What is being written is shown when it is said.
  }

  said(answering: Answering, text: string): void {
    const { target } = answering;
    const account = this.#account(target.place);
    const writing = this.#writing.get(answering.runId);
    const isFirst = writing?.hasSpoken !== true;
    if (writing !== undefined) writing.hasSpoken = true;
    const mode = replyToModeOf(account);
    const parts = this.#split(this.#prefixed(answering, text), target.place);
    for (const [i, part] of parts.entries()) {
      const isFirstPart = isFirst && i === 0;
      const answers = mode === "all" ||
        isFirstPart && (mode === "first" || target.isAwaited === true);
      this.#add(target, part, { answers, origin: `run:${answering.runId}` });
    }
  }

  ended(answering: Answering, ending: Ending): void {
    this.#forget(answering.runId);
    const why = ending.status === "error"
      ? ending.error
      : ending.status === "aborted"
      ? STOPPED_BY[ending.stoppedBy ?? "rpc"]
      : undefined;
    if (why !== undefined) this.answer(answering.target, errorText(why));
  }

  /**
   * Says something of the gateway's own, as an answer to that message. In a chat of two that is
   * plain without naming it, and some networks would begin a thread there.
   */
  answer(target: ReplyTarget, text: string): void {
    const answers = target.place.kind !== "direct" || target.isAwaited === true;
    for (const part of this.#split(text, target.place)) this.#add(target, part, { answers });
  }

  /** Does beforehand what the first answer on a network would have to wait for. */
  rehearse(account: Pick<Place, "channel" | "accountId">): void {
    this.#split("*Hello*", account);
  }

  /** The chat that a run at work answers in; `undefined` for one that answers in none. */
  targetOf(runId: string): ReplyTarget | undefined {
    return this.#writing.get(runId)?.answering.target;
  }

  /** Nobody is shown to be writing any more. */
  [Symbol.dispose](): void {
    for (const runId of [...this.#writing.keys()]) this.#forget(runId);
  }

  #add(
    { place, messageId }: ReplyTarget,
    text: string,
    { answers, origin }: { answers: boolean; origin?: string },
  ): void {
    const replyTo = answers && messageId !== undefined ? { replyTo: messageId } : {};
    this.#parts.outbox.add({ place, text, ...replyTo }, origin);
  }

  #split(text: string, place: Pick<Place, "channel" | "accountId">): readonly string[] {
    const { textLimit, measure } = this.#parts.channel(place)?.capabilities ?? FALLBACK;
    const { textChunkLimit: own, chunkMode } = this.#account(place)?.settings ?? {};
    const limit = typeof own === "number" && own >= 1 ? Math.min(own, textLimit) : textLimit;
    return split(text, { limit, measure, byParagraph: chunkMode === "newline" });
  }

  /** What the owner wants before each answer: `auto` is the agent's name. */
  #prefixed({ target: { place }, sessionKey }: Answering, text: string): string {
    const { config } = this.#parts.settings;
    const own = this.#account(place)?.settings.responsePrefix;
    const written = typeof own === "string" ? own : config.messages?.responsePrefix;
    const name = config.agents?.list?.find(({ id }) => id === agentOf(sessionKey))?.identity?.name;
    const prefix = written === "auto" ? name === undefined ? "" : `[${name}]` : written ?? "";
    return prefix === "" || text.startsWith(prefix) ? text : `${prefix} ${text}`;
  }

  #account({ channel, accountId }: Pick<Place, "channel" | "accountId">): Account | undefined {
    return accountOf(this.#parts.settings.config, channel, accountId);
  }

  #forget(runId: string): void {
    this.#writing.get(runId)?.controller.abort();
    this.#writing.delete(runId);
  }

  /** Shows again and again that somebody is writing, until the signal aborts. Never rejects. */
  async #showWriting({ target: { place } }: Answering, signal: AbortSignal): Promise<void> {
    const { typingMode, typingIntervalSeconds = TYPING_SECONDS } =
      this.#parts.settings.config.agents?.defaults ?? {};
    if (typingMode === "never") return;
    await pause(TYPING_AFTER_MS, signal);
    while (!signal.aborted) {
      const channel = this.#parts.channel(place);
      if (channel !== undefined && canType(channel)) await this.#type(channel, place, signal);
      await pause(typingIntervalSeconds * 1_000, signal);
    }
  }

  async #type(channel: Channel & Typing, place: Place, signal: AbortSignal): Promise<void> {
    using deadline = new Deadline(TYPING_MS, signal);
    try {
      await channel.typing(place, deadline.signal);
    } catch (cause) {
      if (!signal.aborted) this.#log.debug("A network could not show that we write", { cause });
    }
  }
}

const FALLBACK = { textLimit: FALLBACK_LIMIT, measure: (text: string) => text.length };

/** Why there is no answer; whoever stopped it by hand knows. */
const STOPPED_BY: Readonly<Record<StopReason, string | undefined>> = {
  timeout: "it took too long",
  restart: "interrupted: the gateway stopped meanwhile",
  stop: undefined,
  rpc: undefined,
};

function errorText(error: string): string {
  const told = error.length > MAX_ERROR ? `${error.slice(0, MAX_ERROR).toWellFormed()}…` : error;
  return `⚠️ I could not answer: ${told}`;
}

function replyToModeOf(account: Account | undefined): ReplyToMode {
  const mode = account?.settings.replyToMode;
  return mode === "first" || mode === "all" ? mode : "off";
}

function canType(channel: Channel): channel is Channel & Typing {
  return "typing" in channel && typeof channel.typing === "function";
}
