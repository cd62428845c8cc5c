/** Whole turns, with a real model server, a real workspace, and a transcript that stores as it goes. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { FakeConversation } from "../../tests/fakes/conversation.ts";
import { fakeModels } from "../../tests/fakes/models.ts";
import type { Config } from "../config.ts";
import type { Agent, RunEvent, RunOutcome, RunRequest } from "../run.ts";
import { mainSessionKey, type Message, textOf } from "../session.ts";
import { type AgentTiming, createAgent } from "./agent.ts";
import { MAX_MODEL_CALLS } from "./loop.ts";
import type { Api } from "./models/lazy.ts";

const APIS: readonly Api[] = [
  "anthropic-messages",
  "openai-responses",
  "openai-completions",
  "ollama",
];

for (const api of APIS) {
  Deno.test(`${api}: a question is answered`, async () => {
    await using home = await start({ api });
    home.fake.script({ steps: [{ text: "Good morning." }], usage: { input: 50, output: 3 } });
    const events = await home.say("Hello");
    deepStrictEqual(outline(events), [
      "model fake/m",
      "text Good",
      "text  morning.",
      "assistant: Good morning.",
      "usage 53 of 40000",
      "end ok: Good morning.",
    ]);
    const { body } = await home.fake.call(1);
    ok(JSON.stringify(body).includes("You are Claw"), "the system prompt is sent");
    const [message] = home.messages.slice(-1);
    strictEqual(message?.role === "assistant" && message.api, api);
  });

  Deno.test(`${api}: a stand-in answers, and asks nobody`, async () => {
    await using home = await start({ api });
    const rehearsed = await home.say("Hello", { by: home.agent.standIn() });
    strictEqual(outline(rehearsed).at(-1), "end ok: .");
    strictEqual(home.fake.calls.length, 0);
    home.fake.script({ steps: [{ text: "Good morning." }] });
    strictEqual(endOf(await home.say("Hello")).text, "Good morning.");
    strictEqual(home.fake.calls.length, 1);
  });

  Deno.test(`${api}: a tool is used and its result told`, async () => {
    await using home = await start({ api });
    await home.write("list.md", "milk\nbread");
    home.fake.script(
      { steps: [{ text: "Let me see." }, { call: "read", id: "c1", args: { path: "list.md" } }] },
      { steps: [{ text: "Milk and bread." }] },
    );
    const events = await home.say("What is on my list?");
    deepStrictEqual(
      outline(events).filter((line) => !line.startsWith("text")),
      [
        "model fake/m",
        "assistant: Let me see. [read]",
        "usage 15 of 40000",
        'start read {"path":"list.md"}',
        "result read: milk\nbread",
        "toolResult: milk\nbread",
        "usage 15 of 40000",
        "end ok: Let me see.\n\nMilk and bread.",
      ].toSpliced(6, 0, "assistant: Milk and bread."),
    );
    ok(JSON.stringify(home.fake.calls[1]?.body).includes("bread"));
    deepStrictEqual(endOf(events).usage?.totalTokens, 30);
  });

  Deno.test(`${api}: an abort keeps what was said and ends the request`, async () => {
    await using home = await start({ api });
    home.fake.script({ steps: [{ text: "It was a dark" }, { hang: true }] });
    const aborter = new AbortController();
    const events = await home.say("Tell a story", {
      signal: aborter.signal,
      hear: (event) => event.type === "text" && event.delta === " dark" && aborter.abort(),
    });
    deepStrictEqual(outline(events).slice(-2), [
      "assistant (aborted): It was a dark",
      "end aborted: It was a dark",
    ]);
    await home.fake.calls[0]?.cancelled;
  });

  Deno.test(`${api}: a full context is summarised, and the question asked again`, async () => {
    await using home = await start({ api });
    for (let i = 0; i < 6; i++) {
      home.conversation.say(`Fact ${i}: ${"x".repeat(9_000)}`).store(answered(`Noted ${i}`));
    }
    home.fake.script(
      { status: 400, message: "prompt is too long: 60000 tokens > 40000 maximum" },
      { steps: [{ text: "The user told facts." }] },
      { steps: [{ text: "Now it fits." }] },
    );
    const events = await home.say("And now?");
    const lines = outline(events).filter((line) => !line.startsWith("text"));
    deepStrictEqual(lines.slice(1, 3), [
      "compaction start",
      "compaction end: The user told facts.",
    ]);
    strictEqual(lines.at(-1), "end ok: Now it fits.");
    const asked = JSON.stringify(home.fake.calls[2]?.body);
    ok(asked.includes("The user told facts.") && !asked.includes("Fact 0"));
    ok(asked.includes("And now?"));
  });
}

for (const api of APIS) {
  Deno.test(`${api}: half a letter, which a cut has left, is not said`, async () => {
    await using home = await start({ api });
    await home.write("AGENTS.md", `a${"😀".repeat(20_000)}`);
    await home.write("long.txt", `a${"😀".repeat(2_000)}`);
    home.fake.script(
      { steps: [{ call: "read", id: "c1", args: { path: "long.txt", note: "\ud83d" } }] },
      { steps: [{ text: "So many faces." }] },
    );
    strictEqual(endOf(await home.say("Half of it: \ud83d")).status, "ok");
    const bodies = home.fake.calls.map(({ body }) => JSON.stringify(body));
    deepStrictEqual(bodies.map((body) => /\\ud[89a-f]/.test(body)), [false, false]);
    const results = home.messages.filter(({ role }) => role === "toolResult");
    deepStrictEqual(results.map((result) => textOf(result).isWellFormed()), [true]);
  });
}

Deno.test("failures that pass are waited out", async () => {
  await using home = await start({});
  home.fake.script(
    { status: 429, message: "slow down", headers: { "retry-after": "0" } },
    { status: 500, message: "oops" },
    { steps: [{ fail: "Overloaded", type: "overloaded_error" }] },
    { steps: [{ text: "Here." }] },
  );
  const events = await home.say("Are you there?");
  const retries = events.filter((event) => event.type === "retry");
  deepStrictEqual(retries.map(({ attempt }) => attempt), [1, 2, 3]);
  ok(retries[0]?.reason.includes("slow down"));
  strictEqual(endOf(events).status, "ok");
  strictEqual(home.messages.length, 2, "only the answer is kept");
});

Deno.test("a delay that the server asks for is kept; too long a one is not waited for", async () => {
  await using home = await start({});
  home.fake.script(
    { status: 429, headers: { "retry-after-ms": "1" } },
    { status: 429, headers: { "retry-after": "3600" } },
  );
  const events = await home.say("Hello");
  deepStrictEqual(events.flatMap((event) => event.type === "retry" ? [event.delayMs] : []), [1]);
  const end = endOf(events);
  strictEqual(end.status === "error" && end.kind, "rate_limit");
});

Deno.test("an abort while waiting ends the turn", async () => {
  await using home = await start({ timing: { retryMs: 40_000 } });
  home.fake.script({ status: 500 });
  const aborter = new AbortController();
  const events = await home.say("Hello", {
    signal: aborter.signal,
    hear: (event) => event.type === "retry" && queueMicrotask(() => aborter.abort()),
  });
  deepStrictEqual(outline(events).slice(-1), ["end aborted: "]);
});

Deno.test("what doesn't pass is handed to the next model, which keeps the turn", async () => {
  await using home = await start({ fallbacks: ["fake/second"] });
  home.fake.script(
    { status: 401, message: "bad key" },
    { steps: [{ call: "list" }] },
    { steps: [{ text: "Done." }] },
  );
  const events = await home.say("What files are there?");
  deepStrictEqual(
    events.flatMap((event) => event.type === "model" ? [event.model] : []),
    ["m", "second"],
  );
  deepStrictEqual(home.fake.calls.map(({ body }) => body.model), ["m", "second", "second"]);
  const end = endOf(events);
  deepStrictEqual([end.status, end.provider, end.model], ["ok", "fake", "second"]);
});

Deno.test("a picture that a model can't read is replaced by words, and the question asked again", async () => {
  await using home = await start({});
  const picture = { type: "image", data: "iVBORw0KGgo=", mimeType: "image/png" } as const;
  const words = { type: "text", text: "What is on it?" } as const;
  home.conversation.store({ role: "user", content: [words, picture], timestamp: 1 });
  home.fake.script(
    { status: 400, message: "Could not process image" },
    { steps: [{ text: "I can't see it." }] },
  );
  const events = await home.say("And now?");
  strictEqual(endOf(events).text, "I can't see it.");
  const bodies = home.fake.calls.map(({ body }) => JSON.stringify(body));
  deepStrictEqual(bodies.map((body) => body.includes(picture.data)), [true, false]);
  ok(bodies[1]?.includes("What is on it?") && bodies[1].includes("And now?"));
  ok(JSON.stringify(home.messages).includes(picture.data), "another model may read it");
});

Deno.test("what a model refuses without a picture is not asked twice", async () => {
  await using home = await start({});
  home.fake.script({ status: 400, message: "no such parameter" });
  const end = endOf(await home.say("Hello"));
  strictEqual(end.status === "error" && end.kind, "invalid");
  strictEqual(home.fake.calls.length, 1);
});

Deno.test("a wrong key ends the turn and says what to set", async () => {
  await using home = await start({});
  home.fake.script({ status: 401, message: "invalid x-api-key" });
  const events = await home.say("Hello");
  const end = endOf(events);
  ok(end.status === "error" && end.kind === "auth");
  ok(end.error.includes("models.providers.fake.apiKey"), end.error);
  deepStrictEqual(outline(events).slice(-2)[0], "assistant (error): ");
});

Deno.test("a missing key ends the turn and names its variable", async () => {
  await using home = await start({});
  const end = endOf(await home.say("Hello", { model: "openai/gpt-5" }));
  ok(end.status === "error" && end.kind === "auth");
  ok(end.error.includes("set OPENAI_API_KEY"), end.error);
});

Deno.test("an unknown model ends the turn", async () => {
  await using home = await start({});
  const events = await home.say("Hello", { model: "nobody/m" });
  const end = endOf(events);
  strictEqual(events.length, 1);
  deepStrictEqual(
    [end.status, end.provider, end.model, end.status === "error" && end.kind],
    ["error", "nobody", "m", "invalid"],
  );
});

Deno.test("an answer that breaks off is kept and not begun again", async () => {
  await using home = await start({ api: "anthropic-messages", fallbacks: ["fake/second"] });
  home.fake.script({
    steps: [
      { text: "I will" },
      { call: "write", args: { path: "a", content: "b" } },
      { fail: "Overloaded", type: "overloaded_error" },
    ],
  });
  const events = await home.say("Write a");
  deepStrictEqual(outline(events).slice(-3), [
    "assistant (error): I will [write]",
    "toolResult (error): Not done: the answer broke off",
    "end error: I will",
  ]);
  strictEqual(home.fake.calls.length, 1);
});

Deno.test("a model that says nothing is given up", async () => {
  await using home = await start({ timing: { silenceMs: 100 }, fallbacks: ["fake/second"] });
  home.fake.script(...Array.from({ length: 4 }, () => ({ steps: [{ hang: true } as const] })));
  const events = await home.say("Hello");
  strictEqual(endOf(events).text, "ok");
  ok(events.some((event) => event.type === "retry" && event.reason.includes("said nothing")));
});

Deno.test("an abort in a tool ends it, and every call has its result", async () => {
  await using home = await start({});
  await home.write("a.md", `${"a".repeat(60)}b`);
  const endless = { query: "(a+)+$", regex: true };
  home.fake.script({ steps: [{ call: "search", args: endless }, { call: "list" }] });
  const aborter = new AbortController();
  const events = await home.say("Search", {
    signal: aborter.signal,
    hear: (event) => event.type === "tool" && setTimeout(() => aborter.abort()), // once it runs
  });
  deepStrictEqual(outline(events).slice(3), [
    'start search {"query":"(a+)+$","regex":true}',
    "result search: Aborted by the user",
    "toolResult (error): Aborted by the user",
    "toolResult (error): Aborted by the user",
    "end aborted: ",
  ]);
});

Deno.test("what the user writes meanwhile joins the turn, and unbegun tools stay undone", async () => {
  await using home = await start({});
  home.fake.script(
    {
      steps: [
        { call: "write", id: "c1", args: { path: "one", content: "1" } },
        { call: "write", id: "c2", args: { path: "two", content: "2" } },
      ],
    },
    { steps: [{ text: "All right." }] },
    { steps: [{ text: "That too." }] },
  );
  const events = await home.say("Write one and two", {
    hear(event) {
      if (event.type === "tool" && event.phase === "start") home.conversation.steer("Only one!");
      if (event.type === "text" && event.delta === " right.") {
        home.conversation.steer("Thanks. And?");
      }
    },
  });
  deepStrictEqual(home.messages.map((message) => `${message.role}: ${textOf(message)}`), [
    "user: Write one and two",
    "assistant: ",
    "toolResult: Created 'one' (1 characters)",
    "toolResult: Not done: the user has written in the meantime",
    "user: Only one!",
    "assistant: All right.",
    "user: Thanks. And?",
    "assistant: That too.",
  ]);
  strictEqual(endOf(events).text, "All right.\n\nThat too.");
  strictEqual(await home.read("two"), undefined);
});

Deno.test("a message is stored before its tools run", async () => {
  await using home = await start({});
  home.fake.script({ steps: [{ call: "list" }] });
  await home.say("List", {
    hear(event) {
      if (event.type !== "tool" || event.phase !== "start") return;
      strictEqual(home.messages.at(-1)?.role, "assistant");
    },
  });
});

Deno.test("the model hears of a tool that isn't there, and of arguments that don't fit", async () => {
  await using home = await start({});
  home.fake.script({ steps: [{ call: "fly" }, { call: "read", args: '{"pa' }] });
  await home.say("Fly");
  const results = home.messages.filter((message) => message.role === "toolResult");
  deepStrictEqual(results.map(({ isError }) => isError), [true, true]);
  ok(textOf(results[0]!).startsWith("There is no tool 'fly'; there are read, write"));
  ok(textOf(results[1]!).includes("path"));
});

Deno.test("a turn that goes in circles is stopped", async () => {
  await using home = await start({});
  home.fake.script(
    ...Array.from({ length: MAX_MODEL_CALLS + 5 }, () => ({ steps: [{ call: "list" }] })),
  );
  const end = endOf(await home.say("Go"));
  strictEqual(home.fake.calls.length, MAX_MODEL_CALLS);
  ok(end.status === "error" && end.error.includes(`${MAX_MODEL_CALLS} calls`));
});

Deno.test("thoughts are told apart from text, stored signed, and sent back", async () => {
  await using home = await start({ api: "anthropic-messages" });
  home.fake.script(
    { steps: [{ thinking: "hmm", signature: "SIG" }, { text: "Looking." }, { call: "list" }] },
    { steps: [{ text: "Done." }] },
  );
  const events = await home.say("Look", { thinking: "low" });
  strictEqual(
    events.flatMap((event) => event.type === "thinking" ? [event.delta] : []).join(""),
    "hmm",
  );
  strictEqual(endOf(events).text, "Looking.\n\nDone.");
  const block = home.messages[1]?.content[0];
  ok(typeof block === "object" && block.type === "thinking" && block.thinking === "hmm");
  ok(JSON.stringify(home.fake.calls[1]?.body.messages).includes('"signature":"SIG"'));
});

Deno.test("a long conversation is summarised before it is too long", async () => {
  await using home = await start({});
  for (let i = 0; i < 12; i++) {
    home.conversation.say(`Fact ${i}: ${"x".repeat(12_000)}`).store(answered(`Noted ${i}`));
  }
  home.fake.script({ steps: [{ text: "Facts." }] }, { steps: [{ text: "Yes." }] });
  const events = await home.say("Still there?");
  const compaction =
    events.flatMap((event) =>
      event.type === "compaction" && event.phase === "end" ? [event.compaction] : []
    )[0];
  strictEqual(compaction?.summary, "Facts.");
  ok(compaction.tokensBefore > 30_000 && compaction.firstKeptSeq > 12);
  strictEqual(endOf(events).text, "Yes.");
});

Deno.test("when nothing can be left out, the turn ends with the provider's words", async () => {
  await using home = await start({});
  home.fake.script({ status: 400, message: "maximum context length is 40000 tokens" });
  const events = await home.say("x");
  const end = endOf(events);
  ok(end.status === "error" && end.kind === "context_length");
  ok(!events.some((event) => event.type === "compaction"));
});

Deno.test("a conversation is summarised on demand, and nothing is said", async () => {
  await using home = await start({});
  home.conversation.say("My name is Ada").store(answered("Hello Ada")).say("Bye");
  home.fake.script({ steps: [{ text: "The user is Ada." }], usage: { input: 90, output: 4 } });
  const events = await home.compact();
  deepStrictEqual(outline(events), [
    "model fake/m",
    "compaction start",
    "compaction end: The user is Ada.",
    "end ok: ",
  ]);
  strictEqual(endOf(events).usage?.totalTokens, 94);
  home.fake.script({ status: 401 });
  home.conversation.say("One more");
  const failed = endOf(await home.compact());
  strictEqual(failed.status === "error" && failed.kind, "auth");
});

Deno.test("the demo can do all of it without a network", async () => {
  await using home = await start({ model: "demo/demo" });
  ok(endOf(await home.say("hello")).text.includes("built-in demo"));
  const ask = async (text: string) => endOf(await home.say(text)).text;
  ok((await ask("write notes.md: buy milk")).includes("Created 'notes.md'"));
  ok((await ask("edit notes.md: milk -> tea")).includes("Edited 'notes.md' at line 1"));
  ok((await ask("read notes.md")).includes("buy tea"));
  ok((await ask("list the files")).includes("notes.md (7 bytes)"));
  ok((await ask("search for buy tea")).includes("notes.md:1: buy tea"));
  ok((await ask("read ../outside")).includes("That did not work."));
  strictEqual(await home.read("notes.md"), "buy tea");
  const thought = await home.say("think about rain");
  ok(thought.some((event) => event.type === "thinking"));
  const events = await home.compact();
  ok(
    events.some((event) =>
      event.type === "compaction" && event.phase === "end" &&
      event.compaction?.summary.includes("- hello")
    ),
  );
  strictEqual(home.fake.calls.length, 0);
});

Deno.test("an agent's tools and identity can be asked for", async () => {
  const list = [{ id: "main" }, { id: "work", name: "Worker", identity: { emoji: "🔧" } }];
  await using home = await start({ config: { agents: { list } } });
  deepStrictEqual(home.agent.tools("main").map(({ name, group }) => `${group}/${name}`), [
    "files/read",
    "files/write",
    "files/edit",
    "files/list",
    "files/search",
  ]);
  deepStrictEqual(
    await home.agent.identity("main"),
    { agentId: "main" },
    "nothing is made by asking",
  );
  await home.say("Hello");
  strictEqual((await home.agent.identity("main")).name, "Claw");
  deepStrictEqual(await home.agent.identity("work"), {
    agentId: "work",
    name: "Worker",
    emoji: "🔧",
  });
  strictEqual(home.agent.workspaceOf("work"), join(home.stateDir, "workspace-work"));
});

Deno.test("a reloaded configuration counts from the next turn on", async () => {
  await using home = await start({});
  await home.say("Hello");
  home.configure({ agents: { defaults: { model: "demo/demo" } } });
  deepStrictEqual(endOf(await home.say("Hello")).provider, "demo");
});

interface Setting {
  readonly api?: Api;
  readonly model?: string;
  readonly fallbacks?: readonly string[];
  readonly config?: Config;
  readonly timing?: Partial<AgentTiming>;
}

interface Saying {
  readonly model?: string;
  readonly thinking?: RunRequest["thinking"];
  readonly signal?: AbortSignal;
  /** Who answers; home's agent if nobody is named. */
  readonly by?: Agent;
  hear?(event: RunEvent): unknown;
}

/** An agent at home: a model server, a state folder, and one conversation. */
async function start(
  { api = "openai-completions", model = "fake/m", fallbacks, config, timing }: Setting,
) {
  const fake = fakeModels();
  const stateDir = await Deno.makeTempDir();
  const models = ["m", "second"].map((id) => ({
    id,
    contextWindow: 40_000,
    reasoning: true,
    input: ["text" as const, "image" as const],
  }));
  const baseUrl = api === "ollama" ? fake.url : `${fake.url}/v1`;
  let current: Config = {
    ...config,
    agents: {
      ...config?.agents,
      defaults: {
        model: { primary: model, fallbacks: [...fallbacks ?? []] },
        ...config?.agents?.defaults,
      },
    },
    models: { providers: { fake: { api, baseUrl, apiKey: "test-key", models } } },
  };
  const agent = createAgent({
    config: () => current,
    stateDir,
    env: {},
    timing: { retryMs: 0, tokenMs: 0, ...timing },
    fetch: (input, init) =>
      String(input).startsWith(fake.url)
        ? fetch(input, init)
        : Promise.reject(new TypeError("connection refused")),
  });
  const conversation = new FakeConversation();
  const workspace = join(stateDir, "workspace");
  const request: RunRequest = {
    runId: "r1",
    agentId: "main",
    sessionKey: mainSessionKey("main", { defaultAgentId: "main", mainKey: "main" }),
    sessionId: "s1",
  };
  return {
    agent,
    fake,
    conversation,
    stateDir,
    get messages(): readonly Message[] {
      return conversation.messages;
    },
    configure(next: Config) {
      current = next;
    },
    say(
      text: string,
      { model, thinking, signal = new AbortController().signal, by = agent, hear }: Saying = {},
    ) {
      conversation.say(text);
      const run = by.run({ ...request, model, thinking }, conversation, signal);
      return conversation.take(run, (event) => void hear?.(event));
    },
    compact: () =>
      conversation.take(agent.compact(request, conversation, new AbortController().signal)),
    async write(name: string, text: string) {
      await Deno.mkdir(workspace, { recursive: true });
      await Deno.writeTextFile(join(workspace, name), text);
    },
    read: (name: string) => Deno.readTextFile(join(workspace, name)).catch(() => undefined),
    async [Symbol.asyncDispose]() {
      await fake[Symbol.asyncDispose]();
      await Deno.remove(stateDir, { recursive: true });
    },
  };
}

function endOf(events: readonly RunEvent[]): RunOutcome {
  strictEqual(events.filter(({ type }) => type === "end").length, 1);
  const end = events.at(-1);
  ok(end?.type === "end", "the end comes last");
  return end.outcome;
}

/** Events as lines, so that a turn can be read. */
function outline(events: readonly RunEvent[]): readonly string[] {
  return events.map((event) => {
    switch (event.type) {
      case "model":
        return `model ${event.provider}/${event.model}`;
      case "text":
      case "thinking":
        return `${event.type} ${event.delta}`;
      case "tool":
        if (event.phase === "start") return `start ${event.name} ${JSON.stringify(event.args)}`;
        if (event.phase === "update") return `update ${event.name}: ${event.partial}`;
        return `result ${event.name}: ${
          event.result.content.map((block) => block.type === "text" ? block.text : "").join()
        }`;
      case "message":
        return outlineMessage(event.message);
      case "compaction":
        return event.phase === "start"
          ? "compaction start"
          : `compaction end: ${event.compaction?.summary}`;
      case "retry":
        return `retry ${event.attempt}`;
      case "usage":
        return `usage ${event.usage.totalTokens} of ${event.contextTokens}`;
      case "end":
        return `end ${event.outcome.status}: ${event.outcome.text}`;
    }
  });
}

function outlineMessage(message: Message): string {
  const text = textOf(message);
  if (message.role === "user") return `user: ${text}`;
  if (message.role === "toolResult") {
    return `toolResult${message.isError ? " (error)" : ""}: ${text}`;
  }
  const calls = message.content.flatMap((block) =>
    block.type === "toolCall" ? [` [${block.name}]`] : []
  );
  const bad = message.stopReason === "aborted" || message.stopReason === "error";
  return `assistant${bad ? ` (${message.stopReason})` : ""}: ${text}${calls.join("")}`;
}

function answered(text: string): Message {
  return {
    role: "assistant",
    content: [{ type: "text", text }],
    provider: "fake",
    model: "m",
    stopReason: "stop",
    timestamp: 1,
  };
}
