/** The tool that shows what is in a folder. */
import { join } from "node:path";
import * as Type from "../../../schemas/type.ts";
import type { Tool } from "../../model.ts";
import type { Jail } from "./jail.ts";
import { defineTool, Refusal } from "./tool.ts";

const MAX_ENTRIES = 1_000;
const MAX_DEPTH = 8;

const PARAMETERS = Type.Object({
  path: Type.Optional(Type.String({ description: "The folder; the workspace when omitted" })),
  depth: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: MAX_DEPTH,
      description: "How deep to go; 1 when omitted",
    }),
  ),
});

/** Lists inside the jail. */
export function listTool(jail: Jail): Tool {
  return defineTool({
    name: "list",
    label: "List files",
    description: "Lists the files and folders of the workspace, or of a folder in it. " +
      "Folders end in '/'. Links are named, not followed.",
    parameters: PARAMETERS,
    async run({ path = ".", depth = 1 }, signal) {
      const { real, shown, info } = await jail.find(path);
      if (!info.isDirectory) throw new Refusal(`'${shown}' is not a folder`);
      const lines: string[] = [];
      for await (const entry of walk(real, depth)) {
        signal.throwIfAborted();
        if (lines.length === MAX_ENTRIES) {
          lines.push(`[more than ${MAX_ENTRIES} entries: list a folder by itself]`);
          break;
        }
        lines.push(await describe(real, entry));
      }
      return lines.length === 0 ? "(the folder is empty)" : lines.join("\n");
    },
  });
}

/** Something below a folder. */
export interface Entry {
  /** Relative to the folder where the walk began. */
  readonly path: string;
  readonly kind: "file" | "folder" | "link" | "special";
}

/** What is below a folder, by name, each folder before what is in it. Never follows a link. */
export async function* walk(
  folder: string,
  depth: number,
  { below = "", skip }: { below?: string; skip?: ReadonlySet<string> } = {},
): AsyncGenerator<Entry> {
  const entries: Deno.DirEntry[] = [];
  try {
    for await (const entry of Deno.readDir(join(folder, below))) entries.push(entry);
  } catch (error) {
    const isClosed = error instanceof Deno.errors.PermissionDenied ||
      error instanceof Deno.errors.NotFound;
    if (below === "" || !isClosed) throw error; // one folder is no reason to show none of the others
  }
  entries.sort((a, b) => a.name < b.name ? -1 : 1);
  for (const { name, isFile, isDirectory, isSymlink } of entries) {
    const kind = isSymlink ? "link" : isDirectory ? "folder" : isFile ? "file" : "special";
    const path = join(below, name);
    yield { path, kind };
    if (kind === "folder" && depth > 1 && !skip?.has(name)) {
      yield* walk(folder, depth - 1, { below: path, skip });
    }
  }
}

async function describe(root: string, { path, kind }: Entry): Promise<string> {
  if (kind === "folder") return `${path}/`;
  if (kind !== "file") return `${path} (${kind})`;
  const size = await Deno.lstat(join(root, path)).then(({ size }) => size, () => 0); // gone meanwhile
  return `${path} (${size} bytes)`;
}
