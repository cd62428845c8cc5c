import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import {
  agentIds,
  defaultAgentId,
  parseConfig,
  redact,
  REDACTED,
  restore,
  secretsIn,
} from "./config.ts";

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

Deno.test("an id that is no exact number is said to need quotes", () => {
  const { issues } = parseConfig("{ channels: { discord: { allowFrom: [1234567890123456789] } } }");
  deepStrictEqual(issues, [{
    path: "channels.discord.allowFrom.0",
    message: "is too large a number to be kept exactly: write it in quotes",
  }]);
});

Deno.test("what is no object is no configuration", () => {
  for (const text of ["[]", "null", "5", "'x'"]) {
    strictEqual(parseConfig(text).issues.length, 1, text);
  }
});

Deno.test("keys that are not known are kept and warned about, and stop nothing", () => {
  const text = `{
    canvasHost: { port: 1 },
    logging: { level: 'trace' },
    gateway: { port: 1, wormhole: { mode: 'off' } },
    agents: { list: [{ id: 'a', sandbox: {} }] },
    models: { providers: { mine: { baseUrl: 'http://x', models: [{ id: 'm', cost: 1 }] } } },
    channels: { telegram: { whatever: true } },
  }`;
  const { config, issues, warnings } = parseConfig(text);
  deepStrictEqual(issues, []);
  deepStrictEqual(warnings.map(({ path }) => path), [
    "canvasHost",
    "logging",
    "gateway.wormhole",
    "agents.list.0.sandbox",
    "models.providers.mine.models.0.cost",
  ]);
  strictEqual("canvasHost" in config, true);
});

Deno.test("a configuration of channels is taken as the ecosystem writes it", () => {
  const { issues, warnings } = parseConfig(`{
    channels: {
      defaults: { groupPolicy: "open", heartbeat: { showOk: false } },
      modelByChannel: { telegram: { "-100": "provider/model" } },
      telegram: {
        enabled: true,
        botToken: "1:x",
        dmPolicy: "pairing",
        allowFrom: [123456789, "tg:987", "telegram:1"],
        groups: { "*": { requireMention: true }, "-100": { topics: { "7": { enabled: false } } } },
        streaming: "partial",
        customCommands: [{ command: "x", description: "y" }],
      },
      discord: {
        token: { source: "env", provider: "default", id: "DISCORD_BOT_TOKEN" },
        dm: { enabled: true, policy: "allowlist", allowFrom: ["100000000000000001"] },
        guilds: { "2": { slug: "home", users: ["1"], channels: { general: { allow: true } } } },
        accounts: { main: { token: "a" }, alerts: { token: "b", allowBots: true } },
      },
      slack: {
        botToken: "xoxb-1",
        appToken: "xapp-1",
        channels: { C1: { allow: true, requireMention: false, users: ["U1"] } },
        slashCommand: { enabled: true },
      },
    },
    bindings: [
      { agentId: "main", match: { channel: "telegram", peer: { kind: "dm", id: 1 } }, comment: "x" },
      { agentId: "main", match: { channel: "discord", guildId: "2", roles: ["9"] } },
    ],
    session: { dmScope: "per-channel-peer", identityLinks: { ann: ["telegram:1", "discord:2"] } },
    messages: {
      queue: { mode: "steer-backlog", byChannel: { discord: "collect" } },
      inbound: { debounceMs: 2000, byChannel: { slack: 1500 } },
      groupChat: { historyLimit: 50, mentionPatterns: ["@?openclaw"] },
    },
    commands: { native: "auto", text: true, allowFrom: { "*": ["1"] }, ownerAllowFrom: [1] },
  }`);
  deepStrictEqual(issues, []);
  deepStrictEqual(warnings.map(({ path }) => path), [
    "bindings.0.comment",
    "channels.discord.guilds.2",
  ]);
});

Deno.test("what is of the right form and can't be meant is an issue", () => {
  const { issues } = parseConfig(`{
    agents: { list: [{ id: "a" }] },
    bindings: [{ agentId: "a", match: { channel: "x" } }, { agentId: "b", match: { channel: "x" } }],
    channels: {
      x: { dmPolicy: "open", accounts: { one: { allowFrom: ["*"] }, two: { allowFrom: ["1"] } } },
      y: { allowFrom: [12345678901234567890] },
    },
  }`);
  deepStrictEqual(issues.map(({ path }) => path), ["channels.y.allowFrom.0"]);
  const { issues: meant } = parseConfig(`{
    agents: { list: [{ id: "a" }] },
    bindings: [{ agentId: "a", match: { channel: "x" } }, { agentId: "b", match: { channel: "x" } }],
    channels: {
      x: { dmPolicy: "open", accounts: { one: { allowFrom: ["*"] }, two: { allowFrom: ["1"] } } },
    },
  }`);
  deepStrictEqual(meant, [
    { path: "bindings.1.agentId", message: "names 'b', which is no agent" },
    {
      path: "channels.x.dmPolicy",
      message: `is open for account 'two', which needs "*" in its allowFrom`,
    },
  ]);
});

Deno.test("what has no effect is warned about: slow patterns, and names in place of ids", () => {
  const { issues, warnings } = parseConfig(`{
    messages: { groupChat: { mentionPatterns: ["ok", "(a+)+"] } },
    channels: {
      x: {
        allowFrom: ["@ann", "1"],
        groups: { "#general": {}, "1": { allowFrom: ["@bob"] } },
        guilds: { "1": { channels: { "#general": {} } }, friends: {} },
        channels: { "#team": {} },
      },
    },
  }`);
  deepStrictEqual(issues, []);
  deepStrictEqual(warnings, [
    {
      path: "messages.groupChat.mentionPatterns.1",
      message: "repeats a group with a choice in it, which can take for ever: never matches",
    },
    {
      path: "channels.x",
      message: "lists the name '@ann', which anybody can take: only ids count",
    },
    {
      path: "channels.x",
      message: "lists the name '@bob', which anybody can take: only ids count",
    },
    {
      path: "channels.x",
      message: "lists the name '#team', which anybody can take: only ids count",
    },
    {
      path: "channels.x",
      message: "lists the name '#general', which anybody can take: only ids count",
    },
    {
      path: "channels.x",
      message: "lists the name 'friends', which anybody can take: only ids count",
    },
    {
      path: "channels.x.guilds.1",
      message: "lists the room '#general' by its name, which can become another's: write its id, " +
        "or set dangerouslyAllowNameMatching",
    },
  ]);
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

Deno.test("an address with a secret in it is masked whole, any other is shown", () => {
  const secret = ["https://me:s3cret@h/v1", "https://h/v1?key=abc", "wss://h/?a=1&access_token=x"];
  deepStrictEqual(redact(secret), secret.map(() => REDACTED));
  const open = ["https://h/v1", "https://h:8080/v1?alt=sse", "http://[::1]:1/#key=x", "a:b@c"];
  deepStrictEqual(redact(open), open);
});

Deno.test("each secret can be found by its path", () => {
  const config = {
    gateway: { auth: { mode: "token", token: "t" }, remote: { url: "wss://a:b@h" } },
    hooks: { token: { source: "env", id: "HOOK" } },
    agents: { list: [{ id: "main" }], defaults: { contextTokens: 5 } },
  };
  deepStrictEqual([...secretsIn(config)], [
    { path: "gateway.auth.token", secret: "t" },
    { path: "gateway.remote.url", secret: "wss://a:b@h" },
    { path: "hooks.token.source", secret: "env" },
    { path: "hooks.token.id", secret: "HOOK" },
  ]);
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
