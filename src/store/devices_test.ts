import { deepStrictEqual, strictEqual } from "node:assert/strict";
import type { PairedDevice, PairingRequest } from "../device.ts";
import { openDatabase } from "./database.ts";
import { SqliteDevices } from "./devices.ts";
import { init } from "./migrations/0001_init.ts";

Deno.test("devices are saved whole, replaced by id and listed last approved first", () => {
  using database = openDatabase(":memory:", [init]);
  const devices = new SqliteDevices(database);
  strictEqual(devices.get("d1"), undefined);
  devices.saveDevice(device("d1", 10));
  devices.saveDevice(device("d2", 20));
  deepStrictEqual(devices.get("d1"), device("d1", 10));
  deepStrictEqual(devices.paired(), [device("d2", 20), device("d1", 10)]);
  const again = { ...device("d1", 30), label: "Phone" };
  devices.saveDevice(again);
  deepStrictEqual(devices.paired(), [again, device("d2", 20)]);
  strictEqual(devices.removeDevice("d1"), true);
  strictEqual(devices.removeDevice("d1"), false);
  deepStrictEqual(devices.paired(), [device("d2", 20)]);
});

Deno.test("a device has one request at most, the last one", () => {
  using database = openDatabase(":memory:", [init]);
  const devices = new SqliteDevices(database);
  devices.saveRequest(request("q1", "d1", 10));
  devices.saveRequest(request("q2", "d2", 20));
  deepStrictEqual(devices.request("q1"), request("q1", "d1", 10));
  deepStrictEqual(devices.requestOf("d2"), request("q2", "d2", 20));
  deepStrictEqual(devices.pending(), [request("q2", "d2", 20), request("q1", "d1", 10)]);
  devices.saveRequest(request("q3", "d1", 30));
  strictEqual(devices.request("q1"), undefined);
  deepStrictEqual(devices.pending(), [request("q3", "d1", 30), request("q2", "d2", 20)]);
  devices.saveRequest({ ...request("q3", "d1", 30), displayName: "Phone" });
  strictEqual(devices.requestOf("d1")?.displayName, "Phone");
  strictEqual(devices.removeRequest("q3"), true);
  strictEqual(devices.removeRequest("q3"), false);
  strictEqual(devices.requestOf("d1"), undefined);
});

Deno.test("what is returned is the caller's to change", () => {
  using database = openDatabase(":memory:", [init]);
  const devices = new SqliteDevices(database);
  const given = device("d1", 10);
  devices.saveDevice(given);
  Object.assign(given, { label: "changed" });
  Object.assign(devices.get("d1") ?? {}, { label: "changed" });
  strictEqual(devices.get("d1")?.label, undefined);
});

function device(deviceId: string, approvedAtMs: number): PairedDevice {
  return {
    deviceId,
    publicKey: `key of ${deviceId}`,
    roles: ["operator"],
    scopes: ["operator.read"],
    tokens: {
      operator: { token: "t", role: "operator", scopes: ["operator.read"], createdAtMs: 1 },
    },
    createdAtMs: 1,
    approvedAtMs,
    approvedVia: "owner",
  };
}

function request(requestId: string, deviceId: string, ts: number): PairingRequest {
  return {
    requestId,
    deviceId,
    publicKey: `key of ${deviceId}`,
    role: "node",
    roles: ["node"],
    scopes: [],
    silent: false,
    isRepair: false,
    ts,
  };
}
