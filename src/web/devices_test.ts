import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { HelloOk } from "../../schemas/connect.ts";
import type { DevicePairRequest, PairedDevice } from "../../schemas/devices.ts";
import type { EventFrame } from "../../schemas/frames.ts";
import { Devices, reasonOf } from "./devices.ts";
import type { Requests } from "./link.ts";

Deno.test("who may not see devices is shown none, and asks for none", async () => {
  const gateway = new FakeGateway();
  const devices = new Devices(gateway);
  devices.begin(hello(["operator.read", "operator.write"]));
  await devices.read();
  devices.hear(event("device.pair.requested"));
  deepStrictEqual([devices.state.value.phase, gateway.asked], ["closed", []]);
  for (const scope of ["operator.pairing", "operator.admin"]) {
    devices.begin(hello([scope]));
    await devices.read();
    strictEqual(devices.state.value.phase, "ready");
  }
});

Deno.test("the lists are read again after what may have changed them, once at a time", async () => {
  const gateway = new FakeGateway();
  const devices = new Devices(gateway);
  const first = devices.read();
  for (const name of ["device.pair.requested", "node.pair.resolved", "presence", "chat"]) {
    devices.hear(event(name));
  }
  await first;
  deepStrictEqual(gateway.asked.length, 4); // both lists, and both again for all that came meanwhile
  devices.hear(event("tick"));
  strictEqual(gateway.asked.length, 4);
  await gateway.idle();
});

Deno.test("revoking takes back every role that a device still has", async () => {
  const gateway = new FakeGateway();
  const token = { scopes: [], createdAtMs: 1 };
  await new Devices(gateway).revoke({
    ...KNOWN,
    tokens: [
      { ...token, role: "operator" },
      { ...token, role: "node" },
      { ...token, role: "old", revokedAtMs: 2 },
    ],
  });
  deepStrictEqual(
    gateway.asked.filter(([name]) => name === "device.token.revoke").map(([, params]) => params),
    [{ deviceId: "d", role: "operator" }, { deviceId: "d", role: "node" }],
  );
});

Deno.test("why a device asks, and what it would get, follows from what it has", () => {
  const table: readonly (readonly [Partial<DevicePairRequest>, string, string[], string[]])[] = [
    [{ deviceId: "x", scopes: ["operator.read"] }, "New device", ["operator.read"], ["operator"]],
    [{ role: "node", roles: ["node"], scopes: [] }, "Another role", [], ["node"]],
    [{ scopes: ["operator.read", "operator.admin"] }, "More rights", ["operator.admin"], []],
    [{ scopes: ["operator.talk"], platform: "windows" }, "Changed device", [], []],
    [{ role: "old", roles: ["old"], scopes: [] }, "Was revoked", [], ["old"]],
  ];
  for (const [change, title, scopes, roles] of table) {
    const request = { ...REQUEST, ...change };
    const reason = reasonOf(request, [KNOWN]);
    deepStrictEqual([reason.title, reason.scopes, reason.roles], [title, scopes, roles]);
    ok(reason.text.endsWith(".") || reason.text.endsWith("key."));
  }
  ok(reasonOf({ ...REQUEST, platform: "windows" }, [KNOWN]).text.includes("linux"));
});

const KNOWN: PairedDevice = {
  deviceId: "d",
  publicKey: "k",
  platform: "linux",
  scopes: ["operator.write"],
  roles: ["operator", "old"],
  tokens: [
    { role: "operator", scopes: ["operator.write"], createdAtMs: 1 },
    { role: "old", scopes: [], createdAtMs: 1, revokedAtMs: 2 },
  ],
  createdAtMs: 1,
  approvedAtMs: 1,
};

const REQUEST: DevicePairRequest = {
  requestId: "r",
  deviceId: "d",
  publicKey: "k",
  platform: "linux",
  role: "operator",
  roles: ["operator"],
  scopes: ["operator.read"],
  ts: 1,
};

function hello(scopes: readonly string[]): HelloOk {
  return { auth: { role: "operator", scopes } } as HelloOk; // all that is looked at
}

function event(name: string): EventFrame {
  return { type: "event", event: name, payload: {} };
}

/** Answers every list with an empty one. */
class FakeGateway implements Requests {
  readonly asked: [string, unknown][] = [];
  readonly #answers: Promise<unknown>[] = [];

  request(method: string, params: unknown) {
    this.asked.push([method, params]);
    const answer = Promise.resolve({ pending: [], paired: [] } as never);
    this.#answers.push(answer);
    return answer;
  }

  /** Resolves when all that was asked is answered. */
  async idle(): Promise<void> {
    await Promise.all(this.#answers);
  }
}
