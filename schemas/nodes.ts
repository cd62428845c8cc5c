/** Nodes: devices that the gateway steers. */
import { closed, event, mapOf, method, oneOf, type Wire } from "./contract.ts";
import { Count, NonEmpty } from "./frames.ts";
import * as Type from "./type.ts";

/** A tool that a plugin of a node lends. */
export const NodePluginTool = closed({
  pluginId: NonEmpty,
  name: Type.String({ pattern: "^[A-Za-z][A-Za-z0-9_-]{0,63}$" }),
  description: NonEmpty,
  parameters: Type.Optional(mapOf(Type.Unknown())),
  /** The node's command that carries it out. */
  command: Type.Optional(NonEmpty),
  mcp: Type.Optional(closed({ server: NonEmpty, tool: NonEmpty }, { $id: "NodeMcpTool" })),
}, { $id: "NodePluginTool" });
export type NodePluginTool = Wire<typeof NodePluginTool>;

/** A device that the gateway may steer. `nodeId` is its device id. */
export const NodeEntry = Type.Object({
  nodeId: NonEmpty,
  displayName: Type.Optional(Type.String()),
  platform: Type.Optional(Type.String()),
  version: Type.Optional(Type.String()),
  coreVersion: Type.Optional(Type.String()),
  uiVersion: Type.Optional(Type.String()),
  deviceFamily: Type.Optional(Type.String()),
  modelIdentifier: Type.Optional(Type.String()),
  clientId: Type.Optional(Type.String()),
  clientMode: Type.Optional(Type.String()),
  remoteIp: Type.Optional(Type.String()),
  caps: Type.Array(NonEmpty),
  commands: Type.Array(NonEmpty),
  pathEnv: Type.Optional(Type.String()),
  permissions: Type.Optional(mapOf(Type.Boolean())),
  paired: Type.Boolean(),
  connected: Type.Boolean(),
  connectedAtMs: Type.Optional(Count),
  lastSeenAtMs: Type.Optional(Count),
  approvedAtMs: Type.Optional(Count),
  lastConnectedAtMs: Type.Optional(Count),
  approvalState: Type.Optional(oneOf(["pending-approval", "pending-reapproval", "approved"])),
  pendingRequestId: Type.Optional(NonEmpty),
  pendingDeclaredCaps: Type.Optional(Type.Array(NonEmpty)),
  pendingDeclaredCommands: Type.Optional(Type.Array(NonEmpty)),
  pendingDeclaredPermissions: Type.Optional(mapOf(Type.Boolean())),
  nodePluginTools: Type.Optional(Type.Array(NodePluginTool)),
}, { $id: "NodeEntry" });
export type NodeEntry = Wire<typeof NodeEntry>;

/** A node that asks to be steered. */
export const NodePairRequest = Type.Object({
  requestId: NonEmpty,
  nodeId: NonEmpty,
  displayName: Type.Optional(Type.String()),
  platform: Type.Optional(Type.String()),
  version: Type.Optional(Type.String()),
  deviceFamily: Type.Optional(Type.String()),
  clientId: Type.Optional(Type.String()),
  clientMode: Type.Optional(Type.String()),
  remoteIp: Type.Optional(Type.String()),
  caps: Type.Optional(Type.Array(NonEmpty)),
  commands: Type.Optional(Type.Array(NonEmpty)),
  permissions: Type.Optional(mapOf(Type.Boolean())),
  requiredApproveScopes: Type.Optional(Type.Array(NonEmpty)),
  silent: Type.Optional(Type.Boolean()),
  ts: Count,
}, { $id: "NodePairRequest" });
export type NodePairRequest = Wire<typeof NodePairRequest>;

/** A node that may be steered. */
export const PairedNode = Type.Object({
  nodeId: NonEmpty,
  displayName: Type.Optional(Type.String()),
  platform: Type.Optional(Type.String()),
  version: Type.Optional(Type.String()),
  deviceFamily: Type.Optional(Type.String()),
  clientId: Type.Optional(Type.String()),
  clientMode: Type.Optional(Type.String()),
  remoteIp: Type.Optional(Type.String()),
  caps: Type.Optional(Type.Array(NonEmpty)),
  commands: Type.Optional(Type.Array(NonEmpty)),
  permissions: Type.Optional(mapOf(Type.Boolean())),
  createdAtMs: Count,
  approvedAtMs: Count,
  lastConnectedAtMs: Type.Optional(Count),
  lastDisconnectedAtMs: Type.Optional(Count),
  lastSeenAtMs: Type.Optional(Count),
}, { $id: "PairedNode" });
export type PairedNode = Wire<typeof PairedNode>;

export const NodeList = method("node.list", {
  access: "operator.read",
  params: closed({}),
  result: Type.Object({ ts: Count, nodes: Type.Array(NodeEntry) }),
});

export const NodeDescribe = method("node.describe", {
  access: "operator.read",
  params: closed({ nodeId: NonEmpty }),
  result: Type.Object({ ts: Count, ...NodeEntry.properties }),
});

export const NodePairList = method("node.pair.list", {
  access: "operator.pairing",
  audited: false,
  params: closed({}),
  result: Type.Object({
    pending: Type.Array(NodePairRequest),
    paired: Type.Array(PairedNode),
  }),
});

/** Lends what a node asked for. It takes the scopes that the request names. */
export const NodePairApprove = method("node.pair.approve", {
  access: "operator.pairing",
  params: closed({ requestId: NonEmpty }),
  result: Type.Object({ requestId: NonEmpty, node: PairedNode }),
});

export const NodePairReject = method("node.pair.reject", {
  access: "operator.pairing",
  params: closed({ requestId: NonEmpty }),
  result: Type.Object({ requestId: NonEmpty, nodeId: NonEmpty }),
});

/** Ends that a device is a node. What else it may do stays. */
export const NodePairRemove = method("node.pair.remove", {
  access: "operator.pairing",
  since: 4,
  params: closed({ nodeId: NonEmpty }),
  result: Type.Object({ nodeId: NonEmpty }),
});

export const NodeRename = method("node.rename", {
  access: "operator.pairing",
  params: closed({ nodeId: NonEmpty, displayName: Type.String({ minLength: 1, maxLength: 64 }) }),
  result: Type.Object({ nodeId: NonEmpty, displayName: NonEmpty }),
});

/** A node tells what happened on it. `payloadJSON` is the JSON text of the payload. */
export const NodeEvent = method("node.event", {
  access: "node",
  params: closed({
    event: NonEmpty,
    payload: Type.Optional(Type.Unknown()),
    payloadJSON: Type.Optional(Type.String()),
  }),
  result: Type.Object({
    ok: Type.Boolean(),
    event: Type.Optional(NonEmpty),
    handled: Type.Optional(Type.Boolean()),
    reason: Type.Optional(NonEmpty),
  }),
});

/** A node tells what it could run for us. */
export const NodeRunnerInventoryUpdate = method("node.runnerInventory.update", {
  access: "node",
  since: 4,
  advertised: false,
  params: closed({
    protocolFeatures: Type.Array(NonEmpty),
    workerHost: Type.Object({ enabled: Type.Boolean() }),
  }),
  result: Type.Object({ nodeId: NonEmpty }),
});

/** A node tells which skills it has. */
export const NodeSkillsUpdate = method("node.skills.update", {
  access: "node",
  since: 4,
  params: closed({
    skills: Type.Array(
      closed({
        name: Type.String({ minLength: 1, maxLength: 64 }),
        description: Type.String({ minLength: 1, maxLength: 1024 }),
        content: Type.String({ minLength: 1, maxLength: 65_536 }),
      }, { $id: "NodeSkill" }),
      { maxItems: 64 },
    ),
  }),
  result: Type.Object({ nodeId: NonEmpty, skills: Type.Array(Type.Unknown()) }),
});

/** A node tells which tools its plugins have. */
export const NodePluginToolsUpdate = method("node.pluginTools.update", {
  access: "node",
  since: 4,
  params: closed({
    tools: Type.Array(NodePluginTool, { maxItems: 256 }),
  }),
  result: Type.Object({ nodeId: NonEmpty, tools: Type.Array(NodePluginTool) }),
});

export const NodePairRequestedEvent = event("node.pair.requested", {
  access: "operator.pairing",
  payload: NodePairRequest,
});

export const NodePairResolvedEvent = event("node.pair.resolved", {
  access: "operator.pairing",
  payload: Type.Object({
    /** Empty where nothing was asked for. */
    requestId: Type.String(),
    nodeId: NonEmpty,
    decision: oneOf(["approved", "rejected", "removed"]),
    ts: Count,
  }),
});
