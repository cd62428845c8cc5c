/** `openclaw gateway`: running one, and asking one whether it is there. */
import { answer } from "./answer.ts";
import call from "./call.ts";
import { command, type Group } from "./command.ts";
import { connect } from "./connect.ts";
import discover from "./discover.ts";
import health from "./health.ts";
import { resolveTarget } from "./target.ts";
import { facts, oneLine } from "./text.ts";
import { duration } from "./time.ts";

const run = command({
  about: "Run the gateway in the foreground",
  details:
    "Flags come before the environment, and the environment before the configuration. Ctrl-C or\n" +
    "SIGTERM stops it: clients are told, and what agents are doing is ended.\n\n" +
    "The token and the password count in this order: --token, --token-file, the credential\n" +
    "gateway-token (or gateway-password) that systemd hands over by LoadCredential=, the\n" +
    "configuration, OPENCLAW_GATEWAY_TOKEN. A file is read again when it changes, and at SIGHUP.",
  flags: {
    port: { kind: "number", value: "port", max: 65_535, about: "Where to listen (18789)" },
    bind: {
      kind: "text",
      value: "where",
      oneOf: ["loopback", "lan", "tailnet", "auto", "custom"],
      about: "Who can reach it, besides this machine",
    },
    auth: {
      kind: "text",
      value: "mode",
      oneOf: ["token", "password", "trusted-proxy", "none"],
      about: "What clients must show",
    },
    token: { kind: "text", value: "secret", about: "The token that clients must show" },
    password: { kind: "text", value: "secret", about: "The password that clients must show" },
    "token-file": {
      kind: "text",
      value: "file",
      about: "The file with the token; a change of it counts at once",
    },
    "password-file": { kind: "text", value: "file", about: "The same for the password" },
    tailscale: {
      kind: "text",
      value: "how",
      oneOf: ["off", "serve", "funnel"],
      about: "Let your tailnet reach it, or the internet",
    },
    "tailscale-reset-on-exit": { kind: "switch", about: "Take that back when the gateway ends" },
    tls: {
      kind: "switch",
      about: "Speak TLS: with the files of gateway.tls, or a certificate of its own",
    },
    force: { kind: "switch", about: "Take over from a gateway that already runs here" },
    "allow-unconfigured": {
      kind: "switch",
      about: "Accepted for the original's sake: this gateway needs no configuration to start",
    },
    verbose: { kind: "switch", short: "v", about: "Say everything on the terminal" },
  },
  connects: false,
  examples: [
    ["openclaw gateway", "run it on this machine only"],
    ["openclaw gateway --port 19000 --verbose", "on another port, saying more"],
    ["openclaw gateway --bind lan --tls", "let other machines reach it, encrypted"],
  ],
  async run({ flags, paths, env, io, globals }) {
    // Loaded here: everything that a gateway is made of, which no client needs.
    const { serve } = await import("./serve.ts");
    const { port = paths.port, bind, auth, token, password, tailscale, tls, force, verbose } =
      flags;
    return await serve({
      ...paths,
      port,
      bind,
      auth,
      token,
      password,
      tokenFile: flags["token-file"],
      passwordFile: flags["password-file"],
      tailscale,
      ...(flags["tailscale-reset-on-exit"] ? { tailscaleResetOnExit: true } : {}),
      tls,
      force,
      verbose,
      dev: globals.dev,
      allowUnconfigured: flags["allow-unconfigured"],
      colour: io.terminal.err && !globals["no-color"] && !env.NO_COLOR,
      env,
    }, (line) => io.note(`${line}\n`));
  },
});

const status = command({
  about: "Show where the gateway is looked for, and whether it is there",
  details: "Exits with 1 if it can't be reached.",
  flags: {},
  connects: true,
  examples: [["openclaw gateway status", "which gateway do commands use, and is it there?"]],
  async run(call) {
    const { url, authFrom } = await resolveTarget(call);
    const { stateDir, configPath } = call.paths;
    const place = { url, credentials: authFrom ?? null, stateDir, configPath };
    const placeFacts = [
      ["Address", url],
      ["Credential", authFrom ?? "none: this device's key"],
      ["State", stateDir],
      ["Config", configPath],
    ] as const;
    try {
      await using gateway = await connect(call, { scopes: ["operator.read"] });
      const { server, protocol, snapshot: { uptimeMs, authMode }, auth } = gateway.hello;
      const value = {
        reachable: true,
        ...place,
        version: server.version,
        protocol,
        uptimeMs,
        authMode: authMode ?? null,
        scopes: auth?.scopes ?? null,
      };
      return answer(call, value, () =>
        facts([
          ["Gateway", `${call.paint.green("up")} ${duration(uptimeMs)}`],
          ["Version", `openclaw ${oneLine(server.version)}, protocol ${protocol}`],
          ...placeFacts,
          ["Scopes", auth?.scopes.join(", ")],
        ], call.paint.dim));
    } catch (error) {
      if (call.json) throw error;
      call.io.out(
        facts([["Gateway", call.paint.red("not reached")], ...placeFacts], call.paint.dim),
      );
      throw error;
    }
  },
});

const probe = command({
  about: "Knock at a gateway of any version and say what answers",
  details: "Asks for nothing but the handshake. Exits with 1 if there is none.",
  flags: {},
  connects: true,
  examples: [
    ["openclaw gateway probe", "is there one, and which?"],
    ["openclaw gateway probe --url wss://gw.example --token s3cret", "is there one over there?"],
  ],
  async run(call) {
    const start = performance.now();
    await using gateway = await connect(call, {
      scopes: [],
      mode: "probe",
      protocol: { min: 3, max: 4 },
    });
    const connectMs = Math.round(performance.now() - start);
    const { server, protocol } = gateway.hello;
    const value = { ok: true, url: gateway.url, version: server.version, protocol, connectMs };
    return answer(
      call,
      value,
      () =>
        `${call.paint.green("ok")}  ${gateway.url}: openclaw ${oneLine(server.version)}, ` +
        `protocol ${protocol}, ${connectMs} ms\n`,
    );
  },
});

export default {
  about: "Run the gateway, or ask one how it is",
  usual: "run",
  commands: { run, status, probe, discover, health, call },
} satisfies Group;
