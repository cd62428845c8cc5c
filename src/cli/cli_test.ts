import { deepStrictEqual, doesNotMatch, match, ok, strictEqual } from "node:assert/strict";
import { COMMANDS } from "./cli.ts";
import { runOn } from "./fake_io.ts";
import { VERSION } from "./version.ts";

Deno.test("openclaw --help lists every command", async () => {
  const { code, stdout } = await runOn(["--help"]);
  strictEqual(code, 0);
  for (const name of Object.keys(COMMANDS)) match(stdout, new RegExp(`^  ${name} `, "m"));
});

Deno.test("every command has a help with a usage and examples of its own", async () => {
  for (const line of await commandLines()) {
    const { code, stdout } = await runOn([...line, "--help"]);
    strictEqual(code, 0);
    match(stdout, new RegExp(`^openclaw ${line.join(" ")}: \\w`));
    match(stdout, /^Usage\n {2}openclaw /m);
    match(stdout, /^Examples\n {2}\S.* # \w/m);
    deepStrictEqual(await runOn(["help", ...line]), { code, stdout, stderr: "" });
    const [group, ...sub] = line;
    if (sub.length === 0) continue;
    deepStrictEqual(await runOn([group!, "help", ...sub]), { code, stdout, stderr: "" });
  }
});

Deno.test("no line of a help is wider than a terminal of 110 columns", async () => {
  for (const line of [[], ...await commandLines()]) {
    const { stdout } = await runOn([...line, "--help"]);
    deepStrictEqual(stdout.split("\n").filter((text) => text.length > 110), []);
  }
});

Deno.test("openclaw alone prints its help as an error", async () => {
  const { code, stdout, stderr } = await runOn([]);
  deepStrictEqual({ code, stdout }, { code: 2, stdout: "" });
  match(stderr, /^Commands$/m);
});

Deno.test("openclaw --version prints the version", async () => {
  deepStrictEqual(await runOn(["--version"]), {
    code: 0,
    stdout: `openclaw ${VERSION}\n`,
    stderr: "",
  });
  strictEqual((await runOn(["-V", "--json"])).stdout, `{"version":"${VERSION}"}\n`);
  const env = { HOME: "/nowhere" };
  for (
    const line of [["gateway", "run", "--version"], ["devices", "-V"], ["sessions", "show", "-V"]]
  ) {
    deepStrictEqual(await runOn(line, { env }), {
      code: 0,
      stdout: `openclaw ${VERSION}\n`,
      stderr: "",
    });
  }
});

const MISTAKES: readonly (readonly [line: string, message: RegExp])[] = [
  ["helth", /Unknown command 'helth': did you mean 'health'\?/],
  ["constructor", /Unknown command 'constructor': see openclaw --help/],
  ["devices aprove", /Unknown 'devices' command 'aprove': did you mean 'approve'\?/],
  ["health --jsno", /Unknown flag --jsno, did you mean --json\?/],
  ["devices stop", /Unknown 'devices' command 'stop': see openclaw devices --help/],
  ["health --whatever", /Unknown flag --whatever: see --help$/m],
  ["health -x", /Unknown flag -x: see --help$/m],
  ["config get --url ws://x", /Unknown flag --url/],
  ["health now", /'health' takes no word 'now'/],
  ["call", /'call' needs a <method>/],
  ["health --timeout", /--timeout needs a value/],
  ["health --timeout soon", /--timeout must be a whole number from 1 on, not 'soon'/],
  ["health --json=yes", /--json takes no value/],
  ["gateway --bind moon", /--bind must be one of loopback, lan, .*, not 'moon'/],
  ["--profile ../x health", /Profile '..\/x' can't be used/],
  ["health --url http://x", /'http:\/\/x' is no address of a gateway/],
  [
    "health --url wss://me:pw@x/?token=y",
    /'wss:\/\/\*{3}@x\/\?\*{3}' is no .*secrets go into --token/,
  ],
  ["call health --params {", /--params is no JSON: /],
  ["call health --scope king", /--scope must be one of operator.admin, .*, not 'king'/],
  ["agent", /Nothing to say: give --message/],
  ["sessions delete x", /Cannot delete 'x' without --yes/],
];

for (const [line, message] of MISTAKES) {
  Deno.test(`openclaw ${line} exits with 2 and says why`, async () => {
    const { code, stdout, stderr } = await runOn(line.split(" "), {
      env: { OPENCLAW_STATE_DIR: "/nowhere" },
    });
    deepStrictEqual({ code, stdout }, { code: 2, stdout: "" });
    match(stderr, message);
    match(stderr, /^error: /);
  });
}

Deno.test("with --json a failure is JSON on standard output", async () => {
  const { code, stdout, stderr } = await runOn(["helth", "--json"]);
  deepStrictEqual({ code, stderr }, { code: 2, stderr: "" });
  deepStrictEqual(JSON.parse(stdout), {
    error: { code: "USAGE", message: "Unknown command 'helth': did you mean 'health'?" },
  });
});

Deno.test("colours are for terminals, and not for those who don't want them", async () => {
  const help = (argv: string[], env = {}) => runOn(argv, { terminal: true, env });
  // deno-lint-ignore no-control-regex
  const colour = /\x1b\[/;
  match((await help(["--help"])).stdout, colour);
  doesNotMatch((await help(["--help", "--no-color"])).stdout, colour);
  doesNotMatch((await help(["--help"], { NO_COLOR: "1" })).stdout, colour);
});

Deno.test("no command but the gateway itself loads what a gateway is made of", async () => {
  const graph = await staticImports();
  const forbidden = /\/src\/(channels|agent|server|gateway|store)\/|\/src\/cli\/serve\.ts$/;
  for (const name of Object.keys(COMMANDS)) {
    const loaded = reachable(graph, `src/cli/${name}.ts`);
    deepStrictEqual(loaded.filter((module) => forbidden.test(module)), [], name);
  }
});

Deno.test("asking a gateway loads no package", async () => {
  const graph = await staticImports();
  const offline = new Set(["config"]); // checks the file, which takes the schema's library
  for (const name of Object.keys(COMMANDS).filter((name) => !offline.has(name))) {
    const loaded = [...reachable(graph, "main.ts"), ...reachable(graph, `src/cli/${name}.ts`)];
    deepStrictEqual(loaded.filter((module) => module.startsWith("npm:")), [], name);
  }
});

/** The words of every command: `health`, `devices approve`, … */
async function commandLines(): Promise<readonly (readonly string[])[]> {
  const lines: string[][] = [];
  for (const [name, { load }] of Object.entries(COMMANDS)) {
    const { default: loaded } = await load();
    if ("commands" in loaded) lines.push(...Object.keys(loaded.commands).map((key) => [name, key]));
    else lines.push([name]);
  }
  return lines;
}

/** Each module with those that are loaded together with it; imports of types alone are none. */
type Graph = ReadonlyMap<string, readonly string[]>;

async function staticImports(): Promise<Graph> {
  const main = new URL("../../main.ts", import.meta.url);
  const info = new Deno.Command(Deno.execPath(), { args: ["info", "--json", main.href] });
  const { stdout, success } = await info.output();
  ok(success);
  const { modules }: { modules: readonly Module[] } = JSON.parse(new TextDecoder().decode(stdout));
  return new Map(
    modules.map(({ specifier, dependencies = [] }) => [
      specifier,
      dependencies.flatMap(({ code, isDynamic }) =>
        code?.specifier === undefined || isDynamic ? [] : [code.specifier]
      ),
    ]),
  );
}

interface Module {
  readonly specifier: string;
  readonly dependencies?: readonly {
    readonly code?: { readonly specifier?: string };
    readonly isDynamic?: boolean;
  }[];
}

function reachable(graph: Graph, path: string): readonly string[] {
  const seen = new Set([new URL(`../../${path}`, import.meta.url).href]);
  for (const module of seen) for (const imported of graph.get(module) ?? []) seen.add(imported);
  return [...seen];
}
