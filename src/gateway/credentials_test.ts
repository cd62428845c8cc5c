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

Deno.test("where no secret is wanted, anything will do", () => {
  for (const auth of [undefined, { token: "x" }]) {
    deepStrictEqual(checkSecret({ mode: "none" }, auth), { ok: true });
  }
});

Deno.test("passwords and short tokens can be guessed", () => {
  strictEqual(isGuessable({ mode: "none" }), false);
  strictEqual(isGuessable({ mode: "token", secret: "x".repeat(32) }), false);
  strictEqual(isGuessable({ mode: "token", secret: "x".repeat(31) }), true);
  strictEqual(isGuessable({ mode: "password", secret: "x".repeat(100) }), true);
});
