/**
 * A `Model` over a provider package of the Vercel AI SDK.
 *
 * It calls the language model's `doStream` and not `streamText` of `ai`: one call is one HTTP
 * request with nothing retried or logged behind our back, each part keeps the provider metadata
 * that has to go back, and `ai` (the larger half of the SDK) need not be loaded at all.
 */
import type { OpenAICompatibleProvider } from "@ai-sdk/openai-compatible";
import {
  type Model,
  ModelError,
  type ModelEvent,
  type ModelInfo,
  type ModelRequest,
} from "../../model.ts";
import type { AssistantMessage, ImageBlock, Message, TextBlock, Usage } from "../../session.ts";
import type { Endpoint } from "./endpoint.ts";
import { toModelError } from "./error.ts";

/** A language model as the SDK's provider packages make them. */
export type SdkModel = ReturnType<OpenAICompatibleProvider["languageModel"]>;
/** What such a model is asked. */
export type SdkCall = Parameters<SdkModel["doStream"]>[0];

/** What makes a `Model` out of an SDK model. */
export interface SdkParts {
  readonly info: ModelInfo;
  readonly api: string;
  readonly endpoint: Endpoint;
  readonly model: SdkModel;
  /** The settings that this API has for a request: thinking, storage, … */
  settings(
    request: ModelRequest,
  ): Pick<SdkCall, "maxOutputTokens" | "reasoning" | "providerOptions">;
  /** Put on the system prompt and the last message, where the API caches up to a mark. */
  readonly cacheMark?: ProviderOptions;
}

/** A `Model` that speaks through an SDK model. */
export function fromSdk({ info, api, endpoint, model, settings, cacheMark }: SdkParts): Model {
  return {
    info,
    api,
    async *stream(request, signal) {
      try {
        const { stream } = await model.doStream({
          prompt: toPrompt(request, { info, api, cacheMark }),
          tools: request.tools.map(({ name, description, parameters }) => ({
            type: "function",
            name,
            description,
            inputSchema: parameters,
          })),
          maxOutputTokens: request.maxOutputTokens,
          abortSignal: signal,
          ...settings(request),
        });
        yield* toEvents(stream, endpoint);
      } catch (thrown) {
        if (signal.aborted) return;
        throw toModelError(thrown, endpoint);
      }
    },
  };
}

type Prompt = SdkCall["prompt"];
type PromptMessage = Prompt[number];
type UserParts = Extract<PromptMessage, { role: "user" }>["content"];
type AssistantParts = Extract<PromptMessage, { role: "assistant" }>["content"];
type ProviderOptions = NonNullable<PromptMessage["providerOptions"]>;
type Part = Awaited<ReturnType<SdkModel["doStream"]>>["stream"] extends ReadableStream<infer P> ? P
  : never;

interface Speaker {
  readonly info: ModelInfo;
  readonly api: string;
  readonly cacheMark?: ProviderOptions;
}

/** Our messages as the SDK wants them. */
export function toPrompt(request: ModelRequest, speaker: Speaker): Prompt {
  const messages = request.messages.flatMap((message) => toPromptMessage(message, speaker));
  const prompt: Prompt = [{ role: "system", content: request.system }, ...messages];
  const { cacheMark } = speaker;
  if (cacheMark === undefined) return prompt;
  return prompt.map((message, i) =>
    i === 0 || i === prompt.length - 1 ? { ...message, providerOptions: cacheMark } : message
  );
}

function toPromptMessage(message: Message, speaker: Speaker): PromptMessage[] {
  switch (message.role) {
    case "user":
      return [{ role: "user", content: toUserParts(message.content, speaker.info) }];
    case "assistant": {
      const content = toAssistantParts(message, speaker);
      return content.length === 0 ? [] : [{ role: "assistant", content }];
    }
    case "toolResult": {
      const text = message.content.map((block) => block.type === "text" ? block.text : NO_IMAGE)
        .join("\n");
      return [{
        role: "tool",
        content: [{
          type: "tool-result",
          toolCallId: callId(message.toolCallId),
          toolName: message.toolName,
          output: { type: message.isError ? "error-text" : "text", value: text || "(no output)" },
        }],
      }];
    }
  }
}

const NO_IMAGE = "[an image, which cannot be shown here]";

function toUserParts(
  content: string | readonly (TextBlock | ImageBlock)[],
  info: ModelInfo,
): UserParts {
  if (typeof content === "string") return [{ type: "text", text: content }];
  return content.map((block) => {
    if (block.type === "text") return { type: "text", text: block.text };
    if (!info.input.includes("image")) return { type: "text", text: NO_IMAGE };
    return {
      type: "file",
      mediaType: block.mimeType,
      data: { type: "data", data: block.data },
    };
  });
}

/**
 * Thoughts go back only with the signature that the same model gave them: others refuse them.
 * Blank texts are left out because Anthropic refuses those.
 */
function toAssistantParts(message: AssistantMessage, { info, api }: Speaker): AssistantParts {
  const own = message.api === api && message.provider === info.provider &&
    message.model === info.id;
  const ofCalls = new Map<string, ProviderOptions>();
  const parts: AssistantParts = [];
  for (const block of message.content) {
    if (block.type === "text") {
      if (block.text.trim() !== "") parts.push({ type: "text", text: block.text });
    } else if (block.type === "toolCall") {
      parts.push({
        type: "tool-call",
        toolCallId: callId(block.id),
        toolName: block.name,
        input: block.arguments,
        providerOptions: ofCalls.get(block.id),
      });
    } else if (own && block.thinkingSignature !== undefined) {
      const { call, metadata } = readSignature(block.thinkingSignature);
      if (metadata === undefined) continue;
      if (call !== undefined) ofCalls.set(call, metadata);
      else parts.push({ type: "reasoning", text: block.thinking, providerOptions: metadata });
    }
  }
  return parts;
}

/** Ids that one provider made must pass at another: Anthropic takes only these letters, OpenAI 64. */
function callId(id: string): string {
  return id.replace(/[^\w-]/g, "_").slice(0, 64);
}

/** What the SDK says, as our events. Throws what the stream reports, and for a stream cut short. */
async function* toEvents(
  stream: ReadableStream<Part>,
  endpoint: Endpoint,
): AsyncGenerator<ModelEvent> {
  const thoughts = new Map<string, Record<string, unknown>>();
  let calls = 0;
  for await (const part of stream) {
    switch (part.type) {
      case "text-delta":
        if (part.delta !== "") yield { type: "text", delta: part.delta };
        break;
      case "reasoning-start":
      case "reasoning-delta":
      case "reasoning-end": {
        const metadata = merge(thoughts.get(part.id) ?? {}, part.providerMetadata ?? {});
        thoughts.set(part.id, metadata);
        if (part.type === "reasoning-delta" && part.delta !== "") {
          yield { type: "thinking", delta: part.delta };
        }
        if (part.type === "reasoning-end" && Object.keys(metadata).length > 0) {
          yield { type: "thinking", delta: "", signature: sign({ metadata }) };
        }
        break;
      }
      case "tool-call": {
        calls++;
        const signature = thoughtSignature(part.toolCallId, part.providerMetadata);
        if (signature !== undefined) yield { type: "thinking", delta: "", signature };
        yield {
          type: "toolCall",
          id: part.toolCallId,
          name: part.toolName,
          arguments: parseArguments(part.input),
        };
        break;
      }
      case "error":
        throw part.error;
      case "finish": {
        const reason = part.finishReason.unified;
        if (reason === "content-filter") {
          throw new ModelError("refusal", `${endpoint.provider} refused to answer this`);
        }
        if (reason === "interrupted" || reason === "error") throw cutOff(endpoint);
        const stopReason = calls > 0 ? "toolUse" : reason === "length" ? "length" : "stop";
        yield { type: "end", stopReason, usage: toUsage(part.usage) };
        return;
      }
    }
  }
  throw cutOff(endpoint);
}

function cutOff({ provider }: Endpoint): ModelError {
  return new ModelError("network", `${provider} stopped in the middle of its answer`);
}

function merge(into: Record<string, unknown>, from: Record<string, unknown>) {
  const merged = { ...into };
  for (const [key, value] of Object.entries(from)) {
    if (value === null || value === undefined) continue;
    merged[key] = isRecord(value) ? merge(isRecord(merged[key]) ? merged[key] : {}, value) : value;
  }
  return merged;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Gemini signs its tool calls. Our calls have no place for it, so an empty thought carries it. */
function thoughtSignature(call: string, metadata: Record<string, unknown> = {}) {
  const signs = Object.values(metadata).some((item) =>
    isRecord(item) && "thoughtSignature" in item
  );
  return signs ? sign({ call, metadata }) : undefined;
}

function sign(content: { call?: string; metadata: Record<string, unknown> }): string {
  return JSON.stringify(content);
}

interface Signature {
  /** The id of the tool call that it belongs to, where that isn't the thought itself. */
  readonly call?: string;
  /** The SDK's metadata, as it was given. */
  readonly metadata?: ProviderOptions;
}

function readSignature(text: string): Signature {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {}; // not written by us, so of no use to the SDK
  }
}

/** Arguments that are no JSON object reach the tool's validation, which tells the model. */
export function parseArguments(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text || "{}");
    return isRecord(value) ? value : { unparsed: text };
  } catch {
    return { unparsed: text };
  }
}

function toUsage(usage: Extract<Part, { type: "finish" }>["usage"]): Usage {
  const { total, noCache, cacheRead = 0, cacheWrite = 0 } = usage.inputTokens;
  const input = noCache ?? Math.max(0, (total ?? 0) - cacheRead - cacheWrite);
  const output = usage.outputTokens.total ?? 0;
  return {
    input,
    output,
    cacheRead,
    cacheWrite,
    totalTokens: input + output + cacheRead + cacheWrite,
  };
}
