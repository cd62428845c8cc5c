/** The gateway's program: the one place where the parts meet. */
import { Buffer } from "node:buffer";
import { randomBytes, randomUUID } from "node:crypto";
import { createAgent } from "../agent/agent.ts";
import type { Audit } from "../audit.ts";
import { NETWORKS } from "../channels/registry.ts";
import type { Config } from "../config.ts";
import { Attempts } from "../gateway/attempts.ts";
import { readPolicy } from "../gateway/auth_policy.ts";
import type { AuthPolicy } from "../gateway/credentials.ts";
import { createGateway, type Gateway } from "../gateway/gateway.ts";
import type { Log } from "../log.ts";
import { modelRef } from "../model.ts";
import { isLoopback } from "../server/address.ts";
import type { DiscoveryOptions } from "../server/discovery.ts";
import { type Exposure, exposureOf, type Place } from "../server/exposure.ts";
import { listen, type Server } from "../server/server.ts";
import { createUi } from "../server/ui.ts";
import type { Store } from "../store.ts";
import { openStore, StoreBusyError, StoreFileError } from "../store/sqlite.ts";
import { AUDIT_FILE, openAudit } from "./audit_file.ts";
import { changedPaths } from "./config_changes.ts";
import { textAt } from "./config_file.ts";
import { Failure } from "./failure.ts";
import { GatewaySecrets } from "./gateway_secrets.ts";
import { describeHost, namesOfHost, networksOf, tailnetAddress } from "./host.ts";
import type { LiveCertificate } from "./live_certificate.ts";
import { LiveConfig } from "./live_config.ts";
import { openLog } from "./log_file.ts";
import { ownBeacon } from "./own_beacon.ts";
import { close, looseIn, octal } from "./private_files.ts";
import { reachableUrls } from "./reach.ts";
import { Secrets } from "./secrets.ts";
import type { ServeFlags } from "./serve_flags.ts";
import { Tailnet } from "./tailnet.ts";
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
  readonly exposure: Exposure;
  /** What the port shows where it speaks TLS. */
  readonly tls?: Pick<LiveCertificate, "fingerprint">;
}

/** Runs the gateway until it is told to stop. Resolves to the exit code. */
export async function serve(flags: ServeFlags, print: (line: string) => void): Promise<number> {
  for (const kind of ["token", "password"] as const) {
    if (flags[kind] === undefined) continue;
    print(
      `warn: Other users of this machine see --${kind} in its list of processes: use --${kind}-file`,
    );
  }
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
  const secrets = new Secrets();
  secrets.learn({ config: { token: flags.token, password: flags.password }, env });
  const { log, reader } = parts.use(openLog(`${stateDir}/logs/openclaw.log`, {
    level: flags.verbose ? "debug" : "info",
    shown: flags.verbose ? "debug" : "warn",
    print,
    secrets,
  }));
  await closeToOthers(stateDir, log);
  const config = parts.use(LiveConfig.open(configPath, log));
  secrets.learn({ config: config.config });
  const { hostname, also } = address(flags, config.config);
  const tls = await certificate(flags, { config: config.config, log });
  if (tls !== undefined) parts.use(tls);
  const own = parts.use(await GatewaySecrets.open(flags, log));
  secrets.learn({ config: own.given });
  const tailscale = flags.tailscale ?? config.config.gateway?.tailscale?.mode ?? "off";
  const place = { hostname, bind: flags.bind ?? config.config.gateway?.bind, tailscale };
  const auth = await Auth.open(flags, { config, own, place, log, print });
  for (const warning of auth.exposure.warnings) log.warn(warning);
  const port = flags.port ?? config.config.gateway?.port ?? flags.defaultPort;
  const storePath = `${stateDir}/openclaw.sqlite`;
  const store = parts.use(await takeStore(storePath, { port, force: flags.force, print }));
  // Only who has the store writes here: two programs would each put the other's file aside.
  const audit = parts.use(openAudit(`${stateDir}/${AUDIT_FILE}`, { log, hide: secrets.hide }));
  const host = describeHost(VERSION);
  const agent = createAgent({
    config: () => config.config,
    stateDir,
    env,
    log: (line) => log.part("agent").info(line),
    messenger: (runId) => gateway.networks.messenger(runId),
  });
  const gateway: Gateway = parts.use(createGateway({
    config,
    store,
    agent,
    models: agent.models,
    log,
    logs: reader,
    audit,
    host,
    stateDir,
    networks: {
      entries: NETWORKS,
      secrets: {
        env,
        readFile(path) {
          const text = Deno.readTextFileSync(path);
          secrets.add(text.trim());
          return text;
        },
      },
      fileRoots: () => gateway.settings.agentIds.map((agentId) => agent.workspaceOf(agentId)),
    },
    tls,
    authMode: () => auth.policy.mode,
    urls: () =>
      reachableUrls(server.addr, { tls: tls !== undefined, tailscale, names: tailnet.names }),
    drawQr,
    async rehearse(signal) {
      try {
        const { rehearse } = await import("../gateway/rehearsal.ts");
        using scratch = store.rehearsal();
        await rehearse({
          store: scratch,
          stateDir: `${stateDir}/rehearsal`,
          agent: agent.standIn(),
          models: agent.models,
          config: config.config,
          host,
        }, signal);
      } catch (cause) {
        log.warn("Cannot rehearse: the first answer will take longer", { cause });
      }
    },
  }));
  const tailnet = parts.use(new Tailnet(env, { log }));
  const server: Server = parts.use(
    open({ gateway, hostname, also, port, tls, config, log, audit, auth, tailnet, stateDir }),
  );
  tls?.watch(async (pair) => {
    await server.renew(pair);
    audit.record({ action: "gateway.tls.renewed", allowed: true });
  });
  config.watch();
  let known = config.config;
  parts.use(config.onChange(() => {
    secrets.learn({ config: config.config });
    const changed = changedPaths(known, config.config);
    known = config.config;
    if (changed.length === 0) return;
    audit.record({ action: "config.changed", allowed: true, target: changed.join(" ") });
  }));
  const reconsider = () => {
    if (!auth.refresh()) return;
    log.info("Who may come in has changed: all but paired devices must come in anew");
    audit.record({ action: "gateway.auth.changed", allowed: true });
    server.evict();
  };
  parts.use(config.onChange(reconsider));
  parts.use(config.onChange(() => void gateway.reconfigured()));
  own.watch(() => {
    secrets.learn({ config: own.given });
    reconsider();
  });
  const { hostname: boundTo, port: bound } = server.addr;
  const beacon = () => ownBeacon(config.config, { env, port: bound, tls });
  if (!isLoopback(boundTo) && beacon() !== undefined) {
    parts.use(await makeKnown({ beacon, links: () => networksOf(boundTo), log }));
  }
  if (!isHere(server)) {
    log.warn(
      `Cannot listen on 127.0.0.1:${bound} as well: this machine's commands look for the gateway ` +
        "there, and show its secret to whatever program that is; choose another port",
    );
  }
  log.info("Listening", {
    hostname: boundTo,
    port: bound,
    version: VERSION,
    auth: auth.policy.mode,
  });
  audit.record({
    action: "gateway.start",
    allowed: true,
    reason: `version ${VERSION}, auth ${auth.policy.mode}, exposure ${auth.exposure.name}`,
    target: `${boundTo}:${bound}`,
  });
  if (tailscale !== "off" || place.bind === "tailnet" || auth.policy.tailscale) {
    await tailnet.open({
      mode: tailscale,
      target: tls === undefined ? `${bound}` : `https+insecure://127.0.0.1:${bound}`,
      resetOnExit: flags.tailscaleResetOnExit ?? config.config.gateway?.tailscale?.resetOnExit ??
        false,
    });
  }
  const opened = parts.move();
  return {
    gateway,
    server,
    auth: auth.policy,
    exposure: auth.exposure,
    ...(tls === undefined ? {} : { tls }),
    async [Symbol.asyncDispose]() {
      log.info("Stopping");
      audit.record({ action: "gateway.stop", allowed: true });
      gateway.announceShutdown("gateway stopping");
      await gateway.stopRuns();
      await server.goodbye();
      await opened[Symbol.asyncDispose]();
    },
  };
}

function open(
  { gateway, hostname, also, port, tls, config, log, audit, auth, tailnet, stateDir }: {
    gateway: Gateway;
    hostname: string;
    also: readonly string[];
    port: number;
    tls: LiveCertificate | undefined;
    config: LiveConfig;
    log: Log;
    audit: Audit;
    auth: Auth;
    tailnet: Tailnet;
    stateDir: string;
  },
): Server {
  const { gateway: settings } = config.config;
  // Beyond loopback, the names that people of the same network know this machine by.
  const names = isLoopback(hostname) ? [] : namesOfHost();
  try {
    return listen({
      gateway,
      hostname,
      also,
      port,
      ...(tls === undefined ? {} : { tls: tls.pair }),
      config: () => config.config,
      bus: gateway.bus,
      log: log.part("server"),
      audit,
      auth: () => auth.policy,
      ownNames: () => [...names, ...tailnet.names],
      whois: (address) => tailnet.whois(address),
      attempts: new Attempts(settings?.auth?.rateLimit, {
        onLock: (key) => audit.record({ action: "lockout", allowed: false, target: key }),
      }),
      paths: { configPath: config.path, stateDir },
      bootId: randomUUID(),
      handshakeMs: settings?.handshakeTimeoutMs ?? HANDSHAKE_MS,
      page: createUi(pageRoot()),
      webhook: (request, account) => gateway.networks.supervisor.respond(request, account),
    });
  } catch (error) {
    throw cannotListen(error, `${hostname}:${port}`);
  }
}

/** The same error, where the user can mend it, with what to do. */
function cannotListen(cause: unknown, on: string): unknown {
  const failure = (code: string, reason: string, hint: string) =>
    new Failure(code, `Cannot listen on ${on}: ${reason}`, { hint, cause });
  if (cause instanceof Deno.errors.AddrInUse) {
    const hint = "stop it, or choose another port with --port";
    return failure("PORT_IN_USE", "another program has the port", hint);
  }
  if (cause instanceof Deno.errors.PermissionDenied) {
    const hint = "choose a port from 1024 on with --port, or see what it names";
    return failure("CANNOT_LISTEN", cause.message, hint);
  }
  const isElsewhere = cause instanceof Deno.errors.AddrNotAvailable ||
    cause instanceof Error && /failed to lookup address|invalid host/.test(cause.message);
  if (!isElsewhere) return cause;
  const hint = "set gateway.customBindHost to an address of this machine, or choose another --bind";
  return failure("CANNOT_LISTEN", cause.message, hint);
}

/** Makes the gateway known on its networks, until disposed of. */
async function makeKnown(options: Omit<DiscoveryOptions, "signal">): Promise<AsyncDisposable> {
  const { discovery } = await import("../server/discovery.ts");
  const stop = new AbortController();
  const ended = discovery({ ...options, signal: stop.signal });
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await ended;
    },
  };
}

/** What to speak TLS with; `undefined` where that is not asked for. */
async function certificate(
  { tls = false, stateDir, env }: ServeFlags,
  { config, log }: { config: Config; log: Log },
): Promise<LiveCertificate | undefined> {
  if (!tls && config.gateway?.tls?.enabled !== true) return undefined;
  const { LiveCertificate } = await import("./live_certificate.ts");
  return await LiveCertificate.open({ config, names: namesOfHost(), stateDir, env, log });
}

/** A picture of a text, for a page that shows it. What draws it is loaded for the first one. */
async function drawQr(text: string): Promise<string> {
  const { png } = await import("./qr_code.ts");
  return `data:image/png;base64,${Buffer.from(await png(text)).toString("base64")}`;
}

/** Where the built page lies: beside the bundle in the binary, in `dist/` of a checkout. */
function pageRoot(): URL {
  const inBinary = Deno.build.standalone;
  return new URL(inBinary ? "./web/" : "../../dist/web/", import.meta.url);
}

function announce(
  { gateway, server, auth, exposure, tls }: RunningGateway,
  { stateDir, print }: { stateDir: string; print: (line: string) => void },
): void {
  const { hostname, port } = server.addr;
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  print(`OpenClaw gateway ${VERSION}`);
  const secure = tls === undefined ? "" : "s";
  const isBoth = server.also.some(({ hostname }) => hostname === "127.0.0.1");
  const local = isBoth ? `, and for this machine ws${secure}://127.0.0.1:${port}` : "";
  print(`  listening  ws${secure}://${host}:${port}${local}`);
  const opens = auth.mode === "none" ? "" : "   (`openclaw dashboard` prints it with its token)";
  const page = `http${secure}://${isHere(server) ? "127.0.0.1" : host}:${port}/${opens}`;
  const isWanted = gateway.settings.config.gateway?.controlUi?.enabled !== false;
  print(`  web page   ${isWanted ? page : "off (gateway.controlUi.enabled)"}`);
  if (tls !== undefined) print(`  TLS        ${tls.fingerprint}`);
  print(`  exposure   ${exposure.name}: ${exposure.reach}`);
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

/** Whether this machine's commands, which ask 127.0.0.1, reach it. */
function isHere({ addr, also }: Pick<Server, "addr" | "also">): boolean {
  return [addr, ...also].some(({ hostname }) => ["127.0.0.1", "0.0.0.0", "::"].includes(hostname));
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

/** Who may come in, by what was set at the start and what the configuration and files say now. */
class Auth {
  readonly #read: () => Settled | undefined;
  readonly #log: Log;
  #settled: Settled;

  private constructor(read: () => Settled | undefined, { settled, log }: {
    settled: Settled;
    log: Log;
  }) {
    this.#read = read;
    this.#settled = settled;
    this.#log = log.part("auth");
  }

  /** Makes a token and stores it where one is wanted. Rejects with a `Failure` for what is unsafe. */
  static async open(
    flags: ServeFlags,
    { config, own, place, log, print }: {
      config: LiveConfig;
      own: GatewaySecrets;
      place: Omit<Place, "policy" | "config">;
      log: Log;
      print: (line: string) => void;
    },
  ): Promise<Auth> {
    const read = () => settle(flags, { config: config.config, own, place });
    let settled = read();
    if (settled === undefined) {
      await config.rewrite(() => withToken(config, randomBytes(24).toString("hex")));
      print(`A token was made and stored in ${config.path}`);
      settled = read();
    }
    if (settled === undefined) throw new Error("the token that was just stored is not there");
    return new Auth(read, { settled, log });
  }

  /** The same object as long as it says the same. */
  get policy(): AuthPolicy {
    return this.#settled.policy;
  }

  get exposure(): Exposure {
    return this.#settled.exposure;
  }

  /**
   * Reads again. Returns whether another policy is in force. An edit that would open the gateway,
   * or close it for good, leaves the last one.
   */
  refresh(): boolean {
    try {
      const settled = this.#read();
      if (settled === undefined) throw new Error("no token is set any more");
      const changes = JSON.stringify(settled.policy) !== JSON.stringify(this.policy);
      if (changes) this.#settled = settled;
      return changes;
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      this.#log.warn(`${reason}: who may come in stays as it was`, { cause });
      return false;
    }
  }
}

interface Settled {
  readonly policy: AuthPolicy;
  readonly exposure: Exposure;
}

/** `undefined` where a token is wanted, and none is set. */
function settle(
  { auth, env }: ServeFlags,
  { config, own, place }: {
    config: Config;
    own: GatewaySecrets;
    place: Omit<Place, "policy" | "config">;
  },
): Settled | undefined {
  const policy = readPolicy(config, {
    ...own.read(config),
    // A token that was given at the start is meant, whatever password the configuration has.
    mode: auth ?? config.gateway?.auth?.mode ?? (own.given.token ? "token" : undefined),
    proxySecret: textAt(config, env, "gateway", "auth", "trustedProxy", "secret"),
    tailscale: place.tailscale,
  });
  if (policy === "token wanted") return undefined;
  if ("fault" in policy) throw new Failure("CONFIG_INVALID", policy.fault, { hint: policy.mend });
  const exposure = exposureOf({ ...place, policy, config });
  if ("fault" in exposure) {
    throw new Failure("UNSAFE_EXPOSURE", exposure.fault, { hint: exposure.mend });
  }
  return { policy, exposure };
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
  if (hostname === "127.0.0.1") return { hostname, also: ["::1"] };
  // Commands of this machine look for it on loopback, whatever one address others reach it at.
  return { hostname, also: hostname === "0.0.0.0" || hostname === "::" ? [] : ["127.0.0.1"] };
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
      if (error instanceof StoreFileError) {
        throw new Failure("STORE_UNUSABLE", error.message, { cause: error });
      }
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

/** Files that were put there by hand, or came back from a backup, may be open to others. */
async function closeToOthers(stateDir: string, log: Log): Promise<void> {
  for await (const loose of looseIn(stateDir, { depth: 1, entries: 300 })) {
    const what = `'${loose.path}' was open to other users (${octal(loose.mode)})`;
    try {
      await close(loose);
      log.info(`${what} and is not any more`);
    } catch (cause) {
      log.warn(`${what} and can't be closed to them`, { cause });
    }
  }
}

async function makePrivate(folder: string): Promise<void> {
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  if (Deno.build.os !== "windows") await Deno.chmod(folder, 0o700);
}
