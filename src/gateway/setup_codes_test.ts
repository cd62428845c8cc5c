import { deepStrictEqual, notStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { callerOf, RecordedLog, Recorder, startKernel } from "../../tests/kernel.ts";
import type { Store } from "../store.ts";
import { openStore } from "../store/sqlite.ts";
import { createBus } from "./bus.ts";
import { Nodes } from "./nodes.ts";
import { Pairing } from "./pairing.ts";
import {
  type BootstrapProfile,
  type Newcomer,
  SETUP_CODE_TTL_MS,
  SetupCodes,
} from "./setup_codes.ts";

Deno.test("a setup code pairs one device, with what it was made for and no more", () => {
  const limited = [
    "operator.approvals",
    "operator.questions",
    "operator.read",
    "operator.talk.secrets",
    "operator.write",
  ];
  const table: readonly [BootstrapProfile, string, readonly string[], readonly string[]][] = [
    ["full", "full", ["node", "operator"], ["operator.admin", ...limited]],
    ["limited", "limited", ["node", "operator"], limited],
    ["node", "node", ["node"], []],
    ["voice-node", "limited", ["node", "operator"], ["operator.read", "operator.talk"]],
  ];
  for (const [profile, access, roles, scopes] of table) {
    using house = open();
    const code = house.codes.issue(profile);
    strictEqual(code.access, access);
    strictEqual(house.codes.completion(code.setupId), undefined);
    ok(house.redeem(code.token));
    const device = house.pairing.get("d1");
    deepStrictEqual([device?.approvedVia, device?.roles, device?.scopes], [
      "bootstrap",
      roles,
      scopes,
    ]);
    deepStrictEqual(
      house.pairing.tokensOf("d1").map(({ role, scopes }) => [role, scopes]),
      roles.map((role) => [role, role === "node" ? [] : scopes.toSorted()]),
    );
    const completion = {
      setupId: code.setupId,
      deviceId: "d1",
      deviceName: "Phone",
      access,
      ts: house.clock.now,
    };
    deepStrictEqual(house.codes.completion(code.setupId), completion);
    deepStrictEqual(house.events.of("device.pair.setup.completed"), [completion]);
    strictEqual(house.events.of("device.pair.resolved")[0]?.decision, "approved");
  }
});

Deno.test("a code that gives less than is asked for is refused, and stays good", () => {
  const asked: readonly [BootstrapProfile, Partial<Newcomer>][] = [
    ["limited", { role: "operator", scopes: ["operator.admin"] }],
    ["limited", { role: "operator", scopes: ["operator.pairing"] }],
    ["node", { role: "operator", scopes: [] }],
    ["voice-node", { role: "operator", scopes: ["operator.write"] }],
  ];
  for (const [profile, change] of asked) {
    using house = open();
    const { token } = house.codes.issue(profile);
    strictEqual(house.redeem(token, change), false);
    strictEqual(house.pairing.get("d1"), undefined);
    ok(house.redeem(token));
  }
});

Deno.test("a code works for one device, whoever comes next", () => {
  using house = open();
  const { token, setupId } = house.codes.issue("full");
  const winners = Array.from(
    { length: 50 },
    (_, i) => house.redeem(token, { deviceId: `d${i}`, publicKey: `k${i}` }),
  ).filter(Boolean);
  deepStrictEqual([winners.length, house.pairing.paired().length], [1, 1]);
  strictEqual(house.codes.completion(setupId)?.deviceId, "d0");
});

Deno.test("a device may show its code again until it uses what it was given", () => {
  using house = open();
  const { token } = house.codes.issue("full");
  ok(house.redeem(token));
  const before = house.pairing.tokensOf("d1");
  ok(house.redeem(token));
  deepStrictEqual(house.pairing.tokensOf("d1"), before);
  strictEqual(house.events.of("device.pair.setup.completed").length, 1);
  strictEqual(house.redeem(token, { deviceId: "d2", publicKey: "k2" }), false);
  house.codes.settle("d2");
  ok(house.redeem(token));
  house.codes.settle("d1");
  strictEqual(house.redeem(token), false);

  const other = house.codes.issue("full");
  ok(house.redeem(other.token));
  house.pairing.revoke("d1", "node");
  ok(house.redeem(other.token));
  ok(house.pairing.get("d1")?.tokens.node?.revokedAtMs !== undefined);
  house.clock.now += SETUP_CODE_TTL_MS;
  strictEqual(house.redeem(other.token), false);
});

Deno.test("a code is void after ten minutes, and no other text is one", () => {
  using house = open();
  const first = house.codes.issue("full");
  strictEqual(first.expiresAtMs, house.clock.now + SETUP_CODE_TTL_MS);
  for (const wrong of ["", "x", `${first.token}x`, first.token.slice(1), first.setupId]) {
    strictEqual(house.redeem(wrong), false);
  }
  house.clock.now += SETUP_CODE_TTL_MS;
  strictEqual(house.redeem(first.token), false);
  const second = house.codes.issue("full");
  notStrictEqual(second.token, first.token);
  house.clock.now += SETUP_CODE_TTL_MS - 1;
  ok(house.redeem(second.token));
});

Deno.test("a restart neither ends a code nor brings a used one back, and the store holds no token", () => {
  using store = openStore(":memory:");
  const tokens = { open: "", used: "" };
  {
    using house = open(store);
    tokens.open = house.codes.issue("node").token;
    tokens.used = house.codes.issue("node").token;
    ok(house.redeem(tokens.used));
  }
  const kept = JSON.stringify(store.values.get("setup_codes"));
  ok(kept.includes(createHash("sha256").update(tokens.open).digest("base64url")));
  for (const token of Object.values(tokens)) ok(!kept.includes(token));
  using house = open(store);
  strictEqual(house.redeem(tokens.used, { deviceId: "d2", publicKey: "k2" }), false);
  ok(house.redeem(tokens.open, { deviceId: "d2", publicKey: "k2" }));
});

Deno.test("what a device lends comes with a code for the owner's own device, and only then", () => {
  const surface = { caps: ["location"], commands: ["location.get", "camera.snap"] };
  for (const [profile, lends] of [["full", true], ["limited", true], ["node", false]] as const) {
    using house = open();
    ok(house.redeem(house.codes.issue(profile).token, { surface }));
    const approved = house.pairing.get("d1")?.node?.approved;
    deepStrictEqual(approved?.commands, lends ? ["location.get"] : undefined);
  }
  using house = open();
  const operator = { role: "operator", scopes: ["operator.read"], surface } as const;
  ok(house.redeem(house.codes.issue("full").token, operator));
  strictEqual(house.pairing.get("d1")?.node, undefined);
});

Deno.test("a device that is known gets what the code gives besides what it had, and keeps its token", () => {
  using house = open();
  ok(house.redeem(house.codes.issue("limited").token));
  const before = house.pairing.tokensOf("d1");
  house.pairing.rename("d1", "Anna's");
  house.pairing.revoke("d1", "node");
  ok(house.redeem(house.codes.issue("full").token, { platform: "ios 27" }));
  const after = house.pairing.get("d1");
  deepStrictEqual([after?.label, after?.platform, after?.scopes.includes("operator.admin")], [
    "Anna's",
    "ios 27",
    true,
  ]);
  const tokenOf = (role: string) => before.find((token) => token.role === role)?.token;
  strictEqual(after?.tokens.operator?.token, tokenOf("operator"));
  notStrictEqual(after?.tokens.node?.token, tokenOf("node"));
  strictEqual(after?.tokens.node?.revokedAtMs, undefined);
});

Deno.test("thirty-two codes can be open; the oldest makes room", () => {
  using house = open();
  const codes = Array.from({ length: 33 }, () => house.codes.issue("node"));
  strictEqual(house.redeem(codes[0]?.token ?? ""), false);
  ok(house.redeem(codes[1]?.token ?? ""));
});

Deno.test("device.pair.setupCode spells a code as released clients read it", async () => {
  await using kernel = startKernel({ urls: [{ url: "ws://192.168.1.5:1", source: "test" }] });
  const made = await kernel.call("device.pair.setupCode", { publicUrl: "https://gw.example/" });
  const { url, bootstrapToken, expiresAtMs, ...rest } = read(made.setupCode);
  deepStrictEqual([url, expiresAtMs, rest], ["wss://gw.example", made.expiresAtMs, {}]);
  deepStrictEqual([made.gatewayUrl, made.urlSource, made.access, made.accessDowngraded], [
    "wss://gw.example",
    "request.publicUrl",
    "full",
    undefined,
  ]);
  strictEqual(made.qrDataUrl, `data:image/png;base64,${btoa(made.setupCode)}`);
  const bare = await kernel.call("device.pair.setupCode", { includeQr: false });
  deepStrictEqual([bare.qrDataUrl, bare.access, bare.accessDowngraded], [
    undefined,
    "limited",
    true,
  ]);
  deepStrictEqual(await kernel.call("device.pair.setupStatus", { setupId: made.setupId }), {});
  ok(kernel.gateway.setupCodes.redeem(bootstrapToken, NEWCOMER));
  const { completion } = await kernel.call("device.pair.setupStatus", { setupId: made.setupId });
  deepStrictEqual([completion?.deviceId, completion?.access], ["d1", "full"]);
  await rejects(kernel.call("device.pair.setupCode", { joinUrl: true }), /joinUrl/);
  const caller = callerOf({ scopes: ["operator.pairing", "operator.write"] });
  await rejects(kernel.call("device.pair.setupCode", {}, { caller }), /missing scope: .*admin/);
});

Deno.test("a code names every address, the best one first", async () => {
  const urls = [{ url: "wss://10.0.0.1:1", source: "a" }, { url: "wss://10.0.0.2:1", source: "a" }];
  await using kernel = startKernel({ urls });
  const made = await kernel.call("device.pair.setupCode", { bootstrapProfile: "node" });
  const { url, urls: all } = read(made.setupCode);
  deepStrictEqual([url, all, made.gatewayUrls], [
    "wss://10.0.0.1:1",
    ["wss://10.0.0.1:1", "wss://10.0.0.2:1"],
    ["wss://10.0.0.1:1", "wss://10.0.0.2:1"],
  ]);
});

const NEWCOMER: Newcomer = {
  deviceId: "d1",
  publicKey: "k1",
  role: "node",
  scopes: [],
  displayName: "Phone",
  platform: "ios",
  surface: { caps: [], commands: [] },
};

function read(setupCode: string) {
  return JSON.parse(Buffer.from(setupCode, "base64url").toString());
}

/** Codes on a store of their own, with a clock that stands still. */
function open(kept?: Store) {
  const store = kept ?? openStore(":memory:");
  const log = new RecordedLog();
  const bus = createBus(log);
  const clock = { now: 1_000_000 };
  const now = () => clock.now;
  const pairing = new Pairing(store.devices, { bus, log, invalidated() {}, now });
  const nodes = new Nodes(pairing, { bus, policy: () => ({ allow: [], deny: [] }), now });
  const codes = new SetupCodes(store.values, { pairing, nodes, bus, log, now });
  return {
    codes,
    pairing,
    clock,
    events: new Recorder(bus),
    redeem: (token: string, change: Partial<Newcomer> = {}) =>
      codes.redeem(token, { ...NEWCOMER, ...change }),
    [Symbol.dispose]: () => kept === undefined && store[Symbol.dispose](),
  };
}
