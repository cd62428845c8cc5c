/**
 * Drives the compiled program from outside: it starts on an empty home, chats, ends when it is
 * asked to, and remembers after that and after a kill. Needs no network but loopback.
 *
 * Usage: deno run --allow-all scripts/drive_binary.ts [FILE]
 */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import type { EventFrame } from "../schemas/frames.ts";
import { GatewayClient, isEvent } from "../src/client/client.ts";
import { compiled, startGateway, TOKEN } from "./gateway_process.ts";

/** A gateway that was asked to end may take this long. */
const FAREWELL_MS = 2_000;
/** Answers that take longer than this never come. */
const PATIENCE_MS = 60_000;

const program = compiled(Deno.args[0]);
await using parts = new AsyncDisposableStack();
const home = await Deno.makeTempDir({ prefix: "openclaw-drive-" });
parts.defer(() => Deno.remove(home, { recursive: true }));
const score = { passed: 0, failed: 0 };
let gateway = await startGateway(program, { home });
parts.defer(() => gateway[Symbol.asyncDispose]());

await step("speaks protocol 3 and 4", async () => {
  for (const version of [3, 4]) {
    await using client = await connect(version);
    strictEqual(client.hello.protocol, version);
    strictEqual((await client.request("health", {})).ok, true);
  }
});
await step("serves its pages", async () => {
  const page = await fetch(`http://127.0.0.1:${gateway.port}/`);
  match(await page.text(), /<html/);
  strictEqual(page.status, 200);
});
await step("answers its own command line", async () => {
  const { code, stdout, stderr } = await new Deno.Command(program.command[0] ?? "", {
    args: ["health", "--json", "--url", gateway.url, "--token", TOKEN],
    clearEnv: true,
    env: { HOME: home },
  }).output();
  strictEqual(code, 0, new TextDecoder().decode(stderr));
  strictEqual(JSON.parse(new TextDecoder().decode(stdout)).ok, true);
});
await step("chats", () => chat("What was first?"));
await step(`exits with 0 within ${FAREWELL_MS} ms of SIGTERM`, async () => {
  await using client = await connect();
  const { code, ms } = await gateway.end("SIGTERM");
  strictEqual(code, 0);
  ok(ms <= FAREWELL_MS, `it took ${ms.toFixed(0)} ms`);
  strictEqual((await client.closed).code, 1012);
});
await step("remembers after a restart", async () => {
  gateway = await startGateway(program, { home });
  deepStrictEqual(await questions(), ["What was first?"]);
});
await step("remembers after a kill", async () => {
  await chat("What was second?");
  await gateway.end("SIGKILL");
  gateway = await startGateway(program, { home });
  deepStrictEqual(await questions(), ["What was first?", "What was second?"]);
});

await step("answers more conversations than it answers at once", async () => {
  const keys = Array.from({ length: 10 }, (_, n) => `talk-${n}`);
  await Promise.all(keys.map((key) => chat("Are you there?", key)));
});

console.log(`${score.passed} passed, ${score.failed} failed`);
Deno.exitCode = score.failed === 0 ? 0 : 1;

/** One thing that the program must do; the next ones are tried whether or not it does. */
async function step(name: string, run: () => Promise<void>) {
  try {
    await run();
    score.passed++;
    console.log(`ok    the binary ${name}`);
  } catch (error) {
    score.failed++;
    console.log(`FAIL  the binary ${name}\n${error instanceof Error ? error.stack : error}`);
    console.log(`--- gateway\n${gateway.output().trimEnd()}`);
  }
}

function connect(version = 4, onEvent?: (event: EventFrame) => void): Promise<GatewayClient> {
  return GatewayClient.connect({
    url: gateway.url,
    client: { id: "cli", mode: "cli", version: "1", platform: Deno.build.os },
    scopes: ["operator.admin"],
    protocol: { min: version, max: version },
    auth: { token: TOKEN },
    onEvent,
    signal: AbortSignal.timeout(30_000),
  });
}

/** Resolves when the agent's whole answer is there. */
async function chat(message: string, sessionKey = "main") {
  const runId = crypto.randomUUID();
  const { promise: final, resolve } = Promise.withResolvers<string>();
  await using client = await connect(4, (event) => {
    if (!isEvent(event, "chat") || event.payload.runId !== runId) return;
    if (event.payload.state !== "delta") resolve(JSON.stringify(event.payload));
  });
  const timer = setTimeout(() => resolve(`no answer after ${PATIENCE_MS} ms`), PATIENCE_MS);
  try {
    const params = { sessionKey, message, idempotencyKey: runId };
    await client.request("chat.send", params, { timeoutMs: PATIENCE_MS });
    match(
      await Promise.race([final, client.closed.then(() => "closed")]),
      /"state":"final".*"text":"/,
    );
  } finally {
    clearTimeout(timer);
  }
}

/** What the user said in the conversation, as the gateway tells it. */
async function questions(): Promise<readonly string[]> {
  await using client = await connect();
  const { messages } = await client.request("chat.history", { sessionKey: "main" });
  ok(messages.some(({ role }) => role === "assistant"), "no answer is in the history");
  return messages.filter(({ role }) => role === "user").map(({ content }) =>
    typeof content === "string" ? content : JSON.stringify(content)
  );
}
