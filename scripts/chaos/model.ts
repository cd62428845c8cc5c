/**
 * A model that answers at once, with the ids that it was told, and has its tool write a message
 * before that where it is asked to: OpenAI's chat completions.
 */
import { Moments } from "./network.ts";

/** What of a conversation an answer is made of. */
interface Said {
  readonly role: string;
  readonly content?: unknown;
  readonly tool_calls?: readonly unknown[];
  readonly tool_call_id?: string;
}

/** Ids of messages, as people, operators and tools write them. */
export const ID = /\b[mot]\d+x[0-9a-z]+\b/g;

/** How people ask for an answer, and for what is to be done before it. */
export const ASKING = { plainly: "please answer", forTool: "please use your tool and answer" };

/** The id of what a tool writes for a message. */
export function toolIdOf(messageId: string): string {
  return messageId.replace(/^m/, "t");
}

/** When it is asked, when half of an answer is said, and when all of it is. */
export type ModelMoment = "asked" | "half answered" | "answered";

export class EchoModel implements AsyncDisposable {
  readonly moments = new Moments<ModelMoment>();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  /** How long the next answer waits in its middle, in milliseconds. */
  #pauses: number[] = [];

  constructor() {
    this.#server = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen() {}, onError: () => new Response() },
      (request) => this.#answer(request),
    );
  }

  get port(): number {
    return this.#server.addr.port;
  }

  /** The next answer stays half said for so long. */
  dawdle(ms: number): void {
    this.#pauses.push(ms);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }

  async #answer(request: Request): Promise<Response> {
    const { messages }: { messages: readonly Said[] } = await request.json();
    this.moments.happened("asked");
    const parts = [...answerTo(messages), "data: [DONE]\n\n"];
    const ms = this.#pauses.shift() ?? 0;
    if (ms === 0) {
      setTimeout(() => this.moments.happened("answered"));
      return new Response(parts.join(""), { headers: STREAM });
    }
    const spoken = new ReadableStream<Uint8Array>({
      start: (controller) => {
        controller.enqueue(new TextEncoder().encode(parts[0]));
        this.moments.happened("half answered");
        setTimeout(() => {
          try {
            controller.enqueue(new TextEncoder().encode(parts.slice(1).join("")));
            controller.close();
            this.moments.happened("answered");
          } catch {
            // whoever asked is dead by now
          }
        }, ms);
      },
    });
    return new Response(spoken, { headers: STREAM });
  }
}

/** How every answer begins: enough to be shown while the rest is awaited. */
export const OPENING = "Here is an echo of it.";

const STREAM = { "content-type": "text/event-stream" };
/** What is told of a call that was cut. */
const IN_DOUBT = /nobody knows/;
const FOR_TOOL = new RegExp(`${ASKING.forTool} (${ID.source})`, "g");

/** All that was said since the last answer. */
function answerTo(messages: readonly Said[]): readonly string[] {
  const last = messages.findLastIndex(({ role, tool_calls }) =>
    role === "assistant" && tool_calls === undefined
  );
  const since = messages.slice(last + 1);
  const asked = JSON.stringify(since.filter(({ role }) => role === "user"));
  const calls = toolIdsIn(since).map((id, index) => ({
    index,
    id: callOf(id),
    type: "function",
    function: {
      name: "message",
      arguments: JSON.stringify({ action: "send", text: `by tool ${id}` }),
    },
  }));
  if (calls.length > 0) return [chunk({ tool_calls: calls }), chunk({}, "tool_calls")];
  const ids = [...new Set(asked.match(ID))].join(" ");
  return [chunk({ content: `${OPENING} ` }), chunk({ content: ids }), chunk({}, "stop")];
}

/**
 * What the tool has to write. It is done for the last message alone, but done again, without a
 * thought, where nobody knows whether it was done.
 */
function toolIdsIn(messages: readonly Said[]): readonly string[] {
  const last = messages.findLastIndex(({ role }) => role === "user");
  const asked = [...JSON.stringify(messages[last]?.content ?? "").matchAll(FOR_TOOL)];
  const done = new Set(
    messages.slice(last + 1).filter(({ content }) => !IN_DOUBT.test(JSON.stringify(content ?? "")))
      .map(({ tool_call_id }) => tool_call_id),
  );
  return asked.map(([, id = ""]) => toolIdOf(id)).filter((id) => !done.has(callOf(id)));
}

function callOf(toolId: string): string {
  return `call_${toolId}`;
}

function chunk(
  said: { readonly content?: string; readonly tool_calls?: readonly unknown[] },
  finish: "stop" | "tool_calls" | null = null,
): string {
  const delta = { role: "assistant", ...said };
  const choices = [{ index: 0, delta, finish_reason: finish }];
  const body = { id: "c1", object: "chat.completion.chunk", created: 1, model: "echo", choices };
  return `data: ${JSON.stringify(body)}\n\n`;
}
