/** The list of conversations. */
import { randomUUID } from "node:crypto";
import type { HandlersFor } from "../../../schemas/contract.ts";
import type { ParamsOf } from "../../../schemas/mod.ts";
import type * as contract from "../../../schemas/sessions.ts";
import type { Call, Caller } from "../../caller.ts";
import { type GatewayError, invalid } from "../../error.ts";
import { type ModelCatalog, modelRef } from "../../model.ts";
import {
  agentOf,
  canonicalSessionKey,
  type Session,
  type SessionKey,
  type SessionSettings,
  textOf,
  type TranscriptEntry,
} from "../../session.ts";
import { LabelTakenError, type SessionQuery, type Store } from "../../store.ts";
import { requireScope } from "../access.ts";
import { readAttachments } from "../attachments.ts";
import { isThinkingLevel, resolveModel } from "../commands.ts";
import type { Conversations } from "../conversations.ts";
import { beginningOf, readHistory } from "../history.ts";
import { sessionEntry, THINKING_OPTIONS } from "../rows.ts";
import type { Runs } from "../runs.ts";
import type { Settings } from "../settings.ts";
import type { Subscriptions } from "../subscriptions.ts";
import { readMessage, refuseDenied, userMessage } from "./chat.ts";

/** Rows that `sessions.list` gives when nobody says how many, and at most. */
const DEFAULT_ROWS = 100;
const MAX_ROWS = 1000;

export interface SessionParts {
  readonly store: Store;
  readonly runs: Runs;
  readonly settings: Settings;
  readonly models: ModelCatalog;
  readonly conversations: Conversations;
  readonly subscriptions: Subscriptions;
}

export function sessionHandlers(parts: SessionParts): HandlersFor<typeof contract, Call> {
  const { store, runs, settings, models, conversations, subscriptions } = parts;
  const keyOf = (key: string, agentId?: string) => settings.sessionKey(key, agentId);

  return {
    "sessions.list": async (params) => {
      const query: SessionQuery = {
        ...(params.agentId === undefined ? {} : { agentId: params.agentId }),
        ...(params.label === undefined ? {} : { label: params.label }),
        ...(params.spawnedBy === undefined ? {} : { spawnedBy: params.spawnedBy }),
        ...(params.search === undefined ? {} : { search: params.search }),
        ...(params.activeMinutes === undefined
          ? {}
          : { updatedSince: Date.now() - params.activeMinutes * 60_000 }),
      };
      const limit = Math.min(params.limit ?? DEFAULT_ROWS, MAX_ROWS);
      const offset = params.offset ?? 0;
      const page = params.archived === true ? [] : store.sessions.list({ ...query, limit, offset });
      const shown = page.filter((session) => isShown(session, params));
      const totalCount = params.archived === true ? 0 : store.sessions.count(query);
      const next = offset + page.length;
      const { info } = await conversations.defaultModel();
      const agents = new Set(shown.map(({ agentId }) => agentId));
      agents.delete(settings.keys.defaultAgentId);
      await Promise.all([...agents].map((agentId) => conversations.modelOf(agentId)));
      return {
        ts: Date.now(),
        path: store.path,
        count: shown.length,
        totalCount,
        limitApplied: limit,
        nextOffset: next < totalCount ? next : null,
        hasMore: next < totalCount,
        owners: [],
        defaults: {
          modelProvider: info.provider,
          model: info.id,
          contextTokens: info.contextWindow,
          thinkingLevels: THINKING_OPTIONS,
          thinkingOptions: THINKING_OPTIONS.map(({ id }) => id),
          thinkingDefault: settings.thinkingDefault(settings.keys.defaultAgentId),
        },
        sessions: shown.map((session) =>
          conversations.row(session, {
            titles: params.includeDerivedTitles === true,
            previews: params.includeLastMessage === true,
          })
        ),
      };
    },

    "sessions.describe": ({ key, agentId, includeDerivedTitles, includeLastMessage }) => {
      const session = conversations.get(keyOf(key, agentId));
      if (session === undefined) return { session: null };
      const titles = includeDerivedTitles === true;
      return {
        session: conversations.row(session, { titles, previews: includeLastMessage === true }),
      };
    },

    "sessions.preview": ({ keys, limit = 12, maxChars = 240 }) => ({
      ts: Date.now(),
      previews: keys.slice(0, 64).map((spelled) => {
        const key = canonicalSessionKey(spelled, settings.keys);
        if (key === undefined) return { key: spelled, status: "error", items: [] };
        const session = conversations.get(key);
        if (session === undefined) return { key: spelled, status: "missing", items: [] };
        const items = store.transcripts.page(session.id, { limit: Math.min(limit, MAX_ROWS) })
          .map((entry) => previewItem(entry, maxChars)).filter((item) => item !== undefined);
        return { key: spelled, status: items.length === 0 ? "empty" : "ok", items };
      }),
    }),

    "sessions.get": ({ key, sessionKey, agentId, limit = 200 }) => {
      const session = conversations.get(keyOf(key ?? sessionKey ?? "", agentId));
      if (session === undefined) return { messages: [] };
      const range = { limit: Math.min(limit, MAX_ROWS) };
      return { messages: readHistory(store.transcripts, session.id, range).messages };
    },

    "sessions.resolve": ({ key, sessionId, label, agentId, allowMissing }) => {
      const given = [key, sessionId, label].filter((value) => value !== undefined);
      if (given.length !== 1) throw invalid("exactly one of key, sessionId, label is required");
      const session = key !== undefined
        ? conversations.get(keyOf(key, agentId))
        : sessionId !== undefined
        ? store.sessions.byId(sessionId)
        : store.sessions.byLabel(label ?? "");
      if (session !== undefined) return { ok: true, key: session.key, agentId: session.agentId };
      if (allowMissing === true) return { ok: false };
      throw invalid(`No session found: ${given[0]}`);
    },

    "sessions.patch": async (params, { caller }) => {
      refuseWebchat(caller, "patch");
      const key = keyOf(params.key, params.agentId);
      requireSame(conversations.get(key), params.expectedSessionId);
      const changes = await readChanges(params, key);
      const session = labelled(() => conversations.change(key, changes));
      const { info } = await conversations.defaultModel();
      const ref = session.settings.model ?? modelRef(info);
      const [modelProvider = "", ...model] = ref.split("/");
      return {
        ok: true,
        path: store.path,
        key,
        entry: sessionEntry(session),
        resolved: { modelProvider, model: model.join("/") },
      };
    },

    "sessions.create": async (params, { caller }) => {
      const runId = params.idempotencyKey ?? randomUUID();
      const asked = keyOf(params.key ?? `dashboard:${randomUUID()}`, params.agentId);
      settings.requireAgent(agentOf(asked));
      const text = readMessage(params.message ?? params.task ?? "");
      const attachments = readAttachments(params.attachments ?? []);
      const runStarted = text !== "" || attachments.length > 0;
      const { label, displayName, model, thinkingLevel } = params;
      const changes = await readChanges({ label, displayName, model, thinkingLevel }, asked);
      const known = runs.get(runId); // looked for last: what this repeats may have just come
      const key = params.key === undefined ? known?.sessionKey ?? asked : asked;
      if (runStarted) refuseDenied(conversations.get(key));
      const session = labelled(() => conversations.change(key, changes));
      conversations.changed(key, "create");
      if (runStarted && known === undefined) {
        const message = userMessage(text, { runId, attachments });
        const { timeoutMs } = params;
        const options = timeoutMs === undefined ? {} : { timeoutMs };
        const { connId, deviceId } = caller;
        const turn = { message, options, connId, deviceId };
        runs.submit({ runId, method: "chat.send", sessionKey: key, ...turn });
      }
      return {
        ok: true,
        key,
        sessionId: session.id,
        entry: sessionEntry(session),
        runStarted,
        ...(runStarted ? { runId } : {}),
      };
    },

    "sessions.reset": async ({ key: spelled, agentId, expectedSessionId }) => {
      const key = keyOf(spelled, agentId);
      requireSame(conversations.get(key), expectedSessionId);
      return { ok: true, key, entry: sessionEntry(await conversations.reset(key)) };
    },

    "sessions.delete": async (params, { caller }) => {
      refuseWebchat(caller, "delete");
      const { expectedSessionId, expectedSessionUpdatedAt, deleteTranscript = true } = params;
      const key = keyOf(params.key, params.agentId);
      const session = conversations.get(key);
      requireSame(session, expectedSessionId);
      if ((expectedSessionUpdatedAt ?? session?.updatedAt) !== session?.updatedAt) throw changed();
      const isMeant = params.archivedOnly !== true; // nothing is archived here
      const deleted = isMeant && await conversations.remove(key, { transcript: deleteTranscript });
      return { ok: true, key, deleted, archived: [] };
    },

    "sessions.compact": async ({ key: spelled, agentId, maxLines }, { caller, signal }) => {
      const key = keyOf(spelled, agentId);
      const session = conversations.get(key);
      if (session === undefined) return { ok: true, key, compacted: false, reason: "no session" };
      if (maxLines !== undefined) return keepNewest(session, maxLines);
      const before = session.stats.compactionCount ?? 0;
      const runId = `compact-${randomUUID()}`;
      runs.submit({
        runId,
        method: "chat.send",
        sessionKey: key,
        message: userMessage("/compact", { runId }),
        options: { compact: true },
        connId: caller.connId,
        deviceId: caller.deviceId,
      });
      const result = await runs.ended(runId, { signal });
      const compacted = (conversations.get(key)?.stats.compactionCount ?? 0) > before;
      if (compacted) return { ok: true, key, compacted };
      return {
        ok: result?.status === "ok",
        key,
        compacted,
        reason: result?.error ?? "nothing to compact",
      };
    },

    "sessions.abort": async ({ key, runId, agentId }) => {
      const owner = runId === undefined ? undefined : runs.sessionOf(runId);
      const target = owner ?? (key === undefined ? undefined : keyOf(key, agentId));
      if (target === undefined) throw invalid("key or the runId of an active run is required");
      const [abortedRunId] = await runs.abort(target, { runId, stopReason: "rpc" });
      return {
        ok: true,
        abortedRunId: abortedRunId ?? null,
        status: abortedRunId === undefined ? "no-active-run" : "aborted",
      };
    },

    "sessions.subscribe": (_params, { caller }) => {
      subscriptions.followAll(caller.connId, true);
      return { subscribed: true };
    },
    "sessions.unsubscribe": (_params, { caller }) => {
      subscriptions.followAll(caller.connId, false);
      return { subscribed: false };
    },
    "sessions.messages.subscribe": ({ key: spelled, agentId }, { caller }) => {
      const key = keyOf(spelled, agentId);
      subscriptions.follow(caller.connId, key, true);
      return { subscribed: true, key };
    },
    "sessions.messages.unsubscribe": ({ key: spelled, agentId }, { caller }) => {
      const key = keyOf(spelled, agentId);
      subscriptions.follow(caller.connId, key, false);
      return { subscribed: false, key };
    },
  };

  /** Keeps the newest messages in the model's sight; older ones stay on disk. */
  function keepNewest(session: Session, maxLines: number) {
    const { key } = session;
    const total = store.transcripts.count(session.id);
    const [oldestKept] = total <= maxLines
      ? []
      : store.transcripts.page(session.id, { limit: 1, offset: maxLines - 1 });
    if (oldestKept === undefined) {
      return { ok: true, key, compacted: false, kept: total };
    }
    store.transcripts.append(session.id, {
      kind: "compaction",
      at: Date.now(),
      compaction: {
        summary: `${total - maxLines} older messages were left out.`,
        firstKeptSeq: oldestKept.seq,
        tokensBefore: session.stats.totalTokens ?? 0,
      },
    });
    conversations.changed(key, "compact");
    return { ok: true, key, compacted: true, kept: maxLines };
  }

  /** Checks a patch whole before anything of it is applied. */
  async function readChanges(
    patch: Partial<ParamsOf<"sessions.patch">> & { readonly displayName?: string },
    key: SessionKey,
  ): Promise<SessionSettings> {
    const changes: { -readonly [K in keyof SessionSettings]: SessionSettings[K] | undefined } = {};
    const plain = [
      "label",
      "displayName",
      "verboseLevel",
      "reasoningLevel",
      "elevatedLevel",
      "responseUsage",
      "groupActivation",
      "spawnedBy",
      "execHost",
      "execSecurity",
      "execAsk",
      "execNode",
    ] as const;
    for (const name of plain) {
      if (patch[name] !== undefined) changes[name] = patch[name] ?? undefined;
    }
    if (patch.sendPolicy !== undefined) changes.sendPolicy = patch.sendPolicy ?? undefined;
    if (patch.spawnDepth !== undefined) changes.spawnDepth = patch.spawnDepth ?? undefined;
    if (patch.thinkingLevel !== undefined) {
      const level = patch.thinkingLevel;
      if (level !== null && !isThinkingLevel(level)) {
        throw invalid("invalid thinkingLevel (use off|minimal|low|medium|high)");
      }
      changes.thinkingLevel = level ?? undefined;
    }
    if (patch.model === null) changes.model = undefined;
    else if (patch.model !== undefined) {
      const [ref] = await resolveModel(models, patch.model, agentOf(key));
      if (ref === undefined) throw invalid(`model not allowed: ${patch.model}`);
      changes.model = ref;
    }
    return changes;
  }
}

function isShown({ key }: Session, params: { includeGlobal?: boolean; includeUnknown?: boolean }) {
  if (key === "global") return params.includeGlobal === true;
  if (key === "unknown") return params.includeUnknown === true;
  return !/:cron:[^:]+:run:/.test(key);
}

/** Web pages of the original set options by talking; theirs is refused, an admin's page is not. */
function refuseWebchat(caller: Caller, what: "patch" | "delete"): void {
  if (caller.client.mode === "webchat" && caller.client.id !== "openclaw-control-ui") {
    requireScope(caller, "operator.admin");
  }
  if (what === "delete" && caller.protocol === 3) requireScope(caller, "operator.admin");
}

/** Throws where the conversation is not the one that the client has seen. */
export function requireSame(session: Session | undefined, expectedId: string | undefined): void {
  if (expectedId !== undefined && session?.id !== expectedId) throw changed();
}

function changed(): GatewayError {
  return invalid("session changed since last load; reload it and retry");
}

function labelled<T>(change: () => T): T {
  try {
    return change();
  } catch (error) {
    if (error instanceof LabelTakenError) throw invalid(`label already in use: ${error.label}`);
    throw error;
  }
}

function previewItem(entry: TranscriptEntry, maxChars: number) {
  if (entry.kind !== "message") return undefined;
  const { message } = entry;
  const text = textOf(message).trim();
  if (text === "") return undefined;
  const role = message.role === "toolResult" ? "tool" as const : message.role;
  return { role, text: text.length <= maxChars ? text : `${beginningOf(text, maxChars - 1)}…` };
}
