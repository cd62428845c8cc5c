/** What the model asked for is done: its tool calls, one after the other. */
import type { Tool, ToolResult } from "../model.ts";
import type { RunEvent } from "../run.ts";
import type {
  AssistantMessage,
  ToolCallBlock,
  ToolResultMessage,
  UserMessage,
} from "../session.ts";

/** What acting needs. */
export interface ActParts {
  readonly tools: readonly Tool[];
  readonly signal: AbortSignal;
  /** What the user has written meanwhile; each message is handed out once. */
  steering(): readonly UserMessage[];
  now(): number;
  log(line: string): void;
}

/**
 * Runs the calls of a message in order and yields a result for each of them, whatever happens.
 * When the user writes in between, what is left is not done, since it may not be wanted any more;
 * the user's messages follow the results.
 */
export async function* act(message: AssistantMessage, parts: ActParts): AsyncGenerator<RunEvent> {
  const written: UserMessage[] = [];
  for (const [i, call] of callsOf(message).entries()) {
    if (i > 0 && written.length === 0 && !parts.signal.aborted) written.push(...parts.steering());
    const reason = parts.signal.aborted
      ? ABORTED
      : written.length > 0
      ? "Not done: the user has written in the meantime"
      : undefined;
    if (reason !== undefined) {
      yield toMessage(call, failure(reason), parts.now());
      continue;
    }
    const { id, name } = call;
    yield { type: "tool", phase: "start", id, name, args: call.arguments };
    const result = yield* runTool(call, parts);
    yield { type: "tool", phase: "result", id, name, result };
    yield toMessage(call, result, parts.now());
  }
  for (const message of written) yield { type: "message", message };
}

/** Gives each call of a message that was cut short a result that says why it has none. */
export function* answerCalls(message: AssistantMessage, now: number): Generator<RunEvent> {
  const reason = message.stopReason === "aborted" ? ABORTED : "Not done: the answer broke off";
  for (const call of callsOf(message)) yield toMessage(call, failure(reason), now);
}

const ABORTED = "Aborted by the user";

function callsOf({ content }: AssistantMessage): readonly ToolCallBlock[] {
  return content.filter((block) => block.type === "toolCall");
}

/** How long an aborted tool has to come to an end of its own. */
const GRACE_MS = 500;

/**
 * Runs one tool and yields its updates. After an abort the tool's own word is waited for a moment,
 * so that what was done in time is told, and nothing of it goes on after the turn.
 */
async function* runTool(
  { id, name, arguments: args }: ToolCallBlock,
  { tools, signal, log }: ActParts,
): AsyncGenerator<RunEvent, ToolResult> {
  const tool = tools.find((tool) => tool.name === name);
  if (tool === undefined) {
    return failure(
      `There is no tool '${name}'; there are ${tools.map(({ name }) => name).join(", ")}`,
    );
  }
  const partials: string[] = [];
  let result: ToolResult | undefined;
  let wake = Promise.withResolvers<void>();
  const finish = (value: ToolResult) => {
    result ??= value;
    wake.resolve();
  };
  let grace: ReturnType<typeof setTimeout> | undefined;
  const abort = () => {
    grace = setTimeout(() => finish(failure(ABORTED)), GRACE_MS);
  };
  signal.addEventListener("abort", abort);
  try {
    tool.run(args, {
      signal,
      update(partial) {
        partials.push(partial);
        wake.resolve();
      },
    }).then(finish, (error) => {
      if (signal.aborted) return finish(failure(ABORTED));
      log(`Tool '${name}' failed: ${error instanceof Error ? error.stack : error}`);
      finish(failure("The tool failed: see the gateway's log"));
    });
    for (;;) {
      const partial = partials.shift();
      if (partial !== undefined) yield { type: "tool", phase: "update", id, name, partial };
      else if (result !== undefined) return result;
      else {
        await wake.promise;
        wake = Promise.withResolvers();
      }
    }
  } finally {
    clearTimeout(grace);
    signal.removeEventListener("abort", abort);
  }
}

function failure(text: string): ToolResult {
  return { content: [{ type: "text", text }], isError: true };
}

function toMessage(call: ToolCallBlock, result: ToolResult, timestamp: number): RunEvent {
  const message: ToolResultMessage = {
    role: "toolResult",
    toolCallId: call.id,
    toolName: call.name,
    content: result.content,
    isError: result.isError ?? false,
    timestamp,
  };
  return { type: "message", message };
}
