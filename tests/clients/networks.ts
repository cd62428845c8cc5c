/** What people do about a messaging network with the released clients: a gateway on a fake Telegram. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { freePort, fromSources, startGateway, TOKEN } from "../../scripts/gateway_process.ts";
import { ANNA, type FakeTelegram, startFakeTelegram } from "../fakes/telegram.ts";
import { type Check, check, jsonOf } from "./checks.ts";
import type { Peers, Protocol } from "./install.ts";
import { Released } from "./released.ts";

/** A network, and the client of a gateway that is on it. */
interface Scene {
  readonly client: Released;
  readonly telegram: FakeTelegram;
}

/** Looking how it is, writing to somebody, and letting somebody in. The gateway is one of its own. */
export function networkChecks(
  protocol: Protocol,
  { peers, folder }: { peers: Peers; folder(): Promise<string> },
): readonly Check[] {
  return [{
    name: "openclaw channels, message and pairing, on Telegram",
    async run() {
      await using telegram = startFakeTelegram();
      const { token: botToken, url: apiRoot } = telegram;
      const home = await folder();
      await Deno.mkdir(`${home}/.openclaw`);
      await Deno.writeTextFile(
        `${home}/.openclaw/openclaw.json`,
        JSON.stringify({
          gateway: { mode: "local" },
          agents: { defaults: { model: { primary: "demo/demo" } } },
          channels: { telegram: { botToken, apiRoot } },
        }),
      );
      const target = { port: freePort(), token: TOKEN };
      await using _gateway = await startGateway(await fromSources(), { home, port: target.port });
      telegram.say("echo before");
      await telegram.until(() => telegram.sent.length === 1);
      const client = new Released(protocol, {
        peers,
        home: await folder(),
        target,
        // the old release shows only networks that it is set up for itself
        config: { gateway: { mode: "local" }, channels: { telegram: { enabled: true, botToken } } },
      });
      await look({ client, telegram });
      await write({ client, telegram });
      if (protocol === 4) await letIn({ client, telegram }); // before it was in files only
    },
  }];
}

async function look({ client, telegram }: Scene): Promise<void> {
  await check(client, {
    args: ["channels", "status", "--probe"],
    expect: ({ stdout }) =>
      match(
        stdout,
        new RegExp(
          `^- Telegram default: .*running, connected, .*${telegram.me.username}.*works$`,
          "m",
        ),
      ),
  });
  await check(client, {
    args: ["channels", "status", "--probe", "--json"],
    expect: (output) => {
      const [account] = jsonOf(output).channelAccounts.telegram;
      deepStrictEqual([account.connected, account.probe.ok], [true, true]);
    },
  });
}

/** The old release speaks to Telegram by itself: through the gateway it is asked to call `send`. */
async function write({ client, telegram }: Scene): Promise<void> {
  const text = "**Hello** from a shell";
  const before = telegram.sent.length;
  const params = {
    channel: "telegram",
    to: String(ANNA.id),
    message: text,
    idempotencyKey: crypto.randomUUID(),
  };
  await check(client, {
    args: client.protocol === 3
      ? ["gateway", "call", "send", "--params", JSON.stringify(params)]
      : ["message", "send", "--channel", "telegram", "--target", params.to, "--message", text],
    expect: () => {},
  });
  const said = telegram.sent.slice(before).map(({ text, chat }) => [text, chat.id]);
  deepStrictEqual(said, [["Hello from a shell", ANNA.id]]);
}

/** Approves the code that a stranger was told, and answers what they say from then on. */
async function letIn({ client, telegram }: Scene): Promise<void> {
  const ask = async (method: string, params: unknown) => {
    const args = ["gateway", "call", method, "--params", JSON.stringify(params)];
    const output = await client.run(args);
    strictEqual(output.code, 0, `${method}: exit code ${output.code}\n${output.stderr}`);
    return jsonOf(output);
  };
  const { requests: [request] } = await ask("channels.pairing.list", { channel: "telegram" });
  ok(telegram.sent[0]?.text?.includes(request.requestId), "nobody was told the code");
  const { channel, accountId, requestId } = request;
  const approved = await ask("channels.pairing.approve", { channel, accountId, requestId });
  strictEqual(approved.senderId, String(ANNA.id));
  telegram.say("echo after");
  await telegram.until(() => telegram.sent.some(({ text }) => text?.endsWith("after")));
}
