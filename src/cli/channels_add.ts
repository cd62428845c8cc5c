/** `openclaw channels add`: asks for what a network needs, checks it there, and writes it down. */
import { accountKey, accountOf, DEFAULT_ACCOUNT_ID } from "../account.ts";
import { checkConfig } from "../config.ts";
import { pause } from "../deadline.ts";
import { at, isRounded, readConfigFile } from "./config_file.ts";
import { Errors } from "@sinclair/typebox/errors";
import {
  type Channel,
  ChannelError,
  type Network,
  type NetworkEntry,
  type Probe,
  type Self,
} from "../channel.ts";
import type { Log } from "../log.ts";
import type { KeyValues } from "../store.ts";
import { ask } from "./ask.ts";
import type { Call } from "./command.ts";
import { currentConfig, isAbsentHere, patchConfig } from "./config_patch.ts";
import { withGateway } from "./connect.ts";
import { Failure } from "./failure.ts";
import { nearest, UsageError } from "./flags.ts";
import { NETWORKS } from "./networks.ts";
import { resolveTarget } from "./target.ts";

/** What the command line says of the account. */
export interface AddOptions {
  readonly network: string;
  readonly accountId: string;
  readonly name?: string;
  /** The network's main secret; `-` to read it from standard input. */
  readonly token?: string;
  /** `key=value`, secrets among them. */
  readonly settings: readonly string[];
  /** Secrets stay in the environment: they are checked and not written. */
  readonly usesEnv: boolean;
  readonly checks: boolean;
}

/** What was set up. */
export interface Added {
  readonly channel: string;
  readonly accountId: string;
  /** Who we are there; absent where it was not checked. */
  readonly self?: Self;
  readonly writtenBy: "gateway" | "file";
  /** How the account is, where a gateway runs: `connected`, or why it is not. */
  readonly state?: string;
  readonly nextSteps: string;
}

type AddCall = Pick<Call, "connection" | "env" | "paths" | "io" | "paint">;

/** How long a network may take to say who we are, in milliseconds. */
const CHECK_MS = 15_000;
/** How long the gateway may take to connect, and how often it is asked, in milliseconds. */
const CONNECT_MS = 15_000;
const POLL_MS = 300;

export async function addChannel(call: AddCall, options: AddOptions): Promise<Added> {
  const network = await entryOf(options.network).load();
  const { label, id: channel } = network;
  const { accountId } = options;
  const written = readSettings(options.settings, network);
  const secrets = await gatherSecrets(call, network, { ...options, written });
  const settings = { ...written, ...secrets };
  const fault = Errors(network.schema, settings).First();
  if (fault !== undefined) {
    const path = fault.path.slice(1).replaceAll("/", ".");
    throw new UsageError(`${path}: ${fault.message.toLowerCase()}`);
  }
  const known = await knownSettings(call, network, accountId);
  const self = options.checks
    ? await check(network, { accountId, settings: { ...known, ...settings } })
    : undefined;
  if (self !== undefined) {
    call.io.err(`${label} knows us as ${self.username ?? self.name ?? self.id}\n`);
  }
  const own = {
    ...(options.usesEnv ? written : settings),
    enabled: true,
    ...(options.name === undefined ? {} : { name: options.name }),
  };
  const accounts = Object(at(await currentConfig(call), "channels", channel, "accounts"));
  const others = accountId === DEFAULT_ACCOUNT_ID ? {} : await unlisted(call, network);
  // What is written for the account itself goes before what its network has.
  const entry = accountKey(accounts, accountId) ??
    (accountId === DEFAULT_ACCOUNT_ID ? undefined : accountId);
  const section = entry === undefined
    ? own
    : { enabled: true, accounts: { ...others, [entry]: own } };
  const writtenBy = await patchConfig(call, { channels: { [channel]: section } });
  const state = writtenBy === "gateway"
    ? await connectedState(call, channel, accountId)
    : undefined;
  return {
    channel,
    accountId,
    ...(self === undefined ? {} : { self }),
    writtenBy,
    ...(state === undefined ? {} : { state }),
    nextSteps: network.nextSteps,
  };
}

function entryOf(id: string): NetworkEntry {
  const entry = NETWORKS.find((network) => network.id === id.toLowerCase());
  if (entry !== undefined) return entry;
  const known = NETWORKS.map((network) => network.id);
  const near = nearest(id, known);
  throw new UsageError(
    `There is no network '${id}': ${
      near === undefined ? `there is ${known.join(", ")}` : `did you mean '${near}'?`
    }`,
  );
}

/** The secrets from the command line, the environment, or a person. */
async function gatherSecrets(
  { io, env }: AddCall,
  { secrets, label }: Network,
  { token, written, usesEnv, checks, accountId }: AddOptions & {
    written: Readonly<Record<string, unknown>>;
  },
): Promise<Readonly<Record<string, string>>> {
  if (usesEnv && accountId !== DEFAULT_ACCOUNT_ID) {
    throw new UsageError(
      "--use-env is for the default account: only that takes its token from there",
    );
  }
  if (usesEnv && token !== undefined) {
    throw new UsageError("--token and --use-env exclude each other: a token that is given is kept");
  }
  const found: Record<string, string> = {};
  const main = secrets.find(({ isRequired }) => isRequired) ?? secrets[0];
  for (const secret of secrets) {
    const { key, fileKey, env: variable, question, isRequired } = secret;
    if (isRequired && written[key] === "") throw empty(label, key);
    if (typeof written[key] === "string") continue;
    if (fileKey !== undefined && written[fileKey] !== undefined) continue;
    const given = secret !== main || token === undefined
      ? undefined
      : token === "-"
      ? await ask(io, question)
      : token;
    const inEnv = usesEnv ? env[variable] : undefined;
    if (usesEnv && inEnv === undefined && isRequired) {
      if (!checks) continue; // it is the gateway that needs it
      throw new Failure("NOT_FOUND", `${variable} is not set in the environment`, {
        hint: "set it here and where the gateway runs, or add --no-check if it is set only there",
      });
    }
    const value = given ?? inEnv ?? (isRequired ? await askFor(io, { label, question, key }) : "");
    if (isRequired && value === "") throw empty(label, key);
    if (value !== "") found[key] = value;
  }
  return found;
}

function empty(label: string, key: string): UsageError {
  return new UsageError(`${label} needs '${key}', and what was given is empty`);
}

async function askFor(
  io: AddCall["io"],
  { label, question, key }: { label: string; question: string; key: string },
): Promise<string> {
  if (!io.terminal.in) {
    throw new UsageError(`${label} needs '${key}': give it with --token or --set ${key}=…`);
  }
  return await ask(io, question, { hidden: true });
}

/** `key=value` pairs; a value that is JSON is read as such, unless the network wants a text. */
function readSettings(
  pairs: readonly string[],
  { secrets }: Network,
): Readonly<Record<string, unknown>> {
  const isSecret = new Set(secrets.map(({ key }) => key));
  return Object.fromEntries(pairs.map((pair) => {
    const [, key, text = ""] = /^([A-Za-z][A-Za-z0-9]*)=(.*)$/s.exec(pair) ?? [];
    if (key === undefined) throw new UsageError(`'${pair}' must be like key=value`);
    return [key, isSecret.has(key) ? text : readValue(text)];
  }));
}

function readValue(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return isRounded(value) ? text : value;
  } catch {
    return text;
  }
}

/** What the configuration of this machine says of the account already: where its network is, say. */
async function knownSettings(
  call: AddCall,
  { id }: Network,
  accountId: string,
): Promise<Readonly<Record<string, unknown>>> {
  if (!(await resolveTarget(call)).here) return {}; // another machine's gateway has another one
  const { value } = await readConfigFile(call.paths.configPath);
  const { config } = checkConfig(value);
  const account = accountOf(config, id, accountId) ?? accountOf(config, id, DEFAULT_ACCOUNT_ID);
  return account?.settings ?? {};
}

/** Asks the network who we are. Rejects with a `Failure` where it would not have us. */
async function check(
  network: Network,
  { accountId, settings }: { accountId: string; settings: Readonly<Record<string, unknown>> },
): Promise<Self | undefined> {
  const overdue = new AbortController();
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    overdue.abort();
    late.reject(new Error("it did not answer in time"));
  }, CHECK_MS);
  try {
    const channel = network.create({ accountId, settings, values: forgetful(), log: SILENT });
    if (!canProbe(channel)) return undefined;
    return await Promise.race([channel.probe(overdue.signal), late.promise]);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const isRefused = error instanceof ChannelError && error.reason !== "network";
    throw new Failure(
      isRefused ? "REFUSED" : "UNREACHABLE",
      isRefused
        ? `${network.label} refuses: ${message}`
        : `${network.label} can't be asked: ${message}`,
      {
        hint: isRefused
          ? "nothing was written: check what you gave"
          : "nothing was written: check the connection, or add --no-check",
        cause: error,
      },
    );
  } finally {
    clearTimeout(timer);
  }
}

function canProbe(channel: Channel): channel is Channel & Probe {
  return "probe" in channel && typeof channel.probe === "function";
}

/**
 * The default account, as a list has it, where its token is in the environment and it is there only
 * because nobody lists any: the one that is added must not take its place.
 */
async function unlisted(
  call: AddCall,
  { id: channel, secrets }: Network,
): Promise<Readonly<Record<string, unknown>>> {
  try {
    const { channelAccounts } = await withGateway(
      call,
      { scopes: ["operator.read"] },
      (gateway, options) => gateway.request("channels.status", { channel }, options),
    );
    const account = channelAccounts[channel]?.find((one) => one.accountId === DEFAULT_ACCOUNT_ID);
    return account?.tokenSource === "env" ? { [DEFAULT_ACCOUNT_ID]: {} } : {};
  } catch (error) {
    if (!await isAbsentHere(call, error)) throw error;
  }
  const section = at((await readConfigFile(call.paths.configPath)).value, "channels", channel);
  const isThere = section !== undefined &&
    Object.keys(Object(at(section, "accounts"))).length === 0 &&
    secrets.some(({ env, isRequired }) => isRequired && call.env[env]);
  return isThere ? { [DEFAULT_ACCOUNT_ID]: {} } : {};
}

/** Waits until the gateway is connected, or says why not. */
async function connectedState(call: AddCall, channel: string, accountId: string): Promise<string> {
  return await withGateway(call, { scopes: ["operator.read"] }, async (gateway) => {
    const signal = AbortSignal.timeout(CONNECT_MS);
    for (;;) {
      const { channelAccounts } = await gateway.request("channels.status", { channel });
      const account = channelAccounts[channel]?.find((one) => one.accountId === accountId);
      if (account?.connected === true) return "connected";
      const isFinal = account?.running === false && account.lastStartAt !== null;
      if (isFinal || signal.aborted) return account?.lastError ?? "not connected yet";
      await pause(POLL_MS, signal);
    }
  });
}

/** What a channel keeps is of no use before it runs. */
function forgetful(): KeyValues {
  const values = new Map<string, unknown>();
  return {
    get: (name) => values.get(name),
    set: (name, value) => void values.set(name, value),
    delete: (name) => values.delete(name),
  };
}

const SILENT: Log = {
  error() {},
  warn() {},
  info() {},
  debug() {},
  part: () => SILENT,
};
