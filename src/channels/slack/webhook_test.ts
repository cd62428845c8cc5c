import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { signedRequest } from "../../../tests/fakes/slack.ts";
import { isSigned, readCall } from "./webhook.ts";

const signingSecret = "8f742231b10e8888abcd99yyyzzz85a5";
const TO = { url: "http://gateway.test/webhooks/slack/default", signingSecret };
const BODY = JSON.stringify({ type: "event_callback", event: { type: "message" } });

Deno.test("the signature is the one that Slack documents", () => {
  const body = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&" +
    "channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&" +
    "command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2F" +
    "T1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&" +
    "trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
  const headers = new Headers({
    "x-slack-request-timestamp": "1531420618",
    "x-slack-signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
  });
  ok(isSigned(headers, body, { signingSecret, now: 1_531_420_618_000 }));
  ok(!isSigned(headers, `${body}x`, { signingSecret, now: 1_531_420_618_000 }));
});

Deno.test("a signed request is read, whatever its form", async () => {
  const now = Date.now();
  deepStrictEqual(await readCall(signedRequest(TO, BODY), { signingSecret, now }), {
    kind: "payload",
    payload: JSON.parse(BODY),
  });
  const type = "application/x-www-form-urlencoded";
  const button = new URLSearchParams({ payload: '{"type":"block_actions"}' }).toString();
  deepStrictEqual(await readCall(signedRequest(TO, button, { type }), { signingSecret, now }), {
    kind: "payload",
    payload: { type: "block_actions" },
  });
  const command = new URLSearchParams({ command: "/x", text: "a b" }).toString();
  deepStrictEqual(await readCall(signedRequest(TO, command, { type }), { signingSecret, now }), {
    kind: "payload",
    payload: { command: "/x", text: "a b" },
  });
});

Deno.test("Slack's question whether the address is ours is answered", async () => {
  const body = JSON.stringify({ type: "url_verification", challenge: "3eZbrw1aB" });
  const call = await readCall(signedRequest(TO, body), { signingSecret, now: Date.now() });
  ok(call.kind === "answer");
  strictEqual(call.response.status, 200);
  strictEqual(await call.response.text(), "3eZbrw1aB");
});

Deno.test("what is not Slack's, or not fresh, is refused", async () => {
  const now = Date.now();
  const unsigned = new Request(TO.url, { method: "POST", body: BODY });
  const foreign = signedRequest({ ...TO, signingSecret: "another" }, BODY);
  const old = signedRequest(TO, BODY, { at: now - 6 * 60_000 });
  const early = signedRequest(TO, BODY, { at: now + 6 * 60_000 });
  const signature = signedRequest(TO, BODY).headers.get("x-slack-signature")!;
  const timestamp = String(Math.floor(now / 1000));
  const altered = new Request(TO.url, {
    method: "POST",
    headers: { "x-slack-signature": signature, "x-slack-request-timestamp": timestamp },
    body: `${BODY} `,
  });
  const headers = { "x-slack-request-timestamp": "soon" };
  const timeless = signedRequest(TO, BODY, { headers });
  for (const request of [unsigned, foreign, old, early, altered, timeless]) {
    const call = await readCall(request, { signingSecret, now });
    ok(call.kind === "answer");
    strictEqual(call.response.status, 401);
  }
});

Deno.test("what is no request of Slack's kind is refused", async () => {
  const now = Date.now();
  for (
    const [request, status] of [
      [new Request(TO.url), 405],
      [signedRequest(TO, "x".repeat(1024 * 1024 + 1)), 413],
      [signedRequest(TO, "[1]"), 400],
      [signedRequest(TO, "nonsense"), 400],
    ] as const
  ) {
    const call = await readCall(request, { signingSecret, now });
    ok(call.kind === "answer");
    strictEqual(call.response.status, status);
  }
});
