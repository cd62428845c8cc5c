/** `openclaw call`, also as `openclaw gateway call` */
import type { Scope } from "../../schemas/contract.ts";
import { printJson } from "./answer.ts";
import { command } from "./command.ts";
import { withGateway } from "./connect.ts";
import { UsageError } from "./flags.ts";

export default command({
  about: "Call any method of the gateway and print its answer",
  details: "The answer is printed as JSON. Asks the gateway for the scope that the method needs.",
  words: [{ name: "method" }],
  flags: {
    params: { kind: "text", value: "json", about: "The method's params, an object ({})" },
    "expect-final": {
      kind: "switch",
      about: "Wait for the second answer of a method that answers twice, such as agent",
    },
    scope: { kind: "list", value: "scope", about: "Ask for this scope instead; can be repeated" },
  },
  connects: true,
  examples: [
    ["openclaw call status", "call a method"],
    [`openclaw call sessions.list --params '{"limit":5}'`, "call one with params"],
    [
      `openclaw call agent --params '{"message":"hi","idempotencyKey":"1"}' --expect-final`,
      "wait for its outcome",
    ],
  ],
  async run(call) {
    const { flags, words: [method = ""] } = call;
    const params = readParams(flags.params ?? "{}");
    const scopes = flags.scope.length > 0 ? await scopesNamed(flags.scope) : await scopesOf(method);
    const final = flags["expect-final"];
    // A run may take long; only a --timeout of the user's own ends the waiting for it.
    const timeout = final ? { timeoutMs: call.connection.timeout } : {};
    const result = await withGateway(
      call,
      { scopes },
      (gateway, options) => gateway.call(method, params, { ...options, ...timeout, final }),
    );
    printJson(call.io, result);
    return 0;
  },
});

function readParams(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`--params is no JSON: ${reason}`);
  }
}

/** What a method needs; an unknown one is an admin's to call. */
async function scopesOf(name: string): Promise<readonly Scope[]> {
  // Loaded here, since the schemas are more than the rest of this command.
  const { isMethodName, methods } = await import("../../schemas/mod.ts");
  const access = isMethodName(name) ? methods[name].access[4] : "operator.admin";
  return access === "anyone" || access === "node" ? [] : [access];
}

async function scopesNamed(names: readonly string[]): Promise<readonly Scope[]> {
  const { SCOPES } = await import("../../schemas/contract.ts");
  return names.map((name) => {
    const scope = SCOPES.find((scope) => scope === name || scope === `operator.${name}`);
    if (scope !== undefined) return scope;
    throw new UsageError(`--scope must be one of ${SCOPES.join(", ")}, not '${name}'`);
  });
}
