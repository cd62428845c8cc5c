import { ok, strictEqual } from "node:assert/strict";
import { sameText, strengthOf } from "./secret.ts";

Deno.test("a secret that stands in examples is none", () => {
  for (
    const secret of [
      "",
      "   ",
      "token",
      "change-me",
      "CHANGE_ME",
      "changeme123",
      "your-token-here",
      "<your token>",
      "${OPENCLAW_GATEWAY_TOKEN}",
      "my secret password",
      "openclaw",
      "123456",
      "0123456789abcdef",
      "qwerty",
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
      "abcabcabcabcabcabcabcabcabcabcabcabcabc",
      "null",
    ]
  ) {
    strictEqual(strengthOf(secret), "placeholder", JSON.stringify(secret));
  }
});

Deno.test("what is short, or has few characters, is weak", () => {
  for (const secret of ["hunter2", "tr0ub4dor&3", "aabbaabbcabbaabbaabb"]) {
    strictEqual(strengthOf(secret), "weak", secret);
  }
});

Deno.test("a password that a person makes up is fair, and what a machine makes is strong", () => {
  strictEqual(strengthOf("correct horse battery"), "fair");
  strictEqual(strengthOf("6f1b0c9a5e7d4f2385b1"), "fair");
  strictEqual(strengthOf("6f1b0c9a5e7d4f2385b16f1b0c9a5e7d"), "strong");
  strictEqual(strengthOf("a sentence that nobody but me has ever written"), "strong");
});

Deno.test("secrets of different lengths can be compared", () => {
  ok(sameText("ä", "ä"));
  ok(!sameText("", "a"));
  ok(!sameText("abc", "abcd"));
});
