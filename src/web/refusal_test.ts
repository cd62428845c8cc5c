import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { judge } from "./refusal.ts";

const refused = (code: string, details: object = {}) => ({
  code: "INVALID_REQUEST",
  message: "unauthorized: something",
  details: { code, ...details },
});

Deno.test("a missing secret is asked for, without a reproach", () => {
  deepStrictEqual(judge(refused("AUTH_TOKEN_MISSING"), undefined), {
    then: "ask",
    secret: "token",
  });
  deepStrictEqual(judge(refused("AUTH_PASSWORD_MISSING"), undefined), {
    then: "ask",
    secret: "password",
  });
});

Deno.test("a wrong secret is asked for again, with the reason", () => {
  for (
    const code of ["AUTH_TOKEN_MISMATCH", "AUTH_PASSWORD_MISMATCH", "AUTH_DEVICE_TOKEN_MISMATCH"]
  ) {
    const verdict = judge(refused(code), "token");
    strictEqual(verdict.then, "ask");
    strictEqual(typeof verdict.problem, "string");
  }
});

Deno.test("whom the tailnet does not vouch for may show the token, and learns why", () => {
  deepStrictEqual(judge(refused("AUTH_TAILSCALE_WHOIS_FAILED"), undefined), {
    then: "ask",
    secret: "token",
    problem: "unauthorized: something",
  });
});

Deno.test("pairing names the request that the owner has to approve", () => {
  deepStrictEqual(
    judge({
      code: "NOT_PAIRED",
      message: "pairing required",
      details: { code: "PAIRING_REQUIRED", requestId: "r-1", reason: "not-paired" },
    }, "token"),
    { then: "pair", requestId: "r-1", why: "The gateway hasn't seen this browser before." },
  );
});

Deno.test("what passes by itself is tried again, when the gateway says", () => {
  deepStrictEqual(
    judge({ code: "UNAVAILABLE", message: "gateway starting", retryAfterMs: 500 }, "token"),
    { then: "retry", why: "The gateway is starting or restarting.", afterMs: 500 },
  );
  strictEqual(judge(refused("AUTH_RATE_LIMITED"), "token").then, "retry");
  strictEqual(judge({ message: "connection closed" }, "token").then, "retry");
});

Deno.test("what needs a person's hand stops the attempts", () => {
  for (
    const code of [
      "CONTROL_UI_ORIGIN_NOT_ALLOWED",
      "PROTOCOL_MISMATCH",
      "DEVICE_AUTH_X",
      "AUTH_UNAUTHORIZED",
      "AUTH_IDENTITY_HEADER_REQUIRED",
    ]
  ) {
    strictEqual(judge(refused(code), "token").then, "stop", code);
  }
  const clock = judge(
    refused("DEVICE_AUTH_SIGNATURE_EXPIRED", { reason: "device-signature-stale" }),
    "token",
  );
  strictEqual(clock.then === "stop" && clock.why.includes("clocks"), true);
});

Deno.test("details of any shape are survived", () => {
  for (const details of [undefined, null, "text", 5, [], { code: 7 }]) {
    strictEqual(judge({ code: "NOT_PAIRED", message: "m", details }, undefined).then, "retry");
  }
});
