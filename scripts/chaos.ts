/**
 * Kills the gateway again and again, with `kill -9`, while people write to it on every network and
 * operators have messages sent, and while the networks fail in their ways. Then it may settle, and
 * what the networks have seen is compared with what was said: nothing may be lost, doubled, out of
 * order, in the wrong chat, or made up.
 */
import { parseArgs } from "node:util";
import { NETWORKS, World } from "./chaos/world.ts";
import { compiled, fromSources } from "./gateway_process.ts";

const HELP = `Usage: deno task chaos [--kills N] [--seed S] [--networks A,B] [--streaming]
                        [--program FILE | --source]

  --kills N         how often the gateway is killed (100)
  --seed S          the same seed draws the same messages, faults and kills; a new one each time
  --messages N      said and sent between two kills, more or less (12)
  --streaming       answers are shown while they are written
  --networks A,B    only these (${Object.keys(NETWORKS).join(",")})
  --program FILE    the compiled gateway (dist/openclaw)
  --source          the gateway of this checkout instead, run from its sources
  --keep            leave the gateway's folder behind, and say where it is

Exits with 1 if anything was lost, doubled or out of order, and prints what is known of it.`;

const { values: options } = parseArgs({
  args: Deno.args,
  options: {
    kills: { type: "string", default: "100" },
    seed: { type: "string" },
    messages: { type: "string", default: "12" },
    networks: { type: "string", default: Object.keys(NETWORKS).join(",") },
    streaming: { type: "boolean", default: false },
    program: { type: "string" },
    source: { type: "boolean", default: false },
    keep: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (options.help) {
  console.log(HELP);
  Deno.exit(0);
}

/** More than that, and nobody reads it. */
const MAX_VIOLATIONS = 20;
/** The end of what the gateway printed, in characters. */
const MAX_OUTPUT = 4_000;

const kills = wholeNumber("kills", options.kills);
const seed = options.seed === undefined
  ? crypto.getRandomValues(new Uint32Array(1))[0]!
  : wholeNumber("seed", options.seed);
const home = await Deno.makeTempDir({ prefix: "openclaw-chaos-" });
const began = performance.now();
const asked = Promise.withResolvers<"interrupted">();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, () => asked.resolve("interrupted"));
}
let isGood = false;
try {
  console.log(`seed ${seed}, ${kills} kills`);
  await using world = new World({
    start: options.source ? await fromSources() : compiled(options.program),
    seed,
    home,
    networks: options.networks.split(","),
    messages: wholeNumber("messages", options.messages),
    streaming: options.streaming,
  });
  await world.open();
  let told = performance.now();
  let isAsked = false;
  while (world.tally.kills < kills && world.violations.length === 0 && !isAsked) {
    isAsked = await Promise.race([world.live(), asked.promise]) === "interrupted";
    if (performance.now() - told > 5_000) {
      told = performance.now();
      tell(world);
    }
  }
  tell(world);
  if (!isAsked) console.error("settling");
  const verdict = isAsked
    ? undefined
    : await Promise.race([world.settle(), asked.promise.then(() => undefined)]);
  if (verdict !== undefined) {
    const { counts, violations } = verdict;
    for (const violation of violations.slice(0, MAX_VIOLATIONS)) {
      console.log(`VIOLATION ${violation}`);
    }
    if (violations.length > 0) console.log(`--- gateway\n${world.output().slice(-MAX_OUTPUT)}`);
    const { left, ...tally } = world.tally;
    console.log(`killed with a message ${listed(left)}`);
    console.log(listed({ ...tally, ...counts, shown: world.shown, violations: violations.length }));
    isGood = violations.length === 0;
    console.log(
      `seed ${seed}: ${isGood ? "good" : "BAD"}, in ${
        ((performance.now() - began) / 1000).toFixed(0)
      } s`,
    );
  }
} finally {
  if (options.keep) console.log(`kept ${home}`);
  else await Deno.remove(home, { recursive: true });
}
Deno.exit(isGood ? 0 : 1);

function tell({ tally, said, sent, shown }: World): void {
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  console.error(
    `${seconds} s: ${tally.kills} of ${kills} kills, ${tally.faults} faults; ` +
      `${said.length} said, ${sent.length} ordered, ${shown} shown`,
  );
}

function listed(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts).map(([what, count]) => `${what}: ${count}`).join("; ");
}

function wholeNumber(name: string, value: string): number {
  const number = Number(value);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  console.error(`error: --${name} takes a whole number`);
  Deno.exit(2);
}
