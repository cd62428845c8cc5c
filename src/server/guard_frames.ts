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

/** A text message: all of it, or a beginning that many are sent and what only this one is. */
export type Message = string | { readonly start: Uint8Array; readonly rest: string };

/** How long a message is about: a letter of text is taken for a byte. */
export function lengthOf(message: Message): number {
  return typeof message === "string" ? message.length : message.start.length + message.rest.length;
}

/** All of a message. */
export function textOf(message: Message): string {
  return typeof message === "string" ? message : decoder.decode(message.start) + message.rest;
}

/**
 * Puts text messages into frames, as a server sends them. Short ones lie side by side in a buffer
 * that is not used again: to allocate one for each would cost more than to fill it.
 */
export class Framer {
  /** What is free of the shared buffer. */
  #room = new Uint8Array(0);

  /** Whole messages, each in one frame, one behind the other. */
  frames(messages: readonly Message[]): Uint8Array {
    // mostly a byte is a letter: to be wrong costs another try, to make sure costs every time
    let size = 0;
    for (const message of messages) size += frameSize(lengthOf(message));
    if (size > MAX_SHARED) return framesIn(new Uint8Array(size), messages);
    if (size > this.#room.length) this.#room = new Uint8Array(SHARED_BUFFER);
    const frames = framesIn(this.#room, messages);
    if (frames.buffer === this.#room.buffer) this.#room = this.#room.subarray(frames.length);
    return frames;
  }
}

/** At the beginning of `room`, or where that is not enough, of a larger one. */
function framesIn(room: Uint8Array<ArrayBuffer>, messages: readonly Message[]): Uint8Array {
  let end = 0;
  for (const [n, message] of messages.entries()) {
    const length = lengthOf(message);
    const body = end + headSize(length);
    const written = body > room.length ? undefined : fill(room.subarray(body), message);
    if (written !== undefined && headSize(written) === headSize(length)) {
      end += writeHead(room, end, written) + written;
      continue;
    }
    const most = messages.slice(n).reduce((sum, some) => sum + MAX_HEAD + 3 * lengthOf(some), 0);
    const larger = new Uint8Array(end + most);
    larger.set(room.subarray(0, end));
    room = larger;
    const bytes = encoder.encode(textOf(message));
    end += writeHead(room, end, bytes.length);
    room.set(bytes, end);
    end += bytes.length;
  }
  return room.subarray(0, end);
}

/** Returns how many bytes the message takes; nothing where it finds no room. */
function fill(room: Uint8Array, message: Message): number | undefined {
  if (typeof message === "string") return encodeInto(room, message);
  const { start, rest } = message;
  if (start.length > room.length) return undefined;
  room.set(start);
  const written = encodeInto(room.subarray(start.length), rest);
  return written === undefined ? undefined : start.length + written;
}

/** The same for a text. */
function encodeInto(room: Uint8Array, text: string): number | undefined {
  const { read, written } = encoder.encodeInto(text, room);
  return read === text.length ? written : undefined;
}

function frameSize(length: number): number {
  return headSize(length) + length;
}

function headSize(length: number): number {
  return length < 126 ? 2 : length < 65_536 ? 4 : MAX_HEAD;
}

/** Returns the size of the head. */
function writeHead(frames: Uint8Array, at: number, length: number): number {
  const size = headSize(length);
  const lengthBytes = size - 2;
  frames[at] = 0x80 | TEXT;
  frames[at + 1] = lengthBytes === 0 ? length : lengthBytes === 2 ? 126 : 127;
  for (let n = 0, left = length; n < lengthBytes; n++, left = Math.floor(left / 256)) {
    frames[at + 1 + lengthBytes - n] = left % 256;
  }
  return size;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const CONTINUATION = 0;
const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;
const PONG = 10;
const MAX_HEAD = 10;
const MAX_CLOSE_FRAME = 2 + 125;
/** Of a client that takes nothing one such buffer is kept, at most. */
const SHARED_BUFFER = 32_768;
const MAX_SHARED = 4_096;
