/** The configuration file, read without being checked: for the few keys that a client needs. */
import type { Env } from "./paths.ts";
import { Failure } from "./failure.ts";

export interface ConfigFile {
  readonly path: string;
  /** `undefined` where there is no file. */
  readonly text?: string;
  /** What the text says; `{}` where there is no file. */
  readonly value: unknown;
}

/** Rejects with a `Failure` if the file is there and can't be read or understood. */
export async function readConfigFile(path: string): Promise<ConfigFile> {
  const text = await readText(path);
  if (text === undefined) return { path, value: {} };
  try {
    return { path, text, value: text.trim() === "" ? {} : await parse(text) };
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^JSON5: /, "") : String(error);
    throw new Failure("CONFIG_INVALID", `Cannot read config '${path}': ${reason}`, {
      hint: "correct the file, then check it with `openclaw config validate`",
      cause: error,
    });
  }
}

/**
 * Keeps a text that is about to be written anew, if it has comments, which get lost by that. Resolves
 * to where it is kept: in a file of its own, that no later text without comments takes the place of.
 */
export async function keepComments(path: string, text: string): Promise<string | undefined> {
  if (!hasComments(text)) return undefined;
  const { writePrivately } = await import("./atomic_write.ts");
  await writePrivately(`${path}.comments.bak`, text);
  return `${path}.comments.bak`;
}

/** Whether there is a comment outside the texts. */
function hasComments(text: string): boolean {
  return /\/[/*]/.test(text.replace(/"(?:\\[^]|[^"\\])*"|'(?:\\[^]|[^'\\])*'/g, ""));
}

/** The text of a file; `undefined` where there is none. */
export async function readText(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Most files are plain JSON, which needs no library. */
async function parse(text: string): Promise<unknown> {
  try {
    return JSON.parse(text);
  } catch {
    const { parseJson5 } = await import("./json5.ts");
    return parseJson5(text);
  }
}

/** Whether it is a number that is not the one that was written: an id with too many digits. */
export function isRounded(value: unknown): boolean {
  return Number.isInteger(value) && !Number.isSafeInteger(value);
}

/** What lies at a path of names in a value; `undefined` where the path leads nowhere. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  let here = value;
  for (const name of path) {
    if (typeof here !== "object" || here === null || !Object.hasOwn(here, name)) return undefined;
    here = Reflect.get(here, name);
  }
  return here;
}

/** A non-empty text at a path of names, with `${NAME}` filled in from the environment. */
export function textAt(value: unknown, env: Env, ...path: readonly string[]): string | undefined {
  const text = at(value, ...path);
  if (typeof text !== "string" || text === "") return undefined;
  return text.replace(/(\$?)\$\{([A-Z_][A-Z0-9_]*)\}/g, (whole, escaped, name) => {
    if (escaped) return whole.slice(1);
    if (env[name] !== undefined) return env[name];
    throw new Failure("CONFIG_INVALID", `Cannot read ${path.join(".")}: ${name} is not set`, {
      hint: `the configuration takes it from the environment`,
    });
  });
}
