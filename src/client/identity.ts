/** A device's key: made, restored, and used to sign. For Deno and for browsers. */
import { getPublicKey, hashes, sign, utils } from "@noble/ed25519";
import { sha256, sha512 } from "@noble/hashes/sha2.js";
import type { Identity } from "./client.ts";

// A page without HTTPS has no `crypto.subtle`, so the hash must be ours.
hashes.sha512 ??= sha512;

/** An identity that can be kept. */
export interface DeviceKey extends Identity {
  /** The 32 bytes from which everything else follows; whoever has them is this device. */
  readonly secret: Uint8Array;
  readonly publicKeyBytes: Uint8Array;
}

/** A new device. */
export function createDeviceKey(): DeviceKey {
  return deviceKeyOf(utils.randomSecretKey());
}

/** The device that has these 32 secret bytes. Throws for another number of bytes. */
export function deviceKeyOf(secret: Uint8Array): DeviceKey {
  const publicKeyBytes = getPublicKey(secret);
  return {
    secret,
    publicKeyBytes,
    deviceId: deviceIdOf(publicKeyBytes),
    publicKey: toBase64Url(publicKeyBytes),
    sign: (payload) =>
      Promise.resolve(toBase64Url(sign(new TextEncoder().encode(payload), secret))),
  };
}

/** The id of the device that holds a raw public key: its SHA-256, lower-case hex. */
export function deviceIdOf(publicKeyBytes: Uint8Array): string {
  return [...sha256(publicKeyBytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function toBase64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replace(/[+/=]/g, (c) => BASE64_URL[c] ?? "");
}

const BASE64_URL: Readonly<Record<string, string>> = { "+": "-", "/": "_" };
