/** Who vouches for a visitor before anything is known of its device: a secret, a proxy, the tailnet. */
import type { ConnectAuth } from "../../schemas/connect.ts";
import type { Role } from "../../schemas/contract.ts";
import {
  type AuthPolicy,
  type AuthReason,
  checkSecret,
  isGuessable,
} from "../gateway/credentials.ts";
import type { Origin } from "./locality.ts";

/** By what a visitor may come in, or the protocol's word for why not. */
export type Vouched =
  | {
    readonly ok: true;
    readonly method: "none" | "token" | "password" | "trusted-proxy" | "tailscale";
    /** The person, where somebody trusted names one. */
    readonly user?: string;
    /** It was shown a secret that somebody may find by trying: a lock-out must hold against it. */
    readonly isGuess: boolean;
  }
  | { readonly ok: false; readonly reason: AuthReason };

/** What is known of the visitor. */
export interface Unknown extends Origin {
  readonly role: Role;
  /** Who has the address that the visitor comes from, by the tailnet's daemon. */
  readonly tailnetLogin?: string;
}

/** The secret goes first; where it is missing or wrong, who the visitor is said to be. */
export function vouch(
  policy: AuthPolicy,
  auth: ConnectAuth | undefined,
  visitor: Unknown,
): Vouched {
  const bySecret = vouchBySecret(policy, auth, visitor);
  if (bySecret.ok || !policy.tailscale || visitor.role !== "operator") return bySecret;
  const byTailnet = vouchByTailnet(visitor);
  // Whoever shows a secret is told what is wrong with it, and not with their place.
  return byTailnet === undefined || !byTailnet.ok && bySecret.reason.endsWith("_mismatch")
    ? bySecret
    : byTailnet;
}

function vouchBySecret(
  policy: AuthPolicy,
  auth: ConnectAuth | undefined,
  visitor: Unknown,
): Vouched {
  switch (policy.mode) {
    case "none":
      // Without a secret the gateway is for this machine only, also behind a proxy of this machine.
      return visitor.local
        ? { ok: true, method: "none", isGuess: false }
        : { ok: false, reason: "token_missing_config" };
    case "trusted-proxy":
      if (!visitor.local) return vouchByProxy(visitor);
      return vouchByText("token", policy, auth);
    default:
      return vouchByText(policy.mode, policy, auth);
  }
}

function vouchByText(
  method: "token" | "password",
  policy: Exclude<AuthPolicy, { mode: "none" }>,
  auth: ConnectAuth | undefined,
): Vouched {
  const verdict = checkSecret({ mode: method, secret: policy.secret }, auth);
  return verdict.ok ? { ok: true, method, isGuess: isGuessable(policy) } : verdict;
}

/** A proxy's users are people: a node comes in by a token of its own. */
function vouchByProxy({ identity, role }: Unknown): Vouched {
  if (identity?.by === "nobody") return { ok: false, reason: identity.reason };
  if (identity?.by !== "proxy") return { ok: false, reason: "trusted_proxy_untrusted_source" };
  if (role !== "operator") return { ok: false, reason: "trusted_proxy_role_not_allowed" };
  return { ok: true, method: "trusted-proxy", user: identity.user, isGuess: false };
}

/**
 * Any program on this machine could write the daemon's headers; that is why its word opens the door
 * and no more, and a device is still asked for its approval.
 */
function vouchByTailnet({ identity, tailnetLogin }: Unknown): Vouched | undefined {
  if (identity === undefined) return undefined;
  if (identity.by === "nobody") return { ok: false, reason: identity.reason };
  if (identity.by !== "tailscale") return undefined;
  if (tailnetLogin === undefined) return { ok: false, reason: "tailscale_whois_failed" };
  const { login } = identity;
  return tailnetLogin.toLowerCase() === login.toLowerCase()
    ? { ok: true, method: "tailscale", user: login, isGuess: false }
    : { ok: false, reason: "tailscale_user_mismatch" };
}
