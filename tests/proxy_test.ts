/** A real nginx and a real Caddy before the gateway, as people put them there. */
import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { GatewayRefusal } from "../src/client/client.ts";
import { createDeviceKey } from "../src/client/identity.ts";
import { connectTo, startGateway, type TestGateway, TOKEN } from "./gateway.ts";
import { RawClient } from "./raw_client.ts";

/** Sent by the proxy to prove itself. */
const PROOF = "what-only-the-proxy-knows-0123456789";

interface Software {
  readonly name: string;
  /** Its configuration for the simplest proxy that passes WebSockets on. */
  configure(from: number, to: number): string;
  /** The arguments with which it stays in the foreground. */
  readonly args: (folder: string) => readonly string[];
  readonly file: string;
  /** What it says on standard error once it accepts connections. */
  readonly ready: string;
}

const NGINX: Software = {
  name: "nginx",
  file: "nginx.conf",
  ready: "start worker processes",
  args: (folder) => ["-p", folder, "-c", `${folder}/nginx.conf`, "-e", "stderr"],
  configure: (from, to) => `
daemon off;
error_log stderr notice;
pid nginx.pid;
worker_processes 1;
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  map $http_upgrade $connection_upgrade { default upgrade; "" close; }
  server {
    listen 127.0.0.1:${from};
    location / {
      proxy_pass http://127.0.0.1:${to};
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host "";
      proxy_set_header X-OpenClaw-Proxy-Secret "${PROOF}";
      proxy_set_header X-User $arg_user;
    }
  }
}
`,
};

const CADDY: Software = {
  name: "caddy",
  file: "Caddyfile",
  ready: "serving initial configuration",
  args: (folder) => ["run", "--adapter", "caddyfile", "--config", `${folder}/Caddyfile`],
  configure: (from, to) => `
{
  admin off
  auto_https off
  storage file_system storage
}
http://:${from} {
  bind 127.0.0.1
  reverse_proxy 127.0.0.1:${to} {
    header_up X-OpenClaw-Proxy-Secret "${PROOF}"
    header_up X-User {query.user}
  }
}
`,
};

for (const software of [NGINX, CADDY]) {
  const program = await find(software.name);
  const test = (what: string, fn: () => Promise<void>) =>
    Deno.test({
      name: `${software.name}${program === undefined ? " (not installed)" : ""}: ${what}`,
      ignore: program === undefined,
      fn,
    });
  /** Starts the gateway, then the proxy before it; the gateway knows the proxy's name beforehand. */
  const start = async (settings: (origin: string) => unknown) => {
    const port = freePort();
    const origin = `http://127.0.0.1:${port}`;
    const gateway = await startGateway({
      config: { agents: DEMO, gateway: settings(origin) },
    });
    const { port: to } = gateway.running.server.addr;
    const proxy = await Proxy.start(program ?? "", software, { from: port, to });
    return { gateway, proxy, origin, url: `ws://127.0.0.1:${port}` };
  };

  test("with the proxy named and proven, the page loads and clients speak", async () => {
    const { gateway, proxy, origin, url } = await start((origin) => ({
      trustedProxies: ["127.0.0.1"],
      controlUi: { allowedOrigins: [origin, "http://chat.example.com"] },
      auth: { trustedProxy: { secret: PROOF } },
    }));
    await using _gateway = gateway;
    await using _proxy = proxy;
    strictEqual(gateway.running.exposure.name, "behind-proxy");
    const page = await fetch(origin);
    strictEqual(page.status, 200);
    const script = /src="\/?([^"]+\.js)"/.exec(await page.text())?.[1];
    const loaded = await fetch(`${origin}/${script}`);
    strictEqual(loaded.status, 200);
    match(loaded.headers.get("content-type") ?? "", /javascript/);
    await loaded.body?.cancel();

    const identity = createDeviceKey();
    await approve(gateway, await refusal(url, { identity }));
    await using client = await connectTo(url, { identity });
    strictEqual((await client.request("health", {})).ok, true);
    await rejects(
      RawClient.open(url, { Host: new URL(url).host, Origin: "https://evil.example.com" }),
      /403 Forbidden.*origin not allowed/,
    );
    await rejects(RawClient.open(url, { Host: "evil.example.com" }), /403.*host not allowed/);
    const named = { Host: "chat.example.com", Origin: "http://chat.example.com" };
    for (const headers of [{ Origin: origin }, named]) {
      using own = await RawClient.open(url, headers);
      match(await own.message(), /connect\.challenge/);
    }
  });

  test("without the setting its clients are strangers, refused with the reason", async () => {
    const { gateway, proxy, url } = await start((origin) => ({
      controlUi: { allowedOrigins: [origin] },
    }));
    await using _gateway = gateway;
    await using _proxy = proxy;
    const refused = await refusal(url, { identity: createDeviceKey() });
    deepStrictEqual([refused.code, codeOf(refused)], ["NOT_PAIRED", "PAIRING_REQUIRED"]);
    await using client = await connectTo(url);
    deepStrictEqual(client.client.hello.auth?.scopes, []);
    await rejects(client.request("config.get", {}), /missing scope/);
    await rejects(RawClient.open(url, { Host: "chat.example.com" }), /403.*host not allowed/);
    await using here = await gateway.connect({ identity: createDeviceKey() }); // at the console
    strictEqual((await here.request("health", {})).ok, true);
  });

  test("a proxy that does not prove itself brings no users", async () => {
    const { gateway, proxy, url } = await start((origin) => ({
      trustedProxies: ["127.0.0.1"],
      controlUi: { allowedOrigins: [origin] },
      auth: {
        mode: "trusted-proxy",
        trustedProxy: { userHeader: "X-User", secret: `${PROOF}-and-more` },
      },
    }));
    await using _gateway = gateway;
    await using _proxy = proxy;
    for (const token of [TOKEN, ""]) {
      const refused = await refusal(`${url}/?user=ada`, { auth: { token } });
      strictEqual(codeOf(refused), "AUTH_UNAUTHORIZED");
      match(refused.message, /^unauthorized: only a trusted proxy may bring users here/);
    }
  });

  test("a proven proxy brings the users that the owner allows, whatever they say themselves", async () => {
    const { gateway, proxy, url } = await start((origin) => ({
      trustedProxies: ["127.0.0.1"],
      controlUi: { allowedOrigins: [origin] },
      auth: {
        mode: "trusted-proxy",
        trustedProxy: { userHeader: "X-User", allowUsers: ["ada"], secret: PROOF },
      },
    }));
    await using _gateway = gateway;
    await using _proxy = proxy;
    const identity = createDeviceKey();
    await approve(gateway, await refusal(`${url}/?user=ada`, { identity, auth: {} }));
    await using client = await connectTo(`${url}/?user=ada`, { identity, auth: {} });
    strictEqual(client.client.hello.auth?.method, "trusted-proxy");
    strictEqual((await client.request("health", {})).ok, true);
    match((await refusal(`${url}/?user=eve`, { auth: {} })).message, /this user is not allowed/);
    match((await refusal(url, { auth: {} })).message, /names no user/);

    // Straight to the gateway, the same headers make a stranger of whoever sends them.
    using forger = await RawClient.open(gateway.url, {
      Host: new URL(url).host,
      "X-Forwarded-For": "127.0.0.1",
      "X-User": "ada",
    });
    await forger.message();
    await forger.text(JSON.stringify({
      type: "req",
      id: "1",
      method: "connect",
      params: {
        minProtocol: 4,
        maxProtocol: 4,
        client: { id: "cli", mode: "cli", version: "1", platform: "linux" },
      },
    }));
    match(await forger.message(), /trusted_proxy_untrusted_source/);
  });
}

const DEMO = { defaults: { model: { primary: "demo/demo" } } };

/** The owner, at the console, approves what a refused device asked for. */
async function approve(gateway: TestGateway, refused: GatewayRefusal): Promise<void> {
  strictEqual(codeOf(refused), "PAIRING_REQUIRED");
  const { requestId } = refused.details as { requestId: string };
  await using owner = await gateway.connect();
  await owner.request("device.pair.approve", { requestId });
}

async function refusal(
  url: string,
  options: Parameters<typeof connectTo>[1],
): Promise<GatewayRefusal> {
  try {
    await using _client = await connectTo(url, options);
  } catch (error) {
    ok(error instanceof GatewayRefusal, String(error));
    return error;
  }
  throw new Error("it was let in");
}

function codeOf({ details }: GatewayRefusal): unknown {
  return (details as { code?: string } | undefined)?.code;
}

/** A proxy as a process of its own, with its files in a folder that goes with it. */
class Proxy implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #folder: string;
  readonly #heard: Promise<void>;

  private constructor(
    process: Deno.ChildProcess,
    { folder, heard }: { folder: string; heard: Promise<void> },
  ) {
    this.#process = process;
    this.#folder = folder;
    this.#heard = heard;
  }

  /** Resolves once it accepts connections. */
  static async start(
    program: string,
    { configure, file, args, ready }: Software,
    { from, to }: { from: number; to: number },
  ): Promise<Proxy> {
    const folder = await Deno.makeTempDir({ prefix: "openclaw-proxy-" });
    await Deno.writeTextFile(`${folder}/${file}`, configure(from, to));
    const process = new Deno.Command(program, {
      args: [...args(folder)],
      cwd: folder,
      clearEnv: true,
      env: { HOME: folder, PATH: "/usr/bin:/bin" },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const accepts = Promise.withResolvers<void>();
    const heard = (async () => {
      let said = "";
      for await (const text of process.stderr.pipeThrough(new TextDecoderStream())) {
        said += text;
        if (said.includes(ready)) accepts.resolve();
      }
      accepts.reject(new Error(`${program} ended: ${said}`)); // later it ends when it is told to
    })();
    await accepts.promise;
    return new Proxy(process, { folder, heard });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGTERM");
    await this.#process.status;
    await this.#heard;
    await Deno.remove(this.#folder, { recursive: true });
  }
}

/** A port that nobody has now. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function find(program: string): Promise<string | undefined> {
  const path = (Deno.env.get("PATH") ?? "").split(":");
  for (const folder of [...path, "/usr/sbin"]) { // where a user's own PATH does not lead
    try {
      if ((await Deno.stat(`${folder}/${program}`)).isFile) return `${folder}/${program}`;
    } catch {
      // not there
    }
  }
  return undefined;
}
