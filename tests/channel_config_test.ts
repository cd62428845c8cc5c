/** What people have set for their networks means what it always meant, through the whole program. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { startFakeDiscord } from "./fakes/discord.ts";
import { ANNA, startFakeSlack } from "./fakes/slack.ts";
import { ANNA as TELEGRAM_ANNA, startFakeTelegram } from "./fakes/telegram.ts";
import { startGateway, type TestGateway } from "./gateway.ts";
import { together } from "./together.ts";

const AGENTS = { agents: { defaults: { model: { primary: "demo/demo" } } } };

function gatewayOf(channels: unknown, config: unknown = {}): Promise<TestGateway> {
  return startGateway({ config: { ...AGENTS, ...config as object, channels } });
}

/** The settings that a gateway has named as having no effect. */
function namedBy({ printed }: TestGateway): readonly string[] {
  return printed.flatMap((line) => {
    const [, names] = /Settings that have no effect in this version: (.*)/.exec(line) ?? [];
    return names === undefined ? [] : [names];
  });
}

/**
 * Why messages were skipped, in all. They come in order, and are skipped as they come: it is told of
 * each that was written before one that has its answer.
 */
async function skipped(gateway: TestGateway, channel: string) {
  await using client = await gateway.connect();
  const { channelAccounts } = await client.request("channels.status", {});
  return channelAccounts[channel]?.[0]?.messages?.skipped;
}

together("settings of networks mean what they always meant", {
  async "Discord: rooms by their names, and machines that mention us"() {
    await using discord = startFakeDiscord();
    const { world } = discord;
    const guild = world.addGuild("Friends");
    const [talk, help, other] = ["small-talk", "help", "other"].map((name) =>
      world.addChannel(guild, name)
    );
    ok(talk && help && other);
    await using gateway = await gatewayOf({
      discord: {
        token: discord.token,
        apiRoot: discord.apiRoot,
        allowBots: "mentions",
        dangerouslyAllowNameMatching: true,
        guilds: {
          [guild.id]: {
            slug: "friends",
            requireMention: false,
            channels: {
              "small-talk": { allow: true },
              help: { allow: true, requireMention: true, skills: ["docs"] },
            },
          },
        },
      },
    });
    await discord.connected();
    const ann = world.addUser("ann");
    const machine = world.addUser("machine", { bot: true });
    world.post(other, ann, "echo nowhere");
    world.post(help, ann, "echo not asked");
    world.post(talk, machine, "echo a machine");
    world.post(talk, machine, `<@${world.self.id}> echo a machine that means us`);
    match((await discord.until(() => discord.sent[0])).content, /a machine that means us/);
    world.post(talk, ann, "echo Ann");
    match((await discord.until(() => discord.sent[1])).content, /echo Ann/);
    deepStrictEqual(discord.sent.map(({ channel_id }) => channel_id), [talk.id, talk.id]);
    deepStrictEqual(await skipped(gateway, "discord"), {
      "group-not-listed": 1,
      "not-addressed": 1,
      "bot": 1,
    });
    deepStrictEqual(namedBy(gateway), ["guilds.*.slug, guilds.*.channels.*.skills"]);

    // In a thread the room counts, not what somebody has called the thread.
    const thread = world.addChannel(guild, "small-talk", { type: 11, parent: other });
    world.post(thread, ann, "echo aside");
    world.post(talk, ann, "echo Ann again");
    await discord.until(() => discord.sent[2]);
    strictEqual((await skipped(gateway, "discord"))?.["group-not-listed"], 2);
  },

  async "Slack: rooms by their names, and direct messages as older configurations have them"() {
    await using slack = startFakeSlack();
    const { botToken, appToken, apiUrl } = slack;
    slack.addChannel({ id: "C0GENERAL", kind: "channel", name: "general", isMember: true });
    slack.addChannel({ id: "C0RANDOM", kind: "channel", name: "random", isMember: true });
    await using gateway = await gatewayOf({
      slack: {
        botToken,
        appToken,
        apiUrl,
        dangerouslyAllowNameMatching: true,
        dm: { enabled: true, policy: "allowlist", allowFrom: [ANNA.id] },
        channels: { "#general": { allow: true, requireMention: false, allowBots: "mentions" } },
        replyToMode: "off",
        retry: { attempts: 3 },
        webhookPath: "/slack/events",
      },
    });
    await slack.connected();
    slack.say("echo nowhere", { channel: "C0RANDOM" });
    slack.say("echo not me", { user: "U0STRANGER" });
    slack.say("echo alone");
    match((await slack.until(() => slack.sent[0])).text, /alone/);
    deepStrictEqual(await skipped(gateway, "slack"), { "group-not-listed": 1, "dm-not-listed": 1 });
    slack.say("echo in the room", { channel: "C0GENERAL" });
    match((await slack.until(() => slack.sent[1])).text, /in the room/);
    deepStrictEqual(namedBy(gateway), ["retry, webhookPath"]);
  },

  async "Telegram: a token in a file, the menu, answers that name what they answer"() {
    await using telegram = startFakeTelegram();
    const tokenFile = await Deno.makeTempFile();
    try {
      await Deno.writeTextFile(tokenFile, `${telegram.token}\n`);
      await using gateway = await gatewayOf({
        telegram: {
          tokenFile,
          apiRoot: telegram.url,
          dmPolicy: "allowlist",
          allowFrom: [`tg:${TELEGRAM_ANNA.id}`],
          replyToMode: "first",
          streaming: { mode: "sideways", chunkMode: "newline" },
          commands: { native: false },
          customCommands: [{ command: "backup", description: "Git backup" }],
          capabilities: { inlineButtons: "allowlist" },
          actions: { reactions: true, sendMessage: true },
          retry: { attempts: 3, minDelayMs: 400, maxDelayMs: 30_000, jitter: 0.1 },
          historyLimit: 50,
          mediaMaxMb: 5,
          webhookPath: "/telegram-webhook",
        },
      });
      await telegram.until(() => telegram.commands.length > 0);
      deepStrictEqual(telegram.commands, [{ command: "backup", description: "Git backup" }]);
      const asked = telegram.say("echo one\n\ntwo");
      await telegram.until(() => telegram.sent.at(-1)?.text?.endsWith("two"));
      const { message_id: answered } = Object(telegram.sent[0]?.reply_to_message);
      strictEqual(answered, asked.messageId);
      deepStrictEqual(namedBy(gateway), [
        "streaming.mode, capabilities, actions, retry, webhookPath",
      ]);
    } finally {
      await Deno.remove(tokenFile);
    }
  },

  async "commands.native: false offers no menu, unless an account says otherwise"() {
    await using telegram = startFakeTelegram();
    await using own = startFakeTelegram();
    const custom = { customCommands: [{ command: "backup", description: "Git backup" }] };
    await using _gateway = await gatewayOf({
      telegram: {
        ...custom,
        accounts: {
          common: { botToken: telegram.token, apiRoot: telegram.url },
          own: { botToken: own.token, apiRoot: own.url, commands: { native: true } },
        },
      },
    }, { commands: { native: false } });
    await telegram.until(() => telegram.commands.length > 0);
    await own.until(() => own.commands.length > 0);
    deepStrictEqual(telegram.commands.map(({ command }) => command), ["backup"]);
    ok(own.commands.some(({ command }) => command === "status"));
  },
});
