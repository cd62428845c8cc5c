/** From where the gateway can be reached, and what a stranger there would have to show. */
import { at } from "../config_file.ts";
import { below, type Finding, type Step } from "./finding.ts";

/** What was said on the command line of the gateway that runs; it counts before the configuration. */
export interface Started {
  readonly bind?: string;
  readonly auth?: string;
  readonly tailscale?: string;
}

/** Looks at a configuration, which may be wrong in any way, and at how the gateway was started. */
export function exposureFindings(config: unknown, started: Started = {}): readonly Finding[] {
  const gateway = at(config, "gateway");
  const bind = started.bind ?? at(gateway, "bind") ?? "loopback";
  const mode = started.auth ?? at(gateway, "auth", "mode") ?? "token";
  const tailscale = started.tailscale ?? at(gateway, "tailscale", "mode") ?? "off";
  const isLocal = bind === "loopback" ||
    bind === "custom" && isLoopback(at(gateway, "customBindHost"));
  return [
    ...authFindings({ mode, isLocal, tailscale, gateway }),
    ...(isLocal ? [] : networkFindings({ bind, gateway })),
    ...tailscaleFindings({ tailscale, mode, gateway }),
    ...proxyFindings({ mode, gateway }),
    ...originFindings({ gateway, isLocal }),
    ...flagFindings(config),
    ...limitFindings(gateway),
    ...hookFindings(config),
  ];
}

function* authFindings({ mode, isLocal, tailscale, gateway }: {
  mode: unknown;
  isLocal: boolean;
  tailscale: unknown;
  gateway: unknown;
}): Iterable<Finding> {
  if (mode !== "none") return;
  const isOpen = !isLocal || tailscale !== "off";
  yield {
    checkId: isOpen ? "gateway.bind_no_auth" : "gateway.loopback_no_auth",
    severity: isOpen ? "critical" : "warn",
    title: "Clients need no secret",
    detail: isOpen
      ? "gateway.auth.mode is none, and the gateway is to be reached from elsewhere; it refuses " +
        "to start like that"
      : "gateway.auth.mode is none: every program and every user of this machine can steer the " +
        "gateway",
    mend: {
      by: "hand",
      how: at(gateway, "auth", "mode") === "none"
        ? "openclaw config set gateway.auth.mode token"
        : "start the gateway without --auth none",
    },
  };
}

function* networkFindings(
  { bind, gateway }: { bind: unknown; gateway: unknown },
): Iterable<Finding> {
  const where = bind === "custom" ? String(at(gateway, "customBindHost")) : String(bind);
  if (at(gateway, "tls", "enabled") === true) {
    yield {
      checkId: "gateway.bind_network",
      severity: "info",
      title: "Other machines can reach the gateway",
      detail: `It listens on ${where}, with TLS`,
      mend: { by: "hand", how: "openclaw config set gateway.bind loopback" },
    };
  } else if (bind !== "tailnet") { // WireGuard encrypts that one already
    yield {
      checkId: "gateway.bind_no_tls",
      severity: "warn",
      title: "Secrets cross the network in clear",
      detail: `The gateway listens on ${where} without TLS: whoever shares the network can read ` +
        "the token and every message",
      mend: { by: "hand", how: "openclaw config set gateway.tls.enabled true" },
    };
  }
}

function* tailscaleFindings({ tailscale, mode, gateway }: {
  tailscale: unknown;
  mode: unknown;
  gateway: unknown;
}): Iterable<Finding> {
  if (tailscale === "funnel") {
    yield {
      checkId: "gateway.tailscale_funnel",
      severity: "critical",
      title: "The whole Internet can reach the gateway",
      detail: "gateway.tailscale.mode is funnel: only the gateway's secret keeps strangers out",
      mend: { by: "hand", how: "openclaw config set gateway.tailscale.mode serve" },
    };
  } else if (tailscale === "serve") {
    const allows = at(gateway, "auth", "allowTailscale") ?? (mode !== "password");
    yield {
      checkId: "gateway.tailscale_serve",
      severity: "info",
      title: "Your tailnet can reach the gateway",
      detail: allows
        ? "gateway.tailscale.mode is serve; who Tailscale vouches for may need no token"
        : "gateway.tailscale.mode is serve",
    };
  }
}

/** A proxy network larger than this holds machines that nobody chose. */
const MAX_PROXY_BITS = 16;

function* proxyFindings(
  { mode, gateway }: { mode: unknown; gateway: unknown },
): Iterable<Finding> {
  const proxies = texts(at(gateway, "trustedProxies"));
  const wide = proxies.filter((proxy) => hostBits(proxy) > MAX_PROXY_BITS);
  if (wide.length > 0) {
    yield {
      checkId: "gateway.trusted_proxies_wide",
      severity: "critical",
      title: "Too many machines may speak for others",
      detail: `gateway.trustedProxies has ${wide.join(", ")}: whoever is there can claim any ` +
        "address, and any name where the proxy tells who comes",
      mend: { by: "hand", how: "list your proxy's own address in gateway.trustedProxies" },
    };
  }
  if (mode !== "trusted-proxy") return;
  if (proxies.length === 0) {
    yield {
      checkId: "gateway.trusted_proxy_no_proxies",
      severity: "critical",
      title: "No proxy is named that may tell who comes",
      detail: "gateway.auth.mode is trusted-proxy and gateway.trustedProxies is empty",
      mend: { by: "hand", how: `openclaw config set gateway.trustedProxies '["127.0.0.1"]'` },
    };
  }
  if (texts(at(gateway, "auth", "trustedProxy", "allowUsers")).length === 0) {
    yield {
      checkId: "gateway.trusted_proxy_no_allowlist",
      severity: "warn",
      title: "Everybody whom the proxy knows may steer the gateway",
      detail: "gateway.auth.trustedProxy.allowUsers is empty",
      mend: {
        by: "hand",
        how: `openclaw config set gateway.auth.trustedProxy.allowUsers '["you@example.com"]'`,
      },
    };
  }
}

function* originFindings(
  { gateway, isLocal }: { gateway: unknown; isLocal: boolean },
): Iterable<Finding> {
  const origins = texts(at(gateway, "controlUi", "allowedOrigins"));
  const rest = origins.filter((origin) => origin !== "*" && origin !== "null");
  if (rest.length < origins.length) {
    yield {
      checkId: "gateway.control_ui.allowed_origins_wildcard",
      severity: isLocal ? "warn" : "critical",
      title: "Pages of strangers are invited",
      detail: "gateway.controlUi.allowedOrigins has '*' or 'null', which any page that your " +
        "browser opens may be",
      mend: { by: "config", steps: [listStep("gateway.controlUi.allowedOrigins", rest)] },
    };
  }
  const plain = rest.filter((origin) => origin.startsWith("http://") && !isLocalOrigin(origin));
  if (plain.length > 0) {
    yield {
      checkId: "gateway.control_ui.plain_origins",
      severity: "warn",
      title: "A page that may steer the gateway comes without HTTPS",
      detail:
        `${plain.join(", ")} in gateway.controlUi.allowedOrigins: whoever shares its network ` +
        "can put another page in its place",
      mend: { by: "hand", how: "serve it by https:// and list that address instead" },
    };
  }
}

/** Names of settings that only take a protection away. */
const DANGEROUS = /^(dangerously|allowInsecure|allowUnsafe)/;

function* flagFindings(config: unknown): Iterable<Finding> {
  for (const path of dangerousPaths(config, "")) {
    yield {
      checkId: "config.insecure_or_dangerous_flags",
      severity: "warn",
      title: "A protection is switched off",
      detail: `${path} is true`,
      mend: { by: "config", steps: [{ path }] },
    };
  }
}

function* dangerousPaths(value: unknown, path: string): Iterable<string> {
  if (typeof value !== "object" || value === null) return;
  for (const [key, item] of Object.entries(value)) {
    const here = below(path, key);
    if (item === true && DANGEROUS.test(key)) yield here;
    else yield* dangerousPaths(item, here);
  }
}

/** More wrong guesses than this in a row are no slip of the hand. */
const MAX_ATTEMPTS = 100;

function* limitFindings(gateway: unknown): Iterable<Finding> {
  const attempts = at(gateway, "auth", "rateLimit", "maxAttempts");
  if (typeof attempts !== "number" || attempts <= MAX_ATTEMPTS) return;
  yield {
    checkId: "gateway.auth_rate_limit_weak",
    severity: "warn",
    title: "Secrets may be guessed at",
    detail: `gateway.auth.rateLimit.maxAttempts is ${attempts}`,
    mend: { by: "config", steps: [{ path: "gateway.auth.rateLimit.maxAttempts" }] },
  };
}

function* hookFindings(config: unknown): Iterable<Finding> {
  if (at(config, "hooks", "enabled") !== true) return;
  const token = at(config, "hooks", "token");
  if (token === undefined || token === "") {
    yield {
      checkId: "hooks.no_token",
      severity: "critical",
      title: "Hooks need no token",
      detail: "hooks.enabled is true and hooks.token is not set",
      mend: { by: "hand", how: 'openclaw config set hooks.token "$(openssl rand -hex 24)"' },
    };
  }
}

/** How many bits of an address a network leaves open; everything for what is no address. */
function hostBits(network: string): number {
  const [address = "", prefix] = network.trim().split("/");
  const length = address.includes(":") ? 128 : /^\d+(\.\d+){3}$/.test(address) ? 32 : Infinity;
  if (length === Infinity || prefix === undefined) return length === Infinity ? Infinity : 0;
  // A whole IPv6 network of one household or one rack is a /64.
  return Math.max(0, length - Number(prefix) - (length === 128 ? 64 : 0));
}

function isLoopback(host: unknown): boolean {
  return typeof host === "string" && /^(localhost|127(\.\d+){3}|\[?::1\]?)$/.test(host);
}

function isLocalOrigin(origin: string): boolean {
  return URL.canParse(origin) && isLoopback(new URL(origin).hostname);
}

/** Leaves a list with these items; an empty one is taken out. */
export function listStep(path: string, items: readonly string[]): Step {
  return items.length === 0 ? { path } : { path, value: JSON.stringify(items) };
}

/** The texts of a list; none for anything else. */
export function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}
