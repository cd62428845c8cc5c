/** What the configuration means for the kernel, with defaults, read afresh at each use. */
import { agentIds, type Config, defaultAgentId, mainKeyOf } from "../config.ts";
import { invalid } from "../error.ts";
import {
  canonicalSessionKey,
  type KeyContext,
  mainSessionKey,
  type QueueMode,
  type SessionKey,
  type ThinkingLevel,
} from "../session.ts";

/** The part of the configuration that the kernel lives by. */
export class Settings {
  readonly #config: () => Config;

  constructor(config: () => Config) {
    this.#config = config;
  }

  get config(): Config {
    return this.#config();
  }

  get keys(): KeyContext {
    return { defaultAgentId: defaultAgentId(this.config), mainKey: mainKeyOf(this.config) };
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

  get queueMode(): QueueMode {
    return this.config.messages?.queue?.mode ?? "steer";
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
