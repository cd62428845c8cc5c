import { strictEqual } from "node:assert/strict";
import { fileType } from "./file_type.ts";

const latin = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

Deno.test("a file is what its first bytes say", () => {
  const known: Readonly<Record<string, string>> = {
    "\x89PNG\r\n\x1a\n…": "image/png",
    "\xff\xd8\xff\xe0": "image/jpeg",
    "GIF89a": "image/gif",
    "RIFF\x01\x02\x03\x04WEBP": "image/webp",
    "RIFF\x01\x02\x03\x04WAVE": "audio/wav",
    "\0\0\0\x20ftypisom": "video/mp4",
    "\0\0\0\x20ftypM4A ": "audio/mp4",
    "\0\0\0\x20ftypheic": "image/heic",
    "\0\0\0\x20ftypqt  ": "video/quicktime",
    "OggS": "audio/ogg",
    "ID3\x04": "audio/mpeg",
    "%PDF-1.7": "application/pdf",
    "PK\x03\x04": "application/zip",
    "\x1aE\xdf\xa3\x01\x42\x82\x84webm": "video/webm",
    "hello": "text/plain",
    "<svg>": "text/plain",
    "a\0b": "application/octet-stream",
    "\xfe\xfe": "application/octet-stream",
    "": "application/octet-stream",
  };
  for (const [bytes, mimeType] of Object.entries(known)) {
    strictEqual(fileType(latin(bytes.replace("…", ""))).mimeType, mimeType, bytes);
  }
});

Deno.test("a text whose last letter is cut is still a text", () => {
  strictEqual(fileType(new TextEncoder().encode("grüße".repeat(200))).mimeType, "text/plain");
});
