import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { type Beacon, fromTxt, hostLabel, toTxt } from "./beacon.ts";

const DIGITS = "0a".repeat(32);

Deno.test("a beacon is told in the keys that clients look for, and read from them", () => {
  const beacon: Beacon = {
    displayName: "den",
    lanHost: "den.local",
    gatewayPort: 18_789,
    tlsFingerprint: `sha256:${DIGITS}`,
    sshPort: 22,
  };
  const txt = toTxt(beacon);
  deepStrictEqual(txt, [
    "role=gateway",
    "transport=gateway",
    "gatewayPort=18789",
    "lanHost=den.local",
    "displayName=den",
    "gatewayTls=1",
    `gatewayTlsSha256=${DIGITS}`,
    "sshPort=22",
  ]);
  deepStrictEqual(fromTxt(txt), beacon);
});

Deno.test("without TLS and SSH nothing is said of them", () => {
  const beacon: Beacon = { displayName: "den", lanHost: "den.local", gatewayPort: 1 };
  deepStrictEqual(toTxt(beacon).filter((entry) => /tls|ssh/i.test(entry)), []);
  deepStrictEqual(fromTxt(toTxt(beacon)), beacon);
});

Deno.test("of what strangers send, only what has the right form is taken", () => {
  strictEqual(fromTxt([]), undefined);
  strictEqual(fromTxt(["gatewayPort=0"]), undefined);
  strictEqual(fromTxt(["gatewayPort=65536"]), undefined);
  deepStrictEqual(
    fromTxt([
      "gatewayPort=5",
      "gatewayPort=6",
      "lanHost=user@evil/",
      "gatewayTlsSha256=abc",
      "sshPort=-1",
      "=",
      "flag",
      "displayName=a=b",
    ]),
    { displayName: "a=b", gatewayPort: 5 },
  );
});

Deno.test("a machine's name becomes a label, whatever it is", () => {
  for (
    const [name, label] of [
      ["Den", "den"],
      ["den.example.org", "den"],
      ["Ada's iMac", "ada-s-imac"],
      ["  ", "openclaw"],
      ["", "openclaw"],
      ["日本", "openclaw"],
      ["a_b", "a-b"],
      [`${"x".repeat(62)}--y`, "x".repeat(62)],
    ] as const
  ) strictEqual(hostLabel(name), label);
});
