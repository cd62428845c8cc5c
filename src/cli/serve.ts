/** The gateway's program: the one place where the parts meet. */
import { randomBytes, randomUUID } from "node:crypto";
import { createAgent } from "../agent/agent.ts";
import type { Config } from "../config.ts";
import { Attempts } from "../gateway/attempts.ts";
import type { AuthPolicy } from "../gateway/credentials.ts";
import { createGateway, type Gateway } from "../gateway/gateway.ts";
import type { Log } from "../log.ts";
import { modelRef } from "../model.ts";
import { isLoopback } from "../server/locality.ts";
import { listen, type Server } from "../server/server.ts";
import { createUi } from "../server/ui.ts";
import type { Store } from "../store.ts";
import { openStore, StoreBusyError } from "../store/sqlite.ts";
import { textAt } from "./config_file.ts";
import { Failure } from "./failure.ts";
import { describeHost, tailnetAddress } from "./host.ts";
import { LiveConfig } from "./live_config.ts";
import { openLog } from "./log_file.ts";
import type { ServeFlags } from "./serve_flags.ts";
import { VERSION } from "./version.ts";

/** How long a client may take for its handshake, in milliseconds. */
const HANDSHAKE_MS = 15_000;
/** What may still be done after a signal to stop, in milliseconds. */
const STOP_MS = 5_000;
/** How long `--force` waits for the other gateway to go, in milliseconds. */
const TAKEOVER_MS = 10_000;

/** A gateway at work: kernel, port and store. Disposing of it says goodbye to its clients first. */
export interface RunningGateway extends AsyncDisposable {
  readonly gateway: Gateway;
  readonly server: Server;
  readonly auth: AuthPolicy;
}

/** Runs the gateway until it is told to stop. Resolves to the exit code. */
export async function serve(flags: ServeFlags, print: (line: string) => void): Promise<number> {
  const running = await start(flags, print);
  announce(running, { stateDir: flags.stateDir, print });
  const signal = await stopSignal();
  print(`Stopping (${signal})`);
  const forced = setTimeout(() => Deno.exit(1), STOP_MS);
  await running[Symbol.asyncDispose]();
  clearTimeout(forced);
  return 0;
}

/** Puts the parts together and opens the port. Rejects with a `Failure` for what the user can mend. */
export async function start(
  flags: ServeFlags,
  print: (line: string) => void,
): Promise<RunningGateway> {
  const { stateDir, configPath, env } = flags;
  await using parts = new AsyncDisposableStack();
  await makePrivate(stateDir);
  await makePrivate(`${stateDir}/logs`);
  const { log, reader } = parts.use(openLog(`${stateDir}/logs/openclaw.log`, {
    level: flags.verbose ? "debug" : "info",
    shown: flags.verbose ? "debug" : "warn",
    print,
  }));
  const config = parts.use(await LiveConfig.open(configPath, log));
  const { hostname, also } = address(flags, config.config);
  const auth = await authPolicy(flags, { config, hostname, print });
  const port = flags.port ?? config.config.gateway?.port ?? flags.defaultPort;
  const storePath = `${stateDir}/openclaw.sqlite`;
  const store = parts.use(await takeStore(storePath, { port, force: flags.force, print }));
  const agent = createAgent({
    config: () => config.config,
    stateDir,
    env,
    log: (line) => log.part("agent").info(line),
  });
  const gateway = parts.use(createGateway({
    config,
    store,
    agent,
    models: agent.models,
    log,
    logs: reader,
    host: describeHost(VERSION),
    stateDir,
  }));
  const server = parts.use(open({ gateway, hostname, also, port, config, log, auth, stateDir }));
  config.watch();
  let secret = JSON.stringify(auth());
  parts.use(config.onChange(() => {
    const now = JSON.stringify(auth());
    if (now === secret) return;
    secret = now;
    log.info("The gateway's secret changed: who came in by the old one must show the new one");
    server.evict();
  }));
  const { hostname: boundTo, port: bound } = server.addr;
  log.info("Listening", { hostname: boundTo, port: bound, version: VERSION, auth: auth().mode });
  const opened = parts.move();
  return {
    gateway,
    server,
    auth: auth(),
    async [Symbol.asyncDispose]() {
      log.info("Stopping");
      gateway.announceShutdown("gateway stopping");
      await gateway.stopRuns();
      await server.goodbye();
      await opened[Symbol.asyncDispose]();
    },
  };
}

function open({ gateway, hostname, also, port, config, log, auth, stateDir }: {
  gateway: Gateway;
  hostname: string;
  also: readonly string[];
  port: number;
  config: LiveConfig;
  log: Log;
  auth: () => AuthPolicy;
  stateDir: string;
}): Server {
  const { gateway: settings } = config.config;
  try {
    return listen({
      gateway,
      hostname,
      also,
      port,
      config: () => config.config,
      bus: gateway.bus,
      log: log.part("server"),
      auth,
      attempts: new Attempts(settings?.auth?.rateLimit),
      paths: { configPath: config.path, stateDir },
      bootId: randomUUID(),
      handshakeMs: settings?.handshakeTimeoutMs ?? HANDSHAKE_MS,
      page: createUi(pageRoot()),
    });
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    throw new Failure(
      "PORT_IN_USE",
      `Cannot listen on ws://${hostname}:${port}: another program has the port`,
      { hint: "stop it, or choose another port with --port", cause: error },
    );
  }
}

/** Where the built page lies: beside the bundle in the binary, in `dist/` of a checkout. */
function pageRoot(): URL {
  const inBinary = Deno.build.standalone;
  return new URL(inBinary ? "./web/" : "../../dist/web/", import.meta.url);
}

function announce(
  { gateway, server, auth }: RunningGateway,
  { stateDir, print }: { stateDir: string; print: (line: string) => void },
): void {
  const { hostname, port } = server.addr;
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  print(`OpenClaw gateway ${VERSION}`);
  print(`  listening  ws://${host}:${port}`);
  const opens = auth.mode === "none" ? "" : "   (`openclaw dashboard` prints it with its token)";
  print(`  web page   http://${host === "0.0.0.0" ? "127.0.0.1" : host}:${port}/${opens}`);
  print(`  state      ${stateDir}`);
  gateway.model().then(
    ({ info, source, demo }) => {
      print(`  model      ${modelRef(info)} (${source})`);
      if (!demo) return;
      print("             It only shows how things work. For a real one set ANTHROPIC_API_KEY or");
      print("             OPENAI_API_KEY, start Ollama, or run:");
      print("             openclaw config set agents.defaults.model.primary provider/model");
    },
    (cause) =>
      print(`  model      not known yet: ${cause instanceof Error ? cause.message : cause}`),
  );
}

/** Resolves at the first signal to stop; a second one ends the process at once. */
function stopSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      const hear = () => {
        Deno.removeSignalListener(signal, hear);
        resolve(signal);
      };
      Deno.addSignalListener(signal, hear);
    }
  });
}

/** What clients must show. Read at each use, so that a changed secret counts at once. */
async function authPolicy(
  flags: ServeFlags,
  { config, hostname, print }: {
    config: LiveConfig;
    hostname: string;
    print: (line: string) => void;
  },
): Promise<() => AuthPolicy> {
  const { env } = flags;
  const read = (): AuthPolicy | undefined => {
    const value = config.config;
    const token = flags.token ?? textAt(value, env, "gateway", "auth", "token") ??
      env.OPENCLAW_GATEWAY_TOKEN;
    const password = flags.password ?? textAt(value, env, "gateway", "auth", "password") ??
      env.OPENCLAW_GATEWAY_PASSWORD;
    const mode = flags.auth ?? value.gateway?.auth?.mode ??
      (password && !flags.token ? "password" : "token");
    if (mode === "none") {
      if (isLoopback(hostname)) return { mode };
      throw new Failure("UNSAFE_BIND", `Auth mode none is for loopback only, not for ${hostname}`, {
        hint: "use --auth token, or --bind loopback",
      });
    }
    const secret = mode === "token" ? token : password;
    if (secret) return { mode, secret };
    if (mode === "token") return undefined;
    throw new Failure("CONFIG_INVALID", "Auth mode is password, and no password is set", {
      hint: "pass --password, or set OPENCLAW_GATEWAY_PASSWORD or gateway.auth.password",
    });
  };
  const made: AuthPolicy = { mode: "token", secret: randomBytes(24).toString("hex") };
  let last = read();
  if (last === undefined) {
    await config.write(withToken(config, made.secret));
    print(`A token was made and stored in ${config.path}`);
  }
  return () => {
    try {
      last = read() ?? last;
    } catch {
      // An edit that would open the gateway, or close it for good, leaves the last policy in force.
    }
    return last ?? made;
  };
}

function withToken({ text, config }: LiveConfig, token: string): string {
  const value: Config = text === undefined ? {} : config;
  const gateway = { ...value.gateway, auth: { ...value.gateway?.auth, token } };
  return `${JSON.stringify({ ...value, gateway }, null, 2)}\n`;
}

/** Where to listen. */
function address(
  flags: ServeFlags,
  config: Config,
): { hostname: string; also: readonly string[] } {
  const hostname = hostnameOf(flags.bind ?? config.gateway?.bind ?? "loopback", config);
  return { hostname, also: hostname === "127.0.0.1" ? ["::1"] : [] };
}

function hostnameOf(bind: NonNullable<ServeFlags["bind"]>, config: Config): string {
  switch (bind) {
    case "lan":
      return "0.0.0.0";
    case "tailnet":
      return tailnetAddress() ?? "127.0.0.1";
    case "custom": {
      const host = config.gateway?.customBindHost;
      if (host !== undefined) return host;
      throw new Failure("CONFIG_INVALID", "Bind is custom, and gateway.customBindHost is not set");
    }
    default:
      return "127.0.0.1";
  }
}

/** Opens the store, which one process can hold. With `force` the one that holds it is told to go. */
async function takeStore(
  path: string,
  { port, force, print }: { port: number; force: boolean; print: (line: string) => void },
): Promise<Store> {
  const holder = {
    pid: Deno.pid,
    startedAt: Date.now(),
    ...(port === 0 ? {} : { port, url: `ws://127.0.0.1:${port}` }),
  };
  const giveUpAt = Date.now() + TAKEOVER_MS;
  for (let asked = false;;) {
    try {
      return openStore(path, { holder });
    } catch (error) {
      if (!(error instanceof StoreBusyError)) throw error;
      const pid = error.holder?.pid;
      if (!force || pid === undefined || Date.now() > giveUpAt) {
        throw new Failure("ALREADY_RUNNING", error.message, {
          hint: "stop it first, or start with --force to take over",
          cause: error,
        });
      }
      if (!asked) {
        print(`Stopping the gateway that runs as process ${pid}`);
        Deno.kill(pid, "SIGTERM");
        asked = true;
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

async function makePrivate(folder: string): Promise<void> {
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  if (Deno.build.os !== "windows") await Deno.chmod(folder, 0o700);
}
