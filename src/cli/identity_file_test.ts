import { deepStrictEqual, notStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createPrivateKey, createPublicKey, verify } from "node:crypto";
import { deviceIdOf } from "../device.ts";
import { withHome } from "./fake_io.ts";
import { loadDeviceToken, loadIdentity, saveDeviceToken } from "./identity_file.ts";

const now = () => 1234;

Deno.test("a device key is made once, readable by its owner only", () =>
  withHome(async ({ stateDir }) => {
    const made = await loadIdentity(stateDir, now);
    const path = `${stateDir}/identity/device.json`;
    const { deviceId, publicKeyPem, privateKeyPem, ...rest } = JSON.parse(
      await Deno.readTextFile(path),
    );
    deepStrictEqual(rest, { version: 1, createdAtMs: 1234 });
    strictEqual(deviceId, made.deviceId);
    const privateKey = createPrivateKey(privateKeyPem);
    strictEqual(createPublicKey(privateKey).export({ type: "spki", format: "pem" }), publicKeyPem);
    if (Deno.build.os !== "windows") strictEqual((await Deno.stat(path)).mode! & 0o777, 0o600);
    strictEqual((await loadIdentity(stateDir, now)).deviceId, deviceId);
  }));

Deno.test("processes that make it at the same time become the same device", () =>
  withHome(async ({ stateDir }) => {
    const made = await Promise.all([1, 2, 3, 4].map(() => loadIdentity(stateDir, now)));
    strictEqual(new Set(made.map(({ deviceId }) => deviceId)).size, 1);
    const names = [...Deno.readDirSync(`${stateDir}/identity`)].map(({ name }) => name);
    deepStrictEqual(names, ["device.json"]);
  }));

Deno.test("a device of the original stays the device that it was", () =>
  withHome(async ({ stateDir }) => {
    // The key of RFC 8032, section 7.1, test 1, as Node.js exports it.
    const publicKey = Buffer.from(
      "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
      "hex",
    );
    await Deno.mkdir(`${stateDir}/identity`);
    await Deno.writeTextFile(
      `${stateDir}/identity/device.json`,
      JSON.stringify({
        version: 1,
        deviceId: deviceIdOf(publicKey),
        privateKeyPem: "-----BEGIN PRIVATE KEY-----\n" +
          "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n" +
          "-----END PRIVATE KEY-----\n",
      }),
    );
    const identity = await loadIdentity(stateDir, now);
    strictEqual(identity.deviceId, deviceIdOf(publicKey));
    strictEqual(identity.publicKey, publicKey.toString("base64url"));
    const signature = Buffer.from(await identity.sign("größe"), "base64url");
    const jwk = { kty: "OKP", crv: "Ed25519", x: identity.publicKey };
    const key = createPublicKey({ key: jwk, format: "jwk" });
    strictEqual(verify(null, Buffer.from("größe"), key, signature), true);
  }));

Deno.test("a key file that can't be understood is refused and left alone", async () => {
  for (const text of ["{", "{}", '{"privateKeyPem":"nonsense"}', ""]) {
    await withHome(async ({ stateDir }) => {
      const path = `${stateDir}/identity/device.json`;
      await Deno.mkdir(`${stateDir}/identity`);
      await Deno.writeTextFile(path, text);
      await rejects(loadIdentity(stateDir, now), /Cannot read the device key '.*device.json': /);
      strictEqual(await Deno.readTextFile(path), text);
    });
  }
});

Deno.test("tokens are kept by role, for one device", () =>
  withHome(async ({ stateDir }) => {
    const save = (role: string, token: string | undefined, deviceId = "d") =>
      saveDeviceToken(stateDir, { deviceId, role, token, scopes: ["operator.read"], now: 5 });
    const load = (role: string, deviceId = "d") => loadDeviceToken(stateDir, { deviceId, role });
    strictEqual(await load("operator"), undefined);
    await save("operator", "t1");
    await save("node", "t2");
    deepStrictEqual([await load("operator"), await load("node")], ["t1", "t2"]);
    strictEqual(await load("operator", "another"), undefined);
    deepStrictEqual(JSON.parse(await Deno.readTextFile(`${stateDir}/identity/device-auth.json`)), {
      version: 1,
      deviceId: "d",
      tokens: {
        operator: { token: "t1", role: "operator", scopes: ["operator.read"], updatedAtMs: 5 },
        node: { token: "t2", role: "node", scopes: ["operator.read"], updatedAtMs: 5 },
      },
    });
    await save("operator", undefined);
    deepStrictEqual([await load("operator"), await load("node")], [undefined, "t2"]);
    await save("operator", "t3", "another");
    notStrictEqual(await load("node"), "t2");
  }));
