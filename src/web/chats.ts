/** The conversations that were opened: reading them, talking in them, following them. */
import type { ParamsOf, ResultOf } from "../../schemas/mod.ts";
import type { EventFrame } from "../../schemas/frames.ts";
import { ConnectionError, isEvent } from "../client/client.ts";
import { Cell, type Pace } from "./cell.ts";
import {
  type Conversation,
  emptyConversation,
  newestSeq,
  type Outgoing,
  withAgent,
  withChat,
  withMessage,
  withNewest,
  withOlder,
  withOutgoing,
  withoutOutgoing,
  withoutRuns,
  withoutTranscript,
  withTranscript,
} from "./conversation.ts";
import type { Picture } from "./entry.ts";
import type { Requests } from "./link.ts";
import type { UnsentMessages } from "./unsent.ts";

/** A file that the person chose, ready to be sent. */
export interface Attachment extends Picture {
  readonly name: string;
  /** `data:` URL. */
  readonly src: string;
  readonly bytes: number;
}

export interface ChatsOptions {
  readonly requests: Requests;
  /** At what pace conversations are shown. */
  readonly pace?: Pace;
  /** Where messages are kept until they have arrived, should the page be closed before. */
  readonly unsent: UnsentMessages;
  /** Names a message; never twice the same. */
  readonly newId: () => string;
  /** The gateway calls a conversation otherwise than who opened it. */
  readonly onRenamed?: (spelled: string, key: string) => void;
  /** An answer is complete; for those who don't see the page. */
  readonly onAnswer?: (key: string, text: string) => void;
}

/** Messages that are read at once. */
const PAGE = 60;
/** Characters of a part of a message that count as all of it: one of 128 KiB is not shown at all. */
const WHOLE = 100_000;

export class Chats {
  readonly #options: ChatsOptions;
  readonly #open = new Map<string, Cell<Conversation>>();
  /** What the gateway calls conversations that were opened under another spelling of their key. */
  readonly #names = new Map<string, string>();
  /** Conversations that may have gone on without us. */
  readonly #stale = new Set<string>();
  readonly #reading = new Map<string, Promise<void>>();
  /** The newest message that was told of while its conversation is read. */
  readonly #toldMeanwhile = new Map<string, number>();
  /** Conversations whose messages are sent once more: what is written meanwhile goes after them. */
  readonly #sendingAgain = new Set<string>();
  #current: string | undefined;

  constructor(options: ChatsOptions) {
    this.#options = options;
    for (const { conversation, message } of options.unsent.take()) {
      this.get(conversation).change((value) => withOutgoing(value, message));
    }
  }

  /** The conversation under a key; read when it is shown. */
  get(spelled: string): Cell<Conversation> {
    const key = this.keyOf(spelled);
    const known = this.#open.get(key);
    if (known !== undefined) return known;
    const cell = new Cell(emptyConversation(key), this.#options.pace);
    this.#open.set(key, cell);
    this.#stale.add(key);
    return cell;
  }

  /** The key by which the gateway tells of a conversation, as far as that is known. */
  keyOf(spelled: string): string {
    return this.#names.get(spelled) ?? spelled;
  }

  /** What was opened, and written, under one key is from here on under the other. */
  rename(spelled: string, key: string): void {
    const before = this.#open.get(spelled);
    this.#names.set(spelled, key);
    this.#open.delete(spelled);
    this.#stale.delete(spelled);
    if (this.#sendingAgain.delete(spelled)) this.#sendingAgain.add(key);
    if (this.#current === spelled) this.#current = undefined;
    if (before === undefined) return;
    const { outgoing } = before.value;
    before.change((conversation) => ({ ...conversation, outgoing: [] })); // they are kept there no longer
    for (const message of outgoing) {
      this.get(key).change((conversation) => withOutgoing(conversation, message));
    }
    this.#keepUnsent(key);
  }

  /** Reads a conversation if needed and follows it, instead of the one before. */
  show(spelled: string): void {
    const key = this.keyOf(spelled);
    this.get(key);
    if (this.#current !== key) {
      const before = this.#current;
      this.#current = key;
      void this.#subscribe(key);
      if (before !== undefined) void this.#tell("sessions.messages.unsubscribe", { key: before });
    }
    if (this.#stale.has(key)) void this.read(key);
  }

  /**
   * What we have may be old, and what was being sent may have got lost: after a new connection, or
   * when events went missing. Shows `key`, if there is one to show.
   */
  resume(key: string | undefined): void {
    this.#current = undefined;
    for (const [key, { value }] of this.#open) {
      this.#stale.add(key);
      if (value.outgoing.some(isUnsure)) void this.#sendAgain(key);
    }
    if (key !== undefined) this.show(key);
  }

  /** Reads the newest messages. Resolves also when that fails; the conversation then says so. */
  read(key: string): Promise<void> {
    const underWay = this.#reading.get(key);
    if (underWay !== undefined) return underWay;
    const reading = this.#read(key).finally(() => this.#reading.delete(key));
    this.#reading.set(key, reading);
    return reading;
  }

  async #read(key: string): Promise<void> {
    const cell = this.get(key);
    try {
      do {
        this.#toldMeanwhile.delete(key);
        const page = await this.#options.requests.request("chat.history", {
          sessionKey: key,
          limit: PAGE,
          maxChars: WHOLE,
        });
        this.#stale.delete(key);
        cell.change((conversation) => withNewest(conversation, page));
        this.#keepUnsent(key);
        // Events don't wait for the disk, as answers do: one may tell more than the answer after it.
      } while ((this.#toldMeanwhile.get(key) ?? 0) > newestSeq(cell.value));
    } catch (error) {
      if (error instanceof ConnectionError && error.kind === "closed") return; // `resume` comes
      const problem = error instanceof Error ? error.message : String(error);
      cell.change((conversation) =>
        conversation.phase === "ready"
          ? conversation
          : { ...conversation, phase: "failed", problem }
      );
    }
  }

  /** Under their old ids, and in their order: what did arrive can't arrive twice. */
  async #sendAgain(key: string): Promise<void> {
    if (this.#sendingAgain.has(key)) return;
    this.#sendingAgain.add(key);
    await this.read(key);
    const tried = new Set<string>();
    const next = () =>
      this.get(key).value.outgoing.find((one) => isUnsure(one) && !tried.has(one.key));
    for (let message = next(); message !== undefined; message = next()) {
      tried.add(message.key);
      await this.#deliver(key, message);
    }
    this.#sendingAgain.delete(this.keyOf(key));
  }

  /** Reads the page before the oldest message; calls `before` just before it is there. */
  async readOlder(key: string, before: () => void = () => {}): Promise<void> {
    const cell = this.get(key);
    const offset = cell.value.olderFrom;
    if (offset === undefined) return;
    const page = await this.#options.requests.request("chat.history", {
      sessionKey: key,
      limit: PAGE,
      maxChars: WHOLE,
      offset,
    });
    before();
    cell.change((conversation) => withOlder(conversation, page, offset));
  }

  /** Sends a message; while the agent is at work the gateway queues it. */
  send(key: string, text: string, attachments: readonly Attachment[]): void {
    const message: Outgoing = {
      key: this.#options.newId(),
      text,
      pictures: attachments,
      at: Date.now(),
      state: "sending",
    };
    this.get(key).change((conversation) => withOutgoing(conversation, message));
    this.#keepUnsent(key);
    if (!this.#sendingAgain.has(key)) void this.#deliver(key, message); // else its turn comes
  }

  /** Tries a failed message once more, under its old id: it can't arrive twice. */
  resend(key: string, message: Outgoing): void {
    void this.#deliver(key, { ...message, state: "sending", problem: undefined });
  }

  discard(key: string, message: Outgoing): void {
    this.get(key).change((conversation) => withoutOutgoing(conversation, message.key));
    this.#keepUnsent(key);
  }

  /** Gives up all that waits to be sent; nothing of it stays in this browser. */
  discardUnsent(): void {
    for (const cell of this.#open.values()) {
      cell.change((conversation) => ({
        ...conversation,
        outgoing: conversation.outgoing.filter(({ state }) => state === "sent"),
      }));
    }
    this.#options.unsent.clear();
  }

  /** Stops everything that runs in a conversation. */
  async stop(key: string): Promise<void> {
    const { runIds } = await this.#options.requests.request("chat.abort", { sessionKey: key });
    // The gateway knows of no run: ours is one that ended without our hearing of it.
    if (runIds.length === 0) this.get(key).change(withoutRuns);
  }

  hear(event: EventFrame): void {
    if (isEvent(event, "chat")) {
      const { payload } = event;
      const key = this.keyOf(payload.sessionKey); // of a command: as it was spelled
      this.#open.get(key)?.change((value) => withChat(value, payload));
      if (payload.state === "final") {
        const content = payload.message?.content;
        const text = typeof content === "string" ? content : content
          ?.flatMap((block) => block.type === "text" ? [block.text] : []).join("\n");
        if (text) this.#options.onAnswer?.(payload.sessionKey, text);
      }
    } else if (isEvent(event, "agent") && event.payload.sessionKey !== undefined) {
      const { payload } = event;
      this.#open.get(event.payload.sessionKey)?.change((value) => withAgent(value, payload));
    } else if (isEvent(event, "sessions.changed")) {
      const { sessionKey, session, reason } = event.payload;
      if (reason === "delete") this.#open.get(sessionKey)?.change(withoutTranscript);
      else if (session?.sessionId !== undefined) this.#follow(sessionKey, session.sessionId);
    } else if (isEvent(event, "session.message")) {
      const { sessionKey, message } = event.payload;
      const cell = this.#open.get(sessionKey);
      if (cell === undefined) return;
      if (this.#reading.has(sessionKey)) {
        const told = Math.max(
          message.__openclaw?.seq ?? 0,
          this.#toldMeanwhile.get(sessionKey) ?? 0,
        );
        this.#toldMeanwhile.set(sessionKey, told);
      }
      if (this.#stale.has(sessionKey)) {
        if (this.#current === sessionKey) void this.read(sessionKey); // the last try may have failed
        return;
      }
      const next = withMessage(cell.value, message);
      if (next === "gap") void this.read(sessionKey);
      else cell.set(next);
    }
  }

  /** A conversation that was started afresh is read afresh. */
  #follow(key: string, sessionId: string): void {
    const cell = this.#open.get(key);
    if (cell === undefined || this.#stale.has(key)) return;
    cell.change((conversation) => withTranscript(conversation, sessionId));
    if (cell.value.phase !== "loading") return;
    this.#stale.add(key);
    if (this.#current === key) void this.read(key);
  }

  async #deliver(key: string, message: Outgoing): Promise<void> {
    const keep = (change: Partial<Outgoing>) =>
      this.get(key).change((conversation) =>
        conversation.outgoing.some(({ key }) => key === message.key)
          ? {
            ...conversation,
            outgoing: conversation.outgoing.map((one) =>
              one.key === message.key ? { ...one, ...change } : one
            ),
          }
          : conversation
      );
    this.get(key).change((conversation) =>
      conversation.outgoing.includes(message) ? conversation : withOutgoing(conversation, message)
    );
    try {
      const answer = await this.#options.requests.request("chat.send", {
        sessionKey: key,
        message: message.text,
        deliver: false,
        idempotencyKey: message.key,
        ...(message.pictures.length === 0 ? {} : { attachments: message.pictures.map(attachment) }),
      });
      // A word that stops the agent is obeyed, and is not a message. What is over already has its
      // place in the transcript, or never has one, as some commands.
      if ("aborted" in answer || answer.status === "ok") this.discard(key, message);
      else keep({ state: "sent" });
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      // After a lost connection it is sent again, with the next hello.
      if (!(error instanceof ConnectionError)) keep({ state: "failed", problem });
    }
    this.#keepUnsent(key);
  }

  /** At once: a page that is hidden shows nothing, and may be closed without a word. */
  #keepUnsent(spelled: string): void {
    const { key, outgoing } = this.get(spelled).value;
    this.#options.unsent.update(key, outgoing);
  }

  async #subscribe(asked: string): Promise<void> {
    const { key = asked } = await this.#tell("sessions.messages.subscribe", { key: asked }) ?? {};
    if (key === asked || this.keyOf(asked) === key) return;
    this.rename(asked, key);
    this.#options.onRenamed?.(asked, key);
  }

  /** Asks for something that the page can do without. */
  async #tell<M extends "sessions.messages.subscribe" | "sessions.messages.unsubscribe">(
    method: M,
    params: ParamsOf<M>,
  ): Promise<ResultOf<M> | undefined> {
    try {
      return await this.#options.requests.request(method, params);
    } catch {
      return undefined; // no connection: `resume` asks again; an older gateway: it tells everybody
    }
  }
}

/** Whether a message may have got lost with a connection. */
function isUnsure({ state }: Outgoing): boolean {
  return state === "sending";
}

function attachment({ src, name }: Outgoing["pictures"][number]) {
  const [head = "", content = ""] = src.split(",", 2);
  const mimeType = /^data:([^;]+)/.exec(head)?.[1] ?? "application/octet-stream";
  const type = mimeType.startsWith("image/") ? "image" : "file";
  return { type, mimeType, fileName: name ?? type, content };
}
