/** A device: its identity, the proof of it, and what it was allowed. */
import { hashes, verify } from "@noble/ed25519";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import type { Role } from "../schemas/contract.ts";
import type { DeviceProof } from "../schemas/connect.ts";
import type { NodeRecord } from "./node.ts";
import { sameText } from "./secret.ts";

hashes.sha512 = (message: Uint8Array) =>
  new Uint8Array(createHash("sha512").update(message).digest());

/** How far a device's clock may be from ours, in milliseconds. */
export const MAX_SKEW_MS = 120_000;
/** How long an unanswered pairing request lives, in milliseconds. */
export const PAIRING_TTL_MS = 300_000;

/** A right to connect, held by one device for one role. */
export interface DeviceToken {
  /** 32 random bytes, base64url. Kept as it is, since every `hello-ok` repeats it. */
  readonly token: string;
  readonly role: Role;
  readonly scopes: readonly string[];
  readonly createdAtMs: number;
  readonly rotatedAtMs?: number;
  readonly revokedAtMs?: number;
  readonly lastUsedAtMs?: number;
}

/** What a device says of itself; shown to people. */
export interface DeviceDescription {
  readonly displayName?: string;
  readonly platform?: string;
  readonly deviceFamily?: string;
  readonly clientId?: string;
  readonly clientMode?: string;
  readonly remoteIp?: string;
}

/** A device that may connect. */
export interface PairedDevice extends DeviceDescription {
  readonly deviceId: string;
  readonly publicKey: string;
  readonly label?: string;
  readonly roles: readonly Role[];
  readonly scopes: readonly string[];
  readonly tokens: Readonly<Partial<Record<Role, DeviceToken>>>;
  readonly createdAtMs: number;
  readonly approvedAtMs: number;
  /** By the owner's presence on this machine, by an operator, or by a setup code. */
  readonly approvedVia: "silent" | "owner" | "bootstrap";
  readonly lastSeenAtMs?: number;
  /** What it lends as a node. */
  readonly node?: NodeRecord;
}

/** A device that asks. At most one per device. */
export interface PairingRequest extends DeviceDescription {
  readonly requestId: string;
  readonly deviceId: string;
  readonly publicKey: string;
  readonly role: Role;
  readonly roles: readonly Role[];
  readonly scopes: readonly string[];
  readonly silent: boolean;
  readonly isRepair: boolean;
  readonly ts: number;
}

/** Whether `granted` allows everything in `asked`: admin covers all operator scopes, write covers read and talk. */
export function covers(granted: Iterable<string>, asked: Iterable<string>): boolean {
  const set = new Set(granted);
  for (const scope of asked) if (!allows(set, scope)) return false;
  return true;
}

/** Whether a set of scopes allows one. The lattice of scopes is written here and nowhere else. */
export function allows(granted: ReadonlySet<string>, scope: string): boolean {
  if (granted.has(scope)) return true;
  if (granted.has("operator.admin") && scope.startsWith("operator.")) return true;
  return granted.has("operator.write") && (scope === "operator.read" || scope === "operator.talk");
}

/** `platform` and `deviceFamily` as they are signed and compared: trimmed, ASCII lower-cased only. */
export function normaliseClaim(text: string | undefined): string {
  return (text ?? "").trim().replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** What of a handshake is signed, besides the nonce. */
export interface SignedClaims {
  readonly clientId: string;
  readonly clientMode: string;
  readonly role: string;
  /** As sent, not sorted. */
  readonly scopes: readonly string[];
  /** The token that the client shows, or the empty string. */
  readonly token: string;
  readonly platform?: string;
  readonly deviceFamily?: string;
}

/** The text that a device signs, in its two versions (released clients use `v3`, web pages `v2`). */
export function signaturePayload(
  version: "v2" | "v3",
  { id, signedAt, nonce }: Pick<DeviceProof, "id" | "signedAt" | "nonce">,
  { clientId, clientMode, role, scopes, token, platform, deviceFamily }: SignedClaims,
): string {
  const parts = [version, id, clientId, clientMode, role, scopes.join(","), signedAt, token, nonce];
  if (version === "v3") parts.push(normaliseClaim(platform), normaliseClaim(deviceFamily));
  return parts.join("|");
}

/** Why a proof was not believed, in the words of the protocol. */
export type ProofFault =
  | "device-id-mismatch"
  | "device-signature-stale"
  | "device-nonce-missing"
  | "device-nonce-mismatch"
  | "device-signature"
  | "device-public-key";

/** Checks a proof, in the order that the protocol fixes. Returns the public key, raw base64url. */
export function checkProof(
  proof: DeviceProof,
  claims: SignedClaims,
  { nonce, now }: { nonce: string; now: number },
): { publicKey: string } | { fault: ProofFault } {
  const key = rawPublicKey(proof.publicKey);
  if (key === undefined) return { fault: "device-public-key" };
  if (!sameText(deviceIdOf(key), proof.id)) return { fault: "device-id-mismatch" };
  if (Math.abs(now - proof.signedAt) > MAX_SKEW_MS) return { fault: "device-signature-stale" };
  const shown = proof.nonce.trim();
  if (shown === "") return { fault: "device-nonce-missing" };
  if (!sameText(shown, nonce)) return { fault: "device-nonce-mismatch" };
  const signature = fromBase64(proof.signature);
  const signed = (version: "v2" | "v3") =>
    new TextEncoder().encode(signaturePayload(version, { ...proof, nonce: shown }, claims));
  if (signature?.length !== 64) return { fault: "device-signature" };
  if (!isSigned(signature, signed("v3"), key) && !isSigned(signature, signed("v2"), key)) {
    return { fault: "device-signature" };
  }
  return { publicKey: toBase64Url(key) };
}

function isSigned(signature: Uint8Array, message: Uint8Array, key: Uint8Array): boolean {
  try {
    return verify(signature, message, key, { zip215: false });
  } catch {
    return false; // not a point of the curve
  }
}

/** The id of the device that holds a raw 32-byte public key: its SHA-256, lower-case hex. */
export function deviceIdOf(rawKey: Uint8Array): string {
  return createHash("sha256").update(rawKey).digest("hex");
}

const SPKI_PREFIX_LENGTH = 12;

/** The raw 32 bytes of a key given as base64url, base64 or PEM; `undefined` if it is none. */
export function rawPublicKey(text: string): Uint8Array | undefined {
  if (text.includes("BEGIN")) {
    const der = fromBase64(text.replace(/-----[^-]+-----/g, "").replace(/\s/g, ""));
    return der?.length === SPKI_PREFIX_LENGTH + 32 ? der.subarray(SPKI_PREFIX_LENGTH) : undefined;
  }
  const raw = fromBase64(text.trim());
  return raw?.length === 32 ? raw : undefined;
}

function fromBase64(text: string): Uint8Array | undefined {
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(text)) return undefined;
  return new Uint8Array(Buffer.from(text, "base64"));
}

function toBase64Url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64url");
}
