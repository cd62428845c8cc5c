/**
 * A model server on loopback that speaks four APIs over real HTTP: Anthropic's messages, OpenAI's
 * responses and chat completions, and Ollama's chat. What it answers is scripted, call by call.
 */

/** What the model does, in order. */
export type Step =
  /** Said word by word, one chunk each. */
  | { readonly text: string }
  | { readonly thinking: string; readonly signature?: string }
  /** A thought that the provider shows to nobody, but wants back. */
  | { readonly hidden: string }
  | {
    readonly call: string;
    readonly id?: string;
    /** A string is sent as it is, valid or not. */
    readonly args?: Readonly<Record<string, unknown>> | string;
    /** As Gemini signs its calls. */
    readonly signature?: string;
  }
  /** Goes on when the test says so. */
  | { readonly wait: Promise<unknown> }
  /** Stays silent until the client leaves. */
  | { readonly hang: true }
  /** The connection breaks. */
  | { readonly cut: true }
  /** The answer ends politely in the middle. */
  | { readonly close: true }
  /** Something that is none of the API's business. */
  | { readonly raw: string }
  /** An error in the middle of the stream. */
  | { readonly fail: string; readonly type: string };

/** How one call is answered. */
export interface Turn {
  readonly steps?: readonly Step[];
  /** Anything but 200 is an error with this type and message. */
  readonly status?: number;
  readonly type?: string;
  readonly message?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly stop?: "stop" | "length" | "refusal";
  readonly usage?: { readonly input: number; readonly output: number; readonly cached?: number };
}

/** A call as the server saw it. */
export interface ModelCall {
  readonly path: string;
  readonly headers: Headers;
  // deno-lint-ignore no-explicit-any
  readonly body: any;
  /** When it arrived, by `performance.now()`. */
  readonly at: number;
  /** When each chunk of text was written. */
  readonly writes: readonly number[];
  /** Resolves when the client goes away before the end. */
  readonly cancelled: Promise<void>;
}

/** A model as Ollama or LM Studio lists it. */
export interface ServedModel {
  readonly id: string;
  readonly capabilities?: readonly string[];
  readonly contextLength?: number;
}

/** Starts a server on a free port. Calls without a script are answered with `ok`. */
export function fakeModels(): FakeModels {
  return new FakeModels();
}

/** The running server. */
export class FakeModels implements AsyncDisposable {
  /** Without a path. */
  readonly url: string;
  /** Calls of models; questions for lists are not among them. */
  readonly calls: ModelCall[] = [];
  /** How often somebody asked for a list of models. */
  lookups = 0;
  ollama: readonly ServedModel[] = [];
  lmStudio: readonly ServedModel[] = [];
  readonly #turns: Turn[] = [];
  readonly #speaking: Promise<void>[] = [];
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  #arrived = Promise.withResolvers<void>();

  constructor() {
    this.#server = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen() {} },
      (request) => this.#answer(request),
    );
    this.url = `http://127.0.0.1:${this.#server.addr.port}`;
  }

  /** Adds answers for the next calls. */
  script(...turns: Turn[]): void {
    this.#turns.push(...turns);
  }

  /** Resolves with the call of this number, from 1, once it has arrived. */
  async call(number: number): Promise<ModelCall> {
    for (;;) {
      const call = this.calls[number - 1];
      if (call !== undefined) return call;
      await this.#arrived.promise;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
    await Promise.all(this.#speaking);
  }

  async #answer(request: Request): Promise<Response> {
    const path = new URL(request.url).pathname;
    const list = this.#list(path);
    if (list !== undefined) {
      this.lookups++;
      const asked = request.method === "POST" ? await request.json() : undefined;
      return Response.json(list(asked));
    }
    const dialect = dialectOf(path);
    if (dialect === undefined) return new Response("no such page", { status: 404 });
    const at = performance.now();
    const body = await request.json();
    const cancelled = Promise.withResolvers<void>();
    const writes: number[] = [];
    const { headers } = request;
    this.calls.push({ path, headers, body, at, writes, cancelled: cancelled.promise });
    this.#arrived.resolve();
    this.#arrived = Promise.withResolvers();
    const turn = this.#turns.shift() ?? { steps: [{ text: "ok" }] };
    if ((turn.status ?? 200) !== 200) {
      const error = dialect.error(turn.type ?? "error", turn.message ?? "scripted failure");
      return Response.json(error, { status: turn.status, headers: turn.headers });
    }
    const isCut = turn.steps?.some((step) => "cut" in step) ?? false;
    const spoken = Promise.withResolvers<void>();
    this.#speaking.push(spoken.promise);
    const ends = { writes, cancelled: cancelled.resolve, spoken: spoken.resolve };
    return new Response(streamOf(turn, dialect, ends), {
      headers: {
        "content-type": dialect.contentType,
        ...(isCut ? { "content-length": "1000000" } : {}),
        ...turn.headers,
      },
    });
  }

  #list(path: string): ((asked: { model?: string } | undefined) => unknown) | undefined {
    switch (path) {
      case "/api/tags":
        return () => ({ models: this.ollama.map(({ id }) => ({ name: id, model: id })) });
      case "/api/show":
        return (asked) => {
          const model = this.ollama.find(({ id }) => id === asked?.model);
          const { capabilities = ["completion", "tools"], contextLength = 8192 } = model ?? {};
          return { capabilities, model_info: { "llama.context_length": contextLength } };
        };
      case "/api/v0/models":
        return () => ({
          object: "list",
          data: this.lmStudio.map(({ id, contextLength = 8192 }) => ({
            id,
            object: "model",
            type: "llm",
            state: "loaded",
            max_context_length: contextLength,
          })),
        });
    }
  }
}

interface StreamEnds {
  readonly writes: number[];
  /** The client went away. */
  cancelled(): void;
  /** Nothing more happens here. */
  spoken(): void;
}

function streamOf(turn: Turn, dialect: Dialect, { writes, cancelled, spoken }: StreamEnds) {
  const encoder = new TextEncoder();
  const left = Promise.withResolvers<void>();
  let isGone = false;

  async function speak(send: (text: string) => void): Promise<void> {
    send(dialect.begin(turn.usage ?? USAGE));
    for (const step of turn.steps ?? []) {
      if (isGone) return;
      if ("text" in step) {
        for (const word of step.text.match(/\s*\S+|\s+$/g) ?? []) {
          writes.push(performance.now());
          send(dialect.text(word));
          await new Promise((resolve) => setTimeout(resolve)); // so that each word is a chunk
        }
      } else if ("thinking" in step) send(dialect.thinking(step.thinking, step.signature));
      else if ("hidden" in step) send(dialect.hidden(step.hidden));
      else if ("call" in step) send(dialect.call(step));
      else if ("raw" in step) send(step.raw);
      else if ("fail" in step) send(dialect.fail(step.type, step.fail));
      else if ("wait" in step) await Promise.race([step.wait, left.promise]);
      else if ("hang" in step) await left.promise;
      else return; // before the length that was promised for a cut: the server drops the line
    }
    send(dialect.end(turn.stop ?? "stop", turn.usage ?? USAGE));
  }

  return new ReadableStream<Uint8Array>({
    async start(controller) {
      await speak((text) => {
        if (!isGone && text !== "") controller.enqueue(encoder.encode(text));
      });
      if (!isGone) controller.close();
      spoken();
    },
    cancel() {
      isGone = true;
      left.resolve();
      cancelled();
    },
  });
}

type Call = Extract<Step, { call: string }>;
type TurnUsage = NonNullable<Turn["usage"]>;

const USAGE: TurnUsage = { input: 10, output: 5 };

/** One API: how each thing is said in it. Made anew for every call, since most count. */
interface Dialect {
  readonly contentType: string;
  begin(usage: TurnUsage): string;
  text(delta: string): string;
  thinking(text: string, signature?: string): string;
  hidden(data: string): string;
  call(call: Call): string;
  fail(type: string, message: string): string;
  end(stop: NonNullable<Turn["stop"]>, usage: TurnUsage): string;
  error(type: string, message: string): unknown;
}

function dialectOf(path: string): Dialect | undefined {
  if (path.endsWith("/chat/completions")) return new ChatCompletions();
  if (path.endsWith("/responses")) return new Responses();
  if (path.endsWith("/messages")) return new AnthropicMessages();
  if (path === "/api/chat") return new Ollama();
}

function argumentsOf({ args = {} }: Call): string {
  return typeof args === "string" ? args : JSON.stringify(args);
}

/** A text in two halves, as arguments come in pieces. */
function halves(text: string): readonly [string, string] {
  const middle = text.length >> 1;
  return [text.slice(0, middle), text.slice(middle)];
}

class AnthropicMessages implements Dialect {
  readonly contentType = "text/event-stream";
  #index = 0;
  #open: "text" | undefined;
  #calls = 0;

  begin({ input, cached = 0 }: TurnUsage): string {
    const usage = {
      input_tokens: input - cached,
      cache_read_input_tokens: cached,
      cache_creation_input_tokens: 0,
      output_tokens: 1,
    };
    const message = {
      id: "msg_1",
      type: "message",
      role: "assistant",
      model: "fake",
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage,
    };
    return this.#event("message_start", { message }) + this.#event("ping", {});
  }

  text(text: string): string {
    const start = this.#open === "text" ? "" : this.#start({ type: "text", text: "" });
    this.#open = "text";
    return start + this.#delta({ type: "text_delta", text });
  }

  thinking(thinking: string, signature = "signed"): string {
    return this.#close() + this.#start({ type: "thinking", thinking: "", signature: "" }) +
      halves(thinking).map((half) => this.#delta({ type: "thinking_delta", thinking: half }))
        .join("") +
      this.#delta({ type: "signature_delta", signature }) + this.#stop();
  }

  hidden(data: string): string {
    return this.#close() + this.#start({ type: "redacted_thinking", data }) + this.#stop();
  }

  call(call: Call): string {
    this.#calls++;
    const block = {
      type: "tool_use",
      id: call.id ?? `toolu_${this.#calls}`,
      name: call.call,
      input: {},
    };
    return this.#close() + this.#start(block) +
      halves(argumentsOf(call))
        .map((half) => this.#delta({ type: "input_json_delta", partial_json: half }))
        .join("") +
      this.#stop();
  }

  fail(type: string, message: string): string {
    return this.#event("error", { error: { type, message } });
  }

  end(stop: NonNullable<Turn["stop"]>, { output }: TurnUsage): string {
    const reason = this.#calls > 0 ? "tool_use" : ANTHROPIC_STOPS[stop];
    return this.#close() +
      this.#event("message_delta", {
        delta: { stop_reason: reason, stop_sequence: null },
        usage: { output_tokens: output },
      }) + this.#event("message_stop", {});
  }

  error(type: string, message: string): unknown {
    return { type: "error", error: { type, message } };
  }

  #start(content_block: unknown): string {
    return this.#event("content_block_start", { index: this.#index, content_block });
  }

  #delta(delta: unknown): string {
    return this.#event("content_block_delta", { index: this.#index, delta });
  }

  #stop(): string {
    return this.#event("content_block_stop", { index: this.#index++ });
  }

  #close(): string {
    if (this.#open === undefined) return "";
    this.#open = undefined;
    return this.#stop();
  }

  #event(type: string, data: object): string {
    return `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;
  }
}

const ANTHROPIC_STOPS = { stop: "end_turn", length: "max_tokens", refusal: "refusal" };

class ChatCompletions implements Dialect {
  readonly contentType = "text/event-stream";
  #calls = 0;

  begin(): string {
    return this.#chunk({ role: "assistant", content: "" });
  }

  text(content: string): string {
    return this.#chunk({ content });
  }

  thinking(reasoning_content: string): string {
    return halves(reasoning_content)
      .map((half) => this.#chunk({ reasoning_content: half })).join("");
  }

  hidden(): string {
    return "";
  }

  call(call: Call): string {
    const index = this.#calls++;
    const signed = call.signature === undefined
      ? {}
      : { extra_content: { google: { thought_signature: call.signature } } };
    const [first, second] = halves(argumentsOf(call));
    const start = {
      index,
      id: call.id ?? `call_${index + 1}`,
      type: "function",
      function: { name: call.call, arguments: first },
      ...signed,
    };
    return this.#chunk({ tool_calls: [start] }) +
      this.#chunk({ tool_calls: [{ index, function: { arguments: second } }] });
  }

  fail(type: string, message: string): string {
    return `data: ${JSON.stringify(this.error(type, message))}\n\n`;
  }

  end(stop: NonNullable<Turn["stop"]>, { input, output, cached = 0 }: TurnUsage): string {
    const reason = this.#calls > 0 ? "tool_calls" : COMPLETION_STOPS[stop];
    const usage = {
      prompt_tokens: input,
      completion_tokens: output,
      total_tokens: input + output,
      prompt_tokens_details: { cached_tokens: cached },
    };
    return this.#chunk({}, reason) + this.#data({ choices: [], usage }) + "data: [DONE]\n\n";
  }

  error(type: string, message: string): unknown {
    return { error: { message, type, param: null, code: type } };
  }

  #chunk(delta: unknown, finish_reason: string | null = null): string {
    return this.#data({ choices: [{ index: 0, delta, finish_reason }] });
  }

  #data(data: object): string {
    const chunk = { id: "c1", object: "chat.completion.chunk", created: 1, model: "fake", ...data };
    return `data: ${JSON.stringify(chunk)}\n\n`;
  }
}

const COMPLETION_STOPS = { stop: "stop", length: "length", refusal: "content_filter" };

class Responses implements Dialect {
  readonly contentType = "text/event-stream";
  #sequence = 0;
  #index = 0;
  #text: string | undefined;

  begin(): string {
    return this.#event("response.created", { response: this.#response({}) });
  }

  text(delta: string): string {
    let start = "";
    if (this.#text === undefined) {
      this.#text = "";
      const item = { ...this.#message(""), content: [] };
      start = this.#event("response.output_item.added", { output_index: this.#index, item });
    }
    this.#text += delta;
    return start + this.#event("response.output_text.delta", {
      item_id: this.#id("msg"),
      output_index: this.#index,
      content_index: 0,
      delta,
    });
  }

  thinking(text: string, signature = "encrypted"): string {
    const close = this.#close();
    const item_id = this.#id("rs");
    const output_index = this.#index;
    const at = { item_id, output_index, summary_index: 0 };
    const item = { type: "reasoning", id: item_id, summary: [], encrypted_content: null };
    const summary = [{ type: "summary_text", text }];
    const said = this.#event("response.output_item.added", { output_index, item }) +
      this.#event("response.reasoning_summary_part.added", {
        ...at,
        part: { type: "summary_text", text: "" },
      }) +
      halves(text)
        .map((delta) => this.#event("response.reasoning_summary_text.delta", { ...at, delta }))
        .join("") +
      this.#event("response.reasoning_summary_part.done", { ...at, part: summary[0] }) +
      this.#event("response.output_item.done", {
        output_index,
        item: { ...item, summary, encrypted_content: signature },
      });
    this.#index++;
    return close + said;
  }

  hidden(data: string): string {
    const close = this.#close();
    const output_index = this.#index;
    const item = { type: "reasoning", id: this.#id("rs"), summary: [], encrypted_content: data };
    const said = this.#event("response.output_item.added", { output_index, item }) +
      this.#event("response.output_item.done", { output_index, item });
    this.#index++;
    return close + said;
  }

  call(call: Call): string {
    const close = this.#close();
    const output_index = this.#index;
    const item_id = this.#id("fc");
    const item = {
      type: "function_call",
      id: item_id,
      call_id: call.id ?? `call_${this.#index}`,
      name: call.call,
      arguments: "",
      status: "in_progress",
    };
    const args = argumentsOf(call);
    const said = this.#event("response.output_item.added", { output_index, item }) +
      halves(args).map((delta) =>
        this.#event("response.function_call_arguments.delta", { item_id, output_index, delta })
      ).join("") +
      this.#event("response.function_call_arguments.done", {
        item_id,
        output_index,
        arguments: args,
      }) +
      this.#event("response.output_item.done", {
        output_index,
        item: { ...item, arguments: args, status: "completed" },
      });
    this.#index++;
    return close + said;
  }

  fail(type: string, message: string): string {
    return this.#event("error", { error: { type, code: type, message, param: null } });
  }

  end(stop: NonNullable<Turn["stop"]>, { input, output, cached = 0 }: TurnUsage): string {
    const reason =
      { stop: undefined, length: "max_output_tokens", refusal: "content_filter" }[stop];
    const close = this.#close();
    const response = this.#response({
      incomplete_details: reason === undefined ? null : { reason },
      usage: {
        input_tokens: input,
        input_tokens_details: { cached_tokens: cached },
        output_tokens: output,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: input + output,
      },
    });
    const type = reason === undefined ? "response.completed" : "response.incomplete";
    return close + this.#event(type, { response });
  }

  error(type: string, message: string): unknown {
    return { error: { message, type, param: null, code: type } };
  }

  #close(): string {
    if (this.#text === undefined) return "";
    const item = this.#message(this.#text);
    const said = this.#event("response.output_text.done", {
      item_id: this.#id("msg"),
      output_index: this.#index,
      content_index: 0,
      text: this.#text,
    }) + this.#event("response.output_item.done", { output_index: this.#index, item });
    this.#text = undefined;
    this.#index++;
    return said;
  }

  #message(text: string) {
    return {
      type: "message",
      id: this.#id("msg"),
      status: "completed",
      role: "assistant",
      content: [{ type: "output_text", text, annotations: [] }],
    };
  }

  #id(kind: string): string {
    return `${kind}_${this.#index}`;
  }

  #response(more: object) {
    return { id: "resp_1", object: "response", created_at: 1, model: "fake", output: [], ...more };
  }

  #event(type: string, data: object): string {
    const event = { type, sequence_number: this.#sequence++, ...data };
    return `event: ${type}\ndata: ${JSON.stringify(event)}\n\n`;
  }
}

class Ollama implements Dialect {
  readonly contentType = "application/x-ndjson";

  begin(): string {
    return "";
  }

  text(content: string): string {
    return this.#line({ message: { role: "assistant", content } });
  }

  thinking(text: string): string {
    return halves(text)
      .map((thinking) => this.#line({ message: { role: "assistant", content: "", thinking } }))
      .join("");
  }

  hidden(): string {
    return "";
  }

  call(call: Call): string {
    const tool = { function: { name: call.call, arguments: JSON.parse(argumentsOf(call)) } };
    return this.#line({ message: { role: "assistant", content: "", tool_calls: [tool] } });
  }

  fail(_: string, message: string): string {
    return `${JSON.stringify({ error: message })}\n`;
  }

  end(stop: NonNullable<Turn["stop"]>, { input, output }: TurnUsage): string {
    return this.#line({
      message: { role: "assistant", content: "" },
      done: true,
      done_reason: stop,
      prompt_eval_count: input,
      eval_count: output,
    });
  }

  error(_: string, message: string): unknown {
    return { error: message };
  }

  #line(data: object): string {
    return `${JSON.stringify({ model: "fake", created_at: "", done: false, ...data })}\n`;
  }
}
