import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { MAX_ATTACHMENTS_BYTES, MAX_IMAGE_BYTES, readAttachments } from "./attachments.ts";

const PNG = bytes("\x89PNG\r\n\x1a\n", 100);

Deno.test("an image is known by its bytes, whatever it is called", () => {
  const table: readonly [Buffer, string][] = [
    [PNG, "image/png"],
    [bytes("\xff\xd8\xff", 20), "image/jpeg"],
    [bytes("GIF89a", 20), "image/gif"],
    [bytes("GIF87a", 20), "image/gif"],
    [bytes("RIFF\0\0\0\0WEBP", 20), "image/webp"],
  ];
  for (const [image, mimeType] of table) {
    const data = image.toString("base64");
    deepStrictEqual(
      readAttachments([{ content: data, mimeType: "text/plain", fileName: "x.txt" }]),
      [
        { type: "image", data, mimeType },
      ],
    );
  }
});

Deno.test("base64 may come with a data prefix, with blanks, and without padding", () => {
  const data = PNG.toString("base64");
  for (
    const content of [
      `data:image/png;base64,${data}`,
      data.replace(/(.{40})/g, "$1\r\n"),
      data.replace(/=+$/, ""),
    ]
  ) {
    deepStrictEqual(readAttachments([{ content }]), [{
      type: "image",
      data,
      mimeType: "image/png",
    }]);
  }
});

Deno.test("a text file becomes a part of the message, under its name", () => {
  const content = Buffer.from("a,b\n1,ü").toString("base64");
  deepStrictEqual(readAttachments([{ content, fileName: "t.csv" }, { content }]), [
    { type: "text", text: "File t.csv:\n```\na,b\n1,ü\n```" },
    { type: "text", text: "File #2:\n```\na,b\n1,ü\n```" },
  ]);
});

Deno.test("what the model could not read is refused with its name", () => {
  const table: readonly [unknown, RegExp][] = [
    [{ content: bytes("%PDF-1.7\xff\xfe", 50).toString("base64") }, /#1: only images/],
    [{ content: Buffer.from("a\0b").toString("base64") }, /#1: only images/],
    [
      { content: bytes("x", 512 * 1024 + 1).toString("base64"), fileName: "big" },
      /big: only images/,
    ],
    [{ content: "not base64!" }, /#1: content is not base64/],
    [{ content: "" }, /#1: content is not base64/],
    [{ content: 5, fileName: "n" }, /n: content must be base64 text/],
    [{}, /#1: content must be base64 text/],
    [null, /#1: content must be base64 text/],
    ["text", /#1: content must be base64 text/],
  ];
  for (const [attachment, message] of table) throws(() => readAttachments([attachment]), message);
});

Deno.test("one image may weigh five megabytes, and all together what the policy says", () => {
  const exact = bytes("\x89PNG\r\n\x1a\n", MAX_IMAGE_BYTES).toString("base64");
  strictEqual(readAttachments([{ content: exact }]).length, 1);
  const over = bytes("\x89PNG\r\n\x1a\n", MAX_IMAGE_BYTES + 1).toString("base64");
  throws(() => readAttachments([{ content: over }]), /5000001 bytes, at most 5000000 allowed/);
  const all = Math.floor(MAX_ATTACHMENTS_BYTES / MAX_IMAGE_BYTES);
  throws(
    () => readAttachments(Array.from({ length: all + 1 }, () => ({ content: exact }))),
    /attachments are too large/,
  );
});

Deno.test("no attachments are none", () => {
  deepStrictEqual(readAttachments([]), []);
});

/** A beginning, filled up to a length. */
function bytes(beginning: string, length: number): Buffer {
  return Buffer.concat([Buffer.from(beginning, "latin1"), Buffer.alloc(length, "x")]).subarray(
    0,
    length,
  );
}
