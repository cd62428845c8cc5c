/** How a tool is made: its arguments are checked, its refusals and long answers told to the model. */
import type { Static, TObject } from "@sinclair/typebox";
import { Errors } from "@sinclair/typebox/errors";
import { Check, Convert } from "@sinclair/typebox/value";
import type { Tool, ToolResult } from "../../model.ts";

/** What a tool says instead of a result; shown to the model, so it should say what to do. */
export class Refusal extends Error {
  override readonly name = "Refusal";
}

/** What is particular to one tool. */
export interface ToolDefinition<Parameters extends TObject> {
  readonly name: string;
  readonly label: string;
  readonly description: string;
  readonly parameters: Parameters;
  /** Returns the text for the model. Throws `Refusal`, or what the file system throws. */
  run(args: Static<Parameters>, signal: AbortSignal): Promise<string>;
}

/** Characters of one result that the model gets to see; a result may have its own, lower limit. */
export const MAX_RESULT = 60_000;

/** A tool that answers every call, whatever its arguments are and whatever the disk says. */
export function defineTool<Parameters extends TObject>(
  { name, label, description, parameters, run }: ToolDefinition<Parameters>,
): Tool {
  return {
    name,
    label,
    description,
    parameters,
    async run(args, { signal }) {
      // models write "5" for 5; what can't be converted is left for the check to name
      const converted = Convert(parameters, structuredClone(args));
      if (!Check(parameters, converted)) return failure(whatIsWrong(parameters, converted));
      try {
        return success(cut(await run(converted, signal)));
      } catch (error) {
        if (error instanceof Refusal) return failure(error.message);
        const reason = diskReason(error);
        if (reason === undefined) throw error;
        return failure(`Cannot ${name}: ${reason}`);
      }
    },
  };
}

function success(text: string): ToolResult {
  return { content: [{ type: "text", text: text.toWellFormed() }] }; // a cut may leave half a letter
}

function failure(text: string): ToolResult {
  return { content: [{ type: "text", text }], isError: true };
}

function cut(text: string): string {
  if (text.length <= MAX_RESULT) return text;
  return `${text.slice(0, MAX_RESULT)}\n[cut here: ${text.length - MAX_RESULT} more characters]`;
}

function whatIsWrong(parameters: TObject, args: unknown): string {
  const seen = new Map<string, string>();
  for (const { path, message } of Errors(parameters, args)) {
    const name = path.slice(1) || "arguments";
    if (!seen.has(name)) seen.set(name, message);
    if (seen.size === 5) break;
  }
  const list = [...seen].map(([name, message]) => `${name}: ${message}`).join("; ");
  return `The arguments don't fit this tool: ${list}`;
}

/** What the file system said, without the real path in it; `undefined` for anything else. */
function diskReason(error: unknown): string | undefined {
  if (error instanceof Deno.errors.NotFound) return "not found";
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  if (error instanceof Deno.errors.IsADirectory) return "it is a folder";
  if (error instanceof Deno.errors.NotADirectory) return "a part of the path is not a folder";
  if (error instanceof Deno.errors.FilesystemLoop) return "its links go in a circle";
  return error instanceof Error ? /^(.+) \(os error \d+\)/.exec(error.message)?.[1] : undefined;
}
