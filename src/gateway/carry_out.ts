/** A command that somebody gave in a conversation: done, answered, and kept with it. */
import type { Bus } from "../event.ts";
import type { SessionKey, UserMessage } from "../session.ts";
import type { Store, StoredRun } from "../store.ts";
import { type CommandParts, type Invocation, obey } from "./commands.ts";
import type { Conversations } from "./conversations.ts";
import { wireMessage } from "./history.ts";
import type { Runs } from "./runs.ts";

export interface CarryOutParts {
  readonly store: Pick<Store, "transaction">;
  readonly runs: Runs;
  readonly conversations: Conversations;
  readonly bus: Bus;
  readonly commands: CommandParts;
}

/** A command as it was given. */
export interface Order {
  readonly key: SessionKey;
  /** What was typed, as the run of its own that it is. */
  readonly message: UserMessage;
  readonly runId: string;
  readonly method: StoredRun["method"];
  /** The session key as whoever gave it spells it. */
  readonly spelled: string;
  /** The network that it came from, if it did. */
  readonly channel?: string;
  /** Done in the transaction that stores the answer. */
  readonly along?: (answer: string) => void;
}

/**
 * Carries out a command. Resolves to what is left to say to the agent, with nothing stored then; else
 * the answer is told to those who follow the conversation.
 */
export async function carryOut(
  command: Invocation,
  { key, message, runId, method, spelled, channel, along }: Order,
  { store, runs, conversations, bus, commands }: CarryOutParts,
): Promise<string | undefined> {
  const answer = await obey(command, key, { ...commands, channel });
  const restarts = command.name === "new" || command.name === "reset";
  if (restarts && command.argument !== "") return command.argument;
  const at = Date.now();
  const { session, entry } = store.transaction(() => {
    const session = conversations.ensure(key);
    if (!restarts) runs.append(session, { ...message, command: true }, { at });
    const entry = runs.append(session, { ...injected(answer, at), command: true }, { at, runId });
    runs.noteAnswered(session, { runId, message, text: answer, method });
    along?.(answer);
    return { session, entry };
  });
  if (entry.kind !== "message") throw new TypeError("a message was appended");
  bus.publish({
    name: "chat",
    payload: {
      runId,
      sessionKey: spelled,
      agentId: session.agentId,
      seq: 1,
      state: "final",
      message: wireMessage(entry),
    },
    audience: { sessionKey: key },
  });
  return undefined;
}

/** What the gateway itself says in a conversation. */
export function injected(text: string, timestamp: number) {
  return {
    role: "assistant",
    content: [{ type: "text", text }],
    provider: "openclaw",
    model: "gateway-injected",
    stopReason: "stop",
    timestamp,
  } as const;
}
