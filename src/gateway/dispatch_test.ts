import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { type Access, closed, event, method } from "../../schemas/contract.ts";
import * as Type from "../../schemas/type.ts";
import { callerOf } from "../../tests/kernel.ts";
import { GatewayError } from "../error.ts";
import { mayHear } from "./access.ts";
import { createDispatch } from "./dispatch.ts";

type Who = Parameters<typeof callerOf>[0];

const params = closed({ text: Type.String() });
const result = Type.Unknown();
const methods = {
  say: method("say", { access: "operator.write", params, result }),
  health: method("health", {
    access: { 3: "anyone", 4: "operator.read" },
    params: closed({}),
    result,
  }),
  later: method("later", { access: "operator.read", since: 4, params, result }),
  earlier: method("earlier", { access: "operator.read", until: 3, params, result }),
  report: method("report", { access: "node", params, result }),
  unwritten: method("unwritten", { access: "operator.read", params, result }),
};
const dispatch = createDispatch(methods, {
  say: ({ text }: { text: string }) => ({ said: text }),
  health: () => "well",
  later: () => "later",
  earlier: () => "earlier",
  report: () => "thanks",
});

Deno.test("a request that is allowed and well-formed is answered by its handler", () => {
  deepStrictEqual(ask("say", { text: "hi" }, { scopes: ["operator.write"] }), { said: "hi" });
  strictEqual(ask("health", undefined, { scopes: ["operator.read"] }), "well");
  strictEqual(ask("health", null, { scopes: ["operator.read"] }), "well");
  strictEqual(ask("report", { text: "" }, { role: "node", scopes: [] }), "thanks");
});

Deno.test("a refusal is for the role first, then the scope, then the name, then the params", () => {
  const table: readonly [Who, string, unknown, string][] = [
    [{ role: "node", scopes: [] }, "say", { wrong: 1 }, "unauthorized role: node"],
    [{ role: "node", scopes: [] }, "nothing", {}, "unauthorized role: node"],
    [{ scopes: ["operator.admin"] }, "report", {}, "unauthorized role: operator"],
    [{ scopes: ["operator.read"] }, "say", { wrong: 1 }, "missing scope: operator.write"],
    [{ scopes: ["operator.write"] }, "nothing", {}, "missing scope: operator.admin"],
    [{ scopes: ["operator.admin"] }, "nothing", {}, "unknown method: nothing"],
    [{ scopes: ["operator.admin"] }, "toString", {}, "unknown method: toString"],
    [{ scopes: ["operator.admin"] }, "__proto__", {}, "unknown method: __proto__"],
    [{ scopes: ["operator.read"] }, "unwritten", { text: "" }, "unknown method: unwritten"],
    [
      { scopes: ["operator.admin"] },
      "say",
      {},
      "invalid say params: must have required property 'text'",
    ],
    [
      { scopes: ["operator.admin"] },
      "say",
      { text: "", to: "" },
      "invalid say params: at root: unexpected property 'to'",
    ],
  ];
  for (const [caller, name, params, message] of table) {
    throws(() => ask(name, params, caller), (error) => {
      ok(error instanceof GatewayError);
      strictEqual(error.message, message);
      return true;
    });
  }
});

Deno.test("a method exists on the versions of the wire that have it", () => {
  const text = { text: "" };
  strictEqual(ask("later", text, { protocol: 4 }), "later");
  strictEqual(ask("earlier", text, { protocol: 3 }), "earlier");
  throws(() => ask("later", text, { protocol: 3 }), /unknown method: later/);
  throws(() => ask("earlier", text, { protocol: 4 }), /unknown method: earlier/);
});

Deno.test("health needs no scope on version 3, and one on version 4", () => {
  strictEqual(ask("health", {}, { protocol: 3, scopes: [] }), "well");
  throws(() => ask("health", {}, { protocol: 4, scopes: [] }), /missing scope: operator\.read/);
});

Deno.test("a missing scope says which", () => {
  throws(() => ask("say", { text: "" }, { scopes: [] }), (error) => {
    ok(error instanceof GatewayError);
    strictEqual(error.code, "FORBIDDEN");
    const scope = "operator.write";
    deepStrictEqual(error.details, {
      code: "MISSING_SCOPE",
      missingScope: scope,
      requiredScopes: [scope],
    });
    return true;
  });
});

Deno.test("an event is heard by those whom its declaration names", () => {
  const hears = (
    access: Access,
    caller: Who,
    since: 3 | 4 = 3,
  ) => mayHear(callerOf(caller), event("e", { access, since, payload: Type.Unknown() }));
  const [reader, nobody, node] = [{ scopes: ["operator.read"] }, { scopes: [] }, {
    role: "node",
    scopes: [],
  }] as const;
  deepStrictEqual([reader, nobody, node].map((caller) => hears("anyone", caller)), [
    true,
    true,
    true,
  ]);
  deepStrictEqual([reader, nobody, node].map((caller) => hears("operator.read", caller)), [
    true,
    false,
    false,
  ]);
  deepStrictEqual([reader, nobody, node].map((caller) => hears("node", caller)), [
    false,
    false,
    true,
  ]);
  ok(!hears("anyone", { protocol: 3 }, 4));
  ok(hears("operator.pairing", { scopes: ["operator.admin"] }));
  ok(!hears("operator.pairing", { scopes: ["operator.write"] }));
});

function ask(name: string, params: unknown, caller: Who = {}) {
  return dispatch(name, params, {
    caller: callerOf(caller),
    signal: new AbortController().signal,
    accept: () => {},
  });
}
