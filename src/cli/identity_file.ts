/**
 * The device that this machine is, and the tokens that gateways gave it, in the files in which the
 * original keeps them: whoever comes from there stays the device they were.
 */
import type { Identity } from "../client/client.ts";
import { createPrivately, writePrivately } from "./atomic_write.ts";
import { at } from "./config_file.ts";
import { Failure } from "./failure.ts";

// The runtime's own Ed25519 answers at once; the portable one takes a fifth of a second to warm up.
const ED25519 = "Ed25519";

/**
 * Reads `<stateDir>/identity/device.json`, or makes it. Rejects with a `Failure` if the file is
 * there and can't be understood: a new key in its place would be another device.
 */
export async function loadIdentity(stateDir: string, now: () => number): Promise<Identity> {
  const path = `${stateDir}/identity/device.json`;
  const known = await read(path) ?? await create(path, now);
  const pem = at(known, "privateKeyPem");
  const key = typeof pem === "string" ? await importKey(pem) : undefined;
  if (key === undefined) throw unusable(path, "it has no Ed25519 key");
  const { x: publicKey = "" } = await crypto.subtle.exportKey("jwk", key);
  return {
    deviceId: await idOf(publicKey),
    publicKey,
    async sign(payload) {
      const signature = await crypto.subtle.sign(ED25519, key, new TextEncoder().encode(payload));
      return base64(signature).replace(/[+/=]/g, (c) => BASE64_URL[c] ?? "");
    },
  };
}

/** The token for `role` that a gateway gave to this device earlier. */
export async function loadDeviceToken(
  stateDir: string,
  { deviceId, role }: { deviceId: string; role: string },
): Promise<string | undefined> {
  const file = await read(tokenPath(stateDir));
  const token = at(file, "tokens", role, "token");
  return at(file, "deviceId") === deviceId && typeof token === "string" ? token : undefined;
}

/** Keeps the token that a gateway gave to this device, or forgets it. */
export async function saveDeviceToken(
  stateDir: string,
  { deviceId, role, token, scopes = [], now }: {
    deviceId: string;
    role: string;
    token: string | undefined;
    scopes?: readonly string[];
    now: number;
  },
): Promise<void> {
  const file = await read(tokenPath(stateDir));
  const known = at(file, "deviceId") === deviceId ? at(file, "tokens") : undefined;
  if (at(known, role, "token") === token) return;
  const entry = token === undefined ? undefined : { token, role, scopes, updatedAtMs: now };
  const tokens = { ...(typeof known === "object" ? known : {}), [role]: entry };
  await writePrivately(tokenPath(stateDir), json({ version: 1, deviceId, tokens }));
}

function tokenPath(stateDir: string): string {
  return `${stateDir}/identity/device-auth.json`;
}

async function read(path: string): Promise<unknown> {
  try {
    return JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    if (error instanceof SyntaxError) throw unusable(path, "it is no JSON");
    throw error;
  }
}

/** Makes a key and its file; returns what the file says, also if another process was faster. */
async function create(path: string, now: () => number): Promise<unknown> {
  const { publicKey, privateKey } = await crypto.subtle.generateKey(ED25519, true, [
    "sign",
    "verify",
  ]);
  const { x = "" } = await crypto.subtle.exportKey("jwk", publicKey);
  const file = {
    version: 1,
    deviceId: await idOf(x),
    publicKeyPem: pem("PUBLIC KEY", await crypto.subtle.exportKey("spki", publicKey)),
    privateKeyPem: pem("PRIVATE KEY", await crypto.subtle.exportKey("pkcs8", privateKey)),
    createdAtMs: now(),
  };
  return await createPrivately(path, json(file)) ? file : await read(path);
}

async function importKey(pem: string): Promise<CryptoKey | undefined> {
  try {
    const der = bytesOf(pem.replace(/-----[^-]+-----|\s/g, ""));
    return await crypto.subtle.importKey("pkcs8", der, ED25519, true, ["sign"]);
  } catch {
    return undefined; // another kind of key, or none
  }
}

/** The SHA-256 of the raw public key, in lower-case hex. */
async function idOf(publicKey: string): Promise<string> {
  const raw = bytesOf(publicKey.replaceAll("-", "+").replaceAll("_", "/"));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", raw));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function unusable(path: string, reason: string): Failure {
  return new Failure("IDENTITY_INVALID", `Cannot read the device key '${path}': ${reason}`, {
    hint: "move the file away to become a new device, which then must be paired again",
  });
}

function pem(label: string, der: ArrayBuffer): string {
  return `-----BEGIN ${label}-----\n${base64(der)}\n-----END ${label}-----\n`;
}

function base64(bytes: ArrayBuffer): string {
  return btoa(String.fromCharCode(...new Uint8Array(bytes)));
}

const BASE64_URL: Readonly<Record<string, string>> = { "+": "-", "/": "_" };

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
