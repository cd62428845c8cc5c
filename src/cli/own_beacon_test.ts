import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { toTxt } from "../beacon.ts";
import { ownBeacon } from "./own_beacon.ts";

const den = { env: { OPENCLAW_MDNS_HOSTNAME: "Den.example" }, port: 5, tls: undefined };

Deno.test("the gateway says where it is, and that it speaks TLS", () => {
  const tls = { fingerprint: `sha256:${"0a".repeat(32)}` } as const;
  deepStrictEqual(ownBeacon({}, { ...den, tls }), {
    displayName: "den",
    lanHost: "den.local",
    gatewayPort: 5,
    tlsFingerprint: tls.fingerprint,
  });
});

Deno.test("only in full mode it says where SSH is, and never where its files are", () => {
  const full = { discovery: { mdns: { mode: "full" } } } as const;
  strictEqual(ownBeacon(full, den)?.sshPort, 22);
  const env = { ...den.env, OPENCLAW_SSH_PORT: "2222", HOME: "/home/ada", USER: "ada" };
  const beacon = ownBeacon(full, { ...den, env });
  strictEqual(beacon?.sshPort, 2222);
  strictEqual(toTxt(beacon!).find((entry) => /ada|path|token/i.test(entry)), undefined);
});

Deno.test("switched off by configuration or environment, it says nothing", () => {
  strictEqual(ownBeacon({ discovery: { mdns: { mode: "off" } } }, den), undefined);
  strictEqual(ownBeacon({}, { ...den, env: { OPENCLAW_DISABLE_BONJOUR: "1" } }), undefined);
});
