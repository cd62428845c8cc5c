/**
 * Makes `dist/openclaw`: one file with the program, its pages and its runtime.
 *
 * The program is bundled first, so that of each npm package only what is used goes in, and lazily
 * imported parts stay separate files that are read when they are needed. Then `deno compile` puts
 * the bundle on top of the runtime base.
 */
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

/** What goes into one file. Paths are relative to the working directory. */
export interface Program {
  /** The module that runs. */
  readonly entry: string;
  /** The file to make. */
  readonly output: string;
  /** Folders to embed beside the program's code: the name there → the folder here. */
  readonly folders?: Readonly<Record<string, string>>;
  /** Unstable features that the program uses, as in `deno.json`. */
  readonly unstable?: readonly string[];
  /** Arguments with which it must succeed, once, before it is trusted. */
  readonly trial?: readonly string[];
}

/**
 * Half of the young heap, in MiB. The default of 16 is filled by the garbage of a thousand
 * handshakes before any of it is swept. In 4 there is no room for what a hundred turns at once have
 * in hand: it is copied again and again, and they take a quarter longer.
 */
const V8_FLAGS = "--max-semi-space-size=8";

/**
 * Compiles a program with the Deno at `deno`, on the base that `DENORT_BIN` names or that this Deno
 * downloads. Everything that the program names by `new URL("./…", import.meta.url)` is embedded
 * too: modules that it starts as workers are bundled, files and folders are copied. References that
 * begin with `../` are not, they serve the checkout only. Replaces `output` in one step, also
 * while the old one runs; when anything fails, the old one stays.
 */
export async function compile(
  program: Program,
  { deno = Deno.execPath(), progress = () => {} }: {
    deno?: string;
    progress?: (line: string) => void;
  } = {},
): Promise<void> {
  const scratch = await Deno.makeTempDir({ prefix: "openclaw-compile-" });
  try {
    const embed = join(scratch, "embed");
    await bundle(program, embed, progress);
    // Beside the folder, never in it: what lies in it is embedded.
    const binary = join(scratch, basename(program.output));
    await link(embed, { main: bundledName(basename(program.entry)), binary, deno, progress });
    if (program.trial !== undefined) {
      // A base that does not fit makes a file that can't even say its version.
      await run(binary, program.trial, {
        what: "use the compiled program (its base must fit its Deno)",
      });
    }
    await replace(binary, program.output);
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

/** What of the checkout a program refers to by URL. */
interface References {
  /** Worker modules: how the program spells it → the file. */
  readonly workers: ReadonlyMap<string, string>;
  /** Files and folders: how the program spells it → where it is. */
  readonly assets: ReadonlyMap<string, string>;
}

/** Writes to the folder `embed` all that goes on top of the runtime base. */
export async function bundle(
  { entry, folders = {}, unstable = [] }: Omit<Program, "output">,
  embed: string,
  progress: (line: string) => void = () => {},
): Promise<void> {
  const { workers, assets } = await references(entry, Object.keys(folders));
  const extra = [...workers.keys(), ...assets.keys(), ...Object.keys(folders)];
  progress(`Bundling ${[entry, ...extra].join(", ")}`);
  const bundleTo = (folder: string, ...flags: readonly string[]) =>
    run(Deno.execPath(), [
      "bundle",
      "--platform=deno",
      "--code-splitting",
      ...flags,
      `--outdir=${folder}`,
      entry,
      ...workers.values(),
    ], { what: `bundle ${entry}` });
  const whole = await Deno.makeTempDir({ prefix: "openclaw-bundle-" });
  try {
    await Promise.all([bundleTo(embed, "--minify"), bundleTo(whole)]);
    await requireDisposals(embed, whole);
  } finally {
    await Deno.remove(whole, { recursive: true });
  }

  // A worker is started by its name in the sources; that file starts the bundled one.
  for (const [spelled, file] of workers) {
    const bundled = bundledName(relative(dirname(resolve(entry)), file));
    await Deno.writeTextFile(
      join(embed, spelled),
      `import ${JSON.stringify(upTo(spelled) + "timers.mjs")};\n` +
        `import ${JSON.stringify(upTo(spelled) + bundled)};\n`,
    );
  }
  for (const [name, path] of [...assets, ...Object.entries(folders)]) {
    await copy(path, join(embed, name));
  }
  await Deno.writeTextFile(join(embed, "timers.mjs"), TIMERS);
  // Not a module that starts this one: `import.meta.main` must stay true in it.
  const main = join(embed, bundledName(basename(entry)));
  await Deno.writeTextFile(main, `import "./timers.mjs";\n${await Deno.readTextFile(main)}`);
  await Deno.writeTextFile(join(embed, "deno.json"), JSON.stringify({ unstable }));
}

/**
 * The minifier takes a `using` whose value is read once, right behind it, for a `const`, and puts
 * the value in its place: then nothing is ever disposed of. Throws where one is missing.
 */
async function requireDisposals(minified: string, whole: string): Promise<void> {
  const [left, all] = await Promise.all([minified, whole].map(disposals));
  if (left === all) return;
  throw new Error(
    `The minifier has kept ${left} of ${all} \`using\` declarations: find those whose value is ` +
      "read once, in the next statement, and read it later or twice",
  );
}

async function disposals(folder: string): Promise<number> {
  let count = 0;
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith(".js")) continue;
    const code = await Deno.readTextFile(join(folder, name));
    count += code.match(/\busing\s+[\w$]+\s*=/g)?.length ?? 0;
  }
  return count;
}

/**
 * Deno 2.9 has Node's timers, which are objects. An older base has the web's, which are numbers,
 * and gives Node's to npm packages only, which bundled code no longer is.
 */
const TIMERS = `import * as timers from "node:timers";
for (const verb of ["set", "clear"]) {
  for (const kind of ["Timeout", "Interval", "Immediate"]) {
    globalThis[verb + kind] = timers[verb + kind];
  }
}
const { refTimer, unrefTimer } = Deno; // for numbers; Node's timers use them
Deno.refTimer = (timer) => typeof timer === "number" ? refTimer(timer) : timer.ref();
Deno.unrefTimer = (timer) => typeof timer === "number" ? unrefTimer(timer) : timer.unref();
`;

function bundledName(source: string): string {
  return source.replace(/\.[mc]?[jt]sx?$/, ".js");
}

/** The way from a name in the embedded folder back up to that folder. */
function upTo(name: string): string {
  return "./" + "../".repeat(name.split("/").length - 1);
}

async function references(entry: string, known: readonly string[]): Promise<References> {
  const graph: { modules: { local?: string; specifier: string }[] } = JSON.parse(
    await run(Deno.execPath(), ["info", "--json", entry], { what: `read the imports of ${entry}` }),
  );
  const workers = new Map<string, string>();
  const assets = new Map<string, string>();
  for (const { local, specifier } of graph.modules) {
    if (local === undefined || !specifier.startsWith("file:")) continue;
    const source = await Deno.readTextFile(local);
    for (const [, spelled = ""] of source.matchAll(REFERENCE)) {
      const name = spelled.replace(/^\.\//, "").replace(/\/$/, "");
      if (known.includes(name.split("/")[0] ?? name)) continue;
      const file = join(dirname(local), name);
      const found = /\.[mc]?[jt]sx?$/.test(name) ? workers : assets;
      if (await kindOf(file) === undefined) {
        throw new Error(`Cannot embed '${spelled}', which ${local} names: not found`);
      }
      // In the bundle all modules lie in one folder, so a name there means one thing.
      if ((found.get(name) ?? file) !== file) {
        throw new Error(`Cannot embed both ${found.get(name)} and ${file}: they share a name`);
      }
      found.set(name, file);
    }
  }
  return { workers, assets };
}

const REFERENCE = /\bnew URL\(\s*["'`](\.\/[^"'`$]+)["'`]\s*,\s*import\.meta\.url\s*,?\s*\)/g;

async function link(
  embed: string,
  { main, binary, deno, progress }: {
    main: string;
    binary: string;
    deno: string;
    progress: (line: string) => void;
  },
) {
  const base = Deno.env.get("DENORT_BIN");
  const [version] = (await run(deno, ["--version"], { what: `use ${deno}` })).split(" (");
  progress(`Compiling with ${version} on ${base ?? "its own base, downloaded if need be"}`);
  try {
    await run(
      deno,
      [
        "compile",
        "--allow-all",
        "--no-check",
        // It would be read from a name in /tmp that everybody can guess, and take first.
        "--no-code-cache",
        `--v8-flags=${V8_FLAGS}`,
        "--include=.",
        `--output=${binary}`,
        main,
      ],
      {
        what: "compile the bundle",
        cwd: embed,
        env: base === undefined ? {} : { DENORT_BIN: resolve(base) },
      },
    );
  } catch (error) {
    if (base === undefined && error instanceof Error && /dl\.deno\.land/.test(error.message)) {
      throw new Error(
        "Cannot download the runtime base from dl.deno.land. Name a base that is here with the " +
          "environment variable DENORT_BIN, and a Deno that fits it with --deno",
        { cause: error },
      );
    }
    throw error;
  }
}

async function replace(from: string, to: string) {
  await Deno.mkdir(dirname(resolve(to)), { recursive: true });
  const near = `${to}.new`; // a rename must stay on one file system
  await Deno.copyFile(from, near);
  await Deno.rename(near, to);
}

async function copy(from: string, to: string) {
  if (await kindOf(from) === undefined) throw new Error(`Cannot embed ${from}: not found`);
  await Deno.mkdir(dirname(to), { recursive: true });
  if (await kindOf(from) === "file") return await Deno.copyFile(from, to);
  await Deno.mkdir(to, { recursive: true });
  for await (const { name } of Deno.readDir(from)) await copy(join(from, name), join(to, name));
}

async function kindOf(path: string): Promise<"file" | "folder" | undefined> {
  try {
    return (await Deno.stat(path)).isDirectory ? "folder" : "file";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Runs a program to its end and returns what it printed; rejects with all of its words. */
async function run(
  program: string,
  args: readonly string[],
  { what, cwd, env = {} }: { what: string; cwd?: string; env?: Record<string, string> },
): Promise<string> {
  let output: Deno.CommandOutput;
  try {
    output = await new Deno.Command(program, {
      args: [...args],
      cwd,
      env: { ...env, NO_COLOR: "1" },
      stdin: "null",
    }).output();
  } catch (error) {
    throw new Error(`Cannot ${what}: ${program} does not start`, { cause: error });
  }
  const [stdout, stderr] = [output.stdout, output.stderr].map((b) => new TextDecoder().decode(b));
  if (!output.success) {
    throw new Error(`Cannot ${what}: exit code ${output.code}\n${stdout}${stderr}`.trimEnd());
  }
  return stdout ?? "";
}

const HELP = `Usage: deno task compile [--deno PATH] [--output FILE]

Makes dist/openclaw, one file that runs without Deno, Node or a network.

  --deno PATH    compile with the Deno at PATH (the bundle is always made by this one)
  --output FILE  write FILE instead of dist/openclaw

The environment variable DENORT_BIN names a runtime base to use instead of the one that Deno
downloads; not every base fits every Deno.`;

async function main() {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      deno: { type: "string" },
      output: { type: "string", default: "dist/openclaw" },
      help: { type: "boolean" },
    },
  });
  if (values.help) return console.log(HELP);
  const output = resolve(values.output);
  const deno = values.deno === undefined ? undefined : resolve(values.deno);
  Deno.chdir(fileURLToPath(new URL("../", import.meta.url)));

  const started = performance.now();
  console.log("Building the pages");
  await run(Deno.execPath(), ["run", "--allow-all", "scripts/web.ts", "--if-stale"], {
    what: "build the pages",
  });
  const { unstable } = JSON.parse(await Deno.readTextFile("deno.json"));
  await compile({
    entry: "main.ts",
    output,
    folders: { web: "dist/web" },
    unstable,
    trial: ["--version"],
  }, { deno, progress: (line) => console.log(line) });
  const size = ((await Deno.stat(output)).size / 2 ** 20).toFixed(1);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`Made ${output}: ${size} MiB, in ${seconds} s`);
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    console.error(`error: ${error.message}`);
    if (error.cause instanceof Error) console.error(error.cause.message);
    Deno.exit(1);
  }
}
