/** `openclaw agent` */
import { isEvent } from "../client/client.ts";
import type { EventFrame } from "../../schemas/frames.ts";
import type { GatewayClient } from "../client/client.ts";
import { answer } from "./answer.ts";
import { type Call, command } from "./command.ts";
import { at } from "./config_file.ts";
import { ANSWER_TIMEOUT_MS, connect } from "./connect.ts";
import { Failure } from "./failure.ts";
import { UsageError } from "./flags.ts";
import { Streamed } from "./streamed.ts";
import { printable } from "./text.ts";

/** How much longer than the run the answer may take. */
const GRACE_SECONDS = 30;

export default command({
  about: "Ask the agent one thing and print its answer",
  details: "The answer is printed as it comes. Ctrl-C stops the agent, a second one the waiting.",
  flags: {
    message: {
      kind: "text",
      short: "m",
      value: "text",
      about: "What to say; - reads it from input",
    },
    agent: { kind: "text", value: "id", about: "Which agent (the default one)" },
    "session-key": { kind: "text", value: "key", about: "Which session (the agent's main one)" },
    "session-id": { kind: "text", value: "id", about: "Which session, by its id" },
    thinking: { kind: "text", value: "level", about: "How hard to think: off to high" },
    timeout: { kind: "number", value: "seconds", about: "How long it may take; 0 for no limit" },
  },
  connects: true,
  examples: [
    [`openclaw agent --message "What is on my list?"`, "ask the main session"],
    ["git diff | openclaw agent --message - --session-key review", "ask about a file or a pipe"],
    [`openclaw agent --message hi --json | jq -r '.result.payloads[].text'`, "for a program"],
  ],
  async run(call) {
    const { flags, json, io } = call;
    const message = await messageIn(call);
    const runId = crypto.randomUUID();
    const streamed = new Streamed();
    const onEvent = (event: EventFrame) => {
      const text = textIn(event, runId);
      if (text !== undefined && !json) io.out(streamed.next(text.text, text.delta));
    };
    using interrupt = io.interrupt();
    // Its --timeout is the run's; how long connecting takes is another matter.
    const connection = { ...call.connection, timeout: undefined };
    await using gateway = await connect({ ...call, connection }, {
      scopes: [/^\s*\/(new|reset)\b/i.test(message) ? "operator.admin" : "operator.write"],
      onEvent,
    });
    const { timeout, thinking, agent: agentId } = flags;
    const sessionKey = flags["session-key"] ?? await keyOf(gateway, flags["session-id"]);
    try {
      const result = await gateway.request("agent", {
        message,
        idempotencyKey: runId,
        agentId,
        sessionKey,
        sessionId: flags["session-id"],
        thinking,
        timeout,
        deliver: false,
      }, {
        final: true,
        timeoutMs: timeout ? (timeout + GRACE_SECONDS) * 1000 : undefined,
        onAccepted: (accepted) => abortOn(interrupt.signal, gateway, { accepted, runId }),
      });
      if (result.status !== "ok") throw new Failure("UNAVAILABLE", `The run is ${result.status}`);
      const { payloads, meta } = result.result;
      if (json || !streamed.started) {
        answer(
          call,
          result,
          () => printable(payloads.map(({ text = "" }) => `${text}\n`).join("")),
        );
      }
      if (!meta.aborted) return 0;
    } finally {
      if (!json) io.out(streamed.lineEnd);
    }
    if (interrupt.signal.aborted) return 130;
    if (json) return 1; // the outcome says it, and one JSON text is all that is printed
    throw new Failure("ABORTED", "The run was stopped");
  },
});

/** The key of the session with an id. Rejects where there is none: the gateway takes the main one then. */
async function keyOf(gateway: GatewayClient, sessionId?: string): Promise<string | undefined> {
  if (sessionId === undefined) return undefined;
  const options = { timeoutMs: ANSWER_TIMEOUT_MS };
  const found = await gateway.request("sessions.resolve", { sessionId }, options);
  if (found.ok) return found.key;
  throw new Failure("NOT_FOUND", `There is no session with the id '${sessionId}'`);
}

/** Stops the run when the signal aborts. */
function abortOn(
  signal: AbortSignal,
  gateway: GatewayClient,
  { accepted, runId }: { accepted: unknown; runId: string },
): void {
  const sessionKey = at(accepted, "sessionKey");
  if (typeof sessionKey !== "string") return;
  const abort = () => {
    // A gateway that is gone has told the one who waits for the answer.
    gateway.request("chat.abort", { sessionKey, runId }, { timeoutMs: ANSWER_TIMEOUT_MS })
      .catch(() => {});
  };
  if (signal.aborted) abort();
  else signal.addEventListener("abort", abort, { once: true });
}

/** What the agent says in an event of the run, and what of that is new. */
function textIn(event: EventFrame, runId: string): { text: string; delta: string } | undefined {
  if (!isEvent(event, "agent") || event.payload.runId !== runId) return undefined;
  const { stream, data: { text, delta } } = event.payload;
  if (stream !== "assistant" || typeof text !== "string") return undefined;
  return { text, delta: typeof delta === "string" ? delta : text };
}

async function messageIn(
  { flags: { message }, io }: { flags: { message: string | undefined }; io: Call["io"] },
): Promise<string> {
  if (message === undefined) throw new UsageError("Nothing to say: give --message");
  if (message !== "-") return message;
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of io.input()) text += decoder.decode(bytes, { stream: true });
  return text + decoder.decode();
}
