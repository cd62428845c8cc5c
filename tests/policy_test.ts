/** Who may call what: every method, role, set of scopes and version, against a table of its own. */
import { deepStrictEqual, ok } from "node:assert/strict";
import { methods } from "../schemas/mod.ts";
import { GatewayError } from "../src/error.ts";
import { callerOf, startKernel } from "./kernel.ts";

const SCOPES = [
  "operator.admin",
  "operator.read",
  "operator.write",
  "operator.approvals",
  "operator.pairing",
  "operator.questions",
  "operator.talk.secrets",
] as const;

/** What each method needs, written down from the protocol and not from our declarations. */
const NEEDS: ReadonlyMap<string, { readonly 3: string; readonly 4: string }> = new Map(
  Deno.readTextFileSync(new URL("testdata/policy.tsv", import.meta.url)).trim().split("\n").slice(1)
    .map((line) => {
      const [name = "", three = "", four = ""] = line.split("\t");
      return [name, { 3: three, 4: four }];
    }),
);

/** `-` is for a method that a version does not have. */
function expected(
  need: string,
  { role, scopes }: { role: "operator" | "node"; scopes: readonly string[] },
): "passes" | "role" | "scope" | "unknown" {
  if (need === "-") return "unknown";
  if (need === "node") return role === "node" ? "passes" : "role";
  if (need === "anyone") return "passes";
  if (role === "node") return "role";
  const has = (scope: string) => scopes.includes(`operator.${scope}`);
  if (has("admin") || has(need)) return "passes";
  return need === "read" && has("write") ? "passes" : "scope";
}

function outcome(error: unknown): "passes" | "role" | "scope" | "unknown" {
  if (!(error instanceof GatewayError)) throw error;
  if (error.message.startsWith("unauthorized role:")) return "role";
  if (error.message.startsWith("missing scope:")) return "scope";
  if (error.message.startsWith("unknown method:")) return "unknown";
  return "passes"; // refused for its params, which are looked at last
}

Deno.test("every declared method stands in the table, and no other", () => {
  const declared = Object.keys(methods).filter((name) => name !== "connect"); // it is the door itself
  deepStrictEqual(declared.sort(), [...NEEDS.keys()].sort());
});

Deno.test("each method is open to exactly those who hold what it needs", async () => {
  await using kernel = startKernel();
  let combinations = 0;
  for (const [name, needs] of NEEDS) {
    for (const protocol of [3, 4] as const) {
      for (const role of ["operator", "node"] as const) {
        for (let set = 0; set < 2 ** SCOPES.length; set++) {
          const scopes = SCOPES.filter((_, i) => set & (1 << i));
          const caller = callerOf({ protocol, role, scopes });
          const got = await tryCall(name, caller);
          const wanted = expected(needs[protocol], { role, scopes });
          // Role and scope come first, so what does not exist may be refused for them too.
          const fits = wanted === "unknown" ? got !== "passes" : got === wanted;
          ok(fits, `${name} v${protocol} ${role} [${scopes}]: ${got}, not ${wanted}`);
          combinations++;
        }
      }
    }
  }
  ok(combinations >= 5_000, `only ${combinations} combinations`);

  /** Params that no method takes, so that what may be called is refused before it does anything. */
  async function tryCall(name: string, caller: ReturnType<typeof callerOf>) {
    const call = { caller, signal: AbortSignal.abort(), accept: () => {} };
    try {
      await kernel.gateway.dispatch(name, WRONG, call);
      return "passes";
    } catch (error) {
      return outcome(error);
    }
  }
});

const WRONG = Object.freeze({ "no method has this": true, text: 1, enabled: 1, probe: 1 });
