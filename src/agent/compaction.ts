/** Makes room in a conversation that has grown too long: a summary takes the place of its beginning. */
import { type Model, ModelError, type ModelRequest } from "../model.ts";
import type { RunEvent } from "../run.ts";
import { type Message, textOf, type TranscriptEntry, type Usage } from "../session.ts";
import {
  addUsage,
  callModel,
  type CallParts,
  type CallResult,
  type Lineup,
  NO_USAGE,
} from "./call.ts";
import { estimateTokens } from "./context.ts";

/** What the model is told to be when it summarises. Nothing else is ever asked under this prompt. */
export const SUMMARY_INSTRUCTIONS = `You keep the memory of a conversation between a user and an \
assistant. You get what you remembered so far and the part that came after it. Write what the \
assistant must still know to go on as if it had read everything: what the user wants and has \
decided, facts and names, files and what was done to them, what is unfinished, and promises made. \
Keep exact spellings of paths, names and numbers. Leave out greetings and detours. Write plain \
sentences under short headings, at most 600 words, and nothing but the summary.`;

/** What the compaction of a transcript is about. */
export interface CompactionPlan {
  /** What an earlier compaction said. */
  readonly previous: string | undefined;
  readonly older: readonly Message[];
  readonly firstKeptSeq: number;
  readonly tokensBefore: number;
}

/** About how many tokens the model is shown: what it counted last, and an estimate of what is new. */
export function contextTokens(history: readonly TranscriptEntry[], overhead: number): number {
  const compactedAt = history.find(({ kind }) => kind === "compaction")?.seq ?? 0;
  let tokens = 0;
  for (const entry of history.toReversed()) {
    if (entry.kind === "compaction") {
      tokens += estimateTokens(entry.compaction.summary);
      continue;
    }
    const { message } = entry;
    // a count from before the compaction is about messages that are no longer shown
    const counted = message.role === "assistant" && entry.seq > compactedAt
      ? message.usage?.totalTokens ?? 0
      : 0;
    if (counted > 0) return tokens + counted;
    tokens += estimateTokens(message);
  }
  return tokens + overhead;
}

/** How full a context of this size may get, and how much of the newest is kept as it is. */
export function roomIn(contextWindow: number, reserveFloor: number) {
  const reserve = Math.min(reserveFloor, Math.floor(contextWindow / 4)); // small windows need the room
  return { limit: contextWindow - reserve, keep: Math.min(20_000, Math.floor(contextWindow / 4)) };
}

/**
 * What to summarise so that about `keepTokens` of the newest messages stay. A tool's result stays
 * with its call. `undefined` where nothing older is left.
 */
export function planCompaction(
  history: readonly TranscriptEntry[],
  { keepTokens, tokensBefore }: { keepTokens: number; tokensBefore: number },
): CompactionPlan | undefined {
  const previous = history.find((entry) => entry.kind === "compaction")?.compaction.summary;
  const entries = history.filter((entry) => entry.kind === "message");
  let cut = entries.length;
  let kept = 0;
  for (const [i, { message }] of [...entries.entries()].toReversed()) {
    kept += estimateTokens(message);
    if (kept > keepTokens && cut < entries.length) break;
    if (message.role !== "toolResult") cut = i;
  }
  const first = entries[cut];
  if (first === undefined || cut === 0) return undefined;
  const older = entries.slice(0, cut).map(({ message }) => message);
  return { previous, older, firstKeptSeq: first.seq, tokensBefore };
}

/** What came of a compaction, and what it took. */
export type CompactionResult =
  & { readonly usage: Usage }
  & (
    | { readonly status: "done" | "aborted" }
    | { readonly status: "failed"; readonly error: ModelError }
  );

/** Carries out a plan. It is done when the consumer has stored what the `end` event holds. */
export async function* compact(
  plan: CompactionPlan,
  lineup: Lineup,
  call: Omit<CallParts, "request">,
): AsyncGenerator<RunEvent, CompactionResult> {
  yield { type: "compaction", phase: "start" };
  const result = yield* summarise(plan, lineup, call);
  if (result.status !== "done") {
    yield { type: "compaction", phase: "end" };
    return result;
  }
  const { firstKeptSeq, tokensBefore } = plan;
  const compaction = { summary: result.summary, firstKeptSeq, tokensBefore };
  yield { type: "compaction", phase: "end", compaction };
  return { status: "done", usage: result.usage };
}

type SummaryResult =
  | Exclude<CompactionResult, { status: "done" | "aborted" }>
  | { readonly status: "aborted"; readonly usage: Usage }
  | { readonly status: "done"; readonly usage: Usage; readonly summary: string };

/** Summarises part by part, each with what is known so far, since all at once may not fit. */
async function* summarise(
  { previous = "", older }: CompactionPlan,
  lineup: Lineup,
  call: Omit<CallParts, "request">,
): AsyncGenerator<RunEvent, SummaryResult> {
  let summary = previous;
  let usage = NO_USAGE;
  for (const part of partsOf(older, lineup.current)) {
    const request = () => summaryRequest(summary, part);
    const result = yield* withoutSpeech(callModel(lineup, { ...call, request }));
    if (result.status === "aborted") return { status: "aborted", usage };
    if (result.status === "failed") return { status: "failed", error: result.error, usage };
    usage = addUsage(usage, result.usage);
    summary = textOf(result.message).trim();
    if (summary === "") {
      const { provider } = lineup.current.info;
      return {
        status: "failed",
        error: new ModelError("unknown", `${provider} gave no summary`),
        usage,
      };
    }
  }
  return { status: "done", summary, usage };
}

function summaryRequest(summary: string, part: string): ModelRequest {
  const known = summary === "" ? "" : `${REMEMBERED}\n${summary}\n\n`;
  const content = `${known}${NEW_PART}\n${part}`;
  return {
    system: SUMMARY_INSTRUCTIONS,
    messages: [{ role: "user", content, timestamp: 0 }],
    tools: [],
    thinking: "off",
  };
}

/** Headings of the two things that a summary is made from. */
export const REMEMBERED = "# What you remembered so far";
export const NEW_PART = "# What came after it";

/** The messages as text, in parts that leave the model half of its window. */
function partsOf(messages: readonly Message[], { info }: Model): readonly string[] {
  const size = Math.max(4_000, info.contextWindow * 2); // characters: four make a token
  const parts: string[] = [];
  let part = "";
  for (const message of messages) {
    const text = told(message);
    if (part !== "" && part.length + text.length > size) {
      parts.push(part);
      part = "";
    }
    part += `${text}\n\n`;
  }
  return part === "" ? parts : [...parts, part];
}

function told(message: Message): string {
  switch (message.role) {
    case "user":
      return `User: ${shorten(textOf(message))}`;
    case "toolResult":
      return `Result of ${message.toolName}: ${shorten(textOf(message))}`;
    case "assistant": {
      const said = textOf(message);
      const lines = said === "" ? [] : [`Assistant: ${shorten(said)}`];
      for (const block of message.content) {
        if (block.type !== "toolCall") continue;
        lines.push(`Assistant uses ${block.name}: ${shorten(JSON.stringify(block.arguments))}`);
      }
      return lines.join("\n");
    }
  }
}

const MAX_TOLD = 3_000;

function shorten(text: string): string {
  if (text.length <= MAX_TOLD) return text;
  const half = MAX_TOLD / 2;
  return `${text.slice(0, half)} […] ${text.slice(-half)}`;
}

/** A call whose words are not for the user; what became of it still is. */
async function* withoutSpeech(
  call: AsyncGenerator<RunEvent, CallResult>,
): AsyncGenerator<RunEvent, CallResult> {
  for (;;) {
    const next = await call.next();
    if (next.done) return next.value;
    if (next.value.type === "retry" || next.value.type === "model") yield next.value;
  }
}
