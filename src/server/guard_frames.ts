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
  #shared = new Uint8Array(0);
  /** Where the shared buffer begins to be free. */
  #free = 0;

  /** Whole messages, each in one frame, one behind the other. */
  frames(messages: readonly Message[]): Uint8Array {
    // mostly a byte is a letter: to be wrong costs another try, to make sure costs every time
    const size = sizeOf(messages);
    if (size > MAX_SHARED) return framesIn(new Uint8Array(size), 0, messages);
    if (size > this.#shared.length - this.#free) {
      this.#shared = new Uint8Array(SHARED_BUFFER);
      this.#free = 0;
    }
    const frames = framesIn(this.#shared, this.#free, messages);
    if (frames.buffer === this.#shared.buffer) this.#free += frames.length;
    return frames;
  }
}

/** From `begin` on in `room`, or where that is not enough, in a larger one. */
function framesIn(
  room: Uint8Array<ArrayBuffer>,
  begin: number,
  messages: readonly Message[],
): Uint8Array<ArrayBuffer> {
  let end = begin;
  for (const message of messages) {
    const length = lengthOf(message);
    const size = headSize(length);
    const written = fill(room, end + size, message);
    if (written === undefined || headSize(written) !== size) {
      const exact = messages.map(encoded);
      return framesIn(new Uint8Array(sizeOf(exact)), 0, exact);
    }
    end += writeHead(room, end, written) + written;
  }
  return room.subarray(begin, end);
}

/** A message that takes as many bytes as its length says. */
function encoded(message: Message): Message {
  return { start: encoder.encode(textOf(message)), rest: "" };
}

/** Returns how many bytes the message takes; nothing where it finds no room. */
function fill(room: Uint8Array, at: number, message: Message): number | undefined {
  if (typeof message === "string") return encodeInto(room, at, message);
  const { start, rest } = message;
  if (start.length > room.length - at) return undefined;
  room.set(start, at);
  const written = encodeInto(room, at + start.length, rest);
  return written === undefined ? undefined : start.length + written;
}

/** The same for a text. */
function encodeInto(room: Uint8Array, at: number, text: string): number | undefined {
  if (text.length <= MAX_BY_LETTER && spell(room, at, text)) return text.length;
  if (at > room.length) return undefined;
  const { read, written } = encoder.encodeInto(text, room.subarray(at));
  return read === text.length ? written : undefined;
}

/** Letter by letter; `false` where they are not ASCII, or find no room. */
function spell(room: Uint8Array, at: number, text: string): boolean {
  if (text.length > room.length - at) return false;
  for (let n = 0; n < text.length; n++) {
    const letter = text.charCodeAt(n);
    if (letter > 0x7f) return false;
    room[at + n] = letter;
  }
  return true;
}

/** What the frames of these messages take if a letter is a byte. */
function sizeOf(messages: readonly Message[]): number {
  let size = 0;
  for (const message of messages) size += headSize(lengthOf(message)) + lengthOf(message);
  return size;
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
/** Up to this length the encoder takes more time to be called than to encode. */
const MAX_BY_LETTER = 64;
