import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import type { ConnectParams } from "../../schemas/connect.ts";
import { FakeGateway, helloFor, Refuse } from "../client/fake_gateway.ts";
import { runOn, withHome } from "./fake_io.ts";
import type { Env } from "./paths.ts";

const HEALTH = {
  ok: true,
  durationMs: 1,
  channelOrder: [],
  channelLabels: {},
  agents: [],
  sessions: { path: "", count: 0, recent: [] },
};
const health = () => HEALTH;

function refusal(message: string, details: Record<string, unknown>): Refuse {
  return new Refuse({ code: "INVALID_REQUEST", message, details });
}

/** Runs `openclaw health` on a machine whose gateway is the fake one. */
function askHealth(gateway: FakeGateway, env: Env, ...argv: string[]) {
  return runOn(["health", ...argv], {
    env: { ...env, OPENCLAW_GATEWAY_PORT: String(gateway.port) },
  });
}

Deno.test("on this machine the shared secret is enough, and the least is asked for", () =>
  withHome(async ({ stateDir, env }) => {
    await using gateway = new FakeGateway({ answers: { health } });
    const { code } = await askHealth(gateway, { ...env, OPENCLAW_GATEWAY_TOKEN: "t" });
    strictEqual(code, 0);
    const { client, auth, scopes, device, minProtocol, maxProtocol } = gateway.connects[0]!;
    deepStrictEqual([client.id, client.mode, auth, scopes, device, minProtocol, maxProtocol], [
      "cli",
      "cli",
      { token: "t" },
      ["operator.read"],
      undefined,
      4,
      4,
    ]);
    deepStrictEqual([...Deno.readDirSync(stateDir)], []);
  }));

Deno.test("without a secret the device proves itself, and keeps the token that it gets", () =>
  withHome(async ({ env }) => {
    const connect = (params: ConnectParams) => {
      const hello = helloFor(params);
      return { ...hello, auth: { ...hello.auth, deviceToken: "dt" } };
    };
    await using gateway = new FakeGateway({ answers: { health, connect } });
    strictEqual((await askHealth(gateway, env)).code, 0);
    strictEqual((await askHealth(gateway, env)).code, 0);
    const [first, second] = gateway.connects;
    ok(first?.device);
    strictEqual(second?.device?.id, first.device.id);
    deepStrictEqual([first.auth, second.auth], [{}, { deviceToken: "dt" }]);
  }));

Deno.test("a device token that is no good any more is forgotten", () =>
  withHome(async ({ env }) => {
    const connect = (params: ConnectParams) => {
      if (params.auth?.deviceToken !== undefined) {
        throw refusal("unauthorized: device token mismatch", {
          code: "AUTH_DEVICE_TOKEN_MISMATCH",
        });
      }
      const hello = helloFor(params);
      return { ...hello, auth: { ...hello.auth, deviceToken: `dt${gateway.connects.length}` } };
    };
    await using gateway = new FakeGateway({ answers: { health, connect } });
    strictEqual((await askHealth(gateway, env)).code, 0);
    strictEqual((await askHealth(gateway, env)).code, 0);
    deepStrictEqual(gateway.connects.map(({ auth }) => auth), [{}, { deviceToken: "dt1" }, {}]);
  }));

Deno.test("the device's token is not shown to a gateway that --url names", () =>
  withHome(async ({ env }) => {
    const connect = (params: ConnectParams) => ({
      ...helloFor(params),
      auth: { role: "operator", scopes: params.scopes, deviceToken: "dt" },
    });
    await using gateway = new FakeGateway({ answers: { health, connect } });
    strictEqual((await askHealth(gateway, env)).code, 0);
    strictEqual((await runOn(["health", "--url", gateway.url], { env })).code, 0);
    deepStrictEqual(gateway.connects[1]?.auth, {});
  }));

Deno.test("where the secret gives no rights, as through a container's port, the device does", () =>
  withHome(async ({ env }) => {
    const connect = (params: ConnectParams) =>
      helloFor(params.device === undefined ? { ...params, scopes: [] } : params);
    await using gateway = new FakeGateway({ answers: { health, connect } });
    const { code } = await askHealth(gateway, { ...env, OPENCLAW_GATEWAY_TOKEN: "t" });
    strictEqual(code, 0);
    deepStrictEqual(gateway.connects.map(({ auth, device }) => [auth, device !== undefined]), [
      [{ token: "t" }, false],
      [{ token: "t" }, true],
    ]);
  }));

Deno.test("a right that turns out to be missing is asked for", () =>
  withHome(async ({ env }) => {
    const reset = () => {
      if (gateway.connects.at(-1)?.scopes?.includes("operator.admin")) {
        return { ok: true, key: "k" };
      }
      const details = { code: "MISSING_SCOPE", requiredScopes: ["operator.admin"] };
      throw new Refuse({ code: "FORBIDDEN", message: "missing scope: operator.admin", details });
    };
    await using gateway = new FakeGateway({ answers: { "chat.inject": reset } });
    const argv = ["call", "chat.inject", "--scope", "write", "--url", gateway.url, "--token", "t"];
    strictEqual((await runOn(argv, { env })).code, 0);
    deepStrictEqual(gateway.connects.map(({ scopes }) => scopes), [
      ["operator.write"],
      ["operator.write", "operator.admin"],
    ]);
  }));

const REFUSALS: readonly (readonly [details: Record<string, unknown>, hint: RegExp])[] = [
  [
    { code: "PAIRING_REQUIRED", requestId: "3f2a-9c" },
    /on the gateway's machine run: openclaw devices approve 3f2a-9c$/m,
  ],
  // It would become part of a command line.
  [{ code: "PAIRING_REQUIRED", requestId: "x; rm -rf ~" }, /devices approve --latest$/m],
  [{ code: "AUTH_TOKEN_MISMATCH" }, /came from OPENCLAW_GATEWAY_TOKEN;/],
  [{ code: "AUTH_TOKEN_MISSING" }, /give --token, or set OPENCLAW_GATEWAY_TOKEN/],
  [{ code: "AUTH_RATE_LIMITED" }, /try again later$/m],
];

for (const [details, hint] of REFUSALS) {
  Deno.test(`a refusal ${details.code} (${details.requestId ?? ""}) says what to do`, () =>
    withHome(async ({ env }) => {
      const connect = () => {
        throw refusal("no, because", details);
      };
      await using gateway = new FakeGateway({ answers: { connect } });
      const token = { ...env, OPENCLAW_GATEWAY_TOKEN: "t" };
      const { code, stderr } = await askHealth(gateway, token);
      strictEqual(code, 1);
      match(stderr, /^error: The gateway at ws:\/\/127.0.0.1:\d+ refused: no, because\n/);
      match(stderr, hint);
      strictEqual(stderr.trimEnd().split("\n").length, 2);
      const { error } = JSON.parse((await askHealth(gateway, token, "--json")).stdout);
      deepStrictEqual([error.code, error.details], ["INVALID_REQUEST", details]);
    }));
}

Deno.test("where no gateway is, the failure says how to start one", () =>
  withHome(async ({ env }) => {
    const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
    const { port } = listener.addr;
    listener.close();
    const { code, stderr } = await runOn(["health", "--token", "t"], {
      env: { ...env, OPENCLAW_GATEWAY_PORT: String(port) },
    });
    strictEqual(code, 1);
    match(stderr, new RegExp(`^error: Cannot connect to ws://127.0.0.1:${port}: `));
    match(stderr, /^ {2}is the gateway running\? start it with `openclaw gateway`$/m);
  }));

Deno.test("variables of the state folder's .env count, after those of the process", () =>
  withHome(async ({ stateDir, env }) => {
    await Deno.writeTextFile(`${stateDir}/.env`, "OPENCLAW_GATEWAY_TOKEN=from-file\n");
    await using gateway = new FakeGateway({ answers: { health } });
    await askHealth(gateway, env);
    await askHealth(gateway, { ...env, OPENCLAW_GATEWAY_TOKEN: "from-process" });
    deepStrictEqual(gateway.connects.map(({ auth }) => auth?.token), ["from-file", "from-process"]);
  }));
