/** `openclaw sessions` */
import type { SessionRow } from "../../schemas/sessions.ts";
import { answer } from "./answer.ts";
import { type Call, command, type Group } from "./command.ts";
import { withGateway } from "./connect.ts";
import { Failure } from "./failure.ts";
import { UsageError } from "./flags.ts";
import { cut, oneLine, table } from "./text.ts";
import { relative } from "./time.ts";
import { messageText } from "./transcript.ts";

const KEY = { name: "key" } as const;

const list = command({
  about: "List the sessions, the newest first",
  flags: {
    limit: { kind: "number", value: "count", min: 1, about: "How many (50)" },
    agent: { kind: "text", value: "id", about: "Only those of one agent" },
    active: { kind: "number", value: "minutes", min: 1, about: "Only those used lately" },
    search: { kind: "text", value: "text", about: "Only those with this in key, label or name" },
  },
  connects: true,
  examples: [
    ["openclaw sessions", "list them"],
    ["openclaw sessions list --active 60 --json", "those of the last hour, for a program"],
  ],
  async run(call) {
    const { limit = 50, agent: agentId, active: activeMinutes, search } = call.flags;
    const result = await withGateway(
      call,
      { scopes: ["operator.read"] },
      (gateway, options) =>
        gateway.request("sessions.list", { limit, agentId, activeMinutes, search }, options),
    );
    return answer(call, result, ({ sessions, totalCount = sessions.length }) => {
      const more = totalCount - sessions.length;
      return rows(sessions, call) + (more > 0 ? `${call.paint.dim(`and ${more} more`)}\n` : "");
    });
  },
});

const show = command({
  about: "Print the newest messages of a session",
  words: [KEY],
  flags: { limit: { kind: "number", value: "count", min: 1, max: 1000, about: "How many (50)" } },
  connects: true,
  examples: [
    ["openclaw sessions show main", "read the main session"],
    ["openclaw sessions show agent:main:main --limit 5", "read its last five messages"],
  ],
  async run(call) {
    const { flags: { limit = 50 }, words: [sessionKey = ""], paint } = call;
    const history = await withGateway(
      call,
      { scopes: ["operator.read"] },
      (gateway, options) => gateway.request("chat.history", { sessionKey, limit }, options),
    );
    if (history.sessionId === undefined) throw unknown(sessionKey);
    return answer(call, history, ({ messages, hasMore }) => {
      const texts = messages.map((message) => messageText(message, paint));
      const cut = hasMore === true ? `${paint.dim("… older ones: see --limit")}\n` : "";
      return cut + texts.join("") || "Nobody has said anything yet\n";
    });
  },
});

const reset = command({
  about: "Start a session afresh; its settings stay",
  words: [KEY],
  flags: {},
  connects: true,
  examples: [["openclaw sessions reset main", "let the main session forget what was said"]],
  async run(call) {
    const [key = ""] = call.words;
    const result = await withGateway(
      call,
      { scopes: ["operator.admin"] },
      (gateway, options) => gateway.request("sessions.reset", { key, reason: "reset" }, options),
    );
    return answer(call, result, ({ key }) => `${oneLine(key)} starts afresh\n`);
  },
});

const remove = command({
  about: "Forget a session and what was said in it",
  words: [KEY],
  flags: {
    yes: { kind: "switch", short: "y", about: "Really do it; there is no way back" },
    "keep-transcript": { kind: "switch", about: "Keep what was said on disk" },
  },
  connects: true,
  examples: [["openclaw sessions delete agent:main:old --yes", "forget one"]],
  async run(call) {
    const { flags, words: [key = ""] } = call;
    if (!flags.yes) throw new UsageError(`Cannot delete '${key}' without --yes: it is for good`);
    const params = { key, deleteTranscript: !flags["keep-transcript"] };
    const result = await withGateway(
      call,
      { scopes: ["operator.write"] },
      (gateway, options) => gateway.request("sessions.delete", params, options),
    );
    if (!result.deleted) throw unknown(key);
    return answer(call, result, ({ key }) => `${oneLine(key)} is forgotten\n`);
  },
});

export default {
  about: "List, read, reset and delete sessions",
  usual: "list",
  commands: { list, show, reset, delete: remove },
} satisfies Group;

function unknown(key: string): Failure {
  return new Failure("NOT_FOUND", `There is no session '${key}'`, {
    hint: "list them with `openclaw sessions`",
  });
}

function rows(sessions: readonly SessionRow[], { paint, io }: Pick<Call, "paint" | "io">): string {
  if (sessions.length === 0) return "There are no sessions\n";
  return table(
    ["SESSION", "NAME", "MODEL", "TOKENS", "STATE", "USED"],
    sessions.map((row) => [
      cut(oneLine(row.key), 60),
      cut(oneLine(row.label ?? row.displayName ?? row.derivedTitle ?? "-"), 40),
      oneLine(row.model ?? "-"),
      tokens(row),
      row.hasActiveRun ? paint.green("at work") : row.status ?? "-",
      relative(row.updatedAt, io.now()),
    ]),
    paint.dim,
  );
}

function tokens({ totalTokens, contextTokens }: SessionRow): string {
  if (totalTokens === undefined) return "-";
  const share = contextTokens ? ` (${Math.round(100 * totalTokens / contextTokens)} %)` : "";
  return `${totalTokens}${share}`;
}
