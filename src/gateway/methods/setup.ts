/** Setup codes: made by an admin, shown to the device that is to come in. */
import { Buffer } from "node:buffer";
import type { HandlersFor } from "../../../schemas/contract.ts";
import type * as contract from "../../../schemas/setup.ts";
import type { Call } from "../../caller.ts";
import type { Fingerprint } from "../../certificate.ts";
import { invalid } from "../../error.ts";
import type { GatewayUrl } from "../../host.ts";
import type { Settings } from "../settings.ts";
import type { SetupCode, SetupCodes } from "../setup_codes.ts";
import { chooseUrls } from "../setup_url.ts";

export function setupHandlers(
  setupCodes: SetupCodes,
  { settings, authMode, urls, fingerprint, drawQr }: {
    settings: Settings;
    /** How clients prove themselves now. */
    authMode: () => string;
    /** Where others than this machine reach the gateway. */
    urls: () => readonly GatewayUrl[];
    /** Of the certificate that the port shows, where it speaks TLS. */
    fingerprint: () => Fingerprint | undefined;
    /** Resolves to a picture of the text, as a `data:` URL. */
    drawQr(text: string): Promise<string>;
  },
): HandlersFor<typeof contract, Call> {
  return {
    "device.pair.setupCode": async (params) => {
      if (params.joinUrl !== undefined) {
        throw invalid("joinUrl is not supported: give the setup code itself to the node");
      }
      const { urls: [best, ...others], readable, direct } = chooseUrls({
        asked: params.publicUrl,
        preferRemote: params.preferRemoteUrl ?? false,
        config: settings.config,
        own: urls(),
      });
      const wanted = params.bootstrapProfile ?? "full";
      // Who listens on the way could take the device's place: no admin comes in over it.
      const downgraded = readable && wanted === "full";
      const code = setupCodes.issue(downgraded ? "limited" : wanted);
      const gatewayUrls = [best, ...others].map(({ url }) => url);
      const setupCode = spell(code, {
        urls: gatewayUrls,
        // Another address may be that of a proxy, with a certificate of its own.
        tlsFingerprint: direct ? fingerprint() : undefined,
      });
      const { setupId, expiresAtMs, access } = code;
      return {
        setupId,
        expiresAtMs,
        setupCode,
        ...(params.includeQr === false ? {} : { qrDataUrl: await drawQr(setupCode) }),
        gatewayUrl: best.url,
        ...(others.length === 0 ? {} : { gatewayUrls }),
        auth: authMode(),
        urlSource: best.source,
        access,
        ...(downgraded ? { accessDowngraded: true } : {}),
      };
    },

    "device.pair.setupStatus": ({ setupId }) => {
      const completion = setupCodes.completion(setupId);
      return completion === undefined ? {} : { completion };
    },
  };
}

/** A code as it is typed or scanned: JSON in base64url, as released clients of version 4 read it. */
function spell(
  { token, expiresAtMs }: SetupCode,
  { urls, tlsFingerprint }: {
    urls: readonly string[];
    tlsFingerprint: Fingerprint | undefined;
  },
): string {
  const code = {
    url: urls[0],
    ...(urls.length === 1 ? {} : { urls }),
    bootstrapToken: token,
    expiresAtMs,
    ...(tlsFingerprint === undefined ? {} : { tlsFingerprint }),
  };
  return Buffer.from(JSON.stringify(code)).toString("base64url");
}
