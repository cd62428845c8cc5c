/** Messages that a client sends into the chats of a network, and what became of them. */
import { Buffer } from "node:buffer";
import type { HandlersFor } from "../../../schemas/contract.ts";
import type * as contract from "../../../schemas/messaging.ts";
import type { OutboxEntry } from "../../../schemas/messaging.ts";
import type { Call } from "../../caller.ts";
import { invalid } from "../../error.ts";
import type { Poll } from "../../message.ts";
import type { Delivery } from "../../store.ts";
import { beginningOf } from "../history.ts";
import type { Deed, Destination, Letter, Messaging } from "../messaging.ts";
import type { ShownAs } from "../outbound_files.ts";
import type { Outbox } from "../outbox.ts";

/** Characters of a message that a list shows. */
const PREVIEW = 120;
const OPEN = ["accepted", "started", "unknown", "dead"] as const;

export interface MessagingHandlerParts {
  readonly messaging: Messaging;
  readonly outbox: Outbox;
  /** Takes note of a sent text in a conversation. Throws for a key that names none. */
  mirror(sessionKey: string, text: string): void;
}

/** What `send` takes, in its own names or in those of an action. */
interface SendParams {
  readonly message?: string;
  readonly mediaUrl?: string;
  readonly mediaUrls?: readonly string[];
  readonly buffer?: string;
  readonly filename?: string;
  readonly asVoice?: boolean;
  readonly forceDocument?: boolean;
  readonly replyToId?: string;
  readonly silent?: boolean;
}

export function messagingHandlers(
  { messaging, outbox, mirror }: MessagingHandlerParts,
): HandlersFor<typeof contract, Call> {
  async function letterOf(
    params: SendParams,
    { channel: { capabilities: { maxUploadBytes: maxBytes } } }: Destination,
    signal: AbortSignal,
  ): Promise<Letter> {
    const text = params.message ?? "";
    const as: ShownAs | undefined = params.forceDocument
      ? "file"
      : params.asVoice
      ? "voice"
      : undefined;
    const options = { maxBytes, signal, ...(as === undefined ? {} : { as }) };
    const sources = [params.mediaUrl ?? "", ...params.mediaUrls ?? []].filter((url) => url !== "");
    const { files } = messaging;
    const keepers = [...new Set(sources)].map((source) => () => files.keep(source, options));
    if (params.buffer !== undefined) {
      const bytes = readBase64(params.buffer);
      const name = params.filename === undefined ? {} : { name: params.filename };
      keepers.push(() => files.keepBytes(bytes, { ...options, ...name }));
    }
    const attachments = await files.keepAll(keepers);
    return {
      text,
      attachments,
      ...(params.replyToId === undefined ? {} : { replyTo: params.replyToId }),
      ...(params.silent === undefined ? {} : { isSilent: params.silent }),
    };
  }

  function requireContent({ message = "", mediaUrl, mediaUrls = [], buffer }: SendParams): void {
    if (message.trim() === "" && !mediaUrl && mediaUrls.length === 0 && buffer === undefined) {
      throw invalid("invalid send params: text or media is required");
    }
  }

  async function send(
    params: SendParams & AddressParams & { sessionKey?: string },
    { origin, signal }: { origin: string; signal: AbortSignal },
  ): Promise<readonly Delivery[]> {
    requireContent(params);
    return await messaging.send(origin, async () => {
      const destination = await messaging.find(params, signal);
      return { destination, letter: await letterOf(params, destination, signal) };
    }, {
      signal,
      alongside: () => {
        const text = params.message ?? "";
        if (params.sessionKey !== undefined && text !== "") mirror(params.sessionKey, text);
      },
    });
  }

  async function poll(
    params: AddressParams & { silent?: boolean; poll: Poll },
    { origin, signal }: { origin: string; signal: AbortSignal },
  ): Promise<readonly Delivery[]> {
    return await messaging.send(origin, async () => {
      const destination = await messaging.find(params, signal);
      messaging.requirePolls(destination);
      const isSilent = params.silent === undefined ? {} : { isSilent: params.silent };
      return { destination, letter: { text: "", poll: params.poll, ...isSilent } };
    }, { signal });
  }

  return {
    send: async (params, { signal }) => {
      const origin = `send:${params.idempotencyKey}`;
      return sentResult(params.idempotencyKey, await send(params, { origin, signal }));
    },

    poll: async (params, { signal }) => {
      const { question, options, maxSelections, isAnonymous } = params;
      const durationSeconds = params.durationSeconds ??
        (params.durationHours === undefined ? undefined : params.durationHours * 3600);
      const wanted: Poll = {
        question,
        options,
        ...(maxSelections === undefined ? {} : { maxSelections }),
        ...(durationSeconds === undefined ? {} : { durationSeconds }),
        ...(isAnonymous === undefined ? {} : { isAnonymous }),
      };
      const origin = `poll:${params.idempotencyKey}`;
      const deliveries = await poll({ ...params, poll: wanted }, { origin, signal });
      return sentResult(params.idempotencyKey, deliveries);
    },

    "message.action": async (
      { channel, action, params, accountId, idempotencyKey },
      { signal },
    ) => {
      const read = new ActionParams(action, params);
      const address: AddressParams = {
        channel,
        ...(accountId === undefined ? read.maybe("accountId") : { accountId }),
        to: read.text("to", "target", "channelId", "chatId"),
        ...read.maybe("threadId"),
      };
      const origin = `action:${idempotencyKey}`;
      if (action === "send" || action === "reply") {
        const deliveries = await send({ ...address, ...read.send() }, { origin, signal });
        return actionResult(action, deliveries);
      }
      if (action === "poll") {
        const deliveries = await poll({ ...address, poll: read.poll() }, { origin, signal });
        return actionResult(action, deliveries);
      }
      const deed = read.deed();
      const { place } = await messaging.find(address, signal);
      const messageId = read.text("messageId", "message_id");
      await messaging.act({ place, messageId }, deed, signal);
      const { accountId: account, chatId } = place;
      return { ok: true, action, channel: place.channel, accountId: account, chatId, messageId };
    },

    "outbox.list": ({ states = OPEN, channel, accountId, limit }) => ({
      ts: Date.now(),
      entries: outbox.list({
        states,
        ...(channel === undefined ? {} : { channel }),
        ...(accountId === undefined ? {} : { accountId }),
        ...(limit === undefined ? {} : { limit }),
      }).map(wireEntry),
      counts: Object.fromEntries(OPEN.map((state) => [state, outbox.count(state)])),
    }),

    "outbox.retry": ({ ids }) => ({ entries: ids.map((id) => wireEntry(outbox.retry(id))) }),

    "outbox.drop": ({ ids }) => ({ entries: ids.map((id) => wireEntry(outbox.drop(id))) }),
  };
}

interface AddressParams {
  readonly to: string;
  readonly channel?: string;
  readonly accountId?: string;
  readonly threadId?: string;
}

/** The params of an action, which have no schema: each one is checked where it is read. */
class ActionParams {
  readonly #action: string;
  readonly #params: Readonly<Record<string, unknown>>;

  constructor(action: string, params: Readonly<Record<string, unknown>>) {
    this.#action = action;
    this.#params = params;
  }

  /** The first of these that is there. Throws if none is. */
  text(...names: readonly string[]): string {
    const found = this.#find(names);
    if (found !== undefined) return found;
    throw invalid(`invalid message.action params: ${this.#action} needs '${names[0]}'`);
  }

  maybe<Name extends string>(name: Name, ...aliases: readonly string[]): { [K in Name]?: string } {
    const found = this.#find([name, ...aliases]);
    return (found === undefined ? {} : { [name]: found }) as { [K in Name]?: string }; // one line up
  }

  send(): SendParams {
    const { mediaUrls } = this.#params;
    return {
      ...this.maybe("message", "text"),
      ...this.maybe("mediaUrl", "media", "filePath", "path"),
      ...(Array.isArray(mediaUrls) ? { mediaUrls: mediaUrls.map(String) } : {}),
      ...this.maybe("buffer"),
      ...this.maybe("filename"),
      ...this.maybe("replyToId", "replyTo"),
      ...this.#flag("silent"),
      ...this.#flag("asVoice"),
      ...this.#flag("forceDocument"),
    };
  }

  poll(): Poll {
    const options = this.#params.pollOption ?? this.#params.options;
    const list = Array.isArray(options)
      ? options.filter((option) => typeof option === "string")
      : [];
    if (list.length < 2) {
      throw invalid("invalid message.action params: poll needs 'pollOption' twice or more");
    }
    const hours = Number(this.#params.pollDurationHours);
    return {
      question: this.text("pollQuestion", "question"),
      options: list,
      ...(this.#params.pollMulti === true ? { maxSelections: list.length } : {}),
      ...(hours > 0 ? { durationSeconds: hours * 3600 } : {}),
    };
  }

  deed(): Deed {
    switch (this.#action) {
      case "react":
        return {
          kind: "react",
          emoji: this.#params.remove === true ? "" : this.text("emoji"),
        };
      case "edit":
        return { kind: "edit", text: this.text("message", "text") };
      case "delete":
      case "unsend":
        return { kind: "delete" };
      default:
        throw invalid(
          `unsupported action '${this.#action}': there is send, poll, react, edit and delete`,
        );
    }
  }

  #find(names: readonly string[]): string | undefined {
    for (const name of names) {
      const value = Object.hasOwn(this.#params, name) ? this.#params[name] : undefined;
      if (typeof value === "number") return String(value);
      if (typeof value === "string" && value !== "") return value;
    }
    return undefined;
  }

  #flag<Name extends string>(name: Name): { [K in Name]?: boolean } {
    const value = this.#params[name];
    return (typeof value === "boolean" ? { [name]: value } : {}) as { [K in Name]?: boolean };
  }
}

function sentResult(runId: string, deliveries: readonly Delivery[]) {
  const { place, messageIds } = summaryOf(deliveries);
  const { channel, accountId, chatId, kind } = place;
  return {
    runId,
    messageId: messageIds.at(-1) ?? "",
    channel,
    accountId,
    chatId,
    ...(kind === "direct" ? {} : { channelId: chatId }),
    ...(messageIds.length > 1 ? { messageIds } : {}),
  };
}

function actionResult(action: string, deliveries: readonly Delivery[]) {
  const { place: { channel, accountId, chatId }, messageIds } = summaryOf(deliveries);
  const [messageId = ""] = messageIds.slice(-1);
  return { ok: true as const, action, channel, accountId, chatId, messageId, messageIds };
}

function summaryOf(deliveries: readonly Delivery[]) {
  const [first] = deliveries;
  if (first === undefined) throw invalid("there is nothing to send");
  return {
    place: first.message.place,
    messageIds: deliveries.flatMap(({ messageIds = [] }) => messageIds),
  };
}

function wireEntry({ id, state, message, ...delivery }: Delivery): OutboxEntry {
  const { place: { channel, accountId, chatId, threadId }, text, attachment, poll } = message;
  const { acceptedAt, expiresAt, endedAt, notBefore, attempts, fault, error, messageIds } =
    delivery;
  return {
    id,
    kind: message.isPreview ? "preview" : "message",
    state,
    channel,
    accountId,
    chatId,
    ...(threadId === undefined ? {} : { threadId }),
    text: beginningOf(text === "" ? poll?.question ?? "" : text, PREVIEW),
    hasAttachment: attachment !== undefined,
    acceptedAt,
    expiresAt,
    ...(endedAt === undefined ? {} : { endedAt }),
    ...(notBefore === undefined ? {} : { notBefore }),
    attempts,
    ...(fault === undefined ? {} : { fault }),
    ...(error === undefined ? {} : { error }),
    ...(messageIds === undefined ? {} : { messageIds }),
  };
}

function readBase64(text: string): Uint8Array<ArrayBuffer> {
  const base64 = text.replace(/^data:[^,]*;base64,/, "").replace(/\s/g, "");
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) {
    throw invalid("invalid send params: buffer is not base64");
  }
  return Uint8Array.from(Buffer.from(base64, "base64"));
}
