/** What the released command-line clients are asked, and what their own output must then say. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import type { Protocol } from "./install.ts";
import { type Output, type Released, said } from "./released.ts";

/** One thing that must hold. `run` rejects with the reason when it doesn't. */
export interface Check {
  readonly name: string;
  run(): Promise<void>;
}

/** A command of both releases, or of one. */
interface Command {
  readonly args: readonly string[];
  readonly only?: Protocol;
  /** Throws when the output is not right. */
  expect(output: Output): void;
}

/** The commands, as checks of one release. */
export function commandChecks(client: Released): readonly Check[] {
  return COMMANDS
    .filter(({ only }) => only === undefined || only === client.protocol)
    .map((command) => ({
      name: `openclaw ${command.args.join(" ")}`,
      run: () => check(client, command),
    }));
}

/** Runs a command of a release and holds its output against what is expected. */
export async function check(client: Released, { args, expect }: Command): Promise<void> {
  const output = await client.run(args);
  try {
    strictEqual(output.code, 0, `exit code ${output.code}`);
    expect(output);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(reason + said(output), { cause: error });
  }
}

/** The JSON that a command printed, without the line that `gateway call` puts above it. */
export function jsonOf({ stdout }: Output) {
  return JSON.parse(stdout.replace(/^Gateway call:.*\n/, ""));
}

const isHealth = (health: ReturnType<typeof jsonOf>) => {
  strictEqual(health.ok, true);
  strictEqual(health.defaultAgentId, "main");
  strictEqual(health.agents[0].agentId, "main");
};
const isPresence = (presence: ReturnType<typeof jsonOf>) => {
  ok(Array.isArray(presence), "not a list");
  ok(presence.some(({ mode }) => mode === "gateway"), "the gateway itself is not in it");
};

/** The command with which a release shows that it can use a gateway at all. */
export const HEALTH: Command = {
  args: ["health", "--json"],
  expect: (output) => isHealth(jsonOf(output)),
};

const COMMANDS: readonly Command[] = [
  { args: ["health"], expect: ({ stdout }) => match(stdout, /^Agents: main \(default\)$/m) },
  HEALTH,
  {
    args: ["status"],
    expect: ({ stdout }) => match(stdout, /│ Gateway +│ [^│]*\breachable \d+\s*ms/),
  },
  {
    args: ["status", "--json"],
    expect: (output) => {
      const { gateway } = jsonOf(output);
      strictEqual(gateway.reachable, true);
      strictEqual(gateway.error, null);
    },
  },
  { args: ["gateway", "call", "health"], expect: (output) => isHealth(jsonOf(output)) },
  {
    args: ["gateway", "call", "status"],
    expect: (output) => {
      const { heartbeat, sessions } = jsonOf(output);
      strictEqual(heartbeat.defaultAgentId, "main");
      strictEqual(typeof sessions.count, "number");
    },
  },
  { args: ["gateway", "call", "system-presence"], expect: (output) => isPresence(jsonOf(output)) },
  {
    args: ["gateway", "probe"],
    expect: ({ stdout }) => {
      match(stdout, /^Reachable: yes$/m);
      match(stdout, /^ {2}Connect: ok \(\d+ms\)/m);
    },
  },
  {
    only: 3,
    args: ["gateway", "status"],
    expect: ({ stdout }) => match(stdout, /^RPC probe: ok$/m),
  },
  {
    only: 4,
    args: ["gateway", "status"],
    expect: ({ stdout }) => match(stdout, /^Connectivity probe: ok$/m),
  },
  // The old release proves which device it is, and the gateway remembers.
  {
    only: 3,
    args: ["devices", "list"],
    expect: ({ stdout }) => match(stdout, /^Paired \(\d+\)$/m),
  },
  {
    only: 3,
    args: ["devices", "list", "--json"],
    expect: (output) => {
      const { paired } = jsonOf(output);
      ok(
        paired.some(({ clientMode, roles }: { clientMode: string; roles: string[] }) =>
          clientMode === "cli" && roles.includes("operator")
        ),
        "it does not list itself",
      );
    },
  },
  {
    only: 4,
    args: ["devices", "list"],
    expect: ({ stdout }) => match(stdout, /^(No device pairing entries\.|Paired \(\d+\))$/m),
  },
  {
    only: 4,
    args: ["devices", "list", "--json"],
    expect: (output) => {
      const { pending, paired } = jsonOf(output);
      ok(Array.isArray(pending) && Array.isArray(paired), "not two lists");
    },
  },
  {
    args: ["sessions"],
    expect: ({ stdout, stderr }) => match(stdout + stderr, /^Sessions listed: \d+/m),
  },
  {
    args: ["cron", "list", "--json"],
    expect: (output) => ok(Array.isArray(jsonOf(output).jobs), "no list of jobs"),
  },
  {
    args: ["cron", "list"],
    expect: ({ stdout }) => match(stdout, /^(No (cron jobs|automations)\.|ID +)/m),
  },
  {
    args: ["nodes", "status"],
    expect: ({ stdout }) => match(stdout, /^Known: \d+ · Paired: \d+ · Connected: \d+$/m),
  },
  {
    args: ["channels", "status"],
    expect: ({ stdout }) => match(stdout, /^Gateway reachable\.$/m),
  },
  {
    args: ["channels", "status", "--json"],
    expect: (output) => deepStrictEqual(jsonOf(output).channelAccounts, {}),
  },
  { args: ["logs"], expect: ({ stdout }) => match(stdout, /^Log file: .+\n.+/m) },
  {
    args: ["logs", "--json", "--limit", "5"],
    expect: ({ stdout }) => {
      const [meta, ...lines] = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
      strictEqual(meta.type, "meta");
      ok(lines.length > 0, "no line of the log");
    },
  },
  { args: ["system", "presence"], expect: (output) => isPresence(jsonOf(output)) },
  {
    args: ["system", "heartbeat", "last"],
    expect: (output) => {
      const last = jsonOf(output);
      ok(last === null || typeof last.ts === "number", "neither null nor a heartbeat");
    },
  },
];
