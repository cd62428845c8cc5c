/** Answers about what this gateway has none of yet: scheduled jobs, open questions. */
import type { HandlersFor } from "../../../schemas/contract.ts";
import type * as approvals from "../../../schemas/approvals.ts";
import type * as cron from "../../../schemas/cron.ts";
import type { Call } from "../../caller.ts";

/** Rows that `cron.list` gives when nobody says how many. */
const CRON_ROWS = 50;

export function listHandlers(
  { storePath }: { storePath: string },
): HandlersFor<typeof approvals & typeof cron, Call> {
  return {
    "cron.list": ({ limit = CRON_ROWS, offset = 0 }) => ({
      jobs: [],
      total: 0,
      offset,
      limit,
      hasMore: false,
      nextOffset: null,
      snapshotRevision: "empty",
    }),
    "cron.status": () => ({ enabled: true, storePath, jobs: 0, nextWakeAtMs: null }),
    "question.list": () => ({ questions: [] }),
    "plugin.approval.list": () => [],
    "exec.approval.list": () => [],
    "taskSuggestions.list": () => ({ suggestions: [] }),
  };
}
