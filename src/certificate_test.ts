import { strictEqual, throws } from "node:assert/strict";
import {
  certificateFingerprint,
  type Fingerprint,
  fingerprintOf,
  isSameFingerprint,
  parseFingerprint,
} from "./certificate.ts";

/** SHA-256 of nothing. */
const EMPTY: Fingerprint = `sha256:${
  ["e3b0c44298fc1c149afbf4c8996fb924", "27ae41e4649b934ca495991b7852b855"].join("")
}`;

Deno.test("a fingerprint is the SHA-256 of the certificate's bytes", () => {
  strictEqual(fingerprintOf(new Uint8Array()), EMPTY);
  const pem = (body: string) => `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`;
  strictEqual(
    certificateFingerprint(`words before\n${pem("AQID\nBAU=")}${pem("BgcI")}`),
    fingerprintOf(new Uint8Array([1, 2, 3, 4, 5])),
  );
  throws(() => certificateFingerprint("-----BEGIN PRIVATE KEY-----"), /no certificate in PEM/);
});

Deno.test("a fingerprint is read in every spelling that other programs print", () => {
  const digits = EMPTY.slice("sha256:".length);
  const colons = digits.toUpperCase().replace(/..(?=.)/g, "$&:");
  for (
    const text of [digits, EMPTY, colons, `SHA256:${colons}`, `sha-256:${digits}`, ` ${EMPTY} `]
  ) {
    strictEqual(parseFingerprint(text), EMPTY);
  }
  for (
    const text of ["", "sha256:", digits.slice(1), `${digits}0`, `sha1:${digits}`, `x${digits}`]
  ) {
    strictEqual(parseFingerprint(text), undefined);
  }
});

Deno.test("fingerprints are the same only as a whole", () => {
  strictEqual(isSameFingerprint(EMPTY, EMPTY), true);
  strictEqual(isSameFingerprint(EMPTY, `${EMPTY.slice(0, -1)}0` as Fingerprint), false);
  strictEqual(isSameFingerprint(EMPTY, "sha256:"), false);
});
