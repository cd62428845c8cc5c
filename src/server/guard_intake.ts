/** Buffers what a connection says, small while it says little. */

/** Buffers of one size, to be used again. */
export class Buffers {
  readonly #size: number;
  readonly #maxSpare: number;
  readonly #spare: Uint8Array<ArrayBuffer>[] = [];

  constructor(size: number, maxSpare: number) {
    this.#size = size;
    this.#maxSpare = maxSpare;
  }

  borrow(): Uint8Array<ArrayBuffer> {
    return this.#spare.pop() ?? new Uint8Array(this.#size);
  }

  giveBack(buffer: Uint8Array<ArrayBuffer>): void {
    if (this.#spare.length < this.#maxSpare) this.#spare.push(buffer);
  }
}

/** Where intakes get their buffers. */
export interface Sizes {
  /** For a source that says little. A read that waits holds its buffer, so these must be small. */
  readonly small: Buffers;
  /** For a burst, as long as it lasts. */
  readonly large: Buffers;
}

/** The bytes of a source that were read and not yet used. */
export class Intake {
  readonly #sizes: Sizes;
  #lender: Buffers;
  #buffer: Uint8Array<ArrayBuffer>;
  #from = 0;
  #to = 0;

  constructor(sizes: Sizes) {
    this.#sizes = sizes;
    this.#lender = sizes.small;
    this.#buffer = this.#lender.borrow();
  }

  /** The bytes at hand, until `space` is asked for. */
  get unread(): Uint8Array<ArrayBuffer> {
    return this.#buffer.subarray(this.#from, this.#to);
  }

  /** The first `count` unread bytes were used. */
  skip(count: number): void {
    this.#from += count;
  }

  /** Where to read into next. What is unread stays, and must be less than a large buffer holds. */
  space(): Uint8Array<ArrayBuffer> {
    const wasFilled = this.#to === this.#buffer.length; // then more may already be waiting
    if (wasFilled) this.#moveTo(this.#sizes.large);
    else if (this.#from === this.#to) this.#moveTo(this.#sizes.small);
    return this.#to === 0 ? this.#buffer : this.#buffer.subarray(this.#to);
  }

  /** So many bytes were read into the space. */
  add(count: number): void {
    this.#to += count;
  }

  /** Gives its buffer back. No read may be under way, and none may follow. */
  release(): void {
    this.#lender.giveBack(this.#buffer);
  }

  /** Moves what is unread to the front of a buffer of that size. */
  #moveTo(lender: Buffers): void {
    if (lender === this.#lender) {
      if (this.#from < this.#to) this.#buffer.copyWithin(0, this.#from, this.#to);
    } else {
      const buffer = lender.borrow();
      if (this.#from < this.#to) buffer.set(this.unread);
      this.#lender.giveBack(this.#buffer);
      this.#lender = lender;
      this.#buffer = buffer;
    }
    this.#to -= this.#from;
    this.#from = 0;
  }
}
