import { deepStrictEqual, strictEqual } from "node:assert/strict";
import {
  answerWebhook,
  MAX_WEBHOOK_BYTES,
  type WebhookAccount,
  webhookAccount,
  WebhookBodies,
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

function answer(
  request: Request,
  account: WebhookAccount,
  handle: WebhookHandler,
): Promise<Response> {
  return answerWebhook(request, account, handle, { bodies: new WebhookBodies() });
}

function call(init: RequestInit = { method: "POST" }): Request {
  return new Request("http://localhost/webhooks/telegram/default", init);
}

Deno.test("the path names the account", () => {
  deepStrictEqual(webhookAccount("/webhooks/telegram/default"), ACCOUNT);
});

Deno.test("the account gets the request as it came, and answers it", async () => {
  const response = await answer(
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
  strictEqual((await answer(call({ method: "GET" }), ACCOUNT, echo)).status, 200);
});

Deno.test("what nobody expects, or is too large, is refused", async () => {
  strictEqual((await answer(call(), ACCOUNT, () => undefined)).status, 404);
  const large = new Uint8Array(MAX_WEBHOOK_BYTES + 1);
  strictEqual(
    (await answer(call({ method: "POST", body: large }), ACCOUNT, echo)).status,
    413,
  );
  const stream = new Blob([large]).stream();
  const streamed = await answer(call({ method: "POST", body: stream }), ACCOUNT, echo);
  strictEqual(streamed.status, 413);
});

Deno.test("an account that fails tells the network to try again", async () => {
  const failing = () => Promise.reject(new Error("bug"));
  strictEqual((await answer(call(), ACCOUNT, failing)).status, 503);
});

/** Calls for an account that is not there, whose bodies end when they are told to. */
function slow(bodies: WebhookBodies, answerMs?: number) {
  const { promise: end, resolve: finish } = Promise.withResolvers<void>();
  const body = new ReadableStream({
    async start(controller) {
      controller.enqueue(new Uint8Array(1_000_000));
      await end;
      controller.close();
    },
  });
  const options = answerMs === undefined ? { bodies } : { bodies, answerMs };
  const request = call({ method: "POST", body });
  return { finish, answer: answerWebhook(request, ACCOUNT, () => undefined, options) };
}

Deno.test("a body that does not end is answered in time", async () => {
  strictEqual((await slow(new WebhookBodies(), 1).answer).status, 503);
});

Deno.test("of bodies that do not end only so many are held, the newest", async () => {
  const bodies = new WebhookBodies();
  const calls = Array.from({ length: 40 }, () => slow(bodies));
  strictEqual((await calls[0]?.answer)?.status, 503);
  const last = calls.at(-1);
  last?.finish();
  strictEqual((await last?.answer)?.status, 404);
  for (const { finish } of calls) finish();
  await Promise.all(calls.map(({ answer }) => answer));
});
