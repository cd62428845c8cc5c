/** A decision counts until it is changed, and not a moment longer; and nobody decides beyond themselves. */
import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import type { GatewayRefusal } from "../../src/client/client.ts";
import { createDeviceKey, type DeviceKey } from "../../src/client/identity.ts";
import { connectFrame, connectTo, type TestClient, TOKEN } from "../gateway.ts";
import { RawClient } from "../raw_client.ts";
import {
  besiege,
  type Besieged,
  exchange,
  knock,
  proofBy,
  requestHead,
  wordOf,
} from "./attacker.ts";

const FAR = {
  gateway: { nodes: { pairing: { autoApproveLocal: false } } },
  agents: { defaults: { model: { primary: "demo/demo" } } },
};

// ── giving and taking ─────────────────────────────────────────────────────────────────────────

Deno.test("who may approve gives no more than they hold, not even to themselves", async () => {
  await using besieged = await besiege({ config: FAR });
  const helper = await enroll(besieged, ["operator.pairing", "operator.read"]);
  const boss = await enroll(besieged, ["operator.admin"]);
  await using inside = await helper.connect();
  const ask = async (key: DeviceKey, claims: { role?: string; scopes: readonly string[] }) => {
    const answer = await knock(besieged.gateway.url, async (nonce) => ({
      ...claims,
      device: await proofBy(key, { nonce, ...claims }),
    }));
    strictEqual(wordOf(answer), "PAIRING_REQUIRED");
    const { pending } = await besieged.owner.request("device.pair.list", {});
    return pending.find(({ deviceId }) => deviceId === key.deviceId)?.requestId ?? "";
  };
  const requests = [
    await ask(helper.key, { scopes: ["operator.admin"] }),
    await ask(createDeviceKey(), { scopes: ["operator.read"] }),
    await ask(createDeviceKey(), { scopes: ["operator.admin"] }),
    await ask(createDeviceKey(), { role: "node", scopes: [] }),
  ];
  const { deviceId } = boss.key;
  const attacks: readonly [string, Record<string, unknown>][] = [
    ...requests.map((requestId) => ["device.pair.approve", { requestId }] as const),
    ...requests.slice(1).map((requestId) => ["device.pair.reject", { requestId }] as const),
    ["device.pair.remove", { deviceId }],
    ["device.pair.rename", { deviceId, label: "Nobody" }],
    ["device.token.revoke", { deviceId, role: "operator" }],
    ["device.token.rotate", { deviceId, role: "operator" }],
    ["device.token.rotate", {
      deviceId: helper.key.deviceId,
      role: "operator",
      scopes: ["operator.admin"],
    }],
    ["device.token.rotate", { deviceId: helper.key.deviceId, role: "node" }],
    ["device.pair.setupCode", {}],
  ] as [string, Record<string, unknown>][];
  for (const [method, params] of attacks) {
    const trace = await besieged.withstands(
      () => rejects(inside.client.call(method, params), /missing scope: operator\./),
      ({ action, allowed, who }) =>
        action === method && !allowed && who?.deviceId === helper.key.deviceId,
    );
    strictEqual(trace.reason, "MISSING_SCOPE");
  }
});

Deno.test("a device asks for more than it has in vain, on the line and at the door", async () => {
  await using besieged = await besiege({ config: FAR });
  const reader = await enroll(besieged, ["operator.read"]);
  await using inside = await reader.connect();
  const attacks = ["chat.send", "config.patch", "device.pair.list", "sessions.reset", "update.run"];
  for (const method of attacks) {
    await besieged.withstands(
      () => rejects(inside.client.call(method, {}), /missing scope: operator\./),
      ({ action, allowed }) => action === method && !allowed,
    );
  }
  // In the token's words, whatever the frame claims besides.
  const answer = await knock(besieged.gateway.url, async (nonce) => ({
    scopes: ["operator.admin"],
    auth: { deviceToken: reader.token },
    device: await proofBy(reader.key, { nonce, scopes: ["operator.admin"], token: reader.token }),
  }));
  deepStrictEqual([wordOf(answer), answer.error?.details?.reason], [
    "PAIRING_REQUIRED",
    "scope-upgrade",
  ]);
  const { paired } = await besieged.owner.request("device.pair.list", {});
  deepStrictEqual(paired.map(({ scopes }) => scopes), [["operator.read"]]);
});

// ── taking back ───────────────────────────────────────────────────────────────────────────────

Deno.test("a device that is revoked does nothing more on the line that it has", async () => {
  await using besieged = await besiege({ config: FAR });
  const { gateway, owner } = besieged;
  for (const how of ["device.pair.remove", "device.token.revoke", "device.token.rotate"] as const) {
    const device = await enroll(besieged, ["operator.admin"]);
    using line = await RawClient.open(gateway.url);
    const { payload } = JSON.parse(await line.message());
    const scopes = ["operator.admin"];
    const proof = await proofBy(device.key, { nonce: payload.nonce, scopes, token: device.token });
    const auth = { deviceToken: device.token };
    await line.text(connectFrame({ scopes, auth, device: proof }));
    await line.readUntil("hello-ok");
    const { deviceId } = device.key;
    const params = how === "device.pair.remove" ? { deviceId } : { deviceId, role: "operator" };
    await owner.client.call(how, params);
    // What it writes faster than it is told to go comes too late.
    const label = "still here";
    const call = {
      type: "req",
      id: "x",
      method: "chat.inject",
      params: { sessionKey: "main", message: label },
    };
    await besieged.withstands(
      async () => {
        await line.text(JSON.stringify(call)).catch(() => {});
        await line.drain();
        const answer = await knock(gateway.url, async (nonce) => ({
          scopes,
          auth,
          device: await proofBy(device.key, { nonce, scopes, token: device.token }),
        }));
        strictEqual(wordOf(answer), "AUTH_DEVICE_TOKEN_MISMATCH");
      },
      ({ action, allowed, who, target }) =>
        action === how && allowed && target === deviceId && who?.remoteIp === "127.0.0.1",
    );
    const { sessions } = await owner.request("sessions.list", {});
    ok(!JSON.stringify(sessions).includes(label));
  }
});

Deno.test("a secret that was changed opens nothing from then on, by any way in", async () => {
  await using besieged = await besiege({
    token: null,
    config: { ...FAR, gateway: { auth: { token: TOKEN } } },
  });
  const { gateway, owner } = besieged;
  using line = await RawClient.open(gateway.url);
  await line.readUntil("connect.challenge");
  await line.text(connectFrame());
  await line.readUntil("hello-ok");
  const identity = createDeviceKey();
  await using device = await gateway.connect({ identity });
  const deviceToken = device.client.hello.auth?.deviceToken ?? "";

  const fresh = "another-secret-that-nobody-guesses-0123456789";
  const { hash } = await owner.request("config.get", {});
  const raw = JSON.stringify({ gateway: { auth: { token: fresh } } });
  await owner.request("config.patch", { raw, baseHash: hash }).catch(() => {});
  await line.drain(); // the old line is ended, with all that was to come on it
  strictEqual((await owner.client.closed).code, 4001);

  await using again = await connectTo(gateway.url, { auth: { token: fresh } });
  const before = await again.request("config.get", {});
  const guesses = [
    { token: TOKEN },
    { password: TOKEN },
    { token: TOKEN, password: TOKEN },
    { deviceToken: TOKEN },
    { bootstrapToken: TOKEN },
  ];
  for (const auth of guesses) {
    const answer = await knock(gateway.url, () => ({ auth }));
    match(wordOf(answer), /^AUTH_(TOKEN|DEVICE_TOKEN|BOOTSTRAP_TOKEN)_(MISMATCH|MISSING|INVALID)$/);
  }
  const { host } = new URL(gateway.url);
  for (const bearer of [TOKEN, fresh]) {
    for (const path of ["/tools/invoke", "/v1/chat/completions", "/hooks/wake", "/api/channels"]) {
      const headers = [["Host", host], ["Authorization", `Bearer ${bearer}`]] as const;
      const { status } = await exchange(
        gateway,
        requestHead("POST", path, [...headers, ["Content-Length", "0"]]),
      );
      strictEqual(status, 404, "the secret opens no HTTP route at all");
    }
  }
  // Its own devices are told apart by their tokens, which were not changed.
  await using back = await connectTo(gateway.url, { identity, auth: { deviceToken } });
  strictEqual(back.client.hello.auth?.method, "device-token");
  deepStrictEqual((await again.request("config.get", {})).hash, before.hash);
  const actions = besieged.entries().map(({ action }) => action);
  ok(actions.includes("gateway.auth.changed"), actions.join());
  ok(besieged.entries().some(({ reason }) => reason === "AUTH_TOKEN_MISMATCH"));
  const log = await Deno.readTextFile(`${gateway.stateDir}/logs/audit.jsonl`);
  ok(!log.includes(TOKEN) && !log.includes(fresh) && !log.includes(deviceToken));
});

// ── codes ─────────────────────────────────────────────────────────────────────────────────────

Deno.test("a setup code that was used, or is shown for more than it gives, changes nothing", async () => {
  await using besieged = await besiege({ config: FAR });
  const { gateway, owner } = besieged;
  const { setupCode } = await owner.request("device.pair.setupCode", {
    publicUrl: gateway.url,
    bootstrapProfile: "limited",
    includeQr: false,
  });
  const { bootstrapToken } = JSON.parse(atob(setupCode.replaceAll("-", "+").replaceAll("_", "/")));
  const show = (key: DeviceKey, scopes: readonly string[]) =>
    knock(gateway.url, async (nonce) => ({
      scopes,
      auth: { bootstrapToken },
      device: await proofBy(key, { nonce, scopes, token: bootstrapToken }),
    }));
  const refused = { reason: "AUTH_BOOTSTRAP_TOKEN_INVALID" };
  await besieged.withstands(async () => {
    strictEqual(wordOf(await show(createDeviceKey(), ["operator.admin"])), refused.reason);
  }, ({ reason }) => reason === refused.reason);
  const first = createDeviceKey();
  const deviceToken = (await show(first, ["operator.read"])).payload?.auth?.deviceToken;
  {
    // Once it shows its own token, it has used the code up.
    await using device = await connectTo(gateway.url, {
      identity: first,
      scopes: ["operator.read"],
      auth: { deviceToken },
    });
    strictEqual(device.client.hello.auth?.method, "device-token");
  }
  await besieged.withstands(async () => {
    strictEqual(wordOf(await show(first, ["operator.read"])), refused.reason);
    const crowd = Array.from({ length: 50 }, () => show(createDeviceKey(), ["operator.read"]));
    const words = new Set((await Promise.all(crowd)).map(wordOf));
    for (const word of words) ok([refused.reason, "AUTH_RATE_LIMITED"].includes(word), word);
  }, ({ reason, who }) => reason === refused.reason && who?.remoteIp === "127.0.0.1");
  await using _owner = await gateway.connect();
});

/** A device that the owner approved, and its token. */
interface Enrolled {
  readonly key: DeviceKey;
  readonly token: string;
  /** By its token, with all that it has. */
  connect(): Promise<TestClient>;
}

async function enroll(
  { gateway, owner }: Besieged,
  scopes: readonly string[],
): Promise<Enrolled> {
  const key = createDeviceKey();
  const shown = { identity: key, scopes };
  await rejects(
    connectTo(gateway.url, shown),
    ({ reason }: GatewayRefusal) => reason === "PAIRING_REQUIRED",
  );
  const { pending } = await owner.request("device.pair.list", {});
  const request = pending.find(({ deviceId }) => deviceId === key.deviceId);
  await owner.request("device.pair.approve", { requestId: request?.requestId ?? "" });
  await using device = await connectTo(gateway.url, shown);
  const token = device.client.hello.auth?.deviceToken ?? "";
  return {
    key,
    token,
    connect: () => connectTo(gateway.url, { ...shown, auth: { deviceToken: token } }),
  };
}
