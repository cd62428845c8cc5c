/** Devices that lend their abilities: who is connected, and what waits for approval. */
import { createHash } from "node:crypto";
import type { NodeEntry, NodePairRequest } from "../../schemas/nodes.ts";
import type { Caller } from "../caller.ts";
import type { Bus } from "../event.ts";
import type { Pairing } from "./pairing.ts";

/** Commands that let an operator act as the node's user: approving them is an admin's to do. */
const ADMIN_COMMANDS =
  /^(system\.(run|run\.prepare|which|execApprovals\..*)|browser\.proxy.*|fs\.listDir)$/;

/** The connected nodes. Each declares a surface; none is used before it is approved. */
export class Nodes {
  readonly #pairing: Pairing;
  readonly #bus: Bus;
  readonly #connected = new Map<string, Caller>();

  constructor(pairing: Pairing, bus: Bus) {
    this.#pairing = pairing;
    this.#bus = bus;
  }

  connected(caller: Caller): void {
    if (caller.deviceId === undefined) return;
    this.#connected.set(caller.deviceId, caller);
    this.#bus.publish({ name: "node.pair.requested", payload: requestOf(caller) });
  }

  disconnected(caller: Caller): void {
    const { deviceId } = caller;
    if (deviceId === undefined || this.#connected.get(deviceId) !== caller) return;
    this.#connected.delete(deviceId);
  }

  /** Connected ones first, then by name. */
  list(): readonly NodeEntry[] {
    const paired = this.#pairing.paired().filter(({ roles }) => roles.includes("node"));
    const rows = paired.map((device): NodeEntry => {
      const caller = this.#connected.get(device.deviceId);
      const request = caller === undefined ? undefined : requestOf(caller);
      return {
        nodeId: device.deviceId,
        ...pick("displayName", device.label ?? device.displayName),
        ...pick("platform", device.platform),
        ...pick("deviceFamily", device.deviceFamily),
        ...pick("version", caller?.client.version),
        ...pick("modelIdentifier", caller?.client.modelIdentifier),
        ...pick("clientId", device.clientId),
        ...pick("clientMode", device.clientMode),
        ...pick("remoteIp", device.remoteIp),
        caps: [],
        commands: [],
        paired: true,
        connected: caller !== undefined,
        ...pick("connectedAtMs", caller?.connectedAtMs),
        ...pick("lastSeenAtMs", device.lastSeenAtMs),
        approvalState: "pending-approval",
        ...pick("pendingRequestId", request?.requestId),
        ...pick("pendingDeclaredCaps", request?.caps),
        ...pick("pendingDeclaredCommands", request?.commands),
      };
    });
    return rows.sort((a, b) =>
      Number(b.connected) - Number(a.connected) ||
      (a.displayName ?? a.nodeId).localeCompare(b.displayName ?? b.nodeId)
    );
  }

  /** What connected nodes would like to be approved for, newest first. */
  pending(): readonly NodePairRequest[] {
    return [...this.#connected.values()].map(requestOf).sort((a, b) => b.ts - a.ts);
  }
}

function requestOf(
  { deviceId = "", client, surface, remoteIp, connectedAtMs }: Caller,
): NodePairRequest {
  const caps = surface?.caps ?? [];
  const commands = surface?.commands ?? [];
  return {
    requestId: requestId(deviceId, caps, commands),
    nodeId: deviceId,
    displayName: client.displayName ?? client.id,
    platform: client.platform,
    version: client.version,
    ...pick("deviceFamily", client.deviceFamily),
    clientId: client.id,
    clientMode: client.mode,
    remoteIp,
    caps,
    commands,
    ...pick("permissions", surface?.permissions),
    requiredApproveScopes: scopesToApprove(commands),
    silent: false,
    ts: connectedAtMs,
  };
}

/** The same surface of the same node keeps its id, however often it reconnects. */
function requestId(nodeId: string, caps: readonly string[], commands: readonly string[]): string {
  const text = JSON.stringify([nodeId, [...caps].sort(), [...commands].sort()]);
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}

function scopesToApprove(commands: readonly string[]): readonly string[] {
  if (commands.some((command) => ADMIN_COMMANDS.test(command))) {
    return ["operator.pairing", "operator.admin"];
  }
  return commands.length === 0 ? ["operator.pairing"] : ["operator.pairing", "operator.write"];
}

function pick<K extends string, V>(name: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : { [name]: value } as { [P in K]: V };
}
