/** A phone's life with the gateway: let in, coming back, getting more rights, losing them. */
import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { HelloAuth } from "../schemas/connect.ts";
import type { ParamsOf } from "../schemas/mod.ts";
import { type ClientOptions, type Close, GatewayRefusal } from "../src/client/client.ts";
import { createDeviceKey, type DeviceKey } from "../src/client/identity.ts";
import { startGateway, type TestClient, type TestGateway, TOKEN } from "./gateway.ts";

/** As if every device came from afar: nobody's presence stands for an approval. */
const FAR = {
  gateway: { nodes: { pairing: { autoApproveLocal: false } } },
  agents: { defaults: { model: { primary: "demo/demo" } } },
};
const COMMANDS = ["camera.list", "location.get", "sms.send"];
const USE = ["operator.read", "operator.write"];
const MORE = [...USE, "operator.approvals"];

Deno.test("a phone scans a code, comes in as both that it is, and never shows the code again", async () => {
  await using gateway = await startGateway({ config: FAR });
  await using owner = await gateway.connect();
  const code = await scan(owner, gateway, { bootstrapProfile: "limited" });
  const phone = new Phone(gateway, 4);
  await using node = await phone.node({ bootstrapToken: code.bootstrapToken });
  const auth = authOf(node);
  deepStrictEqual([auth.method, auth.role, auth.scopes], ["bootstrap-token", "node", []]);
  const [operator] = auth.deviceTokens ?? [];
  deepStrictEqual([operator?.role, operator?.scopes.includes("operator.write")], [
    "operator",
    true,
  ]);

  const done = await owner.event(({ event }) => event === "device.pair.setup.completed");
  const { setupId, deviceId, deviceName, access } = done.payload as Record<string, unknown>;
  deepStrictEqual([setupId, deviceId, deviceName, access], [
    code.setupId,
    phone.key.deviceId,
    "Anna's phone",
    "limited",
  ]);
  const { nodes } = await owner.request("node.list", {});
  deepStrictEqual([nodes[0]?.approvalState, nodes[0]?.commands], [
    "approved",
    ["camera.list", "location.get"], // sending messages is the owner's to allow
  ]);
  const { paired } = await owner.request("device.pair.list", {});
  deepStrictEqual([paired[0]?.approvedVia, paired[0]?.roles], ["bootstrap", ["node", "operator"]]);

  await using app = await phone.operator({ deviceToken: operator?.deviceToken }, USE);
  strictEqual(authOf(app).method, "device-token");
  await say(app, "hello", "run-1");
  await using back = await phone.node({ deviceToken: auth.deviceToken });
  strictEqual(authOf(back).deviceToken, auth.deviceToken);

  for (const again of [phone, new Phone(gateway, 4)]) {
    await refused(again.node({ bootstrapToken: code.bootstrapToken }), {
      reason: "AUTH_BOOTSTRAP_TOKEN_INVALID",
      message: /setup code invalid, expired or used/,
    });
  }
});

Deno.test("a phone that never got its answer shows its code again", async () => {
  await using gateway = await startGateway({ config: FAR });
  await using owner = await gateway.connect();
  const { bootstrapToken } = await scan(owner, gateway, {});
  const phone = new Phone(gateway, 4);
  const lost = await during(phone.node({ bootstrapToken }), authOf);
  const auth = await during(phone.node({ bootstrapToken }), authOf);
  deepStrictEqual([auth.deviceToken, auth.deviceTokens], [lost.deviceToken, lost.deviceTokens]);
  await owner.request("device.pair.remove", { deviceId: phone.key.deviceId });
  await rejects(phone.node({ bootstrapToken }), /pairing required/);
});

Deno.test("fifty devices show one code at once, and one is in", async () => {
  await using gateway = await startGateway({ config: FAR });
  await using owner = await gateway.connect();
  const { bootstrapToken } = await scan(owner, gateway, {});
  const phones = Array.from({ length: 50 }, () => new Phone(gateway, 4));
  const attempts = await Promise.allSettled(
    phones.map((phone) => phone.operator({ bootstrapToken }, USE)),
  );
  const inside = attempts.filter((attempt) => attempt.status === "fulfilled");
  for (const { value } of inside) await value[Symbol.asyncDispose]();
  strictEqual(inside.length, 1);
  const { paired } = await owner.request("device.pair.list", {});
  deepStrictEqual(paired.map(({ approvedVia }) => approvedVia), ["bootstrap"]);
});

Deno.test("a code outlives a restart, and a used one stays used", async () => {
  const first = await startGateway({ config: FAR });
  const codes = [];
  {
    await using owner = await first.connect();
    codes.push(await scan(owner, first, {}), await scan(owner, first, {}));
    await using _in = await new Phone(first, 4).node({ bootstrapToken: codes[0]?.bootstrapToken });
  }
  await using second = await first.restart();
  await using _in = await new Phone(second, 4).node({ bootstrapToken: codes[1]?.bootstrapToken });
  await refused(new Phone(second, 4).node({ bootstrapToken: codes[0]?.bootstrapToken }), {
    reason: "AUTH_BOOTSTRAP_TOKEN_INVALID",
  });
});

Deno.test("a code gives what it was made for, and a device that wants more does not use it up", async () => {
  await using gateway = await startGateway({ config: FAR });
  await using owner = await gateway.connect();
  const { bootstrapToken } = await scan(owner, gateway, { bootstrapProfile: "limited" });
  const phone = new Phone(gateway, 4);
  for (const scopes of [["operator.admin"], ["operator.read", "operator.pairing"]]) {
    await refused(phone.operator({ bootstrapToken }, scopes), {
      reason: "AUTH_BOOTSTRAP_TOKEN_INVALID",
    });
  }
  await using app = await phone.operator({ bootstrapToken }, USE);
  await rejects(app.request("device.pair.list", {}), /missing scope: operator\.pairing/);
});

Deno.test("wrong codes lock out wrong codes only", async () => {
  await using gateway = await startGateway({ config: FAR });
  await using owner = await gateway.connect();
  const { bootstrapToken } = await scan(owner, gateway, {});
  const thief = new Phone(gateway, 4);
  const reasons = [];
  for (let i = 0; i < 12; i++) {
    const wrong = await refused(thief.operator({ bootstrapToken: `wrong ${i}` }, USE), {});
    reasons.push(wrong.reason);
  }
  deepStrictEqual(reasons.slice(0, 10), Array(10).fill("AUTH_BOOTSTRAP_TOKEN_INVALID"));
  deepStrictEqual(reasons.slice(10), ["AUTH_RATE_LIMITED", "AUTH_RATE_LIMITED"]);
  await using _owner = await gateway.connect();
  await using _phone = await new Phone(gateway, 4).operator({ bootstrapToken }, USE);
});

Deno.test("a wrong code beside the right secret is no way to keep the owner out, nor a right one to get more", async () => {
  await using gateway = await startGateway();
  await using owner = await gateway.connect();
  await using _in = await new Phone(gateway, 4).operator(
    { token: TOKEN, bootstrapToken: "stale" },
    USE,
  );
  const { bootstrapToken } = await scan(owner, gateway, {});
  await using app = await new Phone(gateway, 4).operator({ token: TOKEN, bootstrapToken }, USE);
  strictEqual(authOf(app).method, "bootstrap-token");
});

for (const protocol of [3, 4] as const) {
  Deno.test(`a protocol-${protocol} phone is approved, comes back by its token, gets more, and is revoked`, async () => {
    await using gateway = await startGateway({ config: FAR });
    await using owner = await gateway.connect();
    const phone = new Phone(gateway, protocol);

    const unknown = await refused(phone.operator({ token: TOKEN }, USE), {
      code: "NOT_PAIRED",
      reason: "PAIRING_REQUIRED",
      message: /pairing required/,
    });
    const asked = await owner.event(({ event }) => event === "device.pair.requested");
    const { requestId } = asked.payload as { requestId: string };
    strictEqual(requestIdOf(unknown), requestId);
    await owner.request("device.pair.approve", { requestId });

    const token = await during(phone.operator({ token: TOKEN }, USE), (app) => {
      const { deviceToken, scopes } = authOf(app);
      deepStrictEqual(scopes, USE);
      return deviceToken;
    });
    // As the clients of each version show the token that they kept.
    const own = protocol === 3 ? { token, deviceToken: token } : { deviceToken: token };
    await during(phone.operator(own, USE), (app) => strictEqual(authOf(app).deviceToken, token));

    const more = await refused(phone.operator(own, MORE), { reason: "PAIRING_REQUIRED" });
    strictEqual((more.details as { reason: string }).reason, "scope-upgrade");
    await during(phone.operator(own, USE), () => {}); // meanwhile it works as before
    const { device } = await owner.request("device.pair.approve", {
      requestId: requestIdOf(more),
    });
    deepStrictEqual(device.scopes?.toSorted(), MORE.toSorted());

    const closed = Promise.withResolvers<Close>();
    await using app = await phone.operator(own, MORE, { onClose: closed.resolve });
    strictEqual(authOf(app).deviceToken, token);
    const deviceId = phone.key.deviceId;
    const answer = await owner.request("device.token.revoke", { deviceId, role: "operator" });
    strictEqual(answer.deviceId, deviceId);
    deepStrictEqual(await closed.promise, {
      code: 4001,
      reason: "client invalidated: device token revoked",
    });
    await refused(phone.operator(own, USE), {
      reason: "AUTH_DEVICE_TOKEN_MISMATCH",
      message: /device token mismatch/,
    });
    // Not even the gateway's own secret brings it back by itself.
    await refused(phone.operator({ token: TOKEN }, USE), { reason: "PAIRING_REQUIRED" });
  });
}

Deno.test("a connected phone asks for more, and waits for the answer on the same line", async () => {
  await using gateway = await startGateway({ config: FAR });
  await using owner = await gateway.connect();
  const phone = new Phone(gateway, 4);
  const { bootstrapToken } = await scan(owner, gateway, { bootstrapProfile: "voice-node" });
  await using app = await phone.operator({ bootstrapToken }, ["operator.read"]);
  const { deviceToken } = authOf(app);
  const { requestId } = await app.request("device.scopes.requestUpgrade", { scopes: USE });
  const waiting = app.request("device.scopes.waitUpgrade", { requestId });
  await owner.request("device.pair.approve", { requestId });
  const { status, deviceToken: after } = await waiting;
  deepStrictEqual([status, after], ["approved", deviceToken]);
  // What was decided for this connection stays so; the next one gets what was approved since.
  await rejects(say(app, "hello", "run-1"), /missing scope: operator\.write/);
  await using again = await phone.operator({ deviceToken }, USE);
  await say(again, "hello", "run-2");
});

Deno.test("a device that rotates its token gets the new one, and then its line is cut", async () => {
  await using gateway = await startGateway({ config: FAR });
  await using owner = await gateway.connect();
  const phone = new Phone(gateway, 4);
  const { bootstrapToken } = await scan(owner, gateway, {});
  const scopes = ["operator.pairing"];
  const first = await during(phone.operator({ bootstrapToken }, ["operator.admin"]), authOf);
  const closed = Promise.withResolvers<Close>();
  await using app = await phone.operator({ deviceToken: first.deviceToken }, [
    "operator.admin",
  ], { onClose: closed.resolve });
  const params = { deviceId: phone.key.deviceId, role: "operator" };
  const { token, tokenDelivery } = await app.request("device.token.rotate", params);
  strictEqual(tokenDelivery, "in-band");
  strictEqual((await closed.promise).code, 4001);
  await refused(phone.operator({ deviceToken: first.deviceToken }, scopes), {
    reason: "AUTH_DEVICE_TOKEN_MISMATCH",
  });
  await during(phone.operator({ deviceToken: token }, scopes), () => {});
});

Deno.test("an app of the owner's machine whose system was updated is not kept out", async () => {
  await using gateway = await startGateway();
  const identity = createDeviceKey();
  const connect = (mode: "ui" | "cli", platform: string, auth = {}) =>
    gateway.connect({
      client: { id: "openclaw-macos", mode, version: "1", platform, deviceFamily: "Mac" },
      identity,
      scopes: USE,
      auth: { token: TOKEN, ...auth },
    });
  const { deviceToken } = await during(connect("ui", "macOS 26.0"), authOf);
  await during(
    connect("ui", "macOS 26.1"),
    (app) => strictEqual(authOf(app).deviceToken, deviceToken),
  );
  // Who shows only the device's own token might be a thief on another system.
  for (
    const attempt of [
      connect("cli", "macOS 26.2"),
      connect("ui", "Windows", { token: undefined, deviceToken }),
    ]
  ) {
    const { details } = await refused(attempt, { reason: "PAIRING_REQUIRED" });
    strictEqual((details as { reason: string }).reason, "metadata-upgrade");
  }
});

Deno.test("a phone that is removed is answered nothing more, and what it began is stopped", async () => {
  await using gateway = await startGateway({ config: FAR });
  await using owner = await gateway.connect();
  const phone = new Phone(gateway, 4);
  const { bootstrapToken } = await scan(owner, gateway, {});
  await using app = await phone.operator({ bootstrapToken }, USE);
  await app.request("chat.send", {
    sessionKey: "agent:main:main",
    message: "count to 500",
    idempotencyKey: "run-1",
  });
  await app.event(({ event, payload }) =>
    event === "chat" && (payload as { state: string }).state === "delta"
  );
  const waiting = rejects(
    app.request("agent.wait", { runId: "run-1", timeoutMs: 60_000 }),
    /device removed/,
  );
  await owner.request("device.pair.remove", { deviceId: phone.key.deviceId });
  await waiting;
  const heard = app.events.length;
  const end = await owner.event(({ event, payload }) =>
    event === "chat" && (payload as { state: string }).state === "aborted"
  );
  strictEqual((end.payload as { runId: string }).runId, "run-1");
  strictEqual(app.events.length, heard);
});

/** A phone app, with the key that it made when it was installed. */
class Phone {
  readonly key: DeviceKey = createDeviceKey();
  readonly #gateway: TestGateway;
  readonly #protocol: 3 | 4;

  constructor(gateway: TestGateway, protocol: 3 | 4) {
    this.#gateway = gateway;
    this.#protocol = protocol;
  }

  /** Connects as the app that a person holds. */
  operator(
    auth: ClientOptions["auth"],
    scopes: readonly string[],
    more: Partial<ClientOptions> = {},
  ): Promise<TestClient> {
    return this.#connect({ auth, scopes, ...more }, "ui");
  }

  /** Connects as the device that the gateway may use. */
  node(auth: ClientOptions["auth"]): Promise<TestClient> {
    const lent = { caps: ["camera", "location"], commands: COMMANDS };
    return this.#connect({ auth, role: "node", scopes: [], ...lent }, "node");
  }

  #connect(options: Partial<ClientOptions>, mode: "ui" | "node"): Promise<TestClient> {
    return this.#gateway.connect({
      client: {
        id: "openclaw-ios",
        displayName: "Anna's phone",
        mode,
        version: "1",
        platform: "iOS 26.1",
        // Clients of protocol 3 do not name it.
        ...(this.#protocol === 3 ? {} : { deviceFamily: "iPhone" }),
      },
      identity: this.key,
      protocol: { min: this.#protocol, max: this.#protocol },
      ...options,
    });
  }
}

Deno.test("a gateway that makes a code says by what it was started to let in", async () => {
  const flags = { auth: "password", password: "correct horse battery staple" } as const;
  await using gateway = await startGateway({ flags });
  await using owner = await gateway.connect({ auth: { password: flags.password } });
  const made = await owner.request("device.pair.setupCode", { publicUrl: gateway.url });
  strictEqual(made.auth, "password");
});

/** What a QR code says, as an app reads it. */
async function scan(
  owner: TestClient,
  gateway: TestGateway,
  params: ParamsOf<"device.pair.setupCode">,
) {
  const made = await owner.request("device.pair.setupCode", { publicUrl: gateway.url, ...params });
  match(made.qrDataUrl ?? "", /^data:image\/png;base64,iVBOR/);
  const code: { url: string; bootstrapToken: string } = JSON.parse(
    Buffer.from(made.setupCode, "base64url").toString(),
  );
  strictEqual(code.url, gateway.url);
  ok(!made.setupCode.includes(TOKEN));
  return { ...code, setupId: made.setupId };
}

function authOf({ client }: TestClient): HelloAuth {
  const { auth } = client.hello;
  ok(auth !== undefined, "hello-ok says nothing of rights");
  return auth;
}

/** The refusal, which must be as expected. */
async function refused(
  attempt: Promise<TestClient>,
  expected: { code?: string; reason?: string; message?: RegExp },
): Promise<GatewayRefusal> {
  try {
    await using _client = await attempt;
  } catch (error) {
    if (!(error instanceof GatewayRefusal)) throw error;
    if (expected.code !== undefined) strictEqual(error.code, expected.code);
    if (expected.reason !== undefined) strictEqual(error.reason, expected.reason);
    if (expected.message !== undefined) match(error.message, expected.message);
    return error;
  }
  throw new Error("It was let in");
}

function requestIdOf({ details }: GatewayRefusal): string {
  return (details as { requestId: string }).requestId;
}

/** Uses a connection, then ends it. */
async function during<T>(connecting: Promise<TestClient>, use: (client: TestClient) => T) {
  await using client = await connecting;
  return use(client);
}

async function say(client: TestClient, message: string, runId: string): Promise<void> {
  const params = { sessionKey: "agent:main:main", message, idempotencyKey: runId };
  deepStrictEqual(await client.request("chat.send", params), { runId, status: "started" });
  await client.event(({ event, payload }) =>
    event === "chat" && (payload as { state: string }).state === "final"
  );
}
