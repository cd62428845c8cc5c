import { ok, strictEqual } from "node:assert/strict";
import { Secrets } from "./secrets.ts";

Deno.test("what a configuration and an environment hold as secrets is hidden everywhere", () => {
  const secrets = new Secrets();
  secrets.learn({
    config: {
      gateway: { auth: { token: "plain words here" }, port: 18789 },
      models: {
        providers: { x: { apiKey: "key-0123456789", headers: { "x-a": "header-value" } } },
      },
    },
    env: { OPENAI_API_KEY: "env-key-012345", HOME: "/home/ada-lovelace" },
  });
  const text = "plain words here, key-0123456789, header-value, env-key-012345, /home/ada-lovelace";
  strictEqual(secrets.hide(text), "***, ***, ***, ***, /home/ada-lovelace");
});

Deno.test("a secret is hidden however it is spelled", () => {
  const secrets = new Secrets();
  const secret = 'quo"te\\and/slash';
  secrets.add(secret);
  for (const spelled of [secret, JSON.stringify({ secret }), encodeURIComponent(secret)]) {
    ok(!/quo|slash/.test(secrets.hide(`<${spelled}>`)), spelled);
  }
});

Deno.test("the secret of a header is hidden without its scheme too", () => {
  const secrets = new Secrets();
  secrets.learn({ config: { headers: { authorization: "Bearer behind-bearer" } } });
  strictEqual(secrets.hide("no user behind-bearer"), "no user ***");
});

Deno.test("of two secrets that begin alike nothing is left", () => {
  const secrets = new Secrets();
  secrets.add("longsecret");
  secrets.add("longsecret-and-more");
  strictEqual(secrets.hide("longsecret-and-more longsecret"), "*** ***");
});

Deno.test("what is too short to be told from a word stays", () => {
  const secrets = new Secrets();
  secrets.learn({ env: { MY_KEY: "on", MY_TOKEN: "" } });
  strictEqual(secrets.hide("connection on"), "connection on");
});
