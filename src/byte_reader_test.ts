import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { byteReader } from "./byte_reader.ts";

/** All bytes, and how large the buffers were that they came in. */
async function readAll(stream: ReadableStream<Uint8Array>) {
  const reader = byteReader(stream, 4);
  const bytes: number[] = [];
  const sizes = new Set<number>();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return { bytes, sizes: [...sizes] };
    bytes.push(...value ?? []);
    sizes.add(value?.buffer.byteLength ?? 0);
  }
}

const PIECES = [[1], [2, 3, 4, 5, 6, 7, 8, 9, 10], [11, 12]];
const ALL = PIECES.flat();

Deno.test("bytes are read into a buffer of the wanted size, whatever pieces they come in", async () => {
  const pieces = PIECES.map((piece) => Uint8Array.from(piece));
  const stream = new ReadableStream({
    type: "bytes",
    pull(controller) {
      const piece = pieces.shift();
      if (piece !== undefined) return controller.enqueue(piece);
      controller.close();
      controller.byobRequest?.respond(0);
    },
  });
  deepStrictEqual(await readAll(stream), { bytes: ALL, sizes: [4] });
});

Deno.test("a stream that has pieces of its own is read as it is", async () => {
  const stream = ReadableStream.from(PIECES.map((piece) => Uint8Array.from(piece)));
  deepStrictEqual((await readAll(stream)).bytes, ALL);
});

Deno.test("a stream that nobody wants any more is told why", async () => {
  let reason: unknown;
  const stream = new ReadableStream<Uint8Array>({
    type: "bytes",
    cancel: (why) => void (reason = why),
  });
  await byteReader(stream, 4).cancel("enough");
  strictEqual(reason, "enough");
});
