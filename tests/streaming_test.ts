/** Answers that are shown while they are written, from outside: the whole program, fakes of networks. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { fromSources, startGateway as startProcess } from "../scripts/gateway_process.ts";
import { startFakeDiscord } from "./fakes/discord.ts";
import { type FakeModels, fakeModels, type Step } from "./fakes/models.ts";
import { ANNA as SLACK_ANNA, startFakeSlack } from "./fakes/slack.ts";
import { ANNA, type FakeTelegram, startFakeTelegram } from "./fakes/telegram.ts";
import { startGateway } from "./gateway.ts";
import { together } from "./together.ts";

/** What the model says, piece by piece, and what people should see of each. */
const BEGINNING = "It was a dark and **stormy";
const MIDDLE = " night**; the rain fell in";
const END = " torrents.";
const SEEN = ["It was a dark and stormy", "It was a dark and stormy night; the rain fell in"];
const WHOLE = "It was a dark and stormy night; the rain fell in torrents.";

/** A chat of two with us, on whatever network. */
interface Chat extends AsyncDisposable {
  /** What stands under `channels`. */
  readonly channels: Readonly<Record<string, unknown>>;
  /** Somebody writes to us, once we are there. */
  say(text: string): Promise<void>;
  /** What we said, as it is now; without formatting. */
  readonly shown: readonly { readonly id: string; readonly text: string }[];
  /** Resolves once it is so; asked after each thing that happens. */
  until(isSo: () => boolean): Promise<unknown>;
}

const OPEN = { dmPolicy: "open", allowFrom: ["*"], streaming: "partial" };

function telegramChat(telegram: FakeTelegram = startFakeTelegram()): Chat {
  return {
    channels: { telegram: { ...OPEN, apiRoot: telegram.url, botToken: telegram.token } },
    say: (text) => Promise.resolve(void telegram.say(text)),
    get shown() {
      return telegram.shown(ANNA.id).map(({ message_id: id, text = "" }) => ({
        id: String(id),
        text,
      }));
    },
    until: (isSo) => telegram.until(isSo),
    [Symbol.asyncDispose]: () => telegram[Symbol.asyncDispose](),
  };
}

function discordChat(): Chat {
  const discord = startFakeDiscord();
  const anna = discord.world.addUser("anna");
  const chat = discord.world.direct(anna);
  return {
    channels: { discord: { ...OPEN, apiRoot: discord.apiRoot, token: discord.token } },
    async say(text) {
      await discord.until(() => discord.gateway.sessions > 0);
      discord.say(anna, text);
    },
    get shown() {
      return discord.world.said(chat.id).filter(({ author }) => author.id !== anna.id)
        .map(({ id, content }) => ({ id, text: content.replaceAll("*", "") }));
    },
    until: (isSo) => discord.until(isSo),
    [Symbol.asyncDispose]: () => discord[Symbol.asyncDispose](),
  };
}

function slackChat(): Chat {
  const slack = startFakeSlack();
  const { apiUrl, botToken, appToken, world } = slack;
  const { id: chatId } = world.direct(SLACK_ANNA.id);
  return {
    channels: { slack: { ...OPEN, apiUrl, botToken, appToken } },
    async say(text) {
      await slack.connected();
      slack.say(text);
    },
    get shown() {
      return (world.messages.get(chatId) ?? []).filter(({ user }) => user === world.me.id)
        .map(({ ts, text }) => ({ id: ts, text: text.replaceAll("*", "") }));
    },
    until: (isSo) => slack.until(isSo),
    [Symbol.asyncDispose]: () => slack[Symbol.asyncDispose](),
  };
}

function configOf({ channels }: Chat, models: FakeModels) {
  return {
    agents: { defaults: { model: { primary: "slow/one" } } },
    models: {
      providers: {
        slow: {
          baseUrl: `${models.url}/v1`,
          api: "openai-completions",
          apiKey: "none",
          models: [{ id: "one" }],
        },
      },
    },
    channels,
  };
}

together("an answer is shown while it is written, and is one message in the end", {
  telegram: () => isShownWhileWritten(telegramChat),
  discord: () => isShownWhileWritten(discordChat),
  slack: () => isShownWhileWritten(slackChat),
});

together("an answer that is cut becomes one message in the end", {
  "telegram, by a restart": () => outlivesRestart(telegramChat),
  "discord, by a restart": () => outlivesRestart(discordChat),
  "slack, by a restart": () => outlivesRestart(slackChat),
  "telegram, by a kill": () => outlivesKill(telegramChat),
});

async function isShownWhileWritten(create: () => Chat): Promise<void> {
  await using chat = create();
  await using models = fakeModels();
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  models.script({
    steps: [
      { text: BEGINNING },
      { wait: gates[0]!.promise },
      { text: MIDDLE },
      { wait: gates[1]!.promise },
      { text: END },
    ],
  });
  await using _gateway = await startGateway({ config: configOf(chat, models) });
  await chat.say("Tell me a story");
  for (const [i, text] of SEEN.entries()) {
    await chat.until(() => chat.shown[0]?.text === text);
    gates[i]!.resolve();
  }
  const [{ id } = { id: "" }] = chat.shown;
  await chat.until(() => chat.shown[0]?.text === WHOLE);
  deepStrictEqual(chat.shown, [{ id, text: WHOLE }]);
}

async function outlivesRestart(create: () => Chat): Promise<void> {
  await using chat = create();
  await using models = fakeModels();
  models.script({ steps: [{ text: BEGINNING }, { hang: true }] });
  await using first = await startGateway({ config: configOf(chat, models) });
  await chat.say("Tell me a story");
  await chat.until(() => chat.shown[0]?.text === SEEN[0]);
  const [{ id } = { id: "" }] = chat.shown;
  models.script({ steps: [{ text: BEGINNING + MIDDLE + END }] });
  await using _second = await first.restart();
  await chat.until(() => chat.shown[0]?.text === WHOLE);
  deepStrictEqual(chat.shown, [{ id, text: WHOLE }]);
}

async function outlivesKill(create: () => Chat): Promise<void> {
  await using chat = create();
  await using models = fakeModels();
  const home = await Deno.makeTempDir({ prefix: "openclaw-streaming-" });
  try {
    const start = await fromSources();
    const env = { ...start.env, OPENCLAW_DISABLE_BONJOUR: "1" };
    await Deno.mkdir(`${home}/.openclaw`);
    const config = JSON.stringify(configOf(chat, models));
    await Deno.writeTextFile(`${home}/.openclaw/openclaw.json`, config);
    const gate = Promise.withResolvers<void>();
    models.script({
      steps: [{ text: BEGINNING }, { wait: gate.promise }, { text: MIDDLE }, { hang: true }],
    });
    {
      await using gateway = await startProcess({ ...start, env }, { home });
      await chat.say("Tell me a story");
      for (const text of SEEN) {
        await chat.until(() => chat.shown[0]?.text === text);
        gate.resolve();
      }
      await gateway.end("SIGKILL"); // it knows that the message is there: it has edited it
    }
    const [{ id } = { id: "" }] = chat.shown;
    models.script({ steps: [{ text: BEGINNING + MIDDLE + END }] });
    await using _again = await startProcess({ ...start, env }, { home });
    await chat.until(() => chat.shown[0]?.text === WHOLE);
    deepStrictEqual(chat.shown, [{ id, text: WHOLE }]);
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

Deno.test("edits keep the network's pace, and wait where it says so", async () => {
  const telegram = startFakeTelegram();
  await using chat = telegramChat(telegram);
  await using models = fakeModels();
  const words = Array.from({ length: 400 }, (_, i) => `word${i}`);
  const gates = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
  const steps = gates.flatMap(({ promise }, i): readonly Step[] => [
    { wait: promise },
    { text: words.slice(i * 80, (i + 1) * 80).map((word) => `${word} `).join("") },
  ]);
  models.script({ steps });
  const goesOn = () => gates.shift()?.resolve();
  goesOn();
  await using _gateway = await startGateway({ config: configOf(chat, models) });
  await chat.say("Count");
  const edits = () =>
    telegram.journal.flatMap((entry) =>
      entry.kind === "called" && entry.method === "editMessageText" ? entry.at : []
    );
  // There is more to show as soon as something was shown: only the pace holds it up.
  await telegram.until(() => chat.shown.length === 1);
  goesOn();
  await telegram.until(() => edits().length === 1);
  goesOn();
  await telegram.until(() => edits().length === 2);
  telegram.fail("editMessageText", {
    kind: "error",
    code: 429,
    description: "Too Many Requests: retry after 2",
    parameters: { retry_after: 2 },
  }, 1);
  goesOn();
  await telegram.until(() => edits().length === 4);
  const [first = 0, second = 0, limited = 0, fourth = 0] = edits();
  goesOn();
  const whole = words.join(" ");
  await chat.until(() => chat.shown[0]?.text === whole);
  strictEqual(chat.shown.length, 1);
  strictEqual(telegram.calls("sendMessage").length, 1);
  // a timer is never early, but the clock that tells the time is another one
  ok(second - first > 990 && limited - second > 990, "one edit in a second");
  ok(fourth - limited > 1_990, "none before the network wants it");
  match(String(telegram.calls("sendMessage")[0]?.text), /^word0 word1 /);
});

Deno.test("without the owner's wish an answer is sent once, when it is whole", async () => {
  const telegram = startFakeTelegram();
  const { channels, ...chat } = telegramChat(telegram);
  await using _ = telegram;
  await using models = fakeModels();
  models.script({ steps: [{ text: BEGINNING + MIDDLE + END }] });
  const { streaming: _streaming, ...account } = Object(channels.telegram);
  const config = configOf({ ...chat, channels: { telegram: account } }, models);
  await using _gateway = await startGateway({ config });
  telegram.say("Tell me a story");
  strictEqual((await telegram.until(() => telegram.sent[0])).text, WHOLE);
  deepStrictEqual(telegram.calls("editMessageText"), []);
});
