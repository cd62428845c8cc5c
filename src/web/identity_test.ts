import { deepStrictEqual, notStrictEqual, strictEqual } from "node:assert/strict";
import { checkProof, signaturePayload } from "../device.ts";
import { loadIdentity } from "./identity.ts";
import { MemoryKeep } from "./keep.ts";

Deno.test("a browser keeps its identity", () => {
  const keep = new MemoryKeep();
  const first = loadIdentity(keep);
  const again = loadIdentity(keep);
  strictEqual(again.deviceId, first.deviceId);
  notStrictEqual(loadIdentity(new MemoryKeep()).deviceId, first.deviceId);
});

Deno.test("a key that was damaged is replaced", () => {
  const keep = new MemoryKeep();
  const { deviceId } = loadIdentity(keep); // made here
  for (const name of keep.values.keys()) keep.setItem(name, "no key");
  notStrictEqual(loadIdentity(keep).deviceId, deviceId);
});

Deno.test("the gateway believes its signature", async () => {
  const identity = loadIdentity(new MemoryKeep());
  const claims = {
    clientId: "webchat-ui",
    clientMode: "webchat",
    role: "operator",
    scopes: ["operator.read"],
    token: "t",
    platform: "web",
  };
  const proof = { id: identity.deviceId, signedAt: 5, nonce: "n" };
  const signature = await identity.sign(signaturePayload("v3", proof, claims));
  deepStrictEqual(
    checkProof({ ...proof, publicKey: identity.publicKey, signature }, claims, {
      nonce: "n",
      now: 6,
    }),
    { publicKey: identity.publicKey },
  );
});
