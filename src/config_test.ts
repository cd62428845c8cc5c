import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { agentIds, defaultAgentId, parseConfig, redact, REDACTED, restore } from "./config.ts";

Deno.test("a configuration is JSON5", () => {
  const { config, issues, warnings } = parseConfig(`{
    // a comment
    gateway: { port: 18789, bind: 'lan', },
  }`);
  deepStrictEqual(config, { gateway: { port: 18789, bind: "lan" } });
  deepStrictEqual([issues, warnings], [[], []]);
});

Deno.test("an empty text is an empty configuration", () => {
  deepStrictEqual(parseConfig(" \n"), { config: {}, value: {}, issues: [], warnings: [] });
});

Deno.test("a text that can't be read is an issue of the whole", () => {
  const { config, value, issues } = parseConfig("{ gateway: ");
  deepStrictEqual([config, value], [{}, undefined]);
  deepStrictEqual(issues, [{ path: "", message: "invalid end of input at 1:12" }]);
});

Deno.test("each wrong value is an issue with its place and the reason", () => {
  const { config, issues } = parseConfig(`{
    gateway: { port: 'x', bind: 'world', auth: { rateLimit: { maxAttempts: 0 } } },
    agents: { list: [{ id: 'ok' }, { id: 'Not Ok' }, {}] },
  }`);
  deepStrictEqual(config, {});
  deepStrictEqual(issues.map(({ path }) => path), [
    "gateway.port",
    "gateway.bind",
    "gateway.auth.rateLimit.maxAttempts",
    "agents.list.1.id",
    "agents.list.2.id",
  ]);
  strictEqual(issues[1]?.message, "must be one of loopback, lan, tailnet, auto, custom");
});

Deno.test("what is no object is no configuration", () => {
  for (const text of ["[]", "null", "5", "'x'"]) {
    strictEqual(parseConfig(text).issues.length, 1, text);
  }
});

Deno.test("keys that are not known are kept and warned about, and stop nothing", () => {
  const text = `{
    canvasHost: { port: 1 },
    gateway: { port: 1, tailscale: { mode: 'off' } },
    agents: { list: [{ id: 'a', sandbox: {} }] },
    models: { providers: { mine: { baseUrl: 'http://x', models: [{ id: 'm', cost: 1 }] } } },
    channels: { telegram: { whatever: true } },
  }`;
  const { config, issues, warnings } = parseConfig(text);
  deepStrictEqual(issues, []);
  deepStrictEqual(warnings.map(({ path }) => path), [
    "canvasHost",
    "gateway.tailscale",
    "agents.list.0.sandbox",
    "models.providers.mine.models.0.cost",
  ]);
  strictEqual("canvasHost" in config, true);
});

Deno.test("names of Object.prototype are keys like any other", () => {
  const { config, issues, warnings } = parseConfig(
    `{ "__proto__": { port: 5 }, gateway: { constructor: 1, "__proto__": { port: 5 } } }`,
  );
  deepStrictEqual(issues, []);
  deepStrictEqual(warnings.map(({ path }) => path).sort(), [
    "__proto__",
    "gateway.__proto__",
    "gateway.constructor",
  ]);
  strictEqual(config.gateway?.port, undefined);
  const restored = restore(redact(config), config);
  strictEqual(JSON.stringify(restored), JSON.stringify(config));
  strictEqual("port" in {}, false);
});

Deno.test("the default agent is the one that says so, else the first, else main", () => {
  strictEqual(defaultAgentId({}), "main");
  strictEqual(defaultAgentId({ agents: { list: [{ id: "a" }, { id: "b" }] } }), "a");
  const list = [{ id: "a" }, { id: "b", default: true }];
  strictEqual(defaultAgentId({ agents: { list } }), "b");
  deepStrictEqual(agentIds({ agents: { list } }), ["b", "a"]);
  deepStrictEqual(agentIds({}), ["main"]);
});

const SECRETS = {
  gateway: { auth: { mode: "token", token: "t0ken", password: "" } },
  models: {
    providers: {
      one: { apiKey: "sk-1", headers: { "x-team": "red", authorization: "Bearer b" } },
      two: { api_key: "sk-2", models: [{ id: "m", maxTokens: 5, contextTokens: 7 }] },
    },
  },
  env: { OPENAI_API_KEY: "sk-3", AWS_SECRET_ACCESS_KEY: "aws", PATH: "/bin" },
  hooks: { token: { source: "env", id: "HOOK" }, tokens: ["a", "b"] },
  channels: { telegram: { accounts: [{ id: "x", botToken: "b1" }, { id: "y", botToken: "b2" }] } },
};

Deno.test("secrets are masked wherever they are, and nothing else is", () => {
  deepStrictEqual(redact(SECRETS), {
    gateway: { auth: { mode: "token", token: REDACTED, password: "" } },
    models: {
      providers: {
        one: { apiKey: REDACTED, headers: { "x-team": REDACTED, authorization: REDACTED } },
        two: { api_key: REDACTED, models: [{ id: "m", maxTokens: 5, contextTokens: 7 }] },
      },
    },
    env: { OPENAI_API_KEY: REDACTED, AWS_SECRET_ACCESS_KEY: REDACTED, PATH: "/bin" },
    hooks: { token: { source: REDACTED, id: REDACTED }, tokens: [REDACTED, REDACTED] },
    channels: {
      telegram: { accounts: [{ id: "x", botToken: REDACTED }, { id: "y", botToken: REDACTED }] },
    },
  });
});

Deno.test("what was masked comes back when it is written back", () => {
  deepStrictEqual(restore(redact(SECRETS), SECRETS), SECRETS);
});

Deno.test("a mask gets the secret of its own item, also when items moved", () => {
  const original = { list: [{ id: "x", token: "t1" }, { id: "y", token: "t2" }] };
  const moved = { list: [{ id: "y", token: REDACTED }, { id: "z", token: REDACTED }] };
  deepStrictEqual(restore(moved, original), {
    list: [{ id: "y", token: "t2" }, { id: "z", token: undefined }],
  });
});

Deno.test("what was changed stays changed, and a mask over nothing is nothing", () => {
  const original = { auth: { token: "old", mode: "token" } };
  const edited = { auth: { token: "new", mode: "token", password: REDACTED }, extra: REDACTED };
  const restored = restore(edited, original);
  deepStrictEqual(restored, {
    auth: { token: "new", mode: "token", password: undefined },
    extra: undefined,
  });
  ok(!JSON.stringify(restored).includes(REDACTED));
});
