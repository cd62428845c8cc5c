/** OpenAI's Responses API. */
import { createOpenAI } from "@ai-sdk/openai";
import type { Model, ModelInfo } from "../../model.ts";
import type { Endpoint } from "./endpoint.ts";
import { fromSdk } from "./sdk.ts";

/** A model of OpenAI, or of a server that speaks like it. */
export function openAiModel(info: ModelInfo, endpoint: Endpoint): Model {
  const { baseUrl, apiKey = "none", headers, fetch } = endpoint;
  const provider = createOpenAI({ baseURL: baseUrl, apiKey, headers: { ...headers }, fetch });
  return fromSdk({
    info,
    api: "openai-responses",
    endpoint,
    model: provider.responses(info.id),
    settings({ thinking }) {
      // nothing is kept at OpenAI: what the model thought comes back to us encrypted
      const openai = { store: false, ...(info.reasoning ? { forceReasoning: true } : {}) };
      if (!info.reasoning || thinking === "off") return { providerOptions: { openai } };
      return {
        reasoning: thinking === "minimal" ? "low" : thinking, // not every model knows `minimal`
        providerOptions: { openai: { ...openai, reasoningSummary: "auto" } },
      };
    },
  });
}
