/**
 * Lets the released clients judge the gateway: both releases of `openclaw`, on the command line, on
 * a terminal and as nodes, and `openclaw-node`. Each release gets a gateway of its own, run from
 * this checkout, with an empty state folder and no model but the built-in one.
 */
import { parseArgs } from "node:util";
import { freePort, fromSources, startGateway, TOKEN } from "../../scripts/gateway_process.ts";
import { type Check, check, commandChecks, HEALTH } from "./checks.ts";
import { install, peersFolder, type Protocol } from "./install.ts";
import { journeys, thirdParty } from "./journeys.ts";
import { networkChecks } from "./networks.ts";
import { Released, type Target } from "./released.ts";

const { values: options } = parseArgs({
  args: Deno.args,
  options: {
    /** Run only the checks whose name has this in it. */
    only: { type: "string", default: "" },
    /** Judge a gateway that runs already, instead of ours. */
    url: { type: "string" },
    token: { type: "string", default: TOKEN },
    /** What its agent answers to anything, where that is no echo: a regular expression. */
    answer: { type: "string" },
  },
});

const peers = await install(peersFolder(), (line) => console.log(line));
const scratch = await Deno.makeTempDir({ prefix: "openclaw-clients-" });
const score = { passed: 0, failed: 0 };
try {
  await Promise.all([judge(4), judge(3)]);
} finally {
  await Deno.remove(scratch, { recursive: true });
}
console.log(`\n${score.passed} passed, ${score.failed} failed`);
Deno.exit(score.failed === 0 && score.passed > 0 ? 0 : 1);

/** Lets the clients of one protocol have their say. */
async function judge(protocol: Protocol) {
  const target = options.url === undefined
    ? { port: freePort(), token: TOKEN }
    : { port: Number(new URL(options.url).port), token: options.token };
  const wanted = (await checks(protocol, target)).filter(({ name }) => name.includes(options.only));
  if (wanted.length === 0) return;
  await using gateway = options.url === undefined
    ? await startGateway(await fromSources(), { home: await folder(), port: target.port })
    : undefined;
  for (const { name, run } of wanted) {
    const started = performance.now();
    const failure = await run().then(() => undefined, (error) => error);
    const took = `${((performance.now() - started) / 1000).toFixed(1)} s`;
    if (failure === undefined) {
      score.passed++;
      console.log(`ok    ${name} (${took})`);
    } else {
      score.failed++;
      console.log(`FAIL  ${name} (${took})\n${failure.message ?? failure}`);
      const log = gateway?.output().trimEnd().split("\n").slice(-20).join("\n");
      if (log) console.log(`--- gateway\n${log}`);
    }
  }
}

async function checks(protocol: Protocol, target: Target): Promise<readonly Check[]> {
  const client = new Released(protocol, { peers, home: await folder(), target });
  const surroundings = { target, answer, folder };
  const own = [
    ...commandChecks(client),
    ...journeys(client, surroundings),
    ...options.url === undefined ? networkChecks(protocol, { peers, folder }) : [],
  ].map(({ name, run }) => ({ name: `v${protocol} ${name}`, run }));
  if (protocol === 3) return own;
  const older = new Released(3, { peers, home: await folder(), target });
  return [
    ...own,
    { name: "v4 openclaw-node", run: () => thirdParty(peers, surroundings) },
    // No gateway of the original serves both.
    ...options.url === undefined
      ? [{ name: "v3 openclaw health --json, on v4's gateway", run: () => check(older, HEALTH) }]
      : [],
  ];
}

function answer(text: string): RegExp {
  return new RegExp(options.answer ?? text);
}

function folder(): Promise<string> {
  return Deno.makeTempDir({ dir: scratch });
}
