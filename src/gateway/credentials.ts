/** The shared secret that lets a person's clients in, and what a wrong one is called. */
import type { ConnectAuth } from "../../schemas/connect.ts";
import { sameText } from "../device.ts";

/** How clients prove themselves. `none` is for loopback only; start-up sees to that. */
export type AuthPolicy =
  | { readonly mode: "none" }
  | { readonly mode: "token"; readonly secret: string }
  | { readonly mode: "password"; readonly secret: string };

/** The protocol's word for why a credential was refused. */
export type AuthReason =
  | "token_missing"
  | "token_mismatch"
  | "token_missing_config"
  | "password_missing"
  | "password_mismatch"
  | "device_token_mismatch"
  | "rate_limited";

/** Whether a client showed the secret, and the protocol's word for why not. */
export type SecretVerdict =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: AuthReason };

/** Secrets at least this long are beyond guessing: a lock-out keeps only wrong ones out. */
const UNGUESSABLE_LENGTH = 32;

/**
 * Compares the secret, in constant time, with what the client shows. Either field may hold it, as
 * the released clients of today send it in both.
 */
export function checkSecret(
  policy: AuthPolicy,
  auth: ConnectAuth | undefined,
): SecretVerdict {
  if (policy.mode === "none") return { ok: true };
  const shown = [auth?.token, auth?.password].filter((text) => text !== undefined && text !== "");
  if (shown.length === 0) return { ok: false, reason: `${policy.mode}_missing` };
  let matches = false;
  for (const text of shown) if (sameText(text ?? "", policy.secret)) matches = true;
  return matches ? { ok: true } : { ok: false, reason: `${policy.mode}_mismatch` };
}

/** Whether somebody could find the secret by trying. */
export function isGuessable(policy: AuthPolicy): boolean {
  return policy.mode === "password" ||
    policy.mode === "token" && policy.secret.length < UNGUESSABLE_LENGTH;
}
