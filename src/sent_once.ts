/**
 * `fetch` that sends what is to be said once. Deno (2.6 to 2.9 at least) sends a request a second
 * time, unasked, when its connection closes without an answer; what was to be said is then said
 * twice. It does so only where it can read the body again: not with a `Blob`, which it sends with its
 * length, as a text. A request without a body may still be sent twice.
 */
export function sentOnce(fetcher: typeof fetch): typeof fetch {
  return (input, init) => {
    const { body } = init ?? {};
    return fetcher(input, typeof body === "string" ? { ...init, body: new Blob([body]) } : init);
  };
}
