/** What other users of this machine could read or change. */
import { dirname } from "node:path";
import type { Paths } from "../paths.ts";
import { type Loose, looseIn, octal } from "../private_files.ts";
import { listed } from "./credentials.ts";
import type { Finding, Severity } from "./finding.ts";

/** Deep enough for workspaces; a house with more is told of in part. */
const LIMITS = { depth: 8, entries: 20_000 };
const OTHERS_WRITE = 0o002;
const GROUP_WRITE = 0o020;

/** A part of the state folder, by the path below it. */
interface Part {
  readonly id: string;
  readonly name: string;
  readonly path: RegExp;
  /** How bad it is if others can read it. */
  readonly read: Severity;
}

const CONFIG: Part = {
  id: "fs.config",
  name: "The configuration",
  path: /^openclaw\.json|^\.env$/,
  read: "critical",
};
/** Every file belongs to the first that fits. */
const PARTS: readonly Part[] = [
  CONFIG,
  {
    id: "fs.credentials",
    name: "A key of this machine",
    path: /^(identity|credentials|tls|devices)(\/|$)/,
    read: "critical",
  },
  { id: "fs.store", name: "The store", path: /^[^/]+\.(sqlite|db)/, read: "critical" },
  { id: "fs.logs", name: "A log", path: /^logs(\/|$)/, read: "warn" },
  { id: "fs.workspace", name: "An agent's workspace", path: /^workspace[^/]*(\/|$)/, read: "warn" },
  { id: "fs.state", name: "A file of the state folder", path: /^/, read: "warn" },
];

/** Looks at the state folder, all that is in it, and a configuration that lies elsewhere. */
export async function* fileFindings({ stateDir, configPath }: Paths): AsyncIterable<Finding> {
  if (Deno.build.os === "windows") {
    yield {
      checkId: "fs.not_checked",
      severity: "info",
      title: "The rights of files were not looked at",
      detail: "On Windows they follow from those of your home folder",
    };
    return;
  }
  const root = await lookAt(stateDir);
  if (root === undefined) return; // nothing was ever kept here
  yield* placeFindings(stateDir, root);
  const isShut = (root.mode & 0o077) === 0;
  const loose = await Array.fromAsync(looseIn(stateDir, LIMITS));
  for (const part of PARTS) {
    yield* partFindings(part, loose.filter(({ path }) => partOf(path, stateDir) === part), isShut);
  }
  const config = await unlessMissing(Deno.realPath(configPath));
  if (config !== undefined && !config.startsWith(`${await Deno.realPath(stateDir)}/`)) {
    const outside = await Array.fromAsync(looseIn(config, { depth: 0, entries: 1 }));
    yield* partFindings(CONFIG, outside, false);
  }
  yield* await linkFindings(stateDir);
}

interface Looked {
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number | null;
  readonly isSymlink: boolean;
}

/** A folder as it is, and whether it is reached by a link. */
async function lookAt(path: string): Promise<Looked | undefined> {
  const own = await unlessMissing(Deno.lstat(path));
  const info = own && await unlessMissing(Deno.stat(path));
  return info && {
    mode: (info.mode ?? 0) & 0o7777,
    uid: info.uid,
    isSymlink: own?.isSymlink === true,
  };
}

async function unlessMissing<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** The state folder itself, and the one that it is in. */
async function* placeFindings(stateDir: string, root: Looked): AsyncIterable<Finding> {
  const rights = root.mode & 0o777;
  const loose = { path: stateDir, kind: "folder", mode: rights, wanted: rights & 0o700 } as const;
  const mend = { by: "chmod", loose: [loose] } as const;
  const detail = `${stateDir} has the rights ${octal(rights)}`;
  if ((rights & OTHERS_WRITE) !== 0) {
    yield {
      checkId: "fs.state_dir.perms_world_writable",
      severity: "critical",
      title: "Every user of this machine can change your gateway",
      detail,
      mend,
    };
  } else if ((rights & GROUP_WRITE) !== 0) {
    yield {
      checkId: "fs.state_dir.perms_group_writable",
      severity: "critical",
      title: "Other users of this machine can change your gateway",
      detail,
      mend,
    };
  } else if ((rights & 0o077) !== 0) {
    yield {
      checkId: "fs.state_dir.perms_readable",
      severity: "warn",
      title: "Other users of this machine can look into the state folder",
      detail,
      mend,
    };
  }
  const own = Deno.uid();
  if (root.uid !== null && own !== null && root.uid !== own && own !== 0) {
    yield {
      checkId: "fs.state_dir.owner",
      severity: "critical",
      title: "The state folder belongs to another user",
      detail: `${stateDir} belongs to user ${root.uid}, and you are ${own}`,
      mend: { by: "hand", how: `use a folder of your own, or: sudo chown -R ${own} ${stateDir}` },
    };
  }
  if (root.isSymlink) {
    yield {
      checkId: "fs.state_dir.symlink",
      severity: "info",
      title: "The state folder is a link",
      detail: `${stateDir} leads to ${await Deno.realPath(stateDir)}`,
    };
  }
  const above = await lookAt(dirname(await Deno.realPath(stateDir)));
  const isSticky = ((above?.mode ?? 0) & 0o1000) !== 0; // there one can only move what one owns
  if (above !== undefined && (above.mode & (OTHERS_WRITE | GROUP_WRITE)) !== 0 && !isSticky) {
    yield {
      checkId: "fs.state_dir.parent_writable",
      severity: (above.mode & OTHERS_WRITE) !== 0 ? "critical" : "warn",
      title: "Other users can put another folder in the place of the state folder",
      detail: `${dirname(stateDir)} has the rights ${octal(above.mode)}`,
      mend: { by: "hand", how: `chmod go-w ${dirname(stateDir)}` },
    };
  }
  if (SYNCED.test(stateDir)) {
    yield {
      checkId: "fs.synced_dir",
      severity: "warn",
      title: "The state folder is copied to a cloud",
      detail: `${stateDir} holds keys and conversations, and two machines that write one store ` +
        "damage it",
      mend: { by: "hand", how: "move it, and name the new place in OPENCLAW_STATE_DIR" },
    };
  }
}

const SYNCED =
  /\/(Dropbox|OneDrive|Google Drive|GoogleDrive|iCloud|Mobile Documents|CloudStorage)/i;

function partOf(path: string, stateDir: string): Part | undefined {
  if (path === stateDir) return undefined; // it has findings of its own
  const below = path.slice(stateDir.length + 1);
  return PARTS.find((part) => part.path.test(below));
}

/** One finding for all of a part that is open; the worst of it decides how bad it is. */
function* partFindings(
  { id, name, read }: Part,
  loose: readonly Loose[],
  isShut: boolean,
): Iterable<Finding> {
  if (loose.length === 0) return;
  const mode = loose.reduce((all, { mode }) => all | mode, 0);
  const isWritable = (mode & (OTHERS_WRITE | GROUP_WRITE)) !== 0;
  const found = listed(loose.map(({ path, mode }) => `${path} (${octal(mode)})`));
  yield {
    checkId: `${id}.${aspectOf(mode)}`,
    severity: isShut ? "warn" : isWritable ? "critical" : read,
    title: `${name} is open to other users of this machine`,
    detail: isShut ? `${found}; only the state folder around it keeps them out` : found,
    mend: { by: "chmod", loose },
  };
}

function aspectOf(mode: number): string {
  if ((mode & OTHERS_WRITE) !== 0) return "perms_world_writable";
  if ((mode & GROUP_WRITE) !== 0) return "perms_group_writable";
  return (mode & 0o007) !== 0 ? "perms_world_readable" : "perms_group_readable";
}

/** Links that lead out of the state folder, at its top: a backup or a program may have left them. */
async function linkFindings(stateDir: string): Promise<readonly Finding[]> {
  const out: string[] = [];
  const real = await Deno.realPath(stateDir);
  for await (const { name, isSymlink } of Deno.readDir(stateDir)) {
    if (!isSymlink) continue;
    const target = await unlessMissing(Deno.realPath(`${stateDir}/${name}`));
    if (target === undefined || !target.startsWith(`${real}/`)) {
      out.push(`${name} → ${target ?? "nothing"}`);
    }
  }
  if (out.length === 0) return [];
  return [{
    checkId: "fs.symlink",
    severity: "info",
    title: "Links lead out of the state folder",
    detail: `${listed(out.sort())}: the rights of what they lead to were not looked at`,
  }];
}
