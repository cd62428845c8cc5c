/** The door: from the params of `connect` to a caller with rights, or a refusal with its reason. */
import { randomUUID } from "node:crypto";
import { Connect, type ConnectParams, type HelloOk } from "../../schemas/connect.ts";
import { SCOPES } from "../../schemas/contract.ts";
import type { ErrorShape } from "../../schemas/frames.ts";
import { checkParams } from "../../schemas/validate.ts";
import type { Caller } from "../caller.ts";
import { allows, checkProof, type DeviceToken } from "../device.ts";
import type { Attempts } from "../gateway/attempts.ts";
import type { AuthPolicy, AuthReason } from "../gateway/credentials.ts";
import type { Gateway } from "../gateway/gateway.ts";
import type { Newcomer } from "../gateway/setup_codes.ts";
import { addressKey } from "./address.ts";
import type { Origin } from "./locality.ts";
import { negotiate, type WireVersion } from "./version.ts";
import { vouch, type Vouched } from "./vouching.ts";

/** Somebody who opened a socket and has said nothing yet. */
export interface Visitor extends Origin {
  readonly connId: string;
  /** Sent in the challenge; a device signs it. */
  readonly nonce: string;
  /** Who has the address that it comes from, by the tailnet's daemon. */
  readonly tailnetLogin?: string;
}

/** What the door knows of the house. */
export interface Door {
  readonly gateway: Gateway;
  readonly auth: () => AuthPolicy;
  readonly attempts: Attempts;
  readonly paths: { readonly configPath: string; readonly stateDir: string };
  /** Names this start of the program. */
  readonly bootId: string;
}

/** Who may come in, and what they are told. */
export interface Admitted {
  readonly wire: WireVersion;
  readonly caller: Caller;
  readonly hello: HelloOk;
}

/** Why not. Thrown by `enter`; the connection answers it and closes. */
export class Refusal extends Error {
  constructor(
    readonly error: ErrorShape,
    readonly close: { readonly code: number; readonly reason: string },
  ) {
    super(error.message);
  }
}

/** A challenge for a new connection. */
export function challenge(): { nonce: string; ts: number } {
  return { nonce: randomUUID(), ts: Date.now() };
}

/**
 * Checks in the order that the protocol fixes: params, version, role, origin, credential, device
 * proof, verdict, pairing. Throws a `Refusal`. Nothing is changed for who is refused, but the
 * pairing request that an unknown device leaves.
 */
export function enter(given: unknown, visitor: Visitor, door: Door): Admitted {
  const params = readParams(given);
  const wire = negotiate(params);
  if (wire === undefined) throw mismatch(params);
  const role = readRole(params.role);
  requireOrigin(params, visitor, wire);
  const vouched = vouch(door.auth(), params.auth, { ...visitor, role });
  const device = params.device === undefined ? undefined : proveDevice(params, visitor, wire);
  if (device === undefined) requireDeviceless(params, { role, vouched, wire });
  const { method, user } = verdict(params, { visitor, door, role, device, vouched, wire });
  const asked = params.scopes ?? [];
  // Without a device nobody can be told apart or shut out later: such a client acts only from here.
  const scopes = role === "operator" && (device !== undefined || isOwnerHere(visitor)) ? asked : [];
  const token = device === undefined
    ? undefined
    : pair(params, { visitor, door, role, device, method, wire });
  const caller: Caller = {
    connId: visitor.connId,
    protocol: wire.protocol,
    role,
    scopes: scopeSet(scopes),
    client: params.client,
    caps: new Set(params.caps),
    ...(device === undefined ? {} : { deviceId: device.deviceId }),
    method,
    ...(user === undefined ? {} : { user }),
    remoteIp: visitor.remoteIp,
    local: visitor.local,
    connectedAtMs: Date.now(),
    ...(role === "node" ? { surface: surfaceOf(params) } : {}),
  };
  return { wire, caller, hello: welcome(caller, { wire, door, token, scopes }) };
}

const scopeSets = new Map<string, ReadonlySet<string>>();

/** One set for all who hold the same: at an event it is looked up for every client there is. */
function scopeSet(scopes: readonly string[]): ReadonlySet<string> {
  const set = new Set(scopes);
  const known = SCOPES.filter((scope) => set.has(scope));
  if (known.length < set.size) return set; // what nobody knows could be anything, and without end
  const name = known.join(" ");
  const shared = scopeSets.get(name);
  if (shared === undefined) scopeSets.set(name, set);
  return shared ?? set;
}

function readParams(given: unknown): ConnectParams {
  const fault = checkParams(Connect, given ?? {});
  if (fault === undefined) return given as ConnectParams; // checked by its schema
  const message = `invalid connect params: ${fault}`;
  throw new Refusal({ code: "INVALID_REQUEST", message }, { code: 1008, reason: message });
}

function mismatch({ minProtocol, maxProtocol }: ConnectParams): Refusal {
  const message = "protocol mismatch";
  const details = {
    code: "PROTOCOL_MISMATCH",
    clientMinProtocol: minProtocol,
    clientMaxProtocol: maxProtocol,
    expectedProtocol: maxProtocol < 3 ? 3 : 4,
    minimumProbeProtocol: 3,
  };
  return new Refusal({ code: "INVALID_REQUEST", message, details }, {
    code: 1002,
    reason: message,
  });
}

function readRole(role = "operator"): Caller["role"] {
  if (role === "operator" || role === "node") return role;
  throw refusal("invalid role");
}

/** Clients that are pages come with an origin; one that hides it is no page of ours. */
function requireOrigin({ client }: ConnectParams, { origin }: Visitor, wire: WireVersion): void {
  const isPage = client.id === "openclaw-control-ui" || client.id === "webchat-ui" ||
    client.mode === "webchat";
  if (!isPage || origin !== undefined) return;
  const message = "origin not allowed (open the Control UI from the gateway host or allow it in " +
    "gateway.controlUi.allowedOrigins)";
  throw refusal(
    message,
    wire.protocol === 3
      ? undefined
      : { code: "CONTROL_UI_ORIGIN_NOT_ALLOWED", reason: "origin missing or invalid" },
  );
}

interface ProvenDevice {
  readonly deviceId: string;
  readonly publicKey: string;
}

function proveDevice(
  { device, client, role = "operator", scopes = [], auth }: ConnectParams,
  { nonce }: Visitor,
  wire: WireVersion,
): ProvenDevice | undefined {
  if (device === undefined) return undefined;
  const proof = checkProof(device, {
    clientId: client.id,
    clientMode: client.mode,
    role,
    scopes,
    token: auth?.token ?? auth?.deviceToken ?? auth?.bootstrapToken ?? "",
    platform: client.platform,
    deviceFamily: client.deviceFamily,
  }, { nonce, now: Date.now() });
  if ("publicKey" in proof) return { deviceId: device.id, publicKey: proof.publicKey };
  throw refusal(PROOF_MESSAGES[proof.fault], wire.deviceDetails(proof.fault));
}

const PROOF_MESSAGES = {
  "device-id-mismatch": "device identity mismatch",
  "device-signature-stale": "device signature expired",
  "device-nonce-missing": "device nonce required",
  "device-nonce-mismatch": "device nonce mismatch",
  "device-signature": "device signature invalid",
  "device-public-key": "device public key invalid",
} as const;

/** Nodes, and the pages and screens that people leave open, must be devices. */
function requireDeviceless(
  { client }: ConnectParams,
  { role, vouched, wire }: { role: Caller["role"]; vouched: Vouched; wire: WireVersion },
): void {
  const isScreen = client.id === "openclaw-control-ui" ||
    wire.protocol === 4 && client.id === "openclaw-tui";
  // A page behind a proxy that names its user may come without: it is let in, and may do nothing.
  const isVouched = vouched.ok && vouched.method !== "trusted-proxy";
  if (role === "operator" && isScreen && isVouched) {
    throw refusal("control ui requires device identity (use HTTPS or localhost secure context)", {
      code: "CONTROL_UI_DEVICE_IDENTITY_REQUIRED",
    });
  }
  if (role === "node") {
    const message = "device identity required";
    const details = { code: "DEVICE_IDENTITY_REQUIRED" };
    throw new Refusal({ code: "NOT_PAIRED", message, details }, { code: 1008, reason: message });
  }
}

/** Which credential lets the client in. Throws the protocol's refusal where none does. */
function verdict(
  params: ConnectParams,
  { visitor, door, role, device, vouched, wire }: {
    visitor: Visitor;
    door: Door;
    role: Caller["role"];
    device: ProvenDevice | undefined;
    vouched: Vouched;
    wire: WireVersion;
  },
): Pick<Caller, "method" | "user"> {
  const { auth } = params;
  const place = placeOf(visitor);
  const setupCode = device === undefined ? undefined : auth?.bootstrapToken || undefined;
  if (device !== undefined && setupCode !== undefined) {
    // Nobody finds a code by trying: a lock keeps only wrong ones out.
    const newcomer = newcomerOf(params, { device, role, visitor });
    if (door.gateway.setupCodes.redeem(setupCode, newcomer)) return { method: "bootstrap-token" };
  }
  const secretKey = `secret ${place}`;
  const deviceKey = `device ${place} ${device?.deviceId ?? ""}`;
  const lockedFor = door.attempts.lockedFor(secretKey);
  const deviceLockedFor = door.attempts.lockedFor(deviceKey);
  if (vouched.ok && (lockedFor === 0 || !vouched.isGuess)) {
    const { method, user } = vouched;
    if (method === "token" || method === "password") door.attempts.succeed(secretKey);
    return { method, user };
  }
  const shown = auth?.deviceToken ?? auth?.token;
  if (device !== undefined && shown !== undefined && deviceLockedFor === 0) {
    if (door.gateway.pairing.checkToken(device.deviceId, shown, role)) {
      door.attempts.succeed(deviceKey);
      door.gateway.setupCodes.settle(device.deviceId);
      return { method: "device-token" };
    }
    if (auth?.deviceToken !== undefined) door.attempts.fail(deviceKey);
  }
  if (setupCode !== undefined) throw wrongSetupCode(`bootstrap ${place}`, { door, wire });
  const onlyDeviceToken = auth?.deviceToken !== undefined &&
    (auth.token === undefined || auth.token === auth.deviceToken) && auth.password === undefined;
  if (onlyDeviceToken) {
    const reason = deviceLockedFor > 0 ? "rate_limited" : "device_token_mismatch";
    throw authRefusal(reason, { wire, lock: deviceLockedFor, retry: false });
  }
  const isLocked = vouched.ok || lockedFor > 0 && SECRET_WRONG.test(vouched.reason);
  const reason = isLocked ? "rate_limited" : vouched.reason;
  if (SECRET_WRONG.test(reason)) door.attempts.fail(secretKey);
  const known = device !== undefined && door.gateway.pairing.get(device.deviceId) !== undefined;
  const retry = reason === "token_mismatch" && known && auth?.deviceToken === undefined;
  throw authRefusal(reason, { wire, lock: lockedFor, retry });
}

/** Counts a setup code that is none, or none any more. */
function wrongSetupCode(key: string, { door, wire }: { door: Door; wire: WireVersion }): Refusal {
  const lock = door.attempts.lockedFor(key);
  if (lock === 0) door.attempts.fail(key);
  const reason = lock > 0 ? "rate_limited" : "bootstrap_token_invalid";
  return authRefusal(reason, { wire, lock, retry: false });
}

/** A secret was shown, and it is not ours. */
const SECRET_WRONG = /^(token|password)_mismatch$/;

/** Who shares the blame for wrong guesses. Whoever comes by somebody else never locks us out here. */
function placeOf({ remoteIp, direct }: Visitor): string {
  return direct ? addressKey(remoteIp) : `${addressKey(remoteIp)} forwarded`;
}

/** The protocol's words for a credential that was not accepted. */
function authRefusal(
  reason: AuthReason,
  { wire, lock, retry }: { wire: WireVersion; lock: number; retry: boolean },
): Refusal {
  const { code, message } = describe(reason, lock);
  const details = wire.authDetails(code, reason, { canRetryWithDeviceToken: retry });
  return new Refusal({
    code: "INVALID_REQUEST",
    message,
    details,
    ...(reason === "rate_limited" && wire.protocol === 4
      ? { retryable: true, retryAfterMs: Math.ceil(lock) }
      : {}),
  }, { code: 1008, reason: message });
}

/** A refusal's code, and its message: what released clients look for, then what mends it. */
function describe(reason: AuthReason, lock: number): { code: string; message: string } {
  if (reason === "rate_limited") {
    return {
      code: "AUTH_RATE_LIMITED",
      message: "unauthorized: too many failed authentication attempts (retry later, in " +
        `${Math.ceil(lock / 1000)} s)`,
    };
  }
  if (isMissingHeader(reason)) {
    const header = reason.slice(MISSING_HEADER.length);
    return {
      code: "AUTH_IDENTITY_HEADER_REQUIRED",
      message: `unauthorized: the trusted proxy must send the header ${header} (see ` +
        "gateway.auth.trustedProxy.requiredHeaders)",
    };
  }
  return AUTH_MESSAGES[reason];
}

const MISSING_HEADER = "trusted_proxy_missing_header_";
type MissingHeader = `${typeof MISSING_HEADER}${string}`;

function isMissingHeader(reason: AuthReason): reason is MissingHeader {
  return reason.startsWith(MISSING_HEADER);
}

type NamedReason = Exclude<AuthReason, "rate_limited" | MissingHeader>;

const AUTH_MESSAGES: Readonly<Record<NamedReason, { code: string; message: string }>> = {
  token_missing: {
    code: "AUTH_TOKEN_MISSING",
    message: "unauthorized: gateway token missing (run `openclaw dashboard` on the gateway's " +
      "machine, or pass --token)",
  },
  token_mismatch: {
    code: "AUTH_TOKEN_MISMATCH",
    message: "unauthorized: gateway token mismatch (run `openclaw config get gateway.auth.token` " +
      "on the gateway's machine)",
  },
  token_missing_config: {
    code: "AUTH_TOKEN_NOT_CONFIGURED",
    message: "unauthorized: gateway token not configured on gateway (auth mode none is for its " +
      "own machine: run `openclaw config set gateway.auth.mode token` there)",
  },
  password_missing: {
    code: "AUTH_PASSWORD_MISSING",
    message: "unauthorized: gateway password missing (pass --password)",
  },
  password_mismatch: {
    code: "AUTH_PASSWORD_MISMATCH",
    message: "unauthorized: gateway password mismatch (run `openclaw config get " +
      "gateway.auth.password` on the gateway's machine)",
  },
  device_token_mismatch: {
    code: "AUTH_DEVICE_TOKEN_MISMATCH",
    message: "unauthorized: device token mismatch (rotated or revoked: connect again, then run " +
      "`openclaw devices approve --latest` on the gateway's machine)",
  },
  bootstrap_token_invalid: {
    code: "AUTH_BOOTSTRAP_TOKEN_INVALID",
    message: "unauthorized: setup code invalid, expired or used (run `openclaw qr` on the " +
      "gateway's machine for a new one)",
  },
  trusted_proxy_untrusted_source: {
    code: "AUTH_UNAUTHORIZED",
    message: "unauthorized: only a trusted proxy may bring users here (name it with `openclaw " +
      "config set gateway.trustedProxies`, and see gateway.auth.trustedProxy.secret)",
  },
  trusted_proxy_role_not_allowed: {
    code: "AUTH_UNAUTHORIZED",
    message: "unauthorized: a trusted proxy brings operators only (pair the node with `openclaw " +
      "qr` on the gateway's machine)",
  },
  trusted_proxy_user_missing: {
    code: "AUTH_UNAUTHORIZED",
    message: "unauthorized: the trusted proxy names no user (see gateway.auth.trustedProxy." +
      "userHeader)",
  },
  trusted_proxy_user_not_allowed: {
    code: "AUTH_UNAUTHORIZED",
    message: "unauthorized: this user is not allowed (add them with `openclaw config set " +
      "gateway.auth.trustedProxy.allowUsers`)",
  },
  tailscale_user_missing: {
    code: "AUTH_TAILSCALE_IDENTITY_MISSING",
    message:
      "unauthorized: tailscale identity missing (tagged devices and funnel have none: pass " +
      "--token)",
  },
  tailscale_proxy_missing: {
    code: "AUTH_TAILSCALE_PROXY_MISSING",
    message: "unauthorized: tailscale proxy headers missing (start the gateway with --tailscale " +
      "serve, or pass --token)",
  },
  tailscale_whois_failed: {
    code: "AUTH_TAILSCALE_WHOIS_FAILED",
    message: "unauthorized: tailscale identity check failed (run `tailscale status` on the " +
      "gateway's machine, or pass --token)",
  },
  tailscale_user_mismatch: {
    code: "AUTH_TAILSCALE_IDENTITY_MISMATCH",
    message: "unauthorized: tailscale identity mismatch (pass --token)",
  },
};

/** Whether it comes from this machine, and from no page that somebody else has written. */
function isOwnerHere({ local, origin, sameOrigin }: Visitor): boolean {
  return local && (origin === undefined || sameOrigin);
}

/** Lets a proven device in, or leaves its request for the owner. Returns the device's own token. */
function pair(
  { client, scopes = [] }: ConnectParams,
  { visitor, door, role, device, method, wire }: {
    visitor: Visitor;
    door: Door;
    role: Caller["role"];
    device: ProvenDevice;
    method: Caller["method"];
    wire: WireVersion;
  },
): DeviceToken {
  const { pairing, settings } = door.gateway;
  const autoApprove = settings.config.gateway?.nodes?.pairing?.autoApproveLocal !== false;
  const before = pairing.get(device.deviceId);
  const silent = autoApprove && isOwnerHere(visitor) && BY_OWNERS_WORD.has(method);
  const admitted = pairing.admit({
    ...device,
    ...describeDevice(client, visitor),
    role,
    scopes: role === "node" ? [] : scopes,
    silent,
    redescribed: silent && client.mode === "ui" && visitor.origin === undefined,
    byToken: method === "device-token",
  });
  if ("token" in admitted) return admitted.token;
  const { message, details, closeReason } = wire.pairing(
    admitted.refused,
    admitted.request,
    before,
  );
  const close = { code: 1008, reason: closeReason };
  throw new Refusal({ code: "NOT_PAIRED", message, details }, close);
}

/** Credentials that only the owner of the gateway has. */
const BY_OWNERS_WORD: ReadonlySet<Caller["method"]> = new Set(["none", "token", "password"]);

/** What a device says of itself, for people to read. */
function describeDevice(client: ConnectParams["client"], { remoteIp }: Visitor) {
  return {
    displayName: client.displayName,
    platform: client.platform,
    deviceFamily: client.deviceFamily,
    clientId: client.id,
    clientMode: client.mode,
    remoteIp,
  };
}

function newcomerOf(
  params: ConnectParams,
  { device, role, visitor }: { device: ProvenDevice; role: Caller["role"]; visitor: Visitor },
): Newcomer {
  return {
    ...device,
    ...describeDevice(params.client, visitor),
    role,
    scopes: role === "node" ? [] : params.scopes ?? [],
    surface: surfaceOf(params),
  };
}

function surfaceOf({ caps = [], commands = [], permissions }: ConnectParams) {
  return { caps, commands, ...(permissions === undefined ? {} : { permissions }) };
}

function welcome(
  caller: Caller,
  { wire, door, token, scopes }: {
    wire: WireVersion;
    door: Door;
    token: DeviceToken | undefined;
    scopes: readonly string[];
  },
): HelloOk {
  const { features, snapshot } = door.gateway.hello(wire.protocol);
  const { role, method, deviceId = "" } = caller;
  // A device that came by a setup code learns once of all that the code gave it.
  const others = method === "bootstrap-token" ? door.gateway.pairing.tokensOf(deviceId) : [];
  const handed = others.filter((other) => other.role !== role);
  const auth = wire.auth({ role, method, scopes, token, handed });
  const { server, ...rest } = wire.hello(door.bootId);
  const isAdmin = allows(caller.scopes, "operator.admin");
  // Who may not ask how the gateway is and who is there, is not told unasked either.
  const mayRead = role === "node" || allows(caller.scopes, "operator.read");
  const shown = mayRead ? snapshot : { ...snapshot, presence: [], health: {} };
  return {
    type: "hello-ok",
    protocol: wire.protocol,
    server: { version: door.gateway.version, connId: caller.connId, ...server },
    features,
    snapshot: isAdmin ? { ...shown, ...door.paths, authMode: door.auth().mode } : shown,
    ...(auth === undefined ? {} : { auth }),
    ...rest,
  };
}

function refusal(message: string, details?: unknown): Refusal {
  return new Refusal(
    { code: "INVALID_REQUEST", message, ...(details === undefined ? {} : { details }) },
    { code: 1008, reason: message },
  );
}
