/** The tools that work on the files of one workspace. */
import type { Tool } from "../../model.ts";
import { editTool } from "./edit.ts";
import { Jail } from "./jail.ts";
import { listTool } from "./list.ts";
import { readTool } from "./read.ts";
import { searchTool } from "./search.ts";
import { writeTool } from "./write.ts";

/** Tools that can reach what is below `workspace`, and nothing else. */
export function fileTools(workspace: string): readonly Tool[] {
  const jail = new Jail(workspace);
  return [readTool(jail), writeTool(jail), editTool(jail), listTool(jail), searchTool(jail)];
}
