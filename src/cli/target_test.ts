import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { withHome } from "./fake_io.ts";
import { type Env, resolvePaths } from "./paths.ts";
import { resolveTarget, type Target } from "./target.ts";

/** The target of a command line on a machine with this configuration. */
function resolve(
  { config, env = {}, flags = {} }: {
    config?: string;
    env?: Env;
    flags?: Parameters<typeof resolveTarget>[0]["connection"];
  },
): Promise<Partial<Target>> {
  return withHome(async ({ stateDir }) => {
    if (config !== undefined) await Deno.writeTextFile(`${stateDir}/openclaw.json`, config);
    const all = { ...env, OPENCLAW_STATE_DIR: stateDir };
    const target = await resolveTarget({ connection: flags, env: all, paths: resolvePaths(all) });
    return { ...target, authFrom: target.authFrom?.replace(stateDir, "~") };
  });
}

Deno.test("without anything it is the usual port of this machine", async () => {
  deepStrictEqual(await resolve({}), {
    url: "ws://127.0.0.1:18789",
    auth: {},
    authFrom: undefined,
    own: true,
    here: true,
    loopback: true,
  });
});

Deno.test("port and token come from the configuration, JSON5 or not", async () => {
  const expected = {
    url: "ws://127.0.0.1:5",
    auth: { token: "t" },
    authFrom: "gateway.auth in ~/openclaw.json",
    own: true,
    here: true,
    loopback: true,
  };
  for (
    const config of [
      `{"gateway":{"port":5,"auth":{"token":"t"}}}`,
      `// mine\n{gateway: {port: 5, auth: {token: 't'}},}`,
      `{"gateway":{"port":5,"auth":{"token":"\${MY_TOKEN}"}}}`,
    ]
  ) deepStrictEqual(await resolve({ config, env: { MY_TOKEN: "t" } }), expected);
});

Deno.test("a secret may come from a file, for any gateway", async () => {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, "of the file\n");
    const url = "wss://gw.example";
    const byToken = await resolve({ flags: { url, "token-file": path } });
    deepStrictEqual([byToken.auth, byToken.authFrom], [{ token: "of the file" }, "the flags"]);
    const byPassword = await resolve({ flags: { "password-file": path } });
    deepStrictEqual(byPassword.auth, { password: "of the file" });
    await rejects(resolve({ flags: { "token-file": `${path}.none` } }), /Cannot read the secret/);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("the environment goes before the configuration, and flags before both", async () => {
  const config = `{"gateway":{"port":5,"auth":{"token":"c"}}}`;
  const env = { OPENCLAW_GATEWAY_PORT: "6", OPENCLAW_GATEWAY_TOKEN: "e" };
  const fromEnv = await resolve({ config, env });
  deepStrictEqual([fromEnv.url, fromEnv.auth, fromEnv.authFrom], [
    "ws://127.0.0.1:6",
    { token: "e" },
    "OPENCLAW_GATEWAY_TOKEN",
  ]);
  const fromFlags = await resolve({ config, env, flags: { password: "p" } });
  deepStrictEqual([fromFlags.auth, fromFlags.authFrom], [{ password: "p" }, "the flags"]);
});

Deno.test("a gateway named by --url gets only what the flags give it", async () => {
  const config = `{"gateway":{"auth":{"token":"c"}}}`;
  const env = { OPENCLAW_GATEWAY_TOKEN: "e" };
  const flags = { url: "wss://gw.example" };
  const { url, auth, own, loopback } = await resolve({ config, env, flags });
  deepStrictEqual({ url, auth, own, loopback }, {
    url: "wss://gw.example",
    auth: {},
    own: false,
    loopback: false,
  });
  deepStrictEqual((await resolve({ config, env, flags: { ...flags, token: "f" } })).auth, {
    token: "f",
  });
});

Deno.test("a gateway named by the environment gets the environment's credentials only", async () => {
  const config = `{"gateway":{"auth":{"token":"c"}}}`;
  const env = { OPENCLAW_GATEWAY_URL: "wss://gw.example" };
  deepStrictEqual((await resolve({ config, env })).auth, {});
  deepStrictEqual((await resolve({ config, env: { ...env, OPENCLAW_GATEWAY_TOKEN: "e" } })).auth, {
    token: "e",
  });
});

Deno.test("a remote gateway of the configuration has credentials of its own", async () => {
  const config = `{"gateway":{"mode":"remote","auth":{"token":"local"},
    "remote":{"url":"wss://gw.example","token":"r"}}}`;
  const { url, auth, own } = await resolve({ config });
  deepStrictEqual({ url, auth, own }, {
    url: "wss://gw.example",
    auth: { token: "r" },
    own: true,
  });
});

Deno.test("nothing is sent in clear to another machine, unless its owner says so", async () => {
  const flags = { url: "ws://192.168.1.2:18789" };
  await rejects(resolve({ flags }), /everything would be sent in clear/);
  const env = { OPENCLAW_ALLOW_INSECURE_PRIVATE_WS: "1" };
  deepStrictEqual((await resolve({ flags, env })).loopback, false);
  await rejects(resolve({ flags: { url: "ws://gw.example" }, env }), /sent in clear/);
});

for (const host of ["localhost", "127.0.0.1", "127.1.2.3", "[::1]", "[::ffff:127.0.0.1]"]) {
  Deno.test(`${host} is this machine`, async () => {
    deepStrictEqual((await resolve({ flags: { url: `ws://${host}:1` } })).loopback, true);
  });
}

Deno.test("a configuration that can't be read is a failure, and no missing one", async () => {
  await rejects(resolve({ config: "{" }), /Cannot read config '.*openclaw.json': /);
  await rejects(
    resolve({ config: `{"gateway":{"auth":{"token":"\${NOT_SET}"}}}` }),
    /Cannot read gateway.auth.token: NOT_SET is not set/,
  );
});

const FINGERPRINT = `sha256:${"0a".repeat(32)}` as const;

Deno.test("TLS of this machine's gateway is known from the configuration", async () => {
  const config = `{"gateway":{"port":5,"tls":{"enabled":true}}}`;
  const { url, pin, own } = await resolve({ config });
  deepStrictEqual([url, pin, own], ["wss://127.0.0.1:5", undefined, true]); // never started yet
});

Deno.test("a pinned certificate means TLS, for this machine's gateway too", async () => {
  const flags = { "tls-fingerprint": FINGERPRINT.slice(7).toUpperCase() };
  for (
    const [given, url] of [
      [{ flags }, "wss://127.0.0.1:18789"],
      [{ flags: { ...flags, url: "wss://gw.example" } }, "wss://gw.example"],
      [{ flags, env: { OPENCLAW_GATEWAY_URL: "wss://gw.example" } }, "wss://gw.example"],
    ] as const
  ) {
    const target = await resolve(given);
    deepStrictEqual([target.url, target.pin], [url, { fingerprint: FINGERPRINT }]);
  }
});

Deno.test("a remote gateway's pin comes from the configuration, unless a flag names one", async () => {
  const gateway = {
    mode: "remote",
    remote: { url: "wss://gw.example", tlsFingerprint: FINGERPRINT },
  };
  const config = JSON.stringify({ gateway });
  deepStrictEqual((await resolve({ config })).pin, { fingerprint: FINGERPRINT });
  const other = `sha256:${"0b".repeat(32)}` as const;
  const flagged = await resolve({ config, flags: { "tls-fingerprint": other } });
  deepStrictEqual(flagged.pin, { fingerprint: other });
  // What is pinned for one gateway says nothing of another.
  strictEqual((await resolve({ config, flags: { url: "wss://other.example" } })).pin, undefined);
});

Deno.test("a pin that is none, or that nothing could be held against, is refused", async () => {
  await rejects(resolve({ flags: { "tls-fingerprint": "abc" } }), /not the SHA-256/);
  const flags = { url: "ws://127.0.0.1:5", "tls-fingerprint": FINGERPRINT };
  await rejects(resolve({ flags }), /use wss:/);
});
