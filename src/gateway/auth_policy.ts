/** From what the owner has set, in the configuration and beside it, to who may come in. */
import type { Config } from "../config.ts";
import type { AuthPolicy, ProxyPolicy } from "./credentials.ts";

/** What comes from flags, files and the environment; it goes before the configuration. */
export interface GivenAuth {
  readonly mode?: AuthPolicy["mode"];
  readonly token?: string;
  readonly password?: string;
  /** What a proxy must send to be believed. */
  readonly proxySecret?: string;
  readonly tailscale: "off" | "serve" | "funnel";
}

/** Something that must be mended first: what it is, and how. */
export interface Fault {
  readonly fault: string;
  readonly mend: string;
}

/** The header by which a proxy proves itself, where no other is named. */
export const PROXY_SECRET_HEADER = "x-openclaw-proxy-secret";

/**
 * Without a mode it is `password` where a password is set, else `token`. `"token wanted"` says that
 * the policy lacks only a token, which can be made. Whether it is safe where the gateway can be
 * reached, `exposureOf` tells.
 */
export function readPolicy(
  { gateway }: Config,
  { mode: asked, token, password, proxySecret, tailscale }: GivenAuth,
): AuthPolicy | Fault | "token wanted" {
  const mode = asked ?? gateway?.auth?.mode ?? (password ? "password" : "token");
  const isNamed = mode === "password" || mode === "trusted-proxy";
  const allowsTailscale = gateway?.auth?.allowTailscale ?? (tailscale === "serve" && !isNamed);
  const proxies = proxyPolicy(gateway, proxySecret);
  const common = {
    ...(proxies === undefined ? {} : { proxies }),
    ...(allowsTailscale ? { tailscale: true } : {}),
  };
  if (mode === "none") return { mode, ...common };
  if (mode === "password") {
    if (password) return { mode, secret: password, ...common };
    return {
      fault: "Auth mode is password, and no password is set",
      mend: "pass --password-file, or set OPENCLAW_GATEWAY_PASSWORD or gateway.auth.password",
    };
  }
  if (mode === "token") return token ? { mode, secret: token, ...common } : "token wanted";
  const { userHeader, requiredHeaders = [], allowUsers = [] } = gateway?.auth?.trustedProxy ?? {};
  if (proxies === undefined) {
    return {
      fault: "Auth mode is trusted-proxy, and no proxy is trusted",
      mend: `name it: openclaw config set gateway.trustedProxies '["10.0.0.2"]'`,
    };
  }
  if (userHeader === undefined) {
    return {
      fault: "Auth mode is trusted-proxy, and nothing says which header names the user",
      mend: "name it: openclaw config set gateway.auth.trustedProxy.userHeader x-forwarded-user",
    };
  }
  if (!token) return "token wanted";
  return {
    mode,
    userHeader: userHeader.toLowerCase(),
    requiredHeaders: requiredHeaders.map((name) => name.toLowerCase()),
    allowUsers,
    secret: token,
    ...common,
  };
}

function proxyPolicy(gateway: Config["gateway"], secret: string | undefined) {
  const { trustedProxies = [], auth } = gateway ?? {};
  if (trustedProxies.length === 0) return undefined;
  const header = auth?.trustedProxy?.secretHeader?.toLowerCase() ?? PROXY_SECRET_HEADER;
  return {
    addresses: trustedProxies,
    ...(secret ? { secret: { header, value: secret } } : {}),
    allowLoopback: auth?.trustedProxy?.allowLoopback === true,
  } satisfies ProxyPolicy;
}
