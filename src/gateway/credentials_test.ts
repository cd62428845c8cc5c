import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { checkSecret, isGuessable } from "./credentials.ts";

const token = { mode: "token", secret: "s3cret" } as const;
const password = { mode: "password", secret: "s3cret" } as const;

Deno.test("the secret may stand in either field", () => {
  for (const policy of [token, password]) {
    for (const field of ["token", "password"] as const) {
      deepStrictEqual(checkSecret(policy, { [field]: "s3cret" }), { ok: true });
    }
    deepStrictEqual(checkSecret(policy, { token: "wrong", password: "s3cret" }), { ok: true });
    deepStrictEqual(checkSecret(policy, { token: "s3cret", password: "" }), { ok: true });
  }
});

Deno.test("a wrong secret and none are told apart", () => {
  for (const auth of [undefined, {}, { token: "" }, { deviceToken: "s3cret" }]) {
    deepStrictEqual(checkSecret(token, auth), { ok: false, reason: "token_missing" });
    deepStrictEqual(checkSecret(password, auth), { ok: false, reason: "password_missing" });
  }
  for (const wrong of ["s3cre", "s3cret ", "S3CRET"]) {
    deepStrictEqual(checkSecret(token, { token: wrong }), { ok: false, reason: "token_mismatch" });
    deepStrictEqual(checkSecret(password, { password: wrong }), {
      ok: false,
      reason: "password_mismatch",
    });
  }
});

Deno.test("a secret can be guessed unless it is long and mixed, whatever it is called", () => {
  const long = "6f1b0c9a5e7d4f2385b16f1b0c9a5e7d";
  strictEqual(isGuessable({ mode: "none" }), false);
  for (const mode of ["token", "password"] as const) {
    strictEqual(isGuessable({ mode, secret: long }), false);
    strictEqual(isGuessable({ mode, secret: long.slice(1) }), true);
    strictEqual(isGuessable({ mode, secret: "x".repeat(100) }), true);
  }
});
