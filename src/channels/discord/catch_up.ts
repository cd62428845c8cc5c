/** Reads by REST what was said while no session was there to tell of it. */
import type { APIMessage } from "discord-api-types/v10";
import { pause } from "../../deadline.ts";
import { ApiError, type Client, toChannelError } from "./client.ts";
import { byAge } from "./snowflake.ts";

const PAGE = 100;
/** Pages of one channel; what is younger is read, but not all that is older. */
const MAX_PAGES = 10;
const MAX_WAITS = 5;
const MAX_WAIT_MS = 60_000;

/**
 * What was said in a channel after a message, oldest first. Ends early, after calling `cut`, where
 * it is too much; is empty where we may not read. Rejects with a `ChannelError` where Discord can't
 * be asked.
 */
export async function* missedIn(
  channelId: string,
  { client, after, cut }: { client: Client; after: string; cut: () => void },
  signal: AbortSignal,
): AsyncGenerator<APIMessage, undefined> {
  let last = after;
  for (let page = 0; page < MAX_PAGES; page++) {
    const path = `/channels/${channelId}/messages?limit=${PAGE}&after=${last}`;
    const messages = await patiently(
      () => client.call<APIMessage[]>("GET", path, { signal }),
      signal,
    );
    if (messages === undefined || signal.aborted) return;
    const ordered = messages.toSorted((a, b) => byAge(a.id, b.id));
    yield* ordered;
    last = ordered.at(-1)?.id ?? last;
    if (messages.length < PAGE) return;
  }
  cut();
}

/**
 * Asks again when Discord says to wait; `undefined` for what is not for us. Rejects with a
 * `ChannelError` where Discord can't be asked.
 */
export async function patiently<T>(
  ask: () => Promise<T>,
  signal: AbortSignal,
): Promise<T | undefined> {
  for (let waits = 0;; waits++) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof ApiError) || error.fault === "auth") throw toChannelError(error);
      if (error.fault === "rejected" || signal.aborted) return undefined;
      const { retryAfterMs = 1000 } = error;
      const mayWait = error.fault === "rate_limited" && retryAfterMs <= MAX_WAIT_MS;
      if (!mayWait || waits >= MAX_WAITS) throw toChannelError(error);
      await pause(retryAfterMs, signal);
    }
  }
}
