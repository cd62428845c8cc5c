/** Where the program keeps its things, and on which port it was told to be. */
import { UsageError } from "./flags.ts";

/** Environment variables, wherever they come from. */
export type Env = Readonly<Record<string, string | undefined>>;

export interface Paths {
  readonly stateDir: string;
  readonly configPath: string;
  /** From a flag or the environment; without it the configuration decides, then `defaultPort`. */
  readonly port?: number;
  readonly defaultPort: number;
}

const DEFAULT_PORT = 18_789;
const DEV_PORT = 19_001;
const PROFILE = /^[a-z0-9][a-z0-9_-]{0,63}$/i;

/**
 * `OPENCLAW_STATE_DIR` names the folder outright; otherwise it is `~/.openclaw`, with the profile's
 * name behind a dash where there is one. Throws a `UsageError` for what can't be meant.
 */
export function resolvePaths(
  env: Env,
  flags: { readonly profile?: string; readonly dev?: boolean; readonly port?: number } = {},
): Paths {
  const profile = flags.profile ?? (flags.dev ? "dev" : env.OPENCLAW_PROFILE) ?? "default";
  if (!PROFILE.test(profile)) {
    throw new UsageError(`Profile '${profile}' can't be used: letters, digits, - and _ only`);
  }
  const home = env.OPENCLAW_HOME || env.HOME || env.USERPROFILE;
  if (home === undefined && !env.OPENCLAW_STATE_DIR) {
    throw new UsageError(
      "Cannot find the state folder: neither HOME nor OPENCLAW_STATE_DIR is set",
    );
  }
  const expand = (path: string) => path.replace(/^~(?=$|[/\\])/, home ?? "~");
  const suffix = profile === "default" ? "" : `-${profile}`;
  const stateDir = expand(env.OPENCLAW_STATE_DIR || `~/.openclaw${suffix}`);
  return {
    stateDir,
    configPath: expand(env.OPENCLAW_CONFIG_PATH || `${stateDir}/openclaw.json`),
    port: flags.port ?? portOf(env.OPENCLAW_GATEWAY_PORT),
    defaultPort: profile === "dev" ? DEV_PORT : DEFAULT_PORT,
  };
}

function portOf(text: string | undefined): number | undefined {
  if (!text) return undefined;
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new UsageError(`OPENCLAW_GATEWAY_PORT is '${text}': not a port`);
}
