/** `.env` files: variables that a user keeps beside the configuration. */
import type { Env } from "./paths.ts";

const LINE =
  /^[ \t]*(?:export[ \t]+)?([A-Za-z_]\w*)[ \t]*=[ \t]*(?:'([^']*)'|"((?:\\[^]|[^"\\])*)"|([^\n#]*?))[ \t]*(?:#.*)?\r?$/gm;

/** The variables in a text. Lines that set none are passed over. */
export function parseEnvFile(text: string): Env {
  const values: [string, string][] = [];
  for (const [, name = "", single, double, bare] of text.matchAll(LINE)) {
    const unescaped = double?.replace(/\\([^])/g, (_, c) => c === "n" ? "\n" : c);
    values.push([name, single ?? unescaped ?? bare?.trim() ?? ""]);
  }
  return Object.fromEntries(values);
}

/** The variables in a file; none where there is no file. */
export function readEnvFile(path: string): Env {
  try {
    return parseEnvFile(Deno.readTextFileSync(path));
  } catch (error) {
    const missing = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory;
    if (missing) return {};
    throw error;
  }
}
