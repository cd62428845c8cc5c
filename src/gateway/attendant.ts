/**
 * Keeps one account of one network connected: begins, watches, waits, begins again, and stops where
 * a person must help. Whatever the channel does, throws, or fails to do, stays in here. What cannot
 * be kept in is a channel that holds up the event loop: all accounts share it.
 */
import { Errors } from "@sinclair/typebox/errors";
import {
  type Account,
  AccountSection,
  secretsOf,
  type SecretSources,
  withSecrets,
} from "../account.ts";
import {
  type Channel,
  ChannelError,
  type Evidence,
  type Inbox,
  type MenuCommand,
  type Network,
  type Probe,
  type Self,
  type Webhook,
} from "../channel.ts";
import { pause } from "../deadline.ts";
import type { Log } from "../log.ts";
import type { InboundMessage, Receipt } from "../message.ts";
import type { KeyValues } from "../store.ts";
import { vainSettings } from "../vain_settings.ts";
import {
  type Halt,
  type Health,
  healthOf,
  sentOver,
  UNSEEN,
  upTo,
  type Vitals,
  witnessed,
} from "./vitals.ts";

export interface AttendantParts {
  readonly account: Account;
  readonly network: Network;
  readonly secrets: SecretSources;
  readonly values: KeyValues;
  readonly log: Log;
  readonly commands: readonly MenuCommand[];
  /** Resolves once the message is kept. */
  receive(message: InboundMessage): Promise<void>;
  /** Called when messages can be handed to the account, or again. */
  ready(): void;
  /** Called when it may be in another state than before. */
  changed(): void;
  readonly timing: AttendantTiming;
  now(): number;
  /** From 0 up to 1. */
  random(): number;
}

/** Milliseconds. */
export interface AttendantTiming {
  /** The first wait before it is begun again, and the longest. */
  readonly firstWaitMs: number;
  readonly longestWaitMs: number;
  /** A connection that held so long was well: the next wait is the first one again. */
  readonly stableMs: number;
  /** How long a channel that was told to stop may take for it. */
  readonly stopMs: number;
}

export const ATTENDANT_TIMING: AttendantTiming = {
  firstWaitMs: 1_000,
  longestWaitMs: 5 * 60_000,
  stableMs: 60_000,
  stopMs: 5_000,
};

/** Connections that did not end when they were told to, after which no more are begun. */
const MAX_ABANDONED = 3;
/** Silence, in times of what the network itself allows, after which the connection is begun anew. */
const REVIVE_AFTER = 3;
/** Where there is no channel yet to say it. */
const SILENT_AFTER_MS = 60_000;

/** A connection that is being kept up. */
interface Connection {
  readonly inbox: Inbox;
  /** Ends it; the reason is for the log. */
  end(reason: string): void;
}

/** One account, from its beginning to the abort of its signal. */
export class Attendant {
  readonly account: Account;
  readonly #parts: AttendantParts;
  readonly #log: Log;
  #vitals: Vitals = UNSEEN;
  readonly #secrets: Readonly<Record<string, string>>;
  /** Why there are no secrets. */
  readonly #unreadable: string | undefined;
  #channel: Channel | undefined;
  #connection: Connection | undefined;
  #abandoned = 0;
  /** The state that the log and the clients were told. */
  #reported: Health = "unproven";

  constructor(parts: AttendantParts) {
    this.account = parts.account;
    this.#parts = parts;
    this.#log = parts.log;
    try {
      this.#secrets = secretsOf(parts.account, parts.network.secrets, parts.secrets);
    } catch (cause) {
      this.#secrets = {};
      this.#unreadable = messageOf(cause);
    }
  }

  get vitals(): Vitals {
    return this.#vitals;
  }

  get health(): ReturnType<typeof healthOf> {
    const silentAfterMs = this.#channel?.capabilities.silentAfterMs ?? SILENT_AFTER_MS;
    return healthOf(this.#vitals, { silentAfterMs, now: this.#parts.now() });
  }

  /** `undefined` until its settings were found good. */
  get channel(): Channel | undefined {
    return this.#channel;
  }

  /** Whether all secrets that it needs were found. */
  get isConfigured(): boolean {
    return this.#missing().length === 0;
  }

  /** The secrets that were found, by name only. */
  get secrets(): readonly string[] {
    return Object.keys(this.#secrets);
  }

  /** Keeps the account connected until the signal aborts, or until a person must help. Never rejects. */
  async attend(signal: AbortSignal): Promise<void> {
    try {
      if (this.#prepare()) await this.#keepUp(signal);
    } catch (cause) {
      this.#halt({ reason: "config", message: `it failed: ${messageOf(cause)}` }, cause);
    }
  }

  /** Ends a connection over which nothing was heard for too long. To be called now and then. */
  look(): void {
    this.#vitals = upTo(this.#parts.now(), this.#vitals);
    const { health, why } = this.health;
    if (health !== this.#reported) {
      if (health === "degraded" || health === "dead") {
        this.#log.warn(`The network is ${health}`, { why });
      } else if (health === "ok" && this.#reported !== "unproven") {
        this.#log.info("The network is well again");
      }
      this.#reported = health;
      this.#parts.changed();
    }
    if (this.#connection === undefined || this.#channel === undefined) return;
    const { startedAt = 0, signAt = 0 } = this.#vitals;
    const silence = this.#parts.now() - Math.max(startedAt, signAt);
    if (silence > this.#channel.capabilities.silentAfterMs * REVIVE_AFTER) {
      this.#connection.end(`nothing was heard for ${Math.round(silence / 1000)} s`);
    }
  }

  /** How a message to the account fared. */
  delivered(receipt: Receipt): void {
    this.#vitals = sentOver(this.#vitals, receipt, this.#parts.now());
  }

  /** Asks the network who we are. Rejects with an error for people. */
  async probe(signal: AbortSignal): Promise<Self | undefined> {
    if (this.#channel === undefined) {
      throw new Error(this.#vitals.halt?.message ?? "it was not begun yet");
    }
    return canProbe(this.#channel) ? await this.#channel.probe(signal) : undefined;
  }

  /** `undefined` where the network does not call us. */
  respond(request: Request): Promise<Response> | undefined {
    if (this.#channel === undefined || !isCalled(this.#channel)) return undefined;
    if (this.#connection === undefined) {
      return Promise.resolve(new Response("not connected", { status: 503 }));
    }
    return this.#channel.respond(request, this.#connection.inbox);
  }

  /** Finds the settings good, and makes the channel. */
  #prepare(): boolean {
    if (this.#unreadable !== undefined) {
      return this.#halt({ reason: "config", message: this.#unreadable });
    }
    const missing = this.#missing();
    if (missing.length > 0) {
      const names = missing.map(({ key }) => key).join(" and ");
      const verb = missing.length > 1 ? "are" : "is";
      return this.#halt({ reason: "config", message: `${names} ${verb} not set` });
    }
    const fault = Errors(this.#parts.network.schema, this.#settings).First();
    if (fault !== undefined) {
      const path = fault.path.slice(1).replaceAll("/", ".");
      return this.#halt({ reason: "config", message: `${path}: ${fault.message.toLowerCase()}` });
    }
    const vain = vainSettings(this.#settings, [AccountSection, this.#parts.network.schema]);
    if (vain.length > 0) {
      this.#log.warn(`Settings that have no effect in this version: ${vain.join(", ")}`);
    }
    return this.#create();
  }

  get #settings(): Readonly<Record<string, unknown>> {
    return withSecrets(this.account, this.#parts.network.secrets, this.#secrets);
  }

  #missing(): Network["secrets"] {
    return this.#parts.network.secrets.filter(({ key, isRequired }) =>
      isRequired && this.#secrets[key] === undefined
    );
  }

  #create(): boolean {
    const { account: { accountId }, network, values, log, commands } = this.#parts;
    try {
      const settings = this.#settings;
      this.#channel = network.create({ accountId, settings, values, log, commands });
    } catch (cause) {
      return this.#halt({ reason: "config", message: messageOf(cause) }, cause);
    }
    try {
      this.#parts.ready();
    } catch (cause) {
      // It is no fault of the account's, and is done again when it is connected.
      log.error("What waits for the account can't be taken up yet", { cause });
    }
    return true;
  }

  /** Connects, again and again. */
  async #keepUp(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.#channel !== undefined) {
      const startedAt = this.#parts.now();
      const lost = await this.#connect(this.#channel, signal);
      if (signal.aborted) return;
      const now = this.#parts.now();
      const { connectedAt = 0, restarts } = this.#vitals;
      const wasWell = connectedAt >= startedAt && now - connectedAt >= this.#parts.timing.stableMs;
      this.#vitals = {
        ...this.#vitals,
        lost: { at: now, detail: lost.message },
        restarts: (wasWell ? 0 : restarts) + 1,
      };
      if (lost instanceof ChannelError && lost.reason !== "network") {
        this.#halt({ reason: lost.reason, message: lost.message }, lost);
        return;
      }
      if (this.#abandoned >= MAX_ABANDONED) {
        this.#halt({ reason: "stuck", message: "it does not stop when it is told to" });
        return;
      }
      const retryAfterMs = lost instanceof ChannelError ? lost.retryAfterMs : undefined;
      const waitMs = retryAfterMs === undefined
        ? this.#backOff(this.#vitals.restarts)
        : Math.max(retryAfterMs, this.#parts.timing.firstWaitMs);
      this.#log.warn("The network is lost", { cause: lost, waitMs });
      this.#reported = this.health.health;
      this.#parts.changed();
      await pause(waitMs, signal);
    }
  }

  #backOff(restarts: number): number {
    const { firstWaitMs, longestWaitMs } = this.#parts.timing;
    const even = Math.min(firstWaitMs * 2 ** Math.min(restarts - 1, 20), longestWaitMs);
    return Math.round(even * (0.75 + this.#parts.random() / 2));
  }

  /** Keeps one connection up. Resolves to why it is over; that says nothing where the signal aborted. */
  async #connect(channel: Channel, signal: AbortSignal): Promise<Error> {
    const ending = new AbortController();
    const over = Promise.withResolvers<Error>();
    let isOurs = true;
    let reason = "the channel ended by itself";
    const inbox: Inbox = {
      receive: async (message) => {
        if (!isOurs) throw new Error("Cannot receive: the connection is over");
        await this.#receive(message);
      },
      status: (evidence) => {
        if (isOurs) this.#witness(evidence);
      },
    };
    let grace: ReturnType<typeof setTimeout> | undefined;
    const end = (why: string) => {
      if (ending.signal.aborted) return;
      reason = why;
      ending.abort();
      grace = setTimeout(() => {
        isOurs = false;
        this.#abandoned++;
        this.#log.error("A channel does not stop when it is told to", { reason });
        if (!signal.aborted) this.#create(); // the old one may do whatever it does, to nobody
        over.resolve(new Error(reason));
      }, this.#parts.timing.stopMs);
    };
    const stop = () => end("it was stopped");
    signal.addEventListener("abort", stop, { once: true });
    this.#connection = { inbox, end };
    this.#vitals = { ...this.#vitals, isRunning: true, startedAt: this.#parts.now() };
    (async () => await channel.run(inbox, ending.signal))().then(
      () => over.resolve(new Error(reason)),
      (cause) => over.resolve(cause instanceof Error ? cause : new Error(String(cause))),
    );
    const lost = await over.promise;
    isOurs = false;
    clearTimeout(grace);
    signal.removeEventListener("abort", stop);
    this.#connection = undefined;
    this.#vitals = { ...this.#vitals, isRunning: false, stoppedAt: this.#parts.now() };
    return lost;
  }

  async #receive(message: InboundMessage): Promise<void> {
    const { channel, accountId } = this.account;
    const { place } = message;
    if (place.channel !== channel || place.accountId !== accountId) {
      throw new Error(
        `Cannot receive a message of '${place.channel}/${place.accountId}' from here`,
      );
    }
    await this.#parts.receive(message);
    const now = this.#parts.now();
    this.#vitals = { ...this.#vitals, inboundAt: now, signAt: now };
  }

  #witness(evidence: Evidence): void {
    if (evidence.kind === "trouble" && evidence.detail !== this.#vitals.trouble?.detail) {
      this.#log.warn("The network has trouble", { detail: evidence.detail });
    }
    this.#vitals = witnessed(this.#vitals, evidence, this.#parts.now());
    if (evidence.kind !== "connected") return;
    this.#log.info("Connected", { as: evidence.self.username ?? evidence.self.id });
    this.#parts.ready();
    this.look();
  }

  /** Says that a person must help. Returns `false`: it does not go on. */
  #halt(halt: Halt, cause?: unknown): false {
    this.#vitals = { ...this.#vitals, isRunning: false, halt: { ...halt, at: this.#parts.now() } };
    this.#log.error(`Stopped until somebody helps: ${halt.message}`, {
      reason: halt.reason,
      ...(cause === undefined ? {} : { cause }),
    });
    this.#parts.changed();
    return false;
  }
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

function canProbe(channel: Channel): channel is Channel & Probe {
  return "probe" in channel && typeof channel.probe === "function";
}

function isCalled(channel: Channel): channel is Channel & Webhook {
  return "respond" in channel && typeof channel.respond === "function";
}
