/** Wakes agents at intervals, where the configuration asks for it. */
import type { Heartbeat } from "../../schemas/system.ts";
import type { Bus } from "../event.ts";
import type { Log } from "../log.ts";
import { mainSessionKey } from "../session.ts";
import type { KeyValues } from "../store.ts";
import { HEARTBEAT_ACK_CHARS, HEARTBEAT_PROMPT, parseEvery } from "./health.ts";
import { beginningOf } from "./history.ts";
import type { Runs } from "./runs.ts";
import type { Settings } from "./settings.ts";
import { unattended } from "./unattended.ts";

/** How often it looks whether an agent is due. */
const LOOK_MS = 1_000;
const ENABLED = "heartbeat.enabled";
const LAST = "heartbeat.last";

/** The agents' alarm clock. Off for every agent that has no `heartbeat.every`. */
export class Heartbeats {
  readonly #values: KeyValues;
  readonly #runs: Runs;
  readonly #bus: Bus;
  readonly #settings: Settings;
  readonly #log: Log;
  readonly #dueAt = new Map<string, number>();

  constructor({ values, runs, bus, settings, log }: {
    values: KeyValues;
    runs: Runs;
    bus: Bus;
    settings: Settings;
    log: Log;
  }) {
    this.#values = values;
    this.#runs = runs;
    this.#bus = bus;
    this.#settings = settings;
    this.#log = log.part("heartbeat");
  }

  get enabled(): boolean {
    return this.#values.get(ENABLED) !== false;
  }

  set enabled(on: boolean) {
    this.#values.set(ENABLED, on);
  }

  get last(): Heartbeat | null {
    return (this.#values.get(LAST) ?? null) as Heartbeat | null; // written by #tell
  }

  /** Wakes whoever is due, until the signal aborts. */
  run(signal: AbortSignal): void {
    const look = () => this.look(signal, Date.now());
    const timer = setInterval(
      unattended(look, { log: this.#log, failed: "A heartbeat failed" }),
      LOOK_MS,
    );
    signal.addEventListener("abort", () => clearInterval(timer), { once: true });
  }

  /** Wakes whoever is due; resolves when all that were woken have answered. */
  async look(signal: AbortSignal, now: number): Promise<void> {
    for (const agentId of this.#settings.agentIds) {
      const everyMs = this.#everyMs(agentId);
      if (everyMs === undefined || !this.enabled) {
        this.#dueAt.delete(agentId);
        continue;
      }
      // The interval may be shorter than it was, and the clock set back.
      const dueAt = Math.min(this.#dueAt.get(agentId) ?? Infinity, now + everyMs);
      this.#dueAt.set(agentId, now < dueAt ? dueAt : now + everyMs);
      if (now >= dueAt) await this.#wake(agentId, signal);
    }
  }

  #everyMs(agentId: string): number | undefined {
    const { agents } = this.#settings.config;
    const own = agents?.list?.find(({ id }) => id === agentId)?.heartbeat;
    return parseEvery(own?.every ?? agents?.defaults?.heartbeat?.every);
  }

  async #wake(agentId: string, signal: AbortSignal): Promise<void> {
    const ts = Date.now();
    const sessionKey = mainSessionKey(agentId, this.#settings.keys);
    if (this.#runs.isActive(sessionKey)) {
      return this.#tell({ ts, status: "skipped", reason: "busy", indicatorType: "ok" });
    }
    const runId = `heartbeat-${agentId}-${ts}`;
    this.#runs.submit({
      runId,
      method: "agent",
      sessionKey,
      message: {
        role: "user",
        content: HEARTBEAT_PROMPT,
        timestamp: ts,
        idempotencyKey: runId,
      },
      options: {},
    });
    const result = await this.#runs.ended(runId, { signal });
    if (result === undefined) return;
    const text = result.texts.at(-1) ?? "";
    const durationMs = Date.now() - ts;
    if (result.status !== "ok") {
      const reason = result.error ?? result.status;
      this.#tell({ ts, status: "failed", durationMs, reason, indicatorType: "error" });
    } else if (isAcknowledgement(text)) {
      this.#tell({ ts, status: text === "" ? "ok-empty" : "ok-token", durationMs, silent: true });
    } else {
      const preview = beginningOf(text, 200);
      this.#tell({ ts, status: "sent", durationMs, preview, indicatorType: "alert" });
    }
  }

  #tell(heartbeat: Heartbeat): void {
    this.#values.set(LAST, heartbeat);
    this.#bus.publish({ name: "heartbeat", payload: heartbeat });
  }
}

/** Whether an answer says that all is well, and not much more. */
export function isAcknowledgement(text: string): boolean {
  const rest = text.trim().replace(/^(HEARTBEAT_OK|NO_REPLY)\b|\b(HEARTBEAT_OK|NO_REPLY)$/g, "");
  return text.trim() === "" ||
    rest.length < text.trim().length && rest.trim().length <= HEARTBEAT_ACK_CHARS;
}
