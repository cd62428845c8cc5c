/** Where somebody comes from is what the socket and a proven proxy say, never what a header says. */
import { deepStrictEqual, match, rejects, strictEqual } from "node:assert/strict";
import { createDeviceKey } from "../../src/client/identity.ts";
import { TOKEN } from "../gateway.ts";
import { RawClient } from "../raw_client.ts";
import { besiege, knock, proofBy, wordOf } from "./attacker.ts";

const NAME = "chat.example.com";
const PROOF = "what-only-the-proxy-knows-0123456789";
const PEOPLE = {
  gateway: {
    trustedProxies: ["127.0.0.1"],
    controlUi: { allowedOrigins: [`https://${NAME}`, "null"] },
    auth: {
      mode: "trusted-proxy",
      trustedProxy: { userHeader: "x-user", secret: PROOF, allowUsers: ["ada"] },
    },
  },
  agents: { defaults: { model: { primary: "demo/demo" } } },
};

/** By which somebody might pass for another, or for nobody in between. */
const FORGERIES: readonly Record<string, string>[] = [
  { "X-Forwarded-For": "127.0.0.1" },
  { "X-Forwarded-For": "127.0.0.1, 127.0.0.1" },
  { "X-Forwarded-For": "::ffff:127.0.0.1" },
  { "X-Real-IP": "::1" },
  { Forwarded: "for=127.0.0.1;host=localhost;proto=https" },
  { Via: "1.1 localhost" },
  { "X-Forwarded-User": "ada", "X-User": "ada" },
  { "Remote-User": "ada" },
  { "X-Auth-Request-Email": "ada@example.com" },
  { "Tailscale-User-Login": "ada@example.com", "Tailscale-User-Name": "Ada" },
  { "CF-Connecting-IP": "127.0.0.1" },
  { "X-OpenClaw-Proxy-Secret": "", "X-User": "ada", "X-Forwarded-For": "127.0.0.1" },
  { "X-OpenClaw-Proxy-Secret": "guessed", "X-User": "ada", "X-Forwarded-For": "127.0.0.1" },
];

for (
  const [what, options] of [
    ["no proxy is configured", {}],
    ["a proxy is configured", { config: PEOPLE }],
  ] as const
) {
  Deno.test(`where ${what}, a forged header makes nobody somebody, and nobody the owner`, async () => {
    await using besieged = await besiege(options);
    const { url } = besieged.gateway;
    for (const headers of FORGERIES) {
      await besieged.withstands(async () => {
        const answer = await knock(url, () => ({ auth: {} }), headers);
        strictEqual(answer.ok, false, JSON.stringify(headers));
        match(wordOf(answer), /^AUTH_/);
      }, ({ action, allowed }) => action === "connect" && !allowed);
      // Nor is a new device approved for them, as it would be for the owner on this machine.
      const key = createDeviceKey();
      const scopes = ["operator.admin"];
      const answer = await knock(url, async (nonce) => ({
        scopes,
        device: await proofBy(key, { nonce, scopes }),
      }), headers);
      match(wordOf(answer), /^(PAIRING_REQUIRED|AUTH_UNAUTHORIZED)$/, JSON.stringify(headers));
    }
    const { paired } = await besieged.owner.request("device.pair.list", {});
    deepStrictEqual(paired, []);
  });
}

Deno.test("a proxy that proved itself brings whom it names, and whoever else looks like it nobody", async () => {
  await using besieged = await besiege({ config: PEOPLE });
  const { url } = besieged.gateway;
  const proven = {
    Host: NAME,
    "X-OpenClaw-Proxy-Secret": PROOF,
    "X-Forwarded-For": "203.0.113.9",
    "X-Forwarded-Proto": "https",
    "X-User": "ada",
  };
  const come = (change: Record<string, string>) =>
    knock(url, () => ({ auth: {} }), { ...proven, ...change }).then(wordOf, String);
  strictEqual(await come({}), "trusted-proxy []");
  const { host } = new URL(url);
  const unknown: readonly Record<string, string>[] = [
    { "X-User": "eve" },
    { "X-User": "ada, eve" },
    { "X-User": "ada\r\nX-User: eve" },
    { "X-User": "" },
    { "X-User": "Ada" },
    { "X-OpenClaw-Proxy-Secret": `${PROOF}x`, Host: host },
    { "X-OpenClaw-Proxy-Secret": `${PROOF}\r\nX-OpenClaw-Proxy-Secret: x`, Host: host },
  ];
  for (const change of unknown) {
    await besieged.withstands(async () => {
      strictEqual(await come(change), "AUTH_UNAUTHORIZED", JSON.stringify(change));
    }, ({ reason, allowed }) => reason === "AUTH_UNAUTHORIZED" && !allowed);
  }
  const impossible: readonly Record<string, string>[] = [
    { Host: "evil.example" },
    { Host: host },
    { "X-Forwarded-Host": "evil.example" },
    { "X-Forwarded-For": "" },
    { "X-Forwarded-For": "203.0.113.9, evil" },
    { "X-Forwarded-Proto": "gopher" },
    { Origin: "null" },
    { Origin: `http://${NAME}` },
    { Origin: `https://${NAME}.evil.example` },
  ];
  for (const change of impossible) {
    await besieged.withstands(async () => {
      match(await come(change), /403 Forbidden.*not allowed/, JSON.stringify(change));
    }, ({ action, allowed }) => action === "GET /" && !allowed);
  }
});

Deno.test("a page of another site changes nothing, and its attempt is written down", async () => {
  await using besieged = await besiege({
    config: { ...PEOPLE, gateway: { controlUi: { allowedOrigins: ["null", "*"] } } },
  });
  const { url } = besieged.gateway;
  const { host, port } = new URL(url);
  const origins = [
    ...[
      "null",
      "*",
      "https://evil.example",
      `http://${host}.evil.example`,
      "http://localhost.evil",
    ],
    ...[
      `http://evil.example#${host}`,
      `http://${host}@evil.example`,
      `http://evil.example:${port}`,
    ],
    ...[
      `http://127.0.0.1.nip.io:${port}`,
      `file://${host}`,
      "chrome-extension://abcdef",
      "http://",
    ],
    ...[`http://${host}\r\nOrigin: https://evil.example`, `http://${host} https://evil.example`],
  ];
  for (const Origin of origins) {
    await besieged.withstands(
      () => rejects(RawClient.open(url, { Origin }), /403 Forbidden: .*origin not allowed/),
      ({ action, allowed, reason }) =>
        action === "GET /" && !allowed && /^origin not allowed/.test(reason ?? ""),
    );
  }
  for (
    const Host of ["evil.example", `127.0.0.1.nip.io:${port}`, "0.0.0.0", "[::]"]
  ) {
    await besieged.withstands(
      () => rejects(RawClient.open(url, { Host, Origin: `http://${Host}` }), /403 Forbidden/),
      ({ reason, allowed }) => !allowed && /^host not allowed/.test(reason ?? ""),
    );
  }
});

Deno.test("an empty secret, or the word for none, is no secret", async () => {
  for (
    const token of [
      "",
      " ",
      "undefined",
      "null",
      "[object Object]",
      "0",
      TOKEN.slice(0, -1),
      `${TOKEN} `,
    ]
  ) {
    await using besieged = await besiege();
    await besieged.withstands(async () => {
      for (const auth of [{ token }, { password: token }, { token: token, password: token }]) {
        match(wordOf(await knock(besieged.gateway.url, () => ({ auth }))), /^AUTH_TOKEN_MI/);
      }
    }, ({ action, allowed }) => action === "connect" && !allowed);
  }
});

Deno.test("before it is known who asks, nothing that is asked for is done", async () => {
  await using besieged = await besiege();
  const methods = ["config.get", "chat.send", "device.pair.approve", "health", "connect.challenge"];
  for (const method of methods) {
    await besieged.withstands(async () => {
      using client = await RawClient.open(besieged.gateway.url);
      await client.message();
      await client.text(JSON.stringify({ type: "req", id: "1", method, params: {} }));
      // What comes right behind it, as if it had been let in, is not even read.
      await client.text(JSON.stringify({ type: "req", id: "2", method: "config.get" }))
        .catch(() => {});
      match(await client.message(), /first request must be connect/);
      await client.drain();
    }, ({ reason }) => /first request must be connect/.test(reason ?? ""));
  }
});
