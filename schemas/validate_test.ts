import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { type MethodName, methods } from "./mod.ts";
import { checkParams, explainRequestFrame, isRequestFrame } from "./validate.ts";

const long = "x".repeat(600);
const send = { sessionKey: "main", message: "hi", idempotencyKey: "1" };

const faults: readonly [MethodName, unknown, string][] = [
  ["agent", { message: "hi" }, "must have required property 'idempotencyKey'"],
  [
    "device.pair.rename",
    {},
    "must have required property 'deviceId'; must have required property 'label'",
  ],
  ["config.get", { all: true }, "at root: unexpected property 'all'"],
  ["config.get", [], "must be object"],
  ["config.get", null, "must be object"],
  ["config.get", undefined, "must be object"],
  ["node.list", JSON.parse('{"__proto__":{}}'), "at root: unexpected property '__proto__'"],
  ["node.list", { "a/b~c": 1 }, "at root: unexpected property 'a/b~c'"],
  [
    "connect",
    { minProtocol: 3, maxProtocol: 4, client: { id: "nobody", version: "1", mode: "cli" } },
    "at /client: must have required property 'platform'; " +
    "at /client/id: must be equal to one of the allowed values",
  ],
  [
    "connect",
    {
      minProtocol: 3,
      maxProtocol: 4,
      client: { id: "cli", version: "1", mode: "cli", platform: "linux" },
      auth: { token: "t", secret: "s" },
      permissions: { camera: "yes" },
    },
    "at /permissions/camera: must be boolean; at /auth: unexpected property 'secret'",
  ],
  ["chat.history", { sessionKey: "main", limit: "5" }, "at /limit: must be integer"],
  ["chat.history", { sessionKey: "main", limit: 1.5 }, "at /limit: must be integer"],
  ["chat.history", { sessionKey: "main", limit: 0 }, "at /limit: must be >= 1"],
  ["chat.history", { sessionKey: "main", limit: 1001 }, "at /limit: must be <= 1000"],
  ["chat.history", { sessionKey: "" }, "at /sessionKey: must NOT have fewer than 1 characters"],
  [
    "chat.send",
    { ...send, sessionKey: long },
    "at /sessionKey: must NOT have more than 512 characters",
  ],
  [
    "chat.send",
    { ...send, attachments: [{ content: "" }, 7] },
    "at /attachments/1: must be object",
  ],
  [
    "chat.send",
    { ...send, message: 7, deliver: 1 },
    "at /message: must be string; at /deliver: must be boolean",
  ],
  ["sessions.preview", { keys: [] }, "at /keys: must NOT have fewer than 1 items"],
  ["sessions.preview", { keys: "main" }, "at /keys: must be array"],
  [
    "sessions.reset",
    { key: "main", reason: "old" },
    "at /reason: must be equal to one of the allowed values",
  ],
  ["sessions.patch", { key: "main", label: 5 }, "at /label: must be string"],
  [
    "sessions.patch",
    { key: "main", sendPolicy: "ask" },
    "at /sendPolicy: must be equal to one of the allowed values",
  ],
  ["sessions.list", { archived: "some" }, "at /archived: must match a schema in anyOf"],
  [
    "sessions.delete",
    { key: "main", expectedSessionUpdatedAt: "1" },
    "at /expectedSessionUpdatedAt: must be number",
  ],
  [
    "sessions.messages.subscribe",
    { key: "main", includeApprovals: false },
    "at /includeApprovals: must be equal to constant",
  ],
  [
    "node.pluginTools.update",
    { tools: [{ pluginId: "p", name: "1st", description: "d" }] },
    'at /tools/0/name: must match pattern "^[A-Za-z][A-Za-z0-9_-]{0,63}$"',
  ],
];

for (const [name, params, expected] of faults) {
  Deno.test(`${name} refuses ${JSON.stringify(params)?.slice(0, 80)}`, () => {
    strictEqual(checkParams(methods[name], params), expected);
  });
}

Deno.test("params that fit have no faults", () => {
  strictEqual(checkParams(methods["chat.send"], send), undefined);
  strictEqual(checkParams(methods["chat.send"], { ...send, deliver: undefined }), undefined);
  strictEqual(checkParams(methods["sessions.patch"], { key: "main", label: null }), undefined);
});

Deno.test("verdicts stay as they are when a method is asked often, and its check is compiled", async () => {
  const { TypeCompiler } = await import("@sinclair/typebox/compiler");
  const { Compile } = TypeCompiler;
  for (const [name, params, expected] of faults) {
    const method = { ...methods[name], params: { ...methods[name].params } }; // never asked before
    const ask = () => strictEqual(checkParams(method, params), expected);
    const { promise: compiled, resolve } = Promise.withResolvers<void>();
    TypeCompiler.Compile = (...given) => {
      resolve();
      return Compile(...given);
    };
    try {
      for (let n = 0; n < 20; n++) ask();
      await compiled;
    } finally {
      TypeCompiler.Compile = Compile;
    }
    for (let n = 0; n < 20; n++) ask();
  }
});

Deno.test("methods that never looked for unknown properties do not begin to", () => {
  for (const name of ["health", "status", "system-presence", "last-heartbeat"] as const) {
    strictEqual(checkParams(methods[name], { later: true }), undefined);
  }
});

Deno.test("a fault list is short, whatever the client sent", () => {
  const many = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`p${i}`, i]));
  strictEqual(checkParams(methods["config.get"], many)?.split("; ").length, 8);
  const wide = checkParams(methods["config.get"], { ["n".repeat(1_000_000)]: 1 });
  ok(wide !== undefined && wide.length < 200);
});

Deno.test("params are not read deeper than the schema goes", () => {
  const deep = JSON.parse("[".repeat(5000) + "]".repeat(5000));
  strictEqual(checkParams(methods["node.event"], { event: "x", payload: deep }), undefined);
});

Deno.test("a property called __proto__ gives its object nothing", () => {
  const params = JSON.parse('{"__proto__":{"sessionKey":"main"}}');
  strictEqual(
    checkParams(methods["chat.history"], params),
    "must have required property 'sessionKey'; at root: unexpected property '__proto__'",
  );
});

Deno.test("a request frame is told from what is none", () => {
  ok(isRequestFrame({ type: "req", id: "1", method: "health" }));
  ok(isRequestFrame({ type: "req", id: "1", method: "health", params: null }));
  const faulty: readonly [unknown, string][] = [
    ["health", "must be object"],
    [{ type: "res", id: "1", method: "health" }, "at /type: must be equal to constant"],
    [{ type: "req", method: "health" }, "must have required property 'id'"],
    [{ type: "req", id: 1, method: "health" }, "at /id: must be string"],
    [{ type: "req", id: "1", method: "health", token: "" }, "at root: unexpected property 'token'"],
  ];
  for (const [value, expected] of faulty) {
    ok(!isRequestFrame(value));
    deepStrictEqual(explainRequestFrame(value), expected);
  }
});
