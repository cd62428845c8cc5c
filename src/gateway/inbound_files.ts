/** The files that came with a message: fetched from its network once it is let in. */
import { Buffer } from "node:buffer";
import type { Channel, Downloads } from "../channel.ts";
import { Deadline, pause } from "../deadline.ts";
import type { Log } from "../log.ts";
import type { InboundAttachment, InboundMessage, Place } from "../message.ts";
import type { ImageBlock } from "../session.ts";
import type { StoredInbound } from "../store.ts";
import { IMAGE_TYPES, MAX_ATTACHMENTS_BYTES, MAX_IMAGE_BYTES } from "./attachments.ts";
import { Slots } from "./lane.ts";
import { MediaError, type MediaFolder } from "./media.ts";
import { type Fetched, plainName } from "./telling.ts";

type AccountRef = Pick<Place, "channel" | "accountId">;

export interface InboundFilesParts {
  /** What an account's files are fetched by. */
  channel(account: AccountRef): Channel | undefined;
  readonly log: Log;
  /** Milliseconds: how long a network has for the first bytes, and the wait before it is asked again. */
  readonly timing: { readonly fetchMs: number; readonly retryMs: number };
}

/** Files of one account that are fetched at a time. */
const FETCHES = 4;
/** How often a file is asked for. */
const ATTEMPTS = 2;

export class InboundFiles {
  readonly #folder: MediaFolder;
  readonly #parts: InboundFilesParts;
  readonly #slots = new Map<string, Slots>();

  constructor(folder: MediaFolder, parts: InboundFilesParts) {
    this.#folder = folder;
    this.#parts = parts;
  }

  /**
   * Brings the files of a message to disk; the same message again brings them to the same place. What
   * can't be had is said in the result. Rejects only when the signal aborts.
   */
  async fetch(
    { seq, message, receivedAt }: StoredInbound,
    { maxBytes, signal }: { maxBytes: number; signal: AbortSignal },
  ): Promise<readonly Fetched[]> {
    const day = new Date(receivedAt).toISOString().slice(0, 10);
    const fetched: Fetched[] = [];
    for (const [i, { attachment }] of filesOf(message).entries()) {
      using _slot = await this.#slotsOf(message.place).take(signal);
      signal.throwIfAborted();
      const stem = `${day}-${seq}-${i + 1}`;
      const { place } = message;
      fetched.push(await this.#download(attachment, { place, stem, maxBytes, signal }));
    }
    return fetched;
  }

  #slotsOf({ channel, accountId }: AccountRef): Slots {
    const key = JSON.stringify([channel, accountId]);
    const slots = this.#slots.get(key) ?? new Slots(() => FETCHES);
    this.#slots.set(key, slots);
    return slots;
  }

  async #download(
    attachment: InboundAttachment,
    { place, stem, maxBytes, signal }: {
      place: Place;
      stem: string;
      maxBytes: number;
      signal: AbortSignal;
    },
  ): Promise<Fetched> {
    const channel = this.#parts.channel(place);
    if (channel === undefined || !canDownload(channel)) {
      return { attachment, fault: "the account can't fetch files now" };
    }
    if ((attachment.size ?? 0) > maxBytes) {
      return { attachment, fault: `it is larger than ${Math.floor(maxBytes / 1024 ** 2)} MB` };
    }
    for (let attempt = 1;; attempt++) {
      try {
        const stream = await this.#open(channel, attachment, signal);
        const { name } = attachment;
        return {
          attachment,
          file: await this.#folder.save(stream, { stem, name, maxBytes, signal }),
        };
      } catch (cause) {
        signal.throwIfAborted();
        const { channel, accountId, chatId } = place;
        this.#parts.log.warn("A file could not be fetched", { channel, accountId, chatId, cause });
        if (attempt === ATTEMPTS || cause instanceof MediaError) {
          const reason = plainName(cause instanceof Error ? cause.message : String(cause));
          return { attachment, fault: reason || "nobody knows why" };
        }
        await pause(this.#parts.timing.retryMs, signal);
      }
    }
  }

  async #open(
    channel: Downloads,
    attachment: InboundAttachment,
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array>> {
    using deadline = new Deadline(this.#parts.timing.fetchMs, signal);
    try {
      // What is awaited here ends with the first bytes: from there on the folder watches over it.
      return await channel.download(attachment, deadline.signal);
    } catch (cause) {
      if (deadline.isOver) throw new MediaError("the network did not send it", { cause });
      throw cause;
    }
  }
}

/** The files of a message, none of them fetched. */
export function filesOf(
  message: InboundMessage,
): readonly { readonly attachment: InboundAttachment }[] {
  return message.kind === "message"
    ? message.attachments.map((attachment) => ({ attachment }))
    : [];
}

/** The pictures among files, as far as a model takes them. */
export async function imagesOf(files: readonly Fetched[]): Promise<readonly ImageBlock[]> {
  const images: ImageBlock[] = [];
  let total = 0;
  for (const fetched of files) {
    if (!("file" in fetched)) continue;
    const { path, mimeType, size } = fetched.file;
    if (!IMAGE_TYPES.has(mimeType) || size > MAX_IMAGE_BYTES) continue;
    total += size;
    if (total > MAX_ATTACHMENTS_BYTES) break;
    const data = Buffer.from((await Deno.readFile(path)).buffer).toString("base64");
    images.push({ type: "image", data, mimeType });
  }
  return images;
}

function canDownload(channel: Channel): channel is Channel & Downloads {
  return "download" in channel && typeof channel.download === "function";
}
