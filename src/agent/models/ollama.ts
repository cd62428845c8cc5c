/**
 * Ollama's own chat API. Its OpenAI-compatible one can't say how long the context is, and then
 * cuts off the beginning of a prompt without a word.
 */
import {
  type Model,
  ModelError,
  type ModelEvent,
  type ModelInfo,
  type ModelRequest,
} from "../../model.ts";
import type { Message } from "../../session.ts";
import type { Endpoint } from "./endpoint.ts";
import { judge, toModelError } from "./error.ts";

/** A model of an Ollama server. */
export function ollamaModel(info: ModelInfo, endpoint: Endpoint): Model {
  return {
    info,
    api: "ollama",
    async *stream(request, signal) {
      try {
        const response = await post(request, { info, endpoint, signal });
        yield* toEvents(lines(response.body), endpoint);
      } catch (thrown) {
        if (signal.aborted) return;
        throw toModelError(thrown, endpoint);
      }
    },
  };
}

interface Call {
  readonly info: ModelInfo;
  readonly endpoint: Endpoint;
  readonly signal: AbortSignal;
}

/** Sends the request; once more without tools where the model turns out to have none. */
async function post(request: ModelRequest, call: Call): Promise<Response> {
  const { endpoint: { baseUrl, apiKey, headers, fetch }, info, signal } = call;
  const response = await fetch(`${baseUrl.replace(/\/v1$/, "")}/api/chat`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
      ...headers,
    },
    body: JSON.stringify(toBody(request, info)),
    signal,
  });
  if (response.ok) return response;
  const text = errorText(await response.text());
  if (request.tools.length > 0 && text.includes("does not support tools")) {
    return await post({ ...request, tools: [] }, call);
  }
  throw judge(
    { status: response.status, headers: Object.fromEntries(response.headers), text },
    call.endpoint,
  );
}

function errorText(body: string): string {
  try {
    const { error } = JSON.parse(body);
    return typeof error === "string" ? error : body;
  } catch {
    return body;
  }
}

function toBody(
  { system, messages, tools, thinking, maxOutputTokens }: ModelRequest,
  info: ModelInfo,
) {
  return {
    model: info.id,
    stream: true,
    messages: [{ role: "system", content: system }, ...messages.map(toOllama)],
    tools: tools.map(({ name, description, parameters }) => ({
      type: "function",
      function: { name, description, parameters },
    })),
    ...(info.reasoning ? { think: thinking !== "off" } : {}),
    options: { num_ctx: info.contextWindow, num_predict: maxOutputTokens },
  };
}

function toOllama(message: Message) {
  switch (message.role) {
    case "user": {
      const blocks = typeof message.content === "string" ? [] : message.content;
      const images = blocks.flatMap((block) => block.type === "image" ? [block.data] : []);
      return {
        role: "user",
        content: joinText(message),
        ...(images.length === 0 ? {} : { images }),
      };
    }
    case "assistant": {
      const calls = message.content.flatMap((block) =>
        block.type === "toolCall"
          ? [{ function: { name: block.name, arguments: block.arguments } }]
          : []
      );
      return {
        role: "assistant",
        content: joinText(message),
        ...(calls.length === 0 ? {} : { tool_calls: calls }),
      };
    }
    case "toolResult":
      return { role: "tool", tool_name: message.toolName, content: joinText(message) };
  }
}

function joinText({ content }: Message): string {
  if (typeof content === "string") return content;
  return content.map((block) => block.type === "text" ? block.text : "").join("");
}

/** One line of Ollama's answer, as far as we read it. */
interface Line {
  readonly error?: string;
  readonly message?: {
    readonly content?: string;
    readonly thinking?: string;
    readonly tool_calls?: readonly {
      readonly function: { readonly name: string; readonly arguments?: Record<string, unknown> };
    }[];
  };
  readonly done?: boolean;
  readonly done_reason?: string;
  readonly prompt_eval_count?: number;
  readonly eval_count?: number;
}

async function* toEvents(
  stream: AsyncIterable<Line>,
  endpoint: Endpoint,
): AsyncGenerator<ModelEvent> {
  let calls = 0;
  for await (const line of stream) {
    if (line.error !== undefined) throw judge({ status: 500, text: line.error }, endpoint);
    const { thinking, content, tool_calls } = line.message ?? {};
    if (thinking) yield { type: "thinking", delta: thinking };
    if (content) yield { type: "text", delta: content };
    for (const { function: { name, arguments: args = {} } } of tool_calls ?? []) {
      calls++;
      yield { type: "toolCall", id: `call_${crypto.randomUUID()}`, name, arguments: args };
    }
    if (line.done !== true) continue;
    const input = line.prompt_eval_count ?? 0;
    const output = line.eval_count ?? 0;
    yield {
      type: "end",
      stopReason: calls > 0 ? "toolUse" : line.done_reason === "length" ? "length" : "stop",
      usage: { input, output, cacheRead: 0, cacheWrite: 0, totalTokens: input + output },
    };
    return;
  }
  throw new ModelError("network", `${endpoint.provider} stopped in the middle of its answer`);
}

const MAX_LINE = 16 * 1024 * 1024;

/** The JSON values of a body that has one on each line. */
async function* lines(body: ReadableStream<Uint8Array> | null): AsyncGenerator<Line> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const bytes of body ?? []) {
    const parts = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    if (rest.length > MAX_LINE) throw new ModelError("network", "A line of the answer has no end");
    for (const part of parts) if (part.trim() !== "") yield JSON.parse(part);
  }
  if (rest.trim() !== "") yield JSON.parse(rest);
}
