/** A conversation as the page holds it: what the gateway told, in the order that it is shown. */
import type { ChatMessage } from "../../schemas/message.ts";
import type { EventPayloads, ResultOf } from "../../schemas/mod.ts";
import {
  type AnswerEntry,
  type Entry,
  type Picture,
  readEntry,
  type ResultEntry,
} from "./entry.ts";

/** A tool at work, or done. */
export interface ToolActivity {
  readonly callId: string;
  readonly name: string;
  readonly args: unknown;
  readonly state: "running" | "ok" | "failed";
  readonly output: string;
}

/** A turn that the agent is taking. */
export interface Run {
  readonly id: string;
  /** What it says, as far as it isn't a message of the transcript yet. */
  readonly text: string;
  readonly thinking: string;
  /** In its order of first use. */
  readonly tools: ReadonlyMap<string, ToolActivity>;
  /** What it does besides, for people. */
  readonly doing?: string;
}

/** A message on its way to the gateway. */
export interface Outgoing {
  /** Its idempotency key, and the id of the run that it starts. */
  readonly key: string;
  readonly text: string;
  readonly pictures: readonly (Picture & { readonly src: string })[];
  readonly at: number;
  readonly state: "sending" | "sent" | "failed";
  readonly problem?: string;
}

export interface Conversation {
  readonly key: string;
  readonly phase: "loading" | "ready" | "failed";
  readonly problem?: string;
  /** Names the transcript; a reset gives a new one. */
  readonly sessionId?: string;
  readonly entries: readonly Entry[];
  /** How many of the newest messages are here, if there are older ones that aren't. */
  readonly olderFrom?: number;
  readonly runs: ReadonlyMap<string, Run>;
  /** Runs whose end was heard: an answer that was on its way then may still name them. */
  readonly over: ReadonlySet<string>;
  readonly outgoing: readonly Outgoing[];
}

export function emptyConversation(key: string): Conversation {
  return {
    key,
    phase: "loading",
    entries: [],
    runs: new Map(),
    over: new Set(),
    outgoing: [],
  };
}

/** What is known of a conversation whose transcript has this name: after a reset, nothing. */
export function withTranscript(conversation: Conversation, sessionId: string): Conversation {
  if (conversation.sessionId === sessionId) return conversation;
  if (conversation.sessionId === undefined) return { ...conversation, sessionId };
  const { key, outgoing } = conversation;
  return { ...emptyConversation(key), sessionId, outgoing };
}

/** It was deleted: under its key another one can begin. What waited there to be answered is gone too. */
export function withoutTranscript({ key, outgoing }: Conversation): Conversation {
  const unsent = outgoing.filter(({ state }) => state !== "sent");
  return { ...emptyConversation(key), phase: "ready", outgoing: unsent };
}

type HistoryPage = ResultOf<"chat.history">;

/** The newest page. What was here stays where it joins that page without a hole. */
export function withNewest(conversation: Conversation, page: HistoryPage): Conversation {
  const fresh = readPage(page);
  const isSame = page.sessionId === conversation.sessionId;
  const first = fresh.find(({ seq }) => seq !== undefined)?.seq;
  const known = isSame && first !== undefined
    ? conversation.entries.filter(({ seq }) => seq !== undefined && seq < first)
    : [];
  const joins = known.at(-1)?.seq === (first ?? 0) - 1;
  const older = joins ? known : [];
  const answered = new Set(
    fresh.filter((entry) => entry.role === "answer" && entry.end !== "calling")
      .map(({ runId }) => runId),
  );
  const keys = new Set(fresh.map((entry) => entry.role === "user" ? entry.requestKey : undefined));
  const last = fresh.at(-1)?.at ?? 0;
  // What only an event told, such as the answer to a command, isn't in any transcript.
  const own = isSame
    ? conversation.entries.filter((entry) =>
      entry.seq === undefined && entry.at >= last && !answered.has(entry.runId) &&
      !(entry.role === "user" && keys.has(entry.requestKey))
    )
    : [];
  return {
    ...conversation,
    phase: "ready",
    problem: undefined,
    sessionId: page.sessionId,
    entries: [...older, ...withPictures(fresh, conversation), ...own],
    olderFrom: joins ? conversation.olderFrom : olderFrom(page, 0),
    outgoing: conversation.outgoing.filter(({ key }) => !keys.has(key)),
    runs: runsOf(page, fresh, conversation),
  };
}

/** What is at work, by what the gateway says. What we heard of it stays, as far as it goes on. */
function runsOf(
  { sessionInfo }: HistoryPage,
  fresh: readonly Entry[],
  { runs, over, entries }: Conversation,
): Conversation["runs"] {
  if (sessionInfo?.hasActiveRun !== true) return new Map();
  const { activeRunIds } = sessionInfo;
  if (activeRunIds === undefined) return runs; // a gateway that doesn't say which
  const known = new Set(entries.map(({ id }) => id));
  return new Map(
    activeRunIds.filter((id) => !over.has(id)).map((id) => {
      const run = runs.get(id) ?? newRun(id);
      const own = fresh.filter(({ runId }) => runId === id);
      const isTold = own.some((entry) => entry.role === "answer" && !known.has(entry.id));
      const words = isTold ? { text: "", thinking: "" } : {};
      return [id, { ...run, ...words, tools: toolsAtWork(run, own) }];
    }),
  );
}

/** The tools of a run whose beginnings and ends may have passed unheard. */
function toolsAtWork({ tools }: Run, entries: readonly Entry[]): Run["tools"] {
  const now = new Map(tools);
  for (const entry of entries) {
    if (entry.role === "answer") {
      for (const call of entry.calls) {
        if (!now.has(call.callId)) now.set(call.callId, { ...call, state: "running", output: "" });
      }
    } else if (entry.role === "result") {
      const { callId, text, failed } = entry;
      const call = now.get(callId);
      if (call) now.set(callId, { ...call, state: failed ? "failed" : "ok", output: text });
    }
  }
  return now;
}

/** A page of older messages, asked for from `offset` on. */
export function withOlder(
  conversation: Conversation,
  page: HistoryPage,
  offset: number,
): Conversation {
  if (page.sessionId !== conversation.sessionId) return conversation;
  const known = new Set(conversation.entries.map(({ id }) => id));
  const older = readPage(page).filter(({ id }) => !known.has(id));
  return {
    ...conversation,
    entries: [...older, ...conversation.entries],
    olderFrom: page.messages.length === 0 ? undefined : olderFrom(page, offset),
  };
}

function olderFrom({ hasMore, nextOffset, messages }: HistoryPage, offset: number) {
  return hasMore === true ? nextOffset ?? offset + messages.length : undefined;
}

function readPage({ messages }: HistoryPage): Entry[] {
  const seen = new Set<string>();
  return messages.map((message, index) => {
    const entry = readEntry(message, `${message.timestamp}.${index}`);
    const id = seen.has(entry.id) ? `${entry.id}.${index}` : entry.id;
    seen.add(id);
    return { ...entry, id };
  });
}

/** Our own pictures: the gateway's transcripts come without theirs. */
function withPictures(fresh: readonly Entry[], { entries, outgoing }: Conversation): Entry[] {
  const ours = new Map<string, readonly Picture[]>();
  for (const { key, pictures } of outgoing) ours.set(key, pictures);
  for (const entry of entries) {
    if (entry.role === "user" && entry.requestKey !== undefined) {
      ours.set(entry.requestKey, entry.pictures);
    }
  }
  return fresh.map((entry) => {
    if (entry.role !== "user" || entry.pictures.length === 0) return entry;
    return { ...entry, pictures: ours.get(entry.requestKey ?? "") ?? entry.pictures };
  });
}

/** A message was added to the transcript. Returns `"gap"` if messages before it are missing. */
export function withMessage(
  conversation: Conversation,
  message: ChatMessage,
): Conversation | "gap" {
  const [entry] = withPictures([readEntry(message, `live.${message.timestamp}`)], conversation);
  if (entry === undefined) return conversation;
  if (conversation.entries.some(({ id }) => id === entry.id)) return conversation;
  const last = newestSeq(conversation);
  if (entry.seq !== undefined && last > 0 && entry.seq > last + 1) return "gap";
  const { runId } = entry;
  const entries = conversation.entries.filter((other) =>
    !isStandIn(other, runId) && other.runId !== `inject-${entry.id}`
  );
  const requestKey = entry.role === "user" ? entry.requestKey : undefined;
  return {
    ...conversation,
    entries: [...entries, entry.role === "answer" ? untruncated(entry, conversation) : entry],
    outgoing: requestKey === undefined
      ? conversation.outgoing
      : conversation.outgoing.filter(({ key }) => key !== requestKey),
    runs: entry.role === "answer"
      ? changeRun(conversation.runs, runId, (run) => ({ ...run, text: "", thinking: "" }))
      : conversation.runs,
  };
}

/** The number of the newest message that is here; 0 where there is none. */
export function newestSeq({ entries }: Conversation): number {
  return entries.findLast(({ seq }) => seq !== undefined)?.seq ?? 0;
}

/** An answer that an event told, which the transcript's own takes the place of. */
function isStandIn(entry: Entry, runId: string | undefined): boolean {
  return runId !== undefined && entry.runId === runId && entry.seq === undefined &&
    entry.role === "answer";
}

/** Transcripts cut very long messages; what we have heard of one is whole. */
function untruncated<E extends Entry & AnswerEntry>(entry: E, { runs }: Conversation): E {
  const heard = runs.get(entry.runId ?? "")?.text ?? "";
  const isCut = entry.text.endsWith("…(truncated)…") && heard.length > entry.text.length;
  return isCut ? { ...entry, text: heard } : entry;
}

/** What a `chat` event tells. */
export function withChat(conversation: Conversation, event: EventPayloads["chat"]): Conversation {
  const { runId } = event;
  switch (event.state) {
    case "status":
      return withRun(conversation, runId, (run) => run);
    case "delta": {
      const { text } = contentOf(event.message);
      return withRun(conversation, runId, (run) => ({ ...run, text, doing: undefined }));
    }
    case "final":
      return ended(conversation, runId, event.message && contentOf(event.message));
    case "aborted":
      return ended(conversation, runId, {
        ...(event.message ? contentOf(event.message) : SILENCE),
        end: "stopped",
      });
    case "error":
      return ended(conversation, runId, {
        ...(event.message ? contentOf(event.message) : SILENCE),
        end: "failed",
        problem: event.errorMessage ?? "The run failed.",
      });
  }
}

const SILENCE: AnswerEntry = { role: "answer", text: "", thinking: "", calls: [], end: "done" };

function contentOf(message: ChatMessage): AnswerEntry {
  const entry = readEntry(message, "");
  return entry.role === "answer" ? entry : SILENCE;
}

/** Takes the run off, and lets its last words stand where the transcript hasn't told them. */
function ended(
  conversation: Conversation,
  runId: string,
  answer: AnswerEntry | undefined,
): Conversation {
  const runs = new Map(conversation.runs);
  runs.delete(runId);
  const over = new Set(conversation.over).add(runId);
  const isTold = answer === undefined ||
    conversation.entries.some((entry) =>
      entry.role === "answer" && entry.end !== "calling" &&
      (entry.runId === runId || runId === `inject-${entry.id}`)
    );
  const said = conversation.outgoing.find(({ key }) => key === runId);
  if (isTold && said === undefined) return { ...conversation, runs, over };
  const now = Date.now();
  const added: Entry[] = [];
  // A command is answered without becoming a message; show what was asked all the same.
  if (said !== undefined && !isTold) {
    const { text, pictures, at } = said;
    added.push({ id: `own.${runId}`, at, runId, role: "user", text, pictures, requestKey: runId });
  }
  if (!isTold) added.push({ ...answer, id: `end.${runId}`, at: now, runId });
  return {
    ...conversation,
    runs,
    over,
    entries: [...conversation.entries, ...added],
    outgoing: isTold
      ? conversation.outgoing
      : conversation.outgoing.filter(({ key }) => key !== runId),
  };
}

/** What an `agent` event tells. */
export function withAgent(
  conversation: Conversation,
  { runId, stream, data }: EventPayloads["agent"],
): Conversation {
  const change = (how: (run: Run) => Run) => withRun(conversation, runId, how);
  switch (stream) {
    case "lifecycle":
      return data.phase === "start" ? change((run) => run) : conversation;
    case "thinking":
      return change((run) => ({ ...run, thinking: text(data.text), doing: undefined }));
    case "tool":
      return change((run) => withTool(run, data));
    case "compaction":
      return change((run) => ({
        ...run,
        doing: data.phase === "start" ? "Summarising the conversation so far" : undefined,
      }));
    case "run_status":
      return data.phase === "retrying"
        ? change((run) => ({ ...run, doing: "The model failed to answer; trying again" }))
        : conversation;
    default:
      return conversation;
  }
}

function withTool(run: Run, data: Readonly<Record<string, unknown>>): Run {
  const callId = text(data.toolCallId);
  const before = run.tools.get(callId) ??
    { callId, name: text(data.name), args: undefined, state: "running", output: "" };
  const tools = new Map(run.tools);
  switch (data.phase) {
    case "start":
      tools.set(callId, { ...before, args: data.args });
      break;
    case "update":
      tools.set(callId, { ...before, output: resultText(data.partialResult) });
      break;
    case "result": {
      const state = data.isError === true ? "failed" : "ok";
      tools.set(callId, { ...before, state, output: resultText(data.result) || before.output });
      break;
    }
  }
  return { ...run, tools, doing: undefined };
}

/** The text of a tool's result: a text, or blocks of it. */
function resultText(result: unknown): string {
  if (typeof result === "string") return result;
  if (typeof result !== "object" || result === null || !("content" in result)) return "";
  if (!Array.isArray(result.content)) return "";
  return result.content.flatMap((block) => typeof block?.text === "string" ? [block.text] : [])
    .join("\n");
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function withRun(conversation: Conversation, id: string, how: (run: Run) => Run): Conversation {
  const known = conversation.runs.has(id)
    ? conversation.runs
    : new Map(conversation.runs).set(id, newRun(id));
  return { ...conversation, runs: changeRun(known, id, how) };
}

function newRun(id: string): Run {
  return { id, text: "", thinking: "", tools: new Map() };
}

function changeRun(
  runs: ReadonlyMap<string, Run>,
  id: string | undefined,
  how: (run: Run) => Run,
): ReadonlyMap<string, Run> {
  const run = id === undefined ? undefined : runs.get(id);
  return id === undefined || run === undefined ? runs : new Map(runs).set(id, how(run));
}

/** The gateway says that nothing runs here; forget what we thought did. */
export function withoutRuns(conversation: Conversation): Conversation {
  return conversation.runs.size === 0 ? conversation : { ...conversation, runs: new Map() };
}

export function withOutgoing(conversation: Conversation, message: Outgoing): Conversation {
  const others = conversation.outgoing.filter(({ key }) => key !== message.key);
  return { ...conversation, outgoing: [...others, message] };
}

export function withoutOutgoing(conversation: Conversation, sent: string): Conversation {
  const outgoing = conversation.outgoing.filter(({ key }) => key !== sent);
  return { ...conversation, outgoing };
}

/** A tool call, as far as we know what became of it. */
export interface CallView extends ToolCall {
  readonly state: "running" | "ok" | "failed" | "unknown";
  readonly output: string;
  readonly pictures: readonly Picture[];
}
type ToolCall = AnswerEntry["calls"][number];

/** One thing in the list that the page shows, top to bottom. */
export type Row =
  | { readonly kind: "day"; readonly id: string; readonly at: number }
  | {
    readonly kind: "entry";
    readonly id: string;
    readonly entry: Entry & { role: "user" | "note" };
  }
  | {
    readonly kind: "answer";
    readonly id: string;
    readonly entry: Entry & AnswerEntry;
    readonly calls: readonly CallView[];
    /** It ends what the agent said at one time. */
    readonly isLast: boolean;
  }
  | {
    readonly kind: "outgoing";
    readonly id: string;
    readonly message: Outgoing;
    readonly isQueued: boolean;
  }
  | {
    readonly kind: "run";
    readonly id: string;
    readonly run: Run;
    readonly calls: readonly CallView[];
  };

/** What is settled, as rows. Depends on nothing but its arguments: they say when to call again. */
export function settledRows(
  entries: readonly Entry[],
  tools: ReadonlyMap<string, ToolActivity>,
): readonly Row[] {
  const results = new Map<string, ResultEntry>();
  const calls = new Set<string>();
  for (const entry of entries) {
    if (entry.role === "result") results.set(entry.callId, entry);
    if (entry.role === "answer") { for (const { callId } of entry.calls) calls.add(callId); }
  }
  const shown = entries.filter((entry) => entry.role !== "result" || !calls.has(entry.callId));
  const rows: Row[] = [];
  let day = "";
  for (const [index, entry] of shown.entries()) {
    const today = new Date(entry.at).toDateString();
    if (today !== day) rows.push({ kind: "day", id: `day.${today}.${entry.id}`, at: entry.at });
    day = today;
    if (entry.role === "answer") {
      const isLast = shown[index + 1]?.role !== "answer";
      const views = entry.calls.map((call) => callView(call, results, tools));
      rows.push({ kind: "answer", id: entry.id, entry, calls: views, isLast });
    } else if (entry.role === "result") {
      // Its call is on an older page.
      const { id, at, callId, name } = entry;
      const call = callView({ callId, name, args: undefined }, results, tools);
      const orphan = { ...SILENCE, id, at, end: "calling" as const };
      rows.push({ kind: "answer", id, entry: orphan, calls: [call], isLast: false });
    } else {
      rows.push({ kind: "entry", id: entry.id, entry });
    }
  }
  return rows;
}

function callView(
  call: ToolCall,
  results: ReadonlyMap<string, ResultEntry>,
  tools: ReadonlyMap<string, ToolActivity>,
): CallView {
  const result = results.get(call.callId);
  const activity = tools.get(call.callId);
  return {
    ...call,
    state: result ? (result.failed ? "failed" : "ok") : activity?.state ?? "unknown",
    output: result?.text ?? activity?.output ?? "",
    pictures: result?.pictures ?? [],
  };
}

/** What is still moving, as rows: it comes after what is settled. */
export function movingRows({ runs, outgoing, entries }: Conversation): readonly Row[] {
  const told = new Set(
    entries.flatMap((entry) => entry.role === "answer" ? entry.calls : [])
      .map(({ callId }) => callId),
  );
  const before: Row[] = [];
  const after: Row[] = [];
  for (const message of outgoing) {
    const isQueued = runs.size > 0 && !runs.has(message.key) && message.state === "sent";
    (runs.size === 0 || runs.has(message.key) ? before : after)
      .push({ kind: "outgoing", id: message.key, message, isQueued });
  }
  const running = [...runs.values()].map((run): Row => {
    const calls = [...run.tools.values()].filter(({ callId }) => !told.has(callId))
      .map((tool): CallView => ({ ...tool, pictures: [] }));
    return { kind: "run", id: `run.${run.id}`, run, calls };
  });
  return [...before, ...running, ...after];
}

const NO_TOOLS: ReadonlyMap<string, ToolActivity> = new Map();

/** The tools of all runs. The same map as long as they are the same. */
export function toolsOf({ runs }: Conversation): ReadonlyMap<string, ToolActivity> {
  if (runs.size === 0) return NO_TOOLS;
  const [only] = runs.values();
  if (runs.size === 1 && only !== undefined) return only.tools;
  return new Map([...runs.values()].flatMap(({ tools }) => [...tools]));
}
