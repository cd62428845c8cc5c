/** What a gateway says of itself on its local network, in the words of DNS-SD that clients look for. */
import { type Fingerprint, parseFingerprint } from "./certificate.ts";

/** The type under which gateways are found. */
export const SERVICE_TYPE = "_openclaw-gw._tcp.local";

/** No secret, path or user's name is in it: everybody on the network can read it. */
export interface Beacon {
  readonly displayName: string;
  /** The gateway's machine, `<name>.local`. */
  readonly lanHost: string;
  readonly gatewayPort: number;
  /** Set where the gateway speaks TLS. */
  readonly tlsFingerprint?: Fingerprint;
  /** Where the machine can be reached by SSH. */
  readonly sshPort?: number;
}

/** The entries of the service's TXT record. */
export function toTxt(beacon: Beacon): readonly string[] {
  const { displayName, lanHost, gatewayPort, tlsFingerprint, sshPort } = beacon;
  const digits = tlsFingerprint?.slice("sha256:".length);
  return Object.entries({
    role: "gateway",
    transport: "gateway",
    gatewayPort,
    lanHost,
    displayName,
    ...(digits === undefined ? {} : { gatewayTls: 1, gatewayTlsSha256: digits }),
    ...(sshPort === undefined ? {} : { sshPort }),
  }).map(([key, value]) => `${key}=${value}`);
}

/**
 * Reads what any machine on the network may have sent: what has not the form that it should have is
 * left out. `undefined` for what names no port.
 */
export function fromTxt(
  entries: readonly string[],
): Omit<Beacon, "lanHost"> & { readonly lanHost?: string } | undefined {
  const said = new Map<string, string>();
  for (const entry of entries) {
    const [, key, value] = /^([^=]+)=(.*)$/s.exec(entry) ?? [];
    if (key !== undefined && value !== undefined && !said.has(key)) said.set(key, value);
  }
  const gatewayPort = portOf(said.get("gatewayPort"));
  if (gatewayPort === undefined) return undefined;
  const lanHost = said.get("lanHost");
  const sshPort = portOf(said.get("sshPort"));
  const tlsFingerprint = parseFingerprint(said.get("gatewayTlsSha256") ?? "");
  return {
    displayName: said.get("displayName") ?? "",
    gatewayPort,
    ...(lanHost !== undefined && HOST.test(lanHost) ? { lanHost } : {}),
    ...(tlsFingerprint === undefined ? {} : { tlsFingerprint }),
    ...(sshPort === undefined ? {} : { sshPort }),
  };
}

/**
 * A machine's name as one label of a host name: what the machine is called, up to its first dot,
 * with everything but letters, digits and dashes left out.
 */
export function hostLabel(name: string): string {
  const [first = ""] = name.split(".");
  const label = first.replace(/[^a-z0-9-]+/gi, "-").slice(0, 63).replace(/^-+|-+$/g, "");
  return label.toLowerCase() || "openclaw";
}

const HOST = /^[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*\.?$/i;

function portOf(text = ""): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port > 0 && port <= 65_535 ? port : undefined;
}
