/** OpenAI's chat completions, which most other providers and model servers speak too. */
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import type { Model, ModelInfo } from "../../model.ts";
import type { Endpoint } from "./endpoint.ts";
import { fromSdk } from "./sdk.ts";

/** A model of any server that has chat completions. */
export function completionsModel(info: ModelInfo, endpoint: Endpoint): Model {
  const { baseUrl, apiKey, headers, fetch } = endpoint;
  const provider = createOpenAICompatible({
    name: "model",
    baseURL: baseUrl,
    apiKey,
    headers: { ...headers },
    fetch,
    includeUsage: true,
    // OpenAI's own newer models take only the new name, everybody else only the old one
    transformRequestBody: ({ max_tokens, ...body }) => ({
      ...body,
      ...(max_tokens === undefined
        ? {}
        : { [isOpenAi(baseUrl) ? "max_completion_tokens" : "max_tokens"]: max_tokens }),
    }),
  });
  return fromSdk({
    info,
    api: "openai-completions",
    endpoint,
    model: provider.languageModel(info.id),
    settings({ thinking }) {
      if (!info.reasoning || thinking === "off") return {};
      return { reasoning: thinking === "minimal" ? "low" : thinking };
    },
  });
}

function isOpenAi(baseUrl: string): boolean {
  return URL.parse(baseUrl)?.host === "api.openai.com";
}
