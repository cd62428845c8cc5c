/** A released `openclaw` with a home of its own, asked to do things as a person would. */
import { dirname, join } from "node:path";
import type { Peers, Protocol } from "./install.ts";

/** The gateway that the clients are pointed at. */
export interface Target {
  readonly port: number;
  readonly token: string;
}

/** What a command left behind. */
export interface Output {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** One release in one home. Its commands must not overlap: the first writes its device key there. */
export class Released {
  readonly protocol: Protocol;
  readonly #peers: Peers;
  readonly #home: string;
  readonly #target: Target;
  readonly #config: unknown;

  /** `home` must exist. */
  constructor(protocol: Protocol, { peers, home, target, config = LOCAL }: {
    peers: Peers;
    home: string;
    target: Target;
    /** What it finds in its configuration file. */
    config?: unknown;
  }) {
    this.protocol = protocol;
    this.#peers = peers;
    this.#home = home;
    this.#target = target;
    this.#config = config;
  }

  /** The same release, as somebody else. */
  at(home: string): Released {
    return new Released(this.protocol, { peers: this.#peers, home, target: this.#target });
  }

  /** The same release, which knows no secret of the gateway's. */
  withoutToken(): Released {
    const target = { ...this.#target, token: "" };
    return new Released(this.protocol, { peers: this.#peers, home: this.#home, target });
  }

  /** Runs a command to its end. Rejects when it takes too long. */
  async run(args: readonly string[]): Promise<Output> {
    return await runToEnd(await this.command(args));
  }

  /** What to start for a command, for those that stay. */
  async command(args: readonly string[]): Promise<Start> {
    const config = join(this.#home, ".openclaw", "openclaw.json");
    await Deno.mkdir(dirname(config), { recursive: true });
    await Deno.writeTextFile(config, JSON.stringify(this.#config));
    const { node, entry } = this.#peers;
    return {
      command: [node, entry[this.protocol], ...args],
      env: {
        PATH: `${dirname(node)}:${Deno.env.get("PATH") ?? ""}`,
        HOME: this.#home,
        LANG: "C.UTF-8",
        NO_COLOR: "1",
        OPENCLAW_GATEWAY_PORT: String(this.#target.port),
        ...(this.#target.token === "" ? {} : { OPENCLAW_GATEWAY_TOKEN: this.#target.token }),
        OPENCLAW_NO_RESPAWN: "1", // one process, so that ending it ends all of it
      },
    };
  }
}

/** Without a configuration the new release believes that there is no gateway to ask. */
const LOCAL = { gateway: { mode: "local" } };

/** A program to start, and all the environment that it gets. */
export interface Start {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** How long one command may take. The old release's very first one on a machine takes two minutes. */
const COMMAND_TIMEOUT_MS = 240_000;

/** Starts a program and resolves when it is over. Rejects when it takes too long. */
export async function runToEnd(start: Start): Promise<Output> {
  const program = spawn(start);
  let overdue = false;
  const timer = setTimeout(() => {
    overdue = true;
    program.kill("SIGKILL");
  }, COMMAND_TIMEOUT_MS);
  const output = await program.output;
  clearTimeout(timer);
  if (overdue) throw new Error(`not over within ${COMMAND_TIMEOUT_MS} ms${said(output)}`);
  return output;
}

/** A program that runs. */
export interface Spawned {
  /** Resolves when it is over. */
  readonly output: Promise<Output>;
  /** Does nothing to a program that is over. */
  kill(signal: Deno.Signal): void;
}

/** Starts a program. */
export function spawn({ command: [program = "", ...args], env }: Start): Spawned {
  const child = new Deno.Command(program, {
    args,
    cwd: env.HOME,
    clearEnv: true,
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  let over = false;
  return {
    output: child.output().then(({ code, stdout, stderr }) => {
      over = true;
      return { code, stdout: text(stdout), stderr: text(stderr) };
    }),
    kill: (signal) => void (over || child.kill(signal)),
  };
}

/** An output as it is shown when a check fails. */
export function said({ stdout, stderr }: Omit<Output, "code">): string {
  const part = (name: string, text: string) =>
    text.trim() === "" ? "" : `\n--- ${name}\n${text.trimEnd().split("\n").slice(-40).join("\n")}`;
  return part("stdout", stdout) + part("stderr", stderr);
}
