/** The tool that finds text in files. */
import { join } from "node:path";
import * as Type from "../../../schemas/type.ts";
import type { Tool } from "../../model.ts";
import { matchesGlob } from "./glob.ts";
import type { Found, Jail } from "./jail.ts";
import { type Line, linesOf } from "./lines.ts";
import { walk } from "./list.ts";
import { type Matcher, RegexMatcher, textMatcher } from "./matcher.ts";
import { defineTool, Refusal } from "./tool.ts";

const MAX_MATCHES = 200;
const MAX_FILES = 5_000;
const MAX_FILE_BYTES = 2_000_000;
const MAX_BYTES = 64_000_000;
const MAX_DEPTH = 16;
const MAX_SHOWN = 300;
const SEARCH_MS = 10_000;
const REGEX_MS = 1_000;
/** Folders that hold what programs wrote, not people. */
const SKIPPED = new Set([".git", "node_modules"]);

const PARAMETERS = Type.Object({
  query: Type.String({ minLength: 1, maxLength: 1_000, description: "What to find" }),
  regex: Type.Optional(
    Type.Boolean({
      description: "Whether the query is a regular expression; false when omitted",
    }),
  ),
  path: Type.Optional(
    Type.String({ description: "The folder or file; the workspace when omitted" }),
  ),
  glob: Type.Optional(
    Type.String({ maxLength: 300, description: "Only such files, as *.md or notes/**/*.txt" }),
  ),
});

/** Searches inside the jail. */
export function searchTool(jail: Jail): Tool {
  return defineTool({
    name: "search",
    label: "Search files",
    description: "Finds lines in the text files of the workspace, whatever their case. " +
      "Answers with path:line: text.",
    parameters: PARAMETERS,
    async run({ query, regex = false, path = ".", glob }, signal) {
      const start = await jail.find(path);
      using matcher = regex
        ? new RegexMatcher(query, { deadlineMs: REGEX_MS, signal })
        : textMatcher(query);
      const search = new Search(jail, { matcher, signal });
      for await (const file of filesBelow(start, glob)) {
        if (!search.goesOn()) break;
        if (file !== undefined && !await search.file(file)) break;
      }
      return search.report();
    },
  });
}

/** The files to look into, as paths relative to the workspace; `undefined` for what is passed over. */
async function* filesBelow(
  { real, shown, info }: Found,
  glob: string | undefined,
): AsyncGenerator<string | undefined> {
  if (info.isFile) return yield shown;
  if (!info.isDirectory) throw new Refusal(`'${shown}' is neither a file nor a folder`);
  for await (const { path, kind } of walk(real, MAX_DEPTH, { skip: SKIPPED })) {
    const isWanted = kind === "file" && (glob === undefined || matchesGlob(path, glob));
    yield isWanted ? join(shown, path) : undefined;
  }
}

/** One search and its limits. */
class Search {
  readonly #jail: Jail;
  readonly #matcher: Matcher;
  readonly #signal: AbortSignal;
  readonly #deadline = performance.now() + SEARCH_MS;
  readonly #found: string[] = [];
  #files = 0;
  #bytes = 0;
  #stopped: string | undefined;

  constructor(jail: Jail, { matcher, signal }: { matcher: Matcher; signal: AbortSignal }) {
    this.#jail = jail;
    this.#matcher = matcher;
    this.#signal = signal;
  }

  /** Returns `false` once a limit is reached. */
  goesOn(): boolean {
    this.#signal.throwIfAborted();
    this.#stopped = this.#files >= MAX_FILES
      ? `${MAX_FILES} files`
      : this.#bytes >= MAX_BYTES
      ? `${MAX_BYTES} bytes`
      : performance.now() > this.#deadline
      ? `${SEARCH_MS / 1000} seconds`
      : undefined;
    return this.#stopped === undefined;
  }

  /** Looks into one file. Returns `false` once there are enough matches. */
  async file(path: string): Promise<boolean> {
    const lines = await this.#read(path);
    const matches = await this.#matcher.match(lines.map(({ text }) => text));
    for (const index of matches) {
      const line = lines[index];
      if (line === undefined) continue;
      if (this.#found.length === MAX_MATCHES) {
        this.#stopped = `${MAX_MATCHES} matches`;
        return false;
      }
      this.#found.push(`${path}:${line.number}: ${line.text.trim().slice(0, MAX_SHOWN)}`);
    }
    return true;
  }

  report(): string {
    const none = `(nothing found in ${this.#files} files)`;
    const text = this.#found.length === 0 ? none : this.#found.join("\n");
    return this.#stopped === undefined
      ? text
      : `${text}\n[stopped after ${this.#stopped}: search in a folder, or with a glob]`;
  }

  /** The lines of a file; none where it is too large, not text, or gone. */
  async #read(path: string): Promise<readonly Line[]> {
    try {
      const { file, shown, info } = await this.#jail.open(path);
      using _open = file;
      if (info.size > MAX_FILE_BYTES) return [];
      this.#bytes += info.size;
      const lines = await Array.fromAsync(linesOf(file, { shown, signal: this.#signal }));
      this.#files++;
      return lines;
    } catch (error) {
      const expected = error instanceof Refusal || error instanceof Deno.errors.NotFound ||
        error instanceof Deno.errors.PermissionDenied;
      if (!expected) throw error;
      return [];
    }
  }
}
