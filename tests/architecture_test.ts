/** Imports point inward: the one structural rule of the house. */
import { deepStrictEqual } from "node:assert/strict";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** For each room, the rooms whose files it may import. Every file belongs to the first that fits. */
const ROOMS: readonly (readonly [room: string, path: RegExp, mayImport: readonly string[]])[] = [
  ["schemas", /^schemas\//, []],
  ["gateway", /^src\/gateway\//, ["schemas", "nouns"]],
  ["agent", /^src\/agent\//, ["schemas", "nouns"]],
  ["store", /^src\/store\//, ["schemas", "nouns"]],
  ["channels", /^src\/channels\//, ["schemas", "nouns"]],
  ["server", /^src\/server\//, ["schemas", "nouns", "gateway"]],
  ["client", /^src\/client\//, ["schemas"]],
  ["web", /^src\/web\//, ["schemas", "client"]],
  ["serve", /^src\/cli\/serve\.ts$/, [
    "schemas",
    "nouns",
    "gateway",
    "agent",
    "store",
    "channels",
    "server",
    "cli",
  ]],
  ["offline", /^src\/cli\/offline\.ts$/, ["schemas", "nouns", "gateway", "store", "cli"]],
  ["networks", /^src\/cli\/networks\.ts$/, ["schemas", "nouns", "channels"]],
  ["cli", /^src\/cli\//, [
    "schemas",
    "nouns",
    "client",
    "serve",
    "offline",
    "networks",
    "manifest",
  ]],
  ["nouns", /^src\/[^/]+\.ts$/, ["schemas"]],
  ["main", /^main\.ts$/, ["cli"]],
  ["manifest", /^deno\.json$/, []],
];

interface Graph {
  readonly modules: readonly {
    readonly specifier: string;
    readonly dependencies?: readonly {
      readonly code?: { readonly specifier?: string };
      readonly type?: { readonly specifier?: string };
    }[];
  }[];
}

/** Everything that runs is reached from one of these. */
const ENTRIES = ["main.ts", "src/web/main.tsx"];

Deno.test("imports point inward", async () => {
  const outward = new Set<string>();
  for (const entry of ENTRIES) {
    for (const { specifier, dependencies = [] } of (await moduleGraph(entry)).modules) {
      const from = ours(specifier);
      if (from === undefined) continue;
      for (const { code, type } of dependencies) {
        const to = ours(code?.specifier ?? type?.specifier);
        if (to !== undefined && !isAllowed(from, to)) outward.add(`${from} → ${to}`);
      }
    }
  }
  deepStrictEqual([...outward], []);
});

Deno.test("a forbidden import is noticed", () => {
  deepStrictEqual(isAllowed("src/gateway/runs.ts", "src/store/sqlite.ts"), false);
  deepStrictEqual(isAllowed("src/session.ts", "src/gateway/runs.ts"), false);
  deepStrictEqual(isAllowed("src/gateway/runs.ts", "src/session.ts"), true);
});

function isAllowed(from: string, to: string): boolean {
  const [room, , mayImport = []] = ROOMS.find(([, path]) => path.test(from)) ?? [];
  const [target] = ROOMS.find(([, path]) => path.test(to)) ?? [];
  return room !== undefined && target !== undefined &&
    (room === target || mayImport.includes(target));
}

/** The path of a module of this project; `undefined` for any other. */
function ours(specifier: string | undefined): string | undefined {
  if (specifier === undefined || !specifier.startsWith("file:")) return undefined;
  const path = relative(ROOT, fileURLToPath(specifier)).replaceAll("\\", "/");
  return path.startsWith("..") ? undefined : path;
}

async function moduleGraph(entry: string): Promise<Graph> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", entry],
    cwd: ROOT,
  }).output();
  if (code !== 0) throw new Error(new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout)); // of the form that deno documents
}
