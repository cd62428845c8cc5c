/**
 * The built-in demo: it needs no network and no key, says what it is, and uses the real tools when
 * asked in plain words. What it says follows from what it is told, and the clock where that is the
 * question.
 */
import { pause } from "../../deadline.ts";
import type { Model, ModelEvent, ModelInfo, ModelRequest } from "../../model.ts";
import { type Message, textOf, type ToolResultMessage } from "../../session.ts";
import { NEW_PART, SUMMARY_INSTRUCTIONS } from "../compaction.ts";
import { estimateTokens, SUMMARY_HEADING } from "../context.ts";
import { PROVIDERS } from "../providers.ts";

const INFO: ModelInfo = {
  provider: "demo",
  id: "demo",
  name: "Built-in demo",
  contextWindow: 32_000,
  reasoning: true,
  input: ["text"],
};

/** A demo that takes `tokenMs` over each word. */
export function demoModel({ tokenMs, now }: { tokenMs: number; now(): Date }): Model {
  return {
    info: INFO,
    api: "demo",
    async *stream(request, signal) {
      const { thinking, text, call } = answer(request, now());
      for (const delta of words(thinking)) {
        await pause(tokenMs, signal);
        if (signal.aborted) return;
        yield { type: "thinking", delta };
      }
      for (const delta of words(text)) {
        await pause(tokenMs, signal);
        if (signal.aborted) return;
        yield { type: "text", delta };
      }
      if (call !== undefined) yield { type: "toolCall", ...call };
      yield end(request, text.length + thinking.length, call !== undefined);
    },
  };
}

interface Answer {
  readonly thinking: string;
  readonly text: string;
  readonly call?: ToolCall;
}

interface ToolCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: Readonly<Record<string, string>>;
}

const KEYS = Object.values(PROVIDERS).map(({ keyVariable }) => keyVariable).slice(0, 2);
const [EXAMPLE] = Object.entries(PROVIDERS).map(([id, known]) => `${id}/${known.defaultModel}`);

const INTRODUCTION = `I am OpenClaw's built-in demo, not a language model. To talk to a real one, \
set ${KEYS.join(" or ")} in the gateway's environment and restart it, or start Ollama on this \
machine. To choose a model: \`openclaw config set agents.defaults.model.primary ${EXAMPLE}\`.`;

const HELP = `I understand a few plain sentences:
- list the files
- read AGENTS.md
- write notes.md: some text
- edit notes.md: some -> other
- search for text
- think about anything
- echo something
- what time is it
- count to 20`;

function answer({ system, messages }: ModelRequest, now: Date): Answer {
  if (system === SUMMARY_INSTRUCTIONS) return { thinking: "", text: summary(messages) };
  const last = messages.at(-1);
  if (last?.role === "toolResult") return { thinking: "", text: comment(last) };
  const reply = respond(lastRequest(messages), { now, turn: messages.length });
  return isFirst(messages) ? { ...reply, text: `${INTRODUCTION}\n\n${reply.text}`.trim() } : reply;
}

function isFirst(messages: readonly Message[]): boolean {
  return !messages.some((message) =>
    message.role === "assistant" ||
    message.role === "user" && textOf(message).startsWith(SUMMARY_HEADING)
  );
}

/** What the user wrote last, without the time or sender that a channel puts before it. */
function lastRequest(messages: readonly Message[]): string {
  const message = messages.findLast(({ role }) => role === "user");
  return message === undefined ? "" : textOf(message).replace(/^\s*\[[^\]]*\]\s*/, "").trim();
}

interface Moment {
  readonly now: Date;
  /** Makes the ids of tool calls differ within a conversation. */
  readonly turn: number;
}

/** One kind of sentence. The first that fits answers. */
interface Phrase {
  readonly form: RegExp;
  reply(parts: readonly string[], moment: Moment): Omit<Answer, "thinking"> & { thinking?: string };
}

const PHRASES: readonly Phrase[] = [
  {
    form:
      /^(?:please )?(?:list|show)(?: me)?(?: all)?(?: the| your)? files(?: in (?:(?:the|your) workspace|(?:the )?(\S+?)))?[.!?]*$/i,
    reply: ([path], at) => use("list", path ? { path } : {}, at, "Let me look."),
  },
  {
    form: /^(?:please )?read (?:the )?(?:file )?(\S+?)[.!?]*$/i,
    reply: ([path = ""], at) => use("read", { path }, at, `Reading ${path}.`),
  },
  {
    form: /^(?:please )?write (?:to )?(\S+?):\s*([\s\S]+)$/i,
    reply: ([path = "", content = ""], at) =>
      use("write", { path, content }, at, `Writing ${path}.`),
  },
  {
    form: /^(?:please )?edit (\S+?):\s*([\s\S]+?)\s*->\s*([\s\S]*)$/i,
    reply: ([path = "", oldText = "", newText = ""], at) =>
      use("edit", { path, oldText, newText }, at, `Editing ${path}.`),
  },
  {
    form: /^(?:please )?search (?:for )?(.+?)(?: in (\S+?))?[.!?]*$/i,
    reply: ([query = "", path], at) =>
      use("search", { query: unquote(query), ...(path ? { path } : {}) }, at, "Searching."),
  },
  {
    form: /^(?:please )?think about (.+?)[.!?]*$/i,
    reply: ([topic = ""]) => ({
      thinking: `The question is about ${topic}. A demo knows nothing of it, and should say so.`,
      text: `I have thought about ${topic}. A real model would now have something to say.`,
    }),
  },
  { form: /^echo[: ]\s*([\s\S]+)$/i, reply: ([text = ""]) => ({ text }) },
  {
    form: /^count to (\d{1,4})[.!?]*$/i,
    reply: ([most = ""]) => ({
      text: Array.from({ length: Math.min(Number(most), 1_000) }, (_, i) => i + 1).join(" "),
    }),
  },
  {
    form: /\b(?:what(?:'s| is) the (?:time|date)|what time is it|what day is it)\b/i,
    reply: (_, { now }) => ({ text: `By this machine's clock it is ${now.toISOString()}.` }),
  },
  {
    form: /^(?:hi|hello|hey|good (?:morning|evening|day)|servus|hallo)\b/i,
    reply: () => ({ text: `Hello! ${HELP}` }),
  },
  { form: /\b(?:help|what can you do)\b/i, reply: () => ({ text: HELP }) },
];

function respond(request: string, moment: Moment): Answer {
  for (const { form, reply } of PHRASES) {
    const match = form.exec(request);
    if (match !== null) return { thinking: "", ...reply(match.slice(1), moment) };
  }
  const said = request === "" ? "nothing that I can read" : `“${request.slice(0, 200)}”`;
  return { thinking: "", text: `You wrote ${said}. I am only a demo. ${HELP}` };
}

function use(name: string, args: Record<string, string>, { turn }: Moment, text: string) {
  return { text, call: { id: `demo_${turn}`, name, arguments: args } };
}

function unquote(text: string): string {
  return text.replace(/^["'“](.*)["'”]$/, "$1");
}

/** What there is to say about a tool's result, all of it read off the result. */
function comment(result: ToolResultMessage): string {
  const text = textOf(result);
  if (result.isError) return `That did not work. ${text}`;
  const lines = text.split("\n");
  switch (result.toolName) {
    case "list":
      return `There ${lines.length === 1 ? "is 1 entry" : `are ${lines.length} entries`}:\n${text}`;
    case "read":
      return `It has ${lines.length} line${lines.length === 1 ? "" : "s"}. It begins:\n${
        lines.slice(0, 12).join("\n")
      }`;
    case "search":
      return text.startsWith("(") ? `Nothing found. ${text}` : `Found ${lines.length}:\n${text}`;
    default:
      return `Done. ${text}`;
  }
}

/** A summary without a mind: what the user said, shortened, and what was known before. */
function summary(messages: readonly Message[]): string {
  const [known = "", part = ""] = messages.map(textOf).join("\n").split(NEW_PART);
  const said = [...part.matchAll(/^User: (.*)$/gm)].map(([, text = ""]) =>
    `- ${text.slice(0, 200)}`
  );
  const before = known.split("\n").filter((line) => line.startsWith("- "));
  return `The user has said:\n${[...before, ...said].slice(-40).join("\n")}`;
}

function words(text: string): readonly string[] {
  return text.match(/\s*\S+(?:\s+$)?/g) ?? [];
}

function end({ system, messages }: ModelRequest, said: number, acts: boolean): ModelEvent {
  const input = messages.reduce(
    (sum, message) => sum + estimateTokens(message),
    estimateTokens(system),
  );
  const output = Math.ceil(said / 4);
  return {
    type: "end",
    stopReason: acts ? "toolUse" : "stop",
    usage: { input, output, cacheRead: 0, cacheWrite: 0, totalTokens: input + output },
  };
}
