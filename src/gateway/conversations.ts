/** What can be done with a conversation besides talking in it. */
import { randomUUID } from "node:crypto";
import type { SessionRow } from "../../schemas/sessions.ts";
import { GatewayError, invalid } from "../error.ts";
import type { Bus } from "../event.ts";
import type { ModelCatalog, ModelChoice } from "../model.ts";
import { agentOf, type Session, type SessionKey, type SessionSettings } from "../session.ts";
import type { Store } from "../store.ts";
import { sessionRow } from "./rows.ts";
import type { Runs } from "./runs.ts";
import type { Settings } from "./settings.ts";

/** The list of conversations, and the changes to it. */
export class Conversations {
  readonly #store: Store;
  readonly #settings: Settings;
  readonly #models: ModelCatalog;
  readonly #bus: Bus;
  readonly #runs: () => Runs;
  /** What answers for each agent, as far as it is known: rows must not wait for a model server. */
  readonly #answering = new Map<string, ModelChoice>();

  constructor({ store, settings, models, bus, runs }: {
    store: Store;
    settings: Settings;
    models: ModelCatalog;
    bus: Bus;
    runs: () => Runs;
  }) {
    this.#store = store;
    this.#settings = settings;
    this.#models = models;
    this.#bus = bus;
    this.#runs = runs;
  }

  /** The model that answers by default. */
  defaultModel(): Promise<ModelChoice> {
    return this.modelOf(this.#settings.keys.defaultAgentId);
  }

  /** The model that answers for an agent. Kept for rows. */
  async modelOf(agentId: string): Promise<ModelChoice> {
    const choice = await this.#models.choose(agentId);
    this.#answering.set(agentId, choice);
    return choice;
  }

  get(key: SessionKey): Session | undefined {
    return this.#store.sessions.get(key);
  }

  byId(sessionId: string): Session | undefined {
    return this.#store.sessions.byId(sessionId);
  }

  /** The conversation under a key, made if it is not there. */
  ensure(key: SessionKey): Session {
    return this.get(key) ??
      this.#store.sessions.save(key, { agentId: agentOf(key), now: Date.now() });
  }

  row(
    session: Session,
    { titles = false, previews = false }: { titles?: boolean; previews?: boolean } = {},
  ): SessionRow {
    const { transcripts } = this.#store;
    const total = titles ? transcripts.count(session.id) : 0;
    const first = total > 0
      ? transcripts.page(session.id, { limit: 1, offset: total - 1 })[0]
      : undefined;
    const last = previews ? transcripts.page(session.id, { limit: 1 })[0] : undefined;
    return sessionRow(session, {
      settings: this.#settings,
      model: this.#answering.get(session.agentId),
      activeRun: this.#runs().activeRun(session.key),
      ...(first === undefined ? {} : { first }),
      ...(last === undefined ? {} : { last }),
    });
  }

  change(key: SessionKey, settings: SessionSettings): Session {
    const session = this.#store.sessions.save(key, {
      agentId: agentOf(key),
      settings,
      now: Date.now(),
    });
    this.changed(key, "patch");
    return session;
  }

  /**
   * Starts a new transcript under the same key; what was set is kept, what was counted is not.
   * Rejects, with nothing changed, where what runs does not stop.
   */
  async reset(key: SessionKey): Promise<Session> {
    await this.#halt(key);
    const session = this.#store.sessions.save(key, {
      agentId: agentOf(key),
      sessionId: randomUUID(),
      stats: {
        inputTokens: undefined,
        outputTokens: undefined,
        totalTokens: undefined,
        contextTokens: undefined,
        compactionCount: undefined,
        abortedLastRun: undefined,
        lastRunId: undefined,
        status: undefined,
        startedAt: undefined,
        endedAt: undefined,
      },
      now: Date.now(),
    });
    this.changed(key, "reset");
    return session;
  }

  async remove(key: SessionKey, { transcript }: { transcript: boolean }): Promise<boolean> {
    if (key === this.#settings.mainSessionKey) {
      throw invalid(`Cannot delete the main session (${key}).`);
    }
    await this.#halt(key);
    const removed = this.#store.sessions.remove(key, { transcript });
    if (removed) this.changed(key, "delete");
    return removed;
  }

  /** Stops what runs and what waits. Rejects where a run goes on: it would write into what follows. */
  async #halt(key: SessionKey): Promise<void> {
    const runs = this.#runs();
    const stopped = await runs.abort(key, { stopReason: "stop" });
    if (stopped.some((runId) => runs.sessionOf(runId) !== undefined)) {
      throw new GatewayError("UNAVAILABLE", `session ${key} is at work, and was told to stop`, {
        retryable: true,
      });
    }
  }

  /** Tells those who watch the list. */
  changed(key: SessionKey, reason: string): void {
    const session = this.get(key);
    const ts = Date.now();
    const row = () => session === undefined ? {} : { session: this.row(session) };
    this.#bus.publish({
      name: "sessions.changed",
      // mostly nobody watches the list, and a row takes longer to make than the change itself
      get payload() {
        return { sessionKey: key, agentId: agentOf(key), reason, ts, ...row() };
      },
      audience: { sessionKey: key },
    });
  }
}
