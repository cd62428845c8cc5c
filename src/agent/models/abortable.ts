import { byteReader } from "../../byte_reader.ts";

/**
 * `fetch` whose answer ends with the signal, always. Deno (2.6 to 2.9 at least) forgets the signal
 * when the garbage is collected while a body is being read: the abort then reaches nobody, and a
 * model goes on talking, at our cost, until it has said everything.
 */
export function abortable(fetcher: typeof fetch): typeof fetch {
  return async (input, init) => {
    const response = await fetcher(input, init);
    const { signal } = init ?? {};
    if (response.body === null || !signal) return response;
    return new Response(endingWith(signal, response.body), response);
  };
}

/** The same bytes, until the signal aborts: then the source is cancelled and the reader told why. */
function endingWith(
  signal: AbortSignal,
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const source = byteReader(body, PIECE_BYTES);
  const settle = () => signal.removeEventListener("abort", abort);
  let end: (reason: unknown) => void = () => {};
  function abort() {
    settle();
    end(signal.reason);
    source.cancel(signal.reason).catch(() => {}); // it may have noticed by itself
  }
  return new ReadableStream({
    start(controller) {
      end = (reason) => controller.error(reason);
      if (signal.aborted) abort();
      else signal.addEventListener("abort", abort);
    },
    async pull(controller) {
      try {
        const { done, value } = await source.read();
        if (signal.aborted) return;
        if (value !== undefined && !done) return controller.enqueue(value.slice());
        settle();
        controller.close();
      } catch (error) {
        settle();
        controller.error(error);
      }
    },
    cancel(reason) {
      settle();
      return source.cancel(reason);
    },
  }, { highWaterMark: 0 });
}

/** More than most words of a model need. */
const PIECE_BYTES = 8_192;
