/** The providers and models that the program knows without being told. */
import type { ModelInfo } from "../model.ts";
import type { Api } from "./models/lazy.ts";

/** A provider that needs nothing but a key. */
export interface KnownProvider {
  readonly api: Api;
  readonly baseUrl: string;
  /** The variable that people keep its key in. */
  readonly keyVariable: string;
  /** A good answer for somebody who named none. */
  readonly defaultModel: string;
}

/** In the order in which their keys are looked for. */
export const PROVIDERS: Readonly<Record<string, KnownProvider>> = {
  anthropic: {
    api: "anthropic-messages",
    baseUrl: "https://api.anthropic.com/v1",
    keyVariable: "ANTHROPIC_API_KEY",
    defaultModel: "claude-sonnet-5-5",
  },
  openai: {
    api: "openai-responses",
    baseUrl: "https://api.openai.com/v1",
    keyVariable: "OPENAI_API_KEY",
    defaultModel: "gpt-5.5",
  },
  openrouter: {
    api: "openai-completions",
    baseUrl: "https://openrouter.ai/api/v1",
    keyVariable: "OPENROUTER_API_KEY",
    defaultModel: "openrouter/auto",
  },
  gemini: {
    api: "openai-completions",
    baseUrl: "https://generativelanguage.googleapis.com/v1beta/openai",
    keyVariable: "GEMINI_API_KEY",
    defaultModel: "gemini-flash-latest",
  },
  xai: {
    api: "openai-completions",
    baseUrl: "https://api.x.ai/v1",
    keyVariable: "XAI_API_KEY",
    defaultModel: "grok-4",
  },
  groq: {
    api: "openai-completions",
    baseUrl: "https://api.groq.com/openai/v1",
    keyVariable: "GROQ_API_KEY",
    defaultModel: "openai/gpt-oss-120b",
  },
  mistral: {
    api: "openai-completions",
    baseUrl: "https://api.mistral.ai/v1",
    keyVariable: "MISTRAL_API_KEY",
    defaultModel: "mistral-large-latest",
  },
  deepseek: {
    api: "openai-completions",
    baseUrl: "https://api.deepseek.com/v1",
    keyVariable: "DEEPSEEK_API_KEY",
    defaultModel: "deepseek-chat",
  },
};

/** What is assumed of a model that nobody described. */
export const UNKNOWN_MODEL = {
  contextWindow: 128_000,
  reasoning: false,
  input: ["text"],
} as const satisfies Traits;

/** What is known of a provider's model: by its id, else by the beginning of it, else assumed. */
export function describeModel(provider: string, id: string): ModelInfo {
  const known =
    MODELS.find((row) =>
      row.provider === provider && (row.id === id || id.startsWith(`${row.id}-`))
    ) ?? FAMILIES.find((row) => row.provider === provider && id.startsWith(row.prefix));
  const { contextWindow, reasoning, input, maxOutputTokens }: Traits = known ?? UNKNOWN_MODEL;
  const name = known !== undefined && "name" in known && known.id === id ? known.name : id;
  return { provider, id, name, contextWindow, maxOutputTokens, reasoning, input };
}

/** The models of a provider that are worth offering by name, its default first. */
export function knownModels(provider: string): readonly ModelInfo[] {
  return MODELS.filter((row) => row.provider === provider)
    .map((row) => describeModel(provider, row.id));
}

type Traits = Pick<ModelInfo, "contextWindow" | "maxOutputTokens" | "reasoning" | "input">;

// Claude's answers are kept well below what it could give: Anthropic counts what was asked for,
// not what was used, against the context.
const claude = {
  contextWindow: 200_000,
  maxOutputTokens: 32_000,
  reasoning: true,
  input: ["text", "image"],
} as const satisfies Traits;
const gpt = {
  contextWindow: 400_000,
  reasoning: true,
  input: ["text", "image"],
} as const satisfies Traits;

const MODELS: readonly (Traits & { provider: string; id: string; name: string })[] = [
  { provider: "anthropic", id: "claude-sonnet-5-5", name: "Claude Sonnet 5.5", ...claude },
  { provider: "anthropic", id: "claude-opus-5-5", name: "Claude Opus 5.5", ...claude },
  { provider: "anthropic", id: "claude-haiku-5-5", name: "Claude Haiku 5.5", ...claude },
  { provider: "anthropic", id: "claude-sonnet-4-5", name: "Claude Sonnet 4.5", ...claude },
  { provider: "anthropic", id: "claude-haiku-4-5", name: "Claude Haiku 4.5", ...claude },
  { provider: "openai", id: "gpt-5.5", name: "GPT-5.5", ...gpt },
  { provider: "openai", id: "gpt-5.4-mini", name: "GPT-5.4 mini", ...gpt },
  { provider: "openai", id: "gpt-5", name: "GPT-5", ...gpt },
  {
    provider: "openai",
    id: "gpt-4.1",
    name: "GPT-4.1",
    ...gpt,
    contextWindow: 1_000_000,
    reasoning: false,
  },
  {
    provider: "openai",
    id: "gpt-4o",
    name: "GPT-4o",
    ...gpt,
    contextWindow: 128_000,
    reasoning: false,
  },
  { provider: "openrouter", id: "openrouter/auto", name: "OpenRouter's choice", ...UNKNOWN_MODEL },
  {
    provider: "gemini",
    id: "gemini-flash-latest",
    name: "Gemini Flash",
    ...gpt,
    contextWindow: 1_000_000,
  },
  {
    provider: "gemini",
    id: "gemini-pro-latest",
    name: "Gemini Pro",
    ...gpt,
    contextWindow: 1_000_000,
  },
  { provider: "xai", id: "grok-4", name: "Grok 4", ...UNKNOWN_MODEL, contextWindow: 256_000 },
  {
    provider: "groq",
    id: "openai/gpt-oss-120b",
    name: "GPT-OSS 120B",
    ...UNKNOWN_MODEL,
    reasoning: true,
  },
  { provider: "mistral", id: "mistral-large-latest", name: "Mistral Large", ...UNKNOWN_MODEL },
  { provider: "deepseek", id: "deepseek-chat", name: "DeepSeek Chat", ...UNKNOWN_MODEL },
];

/** Whole families, for ids that are newer than this table. The first that fits counts. */
const FAMILIES: readonly (Traits & { provider: string; prefix: string })[] = [
  {
    provider: "anthropic",
    prefix: "claude-3-",
    ...claude,
    maxOutputTokens: 4096,
    reasoning: false,
  },
  { provider: "anthropic", prefix: "claude-", ...claude },
  { provider: "openai", prefix: "gpt-3", ...UNKNOWN_MODEL, contextWindow: 16_000 },
  { provider: "openai", prefix: "gpt-4", ...gpt, contextWindow: 128_000, reasoning: false },
  { provider: "openai", prefix: "gpt-", ...gpt },
  { provider: "openai", prefix: "o", ...gpt, contextWindow: 200_000 },
  { provider: "gemini", prefix: "gemini-", ...gpt, contextWindow: 1_000_000 },
];
