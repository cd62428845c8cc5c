/** Follows one direction of a WebSocket by its frame headers alone. */

/** The close code for the rule that a stream broke: malformed, or a message that is too big. */
export type Violation = 1002 | 1009;

/** Watches frames pass. It reads no payload and keeps none, so its memory is a few numbers. */
export class FrameMeter {
  /** What one message may weigh in bytes, its fragments together. May be changed at any time. */
  limit: number;
  #header = 0; // bytes read of an unfinished header
  #first = 0; // the header's first byte
  #size = 2; // the header's length, as far as it is known
  #lengthEnd = 2; // where in the header the payload's length ends
  #length = 0; // the payload's length, as far as it is known
  #payload = 0; // bytes of this frame's payload still to come
  #message = 0; // bytes that the frames of this message declared so far
  #isFragmented = false; // between the first and the last fragment of a message

  constructor(limit: number) {
    this.limit = limit;
  }

  /** Whether the stream stands between two frames, where another frame may be put in. */
  get isBetween(): boolean {
    return this.#header === 0 && this.#payload === 0;
  }

  /**
   * Takes the next bytes of the stream, cut anywhere. A frame is judged as soon as its header is
   * whole; after a violation the stream is lost and the meter must not be fed again.
   */
  feed(bytes: Uint8Array): Violation | undefined {
    for (let at = 0; at < bytes.length;) {
      if (this.#payload > 0) {
        const passed = Math.min(this.#payload, bytes.length - at);
        this.#payload -= passed;
        at += passed;
        continue;
      }
      this.#takeHeader(bytes[at++]!);
      if (this.#header < this.#size) continue;
      this.#header = 0;
      this.#size = 2;
      const violation = this.#judge();
      if (violation !== undefined) return violation;
      this.#payload = this.#length;
    }
    return undefined;
  }

  #takeHeader(byte: number): void {
    const at = this.#header++;
    if (at === 0) {
      this.#first = byte;
    } else if (at === 1) {
      const short = byte & 0x7f;
      this.#length = short < 126 ? short : 0;
      const extended = short === 127 ? 8 : short === 126 ? 2 : 0;
      this.#lengthEnd = 2 + extended;
      this.#size = this.#lengthEnd + ((byte & 0x80) === 0 ? 0 : 4); // the mask is of no interest
    } else if (at < this.#lengthEnd) {
      // Past 2^53 it is rounded, and far above every limit anyhow.
      this.#length = this.#length * 256 + byte;
    }
  }

  #judge(): Violation | undefined {
    const isFinal = (this.#first & 0x80) !== 0;
    const opcode = this.#first & 0x0f;
    if ((this.#first & 0x70) !== 0) return 1002; // reserved bits: no extension is ever negotiated
    if (opcode >= CLOSE) {
      return opcode <= PONG && isFinal && this.#length <= 125 ? undefined : 1002;
    }
    if (opcode > BINARY || (opcode === CONTINUATION) !== this.#isFragmented) return 1002;
    this.#message += this.#length;
    if (this.#message > this.limit) return 1009;
    this.#isFragmented = !isFinal;
    if (isFinal) this.#message = 0;
    return undefined;
  }
}

/** A whole close frame as a server sends it. The reason is cut to what a close frame can hold. */
export function closeFrame(code: number, reason = ""): Uint8Array {
  const frame = new Uint8Array(MAX_CLOSE_FRAME);
  const { written } = encoder.encodeInto(reason, frame.subarray(4));
  frame[0] = 0x80 | CLOSE;
  frame[1] = 2 + written;
  frame[2] = code >> 8;
  frame[3] = code & 0xff;
  return frame.subarray(0, 4 + written);
}

/** A whole text message as a server sends it, in one frame. */
export function textFrame(text: string): Uint8Array {
  const body = encoder.encode(text);
  const { length } = body;
  const lengthBytes = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const frame = new Uint8Array(2 + lengthBytes + length);
  frame[0] = 0x80 | TEXT;
  frame[1] = lengthBytes === 0 ? length : lengthBytes === 2 ? 126 : 127;
  const view = new DataView(frame.buffer);
  if (lengthBytes === 2) view.setUint16(2, length);
  if (lengthBytes === 8) view.setBigUint64(2, BigInt(length));
  frame.set(body, 2 + lengthBytes);
  return frame;
}

const encoder = new TextEncoder();

const CONTINUATION = 0;
const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;
const PONG = 10;
const MAX_CLOSE_FRAME = 2 + 125;
