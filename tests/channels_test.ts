/** Messaging networks from outside: the whole program on fake networks. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import type { ChannelAccountSnapshot } from "../schemas/channels.ts";
import { FakeTelegram } from "./fakes/telegram.ts";
import { accountsOnce, startGateway, type TestClient } from "./gateway.ts";

const TOKEN = "123:secret-of-the-bot";
const AGENTS = { agents: { defaults: { model: { primary: "demo/demo" } } } };

/** Resolves to the account once it is connected. */
async function connected(client: TestClient): Promise<ChannelAccountSnapshot | undefined> {
  const name = "telegram/default";
  return (await accountsOnce(client, (all) => all[name]?.connected === true))[name];
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
  const account = await connected(client);
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
  const found = await accountsOnce(
    client,
    (all) =>
      all["telegram/well"]?.healthState === "healthy" &&
      all["telegram/strict"]?.running === false &&
      all["telegram/noisy"]?.reconnectAttempts !== 0,
  );
  strictEqual(found["telegram/silent"]?.connected, false);
  strictEqual(found["telegram/noisy"]?.connected, false);
  strictEqual(found["telegram/strict"]?.healthState, "dead");
  strictEqual(found["telegram/bare"]?.lastError, "botToken is not set");
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
  await connected(client);
  await telegram.until(() => telegram.sent.length === 1); // how to be let in
  const chatId = String(telegram.sent[0]?.chat.id);
  const params = { to: chatId, message: "**hello**", idempotencyKey: "k1" };
  const answer = await client.request("send", params);
  deepStrictEqual(await client.request("send", params), answer);
  deepStrictEqual([answer.channel, answer.chatId], ["telegram", chatId]);
  strictEqual(telegram.sent[1]?.text, "hello");
  strictEqual(telegram.sent.length, 2);
});

Deno.test("a file that waits for its network is still there after a restart", async () => {
  await using telegram = new FakeTelegram({ token: TOKEN });
  const settings = { botToken: TOKEN, apiRoot: telegram.url, dmPolicy: "open", allowFrom: ["*"] };
  await using first = await startGateway({
    config: { ...AGENTS, channels: { telegram: settings } },
  });
  telegram.say("/status"); // a bot can't write first
  await telegram.until(() => telegram.sent.length === 1);
  telegram.fail("sendDocument", {
    kind: "error",
    code: 429,
    description: "Too Many Requests: retry after 1",
    parameters: { retry_after: 1 },
  });
  {
    await using client = await first.connect();
    await connected(client);
    client.request("send", {
      to: String(telegram.sent[0]?.chat.id),
      message: "what you asked for",
      mediaUrl: `data:application/pdf;base64,${btoa("%PDF-1.7 and so on")}`,
      idempotencyKey: "k1",
    }).catch(() => {}); // the restart cuts it off
    await telegram.until(() =>
      telegram.journal.some((entry) => entry.kind === "called" && entry.method === "sendDocument")
    );
  }
  await using _second = await first.restart();
  telegram.mend();
  await telegram.until(() => telegram.sent.length === 2);
  ok(telegram.sent[1]?.document);
  strictEqual(telegram.sent[1]?.caption, "what you asked for");
});

Deno.test("a network that calls reaches its account, and nobody else does", async () => {
  await using gateway = await startGateway({ config: AGENTS });
  const response = await fetch(`${gateway.http}/webhooks/telegram/default`, { method: "POST" });
  strictEqual(response.status, 404);
  await response.body?.cancel();
});
