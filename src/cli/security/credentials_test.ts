import { deepStrictEqual, ok } from "node:assert/strict";
import { credentialFindings, shownSecrets } from "./credentials.ts";

const GOOD = "4f1c9a7be02d6835c1f7a90e4b6d2385";

Deno.test("the secrets that clients show come from configuration and environment", () => {
  const config = {
    gateway: { auth: { token: "${GATEWAY}", password: "p" } },
    hooks: { token: "h" },
    channels: { telegram: { botToken: "b" } },
  };
  deepStrictEqual(shownSecrets(config, { GATEWAY: "from outside", OPENCLAW_GATEWAY_TOKEN: "e" }), [
    { path: "gateway.auth.token", secret: "from outside" },
    { path: "OPENCLAW_GATEWAY_TOKEN", secret: "e" },
    { path: "gateway.auth.password", secret: "p" },
    { path: "hooks.token", secret: "h" },
  ]);
});

Deno.test("a weak secret is found, and never printed", () => {
  const findings = [...credentialFindings({
    shown: [
      { path: "gateway.auth.token", secret: "changeme" },
      { path: "gateway.auth.password", secret: "butterfly" },
      { path: "hooks.token", secret: "kG7-pQ2_xZ9a" },
      { path: "OPENCLAW_GATEWAY_TOKEN", secret: GOOD },
    ],
    all: [],
  })];
  deepStrictEqual(findings.map(({ severity, checkId }) => `${severity} ${checkId}`), [
    "critical credentials.guessable",
    "critical credentials.weak",
    "info credentials.fair",
  ]);
  ok(!/changeme|butterfly|kG7/.test(JSON.stringify(findings)));
});

Deno.test("one secret for two doors is found; the same one by two ways is not", () => {
  const token = { path: "gateway.auth.token", secret: GOOD };
  const ids = (shown: typeof token[], all: typeof token[]) =>
    [...credentialFindings({ shown, all })].map(({ checkId }) => checkId);
  deepStrictEqual(ids([token, { path: "OPENCLAW_GATEWAY_TOKEN", secret: GOOD }], [token]), [
    "config.secrets_plaintext",
  ]);
  deepStrictEqual(ids([token, { path: "hooks.token", secret: GOOD }], []), [
    "hooks.token_reuse_gateway_token",
  ]);
  deepStrictEqual(ids([token], [{ path: "channels.x.botToken", secret: GOOD }]), [
    "credentials.reused",
    "config.secrets_plaintext",
  ]);
  const keys = [{ path: "a.apiKey", secret: "k" }, { path: "b.apiKey", secret: "k" }];
  deepStrictEqual(ids([token], keys), ["config.secrets_plaintext"]);
});
