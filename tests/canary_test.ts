/**
 * Canaries: a secret of its own in every place that can hold one, every way of failing that can be
 * reached, and not one of them in what the gateway and its commands write, send or print.
 */
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import {
  freePort,
  fromSources,
  type GatewayProcess,
  type Start,
  startGateway,
} from "../scripts/gateway_process.ts";
import { GatewayClient } from "../src/client/client.ts";
import { createDeviceKey } from "../src/client/identity.ts";
import type { EventFrame } from "../schemas/frames.ts";
import { connectFrame, connectTo, RawSocket } from "./gateway.ts";

/** A secret that nothing else in the world says. */
const secret = (place: string) => `canary-${place}-${crypto.randomUUID().replaceAll("-", "")}`;

/** What the owner has put into the configuration, its `.env`, the environment. */
const KEPT = {
  gatewayToken: secret("gateway-token"),
  gatewayPassword: secret("gateway-password"),
  remoteToken: secret("remote-token"),
  proxySecret: secret("proxy-secret"),
  hooksToken: secret("hooks-token"),
  botToken: secret("bot-token"),
  unknownSection: secret("unknown-section"),
  echoKey: secret("echo-key"),
  echoHeader: secret("echo-header"),
  echoBearer: secret("echo-bearer"),
  deadUrlPassword: secret("dead-url-password"),
  deadUrlKey: secret("dead-url-key"),
  deadKey: secret("dead-key"),
  anthropicEnv: secret("anthropic-env"),
  openaiDotEnv: secret("openai-dot-env"),
  passwordEnv: secret("password-env"),
};

/** What clients send and nobody must repeat to others. */
const SENT = {
  wrongToken: secret("wrong-token"),
  wrongPassword: secret("wrong-password"),
  wrongDeviceToken: secret("wrong-device-token"),
  wrongBearer: secret("wrong-bearer"),
  invalidConfig: secret("invalid-config"),
};

type Canaries = Readonly<Record<string, string>>;

Deno.test("no secret is in a log, an error, an event, an answer, or the list of processes", async () => {
  await using echo = new EchoServer();
  const home = await Deno.makeTempDir({ prefix: "openclaw-canary-" });
  const stateDir = `${home}/.openclaw`;
  try {
    await writeConfig(stateDir, echo.url);
    const start = await startWith(home);
    const told = new Map<string, string>();
    let devices: Canaries = {};
    {
      await using gateway = await startGateway(start, { home, flags: ["--verbose"] });
      await using reader = await Reader.open(gateway.url);
      await using node = await Node.open(gateway.url);
      await using paired = await Node.open(gateway.url, "operator");
      devices = { nodeToken: node.token, operatorToken: paired.token };
      told.set("answers to an admin", await failAsAdmin(gateway.url, echo));
      await failAsStranger(gateway.url, devices);
      told.set("answers to HTTP", await failOverHttp(gateway));
      told.set("answers to a reader", await reader.askEverything());
      told.set("commands", await failOnCommandLine(start, { home, gateway }));
      await editBadly(stateDir, reader);
      told.set("what a reader got", reader.heard());
      told.set("what a node got", await node.heard([]));
      told.set("what a paired operator got", await paired.heard(LISTS));
      told.set("the list of processes", await Deno.readTextFile(`/proc/${gateway.pid}/cmdline`));
      strictEqual((await gateway.end("SIGTERM")).code, 0, gateway.output());
      told.set("standard output and error", gateway.output());
    }
    for (const [path, text] of filesToCheck(stateDir)) told.set(path, text);
    const all = { ...KEPT, ...SENT, ...devices };
    // The store is where tokens of devices are kept; nothing else is to be in it.
    const inStore = { ...KEPT, ...SENT };
    const leaks = [...told].flatMap(([where, text]) =>
      leaked(text, where.includes("sqlite") ? inStore : all).map((name) => `${name} in ${where}`)
    );
    deepStrictEqual(leaks, []);
    // The test has looked at something: each of these has what it should.
    ok(told.get("standard output and error")?.includes("Config edit ignored"));
    ok(told.get("logs/openclaw.log")?.includes("A connection was refused"));
    ok(told.get("logs/audit.jsonl")?.includes("AUTH_TOKEN_MISMATCH"));
    ok((told.get("what a reader got")?.length ?? 0) > 1000);
  } finally {
    await Deno.remove(home, { recursive: true });
  }
});

Deno.test("the commands that are meant to show a secret show that one and no other", async () => {
  const home = await Deno.makeTempDir({ prefix: "openclaw-canary-" });
  try {
    await writeConfig(`${home}/.openclaw`, "http://127.0.0.1:1");
    const { command, env } = await startWith(home);
    // A password in the environment would go before the token in the file.
    const start = { command, env: { ...env, OPENCLAW_GATEWAY_PASSWORD: "" } };
    for (
      const [words, shown] of [
        [["dashboard", "--no-open"], ["gatewayToken"]],
        [["config", "get", "gateway.auth.token"], ["gatewayToken"]],
        [["config", "get", "gateway.auth"], []],
      ] as const
    ) {
      const { stdout, stderr } = await openclaw(start, { home, words });
      deepStrictEqual(leaked(stdout + stderr, KEPT), shown, words.join(" "));
    }
  } finally {
    await Deno.remove(home, { recursive: true });
  }
});

/** The names of those that a text holds, as they are or encoded as credentials often are. */
function leaked(text: string, canaries: Canaries): readonly string[] {
  return Object.entries(canaries)
    .filter(([, value]) => text.includes(value) || text.includes(btoa(value).slice(0, 40)))
    .map(([name]) => name);
}

async function writeConfig(stateDir: string, echo: string): Promise<void> {
  const config = {
    gateway: {
      auth: {
        mode: "token",
        token: KEPT.gatewayToken,
        password: KEPT.gatewayPassword,
        trustedProxy: { secretHeader: "x-proxy", secret: KEPT.proxySecret },
      },
      remote: { url: "wss://127.0.0.1:1", token: KEPT.remoteToken },
    },
    // All models are asked at once: some are asked again, after a while.
    agents: { defaults: { model: { primary: "echo/401" }, maxConcurrent: 16 } },
    models: {
      providers: {
        echo: {
          baseUrl: `${echo}/v1`,
          api: "openai-completions",
          apiKey: KEPT.echoKey,
          headers: {
            "x-team": KEPT.echoHeader,
            "x-authorization": `Bearer ${KEPT.echoBearer}`,
          },
          models: MODELS.map((id) => ({ id })),
        },
        dead: {
          baseUrl: `http://me:${KEPT.deadUrlPassword}@127.0.0.1:${freePort()}/v1` +
            `?key=${KEPT.deadUrlKey}`,
          api: "openai-responses",
          apiKey: KEPT.deadKey,
          models: [{ id: "gone" }],
        },
        anthropic: { baseUrl: `${echo}/v1`, models: [{ id: "500" }] },
        openai: { baseUrl: `${echo}/v1`, models: [{ id: "401" }] },
      },
    },
    hooks: { enabled: false, token: KEPT.hooksToken },
    channels: { telegram: { enabled: false, botToken: KEPT.botToken } },
    somethingOfTomorrow: { clientSecret: KEPT.unknownSection },
  };
  await Deno.mkdir(stateDir, { recursive: true, mode: 0o700 });
  await Deno.writeTextFile(`${stateDir}/openclaw.json`, JSON.stringify(config), { mode: 0o600 });
  await Deno.writeTextFile(`${stateDir}/.env`, `OPENAI_API_KEY=${KEPT.openaiDotEnv}\n`);
}

/** How each model of the echoing server fails. */
const MODELS = ["401", "429", "500", "html", "stream", "cut"] as const;

async function startWith(home: string): Promise<Start> {
  const { command, env } = await fromSources();
  return {
    command,
    env: {
      ...env,
      ANTHROPIC_API_KEY: KEPT.anthropicEnv,
      OPENCLAW_GATEWAY_PASSWORD: KEPT.passwordEnv,
      OPENCLAW_STATE_DIR: `${home}/.openclaw`,
    },
  };
}

/** A model server that fails in as many ways as there are, and says all that it was sent. */
class EchoServer implements AsyncDisposable {
  /** The models that were asked. */
  readonly asked = new Set<string>();
  readonly #server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    async (request) => {
      const headers = JSON.stringify(Object.fromEntries(request.headers));
      const { model = "" } = JSON.parse(await request.text() || "{}");
      this.asked.add(model);
      const said = `Incorrect API key provided, in ${request.url} with ${headers}`;
      const error = { error: { message: said, type: "invalid_request_error", code: headers } };
      const sse = { headers: { "content-type": "text/event-stream" } };
      switch (model) {
        case "html":
          return new Response(`<html>${said}</html>`, { status: 502 });
        case "stream":
          return new Response(`data: ${JSON.stringify(error)}\n\ndata: [DONE]\n\n`, sse);
        case "cut":
          return new Response(`data: {"id": "${headers}\n\n`, sse);
        default:
          return Response.json(error, { status: Number(model) || 500, statusText: "No" });
      }
    },
  );

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

/** A client without a device that may only read, and every byte that it was sent. */
class Reader implements AsyncDisposable {
  readonly #socket: RawSocket;

  private constructor(socket: RawSocket) {
    this.#socket = socket;
  }

  static async open(url: string): Promise<Reader> {
    const socket = new RawSocket(url);
    const auth = { token: KEPT.gatewayToken };
    await socket.send(connectFrame({ auth, scopes: ["operator.read"] }));
    await socket.frame(({ id }) => id === "c1");
    const reader = new Reader(socket);
    await reader.ask("sessions.subscribe", {});
    return reader;
  }

  async ask(method: string, params: unknown): Promise<Record<string, unknown>> {
    const id = crypto.randomUUID();
    await this.#socket.send(JSON.stringify({ type: "req", id, method, params }));
    return await this.#socket.frame((frame) => frame.id === id);
  }

  /** Calls whatever there is to call, rightly and wrongly. */
  async askEverything(): Promise<string> {
    const [hello] = this.#socket.frames.filter(({ id }) => id === "c1") as {
      payload: { features: { methods: readonly string[] } };
    }[];
    const answers: unknown[] = [];
    for (const method of hello?.payload.features.methods ?? []) {
      answers.push(await this.ask(method, {}), await this.ask(method, { wrong: 1 }));
    }
    answers.push(await this.ask("logs.tail", { limit: 5000, maxBytes: 1_000_000 }));
    answers.push(await this.ask("chat.history", { sessionKey: "agent:main:main" }));
    return JSON.stringify(answers);
  }

  heard(): string {
    return JSON.stringify(this.#socket.frames);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#socket[Symbol.asyncDispose]();
  }
}

/** A device with its own token, and all that it was told but that token. */
class Node implements AsyncDisposable {
  readonly #client: GatewayClient;
  readonly #events: readonly EventFrame[];

  private constructor(client: GatewayClient, events: readonly EventFrame[]) {
    this.#client = client;
    this.#events = events;
  }

  static async open(url: string, role: "node" | "operator" = "node"): Promise<Node> {
    const events: EventFrame[] = [];
    const client = await GatewayClient.connect({
      url,
      role,
      client: {
        id: role === "node" ? "node-host" : "cli",
        mode: role === "node" ? "node" : "cli",
        version: "test",
        platform: "linux",
      },
      ...(role === "node"
        ? { caps: ["canvas"], commands: ["canvas.present"] }
        : { scopes: ["operator.read", "operator.pairing"] }),
      auth: { token: KEPT.gatewayToken },
      identity: createDeviceKey(),
      onEvent: (event) => events.push(event),
    });
    return new Node(client, events);
  }

  get token(): string {
    const { auth } = this.#client.hello;
    ok(auth?.deviceToken, "a device gets a token of its own");
    return auth.deviceToken;
  }

  /** All of it, with the answers to these methods. */
  async heard(methods: readonly string[]): Promise<string> {
    const answers = await Promise.all(methods.map((method) => this.#client.call(method, {})));
    const { auth: _own, ...hello } = this.#client.hello;
    return JSON.stringify([hello, this.#events, answers]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
  }
}

/** What tells of devices, each of which has a token. */
const LISTS = ["device.pair.list", "node.pair.list", "node.list", "system-presence"];

/** Makes every model fail, and every change of the configuration. Resolves to the answers. */
async function failAsAdmin(url: string, echo: EchoServer): Promise<string> {
  await using admin = await connectTo(url, { auth: { token: KEPT.gatewayToken } });
  const answers: unknown[] = [];
  const ask = async (method: string, params: unknown) => {
    try {
      answers.push(await admin.client.call(method, params, { final: true }));
    } catch (error) {
      const { message, ...rest } = error as Error;
      answers.push({ message, ...rest });
    }
  };
  const refs = [...MODELS.map((id) => `echo/${id}`), "dead/gone", "anthropic/500", "openai/401"];
  await Promise.all(refs.map(async (ref) => {
    const sessionKey = `agent:main:${ref.replace("/", "-")}`;
    await ask("sessions.create", { key: sessionKey });
    await ask("sessions.patch", { key: sessionKey, model: ref });
    const idempotencyKey = crypto.randomUUID();
    await ask("agent", { message: "hello", sessionKey, idempotencyKey, timeout: 20 });
    await ask("chat.history", { sessionKey });
  }));
  deepStrictEqual([...echo.asked].sort(), [...MODELS].sort(), "the models were asked");
  const { hash } = await admin.request("config.get", {});
  for (
    const raw of [
      `{"gateway":{"auth":{"token":"${SENT.invalidConfig}`,
      JSON.stringify({ gateway: { auth: { token: { value: SENT.invalidConfig } } } }),
      JSON.stringify({ gateway: { port: SENT.invalidConfig } }),
      JSON.stringify({ models: { providers: { echo: { apiKey: [SENT.invalidConfig] } } } }),
      JSON.stringify({ agents: { list: [{ id: `No ${SENT.invalidConfig}` }] } }),
    ]
  ) {
    for (const method of ["config.set", "config.patch"]) await ask(method, { raw, baseHash: hash });
    await ask("config.set", { raw, baseHash: "another" });
  }
  for (
    const method of ["config.get", "config.schema", "status", "health", "models.list", "logs.tail"]
  ) await ask(method, {});
  return JSON.stringify(answers);
}

/** Comes with wrong credentials, and with right ones in wrong places. */
async function failAsStranger(url: string, devices: Canaries): Promise<void> {
  const identity = createDeviceKey();
  for (
    const auth of [
      { token: SENT.wrongToken },
      { password: SENT.wrongPassword },
      { token: SENT.wrongToken, password: SENT.wrongPassword },
      { deviceToken: SENT.wrongDeviceToken },
    ]
  ) await rejects(connectTo(url, { auth, identity }));
  const everything = [...Object.values(KEPT), ...Object.values(SENT), ...Object.values(devices)];
  for (const value of everything) {
    for (
      const frame of [
        `{"type":"req","id":"${value}`,
        JSON.stringify({ type: value, id: "1", method: "connect" }),
        JSON.stringify({ type: "req", id: "1", method: value }),
        JSON.stringify({ type: "req", id: "1", method: "connect", [value]: 1 }),
        connectFrame({ auth: { token: SENT.wrongToken, [value]: value } }),
        connectFrame({ client: { id: value, mode: value, version: value, platform: value } }),
        connectFrame({ role: value, auth: { token: KEPT.gatewayToken } }),
      ]
    ) {
      await using socket = new RawSocket(url);
      await socket.send(frame);
      await socket.closed;
    }
  }
  await using inside = new RawSocket(url);
  await inside.send(connectFrame({ auth: { token: KEPT.gatewayToken } }));
  await inside.frame(({ id }) => id === "c1");
  for (const [i, value] of everything.entries()) {
    await inside.send(value);
    await inside.send(JSON.stringify({ type: "req", id: `m${i}`, method: value, params: {} }));
    await inside.send(
      JSON.stringify({ type: "req", id: `p${i}`, method: "status", params: value }),
    );
    await inside.send(
      JSON.stringify({
        type: "req",
        id: `d${i}`,
        method: "device.pair.approve",
        params: { [value]: 1 },
      }),
    );
    await inside.frame(({ id }) => id === `d${i}`);
  }
}

/** Asks the web side for what is not there, with secrets wherever a client may put them. */
async function failOverHttp({ port }: GatewayProcess): Promise<string> {
  const answers: string[] = [];
  for (const value of [KEPT.gatewayToken, KEPT.hooksToken, SENT.wrongBearer]) {
    const requests: readonly (readonly [string, RequestInit])[] = [
      [`/?token=${value}`, {}],
      [`/${value}/../x`, {}],
      [`/hooks/${value}`, { method: "POST", body: value }],
      [`/v1/chat/completions?key=${value}`, { headers: { authorization: `Bearer ${value}` } }],
      [`/healthz?token=${value}`, { method: "DELETE" }],
      [`/${value}`, { headers: { origin: `https://${value}.example` } }],
      ["/", { headers: { upgrade: "websocket", connection: "upgrade", "x-token": value } }],
    ];
    for (const [path, init] of requests) {
      const response = await fetch(`http://127.0.0.1:${port}${path}`, {
        ...init,
        redirect: "manual",
      });
      answers.push(JSON.stringify([...response.headers]), await response.text());
    }
  }
  return answers.join("\n");
}

/** Runs commands that fail, and those that show what there is. Resolves to all that they print. */
async function failOnCommandLine(
  start: Start,
  { home, gateway }: { home: string; gateway: GatewayProcess },
): Promise<string> {
  const url = gateway.url;
  const dead = "ws://127.0.0.1:1";
  const port = { OPENCLAW_GATEWAY_PORT: String(gateway.port) };
  const lines: readonly (readonly string[])[] = [
    ["config", "get"],
    ["config", "get", "models"],
    ["config", "get", "--json"],
    ["config", "get", "gateway.auth.nothing"],
    ["config", "validate", "--json"],
    ["config", "set", "gateway.port", SENT.invalidConfig],
    ["config", "set", "models.providers.echo.apiKey", `["${SENT.invalidConfig}"]`],
    ["status", "--url", url, "--token", SENT.wrongToken],
    ["status", "--url", dead, "--token", KEPT.gatewayToken],
    ["health", "--url", `ws://me:${SENT.wrongPassword}@127.0.0.1:1/?token=${SENT.wrongToken}`],
    ["health", "--url", `http://me:${SENT.wrongPassword}@127.0.0.1:1/`],
    ["health", "--url", `ws://me:${SENT.wrongPassword}@192.0.2.1:1/`],
    ["health", "--password", SENT.wrongPassword, "--json"],
    ["call", "config.get"],
    ["call", "no.such.method", "--json"],
    ["devices", "list", "--json"],
    ["logs", "--limit", "5000"],
    ["gateway", "status"],
    ["gateway", "--port", String(gateway.port)],
    ["security", "audit", "--deep"],
    ["security", "log", "--limit", "100000"],
    ["agent", "--message", "hello"],
  ];
  const printed = await Promise.all(
    lines.map((words) => openclaw(start, { home, words, env: port })),
  );
  return printed.map(({ stdout, stderr }) => stdout + stderr).join("\n");
}

async function openclaw(
  { command: [program = "", ...args], env }: Start,
  { home, words, env: more = {} }: {
    home: string;
    words: readonly string[];
    env?: Readonly<Record<string, string>>;
  },
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const { stdout, stderr } = await new Deno.Command(program, {
    args: [...args, ...words],
    clearEnv: true,
    env: { HOME: home, PATH: Deno.env.get("PATH") ?? "", ...env, ...more },
  }).output();
  const decoder = new TextDecoder();
  return { stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Spoils the configuration with an editor, as people do, and waits until the gateway has seen it. */
async function editBadly(stateDir: string, reader: Reader): Promise<void> {
  const path = `${stateDir}/openclaw.json`;
  const good = await Deno.readTextFile(path);
  await Deno.writeTextFile(path, `${good.trimEnd().slice(0, -1)}, "x": "${SENT.invalidConfig}`);
  for (let tail = ""; !tail.includes("Config edit ignored");) {
    tail = JSON.stringify(await reader.ask("logs.tail", { limit: 100 }));
  }
  await reader.ask("config.get", {});
  await Deno.writeTextFile(path, good);
}

/** All that is written below the state folder, but for what the owner keeps secrets in. */
function* filesToCheck(stateDir: string, below = ""): Iterable<readonly [string, string]> {
  const decoder = new TextDecoder("latin1");
  for (const { name, isDirectory } of Deno.readDirSync(`${stateDir}/${below}`)) {
    const path = `${below}${name}`;
    if (isDirectory) yield* filesToCheck(stateDir, `${path}/`);
    else if (!/^openclaw\.json|^\.env$|^identity\//.test(path)) {
      yield [path, decoder.decode(Deno.readFileSync(`${stateDir}/${path}`))];
    }
  }
}
