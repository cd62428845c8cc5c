import { deepStrictEqual, strictEqual } from "node:assert/strict";
import {
  answerWebhook,
  MAX_WEBHOOK_BYTES,
  webhookAccount,
  type WebhookHandler,
} from "./webhook.ts";

const ACCOUNT = { channel: "telegram", accountId: "default" };

/** Answers with what it was given. */
const echo: WebhookHandler = async (request, { channel, accountId }) =>
  Response.json({
    account: `${channel}/${accountId}`,
    method: request.method,
    secret: request.headers.get("x-secret"),
    body: await request.text(),
  });

function call(init: RequestInit = { method: "POST" }): Request {
  return new Request("http://localhost/webhooks/telegram/default", init);
}

Deno.test("the path names the account", () => {
  deepStrictEqual(webhookAccount("/webhooks/telegram/default"), ACCOUNT);
});

Deno.test("the account gets the request as it came, and answers it", async () => {
  const response = await answerWebhook(
    call({ method: "POST", body: "news", headers: { "x-secret": "s" } }),
    ACCOUNT,
    echo,
  );
  deepStrictEqual(await response.json(), {
    account: "telegram/default",
    method: "POST",
    secret: "s",
    body: "news",
  });
  strictEqual((await answerWebhook(call({ method: "GET" }), ACCOUNT, echo)).status, 200);
});

Deno.test("what nobody expects, or is too large, is refused", async () => {
  strictEqual((await answerWebhook(call(), ACCOUNT, () => undefined)).status, 404);
  const large = new Uint8Array(MAX_WEBHOOK_BYTES + 1);
  strictEqual(
    (await answerWebhook(call({ method: "POST", body: large }), ACCOUNT, echo)).status,
    413,
  );
  const stream = new Blob([large]).stream();
  const streamed = await answerWebhook(call({ method: "POST", body: stream }), ACCOUNT, echo);
  strictEqual(streamed.status, 413);
});

Deno.test("an account that fails tells the network to try again", async () => {
  const failing = () => Promise.reject(new Error("bug"));
  strictEqual((await answerWebhook(call(), ACCOUNT, failing)).status, 503);
});
