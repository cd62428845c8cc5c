/** What to make of a gateway that didn't let us in. */

/** What a refused handshake says, as far as it says it. */
export interface Refusal {
  readonly code?: string;
  readonly message: string;
  readonly details?: unknown;
  readonly retryAfterMs?: number;
}

/** What the page does next. */
export type Verdict =
  /** The person has to show who they are. */
  | { readonly then: "ask"; readonly secret: "token" | "password"; readonly problem?: string }
  /** The owner has to approve this browser. */
  | { readonly then: "pair"; readonly requestId: string | undefined; readonly why: string }
  /** It may work in a moment. */
  | { readonly then: "retry"; readonly why: string; readonly afterMs?: number }
  /** It won't work until something changes. */
  | { readonly then: "stop"; readonly title: string; readonly why: string };

/** Reads a refusal. `shown` says which secret we had shown, if any. */
export function judge(refusal: Refusal, shown: string | undefined): Verdict {
  const details = new Details(refusal.details);
  const code = details.text("code") ?? refusal.code ?? "";
  switch (code) {
    case "AUTH_TOKEN_MISSING":
    case "AUTH_REQUIRED":
      return { then: "ask", secret: "token" };
    case "AUTH_PASSWORD_MISSING":
      return { then: "ask", secret: "password" };
    case "AUTH_TOKEN_MISMATCH":
      return { then: "ask", secret: "token", problem: "The gateway doesn't know this token." };
    case "AUTH_PASSWORD_MISMATCH":
      return { then: "ask", secret: "password", problem: "That is not the gateway's password." };
    case "AUTH_DEVICE_TOKEN_MISMATCH":
    case "AUTH_SCOPE_MISMATCH":
      return {
        then: "ask",
        secret: "token",
        problem: "This browser's access was revoked or has changed. Sign in again.",
      };
    case "AUTH_TOKEN_NOT_CONFIGURED":
    case "AUTH_PASSWORD_NOT_CONFIGURED":
      return {
        then: "stop",
        title: "The gateway has no secret to check",
        why: "It wants a token or a password and none is configured. Set one on the gateway.",
      };
    case "AUTH_UNAUTHORIZED":
    case "AUTH_IDENTITY_HEADER_REQUIRED":
      return { then: "stop", title: "The gateway was not told who you are", why: refusal.message };
    case "AUTH_RATE_LIMITED":
      return {
        then: "retry",
        why: "Too many attempts failed. The gateway lets nobody in for a while.",
        afterMs: refusal.retryAfterMs ?? 60_000,
      };
    case "PAIRING_REQUIRED":
      return {
        then: "pair",
        requestId: details.text("requestId"),
        why: pairingReason(details.text("reason")),
      };
    case "CONTROL_UI_ORIGIN_NOT_ALLOWED":
      return {
        then: "stop",
        title: "This address is not allowed",
        why: "Open the page from the gateway's own address, or add this one to " +
          "gateway.controlUi.allowedOrigins.",
      };
    case "PROTOCOL_MISMATCH":
      return {
        then: "stop",
        title: "The page is older or newer than the gateway",
        why: "Load the page again. If that doesn't help, build it again.",
      };
  }
  if (code.startsWith("DEVICE_AUTH")) {
    return {
      then: "stop",
      title: "The gateway didn't believe this browser's key",
      why: details.text("reason") === "device-signature-stale"
        ? "The clocks of this device and of the gateway differ by more than two minutes."
        : refusal.message,
    };
  }
  if (code.startsWith("AUTH_TAILSCALE_")) {
    return { then: "ask", secret: "token", problem: refusal.message };
  }
  if (code.startsWith("AUTH_")) {
    return shown === undefined
      ? { then: "ask", secret: "token" }
      : { then: "ask", secret: "token", problem: refusal.message };
  }
  if (code === "UNAVAILABLE") {
    const why = "The gateway is starting or restarting.";
    return { then: "retry", why, afterMs: refusal.retryAfterMs };
  }
  if (refusal.message.includes("origin not allowed")) {
    return { then: "stop", title: "This address is not allowed", why: refusal.message };
  }
  return { then: "retry", why: refusal.message };
}

function pairingReason(reason: string | undefined): string {
  switch (reason) {
    case "scope-upgrade":
    case "role-upgrade":
      return "This browser is known, and now asks for more than it was allowed.";
    case "metadata-upgrade":
      return "This browser is known, and now describes itself differently.";
    default:
      return "The gateway hasn't seen this browser before.";
  }
}

/** The open-ended `details` of an error, read carefully. */
class Details {
  readonly #values: ReadonlyMap<string, unknown>;

  constructor(details: unknown) {
    const isRecord = typeof details === "object" && details !== null;
    this.#values = new Map(isRecord ? Object.entries(details) : []);
  }

  text(name: string): string | undefined {
    const value = this.#values.get(name);
    return typeof value === "string" && value !== "" ? value : undefined;
  }
}
