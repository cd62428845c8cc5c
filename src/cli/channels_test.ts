import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { FakeTelegram } from "../../tests/fakes/telegram.ts";
import { FakeGateway, type FakeGatewayOptions } from "../client/fake_gateway.ts";
import { run } from "./cli.ts";
import { FakeIo, type FakeIoOptions, runOn, withHome } from "./fake_io.ts";

const NOW = 1_000_000_000_000;
const TOKEN = "123:secret-of-the-bot";

/** Runs a command line against a gateway with these answers. */
async function ask(
  argv: readonly string[],
  answers: FakeGatewayOptions["answers"],
  options: FakeIoOptions = {},
) {
  await using gateway = new FakeGateway({ answers });
  const io = new FakeIo({
    now: NOW,
    ...options,
    env: { OPENCLAW_STATE_DIR: "/nowhere", ...options.env },
  });
  const code = await run([...argv, "--url", gateway.url, "--token", "t"], io);
  const requests = gateway.requests.filter(({ method }) => method !== "connect");
  return { code, stdout: io.stdout, stderr: io.stderr, requests };
}

/** Runs a command line where no gateway is. */
async function alone(
  argv: readonly string[],
  home: { readonly env: Readonly<Record<string, string | undefined>> },
  options: FakeIoOptions = {},
) {
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = listener.addr;
  listener.close();
  const env = { OPENCLAW_GATEWAY_PORT: `${port}`, ...home.env };
  const io = new FakeIo({ now: NOW, ...options, env });
  const code = await run(argv, io);
  return { code, stdout: io.stdout, stderr: io.stderr };
}

async function configOf({ stateDir }: { stateDir: string }): Promise<unknown> {
  return JSON.parse(await Deno.readTextFile(`${stateDir}/openclaw.json`));
}

Deno.test("status says of each account how it is, and what the network said", async () => {
  const account = { accountId: "a", enabled: true, configured: true, running: true };
  const accounts = [
    {
      ...account,
      connected: true,
      healthState: "healthy",
      probe: { ok: true, bot: { username: "b" } },
    },
    { ...account, accountId: "b", connected: true, healthState: "degraded", lastError: "silent" },
    {
      ...account,
      accountId: "c",
      running: false,
      healthState: "dead",
      probe: { ok: false, error: "401" },
    },
    { ...account, accountId: "d", healthState: "unproven" },
    { accountId: "e", enabled: false },
    { accountId: "f", enabled: true, configured: false },
  ];
  const { code, stdout, requests } = await ask(["channels", "status", "--probe"], {
    "channels.status": () => ({
      channelOrder: ["tg"],
      channelLabels: { tg: "Telegram" },
      channelAccounts: { tg: accounts },
    }),
  });
  deepStrictEqual([code, requests], [
    0,
    [{ method: "channels.status", params: { probe: true, timeoutMs: 15_000 } }],
  ]);
  deepStrictEqual(stdout.trimEnd().split("\n").map((line) => line.split(/ {2,}/).slice(1, 4)), [
    ["ACCOUNT", "STATE", "PROBE"],
    ["a", "connected", "ok b"],
    ["b", "degraded", "-"],
    ["c", "stopped", "401"],
    ["d", "connecting", "-"],
    ["e", "off", "-"],
    ["f", "not set up", "-"],
  ]);
});

Deno.test("list tells what could be set up, without a gateway", async () => {
  await withHome(async (home) => {
    await Deno.writeTextFile(
      `${home.stateDir}/openclaw.json`,
      JSON.stringify({
        channels: {
          telegram: { accounts: { home: {}, work: {} } },
          discord: { token: "t", accounts: { work: {} } },
        },
      }),
    );
    const { stdout } = await alone(["channels", "list"], home);
    const lines = stdout.trimEnd().split("\n").map((line) => line.split(/ {2,}/));
    deepStrictEqual(lines.slice(0, 4), [
      ["NETWORK", "NAME", "STATE", "ACCOUNTS"],
      ["telegram", "Telegram", "on", "home, work"],
      ["discord", "Discord", "on", "default, work"],
      ["slack", "Slack", "not set up"],
    ]);
  });
});

Deno.test("add asks for the token, checks it at the network, and writes it down", async () => {
  await using telegram = new FakeTelegram({ token: TOKEN, username: "crab_bot" });
  await withHome(async (home) => {
    const { code, stdout, stderr } = await alone(
      ["channels", "add", "telegram", "--no-color", "--set", `apiRoot=${telegram.url}`],
      home,
      { terminal: true, input: [`${TOKEN}x\x7f\r`] },
    );
    strictEqual(code, 0, stderr);
    match(stderr, /^The bot's token .*: \nTelegram knows us as crab_bot\n$/);
    match(stdout, /^Added telegram account 'default' to .*\nNo gateway runs/);
    deepStrictEqual(await configOf(home), {
      channels: { telegram: { apiRoot: telegram.url, botToken: TOKEN, enabled: true } },
    });
  });
});

Deno.test("add writes nothing that the network refuses, or that it can't be asked about", async () => {
  await using telegram = new FakeTelegram({ token: TOKEN });
  await withHome(async (home) => {
    const add = ["channels", "add", "telegram", "--token", "999:wrong", "--set"];
    const refused = await alone([...add, `apiRoot=${telegram.url}`], home);
    strictEqual(refused.code, 1);
    match(refused.stderr, /^error: Telegram refuses: .*\n {2}nothing was written/);
    const absent = await alone([...add, "apiRoot=http://127.0.0.1:1"], home);
    match(
      absent.stderr,
      /^error: Telegram can't be asked: .*\n {2}nothing was written.*--no-check/,
    );
    strictEqual(await Deno.stat(`${home.stateDir}/openclaw.json`).catch(() => "none"), "none");
    const unchecked = await alone([...add, "apiRoot=http://127.0.0.1:1", "--no-check"], home);
    strictEqual(unchecked.code, 0, unchecked.stderr);
  });
});

Deno.test("add takes the token from input or the environment, for another account too", async () => {
  await using telegram = new FakeTelegram({ token: TOKEN });
  const api = ["--set", `apiRoot=${telegram.url}`];
  await withHome(async (home) => {
    const piped = await alone(
      [
        "channels",
        "add",
        "telegram",
        "--account",
        "Work",
        "--name",
        "Office",
        "--token",
        "-",
        ...api,
      ],
      home,
      { input: [`${TOKEN}\n`] },
    );
    strictEqual(piped.code, 0, piped.stderr);
    deepStrictEqual(await configOf(home), {
      channels: {
        telegram: {
          enabled: true,
          accounts: {
            work: { apiRoot: telegram.url, botToken: TOKEN, enabled: true, name: "Office" },
          },
        },
      },
    });
  });
  await withHome(async (home) => {
    const env = { ...home.env, TELEGRAM_BOT_TOKEN: TOKEN };
    const { code } = await alone(["channels", "add", "telegram", "--use-env", ...api], { env });
    strictEqual(code, 0);
    deepStrictEqual(await configOf(home), {
      channels: { telegram: { apiRoot: telegram.url, enabled: true } },
    });
  });
  await withHome(async (home) => {
    for (const network of ["telegram", "discord", "slack"]) {
      const add = ["channels", "add", network, "--use-env", "--no-check"];
      strictEqual((await alone(add, home)).code, 0); // set only where the gateway runs
      deepStrictEqual(Object(await configOf(home)).channels[network], { enabled: true });
    }
  });
});

Deno.test("add keeps every digit of an id", () =>
  withHome(async (home) => {
    const add = ["channels", "add", "discord", "--token", TOKEN, "--no-check"];
    const { code, stderr } = await alone(
      [...add, "--set", "applicationId=1234567890123456789"],
      home,
    );
    strictEqual(code, 0, stderr);
    const discord = { applicationId: "1234567890123456789", token: TOKEN, enabled: true };
    deepStrictEqual(await configOf(home), { channels: { discord } });
  }));

Deno.test("an account that is added leaves the one whose token is in the environment", async () => {
  const add = ["channels", "add", "telegram", "--account", "work", "--token", TOKEN, "--no-check"];
  const work = { botToken: TOKEN, enabled: true };
  await withHome(async (home) => {
    const env = { ...home.env, TELEGRAM_BOT_TOKEN: "456:secret-of-the-first" };
    const first = ["channels", "add", "telegram", "--use-env", "--no-check"];
    for (const line of [first, add]) strictEqual((await alone(line, { env })).code, 0);
    deepStrictEqual(await configOf(home), {
      channels: { telegram: { enabled: true, accounts: { default: {}, work } } },
    });
  });
  for (const tokenSource of ["env", "config"]) {
    const patches: unknown[] = [];
    const accounts = [{ accountId: "default", tokenSource }];
    await using gateway = new FakeGateway({
      answers: {
        "channels.status": () => ({
          channelAccounts: {
            telegram: patches.length === 0 ? accounts : [{ accountId: "work", connected: true }],
          },
        }),
        "config.get": () => ({}),
        "config.patch": ({ raw }: { raw: string }) => void patches.push(JSON.parse(raw)),
      },
    });
    const env = {
      OPENCLAW_STATE_DIR: "/nowhere",
      OPENCLAW_GATEWAY_PORT: `${gateway.port}`,
      OPENCLAW_GATEWAY_TOKEN: "t",
    };
    const { code, stderr } = await runOn(add, { env });
    strictEqual(code, 0, stderr);
    const listed = tokenSource === "env" ? { default: {}, work } : { work };
    deepStrictEqual(patches, [{ channels: { telegram: { enabled: true, accounts: listed } } }]);
  }
});

Deno.test("what is meant for a gateway elsewhere is not written here when that is away", async () => {
  await withHome(async (home) => {
    const remote = { mode: "remote", remote: { url: "ws://127.0.0.1:1", token: "t" } };
    const config = { gateway: remote, channels: { telegram: { enabled: true } } };
    await Deno.writeTextFile(`${home.stateDir}/openclaw.json`, JSON.stringify(config));
    for (
      const line of [
        ["add", "telegram", "--token", TOKEN, "--no-check"],
        ["disable", "telegram"],
        ["remove", "telegram", "--yes"],
      ]
    ) {
      const { code, stderr } = await runOn(["channels", ...line], { env: home.env });
      strictEqual(code, 1);
      match(stderr, /^error: Cannot connect to ws:\/\/127\.0\.0\.1:1: /);
    }
    deepStrictEqual(await configOf(home), config);
  });
});

Deno.test("add for a gateway elsewhere asks the network by nothing that is set here", async () => {
  await using telegram = new FakeTelegram({ token: TOKEN, username: "crab_bot" });
  const patches: unknown[] = [];
  await using gateway = new FakeGateway({
    answers: {
      "channels.status": () => ({
        channelAccounts: { telegram: [{ accountId: "default", connected: true }] },
      }),
      "config.get": () => ({}),
      "config.patch": ({ raw }: { raw: string }) => void patches.push(JSON.parse(raw)),
    },
  });
  await withHome(async (home) => {
    const here = { proxy: "http://127.0.0.1:1" };
    const remote = { mode: "remote", remote: { url: gateway.url, token: "t" } };
    await Deno.writeTextFile(
      `${home.stateDir}/openclaw.json`,
      JSON.stringify({ gateway: remote, channels: { telegram: here } }),
    );
    const api = `apiRoot=${telegram.url}`;
    const argv = ["channels", "add", "telegram", "--token", TOKEN, "--set", api];
    const { code, stdout, stderr } = await runOn(argv, home);
    strictEqual(code, 0, stderr);
    match(stdout, /^Added telegram account 'default'\nThe gateway is connected\n/);
    const telegramSection = { apiRoot: telegram.url, botToken: TOKEN, enabled: true };
    deepStrictEqual(patches, [{ channels: { telegram: telegramSection } }]);
  });
});

Deno.test("add gives a new token to the account that is there, however it is spelled", async () => {
  for (const [account, key] of [["work", "Work"], ["default", "default"]] as const) {
    await withHome(async (home) => {
      const path = `${home.stateDir}/openclaw.json`;
      const accounts = (botToken: string, more = {}) => ({
        channels: { telegram: { ...more, accounts: { [key]: { botToken, ...more } } } },
      });
      await Deno.writeTextFile(path, JSON.stringify(accounts("1:old")));
      const argv = ["channels", "add", "telegram", "--account", account, "--token", "1:new"];
      const { code, stderr } = await alone([...argv, "--no-check"], home);
      strictEqual(code, 0, stderr);
      deepStrictEqual(await configOf(home), accounts("1:new", { enabled: true }));
    });
  }
});

Deno.test("add refuses what can't be meant", async () => {
  await withHome(async (home) => {
    const cases: readonly [argv: readonly string[], code: number, why: RegExp][] = [
      [["telegrm"], 2, /There is no network 'telegrm': did you mean 'telegram'\?/],
      [["telegram"], 2, /Telegram needs 'botToken': give it with --token/],
      [["telegram", "--token", "", "--no-check"], 2, /'botToken', and what was given is empty/],
      [["telegram", "--token", "-", "--no-check"], 2, /'botToken', and what was given is empty/],
      [["telegram", "--set", "botToken=", "--no-check"], 2, /what was given is empty/],
      [["telegram", "--account", "a/b"], 2, /'a\/b' can't name an account/],
      [["telegram", "--set", "nonsense"], 2, /'nonsense' must be like key=value/],
      [["telegram", "--use-env"], 1, /TELEGRAM_BOT_TOKEN is not set/],
      [["telegram", "--use-env", "--account", "b"], 2, /--use-env is for the default account/],
      [["telegram", "--use-env", "--token", "1:a"], 2, /--token and --use-env exclude each other/],
      [["telegram", "--token", "1:a", "--set", "apiRoot=ftp"], 2, /^error: apiRoot: /],
    ];
    for (const [argv, code, why] of cases) {
      const result = await alone(["channels", "add", ...argv], home);
      strictEqual(result.code, code, result.stderr);
      match(result.stderr, why);
    }
  });
});

const CONFIG = { channels: { tg: { accounts: { a: {} } } } };

Deno.test("remove, enable and disable change the running gateway's configuration", async () => {
  const answers = {
    "config.get": () => ({ config: CONFIG, hash: "h" }),
    "config.patch": () => ({ ok: true }),
  };
  const patches = async (argv: readonly string[], options: FakeIoOptions = {}) => {
    const { code, requests } = await ask(["channels", ...argv], answers, options);
    const found = requests.filter(({ method }) => method === "config.patch");
    return [code, found.map(({ params }) => params)];
  };
  const patch = (section: unknown) => [{
    raw: JSON.stringify({ channels: { tg: section } }),
    baseHash: "h",
  }];
  deepStrictEqual(await patches(["disable", "tg"]), [0, patch({ enabled: false })]);
  deepStrictEqual(await patches(["enable", "tg", "--account", "a"]), [
    0,
    patch({ accounts: { a: { enabled: true } } }),
  ]);
  deepStrictEqual(await patches(["disable", "tg", "--account", "A"]), [
    0,
    patch({ accounts: { a: { enabled: false } } }),
  ]);
  deepStrictEqual(await patches(["remove", "tg", "--yes"]), [0, patch(null)]);
  deepStrictEqual(await patches(["remove", "tg", "--account", "a", "-y"]), [
    0,
    patch({ accounts: { a: null } }),
  ]);
  deepStrictEqual(await patches(["remove", "tg"]), [2, []]); // nobody can be asked
  deepStrictEqual(await patches(["remove", "tg"], { terminal: true, input: ["n\r"] }), [1, []]);
  deepStrictEqual(await patches(["remove", "tg"], { terminal: true, input: ["y\r"] }), [
    0,
    patch(null),
  ]);
  deepStrictEqual(await patches(["disable", "pigeon"]), [1, []]);
  deepStrictEqual(await patches(["disable", "tg", "--account", "b"]), [1, []]);
});

Deno.test("enable says that an account's network is off", async () => {
  await withHome(async (home) => {
    const accounts = { work: { botToken: "1:a", enabled: false } };
    const config = { channels: { telegram: { enabled: false, accounts } } };
    await Deno.writeTextFile(`${home.stateDir}/openclaw.json`, JSON.stringify(config));
    const enable = async (...argv: readonly string[]) =>
      (await alone(["channels", "enable", "telegram", ...argv], home)).stdout;
    strictEqual(
      await enable("--account", "work"),
      "telegram account 'work' is now on, but telegram is off: openclaw channels enable telegram\n",
    );
    strictEqual(await enable(), "telegram is now on\n");
    strictEqual(await enable("--account", "work"), "telegram account 'work' is now on\n");
  });
});

Deno.test("without a gateway they change the file", async () => {
  await withHome(async (home) => {
    const path = `${home.stateDir}/openclaw.json`;
    await Deno.writeTextFile(path, JSON.stringify({ channels: { telegram: { botToken: "t" } } }));
    strictEqual((await alone(["channels", "disable", "telegram"], home)).code, 0);
    deepStrictEqual(await configOf(home), {
      channels: { telegram: { botToken: "t", enabled: false } },
    });
    strictEqual((await alone(["channels", "remove", "telegram", "--yes"], home)).code, 0);
    deepStrictEqual(await configOf(home), { channels: {} });
  });
});

Deno.test("the default account is found beside those that are listed, as the gateway finds it", () =>
  withHome(async (home) => {
    const path = `${home.stateDir}/openclaw.json`;
    const after = async (section: unknown, ...argv: readonly string[]) => {
      await Deno.writeTextFile(path, JSON.stringify({ channels: { telegram: section } }));
      const line = ["channels", argv[0]!, "telegram", "--account", "default", ...argv.slice(1)];
      const { code } = await alone(line, home);
      const { channels } = Object(await configOf(home));
      return [code, channels.telegram];
    };
    const work = { botToken: "2:b" };
    const both = { botToken: "1:a", dmPolicy: "open", allowFrom: ["*"], accounts: { work } };
    const { botToken: _, ...others } = both;
    deepStrictEqual(await after(both, "disable"), [
      0,
      { ...both, accounts: { work, default: { enabled: false } } },
    ]);
    deepStrictEqual(await after(both, "remove", "--yes"), [0, others]);
    deepStrictEqual(await after({ botToken: "1:a" }, "disable"), [
      0,
      { botToken: "1:a", accounts: { default: { enabled: false } } },
    ]);
    deepStrictEqual(await after({ botToken: "1:a" }, "remove", "--yes"), [0, undefined]);
    const listed = { accounts: { work } };
    deepStrictEqual(await after(listed, "disable"), [1, listed]);
  }));

Deno.test("start, stop and logout ask the gateway", async () => {
  const named = { channel: "tg", accountId: "default" };
  const answers = {
    "channels.start": () => ({ ...named, started: true }),
    "channels.stop": () => ({ ...named, stopped: true }),
    "channels.logout": () => ({ ...named, cleared: true, loggedOut: false, envToken: true }),
  };
  strictEqual(
    (await ask(["channels", "start", "tg"], answers)).stdout,
    "Started tg account 'default'\n",
  );
  const { stdout, requests } = await ask(["channels", "stop", "tg", "--account", "b"], answers);
  strictEqual(stdout, "Stopped tg account 'default'\n");
  deepStrictEqual(requests, [{
    method: "channels.stop",
    params: { channel: "tg", accountId: "b" },
  }]);
  match(
    (await ask(["channels", "logout", "tg"], answers)).stdout,
    /^Logged out.*\nIts token is in/,
  );
});

Deno.test("logs are those of the networks", async () => {
  const line = (part: string, message: string) =>
    JSON.stringify({ time: "2026-01-02T03:04:05Z", level: "info", part, message });
  const answers = {
    "logs.tail": () => ({
      lines: [
        line("server", "Listening"),
        line("telegram/default", "Connected"),
        line("discord/work", "Connected"),
        line("outbox", "A message can't be sent"),
        "no JSON",
      ],
    }),
  };
  const messages = async (argv: readonly string[]) =>
    (await ask(["channels", "logs", "--utc", ...argv], answers)).stdout.trimEnd().split("\n")
      .map((line) => line.split(/\s+/)[3]);
  deepStrictEqual(await messages([]), ["telegram/default", "discord/work", "outbox"]);
  deepStrictEqual(await messages(["--channel", "discord"]), ["discord/work"]);
  deepStrictEqual(await messages(["--lines", "1"]), ["outbox"]);
});
