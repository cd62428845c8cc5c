/** What a file is, by its first bytes; what it is called proves nothing. */
import { Buffer } from "node:buffer";

export interface FileType {
  readonly mimeType: string;
  /** Without a dot. */
  readonly extension: string;
}

/** So many bytes of a file's beginning say all that is looked for. */
export const HEAD_BYTES = 512;

interface Mark {
  readonly type: FileType;
  /** What the bytes begin with, each as one character. */
  readonly start: string;
  /** What stands further on. */
  readonly then?: { readonly at: number; readonly text: RegExp };
}

const of = (mimeType: string, extension: string): FileType => ({ mimeType, extension });

/** The first that fits counts. */
const MARKS: readonly Mark[] = [
  { type: of("image/png", "png"), start: "\x89PNG\r\n\x1a\n" },
  { type: of("image/jpeg", "jpg"), start: "\xff\xd8\xff" },
  { type: of("image/gif", "gif"), start: "GIF87a" },
  { type: of("image/gif", "gif"), start: "GIF89a" },
  { type: of("image/webp", "webp"), start: "RIFF", then: { at: 8, text: /^WEBP/ } },
  { type: of("audio/wav", "wav"), start: "RIFF", then: { at: 8, text: /^WAVE/ } },
  { type: of("video/x-msvideo", "avi"), start: "RIFF", then: { at: 8, text: /^AVI / } },
  { type: of("image/tiff", "tif"), start: "II*\0" },
  { type: of("image/tiff", "tif"), start: "MM\0*" },
  { type: of("application/pdf", "pdf"), start: "%PDF-" },
  { type: of("video/ogg", "ogv"), start: "OggS", then: { at: 28, text: /^\x80theora/ } },
  { type: of("audio/ogg", "ogg"), start: "OggS" },
  { type: of("audio/flac", "flac"), start: "fLaC" },
  { type: of("audio/amr", "amr"), start: "#!AMR" },
  { type: of("audio/mpeg", "mp3"), start: "ID3" },
  { type: of("audio/aac", "aac"), start: "\xff\xf1" },
  { type: of("audio/aac", "aac"), start: "\xff\xf9" },
  { type: of("audio/mpeg", "mp3"), start: "\xff\xfb" },
  { type: of("audio/mpeg", "mp3"), start: "\xff\xf3" },
  { type: of("audio/mpeg", "mp3"), start: "\xff\xf2" },
  { type: of("video/webm", "webm"), start: "\x1aE\xdf\xa3", then: { at: 4, text: /webm/ } },
  { type: of("video/x-matroska", "mkv"), start: "\x1aE\xdf\xa3" },
  { type: of("application/zip", "zip"), start: "PK\x03\x04" },
  { type: of("application/gzip", "gz"), start: "\x1f\x8b" },
  { type: of("application/x-7z-compressed", "7z"), start: "7z\xbc\xaf\x27\x1c" },
];

/** Files made of boxes say in the first one what they are. */
const BRANDS: readonly (readonly [brand: RegExp, type: FileType])[] = [
  [/^(?:heic|heix|heim|heis|hevc|mif1|msf1)/, of("image/heic", "heic")],
  [/^avif/, of("image/avif", "avif")],
  [/^qt {2}/, of("video/quicktime", "mov")],
  [/^M4[AB] /, of("audio/mp4", "m4a")],
  [/^3g/, of("video/3gpp", "3gp")],
];
const MP4 = of("video/mp4", "mp4");
const TEXT = of("text/plain", "txt");
const UNKNOWN = of("application/octet-stream", "bin");

/** The type that the first bytes of a file show: text where they are text, else unknown bytes. */
export function fileType(bytes: Uint8Array): FileType {
  const head = bytes.subarray(0, HEAD_BYTES);
  const text = Buffer.from(head).toString("latin1");
  const mark = MARKS.find(({ start, then }) =>
    text.startsWith(start) && (then === undefined || then.text.test(text.slice(then.at)))
  );
  if (mark !== undefined) return mark.type;
  if (text.slice(4, 8) === "ftyp") {
    return BRANDS.find(([brand]) => brand.test(text.slice(8)))?.[1] ?? MP4;
  }
  return isText(head) ? TEXT : UNKNOWN;
}

function isText(head: Uint8Array): boolean {
  try {
    // A character may be cut in two at the end, which a stream allows for.
    const text = new TextDecoder("utf-8", { fatal: true }).decode(head, { stream: true });
    return text !== "" && !text.includes("\0");
  } catch {
    return false;
  }
}
