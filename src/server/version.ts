/**
 * What differs between the wire's versions 3 and 4, in one place. Handlers and events have one
 * shape; a connection speaks it through the adapter of its version.
 */
import type { HelloAuth, HelloOk } from "../../schemas/connect.ts";
import type { Protocol } from "../../schemas/contract.ts";
import type { ErrorShape } from "../../schemas/frames.ts";

import type { AuthReason } from "../gateway/credentials.ts";
import type { PairingReason } from "../gateway/pairing.ts";
import type { DeviceToken, PairedDevice, PairingRequest, ProofFault } from "../device.ts";

/** What a connection was granted. */
export interface Grant {
  readonly role: string;
  readonly method: string;
  /** In the order in which they were asked for. */
  readonly scopes: readonly string[];
  readonly token?: DeviceToken;
  /** The device's tokens for other roles, where it gets them with this answer. */
  readonly handed?: readonly DeviceToken[];
}

/** One version's way of saying things. */
export interface WireVersion {
  readonly protocol: Protocol;
  error(error: ErrorShape): ErrorShape;
  authDetails(code: string, reason: AuthReason, hints: AuthHints): Record<string, unknown>;
  deviceDetails(fault: ProofFault): Record<string, unknown>;
  pairing(
    refused: PairingReason,
    request: PairingRequest,
    known: PairedDevice | undefined,
  ): { message: string; details: Record<string, unknown>; closeReason: string };
  auth(grant: Grant): HelloAuth | undefined;
  /** Parts of `hello-ok` that only this version has. */
  hello(bootId: string): Pick<HelloOk, "policy"> & { server: { bootId?: string } };
}

/** Whether the client could help itself by its stored device token. */
export interface AuthHints {
  readonly canRetryWithDeviceToken: boolean;
}

/** The limits that every connection is told of. Sizes in bytes, times in milliseconds. */
export const POLICY = {
  maxPayload: 26_214_400,
  maxBufferedBytes: 52_428_800,
  tickIntervalMs: 30_000,
} as const;

const V3: WireVersion = {
  protocol: 3,
  error({ code, details, ...error }) {
    if (code === "FORBIDDEN") return { code: "INVALID_REQUEST", ...error };
    return { code, ...error, ...(details === undefined ? {} : { details }) };
  },
  authDetails: (code, authReason) => ({
    code: code === "AUTH_IDENTITY_HEADER_REQUIRED" ? "AUTH_UNAUTHORIZED" : code,
    authReason,
  }),
  deviceDetails: (reason) => ({ code: "DEVICE_AUTH_INVALID", reason }),
  pairing: (reason, { requestId }) => ({
    message: `pairing required (on the gateway's machine: openclaw devices approve ${requestId})`,
    details: { code: "PAIRING_REQUIRED", requestId, reason },
    closeReason: "pairing required",
  }),
  auth({ role, token }) {
    if (token === undefined) return undefined;
    const { scopes, createdAtMs, rotatedAtMs } = token;
    return {
      deviceToken: token.token,
      role,
      scopes: [...scopes],
      issuedAtMs: rotatedAtMs ?? createdAtMs,
    };
  },
  hello: () => ({ server: {}, policy: POLICY }),
};

const V4: WireVersion = {
  protocol: 4,
  error: (error) => error,
  authDetails: (code, authReason, { canRetryWithDeviceToken }) => ({
    code,
    authReason,
    canRetryWithDeviceToken,
    recommendedNextStep: canRetryWithDeviceToken
      ? "retry_with_device_token"
      : authReason === "rate_limited"
      ? "wait_then_retry"
      : /^(token|password)_missing(_config)?$/.test(authReason)
      ? "update_auth_configuration"
      : /^(token|password|device_token)_mismatch$/.test(authReason)
      ? "update_auth_credentials"
      : "review_auth_configuration",
  }),
  deviceDetails: (reason) => ({ code: DEVICE_CODES[reason], reason }),
  pairing(reason, request, known) {
    const { requestId, deviceId, role, scopes } = request;
    const message = `pairing required: ${REQUIREMENTS[reason]}`;
    return {
      message,
      details: {
        code: "PAIRING_REQUIRED",
        requestId,
        reason,
        remediationHint:
          `Approve it on the gateway's machine: openclaw devices approve ${requestId}`,
        deviceId,
        requestedRole: role,
        requestedScopes: scopes,
        ...(known === undefined
          ? {}
          : { approvedRoles: known.roles, approvedScopes: known.scopes }),
      },
      closeReason: `${message} (requestId: ${requestId})`,
    };
  },
  auth({ method, role, scopes, token, handed = [] }) {
    return {
      method,
      role,
      scopes: [...scopes],
      ...(token === undefined ? {} : issued(token)),
      ...(handed.length === 0 ? {} : {
        deviceTokens: handed.map((other) => ({
          ...issued(other),
          role: other.role,
          scopes: [...other.scopes],
        })),
      }),
    };
  },
  hello: (bootId) => ({
    server: { bootId },
    policy: { ...POLICY, attachments: { maxBytes: 19_464_192, maxImageBytes: 5_000_000 } },
  }),
};

function issued({ token, createdAtMs, rotatedAtMs }: DeviceToken) {
  return { deviceToken: token, issuedAtMs: rotatedAtMs ?? createdAtMs };
}

/** The adapters, by version. */
export const WIRE: Readonly<Record<Protocol, WireVersion>> = { 3: V3, 4: V4 };

/** The version to speak with a client: 4 where it can, else 3; `undefined` where it can neither. */
export function negotiate(
  { minProtocol, maxProtocol }: { minProtocol: number; maxProtocol: number },
): WireVersion | undefined {
  const speaks = (protocol: Protocol) => minProtocol <= protocol && protocol <= maxProtocol;
  return speaks(4) ? V4 : speaks(3) ? V3 : undefined;
}

const REQUIREMENTS: Readonly<Record<PairingReason, string>> = {
  "not-paired": "the device is not approved yet",
  "metadata-upgrade": "the device describes itself differently than when it was approved",
  "role-upgrade": "the device asks for a role that it was not approved for",
  "scope-upgrade": "the device asks for more than it was approved for",
};

const DEVICE_CODES: Readonly<Record<ProofFault, string>> = {
  "device-id-mismatch": "DEVICE_AUTH_DEVICE_ID_MISMATCH",
  "device-signature-stale": "DEVICE_AUTH_SIGNATURE_EXPIRED",
  "device-nonce-missing": "DEVICE_AUTH_NONCE_REQUIRED",
  "device-nonce-mismatch": "DEVICE_AUTH_NONCE_MISMATCH",
  "device-signature": "DEVICE_AUTH_SIGNATURE_INVALID",
  "device-public-key": "DEVICE_AUTH_PUBLIC_KEY_INVALID",
};
