/** Nodes: listed while they wait for approval; nothing of theirs is used before that. */
import type { HandlersFor } from "../../../schemas/contract.ts";
import type * as contract from "../../../schemas/nodes.ts";
import type { Call, Caller } from "../../caller.ts";
import { GatewayError, invalid } from "../../error.ts";
import { requireScope, requireScopes } from "../access.ts";
import { requireOwn } from "../authority.ts";
import type { Nodes } from "../nodes.ts";

export function nodeHandlers(nodes: Nodes): HandlersFor<typeof contract, Call> {
  return {
    "node.list": () => ({ ts: Date.now(), nodes: nodes.list() }),

    "node.describe": ({ nodeId }) => {
      const node = nodes.list().find((entry) => entry.nodeId === nodeId);
      if (node === undefined) throw invalid("unknown nodeId");
      return { ts: Date.now(), ...node };
    },

    "node.pair.list": () => ({ pending: nodes.pending(), paired: nodes.paired() }),

    "node.pair.approve": ({ requestId }, { caller }) => {
      const { nodeId, requiredApproveScopes = [] } = nodes.request(requestId);
      requireOwn(caller, nodeId);
      requireScopes(caller, requiredApproveScopes);
      return { requestId, node: nodes.approve(requestId) };
    },

    "node.pair.reject": ({ requestId }, { caller }) => {
      requireOwn(caller, nodes.request(requestId).nodeId);
      const { nodeId } = nodes.reject(requestId);
      return { requestId, nodeId };
    },

    "node.pair.remove": ({ nodeId }, { caller }) => {
      requireOwn(caller, nodeId);
      requireScope(caller, "operator.admin"); // as for every role but the operator's
      nodes.remove(nodeId);
      return { nodeId };
    },

    "node.rename": ({ nodeId, displayName }, { caller }) => {
      requireOwn(caller, nodeId);
      return { nodeId, displayName: nodes.rename(nodeId, displayName) };
    },

    "node.event": ({ event }, { caller }) => ({
      ok: true,
      event,
      handled: false,
      reason: nodes.isApproved(idOf(caller)) ? "unsupported_event" : "the node is not approved",
    }),

    "node.runnerInventory.update": (_params, { caller }) => {
      const nodeId = idOf(caller);
      if (!nodes.isApproved(nodeId)) throw awaitsApproval(nodes, nodeId);
      return { nodeId };
    },

    "node.skills.update": ({ skills }, { caller }) => {
      const nodeId = idOf(caller);
      return { nodeId, skills: nodes.isApproved(nodeId) ? skills : [] };
    },

    "node.pluginTools.update": ({ tools }, { caller }) => {
      const nodeId = idOf(caller);
      return { nodeId, tools: nodes.lend(nodeId, tools) };
    },
  };
}

/** A node's id is that of the device that it proved to be. */
function idOf({ deviceId }: Caller): string {
  if (deviceId === undefined) throw new Error("A node came in without a device");
  return deviceId;
}

/** The node waits for the decision when it reads the first words, and then asks again. */
function awaitsApproval(nodes: Nodes, nodeId: string): GatewayError {
  const request = nodes.pending().find((pending) => pending.nodeId === nodeId);
  return new GatewayError(
    "UNAVAILABLE",
    "node capability surface is awaiting operator approval" +
      (request === undefined
        ? ""
        : ` (requestId: ${request.requestId}): run openclaw nodes approve ${request.requestId}`),
  );
}
