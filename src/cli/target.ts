/** Which gateway a command means, and what it may show there. */
import { isLoopbackHost, isPrivateHost } from "../private_host.ts";
import { at, readConfigFile, textAt } from "./config_file.ts";
import { Failure } from "./failure.ts";
import { UsageError } from "./flags.ts";
import type { Call } from "./command.ts";
import type { Env } from "./paths.ts";
import type { Pin } from "./pinned_socket.ts";

export interface Target {
  readonly url: string;
  readonly auth: { readonly token?: string; readonly password?: string };
  /** Where the credential came from, for people; `undefined` where there is none. */
  readonly authFrom?: string;
  /** The one that this machine is set up for: its device token may be shown. */
  readonly own: boolean;
  /** The one whose configuration and state lie on this machine. */
  readonly here: boolean;
  readonly loopback: boolean;
  /** The certificate that it must have; without a pin, one for its name from a known authority. */
  readonly pin?: Pin;
}

/**
 * A gateway named by URL gets no credential that was meant for another one: for `--url` only
 * `--token`, `--password` and their files count, for `OPENCLAW_GATEWAY_URL` the environment's too.
 */
export async function resolveTarget(
  { connection, env, paths }: Pick<Call, "connection" | "env" | "paths">,
): Promise<Target> {
  const flagged = shown({
    token: connection.token ?? await secretIn(connection["token-file"]),
    password: connection.password ?? await secretIn(connection["password-file"]),
  }, "the flags");
  const flaggedPin = await pinOf(connection["tls-fingerprint"], "--tls-fingerprint");
  if (connection.url !== undefined) {
    return target(connection.url, flagged, { env, own: false, pin: flaggedPin });
  }
  const { OPENCLAW_GATEWAY_TOKEN: token, OPENCLAW_GATEWAY_PASSWORD: password } = env;
  const variables = shown(
    { token, password },
    token ? "OPENCLAW_GATEWAY_TOKEN" : "OPENCLAW_GATEWAY_PASSWORD",
  );
  if (env.OPENCLAW_GATEWAY_URL) {
    return target(env.OPENCLAW_GATEWAY_URL, flagged ?? variables, {
      env,
      own: false,
      pin: flaggedPin,
    });
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
  if (remote !== undefined) {
    const fingerprint = textAt(value, env, "gateway", "remote", "tlsFingerprint");
    const pin = flaggedPin ?? await pinOf(fingerprint, `gateway.remote.tlsFingerprint in ${path}`);
    return target(remote, auth, { env, own: true, pin });
  }
  const secure = at(value, "gateway", "tls", "enabled") === true || flaggedPin !== undefined;
  const port = paths.port ?? at(value, "gateway", "port") ?? paths.defaultPort;
  return target(`${secure ? "wss" : "ws"}://127.0.0.1:${port}`, auth, {
    env,
    own: true,
    here: true,
    pin: flaggedPin ?? (secure ? await pinHere({ env, paths }) : undefined),
  });
}

/** Pins the certificate of the gateway whose files lie here; `undefined` where they can't be read. */
export async function pinHere(
  { env, paths: { stateDir, configPath } }: Pick<Call, "env" | "paths">,
): Promise<Pin | undefined> {
  const { certificateFiles, readCertificates } = await import("./certificate_files.ts");
  const { certificateFingerprint } = await import("../certificate.ts");
  const { value } = await readConfigFile(configPath);
  try {
    const certificates = await readCertificates(certificateFiles(value, { stateDir, env }));
    return { fingerprint: certificateFingerprint(certificates), certificates };
  } catch {
    return undefined; // the connection will show whether another way leads there
  }
}

async function pinOf(text: string | undefined, from: string): Promise<Pin | undefined> {
  if (text === undefined) return undefined;
  const { parseFingerprint } = await import("../certificate.ts");
  const fingerprint = parseFingerprint(text);
  if (fingerprint !== undefined) return { fingerprint };
  throw new UsageError(
    `${from} is '${text}': not the SHA-256 of a certificate, sha256:<64 digits>`,
  );
}

async function secretIn(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  const { readSecret } = await import("./secret_file.ts");
  return readSecret(path);
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
  { env, own, here = false, pin }: {
    env: Env;
    own: boolean;
    here?: boolean;
    pin: Pin | undefined;
  },
): Target {
  if (!URL.canParse(url) || !/^wss?:\/\//.test(url)) {
    const shown = withoutSecrets(url);
    throw new UsageError(
      `'${shown}' is no address of a gateway: it must start with ws:// or wss://`,
    );
  }
  if (withoutSecrets(url) !== url) { // from here on it is safe to be printed
    throw new UsageError(
      `'${withoutSecrets(url)}' is no address of a gateway: secrets go into --token or --password`,
    );
  }
  const { protocol, hostname } = new URL(url);
  const loopback = isLoopbackHost(hostname);
  const trusted = env.OPENCLAW_ALLOW_INSECURE_PRIVATE_WS === "1" && isPrivateHost(hostname);
  if (protocol === "ws:" && pin !== undefined) {
    throw new UsageError(`${url} shows no certificate that could be pinned: use wss://`);
  }
  if (protocol === "ws:" && !loopback && !trusted) {
    throw new Failure("INSECURE_URL", `Cannot use ${url}: everything would be sent in clear`, {
      hint: "use wss://, or an SSH tunnel to a port of this machine",
    });
  }
  return { url, ...auth, own, here, loopback, ...(pin === undefined ? {} : { pin }) };
}

/** An address without the places in which people put secrets. */
function withoutSecrets(url: string): string {
  return url.replace(/^([^/]*\/\/)[^/?#]*@/, "$1***@").replace(/[?#].*$/s, "?***");
}
