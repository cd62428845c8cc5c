/** Conversations as clients list them. */
import type { SessionEntry, SessionRow } from "../../schemas/sessions.ts";
import type { ModelChoice } from "../model.ts";
import { kindOf, type Session, textOf, THINKING_LEVELS, type TranscriptEntry } from "../session.ts";
import { beginningOf } from "./history.ts";
import type { Settings } from "./settings.ts";

/** The levels of thinking, as clients offer them. */
export const THINKING_OPTIONS = THINKING_LEVELS.map((id) => ({ id, label: id }));

/** What a row shows besides the session itself. */
export interface RowContext {
  readonly settings: Settings;
  /** What answers for the agent by default; `undefined` while nobody has asked yet. */
  readonly model: ModelChoice | undefined;
  /** The run that is at work in it. */
  readonly activeRun: string | undefined;
  /** Newest message, for a preview. */
  readonly last?: TranscriptEntry;
  /** First message, for a title. */
  readonly first?: TranscriptEntry;
}

/** One row of `sessions.list`. */
export function sessionRow(session: Session, context: RowContext): SessionRow {
  const { key, id, agentId, createdAt, updatedAt, settings, stats } = session;
  const { model, activeRun, last, first } = context;
  const isActive = activeRun !== undefined;
  const [provider, modelId] = split(settings.model) ??
    [model?.info.provider ?? stats.modelProvider, model?.info.id ?? stats.model];
  const { label, displayName, thinkingLevel, verboseLevel, reasoningLevel, elevatedLevel } =
    settings;
  const preview = textPreview(last);
  return present({
    key,
    kind: kindOf(key),
    agentId,
    sessionId: id,
    createdAt,
    updatedAt,
    label,
    displayName,
    derivedTitle: textPreview(first, 60),
    lastMessagePreview: preview,
    chatType: kindOf(key) === "group" ? "group" as const : "direct" as const,
    thinkingLevel,
    verboseLevel,
    reasoningLevel,
    elevatedLevel,
    spawnedBy: settings.spawnedBy,
    spawnDepth: settings.spawnDepth,
    sendPolicy: settings.sendPolicy,
    modelProvider: provider,
    model: modelId,
    modelOverrideSource: settings.model === undefined ? null : "user" as const,
    contextTokens: model?.info.contextWindow,
    inputTokens: stats.inputTokens,
    outputTokens: stats.outputTokens,
    totalTokens: stats.totalTokens,
    totalTokensFresh: stats.totalTokens !== undefined,
    abortedLastRun: stats.abortedLastRun ?? false,
    systemSent: stats.lastRunId !== undefined,
    lastRunId: stats.lastRunId,
    lastChannel: stats.lastChannel,
    lastTo: stats.lastTo,
    lastAccountId: stats.lastAccountId,
    status: isActive ? "running" as const : stats.status,
    startedAt: stats.startedAt,
    endedAt: isActive ? undefined : stats.endedAt,
    runtimeMs: !isActive && stats.startedAt !== undefined && stats.endedAt !== undefined
      ? Math.max(0, stats.endedAt - stats.startedAt)
      : undefined,
    hasActiveRun: isActive,
    activeRunIds: isActive ? [activeRun] : [],
    isMain: key === context.settings.mainSessionKey,
    lastInteractionAt: updatedAt,
    lastActivityAt: updatedAt,
    visibility: "shared" as const,
    archived: false,
    pinned: false,
    unread: false,
    thinkingLevels: THINKING_OPTIONS,
    thinkingOptions: [...THINKING_LEVELS],
    thinkingDefault: context.settings.thinkingDefault(agentId),
    effectiveQueueMode: settings.queueMode ??
      context.settings.queueModeOf(stats.lastChannel),
  });
}

/** A session as `sessions.patch` and `sessions.reset` answer it. */
export function sessionEntry({ id, createdAt, updatedAt, settings, stats }: Session): SessionEntry {
  const { model, ...rest } = settings;
  const [providerOverride, modelOverride] = split(model) ?? [];
  return present({
    sessionId: id,
    createdAt,
    updatedAt,
    ...rest,
    providerOverride,
    modelOverride,
    modelProvider: stats.modelProvider,
    model: stats.model,
    contextTokens: stats.contextTokens,
    inputTokens: stats.inputTokens,
    outputTokens: stats.outputTokens,
    totalTokens: stats.totalTokens,
    compactionCount: stats.compactionCount,
    abortedLastRun: stats.abortedLastRun,
  });
}

/** The first line of a message's text, shortened; `undefined` where there is none. */
export function textPreview(entry: TranscriptEntry | undefined, limit = 120): string | undefined {
  if (entry?.kind !== "message") return undefined;
  const text = textOf(entry.message).trim().replace(/\s+/g, " ");
  if (text === "") return undefined;
  return text.length <= limit ? text : `${beginningOf(text, limit - 1)}…`;
}

function split(ref: string | undefined): [string, string] | undefined {
  const slash = ref?.indexOf("/") ?? -1;
  return ref === undefined || slash < 0 ? undefined : [ref.slice(0, slash), ref.slice(slash + 1)];
}

/** The same object without its absent values. */
function present<T extends object>(value: T): T {
  for (const key of Object.keys(value) as (keyof T)[]) {
    if (value[key] === undefined) delete value[key];
  }
  return value;
}
