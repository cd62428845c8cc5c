/** What people do about messaging networks with the released clients: a gateway on a fake of each. */
import { match, ok, strictEqual } from "node:assert/strict";
import { freePort, fromSources, startGateway, TOKEN } from "../../scripts/gateway_process.ts";
import { startFakeDiscord } from "../fakes/discord.ts";
import { ANNA as SLACK_ANNA, startFakeSlack } from "../fakes/slack.ts";
import { ANNA as TELEGRAM_ANNA, startFakeTelegram } from "../fakes/telegram.ts";
import { type Check, check, jsonOf } from "./checks.ts";
import type { Peers, Protocol } from "./install.ts";
import { Released } from "./released.ts";

/** A network with somebody on it whom the gateway does not know. */
interface Network {
  readonly channel: string;
  readonly label: string;
  /** How it is reached, and who we are there. */
  readonly settings: Readonly<Record<string, string>>;
  /** What we are called there. */
  readonly username: string;
  /** The somebody. */
  readonly senderId: string;
  /** Bold, as it appears there. */
  readonly hello: string;
  say(text: string): void;
  /** All that was said to them. */
  heard(): readonly string[];
  /** Resolves when `isSo`; asked after each change. */
  until(isSo: () => boolean): Promise<unknown>;
}

/** Looking how they are, writing to somebody, letting somebody in. The gateway is one of its own. */
export function networkChecks(
  protocol: Protocol,
  { peers, folder }: { peers: Peers; folder(): Promise<string> },
): readonly Check[] {
  return [{
    name: "openclaw channels, message and pairing, on Telegram, Discord and Slack",
    async run() {
      await using telegram = openTelegram();
      await using discord = openDiscord();
      await using slack = openSlack();
      const networks = [telegram, discord, slack];
      const home = await folder();
      await Deno.mkdir(`${home}/.openclaw`);
      await Deno.writeTextFile(
        `${home}/.openclaw/openclaw.json`,
        JSON.stringify({
          gateway: { mode: "local" },
          agents: { defaults: { model: { primary: "demo/demo" } } },
          channels: Object.fromEntries(
            networks.map(({ channel, settings }) => [channel, settings]),
          ),
        }),
      );
      const target = { port: freePort(), token: TOKEN };
      await using _gateway = await startGateway(await fromSources(), { home, port: target.port });
      const client = new Released(protocol, {
        peers,
        home: await folder(),
        target,
        config: { gateway: { mode: "local" }, channels: ownChannels(protocol, networks) },
      });
      for (const { say, heard, until } of networks) {
        say("echo before");
        await until(() => heard().length === 1);
      }
      await look(client, networks);
      for (const network of networks) await write(client, network);
      if (protocol === 4) await letIn(client, networks);
    },
  }];
}

/**
 * What the client itself is set up for. The old release shows no other network. The new one looks
 * for a package of each but Telegram, minutes long.
 */
function ownChannels(protocol: Protocol, networks: readonly Network[]) {
  const own = protocol === 3 ? networks : networks.slice(0, 1);
  return Object.fromEntries(own.map(({ channel, settings: { token, botToken, appToken } }) => {
    return [channel, { enabled: true, token, botToken, appToken }];
  }));
}

async function look(client: Released, networks: readonly Network[]): Promise<void> {
  await check(client, {
    args: ["channels", "status", "--probe"],
    expect: ({ stdout }) => {
      for (const { label, username } of networks) {
        const line = `^- ${label} default: .*running, connected, .*bot:@${username}, .*works$`;
        match(stdout, new RegExp(line, "m"));
      }
    },
  });
}

/**
 * To Telegram the new release writes through the gateway. In all other cases a release speaks to the
 * network by itself; there it is asked to call `send`.
 */
async function write(client: Released, { channel, ...network }: Network): Promise<void> {
  const message = "**Hello** from a shell";
  const to = `user:${network.senderId}`;
  const idempotencyKey = crypto.randomUUID();
  await check(client, {
    args: client.protocol === 4 && channel === "telegram"
      ? [
        "message",
        "send",
        "--channel",
        channel,
        "--target",
        network.senderId,
        "--message",
        message,
      ]
      : call("send", { channel, to, message, idempotencyKey }),
    expect: () => {},
  });
  strictEqual(network.heard().at(-1), network.hello);
}

/**
 * Approves the codes that strangers were told, and answers what they say from then on. In both
 * releases `openclaw pairing` looks into its own files and asks no gateway; the old one has no other
 * way, the new one can call the gateway.
 */
async function letIn(client: Released, networks: readonly Network[]): Promise<void> {
  const ask = async (method: string, params: unknown) => {
    const output = await client.run(call(method, params));
    strictEqual(output.code, 0, `${method}: exit code ${output.code}\n${output.stderr}`);
    return jsonOf(output);
  };
  const { requests }: { requests: Request[] } = await ask("channels.pairing.list", {});
  for (const { channel, senderId, say, heard, until } of networks) {
    const request = requests.find((request) => request.channel === channel);
    ok(request, `nobody waits on ${channel}`);
    const { accountId, requestId } = request;
    ok(heard()[0]?.includes(requestId), `nobody was told the code on ${channel}`);
    const approved = await ask("channels.pairing.approve", { channel, accountId, requestId });
    strictEqual(approved.senderId, senderId);
    say("echo after");
    await until(() => heard().some((text) => text.endsWith("after")));
  }
}

interface Request {
  readonly channel: string;
  readonly accountId: string;
  readonly requestId: string;
}

function call(method: string, params: unknown): readonly string[] {
  return ["gateway", "call", method, "--params", JSON.stringify(params)];
}

function openTelegram(): Network & AsyncDisposable {
  const fake = startFakeTelegram();
  return {
    channel: "telegram",
    label: "Telegram",
    settings: { botToken: fake.token, apiRoot: fake.url },
    username: fake.me.username ?? "",
    senderId: String(TELEGRAM_ANNA.id),
    hello: "Hello from a shell", // what is bold in it, stands beside the text
    say: (text) => void fake.say(text),
    heard: () => fake.sent.map(({ text }) => text ?? ""),
    until: (isSo) => fake.until(isSo),
    [Symbol.asyncDispose]: () => fake[Symbol.asyncDispose](),
  };
}

function openDiscord(): Network & AsyncDisposable {
  const fake = startFakeDiscord();
  const anna = fake.world.addUser("anna");
  return {
    channel: "discord",
    label: "Discord",
    settings: { token: fake.token, apiRoot: fake.apiRoot },
    username: fake.world.self.username,
    senderId: anna.id,
    hello: "**Hello** from a shell",
    say: (text) => void fake.say(anna, text),
    heard: () => fake.sent.map(({ content }) => content),
    until: (isSo) => fake.until(isSo),
    [Symbol.asyncDispose]: () => fake[Symbol.asyncDispose](),
  };
}

function openSlack(): Network & AsyncDisposable {
  const fake = startFakeSlack();
  const { botToken, appToken } = fake;
  return {
    channel: "slack",
    label: "Slack",
    settings: { botToken, appToken, apiUrl: fake.apiUrl },
    username: fake.world.me.name,
    senderId: SLACK_ANNA.id,
    hello: "*Hello* from a shell",
    say: (text) => void fake.say(text),
    heard: () => fake.sent.map(({ text }) => text),
    until: (isSo) => fake.until(isSo),
    [Symbol.asyncDispose]: () => fake[Symbol.asyncDispose](),
  };
}
