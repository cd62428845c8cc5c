/** Talking with an agent in a conversation. */
import type { HandlersFor } from "../../../schemas/contract.ts";
import type * as contract from "../../../schemas/chat.ts";
import type { Call } from "../../caller.ts";
import { GatewayError, invalid } from "../../error.ts";
import { agentOf, type Session, type UserMessage } from "../../session.ts";
import type { Bus } from "../../event.ts";
import type { Store } from "../../store.ts";
import { readAttachments } from "../attachments.ts";
import { carryOut, injected } from "../carry_out.ts";
import {
  commandEntries,
  type CommandParts,
  isStopPhrase,
  isThinkingLevel,
  parseCommand,
} from "../commands.ts";
import type { Conversations } from "../conversations.ts";
import { readHistory, wireMessage } from "../history.ts";
import { requireScope } from "../access.ts";
import type { RunResult, Runs } from "../runs.ts";
import type { Settings } from "../settings.ts";
import { wireModels } from "./models.ts";

/** Messages that `chat.history` gives when nobody says how many. */
const DEFAULT_LIMIT = 200;

export interface ChatParts {
  readonly store: Store;
  readonly runs: Runs;
  readonly settings: Settings;
  readonly bus: Bus;
  readonly conversations: Conversations;
  readonly commands: CommandParts;
}

export function chatHandlers(parts: ChatParts): HandlersFor<typeof contract, Call> {
  const { store, runs, settings, conversations } = parts;

  function history(
    spelled: string,
    { agentId, limit = DEFAULT_LIMIT, offset, maxChars, sessionId: wanted }: {
      agentId?: string;
      limit?: number;
      offset?: number;
      maxChars?: number;
      sessionId?: string;
    },
  ) {
    const key = settings.sessionKey(spelled, agentId);
    const session = conversations.get(key);
    // An id that is nobody's any more is that of a transcript from before a reset.
    const isReadable = wanted !== undefined &&
      (store.sessions.byId(wanted)?.key ?? key) === key;
    const sessionId = isReadable ? wanted : session?.id;
    const { messages, total, hasMore } = sessionId === undefined
      ? { messages: [], total: 0, hasMore: false }
      : readHistory(store.transcripts, sessionId, { limit, offset, maxChars });
    return {
      sessionKey: spelled,
      ...(sessionId === undefined ? {} : { sessionId }),
      messages,
      thinkingLevel: session?.settings.thinkingLevel ?? settings.thinkingDefault(agentOf(key)),
      ...(session?.settings.verboseLevel === undefined
        ? {}
        : { verboseLevel: session.settings.verboseLevel }),
      hasMore,
      totalMessages: total,
      ...(hasMore ? { nextOffset: (offset ?? 0) + messages.length } : {}),
      pendingInputs: { items: [], total: runs.queued(key) },
      ...(session === undefined ? {} : { sessionInfo: conversations.row(session) }),
    };
  }

  async function metadata() {
    return { models: await wireModels(parts.commands.models), commands: commandEntries() };
  }

  return {
    "chat.history": ({ sessionKey, ...range }) => history(sessionKey, range),

    "chat.metadata": metadata,

    "chat.startup": async ({ sessionKey, shortId: _id, slugHint: _hint, ...range }) => ({
      ...history(sessionKey ?? settings.mainSessionKey, range),
      metadata: await metadata(),
    }),

    "commands.list": () => ({ commands: commandEntries() }),

    "chat.send": async (params, { caller }) => {
      const key = settings.sessionKey(params.sessionKey, params.agentId);
      const text = readMessage(params.message);
      const attachments = readAttachments(params.attachments ?? []);
      if (text === "" && attachments.length === 0) throw invalid("message or attachment required");
      const plain = params.suppressCommandInterpretation === true;
      if (!plain && attachments.length === 0 && isStopPhrase(text)) {
        const runIds = await runs.abort(key, { stopReason: "stop" });
        return { ok: true, aborted: runIds.length > 0, runIds };
      }
      const runId = params.idempotencyKey;
      const known = repeated(runs, runId);
      if (known !== undefined) return known;
      settings.requireAgent(agentOf(key));
      refuseDenied(conversations.get(key));
      if (params.thinking !== undefined && !isThinkingLevel(params.thinking)) {
        throw invalid("invalid thinking (use off|minimal|low|medium|high)");
      }
      const thinking = params.thinking;
      const options = {
        ...(thinking === undefined ? {} : { thinking }),
        ...(params.timeoutMs === undefined ? {} : { timeoutMs: params.timeoutMs }),
        ...(params.queueMode === undefined ? {} : { queueMode: params.queueMode }),
      };
      const common = {
        runId,
        method: "chat.send",
        sessionKey: key,
        connId: caller.connId,
        deviceId: caller.deviceId,
      } as const;
      const command = plain || attachments.length > 0 ? undefined : parseCommand(text);
      if (command?.name === "compact") {
        const message = userMessage(text, { runId });
        runs.submit({ ...common, message, options: { ...options, compact: true } });
        return { runId, status: "started" };
      }
      if (command !== undefined) {
        const message = userMessage(text, { runId });
        const order = {
          key,
          message,
          runId,
          method: "chat.send",
          spelled: params.sessionKey,
        } as const;
        const rest = await runs.prepare(runId, () => carryOut(command, order, parts));
        if (rest === undefined) return { runId, status: "started" };
        runs.submit({ ...common, message: userMessage(rest, { runId }), options });
        return { runId, status: "started" };
      }
      runs.submit({ ...common, message: userMessage(text, { runId, attachments }), options });
      return { runId, status: "started" };
    },

    "chat.abort": async ({ sessionKey, agentId, runId }) => {
      const key = settings.sessionKey(sessionKey, agentId);
      if (runId !== undefined) {
        const owner = runs.sessionOf(runId);
        if (owner !== undefined && owner !== key) throw invalid("runId does not match sessionKey");
      }
      const runIds = await runs.abort(key, { runId, stopReason: "rpc" });
      return { ok: true, aborted: runIds.length > 0, runIds };
    },

    "chat.inject": ({ sessionKey, agentId, message, label }, { caller }) => {
      requireScope(caller, "operator.admin");
      const session = conversations.get(settings.sessionKey(sessionKey, agentId));
      if (session === undefined) throw invalid(`session not found: ${sessionKey}`);
      const text = label === undefined ? message : `[${label}]\n\n${message}`;
      const at = Date.now();
      const entry = runs.append(session, injected(text, at), { at });
      if (entry.kind !== "message") throw new TypeError("a message was appended");
      parts.bus.publish({
        name: "chat",
        payload: {
          runId: `inject-${entry.id}`,
          sessionKey,
          agentId: session.agentId,
          seq: 0,
          state: "final",
          message: wireMessage(entry),
        },
        audience: { sessionKey: session.key },
      });
      return { ok: true, messageId: entry.id };
    },
  };
}

/** What `chat.send` answers to a key that it has seen; `undefined` for a new one. */
function repeated(runs: Runs, runId: string) {
  if (runs.isPreparing(runId)) return { runId, status: "in_flight" as const };
  const run = runs.get(runId);
  if (run === undefined) return undefined;
  if (run.endedAt === undefined) return { runId, status: "in_flight" as const };
  if (run.state === "error") {
    const { error } = run.result as RunResult; // written when the run ended
    throw new GatewayError("UNAVAILABLE", error ?? "the run failed");
  }
  return { runId, status: "ok" as const };
}

/** Throws where the conversation may not be written to. */
export function refuseDenied(session: Session | undefined): void {
  if (session?.settings.sendPolicy === "deny") throw invalid("send blocked by session policy");
}

/** The text of a message: normalised, without control characters. Throws for a NUL. */
export function readMessage(message: string): string {
  if (message.includes("\0")) throw invalid("message must not contain NUL");
  // deno-lint-ignore no-control-regex -- all but tab, line feed and carriage return
  return message.normalize("NFC").replace(/[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]/g, "").trim();
}

/** A message of the person at the client. */
export function userMessage(
  text: string,
  { runId, attachments = [] }: {
    runId: string;
    attachments?: ReturnType<typeof readAttachments>;
  },
): UserMessage {
  const content = attachments.length === 0
    ? text
    : [...(text === "" ? [] : [{ type: "text", text } as const]), ...attachments];
  return { role: "user", content, timestamp: Date.now(), idempotencyKey: runId };
}
