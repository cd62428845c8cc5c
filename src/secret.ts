/** How hard a secret is to guess, and whether two are the same. */
import { createHash, timingSafeEqual } from "node:crypto";

/**
 * `placeholder`: it stands in examples, or is what people type who want to be asked no more.
 * `weak`: found by whoever may try for some days. `fair`: found by nobody who is locked out after
 * some tries. `strong`: found by nobody.
 */
export type Strength = "placeholder" | "weak" | "fair" | "strong";

export function strengthOf(secret: string): Strength {
  const plain = secret.toLowerCase().replace(/[^a-z0-9]/g, "");
  if (plain === "" && secret.length < 12 || /^<.*>$|^\$?\{.*\}$/.test(secret)) return "placeholder";
  if (plain !== "" && (WORDS.test(plain) || ROWS.some((row) => row.includes(plain)))) {
    return "placeholder";
  }
  if (/^(.{1,4}?)\1*$/s.test(secret)) return secret.length < 5 ? "weak" : "placeholder";
  const characters = new Set(secret).size;
  if (secret.length < 12 || characters < 6) return "weak";
  return secret.length >= 32 && characters >= 8 ? "strong" : "fair";
}

/** Compares two secrets in a time that tells nothing of either, nor of their lengths. */
export function sameText(a: string, b: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

/** Of these words alone, with a number behind them. */
const WORDS =
  /^(?:my|your|the|new|some|test|testing|example|sample|dummy|default|super|top|openclaw|clawdbot|moltbot|gateway|auth|admin|root|user|guest|token|secret|password|passw0rd|passwort|passwd|pass|key|change|replace|insert|put|me|this|it|here|please|todo|fixme|letmein|welcome|hello|undefined|null|none|placeholder)+\d{0,4}$/;
const ROWS = [
  "01234567890123456789",
  "98765432109876543210",
  "abcdefghijklmnopqrstuvwxyz",
  "qwertyuiopasdfghjklzxcvbnm",
  "0123456789abcdefghijklmnopqrstuvwxyz",
];
