/**
 * Measures the compiled gateway beside a bare `Deno.serve` echo on the same runtime, and beside the
 * released gateways where they are installed. Prints medians. Numbers of one machine at one time:
 * the ratios tell more than they do.
 */
import { parseArgs } from "node:util";
import { installed, peersFolder } from "../tests/clients/install.ts";
import { type Experiment, experiments, type Figure, quantile } from "./bench/experiments.ts";
import { echo, ours, released, type Subject } from "./bench/subject.ts";
import { compile } from "./compile.ts";
import { path } from "./gateway_process.ts";

const HELP = `Usage: deno task bench [--only NAME] [--quick] [--json] [--deno PATH]

  --only NAME  only the experiments whose name has NAME in it
  --quick      shorter, less exact, and without the released gateways, which take ten minutes
  --json       print the figures as JSON
  --deno PATH  for programs that are not compiled yet: see deno task compile --help`;

const { values: options } = parseArgs({
  args: Deno.args,
  options: {
    only: { type: "string", default: "" },
    quick: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    deno: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
if (options.help) {
  console.log(HELP);
  Deno.exit(0);
}
if (Deno.build.os !== "linux") {
  console.error("error: Cannot measure here: what a process uses is read from Linux's /proc");
  Deno.exit(1);
}

const scratch = await Deno.makeTempDir({ prefix: "openclaw-bench-" });
try {
  const subjects = await prepare();
  const results: Result[] = [];
  for (const experiment of experiments()) {
    if (!experiment.name.includes(options.only)) continue;
    try {
      for (const result of await conduct(experiment, subjects)) {
        results.push(result);
        if (!options.json) console.log(inWords(result));
      }
    } catch (error) {
      console.error(`error: ${experiment.name} failed:`, error);
      Deno.exitCode = 1; // and the others are measured all the same
    }
  }
  if (options.json) console.log(JSON.stringify(results, null, 2));
} finally {
  await Deno.remove(scratch, { recursive: true });
}

/** A figure of every subject that has it. */
interface Result extends Figure {
  readonly median: Readonly<Partial<Record<Subject["name"], number>>>;
  readonly met: boolean | undefined;
}

/** Ours first: the echo is asked for what ours gave. */
async function prepare(): Promise<readonly Subject[]> {
  const [program, bareEcho] = [path("dist/openclaw"), path("dist/bench-echo")];
  if (!await exists(program)) {
    const flags = options.deno === undefined ? [] : ["--deno", options.deno];
    const { success } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-all", path("scripts/compile.ts"), ...flags],
      stdout: "inherit",
    }).output();
    if (!success) throw new Error("Cannot measure: dist/openclaw is not compiled");
  }
  if (!await exists(bareEcho)) {
    await compile({ entry: path("scripts/bench/echo.ts"), output: bareEcho }, options);
  }
  const { mtime } = await Deno.stat(program);
  console.error(`Measuring ${program}, compiled ${mtime?.toISOString()}`);
  const home = () => Deno.makeTempDir({ dir: scratch });
  const peers = options.quick ? undefined : await installed(peersFolder());
  return [
    ours(await home()),
    echo(bareEcho, await home()),
    ...peers === undefined
      ? []
      : [released(peers, 3, await home()), released(peers, 4, await home())],
  ];
}

/** Takes turns, so that what else the machine does meets all alike. */
async function conduct(
  experiment: Experiment,
  subjects: readonly Subject[],
): Promise<readonly Result[]> {
  const taken = new Map<Subject, (readonly number[])[]>();
  const runs = options.quick ? 1 : 3;
  for (let turn = 0; turn < runs; turn++) {
    for (const subject of subjects) {
      if (!experiment.suits(subject) || subject.slow && turn > 0) continue;
      console.error(`… ${experiment.name}: ${subject.name}`);
      const figures = await experiment.measure(subject, options);
      taken.set(subject, [...taken.get(subject) ?? [], figures]);
    }
  }
  return experiment.figures.map((figure, n) => {
    const median: Result["median"] = Object.fromEntries(
      [...taken].map((
        [{ name }, figures],
      ) => [name, quantile(figures.map((f) => f[n] ?? NaN), 0.5)]),
    );
    return { ...figure, median, met: isMet(figure, median) };
  });
}

function isMet({ target }: Figure, { ours, echo }: Result["median"]): boolean | undefined {
  if (ours === undefined) return undefined;
  if ("atMost" in target) return ours <= target.atMost;
  if ("atLeast" in target) return ours >= target.atLeast;
  if (echo === undefined) return undefined;
  return "atMostOfEcho" in target
    ? ours <= target.atMostOfEcho * echo
    : ours >= target.atLeastOfEcho * echo;
}

function inWords({ title, unit, target, median, met }: Result): string {
  const { ours, ...others } = median;
  const bound = "atMost" in target
    ? `≤ ${target.atMost} ${unit}`
    : "atLeast" in target
    ? `≥ ${target.atLeast} ${unit}`
    : "atMostOfEcho" in target
    ? `≤ ${target.atMostOfEcho} × echo`
    : `≥ ${target.atLeastOfEcho} × echo`;
  const beside = Object.entries(others).map(([name, value]) =>
    `${name} ${amount(value)} (ours ${((ours ?? NaN) / value).toPrecision(2)} ×)`
  );
  return [
    title.padEnd(50),
    `${amount(ours)} ${unit}`.padStart(12),
    ` ${bound}`.padEnd(14),
    met === undefined ? "    " : met ? "ok  " : "MISS",
    beside.join(", "),
  ].join(" ").trimEnd();
}

function amount(value = NaN): string {
  return value >= 100 ? Math.round(value).toLocaleString("en") : value.toPrecision(3);
}

async function exists(file: string): Promise<boolean> {
  return await Deno.stat(file).then(() => true, () => false);
}
