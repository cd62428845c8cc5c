/** What this page shows at the gateway's door, and where it is kept. */
import type { Keep } from "./keep.ts";

/** One secret. A device token is the gateway's own, given to this browser after a first sign-in. */
export interface Credential {
  readonly kind: "token" | "password" | "deviceToken";
  readonly secret: string;
}

const NAME = "openclaw.credential";

/**
 * The credential of this browser, for this origin. A password is never kept: the device token that
 * follows it is, and that one can be revoked.
 */
export class Credentials {
  readonly #keep: Keep;
  #current: Credential | undefined;

  constructor(keep: Keep) {
    this.#keep = keep;
    this.#current = read(keep.getItem(NAME));
  }

  get current(): Credential | undefined {
    return this.#current;
  }

  use(credential: Credential): void {
    this.#current = credential;
    if (credential.kind === "password") this.#keep.removeItem(NAME);
    else this.#keep.setItem(NAME, JSON.stringify(credential));
  }

  forget(): void {
    this.#current = undefined;
    this.#keep.removeItem(NAME);
  }
}

function read(text: string | null): Credential | undefined {
  try {
    const { kind, secret } = JSON.parse(text ?? "");
    if ((kind === "token" || kind === "deviceToken") && typeof secret === "string") {
      return { kind, secret };
    }
  } catch {
    // nothing kept, or not by this version of the page
  }
  return undefined;
}

/**
 * The token that an address brings in its fragment, `#token=…`, and the address without it. A
 * fragment never reaches a server; it must not reach the history either.
 */
export function splitAddress(address: URL): { token: string | undefined; clean: string } {
  const fragment = new URLSearchParams(address.hash.slice(1));
  const token = fragment.get("token")?.trim();
  fragment.delete("token");
  const rest = fragment.toString();
  const clean = `${address.pathname}${address.search}${rest === "" ? "" : `#${rest}`}`;
  return { token: token === "" ? undefined : token, clean };
}
