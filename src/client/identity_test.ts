import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createPublicKey, verify } from "node:crypto";
import { createDeviceKey, deviceKeyOf } from "./identity.ts";

Deno.test("a device key is restored from its secret", () => {
  const key = createDeviceKey();
  const { deviceId, publicKey } = deviceKeyOf(key.secret);
  deepStrictEqual({ deviceId, publicKey }, { deviceId: key.deviceId, publicKey: key.publicKey });
});

Deno.test("a known secret gives the device that others compute for it", () => {
  // RFC 8032, section 7.1, test 1.
  const key = deviceKeyOf(
    Buffer.from("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "hex"),
  );
  strictEqual(
    Buffer.from(key.publicKey, "base64url").toString("hex"),
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
  );
  strictEqual(
    key.deviceId,
    "21fe31dfa154a261626bf854046fd2271b7bed4b6abe45aa58877ef47f9721b9",
  );
});

Deno.test("a signature is one of the key over the text's bytes", async () => {
  const { publicKey, sign } = createDeviceKey();
  const text = "v3|größe";
  const signature = Buffer.from(await sign(text), "base64url");
  const jwk = { kty: "OKP", crv: "Ed25519", x: publicKey };
  strictEqual(
    verify(null, Buffer.from(text), createPublicKey({ key: jwk, format: "jwk" }), signature),
    true,
  );
});

Deno.test("a secret of another size is none", () => {
  throws(() => deviceKeyOf(new Uint8Array(31)));
});
