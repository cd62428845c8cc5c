import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import {
  closeFrame,
  FrameError,
  FrameReader,
  type Incoming,
  pongFrame,
  textFrame,
} from "./websocket_frames.ts";

const encoder = new TextEncoder();

/** One frame as a server writes it. */
function frame(first: number, payload: string | Uint8Array): Uint8Array {
  const body = typeof payload === "string" ? encoder.encode(payload) : payload;
  const { length } = body;
  const size = length < 126
    ? [length]
    : length < 65_536
    ? [126, length >> 8, length & 255]
    : [127, 0, 0, 0, 0, length >>> 24, length >> 16 & 255, length >> 8 & 255, length & 255];
  return Uint8Array.of(first, ...size, ...body);
}

function read(bytes: Uint8Array, { maxBytes = 100_000, step = bytes.length } = {}): Incoming[] {
  const reader = new FrameReader(maxBytes);
  const incoming: Incoming[] = [];
  for (let at = 0; at < bytes.length; at += step) {
    incoming.push(...reader.push(bytes.subarray(at, at + step)));
  }
  return incoming;
}

const text = (text: string): Incoming => ({ kind: "text", text });

Deno.test("messages of every size are read, however they are cut", () => {
  const long = "ü".repeat(40_000);
  const all = [
    frame(0x81, ""),
    frame(0x81, "héllo"),
    frame(0x81, "x".repeat(126)),
    frame(0x81, long),
    frame(0x89, "ping"),
    frame(0x8a, "unasked pong"),
    frame(0x88, Uint8Array.of(1012 >> 8, 1012 & 255, ...encoder.encode("restart"))),
  ];
  const bytes = Uint8Array.from(all.flatMap((part) => [...part]));
  const expected: Incoming[] = [
    text(""),
    text("héllo"),
    text("x".repeat(126)),
    text(long),
    { kind: "ping", payload: encoder.encode("ping") },
    { kind: "close", code: 1012, reason: "restart" },
  ];
  for (const step of [1, 7, bytes.length]) deepStrictEqual(read(bytes, { step }), expected);
});

Deno.test("a message in fragments is one, with control frames in between", () => {
  const euro = encoder.encode("€");
  const bytes = Uint8Array.from([
    ...frame(0x01, euro.subarray(0, 1)),
    ...frame(0x89, ""),
    ...frame(0x00, euro.subarray(1, 2)),
    ...frame(0x80, euro.subarray(2)),
    ...frame(0x81, "next"),
  ]);
  const ping: Incoming = { kind: "ping", payload: new Uint8Array() };
  deepStrictEqual(read(bytes), [ping, text("€"), text("next")]);
});

Deno.test("a close frame may say nothing", () => {
  deepStrictEqual(read(frame(0x88, "")), [{ kind: "close", code: 1005, reason: "" }]);
});

Deno.test("what no server may send is refused with the code for it", () => {
  const cases: readonly (readonly [code: number, bytes: Uint8Array])[] = [
    [1002, frame(0xc1, "flag of an extension")],
    [1002, Uint8Array.of(0x81, 0x81, 0, 0, 0, 0, 0x78)],
    [1002, frame(0x80, "goes on with nothing")],
    [1002, Uint8Array.of(...frame(0x01, "a"), ...frame(0x81, "b"))],
    [1002, frame(0x09, "ping in parts")],
    [1002, frame(0x89, "p".repeat(126))],
    [1003, frame(0x82, "binary")],
    [1003, frame(0x83, "unknown kind")],
    [1007, frame(0x81, Uint8Array.of(0xff))],
    [1009, frame(0x81, "x".repeat(11))],
    [1009, Uint8Array.of(...frame(0x01, "x".repeat(6)), ...frame(0x80, "x".repeat(5)))],
    [1009, Uint8Array.of(0x81, 127, 255, 255, 255, 255, 255, 255, 255, 255)],
  ];
  for (const [code, bytes] of cases) {
    const limited = code === 1009 ? { maxBytes: 10 } : {};
    throws(
      () => read(bytes, limited),
      (error) => error instanceof FrameError && error.code === code,
    );
  }
});

Deno.test("what is sent is one whole frame, masked", () => {
  for (const message of ["", "héllo", "x".repeat(125), "x".repeat(126), "y".repeat(70_000)]) {
    deepStrictEqual(unmasked(textFrame(message)), {
      first: 0x81,
      payload: encoder.encode(message),
    });
  }
  deepStrictEqual(unmasked(pongFrame(encoder.encode("p"))), {
    first: 0x8a,
    payload: encoder.encode("p"),
  });
  const { first, payload } = unmasked(closeFrame(1000, "r".repeat(200)));
  deepStrictEqual([first, payload.length, payload[0]! << 8 | payload[1]!], [0x88, 125, 1000]);
  strictEqual(unmasked(closeFrame(1005, "")).payload.length, 0);
});

function unmasked(bytes: Uint8Array): { first: number; payload: Uint8Array } {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const short = bytes[1]! & 127;
  strictEqual(bytes[1]! & 0x80, 0x80);
  const [at, size] = short === 127
    ? [10, Number(view.getBigUint64(2))]
    : short === 126
    ? [4, view.getUint16(2)]
    : [2, short];
  const mask = bytes.subarray(at, at + 4);
  const body = bytes.subarray(at + 4);
  strictEqual(body.length, size);
  return { first: bytes[0]!, payload: body.map((byte, i) => byte ^ mask[i & 3]!) };
}
