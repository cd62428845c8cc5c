/** Files that come with a message, as the model can take them. */
import { Buffer } from "node:buffer";
import { invalid } from "../error.ts";
import type { ImageBlock, TextBlock } from "../session.ts";
import { fileType } from "./file_type.ts";

/** The kinds of images that models can look at. */
export const IMAGE_TYPES: ReadonlySet<string> = new Set([
  "image/png",
  "image/jpeg",
  "image/gif",
  "image/webp",
]);

/** What one image may weigh, in bytes. */
export const MAX_IMAGE_BYTES = 5_000_000;
/** What all attachments of a message may weigh, in bytes. */
export const MAX_ATTACHMENTS_BYTES = 19_464_192;
/** Text files up to this size become part of the message, in bytes. */
const MAX_TEXT_BYTES = 512 * 1024;

/** An attachment as clients send it. `content` is base64, with or without a `data:` prefix. */
interface Attachment {
  readonly mimeType?: unknown;
  readonly fileName?: unknown;
  readonly content?: unknown;
}

/**
 * Turns attachments into blocks. What a file is, is read from its bytes and not from what the
 * client calls it. Throws for what the model could not read.
 */
export function readAttachments(
  attachments: readonly unknown[],
): readonly (ImageBlock | TextBlock)[] {
  let total = 0;
  return attachments.map((attachment, i) => {
    const { fileName, content } = (attachment ?? {}) as Attachment; // each use is checked
    const name = typeof fileName === "string" && fileName !== "" ? fileName : `#${i + 1}`;
    if (typeof content !== "string") {
      throw invalid(`attachment ${name}: content must be base64 text`);
    }
    const base64 = content.replace(/^data:[^,]*;base64,/, "").replace(/\s/g, "");
    if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) {
      throw invalid(`attachment ${name}: content is not base64`);
    }
    const bytes = Buffer.from(base64, "base64");
    total += bytes.length;
    if (total > MAX_ATTACHMENTS_BYTES) {
      throw invalid(`attachments are too large: more than ${MAX_ATTACHMENTS_BYTES} bytes together`);
    }
    const { mimeType } = fileType(bytes);
    if (IMAGE_TYPES.has(mimeType)) {
      if (bytes.length > MAX_IMAGE_BYTES) {
        throw invalid(
          `attachment ${name}: ${bytes.length} bytes, at most ${MAX_IMAGE_BYTES} allowed`,
        );
      }
      return { type: "image", data: bytes.toString("base64"), mimeType }; // padded, unlike some
    }
    const text = bytes.length <= MAX_TEXT_BYTES ? asText(bytes) : undefined;
    if (text === undefined) {
      throw invalid(
        `attachment ${name}: only images (PNG, JPEG, GIF, WebP) and text files up to ` +
          `${MAX_TEXT_BYTES} bytes can be read`,
      );
    }
    return { type: "text", text: `File ${name}:\n\`\`\`\n${text}\n\`\`\`` };
  });
}

function asText(bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return text.includes("\0") ? undefined : text;
  } catch {
    return undefined; // not UTF-8
  }
}
