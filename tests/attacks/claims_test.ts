/** What a client says of itself gives it nothing; what a device signs is good once, and for it alone. */
import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { createDeviceKey, type DeviceKey } from "../../src/client/identity.ts";
import { connectTo, TOKEN } from "../gateway.ts";
import { besiege, type Claims, knock, proofBy, wordOf } from "./attacker.ts";

/** As if every device came from afar: nobody's presence stands for an approval. */
const FAR = {
  gateway: { nodes: { pairing: { autoApproveLocal: false } } },
  agents: { defaults: { model: { primary: "demo/demo" } } },
};
const FORWARDED = { "X-Forwarded-For": "203.0.113.9" };

Deno.test("scopes, roles, ids and modes that a client gives itself open nothing without a proof", async () => {
  await using besieged = await besiege();
  const { url } = besieged.gateway;
  const claims: readonly Record<string, unknown>[] = [
    { scopes: ["operator.admin"] },
    { role: "node", scopes: ["operator.admin"] },
    { role: "admin" },
    { role: "worker" },
    { client: client("gateway-client", "backend") },
    { client: client("openclaw-control-ui", "webchat") },
    { client: client("node-host", "node"), role: "node" },
    { client: client("openclaw-macos", "ui") },
    { client: client("cli", "probe") },
    { caps: ["operator.admin"], permissions: { "operator.admin": true } },
  ];
  const codes = new Set<string>();
  await besieged.withstands(async () => {
    for (const auth of [undefined, {}, { token: "" }, { token: "wrong" }, { password: " " }]) {
      for (const claim of claims) {
        const answer = await knock(url, () => ({ ...claim, auth }));
        strictEqual(answer.ok, false, JSON.stringify([claim, auth]));
        codes.add(wordOf(answer));
      }
    }
  }, ({ action, allowed }) => action === "connect" && !allowed);
  deepStrictEqual([...codes].sort(), [
    "AUTH_TOKEN_MISMATCH",
    "AUTH_TOKEN_MISSING",
    "CONTROL_UI_ORIGIN_NOT_ALLOWED",
    "DEVICE_IDENTITY_REQUIRED",
    "invalid role",
  ]);
});

Deno.test("with the secret but from elsewhere, whatever a client calls itself, it may do nothing", async () => {
  await using besieged = await besiege();
  const { url } = besieged.gateway;
  const names = [["gateway-client", "backend"], ["cli", "cli"], ["openclaw-macos", "ui"]] as const;
  for (const [id, mode] of names) {
    for (const protocol of [3, 4]) {
      await besieged.withstands(async () => {
        const params = { client: client(id, mode), minProtocol: protocol, maxProtocol: protocol };
        strictEqual((await knock(url, () => params, FORWARDED)).ok, true);
      }, ({ action, allowed, reason }) => action === "connect" && allowed && reason === "");
    }
  }
});

Deno.test("a signature is good for one challenge, for a while, and for the device that made it", async () => {
  await using besieged = await besiege({ config: FAR });
  const { gateway, owner } = besieged;
  const { url } = gateway;
  const victim = await paired(besieged, ["operator.read"]);
  const thief = createDeviceKey();
  const scopes = ["operator.read"];
  const params = (device: unknown, more = {}) => ({ scopes, device, ...more });

  const nonces: string[] = [];
  const heard = await knock(url, (nonce) => {
    nonces.push(nonce);
    return { device: { id: victim.deviceId } };
  });
  strictEqual(heard.ok, false);
  const [oldNonce = ""] = nonces;
  const replayed = await proofBy(victim, { nonce: oldNonce, scopes });
  const attempts: readonly [string, (nonce: string) => Promise<unknown>, object?][] = [
    ["device-nonce-mismatch", () => Promise.resolve(replayed)],
    ["device-signature", (nonce) => Promise.resolve({ ...replayed, nonce })],
    ["device-signature-stale", (nonce) => proof(nonce, { signedAt: Date.now() - 121_000 })],
    ["device-signature-stale", (nonce) => proof(nonce, { signedAt: Date.now() + 121_000 })],
    ["device-nonce-missing", (nonce) => proof(nonce).then((made) => ({ ...made, nonce: " " }))],
    // Made for something else than what is asked for now.
    ["device-signature", (nonce) => proof(nonce), { scopes: ["operator.admin"] }],
    ["device-signature", (nonce) => proof(nonce), { role: "node" }],
    ["device-signature", (nonce) => proof(nonce), { client: client("openclaw-macos", "ui") }],
    ["device-signature", (nonce) => proof(nonce), { auth: { deviceToken: "stolen" } }],
    ["device-signature", (nonce) => proof(nonce, { token: "another" })],
    // Another's name over one's own key, and one's own name over another's signature.
    ["device-id-mismatch", (nonce) => own(nonce).then((p) => ({ ...p, id: victim.deviceId }))],
    ["device-signature", (nonce) => own(nonce).then((p) => ({ ...p, ...nameOf(victim) }))],
    ["device-signature", (nonce) => proof(nonce).then((p) => ({ ...p, ...nameOf(thief) }))],
    [
      "device-signature",
      (nonce) => proof(nonce).then((p) => ({ ...p, signature: "A".repeat(86) })),
    ],
  ];
  for (const [code, prove, more] of attempts) {
    await besieged.withstands(async () => {
      let device: unknown;
      const answer = await knock(url, async (nonce) => {
        device = await prove(nonce);
        return params(device, more);
      });
      const { details, message } = answer.error ?? {};
      strictEqual(details?.reason ?? message, code, JSON.stringify(more ?? device));
    }, ({ action, allowed }) => action === "connect" && !allowed);
  }
  const honest = await knock(url, async (nonce) => params(await proof(nonce)));
  strictEqual(wordOf(honest), "token [operator.read]");
  strictEqual((await owner.request("device.pair.list", {})).paired.length, 1);

  function proof(nonce: string, claims: Partial<Claims> = {}) {
    return proofBy(victim, { nonce, scopes, ...claims });
  }
  function own(nonce: string) {
    return proofBy(thief, { nonce, scopes });
  }
});

Deno.test("a device token is good for its device and role only", async () => {
  await using besieged = await besiege({ config: FAR });
  const { gateway } = besieged;
  const victim = await paired(besieged, ["operator.read"]);
  const thief = await paired(besieged, ["operator.read"]);
  const token = await deviceTokenOf(victim, gateway.url);
  const tries = [[thief, "operator"], [createDeviceKey(), "operator"], [victim, "node"]] as const;
  for (const [key, role] of tries) {
    for (const auth of [{ deviceToken: token }, { token, deviceToken: token }]) {
      await besieged.withstands(async () => {
        const answer = await knock(gateway.url, async (nonce) => ({
          role,
          scopes: [],
          auth,
          device: await proofBy(key, { nonce, role, token }),
        }));
        strictEqual(wordOf(answer), "AUTH_DEVICE_TOKEN_MISMATCH");
      }, ({ reason }) => reason === "AUTH_DEVICE_TOKEN_MISMATCH");
    }
  }
  // Without any device it is a wrong secret like all others.
  await besieged.withstands(async () => {
    const answer = await knock(gateway.url, () => ({ auth: { token } }));
    strictEqual(wordOf(answer), "AUTH_TOKEN_MISMATCH");
  }, ({ reason }) => reason === "AUTH_TOKEN_MISMATCH");
});

Deno.test("a device is its key: a name, a platform or an address of another's is nobody's", async () => {
  await using besieged = await besiege({ config: FAR });
  const { gateway, owner } = besieged;
  const victim = await paired(besieged, ["operator.admin"]);
  await owner.request("device.pair.rename", { deviceId: victim.deviceId, label: "The owner" });
  const { paired: before } = await owner.request("device.pair.list", {});
  const double = createDeviceKey();
  const answer = await knock(gateway.url, async (nonce) => ({
    client: { ...client("cli", "cli"), displayName: "The owner" },
    scopes: ["operator.admin"],
    device: await proofBy(double, { nonce, scopes: ["operator.admin"] }),
  }));
  strictEqual(wordOf(answer), "PAIRING_REQUIRED");
  const { paired: after, pending } = await owner.request("device.pair.list", {});
  deepStrictEqual(after, before);
  deepStrictEqual(pending.map(({ deviceId }) => deviceId), [double.deviceId]);
  strictEqual(
    besieged.entries().some(({ reason, allowed, target }) =>
      reason === "PAIRING_REQUIRED" && !allowed && target === pending[0]?.requestId
    ),
    true,
  );
  // And a key that was approved as one thing does not become another by saying so.
  const changed = await knock(gateway.url, async (nonce) => ({
    client: { ...client("cli", "cli"), platform: "windows" },
    scopes: [],
    device: await proofBy(victim, { nonce, platform: "windows" }),
  }));
  deepStrictEqual([wordOf(changed), changed.error?.details?.reason], [
    "PAIRING_REQUIRED",
    "metadata-upgrade",
  ]);
});

function client(id: string, mode: string) {
  return { id, mode, version: "1", platform: "linux" };
}

function nameOf({ deviceId, publicKey }: DeviceKey) {
  return { id: deviceId, publicKey };
}

type Besieged = Awaited<ReturnType<typeof besiege>>;

/** A device that the owner has approved. */
async function paired({ gateway, owner }: Besieged, scopes: readonly string[]): Promise<DeviceKey> {
  const key = createDeviceKey();
  const answer = await knock(gateway.url, async (nonce) => ({
    scopes,
    device: await proofBy(key, { nonce, scopes }),
  }));
  strictEqual(wordOf(answer), "PAIRING_REQUIRED");
  const { pending } = await owner.request("device.pair.list", {});
  await owner.request("device.pair.approve", { requestId: pending[0]?.requestId ?? "" });
  return key;
}

async function deviceTokenOf(identity: DeviceKey, url: string): Promise<string> {
  await using device = await connectTo(url, { identity, scopes: [], auth: { token: TOKEN } });
  return device.client.hello.auth?.deviceToken ?? "";
}
