/** What a person can say to the gateway instead of the agent: slash commands and words that stop. */
import type { CommandEntry } from "../../schemas/chat.ts";
import { GatewayError } from "../error.ts";
import { type ModelCatalog, modelRef } from "../model.ts";
import {
  agentOf,
  QUEUE_MODES,
  type QueueMode,
  type Session,
  type SessionKey,
  type SessionSettings,
  THINKING_LEVELS,
  type ThinkingLevel,
} from "../session.ts";
import type { Runs } from "./runs.ts";
import type { Settings } from "./settings.ts";

interface Command {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly description: string;
  readonly usage: string;
  readonly category: "session" | "status" | "options";
}

const COMMANDS: readonly Command[] = [
  { name: "help", usage: "/help", description: "List the commands", category: "status" },
  {
    name: "status",
    usage: "/status",
    description: "Show model, session and queue",
    category: "status",
  },
  {
    name: "new",
    usage: "/new [message]",
    description: "Start afresh; the old conversation is kept on disk",
    category: "session",
  },
  {
    name: "reset",
    usage: "/reset [message]",
    description: "The same as /new",
    category: "session",
  },
  {
    name: "stop",
    usage: "/stop",
    description: "Stop what the agent is doing",
    category: "session",
  },
  {
    name: "compact",
    usage: "/compact",
    description: "Replace older messages by a summary",
    category: "session",
  },
  {
    name: "model",
    aliases: ["models"],
    usage: "/model [list | provider/model | default]",
    description: "Show or choose the model of this session",
    category: "options",
  },
  {
    name: "think",
    aliases: ["thinking", "t"],
    usage: `/think [${THINKING_LEVELS.join(" | ")} | default]`,
    description: "Show or set how hard the model thinks",
    category: "options",
  },
  {
    name: "queue",
    usage: `/queue [${QUEUE_MODES.join(" | ")} | default]`,
    description: "What happens to messages while the agent is at work",
    category: "options",
  },
  {
    name: "activation",
    usage: "/activation [mention | always | default]",
    description: "Whether the agent hears all of a group, or what is said to it",
    category: "options",
  },
];

/** The commands as `commands.list` shows them. */
export function commandEntries(): readonly CommandEntry[] {
  return COMMANDS.map(({ name, aliases = [], description, usage, category }) => ({
    name,
    nativeName: name,
    textAliases: [name, ...aliases].map((alias) => `/${alias}`),
    description,
    category,
    source: "native",
    scope: "both",
    acceptsArgs: usage.includes("["),
  }));
}

/** A command that was recognised, with what follows it. */
export interface Invocation {
  readonly name: string;
  readonly argument: string;
}

/** The command in a message; `undefined` where it is something to say to the agent. */
export function parseCommand(message: string): Invocation | undefined {
  const match = /^\/([a-z]+)(?:[:\s]+([\s\S]*))?$/i.exec(message.trim());
  const word = match?.[1]?.toLowerCase();
  const command = COMMANDS.find(({ name, aliases }) =>
    name === word || (word !== undefined && (aliases?.includes(word) ?? false))
  );
  return command && { name: command.name, argument: match?.[2]?.trim() ?? "" };
}

const STOP_WORDS: ReadonlySet<string> = new Set(
  ("stop|esc|abort|wait|exit|interrupt|halt|please stop|stop please|stop openclaw|openclaw stop|" +
    "stop action|stop current action|stop run|stop current run|stop agent|stop the agent|" +
    "stop don't do anything|stop do not do anything|stop doing anything|do not do that|" +
    "detente|deten|arrete|arrête|stopp|anhalten|aufhören|hör auf|pare|стоп|остановись|停止|" +
    "やめて|止めて|रुको|توقف").split("|"),
);

/** No phrase is longer, with all the blanks and marks that somebody may put into it. */
const MAX_STOP_PHRASE = 100;

/** Whether a whole message means that the agent should stop. */
export function isStopPhrase(message: string): boolean {
  if (parseCommand(message)?.name === "stop") return true;
  const said = message.trim();
  if (said.length > MAX_STOP_PHRASE) return false; // the end of a long text takes long to find
  const words = said.toLowerCase().replace(/[\s.!?…,;:。！？]+$/u, "").replace(/’/g, "'")
    .replace(/\s+/g, " ");
  return STOP_WORDS.has(words);
}

/** What the commands work on. */
export interface CommandParts {
  readonly models: ModelCatalog;
  readonly runs: Runs;
  readonly settings: Settings;
  readonly version: string;
  /** The network that the command came from, if it did. */
  readonly channel?: string;
  get(key: SessionKey): Session | undefined;
  change(key: SessionKey, settings: SessionSettings): Session;
  reset(key: SessionKey): Promise<Session>;
  /** Messages of a conversation. */
  count(session: Session): number;
}

/** Carries out a command and says what it did. `/compact` and `/stop` are runs' own business. */
export async function obey(
  { name, argument }: Invocation,
  key: SessionKey,
  parts: CommandParts,
): Promise<string> {
  switch (name) {
    case "help":
      return help();
    case "status":
      return await status(key, parts);
    case "new":
    case "reset":
      await parts.reset(key);
      return "New conversation. The previous one is kept on disk.";
    case "model":
      return await model(argument, key, parts);
    case "think":
      return think(argument, key, parts);
    case "queue":
      return queue(argument, key, parts);
    case "activation":
      return activation(argument, key, parts);
    default:
      throw new GatewayError("UNAVAILABLE", `/${name} can't be used here`);
  }
}

function help(): string {
  const lines = COMMANDS.map(({ usage, description }) => `- \`${usage}\`: ${description}`);
  return ["Commands:", ...lines, "", "Anything else goes to the agent."].join("\n");
}

async function status(key: SessionKey, parts: CommandParts): Promise<string> {
  const session = parts.get(key);
  const agentId = agentOf(key);
  const choice = await parts.models.choose(agentId);
  const override = session?.settings.model;
  const { totalTokens, contextTokens: window = choice.info.contextWindow } = session?.stats ?? {};
  const context = totalTokens === undefined
    ? "unknown until the first answer"
    : `${totalTokens} of ${window} tokens (${Math.round(100 * totalTokens / window)} %)`;
  const work = parts.runs.isActive(key) ? "at work" : "idle";
  return [
    `OpenClaw gateway ${parts.version}`,
    `- Session: \`${key}\`, ${session === undefined ? 0 : parts.count(session)} messages`,
    override === undefined
      ? `- Model: \`${modelRef(choice.info)}\` (${choice.source})`
      : `- Model: \`${override}\` (chosen for this session)`,
    `- Thinking: ${session?.settings.thinkingLevel ?? parts.settings.thinkingDefault(agentId)}`,
    `- Context: ${context}`,
    `- Queue: ${session?.settings.queueMode ?? parts.settings.queueModeOf(parts.channel)}, ${
      parts.runs.queued(key)
    } waiting, ${work}`,
  ].join("\n");
}

async function model(argument: string, key: SessionKey, parts: CommandParts): Promise<string> {
  const agentId = agentOf(key);
  if (argument === "" || argument === "status") {
    const chosen = parts.get(key)?.settings.model;
    if (chosen !== undefined) return `Model: \`${chosen}\`, chosen for this session.`;
    const { info, source } = await parts.models.choose(agentId);
    return `Model: \`${modelRef(info)}\` (${source}).`;
  }
  if (argument === "list") {
    const lines = (await parts.models.list()).map((info) =>
      `- \`${modelRef(info)}\`: ${info.name}`
    );
    return ["Models:", ...lines].join("\n");
  }
  if (argument === "default") {
    parts.change(key, { model: undefined });
    return "The agent's own model answers from here on.";
  }
  const [resolved] = await resolveModel(parts.models, argument, agentId);
  if (resolved === undefined) return `There is no model \`${argument}\`. Try \`/model list\`.`;
  parts.change(key, { model: resolved });
  return `\`${resolved}\` answers from here on.`;
}

/** The full names of the models that a text means; none if it is unknown. */
export async function resolveModel(
  models: ModelCatalog,
  text: string,
  agentId: string,
): Promise<readonly string[]> {
  const known = (await models.list()).map(modelRef);
  const wanted = text.toLowerCase();
  const exact = known.filter((ref) =>
    ref.toLowerCase() === wanted || ref.toLowerCase().split("/").slice(1).join("/") === wanted
  );
  if (exact.length > 0) return exact;
  try {
    const [first] = await models.resolve(text, agentId);
    return first === undefined ? [] : [modelRef(first.info)];
  } catch {
    return []; // the catalog says so by throwing
  }
}

function think(argument: string, key: SessionKey, parts: CommandParts): string {
  const session = parts.get(key);
  const agentId = agentOf(key);
  if (argument === "") {
    return `Thinking: ${
      session?.settings.thinkingLevel ?? parts.settings.thinkingDefault(agentId)
    }.`;
  }
  if (argument === "default") {
    parts.change(key, { thinkingLevel: undefined });
    return "Thinking: as configured.";
  }
  if (!isThinkingLevel(argument)) return `Use one of ${THINKING_LEVELS.join(", ")}.`;
  parts.change(key, { thinkingLevel: argument });
  return `Thinking: ${argument}.`;
}

function queue(argument: string, key: SessionKey, parts: CommandParts): string {
  const usual = parts.settings.queueModeOf(parts.channel);
  const current = parts.get(key)?.settings.queueMode ?? usual;
  if (argument === "") return `Queue: ${current}, ${parts.runs.queued(key)} waiting.`;
  if (argument === "default") {
    parts.change(key, { queueMode: undefined });
    return `Queue: ${usual}.`;
  }
  if (!isQueueMode(argument)) return `Use one of ${QUEUE_MODES.join(", ")}.`;
  parts.change(key, { queueMode: argument });
  return `Queue: ${argument}.`;
}

function activation(argument: string, key: SessionKey, parts: CommandParts): string {
  const current = parts.get(key)?.settings.groupActivation;
  if (argument === "") return `Activation: ${current ?? "as configured"}.`;
  if (argument === "default") {
    parts.change(key, { groupActivation: undefined });
    return "Activation: as configured.";
  }
  if (argument !== "mention" && argument !== "always") return "Use mention, always or default.";
  parts.change(key, { groupActivation: argument });
  return `Activation: ${argument}.`;
}

export function isThinkingLevel(text: string): text is ThinkingLevel {
  return (THINKING_LEVELS as readonly string[]).includes(text);
}

export function isQueueMode(text: string): text is QueueMode {
  return (QUEUE_MODES as readonly string[]).includes(text);
}
