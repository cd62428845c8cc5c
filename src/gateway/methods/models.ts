/** The models that can be chosen. */
import type { HandlersFor } from "../../../schemas/contract.ts";
import type * as contract from "../../../schemas/models.ts";
import type { ModelChoice } from "../../../schemas/models.ts";
import type { Call } from "../../caller.ts";
import type { ModelCatalog, ModelInfo } from "../../model.ts";
import { THINKING_OPTIONS } from "../rows.ts";

export function modelHandlers(models: ModelCatalog): HandlersFor<typeof contract, Call> {
  return {
    "models.list": async ({ provider }) => ({
      models: (await wireModels(models)).filter((model) =>
        provider === undefined || model.provider === provider
      ),
    }),
  };
}

/** Every model that can be used now, as clients see it. */
export async function wireModels(models: ModelCatalog): Promise<readonly ModelChoice[]> {
  return (await models.list()).map(wireModel);
}

function wireModel(
  { id, name, provider, contextWindow, reasoning, input }: ModelInfo,
): ModelChoice {
  return {
    id,
    name,
    provider,
    contextWindow,
    reasoning,
    input,
    available: true,
    supportsTools: true,
    ...(reasoning ? { thinkingLevels: THINKING_OPTIONS } : {}),
  };
}
