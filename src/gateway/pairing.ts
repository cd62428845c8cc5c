/** Which devices may connect: asking, approving, tokens, and taking it back. */
import { randomBytes, randomUUID } from "node:crypto";
import type { Role } from "../../schemas/contract.ts";
import {
  covers,
  type DeviceDescription,
  type DeviceToken,
  normaliseClaim,
  type PairedDevice,
  PAIRING_TTL_MS,
  type PairingRequest,
  sameText,
} from "../device.ts";
import { invalid } from "../error.ts";
import type { Bus } from "../event.ts";
import type { Log } from "../log.ts";
import type { Devices } from "../store.ts";

/** Why a device must be approved before it connects, in the protocol's words. */
export type PairingReason = "not-paired" | "metadata-upgrade" | "role-upgrade" | "scope-upgrade";

/** A proven device at the door. */
export interface Arrival extends DeviceDescription {
  readonly deviceId: string;
  readonly publicKey: string;
  readonly role: Role;
  readonly scopes: readonly string[];
  /** Whether the owner's presence on this machine may stand for an approval. */
  readonly silent: boolean;
  /** It came by its own token: the scopes of that token are all it has. */
  readonly byToken?: boolean;
}

/** Keeps the list of devices. Every change is on disk before it is told. */
export class Pairing {
  readonly #devices: Devices;
  readonly #bus: Bus;
  readonly #log: Log;
  readonly #invalidated: (deviceId: string, why: string) => void;
  readonly #now: () => number;

  constructor(devices: Devices, { bus, log, invalidated, now = Date.now }: {
    bus: Bus;
    log: Log;
    /** Called when a device lost a right: its connections must end. */
    invalidated: (deviceId: string, why: string) => void;
    now?: () => number;
  }) {
    this.#devices = devices;
    this.#bus = bus;
    this.#log = log.part("pairing");
    this.#invalidated = invalidated;
    this.#now = now;
  }

  /**
   * Lets a device in, or says which request must be approved first. A device that comes from the
   * owner's own machine is approved at once, unless it changes its role or what it claims to be.
   */
  admit({ byToken = false, ...arrival }: Arrival):
    | { readonly device: PairedDevice; readonly token: DeviceToken }
    | { readonly refused: PairingReason; readonly request: PairingRequest } {
    const known = this.#devices.get(arrival.deviceId);
    const reason = reasonToPair(known, arrival, byToken);
    if (reason === undefined && known !== undefined) return this.#welcome(known, arrival);
    const silent = arrival.silent && (reason === "not-paired" || reason === "scope-upgrade");
    const request = this.#ask({ ...arrival, silent }, known !== undefined);
    if (!request.silent) return { refused: reason ?? "not-paired", request };
    return this.#welcome(this.#approve(request, "silent"), arrival);
  }

  /** Whether `token` is the device's own for a role. What it may ask for, `admit` decides. */
  checkToken(deviceId: string, token: string, role: Role): boolean {
    const kept = this.#devices.get(deviceId)?.tokens[role];
    if (kept === undefined || kept.revokedAtMs !== undefined) return false;
    return sameText(kept.token, token);
  }

  get(deviceId: string): PairedDevice | undefined {
    return this.#devices.get(deviceId);
  }

  /** Newest approval first. */
  paired(): readonly PairedDevice[] {
    return [...this.#devices.paired()].sort((a, b) => b.approvedAtMs - a.approvedAtMs);
  }

  /** Newest first, without those that nobody answered in time. */
  pending(): readonly PairingRequest[] {
    const alive: PairingRequest[] = [];
    for (const request of this.#devices.pending()) {
      if (this.#now() - request.ts > PAIRING_TTL_MS) this.#devices.removeRequest(request.requestId);
      else alive.push(request);
    }
    return alive.sort((a, b) => b.ts - a.ts);
  }

  /** The request behind an id. Throws for one that is unknown or expired. */
  request(requestId: string): PairingRequest {
    const request = this.pending().find((pending) => pending.requestId === requestId);
    if (request === undefined) throw invalid("unknown requestId");
    return request;
  }

  approve(requestId: string): PairedDevice {
    return this.#approve(this.request(requestId), "owner");
  }

  reject(requestId: string): PairingRequest {
    const request = this.request(requestId);
    this.#devices.removeRequest(requestId);
    this.#resolved(request, "rejected");
    return request;
  }

  /** Forgets a device and ends its connections. Throws for an unknown one. */
  remove(deviceId: string): void {
    if (!this.#devices.removeDevice(deviceId)) throw invalid("unknown deviceId");
    const pending = this.#devices.requestOf(deviceId);
    if (pending !== undefined) this.#devices.removeRequest(pending.requestId);
    this.#invalidated(deviceId, "device removed");
  }

  rename(deviceId: string, label: string): void {
    const device = this.#devices.get(deviceId);
    if (device === undefined) throw invalid("unknown deviceId");
    this.#devices.saveDevice({ ...device, label });
  }

  /** Replaces a token; the old one ends at once. Never grants more than the device was approved for. */
  rotate(deviceId: string, role: Role, scopes?: readonly string[]): DeviceToken {
    const { device, token } = this.#tokenOf(deviceId, role);
    const wanted = scopes ?? token.scopes;
    if (!covers(device.scopes, wanted)) throw invalid("unknown deviceId/role");
    const now = this.#now();
    const fresh = { ...issue(role, wanted, now), createdAtMs: token.createdAtMs, rotatedAtMs: now };
    this.#devices.saveDevice({ ...device, tokens: { ...device.tokens, [role]: fresh } });
    this.#invalidated(deviceId, "device token rotated");
    return fresh;
  }

  revoke(deviceId: string, role: Role): DeviceToken & { readonly revokedAtMs: number } {
    const { device, token } = this.#tokenOf(deviceId, role);
    const revoked = { ...token, revokedAtMs: this.#now() };
    this.#devices.saveDevice({ ...device, tokens: { ...device.tokens, [role]: revoked } });
    this.#invalidated(deviceId, "device token revoked");
    return revoked;
  }

  #tokenOf(deviceId: string, role: Role): { device: PairedDevice; token: DeviceToken } {
    const device = this.#devices.get(deviceId);
    const token = device?.tokens[role];
    if (device === undefined || token === undefined) throw invalid("unknown deviceId/role");
    return { device, token };
  }

  /** Stores the request, merged into an older one of the same device. */
  #ask(arrival: Arrival, isRepair: boolean): PairingRequest {
    const older = this.pending().find(({ deviceId }) => deviceId === arrival.deviceId);
    const request: PairingRequest = {
      ...arrival,
      requestId: older?.requestId ?? randomUUID(),
      roles: union(older?.roles ?? [], [arrival.role]),
      scopes: union(older?.scopes ?? [], arrival.scopes),
      silent: arrival.silent && (older?.silent ?? true),
      isRepair: isRepair || (older?.isRepair ?? false),
      ts: this.#now(),
    };
    this.#devices.saveRequest(request);
    if (older === undefined && !request.silent) {
      this.#log.info("A device asks to be paired", {
        requestId: request.requestId,
        deviceId: request.deviceId,
        role: request.role,
        scopes: request.scopes.join(" "),
      });
      this.#bus.publish({ name: "device.pair.requested", payload: wireRequest(request) });
    }
    return request;
  }

  #approve(request: PairingRequest, approvedVia: PairedDevice["approvedVia"]): PairedDevice {
    const now = this.#now();
    const known = this.#devices.get(request.deviceId);
    const scopes = union(known?.scopes ?? [], request.scopes);
    const older = known?.tokens[request.role];
    const token = issue(
      request.role,
      request.scopes.length > 0 ? request.scopes : older?.scopes ?? [],
      now,
    );
    const { requestId, role: _role, silent: _silent, isRepair: _repair, ts: _ts, ...described } =
      request;
    const device: PairedDevice = {
      ...described,
      ...(known?.label === undefined ? {} : { label: known.label }),
      roles: union(known?.roles ?? [], request.roles),
      scopes,
      tokens: {
        ...known?.tokens,
        [request.role]: older === undefined || older.revokedAtMs !== undefined
          ? token
          // The token itself stays: approving more rights must not lock out the device's other programs.
          : { ...older, scopes: [...union(older.scopes, token.scopes)].sort() },
      },
      createdAtMs: known?.createdAtMs ?? now,
      approvedAtMs: now,
      approvedVia,
    };
    this.#devices.saveDevice(device);
    this.#devices.removeRequest(requestId);
    this.#resolved(request, "approved");
    this.#log.info("A device was paired", { deviceId: device.deviceId, via: approvedVia });
    return device;
  }

  #welcome(device: PairedDevice, arrival: Arrival): { device: PairedDevice; token: DeviceToken } {
    const now = this.#now();
    const kept = device.tokens[arrival.role];
    const usable = kept !== undefined && kept.revokedAtMs === undefined &&
      covers(kept.scopes, arrival.scopes);
    const token = {
      ...(usable ? kept : issue(arrival.role, arrival.scopes, now)),
      lastUsedAtMs: now,
    };
    const { displayName, clientId, clientMode, remoteIp, platform, deviceFamily } = arrival;
    const seen: PairedDevice = {
      ...device,
      ...(displayName === undefined ? {} : { displayName }),
      clientId,
      clientMode,
      remoteIp,
      platform: device.platform || platform,
      deviceFamily: device.deviceFamily || deviceFamily,
      tokens: { ...device.tokens, [arrival.role]: token },
      lastSeenAtMs: now,
    };
    this.#devices.saveDevice(seen);
    return { device: seen, token };
  }

  #resolved({ requestId, deviceId }: PairingRequest, decision: "approved" | "rejected"): void {
    this.#bus.publish({
      name: "device.pair.resolved",
      payload: { requestId, deviceId, decision, ts: this.#now() },
    });
  }
}

/** What must be approved before the device may come in as it asks to. */
function reasonToPair(
  known: PairedDevice | undefined,
  arrival: Arrival,
  byToken: boolean,
): PairingReason | undefined {
  if (known === undefined || known.publicKey !== arrival.publicKey) return "not-paired";
  if (differs(known.platform, arrival.platform)) return "metadata-upgrade";
  // Clients of protocol 3 never name a family: silence is no claim, and no reason to ask.
  if (arrival.deviceFamily !== undefined && differs(known.deviceFamily, arrival.deviceFamily)) {
    return "metadata-upgrade";
  }
  if (!known.roles.includes(arrival.role)) return "role-upgrade";
  // A revoked token does not come back by itself, not even on the owner's machine.
  if (known.tokens[arrival.role]?.revokedAtMs !== undefined) return "role-upgrade";
  const held = byToken ? known.tokens[arrival.role]?.scopes ?? [] : known.scopes;
  return covers(held, arrival.scopes) ? undefined : "scope-upgrade";
}

/** Whether a claim contradicts what the device was approved as. */
function differs(pinned: string | undefined, claimed: string | undefined): boolean {
  const kept = normaliseClaim(pinned);
  return kept !== "" && kept !== normaliseClaim(claimed);
}

function issue(role: Role, scopes: readonly string[], now: number): DeviceToken {
  const token = randomBytes(32).toString("base64url");
  return { token, role, scopes: [...scopes].sort(), createdAtMs: now };
}

function union<T>(a: readonly T[], b: readonly T[]): readonly T[] {
  return [...new Set([...a, ...b])];
}

/** A pairing request as clients see it. */
export function wireRequest(request: PairingRequest) {
  return { ...request, roles: [...request.roles], scopes: [...request.scopes] };
}

/** A paired device as clients see it: tokens described, never shown. */
export function wireDevice({ tokens, roles, scopes, ...device }: PairedDevice) {
  return {
    ...device,
    role: roles[0],
    roles: [...roles],
    scopes: [...scopes],
    tokens: Object.values(tokens).map(({ token: _secret, ...described }) => ({
      ...described,
      scopes: [...described.scopes],
    })),
  };
}
