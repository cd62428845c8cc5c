/** The devices that may connect, and those that ask to. */
import type { DevicePairRequest, PairedDevice } from "../../schemas/devices.ts";
import type { EventFrame } from "../../schemas/frames.ts";
import { ConnectionError, isEvent } from "../client/client.ts";
import { Cell } from "./cell.ts";
import type { Requests } from "./link.ts";

export interface DevicesState {
  readonly phase: "loading" | "ready" | "failed";
  readonly problem?: string;
  readonly pending: readonly DevicePairRequest[];
  readonly paired: readonly PairedDevice[];
}

export class Devices {
  readonly state: Cell<DevicesState> = new Cell<DevicesState>({
    phase: "loading",
    pending: [],
    paired: [],
  });
  readonly #requests: Requests;

  constructor(requests: Requests) {
    this.#requests = requests;
  }

  async read(): Promise<void> {
    try {
      const { pending, paired } = await this.#requests.request("device.pair.list", {});
      this.state.set({ phase: "ready", pending, paired });
    } catch (error) {
      if (error instanceof ConnectionError && error.kind === "closed") return; // asked again later
      const problem = error instanceof Error ? error.message : String(error);
      this.state.change((state) => ({ ...state, phase: "failed", problem }));
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

  async revoke(deviceId: string): Promise<void> {
    await this.#requests.request("device.pair.remove", { deviceId });
    await this.read();
  }

  async rename(deviceId: string, label: string): Promise<void> {
    await this.#requests.request("device.pair.rename", { deviceId, label });
    await this.read();
  }

  hear(event: EventFrame): void {
    if (isEvent(event, "device.pair.requested") || isEvent(event, "device.pair.resolved")) {
      void this.read();
    }
  }
}

/** What a device is called: by its owner, by itself, or by its kind. */
export function deviceName(device: DevicePairRequest | PairedDevice): string {
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
