/** Where a request really comes from, and whether a browser may have been made to send it. */
import type { Config } from "../config.ts";
import type { AuthPolicy, AuthReason } from "../gateway/credentials.ts";
import { sameText } from "../secret.ts";
import { AddressSet, isLoopback, LOOPBACK, plainAddress, readAddress } from "./address.ts";

/** What is known of a request before it is answered. */
export interface Origin {
  /** From this machine, provably: a loopback peer, no proxy in between, addressed by a local name. */
  readonly local: boolean;
  /** The TCP peer, or whom a proxy that proved itself speaks for. */
  readonly remoteIp: string;
  /** No header tells of somebody in between. */
  readonly direct: boolean;
  /** The `Origin` header, where a browser sent one. */
  readonly origin?: string;
  /** The page was served by this gateway, under the name that it was just asked by. */
  readonly sameOrigin: boolean;
  /** Who it is, by the word of somebody whom the owner trusts to know. */
  readonly identity?: Identity;
}

export type Identity =
  /** Said by a trusted proxy. */
  | { readonly by: "proxy"; readonly user: string }
  /** Said in the name of the tailnet's daemon, which must still be asked who has that address. */
  | { readonly by: "tailscale"; readonly login: string; readonly address: string }
  /** Said, and not to be believed. */
  | { readonly by: "nobody"; readonly reason: AuthReason };

/** For people: why a request is not answered. */
export interface Refused {
  readonly refused: string;
}

/** What the judgement rests on. */
export interface Surroundings {
  readonly config: Config;
  readonly policy: AuthPolicy;
  readonly bindsLoopback: boolean;
  /** Names in DNS that are this machine's own and nobody else's to give. */
  readonly ownNames: () => readonly string[];
}

/** The request, beside its headers. */
export interface Arrived {
  /** The address at the other end of the TCP connection. */
  readonly peer: string;
  /** It came over TLS. */
  readonly secure?: boolean;
  readonly method?: string;
}

/** Judges a request by its TCP peer and its headers. */
export type Judge = (headers: Headers, arrived: Arrived) => Origin | Refused;

/** Headers by which a proxy speaks for somebody else. */
const FORWARDED =
  /^(forwarded|via|cdn-loop|true-client-ip|remote-user|x-real-ip|x-client-ip|x-cluster-client-ip|x-remote-user|(x-forwarded|x-original|x-envoy|x-auth-request|x-pomerium|tailscale|cf|fly|fastly|ngrok)-.*)$/;

const LOOPBACK_NAME = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;
const IP_LITERAL = /^(\d{1,3}(\.\d{1,3}){3}|\[[0-9a-f:.]+\])$/;

/**
 * A judge for as long as nothing of its surroundings changes.
 *
 * A proxy is believed if it is the TCP peer, the owner has named its address, and it sends the
 * secret that the owner gave it. On this machine, where any program can connect, the address alone
 * proves nothing. Whoever comes through a proxy is never local, and headers of one that is not
 * believed only tell that somebody stands in between.
 */
export function createJudge(
  { config, policy, bindsLoopback, ownNames }: Surroundings,
): Judge {
  // A page of any site can make itself one whose origin is "null"; and "*" is no origin.
  const allowed = (config.gateway?.controlUi?.allowedOrigins ?? [])
    .map((text) => text.toLowerCase().replace(/\/$/, ""))
    .filter((origin) => origin !== "null" && origin !== "*");
  const allowedNames = new Set(allowed.map((origin) => readOrigin(origin)?.name));
  const proxies = new AddressSet(policy.proxies?.addresses ?? []);
  const naming = policy.mode === "trusted-proxy"
    ? [policy.userHeader, ...policy.requiredHeaders]
    : [];
  const telltales = new Set([...naming, policy.proxies?.secret?.header]);

  return (headers, { peer, secure = false, method = "GET" }) => {
    const host = headers.get("host")?.toLowerCase() ?? "";
    const name = hostName(host);
    const direct = ![...headers.keys()].some((key) => FORWARDED.test(key) || telltales.has(key));
    const isProxy = !direct && proves(peer, headers);
    if (name === undefined || !(isProxy ? allowedNames.has(name) : isOurName(name))) {
      return { refused: isProxy ? PROXY_HOST : name?.endsWith(".ts.net") ? TAILNET_HOST : HOST };
    }
    const client = isProxy ? clientOf(headers, host) : plainAddress(peer);
    if (client === undefined) return { refused: MALFORMED };
    const local = direct && isLoopback(peer) && LOOPBACK_NAME.test(name);
    const identity = isProxy ? identityOf(headers) : tailnetIdentity(headers, peer, host);
    const from = {
      local,
      direct,
      remoteIp: client,
      ...(identity === undefined ? {} : { identity }),
    };
    const origin = headers.get("origin")?.toLowerCase();
    if (origin === undefined) {
      return isCrossSite(headers, method)
        ? { refused: CROSS_SITE }
        : { ...from, sameOrigin: false };
    }
    const page = readOrigin(origin);
    const scheme = direct ? secure ? "https" : "http" : headers.get("x-forwarded-proto");
    const sameOrigin = page !== undefined && page.host === host &&
      (scheme === null || page.scheme === scheme);
    const isAllowed = sameOrigin || allowed.includes(origin) ||
      local && page !== undefined && LOOPBACK_NAME.test(page.name);
    return isAllowed ? { ...from, origin, sameOrigin } : { refused: ORIGIN };
  };

  /** Whether the peer may speak for others. */
  function proves(peer: string, headers: Headers): boolean {
    if (policy.proxies === undefined || !proxies.has(peer)) return false;
    const { secret, allowLoopback } = policy.proxies;
    if (secret !== undefined) return sameText(headers.get(secret.header) ?? "", secret.value);
    return allowLoopback || !LOOPBACK.has(peer);
  }

  /**
   * Names that can't be made to point here by a stranger's DNS: addresses, this machine's own, and
   * those that the owner lists.
   */
  function isOurName(name: string): boolean {
    return LOOPBACK_NAME.test(name) || allowedNames.has(name) || ownNames().includes(name) ||
      !bindsLoopback && IP_LITERAL.test(name);
  }

  /**
   * The last address in the chain that no trusted proxy stands for. What is left of it was written
   * by the client itself. `undefined` for a chain, or a name, that can't be what a proxy wrote.
   */
  function clientOf(headers: Headers, host: string): string | undefined {
    const proto = headers.get("x-forwarded-proto");
    const asked = headers.get("x-forwarded-host")?.toLowerCase();
    if (proto !== null && proto !== "http" && proto !== "https") return undefined;
    if (asked !== undefined && asked !== host) return undefined;
    let client: string | undefined;
    for (const hop of (headers.get("x-forwarded-for") ?? "").split(",").reverse()) {
      client = readAddress(hop.trim());
      if (client === undefined || !proxies.has(client)) break;
    }
    return client;
  }

  /** Whom a proxy that proved itself names. */
  function identityOf(headers: Headers): Identity | undefined {
    if (policy.mode !== "trusted-proxy") return undefined;
    const missing = policy.requiredHeaders.find((name) => single(headers, name) === undefined);
    if (missing !== undefined) {
      return { by: "nobody", reason: `trusted_proxy_missing_header_${missing}` };
    }
    const user = single(headers, policy.userHeader);
    if (user === undefined) return { by: "nobody", reason: "trusted_proxy_user_missing" };
    const { allowUsers } = policy;
    return allowUsers.length === 0 || allowUsers.includes(user)
      ? { by: "proxy", user }
      : { by: "nobody", reason: "trusted_proxy_user_not_allowed" };
  }

  /** Whom the tailnet's daemon on this machine seems to name. Its headers come all together. */
  function tailnetIdentity(headers: Headers, peer: string, host: string): Identity | undefined {
    if (!policy.tailscale || ![...headers.keys()].some((key) => key.startsWith("tailscale-"))) {
      return undefined;
    }
    const address = readAddress(headers.get("x-forwarded-for") ?? "");
    const isServed = isLoopback(peer) && address !== undefined &&
      headers.get("x-forwarded-proto") === "https" &&
      headers.get("x-forwarded-host")?.toLowerCase() === host;
    if (!isServed) return { by: "nobody", reason: "tailscale_proxy_missing" };
    const login = single(headers, "tailscale-user-login");
    // Who comes by funnel, or from a device that belongs to nobody, has no login.
    return login === undefined || headers.has("tailscale-funnel-request")
      ? { by: "nobody", reason: "tailscale_user_missing" }
      : { by: "tailscale", login, address };
  }
}

/** A header's value if it was sent once and says something. */
function single(headers: Headers, name: string): string | undefined {
  const value = headers.get(name)?.trim();
  return value === undefined || value === "" || value.includes(",") ? undefined : value;
}

/**
 * Whether another site has made the browser ask, without an origin to tell which. To follow a link
 * to the page is all that it may.
 */
function isCrossSite(headers: Headers, method: string): boolean {
  const site = headers.get("sec-fetch-site");
  if (site === null || site === "same-origin" || site === "none") return false;
  const isLink = headers.get("sec-fetch-mode") === "navigate" &&
    headers.get("sec-fetch-dest") === "document" && method === "GET";
  return !isLink;
}

/** The name in a `Host` header; `undefined` for one that is none. */
function hostName(host: string): string | undefined {
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/.exec(host);
  return match?.[1]?.replace(/\.$/, "");
}

function readOrigin(origin: string): { scheme: string; host: string; name: string } | undefined {
  const [, scheme = "", host = ""] = /^(https?):\/\/([^/@?#]+)$/.exec(origin) ?? [];
  const name = hostName(host);
  return name === undefined ? undefined : { scheme, host, name };
}

const HOST = "host not allowed: add its origin to gateway.controlUi.allowedOrigins";
const TAILNET_HOST =
  "host not allowed: start the gateway with --tailscale serve, or add its origin " +
  "to gateway.controlUi.allowedOrigins";
const PROXY_HOST =
  "host not allowed: let the proxy pass on the Host that it was asked by, and add " +
  "its origin to gateway.controlUi.allowedOrigins";
const MALFORMED =
  "forwarding headers not allowed: the proxy must send one X-Forwarded-For that ends " +
  "in its client's address, and no other X-Forwarded-Host than Host";
const ORIGIN = "origin not allowed (open the page from the gateway's own address or allow it in " +
  "gateway.controlUi.allowedOrigins)";
const CROSS_SITE = "cross-site request not allowed (open the page from the gateway's own address)";
