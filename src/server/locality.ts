/** Where a request really comes from, and whether a browser may have been made to send it. */
import type { Config } from "../config.ts";

/** What is known of a request before it is answered. */
export interface Origin {
  /** From this machine, provably: a loopback peer, no proxy in between, addressed by a local name. */
  readonly local: boolean;
  /** The `Origin` header, where a browser sent one. */
  readonly origin?: string;
  /** The page was served by this gateway, under the name that it was just asked by. */
  readonly sameOrigin: boolean;
}

/** Headers by which a proxy speaks for somebody else. */
const FORWARDED = /^(forwarded|via|x-forwarded-.*|x-real-ip|x-client-ip|tailscale-.*|cf-.*)$/;

const LOOPBACK_NAME = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;
const IP_LITERAL = /^(\d{1,3}(\.\d{1,3}){3}|\[[0-9a-f:.]+\])$/;

/**
 * Judges a request by its TCP peer and its headers. Returns a refusal, for people, where its `Host`
 * or `Origin` is not one that this gateway answers to.
 */
export function judge(
  headers: Headers,
  { peer, config, bindsLoopback }: { peer: string; config: Config; bindsLoopback: boolean },
): Origin | { readonly refused: string } {
  const host = headers.get("host")?.toLowerCase() ?? "";
  const name = hostName(host);
  const allowed = (config.gateway?.controlUi?.allowedOrigins ?? []).map((text) =>
    text.toLowerCase().replace(/\/$/, "")
  );
  if (name === undefined || !isOurName(name, { allowed, bindsLoopback })) {
    return { refused: "host not allowed: add its origin to gateway.controlUi.allowedOrigins" };
  }
  const isDirect = isLoopback(peer) && ![...headers.keys()].some((name) => FORWARDED.test(name));
  const local = isDirect && LOOPBACK_NAME.test(name);
  const origin = headers.get("origin")?.toLowerCase();
  if (origin === undefined) return { local, sameOrigin: false };
  const from = readOrigin(origin);
  const sameOrigin = from !== undefined && from.host === host;
  const isAllowed = sameOrigin || allowed.includes(origin) ||
    local && from !== undefined && LOOPBACK_NAME.test(from.name);
  if (!isAllowed) {
    return {
      refused: "origin not allowed (open the page from the gateway's own address or allow it in " +
        "gateway.controlUi.allowedOrigins)",
    };
  }
  return { local, origin, sameOrigin };
}

/** Whether an address is of this machine only. */
export function isLoopback(address: string): boolean {
  return /^(::ffff:)?127(\.\d{1,3}){3}$/i.test(address) || address === "::1";
}

/**
 * Names that can't be made to point here by a stranger's DNS: addresses, this machine, its tailnet,
 * and those that the owner lists.
 */
function isOurName(
  name: string,
  { allowed, bindsLoopback }: { allowed: readonly string[]; bindsLoopback: boolean },
): boolean {
  if (LOOPBACK_NAME.test(name) || name.endsWith(".ts.net")) return true;
  if (allowed.some((origin) => readOrigin(origin)?.name === name)) return true;
  if (bindsLoopback) return false;
  return IP_LITERAL.test(name) || name.endsWith(".local");
}

/** The name in a `Host` header; `undefined` for one that is none. */
function hostName(host: string): string | undefined {
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/.exec(host);
  return match?.[1]?.replace(/\.$/, "");
}

function readOrigin(origin: string): { host: string; name: string } | undefined {
  const match = /^https?:\/\/([^/@?#]+)$/.exec(origin);
  const host = match?.[1];
  const name = host === undefined ? undefined : hostName(host);
  return host === undefined || name === undefined ? undefined : { host, name };
}
