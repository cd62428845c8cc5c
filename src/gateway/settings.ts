/** What the configuration means for the kernel, with defaults, read afresh at each use. */
import { type Account, accountOf, type Policy } from "../account.ts";
import { agentIds, type Config, defaultAgentId, mainKeyOf } from "../config.ts";
import { invalid } from "../error.ts";
import { type MentionPattern, mentionPattern, mentionsName } from "../mention.ts";
import type { CommandPolicy } from "../node.ts";
import {
  canonicalSessionKey,
  type KeyContext,
  mainSessionKey,
  QUEUE_MODES,
  type QueueMode,
  type SessionKey,
  type ThinkingLevel,
} from "../session.ts";
import type { CommandRules } from "./admission.ts";

/** The part of the configuration that the kernel lives by. */
export class Settings {
  readonly #config: () => Config;
  /** What was worked out for the configuration as it stands. */
  #accounts: { readonly config?: Config; readonly known: Map<string, Account> } = {
    known: new Map(),
  };
  readonly #patterns = new Map<string, MentionPattern>();

  constructor(config: () => Config) {
    this.#config = config;
  }

  get config(): Config {
    return this.#config();
  }

  get keys(): KeyContext {
    return { defaultAgentId: defaultAgentId(this.config), mainKey: mainKeyOf(this.config) };
  }

  /** What nodes may offer besides, or in spite of, what their platform suggests. */
  get nodeCommands(): CommandPolicy {
    const { commands, allowCommands = [], denyCommands = [] } = this.config.gateway?.nodes ?? {};
    return {
      allow: [...commands?.allow ?? [], ...allowCommands],
      deny: [...commands?.deny ?? [], ...denyCommands],
    };
  }

  get scope(): "per-sender" | "global" {
    return this.config.session?.scope ?? "per-sender";
  }

  get agentIds(): readonly string[] {
    return agentIds(this.config);
  }

  get mainSessionKey(): SessionKey {
    const keys = this.keys;
    return mainSessionKey(keys.defaultAgentId, keys);
  }

  /** The canonical key of what a client wrote. Throws for one that names no valid agent. */
  sessionKey(spelled: string, agentId?: string): SessionKey {
    const key = canonicalSessionKey(spelled, this.keys, agentId);
    if (key === undefined) throw invalid(`malformed session key: ${spelled}`);
    return key;
  }

  /** Throws for an agent that is not configured. */
  requireAgent(agentId: string): void {
    if (!this.agentIds.includes(agentId)) throw invalid(`unknown agent id "${agentId}"`);
  }

  /** What happens to messages from a network while the agent is at work. */
  queueModeOf(channel: string | undefined): QueueMode {
    const { mode, byChannel = {} } = this.config.messages?.queue ?? {};
    const own = channel !== undefined && Object.hasOwn(byChannel, channel)
      ? byChannel[channel]
      : undefined;
    const chosen = own ?? mode ?? "steer";
    return QUEUE_MODES.find((known) => known === chosen) ?? "steer"; // the others are names of it
  }

  /** How long quick messages of one person wait for each other, in milliseconds. */
  inboundDebounceMs(channel: string): number {
    const { debounceMs = 0, byChannel = {} } = this.config.messages?.inbound ?? {};
    return (Object.hasOwn(byChannel, channel) ? byChannel[channel] : undefined) ?? debounceMs;
  }

  /** An account as it is configured; `undefined` where there is no such. */
  account(channel: string, accountId: string): Account | undefined {
    const config = this.config;
    if (this.#accounts.config !== config) this.#accounts = { config, known: new Map() };
    const name = JSON.stringify([channel, accountId]);
    const known = this.#accounts.known.get(name) ?? accountOf(config, channel, accountId);
    if (known !== undefined) this.#accounts.known.set(name, known);
    return known;
  }

  /** Messages of a group that its agent hears of when somebody turns to it. */
  historyLimit(agentId: string, policy: Policy): number {
    const agent = this.config.agents?.list?.find(({ id }) => id === agentId);
    return policy.historyLimit ?? agent?.groupChat?.historyLimit ??
      this.config.messages?.groupChat?.historyLimit ?? 50;
  }

  /** Whether an agent is meant by its name, or by what else it is configured to hear. */
  mentions(agentId: string, text: string): boolean {
    const agent = this.config.agents?.list?.find(({ id }) => id === agentId);
    const written = agent?.groupChat?.mentionPatterns ??
      this.config.messages?.groupChat?.mentionPatterns;
    const name = agent?.identity?.name;
    if (written === undefined) return name !== undefined && mentionsName(text, name);
    return written.some((source) => {
      const pattern = this.#patterns.get(source) ?? mentionPattern(source);
      this.#patterns.set(source, pattern);
      return "matches" in pattern && pattern.matches(text);
    });
  }

  /** Who may use commands on a network. */
  commandRules(channel: string): CommandRules {
    const { ownerAllowFrom = [], allowFrom, useAccessGroups = true } = this.config.commands ?? {};
    const own = allowFrom !== undefined && Object.hasOwn(allowFrom, channel)
      ? allowFrom[channel]
      : allowFrom?.["*"];
    return {
      owners: ownerAllowFrom.map(String),
      ...(allowFrom === undefined ? {} : { allowFrom: (own ?? []).map(String) }),
      isByAccess: useAccessGroups,
    };
  }

  /** Whether commands can be typed, besides being chosen from a network's menu. */
  get hasTextCommands(): boolean {
    return this.config.commands?.text ?? true;
  }

  /** How long `collect` waits for more, in milliseconds. */
  get queueDebounceMs(): number {
    return this.config.messages?.queue?.debounceMs ?? 500;
  }

  /** Messages that may wait for one session. */
  get queueCap(): number {
    return this.config.messages?.queue?.cap ?? 20;
  }

  /** Runs of all sessions together. */
  get maxConcurrent(): number {
    return this.config.agents?.defaults?.maxConcurrent ?? 4;
  }

  /** 0 means no limit. */
  get timeoutMs(): number {
    return (this.config.agents?.defaults?.timeoutSeconds ?? 600) * 1000;
  }

  thinkingDefault(agentId: string): ThinkingLevel {
    const agent = this.config.agents?.list?.find(({ id }) => id === agentId);
    return agent?.thinkingDefault ?? this.config.agents?.defaults?.thinkingDefault ?? "off";
  }
}
