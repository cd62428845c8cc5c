/** The tool that reads a text file, a page at a time. */
import * as Type from "../../../schemas/type.ts";
import type { Tool } from "../../model.ts";
import type { Jail } from "./jail.ts";
import { linesOf } from "./lines.ts";
import { defineTool } from "./tool.ts";

const PAGE_LINES = 2_000;
const PAGE_CHARS = 50_000;

const PARAMETERS = Type.Object({
  path: Type.String({ description: "Path of the file, relative to the workspace" }),
  offset: Type.Optional(Type.Integer({ minimum: 1, description: "First line, from 1" })),
  limit: Type.Optional(Type.Integer({ minimum: 1, description: "How many lines" })),
});

/** Reads inside the jail. */
export function readTool(jail: Jail): Tool {
  return defineTool({
    name: "read",
    label: "Read file",
    description: `Reads a text file of the workspace: up to ${PAGE_LINES} lines or ` +
      `${PAGE_CHARS} characters. A longer file says where to go on.`,
    parameters: PARAMETERS,
    async run({ path, offset = 1, limit = PAGE_LINES }, signal) {
      const { file, shown } = await jail.open(path);
      using _open = file;
      const page: string[] = [];
      let chars = 0;
      let total = 0;
      for await (const { number, text, cut } of linesOf(file, { shown, signal })) {
        total = number;
        if (number < offset) continue;
        const full = page.length >= Math.min(limit, PAGE_LINES) || chars >= PAGE_CHARS;
        if (full) return [...page, `[more follows: go on with offset ${number}]`].join("\n");
        const line = cut === 0 ? text : `${text}[line cut: ${cut} more characters]`;
        page.push(line);
        chars += line.length + 1;
      }
      if (total === 0) return "(the file is empty)";
      if (page.length === 0) return `(no line ${offset}: the file has ${total})`;
      return page.join("\n");
    },
  });
}
