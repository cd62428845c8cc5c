/** What this gateway says of itself on its networks, by its configuration and environment. */
import { type Beacon, hostLabel } from "../beacon.ts";
import type { Fingerprint } from "../certificate.ts";
import type { Config } from "../config.ts";
import type { Env } from "./paths.ts";

/** `undefined` where it is to say nothing. */
export function ownBeacon(
  { discovery }: Pick<Config, "discovery">,
  { env, port, tls }: {
    env: Env;
    port: number;
    tls: { readonly fingerprint: Fingerprint } | undefined;
  },
): Beacon | undefined {
  const mode = discovery?.mdns?.mode ?? "minimal";
  if (mode === "off" || /^(1|true|yes|on)$/i.test(env.OPENCLAW_DISABLE_BONJOUR ?? "")) {
    return undefined;
  }
  const label = hostLabel(env.OPENCLAW_MDNS_HOSTNAME || Deno.hostname());
  return {
    displayName: label,
    lanHost: `${label}.local`,
    gatewayPort: port,
    ...(tls === undefined ? {} : { tlsFingerprint: tls.fingerprint }),
    ...(mode === "full" ? { sshPort: Number(env.OPENCLAW_SSH_PORT) || SSH_PORT } : {}),
  };
}

const SSH_PORT = 22;
