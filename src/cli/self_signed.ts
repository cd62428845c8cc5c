/** A certificate that signs itself. Loaded only where one must be made: its library is large. */
import "reflect-metadata"; // the library wants it there before itself
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type JsonGeneralName,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const DAY_MS = 86_400_000;

/**
 * Makes a key and a certificate for the names and IP addresses, both in PEM. It is valid from the
 * day before `from` on: clocks of clients may be slow.
 */
export async function selfSigned(
  names: readonly string[],
  { from, days }: { from: number; days: number },
): Promise<{ readonly cert: string; readonly key: string }> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: "CN=OpenClaw gateway",
    keys,
    signingAlgorithm: ALGORITHM,
    notBefore: new Date(from - DAY_MS),
    notAfter: new Date(from + days * DAY_MS),
    extensions: [
      // A client that pins it takes it for its own authority; many refuse one that says it is any.
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension(names.map(generalName)),
    ],
  });
  const key = await crypto.subtle.exportKey("pkcs8", keys.privateKey);
  return { cert: `${certificate.toString("pem")}\n`, key: pem("PRIVATE KEY", key) };
}

function generalName(value: string): JsonGeneralName {
  const isAddress = value.includes(":") || /^\d+(\.\d+){3}$/.test(value);
  return { type: isAddress ? "ip" : "dns", value };
}

function pem(label: string, der: ArrayBuffer): string {
  const lines = btoa(String.fromCharCode(...new Uint8Array(der))).match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}
