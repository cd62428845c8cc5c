/**
 * The accounts on all networks: each is kept connected alone, begun and ended as the configuration
 * says, without touching another.
 */
import {
  type Account,
  accountsOf,
  canonicalAccountId,
  channelsOf,
  defaultAccountId,
  type SecretSources,
} from "../account.ts";
import type { Channel, MenuCommand, Network, NetworkEntry } from "../channel.ts";
import type { Config } from "../config.ts";
import type { Log } from "../log.ts";
import type { InboundMessage, Place, Receipt } from "../message.ts";
import type { KeyValues } from "../store.ts";
import { Attendant, ATTENDANT_TIMING, type AttendantTiming } from "./attendant.ts";

export interface SupervisorParts {
  readonly networks: readonly NetworkEntry[];
  config(): Config;
  readonly secrets: SecretSources;
  readonly values: KeyValues;
  readonly log: Log;
  /** What people can say to the gateway itself. */
  readonly commands?: readonly MenuCommand[];
  /** Resolves once the message is kept. */
  receive(message: InboundMessage): Promise<void>;
  /** Called when messages can be handed to an account, or again. */
  ready(account: AccountRef): void;
  /** Called when an account may be in another state than before. */
  changed(): void;
  readonly timing?: Partial<AttendantTiming>;
  readonly now?: () => number;
  readonly random?: () => number;
}

type AccountRef = Pick<Place, "channel" | "accountId">;

/** An account as it stands: at work, or not because the configuration, or a person, says so. */
export interface Standing {
  readonly network: NetworkEntry;
  readonly account: Account;
  /** Absent while it is off. */
  readonly attendant?: Attendant;
}

/** How often it is looked whether a connection has gone silent, in milliseconds. */
const LOOK_MS = 5_000;

interface Station {
  /** What it was begun with: where this is another one, it is begun anew. */
  readonly fingerprint: string;
  readonly attendant: Attendant;
  readonly controller: AbortController;
  readonly done: Promise<void>;
}

export class Supervisor implements AsyncDisposable {
  readonly #parts: SupervisorParts;
  readonly #log: Log;
  readonly #networks: ReadonlyMap<string, NetworkEntry>;
  readonly #loaded = new Map<string, Network>();
  readonly #stations = new Map<string, Station>();
  /** Those that are on their way out; whoever takes their place waits for them. */
  readonly #leaving = new Map<string, Promise<void>>();
  /** Those that a person has stopped. They stay so until they are started, or their settings change. */
  readonly #stopped = new Map<string, string>();
  readonly #unknown = new Set<string>();
  readonly #timer: ReturnType<typeof setInterval>;
  #following: Promise<void> = Promise.resolve();
  #closing = false;

  constructor(parts: SupervisorParts) {
    this.#parts = parts;
    this.#log = parts.log.part("channels");
    this.#networks = new Map(parts.networks.map((network) => [network.id, network]));
    this.#timer = setInterval(() => this.look(), LOOK_MS);
  }

  /**
   * Begins, ends and exchanges accounts until what runs is what the configuration says. Resolves
   * when all are begun, not when they are connected.
   */
  follow(): Promise<void> {
    this.#following = this.#following.then(() => this.#follow()).catch((cause) =>
      this.#log.error("The channels could not be brought up to the configuration", { cause })
    );
    return this.#following;
  }

  /** Looks after the connections; it is done by itself every few seconds. */
  look(): void {
    for (const { attendant } of this.#stations.values()) attendant.look();
  }

  /** The channel of an account that messages can be handed to. */
  channel({ channel, accountId }: AccountRef): Channel | undefined {
    const attendant = this.#stations.get(keyOf(channel, accountId))?.attendant;
    return attendant?.vitals.halt === undefined ? attendant?.channel : undefined;
  }

  /** The channel of an account, also of one that stands still. */
  anyChannel({ channel, accountId }: AccountRef): Channel | undefined {
    return this.#stations.get(keyOf(channel, accountId))?.attendant.channel;
  }

  delivered({ channel, accountId }: AccountRef, receipt: Receipt): void {
    this.#stations.get(keyOf(channel, accountId))?.attendant.delivered(receipt);
  }

  /** The networks that are configured, and known to this program. */
  get configured(): readonly NetworkEntry[] {
    return channelsOf(this.#parts.config()).flatMap((id) => this.#networks.get(id) ?? []);
  }

  /** The label of a network that the program knows, configured or not. */
  network(id: string): NetworkEntry | undefined {
    return this.#networks.get(id);
  }

  /** All accounts of a network, in the order of the configuration. */
  accounts(channel: string): readonly Standing[] {
    const network = this.#networks.get(channel);
    if (network === undefined) return [];
    const secrets = this.#loaded.get(channel)?.secrets;
    return accountsOf(this.#parts.config(), channel, secrets).map((account) => {
      const attendant = this.#stations.get(keyOf(channel, account.accountId))?.attendant;
      return { network, account, ...(attendant === undefined ? {} : { attendant }) };
    });
  }

  /** One account; the network's default one where none is named. `undefined` where there is no such. */
  account(channel: string, accountId = this.defaultAccountId(channel)): Standing | undefined {
    const id = accountId === undefined ? undefined : canonicalAccountId(accountId);
    return this.accounts(channel).find(({ account }) => account.accountId === id);
  }

  defaultAccountId(channel: string): string | undefined {
    return defaultAccountId(this.#parts.config(), channel, this.#loaded.get(channel)?.secrets);
  }

  /** Begins an account, or begins it anew, whatever it waits for. Resolves to `false` for one that is off. */
  async start(channel: string, accountId: string): Promise<boolean> {
    const key = keyOf(channel, accountId);
    this.#stopped.delete(key);
    await this.#following;
    this.#leave(key);
    await this.follow();
    return this.#stations.has(key);
  }

  /** Ends an account until it is started again, or its settings change. Resolves once it has ended. */
  async stop(channel: string, accountId: string): Promise<boolean> {
    const key = keyOf(channel, accountId);
    await this.#following;
    const station = this.#stations.get(key);
    if (station === undefined) return false;
    this.#stopped.set(key, station.fingerprint);
    this.#leave(key);
    await this.#leaving.get(key);
    this.#parts.changed();
    return true;
  }

  /** Answers a network that calls us. `undefined` where nobody expects a call. */
  respond(request: Request, { channel, accountId }: AccountRef): Promise<Response> | undefined {
    const station = this.#stations.get(keyOf(channel, canonicalAccountId(accountId)));
    return station?.attendant.respond(request);
  }

  /** Ends all accounts. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true;
    clearInterval(this.#timer);
    await this.#following;
    for (const key of [...this.#stations.keys()]) this.#leave(key);
    await Promise.all(this.#leaving.values());
  }

  async #follow(): Promise<void> {
    if (this.#closing) return;
    const config = this.#parts.config();
    const wanted = new Map<string, Account>();
    for (const channel of channelsOf(config)) {
      for (const account of await this.#enabled(channel, config)) {
        wanted.set(keyOf(channel, account.accountId), account);
      }
    }
    for (const [key, { fingerprint }] of this.#stations) {
      const account = wanted.get(key);
      if (account === undefined || this.#fingerprintOf(account) !== fingerprint) this.#leave(key);
    }
    for (const [key, account] of wanted) {
      if (this.#stopped.get(key) === this.#fingerprintOf(account)) continue;
      this.#stopped.delete(key);
      if (!this.#stations.has(key)) this.#begin(key, account);
    }
    this.#parts.changed();
  }

  /** The accounts of a network that are to be at work. The network is loaded if there may be any. */
  async #enabled(channel: string, config: Config): Promise<readonly Account[]> {
    const entry = this.#networks.get(channel);
    if (entry === undefined) {
      if (!this.#unknown.has(channel)) {
        this.#log.warn(`The network '${channel}' is not known to this version: it stays off`);
      }
      this.#unknown.add(channel);
      return [];
    }
    if (!accountsOf(config, channel).some(({ enabled }) => enabled)) return [];
    try {
      const network = this.#loaded.get(channel) ?? await entry.load();
      this.#loaded.set(channel, network);
      return accountsOf(config, channel, network.secrets).filter(({ enabled }) => enabled);
    } catch (cause) {
      this.#log.error(`The network '${channel}' can't be loaded`, { cause });
      return [];
    }
  }

  #begin(key: string, account: Account): void {
    const { channel, accountId } = account;
    const network = this.#loaded.get(channel);
    if (network === undefined || this.#closing) return;
    const { secrets, values, receive, ready, changed } = this.#parts;
    const attendant = new Attendant({
      account,
      network,
      secrets,
      values: under(values, `channel.${channel}.${accountId}.`),
      log: this.#parts.log.part(`${channel}/${accountId}`),
      commands: this.#menuOf(account),
      receive,
      ready: () => {
        if (this.#stations.get(key)?.attendant === attendant) ready({ channel, accountId });
      },
      changed,
      timing: { ...ATTENDANT_TIMING, ...this.#parts.timing },
      now: this.#parts.now ?? Date.now,
      random: this.#parts.random ?? Math.random,
    });
    const controller = new AbortController();
    const before = this.#leaving.get(key) ?? Promise.resolve();
    const done = before.then(() => attendant.attend(controller.signal));
    this.#stations.set(key, {
      fingerprint: this.#fingerprintOf(account),
      attendant,
      controller,
      done,
    });
  }

  /** What its network's own menu may offer, unless the account says itself whether it does. */
  #menuOf({ settings }: Account): readonly MenuCommand[] {
    const { commands: own } = settings;
    const isSaid = typeof own === "object" && own !== null && "native" in own;
    const isOff = this.#parts.config().commands?.native === false && !isSaid;
    return isOff ? [] : this.#parts.commands ?? [];
  }

  /** All that an account is made from. */
  #fingerprintOf(account: Account): string {
    return JSON.stringify([account.settings, account.own, this.#menuOf(account)]);
  }

  #leave(key: string): void {
    const station = this.#stations.get(key);
    if (station === undefined) return;
    this.#stations.delete(key);
    station.controller.abort();
    const left = station.done.finally(() => {
      if (this.#leaving.get(key) === left) this.#leaving.delete(key);
    });
    this.#leaving.set(key, left);
  }
}

function keyOf(channel: string, accountId: string): string {
  return JSON.stringify([channel, accountId]);
}

/** The values of one owner among all. */
function under(values: KeyValues, prefix: string): KeyValues {
  return {
    get: (name) => values.get(prefix + name),
    set: (name, value) => values.set(prefix + name, value),
    delete: (name) => values.delete(prefix + name),
  };
}
