import { deepStrictEqual, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { ChunkMeter, LengthMeter } from "./guard_body.ts";
import { BAD_REQUEST, BODY_TOO_LARGE } from "./guard_refusal.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);

Deno.test("ChunkMeter finds the end of a body however it is cut, and counts its data", () => {
  const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }));
  const cuts = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1 });
  fc.assert(fc.property(chunks, cuts, fc.nat(3_000), (chunks, cuts, limit) => {
    const total = chunks.reduce((sum, { length }) => sum + length, 0);
    const body = Uint8Array.from([
      ...chunks.flatMap((chunk) => [
        ...bytesOf(`${chunk.length.toString(16)}\r\n`),
        ...chunk,
        ...bytesOf("\r\n"),
      ]),
      ...bytesOf("0\r\n\r\n"),
    ]);
    const bytes = Uint8Array.from([...body, ...bytesOf("GET / HTTP/1.1\r\n")]);
    const meter = new ChunkMeter(limit);
    let at = 0;
    for (let cut = 0; !meter.done; cut++) {
      const taken = meter.feed(bytes.subarray(at, at + cuts[cut % cuts.length]!));
      if (typeof taken !== "number") {
        deepStrictEqual(taken, BODY_TOO_LARGE);
        strictEqual(total > limit, true);
        return;
      }
      at += taken;
    }
    strictEqual(at, body.length);
    strictEqual(total <= limit, true);
  }));
});

Deno.test("ChunkMeter refuses all but the plain form", () => {
  const bodies = [
    "\r\n",
    "g\r\n",
    "-1\r\n",
    "0x1\r\n",
    " 1\r\n",
    "1 \r\n",
    "1;a=b\r\n",
    "1\n",
    "1\rx",
    "000000001\r\n",
    "1\r\nab",
    "1\r\na\nb",
    "1\r\na\r\r",
    "0\r\nTrailer: 1\r\n\r\n",
    "0\r\n\n",
    "0\r\n\rx",
  ];
  for (const body of bodies) {
    deepStrictEqual(new ChunkMeter(1_000).feed(bytesOf(body)), BAD_REQUEST, JSON.stringify(body));
  }
});

Deno.test("ChunkMeter refuses a chunk that declares too much before its data comes", () => {
  deepStrictEqual(new ChunkMeter(1_000).feed(bytesOf("3e9\r\n")), BODY_TOO_LARGE);
  deepStrictEqual(new ChunkMeter(1_000).feed(bytesOf("ffffffff\r\n")), BODY_TOO_LARGE);
});

Deno.test("LengthMeter takes as many bytes as were announced", () => {
  const meter = new LengthMeter(5);
  strictEqual(meter.feed(bytesOf("abc")), 3);
  strictEqual(meter.done, false);
  strictEqual(meter.feed(bytesOf("defg")), 2);
  strictEqual(meter.done, true);
  strictEqual(new LengthMeter(0).done, true);
});
