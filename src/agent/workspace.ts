/** The folder of an agent: where it is, what it is given, and what it says of itself. */
import { join, resolve } from "node:path";
import { type Config, defaultAgentId } from "../config.ts";
import type { AgentIdentity } from "../run.ts";
import { isAgentId } from "../session.ts";
import { BOOTSTRAP_FILES, type BootstrapFile, TEMPLATES } from "./templates.ts";

/** What decides where workspaces are. */
export interface WorkspacePlace {
  readonly config: Config;
  readonly stateDir: string;
  /** For `~`. */
  readonly home: string | undefined;
}

/**
 * The folder of an agent: what the configuration names for it, else the one of the default agent,
 * with `-<id>` for every other. Throws for what can't be the id of an agent.
 */
export function workspacePath(agentId: string, { config, stateDir, home }: WorkspacePlace): string {
  if (!isAgentId(agentId)) {
    throw new Error(`Cannot find the workspace of '${agentId}': not an agent's id`);
  }
  const own = config.agents?.list?.find(({ id }) => id === agentId)?.workspace;
  const shared = config.agents?.defaults?.workspace ?? join(stateDir, "workspace");
  const spelled = own ?? (agentId === defaultAgentId(config) ? shared : `${shared}-${agentId}`);
  const expanded = home === undefined ? spelled : spelled.replace(/^~(?=$|[/\\])/, () => home);
  return resolve(stateDir, expanded);
}

/** A file that is shown to the model, as much of it as fits. */
export interface Shown {
  readonly name: BootstrapFile;
  readonly text: string;
}

/** How much of the files is shown. */
export interface ShownLimits {
  readonly perFile: number;
  readonly total: number;
}

/** It is there until a new folder has all of our files: what is missing later was taken away. */
const UNFINISHED = ".openclaw-unfinished";

/** What of our files is in a folder. */
export type WorkspaceFiles = ReadonlyMap<BootstrapFile, string>;

/** An agent's folder on disk. */
export class Workspace {
  readonly path: string;
  readonly #cache = new Map<BootstrapFile, { readonly version: string; readonly text: string }>();
  /** What was read last of IDENTITY.md, and what that says. */
  #identity = { text: "", says: parseIdentity("") };
  /** Whether the mark of an unfinished folder is known not to be there. */
  #isWhole = false;

  constructor(path: string) {
    this.path = path;
  }

  /**
   * Makes the folder, closed to others, and returns what is in it. One that has none of our files
   * gets them all, and where that was broken off, those that it did not get; nothing that somebody
   * has written is overwritten.
   */
  async ensure(): Promise<WorkspaceFiles> {
    const unfinished = join(this.path, UNFINISHED);
    const files = await this.files();
    this.#isWhole ||= !exists(unfinished);
    if (this.#isWhole) {
      if (files.size > 0) return files;
      this.#isWhole = false;
      await Deno.mkdir(this.path, { recursive: true, mode: 0o700 });
      await Deno.writeTextFile(unfinished, "", { mode: 0o600 });
    }
    for (const name of BOOTSTRAP_FILES) {
      const text = files.get(name);
      const isCutOff = text !== undefined && TEMPLATES[name].startsWith(text);
      try {
        await Deno.writeTextFile(join(this.path, name), TEMPLATES[name], {
          createNew: !isCutOff,
          mode: 0o600,
        });
      } catch (error) {
        if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
      }
    }
    await Deno.remove(unfinished).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error; // somebody was faster
    });
    this.#isWhole = true;
    return await this.files();
  }

  /** What is in the folder now, all or some of it. */
  async files(names: readonly BootstrapFile[] = BOOTSTRAP_FILES): Promise<WorkspaceFiles> {
    const files = new Map<BootstrapFile, string>();
    for (const name of names) {
      const text = await this.#read(name);
      if (text !== undefined) files.set(name, text);
    }
    return files;
  }

  /** What IDENTITY.md says. */
  identity(files: WorkspaceFiles): Omit<AgentIdentity, "agentId"> {
    const text = files.get("IDENTITY.md") ?? "";
    if (text !== this.#identity.text) this.#identity = { text, says: parseIdentity(text) };
    return this.#identity.says;
  }

  /** A file's text, from memory while it has not changed; `undefined` if it isn't there. */
  async #read(name: BootstrapFile): Promise<string | undefined> {
    const path = join(this.path, name);
    try {
      // a look at a name in memory: to ask another thread for it costs twenty times as much
      const { mtime, size, isFile } = Deno.statSync(path);
      if (!isFile) return undefined;
      const version = `${mtime?.getTime()} ${size}`;
      const known = this.#cache.get(name);
      if (known?.version === version) return known.text;
      const text = await readStart(path);
      this.#cache.set(name, { version, text });
      return text;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }
}

/** The files for the model, cut where they are too long, with a mark that says so. */
export function toShow(
  files: WorkspaceFiles,
  { perFile, total }: ShownLimits,
): readonly Shown[] {
  const shown: Shown[] = [];
  let left = total;
  for (const [name, whole] of files) {
    const text = whole.trim();
    if (text === "") continue;
    const most = Math.min(perFile, left);
    const kept = text.slice(0, most);
    left -= kept.length;
    const mark = `\n[cut here: ${text.length - most} more characters in ${name}]`;
    shown.push({ name, text: text.length > most ? kept + mark : kept });
  }
  return shown;
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** More than any limit shows; a file that grew without end must not fill the memory. */
const MAX_BYTES = 1_000_000;

async function readStart(path: string): Promise<string> {
  using file = await Deno.open(path);
  const bytes = new Uint8Array(MAX_BYTES);
  let length = 0;
  while (length < MAX_BYTES) {
    const read = await file.read(bytes.subarray(length));
    if (read === null) break;
    length += read;
  }
  return new TextDecoder().decode(bytes.subarray(0, length));
}

const FIELDS: ReadonlyMap<string, "name" | "emoji" | "avatar" | "theme"> = new Map([
  ["name", "name"],
  ["emoji", "emoji"],
  ["avatar", "avatar"],
  ["theme", "theme"],
  ["vibe", "theme"],
]);

/** Characters of a field: nobody's name is longer, and the marks behind one take long to find. */
const MAX_VALUE = 500;

/** Reads `Name: X` lines, however they are marked up; what looks like a gap to fill is left out. */
export function parseIdentity(text: string): Omit<AgentIdentity, "agentId"> {
  const found: { name?: string; emoji?: string; avatar?: string; theme?: string } = {};
  for (const line of text.split("\n")) {
    const [, label = "", rest = ""] = /^[\s>*_+-]*([A-Za-z]+)[*_\s]*:(.*)$/.exec(line) ?? [];
    const field = FIELDS.get(label.toLowerCase());
    const value = rest.trim().slice(0, MAX_VALUE).replace(/^[*_`"\s]+|[*_`"\s]+$/g, "");
    if (field === undefined || value === "" || /^[[(<].*[\])>]$/.test(value)) continue;
    found[field] ??= value;
  }
  return found;
}
