/** What is known of a failed `fetch`: Deno has no codes for it, only words. */

/** The innermost reason, which says most; where that is differs among Deno's versions. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : reasonOf(error.cause);
}

/** Whether it failed before there was a connection, and so before anything was said on it. */
export function isUnsent(reason: string): boolean {
  return /client error \(Connect\)/.test(reason);
}

/** Of `error sending request for url (…): client error (Connect): tcp connect error: …`. */
export function lastPart(reason: string): string {
  return reason.split("): ").at(-1) ?? reason;
}
