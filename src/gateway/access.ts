/** Who may call a method and hear an event: role, then scope. Deny is the default. */
import type { Access, EventSpec, MethodSpec } from "../../schemas/contract.ts";
import type { Caller } from "../caller.ts";
import { allows } from "../device.ts";
import { GatewayError, invalid } from "../error.ts";

/** Throws the refusal that the protocol fixes, if the caller may not call the method. */
export function requireAccess(caller: Caller, method: MethodSpec | undefined, name: string): void {
  const access = method?.access[caller.protocol] ?? "operator.admin";
  if ((access === "node") !== (caller.role === "node") && !(access === "anyone")) {
    throw invalid(`unauthorized role: ${caller.role}`);
  }
  if (access !== "node" && access !== "anyone") requireScope(caller, access);
  const { since, until } = method ?? { since: 5, until: 4 };
  if (caller.protocol < since || caller.protocol > until) throw invalid(`unknown method: ${name}`);
}

/** Throws unless the caller holds the scope, or one that includes it. */
export function requireScope(caller: Caller, scope: Exclude<Access, "node" | "anyone">): void {
  if (allows(caller.scopes, scope)) return;
  throw new GatewayError("FORBIDDEN", `missing scope: ${scope}`, {
    details: { code: "MISSING_SCOPE", missingScope: scope, requiredScopes: [scope] },
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
