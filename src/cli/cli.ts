/** From a command line to the command that it names. */
import { printJson } from "./answer.ts";
import { type Command, CONNECTION_FLAGS, GLOBAL_FLAGS, type Group, type Word } from "./command.ts";
import { readEnvFile } from "./env_file.ts";
import { type Flags, nearest, parseFlags, UsageError, wordsOf } from "./flags.ts";
import type { Io } from "./io.ts";
import { type Paint, paintFor } from "./paint.ts";
import { resolvePaths } from "./paths.ts";

/** A command by its first word; its file is loaded when it is meant. */
interface Entry {
  readonly about: string;
  load(): Promise<{ readonly default: Command | Group }>;
}

/** Every command, in the order of the help. */
export const COMMANDS: Readonly<Record<string, Entry>> = {
  gateway: { about: "Run the gateway, or ask one how it is", load: () => import("./gateway.ts") },
  status: {
    about: "Show the gateway, its agents and its sessions",
    load: () => import("./status.ts"),
  },
  health: { about: "Check that the gateway is well", load: () => import("./health.ts") },
  agent: {
    about: "Ask the agent one thing and print its answer",
    load: () => import("./agent.ts"),
  },
  chat: { about: "Talk with the agent in the terminal", load: () => import("./chat.ts") },
  sessions: { about: "List, read, reset and delete sessions", load: () => import("./sessions.ts") },
  devices: { about: "Say which devices may connect", load: () => import("./devices.ts") },
  qr: { about: "Let a phone or a node in, by a code", load: () => import("./qr.ts") },
  nodes: { about: "List the devices that the gateway steers", load: () => import("./nodes.ts") },
  channels: {
    about: "Set up the messaging networks, and see how they are",
    load: () => import("./channels.ts"),
  },
  message: {
    about: "Send into a chat, or change what is there",
    load: () => import("./message.ts"),
  },
  pairing: {
    about: "Say who may write to the agent on the messaging networks",
    load: () => import("./pairing.ts"),
  },
  outbox: { about: "See what was not sent", load: () => import("./outbox.ts") },
  models: { about: "List the models that can be chosen", load: () => import("./models.ts") },
  cron: { about: "Show what the agent does at set times", load: () => import("./cron.ts") },
  presence: { about: "Show who is connected", load: () => import("./presence.ts") },
  logs: { about: "Read the gateway's log", load: () => import("./logs.ts") },
  security: {
    about: "Find what would let others in, and read who came",
    load: () => import("./security.ts"),
  },
  config: { about: "Read and change the configuration file", load: () => import("./config.ts") },
  dashboard: { about: "Open the control page in a browser", load: () => import("./dashboard.ts") },
  call: { about: "Call any method of the gateway", load: () => import("./call.ts") },
};

/**
 * Runs a command line and resolves to the exit code: 0 done, 1 failed, 2 not understood. Never
 * rejects: what goes wrong is reported.
 */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  const before = argv.slice(0, argv.includes("--") ? argv.indexOf("--") : argv.length);
  const plain = before.includes("--no-color") || Boolean(io.env.NO_COLOR);
  const paint = paintFor(io.terminal.out && !plain);
  try {
    return await dispatch(argv, io, paint);
  } catch (error) {
    const { exitCodeOf, failureAsJson, failureAsText } = await import("./failure.ts");
    if (before.includes("--json")) printJson(io, failureAsJson(error));
    else io.err(failureAsText(error, paintFor(io.terminal.err && !plain).red));
    return exitCodeOf(error);
  }
}

async function dispatch(argv: readonly string[], io: Io, paint: Paint): Promise<number> {
  const outer = { ...GLOBAL_FLAGS, ...CONNECTION_FLAGS };
  const [name, ...rest] = wordsOf(argv, outer);
  if (name === "help") return await dispatch([...rest, "--help"], io, paint);
  if (name === undefined) return await withoutCommand(argv, io, paint);
  const entry = named(COMMANDS, name, "command");
  const { default: loaded } = await entry.load();
  if (!("commands" in loaded)) return await runCommand({ argv, io, paint, name, command: loaded });

  const { commands, usual } = loaded;
  // A word may be the value of a flag that only the commands know.
  const inner = Object.assign({}, outer, ...Object.values(commands).map(({ flags }) => flags));
  const second = wordsOf(argv, inner)[1];
  if (second === "help") {
    return await dispatch([name, ...argv.slice(argv.indexOf("help") + 1), "--help"], io, paint);
  }
  if (second === undefined && wantsHelp(argv)) {
    const { groupHelp } = await import("./help.ts");
    io.out(groupHelp(name, loaded, paint));
    return 0;
  }
  const command = named(commands, second ?? usual, `'${name}' command`, `openclaw ${name}`);
  const path = `${name} ${second ?? usual}`;
  return await runCommand({
    argv,
    io,
    paint,
    name: path,
    command,
    skip: second === undefined ? 1 : 2,
  });
}

async function withoutCommand(argv: readonly string[], io: Io, paint: Paint): Promise<number> {
  const { values } = parseFlags(argv, GLOBAL_FLAGS);
  if (values.version) return await printVersion(values, io);
  const { programHelp } = await import("./help.ts");
  if (values.help) {
    io.out(programHelp(COMMANDS, paint));
    return 0;
  }
  io.err(programHelp(COMMANDS, paintFor(false)));
  return 2;
}

async function printVersion({ json }: { json: boolean }, io: Io): Promise<number> {
  const { VERSION } = await import("./version.ts");
  io.out(json ? `${JSON.stringify({ version: VERSION })}\n` : `openclaw ${VERSION}\n`);
  return 0;
}

async function runCommand(
  { argv, io, paint, name, command, skip = 1 }: {
    argv: readonly string[];
    io: Io;
    paint: Paint;
    name: string;
    command: Command;
    /** How many of the words are the command's name. */
    skip?: number;
  },
): Promise<number> {
  if (wantsHelp(argv)) {
    const { commandHelp } = await import("./help.ts");
    io.out(commandHelp(name, command, paint));
    return 0;
  }
  const { flags, connects } = command;
  const all: Flags = { ...(connects ? CONNECTION_FLAGS : {}), ...flags, ...GLOBAL_FLAGS };
  const { values: globals } = parseFlags(argv, GLOBAL_FLAGS, all);
  if (globals.version) return await printVersion(globals, io);
  const { values, words } = parseFlags(argv, flags, all);
  const given = words.slice(skip);
  checkWords(given, command.words ?? [], name);
  const paths = resolvePaths(io.env, globals);
  return await command.run({
    flags: values,
    words: given,
    json: globals.json,
    globals,
    connection: connects ? parseFlags(argv, CONNECTION_FLAGS, all).values : {},
    io,
    env: { ...readEnvFile(`${paths.stateDir}/.env`), ...io.env },
    paths,
    paint,
  });
}

function wantsHelp(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  return argv.slice(0, end < 0 ? argv.length : end).some((word) =>
    word === "--help" || word === "-h"
  );
}

function checkWords(given: readonly string[], declared: readonly Word[], name: string): void {
  const missing = declared.find(({ optional }, i) => !optional && given[i] === undefined);
  if (missing !== undefined) {
    throw new UsageError(`'${name}' needs a <${missing.name}>: see openclaw ${name} --help`);
  }
  const extra = declared.at(-1)?.many ? undefined : given[declared.length];
  if (extra !== undefined) {
    throw new UsageError(`'${name}' takes no word '${extra}': see openclaw ${name} --help`);
  }
}

/** What a name stands for in a table. Throws a `UsageError` that names the nearest one. */
function named<T>(
  table: Readonly<Record<string, T>>,
  name: string,
  kind: string,
  above = "openclaw",
): T {
  const value = Object.hasOwn(table, name) ? table[name] : undefined;
  if (value !== undefined) return value;
  const near = nearest(name, Object.keys(table));
  const advice = near === undefined ? `see ${above} --help` : `did you mean '${near}'?`;
  throw new UsageError(`Unknown ${kind} '${name}': ${advice}`);
}
