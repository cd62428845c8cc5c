import { deepStrictEqual, match, notStrictEqual, ok, strictEqual } from "node:assert/strict";
import { getPublicKey, sign } from "@noble/ed25519";
import { Buffer } from "node:buffer";
import type { ConnectParams } from "../../schemas/connect.ts";
import { startKernel, type TestKernel } from "../../tests/kernel.ts";
import { deviceIdOf, signaturePayload } from "../device.ts";
import { Attempts } from "../gateway/attempts.ts";
import type { AuthPolicy } from "../gateway/credentials.ts";
import { type Admitted, challenge, type Door, enter, Refusal, type Visitor } from "./handshake.ts";

const TOKEN = "0123456789abcdef0123456789abcdef";
const NONCE = "nonce-1";
const REMOTE = { local: false, remoteIp: "192.0.2.9" };

// ── who is let in ─────────────────────────────────────────────────────────────────────────────

Deno.test("a new device on this machine comes in, and gets a token for the next time", async () => {
  await using house = open();
  const phone = new Device();
  const { caller, hello } = house.enter(phone.proves(params({ scopes: ["operator.write"] })));
  deepStrictEqual([caller.deviceId, caller.method, caller.role, [...caller.scopes]], [
    phone.id,
    "token",
    "operator",
    ["operator.write"],
  ]);
  const deviceToken = hello.auth?.deviceToken ?? "";
  strictEqual(deviceToken.length, 43);
  const again = house.enter(phone.proves(params({ auth: { deviceToken } }), deviceToken));
  deepStrictEqual([again.caller.method, again.hello.auth?.deviceToken], [
    "device-token",
    deviceToken,
  ]);
});

Deno.test("a device token may come alone, in both fields, or beside a secret that is wrong", async () => {
  await using house = open();
  const phone = new Device();
  const stored = house.enter(phone.proves(params({}))).hello.auth?.deviceToken ?? "";
  for (
    const [auth, signed] of [
      [{ deviceToken: stored }, stored],
      [{ token: stored }, stored],
      [{ token: stored, deviceToken: stored }, stored],
      [{ token: "outdated", deviceToken: stored }, "outdated"],
    ] as const
  ) {
    const { caller } = house.enter(phone.proves(params({ auth }), signed), REMOTE);
    strictEqual(caller.method, "device-token");
  }
});

Deno.test("version 4 is told what it may do, version 3 only as a device", async () => {
  await using house = open();
  const scopes = ["operator.write", "operator.pairing"];
  const four = house.enter(params({ scopes }));
  deepStrictEqual(four.hello.auth, { method: "token", role: "operator", scopes });
  strictEqual(house.enter(params({ scopes, ...V3 })).hello.auth, undefined);

  const phone = new Device();
  const { deviceToken, issuedAtMs, ...auth } = house.enter(phone.proves(params({ scopes }))).hello
    .auth ?? {};
  deepStrictEqual(auth, { method: "token", role: "operator", scopes });
  deepStrictEqual([typeof deviceToken, typeof issuedAtMs], ["string", "number"]);
  deepStrictEqual(house.enter(phone.proves(params({ scopes, ...V3 }))).hello.auth, {
    deviceToken,
    role: "operator",
    scopes: scopes.toSorted(),
    issuedAtMs,
  });
});

Deno.test("hello-ok tells each version what that version knows", async () => {
  await using house = open();
  const { hello: four, wire } = house.enter(params({}));
  deepStrictEqual([wire.protocol, four.protocol, four.server], [4, 4, {
    version: "1.2.3",
    connId: "conn-of-visitor",
    bootId: "boot-1",
  }]);
  ok(four.features.methods.includes("sessions.subscribe"));
  deepStrictEqual(four.policy.attachments, { maxBytes: 19_464_192, maxImageBytes: 5_000_000 });
  const { hello: three } = house.enter(params(V3));
  deepStrictEqual([three.protocol, three.server.bootId, three.policy], [3, undefined, {
    maxPayload: 26_214_400,
    maxBufferedBytes: 52_428_800,
    tickIntervalMs: 30_000,
  }]);
  ok(!three.features.methods.includes("sessions.subscribe"));
  deepStrictEqual(three.snapshot.sessionDefaults, {
    defaultAgentId: "main",
    mainKey: "main",
    mainSessionKey: "agent:main:main",
    scope: "per-sender",
  });
});

Deno.test("where things are is told to an admin alone", async () => {
  await using house = open();
  const admin = house.enter(params({ scopes: ["operator.admin"] })).hello.snapshot;
  deepStrictEqual([admin.configPath, admin.stateDir, admin.authMode], [
    "/state/openclaw.json",
    "/state",
    "token",
  ]);
  const reader = house.enter(params({ scopes: ["operator.read"] })).hello.snapshot;
  deepStrictEqual([reader.configPath, reader.stateDir, reader.authMode], [
    undefined,
    undefined,
    undefined,
  ]);
});

Deno.test("who is there, and how the gateway is, is told to those who may read it", async () => {
  await using house = open();
  const told = (scopes: string[]) => {
    const { presence, health } = house.enter(params({ scopes })).hello.snapshot;
    return [presence.length > 0, Object.keys(health as object).length > 0];
  };
  deepStrictEqual(told(["operator.read"]), [true, true]);
  deepStrictEqual(told(["operator.write"]), [true, true]);
  deepStrictEqual(told([]), [false, false]);
  deepStrictEqual(told(["operator.pairing"]), [false, false]);
});

Deno.test("without a device, a client acts from this machine only", async () => {
  await using house = open();
  const asked = params({ scopes: ["operator.admin"] });
  const scopes = (visitor: Partial<Visitor>) => [...house.enter(asked, visitor).caller.scopes];
  deepStrictEqual(scopes({}), ["operator.admin"]);
  deepStrictEqual(scopes({ origin: "http://localhost:1", sameOrigin: true }), ["operator.admin"]);
  deepStrictEqual(scopes({ origin: "http://localhost:2", sameOrigin: false }), []);
  deepStrictEqual(scopes(REMOTE), []);
  deepStrictEqual(house.enter(asked, REMOTE).hello.auth?.scopes, []);
});

Deno.test("a node is a device with a surface and no scopes", async () => {
  await using house = open();
  const node = new Device();
  const { caller, hello } = house.enter(node.proves(params({
    role: "node",
    scopes: ["operator.admin"],
    client: { ...CLIENT, id: "node-host", mode: "node" },
    caps: ["system"],
    commands: ["system.run"],
    permissions: { camera: true },
  })));
  deepStrictEqual([caller.role, [...caller.scopes]], ["node", []]);
  deepStrictEqual(hello.auth?.scopes, []);
  deepStrictEqual(caller.surface, {
    caps: ["system"],
    commands: ["system.run"],
    permissions: { camera: true },
  });
});

Deno.test("where no secret is wanted none is asked for", async () => {
  await using house = open({ mode: "none" });
  strictEqual(house.enter(params({ auth: undefined })).caller.method, "none");
});

Deno.test("without a secret nobody comes in from elsewhere, nor through a proxy", async () => {
  await using house = open({ mode: "none" });
  const refusal = house.refuse(params({ auth: undefined }), REMOTE);
  strictEqual(detailCode(refusal), "AUTH_TOKEN_NOT_CONFIGURED");
});

// ── who is not ────────────────────────────────────────────────────────────────────────────────

Deno.test("params are checked first", async () => {
  await using house = open();
  for (const given of [undefined, null, [], {}, { ...params({}), extra: 1 }]) {
    const { error, close } = house.refuse(given);
    strictEqual(error.code, "INVALID_REQUEST");
    match(error.message, /^invalid connect params: /);
    deepStrictEqual(close, { code: 1008, reason: error.message });
  }
  const { nonce: _nonce, ...proof } = new Device().proves(params({})).device!;
  match(house.refuse({ ...params({}), device: proof }).error.message, /'nonce'/);
});

Deno.test("the version is the newest that both speak", async () => {
  await using house = open();
  const negotiated = (minProtocol: number, maxProtocol: number) =>
    house.enter(params({ minProtocol, maxProtocol })).wire.protocol;
  strictEqual(negotiated(3, 3), 3);
  strictEqual(negotiated(4, 4), 4);
  strictEqual(negotiated(3, 4), 4);
  strictEqual(negotiated(1, 9), 4);
  for (const [min, max, expected] of [[5, 5, 4], [1, 2, 3], [4, 3, 4]] as const) {
    const { error, close } = house.refuse(params({ minProtocol: min, maxProtocol: max }));
    deepStrictEqual(error, {
      code: "INVALID_REQUEST",
      message: "protocol mismatch",
      details: {
        code: "PROTOCOL_MISMATCH",
        clientMinProtocol: min,
        clientMaxProtocol: max,
        expectedProtocol: expected,
        minimumProbeProtocol: 3,
      },
    });
    deepStrictEqual(close, { code: 1002, reason: "protocol mismatch" });
  }
});

Deno.test("there are two roles", async () => {
  await using house = open();
  const { error, close } = house.refuse(params({ role: "worker" }));
  deepStrictEqual([error.message, close], ["invalid role", { code: 1008, reason: "invalid role" }]);
});

Deno.test("a page that hides its origin is no page of ours", async () => {
  await using house = open();
  for (
    const client of [
      { ...CLIENT, id: "openclaw-control-ui", mode: "ui" },
      { ...CLIENT, id: "webchat-ui", mode: "ui" },
      { ...CLIENT, id: "test", mode: "webchat" },
    ] as const
  ) {
    const four = house.refuse(params({ client })).error;
    match(four.message, /^origin not allowed \(/);
    deepStrictEqual(four.details, {
      code: "CONTROL_UI_ORIGIN_NOT_ALLOWED",
      reason: "origin missing or invalid",
    });
    const three = house.refuse(params({ client, ...V3 })).error;
    deepStrictEqual([three.message, three.details], [four.message, undefined]);
    const page = new Device().proves(params({ client }));
    house.enter(page, { origin: "http://localhost", sameOrigin: true });
  }
});

Deno.test("screens that people leave open must be devices", async () => {
  await using house = open();
  const ui = params({ client: { ...CLIENT, id: "openclaw-control-ui", mode: "webchat" } });
  const page = { origin: "http://localhost", sameOrigin: true };
  strictEqual(detailCode(house.refuse(ui, page)), "CONTROL_UI_DEVICE_IDENTITY_REQUIRED");
  const tui = { client: { ...CLIENT, id: "openclaw-tui", mode: "ui" } } as const;
  strictEqual(detailCode(house.refuse(params(tui))), "CONTROL_UI_DEVICE_IDENTITY_REQUIRED");
  house.enter(params({ ...tui, ...V3 }));
});

Deno.test("a node must be a device", async () => {
  await using house = open();
  const { error, close } = house.refuse(params({ role: "node", auth: { token: "wrong" } }));
  deepStrictEqual(error, {
    code: "NOT_PAIRED",
    message: "device identity required",
    details: { code: "DEVICE_IDENTITY_REQUIRED" },
  });
  deepStrictEqual(close, { code: 1008, reason: "device identity required" });
});

Deno.test("a wrong credential is refused in the words that clients know", async () => {
  const password = { mode: "password", secret: "open sesame" } as const;
  const table: readonly [AuthPolicy | undefined, ConnectParams["auth"], string, string, RegExp][] =
    [
      [
        undefined,
        undefined,
        "TOKEN_MISSING",
        "update_auth_configuration",
        /gateway token missing \(/,
      ],
      [
        undefined,
        { token: "no" },
        "TOKEN_MISMATCH",
        "update_auth_credentials",
        /gateway token mismatch \(/,
      ],
      [
        password,
        {},
        "PASSWORD_MISSING",
        "update_auth_configuration",
        /gateway password missing \(/,
      ],
      [
        password,
        { password: "no" },
        "PASSWORD_MISMATCH",
        "update_auth_credentials",
        /gateway password mismatch \(/,
      ],
      [
        undefined,
        { deviceToken: "no" },
        "DEVICE_TOKEN_MISMATCH",
        "update_auth_credentials",
        /device token mismatch \(/,
      ],
    ];
  for (const [policy, auth, name, recommendedNextStep, words] of table) {
    await using house = open(policy);
    const { error, close } = house.refuse(params({ auth }));
    match(error.message, /^unauthorized: /);
    match(error.message, words);
    deepStrictEqual(close, { code: 1008, reason: error.message });
    const code = `AUTH_${name}`;
    const authReason = name.toLowerCase();
    deepStrictEqual(error.details, {
      code,
      authReason,
      canRetryWithDeviceToken: false,
      recommendedNextStep,
    });
    const three = house.refuse(params({ auth, ...V3 })).error;
    deepStrictEqual(three.details, { code, authReason });
  }
});

Deno.test("only a wrong device token is told in the words that make clients delete theirs", async () => {
  await using house = open();
  const phone = new Device();
  house.enter(phone.proves(params({})));
  for (const auth of [{ token: "wrong" }, { token: "wrong", deviceToken: "stale" }, undefined]) {
    const { close } = house.refuse(phone.proves(params({ auth }), auth?.token ?? ""));
    ok(!close.reason.includes("device token mismatch"), close.reason);
  }
  for (const auth of [{ deviceToken: "stale" }, { token: "stale", deviceToken: "stale" }]) {
    const { close } = house.refuse(phone.proves(params({ auth }), "stale"));
    match(close.reason, /device token mismatch/);
  }
});

Deno.test("a known device with an outdated secret is told to try its own token", async () => {
  await using house = open();
  const phone = new Device();
  house.enter(phone.proves(params({})));
  const outdated = phone.proves(params({ auth: { token: "outdated" } }), "outdated");
  const { error } = house.refuse(outdated);
  deepStrictEqual(error.details, {
    code: "AUTH_TOKEN_MISMATCH",
    authReason: "token_mismatch",
    canRetryWithDeviceToken: true,
    recommendedNextStep: "retry_with_device_token",
  });
});

Deno.test("each fault of a device's proof has its words", async () => {
  await using house = open();
  const device = new Device();
  const table = [
    ["device identity mismatch", "DEVICE_ID_MISMATCH", "device-id-mismatch", {
      id: new Device(9).id,
    }],
    ["device signature expired", "SIGNATURE_EXPIRED", "device-signature-stale", { signedAt: 1 }],
    ["device nonce required", "NONCE_REQUIRED", "device-nonce-missing", { nonce: " " }],
    ["device nonce mismatch", "NONCE_MISMATCH", "device-nonce-mismatch", { nonce: "old" }],
    ["device signature invalid", "SIGNATURE_INVALID", "device-signature", { signature: "AAAA" }],
    ["device public key invalid", "PUBLIC_KEY_INVALID", "device-public-key", { publicKey: "AA" }],
  ] as const;
  for (const [message, code, reason, flaw] of table) {
    const proven = device.proves(params({}));
    const flawed = { ...proven, device: { ...proven.device!, ...flaw } };
    const { error, close } = house.refuse(flawed);
    deepStrictEqual([error.code, error.message, close], ["INVALID_REQUEST", message, {
      code: 1008,
      reason: message,
    }]);
    deepStrictEqual(error.details, { code: `DEVICE_AUTH_${code}`, reason });
    const three = house.refuse({ ...flawed, ...V3 }).error;
    deepStrictEqual(three.details, { code: "DEVICE_AUTH_INVALID", reason });
  }
});

Deno.test("a bad signature is told before a wrong secret, and that before a device that waits", async () => {
  await using house = open();
  const wrong = params({ auth: { token: "wrong" } });
  const unsigned = new Device().proves(wrong, "another token");
  strictEqual(detailCode(house.refuse(unsigned, REMOTE)), "DEVICE_AUTH_SIGNATURE_INVALID");
  const unpaired = new Device().proves(wrong, "wrong");
  strictEqual(detailCode(house.refuse(unpaired, REMOTE)), "AUTH_TOKEN_MISMATCH");
  deepStrictEqual(house.kernel.gateway.pairing.pending(), []);
});

Deno.test("a device from elsewhere waits for its owner", async () => {
  await using house = open();
  const phone = new Device();
  const asking = phone.proves(params({ scopes: ["operator.read"] }));
  const { error, close } = house.refuse(asking, REMOTE);
  const [request] = house.kernel.gateway.pairing.pending();
  const requestId = request?.requestId;
  const message = "pairing required: the device is not approved yet";
  deepStrictEqual(error, {
    code: "NOT_PAIRED",
    message,
    details: {
      code: "PAIRING_REQUIRED",
      requestId,
      reason: "not-paired",
      remediationHint: `Approve it on the gateway's machine: openclaw devices approve ${requestId}`,
      deviceId: phone.id,
      requestedRole: "operator",
      requestedScopes: ["operator.read"],
    },
  });
  deepStrictEqual(close, { code: 1008, reason: `${message} (requestId: ${requestId})` });
  const three = house.refuse(phone.proves(params({ scopes: ["operator.read"], ...V3 })), REMOTE);
  deepStrictEqual([three.error, three.close], [{
    code: "NOT_PAIRED",
    message: `pairing required (on the gateway's machine: openclaw devices approve ${requestId})`,
    details: { code: "PAIRING_REQUIRED", requestId, reason: "not-paired" },
  }, { code: 1008, reason: "pairing required" }]);
  house.kernel.gateway.pairing.approve(requestId ?? "");
  house.enter(asking, REMOTE);
});

Deno.test("what a device may not become by itself is refused with the reason", async () => {
  await using house = open();
  const device = new Device();
  house.enter(device.proves(params({ scopes: ["operator.read"] })));
  const table = [
    ["scope-upgrade", { scopes: ["operator.admin"] }, REMOTE],
    ["role-upgrade", { role: "node" }, {}],
    ["metadata-upgrade", { client: { ...CLIENT, platform: "darwin" } }, {}],
  ] as const;
  for (const [reason, change, visitor] of table) {
    const { details } = house.refuse(device.proves(params(change)), visitor).error as {
      details: Record<string, unknown>;
    };
    strictEqual(details.reason, reason);
    deepStrictEqual([details.approvedRoles, details.approvedScopes], [["operator"], [
      "operator.read",
    ]]);
  }
});

Deno.test("approval by presence needs a page of ours, and can be switched off", async () => {
  await using house = open();
  const foreign = { origin: "http://localhost:9", sameOrigin: false };
  strictEqual(
    detailCode(house.refuse(new Device(1).proves(params({})), foreign)),
    "PAIRING_REQUIRED",
  );
  house.enter(new Device(2).proves(params({})), { ...foreign, sameOrigin: true });
  house.kernel.config.edit(`{ gateway: { nodes: { pairing: { autoApproveLocal: false } } } }`);
  strictEqual(detailCode(house.refuse(new Device(3).proves(params({})))), "PAIRING_REQUIRED");
});

Deno.test("a device token gives no more than its own scopes, wherever it comes from", async () => {
  await using house = open();
  const phone = new Device();
  house.enter(phone.proves(params({ scopes: ["operator.admin"] })));
  const { token } = house.kernel.gateway.pairing.rotate(phone.id, "operator", ["operator.read"]);
  const auth = { deviceToken: token };
  const more = phone.proves(params({ auth, scopes: ["operator.write"] }), token);
  strictEqual(detailCode(house.refuse(more)), "PAIRING_REQUIRED");
  house.kernel.gateway.pairing.reject(house.kernel.gateway.pairing.pending()[0]?.requestId ?? "");
  const { caller } = house.enter(phone.proves(params({ auth, scopes: ["operator.read"] }), token));
  deepStrictEqual([...caller.scopes], ["operator.read"]);
});

Deno.test("a token that was rotated or revoked opens nothing", async () => {
  await using house = open();
  const phone = new Device();
  const { hello } = house.enter(phone.proves(params({})));
  const old = hello.auth?.deviceToken ?? "";
  const comes = () => house.refuse(phone.proves(params({ auth: { deviceToken: old } }), old));
  const { token } = house.kernel.gateway.pairing.rotate(phone.id, "operator");
  notStrictEqual(token, old);
  strictEqual(detailCode(comes()), "AUTH_DEVICE_TOKEN_MISMATCH");
  house.kernel.gateway.pairing.revoke(phone.id, "operator");
  strictEqual(detailCode(house.refuse(phone.proves(params({})))), "PAIRING_REQUIRED");
});

Deno.test("another device's token opens nothing", async () => {
  await using house = open();
  const token = house.enter(new Device(1).proves(params({}))).hello.auth?.deviceToken ?? "";
  const thief = new Device(2).proves(params({ auth: { deviceToken: token } }), token);
  strictEqual(detailCode(house.refuse(thief)), "AUTH_DEVICE_TOKEN_MISMATCH");
});

// ── guessing ──────────────────────────────────────────────────────────────────────────────────

Deno.test("who guesses is locked out, and the right password with them", async () => {
  await using house = open({ mode: "password", secret: "hunter2" });
  const guess = (password: string) => house.refuse(params({ auth: { password } }));
  for (let i = 0; i < 10; i++) {
    strictEqual(detailCode(guess(`guess ${i}`)), "AUTH_PASSWORD_MISMATCH");
  }
  const { error } = guess("hunter2");
  deepStrictEqual([error.retryable, error.retryAfterMs], [true, 300_000]);
  deepStrictEqual(error.details, {
    code: "AUTH_RATE_LIMITED",
    authReason: "rate_limited",
    canRetryWithDeviceToken: false,
    recommendedNextStep: "wait_then_retry",
  });
  const three = house.refuse(params({ auth: { password: "hunter2" }, ...V3 })).error;
  deepStrictEqual([three.retryable, three.retryAfterMs], [undefined, undefined]);
  house.enter(params({ auth: { password: "hunter2" } }), { remoteIp: "192.0.2.7" });
  house.clock.now += 300_000;
  house.enter(params({ auth: { password: "hunter2" } }));
});

Deno.test("a token that can't be guessed still opens while guesses are locked out", async () => {
  await using house = open();
  for (let i = 0; i < 10; i++) house.refuse(params({ auth: { token: `guess ${i}` } }));
  strictEqual(detailCode(house.refuse(params({ auth: { token: "guess" } }))), "AUTH_RATE_LIMITED");
  house.enter(params({}));
});

Deno.test("a device's own token opens while guesses of the secret are locked out", async () => {
  await using house = open({ mode: "password", secret: "hunter2" });
  const phone = new Device();
  const secret = { auth: { password: "hunter2" } };
  const stored = house.enter(phone.proves(params(secret), "")).hello.auth?.deviceToken ?? "";
  for (let i = 0; i < 10; i++) house.refuse(params({ auth: { password: "no" } }));
  house.enter(phone.proves(params({ auth: { deviceToken: stored } }), stored));
});

Deno.test("wrong device tokens lock out that device's tokens, and not the secret", async () => {
  await using house = open();
  const phone = new Device();
  const stored = house.enter(phone.proves(params({}))).hello.auth?.deviceToken ?? "";
  const tries = (deviceToken: string) =>
    house.refuse(phone.proves(params({ auth: { deviceToken } }), deviceToken));
  for (let i = 0; i < 10; i++) strictEqual(detailCode(tries("no")), "AUTH_DEVICE_TOKEN_MISMATCH");
  strictEqual(detailCode(tries(stored)), "AUTH_RATE_LIMITED");
  house.enter(phone.proves(params({})));
});

Deno.test("to show nothing is no guess", async () => {
  await using house = open({ mode: "password", secret: "hunter2" });
  for (let i = 0; i < 20; i++) house.refuse(params({ auth: undefined }));
  house.enter(params({ auth: { password: "hunter2" } }));
});

Deno.test("whoever shares an address shares its guesses, and nobody else's", async () => {
  await using house = open({ mode: "password", secret: "hunter2" });
  const from = (remoteIp: string, direct = true) => ({ local: false, remoteIp, direct });
  const right = params({ auth: { password: "hunter2" } });
  const guess = (visitor: Partial<Visitor>) => {
    for (let i = 0; i < 10; i++) house.refuse(params({ auth: { password: `no ${i}` } }), visitor);
  };
  guess(from("2001:db8::1"));
  strictEqual(detailCode(house.refuse(right, from("2001:db8::ffff:2"))), "AUTH_RATE_LIMITED");
  house.enter(right, from("2001:db8:0:1::1"));
  guess(from("::ffff:192.0.2.7"));
  strictEqual(detailCode(house.refuse(right, from("192.0.2.7"))), "AUTH_RATE_LIMITED");
  guess(from("127.0.0.1", false));
  strictEqual(detailCode(house.refuse(right, from("127.0.0.1", false))), "AUTH_RATE_LIMITED");
  house.enter(right); // those behind a proxy never lock out who sits here
  guess({ remoteIp: "127.7.7.7" });
  strictEqual(detailCode(house.refuse(right)), "AUTH_RATE_LIMITED");
});

Deno.test("a password that nobody finds opens while guesses are locked out", async () => {
  const password = "a sentence that only its owner would write";
  await using house = open({ mode: "password", secret: password });
  for (let i = 0; i < 20; i++) house.refuse(params({ auth: { password: `no ${i}` } }));
  house.enter(params({ auth: { password } }));
});

// ── whom others vouch for ─────────────────────────────────────────────────────────────────────

const PEOPLE: AuthPolicy = {
  mode: "trusted-proxy",
  userHeader: "x-user",
  requiredHeaders: [],
  allowUsers: [],
  secret: TOKEN,
};
const ADA = { ...REMOTE, direct: false, identity: { by: "proxy", user: "ada" } } as const;

Deno.test("a trusted proxy's user is an operator, who must still approve the device", async () => {
  await using house = open(PEOPLE);
  const phone = new Device();
  const asking = phone.proves(params({ auth: undefined, scopes: ["operator.read"] }), "");
  strictEqual(detailCode(house.refuse(asking, ADA)), "PAIRING_REQUIRED");
  house.kernel.gateway.pairing.approve(house.kernel.gateway.pairing.pending()[0]?.requestId ?? "");
  const { caller, hello } = house.enter(asking, ADA);
  deepStrictEqual([caller.method, caller.user, caller.role, caller.local, [...caller.scopes]], [
    "trusted-proxy",
    "ada",
    "operator",
    false,
    ["operator.read"],
  ]);
  strictEqual(hello.auth?.method, "trusted-proxy");
  const more = phone.proves(params({ auth: undefined, scopes: ["operator.admin"] }), "");
  strictEqual(detailCode(house.refuse(more, ADA)), "PAIRING_REQUIRED");
});

Deno.test("a trusted proxy's user without a device may look at nothing", async () => {
  await using house = open(PEOPLE);
  const ui = { ...CLIENT, id: "openclaw-control-ui", mode: "webchat" } as const;
  for (const [client, version] of [[CLIENT, {}], [ui, {}], [ui, V3]] as const) {
    const given = params({ client, auth: undefined, scopes: ["operator.admin"], ...version });
    const page = { origin: "https://chat.example.com", sameOrigin: true };
    deepStrictEqual([...house.enter(given, { ...ADA, ...page }).caller.scopes], []);
  }
});

Deno.test("a trusted proxy brings no nodes, and nobody by the secret", async () => {
  await using house = open(PEOPLE);
  const node = new Device().proves(params({ role: "node", auth: undefined }), "");
  strictEqual(authReason(house.refuse(node, ADA)), "trusted_proxy_role_not_allowed");
  const { identity: _, ...far } = ADA;
  for (const visitor of [far, REMOTE]) {
    const refused = house.refuse(params({}), visitor);
    deepStrictEqual([detailCode(refused), authReason(refused)], [
      "AUTH_UNAUTHORIZED",
      "trusted_proxy_untrusted_source",
    ]);
  }
  strictEqual(house.enter(params({})).caller.method, "token"); // at the console it is good
  strictEqual(detailCode(house.refuse(params({ auth: undefined }))), "AUTH_TOKEN_MISSING");
});

Deno.test("why a proxy's word does not count is told in each version's words", async () => {
  await using house = open(PEOPLE);
  const table = [
    ["trusted_proxy_user_missing", "AUTH_UNAUTHORIZED", "AUTH_UNAUTHORIZED"],
    ["trusted_proxy_user_not_allowed", "AUTH_UNAUTHORIZED", "AUTH_UNAUTHORIZED"],
    ["trusted_proxy_missing_header_x-team", "AUTH_IDENTITY_HEADER_REQUIRED", "AUTH_UNAUTHORIZED"],
  ] as const;
  for (const [reason, four, three] of table) {
    const visitor = { ...ADA, identity: { by: "nobody", reason } } as const;
    const { error, close } = house.refuse(params({ auth: undefined }), visitor);
    match(error.message, /^unauthorized: .*gateway\.auth\.trustedProxy/);
    strictEqual(close.reason, error.message);
    deepStrictEqual(error.details, {
      code: four,
      authReason: reason,
      canRetryWithDeviceToken: false,
      recommendedNextStep: "review_auth_configuration",
    });
    const old = house.refuse(params({ auth: undefined, ...V3 }), visitor).error;
    deepStrictEqual(old.details, { code: three, authReason: reason });
  }
});

Deno.test("a device's own token is good beside a proxy that says nothing", async () => {
  await using house = open(PEOPLE);
  const phone = new Device();
  const deviceToken = house.enter(phone.proves(params({}))).hello.auth?.deviceToken ?? "";
  const again = phone.proves(params({ auth: { deviceToken } }), deviceToken);
  strictEqual(house.enter(again, REMOTE).caller.method, "device-token");
});

const TAILNET: AuthPolicy = { mode: "token", secret: TOKEN, tailscale: true };
const SERVED = {
  ...REMOTE,
  direct: false,
  identity: { by: "tailscale", login: "Ada@example.com", address: "100.64.0.7" },
} as const;

Deno.test("whom the tailnet's daemon confirms comes in, and needs approval like anybody", async () => {
  await using house = open(TAILNET);
  const known = { ...SERVED, tailnetLogin: "ada@EXAMPLE.com" };
  const asking = new Device().proves(params({ auth: undefined, scopes: ["operator.read"] }), "");
  strictEqual(detailCode(house.refuse(asking, known)), "PAIRING_REQUIRED");
  house.kernel.gateway.pairing.approve(house.kernel.gateway.pairing.pending()[0]?.requestId ?? "");
  const { caller } = house.enter(asking, known);
  deepStrictEqual([caller.method, caller.user], ["tailscale", "Ada@example.com"]);
  const { caller: nobody } = house.enter(
    params({ auth: undefined, scopes: ["operator.admin"] }),
    known,
  );
  deepStrictEqual([...nobody.scopes], []);
});

Deno.test("whom it does not confirm is told why, unless they show a wrong secret", async () => {
  await using house = open(TAILNET);
  const nobody = (reason: "tailscale_user_missing" | "tailscale_proxy_missing") =>
    ({ ...SERVED, identity: { by: "nobody", reason } }) as const;
  const table = [
    [SERVED, "WHOIS_FAILED", "tailscale_whois_failed"],
    [
      { ...SERVED, tailnetLogin: "eve@example.com" },
      "IDENTITY_MISMATCH",
      "tailscale_user_mismatch",
    ],
    [nobody("tailscale_user_missing"), "IDENTITY_MISSING", "tailscale_user_missing"],
    [nobody("tailscale_proxy_missing"), "PROXY_MISSING", "tailscale_proxy_missing"],
  ] as const;
  for (const [visitor, code, reason] of table) {
    for (const version of [{}, V3]) {
      const refused = house.refuse(params({ auth: undefined, ...version }), visitor);
      match(refused.error.message, /^unauthorized: tailscale /);
      deepStrictEqual([detailCode(refused), authReason(refused)], [
        `AUTH_TAILSCALE_${code}`,
        reason,
      ]);
    }
    const wrong = house.refuse(params({ auth: { token: "wrong" } }), visitor);
    strictEqual(detailCode(wrong), "AUTH_TOKEN_MISMATCH");
    strictEqual(house.enter(params({}), visitor).caller.method, "token");
  }
});

Deno.test("the tailnet's word opens nothing where it was not asked for", async () => {
  await using house = open();
  const known = { ...SERVED, tailnetLogin: "Ada@example.com" };
  strictEqual(detailCode(house.refuse(params({ auth: undefined }), known)), "AUTH_TOKEN_MISSING");
});

Deno.test("the tailnet brings people, not nodes; without a secret it is the only way from afar", async () => {
  const known = { ...SERVED, tailnetLogin: "Ada@example.com" };
  await using house = open(TAILNET);
  const node = new Device().proves(params({ role: "node", auth: undefined }), "");
  strictEqual(detailCode(house.refuse(node, known)), "AUTH_TOKEN_MISSING");
  await using other = open({ mode: "none", tailscale: true });
  strictEqual(other.enter(params({ auth: undefined }), known).caller.method, "tailscale");
  strictEqual(
    detailCode(other.refuse(params({ auth: undefined }), REMOTE)),
    "AUTH_TOKEN_NOT_CONFIGURED",
  );
});

Deno.test("every challenge is another one", () => {
  const [first, second] = [challenge(), challenge()];
  notStrictEqual(first.nonce, second.nonce);
  ok(Number.isSafeInteger(first.ts));
});

const CLIENT = { id: "cli", mode: "cli", version: "1", platform: "linux" } as const;
const V3 = { minProtocol: 3, maxProtocol: 3 };

/** What a client says that does everything right. */
function params(change: Partial<ConnectParams>): ConnectParams {
  return {
    minProtocol: 4,
    maxProtocol: 4,
    client: CLIENT,
    auth: { token: TOKEN },
    ...change,
  };
}

/** A device with a key of its own. */
class Device {
  readonly #secret: Uint8Array;
  readonly #key: Uint8Array;

  constructor(seed = 1) {
    this.#secret = new Uint8Array(32).fill(seed);
    this.#key = getPublicKey(this.#secret);
  }

  get id(): string {
    return deviceIdOf(this.#key);
  }

  /** The same params with the device's proof over them; `token` is the one that it signs. */
  proves(params: ConnectParams, token = TOKEN): ConnectParams {
    const proof = { id: this.id, signedAt: Date.now(), nonce: NONCE };
    const { client, role = "operator", scopes = [] } = params;
    const text = signaturePayload("v3", proof, {
      clientId: client.id,
      clientMode: client.mode,
      role,
      scopes,
      token,
      platform: client.platform,
      deviceFamily: client.deviceFamily,
    });
    const signature = base64Url(sign(new TextEncoder().encode(text), this.#secret));
    return { ...params, device: { ...proof, publicKey: base64Url(this.#key), signature } };
  }
}

function base64Url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64url");
}

function detailCode({ error }: Refusal): unknown {
  return (error.details as Record<string, unknown> | undefined)?.code;
}

function authReason({ error }: Refusal): unknown {
  return (error.details as Record<string, unknown> | undefined)?.authReason;
}

interface House extends AsyncDisposable {
  readonly kernel: TestKernel;
  readonly clock: { now: number };
  enter(given: unknown, visitor?: Partial<Visitor>): Admitted;
  refuse(given: unknown, visitor?: Partial<Visitor>): Refusal;
}

/** A kernel with a door, and visitors from this machine unless they say otherwise. */
function open(auth: AuthPolicy = { mode: "token", secret: TOKEN }): House {
  const kernel = startKernel();
  const clock = { now: 1_000_000 };
  const door: Door = {
    gateway: kernel.gateway,
    auth: () => auth,
    attempts: new Attempts({}, { now: () => clock.now }),
    paths: { configPath: "/state/openclaw.json", stateDir: "/state" },
    bootId: "boot-1",
  };
  const visit = (given: unknown, visitor: Partial<Visitor> = {}) =>
    enter(given, {
      connId: "conn-of-visitor",
      nonce: NONCE,
      remoteIp: "127.0.0.1",
      local: true,
      direct: true,
      sameOrigin: false,
      ...visitor,
    }, door);
  return {
    kernel,
    clock,
    enter: visit,
    refuse(given, visitor) {
      try {
        visit(given, visitor);
      } catch (refusal) {
        if (refusal instanceof Refusal) return refusal;
        throw refusal;
      }
      throw new Error("nobody was refused");
    },
    [Symbol.asyncDispose]: () => kernel[Symbol.asyncDispose](),
  };
}
