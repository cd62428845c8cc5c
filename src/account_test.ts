import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import {
  accountOf,
  accountsOf,
  channelsOf,
  defaultAccountId,
  isListed,
  secretsOf,
  withSecrets,
} from "./account.ts";
import { checkConfig, type Config } from "./config.ts";

const SECRETS = [{
  key: "botToken",
  fileKey: "tokenFile",
  env: "NET_TOKEN",
  question: "Token",
  isRequired: true,
}];

function configOf(channels: unknown): Config {
  const { config, issues } = checkConfig({ channels });
  deepStrictEqual(issues, []);
  return config;
}

Deno.test("an account's settings go before its network's, and those before the common ones", () => {
  const config = configOf({
    defaults: { groupPolicy: "open", historyLimit: 5, mediaMaxMb: 1 },
    net: {
      dmPolicy: "allowlist",
      historyLimit: 7,
      apiRoot: "http://net",
      allowFrom: [1],
      accounts: { Work: { allowFrom: ["2", 3], name: "At work", historyLimit: 9 } },
    },
  });
  const work = accountOf(config, "net", "work");
  deepStrictEqual(
    [work?.accountId, work?.name, work?.enabled, work?.settings.apiRoot],
    ["work", "At work", true, "http://net"],
  );
  const { dmPolicy, groupPolicy, allowFrom, groupAllowFrom, historyLimit, mediaMaxBytes } =
    work!.policy;
  deepStrictEqual([dmPolicy, groupPolicy, historyLimit], ["allowlist", "open", 9]);
  deepStrictEqual([allowFrom, groupAllowFrom], [["2", "3"], ["2", "3"]]);
  strictEqual(mediaMaxBytes, 1024 * 1024);
  strictEqual("accounts" in work!.settings, false);
});

Deno.test("what nobody sets is careful: strangers ask, groups must be listed and spoken to", () => {
  const { policy } = accountOf(configOf({ net: {} }), "net", "default")!;
  deepStrictEqual(policy, {
    dmPolicy: "pairing",
    allowFrom: [],
    groupPolicy: "allowlist",
    groupAllowFrom: [],
    groups: {},
    spaces: {},
    requiresMention: true,
    allowsBots: "never",
    mediaMaxBytes: 20 * 1024 * 1024,
    reactionNotifications: "own",
  });
});

Deno.test("an account is off if it or its network is", () => {
  const config = configOf({
    a: { enabled: false, accounts: { x: { enabled: true } } },
    b: { accounts: { x: { enabled: false }, y: {} } },
  });
  const on = (channel: string) =>
    accountsOf(config, channel).map(({ accountId, enabled }) => [accountId, enabled]);
  deepStrictEqual(on("a"), [["x", false]]);
  deepStrictEqual(on("b"), [["x", false], ["y", true]]);
});

Deno.test("there are the accounts that are listed, and no others", () => {
  const config = configOf({
    defaults: {},
    modelByChannel: { net: {} },
    one: {},
    some: { accounts: { b: {}, a: {} }, defaultAccount: "A" },
    also: { botToken: "t", accounts: { b: {} } },
  });
  deepStrictEqual(channelsOf(config), ["one", "some", "also"]);
  const ids = (channel: string) =>
    accountsOf(config, channel, SECRETS).map(({ accountId }) => accountId);
  deepStrictEqual([ids("one"), ids("some"), ids("also")], [["default"], ["b", "a"], [
    "default",
    "b",
  ]]);
  deepStrictEqual([ids("none"), ids("defaults"), ids("__proto__")], [[], [], []]);
  const first = (channel: string) => defaultAccountId(config, channel, SECRETS);
  deepStrictEqual(
    [first("one"), first("some"), first("also"), first("none")],
    ["default", "a", "default", undefined],
  );
  strictEqual(accountOf(config, "some", "c"), undefined);
  strictEqual(accountOf(config, "none", "default"), undefined);
});

Deno.test("an account takes no secret of another one", () => {
  const config = configOf({
    net: {
      botToken: "top",
      accounts: { a: { botToken: "own" }, b: {}, c: { tokenFile: "/c" }, d: { botToken: "${D}" } },
    },
  });
  const sources = {
    env: { NET_TOKEN: "environment", D: "dee" },
    readFile: (path: string) => `file ${path}\n`,
  };
  const token = (id: string) => secretsOf(accountOf(config, "net", id)!, SECRETS, sources).botToken;
  deepStrictEqual(
    ["default", "a", "b", "c", "d"].map(token),
    ["top", "own", undefined, "file /c", "dee"],
  );
  const bare = accountOf(configOf({ net: {} }), "net", "default")!;
  deepStrictEqual(secretsOf(bare, SECRETS, sources), { botToken: "environment" });
  const b = accountOf(config, "net", "b")!;
  strictEqual("botToken" in withSecrets(b, SECRETS, {}), false);
  deepStrictEqual(withSecrets(b, SECRETS, { botToken: "x" }).botToken, "x");
});

Deno.test("a secret that is written and can't be had is named", () => {
  const written = (botToken: unknown) =>
    accountOf(configOf({ net: { accounts: { a: { botToken } } } }), "net", "a")!;
  const sources = { env: { X: "ex" }, readFile: (path: string) => path };
  const read = (botToken: unknown) => secretsOf(written(botToken), SECRETS, sources).botToken;
  strictEqual(read({ source: "env", provider: "default", id: "X" }), "ex");
  strictEqual(read({ source: "file", provider: "default", id: "/f" }), "/f");
  strictEqual(read("$${X}"), "${X}");
  throws(() => read("${Y}"), /channels\.net\.accounts\.a\.botToken: Y is not set/);
  throws(() => read({ source: "exec", id: "x" }), /must be a text, or/);
});

Deno.test("ids are compared as they are", () => {
  for (const entry of ["*", "u1", "net:u1", "user:u1", "net:user:u1"]) {
    strictEqual(isListed([entry], "u1", "net"), true, entry);
  }
  for (const entry of ["U1", "u", "u12", "@u1", "other:u1", ""]) {
    strictEqual(isListed([entry], "u1", "net"), false, entry);
  }
  strictEqual(isListed(["tg:7"], "7", "telegram"), true);
  strictEqual(isListed(["tg:7"], "7", "net"), false);
});
