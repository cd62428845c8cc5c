/** The shared secret that lets a person's clients in, and what a wrong one is called. */
import type { ConnectAuth } from "../../schemas/connect.ts";
import { sameText, strengthOf } from "../secret.ts";

/** How clients prove themselves, and who may speak for them. */
export type AuthPolicy =
  & (
    /** For this machine only; start-up sees to that. */
    | { readonly mode: "none" }
    | { readonly mode: "token" | "password"; readonly secret: string }
    | TrustedProxyPolicy
  )
  & {
    readonly proxies?: ProxyPolicy;
    /** Whoever the tailnet's own daemon knows needs no secret. */
    readonly tailscale?: boolean;
  };

/** A proxy has already asked who it is. Only clients of this machine come in by a secret. */
export interface TrustedProxyPolicy {
  readonly mode: "trusted-proxy";
  /** The header with the user's name, in lower case. */
  readonly userHeader: string;
  /** Further headers that must not be empty, in lower case. */
  readonly requiredHeaders: readonly string[];
  /** Empty for everybody whom the proxy lets through. */
  readonly allowUsers: readonly string[];
  readonly secret: string;
}

/** Who may say for whom a request is. */
export interface ProxyPolicy {
  /** Addresses and networks of TCP peers. */
  readonly addresses: readonly string[];
  /** What such a peer must send besides, where that is wanted: the header, in lower case. */
  readonly secret?: { readonly header: string; readonly value: string };
  /** Believe a peer on this machine without that secret, though any program here could be it. */
  readonly allowLoopback: boolean;
}

/** The protocol's word for why a credential was refused. */
export type AuthReason =
  | "token_missing"
  | "token_mismatch"
  | "token_missing_config"
  | "password_missing"
  | "password_mismatch"
  | "device_token_mismatch"
  | "bootstrap_token_invalid"
  | "rate_limited"
  | ProxyReason
  | TailscaleReason;

/** Why a proxy's word for a user does not count. */
export type ProxyReason =
  | "trusted_proxy_untrusted_source"
  | "trusted_proxy_role_not_allowed"
  | "trusted_proxy_user_missing"
  | "trusted_proxy_user_not_allowed"
  | `trusted_proxy_missing_header_${string}`;

/** Why the tailnet's word for a user does not count. */
export type TailscaleReason =
  | "tailscale_user_missing"
  | "tailscale_proxy_missing"
  | "tailscale_whois_failed"
  | "tailscale_user_mismatch";

/** Whether a client showed the secret, and the protocol's word for why not. */
export type SecretVerdict =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: AuthReason };

/**
 * Compares the secret, in constant time, with what the client shows. Either field may hold it, as
 * the released clients of today send it in both.
 */
export function checkSecret(
  { mode, secret }: { readonly mode: "token" | "password"; readonly secret: string },
  auth: ConnectAuth | undefined,
): SecretVerdict {
  const shown = [auth?.token, auth?.password].filter((text) => text !== undefined && text !== "");
  if (shown.length === 0) return { ok: false, reason: `${mode}_missing` };
  let matches = false;
  for (const text of shown) if (sameText(text ?? "", secret)) matches = true;
  return matches ? { ok: true } : { ok: false, reason: `${mode}_mismatch` };
}

/** Whether somebody could find the secret by trying, however slowly they must. */
export function isGuessable(policy: AuthPolicy): boolean {
  return policy.mode !== "none" && strengthOf(policy.secret) !== "strong";
}
