/** Which model answers, on machines of every kind. */
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { type FakeModels, fakeModels } from "../../tests/fakes/models.ts";
import type { Config } from "../config.ts";
import { ModelError, modelRef, type ModelRequest } from "../model.ts";
import { Catalog } from "./catalog.ts";
import { ollamaUrl } from "./local.ts";
import { demoModel } from "./models/demo.ts";
import { knownModels, PROVIDERS } from "./providers.ts";

Deno.test("a machine with nothing has the demo", async () => {
  const catalog = machine({});
  deepStrictEqual(await choice(catalog), ["demo/demo", "built-in demo"]);
  strictEqual((await catalog.choose()).demo, true);
  deepStrictEqual((await catalog.list()).map(modelRef), ["demo/demo"]);
});

Deno.test("a key in the environment is enough, and Anthropic's comes first", async () => {
  deepStrictEqual(await choice(machine({ env: { OPENAI_API_KEY: "k" } })), [
    "openai/gpt-5.5",
    "OPENAI_API_KEY",
  ]);
  const both = machine({ env: { OPENAI_API_KEY: "k", ANTHROPIC_API_KEY: "k" } });
  deepStrictEqual(await choice(both), ["anthropic/claude-sonnet-5-5", "ANTHROPIC_API_KEY"]);
  const refs = (await both.list()).map(modelRef);
  ok(refs.includes("openai/gpt-5.5") && refs.includes("anthropic/claude-opus-5-5"));
});

Deno.test("what the configuration names comes before everything, an agent's own before all", async () => {
  const env = { ANTHROPIC_API_KEY: "k" };
  const config = {
    agents: {
      defaults: { model: { primary: "openai/gpt-5" } },
      list: [{ id: "main" }, { id: "work", model: "demo/demo" }],
    },
  };
  const catalog = machine({ env, config });
  deepStrictEqual(await choice(catalog), ["openai/gpt-5", "agents.defaults.model.primary"]);
  deepStrictEqual(await choice(catalog, "work"), ["demo/demo", "agents.list[work].model"]);
});

Deno.test("a configured provider's first model answers if no model is named", async () => {
  const models = [{ id: "qwen", contextWindow: 9_000, reasoning: true }, { id: "other" }];
  const config = { models: { providers: { mine: { baseUrl: "http://127.0.0.1:9/v1", models } } } };
  const catalog = machine({ config, env: { ANTHROPIC_API_KEY: "k" } });
  deepStrictEqual(await choice(catalog), ["mine/qwen", "models.providers.mine"]);
  const { info } = await catalog.choose();
  deepStrictEqual([info.contextWindow, info.reasoning], [9_000, true]);
});

Deno.test("a known provider that was only given a key offers what it is known for", async () => {
  const config = { models: { providers: { openai: { apiKey: "k" } } } };
  const catalog = machine({ config });
  deepStrictEqual(await choice(catalog), ["openai/gpt-5.5", "models.providers.openai"]);
  ok((await catalog.list()).some(({ id }) => id === "gpt-4.1"));
});

Deno.test("Ollama on this machine is found, asked once, and a model with tools preferred", async () => {
  await using fake = fakeModels();
  fake.ollama = [
    { id: "embed", capabilities: ["embedding"] },
    { id: "plain:1b", capabilities: ["completion"] },
    { id: "llama:8b", capabilities: ["completion", "tools", "thinking"], contextLength: 131_072 },
  ];
  const catalog = machine({ env: { OLLAMA_HOST: new URL(fake.url).host } });
  deepStrictEqual(await choice(catalog), ["ollama/llama:8b", `Ollama at ${fake.url}`]);
  const { info } = await catalog.choose();
  deepStrictEqual([info.contextWindow, info.reasoning], [32_768, true]);
  const asked = fake.lookups;
  await catalog.list();
  await catalog.resolve(undefined, "main");
  strictEqual(fake.lookups, asked, "what was seen is remembered");
  await answerOf(catalog, "ollama/llama:8b");
  strictEqual(fake.calls[0]?.path, "/api/chat");
});

Deno.test("LM Studio on this machine is found", async () => {
  await using fake = fakeModels();
  fake.lmStudio = [{ id: "qwen-7b", contextLength: 4_096 }];
  const catalog = machine({ fetch: redirect("http://127.0.0.1:1234", fake) });
  deepStrictEqual(await choice(catalog), [
    "lmstudio/qwen-7b",
    "LM Studio at http://127.0.0.1:1234",
  ]);
  await answerOf(catalog, "lmstudio/qwen-7b");
  strictEqual(fake.calls[0]?.path, "/v1/chat/completions");
});

Deno.test("only this machine is asked for models", () => {
  strictEqual(ollamaUrl(undefined), "http://127.0.0.1:11434");
  strictEqual(ollamaUrl("127.0.0.1"), "http://127.0.0.1:11434");
  strictEqual(ollamaUrl("localhost:4000"), "http://localhost:4000");
  strictEqual(ollamaUrl("http://[::1]:4000/"), "http://[::1]:4000");
  strictEqual(ollamaUrl(":4000"), "http://127.0.0.1:4000");
  for (
    const elsewhere of [
      "0.0.0.0",
      "10.0.0.5:11434",
      "https://ollama.example.com",
      "127.0.0.1.evil.org",
      "::",
    ]
  ) {
    strictEqual(ollamaUrl(elsewhere), "http://127.0.0.1:11434", elsewhere);
  }
});

Deno.test("each provider's default is the first of its models", () => {
  for (const [id, { defaultModel }] of Object.entries(PROVIDERS)) {
    strictEqual(knownModels(id)[0]?.id, defaultModel);
  }
});

Deno.test("nothing is asked before the catalog is used", () => {
  let asked = 0;
  machine({
    fetch: () => {
      asked++;
      return Promise.reject(new TypeError("no"));
    },
  });
  strictEqual(asked, 0);
});

Deno.test("any id of a known provider will do", async () => {
  const catalog = machine({ env: { ANTHROPIC_API_KEY: "k" } });
  const [model] = await catalog.resolve("anthropic/claude-opus-9-20300101", "main");
  strictEqual(model?.info.contextWindow, 200_000);
  const [routed] = await catalog.resolve("openrouter/meta/llama-4", "main");
  strictEqual(routed?.info.id, "meta/llama-4");
});

Deno.test("an id without a provider is understood where it is known", async () => {
  const [model] = await machine({}).resolve("claude-opus-5-5", "main");
  strictEqual(model?.info.provider, "anthropic");
  await rejects(
    machine({}).resolve("gpt-99", "main"),
    /Cannot use 'gpt-99': write it as provider\/model/,
  );
});

Deno.test("a provider that nobody knows is refused by name, and shown as the choice it is", async () => {
  const config = { agents: { defaults: { model: "nobody/m" } } };
  const catalog = machine({ config });
  await rejects(catalog.resolve(undefined, "main"), (error) => {
    ok(error instanceof ModelError);
    deepStrictEqual([error.kind, error.message], [
      "invalid",
      "Cannot use 'nobody/m': provider 'nobody' is not configured",
    ]);
    return true;
  });
  await rejects(
    catalog.resolve("constructor/m", "main"),
    /provider 'constructor' is not configured/,
  );
  const { source } = await catalog.choose();
  strictEqual(source, "agents.defaults.model: provider 'nobody' is not configured");
});

Deno.test("a missing key is named when the model is called, so that a fallback has its turn", async () => {
  const config = {
    agents: {
      defaults: {
        model: { primary: "openai/gpt-5", fallbacks: ["demo/demo", "nobody/m", "openai/gpt-5"] },
      },
    },
  };
  const lines: string[] = [];
  const catalog = machine({ config, log: (line) => lines.push(line) });
  const models = await catalog.resolve(undefined, "main");
  deepStrictEqual(models.map(({ info }) => modelRef(info)), ["openai/gpt-5", "demo/demo"]);
  ok(lines[0]?.includes("'nobody/m'"));
  await rejects(answerOf(catalog, "openai/gpt-5"), (error) => {
    ok(error instanceof ModelError && error.kind === "auth");
    ok(error.message.includes("set OPENAI_API_KEY"), error.message);
    return true;
  });
});

Deno.test("keys and headers can come from the environment; a variable that is missing is named", async () => {
  await using fake = fakeModels();
  const config: Config = {
    models: {
      providers: {
        mine: {
          baseUrl: `${fake.url}/v1/`,
          api: "openai-completions",
          apiKey: "${MINE_KEY}",
          headers: { "x-team": "${TEAM}" },
        },
      },
    },
  };
  await answerOf(machine({ config, env: { MINE_KEY: "k-1", TEAM: "red" } }), "mine/m");
  const [call] = fake.calls;
  deepStrictEqual(
    [call?.path, call?.headers.get("authorization"), call?.headers.get("x-team")],
    ["/v1/chat/completions", "Bearer k-1", "red"],
  );
  await rejects(
    answerOf(machine({ config, env: { TEAM: "red" } }), "mine/m"),
    /set MINE_KEY, which/,
  );
});

Deno.test("a known provider can be sent elsewhere", async () => {
  await using fake = fakeModels();
  const config = { models: { providers: { anthropic: { baseUrl: fake.url } } } };
  await answerOf(
    machine({ config, env: { ANTHROPIC_API_KEY: "k-2" } }),
    "anthropic/claude-opus-5-5",
  );
  deepStrictEqual([fake.calls[0]?.path, fake.calls[0]?.headers.get("x-api-key")], [
    "/v1/messages",
    "k-2",
  ]);
});

Deno.test("a base URL that is none is refused", async () => {
  const config = { models: { providers: { mine: { baseUrl: "file:///etc" } } } };
  await rejects(
    answerOf(machine({ config }), "mine/m"),
    /models\.providers\.mine\.baseUrl is no http URL/,
  );
});

Deno.test("the window can be made smaller, not larger", async () => {
  const config = { agents: { defaults: { contextTokens: 50_000 } } };
  const catalog = machine({ config, env: { OPENAI_API_KEY: "k" } });
  strictEqual((await catalog.choose()).info.contextWindow, 50_000);
  strictEqual((await catalog.resolve("demo/demo", "main"))[0]?.info.contextWindow, 32_000);
});

interface Machine {
  readonly config?: Config;
  readonly env?: Readonly<Record<string, string>>;
  readonly fetch?: typeof fetch;
  log?(line: string): void;
}

/** A catalog on a machine where nothing listens, unless told otherwise. */
function machine({ config = {}, env = {}, fetch: fetcher, log = () => {} }: Machine): Catalog {
  const demo = demoModel({ tokenMs: 0, now: () => new Date(0) });
  const offline: typeof fetch = (input, init) =>
    /:(?:11434|1234)\//.test(String(input))
      ? Promise.reject(new TypeError("connection refused"))
      : fetch(input, init);
  return new Catalog({ config: () => config, env, demo, log, fetch: fetcher ?? offline });
}

/** A `fetch` that takes what is meant for one server to a fake one, and knows no other. */
function redirect(from: string, fake: FakeModels): typeof fetch {
  return (input, init) =>
    String(input).startsWith(from)
      ? fetch(String(input).replace(from, fake.url), init)
      : Promise.reject(new TypeError("connection refused"));
}

async function choice(catalog: Catalog, agentId = "main"): Promise<readonly [string, string]> {
  const { info, source } = await catalog.choose(agentId);
  return [modelRef(info), source];
}

async function answerOf(catalog: Catalog, ref: string): Promise<void> {
  const [model] = await catalog.resolve(ref, "main");
  const request: ModelRequest = {
    system: "",
    messages: [{ role: "user", content: "hello", timestamp: 1 }],
    tools: [],
    thinking: "off",
  };
  await Array.fromAsync(model?.stream(request, new AbortController().signal) ?? []);
}
