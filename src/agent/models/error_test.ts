import { ok, strictEqual } from "node:assert/strict";
import type { Endpoint } from "./endpoint.ts";
import { judge, redact, toModelError } from "./error.ts";

const AT: Endpoint = {
  provider: "fake",
  baseUrl: "https://api.example.com/v1?key=in-the-url",
  apiKey: "very-own-key",
  keyHint: "FAKE_API_KEY",
  headers: { "x-secret": "header-secret", authorization: "Bearer behind-bearer" },
  fetch,
};

const SECRETS: readonly (readonly [text: string, clean: string])[] = [
  ["your key very-own-key is old", "your key [redacted] is old"],
  ["header-secret was refused", "[redacted] was refused"],
  ["no user behind-bearer", "no user [redacted]"],
  ["key 'in-the-url' is old", "key '[redacted]' is old"],
  [
    "Incorrect API key provided: sk-proj-ab**********xyz.",
    "Incorrect API key provided: [redacted]",
  ],
  ["got Bearer abcdef123456", "got [redacted]"],
  ["GET https://x.y/z?key=AbC123&alt=sse", "GET https://x.y/z?key=[redacted]&alt=sse"],
  ["AIzaSyA1234567 is no key", "[redacted] is no key"],
  ["Incorrect api_key, see the risk-free docs", "Incorrect api_key, see the risk-free docs"],
];
for (const [text, clean] of SECRETS) {
  Deno.test(`“${clean}” is all that is told`, () => strictEqual(redact(text, AT), clean));
}

Deno.test("a lost connection is named by host, without the URL", () => {
  const thrown = new TypeError(
    "error sending request for url (https://api.example.com/v1?key=in-the-url): client error (Connect): refused (os error 111)",
  );
  const { kind, message } = toModelError(thrown, AT);
  strictEqual(kind, "network");
  strictEqual(message, "Cannot reach fake at api.example.com: client error (Connect): refused");
});

Deno.test("half a key is not told either, where a long text is cut", () => {
  const text = `${"x".repeat(490)} very-own-key`;
  ok(!judge({ status: 500, text }, AT).message.includes("very"));
});

Deno.test("a bug of ours is not mistaken for the network, and keeps its cause", () => {
  const bug = new TypeError("Cannot read properties of undefined");
  const error = toModelError(bug, AT);
  strictEqual(error.kind, "unknown");
  strictEqual(error.cause, bug);
});

Deno.test("an SDK's error, which holds the conversation, is not kept", () => {
  const thrown = Object.assign(new Error("no"), {
    name: "AI_APICallError",
    statusCode: 400,
    requestBodyValues: {},
  });
  strictEqual(toModelError(thrown, AT).cause, undefined);
});

Deno.test("retry-after is read as seconds, milliseconds or a date", () => {
  const wait = (headers: Record<string, string>) =>
    judge({ status: 429, headers, text: "" }, AT).options.retryAfterMs;
  strictEqual(wait({ "retry-after": "2" }), 2_000);
  strictEqual(wait({ "retry-after": "0.5" }), 500);
  strictEqual(wait({ "retry-after-ms": "250", "retry-after": "9" }), 250);
  strictEqual(wait({ "retry-after": "Wed, 21 Oct 2015 07:28:00 GMT" }), 0);
  strictEqual(wait({ "retry-after": "soon" }), undefined);
  strictEqual(wait({}), undefined);
});

Deno.test("a provider that says much is cut short", () => {
  ok(judge({ status: 400, text: "x".repeat(10_000) }, AT).message.length < 600);
});
