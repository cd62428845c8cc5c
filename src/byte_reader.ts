/** Reads bytes into one buffer. */

/** What a stream has, piece by piece. A piece is gone with the next one. */
export interface ByteReader {
  read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array }>;
  cancel(reason: unknown): Promise<void>;
}

/**
 * Reads at most `size` bytes at a time into one and the same buffer, where the stream can. Else Deno
 * gives each piece 64 KiB, however short it is, and what is garbage at once keeps the collector busy.
 */
export function byteReader(
  stream: ReadableStream<Uint8Array>,
  size: number,
): ByteReader {
  let reader: ReadableStreamBYOBReader;
  try {
    reader = stream.getReader({ mode: "byob" });
  } catch {
    return stream.getReader(); // it has pieces of its own
  }
  let buffer = new Uint8Array(size);
  return {
    async read() {
      const { done, value } = await reader.read(buffer);
      if (value !== undefined) buffer = new Uint8Array(value.buffer);
      return { done, value };
    },
    cancel: (reason) => reader.cancel(reason),
  };
}
