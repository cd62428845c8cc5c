/** How far a caller's hand reaches where rights are given, changed and taken back. */
import type { Caller } from "../caller.ts";
import { allows, type PairedDevice } from "../device.ts";
import { requireScope, requireScopes } from "./access.ts";

/** Whether the caller sees to itself alone: it came in as a device, and is no admin. */
export function isConfined({ method, scopes }: Pick<Caller, "method" | "scopes">): boolean {
  const byDevice = method === "device-token" || method === "bootstrap-token";
  return byDevice && !allows(scopes, "operator.admin");
}

/** Throws for a caller that sees to itself alone, and means another device. */
export function requireOwn(caller: Caller, deviceId: string): void {
  if (isConfined(caller) && caller.deviceId !== deviceId) requireScope(caller, "operator.admin");
}

/**
 * Throws unless the caller may give these rights, or take them: nobody gives away more than they
 * hold, and other roles than the operator's are an admin's to give.
 */
export function requireHeld(
  caller: Caller,
  { roles, scopes }: { readonly roles: readonly string[]; readonly scopes: readonly string[] },
): void {
  const others = roles.some((role) => role !== "operator") ? ["operator.admin"] : [];
  requireScopes(caller, [...scopes, ...others]);
}

/** Throws unless the caller holds all that a device holds, in whatever role. */
export function requireAtMost(caller: Caller, device: PairedDevice | undefined): void {
  if (device === undefined) return; // the method itself says so
  const granted = Object.values(device.tokens).flatMap(({ scopes, revokedAtMs }) =>
    revokedAtMs === undefined ? scopes : []
  );
  const scopes = [...new Set([...device.scopes, ...granted])];
  requireHeld(caller, { roles: device.roles, scopes });
}
