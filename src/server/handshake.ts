/** The door: from the params of `connect` to a caller with rights, or a refusal with its reason. */
import { randomUUID } from "node:crypto";
import { Connect, type ConnectParams, type HelloOk } from "../../schemas/connect.ts";
import type { ErrorShape } from "../../schemas/frames.ts";
import { checkParams } from "../../schemas/validate.ts";
import type { Caller } from "../caller.ts";
import { allows, checkProof, type DeviceToken } from "../device.ts";
import type { Attempts } from "../gateway/attempts.ts";
import {
  type AuthPolicy,
  type AuthReason,
  checkSecret,
  isGuessable,
  type SecretVerdict,
} from "../gateway/credentials.ts";
import type { Gateway } from "../gateway/gateway.ts";
import type { Origin } from "./locality.ts";
import { negotiate, type WireVersion } from "./version.ts";

/** Somebody who opened a socket and has said nothing yet. */
export interface Visitor extends Origin {
  readonly connId: string;
  /** Sent in the challenge; a device signs it. */
  readonly nonce: string;
  readonly remoteIp: string;
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
  const policy = door.auth();
  // Without a secret the gateway is for this machine only, also behind a proxy of this machine.
  const secret = policy.mode === "none" && !visitor.local
    ? { ok: false, reason: "token_missing_config" } as const
    : checkSecret(policy, params.auth);
  const device = params.device === undefined ? undefined : proveDevice(params, visitor, wire);
  if (device === undefined) requireDeviceless(params, { role, hasSecret: secret.ok, wire });
  const method = verdict(params, { visitor, door, role, device, secret, wire });
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
    scopes: new Set(scopes),
    client: params.client,
    caps: new Set(params.caps),
    ...(device === undefined ? {} : { deviceId: device.deviceId }),
    method,
    remoteIp: visitor.remoteIp,
    local: visitor.local,
    connectedAtMs: Date.now(),
    ...(role === "node" ? { surface: surfaceOf(params) } : {}),
  };
  return { wire, caller, hello: welcome(caller, { wire, door, token, scopes }) };
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
  { role, hasSecret, wire }: { role: Caller["role"]; hasSecret: boolean; wire: WireVersion },
): void {
  const isScreen = client.id === "openclaw-control-ui" ||
    wire.protocol === 4 && client.id === "openclaw-tui";
  if (role === "operator" && isScreen && hasSecret) {
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
  { auth }: ConnectParams,
  { visitor, door, role, device, secret, wire }: {
    visitor: Visitor;
    door: Door;
    role: Caller["role"];
    device: ProvenDevice | undefined;
    secret: SecretVerdict;
    wire: WireVersion;
  },
): Caller["method"] {
  const policy = door.auth();
  const secretKey = `secret ${visitor.remoteIp}`;
  const deviceKey = `device ${visitor.remoteIp} ${device?.deviceId ?? ""}`;
  const lockedFor = door.attempts.lockedFor(secretKey);
  const deviceLockedFor = door.attempts.lockedFor(deviceKey);
  if (secret.ok && (lockedFor === 0 || !isGuessable(policy))) {
    if (policy.mode !== "none") door.attempts.succeed(secretKey);
    return policy.mode;
  }
  const shown = auth?.deviceToken ?? auth?.token;
  if (device !== undefined && shown !== undefined && deviceLockedFor === 0) {
    if (door.gateway.pairing.checkToken(device.deviceId, shown, role)) {
      door.attempts.succeed(deviceKey);
      return "device-token";
    }
    if (auth?.deviceToken !== undefined) door.attempts.fail(deviceKey);
  }
  const onlyDeviceToken = auth?.deviceToken !== undefined &&
    (auth.token === undefined || auth.token === auth.deviceToken) && auth.password === undefined;
  if (onlyDeviceToken) {
    const reason = deviceLockedFor > 0 ? "rate_limited" : "device_token_mismatch";
    throw authRefusal(reason, { wire, lock: deviceLockedFor, retry: false });
  }
  const reason = secret.ok || lockedFor > 0 ? "rate_limited" : secret.reason;
  if (reason.endsWith("_mismatch")) door.attempts.fail(secretKey);
  const known = device !== undefined && door.gateway.pairing.get(device.deviceId) !== undefined;
  const retry = reason === "token_mismatch" && known && auth?.deviceToken === undefined;
  throw authRefusal(reason, { wire, lock: lockedFor, retry });
}

/** The protocol's words for a credential that was not accepted. */
function authRefusal(
  reason: AuthReason,
  { wire, lock, retry }: { wire: WireVersion; lock: number; retry: boolean },
): Refusal {
  const { code, message } = AUTH_MESSAGES[reason];
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

const AUTH_MESSAGES: Readonly<Record<AuthReason, { code: string; message: string }>> = {
  token_missing: {
    code: "AUTH_TOKEN_MISSING",
    message: "unauthorized: gateway token missing (run `openclaw dashboard` on the gateway's " +
      "machine, or pass --token)",
  },
  token_mismatch: {
    code: "AUTH_TOKEN_MISMATCH",
    message: "unauthorized: gateway token mismatch (the gateway's is in gateway.auth.token)",
  },
  token_missing_config: {
    code: "AUTH_TOKEN_NOT_CONFIGURED",
    message:
      "unauthorized: gateway token not configured on gateway (auth mode none is for its own " +
      "machine; set gateway.auth.mode to token)",
  },
  password_missing: {
    code: "AUTH_PASSWORD_MISSING",
    message: "unauthorized: gateway password missing (pass --password)",
  },
  password_mismatch: {
    code: "AUTH_PASSWORD_MISMATCH",
    message: "unauthorized: gateway password mismatch (the gateway's is in gateway.auth.password)",
  },
  device_token_mismatch: {
    code: "AUTH_DEVICE_TOKEN_MISMATCH",
    message: "unauthorized: device token mismatch (rotated or revoked; pair the device again)",
  },
  rate_limited: {
    code: "AUTH_RATE_LIMITED",
    message: "unauthorized: too many failed authentication attempts (retry later)",
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
  const admitted = pairing.admit({
    ...device,
    role,
    scopes: role === "node" ? [] : scopes,
    silent: autoApprove && isOwnerHere(visitor) && method !== "device-token",
    byToken: method === "device-token",
    displayName: client.displayName,
    platform: client.platform,
    deviceFamily: client.deviceFamily,
    clientId: client.id,
    clientMode: client.mode,
    remoteIp: visitor.remoteIp,
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
  const auth = wire.auth({ role: caller.role, method: caller.method, scopes, token });
  const { server, ...rest } = wire.hello(door.bootId);
  const isAdmin = allows(caller.scopes, "operator.admin");
  return {
    type: "hello-ok",
    protocol: wire.protocol,
    server: { version: door.gateway.version, connId: caller.connId, ...server },
    features,
    snapshot: isAdmin ? { ...snapshot, ...door.paths, authMode: door.auth().mode } : snapshot,
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
