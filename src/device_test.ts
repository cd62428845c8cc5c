import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { sign } from "@noble/ed25519";
import { Buffer } from "node:buffer";
import { createPublicKey } from "node:crypto";
import { getPublicKey } from "@noble/ed25519";
import {
  allows,
  checkProof,
  covers,
  deviceIdOf,
  MAX_SKEW_MS,
  normaliseClaim,
  rawPublicKey,
  signaturePayload,
  type SignedClaims,
} from "./device.ts";

const SECRET = new Uint8Array(32).fill(7);
const KEY = getPublicKey(SECRET);
const ID = deviceIdOf(KEY);
const NOW = 1_800_000_000_000;
const NONCE = "5f0c6d52-0000-4000-8000-000000000000";
const CLAIMS: SignedClaims = {
  clientId: "cli",
  clientMode: "cli",
  role: "operator",
  scopes: ["operator.write", "operator.read"],
  token: "secret",
  platform: "Linux",
  deviceFamily: " MacBook ",
};

Deno.test("a device's id is the SHA-256 of its raw key, in lower-case hex", () => {
  strictEqual(
    deviceIdOf(new Uint8Array(32)),
    "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925",
  );
  strictEqual(ID.length, 64);
});

Deno.test("the signed text of version 2 has nine parts, scopes in the order in which they were sent", () => {
  const text = signaturePayload("v2", { id: "d1", signedAt: 5, nonce: "n" }, CLAIMS);
  strictEqual(text, "v2|d1|cli|cli|operator|operator.write,operator.read|5|secret|n");
});

Deno.test("the signed text of version 3 adds platform and family, normalised, and empty where absent", () => {
  const proof = { id: "d1", signedAt: 5, nonce: "n" };
  strictEqual(
    signaturePayload("v3", proof, CLAIMS),
    "v3|d1|cli|cli|operator|operator.write,operator.read|5|secret|n|linux|macbook",
  );
  const { platform: _platform, deviceFamily: _family, ...bare } = CLAIMS;
  strictEqual(
    signaturePayload("v3", proof, { ...bare, scopes: [], token: "" }),
    "v3|d1|cli|cli|operator||5||n||",
  );
});

Deno.test("claims are trimmed and lower-cased in ASCII only", () => {
  strictEqual(normaliseClaim("  Windows 11 "), "windows 11");
  strictEqual(normaliseClaim("İSTANBUL Ä"), "İstanbul Ä");
  strictEqual(normaliseClaim("KELVIN \u212A"), "kelvin \u212A");
  strictEqual(normaliseClaim(undefined), "");
});

for (const version of ["v2", "v3"] as const) {
  Deno.test(`a proof signed over payload ${version} is believed`, () => {
    deepStrictEqual(check({}, { version }), { publicKey: base64Url(KEY) });
  });
}

Deno.test("a key may be base64url, base64 or PEM, and is kept as base64url", () => {
  const spki = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), KEY]);
  const pem = createPublicKey({ key: spki, format: "der", type: "spki" })
    .export({ type: "spki", format: "pem" }).toString();
  for (const publicKey of [base64Url(KEY), Buffer.from(KEY).toString("base64"), pem]) {
    deepStrictEqual(check({ publicKey }), { publicKey: base64Url(KEY) });
  }
});

Deno.test("what is no key of 32 bytes is none", () => {
  for (
    const text of ["", "AAAA", "not base64!", "-----BEGIN PUBLIC KEY-----", base64Url(SECRET) + "A"]
  ) {
    strictEqual(rawPublicKey(text), undefined, text);
  }
});

Deno.test("each fault of a proof has its name, and the first one counts", () => {
  const faults = [
    ["device-public-key", { publicKey: "AAAA" }],
    ["device-id-mismatch", { id: "0".repeat(64) }],
    ["device-id-mismatch", { id: ID.toUpperCase() }],
    ["device-signature-stale", { signedAt: NOW - MAX_SKEW_MS - 1 }],
    ["device-nonce-missing", { nonce: "  " }],
    ["device-nonce-mismatch", { nonce: "other" }],
    ["device-signature", { signature: base64Url(new Uint8Array(64)) }],
    ["device-signature", { signature: "AAAA" }],
    ["device-signature", { signature: "no base64" }],
  ] as const;
  for (const [fault, flaw] of faults) deepStrictEqual(check(flaw), { fault });
  let flaws = {};
  for (const [fault, flaw] of faults.toReversed()) {
    flaws = { ...flaws, ...flaw };
    deepStrictEqual(check(flaws), { fault });
  }
});

Deno.test("a clock may be two minutes off, either way, and no more", () => {
  for (const skew of [-MAX_SKEW_MS, 0, MAX_SKEW_MS]) {
    ok("publicKey" in check({ signedAt: NOW + skew }));
  }
  for (const skew of [-MAX_SKEW_MS - 1, MAX_SKEW_MS + 1]) {
    deepStrictEqual(check({ signedAt: NOW + skew }), { fault: "device-signature-stale" });
  }
});

Deno.test("blanks around a nonce don't matter", () => {
  const proof = { id: ID, signedAt: NOW, nonce: NONCE };
  const signature = signed(signaturePayload("v3", proof, CLAIMS));
  ok("publicKey" in check({ nonce: ` ${NONCE}\n`, signature }));
});

Deno.test("a signature over other claims is not believed", () => {
  for (
    const other of [
      { ...CLAIMS, token: "guess" },
      { ...CLAIMS, role: "node" },
      { ...CLAIMS, scopes: CLAIMS.scopes.toReversed() },
      { ...CLAIMS, scopes: [...CLAIMS.scopes, "operator.admin"] },
      { ...CLAIMS, platform: "darwin" },
    ]
  ) {
    deepStrictEqual(check({}, { claims: other }), { fault: "device-signature" });
  }
});

Deno.test("a key that is no point of the curve proves nothing", () => {
  const key = new Uint8Array(32).fill(0xff);
  const proof = { id: deviceIdOf(key), publicKey: base64Url(key) };
  deepStrictEqual(check(proof), { fault: "device-signature" });
});

Deno.test("admin covers every operator scope, write covers read and talk, others only themselves", () => {
  const table: readonly [granted: string, asked: string, expected: boolean][] = [
    ["operator.admin", "operator.pairing", true],
    ["operator.admin", "operator.talk.secrets", true],
    ["operator.admin", "node.anything", false],
    ["operator.write", "operator.read", true],
    ["operator.write", "operator.talk", true],
    ["operator.write", "operator.talk.secrets", false],
    ["operator.write", "operator.pairing", false],
    ["operator.write", "operator.admin", false],
    ["operator.read", "operator.write", false],
    ["operator.read", "operator.read", true],
    ["operator.pairing", "operator.read", false],
  ];
  for (const [granted, asked, expected] of table) {
    strictEqual(allows(new Set([granted]), asked), expected, `${granted} → ${asked}`);
  }
});

Deno.test("scopes are covered when each of them is", () => {
  ok(covers([], []));
  ok(covers(["operator.write", "operator.pairing"], ["operator.read", "operator.pairing"]));
  ok(!covers(["operator.write"], ["operator.read", "operator.pairing"]));
});

/** The verdict on a proof that is right but for the flaws. */
function check(
  flaws: Partial<Parameters<typeof checkProof>[0]>,
  { version = "v3", claims = CLAIMS }: { version?: "v2" | "v3"; claims?: SignedClaims } = {},
) {
  const proof = { id: ID, signedAt: NOW, nonce: NONCE, publicKey: base64Url(KEY), ...flaws };
  const signature = signed(signaturePayload(version, proof, CLAIMS));
  return checkProof({ signature, ...proof }, claims, { nonce: NONCE, now: NOW });
}

function signed(text: string): string {
  return base64Url(sign(new TextEncoder().encode(text), SECRET));
}

function base64Url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64url");
}
