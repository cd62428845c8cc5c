/** A question becomes an answer, and both are there after whatever happens. */
import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import type { EventFrame } from "../schemas/frames.ts";
import { connectTo, startGateway, type TestClient } from "./gateway.ts";

const KEY = "agent:main:main";

/** The payload of an event, as far as these tests read it. */
interface Told {
  readonly runId: string;
  readonly state?: string;
  readonly stream?: string;
  readonly seq: number;
  readonly data?: { readonly phase?: string; readonly name?: string; readonly isError?: boolean };
  readonly deltaText?: string;
  readonly message?: { readonly content: readonly { readonly text: string }[] };
}

const told = ({ payload }: EventFrame) => payload as Told; // what each test then asserts

function isChat(runId: string, ...states: string[]) {
  return (event: EventFrame) =>
    event.event === "chat" && told(event).runId === runId &&
    states.includes(told(event).state ?? "");
}

async function ask(client: TestClient, message: string, runId: string): Promise<string> {
  const params = { sessionKey: KEY, message, idempotencyKey: runId };
  deepStrictEqual(await client.request("chat.send", params), { runId, status: "started" });
  const end = told(await client.event(isChat(runId, "final", "error", "aborted")));
  strictEqual(end.state, "final");
  return end.message?.content.map(({ text }) => text).join("") ?? "";
}

for (const protocol of [3, 4]) {
  Deno.test(`an answer streams to a protocol-${protocol} client in the protocol's order`, async () => {
    await using gateway = await startGateway();
    await using client = await gateway.connect({ protocol: { min: protocol, max: protocol } });
    const answer = await ask(client, "count to 20", "run-1");
    match(answer, /1 2 3 .* 19 20/);
    const mine = client.events.filter((event) => told(event).runId === "run-1");
    const agent = mine.filter(({ event }) => event === "agent").map(told);
    strictEqual(agent[0]?.data?.phase, "start");
    deepStrictEqual(agent.map(({ seq }) => seq), agent.map((_, i) => i + 1));
    const lastAgent = mine.findLastIndex(({ event }) => event === "agent");
    const final = mine.findIndex(isChat("run-1", "final"));
    strictEqual(told(mine[lastAgent] ?? mine[0]!).data?.phase, "end");
    ok(lastAgent < final, "the chat's final comes after the run's end");
    const deltas = mine.filter(isChat("run-1", "delta")).map(told);
    ok(deltas.length > 1, "it streams");
    strictEqual(deltas.map(({ deltaText }) => deltaText).join("").trim(), answer);
    const seqs = client.events.map(({ seq }) => seq).filter((seq) => seq !== undefined);
    deepStrictEqual(seqs, seqs.map((_, i) => (seqs[0] ?? 0) + i));
  });
}

Deno.test("tools are told to the connection that asked, if it can show them, and to no other", async () => {
  await using gateway = await startGateway();
  await using asking = await gateway.connect({ caps: ["tool-events"] });
  await using watching = await gateway.connect({ caps: ["tool-events"] });
  match(await ask(asking, "list the files", "run-1"), /AGENTS\.md/);
  await watching.event(isChat("run-1", "final"));
  const tools = (client: TestClient) =>
    client.events.filter((event) => event.event === "agent" && told(event).stream === "tool")
      .map((event) => told(event).data);
  deepStrictEqual(tools(asking).map((data) => data?.phase), ["start", "result"]);
  strictEqual(tools(asking)[0]?.name, "list");
  deepStrictEqual(tools(watching), []);
});

Deno.test("stopping keeps what was said, and is told before it is answered", async () => {
  await using gateway = await startGateway();
  await using client = await gateway.connect();
  const params = { sessionKey: KEY, message: "count to 500", idempotencyKey: "run-1" };
  await client.request("chat.send", params);
  await client.event(isChat("run-1", "delta"));
  const answer = await client.request("chat.abort", { sessionKey: KEY });
  deepStrictEqual(answer, { ok: true, aborted: true, runIds: ["run-1"] });
  const aborted = client.events.find(isChat("run-1", "aborted"));
  ok(aborted !== undefined, "the event is there when the answer comes");
  const { messages } = await client.request("chat.history", { sessionKey: KEY });
  const last = messages.at(-1);
  strictEqual(last?.role, "assistant");
  strictEqual(last?.stopReason, "aborted");
  deepStrictEqual(last?.content, told(aborted).message?.content);
});

Deno.test("a conversation survives a restart, and so do its answers to repeated requests", async () => {
  const first = await startGateway();
  {
    await using client = await first.connect();
    await ask(client, "echo hello", "run-1");
  }
  await using second = await first.restart();
  await using client = await second.connect();
  const { messages } = await client.request("chat.history", { sessionKey: KEY });
  strictEqual(messages[0]?.content, "echo hello");
  match(JSON.stringify(messages.at(-1)?.content), /hello/);
  const params = { sessionKey: KEY, message: "echo hello", idempotencyKey: "run-1" };
  deepStrictEqual(await client.request("chat.send", params), { runId: "run-1", status: "ok" });
  strictEqual(
    (await client.request("chat.history", { sessionKey: KEY })).messages.length,
    messages.length,
  );
});

Deno.test("the agent method answers twice, and its run is the client's key", async () => {
  await using gateway = await startGateway();
  await using client = await gateway.connect();
  const accepted: unknown[] = [];
  const result = await client.client.call("agent", {
    message: "echo twice",
    agentId: "main",
    idempotencyKey: "key-1",
  }, { final: true, onAccepted: (payload) => accepted.push(payload) }) as {
    runId: string;
    status: string;
    result: { payloads: { text: string }[]; meta: { aborted: boolean } };
  };
  strictEqual((accepted[0] as { status: string }).status, "accepted");
  strictEqual(result.runId, "key-1");
  strictEqual(result.status, "ok");
  match(result.result.payloads.map(({ text }) => text).join("\n"), /twice/);
  deepStrictEqual(
    await client.request("agent.wait", { runId: "key-1" }).then(({ status }) => status),
    "ok",
  );
});

Deno.test("slash commands answer without a model", async () => {
  await using gateway = await startGateway();
  await using client = await gateway.connect();
  match(await ask(client, "/status", "s1"), /demo\/demo/);
  match(await ask(client, "/think high", "s2"), /high/);
  match(await ask(client, "/help", "s3"), /\/compact/);
  const { session } = await client.request("sessions.describe", { key: KEY });
  strictEqual(session?.thinkingLevel, "high");
  match(await ask(client, "/new", "s4"), /New conversation/);
  const { messages } = await client.request("chat.history", { sessionKey: KEY });
  strictEqual(messages.length, 1);
  await rejects(
    client.request("chat.send", { sessionKey: KEY, message: "  ", idempotencyKey: "s5" }),
    /message or attachment required/,
  );
});

Deno.test("who subscribes hears of every message and change, who does not hears of none", async () => {
  await using gateway = await startGateway();
  await using asking = await gateway.connect();
  await using watching = await gateway.connect();
  deepStrictEqual(await watching.request("sessions.subscribe", {}), { subscribed: true });
  await ask(asking, "echo seen", "run-1");
  const message = await watching.event(({ event, payload }) =>
    event === "session.message" && JSON.stringify(payload).includes('"role":"assistant"')
  );
  match(JSON.stringify(message.payload), /seen/);
  ok(watching.events.some(({ event }) => event === "sessions.changed"));
  ok(!asking.events.some(({ event }) => event === "session.message"));
});

Deno.test("after kill -9 nothing acknowledged is missing, and a cut run is shown as cut", async () => {
  const stateDir = await Deno.makeTempDir({ prefix: "openclaw-crash-" });
  try {
    const acknowledged: string[] = [];
    for (let round = 0; round < 3; round++) {
      await using program = await Program.start(stateDir);
      const client = await program.connect();
      for (let i = 0; i < 3 + round; i++) {
        const runId = `round-${round}-${i}`;
        const message = `count to ${50 + i}`;
        await client.request("chat.send", { sessionKey: KEY, message, idempotencyKey: runId });
        acknowledged.push(runId);
      }
      await client.event(({ event, payload }) =>
        event === "chat" && JSON.stringify(payload).includes('"delta"')
      );
      program.kill();
      await client.client.closed;
    }
    await using program = await Program.start(stateDir);
    await using client = await program.connect();
    for (const runId of acknowledged) {
      const { status } = await client.request("agent.wait", { runId, timeoutMs: 60_000 });
      ok(status !== "timeout", `run ${runId} has an end`);
    }
    const { messages } = await client.request("chat.history", { sessionKey: KEY, limit: 1000 });
    const keys = messages.map((message) => message.__openclaw?.idempotencyKey);
    for (const runId of acknowledged) {
      strictEqual(
        keys.filter((key) => key === `${runId}:user`).length,
        1,
        `${runId} is there once`,
      );
    }
    const cut = messages.filter(({ errorMessage }) => errorMessage?.startsWith("interrupted"));
    ok(cut.length >= 3, "each round cut a run, and says so");
    ok(cut.every(({ stopReason }) => stopReason === "error"));
  } finally {
    await Deno.remove(stateDir, { recursive: true });
  }
});

/** The program as a process of its own, to be killed. */
class Program implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #url: string;

  private constructor(child: Deno.ChildProcess, url: string) {
    this.#child = child;
    this.#url = url;
  }

  static async start(stateDir: string): Promise<Program> {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "main.ts", "gateway", "--port", "0", "--auth", "none"],
      cwd: new URL("..", import.meta.url),
      clearEnv: true,
      env: {
        PATH: Deno.env.get("PATH") ?? "",
        HOME: Deno.env.get("HOME") ?? "",
        ...(Deno.env.get("DENO_DIR") === undefined ? {} : { DENO_DIR: Deno.env.get("DENO_DIR")! }),
        OPENCLAW_STATE_DIR: stateDir,
      },
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const decoder = new TextDecoder();
    let said = "";
    for await (const chunk of child.stderr) {
      said += decoder.decode(chunk, { stream: true });
      const url = /ws:\/\/\S+/.exec(said)?.[0];
      if (url !== undefined) return new Program(child, url);
    }
    throw new Error(`the program did not start: ${said}`);
  }

  connect(): Promise<TestClient> {
    return connectTo(this.#url, { auth: {} });
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // already gone
    }
    await this.#child.status;
  }
}
