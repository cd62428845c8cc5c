/** The tool that replaces one passage of a file. */
import * as Type from "../../../schemas/type.ts";
import type { Tool } from "../../model.ts";
import type { Jail } from "./jail.ts";
import { defineTool, Refusal } from "./tool.ts";
import { MAX_FILE } from "./write.ts";

const PARAMETERS = Type.Object({
  path: Type.String({ description: "Path of the file, relative to the workspace" }),
  oldText: Type.String({ minLength: 1, description: "The passage to replace" }),
  newText: Type.String({ maxLength: MAX_FILE, description: "What to put in its place" }),
});

/** Edits inside the jail. */
export function editTool(jail: Jail): Tool {
  return defineTool({
    name: "edit",
    label: "Edit file",
    description: "Replaces one passage of a text file of the workspace. The old text must be " +
      "exactly as in the file, with its spaces and line breaks, and occur only once.",
    parameters: PARAMETERS,
    async run({ path, oldText, newText }) {
      const { file, ...found } = await jail.open(path);
      const text = await readAll(file, found.shown);
      const at = text.indexOf(oldText);
      if (at < 0) throw new Refusal(notThere(text, oldText, found.shown));
      if (text.indexOf(oldText, at + 1) >= 0) {
        throw new Refusal(ambiguous(text, oldText, found.shown));
      }
      const changed = text.slice(0, at) + newText + text.slice(at + oldText.length);
      if (changed.length > MAX_FILE) {
        throw new Refusal(`'${found.shown}' would be longer than ${MAX_FILE} characters`);
      }
      await jail.write(path, changed, { unlessChanged: found });
      return `Edited '${found.shown}' at line ${lineAt(text, at)}`;
    },
  });
}

async function readAll(file: Deno.FsFile, shown: string): Promise<string> {
  using _open = file;
  const { size } = await file.stat();
  if (size > MAX_FILE * 4) throw new Refusal(`'${shown}' is too large to edit (${size} bytes)`);
  const bytes = new Uint8Array(await new Response(file.readable).arrayBuffer());
  if (bytes.includes(0)) throw new Refusal(`'${shown}' is not a text file`);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Refusal(`'${shown}' is not UTF-8: editing would damage it`);
  }
}

function notThere(text: string, oldText: string, shown: string): string {
  const squeezed = (text: string) => text.replace(/\s+/g, " ").trim();
  const [first = ""] = oldText.trim().split("\n");
  if (squeezed(text).includes(squeezed(oldText)) && squeezed(oldText) !== "") {
    const at = text.indexOf(first.trim());
    const where = at < 0 ? "" : ` near line ${lineAt(text, at)}`;
    return `'${shown}' has this text only with other spaces or line breaks${where}: read it and copy exactly`;
  }
  const at = first.trim() === "" ? -1 : text.indexOf(first.trim());
  if (at < 0) return `'${shown}' does not contain this text: read it first`;
  return `'${shown}' does not contain this text; its first line is at line ${
    lineAt(text, at)
  }, but goes on differently`;
}

function ambiguous(text: string, oldText: string, shown: string): string {
  const lines: number[] = [];
  for (
    let at = text.indexOf(oldText);
    at >= 0 && lines.length < 5;
    at = text.indexOf(oldText, at + 1)
  ) {
    lines.push(lineAt(text, at));
  }
  return `'${shown}' has this text more than once (lines ${
    lines.join(", ")
  }): add a line around it`;
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}
