/** All networks that the program knows, from outside: the whole program on a fake of each. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { type FakeDiscord, startFakeDiscord } from "./fakes/discord.ts";
import { type FakeSlack, startFakeSlack } from "./fakes/slack.ts";
import { type FakeTelegram, startFakeTelegram } from "./fakes/telegram.ts";
import {
  type Accounts,
  accountsOnce,
  startGateway,
  type TestClient,
  type TestGateway,
} from "./gateway.ts";

const AGENTS = { agents: { defaults: { model: { primary: "demo/demo" } } } };
/** What the built-in model answers to `echo one`; at first it says before what it is. */
const SAYS_ONE = /(^|\n)one$/;
const OPEN = { dmPolicy: "open", allowFrom: ["*"] };

/** One fake of each network. */
class Fakes implements AsyncDisposable {
  readonly telegram: FakeTelegram = startFakeTelegram();
  readonly discord: FakeDiscord = startFakeDiscord();
  readonly slack: FakeSlack = startFakeSlack();

  /** How each is reached. */
  get addresses() {
    return {
      telegram: { apiRoot: this.telegram.url },
      discord: { apiRoot: this.discord.apiRoot },
      slack: { apiUrl: this.slack.apiUrl },
    };
  }

  /** How each is reached, and who we are there. */
  get settings() {
    const { addresses, telegram, discord, slack } = this;
    const { botToken, appToken } = slack;
    return {
      telegram: { ...addresses.telegram, botToken: telegram.token },
      discord: { ...addresses.discord, token: discord.token },
      slack: { ...addresses.slack, botToken, appToken },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const fake of [this.telegram, this.discord, this.slack]) {
      await fake[Symbol.asyncDispose]();
    }
  }
}

const areConnected = (count: number) => (accounts: Accounts) => {
  const all = Object.values(accounts);
  return all.length === count &&
    all.every(({ connected, healthState }) => connected === true && healthState === "healthy");
};

async function connected(gateway: TestGateway, count = 3): Promise<TestClient> {
  const client = await gateway.connect();
  await accountsOnce(client, areConnected(count));
  return client;
}

Deno.test("on every network a message comes in, and its answer goes out where it was asked", async () => {
  await using fakes = new Fakes();
  const { telegram, discord, slack, settings } = fakes;
  const everybody = { requireMention: true };
  await using gateway = await startGateway({
    config: {
      ...AGENTS,
      channels: {
        telegram: { ...OPEN, ...settings.telegram, groupPolicy: "open" },
        discord: { ...OPEN, ...settings.discord, guilds: { "*": everybody } },
        slack: { ...OPEN, ...settings.slack, channels: { "*": everybody } },
      },
    },
  });
  await using _client = await connected(gateway);

  async function onTelegram() {
    telegram.say("echo one");
    const first = await telegram.until(() => telegram.sent[0]);
    match(first.text ?? "", SAYS_ONE);
    strictEqual(first.chat.id, 42);
    telegram.addChat({ id: -1001, type: "supergroup", title: "Everybody" });
    const words = `@${telegram.me.username} two`;
    const mention = { offset: 0, length: words.indexOf(" "), type: "mention" };
    telegram.say(words, { chat: -1001, entities: [mention] });
    const second = await telegram.until(() => telegram.sent[1]);
    strictEqual(second.chat.id, -1001);
  }

  async function onDiscord() {
    const anna = discord.world.addUser("anna");
    const direct = discord.say(anna, "echo one");
    const answer = await discord.until(() => discord.sent[0]);
    match(answer.content, SAYS_ONE);
    strictEqual(answer.channel_id, direct.channel_id);
    const room = discord.world.addChannel(discord.world.addGuild("Everybody"), "general");
    discord.world.post(room, anna, `<@${discord.world.self.id}> two`);
    strictEqual((await discord.until(() => discord.sent[1])).channel_id, room.id);
  }

  async function onSlack() {
    slack.say("echo one");
    match((await slack.until(() => slack.sent[0])).text, SAYS_ONE);
    slack.addChannel({ id: "C0ROOM", kind: "channel", name: "general", isMember: true });
    slack.say(`<@${slack.world.me.id}> two`, { channel: "C0ROOM" });
    await slack.until(() => slack.sent.length === 2);
    const [, last] = slack.journal.flatMap((entry) => entry.kind === "sent" ? entry.channel : []);
    strictEqual(last, "C0ROOM");
  }

  await Promise.all([onTelegram(), onDiscord(), onSlack()]);
});

Deno.test("on every network a stranger gets a code, and is answered once it is approved", async () => {
  await using fakes = new Fakes();
  const { telegram, discord, slack, settings } = fakes;
  await using gateway = await startGateway({ config: { ...AGENTS, channels: settings } });
  await using client = await connected(gateway);
  const anna = discord.world.addUser("anna");
  const say = {
    telegram: (text: string) => void telegram.say(text),
    discord: (text: string) => void discord.say(anna, text),
    slack: (text: string) => void slack.say(text),
  };
  const heard = {
    telegram: (n: number) => telegram.until(() => telegram.sent[n]?.text),
    discord: (n: number) => discord.until(() => discord.sent[n]?.content),
    slack: (n: number) => slack.until(() => slack.sent[n]?.text),
  };
  for (const channel of ["telegram", "discord", "slack"] as const) {
    say[channel]("echo before");
    const told = await heard[channel](0);
    const { requests } = await client.request("channels.pairing.list", { channel });
    const [request] = requests;
    ok(request, `${channel} has no request`);
    ok(told.includes(request.requestId), `'${told}' does not tell the code`);
    await client.request("channels.pairing.approve", {
      channel,
      accountId: request.accountId,
      requestId: request.requestId,
    });
    say[channel]("echo after");
    let n = 1;
    while (!/(^|\n)after$/.test(await heard[channel](n))) n++; // that they are let in, is perhaps said first
  }
});

Deno.test("a network is lost, noisy or closed to us, and says so; the others answer", async () => {
  await using fakes = new Fakes();
  const { telegram, discord, slack, settings } = fakes;
  slack.line.set("garbage");
  discord.revoke();
  await using gateway = await startGateway({
    config: {
      ...AGENTS,
      channels: {
        telegram: { ...OPEN, ...settings.telegram },
        discord: { ...OPEN, ...settings.discord },
        slack: { ...OPEN, ...settings.slack },
      },
    },
  });
  await using client = await gateway.connect();
  const accounts = await accountsOnce(
    client,
    (all) =>
      all["telegram/default"]?.healthState === "healthy" &&
      all["discord/default"]?.healthState === "dead" &&
      (all["slack/default"]?.reconnectAttempts ?? 0) > 0,
  );
  strictEqual(accounts["discord/default"]?.running, false);
  strictEqual(accounts["slack/default"]?.connected, false);
  ok(accounts["slack/default"]?.lastError);
  const { statusIssues = [] } = await client.request("channels.status", {});
  const [issue] = statusIssues.filter(({ channel }) => channel === "discord");
  strictEqual(issue?.kind, "auth");
  match(issue?.message ?? "", /token/);
  telegram.say("echo well");
  await telegram.until(() => telegram.sent.some(({ text }) => text?.endsWith("well")));

  // Mended, both come back: the one by itself, the other when somebody has seen to it.
  slack.mend();
  discord.mend();
  await client.request("channels.start", { channel: "discord" });
  await accountsOnce(client, areConnected(3));
});

/** Configurations as people have them, after the documentation of each network; `fakes` says where. */
const FORMS: readonly {
  readonly name: string;
  readonly accounts: number;
  readonly env?: (fakes: Fakes) => Readonly<Record<string, string>>;
  readonly channels: (fakes: Fakes) => Readonly<Record<string, unknown>>;
}[] = [
  {
    name: "the shortest ones",
    accounts: 3,
    channels: ({ settings: { telegram, discord, slack } }) => ({
      telegram: { enabled: true, ...telegram, dmPolicy: "pairing" },
      discord: { enabled: true, ...discord },
      slack: { enabled: true, mode: "socket", ...slack },
    }),
  },
  {
    name: "tokens in the environment, and references to them",
    accounts: 3,
    env: ({ telegram, discord, slack }) => ({
      TELEGRAM_BOT_TOKEN: telegram.token,
      MY_DISCORD: discord.token,
      SLACK_BOT_TOKEN: slack.botToken,
      APP: slack.appToken,
    }),
    channels: ({ addresses }) => ({
      telegram: { ...addresses.telegram, enabled: true },
      discord: {
        ...addresses.discord,
        token: { source: "env", provider: "default", id: "MY_DISCORD" },
      },
      slack: { ...addresses.slack, appToken: "${APP}" },
    }),
  },
  {
    name: "Telegram with groups, topics and much else",
    accounts: 1,
    channels: ({ settings: { telegram } }) => ({
      telegram: {
        ...telegram,
        enabled: true,
        dmPolicy: "allowlist",
        allowFrom: ["tg:123456789", 987654321],
        groupPolicy: "allowlist",
        groupAllowFrom: ["123456789"],
        groups: {
          "*": { requireMention: true },
          "-1001234567890": {
            requireMention: false,
            allowFrom: ["123456789"],
            systemPrompt: "Keep answers brief.",
            skills: ["search"],
            topics: { "99": { requireMention: false, skills: [], systemPrompt: "Stay on topic." } },
          },
        },
        customCommands: [{ command: "backup", description: "Git backup" }],
        historyLimit: 50,
        replyToMode: "first",
        linkPreview: true,
        streaming: "partial",
        textChunkLimit: 4000,
        chunkMode: "newline",
        actions: { reactions: true, sendMessage: true },
        capabilities: { inlineButtons: "allowlist" },
        reactionNotifications: "own",
        reactionLevel: "minimal",
        mediaMaxMb: 5,
        timeoutSeconds: 60,
        retry: { attempts: 3, minDelayMs: 400, maxDelayMs: 30_000, jitter: 0.1 },
        network: { autoSelectFamily: false },
        configWrites: false,
      },
    }),
  },
  {
    name: "Discord with guilds, rooms and roles",
    accounts: 1,
    channels: ({ settings: { discord } }) => ({
      discord: {
        ...discord,
        enabled: true,
        mediaMaxMb: 8,
        allowBots: false,
        actions: { reactions: true, stickers: true, polls: true, moderation: false },
        replyToMode: "off",
        dmPolicy: "pairing",
        allowFrom: ["1234567890", "123456789012345678"],
        dm: { enabled: true, groupEnabled: false, groupChannels: ["openclaw-dm"] },
        groupPolicy: "allowlist",
        guilds: {
          "123456789012345678": {
            slug: "friends-of-openclaw",
            requireMention: false,
            reactionNotifications: "own",
            users: ["987654321098765432"],
            roles: ["223456789012345678"],
            channels: {
              general: { allow: true },
              help: {
                allow: true,
                requireMention: true,
                users: ["987654321098765432"],
                skills: ["docs"],
                systemPrompt: "Short answers only.",
              },
            },
          },
        },
        historyLimit: 20,
        textChunkLimit: 2000,
        chunkMode: "length",
        streaming: "off",
        maxLinesPerMessage: 17,
        intents: { presence: false, guildMembers: false },
        retry: { attempts: 3, minDelayMs: 500, maxDelayMs: 30_000, jitter: 0.1 },
      },
    }),
  },
  {
    name: "Slack with rooms, threads and a slash command",
    accounts: 1,
    channels: ({ settings: { slack } }) => ({
      slack: {
        ...slack,
        enabled: true,
        mode: "socket",
        dmPolicy: "pairing",
        allowFrom: ["U123", "U456"],
        dm: { enabled: true, groupEnabled: false, groupChannels: ["G123"] },
        groupPolicy: "allowlist",
        channels: {
          C123: { allow: true, requireMention: true, allowBots: false },
          "#general": {
            allow: true,
            requireMention: true,
            allowBots: false,
            users: ["U123"],
            skills: ["docs"],
            systemPrompt: "Short answers only.",
          },
        },
        historyLimit: 50,
        allowBots: false,
        reactionNotifications: "own",
        reactionAllowlist: ["U123"],
        replyToMode: "off",
        thread: { historyScope: "thread", inheritParent: false },
        actions: { reactions: true, messages: true, pins: true, memberInfo: true, emojiList: true },
        slashCommand: {
          enabled: true,
          name: "openclaw",
          sessionPrefix: "slack:slash",
          ephemeral: true,
        },
        typingReaction: "hourglass_flowing_sand",
        textChunkLimit: 4000,
        chunkMode: "length",
        mediaMaxMb: 20,
        streaming: "partial",
      },
    }),
  },
  {
    name: "as the newer documentation has them, with streaming as an object",
    accounts: 3,
    channels: ({ settings: { telegram, discord, slack } }) => ({
      defaults: { botLoopProtection: { enabled: true } },
      telegram: {
        ...telegram,
        groups: { "*": { requireMention: true } },
        replyToMode: "batched",
        streaming: { mode: "partial", chunkMode: "newline", block: { enabled: false } },
        capabilities: ["inlineButtons"],
        commands: { native: "auto", nativeSkills: false },
        dms: { "123456789": { historyLimit: 3 } },
        dmHistoryLimit: 10,
      },
      discord: {
        ...discord,
        allowBots: "mentions",
        replyToMode: "batched",
        guilds: {
          "123456789012345678": {
            ignoreOtherMentions: true,
            channels: { general: { enabled: true, allowBots: true } },
          },
        },
        streaming: { mode: "progress", chunkMode: "length", progress: { label: "auto" } },
        threadBindings: { enabled: true, idleHours: 24 },
        voice: { enabled: false },
        execApprovals: { enabled: "auto", approvers: ["987654321098765432"] },
        proxy: "http://127.0.0.1:3128",
      },
      slack: {
        ...slack,
        allowBots: "mentions",
        channels: { C456: { enabled: true, requireMention: true, allowBots: false } },
        streaming: { mode: "partial", nativeTransport: true },
        thread: { historyScope: "thread", initialHistoryLimit: 20 },
        unfurlLinks: false,
      },
    }),
  },
  {
    name: "direct messages as older configurations have them, and streaming as a switch",
    accounts: 3,
    channels: ({ settings: { telegram, discord, slack } }) => ({
      telegram: { ...telegram, streaming: true, blockStreaming: false, streamMode: "off" },
      discord: { ...discord, dm: { enabled: true, policy: "pairing", allowFrom: [1234567890] } },
      slack: { ...slack, dm: { enabled: true, policy: "open", allowFrom: ["*"] } },
    }),
  },
  {
    name: "several accounts, one of them off, with bindings and defaults",
    accounts: 2,
    channels: ({ settings: { telegram, discord, slack } }) => ({
      defaults: { groupPolicy: "allowlist", heartbeat: { showOk: false } },
      telegram: {
        apiRoot: telegram.apiRoot,
        defaultAccount: "main",
        accounts: {
          main: { name: "Primary bot", botToken: telegram.botToken },
          off: { enabled: false, botToken: "1:nobody" },
        },
      },
      discord: { enabled: false, ...discord },
      slack: { apiUrl: slack.apiUrl, accounts: { work: slack } },
    }),
  },
];

for (const { name, accounts, env = () => ({}), channels } of FORMS) {
  Deno.test(`a configuration that somebody has, starts as it is: ${name}`, async () => {
    await using fakes = new Fakes();
    const config = {
      gateway: { mode: "local" },
      ...AGENTS,
      bindings: [{ agentId: "main", match: { channel: "telegram", accountId: "main" } }],
      messages: { queue: { mode: "collect", byChannel: { discord: "collect" } } },
      session: { dmScope: "per-channel-peer" },
      channels: channels(fakes),
    };
    const written = JSON.stringify(config);
    await using gateway = await startGateway({ config, env: env(fakes) });
    await using client = await gateway.connect();
    const found = await accountsOnce(client, (all) => {
      const on = Object.values(all).filter(({ enabled }) => enabled);
      return on.length > 0 && on.every(({ connected }) => connected === true);
    });
    const on = Object.values(found).filter(({ enabled }) => enabled);
    strictEqual(on.length, accounts);
    for (const { healthState, lastError } of on) {
      deepStrictEqual([healthState, lastError], ["healthy", null]);
    }
    strictEqual(await Deno.readTextFile(`${gateway.stateDir}/openclaw.json`), written);
  });
}
