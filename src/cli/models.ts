/** `openclaw models` */
import type { ModelChoice } from "../../schemas/models.ts";
import { answer } from "./answer.ts";
import { type Call, command, type Group } from "./command.ts";
import { withGateway } from "./connect.ts";
import { oneLine, table } from "./text.ts";

const list = command({
  about: "List the models that can be chosen",
  flags: {
    provider: { kind: "text", value: "id", about: "Only those of one provider" },
    agent: { kind: "text", value: "id", about: "As this agent sees them" },
  },
  connects: true,
  examples: [
    ["openclaw models list", "list them all"],
    ["openclaw models list --provider anthropic", "list those of one provider"],
  ],
  async run(call) {
    const { provider, agent: agentId } = call.flags;
    const result = await withGateway(
      call,
      { scopes: ["operator.read"] },
      (gateway, options) =>
        gateway.request("models.list", { includeDetails: true, provider, agentId }, options),
    );
    return answer(call, result, ({ models }) => show(models, call));
  },
});

export default {
  about: "List the models that can be chosen",
  usual: "list",
  commands: { list },
} satisfies Group;

function show(models: readonly ModelChoice[], { paint }: Pick<Call, "paint">): string {
  if (models.length === 0) return "No model can be chosen\n";
  return table(
    ["MODEL", "NAME", "CONTEXT", "THINKING", "TAGS"],
    models.map(({ provider, id, name, contextWindow, reasoning, tags = [], available }) => [
      available === false ? paint.dim(oneLine(`${provider}/${id}`)) : oneLine(`${provider}/${id}`),
      oneLine(name),
      contextWindow === undefined ? "-" : String(contextWindow),
      reasoning === undefined ? "-" : reasoning ? "yes" : "no",
      oneLine([...(available === false ? ["not available"] : []), ...tags].join(", ")),
    ]),
    paint.dim,
  );
}
