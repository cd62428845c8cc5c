/** Where others than this machine reach the gateway. */
import type { GatewayUrl } from "../host.ts";

/**
 * The addresses that lead to a listener on `addr`, the best first: under its names in the tailnet,
 * where Tailscale publishes it, and on this machine's networks, unless it listens on loopback only.
 */
export function reachableUrls(
  { hostname, port }: Pick<Deno.NetAddr, "hostname" | "port">,
  { tls, tailscale, names }: {
    tls: boolean;
    tailscale: "off" | "serve" | "funnel";
    names: readonly string[];
  },
): readonly GatewayUrl[] {
  const published = tailscale === "off" ? [] : names.map((name) => ({
    url: `wss://${name}`,
    source: `gateway.tailscale.mode=${tailscale}`,
    proxied: true as const,
  }));
  const scheme = tls ? "wss" : "ws";
  const everywhere = hostname === "0.0.0.0" || hostname === "::";
  const hosts = everywhere ? addresses() : isLocal(hostname) ? [] : [hostname];
  const listening = hosts.map((host) => ({
    url: `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}`,
    source: everywhere ? "gateway.bind=lan" : "gateway.bind",
  }));
  // An address in clear beside one that is not would be the way of whoever listens.
  return published.length > 0 ? published : listening;
}

/** Of the version that every network has. */
function addresses(): readonly string[] {
  return Deno.networkInterfaces()
    .filter(({ family, address }) => family === "IPv4" && !isLocal(address))
    .map(({ address }) => address);
}

function isLocal(host: string): boolean {
  return host === "localhost" || host === "::1" || /^(127|169\.254)\./.test(host);
}
