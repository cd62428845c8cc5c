/** Turns that are asked of an agent, and who the agents are. */
import type { HandlersFor } from "../../../schemas/contract.ts";
import type * as contract from "../../../schemas/agent.ts";
import type { Call } from "../../caller.ts";
import { GatewayError, invalid } from "../../error.ts";
import type { Agent } from "../../run.ts";
import { agentOf, type SessionKey, THINKING_LEVELS } from "../../session.ts";
import { requireScope } from "../access.ts";
import { readAttachments } from "../attachments.ts";
import { isThinkingLevel, parseCommand } from "../commands.ts";
import type { Conversations } from "../conversations.ts";
import { THINKING_OPTIONS } from "../rows.ts";
import type { RunResult, Runs } from "../runs.ts";
import type { Settings } from "../settings.ts";
import { readMessage, refuseDenied, userMessage } from "./chat.ts";
import { requireSame } from "./sessions.ts";

/** How long `agent.wait` waits when nobody says, in milliseconds. */
const WAIT_MS = 30_000;

export interface AgentParts {
  readonly agent: Agent;
  readonly runs: Runs;
  readonly settings: Settings;
  readonly conversations: Conversations;
}

export function agentHandlers(
  { agent, runs, settings, conversations }: AgentParts,
): HandlersFor<typeof contract, Call> {
  return {
    agent: async (params, call) => {
      const runId = params.idempotencyKey;
      const known = runs.get(runId);
      if (known !== undefined) {
        const { sessionKey } = known;
        if (known.endedAt !== undefined) return answer(runId, known.result as RunResult);
        return { runId, status: "in_flight", sessionKey, agentId: agentOf(sessionKey) };
      }
      const key = target(params);
      if (runs.isPreparing(runId)) {
        return { runId, status: "in_flight", sessionKey: key, agentId: agentOf(key) };
      }
      requireSame(conversations.get(key), params.expectedExistingSessionId);
      refuseDenied(conversations.get(key));
      const command = parseCommand(params.message);
      const restarts = command?.name === "new" || command?.name === "reset";
      if (restarts) requireScope(call.caller, "operator.admin");
      if (params.thinking !== undefined && !isThinkingLevel(params.thinking)) {
        throw invalid(
          `invalid agent params: thinking must be one of ${THINKING_LEVELS.join(", ")}`,
        );
      }
      const attachments = readAttachments(params.attachments ?? []);
      if (restarts) await runs.prepare(runId, () => conversations.reset(key));
      const text = restarts && command.argument !== ""
        ? command.argument
        : restarts
        ? "A new conversation begins: greet the user in one sentence."
        : readMessage(params.message);
      const model = params.model === undefined || params.model.includes("/") ||
          params.provider === undefined
        ? params.model
        : `${params.provider}/${params.model}`;
      runs.submit({
        runId,
        method: "agent",
        sessionKey: key,
        connId: call.caller.connId,
        deviceId: call.caller.deviceId,
        message: userMessage(text, { runId, attachments }),
        options: {
          ...(params.thinking === undefined ? {} : { thinking: params.thinking }),
          ...(model === undefined || model === "" ? {} : { model }),
          ...(params.extraSystemPrompt === undefined
            ? {}
            : { extraSystemPrompt: params.extraSystemPrompt }),
          ...(params.timeout === undefined ? {} : { timeoutMs: params.timeout * 1000 }),
        },
      });
      call.accept({
        runId,
        status: "accepted",
        acceptedAt: Date.now(),
        sessionKey: key,
        agentId: agentOf(key),
      });
      const result = await runs.ended(runId, { signal: call.signal });
      if (result === undefined) throw new GatewayError("UNAVAILABLE", "the connection ended");
      return answer(runId, result);
    },

    "agent.wait": async ({ runId, timeoutMs = WAIT_MS }, { signal }) => {
      const result = await runs.ended(runId, {
        signal,
        timeoutMs: Math.min(timeoutMs, 2 ** 31 - 1), // more than that a timer can't wait
      });
      if (result === undefined) return { runId, status: "timeout" };
      const { status, startedAt, endedAt, error } = result;
      return {
        runId,
        status: status === "error" ? "error" : "ok",
        startedAt,
        endedAt,
        ...(error === undefined ? {} : { error }),
      };
    },

    "agent.identity.get": async ({ agentId, sessionKey }) => {
      const id = agentId ??
        (sessionKey === undefined
          ? settings.keys.defaultAgentId
          : agentOf(settings.sessionKey(sessionKey)));
      requireAgent(id);
      const { name, avatar, emoji } = await agent.identity(id);
      return {
        agentId: id,
        ...(name === undefined ? {} : { name }),
        ...(avatar === undefined ? {} : { avatar }),
        ...(emoji === undefined ? {} : { emoji }),
      };
    },

    "agents.list": async () => {
      const { defaultAgentId, mainKey } = settings.keys;
      const agents = await Promise.all(settings.agentIds.map(async (id) => {
        const { agentId: _id, name, ...identity } = await agent.identity(id);
        const shown = { ...(name === undefined ? {} : { name }), ...identity };
        return {
          id,
          ...(name === undefined ? {} : { name }),
          ...(Object.keys(shown).length === 0 ? {} : { identity: shown }),
          thinkingLevels: THINKING_OPTIONS,
          thinkingOptions: [...THINKING_LEVELS],
          thinkingDefault: settings.thinkingDefault(id),
        };
      }));
      const ownership = "sole" as const;
      const { scope } = settings;
      return {
        defaultId: defaultAgentId,
        mainKey,
        scope,
        agents,
        ownership,
        selectionRequired: false,
      };
    },
  };

  function requireAgent(agentId: string, method = ""): void {
    if (settings.agentIds.includes(agentId)) return;
    const prefix = method === "" ? "" : `invalid ${method} params: `;
    throw invalid(`${prefix}unknown agent id "${agentId}"`);
  }

  /** The conversation that a turn is for. Throws where agent and key don't fit each other. */
  function target(
    params: {
      agentId?: string;
      sessionKey?: string;
      sessionId?: string;
      to?: string;
      channel?: string;
    },
  ): SessionKey {
    if (params.agentId !== undefined) requireAgent(params.agentId, "agent");
    const { channel } = params;
    if (channel !== undefined && channel !== "" && channel !== "last" && channel !== "webchat") {
      throw invalid(`invalid agent params: unknown channel: ${channel}`);
    }
    const spelled = params.sessionKey?.trim() ?? "";
    if (spelled !== "") {
      const key = settings.sessionKey(spelled, params.agentId);
      const owner = agentOf(key);
      if (params.agentId !== undefined && owner !== params.agentId) {
        throw invalid(
          `invalid agent params: agent "${params.agentId}" does not match session key agent "${owner}"`,
        );
      }
      requireAgent(owner, "agent");
      return key;
    }
    const byId = params.sessionId === undefined ? undefined : conversations.byId(params.sessionId);
    if (byId !== undefined) return byId.key;
    const peer = params.to?.trim() ?? "";
    return settings.sessionKey(peer === "" ? "" : `direct:${peer}`, params.agentId);
  }
}

/** The second answer of `agent`. Throws, with the payload beside the error, for a run that failed. */
function answer(runId: string, result: RunResult) {
  const { status, texts, startedAt, endedAt, sessionId, provider, model, usage, stopReason } =
    result;
  if (status === "error") {
    const summary = result.error ?? "the run failed";
    throw new GatewayError("UNAVAILABLE", summary, { payload: { runId, status, summary } });
  }
  return {
    runId,
    status: "ok" as const,
    summary: status === "aborted" ? "aborted" : "completed",
    result: {
      payloads: texts.map((text) => ({ text, mediaUrl: null })),
      meta: {
        durationMs: Math.max(0, endedAt - startedAt),
        agentMeta: {
          sessionId,
          provider: provider ?? "",
          model: model ?? "",
          ...(usage === undefined ? {} : {
            usage: {
              input: usage.input,
              output: usage.output,
              cacheRead: usage.cacheRead,
              cacheWrite: usage.cacheWrite,
              total: usage.totalTokens,
            },
          }),
        },
        aborted: status === "aborted",
        ...(stopReason === undefined ? {} : { stopReason }),
      },
    },
  };
}
