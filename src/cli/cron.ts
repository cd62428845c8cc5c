/** `openclaw cron` */
import type { CronJob } from "../../schemas/cron.ts";
import { answer } from "./answer.ts";
import { type Call, command, type Group } from "./command.ts";
import { withGateway } from "./connect.ts";
import { cut, facts, oneLine, table } from "./text.ts";
import { duration, relative } from "./time.ts";

/** The most that a gateway tells at a time. */
const PAGE = 200;

const list = command({
  about: "List the jobs",
  flags: { all: { kind: "switch", about: "Also those that are turned off" } },
  connects: true,
  examples: [
    ["openclaw cron list", "list the jobs that are on"],
    ["openclaw cron list --all --json", "list them all, for a program"],
  ],
  async run(call) {
    const result = await withGateway(
      call,
      { scopes: ["operator.read"] },
      async (gateway, options) => {
        const jobs: CronJob[] = [];
        for (;;) {
          const params = { includeDisabled: call.flags.all, limit: PAGE, offset: jobs.length };
          const page = await gateway.request("cron.list", params, options);
          jobs.push(...page.jobs);
          if (!page.hasMore || page.jobs.length === 0) return { ...page, offset: 0, jobs };
        }
      },
    );
    return answer(call, result, ({ jobs }) => show(jobs, call));
  },
});

const status = command({
  about: "Show whether jobs run, and when the next one does",
  flags: {},
  connects: true,
  examples: [["openclaw cron status", "when does the next one run?"]],
  async run(call) {
    const { paint, io } = call;
    const result = await withGateway(
      call,
      { scopes: ["operator.read"] },
      (gateway, options) => gateway.request("cron.status", {}, options),
    );
    return answer(call, result, ({ enabled, jobs, nextWakeAtMs }) =>
      facts([
        ["Jobs", `${jobs}, ${enabled ? paint.green("on") : paint.yellow("off")}`],
        ["Next run", relative(nextWakeAtMs, io.now())],
      ], paint.dim));
  },
});

export default {
  about: "Show what the agent does at set times",
  usual: "list",
  commands: { list, status },
} satisfies Group;

function show(jobs: readonly CronJob[], { paint, io }: Pick<Call, "paint" | "io">): string {
  if (jobs.length === 0) return "There are no jobs\n";
  return table(
    ["ID", "NAME", "WHEN", "NEXT RUN", "LAST RUN", "RESULT"],
    jobs.map(({ id, name, enabled, schedule, state }) => [
      oneLine(id),
      cut(oneLine(name), 40),
      oneLine(enabled ? timesOf(schedule) : `${timesOf(schedule)} (off)`),
      relative(state.nextRunAtMs, io.now()),
      relative(state.lastRunAtMs, io.now()),
      state.lastRunStatus === "error"
        ? paint.red(cut(oneLine(state.lastError ?? "error"), 50))
        : state.lastRunStatus ?? "-",
    ]),
    paint.dim,
  );
}

function timesOf(schedule: CronJob["schedule"]): string {
  switch (schedule.kind) {
    case "at":
      return `at ${schedule.at}`;
    case "every":
      return `every ${duration(schedule.everyMs)}`;
    case "cron":
      return schedule.tz ? `${schedule.expr} (${schedule.tz})` : schedule.expr;
  }
}
