/** The machine's own Tailscale, by its command line. */
import { Deadline } from "../deadline.ts";
import { Failure } from "./failure.ts";
import { at } from "./config_file.ts";
import type { Env } from "./paths.ts";

/** Its daemon answers at once, or is not there. Milliseconds. */
const TIMEOUT_MS = 5_000;
/** To publish something, a certificate may have to be fetched first. Milliseconds. */
const PUBLISH_MS = 60_000;

/** Where macOS has the program if it came from the App Store. */
const APP = "/Applications/Tailscale.app/Contents/MacOS/Tailscale";

/** This machine in its tailnet. */
export interface Self {
  /** Its name in DNS, in lower case, such as `box.tail1234.ts.net`. */
  readonly name: string;
}

export class Tailscale {
  readonly #program: string;
  readonly #env: Record<string, string>;
  readonly #asking = new Map<string, Promise<string | undefined>>();

  private constructor(program: string, { PATH = "", HOME = "" }: Env) {
    this.#program = program;
    this.#env = { PATH, HOME };
  }

  /** Rejects with a `Failure` where the program is not installed. */
  static async find(env: Env): Promise<Tailscale> {
    const name = Deno.build.os === "windows" ? "tailscale.exe" : "tailscale";
    const separator = Deno.build.os === "windows" ? ";" : ":";
    const folders = (env.PATH ?? "").split(separator).filter((folder) => folder !== "");
    for (const path of [...folders.map((folder) => `${folder}/${name}`), APP]) {
      if (await isFile(path)) return new Tailscale(path, env);
    }
    throw new Failure("TAILSCALE", "Cannot use Tailscale: `tailscale` is not in PATH", {
      hint: "install it from https://tailscale.com/download, then run: tailscale up",
    });
  }

  /** Rejects with a `Failure` where this machine is in no tailnet now. */
  async self(): Promise<Self> {
    const status = await this.#json(["status", "--json", "--peers=false"]);
    const state = at(status, "BackendState");
    const name = at(status, "Self", "DNSName");
    if (state === "Running" && typeof name === "string" && name !== "") {
      return { name: name.replace(/\.$/, "").toLowerCase() };
    }
    throw new Failure("TAILSCALE", `Tailscale is not up on this machine: it says '${state}'`, {
      hint: "run: tailscale up",
    });
  }

  /** Lets the tailnet, or by `funnel` the internet, reach a port of loopback by HTTPS. */
  async publish(mode: "serve" | "funnel", target: string): Promise<void> {
    await this.#run([mode, "--bg", "--yes", target], { timeoutMs: PUBLISH_MS });
  }

  /** Takes back what `publish` did, and nothing that others serve from this machine. */
  async withdraw(mode: "serve" | "funnel"): Promise<void> {
    await this.#run([mode, "--https=443", "off"]);
  }

  /**
   * The login of the person whose device has an address; `undefined` where nobody has it, or the
   * device is tagged and so belongs to nobody, or the signal of who asked first aborts. Never
   * rejects.
   */
  whois(address: string, signal?: AbortSignal): Promise<string | undefined> {
    const asked = this.#asking.get(address);
    if (asked !== undefined) return asked; // many sockets of one device, one question
    const answer = this.#whois(address, signal).finally(() => this.#asking.delete(address));
    this.#asking.set(address, answer);
    return answer;
  }

  async #whois(address: string, signal?: AbortSignal): Promise<string | undefined> {
    if (!/^[0-9a-f.:]+$/.test(address)) return undefined;
    try {
      const who = await this.#json(["whois", "--json", address], signal);
      const tags = at(who, "Node", "Tags");
      if (Array.isArray(tags) && tags.length > 0) return undefined;
      const login = at(who, "UserProfile", "LoginName");
      return typeof login === "string" && login !== "" ? login : undefined;
    } catch {
      return undefined; // the caller says that the check failed
    }
  }

  async #json(args: readonly string[], signal?: AbortSignal): Promise<unknown> {
    return JSON.parse(await this.#run(args, { signal }));
  }

  async #run(
    args: readonly string[],
    { timeoutMs = TIMEOUT_MS, signal }: { timeoutMs?: number; signal?: AbortSignal } = {},
  ): Promise<string> {
    using deadline = new Deadline(timeoutMs, signal);
    const command = new Deno.Command(this.#program, {
      args: [...args],
      clearEnv: Deno.build.os !== "windows", // it needs none of our secrets
      env: this.#env,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      signal: deadline.signal,
    });
    const { success, stdout, stderr } = await command.output();
    if (success) return new TextDecoder().decode(stdout);
    const said = new TextDecoder().decode(stderr).trim().split("\n")[0] ?? "";
    const reason = deadline.isOver ? "it did not answer in time" : said || "it failed";
    throw new Failure("TAILSCALE", `Cannot run \`tailscale ${args.join(" ")}\`: ${reason}`, {
      hint: "look at: tailscale status",
    });
  }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch {
    return false;
  }
}
