/** The certificate of a running gateway: read or made, and followed when it is renewed. */
import { X509Certificate } from "node:crypto";
import { certificateFingerprint, type Fingerprint } from "../certificate.ts";
import type { Log } from "../log.ts";
import { createPrivately } from "./atomic_write.ts";
import { type CertificateFiles, certificateFiles, readCertificates } from "./certificate_files.ts";
import { at } from "./config_file.ts";
import { Failure } from "./failure.ts";
import type { Env } from "./paths.ts";
import { watchFiles } from "./watch_files.ts";

/** How long a certificate that is made holds, in days. */
const DAYS = 3650;

/** A certificate, with those that vouch for it behind it, and its key; both in PEM. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** A certificate that follows its files. A renewal that can't be used is reported and ignored. */
export class LiveCertificate implements AsyncDisposable {
  readonly #files: CertificateFiles;
  readonly #log: Log;
  #pair: Pair;
  #watch: Disposable | undefined;
  #renewing: Promise<void> = Promise.resolve();

  private constructor(files: CertificateFiles, { pair, log }: { pair: Pair; log: Log }) {
    this.#files = files;
    this.#log = log.part("tls");
    this.#pair = pair;
    this.#warn();
  }

  /**
   * Reads the files that `gateway.tls` of the configuration names; without any, the gateway's own,
   * which are made for `names` where both are missing. Rejects with a `Failure` if TLS can't be
   * spoken with them; nothing was changed then.
   */
  static async open({ config, names, stateDir, env, log }: {
    readonly config: unknown;
    /** Names and addresses under which the gateway is reached. */
    readonly names: readonly string[];
    readonly stateDir: string;
    readonly env: Env;
    readonly log: Log;
  }): Promise<LiveCertificate> {
    const files = certificateFiles(config, { stateDir, env });
    const makes = files.own && at(config, "gateway", "tls", "autoGenerate") !== false;
    if (makes && !await isThere(files.certPath) && !await isThere(files.keyPath)) {
      await make(files, names);
    }
    return new LiveCertificate(files, { pair: await readPair(files), log });
  }

  get pair(): Pair {
    return this.#pair;
  }

  get fingerprint(): Fingerprint {
    return certificateFingerprint(this.#pair.cert);
  }

  /**
   * Follows the files until disposed of. A pair that TLS can be spoken with goes to `renew`, one
   * after the other, and is this certificate once that resolved.
   */
  watch(renew: (pair: Pair) => Promise<void>): void {
    const { certPath, keyPath, caPath } = this.#files;
    this.#watch ??= watchFiles(
      [certPath, keyPath, ...(caPath === undefined ? [] : [caPath])],
      () => {
        this.#renewing = this.#renewing.then(() => this.#reread(renew));
      },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#watch?.[Symbol.dispose]();
    await this.#renewing;
  }

  /** Never rejects. */
  async #reread(renew: (pair: Pair) => Promise<void>): Promise<void> {
    try {
      const pair = await readPair(this.#files);
      if (pair.cert === this.#pair.cert && pair.key === this.#pair.key) return;
      await renew(pair);
      this.#pair = pair;
      this.#log.info("Certificate renewed", { fingerprint: this.fingerprint });
      this.#warn();
    } catch (cause) {
      this.#log.warn("The renewed certificate can't be used: the last one stays", { cause });
    }
  }

  /** Says what keeps clients away although TLS can be spoken. */
  #warn(): void {
    const { validTo, ca } = new X509Certificate(this.#pair.cert);
    const { certPath } = this.#files;
    if (Date.parse(validTo) < Date.now()) {
      this.#log.warn(`Certificate '${certPath}' has expired: clients refuse it`, { validTo });
    }
    if (ca) {
      this.#log.warn(
        `Certificate '${certPath}' is one of an authority: many clients refuse it for a server`,
      );
    }
  }
}

async function make({ certPath, keyPath }: CertificateFiles, names: readonly string[]) {
  const { selfSigned } = await import("./self_signed.ts");
  const { cert, key } = await selfSigned(names, { from: Date.now(), days: DAYS });
  // Of two programs that do this at once, one makes the key, and it alone the certificate.
  if (await createPrivately(keyPath, key)) await createPrivately(certPath, cert);
}

async function readPair(files: CertificateFiles): Promise<Pair> {
  const { certPath, keyPath } = files;
  try {
    const pair = { cert: await readCertificates(files), key: await Deno.readTextFile(keyPath) };
    // The sharpest check there is: speaking TLS with them, to nobody.
    Deno.listenTls({ hostname: "127.0.0.1", port: 0, ...pair }).close();
    return pair;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Failure(
      "TLS_INVALID",
      `Cannot speak TLS with '${certPath}' and '${keyPath}': ${explained(reason)}`,
      {
        hint: files.own
          ? "remove both to have new ones made, or set gateway.tls.certPath and keyPath"
          : "correct gateway.tls.certPath and keyPath, or unset both for a certificate that is made",
        cause: error,
      },
    );
  }
}

function explained(reason: string): string {
  if (reason.includes("KeyMismatch")) return "the key is not the one of the first certificate";
  if (reason.includes("No certificates found")) return "the first has no certificate in PEM";
  if (reason.includes("No keys found")) return "the second has no key in PEM that is not encrypted";
  return reason;
}

async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
