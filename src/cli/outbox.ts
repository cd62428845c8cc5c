/** `openclaw outbox` */
import type { OutboxEntry } from "../../schemas/messaging.ts";
import type { ResultOf } from "../../schemas/mod.ts";
import type { GatewayClient, RequestOptions } from "../client/client.ts";
import { answer } from "./answer.ts";
import { type Call, command, type Group } from "./command.ts";
import { withGateway } from "./connect.ts";
import { Failure } from "./failure.ts";
import { UsageError } from "./flags.ts";
import { cut, oneLine, table } from "./text.ts";
import { relative } from "./time.ts";

const STATES = ["accepted", "started", "sent", "unknown", "dead"] as const;
const ADMIN = { scopes: ["operator.admin"] } as const;
const IDS = { name: "message", many: true, optional: true } as const;
/** Fewer characters of an id than this say nothing. */
const MIN_PREFIX = 4;
const ALL = 1_000;

const list = command({
  about: "List the messages that are on their way, or were given up",
  details:
    "accepted: it waits. started: it is being sent. unknown: it may have been sent, and nobody can\n" +
    "tell. dead: it was not sent. Unknown and dead ones are not sent again by themselves.",
  flags: {
    state: { kind: "text", value: "state", oneOf: STATES, about: "Only those in this state" },
    channel: { kind: "text", value: "id", about: "Only this network" },
    limit: { kind: "number", value: "count", min: 1, max: ALL, about: "The newest ones (100)" },
  },
  connects: true,
  examples: [
    ["openclaw outbox", "what was not sent, and why?"],
    ["openclaw outbox list --state unknown", "what nobody can tell"],
  ],
  async run(call) {
    const { state, channel, limit = 100 } = call.flags;
    const params = {
      ...(state === undefined ? {} : { states: [state] }),
      ...(channel === undefined ? {} : { channel }),
      limit,
    };
    const result = await withGateway(
      call,
      { scopes: ["operator.read"] },
      (gateway, options) => gateway.request("outbox.list", params, options),
    );
    const cut = result.entries.length < limit ? "" : `The newest ${limit} are shown\n`;
    return answer(call, result, (result) => show(result, call) + cut);
  },
});

const retry = command({
  about: "Send messages again that were given up",
  details: "One that is unknown may have been sent: then it is there twice.",
  words: [IDS],
  flags: { dead: { kind: "switch", about: "All that are dead" } },
  connects: true,
  examples: [
    ["openclaw outbox retry 3f2a9c4e", "one, by the id that `outbox list` shows"],
    ["openclaw outbox retry --dead", "all that were surely not sent"],
  ],
  async run(call) {
    const { dead } = call.flags;
    const result = await withGateway(call, ADMIN, async (gateway, options) => {
      const ids = await idsOf(gateway, call.words, { all: dead ? "dead" : undefined, options });
      return await gateway.request("outbox.retry", { ids }, options);
    });
    return answer(
      call,
      result,
      ({ entries }) => `Sending ${counted(entries)} again\n${restOf(entries)}`,
    );
  },
});

const drop = command({
  about: "Forget messages, so that they are never sent",
  words: [IDS],
  flags: { dead: { kind: "switch", about: "All that are dead" } },
  connects: true,
  examples: [["openclaw outbox drop 3f2a9c4e", "one that is not wanted any more"]],
  async run(call) {
    const { dead } = call.flags;
    const result = await withGateway(call, ADMIN, async (gateway, options) => {
      const ids = await idsOf(gateway, call.words, { all: dead ? "dead" : undefined, options });
      return await gateway.request("outbox.drop", { ids }, options);
    });
    return answer(
      call,
      result,
      ({ entries }) => `Dropped ${counted(entries)}\n${restOf(entries)}`,
    );
  },
});

export default {
  about: "See what was not sent",
  usual: "list",
  commands: { list, retry, drop },
} satisfies Group;

/** The whole ids that the words are beginnings of, or those of all in a state. */
async function idsOf(
  gateway: GatewayClient,
  words: readonly string[],
  { all, options }: { all: "dead" | undefined; options: RequestOptions },
): Promise<string[]> {
  if (words.length === 0 && all === undefined) {
    throw new UsageError("Say which messages: see openclaw outbox list");
  }
  if (words.length > 0 && all !== undefined) {
    throw new UsageError(`Say which messages, or --${all} for all of them`); // not more than was meant
  }
  const wanted = all === undefined ? {} : { states: [all] };
  const { entries } = await gateway.request("outbox.list", { limit: ALL, ...wanted }, options);
  if (all !== undefined) {
    const ids = entries.filter(({ state, kind }) => state === all && kind === "message")
      .map(({ id }) => id);
    if (ids.length === 0) throw new Failure("NOT_FOUND", `No message is ${all}`);
    return ids;
  }
  return words.map((word) => {
    const found = entries.filter(({ id }) =>
      id === word || word.length >= MIN_PREFIX && id.startsWith(word)
    );
    const [only, ...others] = found;
    if (only === undefined) {
      throw new Failure("NOT_FOUND", `No message in the outbox has the id '${word}'`);
    }
    if (others.length > 0) {
      throw new Failure("AMBIGUOUS", `'${word}' is the beginning of ${found.length} ids`, {
        hint: found.map(({ id }) => id).join(", "),
      });
    }
    return only.id;
  });
}

function show(
  { entries, counts }: ResultOf<"outbox.list">,
  { paint, io }: Pick<Call, "paint" | "io">,
): string {
  if (entries.length === 0) return "Nothing waits, and nothing was given up\n";
  const rows = entries.map((entry) => [
    entry.id.slice(0, 8),
    stateText(entry, paint),
    oneLine(`${entry.channel}/${entry.accountId}`),
    cut(oneLine(entry.chatId), 24),
    relative(entry.acceptedAt, io.now()),
    cut(oneLine(entry.kind === "preview" ? `(preview) ${entry.text}` : entry.text), 32),
    cut(oneLine(entry.error ?? ""), 48),
  ]);
  const summary = Object.entries(counts).filter(([, count]) => count > 0)
    .map(([state, count]) => `${count} ${state}`).join(", ");
  const heads = ["ID", "STATE", "ACCOUNT", "CHAT", "SINCE", "TEXT", "ERROR"];
  return `${table(heads, rows, paint.dim)}${summary === "" ? "" : `\n${summary}\n`}`;
}

function stateText({ state }: OutboxEntry, paint: Call["paint"]): string {
  if (state === "dead") return paint.red(state);
  return state === "unknown" ? paint.yellow(state) : state;
}

function counted(entries: readonly OutboxEntry[]): string {
  return entries.length === 1 ? "1 message" : `${entries.length} messages`;
}

/** The gateway takes so many at a time; who means all of them has to ask again. */
function restOf({ length }: readonly OutboxEntry[]): string {
  return length < ALL ? "" : "There may be more: do it again\n";
}
