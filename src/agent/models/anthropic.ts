/** Anthropic's Messages API. */
import { createAnthropic } from "@ai-sdk/anthropic";
import type { Model, ModelInfo, ModelRequest } from "../../model.ts";
import type { Endpoint } from "./endpoint.ts";
import { fromSdk } from "./sdk.ts";

const API = "anthropic-messages";
const MAX_OUTPUT = 16_000;

/** A model of Anthropic, or of a server that speaks like it. */
export function anthropicModel(info: ModelInfo, endpoint: Endpoint): Model {
  const { baseUrl, apiKey = "none", headers, fetch } = endpoint;
  const provider = createAnthropic({
    baseURL: /\/v\d+$/.test(baseUrl) ? baseUrl : `${baseUrl}/v1`,
    apiKey, // the SDK would look into the environment for a missing one
    headers: { ...headers },
    fetch,
  });
  return fromSdk({
    info,
    api: API,
    endpoint,
    model: provider.languageModel(info.id),
    cacheMark: { anthropic: { cacheControl: { type: "ephemeral" } } },
    settings(request) {
      // this API wants to be told; the SDK would say too little of some models, too much of others
      const maxOutputTokens = request.maxOutputTokens ?? MAX_OUTPUT;
      if (!info.reasoning) return { maxOutputTokens };
      // the SDK knows which models take a budget, which an effort, and which can't be silenced
      const level = mustNotThink(request) ? "off" : request.thinking;
      return { maxOutputTokens, reasoning: level === "off" ? "none" : level };
    },
  });
}

/** With thinking on, Anthropic refuses a pending tool call whose thoughts it can't see. */
function mustNotThink({ messages }: ModelRequest): boolean {
  const last = messages.findLast(({ role }) => role !== "toolResult");
  return last?.role === "assistant" &&
    !last.content.some((block) =>
      block.type === "thinking" && block.thinkingSignature !== undefined
    );
}
