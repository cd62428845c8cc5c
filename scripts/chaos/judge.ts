/** Whether messages were lost, doubled, mixed up or made up. */
import type { InboundRow, Journal, OutboundRow, RunRow } from "./journal.ts";
import { ID, OPENING, toolIdOf } from "./model.ts";
import type { ChaosNetwork, Fate, Shown } from "./network.ts";

/** What a person wrote. */
export interface Said {
  /** Unique, and in the text. */
  readonly id: string;
  readonly network: ChaosNetwork;
  readonly chat: string;
  readonly messageId: string;
  /** The model was asked to have a tool write something, too. */
  readonly isForTool: boolean;
}

/** What an operator asked to be sent. */
export interface Sent {
  /** Unique, and in the text. */
  readonly id: string;
  readonly network: ChaosNetwork;
  /** What they heard last: nothing, that it is sent, or why it is not. */
  heard?: "sent" | { readonly refusal: string };
}

export interface Verdict {
  readonly counts: Readonly<Record<string, number>>;
  /** What must not be, each with what is known of it. */
  readonly violations: readonly string[];
}

/** All of the evidence. */
export interface Evidence {
  readonly networks: readonly ChaosNetwork[];
  readonly said: readonly Said[];
  readonly sent: readonly Sent[];
  readonly journal: Journal;
}

/** How the gateway tells in a chat that a crash cut an answer. */
export const INTERRUPTED = /could not answer: interrupted/;
/** How the journal says it. */
const INTERRUPTED_RUN = /"error":"interrupted|"stopReason":"restart"/;

/** Judges when all has settled. */
export function judge(evidence: Evidence): Verdict {
  const files = filed(evidence);
  const findings = [
    ...evidence.said.map((message) => answerOf(message, files)),
    ...evidence.said.filter(({ isForTool }) => isForTool).map((message) => deedOf(message, files)),
    ...evidence.sent.map((order) => endOf(order, files)),
  ];
  const counts: Record<string, number> = {};
  for (const what of findings.flatMap(({ facts }) => facts)) {
    counts[what] = (counts[what] ?? 0) + 1;
  }
  const violations = [
    ...findings.flatMap(({ fault }) => fault ?? []),
    ...strays(evidence),
    ...halves(evidence),
    ...passedOver(evidence, files),
    ...misanswered(evidence),
    ...missent(evidence),
  ];
  return { counts, violations };
}

/** Messages whose ids stand in a text of the bot. */
export function idsIn(text: string): readonly string[] {
  return text.match(ID) ?? [];
}

/** The evidence by what it is looked up by: there are too many messages to leaf through it. */
interface Files {
  /** What a network shows, by network and id. */
  readonly shown: ReadonlyMap<string, readonly Shown[]>;
  /** What was to be said, by network and id. */
  readonly outbox: ReadonlyMap<string, readonly OutboundRow[]>;
  /** What was to be said instead of answers, by network and chat. */
  readonly notices: ReadonlyMap<string, readonly OutboundRow[]>;
  /** By network, chat and message. */
  readonly inbox: ReadonlyMap<string, readonly InboundRow[]>;
  readonly runs: Journal["runs"];
}

function filed({ networks, journal }: Evidence): Files {
  const { inbox, outbox, runs } = journal;
  const shown = networks.flatMap((network) =>
    network.shown.flatMap((message) =>
      idsIn(message.text).map((id) => [nameOf(network.id, id), message] as const)
    )
  );
  return {
    shown: grouped(shown),
    outbox: grouped(
      outbox.flatMap((row) => idsIn(row.text).map((id) => [nameOf(row.channel, id), row] as const)),
    ),
    notices: grouped(
      outbox.filter(({ text }) => INTERRUPTED.test(text)).map((row) =>
        [nameOf(row.channel, row.chat_id), row] as const
      ),
    ),
    inbox: grouped(inbox.map((row) => [keyOf(row), row] as const)),
    runs,
  };
}

/** What became of one message. */
interface Finding {
  /** To be counted. */
  readonly facts: readonly string[];
  readonly fault?: string;
}

function answerOf(message: Said, files: Files): Finding {
  const { id, network, chat, messageId } = message;
  const fate = network.fate(chat, messageId);
  const facts = [
    "said",
    ...fate === "waiting" ? [] : ["handed over"],
    ...fate === "acknowledged" ? ["acknowledged"] : [],
  ];
  const answers = files.shown.get(nameOf(network.id, id)) ?? [];
  const rows = rowsOf(message, files);
  const bad = (what: string): Finding => ({
    facts,
    fault: `${network.id} message ${id} in chat ${chat} ${what}\n` +
      proofOf(rows, { answers, fate }),
  });
  const good = (...more: readonly string[]): Finding => ({ facts: [...facts, ...more] });
  const isUnknown = rows.replies.some(({ state }) => state === "unknown");
  const [answer, ...others] = answers;
  const isInterrupted = rows.notices.some(({ state }) => state === "sent" || state === "unknown");
  if (others.length > 0) return bad(`was answered ${answers.length} times`);
  if (answer !== undefined) {
    if (answer.chat !== chat) return bad(`was answered in chat ${answer.chat}`);
    return good(
      "answered",
      ...isUnknown ? ["answered, though unknown"] : [],
      ...isInterrupted ? ["answered later, after an interruption"] : [],
    );
  }
  if (isUnknown) return good("not answered, and unknown", `unknown on ${network.id}`);
  if (isInterrupted) return good("said to be interrupted");
  if (fate === "acknowledged") return bad("was acknowledged and not answered");
  if (rows.inbox.length > 0) return bad("was stored and not answered");
  // what the network never handed over, or keeps, is its own business
  return good("left with the network");
}

/** What a tool does for a message is never done twice, whatever cuts the run. */
function deedOf({ id, network, chat }: Said, files: Files): Finding {
  const name = nameOf(network.id, toolIdOf(id));
  const shown = files.shown.get(name) ?? [];
  const rows = files.outbox.get(name) ?? [];
  const bad = (what: string): Finding => ({
    facts: ["for a tool"],
    fault: [
      `${network.id} message ${id} in chat ${chat}: its tool ${what}`,
      ...rows.map((row) => `  outbox ${JSON.stringify(row)}`),
      ...shown.map((message) => `  shown ${JSON.stringify(message)}`),
    ].join("\n"),
  });
  if (rows.length > 1) return bad(`wrote ${rows.length} times`);
  if (shown.length > 1) return bad(`is shown ${shown.length} times`);
  if (shown.some((message) => message.chat !== chat)) return bad("wrote into another chat");
  const [row] = rows;
  if (row?.state === "sent" && shown.length === 0) return bad("is said to have written");
  if (row !== undefined && row.ended_at === null) return bad("came to no end");
  return { facts: ["for a tool", ...shown.length === 1 ? ["written by a tool"] : []] };
}

function endOf({ id, network, heard }: Sent, files: Files): Finding {
  const shown = files.shown.get(nameOf(network.id, id)) ?? [];
  const rows = files.outbox.get(nameOf(network.id, id)) ?? [];
  const bad = (what: string): Finding => ({
    facts: ["ordered"],
    fault: [
      `${network.id} order ${id} ${what}`,
      `  heard ${JSON.stringify(heard)}`,
      ...rows.map((row) => `  outbox ${JSON.stringify(row)}`),
      ...shown.map((message) => `  shown ${JSON.stringify(message)}`),
    ].join("\n"),
  });
  const good = (what: string): Finding => ({ facts: ["ordered", what] });
  const [row, ...others] = rows;
  if (others.length > 0) return bad(`was accepted ${rows.length} times`);
  if (shown.length > 1) return bad(`was sent ${shown.length} times`);
  if (heard === undefined) return bad("came to no end that anybody heard of");
  if (heard === "sent" && shown.length === 0) return bad("is said to be sent, and is not");
  if (heard === "sent") return good("sent by order");
  if (row?.state === "unknown") {
    return { facts: ["ordered", "unknown by order", `unknown on ${network.id}`] };
  }
  if (row?.state === "sent" && shown.length === 1) return good("sent by order");
  if (shown.length > 0) return bad("was sent, and its journal is wrong");
  if (row === undefined) return good("refused");
  return row.state === "dead" ? good("dead by order") : bad("came to no end");
}

/** What was sent that nobody had said, or asked for. */
function strays({ networks, said, sent, journal }: Evidence): readonly string[] {
  const known = new Set([
    ...[...said, ...sent].map(({ id }) => id),
    ...said.filter(({ isForTool }) => isForTool).map(({ id }) => toolIdOf(id)),
  ]);
  return networks.flatMap((network) =>
    network.shown.flatMap((message) => {
      if (INTERRUPTED.test(message.text) || message.text === OPENING) return [];
      const ids = idsIn(message.text);
      if (ids.length > 0 && ids.every((id) => known.has(id))) return [];
      const rows = journal.outbox.filter(({ message_ids }) =>
        message_ids?.includes(`"${message.id}"`) ?? false
      );
      return [
        `${network.id} has a message that nobody asked for: ${JSON.stringify(message)}\n` +
        rows.map((row) => `  outbox ${JSON.stringify(row)}`).join("\n"),
      ];
    })
  );
}

/**
 * Half an answer may stay only where the gateway can't know that it is there: as many in a chat as
 * its journal calls unknown.
 */
function halves({ networks, journal }: Evidence): readonly string[] {
  return networks.flatMap((network) =>
    network.chats.flatMap(({ id: chat }) => {
      const left = network.shown.filter((message) =>
        message.chat === chat && message.text === OPENING
      );
      const unknown = journal.outbox.filter(({ channel, chat_id, state, text }) =>
        channel === network.id && chat_id === chat && state === "unknown" && text === OPENING
      );
      if (left.length <= unknown.length) return [];
      return [
        `${network.id} chat ${chat} has ${left.length} halves of answers, ` +
        `and ${unknown.length} are unknown\n` +
        left.map((message) => `  shown ${JSON.stringify(message)}`).join("\n"),
      ];
    })
  );
}

/** Messages that never came to us, although later ones of their chats did. */
function passedOver({ networks, said }: Evidence, { inbox }: Files): readonly string[] {
  return networks.flatMap((network) =>
    network.chats.flatMap(({ id: chat }) => {
      const own = said.filter((message) => message.network === network && message.chat === chat);
      const isHere = ({ messageId }: Said) => inbox.has(nameOf(network.id, chat, messageId));
      const last = own.findLastIndex(isHere); // -1 where none came
      return own.filter((message, at) => at < last && !isHere(message)).map(
        ({ id }) => `${network.id} chat ${chat}: ${id} never came to us, and later ones did`,
      );
    })
  );
}

/** Answers come in the order of the messages: as they were said, or as they were handed over. */
function misanswered({ networks, said, journal }: Evidence): readonly string[] {
  const seqs = new Map(journal.inbox.map((row) => [keyOf(row), row.seq]));
  return networks.flatMap((network) =>
    network.chats.flatMap(({ id: chat }) => {
      const isShuffled = network.isShuffled(chat);
      const own = said.filter((message) => message.network === network && message.chat === chat);
      const rank = new Map(own.map(({ id, messageId }, index) => {
        const seq = seqs.get(nameOf(network.id, chat, messageId));
        return [id, isShuffled ? seq ?? 0 : index];
      }));
      let last = { id: "", rank: -1 };
      const faults: string[] = [];
      for (const message of network.shown) {
        if (message.chat !== chat) continue;
        for (const id of idsIn(message.text)) {
          const own = rank.get(id);
          if (own === undefined) continue;
          if (own < last.rank) {
            faults.push(`${network.id} chat ${chat}: ${id} was answered after ${last.id}`);
          }
          last = { id, rank: own };
        }
      }
      return faults;
    })
  );
}

/** Messages of a chat appear in the order in which they were accepted. */
function missent({ networks, journal }: Evidence): readonly string[] {
  return networks.flatMap((network) => {
    const place = new Map(network.shown.map(({ id }, index) => [id, index]));
    const last = new Map<string, { row: OutboundRow; at: number }>();
    const faults: string[] = [];
    for (const row of journal.outbox) {
      // What edits another has its place.
      if (row.channel !== network.id || row.state !== "sent" || row.edits !== null) continue;
      const ids: readonly string[] = JSON.parse(row.message_ids ?? "[]");
      const at = place.get(ids[0] ?? "");
      if (at === undefined) {
        faults.push(`${network.id} does not have what was sent\n  outbox ${JSON.stringify(row)}`);
        continue;
      }
      const before = last.get(row.lane);
      if (before !== undefined && before.at > at) {
        faults.push(
          `${network.id} shows two messages in the wrong order\n` +
            `  outbox ${JSON.stringify(before.row)}\n  outbox ${JSON.stringify(row)}`,
        );
      }
      last.set(row.lane, { row, at });
    }
    return faults;
  });
}

interface Rows {
  readonly inbox: readonly InboundRow[];
  /** What was to be said, with the id in it. */
  readonly replies: readonly OutboundRow[];
  /** What was to be said instead. */
  readonly notices: readonly OutboundRow[];
  readonly runs: readonly RunRow[];
}

function rowsOf({ id, network, chat, messageId }: Said, files: Files): Rows {
  const inbox = files.inbox.get(nameOf(network.id, chat, messageId)) ?? [];
  const runs = inbox.flatMap(({ outcome }) => runsFrom(outcome, files));
  return {
    inbox,
    runs,
    replies: files.outbox.get(nameOf(network.id, id)) ?? [],
    // which of the chat's runs one tells of, it does not say: in a chat of two it answers no message
    notices: runs.some(({ result }) => INTERRUPTED_RUN.test(result ?? ""))
      ? files.notices.get(nameOf(network.id, chat)) ?? []
      : [],
  };
}

/** The run of a message, and those that took it over. */
function runsFrom(runId: string | null, { runs }: Files): readonly RunRow[] {
  const found: RunRow[] = [];
  for (let id = runId, depth = 0; id !== null && depth < 10; depth++) {
    const run = runs.get(id);
    if (run === undefined) break;
    found.push(run);
    const result: { mergedInto?: string } = JSON.parse(run.result ?? "{}");
    id = result.mergedInto ?? null;
  }
  return found;
}

function keyOf({ channel, chat_id, message_id }: InboundRow): string {
  return nameOf(channel, chat_id, message_id);
}

function nameOf(...parts: readonly (string | null)[]): string {
  return parts.join("\n");
}

function grouped<T>(entries: readonly (readonly [string, T])[]): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const [key, value] of entries) {
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [value]);
    else group.push(value);
  }
  return groups;
}

function proofOf(
  { inbox, runs, replies, notices }: Rows,
  { answers, fate }: { answers: readonly Shown[]; fate: Fate },
): string {
  return [
    `  ${fate}`,
    ...inbox.map((row) => `  inbox ${JSON.stringify(row)}`),
    ...runs.map((row) => `  run ${JSON.stringify(row)}`),
    ...[...replies, ...notices].map((row) => `  outbox ${JSON.stringify(row)}`),
    ...answers.map((message) => `  shown ${JSON.stringify(message)}`),
  ].join("\n");
}
