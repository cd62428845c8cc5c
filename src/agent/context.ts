/** What the model is shown: who it is, where it is, and the conversation so far. */
import type { Tool, ToolSpec } from "../model.ts";
import type { AgentIdentity } from "../run.ts";
import type { Message, ToolCallBlock, ToolResultMessage, TranscriptEntry } from "../session.ts";
import type { Shown } from "./workspace.ts";

/** What the system prompt is written from. */
export interface Situation {
  readonly identity: AgentIdentity;
  readonly workspace: string;
  readonly files: readonly Shown[];
  readonly tools: readonly Pick<Tool, "name">[];
  readonly now: Date;
  readonly timeZone: string | undefined;
  /** What whoever started the run adds. */
  readonly extra: string | undefined;
}

/** The system prompt. It names the day and no hour, so that providers can cache it. */
export function systemPrompt(situation: Situation): string {
  const { identity, workspace, files, tools, now, timeZone, extra } = situation;
  const { day, zone } = today(now, timeZone);
  const name = identity.name ?? identity.agentId;
  const sections = [
    `You are ${name}, a personal assistant (agent '${identity.agentId}'). People write to you ` +
    "through a messaging gateway: answer as one does in a chat, in the language you were " +
    "written to, without ceremony.",
    `Today is ${day}. The user's time zone is ${zone}.`,
    tools.length === 0 ? "You have no tools." : `Your workspace is the folder ${workspace}. Your ` +
      `tools (${tools.map((tool) => tool.name).join(", ")}) work in it and nowhere else; paths ` +
      "are relative to it. Use them when they help, and tell what you did only after a tool " +
      "has confirmed it.",
    ...(extra === undefined || extra.trim() === "" ? [] : [extra.trim()]),
    ...(files.length === 0 ? [] : ["These files of the workspace guide you:"]),
    ...files.map((file) => `<file name="${file.name}">\n${file.text}\n</file>`),
  ];
  return sections.join("\n\n");
}

function today(now: Date, timeZone: string | undefined): { day: string; zone: string } {
  const { format, zone } = calendarOf(timeZone);
  return { day: format.format(now), zone };
}

interface Calendar {
  readonly format: Intl.DateTimeFormat;
  readonly zone: string;
}

/** Making one takes a tenth of a millisecond, which every turn would pay. */
const calendars = new Map<string | undefined, Calendar>();

function calendarOf(timeZone: string | undefined): Calendar {
  const known = calendars.get(timeZone);
  if (known !== undefined) return known;
  const asked = isTimeZone(timeZone) ? timeZone : undefined; // the machine's own
  const format = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeZone: asked });
  const calendar = { format, zone: format.resolvedOptions().timeZone };
  calendars.set(timeZone, calendar);
  return calendar;
}

/** Whether a name is one of the time zones that this runtime knows. */
export function isTimeZone(name: string | undefined): name is string {
  if (name === undefined) return false;
  try {
    Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** How the message begins that stands for what was summarised. */
export const SUMMARY_HEADING = "[Summary of the conversation before this point]";

/** A transcript as the model sees it: a summary first, if there is one, and every call answered. */
export function toMessages(history: readonly TranscriptEntry[]): readonly Message[] {
  const messages: Message[] = [];
  for (const entry of history) {
    if (entry.kind === "message") messages.push(entry.message);
    else messages.unshift(summaryMessage(entry.compaction.summary, entry.at));
  }
  return withEveryCallAnswered(messages);
}

function summaryMessage(summary: string, timestamp: number): Message {
  return { role: "user", content: `${SUMMARY_HEADING}\n${summary}`, timestamp };
}

/**
 * Providers refuse a tool call without its result right behind it, and a result without its call.
 * A crash leaves such; they are mended here, on the way out, and never in the store.
 */
function withEveryCallAnswered(messages: readonly Message[]): readonly Message[] {
  const mended: Message[] = [];
  for (const [i, message] of messages.entries()) {
    if (message.role === "toolResult") continue; // goes behind its call, or nowhere
    mended.push(message);
    if (message.role !== "assistant") continue;
    for (const block of message.content) {
      if (block.type === "toolCall") {
        mended.push(answerTo(block, messages.slice(i + 1)) ?? interrupted(block, message));
      }
    }
  }
  return mended;
}

/** Other messages may have come in between; a later call of the same id has its own answer. */
function answerTo({ id }: ToolCallBlock, later: readonly Message[]): Message | undefined {
  for (const message of later) {
    if (message.role === "toolResult" && message.toolCallId === id) return message;
    if (message.role !== "assistant") continue;
    if (message.content.some((block) => block.type === "toolCall" && block.id === id)) break;
  }
  return undefined;
}

function interrupted(call: ToolCallBlock, { timestamp }: Message): ToolResultMessage {
  return {
    role: "toolResult",
    toolCallId: call.id,
    toolName: call.name,
    content: [{ type: "text", text: "Interrupted: nobody knows whether this was done" }],
    isError: true,
    timestamp,
  };
}

/** About how many tokens something takes: four characters make one. */
export function estimateTokens(value: Message | string): number {
  if (typeof value === "string") return Math.ceil(value.length / 4);
  if (typeof value.content === "string") return estimateTokens(value.content);
  let tokens = 4;
  for (const block of value.content) {
    if (block.type === "text") tokens += estimateTokens(block.text);
    else if (block.type === "thinking") tokens += estimateTokens(block.thinking);
    else if (block.type === "toolCall") tokens += estimateTokens(JSON.stringify(block.arguments));
    else tokens += IMAGE_TOKENS;
  }
  return tokens;
}

const IMAGE_TOKENS = 1_500;

/** Of parameters, which are many and never change. */
const tokensOfParameters = new WeakMap<ToolSpec["parameters"], number>();

/** About how many tokens it takes to tell of a tool. */
export function tokensOfTool({ name, description, parameters }: ToolSpec): number {
  let tokens = tokensOfParameters.get(parameters);
  if (tokens === undefined) {
    tokens = estimateTokens(JSON.stringify(parameters));
    tokensOfParameters.set(parameters, tokens);
  }
  return tokens + estimateTokens(name) + estimateTokens(description);
}
