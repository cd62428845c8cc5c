/** A connection for a command: with the right credentials, and refusals that say what to do. */
import type { ClientInfo } from "../../schemas/connect.ts";
import type { Scope } from "../../schemas/contract.ts";
import {
  type ClientOptions,
  ConnectionError,
  GatewayClient,
  GatewayRefusal,
  type RequestOptions,
} from "../client/client.ts";
import type { Call } from "./command.ts";
import { at } from "./config_file.ts";
import { Failure } from "./failure.ts";
import { pinHere, resolveTarget, type Target } from "./target.ts";
import { VERSION } from "./version.ts";

/** What a command connects for; the rest follows from its flags and the machine. */
export interface Purpose
  extends Pick<ClientOptions, "caps" | "protocol" | "onEvent" | "onGap" | "onClose" | "signal"> {
  /** The least that the command needs. */
  readonly scopes: readonly Scope[];
  readonly mode?: "cli" | "probe";
}

/** How long to look whether TLS is spoken where it was not expected. */
const TLS_TIMEOUT_MS = 2_000;

/** How long an answer may take that nobody set a time for. */
export const ANSWER_TIMEOUT_MS = 10_000;

/**
 * Resolves once the gateway said hello. Rejects with a `Failure` that says what to do about it.
 *
 * On this machine the shared secret is enough. Everywhere else, and without a secret, the device
 * proves itself, which the gateway may want a person to approve.
 */
export async function connect(
  call: Pick<Call, "connection" | "env" | "paths" | "io">,
  purpose: Purpose,
): Promise<GatewayClient> {
  const target = await resolveTarget(call);
  try {
    return await connectTo(target, call, purpose);
  } catch (error) {
    if (!await speaksTls(target, error)) throw explained(error, target);
    const secure = { ...target, url: target.url.replace("ws:", "wss:") };
    const pin = target.here ? await pinHere(call) : undefined;
    if (pin === undefined) throw insecure(target, secure);
    // Started with --tls, of which the configuration knows nothing.
    return await connectTo({ ...secure, pin }, call, purpose).catch((error) => {
      throw explained(error, secure);
    });
  }
}

async function connectTo(
  target: Target,
  call: Pick<Call, "connection" | "env" | "paths" | "io">,
  purpose: Purpose,
): Promise<GatewayClient> {
  const options = await optionsFor(call, target, purpose);
  if (!target.loopback || target.authFrom === undefined) {
    return await connectAsDevice(call, target, options);
  }
  const client = await GatewayClient.connect(options);
  if (purpose.scopes.length === 0 || client.hello.auth?.scopes.length !== 0) return client;
  // The gateway does not see us as local, as through a container's port: it wants to know who.
  client.close();
  await client.closed;
  return await connectAsDevice(call, target, options);
}

/**
 * Connects, lets `use` ask, and closes. Where the gateway says that the purpose's scopes are too
 * few, as for approving a device that gets more than the caller has, `use` runs once more with
 * what was missing: a refused request changed nothing.
 */
export async function withGateway<T>(
  call: Pick<Call, "connection" | "env" | "paths" | "io">,
  purpose: Purpose,
  use: (gateway: GatewayClient, options: RequestOptions) => Promise<T>,
): Promise<T> {
  const attempt = async (scopes: readonly Scope[]) => {
    await using gateway = await connect(call, { ...purpose, scopes });
    return await use(gateway, { timeoutMs: call.connection.timeout ?? ANSWER_TIMEOUT_MS });
  };
  try {
    return await attempt(purpose.scopes);
  } catch (error) {
    const missing = error instanceof GatewayRefusal ? missingScopes(error) : [];
    if (missing.every((scope) => purpose.scopes.includes(scope))) throw error;
    return await attempt([...new Set([...purpose.scopes, ...missing])]);
  }
}

function missingScopes({ reason, details }: GatewayRefusal): readonly Scope[] {
  const required = at(details, "requiredScopes");
  if (reason !== "MISSING_SCOPE" || !Array.isArray(required)) return [];
  return SCOPES.filter((scope) => required.includes(scope));
}

/** Everything that can be asked for; a constant of the wire, without loading its schemas. */
const SCOPES: readonly Scope[] = [
  "operator.admin",
  "operator.read",
  "operator.write",
  "operator.approvals",
  "operator.pairing",
  "operator.questions",
  "operator.talk",
  "operator.talk.secrets",
];

async function optionsFor(
  { connection }: Pick<Call, "connection">,
  { url, auth, pin }: Target,
  { mode = "cli", ...purpose }: Purpose,
): Promise<ClientOptions> {
  const client = { id: "cli", mode, version: VERSION, ...machine() } as const;
  const timeoutMs = connection.timeout ?? ANSWER_TIMEOUT_MS;
  const options = { ...purpose, url, auth, client, timeoutMs };
  if (pin === undefined) return options;
  const { PinnedSocket } = await import("./pinned_socket.ts");
  return { ...options, open: (url) => new PinnedSocket(url, pin) };
}

async function connectAsDevice(
  call: Pick<Call, "paths" | "io">,
  target: Target,
  anonymous: ClientOptions,
): Promise<GatewayClient> {
  // Loaded here, since most commands never need a key.
  const { loadIdentity, loadDeviceToken, saveDeviceToken } = await import("./identity_file.ts");
  const { stateDir } = call.paths;
  const role = "operator";
  const identity = await loadIdentity(stateDir, call.io.now);
  const { deviceId } = identity;
  const options = { ...anonymous, identity };
  // A token names the gateway that gave it only by being this machine's own.
  const deviceToken = target.own && target.authFrom === undefined
    ? await loadDeviceToken(stateDir, { deviceId, role })
    : undefined;
  const keep = (token: string | undefined, scopes?: readonly string[]) =>
    saveDeviceToken(stateDir, { deviceId, role, token, scopes, now: call.io.now() });
  let client: GatewayClient;
  try {
    client = await GatewayClient.connect(
      deviceToken === undefined ? options : { ...options, auth: { deviceToken } },
    );
  } catch (error) {
    const stale = deviceToken !== undefined && error instanceof GatewayRefusal &&
      error.reason === "AUTH_DEVICE_TOKEN_MISMATCH";
    if (!stale) throw error;
    await keep(undefined);
    client = await GatewayClient.connect(options);
  }
  const { auth } = client.hello;
  if (target.own && auth?.deviceToken !== undefined) await keep(auth.deviceToken, auth.scopes);
  return client;
}

/** What released clients of version 4 say of the machine; a device must go on saying the same. */
function machine(): Pick<ClientInfo, "platform" | "deviceFamily"> {
  switch (Deno.build.os) {
    case "darwin":
      return { platform: "macos", deviceFamily: "Mac" };
    case "windows":
      return { platform: "windows", deviceFamily: "Windows" };
    case "linux":
      return { platform: "linux", deviceFamily: "Linux" };
    default:
      return { platform: Deno.build.os };
  }
}

/** Whether what failed is that TLS is spoken where it was not expected. */
async function speaksTls({ url }: Target, error: unknown): Promise<boolean> {
  const isAnswered = error instanceof ConnectionError && error.kind === "unreachable" &&
    !/refused/i.test(error.message);
  if (!isAnswered || !url.startsWith("ws:")) return false;
  const { shownCertificates } = await import("./pinned_socket.ts");
  try {
    await shownCertificates(new URL(url), AbortSignal.timeout(TLS_TIMEOUT_MS));
    return true;
  } catch {
    return false;
  }
}

function insecure({ url, own }: Target, secure: Target): Failure {
  return new Failure("TLS_REQUIRED", `Cannot connect to ${url}: this gateway speaks TLS`, {
    hint: own
      ? "set gateway.tls in the configuration as the gateway has it"
      : `use --url ${secure.url} with the --tls-fingerprint that the gateway prints at its start`,
  });
}

/** The same failure with what the user can do about it. */
function explained(error: unknown, { url, authFrom, own }: Target): unknown {
  if (error instanceof ConnectionError) {
    const hint = error.kind === "unreachable" ? hintForUnreachable(error, own) : undefined;
    return new Failure(error.kind.toUpperCase(), error.message, { hint, cause: error });
  }
  if (!(error instanceof GatewayRefusal)) return error;
  const { code, details, message } = error;
  return new Failure(code, `The gateway at ${url} refused: ${message}`, {
    details,
    hint: hintFor(error, { authFrom, own }),
    cause: error,
  });
}

function hintForUnreachable({ message, cause }: ConnectionError, own: boolean): string {
  if (cause instanceof Error && cause.name === "PinError") {
    return own
      ? "was its certificate renewed, or does another program have the port?"
      : "compare with the fingerprint that the gateway prints at its start: if that is another " +
        "one, somebody may stand in between";
  }
  if (/certificate/i.test(message)) {
    return "no known authority vouches for it under this name: give the --tls-fingerprint that " +
      "the gateway prints at its start";
  }
  if (/InvalidContentType|wrong version number/i.test(message)) {
    return own
      ? "it speaks no TLS: was it started before gateway.tls was set?"
      : "it speaks no TLS there";
  }
  return own
    ? "is the gateway running? start it with `openclaw gateway`"
    : "is the gateway running there, and is this its address?";
}

function hintFor(
  { reason, details, message, retryAfterMs }: GatewayRefusal,
  { authFrom, own }: Pick<Target, "authFrom" | "own">,
): string | undefined {
  if (reason === "PAIRING_REQUIRED") {
    const id = requestIdOf(details);
    return `on the gateway's machine run: openclaw devices approve ${id ?? "--latest"}`;
  }
  if (reason === "AUTH_RATE_LIMITED") {
    const wait = retryAfterMs === undefined ? "later" : `in ${Math.ceil(retryAfterMs / 1000)} s`;
    return `too many wrong credentials came from this address: try again ${wait}`;
  }
  if (reason?.startsWith("AUTH_") && reason.endsWith("_MISSING")) {
    return own
      ? "give --token, or set OPENCLAW_GATEWAY_TOKEN or gateway.auth.token in the configuration"
      : "give --token or --password: with --url no other credential is used";
  }
  if (reason?.startsWith("AUTH_") && authFrom !== undefined) {
    return `what was shown came from ${authFrom}; it must be what the gateway was started with`;
  }
  if (message.includes("protocol mismatch")) {
    return `this is openclaw ${VERSION} and speaks protocol 4: are both of the same age?`;
  }
  return undefined;
}

function requestIdOf(details: unknown): string | undefined {
  if (typeof details !== "object" || details === null || !("requestId" in details)) {
    return undefined;
  }
  const { requestId } = details;
  // It becomes part of a command line that people paste.
  return typeof requestId === "string" && /^[\w.-]{1,128}$/.test(requestId) ? requestId : undefined;
}
