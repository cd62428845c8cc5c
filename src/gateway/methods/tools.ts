/** What the agent can do besides talking. */
import type { HandlersFor } from "../../../schemas/contract.ts";
import type * as contract from "../../../schemas/tools.ts";
import type { Call } from "../../caller.ts";
import { invalid } from "../../error.ts";
import type { Agent, ToolListing } from "../../run.ts";
import type { Settings } from "../settings.ts";

export function toolHandlers(
  agent: Agent,
  settings: Settings,
): HandlersFor<typeof contract, Call> {
  return {
    "tools.catalog": ({ agentId = settings.keys.defaultAgentId }) => {
      if (!settings.agentIds.includes(agentId)) throw invalid(`unknown agent id "${agentId}"`);
      const groups = Map.groupBy(agent.tools(agentId), ({ group }) => group);
      return {
        agentId,
        profiles: [
          { id: "minimal", label: "Minimal" },
          { id: "coding", label: "Coding" },
          { id: "messaging", label: "Messaging" },
          { id: "full", label: "Full" },
        ],
        groups: [...groups].map(([id, tools]) => ({
          id,
          label: id.charAt(0).toUpperCase() + id.slice(1),
          source: "core",
          tools: tools.map(entry),
        })),
      };
    },
  };
}

function entry({ name, label, description }: ToolListing) {
  return {
    id: name,
    label,
    description,
    source: "core",
    defaultProfiles: ["coding", "full"],
  } as const;
}
