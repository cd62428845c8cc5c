/** How the gateway can be reached, and what it lacks to be safe there. */
import type { Config } from "../config.ts";
import type { Fault } from "../gateway/auth_policy.ts";
import type { AuthPolicy } from "../gateway/credentials.ts";
import { strengthOf } from "../secret.ts";
import { AddressSet, isLoopback, LOOPBACK } from "./address.ts";

/** One way of being reached, checked. */
export interface Exposure {
  readonly name: "loopback" | "behind-proxy" | "tailnet" | "network";
  /** Who can reach it, for people. */
  readonly reach: string;
  /** What is allowed and should be otherwise. */
  readonly warnings: readonly string[];
}

/** Where the gateway is put. */
export interface Place {
  readonly hostname: string;
  readonly bind?: string;
  readonly tailscale: "off" | "serve" | "funnel";
  readonly policy: AuthPolicy;
  readonly config: Config;
}

/** Returns a fault where the gateway must not be started like this. */
export function exposureOf(place: Place): Exposure | Fault {
  const fault = secretFault(place) ?? proxyFault(place) ?? tailnetFault(place);
  return fault ?? { ...nameOf(place), warnings: [...warningsOf(place)] };
}

/** Networks larger than this name no proxy: they name everybody. */
const MAX_NETWORK = { ipv4: 8, ipv6: 16 };

function nameOf({ hostname, bind, tailscale, policy, config }: Place): Omit<Exposure, "warnings"> {
  if (tailscale === "funnel") return { name: "tailnet", reach: "the whole internet, by funnel" };
  if (tailscale === "serve") return { name: "tailnet", reach: "the devices of the tailnet" };
  if (bind === "tailnet" && !isLoopback(hostname)) {
    return { name: "tailnet", reach: `the devices of the tailnet, at ${hostname}` };
  }
  if (policy.proxies !== undefined) {
    const { addresses } = policy.proxies;
    const names = config.gateway?.controlUi?.allowedOrigins ?? [];
    return { name: "behind-proxy", reach: `${names.join(", ")}, by ${addresses.join(", ")}` };
  }
  if (isLoopback(hostname)) return { name: "loopback", reach: "this machine only" };
  return { name: "network", reach: `every machine that reaches ${hostname}` };
}

/** Whether anybody beyond this machine can reach it. */
function isExposed({ hostname, tailscale, policy }: Place): boolean {
  return !isLoopback(hostname) || tailscale !== "off" || policy.proxies !== undefined;
}

function secretFault(place: Place): Fault | undefined {
  const { policy, hostname, tailscale } = place;
  if (!isExposed(place)) return undefined;
  if (policy.mode === "none") {
    const isByTailnet = isLoopback(hostname) && policy.proxies === undefined && policy.tailscale;
    if (isByTailnet) return undefined;
    const where = isLoopback(hostname) ? "what others reach by a proxy" : hostname;
    return {
      fault: `Auth mode none is for loopback only, not for ${where}`,
      mend: "use --auth token, or --bind loopback",
    };
  }
  if (policy.mode === "trusted-proxy") return undefined; // its secret is for this machine
  const strength = strengthOf(policy.secret);
  if (strength === "placeholder" || strength === "weak") {
    const kind = strength === "placeholder" ? "stands in examples" : "is easy to guess";
    return {
      fault: `The gateway's ${policy.mode} ${kind}, and others can reach it`,
      mend:
        `make one: openclaw config set --text gateway.auth.${policy.mode} "$(openssl rand -hex 24)"`,
    };
  }
  if (tailscale === "funnel" && policy.mode !== "password") return FUNNEL_WITHOUT_PASSWORD;
  return undefined;
}

function proxyFault({ policy, config }: Place): Fault | undefined {
  if (policy.proxies === undefined) return undefined;
  const { addresses, secret, allowLoopback } = policy.proxies;
  const proxies = new AddressSet(addresses);
  const [wrong] = [...proxies.faults, ...addresses.filter(isEverybody)];
  if (wrong !== undefined) {
    const what = isEverybody(wrong) ? "everybody" : "no address and no network";
    return {
      fault: `gateway.trustedProxies has '${wrong}', which names ${what}`,
      mend: "name the proxy's own address, such as 10.0.0.2, or its network, such as 10.0.3.0/24",
    };
  }
  if (!(config.gateway?.controlUi?.allowedOrigins ?? []).some((url) => /^https?:/i.test(url))) {
    return {
      fault: "gateway.trustedProxies is set, and no name that the proxy is asked by",
      mend: "name it: openclaw config set gateway.controlUi.allowedOrigins " +
        `'["https://chat.example.com"]'`,
    };
  }
  if (secret !== undefined && secret.value.length < 16) {
    return {
      fault: "gateway.auth.trustedProxy.secret is too short to prove a proxy",
      mend:
        `make one: openclaw config set --text gateway.auth.trustedProxy.secret "$(openssl rand -hex 24)"`,
    };
  }
  const isHere = proxies.overlaps(LOOPBACK) && secret === undefined && !allowLoopback;
  if (policy.mode === "trusted-proxy" && isHere) {
    return {
      fault: "A proxy on this machine is trusted to name users, and any program here could be it",
      mend: "set gateway.auth.trustedProxy.secret, and let the proxy send it as " +
        "X-OpenClaw-Proxy-Secret (or set gateway.auth.trustedProxy.allowLoopback if every program " +
        "here may be you)",
    };
  }
  return undefined;
}

function isEverybody(entry: string): boolean {
  const [address = "", prefix] = entry.split("/");
  if (prefix === undefined) return false;
  return Number(prefix) < (address.includes(":") ? MAX_NETWORK.ipv6 : MAX_NETWORK.ipv4);
}

const FUNNEL_WITHOUT_PASSWORD: Fault = {
  fault: "Tailscale funnel opens the gateway to the internet, which is for auth mode password only",
  mend: "use --auth password with --password-file, or --tailscale serve",
};

function tailnetFault({ hostname, tailscale, policy }: Place): Fault | undefined {
  if (tailscale === "off") return undefined;
  if (tailscale === "funnel" && policy.mode !== "password") return FUNNEL_WITHOUT_PASSWORD;
  if (isLoopback(hostname)) return undefined;
  return {
    fault: `Tailscale ${tailscale} brings what it serves to loopback, not to ${hostname}`,
    mend: "use --bind loopback with it",
  };
}

function* warningsOf(place: Place): Iterable<string> {
  const { policy } = place;
  const { proxies } = policy;
  const isSecret = policy.mode === "token" || policy.mode === "password";
  if (isSecret && isExposed(place) && strengthOf(policy.secret) === "fair") {
    yield `The gateway's ${policy.mode} could be guessed in time, and others can reach it: make a ` +
      `longer one with: openclaw config set --text gateway.auth.${policy.mode} "$(openssl rand -hex 24)"`;
  }
  if (proxies !== undefined && new AddressSet(proxies.addresses).overlaps(LOOPBACK)) {
    if (proxies.secret !== undefined) return;
    yield proxies.allowLoopback
      ? "Any program on this machine can say that it is the trusted proxy: " +
        "gateway.auth.trustedProxy.secret would prevent it"
      : "A proxy on this machine is not believed before it proves itself: set " +
        "gateway.auth.trustedProxy.secret, and let it send that as X-OpenClaw-Proxy-Secret; until " +
        "then all its clients count as one";
  }
}
