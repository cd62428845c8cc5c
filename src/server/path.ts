/** The path that a request asks for, as it was spelled. */

/** How often a path may be encoded over before that alone makes it suspect. */
const MAX_DECODINGS = 3;

/** The path in a request's URL before anything normalised it, without its query. */
export function spelledPath(url: string): string {
  return /^[a-z]+:\/\/[^/?#]*([^?#]*)/i.exec(url)?.[1] || "/";
}

/**
 * Whether a path says something else than it seems to: it leads upwards, holds a backslash or a
 * control character, or is badly or deeply encoded. Nobody who means well sends one.
 */
export function isDisguised(path: string): boolean {
  let plain = path;
  for (let turn = 0; turn < MAX_DECODINGS; turn++) {
    if (UNSAFE.test(plain)) return true;
    try {
      const decoded = decodeURIComponent(plain);
      if (decoded === plain) return false;
      plain = decoded;
    } catch {
      return true;
    }
  }
  return true;
}

// deno-lint-ignore no-control-regex
const UNSAFE = /[\x00-\x1f\x7f\\]|(^|\/)\.{1,2}(;[^/]*)?(\/|$)/;
