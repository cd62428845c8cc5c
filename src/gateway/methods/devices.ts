/** Devices: who may connect, and taking it back. */
import { type HandlersFor, type Role, SCOPES } from "../../../schemas/contract.ts";
import type * as contract from "../../../schemas/devices.ts";
import type { Call } from "../../caller.ts";
import { invalid } from "../../error.ts";
import { isConfined, requireAtMost, requireHeld, requireOwn } from "../authority.ts";
import { type Pairing, wireDevice, wireRequest } from "../pairing.ts";
import type { ScopeUpgrades } from "../scope_upgrades.ts";

export function deviceHandlers(
  pairing: Pairing,
  { isConnected, upgrades }: {
    isConnected(deviceId: string): boolean;
    upgrades: ScopeUpgrades;
  },
): HandlersFor<typeof contract, Call> {
  return {
    "device.pair.list": (_params, { caller }) => {
      const shown = ({ deviceId }: { readonly deviceId: string }) =>
        !isConfined(caller) || deviceId === caller.deviceId;
      return {
        pending: pairing.pending().filter(shown).map(wireRequest),
        paired: pairing.paired().filter(shown).map((device) => ({
          ...wireDevice(device),
          connected: isConnected(device.deviceId),
        })),
      };
    },

    "device.pair.approve": ({ requestId }, { caller }) => {
      const request = pairing.request(requestId);
      requireOwn(caller, request.deviceId);
      requireHeld(caller, request);
      return { requestId, device: wireDevice(pairing.approve(requestId)) };
    },

    "device.pair.reject": ({ requestId }, { caller }) => {
      requireOwn(caller, pairing.request(requestId).deviceId);
      const { deviceId } = pairing.reject(requestId);
      return { requestId, deviceId };
    },

    "device.pair.remove": ({ deviceId }, { caller }) => {
      requireOwn(caller, deviceId);
      requireAtMost(caller, pairing.get(deviceId));
      pairing.remove(deviceId);
      return { deviceId };
    },

    "device.pair.rename": ({ deviceId, label }, { caller }) => {
      requireOwn(caller, deviceId);
      return { deviceId, label: pairing.rename(deviceId, label) };
    },

    "device.scopes.requestUpgrade": ({ scopes }, { caller }) => {
      const { deviceId } = caller;
      if (deviceId === undefined || pairing.get(deviceId) === undefined) {
        throw invalid("more scopes are for paired devices: connect as one", {
          code: "DEVICE_IDENTITY_REQUIRED",
        });
      }
      const unknown = scopes.find((scope) => !SCOPES.some((known) => known === scope));
      if (unknown !== undefined) throw invalid(`unknown scope: ${unknown}`);
      return { requestId: upgrades.ask(deviceId, scopes) };
    },

    "device.scopes.waitUpgrade": async ({ requestId }, { caller, signal }) => {
      const outcome = await upgrades.outcome(requestId, { deviceId: caller.deviceId, signal });
      if (outcome.status !== "approved") return { status: outcome.status, requestId };
      const { token, scopes } = outcome.token;
      return { status: outcome.status, requestId, deviceToken: token, scopes };
    },

    "device.token.rotate": ({ deviceId, role, scopes = [] }, { caller }) => {
      requireOwn(caller, deviceId);
      requireHeld(caller, { roles: [role], scopes });
      requireAtMost(caller, pairing.get(deviceId));
      const fresh = pairing.rotate(
        deviceId,
        roleOf(role),
        scopes.length === 0 ? undefined : scopes,
      );
      // Only who holds the old one gets the new one: anybody else only learns that it changed.
      const holds = caller.method === "device-token" && caller.deviceId === deviceId &&
        caller.role === role;
      return {
        deviceId,
        role,
        scopes: fresh.scopes,
        rotatedAtMs: fresh.rotatedAtMs ?? fresh.createdAtMs,
        ...(holds
          ? { token: fresh.token, tokenDelivery: "in-band" }
          : { tokenDelivery: "withheld-cross-device" }),
      };
    },

    "device.token.revoke": ({ deviceId, role }, { caller }) => {
      requireOwn(caller, deviceId);
      requireHeld(caller, { roles: [role], scopes: [] });
      requireAtMost(caller, pairing.get(deviceId));
      const { revokedAtMs } = pairing.revoke(deviceId, roleOf(role));
      return { deviceId, role, revokedAtMs };
    },
  };
}

function roleOf(role: string): Role {
  if (role === "operator" || role === "node") return role;
  throw invalid("unknown deviceId/role");
}
