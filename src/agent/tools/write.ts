/** The tool that writes a whole file. */
import * as Type from "../../../schemas/type.ts";
import type { Tool } from "../../model.ts";
import type { Jail } from "./jail.ts";
import { defineTool } from "./tool.ts";

/** Characters of a file that a tool may write. */
export const MAX_FILE = 1_000_000;

const PARAMETERS = Type.Object({
  path: Type.String({ description: "Path of the file, relative to the workspace" }),
  content: Type.String({ maxLength: MAX_FILE, description: "The whole new text" }),
});

/** Writes inside the jail. */
export function writeTool(jail: Jail): Tool {
  return defineTool({
    name: "write",
    label: "Write file",
    description: "Writes a text file of the workspace, replacing what is there. " +
      "Makes missing folders. To change a part of a file, use edit.",
    parameters: PARAMETERS,
    async run({ path, content }) {
      const { shown, created } = await jail.write(path, content);
      return `${created ? "Created" : "Replaced"} '${shown}' (${content.length} characters)`;
    },
  });
}
