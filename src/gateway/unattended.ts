/** Work of timers: nobody waits for it, so nobody else could catch what it throws. */
import type { Log } from "../log.ts";

/** The same work; where it throws or rejects, `failed` is logged, and the next time comes as usual. */
export function unattended(
  work: () => void | Promise<void>,
  { log, failed }: { readonly log: Log; readonly failed: string },
): () => Promise<void> {
  return async () => {
    try {
      await work();
    } catch (cause) {
      log.error(failed, { cause });
    }
  };
}
