/** How the gateway is started, and whether a secret can be seen in that. */
import { at } from "../config_file.ts";
import type { Env } from "../paths.ts";
import { octal } from "../private_files.ts";
import type { Started } from "./exposure.ts";
import type { Finding } from "./finding.ts";

/** The process that has the store of a state folder. */
export interface Running extends Started {
  readonly pid: number;
  /** Flags on its command line that hold a secret. */
  readonly secretFlags: readonly string[];
}

/** Who has the store, as far as the system tells; `undefined` where nobody is known to. */
export async function runningGateway(stateDir: string): Promise<Running | undefined> {
  const pid = at(await readJson(`${stateDir}/openclaw.holder.json`), "pid");
  if (typeof pid !== "number" || Deno.build.os !== "linux") return undefined;
  const line = await readText(`/proc/${pid}/cmdline`);
  if (!line) return undefined; // it is gone, or is another user's
  const words = line.split("\0");
  if (!words.some((word) => word === "gateway")) return undefined; // its number has been given anew
  return {
    pid,
    bind: flagIn(words, "bind"),
    auth: flagIn(words, "auth"),
    tailscale: flagIn(words, "tailscale"),
    secretFlags: ["token", "password"].filter((name) => flagIn(words, name) !== undefined)
      .map((name) => `--${name}`),
  };
}

/** What the list of processes and the service units tell everybody. */
export async function* processFindings(
  running: Running | undefined,
  env: Env,
): AsyncIterable<Finding> {
  if (running !== undefined && running.secretFlags.length > 0) {
    yield {
      checkId: "process.secret_in_arguments",
      severity: "warn",
      title: "The gateway's secret is in the list of processes",
      detail: `Process ${running.pid} was started with ${running.secretFlags.join(" and ")}: ` +
        "every user of this machine can read it there",
      mend: {
        by: "hand",
        how: "openclaw config set gateway.auth.token …, or give it by --token-file or " +
          "OPENCLAW_GATEWAY_TOKEN",
      },
    };
  }
  for (const path of await serviceFiles(env)) yield* unitFindings(path);
}

const UNIT_NAME = /(openclaw|clawdbot|moltbot).*\.(service|conf|plist)$/i;
const UNIT_SECRET =
  /--(?:token|password)(?:=|\s|<)|(?:TOKEN|PASSWORD|SECRET|API_KEY)["']?(?:=|<\/key>)\s*\S/;

async function* unitFindings(path: string): AsyncIterable<Finding> {
  const text = await readText(path);
  if (text === undefined || !UNIT_SECRET.test(text)) return;
  const mode = (await Deno.stat(path)).mode ?? 0;
  const isOpen = (mode & 0o044) !== 0;
  yield {
    checkId: "service.secret_in_unit",
    severity: isOpen ? "critical" : "warn",
    title: "A secret stands in the file of a service",
    detail: `${path}${isOpen ? `, which others can read (${octal(mode)}),` : ""} gives the ` +
      "gateway a secret in clear",
    mend: {
      by: "hand",
      how: "let systemd load it (LoadCredential= and --token-file), or put it into .env in the " +
        "state folder",
    },
  };
}

/** Files by which systemd or launchd start the gateway. */
async function serviceFiles({ HOME }: Env): Promise<readonly string[]> {
  const folders = [
    "/etc/systemd/system",
    "/Library/LaunchDaemons",
    ...(HOME ? [`${HOME}/.config/systemd/user`, `${HOME}/Library/LaunchAgents`] : []),
  ];
  const found = await Promise.all(
    folders.map(async (folder) =>
      (await namesIn(folder)).filter((name) => UNIT_NAME.test(name)).map((name) =>
        `${folder}/${name}`
      )
    ),
  );
  return found.flat().sort();
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
  } catch {
    return []; // another system, or none of our business
  }
}

/** `--name value` or `--name=value`; an empty text for a flag without one. */
function flagIn(words: readonly string[], name: string): string | undefined {
  const index = words.findIndex((word) => word === `--${name}` || word.startsWith(`--${name}=`));
  const word = words[index];
  if (word === undefined) return undefined;
  return word.includes("=") ? word.slice(word.indexOf("=") + 1) : words[index + 1] ?? "";
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readText(path) ?? "null");
  } catch {
    return undefined; // then nobody is named
  }
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch {
    return undefined; // not there, or not for us to read
  }
}
