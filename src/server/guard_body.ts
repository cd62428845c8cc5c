/** Finds where a request's body ends. */
import { BAD_REQUEST, BODY_TOO_LARGE, type Refusal } from "./guard_refusal.ts";

/** Watches a body pass, and keeps nothing of it. */
export interface BodyMeter {
  /** Whether the body has ended. */
  readonly done: boolean;
  /** Takes the next bytes, cut anywhere. Returns how many of them are the body's. */
  feed(bytes: Uint8Array): number | Refusal;
}

/** A body of this many bytes. */
export class LengthMeter implements BodyMeter {
  #left: number;

  constructor(length: number) {
    this.#left = length;
  }

  get done(): boolean {
    return this.#left === 0;
  }

  feed(bytes: Uint8Array): number {
    const taken = Math.min(this.#left, bytes.length);
    this.#left -= taken;
    return taken;
  }
}

/**
 * A body in chunks. Only the plain form passes: chunk extensions and trailers, which no handler
 * could see and which programs read differently, are refused.
 */
export class ChunkMeter implements BodyMeter {
  readonly #limit: number;
  #expects: Expected = "size";
  #digits = 0;
  #size = 0; // of the chunk whose size is being read
  #data = 0; // bytes of this chunk's data still to come
  #total = 0;

  /** `limit` is what the data may weigh in bytes, all chunks together. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get done(): boolean {
    return this.#expects === "nothing";
  }

  feed(bytes: Uint8Array): number | Refusal {
    let at = 0;
    while (at < bytes.length && !this.done) {
      if (this.#data > 0) {
        const passed = Math.min(this.#data, bytes.length - at);
        this.#data -= passed;
        at += passed;
        continue;
      }
      const refusal = this.#take(bytes[at++]!);
      if (refusal !== undefined) return refusal;
    }
    return at;
  }

  /** Takes one byte of what stands around the data. */
  #take(byte: number): Refusal | undefined {
    switch (this.#expects) {
      case "size": {
        const digit = hexDigit(byte);
        if (digit >= 0 && this.#digits < MAX_DIGITS) {
          this.#size = this.#size * 16 + digit;
          this.#digits++;
          return undefined;
        }
        if (this.#digits === 0) return BAD_REQUEST;
        return this.#pass(byte === CR, "size's LF");
      }
      case "size's LF":
        this.#digits = 0;
        this.#data = this.#size;
        this.#size = 0;
        this.#total += this.#data;
        if (this.#total > this.#limit) return BODY_TOO_LARGE;
        return this.#pass(byte === LF, this.#data > 0 ? "data" : "last CR");
      case "data":
        return this.#pass(byte === CR, "data's LF");
      case "data's LF":
        return this.#pass(byte === LF, "size");
      case "last CR":
        return this.#pass(byte === CR, "last LF");
      default:
        return this.#pass(byte === LF, "nothing");
    }
  }

  #pass(isRight: boolean, next: Expected): Refusal | undefined {
    this.#expects = next;
    return isRight ? undefined : BAD_REQUEST;
  }
}

/** What comes next in a body in chunks. */
type Expected = "size" | "size's LF" | "data" | "data's LF" | "last CR" | "last LF" | "nothing";

const LF = 10;
const CR = 13;
const MAX_DIGITS = 8;

/** The value of a hexadecimal digit, or -1. */
function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const letter = byte | 0x20;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}
