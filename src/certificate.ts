/** The certificate that a gateway shows over TLS, as its clients know it again: by its fingerprint. */
import { createHash, timingSafeEqual } from "node:crypto";

/** `sha256:` and 64 lower-case hexadecimal digits. No secret: whoever connects can see it. */
export type Fingerprint = `sha256:${string}`;

/** The fingerprint of a certificate in DER. */
export function fingerprintOf(der: Uint8Array): Fingerprint {
  return `sha256:${createHash("sha256").update(der).digest("hex")}`;
}

/** The fingerprint of the first certificate in a PEM text. Throws if there is none. */
export function certificateFingerprint(pem: string): Fingerprint {
  const body = /-----BEGIN CERTIFICATE-----([\sA-Za-z0-9+/=]+)-----END CERTIFICATE-----/.exec(pem);
  if (body?.[1] === undefined) throw new Error("Cannot take a fingerprint: no certificate in PEM");
  return fingerprintOf(Uint8Array.from(atob(body[1].replace(/\s/g, "")), (c) => c.charCodeAt(0)));
}

/**
 * What a person or another program wrote: with or without `sha256:`, in either case, with or
 * without colons. `undefined` for what is no SHA-256 fingerprint.
 */
export function parseFingerprint(text: string): Fingerprint | undefined {
  const digits = text.trim().replace(/^sha-?256:/i, "").replace(/[:\s]/g, "").toLowerCase();
  return /^[0-9a-f]{64}$/.test(digits) ? `sha256:${digits}` : undefined;
}

/** Whether both are the same; takes as long whatever they are. */
export function isSameFingerprint(a: Fingerprint, b: Fingerprint): boolean {
  const [left, right] = [a, b].map((text) => createHash("sha256").update(text).digest());
  return left !== undefined && right !== undefined && timingSafeEqual(left, right);
}
