/** A model whose adapter is loaded when it is first called: an SDK takes longer than our start. */
import type { Model, ModelInfo } from "../../model.ts";
import type { PROVIDER_APIS } from "../../config.ts";
import { sentOnce } from "../../sent_once.ts";
import { abortable } from "./abortable.ts";
import type { Endpoint } from "./endpoint.ts";
import { standInFor } from "./stand_in.ts";

/** A wire format that we can speak. */
export type Api = typeof PROVIDER_APIS[number];

/** A model that is spoken to in the given format. Nothing is loaded or opened until it is called. */
export function lazyModel(api: Api, info: ModelInfo, endpoint: Endpoint): Model {
  let model: Promise<Model> | undefined;
  return {
    info,
    api,
    async *stream(request, signal) {
      model ??= load(api, info, endpoint);
      const loaded = await model;
      if (!signal.aborted) yield* loaded.stream(request, signal);
    },
    standIn: () =>
      lazyModel(api, info, { ...endpoint, fetch: abortable(sentOnce(standInFor(api))) }),
  };
}

async function load(api: Api, info: ModelInfo, endpoint: Endpoint): Promise<Model> {
  switch (api) {
    case "anthropic-messages":
      return (await import("./anthropic.ts")).anthropicModel(info, endpoint);
    case "openai-responses":
      return (await import("./openai.ts")).openAiModel(info, endpoint);
    case "openai-completions":
      return (await import("./completions.ts")).completionsModel(info, endpoint);
    case "ollama":
      return (await import("./ollama.ts")).ollamaModel(info, endpoint);
  }
}
