/** TLS of the whole program: the certificate that it makes, those who pin it, and its renewal. */
import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { certificateFingerprint } from "../src/certificate.ts";
import { Failure } from "../src/cli/failure.ts";
import { runOn } from "../src/cli/fake_io.ts";
import { type Pin, PinnedSocket, shownCertificates } from "../src/cli/pinned_socket.ts";
import { selfSigned } from "../src/cli/self_signed.ts";
import { startGateway, type TestClient, type TestGateway, TOKEN } from "./gateway.ts";

const DEMO = { agents: { defaults: { model: { primary: "demo/demo" } } } };
const SECURE = { ...DEMO, gateway: { tls: { enabled: true } } };

const make = () => selfSigned(["localhost"], { from: Date.now(), days: 1 });

function connect(gateway: TestGateway, pin: Pin): Promise<TestClient> {
  return gateway.connect({ open: (url) => new PinnedSocket(url, pin) });
}

/** What the command line says on the gateway's own machine. */
function ask(gateway: TestGateway, ...argv: string[]) {
  const env = {
    OPENCLAW_STATE_DIR: gateway.stateDir,
    OPENCLAW_GATEWAY_PORT: new URL(gateway.url).port,
    OPENCLAW_GATEWAY_TOKEN: TOKEN,
  };
  return runOn(argv, { env });
}

async function shownBy({ url }: TestGateway): Promise<string> {
  return certificateFingerprint(
    await shownCertificates(new URL(url), new AbortController().signal),
  );
}

Deno.test("with gateway.tls, a certificate is made, and who pins it is let in", async () => {
  await using gateway = await startGateway({ config: SECURE });
  const { tls } = gateway.running;
  ok(tls);
  match(gateway.url, /^wss:/);
  strictEqual(await shownBy(gateway), tls.fingerprint);
  await using client = await connect(gateway, { fingerprint: tls.fingerprint });
  strictEqual((await client.request("health", {})).ok, true);

  const { fingerprint } = tls;
  await using again = await gateway.restart();
  strictEqual(again.running.tls?.fingerprint, fingerprint);
});

Deno.test("commands beside the gateway find its certificate by themselves", async () => {
  for (const how of [{ config: SECURE }, { config: DEMO, tls: true }]) {
    await using gateway = await startGateway(how);
    const health = await ask(gateway, "health", "--json");
    deepStrictEqual([health.code, health.stderr], [0, ""]);
    const probe = await ask(gateway, "gateway", "probe", "--json");
    strictEqual(JSON.parse(probe.stdout).url, gateway.url);
  }
});

Deno.test("commands elsewhere pin the fingerprint that they are given", async () => {
  await using gateway = await startGateway({ config: SECURE });
  const { fingerprint } = gateway.running.tls!;
  const home = await Deno.makeTempDir();
  try {
    const { port } = new URL(gateway.url);
    const env = { OPENCLAW_STATE_DIR: home };
    const flags = ["--url", `wss://localhost:${port}`, "--token", TOKEN];
    const pinned = await runOn(["health", ...flags, "--tls-fingerprint", fingerprint], { env });
    deepStrictEqual([pinned.code, pinned.stderr], [0, ""]);

    const unpinned = await runOn(["health", ...flags], { env });
    strictEqual(unpinned.code, 1);
    match(unpinned.stderr, /certificate[^]*--tls-fingerprint/);

    const config = {
      gateway: {
        mode: "remote",
        remote: {
          url: `wss://localhost:${port}`,
          token: TOKEN,
          tlsFingerprint: fingerprint.slice("sha256:".length).toUpperCase(),
        },
      },
    };
    await Deno.writeTextFile(`${home}/openclaw.json`, JSON.stringify(config));
    const configured = await runOn(["health"], { env });
    deepStrictEqual([configured.code, configured.stderr], [0, ""]);
  } finally {
    await Deno.remove(home, { recursive: true });
  }
});

Deno.test("who has another certificate than the pinned one is told nothing", async () => {
  const { cert, key } = await make();
  const pinned = certificateFingerprint((await make()).cert);
  const listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key });
  const heard: string[] = [];
  const listening = (async () => {
    for await (const connection of listener) {
      heard.push(await new Response(connection.readable).text().catch(() => ""));
    }
  })();
  const home = await Deno.makeTempDir();
  try {
    const { code, stderr } = await runOn([
      "health",
      ...["--url", `wss://127.0.0.1:${listener.addr.port}`],
      ...["--token", "my secret", "--tls-fingerprint", pinned],
    ], { env: { OPENCLAW_STATE_DIR: home } });
    strictEqual(code, 1);
    match(stderr, new RegExp(`is pinned[^]*somebody may stand in between`));
    ok(!stderr.includes("my secret"));
  } finally {
    await Deno.remove(home, { recursive: true });
    listener.close();
    await listening;
  }
  ok(heard.length > 0);
  deepStrictEqual(heard.join(""), "");
});

Deno.test("who comes without TLS is told that it is spoken here", async () => {
  await using gateway = await startGateway({ config: SECURE });
  const url = gateway.url.replace("wss:", "ws:");
  const { code, stderr } = await ask(gateway, "health", "--url", url, "--token", TOKEN);
  strictEqual(code, 1);
  match(stderr, /this gateway speaks TLS/);
  ok(stderr.includes(gateway.url));
});

Deno.test("the page is served over https, and may connect from there", async () => {
  await using gateway = await startGateway({ config: SECURE });
  const cert = await Deno.readTextFile(`${gateway.stateDir}/tls/cert.pem`);
  const { host, port } = new URL(gateway.http.replace("127.0.0.1", "localhost"));
  const ask = async (path: string, ...headers: string[]) => {
    using connection = await Deno.connectTls({
      hostname: "localhost",
      port: Number(port),
      caCerts: [cert],
    });
    const head = [`GET ${path} HTTP/1.1`, `Host: ${host}`, ...headers, "", ""].join("\r\n");
    await connection.write(new TextEncoder().encode(head));
    const answer = new Uint8Array(4_096);
    return new TextDecoder().decode(answer.subarray(0, await connection.read(answer) ?? 0));
  };
  match(await ask("/", "Connection: close"), /^HTTP\/1\.1 200 [^]*content-type: text\/html/i);
  const upgrade = [
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  ];
  match(await ask("/", ...upgrade, `Origin: https://${host}`), /^HTTP\/1\.1 101 /);
  match(await ask("/", ...upgrade, "Origin: https://evil.example"), /^HTTP\/1\.1 403 /);
});

Deno.test("a renewed certificate is shown to who comes, and who is there stays", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const [first, second] = await Promise.all([make(), make()]);
    const files = { certPath: `${folder}/cert.pem`, keyPath: `${folder}/key.pem` };
    const write = async ({ cert, key }: { cert: string; key: string }) => {
      await Deno.writeTextFile(files.certPath, cert);
      await Deno.writeTextFile(files.keyPath, key);
    };
    await write(first);
    const config = { ...DEMO, gateway: { tls: { enabled: true, ...files } } };
    await using gateway = await startGateway({ config });
    const [before, after] = [first, second].map(({ cert }) => certificateFingerprint(cert));
    await using old = await connect(gateway, { fingerprint: before! });

    await write(second);
    while (gateway.running.tls?.fingerprint !== after) {
      await shownBy(gateway).catch(() => {}); // for a moment nobody listens
    }
    strictEqual(await shownBy(gateway), after);
    strictEqual((await old.request("health", {})).ok, true);
    await using _new = await connect(gateway, { fingerprint: after! });
    await rejects(connect(gateway, { fingerprint: before! }), /is pinned/);
    strictEqual((await ask(gateway, "health")).code, 0);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("files that TLS can't be spoken with stop the start, before anything is changed", async () => {
  const stateDir = await Deno.makeTempDir();
  try {
    const tls = {
      enabled: true,
      certPath: `${stateDir}/none.pem`,
      keyPath: `${stateDir}/none.key`,
    };
    const config = { ...DEMO, gateway: { tls } };
    await rejects(
      startGateway({ config, stateDir, token: null }),
      (error) => error instanceof Failure && error.code === "TLS_INVALID",
    );
    deepStrictEqual([...Deno.readDirSync(stateDir)].map(({ name }) => name).sort(), [
      "logs",
      "openclaw.json",
    ]);
    deepStrictEqual(JSON.parse(await Deno.readTextFile(`${stateDir}/openclaw.json`)), config);
  } finally {
    await Deno.remove(stateDir, { recursive: true });
  }
});
