/** Who gets in and who does not, tried as somebody on this machine would who should not. */
import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import type { AuditEntry } from "../src/audit.ts";
import { GatewayRefusal } from "../src/client/client.ts";
import { createDeviceKey } from "../src/client/identity.ts";
import { pause } from "../src/deadline.ts";
import { GUARD_LIMITS } from "../src/server/guard.ts";
import { FakeTailscale } from "./fakes/tailscale.ts";
import {
  connectFrame,
  connectTo,
  RawSocket,
  startGateway,
  type TestGateway,
  TOKEN,
} from "./gateway.ts";
import { RawClient } from "./raw_client.ts";

const DEMO = { agents: { defaults: { model: { primary: "demo/demo" } } } };

Deno.test("200 wrong guesses, 50 at a time, open nothing and keep the owner out of nothing", async () => {
  await using gateway = await startGateway();
  const outcomes = new Map<string, number>();
  let left = 200;
  const guesser = async () => {
    while (left-- > 0) {
      const code = await refusal(gateway.url, { auth: { token: `guess ${left}` } });
      outcomes.set(code, (outcomes.get(code) ?? 0) + 1);
    }
  };
  const guessers = Promise.all(Array.from({ length: 50 }, guesser));
  for (let i = 0; i < 10; i++) {
    await using owner = await gateway.connect();
    strictEqual((await owner.request("health", {})).ok, true);
  }
  await guessers;
  // Each success of the owner forgives the failures before it, until the first lock.
  const wrong = outcomes.get("AUTH_TOKEN_MISMATCH") ?? 0;
  ok(wrong >= 10 && wrong <= 100, `${wrong}`);
  strictEqual(outcomes.get("AUTH_RATE_LIMITED"), 200 - wrong);

  await using owner = await gateway.connect();
  const { paired, pending } = await owner.request("device.pair.list", {});
  deepStrictEqual([paired, pending], [[], []]);
  ok(
    entries(gateway).some(({ action, target }) =>
      action === "lockout" && target === "secret 127.0.0.1"
    ),
  );
});

Deno.test("sockets held in silence keep the owner out of nothing", async () => {
  await using gateway = await startGateway();
  const held: RawClient[] = [];
  try {
    for (let i = 0; i < 128; i++) held.push(await RawClient.open(gateway.url));
    // The rule is about time: a place is free again when who holds it had it for so long.
    await pause(GUARD_LIMITS.patienceMs, new AbortController().signal);
    await using owner = await gateway.connect();
    strictEqual((await owner.request("health", {})).ok, true);
  } finally {
    for (const client of held) client[Symbol.dispose]();
  }
});

Deno.test("a page of another site gets no socket and no answer, whatever it says", async () => {
  await using gateway = await startGateway();
  const { host } = new URL(gateway.url);
  const pages: readonly Record<string, string>[] = [
    { Origin: "https://evil.example.com" },
    { Origin: "null" },
    { Origin: "http://localhost.evil.com" },
    { Origin: `http://${host}, https://evil.example.com` },
    { Host: "evil.tail1234.ts.net", Origin: "http://evil.tail1234.ts.net" },
    { Host: "127.0.0.1.nip.io", Origin: "http://127.0.0.1.nip.io" },
    { "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "websocket" },
  ];
  for (const headers of pages) {
    await rejects(RawClient.open(gateway.url, headers), /403 Forbidden.*not allowed/);
  }
  // A second Host, and one that only some programs understand, get no further than the guard.
  for (const Host of [`${host}\r\nHost: evil.example.com`, `user@${host}`, `${host}/`]) {
    await rejects(RawClient.open(gateway.url, { Host }), /400 Bad Request/);
  }
  const twice = `http://${host}\r\nOrigin: https://evil.example.com`;
  await rejects(RawClient.open(gateway.url, { Origin: twice }), /403 Forbidden/);
  using own = await RawClient.open(gateway.url, { Origin: `http://${host}` });
  await own.readUntil("connect.challenge");
  strictEqual(
    entries(gateway).some(({ action, allowed }) => action === "connect" && allowed),
    false,
  );
});

Deno.test("who says to come from a proxy is a stranger, and gets no rights without a device", async () => {
  await using gateway = await startGateway();
  for (const header of ["X-Forwarded-For", "X-Real-IP", "Forwarded", "Tailscale-User-Login"]) {
    using client = await RawClient.open(gateway.url, { [header]: "127.0.0.1" });
    const hello = await enter(client);
    deepStrictEqual(hello.payload.auth.scopes, [], header);
  }
});

// ── secrets ───────────────────────────────────────────────────────────────────────────────────

Deno.test("a new secret in the file counts at once, and ends what the old one opened", async () => {
  const folder = await Deno.makeTempDir({ prefix: "openclaw-trust-" });
  try {
    const tokenFile = `${folder}/token`;
    await Deno.writeTextFile(tokenFile, `${TOKEN}\n`, { mode: 0o600 });
    await using gateway = await startGateway({ token: null, flags: { tokenFile } });
    const identity = createDeviceKey();
    await using device = await gateway.connect({ identity });
    const deviceToken = device.client.hello.auth?.deviceToken ?? "";
    await using socket = new RawSocket(gateway.url);
    await socket.send(connectFrame());
    await socket.frame(({ ok }) => ok === true);

    const fresh = "another-secret-that-nobody-guesses-0123456789";
    await Deno.writeTextFile(tokenFile, fresh);
    strictEqual((await socket.closed).code, 4001);
    strictEqual(await refusal(gateway.url, {}), "AUTH_TOKEN_MISMATCH");
    await using owner = await gateway.connect({ auth: { token: fresh } });
    strictEqual((await owner.request("health", {})).ok, true);
    await using again = await gateway.connect({ identity, auth: { deviceToken } });
    strictEqual(again.client.hello.auth?.method, "device-token");
    const log = await Deno.readTextFile(`${gateway.stateDir}/logs/openclaw.log`);
    ok(!log.includes(fresh) && !log.includes(TOKEN));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("systemd's credential is the token", async () => {
  const folder = await Deno.makeTempDir({ prefix: "openclaw-trust-" });
  try {
    await Deno.writeTextFile(`${folder}/gateway-token`, TOKEN, { mode: 0o400 });
    const env = { CREDENTIALS_DIRECTORY: folder };
    await using gateway = await startGateway({ token: null, env });
    await using _owner = await gateway.connect();
    ok(!(await Deno.readTextFile(`${gateway.stateDir}/openclaw.json`)).includes("token"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

// ── exposures ─────────────────────────────────────────────────────────────────────────────────

Deno.test("a gateway that would be open does not start, and says what mends it", async () => {
  const proxy = { trustedProxies: ["127.0.0.1"] };
  const controlUi = { allowedOrigins: ["https://chat.example.com"] };
  const people = { mode: "trusted-proxy", trustedProxy: { userHeader: "x-user" } };
  for (
    const [gateway, flags, reason] of [
      [{}, { bind: "lan", auth: "none" }, /^Auth mode none is for loopback only/],
      [{ auth: { token: "changeme" } }, { bind: "lan" }, /token stands in examples/],
      [{ auth: { password: "hunter2" } }, { bind: "lan" }, /password is easy to guess/],
      [proxy, { token: TOKEN }, /no name that the proxy is asked by/],
      [{ ...proxy, controlUi, auth: people }, { token: TOKEN }, /any program here could be it/],
      [{ auth: people }, { token: TOKEN }, /no proxy is trusted/],
      [{}, { token: TOKEN, tailscale: "funnel" }, /for auth mode password only/],
      [{}, { token: TOKEN, tailscale: "serve", bind: "lan" }, /brings what it serves to loopback/],
      [{ auth: { mode: "password" } }, {}, /no password is set/],
    ] as const
  ) {
    const start = startGateway({ token: null, config: { ...DEMO, gateway }, flags });
    await rejects(start, (error: Error & { hint?: string }) => {
      match(error.message, reason);
      ok(error.hint);
      return true;
    });
  }
});

Deno.test("what is risky and allowed is warned of, and the exposure has a name", async () => {
  const gateway = {
    trustedProxies: ["127.0.0.1"],
    controlUi: { allowedOrigins: ["https://chat.example.com"] },
    auth: { mode: "password", password: "correct horse battery" },
  };
  await using behind = await startGateway({ token: null, config: { ...DEMO, gateway } });
  strictEqual(behind.running.exposure.name, "behind-proxy");
  match(behind.printed.join("\n"), /password could be guessed in time/);
  match(behind.printed.join("\n"), /not believed before it proves itself/);
  await using plain = await startGateway();
  strictEqual(plain.running.exposure.name, "loopback");
  deepStrictEqual(plain.printed, []);
});

Deno.test("an edit that would open the gateway changes nothing, and is told", async () => {
  await using gateway = await startGateway({
    token: null,
    config: {
      ...DEMO,
      gateway: {
        auth: {
          token: TOKEN,
        },
      },
    },
  });
  await using owner = await gateway.connect();
  for (
    const [patch, reason] of [
      [{ trustedProxies: ["0.0.0.0/0"] }, /names everybody.*stays as it was/],
      [{ trustedProxies: null, auth: { mode: "password" } }, /no password is set.*stays as it was/],
    ] as const
  ) {
    const { hash } = await owner.request("config.get", {});
    const raw = JSON.stringify({ gateway: patch });
    await owner.request("config.patch", { raw, baseHash: hash });
    match(gateway.printed.at(-1) ?? "", reason);
    strictEqual((await owner.request("health", {})).ok, true);
    strictEqual(await refusal(gateway.url, { auth: { token: "wrong" } }), "AUTH_TOKEN_MISMATCH");
  }
});

// ── the tailnet ───────────────────────────────────────────────────────────────────────────────

const SERVED = {
  Host: "box.tail1234.ts.net",
  "X-Forwarded-For": "100.64.0.7",
  "X-Forwarded-Proto": "https",
  "X-Forwarded-Host": "box.tail1234.ts.net",
  "Tailscale-User-Login": "ada@example.com",
};

Deno.test({
  name: "in the tailnet a person comes by their device's address, and nobody by what they claim",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using fake = await FakeTailscale.install();
    {
      await using gateway = await startGateway({
        env: { PATH: fake.path },
        flags: { tailscale: "serve", tailscaleResetOnExit: true },
      });
      strictEqual(gateway.running.exposure.name, "tailnet");
      const { port } = gateway.running.server.addr;
      deepStrictEqual((await fake.asked()).slice(0, 2), [
        "status --json --peers=false",
        `serve --bg --yes ${port}`,
      ]);
      const asks = async (change: Record<string, string>, auth: Record<string, string> = {}) => {
        using client = await RawClient.open(gateway.url, { ...SERVED, ...change });
        const { ok, error, payload } = await enter(client, { auth });
        return ok ? `${payload.auth.method} [${payload.auth.scopes}]` : error?.details.code;
      };
      strictEqual(await asks({}), "tailscale []");
      strictEqual(
        await asks({ "X-Forwarded-For": "100.64.0.8" }),
        "AUTH_TAILSCALE_IDENTITY_MISMATCH",
      );
      strictEqual(await asks({ "X-Forwarded-For": "100.64.0.9" }), "AUTH_TAILSCALE_WHOIS_FAILED");
      strictEqual(await asks({ "X-Forwarded-For": "100.64.0.99" }), "AUTH_TAILSCALE_WHOIS_FAILED");
      strictEqual(await asks({ "X-Forwarded-For": "$(id)" }), "AUTH_TAILSCALE_PROXY_MISSING");
      strictEqual(
        await asks({ "Tailscale-Funnel-Request": "?1" }),
        "AUTH_TAILSCALE_IDENTITY_MISSING",
      );
      strictEqual(await asks({ "X-Forwarded-For": "100.64.0.99" }, { token: TOKEN }), "token []");
      for (const Host of ["evil.tail1234.ts.net", "box.tail9999.ts.net"]) {
        await rejects(asks({ Host, "X-Forwarded-Host": Host }), /403 Forbidden.*host not allowed/);
      }
      const { host } = new URL(gateway.url);
      using direct = await RawClient.open(gateway.url, { Host: host });
      const { error } = await enter(direct, { auth: {} });
      strictEqual(error?.details.code, "AUTH_TOKEN_MISSING");
    }
    strictEqual((await fake.asked()).at(-1), "serve --https=443 off");
  },
});

Deno.test({
  name: "who does not wait to be recognised is turned away",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using fake = await FakeTailscale.install();
    const env = { PATH: fake.path };
    await using gateway = await startGateway({ env, flags: { tailscale: "serve" } });
    using client = await RawClient.open(gateway.url, SERVED);
    await client.readUntil("connect.challenge");
    await client.text(connectFrame({ auth: {} }));
    await client.text(connectFrame({ auth: {} }));
    await client.readUntil("wait for the answer");
  },
});

/** Sends `connect` once it is asked to, and reads the answer. */
async function enter(client: RawClient, params: Record<string, unknown> = {}): Promise<Answer> {
  match(await client.message(), /connect\.challenge/);
  await client.text(connectFrame(params));
  return JSON.parse(await client.message());
}

interface Answer {
  readonly ok: boolean;
  readonly payload: { readonly auth: { readonly method: string; readonly scopes: string[] } };
  readonly error?: { readonly details: { readonly code: string } };
}

/** The code with which somebody is refused. */
async function refusal(url: string, options: Parameters<typeof connectTo>[1]): Promise<string> {
  try {
    await using _client = await connectTo(url, options);
    return "let in";
  } catch (error) {
    if (!(error instanceof GatewayRefusal)) throw error;
    return (error.details as { code: string }).code;
  }
}

function entries({ stateDir }: Pick<TestGateway, "stateDir">): readonly AuditEntry[] {
  return Deno.readTextFileSync(`${stateDir}/logs/audit.jsonl`).trimEnd().split("\n")
    .map((line) => JSON.parse(line));
}
