/** Messaging networks from outside: the whole program on fake networks. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import type { ChannelAccountSnapshot } from "../schemas/channels.ts";
import { FakeTelegram } from "./fakes/telegram.ts";
import { startGateway, type TestClient } from "./gateway.ts";

const TOKEN = "123:secret-of-the-bot";
const AGENTS = { agents: { defaults: { model: { primary: "demo/demo" } } } };

/** How the accounts are, by their ids. */
async function accounts(client: TestClient): Promise<Record<string, ChannelAccountSnapshot>> {
  const { channelAccounts } = await client.request("channels.status", {});
  return Object.fromEntries(
    (channelAccounts.telegram ?? []).map((account) => [account.accountId, account]),
  );
}

/** Resolves once the accounts are so. */
async function until(
  client: TestClient,
  isSo: (accounts: Record<string, ChannelAccountSnapshot>) => boolean,
): Promise<Record<string, ChannelAccountSnapshot>> {
  for (let tries = 0; tries < 1_500; tries++) {
    const found = await accounts(client);
    if (isSo(found)) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`it never is so: ${JSON.stringify(await accounts(client))}`);
}

Deno.test("a message comes in, and its answer goes out, also across a restart", async () => {
  await using telegram = new FakeTelegram({ token: TOKEN });
  const settings = { botToken: TOKEN, apiRoot: telegram.url, dmPolicy: "open", allowFrom: ["*"] };
  await using first = await startGateway({
    config: { ...AGENTS, channels: { telegram: settings } },
  });
  const { updateId } = telegram.say("/status");
  await telegram.until(() => telegram.sent.length === 1);
  match(telegram.sent[0]?.text ?? "", /OpenClaw gateway/);
  await telegram.until(() => telegram.isAcknowledged(updateId));

  await using second = await first.restart();
  telegram.say("/status");
  await telegram.until(() => telegram.sent.length === 2);
  await using client = await second.connect();
  const { default: account } = await until(
    client,
    ({ default: found }) => found?.connected === true,
  );
  ok(account?.lastInboundAt);
  ok(account?.lastOutboundAt);
  deepStrictEqual((await client.request("outbox.list", {})).entries, []);
});

Deno.test("sick accounts beside a well one: it answers, and each says how it is", async () => {
  await using well = new FakeTelegram({ token: TOKEN });
  await using silent = new FakeTelegram({ token: TOKEN });
  await using noisy = new FakeTelegram({ token: TOKEN });
  await using strict = new FakeTelegram({ token: TOKEN });
  silent.line.set("silence");
  noisy.line.set("garbage");
  strict.revoke();
  const account = ({ url }: FakeTelegram) => ({ botToken: TOKEN, apiRoot: url });
  await using gateway = await startGateway({
    config: {
      ...AGENTS,
      channels: {
        telegram: {
          dmPolicy: "open",
          allowFrom: ["*"],
          accounts: {
            well: account(well),
            silent: account(silent),
            noisy: account(noisy),
            strict: account(strict),
            bare: {},
          },
        },
      },
    },
  });
  await using client = await gateway.connect();
  const found = await until(
    client,
    (all) =>
      all.well?.healthState === "healthy" && all.strict?.running === false &&
      all.noisy?.reconnectAttempts !== 0,
  );
  strictEqual(found.silent?.connected, false);
  strictEqual(found.noisy?.connected, false);
  deepStrictEqual([found.strict?.healthState, found.bare?.lastError], [
    "dead",
    "botToken is not set",
  ]);
  well.say("/status");
  await well.until(() => well.sent.length === 1);
});

Deno.test("send goes through the network, once, whatever is asked again", async () => {
  await using telegram = new FakeTelegram({ token: TOKEN });
  await using gateway = await startGateway({
    config: { ...AGENTS, channels: { telegram: { botToken: TOKEN, apiRoot: telegram.url } } },
  });
  telegram.say("/start"); // a bot can't write first
  await using client = await gateway.connect();
  await until(client, ({ default: found }) => found?.connected === true);
  await telegram.until(() => telegram.sent.length === 1); // how to be let in
  const chatId = String(telegram.sent[0]?.chat.id);
  const params = { to: chatId, message: "**hello**", idempotencyKey: "k1" };
  const answer = await client.request("send", params);
  deepStrictEqual(await client.request("send", params), answer);
  deepStrictEqual([answer.channel, answer.chatId], ["telegram", chatId]);
  strictEqual(telegram.sent[1]?.text, "hello");
  strictEqual(telegram.sent.length, 2);
});

Deno.test("a network that calls reaches its account, and nobody else does", async () => {
  await using gateway = await startGateway({ config: AGENTS });
  const response = await fetch(`${gateway.http}/webhooks/telegram/default`, { method: "POST" });
  strictEqual(response.status, 404);
  await response.body?.cancel();
});
