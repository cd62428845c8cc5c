import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { callerOf, RecordedLog, Recorder } from "../../tests/kernel.ts";
import { createBus } from "./bus.ts";
import { isShortLived, Presence } from "./presence.ts";

const DESK = { client: { mode: "ui", displayName: "Desk" }, deviceId: "D1" } as const;

Deno.test("the gateway itself is always there, and first", () => {
  using house = open();
  deepStrictEqual(house.presence.list(7), [{
    host: "testbox",
    ip: "192.0.2.1",
    version: "1.2.3",
    platform: "linux",
    deviceFamily: "Linux",
    modelIdentifier: "x86_64",
    mode: "gateway",
    reason: "self",
    text: "Gateway: testbox (192.0.2.1) · app 1.2.3 · mode gateway · reason self",
    ts: 7,
  }]);
});

Deno.test("a client is present while it is connected, and known as gone for a while after", () => {
  using house = open();
  const caller = callerOf({ ...DESK, scopes: ["operator.read"] });
  house.presence.connected(caller);
  const [, here] = house.presence.list();
  deepStrictEqual([here?.host, here?.reason, here?.deviceId, here?.roles, here?.scopes], [
    "Desk",
    "connect",
    "D1",
    ["operator"],
    ["operator.read"],
  ]);
  ok(house.presence.list(Date.now() + HOUR).length === 2);
  house.presence.disconnected(caller);
  strictEqual(house.presence.list()[1]?.reason, "disconnect");
  strictEqual(house.presence.list(Date.now() + HOUR).length, 1);
});

Deno.test("the same device twice is one entry, and gone when both are", () => {
  using house = open();
  const [first, second] = [callerOf(DESK), callerOf({ ...DESK, deviceId: "d1" })];
  house.presence.connected(first);
  house.presence.connected(second);
  strictEqual(house.presence.list().length, 2);
  house.presence.disconnected(first);
  strictEqual(house.presence.list()[1]?.reason, "connect");
  house.presence.disconnected(second);
  house.presence.disconnected(second);
  strictEqual(house.presence.list()[1]?.reason, "disconnect");
});

Deno.test("who comes for one answer is nobody's company", () => {
  using house = open();
  for (const mode of ["cli", "probe", "backend"] as const) {
    ok(isShortLived({ mode }));
    house.presence.connected(callerOf({ client: { mode } }));
  }
  ok(!isShortLived({ mode: "ui" }));
  strictEqual(house.presence.list().length, 1);
});

Deno.test("where a client comes from is told when it is not from here", () => {
  using house = open();
  house.presence.connected(callerOf({ ...DESK, local: false, remoteIp: "192.0.2.9" }));
  house.presence.connected(callerOf({ client: { mode: "ui" }, deviceId: "d2" }));
  const ips = house.presence.list().slice(1).map(({ ip }) => ip);
  deepStrictEqual(ips.sort(), ["192.0.2.9", undefined]);
});

Deno.test("a host's report completes what was known, and is forgotten after five minutes", () => {
  using house = open();
  house.presence.report("DEN", { host: "den", mode: "local" });
  house.presence.report("den", { host: "den", lastInputSeconds: 5 });
  const [, den] = house.presence.list();
  deepStrictEqual([den?.host, den?.mode, den?.lastInputSeconds], ["den", "local", 5]);
  const { ts = 0 } = den ?? {};
  strictEqual(house.presence.list(ts + 5 * 60_000).length, 2);
  strictEqual(house.presence.list(ts + 5 * 60_000 + 1).length, 1);
});

Deno.test("no more than two hundred are listed, the newest", () => {
  using house = open();
  for (let i = 0; i < 250; i++) house.presence.report(`h${i}`, { host: `h${i}` });
  strictEqual(house.presence.list().length, 200);
});

Deno.test("changes that come together are told together, each counted", async () => {
  using house = open();
  for (let i = 0; i < 100; i++) house.presence.connected(callerOf({ ...DESK, deviceId: `d${i}` }));
  deepStrictEqual(house.events.all, []);
  const { payload } = await house.events.next("presence");
  strictEqual(payload.presence.length, 101);
  strictEqual(house.version.presence, 101);
  strictEqual(house.events.all.length, 1);
});

const HOUR = 60 * 60_000;

function open() {
  const bus = createBus(new RecordedLog());
  const version = { presence: 1, health: 1 };
  const host = {
    name: "testbox",
    ip: "192.0.2.1",
    platform: "linux",
    deviceFamily: "Linux",
    arch: "x86_64",
    version: "1.2.3",
  };
  const presence = new Presence(host, {
    bus,
    version: () => ({ ...version }),
    bump: () => void version.presence++,
  });
  return {
    presence,
    version,
    events: new Recorder(bus),
    [Symbol.dispose]: () => presence[Symbol.dispose](),
  };
}
