/** Where the gateway's certificate and its key lie: for the gateway, and for commands beside it. */
import { textAt } from "./config_file.ts";
import { Failure } from "./failure.ts";
import type { Env } from "./paths.ts";

export interface CertificateFiles {
  readonly certPath: string;
  readonly keyPath: string;
  /** Further certificates, that vouch for the first one. */
  readonly caPath?: string;
  /** They are the gateway's own, which makes them where they are not there. */
  readonly own: boolean;
}

/** By the configuration's `gateway.tls`. Throws a `Failure` where it names one file without the other. */
export function certificateFiles(
  config: unknown,
  { stateDir, env }: { stateDir: string; env: Env },
): CertificateFiles {
  const [certPath, keyPath, caPath] = (["certPath", "keyPath", "caPath"] as const).map((name) =>
    textAt(config, env, "gateway", "tls", name)?.replace(/^~(?=[/\\])/, env.HOME ?? "~")
  );
  if (certPath !== undefined && keyPath !== undefined) {
    return { certPath, keyPath, ...(caPath === undefined ? {} : { caPath }), own: false };
  }
  if (certPath !== undefined || keyPath !== undefined) {
    const missing = certPath === undefined ? "certPath" : "keyPath";
    throw new Failure("TLS_INVALID", `Cannot speak TLS: gateway.tls.${missing} is not set`, {
      hint: "set both gateway.tls.certPath and keyPath, or none for a certificate that is made",
    });
  }
  return { certPath: `${stateDir}/tls/cert.pem`, keyPath: `${stateDir}/tls/key.pem`, own: true };
}

/** The certificate and those that vouch for it, in PEM. Rejects if a file can't be read. */
export async function readCertificates(
  { certPath, caPath }: Pick<CertificateFiles, "certPath" | "caPath">,
): Promise<string> {
  const texts = await Promise.all(
    [certPath, ...(caPath === undefined ? [] : [caPath])].map((path) => Deno.readTextFile(path)),
  );
  return texts.join("\n");
}
