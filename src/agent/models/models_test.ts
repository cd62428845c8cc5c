/** Every API against a server that speaks it over HTTP. */
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { type FakeModels, fakeModels, type Turn } from "../../../tests/fakes/models.ts";
import { ModelError, type ModelErrorKind, type ModelEvent, type ModelInfo } from "../../model.ts";
import type { AssistantMessage, Message, ThinkingLevel } from "../../session.ts";
import { abortable } from "./abortable.ts";
import { type Api, lazyModel } from "./lazy.ts";

const APIS: readonly Api[] = [
  "anthropic-messages",
  "openai-responses",
  "openai-completions",
  "ollama",
];
const KEY = "sk-test-0123456789";
const HELLO: Message = { role: "user", content: "hello", timestamp: 1 };

for (const api of APIS) {
  Deno.test(`${api}: text arrives word by word, then the usage`, async () => {
    await using fake = fakeModels();
    fake.script({ steps: [{ text: "Hello there, you" }], usage: { input: 100, output: 7 } });
    deepStrictEqual(await ask(fake, api), [
      { type: "text", delta: "Hello" },
      { type: "text", delta: " there," },
      { type: "text", delta: " you" },
      {
        type: "end",
        stopReason: "stop",
        usage: { input: 100, output: 7, cacheRead: 0, cacheWrite: 0, totalTokens: 107 },
      },
    ]);
    const [call] = fake.calls;
    strictEqual(call?.body.stream, true);
    const credentials = call?.headers.get("x-api-key") ?? call?.headers.get("authorization");
    strictEqual(credentials, api === "anthropic-messages" ? KEY : `Bearer ${KEY}`);
  });

  Deno.test(`${api}: the first word is heard before the last one is said`, async () => {
    await using fake = fakeModels();
    const gate = Promise.withResolvers<void>();
    fake.script({ steps: [{ text: "first" }, { wait: gate.promise }, { text: " last" }] });
    let text = "";
    for await (const event of stream(fake, api)) {
      if (event.type !== "text") continue;
      text += event.delta;
      gate.resolve(); // without the first word the second would never come
    }
    strictEqual(text, "first last");
  });

  Deno.test(`${api}: a tool call comes whole, and its result goes back`, async () => {
    await using fake = fakeModels();
    fake.script({
      steps: [{ text: "Let me look." }, { call: "read", args: { path: "a.md", limit: 3 } }],
    });
    const events = await ask(fake, api);
    const call = events.find((event) => event.type === "toolCall");
    ok(call !== undefined);
    strictEqual(call.name, "read");
    deepStrictEqual(call.arguments, { path: "a.md", limit: 3 });
    strictEqual(stopReasonOf(events), "toolUse");

    await ask(fake, api, { messages: [HELLO, said(api, events), result(call.id, "the text")] });
    const sent = JSON.stringify(fake.calls[1]?.body);
    ok(sent.includes("the text"), "the result is sent");
    ok(sent.includes("Let me look."), "what was said before is sent");
    const [tool] = fake.calls[1]?.body.tools ?? [];
    strictEqual((tool.function ?? tool).name, "read");
  });

  Deno.test(`${api}: an abort ends the stream, and the server sees the client go`, async () => {
    await using fake = fakeModels();
    fake.script({ steps: [{ text: "one two" }, { hang: true }] });
    const aborter = new AbortController();
    const events: ModelEvent[] = [];
    for await (const event of stream(fake, api, { signal: aborter.signal })) {
      events.push(event);
      if (events.length === 2) {
        collectGarbage(); // with which the runtime's own `fetch` forgets the signal
        queueMicrotask(() => aborter.abort());
      }
    }
    deepStrictEqual(events.map(({ type }) => type), ["text", "text"]);
    await fake.calls[0]?.cancelled;
  });

  Deno.test(`${api}: an abort before the first word ends it too`, async () => {
    await using fake = fakeModels();
    fake.script({ steps: [{ hang: true }] });
    const aborter = new AbortController();
    const events = ask(fake, api, { signal: aborter.signal });
    await fake.call(1);
    aborter.abort();
    deepStrictEqual(await events, []);
    await fake.calls[0]?.cancelled;
  });

  Deno.test(`${api}: a consumer that stops reading ends the request`, async () => {
    await using fake = fakeModels();
    fake.script({ steps: [{ text: "one two three" }, { hang: true }] });
    for await (const event of stream(fake, api)) if (event.type === "text") break;
    await fake.calls[0]?.cancelled;
  });

  Deno.test(`${api}: the length limit is told apart from the end`, async () => {
    await using fake = fakeModels();
    fake.script({ steps: [{ text: "and so" }], stop: "length" });
    strictEqual(stopReasonOf(await ask(fake, api)), "length");
  });

  const failures: readonly (Turn & { kind: ModelErrorKind; says?: RegExp })[] = [
    { status: 401, message: `bad key ${KEY}`, kind: "auth", says: /FAKE_API_KEY/ },
    { status: 403, message: "not for you", kind: "auth" },
    { status: 429, message: "slow down", headers: { "retry-after": "7" }, kind: "rate_limit" },
    {
      status: 429,
      type: "insufficient_quota",
      message: "You exceeded your current quota; insufficient_quota",
      kind: "auth",
    },
    { status: 500, message: "oops", kind: "overloaded" },
    { status: 529, type: "overloaded_error", message: "Overloaded", kind: "overloaded" },
    { status: 408, message: "too slow", kind: "timeout" },
    { status: 404, message: "no such model", kind: "invalid", says: /no such model/ },
    { status: 400, message: "prompt is too long: 9 tokens > 8 maximum", kind: "context_length" },
    {
      status: 400,
      message: "This model's maximum context length is 8 tokens",
      kind: "context_length",
    },
    { steps: [{ text: "half a" }, { cut: true }], kind: "network", says: /in the middle/ },
    { steps: [{ text: "half a" }, { close: true }], kind: "network", says: /in the middle/ },
    { steps: [{ close: true }], kind: "network" },
    { steps: [{ fail: "Overloaded", type: "overloaded_error" }], kind: "overloaded" },
    { steps: [{ raw: "data: {no json\n\n" }], kind: "unknown" },
  ];
  for (const { kind, says, ...turn } of failures) {
    Deno.test(`${api}: ${JSON.stringify(turn)} is ${kind}`, async () => {
      await using fake = fakeModels();
      fake.script(turn);
      await rejects(ask(fake, api), (error) => {
        ok(error instanceof ModelError);
        strictEqual(error.kind, kind, error.message);
        if (says !== undefined) ok(says.test(error.message), error.message);
        ok(!error.message.includes(KEY), "the key is not told");
        if (turn.headers !== undefined) strictEqual(error.options.retryAfterMs, 7_000);
        return true;
      });
      strictEqual(fake.calls.length, 1, "the SDK repeats nothing by itself");
    });
  }

  Deno.test(`${api}: a server that isn't there is a network error`, async () => {
    const gone = fakeModels();
    await gone[Symbol.asyncDispose]();
    await rejects(ask(gone, api), (error) => {
      ok(error instanceof ModelError);
      strictEqual(error.kind, "network");
      ok(error.message.includes(`at ${new URL(gone.url).host}`), error.message);
      return true;
    });
  });
}

for (const api of ["anthropic-messages", "openai-responses"] as const) {
  Deno.test(`${api}: thoughts come with a signature and go back with it`, async () => {
    await using fake = fakeModels();
    fake.script({
      steps: [
        { thinking: "let me see", signature: "SIGNED" },
        { hidden: "HIDDEN" },
        { text: "Yes." },
        { call: "read", args: { path: "x" } },
      ],
    });
    const events = await ask(fake, api, { thinking: "low" });
    const thoughts = events.filter((event) => event.type === "thinking");
    strictEqual(thoughts.map(({ delta }) => delta).join(""), "let me see");
    strictEqual(thoughts.filter(({ signature }) => signature !== undefined).length, 2);

    const call = events.find((event) => event.type === "toolCall");
    const messages = [HELLO, said(api, events), result(call?.id ?? "", "done")];
    await ask(fake, api, { thinking: "low", messages });
    const sent = JSON.stringify(fake.calls[1]?.body);
    ok(sent.includes("SIGNED") && sent.includes("HIDDEN"), sent);

    await ask(fake, api, { thinking: "low", messages, info: { id: "another-model" } });
    const sentToAnother = JSON.stringify(fake.calls[2]?.body);
    ok(!sentToAnother.includes("SIGNED") && !sentToAnother.includes("HIDDEN"), sentToAnother);
  });
}

Deno.test("openai-completions: thoughts are heard", async () => {
  await using fake = fakeModels();
  fake.script({ steps: [{ thinking: "let me see" }, { text: "Yes." }] });
  const events = await ask(fake, "openai-completions", { thinking: "high" });
  const thoughts = events.filter((event) => event.type === "thinking");
  strictEqual(thoughts.map(({ delta }) => delta).join(""), "let me see");
  strictEqual(fake.calls[0]?.body.reasoning_effort, "high");
});

Deno.test("openai-completions: Gemini's signed tool calls go back signed", async () => {
  await using fake = fakeModels();
  fake.script({ steps: [{ call: "read", args: { path: "x" }, signature: "GEMINI" }] });
  const events = await ask(fake, "openai-completions");
  const call = events.find((event) => event.type === "toolCall");
  const messages = [HELLO, said("openai-completions", events), result(call?.id ?? "", "done")];
  await ask(fake, "openai-completions", { messages });
  const [sent] = fake.calls[1]?.body.messages[2].tool_calls;
  strictEqual(sent.extra_content.google.thought_signature, "GEMINI");
});

Deno.test("anthropic-messages: what was read from its cache is counted apart", async () => {
  await using fake = fakeModels();
  fake.script({ steps: [{ text: "ok" }], usage: { input: 100, output: 2, cached: 60 } });
  const end = (await ask(fake, "anthropic-messages")).at(-1);
  deepStrictEqual(end?.type === "end" && end.usage, {
    input: 40,
    output: 2,
    cacheRead: 60,
    cacheWrite: 0,
    totalTokens: 102,
  });
  const [system] = fake.calls[0]?.body.system ?? [];
  deepStrictEqual(system.cache_control, { type: "ephemeral" });
});

Deno.test("anthropic-messages: thinking is off when it is off, and while another model's call is open", async () => {
  await using fake = fakeModels();
  const api = "anthropic-messages";
  await ask(fake, api, { thinking: "off" });
  await ask(fake, api, { thinking: "medium" });
  const foreign = said("openai-responses", [
    { type: "toolCall", id: "call_1", name: "read", arguments: {} },
  ]);
  await ask(fake, api, { thinking: "medium", messages: [HELLO, foreign, result("call_1", "x")] });
  const thinking = fake.calls.map(({ body }) => body.thinking.type);
  deepStrictEqual(thinking, ["disabled", "enabled", "disabled"]);
});

Deno.test("openai-responses: nothing is stored there, and thinking has an effort", async () => {
  await using fake = fakeModels();
  await ask(fake, "openai-responses", { thinking: "off" });
  await ask(fake, "openai-responses", { thinking: "minimal" });
  const bodies = fake.calls.map(({ body }) => body);
  deepStrictEqual(bodies.map(({ store }) => store), [false, false]);
  deepStrictEqual(bodies.map(({ reasoning }) => reasoning?.effort), [undefined, "low"]);
});

Deno.test("ollama: the whole context is asked for; a model without tools gets none", async () => {
  await using fake = fakeModels();
  fake.script({ status: 400, message: "registry/tiny does not support tools" });
  strictEqual(stopReasonOf(await ask(fake, "ollama")), "stop");
  const [first, second] = fake.calls.map(({ body }) => body);
  strictEqual(first.options.num_ctx, INFO.contextWindow);
  deepStrictEqual([first.tools.length, second.tools.length], [1, 0]);
});

for (const api of APIS) {
  Deno.test(`${api}: a picture is shown to models that see, and named to those that don't`, async () => {
    await using fake = fakeModels();
    const picture: Message = {
      role: "user",
      content: [{ type: "text", text: "look" }, {
        type: "image",
        data: "aGVsbG8=",
        mimeType: "image/png",
      }],
      timestamp: 1,
    };
    await ask(fake, api, { messages: [picture] });
    ok(JSON.stringify(fake.calls[0]?.body).includes("aGVsbG8="));
    if (api === "ollama") return; // it drops pictures by itself
    await ask(fake, api, { messages: [picture], info: { input: ["text"] } });
    ok(!JSON.stringify(fake.calls[1]?.body).includes("aGVsbG8="));
  });
}

const INFO: ModelInfo = {
  provider: "fake",
  id: "claude-sonnet-4-5",
  name: "Fake",
  contextWindow: 50_000,
  maxOutputTokens: 4_000,
  reasoning: true,
  input: ["text", "image"],
};

interface Asking {
  readonly messages?: readonly Message[];
  readonly thinking?: ThinkingLevel;
  readonly signal?: AbortSignal;
  readonly info?: Partial<ModelInfo>;
}

function stream(fake: FakeModels, api: Api, asking: Asking = {}): AsyncIterable<ModelEvent> {
  const { messages = [HELLO], thinking = "off", signal = new AbortController().signal } = asking;
  const model = lazyModel(api, { ...INFO, ...asking.info }, {
    provider: "fake",
    baseUrl: api === "ollama" ? fake.url : `${fake.url}/v1`,
    apiKey: KEY,
    keyHint: "FAKE_API_KEY",
    headers: {},
    fetch: abortable(fetch),
  });
  const read = {
    name: "read",
    description: "Reads a file",
    parameters: { type: "object", properties: { path: { type: "string" } }, required: ["path"] },
  };
  return model.stream({ system: "Be brief", messages, tools: [read], thinking }, signal);
}

function ask(fake: FakeModels, api: Api, asking?: Asking): Promise<ModelEvent[]> {
  return Array.fromAsync(stream(fake, api, asking));
}

/** The message that events amount to. */
function said(api: Api, events: readonly ModelEvent[]): AssistantMessage {
  const content: AssistantMessage["content"][number][] = [];
  const text = events.map((event) => event.type === "text" ? event.delta : "").join("");
  if (text !== "") content.push({ type: "text", text });
  for (const event of events) {
    if (event.type === "toolCall") content.push(event);
    if (event.type === "thinking") {
      content.push({ type: "thinking", thinking: event.delta, thinkingSignature: event.signature });
    }
  }
  const { provider, id } = INFO;
  return {
    role: "assistant",
    content,
    api,
    provider,
    model: id,
    stopReason: "toolUse",
    timestamp: 2,
  };
}

function result(toolCallId: string, text: string): Message {
  return {
    role: "toolResult",
    toolCallId,
    toolName: "read",
    content: [{ type: "text", text }],
    isError: false,
    timestamp: 3,
  };
}

function stopReasonOf(events: readonly ModelEvent[]): string | undefined {
  const end = events.at(-1);
  return end?.type === "end" ? end.stopReason : undefined;
}

/** Makes enough of it for the runtime to clean up. */
function collectGarbage(): void {
  for (let round = 0; round < 20; round++) {
    Array.from({ length: 50_000 }, (_, i) => ({ i }));
  }
}
