/** Devices: who may connect, and taking it back. */
import type { HandlersFor } from "../../../schemas/contract.ts";
import type * as contract from "../../../schemas/devices.ts";
import type { Role } from "../../../schemas/contract.ts";
import type { Call, Caller } from "../../caller.ts";
import { allows, covers } from "../../device.ts";
import { GatewayError, invalid } from "../../error.ts";
import { type Pairing, wireDevice, wireRequest } from "../pairing.ts";

export function deviceHandlers(
  pairing: Pairing,
  { isConnected }: { isConnected(deviceId: string): boolean },
): HandlersFor<typeof contract, Call> {
  return {
    "device.pair.list": () => ({
      pending: pairing.pending().map(wireRequest),
      paired: pairing.paired().map((device) => ({
        ...wireDevice(device),
        connected: isConnected(device.deviceId),
      })),
    }),

    "device.pair.approve": ({ requestId }, { caller }) => {
      const request = pairing.request(requestId);
      for (const role of request.roles) requireMay(caller, request.scopes, role);
      return { requestId, device: wireDevice(pairing.approve(requestId)) };
    },

    "device.pair.reject": ({ requestId }) => {
      const { deviceId } = pairing.reject(requestId);
      return { requestId, deviceId };
    },

    "device.pair.remove": ({ deviceId }, { caller }) => {
      requireOwn(caller, deviceId);
      requireAtMost(caller, pairing, deviceId);
      pairing.remove(deviceId);
      return { deviceId };
    },

    "device.pair.rename": ({ deviceId, label }, { caller }) => {
      requireOwn(caller, deviceId);
      pairing.rename(deviceId, label.trim());
      return { deviceId, label: label.trim() };
    },

    "device.token.rotate": ({ deviceId, role, scopes }, { caller }) => {
      requireOwn(caller, deviceId);
      requireMay(caller, scopes ?? [], role);
      requireAtMost(caller, pairing, deviceId);
      const fresh = pairing.rotate(deviceId, roleOf(role), scopes);
      // The new token is for the device alone: anybody else only learns that it changed.
      const own = caller.deviceId === deviceId && caller.role === role;
      return {
        deviceId,
        role,
        scopes: fresh.scopes,
        rotatedAtMs: fresh.rotatedAtMs ?? fresh.createdAtMs,
        ...(own || allows(caller.scopes, "operator.admin") ? { token: fresh.token } : {}),
      };
    },

    "device.token.revoke": ({ deviceId, role }, { caller }) => {
      requireOwn(caller, deviceId);
      requireMay(caller, [], role);
      requireAtMost(caller, pairing, deviceId);
      const { revokedAtMs } = pairing.revoke(deviceId, roleOf(role));
      return { deviceId, role, revokedAtMs };
    },
  };
}

function roleOf(role: string): Role {
  if (role === "operator" || role === "node") return role;
  throw invalid("unknown deviceId/role");
}

/** Nobody gives away more than they hold, and other roles than the operator's are an admin's to give. */
function requireMay(caller: Caller, scopes: readonly string[], role: string): void {
  const held = covers(caller.scopes, scopes);
  if (held && (role === "operator" || allows(caller.scopes, "operator.admin"))) return;
  const missing = scopes.find((scope) => !allows(caller.scopes, scope)) ?? "operator.admin";
  throw new GatewayError("FORBIDDEN", `missing scope: ${missing}`, {
    details: { code: "MISSING_SCOPE", missingScope: missing, requiredScopes: [missing] },
  });
}

/** Nobody but an admin touches a device that holds more than they do. */
function requireAtMost(caller: Caller, pairing: Pairing, deviceId: string): void {
  const device = pairing.get(deviceId);
  if (device === undefined) return; // the method itself says so
  requireMay(caller, device.scopes, device.roles.includes("node") ? "node" : "operator");
}

/** Who came in by a device token manages that device, unless they are admin. */
function requireOwn(caller: Caller, deviceId: string): void {
  if (caller.method !== "device-token" || caller.deviceId === deviceId) return;
  if (allows(caller.scopes, "operator.admin")) return;
  throw new GatewayError("FORBIDDEN", "missing scope: operator.admin", {
    details: {
      code: "MISSING_SCOPE",
      missingScope: "operator.admin",
      requiredScopes: ["operator.admin"],
    },
  });
}
