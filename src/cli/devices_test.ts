import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import type { DevicePairRequest, PairedDevice } from "../../schemas/devices.ts";
import { type PairedDevice as Device, PAIRING_TTL_MS, type PairingRequest } from "../device.ts";
import { FakeGateway } from "../client/fake_gateway.ts";
import { openStore } from "../store/sqlite.ts";
import { run } from "./cli.ts";
import { FakeIo } from "./fake_io.ts";

const NOW = 1_000_000_000_000;

Deno.test("without a gateway the owner works on the state folder itself, and gets a device in", async () => {
  await using home = await Home.make();
  home.fill({ requests: [request("phone")] });
  const list = await home.run("devices");
  deepStrictEqual(list.code, 0);
  match(list.stderr, /^No gateway runs: working on the state folder .+ itself\n$/);
  match(list.stdout, /^ASKING +NAME .*\nr-phone +phone +192\.0\.2\.7 +new device +operator: read/);
  const approved = await home.run("devices", "approve");
  deepStrictEqual([approved.code, approved.stdout], [0, "phone may connect as operator: read\n"]);
  const device = home.device("phone");
  deepStrictEqual([device?.approvedVia, device?.scopes], ["owner", ["operator.read"]]);
  const audit = home.text("logs/audit.jsonl").trim().split("\n").map((line) => JSON.parse(line));
  deepStrictEqual(
    audit.map(({ action, allowed, target }) => [action, allowed, target]),
    [["device.pair.approve", true, "phone"]],
  );
});

Deno.test("offline, a device is rejected, renamed, rotated, revoked and removed", async () => {
  await using home = await Home.make();
  home.fill({ requests: [request("tablet")], devices: [device("phone")] });
  const offline = async (...argv: string[]) => {
    const { code, stdout, stderr } = await home.run("devices", ...argv, "--offline");
    strictEqual(code, 0, stderr);
    return stdout;
  };
  strictEqual(await offline("reject", "r-tablet"), "Request r-tablet is turned down\n");
  strictEqual(await offline("rename", "phone", "hers"), "phone is now 'hers'\n");
  match(await offline("rotate", "hers"), /^The token of phone is replaced\. /);
  const fresh = home.device("phone")?.tokens.operator;
  ok(fresh !== undefined && fresh.token !== "token of phone" && fresh.rotatedAtMs === NOW);
  strictEqual(await offline("revoke", "hers"), "phone may not connect as operator any more\n");
  strictEqual(home.device("phone")?.tokens.operator?.revokedAtMs, NOW);
  strictEqual(await offline("remove", "hers"), "phone may not connect any more\n");
  strictEqual(await offline("list"), "No device asks to connect, and none may\n");
});

Deno.test("where a gateway holds the state, nobody else changes it", async () => {
  await using home = await Home.make();
  const path = `${home.stateDir}/openclaw.sqlite`;
  const holder = { pid: 4711, startedAt: NOW, url: "ws://127.0.0.1:19999" };
  using _held = openStore(path, { holder });
  for (const flags of [[], ["--offline"]]) {
    const { code, stdout, stderr } = await home.run("devices", "list", ...flags);
    deepStrictEqual([code, stdout], [1, ""]);
    match(stderr, /in use by process 4711 \(ws:\/\/127\.0\.0\.1:19999, since .*\n.*stop it first/);
  }
});

Deno.test("where there is neither a gateway nor a state, that is said, and none is made", async () => {
  await using home = await Home.make();
  const { code, stderr } = await home.run("devices", "list");
  strictEqual(code, 1);
  match(stderr, /Cannot connect to ws:\/\/127\.0\.0\.1:\d+/);
  const offline = await home.run("devices", "list", "--offline");
  strictEqual(offline.code, 1);
  match(offline.stderr, /There is no state of a gateway at/);
  deepStrictEqual([...Deno.readDirSync(home.stateDir)], []);
});

Deno.test("the state folder stands in for this machine's own gateway only", async () => {
  await using home = await Home.make();
  home.fill({ requests: [request("phone")] });
  const url = `ws://127.0.0.1:${home.port}`;
  const other = await home.run("devices", "--url", url, "--token", "t");
  strictEqual(other.code, 1);
  match(other.stderr, /Cannot connect/);
  const both = await home.run("devices", "--offline", "--url", url);
  deepStrictEqual(both.code, 2);
  match(both.stderr, /--offline asks no gateway: leave --url/);
});

Deno.test("a request that nobody answered in time is void offline as well", async () => {
  await using home = await Home.make();
  home.fill({ requests: [{ ...request("phone"), ts: NOW - PAIRING_TTL_MS - 1 }] });
  const { code, stderr } = await home.run("devices", "approve");
  strictEqual(code, 1);
  match(stderr, /No device asks to connect/);
});

Deno.test("devices approve takes the only request, and of several none by itself", async () => {
  const approved = async (pending: readonly DevicePairRequest[]) => {
    await using gateway = new FakeGateway({
      answers: {
        "device.pair.list": () => ({ pending, paired: [] }),
        "device.pair.approve": ({ requestId }: { requestId: string }) => ({
          requestId,
          device: { ...pending.find((request) => request.requestId === requestId) },
        }),
      },
    });
    const io = new FakeIo({ env: { OPENCLAW_STATE_DIR: "/nowhere" }, now: NOW });
    const code = await run(["devices", "approve", "--url", gateway.url, "--token", "t"], io);
    return [code, io.stdout, io.stderr];
  };
  deepStrictEqual(await approved([request("phone")]), [
    0,
    "phone may connect as operator: read\n",
    "",
  ]);
  const [code, , stderr] = await approved([request("phone"), request("tablet")]);
  strictEqual(code, 2);
  match(String(stderr), /2 devices ask\. The newest is r-phone, phone from 192\.0\.2\.7/);
  strictEqual((await approved([]))[0], 1);
});

Deno.test("devices says why each one asks", async () => {
  const paired: Partial<PairedDevice> = {
    deviceId: "phone",
    publicKey: "k",
    roles: ["operator"],
    scopes: ["operator.read"],
    createdAtMs: NOW,
    approvedAtMs: NOW,
  };
  const token = { role: "operator", scopes: [], createdAtMs: NOW };
  const table: readonly [string, Partial<PairedDevice> | undefined, Partial<DevicePairRequest>][] =
    [
      ["new device", undefined, {}],
      ["another role", paired, { roles: ["node"] }],
      ["wants more", paired, { scopes: ["operator.admin"] }],
      ["calls itself another", paired, {}],
      ["was revoked", { ...paired, tokens: [{ ...token, revokedAtMs: NOW }] }, {}],
    ];
  for (const [why, known, change] of table) {
    await using gateway = new FakeGateway({
      answers: {
        "device.pair.list": () => ({
          pending: [{ ...request("phone"), ...change }],
          paired: known === undefined ? [] : [known],
        }),
      },
    });
    const io = new FakeIo({ env: { OPENCLAW_STATE_DIR: "/nowhere" }, now: NOW });
    await run(["devices", "--url", gateway.url, "--token", "t"], io);
    ok(io.stdout.split("\n")[1]?.includes(`  ${why}  `), io.stdout);
  }
});

function request(deviceId: string): PairingRequest {
  return {
    requestId: `r-${deviceId}`,
    deviceId,
    publicKey: `key of ${deviceId}`,
    displayName: deviceId,
    remoteIp: "192.0.2.7",
    role: "operator",
    roles: ["operator"],
    scopes: ["operator.read"],
    silent: false,
    isRepair: false,
    ts: NOW,
  };
}

function device(deviceId: string): Device {
  const token = `token of ${deviceId}`;
  const scopes = ["operator.read"];
  return {
    deviceId,
    publicKey: `key of ${deviceId}`,
    displayName: deviceId,
    roles: ["operator"],
    scopes,
    tokens: { operator: { token, role: "operator", scopes, createdAtMs: NOW } },
    createdAtMs: NOW,
    approvedAtMs: NOW,
    approvedVia: "owner",
  };
}

/** A state folder, and a port on which nobody listens. */
class Home implements AsyncDisposable {
  readonly stateDir: string;
  readonly port: number;

  private constructor(stateDir: string, port: number) {
    this.stateDir = stateDir;
    this.port = port;
  }

  static async make(): Promise<Home> {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    return new Home(await Deno.makeTempDir({ prefix: "openclaw-test-" }), listener.addr.port);
  }

  fill(
    { requests = [], devices = [] }: {
      requests?: readonly PairingRequest[];
      devices?: readonly Device[];
    },
  ): void {
    using store = openStore(`${this.stateDir}/openclaw.sqlite`);
    for (const request of requests) store.devices.saveRequest(request);
    for (const device of devices) store.devices.saveDevice(device);
  }

  device(deviceId: string): Device | undefined {
    using store = openStore(`${this.stateDir}/openclaw.sqlite`);
    return store.devices.get(deviceId);
  }

  text(name: string): string {
    return Deno.readTextFileSync(`${this.stateDir}/${name}`);
  }

  async run(...argv: string[]) {
    const env = {
      OPENCLAW_STATE_DIR: this.stateDir,
      OPENCLAW_GATEWAY_PORT: String(this.port),
      OPENCLAW_GATEWAY_TOKEN: "t",
    };
    const io = new FakeIo({ env, now: NOW });
    const code = await run(argv, io);
    return { code, stdout: io.stdout, stderr: io.stderr };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.stateDir, { recursive: true });
  }
}
