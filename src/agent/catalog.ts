/** Which models there are, which one answers, and how each is reached. */
import type { Config } from "../config.ts";
import {
  type Model,
  type ModelCatalog,
  type ModelChoice,
  ModelError,
  type ModelInfo,
  modelRef,
} from "../model.ts";
import { sentOnce } from "../sent_once.ts";
import { isLocal, localProvider, LocalServers } from "./local.ts";
import { abortable } from "./models/abortable.ts";
import { type Api, lazyModel } from "./models/lazy.ts";
import { describeModel, knownModels, PROVIDERS } from "./providers.ts";

/** What a catalog is made from. */
export interface CatalogParts {
  config(): Config;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly fetch: typeof fetch;
  readonly demo: Model;
  log(line: string): void;
}

/** Who changes settings often leaves no trail of models behind. */
const MAX_MODELS = 32;

/**
 * The models of this machine. What the configuration names comes first, then a provider whose key
 * is in the environment, then a model server on this machine, then the built-in demo.
 */
export class Catalog implements ModelCatalog {
  readonly #parts: CatalogParts;
  readonly #fetch: typeof fetch;
  readonly #local: LocalServers;
  /** By all that they are made from. */
  readonly #models = new Map<string, Model>();

  constructor(parts: CatalogParts) {
    this.#parts = parts;
    this.#fetch = abortable(sentOnce(parts.fetch)); // what is asked twice, is paid twice
    this.#local = new LocalServers(parts.env, this.#fetch);
  }

  async choose(agentId?: string): Promise<ModelChoice> {
    const config = this.#parts.config();
    const { demo } = this.#parts;
    const { primary } = wishes(config, agentId);
    if (primary !== undefined) {
      const { info, problem } = await this.#describe(primary.ref);
      const source = problem === undefined ? primary.source : `${primary.source}: ${problem}`;
      return { info, source, demo: info.provider === demo.info.provider };
    }
    for (const id of Object.keys(config.models?.providers ?? {})) {
      const [info] = this.#offeredModels(id);
      if (info !== undefined) return { info, source: `models.providers.${id}`, demo: false };
    }
    for (const [id, { keyVariable, defaultModel }] of Object.entries(PROVIDERS)) {
      if (!this.#parts.env[keyVariable]) continue;
      return {
        info: this.#limit(describeModel(id, defaultModel)),
        source: keyVariable,
        demo: false,
      };
    }
    for (const { name, baseUrl, models: [info] } of await this.#local.find()) {
      if (info === undefined) continue;
      const source = `${name} at ${new URL(baseUrl).origin}`;
      return { info: this.#limit(info), source, demo: false };
    }
    return { info: demo.info, source: "built-in demo", demo: true };
  }

  async list(): Promise<readonly ModelInfo[]> {
    const { config, env, demo } = this.#parts;
    const configured = Object.keys(config().models?.providers ?? {});
    const keyed = Object.entries(PROVIDERS).filter(([, { keyVariable }]) => env[keyVariable]);
    const all = [
      ...configured.flatMap((id) => this.#offeredModels(id)),
      ...keyed.flatMap(([id]) => knownModels(id)),
      ...(await this.#local.find()).flatMap(({ models }) => models),
      demo.info,
    ];
    const byRef = new Map<string, ModelInfo>();
    for (const info of all) {
      if (!byRef.has(modelRef(info))) byRef.set(modelRef(info), this.#limit(info));
    }
    return [...byRef.values()];
  }

  async resolve(ref: string | undefined, agentId: string): Promise<readonly Model[]> {
    const first = ref ?? modelRef((await this.choose(agentId)).info);
    const models = [await this.#model(first)];
    for (const fallback of wishes(this.#parts.config(), agentId).fallbacks) {
      try {
        const model = await this.#model(fallback);
        if (models.every(({ info }) => modelRef(info) !== modelRef(model.info))) models.push(model);
      } catch (error) {
        if (!(error instanceof ModelError)) throw error;
        this.#parts.log(`Cannot fall back to '${fallback}': ${error.message}`);
      }
    }
    return models;
  }

  async #model(ref: string): Promise<Model> {
    const { demo } = this.#parts;
    const { info, problem } = await this.#describe(ref);
    if (problem !== undefined) throw new ModelError("invalid", `Cannot use '${ref}': ${problem}`);
    if (info.provider === demo.info.provider) return demo;
    const { api, problem: unusable, ...reach } = this.#reach(info.provider);
    if (unusable !== undefined) return failing(info, api, unusable);
    return this.#made(api, info, reach);
  }

  /** The same model for the same wish: an SDK takes a millisecond to make one. */
  #made(api: Api, info: ModelInfo, reach: Omit<Reach, "api" | "problem">): Model {
    const wish = JSON.stringify([api, info, reach]);
    const known = this.#models.get(wish);
    if (known !== undefined) return known;
    const model = lazyModel(api, info, { provider: info.provider, fetch: this.#fetch, ...reach });
    if (this.#models.size >= MAX_MODELS) this.#models.clear();
    this.#models.set(wish, model);
    return model;
  }

  /** What is known of the model that a text names; never rejects. */
  async #describe(ref: string): Promise<{ info: ModelInfo; problem?: string }> {
    const { demo, config } = this.#parts;
    const spelled = ref.trim();
    const slash = spelled.indexOf("/");
    if (slash <= 0 || slash === spelled.length - 1) return await this.#describeBare(spelled);
    const provider = spelled.slice(0, slash);
    const id = spelled.slice(slash + 1);
    if (provider === demo.info.provider) return { info: demo.info };
    const known = this.#configuredModels(provider).find((info) => info.id === id);
    const local = known === undefined && isLocal(provider)
      ? (await this.#local.find()).find((server) => server.provider === provider)
      : undefined;
    const info = this.#limit(
      known ?? local?.models.find((model) => model.id === id) ?? describeModel(provider, id),
    );
    const exists = Object.hasOwn(PROVIDERS, provider) || isLocal(provider) ||
      Object.hasOwn(config().models?.providers ?? {}, provider);
    return exists ? { info } : { info, problem: `provider '${provider}' is not configured` };
  }

  /** A model's id alone, where it is the only one of that name. */
  async #describeBare(id: string): Promise<{ info: ModelInfo; problem?: string }> {
    const everything = [...await this.list(), ...Object.keys(PROVIDERS).flatMap(knownModels)];
    const found = everything.find((info) => info.id === id);
    if (found !== undefined) return { info: found };
    return { info: describeModel("unknown", id), problem: "write it as provider/model" };
  }

  /** What a configured provider has to offer; a known one that was only given a key has it all. */
  #offeredModels(provider: string): readonly ModelInfo[] {
    const listed = this.#configuredModels(provider);
    const hasKey = this.#parts.config().models?.providers?.[provider]?.apiKey !== undefined;
    if (listed.length > 0 || !hasKey) return listed;
    return knownModels(provider).map((info) => this.#limit(info));
  }

  /** The models that the configuration lists for a provider. */
  #configuredModels(provider: string): readonly ModelInfo[] {
    const listed = this.#parts.config().models?.providers?.[provider]?.models ?? [];
    return listed.map((model) => {
      const known = describeModel(provider, model.id);
      return this.#limit({
        ...known,
        name: model.name ?? known.name,
        contextWindow: model.contextWindow ?? known.contextWindow,
        maxOutputTokens: model.maxTokens ?? known.maxOutputTokens,
        reasoning: model.reasoning ?? known.reasoning,
        input: model.input ?? known.input,
      });
    });
  }

  /** People can ask for less than the model's window, to save money. */
  #limit(info: ModelInfo): ModelInfo {
    const most = this.#parts.config().agents?.defaults?.contextTokens;
    if (most === undefined || most >= info.contextWindow) return info;
    return { ...info, contextWindow: most };
  }

  /** How a provider is called: what the configuration says over what is known of it. */
  #reach(id: string): Reach {
    const { config, env } = this.#parts;
    const known = PROVIDERS[id];
    const told = config().models?.providers?.[id];
    const local = isLocal(id) ? localProvider(id, env) : undefined;
    const place = `models.providers.${id}`;
    const keyHint = known === undefined
      ? `${place}.apiKey`
      : `${known.keyVariable} (or ${place}.apiKey)`;
    const missing: string[] = [];
    const fill = (text: string) =>
      text.replace(/\$\{([A-Za-z_]\w*)\}/g, (_, name: string) => {
        if (!env[name]) missing.push(name);
        return env[name] ?? "";
      });
    const spelledUrl = told?.baseUrl ?? known?.baseUrl ?? local?.baseUrl ?? "";
    const baseUrl = fill(spelledUrl).replace(/\/+$/, "");
    const apiKey = told?.apiKey === undefined ? env[known?.keyVariable ?? ""] : fill(told.apiKey);
    const headers = Object.fromEntries(
      Object.entries(told?.headers ?? {}).map(([name, value]) => [name, fill(value)]),
    );
    let problem: ModelError | undefined;
    if (missing[0] !== undefined) {
      problem = new ModelError(
        "auth",
        `Cannot use ${id}: set ${missing[0]}, which ${place} asks for`,
      );
    } else if (!/^https?:$/.test(URL.parse(baseUrl)?.protocol ?? "")) {
      problem = new ModelError("invalid", `Cannot use ${id}: ${place}.baseUrl is no http URL`);
    } else if (!apiKey && known !== undefined && told?.baseUrl === undefined) {
      problem = new ModelError("auth", `Cannot use ${id} without an API key: set ${keyHint}`);
    }
    const api = told?.api ?? known?.api ?? local?.api ?? "openai-completions";
    return { api, baseUrl, apiKey: apiKey || undefined, keyHint, headers, problem };
  }
}

interface Reach {
  readonly api: Api;
  readonly baseUrl: string;
  readonly apiKey: string | undefined;
  readonly keyHint: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly problem: ModelError | undefined;
}

/** What the configuration wants for an agent; its own entry counts before the defaults. */
function wishes({ agents }: Config, agentId: string | undefined) {
  const own = agents?.list?.find(({ id }) => id === agentId)?.model;
  const shared = agents?.defaults?.model;
  const primary = primaryOf(own, `agents.list[${agentId}].model`) ??
    primaryOf(shared, "agents.defaults.model");
  const fallbacks = fallbacksOf(own) ?? fallbacksOf(shared) ?? [];
  return { primary, fallbacks };
}

type Wish = NonNullable<NonNullable<Config["agents"]>["defaults"]>["model"];

function primaryOf(wish: Wish, place: string): { ref: string; source: string } | undefined {
  if (typeof wish === "string") return { ref: wish, source: place };
  return wish?.primary === undefined
    ? undefined
    : { ref: wish.primary, source: `${place}.primary` };
}

function fallbacksOf(wish: Wish): readonly string[] | undefined {
  return typeof wish === "string" ? undefined : wish?.fallbacks;
}

/** A model that can't be called, so that the next one gets its turn. */
function failing(info: ModelInfo, api: Api, problem: ModelError): Model {
  return {
    info,
    api,
    // deno-lint-ignore require-yield
    async *stream() {
      throw problem;
    },
  };
}
