/**
 * The device that this machine is, and the tokens that gateways gave it, in the files in which the
 * original keeps them: whoever comes from there stays the device they were.
 */
import { createDeviceKey, type DeviceKey, deviceKeyOf } from "../client/identity.ts";
import { createPrivately, writePrivately } from "./atomic_write.ts";
import { at } from "./config_file.ts";
import { Failure } from "./failure.ts";

/** What DER puts before the 32 bytes of an Ed25519 public key, and of a secret one. */
// deno-fmt-ignore
const SPKI = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
// deno-fmt-ignore
const PKCS8 = [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/**
 * Reads `<stateDir>/identity/device.json`, or makes it. Rejects with a `Failure` if the file is
 * there and can't be understood: a new key in its place would be another device.
 */
export async function loadDeviceKey(stateDir: string, now: () => number): Promise<DeviceKey> {
  const path = `${stateDir}/identity/device.json`;
  const known = await read(path);
  if (known !== undefined) return keyIn(known, path);
  const key = createDeviceKey();
  const made = await createPrivately(
    path,
    json({
      version: 1,
      deviceId: key.deviceId,
      publicKeyPem: pem("PUBLIC KEY", SPKI, key.publicKeyBytes),
      privateKeyPem: pem("PRIVATE KEY", PKCS8, key.secret),
      createdAtMs: now(),
    }),
  );
  return made ? key : keyIn(await read(path), path); // another process was faster
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

function keyIn(file: unknown, path: string): DeviceKey {
  const text = at(file, "privateKeyPem");
  const der = typeof text === "string"
    ? bytesOf(text.replace(/-----[^-]+-----|\s/g, ""))
    : undefined;
  if (der?.length !== PKCS8.length + 32 || !PKCS8.every((byte, i) => der[i] === byte)) {
    throw unusable(path, "it has no Ed25519 key");
  }
  return deviceKeyOf(der.slice(PKCS8.length));
}

function unusable(path: string, reason: string): Failure {
  return new Failure("IDENTITY_INVALID", `Cannot read the device key '${path}': ${reason}`, {
    hint: "move the file away to become a new device, which then must be paired again",
  });
}

function pem(label: string, head: readonly number[], key: Uint8Array): string {
  const body = btoa(String.fromCharCode(...head, ...key));
  return `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`;
}

function bytesOf(base64: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  } catch {
    return undefined;
  }
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
