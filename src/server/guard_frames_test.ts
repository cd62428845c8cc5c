import { deepStrictEqual, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { closeFrame, FrameMeter, Framer, type Violation } from "./guard_frames.ts";

interface Frame {
  readonly opcode: number;
  readonly isFinal: boolean;
  readonly length: number;
  readonly reserved?: number;
  readonly isMasked?: boolean;
  /** How many bytes to write the length with, at least. */
  readonly lengthBytes?: number;
}

function encode(
  { opcode, isFinal, length, reserved = 0, isMasked = true, lengthBytes = 0 }: Frame,
) {
  const extended = length > 0xffff || lengthBytes > 2 ? 8 : length > 125 || lengthBytes > 0 ? 2 : 0;
  const short = extended === 8 ? 127 : extended === 2 ? 126 : length;
  const long = Array.from(
    { length: extended },
    (_, at) => Math.floor(length / 256 ** (extended - 1 - at)) % 256,
  );
  const mask = isMasked ? [1, 2, 3, 4] : [];
  const first = (isFinal ? 0x80 : 0) | reserved << 4 | opcode;
  return [first, (isMasked ? 0x80 : 0) | short, ...long, ...mask];
}

/** The rules, told of whole frames. */
function judge(frames: readonly Frame[], limit: number): Violation | undefined {
  let message: number | undefined;
  for (const { opcode, isFinal, length, reserved = 0 } of frames) {
    if (reserved !== 0 || ![0, 1, 2, 8, 9, 10].includes(opcode)) return 1002;
    if (opcode >= 8) {
      if (!isFinal || length > 125) return 1002;
      continue;
    }
    if ((opcode === 0) !== (message !== undefined)) return 1002;
    message = (message ?? 0) + length;
    if (message > limit) return 1009;
    if (isFinal) message = undefined;
  }
  return undefined;
}

const frame: fc.Arbitrary<Frame> = fc.record({
  opcode: fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom(0, 1, 2, 8, 9, 10) },
    { weight: 1, arbitrary: fc.nat(15) },
  ),
  isFinal: fc.boolean(),
  length: fc.oneof(fc.nat(10), fc.nat(130), fc.nat(70_000)),
  reserved: fc.oneof({ weight: 30, arbitrary: fc.constant(0) }, fc.nat(7)),
  isMasked: fc.boolean(),
  lengthBytes: fc.constantFrom(0, 2, 8),
});

/** Mostly what a client would send, so that many frames pass before one does not. */
const wellFormed: fc.Arbitrary<Frame[]> = fc.array(fc.oneof(
  fc.record({ opcode: fc.constantFrom(8, 9, 10), isFinal: fc.constant(true), length: fc.nat(125) })
    .map((control) => [control]),
  fc.array(fc.nat(400), { minLength: 1, maxLength: 5 }).map((lengths) =>
    lengths.map((length, at) => ({
      opcode: at === 0 ? 1 : 0,
      isFinal: at === lengths.length - 1,
      length,
    }))
  ),
)).map((messages) => messages.flat());

Deno.test("FrameMeter judges frames the same however the bytes are cut", () => {
  const frames = fc.oneof(
    wellFormed,
    fc.array(frame),
    fc.tuple(wellFormed, fc.array(frame)).map((all) => all.flat()),
  );
  fc.assert(
    fc.property(
      frames,
      fc.constantFrom(0, 50, 1_000, 65_536),
      fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1 }),
      (frames, limit, cuts) => {
        const bytes = Uint8Array.from(
          frames.flatMap((frame) => [...encode(frame), ...new Uint8Array(frame.length)]),
        );
        const meter = new FrameMeter(limit);
        let verdict: Violation | undefined;
        for (let at = 0, cut = 0; at < bytes.length && verdict === undefined; cut++) {
          const end = at + cuts[cut % cuts.length]!;
          verdict = meter.feed(bytes.subarray(at, end));
          at = end;
        }
        strictEqual(verdict, judge(frames, limit));
        if (verdict === undefined) strictEqual(meter.isBetween, true);
      },
    ),
    { numRuns: 500 },
  );
});

Deno.test("FrameMeter refuses a frame that declares too much from its header alone", () => {
  for (const length of [101, 65_536, 2 ** 32, 2 ** 60, 2 ** 64 - 2 ** 11]) {
    const meter = new FrameMeter(100);
    const header = Uint8Array.from(encode({ opcode: 2, isFinal: true, length }));
    strictEqual(meter.feed(header), 1009, `${length} bytes`);
  }
});

Deno.test("FrameMeter counts the fragments of a message together, and messages apart", () => {
  const meter = new FrameMeter(100);
  const part = (opcode: number, isFinal: boolean) =>
    Uint8Array.from([...encode({ opcode, isFinal, length: 50 }), ...new Uint8Array(50)]);
  const ping = Uint8Array.from(encode({ opcode: 9, isFinal: true, length: 0 }));
  strictEqual(meter.feed(part(1, false)), undefined);
  strictEqual(meter.feed(ping), undefined);
  strictEqual(meter.feed(part(0, true)), undefined);
  strictEqual(meter.feed(part(1, false)), undefined);
  strictEqual(meter.feed(part(0, false)), undefined);
  strictEqual(meter.feed(part(0, false)), 1009);
});

Deno.test("FrameMeter lets larger messages pass once its limit is raised, also the one under way", () => {
  const meter = new FrameMeter(10);
  strictEqual(
    meter.feed(Uint8Array.from(encode({ opcode: 1, isFinal: false, length: 0 }))),
    undefined,
  );
  meter.limit = 1_000;
  strictEqual(
    meter.feed(Uint8Array.from(encode({ opcode: 0, isFinal: true, length: 1_000 }))),
    undefined,
  );
});

Deno.test("FrameMeter knows where the stream stands between two frames", () => {
  const meter = new FrameMeter(Infinity);
  const bytes = Uint8Array.from([
    ...encode({ opcode: 1, isFinal: true, length: 3, isMasked: false }),
    1,
    2,
    3,
  ]);
  const between = Array.from(bytes, (_, at) => {
    meter.feed(bytes.subarray(at, at + 1));
    return meter.isBetween;
  });
  deepStrictEqual(between, [false, false, false, false, true]);
});

Deno.test("closeFrame is a server's close frame, its reason cut between characters", () => {
  deepStrictEqual([...closeFrame(1009)], [0x88, 2, 0x03, 0xf1]);
  deepStrictEqual([...closeFrame(1008, "slow")], [
    0x88,
    6,
    0x03,
    0xf0,
    ...new TextEncoder().encode("slow"),
  ]);
  const long = closeFrame(1008, "é".repeat(100));
  strictEqual(long[1], 2 + 122);
  strictEqual(new TextDecoder().decode(long.subarray(4)), "é".repeat(61));
});

Deno.test("a framer's frames are a server's messages, their lengths in as few bytes as can be", () => {
  const framer = new Framer();
  for (const length of [0, 1, 125, 126, 65_535, 65_536]) {
    const bytes = framer.frames(["x".repeat(length)]);
    const head = encode({ opcode: 1, isFinal: true, length, isMasked: false });
    deepStrictEqual([...bytes.subarray(0, head.length)], head);
    strictEqual(bytes.length, head.length + length);
  }
});

Deno.test("a framer's frames hold every text, whatever its letters take and wherever it is cut", () => {
  const framer = new Framer();
  const text = fc.string({ unit: "grapheme", maxLength: 300 });
  const encoder = new TextEncoder();
  const halves = text.chain((start) => text.map((rest) => [start, rest] as const));
  const part = fc.oneof(text, halves);
  fc.assert(fc.property(fc.array(part), fc.nat(3), (parts, times) => {
    const all = [...parts, "é".repeat(100 * times), "€".repeat(30_000 * times), ...parts];
    let bytes = framer.frames(
      all.map((said) =>
        typeof said === "string" ? said : { start: encoder.encode(said[0]), rest: said[1] }
      ),
    );
    for (const said of all) {
      const body = encoder.encode(typeof said === "string" ? said : said.join(""));
      const head = encode({ opcode: 1, isFinal: true, length: body.length, isMasked: false });
      deepStrictEqual(bytes.subarray(0, head.length), new Uint8Array(head));
      deepStrictEqual(bytes.subarray(head.length, head.length + body.length), body);
      bytes = bytes.subarray(head.length + body.length);
    }
    strictEqual(bytes.length, 0);
  }));
});

Deno.test("a framer leaves the frames alone that it gave away", () => {
  const framer = new Framer();
  const given = Array.from({ length: 1_000 }, (_, n) => {
    const text = `message ${n} ${"é".repeat(n % 7)}${"x".repeat(n)}`;
    return { text, frame: framer.frames([text]) };
  });
  for (const { text, frame } of given) {
    const body = new TextEncoder().encode(text);
    deepStrictEqual(frame.subarray(frame.length - body.length), body);
  }
});
