/** The key by which the gateway knows this browser. */
import type { Identity } from "../client/client.ts";
import { createDeviceKey, type DeviceKey, deviceKeyOf } from "../client/identity.ts";
import type { Keep } from "./keep.ts";

const NAME = "openclaw.device-key";

/**
 * The identity of this browser. Its key is read, or made and kept, on first use: that takes long
 * enough to be seen, so the page is shown before.
 */
export function loadIdentity(keep: Keep): Identity {
  let key: DeviceKey | undefined;
  const use = () => key ??= readKey(keep);
  return {
    get deviceId() {
      return use().deviceId;
    },
    get publicKey() {
      return use().publicKey;
    },
    sign: (payload) => use().sign(payload),
  };
}

function readKey(keep: Keep): DeviceKey {
  const kept = fromBase64(keep.getItem(NAME) ?? "");
  if (kept !== undefined) return deviceKeyOf(kept);
  const made = createDeviceKey();
  keep.setItem(NAME, btoa(String.fromCharCode(...made.secret)));
  return made;
}

/** The 32 bytes of a key, or `undefined` for anything else. */
function fromBase64(text: string): Uint8Array | undefined {
  try {
    const binary = atob(text);
    if (binary.length !== 32) return undefined;
    return Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
  } catch {
    return undefined; // not base64
  }
}
