/** Which gateway a command means, and what it may show there. */
import { at, readConfigFile, textAt } from "./config_file.ts";
import { Failure } from "./failure.ts";
import { UsageError } from "./flags.ts";
import type { Call } from "./command.ts";
import type { Env } from "./paths.ts";

export interface Target {
  readonly url: string;
  readonly auth: { readonly token?: string; readonly password?: string };
  /** Where the credential came from, for people; `undefined` where there is none. */
  readonly authFrom?: string;
  /** The one that this machine is set up for: its device token may be shown. */
  readonly own: boolean;
  readonly loopback: boolean;
}

/**
 * A gateway named by URL gets no credential that was meant for another one: for `--url` only
 * `--token` and `--password` count, for `OPENCLAW_GATEWAY_URL` the environment's too.
 */
export async function resolveTarget(
  { connection, env, paths }: Pick<Call, "connection" | "env" | "paths">,
): Promise<Target> {
  const flagged = shown({ token: connection.token, password: connection.password }, "the flags");
  if (connection.url !== undefined) return target(connection.url, flagged, { env, own: false });
  const { OPENCLAW_GATEWAY_TOKEN: token, OPENCLAW_GATEWAY_PASSWORD: password } = env;
  const variables = shown(
    { token, password },
    token ? "OPENCLAW_GATEWAY_TOKEN" : "OPENCLAW_GATEWAY_PASSWORD",
  );
  if (env.OPENCLAW_GATEWAY_URL) {
    return target(env.OPENCLAW_GATEWAY_URL, flagged ?? variables, { env, own: false });
  }
  const { value, path } = await readConfigFile(paths.configPath);
  const remote = at(value, "gateway", "mode") === "remote"
    ? textAt(value, env, "gateway", "remote", "url")
    : undefined;
  const section = remote === undefined ? ["gateway", "auth"] : ["gateway", "remote"];
  const auth = flagged ?? variables ?? shown({
    token: textAt(value, env, ...section, "token"),
    password: textAt(value, env, ...section, "password"),
  }, `${section.join(".")} in ${path}`);
  const port = paths.port ?? at(value, "gateway", "port") ?? paths.defaultPort;
  return target(remote ?? `ws://127.0.0.1:${port}`, auth, { env, own: true });
}

type Shown = Pick<Target, "auth" | "authFrom">;

/** `undefined` if there is nothing to show. */
function shown({ token, password }: Target["auth"], authFrom: string): Shown | undefined {
  if (!token && !password) return undefined;
  return {
    auth: { ...(token ? { token } : {}), ...(password ? { password } : {}) },
    authFrom,
  };
}

function target(
  url: string,
  auth: Shown = { auth: {} },
  { env, own }: { env: Env; own: boolean },
): Target {
  if (!URL.canParse(url) || !/^wss?:\/\//.test(url)) {
    throw new UsageError(`'${url}' is no address of a gateway: it must start with ws:// or wss://`);
  }
  const { protocol, hostname } = new URL(url);
  const loopback = isLoopback(hostname);
  const trusted = env.OPENCLAW_ALLOW_INSECURE_PRIVATE_WS === "1" && isPrivate(hostname);
  if (protocol === "ws:" && !loopback && !trusted) {
    throw new Failure("INSECURE_URL", `Cannot use ${url}: everything would be sent in clear`, {
      hint: "use wss://, or an SSH tunnel to a port of this machine",
    });
  }
  return { url, ...auth, own, loopback };
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(host) ||
    host.startsWith("[::ffff:7f"); // how a URL spells ::ffff:127.0.0.1
}

const PRIVATE =
  /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|169\.254\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.)[\d.]+$|^\[(f[cd]|fe[89ab])|\.(local|ts\.net)$/;

function isPrivate(host: string): boolean {
  return PRIVATE.test(host);
}
