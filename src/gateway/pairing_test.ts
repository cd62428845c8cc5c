import { deepStrictEqual, notStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { RecordedLog, Recorder } from "../../tests/kernel.ts";
import { PAIRING_TTL_MS } from "../device.ts";
import { openStore } from "../store/sqlite.ts";
import { createBus } from "./bus.ts";
import { type Arrival, Pairing, type PairingReason } from "./pairing.ts";

Deno.test("a new device from the owner's machine is approved at once, and only that is told", () => {
  using house = open();
  const { device } = house.letIn({ silent: true });
  deepStrictEqual([device.approvedVia, device.roles, device.scopes], [
    "silent",
    ["operator"],
    ["operator.read"],
  ]);
  deepStrictEqual(house.pairing.pending(), []);
  deepStrictEqual(house.events.all.map(({ name }) => name), ["device.pair.resolved"]);
});

Deno.test("a new device from elsewhere waits for the owner", () => {
  using house = open();
  const { refused, request } = house.refuse();
  strictEqual(refused, "not-paired");
  deepStrictEqual([request.role, request.scopes, request.isRepair], [
    "operator",
    ["operator.read"],
    false,
  ]);
  strictEqual(house.events.of("device.pair.requested")[0]?.requestId, request.requestId);
  house.pairing.approve(request.requestId);
  strictEqual(house.events.of("device.pair.resolved")[0]?.decision, "approved");
  const { device } = house.letIn();
  strictEqual(device.approvedVia, "owner");
});

Deno.test("a device has one request, whatever and however often it asks", () => {
  using house = open();
  const first = house.refuse({ scopes: ["operator.write"], displayName: "Old" });
  house.clock.now += 10;
  const second = house.refuse({ scopes: ["operator.read"], displayName: "New" });
  strictEqual(second.request.requestId, first.request.requestId);
  deepStrictEqual(second.request.scopes, ["operator.write", "operator.read"]);
  strictEqual(second.request.displayName, "New");
  strictEqual(house.pairing.pending().length, 1);
  strictEqual(house.events.of("device.pair.requested").length, 1);
  house.clock.now += PAIRING_TTL_MS;
  strictEqual(house.pairing.pending().length, 1);
});

Deno.test("a request that grows is another one: nobody approves what they did not read", () => {
  for (const more of [{ scopes: ["operator.admin"] }, { role: "node", scopes: [] }] as const) {
    using house = open();
    const first = house.refuse({ scopes: ["operator.read"] });
    const second = house.refuse(more);
    notStrictEqual(second.request.requestId, first.request.requestId);
    deepStrictEqual(second.request.scopes, ["operator.read", ...more.scopes]);
    throws(() => house.pairing.approve(first.request.requestId), /unknown requestId/);
    deepStrictEqual(house.events.of("device.pair.resolved").map((event) => event.decision), [
      "rejected",
    ]);
    strictEqual(house.events.of("device.pair.requested").length, 2);
    strictEqual(house.pairing.pending().length, 1);
  }
});

Deno.test("an open request from elsewhere keeps the owner's machine from approving it by itself", () => {
  using house = open();
  house.refuse({ silent: false });
  const { request } = house.refuse({ silent: true });
  strictEqual(request.silent, false);
  house.clock.now += PAIRING_TTL_MS + 1;
  house.letIn({ silent: true });
});

Deno.test("a request that nobody answers is void after five minutes", () => {
  using house = open();
  const { request } = house.refuse();
  house.clock.now += PAIRING_TTL_MS;
  strictEqual(house.pairing.request(request.requestId).requestId, request.requestId);
  house.clock.now += 1;
  deepStrictEqual(house.pairing.pending(), []);
  throws(() => house.pairing.approve(request.requestId), /unknown requestId/);
  notStrictEqual(house.refuse().request.requestId, request.requestId);
});

Deno.test("a request that is rejected is gone, and told", () => {
  using house = open();
  const { request } = house.refuse();
  house.pairing.reject(request.requestId);
  strictEqual(house.events.of("device.pair.resolved")[0]?.decision, "rejected");
  throws(() => house.pairing.reject(request.requestId), /unknown requestId/);
  strictEqual(house.pairing.get("d1"), undefined);
});

Deno.test("what a device asks for beyond its approval must be approved", () => {
  const table: readonly [PairingReason, Partial<Arrival>, byItself: boolean][] = [
    ["scope-upgrade", { scopes: ["operator.admin"] }, true],
    ["role-upgrade", { role: "node", scopes: [] }, false],
    ["metadata-upgrade", { platform: "Windows" }, false],
    ["metadata-upgrade", { platform: undefined }, false],
    ["metadata-upgrade", { deviceFamily: "iPhone" }, false],
  ];
  for (const [reason, change, byItself] of table) {
    using house = open();
    house.letIn({ silent: true, platform: "Linux", deviceFamily: "Linux" });
    const claims = { platform: "Linux", deviceFamily: "Linux", ...change };
    if (byItself) house.letIn({ ...claims, silent: true });
    else {
      const { refused, request } = house.refuse({ ...claims, silent: true });
      deepStrictEqual([refused, request.silent, request.isRepair], [reason, false, true]);
      strictEqual(house.events.of("device.pair.requested").length, 1);
    }
    using strange = open();
    strange.letIn({ silent: true, platform: "Linux", deviceFamily: "Linux" });
    strictEqual(strange.refuse({ ...claims, silent: false }).refused, reason);
  }
});

Deno.test("an app of the owner's may describe itself anew, where the owner is", () => {
  using house = open();
  const first = house.letIn({ silent: true, platform: "macOS 26.0" });
  strictEqual(
    house.refuse({ platform: "macOS 26.1", redescribed: true }).refused,
    "metadata-upgrade",
  );
  using home = open();
  home.letIn({ silent: true, platform: "macOS 26.0" });
  const again = home.letIn({ silent: true, platform: "macOS 26.1", redescribed: true });
  deepStrictEqual([again.device.platform, again.device.scopes], [
    "macOS 26.1",
    first.device.scopes,
  ]);
});

Deno.test("a token that was made narrower stays so, whoever vouches for the device", () => {
  using house = open();
  house.letIn({ silent: true, scopes: ["operator.write"] });
  const narrow = house.pairing.rotate("d1", "operator", ["operator.read"]);
  const { token } = house.letIn({ scopes: ["operator.write"] });
  deepStrictEqual([token.token, token.scopes], [narrow.token, ["operator.read"]]);
});

Deno.test("what was approved for a role goes with its token, and does not come back with a new one", () => {
  using house = open();
  house.letIn({ silent: true, scopes: ["operator.admin"] });
  house.pairing.revoke("d1", "operator");
  deepStrictEqual(house.pairing.get("d1")?.scopes, []);
  house.pairing.approve(house.refuse({ scopes: ["operator.read"] }).request.requestId);
  strictEqual(house.refuse({ scopes: ["operator.admin"] }).refused, "scope-upgrade");
});

Deno.test("a request for two roles gives a node's token no scopes", () => {
  using house = open();
  house.refuse({ scopes: ["operator.read"] });
  const { request } = house.refuse({ role: "node", scopes: [] });
  const { tokens, roles, scopes } = house.pairing.approve(request.requestId);
  deepStrictEqual([roles, scopes, tokens.node?.scopes, tokens.operator], [
    ["operator", "node"],
    ["operator.read"],
    [],
    undefined,
  ]);
});

Deno.test("a new role can't be had by asking for more scopes along with it", () => {
  using house = open();
  house.letIn({ silent: true });
  house.refuse({ role: "node", scopes: [], silent: true });
  const { refused } = house.refuse({ scopes: ["operator.write"], silent: true });
  strictEqual(refused, "scope-upgrade");
  deepStrictEqual(house.pairing.get("d1")?.roles, ["operator"]);
});

Deno.test("platform and family are compared as people would, and unknown ones are filled in", () => {
  using house = open();
  house.letIn({ silent: true });
  house.letIn({ platform: " LINUX ", deviceFamily: "Linux" });
  const { device } = house.letIn({ platform: "linux" });
  deepStrictEqual([device.platform, device.deviceFamily], [" LINUX ", "Linux"]);
  strictEqual(house.refuse({ platform: "darwin" }).refused, "metadata-upgrade");
});

Deno.test("a version-3 client, which names no family, is the device that it was with one", () => {
  using house = open();
  house.letIn({ silent: true, platform: "linux", deviceFamily: "Linux" });
  house.letIn({ platform: "linux" });
});

Deno.test("another key under the same id is another device", () => {
  using house = open();
  house.letIn({ silent: true });
  strictEqual(house.refuse({ publicKey: "other" }).refused, "not-paired");
});

Deno.test("the same token is given as long as it covers what is asked", () => {
  using house = open();
  const first = house.letIn({ silent: true, scopes: ["operator.write", "operator.pairing"] });
  deepStrictEqual(first.token.scopes, ["operator.pairing", "operator.write"]);
  strictEqual(first.token.token.length, 43);
  house.clock.now += 10;
  const second = house.letIn({ scopes: ["operator.read"] });
  strictEqual(second.token.token, first.token.token);
  strictEqual(second.token.lastUsedAtMs, house.clock.now);
});

Deno.test("approving more does not lock out the device's other programs", () => {
  using house = open();
  const first = house.letIn({ silent: true, scopes: ["operator.read"] });
  house.pairing.rename("d1", "Desk");
  const second = house.letIn({ silent: true, scopes: ["operator.pairing"] });
  strictEqual(second.token.token, first.token.token);
  deepStrictEqual(second.token.scopes, ["operator.pairing", "operator.read"]);
  deepStrictEqual([second.device.label, second.device.createdAtMs], [
    "Desk",
    first.device.createdAtMs,
  ]);
});

Deno.test("a device has a token for each of its roles", () => {
  using house = open();
  const operator = house.letIn({ silent: true });
  house.pairing.approve(house.refuse({ role: "node", scopes: [] }).request.requestId);
  const node = house.letIn({ role: "node", scopes: [] });
  deepStrictEqual(node.device.roles, ["operator", "node"]);
  notStrictEqual(node.token.token, operator.token.token);
  ok(house.pairing.checkToken("d1", operator.token.token, "operator"));
  ok(house.pairing.checkToken("d1", node.token.token, "node"));
  ok(!house.pairing.checkToken("d1", operator.token.token, "node"));
  ok(!house.pairing.checkToken("d2", operator.token.token, "operator"));
});

Deno.test("a rotated token replaces the old one, with no more than was approved", () => {
  using house = open();
  const { token } = house.letIn({ silent: true, scopes: ["operator.write"] });
  house.clock.now += 10;
  const fresh = house.pairing.rotate("d1", "operator", ["operator.read"]);
  deepStrictEqual([fresh.scopes, fresh.createdAtMs, fresh.rotatedAtMs], [
    ["operator.read"],
    token.createdAtMs,
    house.clock.now,
  ]);
  ok(!house.pairing.checkToken("d1", token.token, "operator"));
  ok(house.pairing.checkToken("d1", fresh.token, "operator"));
  deepStrictEqual(house.invalidated, ["d1: device token rotated"]);
  throws(
    () => house.pairing.rotate("d1", "operator", ["operator.admin"]),
    /unknown deviceId\/role/,
  );
  throws(() => house.pairing.rotate("d1", "node"), /unknown deviceId\/role/);
  throws(() => house.pairing.rotate("d9", "operator"), /unknown deviceId\/role/);
});

Deno.test("who comes by a token has the scopes of that token, whatever the device was approved for", () => {
  using house = open();
  house.letIn({ silent: true, scopes: ["operator.admin"] });
  const narrow = house.pairing.rotate("d1", "operator", ["operator.read"]);
  const { refused } = house.refuse({ byToken: true, scopes: ["operator.admin"] });
  strictEqual(refused, "scope-upgrade");
  const { token } = house.letIn({ byToken: true, scopes: ["operator.read"] });
  strictEqual(token.token, narrow.token);
});

Deno.test("a revoked token does not come back by itself, not even on the owner's machine", () => {
  using house = open();
  const { token } = house.letIn({ silent: true });
  house.pairing.revoke("d1", "operator");
  deepStrictEqual(house.invalidated, ["d1: device token revoked"]);
  ok(!house.pairing.checkToken("d1", token.token, "operator"));
  const { refused, request } = house.refuse({ silent: true });
  strictEqual(refused, "role-upgrade");
  house.pairing.approve(request.requestId);
  const again = house.letIn();
  notStrictEqual(again.token.token, token.token);
  strictEqual(again.token.revokedAtMs, undefined);
  throws(() => house.pairing.revoke("d1", "node"), /unknown deviceId\/role/);
});

Deno.test("a removed device is forgotten, with its request", () => {
  using house = open();
  const { token } = house.letIn({ silent: true });
  house.refuse({ scopes: ["operator.admin"] });
  house.pairing.remove("d1");
  deepStrictEqual(house.invalidated, ["d1: device removed"]);
  deepStrictEqual([house.pairing.paired(), house.pairing.pending()], [[], []]);
  ok(!house.pairing.checkToken("d1", token.token, "operator"));
  throws(() => house.pairing.remove("d1"), /unknown deviceId/);
  throws(() => house.pairing.rename("d1", "x"), /unknown deviceId/);
});

/** A pairing on a store of its own, with a clock that stands still. */
function open() {
  const store = openStore(":memory:");
  const bus = createBus(new RecordedLog());
  const clock = { now: 1_000_000 };
  const invalidated: string[] = [];
  const pairing = new Pairing(store.devices, {
    bus,
    log: new RecordedLog(),
    invalidated: (deviceId, why) => invalidated.push(`${deviceId}: ${why}`),
    now: () => clock.now,
  });
  const admit = (change: Partial<Arrival>) =>
    pairing.admit({
      deviceId: "d1",
      publicKey: "k1",
      role: "operator",
      scopes: ["operator.read"],
      silent: false,
      ...change,
    });
  return {
    pairing,
    clock,
    invalidated,
    events: new Recorder(bus),
    /** The device as it is, and its token. */
    letIn(change: Partial<Arrival> = {}) {
      const admitted = admit(change);
      ok("token" in admitted, "it was refused");
      return admitted;
    },
    refuse(change: Partial<Arrival> = {}) {
      const refused = admit(change);
      ok("refused" in refused, "it was let in");
      return refused;
    },
    [Symbol.dispose]: () => store[Symbol.dispose](),
  };
}
