/** The devices that may connect, those that ask to, and what nodes lend. */
import type { HelloOk } from "../../schemas/connect.ts";
import type { DevicePairRequest, PairedDevice } from "../../schemas/devices.ts";
import type { EventFrame } from "../../schemas/frames.ts";
import type { NodePairRequest, PairedNode } from "../../schemas/nodes.ts";
import { ConnectionError, isEvent } from "../client/client.ts";
import { Cell } from "./cell.ts";
import type { Requests } from "./link.ts";

export interface DevicesState {
  /** `closed` where this page was not given the right to see devices. */
  readonly phase: "loading" | "ready" | "failed" | "closed";
  readonly problem?: string;
  readonly pending: readonly DevicePairRequest[];
  readonly paired: readonly PairedDevice[];
  /** Nodes that would like to lend more than was approved. */
  readonly wishes: readonly NodePairRequest[];
  /** What nodes lend. */
  readonly nodes: readonly PairedNode[];
}

const NOTHING = { pending: [], paired: [], wishes: [], nodes: [] } as const;

export class Devices {
  readonly state: Cell<DevicesState> = new Cell<DevicesState>({ phase: "loading", ...NOTHING });
  readonly #requests: Requests;
  #isReading = false;
  /** Something happened since the lists on their way were asked for. */
  #isStale = false;

  constructor(requests: Requests) {
    this.#requests = requests;
  }

  /** Takes note of what this connection may do. */
  begin({ auth }: HelloOk): void {
    const { scopes = [] } = auth ?? {};
    const maySee = scopes.includes("operator.admin") || scopes.includes("operator.pairing");
    if (!maySee) this.state.set({ phase: "closed", ...NOTHING });
    else if (this.state.value.phase === "closed") this.state.set({ phase: "loading", ...NOTHING });
  }

  async read(): Promise<void> {
    if (this.state.value.phase === "closed") return;
    this.#isStale = this.#isReading;
    if (this.#isReading) return;
    this.#isReading = true;
    try {
      const [devices, nodes] = await Promise.all([
        this.#requests.request("device.pair.list", {}),
        this.#requests.request("node.pair.list", {}),
      ]);
      const { pending, paired } = devices;
      this.state.set({
        phase: "ready",
        pending,
        paired,
        wishes: nodes.pending,
        nodes: nodes.paired,
      });
    } catch (error) {
      if (error instanceof ConnectionError && error.kind === "closed") return; // asked again later
      const problem = error instanceof Error ? error.message : String(error);
      this.state.change((state) => ({ ...state, phase: "failed", problem }));
    } finally {
      this.#isReading = false;
      if (this.#isStale) void this.read();
    }
  }

  async approve(requestId: string): Promise<void> {
    await this.#requests.request("device.pair.approve", { requestId });
    await this.read();
  }

  async reject(requestId: string): Promise<void> {
    await this.#requests.request("device.pair.reject", { requestId });
    await this.read();
  }

  /** Lets the agent use what a node asks to lend. */
  async grant(requestId: string): Promise<void> {
    await this.#requests.request("node.pair.approve", { requestId });
    await this.read();
  }

  async deny(requestId: string): Promise<void> {
    await this.#requests.request("node.pair.reject", { requestId });
    await this.read();
  }

  /** Takes back what a device may do; it stays in the list, and may ask anew. */
  async revoke({ deviceId, tokens = [] }: PairedDevice): Promise<void> {
    for (const { role, revokedAtMs } of tokens) {
      if (revokedAtMs !== undefined) continue;
      await this.#requests.request("device.token.revoke", { deviceId, role });
    }
    await this.read();
  }

  async remove(deviceId: string): Promise<void> {
    await this.#requests.request("device.pair.remove", { deviceId });
    await this.read();
  }

  async rename(deviceId: string, label: string): Promise<void> {
    await this.#requests.request("device.pair.rename", { deviceId, label });
    await this.read();
  }

  hear(event: EventFrame): void {
    if (TELLING.some((name) => isEvent(event, name))) void this.read();
  }
}

/** After these the lists may be others. Who is connected, `presence` tells. */
const TELLING = [
  "device.pair.requested",
  "device.pair.resolved",
  "device.pair.setup.completed",
  "node.pair.requested",
  "node.pair.resolved",
  "presence",
] as const;

/** Why a device can't just come in, in plain words. */
export interface PairingReason {
  readonly title: string;
  readonly text: string;
  /** What it would get that it does not have. */
  readonly scopes: readonly string[];
  readonly roles: readonly string[];
}

/** Why a device asks, and what it would be given, by what it has. */
export function reasonOf(
  request: DevicePairRequest,
  paired: readonly PairedDevice[],
): PairingReason {
  const roles = request.roles ?? [request.role ?? "operator"];
  const { scopes = [] } = request;
  const known = paired.find(({ deviceId }) => deviceId === request.deviceId);
  if (known === undefined) {
    const text = "It has never been here. Approve it only if you know whose it is.";
    return { title: "New device", text, scopes, roles };
  }
  const live = (known.tokens ?? []).filter(({ revokedAtMs }) => revokedAtMs === undefined);
  const newRoles = roles.filter((role) => !live.some((token) => token.role === role));
  const newScopes = scopes.filter((scope) => !includes(known.scopes ?? [], scope));
  const gets = { scopes: newScopes, roles: newRoles };
  if (newRoles.some((role) => known.tokens?.some((token) => token.role === role))) {
    return { title: "Was revoked", text: "It asks to be let in again.", ...gets };
  }
  if (newRoles.length > 0) {
    return { title: "Another role", text: "It is approved, and asks to be more.", ...gets };
  }
  if (newScopes.length > 0) {
    return { title: "More rights", text: "It is approved, and asks to be allowed more.", ...gets };
  }
  const [was, is] = [known.platform, request.platform];
  const text = was === is || was === undefined || is === undefined
    ? "It is approved, and asks to be approved as it is now."
    : `It was approved on ${was}, and says that it is on ${is} now. If you have not changed ` +
      "that, somebody else may have its key.";
  return { title: "Changed device", text, ...gets };
}

/** Whether these rights include one, as the gateway counts them. */
function includes(scopes: readonly string[], scope: string): boolean {
  return scopes.includes(scope) || scopes.includes("operator.admin") ||
    scopes.includes("operator.write") && (scope === "operator.read" || scope === "operator.talk");
}

/** What a device is called: by its owner, by itself, or by its kind. */
export function deviceName(device: DevicePairRequest | PairedDevice | NodePairRequest): string {
  if ("label" in device && device.label) return device.label;
  if (device.displayName) return device.displayName;
  const client = CLIENTS[device.clientId ?? ""] ?? device.clientId ?? "Unknown client";
  return device.platform ? `${client} on ${device.platform}` : client;
}

const CLIENTS: Readonly<Record<string, string>> = {
  "webchat-ui": "Browser",
  "openclaw-control-ui": "Control page",
  "openclaw-tui": "Terminal chat",
  "openclaw-macos": "Mac app",
  "openclaw-ios": "iPhone or iPad app",
  "openclaw-android": "Android app",
  "openclaw-linux": "Linux app",
  "openclaw-watchos": "Watch app",
  "node-host": "Node host",
  "gateway-client": "Gateway client",
  cli: "Command line",
};

/** A right in plain words. */
export function scopeInWords(scope: string): string {
  return SCOPES[scope] ?? scope;
}

const SCOPES: Readonly<Record<string, string>> = {
  "operator.admin": "Everything: settings, agents, deleting conversations",
  "operator.read": "Read conversations and status",
  "operator.write": "Send messages and let the agent act",
  "operator.approvals": "Approve commands that the agent wants to run",
  "operator.pairing": "Approve and revoke devices",
  "operator.questions": "Answer the agent's questions",
  "operator.talk": "Voice conversations",
  "operator.talk.secrets": "Keys of voice services",
};

/** A role in plain words. */
export function roleInWords(role: string): string {
  switch (role) {
    case "operator":
      return "Operator: steers the gateway";
    case "node":
      return "Node: the agent uses what this device can do";
    default:
      return role;
  }
}
