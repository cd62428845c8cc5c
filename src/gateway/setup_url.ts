/** Where a device that is far away finds the gateway. */
import type { Config } from "../config.ts";
import { invalid } from "../error.ts";
import type { GatewayUrl } from "../host.ts";
import { isLoopbackHost, isPrivateHost } from "../private_host.ts";

/** The addresses for a setup code, the best first, and whether others can read what goes there. */
export interface SetupUrls {
  readonly urls: readonly [GatewayUrl, ...GatewayUrl[]];
  /** The way goes through somebody's network in clear. */
  readonly readable: boolean;
  /** Where the gateway itself listens, with no proxy before it. */
  readonly direct: boolean;
}

/**
 * Chooses what was asked for, else what the configuration names, else where the gateway listens.
 * Throws where that is this machine only, and for an address that would give everything away.
 */
export function chooseUrls({ asked, preferRemote, config, own }: {
  asked: string | undefined;
  preferRemote: boolean;
  config: Config;
  /** Where others than this machine reach the gateway. */
  own: readonly GatewayUrl[];
}): SetupUrls {
  const named = (url: string | undefined, source: string) =>
    url === undefined ? [] : [{ url, source }];
  const remote = named(config.gateway?.remote?.url, "gateway.remote.url");
  const configured = named(
    config.plugins?.entries?.["device-pair"]?.config?.publicUrl,
    PUBLIC_URL_KEY,
  );
  const candidates = [
    named(asked, "request.publicUrl"),
    ...(preferRemote ? [remote] : []),
    configured,
    own,
    remote,
  ];
  const chosen = candidates.find((urls) => urls.length > 0) ?? [];
  const [first, ...rest] = chosen.map(checked);
  if (first !== undefined) {
    const urls = [first, ...rest] as const;
    return {
      urls,
      readable: urls.some(isReadable),
      direct: chosen === own && !own.some(({ proxied }) => proxied),
    };
  }
  throw invalid(
    "the gateway is reachable from its own machine only: set gateway.bind to lan or tailnet, or " +
      `name the address by which devices reach it in ${PUBLIC_URL_KEY}`,
    { code: "NOT_REACHABLE" },
  );
}

/** The key of the configuration, as released gateways have it. */
const PUBLIC_URL_KEY = "plugins.entries.device-pair.config.publicUrl";

/** The address as clients take it. Throws for one that is none, or that strangers can listen on. */
function checked({ url: text, source }: GatewayUrl): GatewayUrl {
  const spelled = text.trim().replace(/^http(s?):/i, "ws$1:");
  const url = URL.canParse(spelled) ? new URL(spelled) : undefined;
  if (url === undefined || !/^wss?:$/.test(url.protocol) || url.hostname === "") {
    throw invalid(`${source} is no address of a gateway: it must start with wss:// or ws://`);
  }
  if (url.username !== "" || url.password !== "" || url.hash !== "" || url.search !== "") {
    throw invalid(`${source} must be an address alone, without credentials or a query`);
  }
  const { protocol, hostname } = url;
  if (protocol === "ws:" && !isLoopbackHost(hostname) && !isPrivateHost(hostname)) {
    throw invalid(`${source} must start with wss://: everything would be sent in clear`);
  }
  return { url: url.href.replace(/\/$/, ""), source };
}

function isReadable({ url: text }: GatewayUrl): boolean {
  const { protocol, hostname } = new URL(text);
  return protocol === "ws:" && !isLoopbackHost(hostname);
}
