/** The frames of a WebSocket (RFC 6455) as a client writes and reads them. */
import { randomFillSync } from "node:crypto";

/** What came from the server. */
export type Incoming =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "ping"; readonly payload: Uint8Array }
  | { readonly kind: "close"; readonly code: number; readonly reason: string };

/** The server sent what none may send; `code` is what to close with. */
export class FrameError extends Error {
  override readonly name = "FrameError";
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** A text message in one frame. */
export function textFrame(text: string): Uint8Array {
  return frame(TEXT, encoder.encode(text));
}

/** The answer to a ping. */
export function pongFrame(payload: Uint8Array): Uint8Array {
  return frame(PONG, payload);
}

/** The last frame. 1005 stands for no code at all, as what is read does. */
export function closeFrame(code: number, reason: string): Uint8Array {
  if (code === NO_CODE) return frame(CLOSE, new Uint8Array());
  const words = encoder.encode(reason).subarray(0, MAX_CONTROL - 2);
  return frame(CLOSE, Uint8Array.of(code >> 8, code & 255, ...words));
}

/** Takes a server's bytes as they come and makes of them what they mean. */
export class FrameReader {
  readonly #maxBytes: number;
  readonly #head = new Uint8Array(MAX_HEAD);
  #headLength = 0;
  #payload: Uint8Array | undefined;
  #filled = 0;
  /** Of the text that is not complete. */
  #fragments: Uint8Array[] | undefined;

  /** `maxBytes` is what one message may have. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Throws a `FrameError`; nothing more can be read then. */
  *push(bytes: Uint8Array): Iterable<Incoming> {
    for (let at = 0; at < bytes.length;) {
      if (this.#payload === undefined) {
        this.#head[this.#headLength++] = bytes[at++]!;
        if (this.#headLength < 2 || this.#headLength < headSize(this.#head[1]!)) continue;
        this.#payload = new Uint8Array(this.#readHead());
        this.#filled = 0;
      }
      const part = bytes.subarray(at, at + this.#payload.length - this.#filled);
      this.#payload.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled < this.#payload.length) return;
      const payload = this.#payload;
      this.#payload = undefined;
      this.#headLength = 0;
      const incoming = this.#complete(this.#head[0]!, payload);
      if (incoming !== undefined) yield incoming;
    }
  }

  /** The payload's size, by a head that is complete. */
  #readHead(): number {
    const [first, second] = [this.#head[0]!, this.#head[1]!];
    if ((first & 0x70) !== 0) throw new FrameError(1002, "a frame with unknown flags");
    if ((second & 0x80) !== 0) throw new FrameError(1002, "a masked frame");
    const view = new DataView(this.#head.buffer);
    const short = second & 127;
    const size = short < 126 ? short : short === 126 ? view.getUint16(2) : view.getBigUint64(2);
    if ((first & 8) !== 0 && (size > MAX_CONTROL || (first & FIN) === 0)) {
      throw new FrameError(1002, "a control frame that is too large, or a part");
    }
    const before = (this.#fragments ?? []).reduce((sum, { length }) => sum + length, 0);
    if (size > this.#maxBytes - before) {
      throw new FrameError(1009, `a message over ${this.#maxBytes} bytes`);
    }
    return Number(size);
  }

  #complete(first: number, payload: Uint8Array): Incoming | undefined {
    const opcode = first & 15;
    switch (opcode) {
      case TEXT:
      case CONTINUATION:
        if ((opcode === TEXT) !== (this.#fragments === undefined)) {
          throw new FrameError(1002, "a frame out of order");
        }
        this.#fragments = [...this.#fragments ?? [], payload];
        if ((first & FIN) === 0) return undefined;
        return { kind: "text", text: this.#joined() };
      case PING:
        return { kind: "ping", payload };
      case PONG:
        return undefined;
      case CLOSE:
        return payload.length < 2 ? { kind: "close", code: NO_CODE, reason: "" } : {
          kind: "close",
          code: payload[0]! << 8 | payload[1]!,
          reason: decode(payload.subarray(2)),
        };
      default:
        throw new FrameError(1003, `a frame of kind ${opcode}`);
    }
  }

  #joined(): string {
    const fragments = this.#fragments ?? [];
    this.#fragments = undefined;
    const [only = new Uint8Array()] = fragments;
    if (fragments.length <= 1) return decode(only);
    const whole = new Uint8Array(fragments.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const fragment of fragments) {
      whole.set(fragment, at);
      at += fragment.length;
    }
    return decode(whole);
  }
}

const [CONTINUATION, TEXT, CLOSE, PING, PONG] = [0, 1, 8, 9, 10] as const;
const FIN = 0x80;
const NO_CODE = 1005;
/** Of the head: two bytes, and a size of up to eight. */
const MAX_HEAD = 10;
/** Of the payload of a ping, pong or close. */
const MAX_CONTROL = 125;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function headSize(second: number): number {
  const short = second & 127;
  return short < 126 ? 2 : short === 126 ? 4 : 10;
}

function decode(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new FrameError(1007, "a text that is not UTF-8");
  }
}

/** One whole frame, masked as a client's must be. */
function frame(opcode: number, payload: Uint8Array): Uint8Array {
  const { length } = payload;
  const size = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const bytes = new Uint8Array(2 + size + 4 + length);
  const view = new DataView(bytes.buffer);
  bytes[0] = FIN | opcode;
  bytes[1] = 0x80 | (size === 0 ? length : size === 2 ? 126 : 127);
  if (size === 2) view.setUint16(2, length);
  if (size === 8) view.setBigUint64(2, BigInt(length));
  const mask = randomFillSync(bytes.subarray(2 + size, 2 + size + 4));
  const body = bytes.subarray(2 + size + 4);
  for (let i = 0; i < length; i++) body[i] = payload[i]! ^ mask[i & 3]!;
  return bytes;
}
