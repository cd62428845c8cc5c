/** Model servers on this machine: who answers, and with which models. */
import { Deadline } from "../deadline.ts";
import type { ModelInfo } from "../model.ts";
import type { Api } from "./models/lazy.ts";

/** A kind of model server that can be named without being configured. */
export interface LocalProvider {
  readonly provider: "ollama" | "lmstudio";
  /** For people. */
  readonly name: string;
  readonly api: Api;
  readonly baseUrl: string;
}

/** A model server that answered. */
export interface LocalServer extends LocalProvider {
  /** The best one to choose first. */
  readonly models: readonly ModelInfo[];
}

type Env = Readonly<Record<string, string | undefined>>;

/** Whether a provider is a model server that we look for. */
export function isLocal(provider: string): provider is LocalProvider["provider"] {
  return provider === "ollama" || provider === "lmstudio";
}

/** How a model server on this machine is reached, whether or not it runs. */
export function localProvider(provider: LocalProvider["provider"], env: Env): LocalProvider {
  if (provider === "ollama") {
    return { provider, name: "Ollama", api: "ollama", baseUrl: ollamaUrl(env.OLLAMA_HOST) };
  }
  return {
    provider,
    name: "LM Studio",
    api: "openai-completions",
    baseUrl: "http://127.0.0.1:1234/v1",
  };
}

/** How long an answer is believed. */
const TTL_MS = 30_000;
/** How long a server has to answer: it is on this machine. */
const TIMEOUT_MS = 1_000;
/** How many of Ollama's models are asked about; people who have more choose by name. */
const MAX_MODELS = 24;
/** What a local model gets if nobody says: more costs memory that the machine may not have. */
const LOCAL_WINDOW = 32_768;

/** Looks for model servers on loopback when asked, and remembers for a while what it saw. */
export class LocalServers {
  readonly #env: Env;
  readonly #fetch: typeof fetch;
  #seen: { readonly at: number; readonly servers: Promise<readonly LocalServer[]> } | undefined;

  constructor(env: Env, fetcher: typeof fetch) {
    this.#env = env;
    this.#fetch = fetcher;
  }

  /** Ollama first. Never rejects; takes a second at most. */
  find(): Promise<readonly LocalServer[]> {
    const now = performance.now();
    if (this.#seen === undefined || now - this.#seen.at > TTL_MS) {
      this.#seen = { at: now, servers: this.#look() };
    }
    return this.#seen.servers;
  }

  async #look(): Promise<readonly LocalServer[]> {
    using deadline = new Deadline(TIMEOUT_MS);
    const get = async (url: string, body?: unknown): Promise<unknown> => {
      try {
        const response = await this.#fetch(url, {
          signal: deadline.signal,
          redirect: "error", // what is not on this machine is not asked
          ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
        });
        return await response.json();
      } catch {
        return undefined; // nobody there, or nobody we understand
      }
    };
    const found = await Promise.all([
      findOllama(localProvider("ollama", this.#env), get),
      findLmStudio(localProvider("lmstudio", this.#env), get),
    ]);
    return found.filter((server) => server !== undefined);
  }
}

/** Where Ollama listens: `OLLAMA_HOST` where that means this machine, else its usual port. */
export function ollamaUrl(host: string | undefined): string {
  const usual = "http://127.0.0.1:11434";
  if (host === undefined || host.trim() === "") return usual;
  const spelled = host.trim().replace(/^(?=:)/, "127.0.0.1");
  const url = URL.parse(/^https?:\/\//.test(spelled) ? spelled : `http://${spelled}`);
  if (url === null || !/^(?:127(?:\.\d+){3}|localhost|\[::1\])$/.test(url.hostname)) return usual;
  const hasPort = /:\d+\/*$/.test(spelled);
  return `${url.protocol}//${url.hostname}:${url.port || (hasPort ? "80" : "11434")}`;
}

type Get = (url: string, body?: unknown) => Promise<unknown>;

async function findOllama(server: LocalProvider, get: Get): Promise<LocalServer | undefined> {
  const { baseUrl } = server;
  const names = field(await get(`${baseUrl}/api/tags`), "models")
    .map((model) => text(model, "name")).filter((name) => name !== "").slice(0, MAX_MODELS);
  const shown = await Promise.all(
    names.map(async (id) => toOllamaModel(id, await get(`${baseUrl}/api/show`, { model: id }))),
  );
  const models = shown.filter(({ chats }) => chats)
    .sort((a, b) => Number(b.usesTools) - Number(a.usesTools))
    .map(({ info }) => info);
  return models.length === 0 ? undefined : { ...server, models };
}

function toOllamaModel(id: string, shown: unknown) {
  const can = field(shown, "capabilities");
  const details = isRecord(shown) && isRecord(shown.model_info) ? shown.model_info : {};
  const longest = Object.entries(details).find(([key]) => key.endsWith(".context_length"))?.[1];
  const info: ModelInfo = {
    provider: "ollama",
    id,
    name: id,
    contextWindow: Math.min(typeof longest === "number" ? longest : LOCAL_WINDOW, LOCAL_WINDOW),
    reasoning: can.includes("thinking"),
    input: can.includes("vision") ? ["text", "image"] : ["text"],
  };
  // an Ollama that doesn't say what its models can do is believed to have chat models
  return {
    info,
    chats: can.length === 0 || can.includes("completion"),
    usesTools: can.includes("tools"),
  };
}

async function findLmStudio(server: LocalProvider, get: Get): Promise<LocalServer | undefined> {
  const models = field(await get(new URL("/api/v0/models", server.baseUrl).href), "data")
    .filter((model) => text(model, "id") !== "" && text(model, "type") !== "embeddings")
    .sort((a, b) => Number(text(b, "state") === "loaded") - Number(text(a, "state") === "loaded"))
    .map(toLmStudioModel);
  return models.length === 0 ? undefined : { ...server, models };
}

function toLmStudioModel(model: unknown): ModelInfo {
  const id = text(model, "id");
  const loaded = isRecord(model)
    ? model.loaded_context_length ?? model.max_context_length
    : undefined;
  return {
    provider: "lmstudio",
    id,
    name: id,
    contextWindow: typeof loaded === "number" && loaded > 0 ? loaded : LOCAL_WINDOW,
    reasoning: false,
    input: text(model, "type") === "vlm" ? ["text", "image"] : ["text"],
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function field(value: unknown, name: string): readonly unknown[] {
  const list = isRecord(value) ? value[name] : undefined;
  return Array.isArray(list) ? list : [];
}

function text(value: unknown, name: string): string {
  const found = isRecord(value) ? value[name] : undefined;
  return typeof found === "string" ? found : "";
}
