/** Things that the agent is told to do at set times. */
import { closed, method, nullable, oneOf, type Wire } from "./contract.ts";
import { Count, NonEmpty } from "./frames.ts";
import * as Type from "./type.ts";

/** When a job is due. */
export const CronSchedule = Type.Union([
  Type.Object({ kind: Type.Literal("at"), at: NonEmpty }, { $id: "CronAt" }),
  Type.Object({
    kind: Type.Literal("every"),
    everyMs: Type.Integer({ minimum: 1 }),
    anchorMs: Type.Optional(Count),
  }, { $id: "CronEvery" }),
  Type.Object({
    kind: Type.Literal("cron"),
    expr: NonEmpty,
    tz: Type.Optional(Type.String()),
    staggerMs: Type.Optional(Count),
  }, { $id: "CronExpression" }),
], { $id: "CronSchedule" });
export type CronSchedule = Wire<typeof CronSchedule>;

/** A job. `payload` and `delivery` are objects told apart by their `kind` and `mode`. */
export const CronJob = Type.Object({
  id: NonEmpty,
  name: NonEmpty,
  agentId: Type.Optional(NonEmpty),
  sessionKey: Type.Optional(NonEmpty),
  description: Type.Optional(Type.String()),
  enabled: Type.Boolean(),
  deleteAfterRun: Type.Optional(Type.Boolean()),
  createdAtMs: Count,
  updatedAtMs: Count,
  schedule: CronSchedule,
  sessionTarget: oneOf(["main", "isolated"]),
  wakeMode: oneOf(["next-heartbeat", "now"]),
  payload: Type.Unknown(),
  delivery: Type.Optional(Type.Unknown()),
  state: Type.Object({
    nextRunAtMs: Type.Optional(Count),
    runningAtMs: Type.Optional(Count),
    lastRunAtMs: Type.Optional(Count),
    lastRunStatus: Type.Optional(oneOf(["ok", "error", "skipped"])),
    lastStatus: Type.Optional(oneOf(["ok", "error", "skipped"])),
    lastError: Type.Optional(Type.String()),
    lastDurationMs: Type.Optional(Count),
    consecutiveErrors: Type.Optional(Count),
  }),
}, { $id: "CronJob" });
export type CronJob = Wire<typeof CronJob>;

export const CronList = method("cron.list", {
  access: "operator.read",
  params: closed({
    includeDisabled: Type.Optional(Type.Boolean()),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })),
    offset: Type.Optional(Count),
    query: Type.Optional(Type.String()),
    enabled: Type.Optional(oneOf(["all", "enabled", "disabled"])),
    sortBy: Type.Optional(oneOf(["nextRunAtMs", "updatedAtMs", "name"])),
    sortDir: Type.Optional(oneOf(["asc", "desc"])),
    scheduleKind: Type.Optional(oneOf(["all", "at", "every", "cron", "on-exit", "stream"])),
    lastRunStatus: Type.Optional(oneOf(["all", "ok", "error", "skipped", "unknown"])),
    trigger: Type.Optional(oneOf(["all", "conditional", "unconditional"])),
    agentId: Type.Optional(NonEmpty),
    sessionKey: Type.Optional(NonEmpty),
    sessionAgentId: Type.Optional(NonEmpty),
    compact: Type.Optional(Type.Boolean()),
    includeDeliveryPreviews: Type.Optional(Type.Boolean()),
  }),
  result: Type.Object({
    jobs: Type.Array(CronJob),
    total: Count,
    offset: Count,
    limit: Count,
    hasMore: Type.Boolean(),
    nextOffset: nullable(Count),
    /** Changes whenever the list does; version 4 clients refuse a page without it. */
    snapshotRevision: Type.Optional(NonEmpty),
  }),
});

export const CronStatus = method("cron.status", {
  access: "operator.read",
  params: closed({}),
  result: Type.Object({
    enabled: Type.Boolean(),
    storePath: Type.String(),
    jobs: Count,
    nextWakeAtMs: nullable(Count),
  }),
});
