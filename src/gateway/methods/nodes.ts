/** Nodes: listed while they wait for approval; nothing of theirs is used before that. */
import type { HandlersFor } from "../../../schemas/contract.ts";
import type * as contract from "../../../schemas/nodes.ts";
import type { Call, Caller } from "../../caller.ts";
import { GatewayError, invalid } from "../../error.ts";
import type { Nodes } from "../nodes.ts";

export function nodeHandlers(nodes: Nodes): HandlersFor<typeof contract, Call> {
  return {
    "node.list": () => ({ ts: Date.now(), nodes: nodes.list() }),

    "node.describe": ({ nodeId }) => {
      const node = nodes.list().find((entry) => entry.nodeId === nodeId);
      if (node === undefined) throw invalid("unknown nodeId");
      return { ts: Date.now(), ...node };
    },

    "node.pair.list": () => ({ pending: nodes.pending(), paired: [] }),

    "node.event": ({ event }) => ({
      ok: true,
      event,
      handled: false,
      reason: "the node is not approved",
    }),

    "node.runnerInventory.update": (_params, { caller }) => refuse(caller, nodes),
    "node.skills.update": (_params, { caller }) => refuse(caller, nodes),
    "node.pluginTools.update": (_params, { caller }) => refuse(caller, nodes),
  };
}

function refuse({ deviceId }: Caller, nodes: Nodes): never {
  const request = nodes.pending().find(({ nodeId }) => nodeId === deviceId);
  throw new GatewayError(
    "UNAVAILABLE",
    "node capability surface is awaiting operator approval" +
      (request === undefined ? "" : ` (requestId: ${request.requestId})`),
  );
}
