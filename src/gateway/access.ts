/** Who may call a method and hear an event: role, then scope. Deny is the default. */
import type { Access, EventSpec, MethodSpec } from "../../schemas/contract.ts";
import type { Caller } from "../caller.ts";
import { allows } from "../device.ts";
import { type ErrorCode, GatewayError } from "../error.ts";

/** The method is not for this caller, or there is none. `reason` names why, without its name. */
export class AccessRefusal extends GatewayError {
  constructor(
    readonly reason: "UNAUTHORIZED_ROLE" | "MISSING_SCOPE" | "UNKNOWN_METHOD",
    message: string,
    { code = "INVALID_REQUEST", details }: { code?: ErrorCode; details?: unknown } = {},
  ) {
    super(code, message, { details });
  }
}

/** The refusal of a method that does not exist, or not on the caller's version. */
export function unknownMethod(name: string): AccessRefusal {
  return new AccessRefusal("UNKNOWN_METHOD", `unknown method: ${name}`);
}

/** Throws the refusal that the protocol fixes, if the caller may not call the method. */
export function requireAccess(caller: Caller, method: MethodSpec | undefined, name: string): void {
  const access = method?.access[caller.protocol] ?? "operator.admin";
  if ((access === "node") !== (caller.role === "node") && !(access === "anyone")) {
    throw new AccessRefusal("UNAUTHORIZED_ROLE", `unauthorized role: ${caller.role}`);
  }
  if (access !== "node" && access !== "anyone") requireScope(caller, access);
  const { since, until } = method ?? { since: 5, until: 4 };
  if (caller.protocol < since || caller.protocol > until) throw unknownMethod(name);
}

/** Throws unless the caller holds the scope, or one that includes it. */
export function requireScope(caller: Caller, scope: Exclude<Access, "node" | "anyone">): void {
  requireScopes(caller, [scope]);
}

/** Throws, naming the first that is missing, unless the caller holds all of these scopes. */
export function requireScopes(caller: Caller, scopes: readonly string[]): void {
  const missing = scopes.find((scope) => !allows(caller.scopes, scope));
  if (missing === undefined) return;
  throw new AccessRefusal("MISSING_SCOPE", `missing scope: ${missing}`, {
    code: "FORBIDDEN",
    details: { code: "MISSING_SCOPE", missingScope: missing, requiredScopes: scopes },
  });
}

/** Whether the caller may hear an event at all; an audience may narrow it further. */
export function mayHear(caller: Caller, event: EventSpec): boolean {
  if (caller.protocol < event.since || caller.protocol > event.until) return false;
  const access = event.access[caller.protocol];
  if (access === "anyone") return true;
  if (access === "node" || caller.role === "node") return access === caller.role;
  return allows(caller.scopes, access);
}
