/** Files on their way into a message. */
import type { Attachment } from "./chats.ts";

/** What the gateway takes, in bytes. */
export interface Limits {
  readonly image: number;
  readonly total: number;
}

/** Text files become part of the message; larger ones nobody would read. */
const MAX_TEXT_BYTES = 512 * 1024;
const IMAGES: ReadonlySet<string> = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);

/** A file and what it would take, before it is read. */
export type Candidate = Pick<File, "name" | "type" | "size">;

/** Why a file can't be sent besides those that are there already; `undefined` if it can. */
export function objection(
  file: Candidate,
  others: readonly Pick<Attachment, "bytes">[],
  limits: Limits,
): string | undefined {
  const { name, size } = file;
  const isImage = IMAGES.has(file.type);
  if (file.type.startsWith("image/") && !isImage) {
    return `${name}: only PNG, JPEG, GIF and WebP pictures can be sent`;
  }
  if (size === 0) return `${name} is empty`;
  const most = isImage ? limits.image : MAX_TEXT_BYTES;
  if (size > most) return `${name} is too large: at most ${inMegabytes(most)} MB`;
  const total = others.reduce((sum, { bytes }) => sum + bytes, size);
  if (total > limits.total) {
    return `${name} is too much: at most ${inMegabytes(limits.total)} MB in one message`;
  }
  return undefined;
}

function inMegabytes(bytes: number): string {
  return (bytes / 1_000_000).toFixed(1).replace(/\.0$/, "");
}

/** Reads a file whole. Rejects if it can't be read, or if it is neither a picture nor text. */
export async function readAttachment(file: File): Promise<Attachment> {
  const name = file.name || "picture.png";
  if (!IMAGES.has(file.type) && (await file.text()).includes("\0")) {
    throw new Error(`${name} is neither a picture nor a text`);
  }
  return { name, bytes: file.size, src: await asDataUrl(file) };
}

function asDataUrl(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}
