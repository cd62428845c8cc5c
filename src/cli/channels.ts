/** `openclaw channels` */
import type { ChannelAccountSnapshot } from "../../schemas/channels.ts";
import type { ResultOf } from "../../schemas/mod.ts";
import { answer } from "./answer.ts";
import { confirm } from "./ask.ts";
import { type Call, command, type Group } from "./command.ts";
import { at, readConfigFile } from "./config_file.ts";
import { currentConfig, patchConfig } from "./config_patch.ts";
import { withGateway } from "./connect.ts";
import { Failure } from "./failure.ts";
import { UsageError } from "./flags.ts";
import { lineText, MAX_BYTES, noteCut } from "./logs.ts";
import { cut, oneLine, printableJson, table } from "./text.ts";
import { relative } from "./time.ts";

const ADMIN = { scopes: ["operator.admin"] } as const;
const NETWORK = { name: "network" } as const;
const ACCOUNT = { kind: "text", value: "id", about: "The account there (default)" } as const;
const ONLY = { kind: "text", value: "id", about: "Only this account" } as const;
/** Asking the networks takes its time. Milliseconds. */
const PROBE_MS = 15_000;
const LOG_LINES = 5_000;

const status = command({
  about: "Show the accounts on the messaging networks, and how they are",
  flags: {
    probe: { kind: "switch", about: "Ask the networks too, which takes longer" },
    channel: { kind: "text", value: "id", about: "Only this network" },
  },
  connects: true,
  examples: [
    ["openclaw channels status", "which are up?"],
    ["openclaw channels status --probe", "do the networks agree?"],
  ],
  async run(call) {
    const { probe, channel } = call.flags;
    const result = await withGateway(
      call,
      { scopes: ["operator.read"] },
      (gateway, options) => {
        const timeoutMs = probe ? call.connection.timeout ?? PROBE_MS : options.timeoutMs;
        const only = channel === undefined ? {} : { channel };
        return gateway.request("channels.status", { probe, timeoutMs, ...only }, {
          timeoutMs: timeoutMs === undefined ? undefined : timeoutMs + 1_000,
        });
      },
    );
    return answer(call, result, (result) => show(result, call));
  },
});

const list = command({
  about: "List the networks that there are, and what is set up on them",
  details: "Reads the configuration file; no gateway needs to run.",
  flags: {},
  connects: false,
  examples: [["openclaw channels list", "what could be added?"]],
  async run(call) {
    const { NETWORKS } = await import("./networks.ts");
    const { value } = await readConfigFile(call.paths.configPath);
    const networks = await Promise.all(NETWORKS.map(async ({ id, label }) => {
      const section = at(value, "channels", id);
      return {
        id,
        label,
        configured: section !== undefined,
        enabled: section !== undefined && at(section, "enabled") !== false,
        accounts: section === undefined ? [] : await accountsIn(section, id),
      };
    }));
    return answer(call, { networks }, ({ networks }) =>
      table(
        ["NETWORK", "NAME", "STATE", "ACCOUNTS"],
        networks.map(({ id, label, configured, enabled, accounts }) => [
          id,
          label,
          configured ? enabled ? "on" : "off" : call.paint.dim("not set up"),
          accounts.map(oneLine).join(", "),
        ]),
        call.paint.dim,
      ));
  },
});

const add = command({
  about: "Set up an account on a network",
  details:
    "Asks for what the network needs, checks it there, and writes it into the configuration. A\n" +
    "gateway that runs connects at once.",
  words: [NETWORK],
  flags: {
    account: ACCOUNT,
    name: { kind: "text", value: "name", about: "What people call the account" },
    token: { kind: "text", value: "secret", about: "The network's token; - reads it from input" },
    set: {
      kind: "list",
      value: "key=value",
      about: "A further setting or secret, such as appToken=xapp-…; may come more than once",
    },
    "use-env": {
      kind: "switch",
      about: "The token is in the environment of the gateway, and stays there",
    },
    "no-check": { kind: "switch", about: "Write it without asking the network" },
  },
  connects: false,
  examples: [
    ["openclaw channels add telegram", "be asked for the token"],
    ["openclaw channels add discord --account work --name Work", "a second account"],
    ["openclaw channels add slack --token - --set appToken=xapp-… < token.txt", "from a script"],
  ],
  async run(call) {
    // Loaded here: it knows the networks, and no other command needs them.
    const { addChannel } = await import("./channels_add.ts");
    const { account = "default", name, token, set } = call.flags;
    const added = await addChannel(call, {
      network: call.words[0] ?? "",
      accountId: requireAccountId(account),
      ...(name === undefined ? {} : { name }),
      ...(token === undefined ? {} : { token }),
      settings: set,
      usesEnv: call.flags["use-env"],
      checks: !call.flags["no-check"],
    });
    return answer(call, added, ({ channel, accountId, writtenBy, state, nextSteps }) =>
      [
        `${call.paint.green("Added")} ${channel} account '${accountId}'${
          writtenBy === "file" ? ` to ${call.paths.configPath}` : ""
        }\n`,
        writtenBy === "file"
          ? "No gateway runs: it connects when you start one with `openclaw gateway`\n"
          : `The gateway is ${
            state === "connected"
              ? call.paint.green("connected")
              : `not connected: ${oneLine(state ?? "")}`
          }\n`,
        `\n${nextSteps.trimEnd()}\n`,
      ].join(""));
  },
});

const remove = command({
  about: "Forget an account, or a network with all its accounts",
  words: [NETWORK],
  flags: {
    account: ONLY,
    yes: { kind: "switch", short: "y", about: "Do not ask" },
  },
  connects: true,
  examples: [
    ["openclaw channels remove telegram", "the network"],
    ["openclaw channels remove discord --account work --yes", "one account, from a script"],
  ],
  async run(call) {
    const [network = ""] = call.words;
    const { yes } = call.flags;
    const { account, section } = await requireConfigured(call, network, call.flags.account);
    const what = account === undefined ? `all of ${network}` : `${network} account '${account}'`;
    if (!yes) {
      if (!call.io.terminal.in) throw new UsageError("Add --yes: nobody can be asked here");
      if (!await confirm(call.io, `Remove ${what}, with its secrets?`)) return 1;
    }
    const patch = account === undefined ? null : await withoutAccount(section, network, account);
    const writtenBy = await patchConfig(call, { channels: { [network]: patch } });
    return answer(call, { network, account, writtenBy }, () => `Removed ${what}\n`);
  },
});

const enable = command({
  about: "Switch a network, or an account, on",
  words: [NETWORK],
  flags: { account: ONLY },
  connects: true,
  examples: [["openclaw channels enable telegram", "connect again"]],
  run: (call) => switchTo(call, true),
});

const disable = command({
  about: "Switch a network, or an account, off, and keep its settings",
  words: [NETWORK],
  flags: { account: ONLY },
  connects: true,
  examples: [["openclaw channels disable telegram", "disconnect for now"]],
  run: (call) => switchTo(call, false),
});

const start = command({
  about: "Connect an account anew, whatever it waits for",
  words: [NETWORK],
  flags: { account: ACCOUNT },
  connects: true,
  examples: [["openclaw channels start telegram", "after another session was ended"]],
  async run(call) {
    const params = { channel: call.words[0] ?? "", ...accountOf(call.flags) };
    const result = await withGateway(
      call,
      ADMIN,
      (gateway, options) => gateway.request("channels.start", params, options),
    );
    return answer(
      call,
      result,
      ({ channel, accountId, started }) =>
        started ? `Started ${channel} account '${accountId}'\n` : `${channel} is switched off\n`,
    );
  },
});

const stop = command({
  about: "Disconnect an account until it is started, or the gateway is",
  words: [NETWORK],
  flags: { account: ACCOUNT },
  connects: true,
  examples: [["openclaw channels stop telegram", "for a moment"]],
  async run(call) {
    const params = { channel: call.words[0] ?? "", ...accountOf(call.flags) };
    const result = await withGateway(
      call,
      ADMIN,
      (gateway, options) => gateway.request("channels.stop", params, options),
    );
    return answer(
      call,
      result,
      ({ channel, accountId, stopped }) =>
        `${stopped ? "Stopped" : "It did not run:"} ${channel} account '${accountId}'\n`,
    );
  },
});

const logout = command({
  about: "Take an account's secrets out of the configuration",
  words: [NETWORK],
  flags: { account: ACCOUNT },
  connects: true,
  examples: [["openclaw channels logout telegram", "before the token is used elsewhere"]],
  async run(call) {
    const params = { channel: call.words[0] ?? "", ...accountOf(call.flags) };
    const result = await withGateway(
      call,
      ADMIN,
      (gateway, options) => gateway.request("channels.logout", params, options),
    );
    return answer(call, result, ({ channel, accountId, cleared, envToken }) =>
      [
        cleared
          ? `Logged out of ${channel} account '${accountId}'\n`
          : "There was nothing to clear\n",
        envToken ? "Its token is in the gateway's environment still: remove it there\n" : "",
      ].join(""));
  },
});

const logs = command({
  about: "Read what the gateway's log says of the networks",
  details: "With --json each line is printed as the gateway wrote it, a JSON object.",
  flags: {
    channel: { kind: "text", value: "id", about: "Only this network" },
    lines: { kind: "number", value: "count", min: 1, max: 5000, about: "The newest lines (200)" },
    utc: { kind: "switch", about: "Print times in UTC, not in this machine's zone" },
  },
  connects: true,
  examples: [["openclaw channels logs --channel telegram", "why does it not connect?"]],
  async run(call) {
    const { channel, lines: count = 200, utc } = call.flags;
    const page = await withGateway(
      call,
      { scopes: ["operator.read"] },
      (gateway, options) =>
        gateway.request("logs.tail", { limit: LOG_LINES, maxBytes: MAX_BYTES }, options),
    );
    const wanted = page.lines.filter((line) => isOfNetworks(line, channel)).slice(-count);
    if (wanted.length < count) noteCut(page, call);
    const view = { flags: { utc }, paint: call.paint };
    call.io.out(
      wanted.map((line) => `${call.json ? printableJson(line) : lineText(line, view)}\n`).join(""),
    );
    return 0;
  },
});

export default {
  about: "Set up the messaging networks, and see how they are",
  usual: "status",
  commands: { status, list, add, remove, enable, disable, start, stop, logout, logs },
} satisfies Group;

function accountOf({ account }: { account?: string }): { accountId?: string } {
  return account === undefined ? {} : { accountId: account };
}

function requireAccountId(account: string): string {
  const id = account.trim().toLowerCase();
  if (/^[a-z0-9][a-z0-9_-]{0,63}$/.test(id)) return id;
  throw new UsageError(`'${account}' can't name an account: use letters, digits, - and _`);
}

async function switchTo(
  call: Call<{ account: typeof ONLY }>,
  enabled: boolean,
): Promise<number> {
  const [network = ""] = call.words;
  const { section, account } = await requireConfigured(call, network, call.flags.account);
  const patch = account === undefined ? { enabled } : { accounts: { [account]: { enabled } } };
  const writtenBy = await patchConfig(call, { channels: { [network]: patch } });
  const what = account === undefined ? network : `${network} account '${account}'`;
  const isOverruled = enabled && account !== undefined && at(section, "enabled") === false;
  const but = isOverruled ? `, but ${network} is off: openclaw channels enable ${network}` : "";
  return answer(
    call,
    { network, account, enabled, writtenBy },
    () => `${what} is now ${enabled ? "on" : "off"}${but}\n`,
  );
}

/** The account as it is spelled there. Throws where the configuration has no such network or account. */
async function requireConfigured(
  call: Pick<Call, "connection" | "env" | "paths" | "io">,
  network: string,
  account: string | undefined,
): Promise<{ section: unknown; account: string | undefined }> {
  const section = at(await currentConfig(call), "channels", network);
  if (section === undefined) {
    throw new Failure("NOT_FOUND", `${network} is not set up`, {
      hint: `see openclaw channels list, and openclaw channels add ${network}`,
    });
  }
  if (account === undefined) return { section, account };
  const { canonicalAccountId } = await import("../account.ts");
  const id = canonicalAccountId(account);
  const known = await accountsIn(section, network);
  const key = known.find((one) => canonicalAccountId(one) === id);
  if (key !== undefined) return { section, account: key };
  throw new Failure("NOT_FOUND", `There is no account '${account}' on ${network}`, {
    hint: `there is ${known.join(", ")}`,
  });
}

/** The accounts of a network, as they are spelled; the default one may be there without being listed. */
async function accountsIn(section: unknown, network: string): Promise<readonly string[]> {
  const { accountKey, DEFAULT_ACCOUNT_ID } = await import("../account.ts");
  const accounts = Object(at(section, "accounts"));
  const listed = Object.keys(accounts);
  if (listed.length === 0) return [DEFAULT_ACCOUNT_ID];
  if (accountKey(accounts, DEFAULT_ACCOUNT_ID) !== undefined) return listed;
  const hasSecret = (await secretKeys(network)).some((key) => Boolean(at(section, key)));
  return hasSecret ? [DEFAULT_ACCOUNT_ID, ...listed] : listed;
}

/** What takes an account away; the secrets of the default one may stand in the network's section. */
async function withoutAccount(
  section: unknown,
  network: string,
  account: string,
): Promise<Readonly<Record<string, unknown>> | null> {
  const { canonicalAccountId, DEFAULT_ACCOUNT_ID } = await import("../account.ts");
  const entry = { accounts: { [account]: null } };
  if (canonicalAccountId(account) !== DEFAULT_ACCOUNT_ID) return entry;
  const others = (await accountsIn(section, network)).filter((one) => one !== account);
  if (others.length === 0) return null; // it would be there again, as long as there is a section
  const keys = (await secretKeys(network)).filter((key) => at(section, key) !== undefined);
  return { ...Object.fromEntries(keys.map((key) => [key, null])), ...entry };
}

/** The settings of a network in which a secret is, or the name of its file. */
async function secretKeys(network: string): Promise<readonly string[]> {
  const { NETWORKS } = await import("./networks.ts");
  const { secrets = [] } = await NETWORKS.find(({ id }) => id === network)?.load() ?? {};
  return secrets.flatMap(({ key, fileKey }) => fileKey === undefined ? [key] : [key, fileKey]);
}

function isOfNetworks(line: string, channel: string | undefined): boolean {
  let part: unknown;
  try {
    part = Object(JSON.parse(line)).part;
  } catch {
    return false;
  }
  if (typeof part !== "string") return false;
  if (channel !== undefined) {
    return part.includes(`${channel}/`) || line.includes(`"channel":"${channel}"`);
  }
  return part.includes("/") || ["channels", "outbox", "replies", "inbox"].includes(part);
}

function show(
  { channelOrder, channelLabels, channelAccounts }: ResultOf<"channels.status">,
  { paint, io }: Pick<Call, "paint" | "io">,
): string {
  const accounts = channelOrder.flatMap((id) =>
    (channelAccounts[id] ?? []).map((account) => ({ label: channelLabels[id] ?? id, account }))
  );
  if (accounts.length === 0) {
    return "No messaging network is set up: see openclaw channels add --help\n";
  }
  const isProbed = accounts.some(({ account }) => account.probe !== undefined);
  const rows = accounts.map(({ label, account }) => [
    oneLine(label),
    oneLine(account.name ?? account.accountId),
    stateOf(account, paint),
    ...(isProbed ? [probeText(account, paint)] : []),
    relative(account.lastInboundAt, io.now()),
    relative(account.lastOutboundAt, io.now()),
    cut(oneLine(account.lastError ?? ""), 60),
  ]);
  const heads = [
    "CHANNEL",
    "ACCOUNT",
    "STATE",
    ...(isProbed ? ["PROBE"] : []),
    "RECEIVED",
    "SENT",
    "ERROR",
  ];
  return table(heads, rows, paint.dim);
}

function stateOf(
  { enabled, configured, connected, running, healthState }: ChannelAccountSnapshot,
  paint: Call["paint"],
): string {
  if (enabled === false) return paint.dim("off");
  if (configured === false) return paint.yellow("not set up");
  if (healthState === "degraded") return paint.yellow("degraded");
  if (connected === true) return paint.green("connected");
  if (healthState === "dead") return paint.red(running === true ? "dead" : "stopped");
  return running === true ? paint.yellow("connecting") : paint.red("stopped");
}

function probeText({ probe }: ChannelAccountSnapshot, paint: Call["paint"]): string {
  if (probe === undefined) return "-";
  const name = at(probe, "bot", "username") ?? at(probe, "bot", "name") ?? at(probe, "bot", "id");
  if (at(probe, "ok") === true) return paint.green(`ok ${oneLine(String(name ?? ""))}`.trim());
  return paint.red(cut(oneLine(String(at(probe, "error") ?? "failed")), 40));
}
