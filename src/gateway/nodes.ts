/** Devices that lend their abilities: who is connected, what was approved, and what waits for it. */
import { randomUUID } from "node:crypto";
import type {
  NodeEntry,
  NodePairRequest,
  NodePluginTool,
  PairedNode,
} from "../../schemas/nodes.ts";
import type { Caller, NodeSurface } from "../caller.ts";
import type { PairedDevice } from "../device.ts";
import { invalid } from "../error.ts";
import type { Bus } from "../event.ts";
import {
  type CommandPolicy,
  common,
  isWithin,
  type NodeRecord,
  offered,
  scopesToApprove,
  type SurfaceRequest,
} from "../node.ts";
import type { Pairing } from "./pairing.ts";

/** What a node that declares nothing has. */
const NOTHING: NodeSurface = { caps: [], commands: [] };

/** A node on the line. */
interface Live {
  readonly caller: Caller;
  /** What its plugins lend; only what goes by an approved command is shown. */
  tools: readonly NodePluginTool[];
}

/** A node's wish, with the device that has it. */
interface Asking {
  readonly device: PairedDevice;
  readonly asked: SurfaceRequest;
}

/**
 * The nodes. Each declares what it can do, when it connects; what of it may be used is what was
 * approved, and only as long as the owner's configuration lets nodes of that kind offer it.
 */
export class Nodes {
  readonly #pairing: Pairing;
  readonly #bus: Bus;
  readonly #policy: () => CommandPolicy;
  readonly #now: () => number;
  readonly #live = new Map<string, Live>();

  constructor(pairing: Pairing, { bus, policy, now = Date.now }: {
    bus: Bus;
    policy: () => CommandPolicy;
    now?: () => number;
  }) {
    this.#pairing = pairing;
    this.#bus = bus;
    this.#policy = policy;
    this.#now = now;
  }

  /** Takes a node up, and keeps its wish for an operator where it offers more than was approved. */
  connected(caller: Caller): void {
    const device = caller.deviceId === undefined ? undefined : this.#pairing.get(caller.deviceId);
    if (device === undefined) return;
    const { deviceId } = device;
    this.#live.set(deviceId, { caller, tools: [] });
    const declared = this.#declared(device);
    const { asked: older, ...record } = device.node ?? {};
    const asked = this.#wish(declared, record, older);
    const { version, modelIdentifier } = caller.client;
    this.#pairing.keepNode(deviceId, {
      ...record,
      ...(asked && { asked }),
      version,
      ...(modelIdentifier && { modelIdentifier }),
      lastConnectedAtMs: this.#now(),
    });
    if (older !== undefined && older !== asked) this.#resolved(deviceId, older, "rejected");
    if (asked !== undefined && asked !== older) {
      this.#bus.publish({ name: "node.pair.requested", payload: wireAsking({ device, asked }) });
    }
  }

  disconnected({ deviceId, connId }: Caller): void {
    if (deviceId === undefined || this.#live.get(deviceId)?.caller.connId !== connId) return;
    this.#live.delete(deviceId);
    const node = this.#pairing.get(deviceId)?.node;
    if (node === undefined) return;
    this.#pairing.keepNode(deviceId, { ...node, lastDisconnectedAtMs: this.#now() });
  }

  /** Uses a node no more from now on, although its connection is still being closed. */
  cut(deviceId: string): void {
    this.#live.delete(deviceId);
  }

  /** What may be asked of a node now: nothing, where it is not connected or not approved. */
  surface(nodeId: string): NodeSurface {
    const device = this.#live.has(nodeId) ? this.#pairing.get(nodeId) : undefined;
    return device === undefined ? NOTHING : common(this.#declared(device), device.node?.approved);
  }

  /** Whether an operator ever approved something of the node, be it that it offers nothing. */
  isApproved(nodeId: string): boolean {
    return this.#pairing.get(nodeId)?.node?.approved !== undefined;
  }

  /** Keeps what a node's plugins lend. Returns what of it is in use: what goes by its surface. */
  lend(nodeId: string, tools: readonly NodePluginTool[]): readonly NodePluginTool[] {
    const live = this.#live.get(nodeId);
    if (live !== undefined) live.tools = tools;
    return this.#toolsOf(nodeId);
  }

  /** Connected ones first, then by name. */
  list(): readonly NodeEntry[] {
    const rows = this.#devices().map((device) => this.#entry(device));
    return rows.sort((a, b) =>
      Number(b.connected) - Number(a.connected) ||
      (a.displayName ?? a.nodeId).localeCompare(b.displayName ?? b.nodeId)
    );
  }

  /** What nodes would like to be approved for, newest first. */
  pending(): readonly NodePairRequest[] {
    return this.#asking().map(wireAsking).sort((a, b) => b.ts - a.ts);
  }

  /** Those of which something was approved, newest first. */
  paired(): readonly PairedNode[] {
    return this.#devices().flatMap((device) => device.node?.approved ? [wireNode(device)] : [])
      .sort((a, b) => b.approvedAtMs - a.approvedAtMs);
  }

  /** The wish behind an id. Throws for one that is unknown or was replaced. */
  request(requestId: string): NodePairRequest {
    return wireAsking(this.#named(requestId));
  }

  /** Lends what was asked for, from this moment on; the node is told. */
  approve(requestId: string): PairedNode {
    const { device, asked } = this.#named(requestId);
    const node = this.#approve(device, asked);
    this.#resolved(device.deviceId, asked, "approved");
    return node;
  }

  /** Approves what a device declares with the setup code that an admin made for it. */
  approveFirst(deviceId: string, surface: NodeSurface): void {
    const device = this.#pairing.get(deviceId);
    if (device !== undefined) this.#approve(device, offered(surface, device, this.#policy()));
  }

  /** Turns a wish down; what was approved before stays. */
  reject(requestId: string): NodePairRequest {
    const { device, asked } = this.#named(requestId);
    const { asked: _asked, ...node } = device.node ?? {};
    this.#pairing.keepNode(device.deviceId, node);
    this.#resolved(device.deviceId, asked, "rejected");
    return wireAsking({ device, asked });
  }

  /** Ends that a device is a node, and its connections. Throws for one that is none. */
  remove(nodeId: string): void {
    const { node } = this.#nodeOf(nodeId);
    this.#pairing.removeRole(nodeId, "node");
    this.#resolved(nodeId, node?.asked ?? { requestId: "" }, "removed");
  }

  /** Returns the name as it is kept. */
  rename(nodeId: string, displayName: string): string {
    return this.#pairing.rename(this.#nodeOf(nodeId).deviceId, displayName);
  }

  #nodeOf(nodeId: string): PairedDevice {
    const device = this.#pairing.get(nodeId);
    if (device === undefined || !device.roles.includes("node")) throw invalid("unknown nodeId");
    return device;
  }

  #devices(): readonly PairedDevice[] {
    return this.#pairing.paired().filter(({ roles }) => roles.includes("node"));
  }

  #asking(): readonly Asking[] {
    return this.#devices().flatMap((device) => {
      const asked = device.node?.asked;
      return asked === undefined ? [] : [{ device, asked }];
    });
  }

  #named(requestId: string): Asking {
    const asking = this.#asking().find(({ asked }) => asked.requestId === requestId);
    if (asking === undefined) throw invalid("unknown requestId");
    return asking;
  }

  #declared(device: PairedDevice): NodeSurface {
    const surface = this.#live.get(device.deviceId)?.caller.surface ?? NOTHING;
    return offered(surface, device, this.#policy());
  }

  /** What an operator must be asked for; the older wish where it is the same. */
  #wish(
    declared: NodeSurface,
    { approved }: NodeRecord,
    older: SurfaceRequest | undefined,
  ): SurfaceRequest | undefined {
    if (approved !== undefined && isWithin(declared, approved)) return undefined;
    if (older !== undefined && isWithin(declared, older) && isWithin(older, declared)) return older;
    return { ...declared, requestId: randomUUID(), ts: this.#now() };
  }

  #approve(
    { deviceId, node: { asked: _asked, ...record } = {} }: PairedDevice,
    { caps, commands, permissions }: NodeSurface,
  ): PairedNode {
    const now = this.#now();
    const approved = {
      caps,
      commands,
      ...(permissions && { permissions }),
      createdAtMs: record.approved?.createdAtMs ?? now,
      approvedAtMs: now,
    };
    this.#pairing.keepNode(deviceId, { ...record, approved });
    return wireNode(this.#nodeOf(deviceId));
  }

  #toolsOf(nodeId: string): readonly NodePluginTool[] {
    const { commands } = this.surface(nodeId);
    const tools = this.#live.get(nodeId)?.tools ?? [];
    return tools.filter(({ command }) => command !== undefined && commands.includes(command));
  }

  #entry(device: PairedDevice): NodeEntry {
    const { deviceId, node = {} } = device;
    const { approved, asked } = node;
    const caller = this.#live.get(deviceId)?.caller;
    const { caps, commands, permissions } = caller === undefined
      ? offered(approved ?? NOTHING, device, this.#policy())
      : this.surface(deviceId);
    return {
      ...describe(device),
      ...pick("modelIdentifier", node.modelIdentifier),
      caps: caps.toSorted(),
      commands: commands.toSorted(),
      ...pick("permissions", permissions),
      paired: true,
      connected: caller !== undefined,
      ...(caller === undefined ? {} : { nodePluginTools: this.#toolsOf(deviceId) }),
      ...pick("connectedAtMs", caller?.connectedAtMs),
      ...pick("lastConnectedAtMs", node.lastConnectedAtMs),
      ...pick("lastSeenAtMs", device.lastSeenAtMs),
      approvedAtMs: approved?.approvedAtMs ?? device.approvedAtMs,
      approvalState: approved === undefined
        ? "pending-approval"
        : asked === undefined
        ? "approved"
        : "pending-reapproval",
      ...(asked === undefined ? {} : {
        pendingRequestId: asked.requestId,
        pendingDeclaredCaps: asked.caps.toSorted(),
        pendingDeclaredCommands: asked.commands.toSorted(),
        ...pick("pendingDeclaredPermissions", asked.permissions),
      }),
    };
  }

  /** Tells the operators, and the node itself, which has been waiting for it. */
  #resolved(
    nodeId: string,
    { requestId }: Pick<SurfaceRequest, "requestId">,
    decision: "approved" | "rejected" | "removed",
  ): void {
    const payload = { requestId, nodeId, decision, ts: this.#now() };
    this.#bus.publish({ name: "node.pair.resolved", payload });
    this.#bus.publish({ name: "node.pair.resolved", payload, audience: { nodeId } });
  }
}

function describe(device: PairedDevice) {
  return {
    nodeId: device.deviceId,
    ...pick("displayName", device.label ?? device.displayName ?? device.clientId),
    ...pick("platform", device.platform),
    ...pick("deviceFamily", device.deviceFamily),
    ...pick("version", device.node?.version),
    ...pick("clientId", device.clientId),
    ...pick("clientMode", device.clientMode),
    ...pick("remoteIp", device.remoteIp),
  };
}

function wireAsking({ device, asked }: Asking): NodePairRequest {
  return { ...describe(device), ...asked, requiredApproveScopes: scopesToApprove(asked.commands) };
}

function wireNode(device: PairedDevice): PairedNode {
  const { approved, lastConnectedAtMs, lastDisconnectedAtMs } = device.node ?? {};
  return {
    ...describe(device),
    ...NOTHING,
    ...(approved ?? { createdAtMs: device.createdAtMs, approvedAtMs: device.approvedAtMs }),
    ...pick("lastConnectedAtMs", lastConnectedAtMs),
    ...pick("lastDisconnectedAtMs", lastDisconnectedAtMs),
    ...pick("lastSeenAtMs", device.lastSeenAtMs),
  };
}

function pick<K extends string, V>(name: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : { [name]: value } as { [P in K]: V };
}
