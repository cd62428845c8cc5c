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
} from "../device.ts";
import { invalid } from "../error.ts";
import type { Bus } from "../event.ts";
import type { Log } from "../log.ts";
import type { NodeRecord } from "../node.ts";
import { sameText } from "../secret.ts";
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
  /** An app of the owner's, on this machine: its system may have got another name since. */
  readonly redescribed?: boolean;
  /** It came by its own token: the scopes of that token are all it has. */
  readonly byToken?: boolean;
}

/** What a device lost, so that its connections must end. */
export type Invalidation =
  | "device removed"
  | "device role removed"
  | "device token rotated"
  | "device token revoked";

/** Keeps the list of devices. Every change is on disk before it is told. */
export class Pairing {
  readonly #devices: Devices;
  readonly #bus: Bus;
  readonly #log: Log;
  readonly #invalidated: (deviceId: string, why: Invalidation) => void;
  readonly #now: () => number;

  constructor(devices: Devices, { bus, log, invalidated, now = Date.now }: {
    bus: Bus;
    log: Log;
    /** Called when a device lost a right: its connections must end. */
    invalidated: (deviceId: string, why: Invalidation) => void;
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
  admit({ byToken = false, redescribed = false, ...arrival }: Arrival):
    | { readonly device: PairedDevice; readonly token: DeviceToken }
    | { readonly refused: PairingReason; readonly request: PairingRequest } {
    const known = this.#devices.get(arrival.deviceId);
    const reason = reasonToPair(known, arrival, byToken);
    if (reason === undefined && known !== undefined) return this.#welcome(known, arrival);
    const settlesItself = reason === "not-paired" || reason === "scope-upgrade" ||
      reason === "metadata-upgrade" && redescribed;
    const silent = arrival.silent && settlesItself;
    const request = this.#ask({ ...arrival, silent }, known !== undefined);
    if (!request.silent) return { refused: reason ?? "not-paired", request };
    return this.#welcome(this.#approve(request, "silent"), arrival);
  }

  /**
   * Approves a device that showed a setup code, with what the code gives and no more. What it had
   * before it keeps, and a token that was revoked is replaced: somebody wants the device back.
   */
  enroll(
    arrival: DeviceDescription & Pick<Arrival, "deviceId" | "publicKey" | "role">,
    { roles, scopes }: { readonly roles: readonly Role[]; readonly scopes: readonly string[] },
  ): PairedDevice {
    const isRepair = this.#devices.get(arrival.deviceId) !== undefined;
    const request: PairingRequest = {
      ...arrival,
      requestId: this.#requestOf(arrival.deviceId)?.requestId ?? randomUUID(),
      roles,
      scopes,
      silent: true,
      isRepair,
      ts: this.#now(),
    };
    return this.#approve(request, "bootstrap");
  }

  /** Asks for more scopes in the name of a paired device, as its own connection wants them. */
  requestScopes(deviceId: string, scopes: readonly string[]): PairingRequest {
    const device = this.#deviceOf(deviceId);
    const { publicKey, displayName, platform, deviceFamily, clientId, clientMode, remoteIp } =
      device;
    const described = { displayName, platform, deviceFamily, clientId, clientMode, remoteIp };
    const asking = { deviceId, publicKey, role: "operator", scopes, silent: false } as const;
    return this.#ask({ ...described, ...asking }, true);
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

  /** The tokens that a device may use. */
  tokensOf(deviceId: string): readonly DeviceToken[] {
    const { tokens = {} } = this.#devices.get(deviceId) ?? {};
    return Object.values(tokens).filter(({ revokedAtMs }) => revokedAtMs === undefined);
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
    const pending = this.#requestOf(deviceId);
    if (pending !== undefined) {
      this.#devices.removeRequest(pending.requestId);
      this.#resolved(pending, "rejected");
    }
    this.#invalidated(deviceId, "device removed");
  }

  /** Takes one role from a device, with all that it had in it. Without another one it is removed. */
  removeRole(deviceId: string, role: Role): void {
    const device = this.#deviceOf(deviceId);
    const roles = device.roles.filter((other) => other !== role);
    if (roles.length === 0) return this.remove(deviceId);
    const { [role]: _token, ...tokens } = device.tokens;
    this.#devices.saveDevice({ ...withoutRights(device, role), roles, tokens });
    this.#invalidated(deviceId, "device role removed");
  }

  /** Returns the label as it is kept. */
  rename(deviceId: string, label: string): string {
    const kept = label.trim();
    if (kept === "") throw invalid("a label must not be blank");
    this.#devices.saveDevice({ ...this.#deviceOf(deviceId), label: kept });
    return kept;
  }

  /** Keeps what a device lends as a node. */
  keepNode(deviceId: string, node: NodeRecord): void {
    this.#devices.saveDevice({ ...this.#deviceOf(deviceId), node });
  }

  /** Replaces a token; the old one ends at once. Never grants more than the device was approved for. */
  rotate(deviceId: string, role: Role, scopes?: readonly string[]): DeviceToken {
    const { device, token } = this.#tokenOf(deviceId, role);
    const wanted = scopes ?? token.scopes;
    if (token.revokedAtMs !== undefined || !covers(device.scopes, wanted)) {
      throw invalid("unknown deviceId/role");
    }
    const now = this.#now();
    const fresh = { ...issue(role, wanted, now), createdAtMs: token.createdAtMs, rotatedAtMs: now };
    this.#devices.saveDevice({ ...device, tokens: { ...device.tokens, [role]: fresh } });
    this.#invalidated(deviceId, "device token rotated");
    return fresh;
  }

  /** Takes a token back, and what the device was approved for in that role: it must ask anew. */
  revoke(deviceId: string, role: Role): DeviceToken & { readonly revokedAtMs: number } {
    const { device, token } = this.#tokenOf(deviceId, role);
    const revoked = { ...token, revokedAtMs: this.#now() };
    const tokens = { ...device.tokens, [role]: revoked };
    this.#devices.saveDevice({ ...withoutRights(device, role), tokens });
    this.#invalidated(deviceId, "device token revoked");
    return revoked;
  }

  #deviceOf(deviceId: string): PairedDevice {
    const device = this.#devices.get(deviceId);
    if (device === undefined) throw invalid("unknown deviceId");
    return device;
  }

  /** What a device asks for, if that is not void. */
  #requestOf(deviceId: string): PairingRequest | undefined {
    return this.pending().find((request) => request.deviceId === deviceId);
  }

  #tokenOf(deviceId: string, role: Role): { device: PairedDevice; token: DeviceToken } {
    const device = this.#devices.get(deviceId);
    const token = device?.tokens[role];
    if (device === undefined || token === undefined) throw invalid("unknown deviceId/role");
    return { device, token };
  }

  /**
   * Stores the request, merged into an older one of the same device. Its id stands for the rights
   * that somebody read beside it: when more are asked for, it is another request.
   */
  #ask(arrival: Arrival, isRepair: boolean): PairingRequest {
    const older = this.#requestOf(arrival.deviceId);
    const isSame = older !== undefined && older.roles.includes(arrival.role) &&
      covers(older.scopes, arrival.scopes);
    const request: PairingRequest = {
      ...arrival,
      requestId: isSame ? older.requestId : randomUUID(),
      roles: union(older?.roles ?? [], [arrival.role]),
      scopes: union(older?.scopes ?? [], arrival.scopes),
      silent: arrival.silent && (older?.silent ?? true),
      isRepair: isRepair || (older?.isRepair ?? false),
      ts: this.#now(),
    };
    this.#devices.saveRequest(request);
    if (isSame) return request;
    if (older !== undefined) this.#resolved(older, "rejected");
    if (!request.silent) {
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
    const older = this.#devices.get(request.deviceId);
    // Another key under the same id is another device, and inherits nothing.
    const known = older?.publicKey === request.publicKey ? older : undefined;
    const { requestId, role: _role, silent: _silent, isRepair: _repair, ts: _ts, ...described } =
      request;
    const device: PairedDevice = {
      ...described,
      roles: union(known?.roles ?? [], request.roles),
      scopes: union(known?.scopes ?? [], request.scopes),
      tokens: this.#tokensFor(request, { known, now, all: approvedVia === "bootstrap" }),
      createdAtMs: known?.createdAtMs ?? now,
      approvedAtMs: now,
      approvedVia,
      ...(known?.label === undefined ? {} : { label: known.label }),
      ...(known?.lastSeenAtMs === undefined ? {} : { lastSeenAtMs: known.lastSeenAtMs }),
      ...(known?.node === undefined ? {} : { node: known.node }),
    };
    this.#devices.saveDevice(device);
    this.#devices.removeRequest(requestId);
    this.#resolved(request, "approved");
    this.#log.info("A device was paired", { deviceId: device.deviceId, via: approvedVia });
    return device;
  }

  /**
   * The tokens of a device after a request of it was approved: for the role that it came in, or for
   * all that it got. One that it has stays as it is: approving more rights must not lock out the
   * device's other programs.
   */
  #tokensFor(
    { role, roles, scopes }: PairingRequest,
    { known, now, all }: { known: PairedDevice | undefined; now: number; all: boolean },
  ): PairedDevice["tokens"] {
    const tokens = { ...known?.tokens };
    for (const wanted of all ? roles : [role]) {
      const own = wanted === "operator" ? scopes : [];
      const kept = tokens[wanted];
      tokens[wanted] = kept === undefined || kept.revokedAtMs !== undefined
        ? issue(wanted, own, now)
        : { ...kept, scopes: [...union(kept.scopes, own)].sort() };
    }
    return tokens;
  }

  #welcome(device: PairedDevice, arrival: Arrival): { device: PairedDevice; token: DeviceToken } {
    const now = this.#now();
    // One that somebody made narrower stays so, whatever the device was approved for.
    const kept = device.tokens[arrival.role] ?? issue(arrival.role, arrival.scopes, now);
    const token = { ...kept, lastUsedAtMs: now };
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

/** The device without what it was approved for in a role. */
function withoutRights({ node, ...device }: PairedDevice, role: Role): PairedDevice {
  return role === "node" ? device : { ...device, ...(node && { node }), scopes: [] };
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
export function wireDevice({ tokens, roles, scopes, node: _node, ...device }: PairedDevice) {
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
