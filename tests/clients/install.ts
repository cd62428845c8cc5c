/** The released clients: fetched once from the npm registry into a folder outside the checkout. */
import { join } from "node:path";

/** What is installed, ready to run. */
export interface Peers {
  /** The Node that the released clients need. */
  readonly node: string;
  /** `openclaw` of the last release that speaks protocol 3, and of one that speaks 4. */
  readonly entry: Readonly<Record<Protocol, string>>;
  /** The folder of `openclaw-node`, a client that others wrote. */
  readonly thirdParty: string;
}

/** Which release: the one of protocol 3 or the one of protocol 4. */
export type Protocol = 3 | 4;

/** One folder of the cache, with what goes into it. */
interface Part {
  readonly folder: string;
  readonly package: string;
  readonly version: string;
  /** Versions that the registry no longer resolves by itself. */
  readonly overrides?: Readonly<Record<string, string>>;
  readonly flags?: readonly string[];
}

const NODE: Part = {
  folder: "node",
  package: `node-linux-${Deno.build.arch === "aarch64" ? "arm64" : "x64"}`,
  version: "24.21.0",
};
const V4: Part = { folder: "v4", package: "openclaw", version: "2026.9.6" };
const V3: Part = {
  folder: "v3",
  package: "openclaw",
  version: "2026.2.26",
  overrides: { "@whiskeysockets/baileys": "7.0.0-rc14", linkedom: "0.18.12" },
  flags: ["--legacy-peer-deps"],
};
const THIRD_PARTY: Part = { folder: "openclaw-node", package: "openclaw-node", version: "0.14.0" };

/** Where the peers are kept: `OPENCLAW_PEERS_DIR`, or a folder of the user's cache. */
export function peersFolder(): string {
  const cache = Deno.env.get("XDG_CACHE_HOME") || join(Deno.env.get("HOME") ?? ".", ".cache");
  return Deno.env.get("OPENCLAW_PEERS_DIR") || join(cache, "openclaw-peers");
}

/** Fetches what is missing. About 1.2 GB the first time; nothing later. */
export async function install(folder: string, progress: (line: string) => void): Promise<Peers> {
  if (Deno.build.os !== "linux") throw new Error("The released clients are run on Linux only");
  const peers = layOut(folder);
  // Node first: with an old one npm quietly picks older releases of what the clients depend on.
  for (const part of [NODE, V4, V3, THIRD_PARTY]) {
    if (await isComplete(folder, part)) continue;
    const started = performance.now();
    progress(`Installing ${part.package}@${part.version} into ${join(folder, part.folder)} …`);
    await fetchPart(folder, part, peers.node);
    progress(`… done in ${((performance.now() - started) / 1000).toFixed(0)} s`);
  }
  return peers;
}

/** What is there already; `undefined` unless all of it is. */
export async function installed(folder: string): Promise<Peers | undefined> {
  for (const part of [NODE, V4, V3, THIRD_PARTY]) {
    if (!await isComplete(folder, part)) return undefined;
  }
  return layOut(folder);
}

function layOut(folder: string): Peers {
  const packageOf = (part: Part) => join(folder, part.folder, "node_modules", part.package);
  return {
    node: join(packageOf(NODE), "bin", "node"),
    entry: { 3: join(packageOf(V3), "openclaw.mjs"), 4: join(packageOf(V4), "openclaw.mjs") },
    thirdParty: packageOf(THIRD_PARTY),
  };
}

/** npm writes this list into a tree last of all, so it is the mark of a complete one. */
async function isComplete(folder: string, part: Part): Promise<boolean> {
  const list = join(folder, part.folder, "node_modules", ".package-lock.json");
  try {
    const { packages } = JSON.parse(await Deno.readTextFile(list));
    return packages[`node_modules/${part.package}`]?.version === part.version;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return false;
    throw error;
  }
}

async function fetchPart(folder: string, part: Part, node: string) {
  const target = join(folder, part.folder);
  await Deno.remove(target, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  await Deno.mkdir(target, { recursive: true });
  await Deno.writeTextFile(
    join(target, "package.json"),
    JSON.stringify({
      private: true,
      dependencies: { [part.package]: part.version },
      overrides: part.overrides,
    }),
  );
  const { success, stdout, stderr } = await new Deno.Command("npm", {
    args: ["install", "--ignore-scripts", "--no-audit", "--no-fund", ...part.flags ?? []],
    cwd: target,
    env: { PATH: `${join(node, "..")}:${Deno.env.get("PATH") ?? ""}` },
    stdin: "null",
    signal: AbortSignal.timeout(INSTALL_TIMEOUT_MS),
  }).output();
  if (success && await isComplete(folder, part)) return;
  const words = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  throw new Error(`Cannot install ${part.package}@${part.version} with npm\n${words.trimEnd()}`);
}

const INSTALL_TIMEOUT_MS = 600_000;
