/** What an agent says in a chat, as messages of the chat's network. */
import type { Account } from "../account.ts";
import { canDelete, canEdit, type Channel, type Typing } from "../channel.ts";
import { Deadline, OVER, pause } from "../deadline.ts";
import type { Log } from "../log.ts";
import type { Place, ReplyTarget } from "../message.ts";
import { agentOf } from "../session.ts";
import type { Delivery } from "../store.ts";
import { beginningOf } from "./history.ts";
import type { Outbox } from "./outbox.ts";
import { Preview } from "./preview.ts";
import type { Answering, Ending, Replies } from "./runs.ts";
import type { Settings } from "./settings.ts";
import { type Fit, split } from "./split.ts";
import { mayBeSilent, type StopReason } from "./stream.ts";
import { shownSoFar } from "./unfinished.ts";

export interface ReplyParts {
  readonly outbox: Pick<Outbox, "add" | "ended" | "ofOrigin" | "revise">;
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
const TYPING_AFTER_MS = 500;
/** How often somebody is shown to be writing, in seconds, where nobody says otherwise. */
const TYPING_SECONDS = 4;
/** How long a network may take to be told that, in milliseconds. */
const TYPING_MS = 10_000;

/** A run that answers in a chat now. */
interface Writing {
  readonly answering: Answering;
  readonly controller: AbortController;
  hasSpoken: boolean;
  /** What shows the message that is being written; unset before its first word. */
  preview?: Preview | "none";
}

/** How a message of ours refers to others. */
interface Relations {
  /** It names the message that it answers. */
  readonly answers: boolean;
  readonly origin?: string;
  readonly isPreview?: true;
  /** The preview whose place it takes. */
  readonly edits?: string;
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
    const writing: Writing = {
      answering,
      controller: new AbortController(),
      hasSpoken: false,
    };
    this.#writing.set(answering.runId, writing);
    void this.#showWriting(writing);
  }

  writing({ runId }: Answering, text: string): void {
    const writing = this.#writing.get(runId);
    if (writing === undefined || mayBeSilent(text)) return;
    writing.preview ??= this.#show(writing.answering) ?? "none";
    if (writing.preview !== "none") writing.preview.write(text);
  }

  said(answering: Answering, text: string): void {
    const { runId, target } = answering;
    const writing = this.#writing.get(runId);
    const parts = this.#split(this.#prefixed(answering, text), target.place);
    const edits = this.#endPreview(runId);
    for (const [i, part] of parts.entries()) {
      this.#add(target, part, {
        answers: this.#answers(answering, i === 0),
        origin: originOf(runId),
        ...(i === 0 && edits),
      });
    }
    if (writing !== undefined) writing.hasSpoken = true;
  }

  brokeOff(answering: Answering, text: string): void {
    const edits = this.#endPreview(answering.runId);
    if (edits === undefined) return; // nobody has seen any of it
    const { target: { place } } = answering;
    const part = shownSoFar(this.#prefixed(answering, text), this.#fitOf(place));
    this.#endWith(answering, part, edits);
  }

  ended(answering: Answering, ending: Ending): void {
    const edits = this.#endPreview(answering.runId);
    this.#forget(answering.runId);
    const why = ending.status === "error"
      ? ending.error
      : ending.status === "aborted"
      ? STOPPED_BY[ending.stoppedBy ?? "rpc"]
      : undefined;
    if (why === undefined) {
      if (edits !== undefined) this.#endWith(answering, "", edits);
      return;
    }
    const origin = originOf(answering.runId);
    this.#tell(answering.target, errorText(why), edits && { origin, ...edits });
  }

  /**
   * Says something of the gateway's own, as an answer to that message. In a chat of two that is
   * plain without naming it, and some networks would begin a thread there.
   */
  answer(target: ReplyTarget, text: string): void {
    this.#tell(target, text);
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

  /** Says something of the gateway's own; the first part of it perhaps in the place of a preview. */
  #tell(
    target: ReplyTarget,
    text: string,
    first: Pick<Relations, "origin" | "edits"> = {},
  ): void {
    const answers = target.place.kind !== "direct" || target.isAwaited === true;
    for (const [i, part] of this.#split(text, target.place).entries()) {
      this.#add(target, part, { answers, ...(i === 0 && first) });
    }
  }

  #add(
    { place, messageId }: ReplyTarget,
    text: string,
    { answers, origin, ...relations }: Relations,
  ): string {
    const replyTo = answers && messageId !== undefined ? { replyTo: messageId } : {};
    return this.#parts.outbox.add({ place, text, ...replyTo, ...relations }, origin);
  }

  /** Whether a message of a run names the one that it answers. */
  #answers({ runId, target }: Answering, isFirstPart: boolean): boolean {
    const mode = replyToModeOf(this.#account(target.place));
    const isFirst = isFirstPart && this.#writing.get(runId)?.hasSpoken !== true;
    return mode === "all" || target.isAwaited === true || isFirst && mode === "first";
  }

  #split(text: string, place: Pick<Place, "channel" | "accountId">): readonly string[] {
    return split(text, this.#fitOf(place));
  }

  #fitOf(place: Pick<Place, "channel" | "accountId">): Fit {
    const { textLimit, measure } = this.#parts.channel(place)?.capabilities ?? FALLBACK;
    const settings = this.#account(place)?.settings ?? {};
    const { textChunkLimit: own } = settings;
    const limit = typeof own === "number" && own >= 1 ? Math.min(own, textLimit) : textLimit;
    return { limit, measure, byParagraph: isByParagraph(settings) };
  }

  // ── previews ────────────────────────────────────────────────────────────────────────────────

  /**
   * How often what is being written may be shown; `undefined` where the owner does not want it, or
   * the network can't. What answers a command is said once: not every network lets that be changed.
   */
  #paceOf({ place, isAwaited }: ReplyTarget): number | undefined {
    const channel = this.#parts.channel(place);
    if (isAwaited || !isStreamed(this.#account(place)?.settings ?? {})) return undefined;
    if (channel === undefined || !canEdit(channel) || !canDelete(channel)) return undefined;
    const { editEveryMs } = channel.capabilities;
    return editEveryMs > 0 ? editEveryMs : undefined;
  }

  /** Begins to show what is being written: in the preview that an earlier process left, or a new one. */
  #show(answering: Answering): Preview | undefined {
    const { runId, target } = answering;
    const everyMs = this.#paceOf(target);
    if (everyMs === undefined) return undefined;
    const left = this.#openPreview(runId);
    const isThere = left !== undefined && left.state !== "dead" && left.state !== "unknown";
    return new Preview({
      outbox: this.#parts.outbox,
      log: this.#log,
      everyMs,
      shown: (text) => shownSoFar(this.#prefixed(answering, text), this.#fitOf(target.place)),
      send: (text) =>
        this.#add(target, text, {
          answers: this.#answers(answering, true),
          origin: originOf(runId),
          isPreview: true,
        }),
      ...(isThere ? { id: left.id } : {}),
    });
  }

  /** Shows no more of what is being written. Returns what takes the place of the preview, if any. */
  #endPreview(runId: string): { edits: string } | undefined {
    const writing = this.#writing.get(runId);
    if (writing !== undefined) stopShowing(writing);
    const preview = this.#openPreview(runId);
    return preview && { edits: preview.id };
  }

  /** A run's preview that nothing has taken the place of, whichever process sent it. */
  #openPreview(runId: string): Delivery | undefined {
    const deliveries = this.#parts.outbox.ofOrigin(originOf(runId));
    const last = deliveries.findLast(({ message: { isPreview, edits } }) =>
      isPreview && edits === undefined
    );
    return deliveries.some(({ message: { edits } }) => edits === last?.id) ? undefined : last;
  }

  /** Leaves a preview as the text, or removes it for an empty one. */
  #endWith({ runId, target }: Answering, text: string, edits: { edits: string }): void {
    this.#add(target, text, { answers: false, origin: originOf(runId), isPreview: true, ...edits });
  }

  // ── what it takes ───────────────────────────────────────────────────────────────────────────

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
    return this.#parts.settings.account(channel, accountId);
  }

  #forget(runId: string): void {
    const writing = this.#writing.get(runId);
    if (writing !== undefined) stopShowing(writing);
    writing?.controller.abort(OVER);
    this.#writing.delete(runId);
  }

  /** Shows again and again that somebody is writing, where that can't be seen. Never rejects. */
  async #showWriting(writing: Writing): Promise<void> {
    const { answering: { target: { place } }, controller: { signal } } = writing;
    const { typingMode, typingIntervalSeconds = TYPING_SECONDS } =
      this.#parts.settings.config.agents?.defaults ?? {};
    if (typingMode === "never") return;
    await pause(TYPING_AFTER_MS, signal);
    while (!signal.aborted) {
      const channel = this.#parts.channel(place);
      const isSeen = writing.preview instanceof Preview && writing.preview.stands;
      if (channel !== undefined && canType(channel) && !isSeen) {
        await this.#type(channel, place, signal);
      }
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

function stopShowing(writing: Writing): void {
  if (writing.preview instanceof Preview) writing.preview[Symbol.dispose]();
  delete writing.preview;
}

/** What the messages of a run are found by. */
function originOf(runId: string): string {
  return `run:${runId}`;
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
  const told = error.length > MAX_ERROR ? `${beginningOf(error, MAX_ERROR)}…` : error;
  return `⚠️ I could not answer: ${told}`;
}

/** Whether what is being written is shown already; older configurations have other words for it. */
function isStreamed({ streaming, streamMode }: Account["settings"]): boolean {
  const isObject = typeof streaming === "object" && streaming !== null;
  const mode = (isObject ? "mode" in streaming ? streaming.mode : undefined : streaming) ??
    streamMode;
  return mode === true || typeof mode === "string" && STREAMED.has(mode);
}

const STREAMED: ReadonlySet<string> = new Set(["partial", "progress", "replace", "status_final"]);

/** Older configurations have it beside `streaming`. */
function isByParagraph({ streaming, chunkMode }: Account["settings"]): boolean {
  const isWithin = typeof streaming === "object" && streaming !== null && "chunkMode" in streaming;
  return (isWithin ? streaming.chunkMode : chunkMode) === "newline";
}

function replyToModeOf(account: Account | undefined): ReplyToMode {
  const mode = account?.settings.replyToMode;
  return mode === "first" || mode === "all" ? mode : "off";
}

function canType(channel: Channel): channel is Channel & Typing {
  return "typing" in channel && typeof channel.typing === "function";
}
