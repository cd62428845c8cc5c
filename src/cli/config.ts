/** `openclaw config`: the configuration file, without a gateway. */
import { checkConfig, type ConfigIssue, parseConfig, redact } from "../config.ts";
import { answer } from "./answer.ts";
import { writePrivately } from "./atomic_write.ts";
import { type Call, command, type Group } from "./command.ts";
import { at, isRounded, keepComments, readConfigFile, readText } from "./config_file.ts";
import { Failure } from "./failure.ts";
import { turnAt } from "./file_lock.ts";
import { UsageError } from "./flags.ts";
import { parseJson5 } from "./json5.ts";

const PATH = { name: "path" } as const;

const get = command({
  about: "Print a setting, or all of them",
  details: "Secrets are masked, unless the path names exactly one.",
  words: [{ ...PATH, optional: true }],
  flags: {},
  connects: false,
  examples: [
    ["openclaw config get", "print everything, without secrets"],
    ["openclaw config get gateway.port", "print one setting"],
    ["openclaw config get gateway.auth.token", "print one secret"],
  ],
  async run(call) {
    const { value } = await readConfigFile(call.paths.configPath);
    const path = call.words[0] === undefined ? [] : namesIn(call.words[0]);
    const found = at(value, ...path);
    if (found === undefined) throw notSet(call.words[0] ?? "");
    const shown = typeof found === "object" ? at(redact(value), ...path) : found;
    return answer(
      call,
      shown,
      (value) => `${typeof value === "string" ? value : JSON.stringify(value, null, 2)}\n`,
    );
  },
});

const set = command({
  about: "Change a setting",
  details:
    "The value is read as JSON5 where it is JSON5, and as text where it is not, or is a number too\n" +
    "long to be kept exactly. The file is checked as a whole and replaced at once; the one before\n" +
    "it stays beside it as .bak, and the last one that had comments as .comments.bak.",
  words: [PATH, { name: "value" }],
  flags: { text: { kind: "switch", about: "The value is text, whatever it looks like" } },
  connects: false,
  examples: [
    ["openclaw config set gateway.port 19000", "a number"],
    ["openclaw config set agents.defaults.model.primary anthropic/claude-sonnet-4-5", "a text"],
    [`openclaw config set agents.list '[{id: "main", name: "Ada"}]'`, "a list"],
  ],
  async run(call) {
    const [path = "", text = ""] = call.words;
    const value = call.flags.text ? text : valueIn(text);
    const shown = at(redact(nested(namesIn(path), value)), ...namesIn(path));
    await changeFile(call, (root) => withValue(root, namesIn(path), value, path));
    return answer(
      call,
      { path, value: shown },
      () => `${path} is now ${JSON.stringify(shown)} in ${call.paths.configPath}\n`,
    );
  },
});

const unset = command({
  about: "Remove a setting, so that its default counts again",
  words: [PATH],
  flags: {},
  connects: false,
  examples: [["openclaw config unset gateway.port", "go back to the default"]],
  async run(call) {
    const [path = ""] = call.words;
    await changeFile(call, (root) => {
      if (at(root, ...namesIn(path)) === undefined) throw notSet(path);
      return withoutValue(root, namesIn(path));
    });
    return answer(call, { path }, () => `${path} is removed from ${call.paths.configPath}\n`);
  },
});

const validate = command({
  about: "Check the file as the gateway would",
  details: "Exits with 1 if the gateway would not start from it.",
  flags: {},
  connects: false,
  examples: [["openclaw config validate", "after editing it by hand"]],
  async run(call) {
    const { paths: { configPath }, paint } = call;
    const text = await readText(configPath);
    const { issues, warnings } = parseConfig(text ?? "");
    const valid = issues.length === 0;
    const value = { path: configPath, exists: text !== undefined, valid, issues, warnings };
    answer(call, value, () =>
      [
        ...issues.map((issue) => `${paint.red("error:")} ${issueText(issue)}\n`),
        ...warnings.map((issue) => `${paint.yellow("warning:")} ${issueText(issue)}\n`),
        text === undefined
          ? `${configPath} does not exist: everything is at its default\n`
          : valid
          ? `${configPath} is valid\n`
          : "",
      ].join(""));
    return valid ? 0 : 1;
  },
});

const path = command({
  about: "Print where the file is",
  flags: {},
  connects: false,
  examples: [["openclaw config path", "which file is it?"]],
  run: (call) =>
    Promise.resolve(answer(call, { path: call.paths.configPath }, ({ path }) => `${path}\n`)),
});

export default {
  about: "Read and change the configuration file",
  usual: "get",
  commands: { get, set, unset, validate, path },
} satisfies Group;

/**
 * Replaces the file by what `edit` makes of its value. Refuses a change that brings in something
 * invalid; what was invalid before only gets a warning, or nobody could correct it in steps.
 */
export async function changeFile(
  { paths: { configPath }, io, paint }: Pick<Call, "paths" | "io" | "paint">,
  edit: (root: unknown) => unknown,
): Promise<void> {
  using _turn = await turnAt(configPath);
  const { text, value } = await readConfigFile(configPath);
  const before = new Set(checkConfig(value).issues.map(issueText));
  const edited = edit(value);
  const { issues, warnings } = checkConfig(edited);
  const fresh = issues.filter((issue) => !before.has(issueText(issue)));
  if (fresh.length > 0) {
    const reasons = fresh.map(issueText).join("; ");
    throw new Failure("CONFIG_INVALID", `The file is left as it is: ${reasons}`, {
      details: { issues: fresh },
    });
  }
  const kept = text === undefined ? undefined : await keepComments(configPath, text);
  if (text !== undefined) await writePrivately(`${configPath}.bak`, text);
  await writePrivately(configPath, `${JSON.stringify(edited, null, 2)}\n`);
  const known = new Set(checkConfig(value).warnings.map(issueText));
  const notes = [...issues, ...warnings.filter((issue) => !known.has(issueText(issue)))].map(
    issueText,
  );
  if (kept !== undefined) notes.push(`comments are not kept: they are in ${kept}`);
  for (const note of notes) io.err(`${paint.yellow("warning:")} ${note}\n`);
}

function issueText({ path, message }: ConfigIssue): string {
  return `${path === "" ? "the file" : path}: ${message}`;
}

/** `gateway.auth.token`, `agents.list.0.id`, `models.providers["my.host"].baseUrl` */
function namesIn(path: string): readonly string[] {
  const names: string[] = [];
  if (path === "") throw new UsageError("A path can't be empty: write it like gateway.auth.token");
  const part = /\.?(?:\["((?:\\.|[^"\\])+)"\]|\[(\d+)\]|([^.[\]]+))/y;
  while (part.lastIndex < path.length) {
    const match = path[0] === "." ? null : part.exec(path);
    const name = match?.[1] ?? match?.[2] ?? match?.[3];
    if (name === undefined || ["__proto__", "constructor", "prototype"].includes(name)) {
      throw new UsageError(`'${path}' is no path: write it like gateway.auth.token`);
    }
    names.push(name);
  }
  return names;
}

function valueIn(text: string): unknown {
  try {
    const value = parseJson5(text);
    return isRounded(value) ? text : value;
  } catch {
    return text;
  }
}

/** A value at the end of a path of objects. */
function nested(names: readonly string[], value: unknown): unknown {
  return names.reduceRight((inner, name) => ({ [name]: inner }), value);
}

/** A copy of `root` in which the path leads to `value`. */
function withValue(
  root: unknown,
  [name, ...rest]: readonly string[],
  value: unknown,
  path: string,
): unknown {
  if (name === undefined) return value;
  if (Array.isArray(root)) {
    const index = indexIn(name);
    if (index !== undefined && index <= root.length) {
      return root.toSpliced(index, 1, withValue(root[index], rest, value, path));
    }
  } else if (root === undefined || typeof root === "object" && root !== null) {
    return { ...root, [name]: withValue(at(root, name), rest, value, path) };
  }
  throw new UsageError(`Cannot set '${path}': nothing can be at '${name}' there`);
}

/** A copy of `root` without what the path leads to. */
function withoutValue(root: unknown, [name = "", ...rest]: readonly string[]): unknown {
  const last = rest.length === 0;
  if (Array.isArray(root)) {
    const index = indexIn(name);
    if (index === undefined) throw notSet(name); // its length, say
    return last
      ? root.toSpliced(index, 1)
      : root.toSpliced(index, 1, withoutValue(root[index], rest));
  }
  const entries = Object.entries(Object(root));
  return Object.fromEntries(
    entries.flatMap(([key, item]) =>
      key !== name ? [[key, item]] : last ? [] : [[key, withoutValue(item, rest)]]
    ),
  );
}

/** The place in a list that a name stands for. */
function indexIn(name: string): number | undefined {
  return /^\d+$/.test(name) ? Number(name) : undefined;
}

function notSet(path: string): Failure {
  return new Failure("NOT_FOUND", `${path} is not set`, { hint: "its default counts" });
}
