/** Who people are and what conversations are called, asked once and kept for a while. */
import type { WebClient } from "@slack/web-api";
import { Deadline } from "../../deadline.ts";
import type { Log } from "../../log.ts";
import { Recent } from "../recent.ts";
import { CallError, type Client } from "./client.ts";
import type { KnownChannel, KnownUser } from "./convert.ts";

/** What Slack says of somebody. */
type ApiUser = NonNullable<Awaited<ReturnType<WebClient["users"]["info"]>>["user"]>;
/** What Slack says of a conversation. */
type ApiChannel = NonNullable<Awaited<ReturnType<WebClient["conversations"]["info"]>>["channel"]>;

interface Entry<T> {
  /** `undefined` for what Slack does not tell. */
  readonly known: T | undefined;
  readonly until: number;
}

const MOST = 5000;
const KEEP_MS = 60 * 60_000;
/** What could not be told is asked for again after so long. */
const KEEP_UNKNOWN_MS = 60_000;
/** At once, for one event. */
const MAX_QUESTIONS = 20;

export class Directory {
  readonly #client: Client;
  readonly #log: Log;
  readonly #users = new Recent<string, Entry<KnownUser>>(MOST);
  readonly #channels = new Recent<string, Entry<KnownChannel>>(MOST);

  constructor({ client, log }: { client: Client; log: Log }) {
    this.#client = client;
    this.#log = log;
  }

  user(id: string): KnownUser | undefined {
    return this.#users.get(id)?.known;
  }

  channel(id: string): KnownChannel | undefined {
    return this.#channels.get(id)?.known;
  }

  /** Resolves when these are known as well as they can be, and after `ms` at the latest. */
  async learn(
    { users, channels }: { users: readonly string[]; channels: readonly string[] },
    { ms, signal }: { ms: number; signal: AbortSignal },
  ): Promise<void> {
    const now = Date.now();
    const unknown = [
      ...users.filter((id) => (this.#users.get(id)?.until ?? 0) <= now)
        .map((id) => (abort: AbortSignal) => this.#askUser(id, abort)),
      ...channels.filter((id) => (this.#channels.get(id)?.until ?? 0) <= now)
        .map((id) => (abort: AbortSignal) => this.#askChannel(id, abort)),
    ].slice(0, MAX_QUESTIONS);
    if (unknown.length === 0) return;
    using deadline = new Deadline(ms, signal);
    await Promise.all(unknown.map((ask) => ask(deadline.signal)));
  }

  learnUser({ id = "", name, real_name, is_bot, profile }: ApiUser): void {
    const shown = profile?.display_name || profile?.real_name || real_name || name;
    const known = {
      ...(shown === undefined ? {} : { name: shown }),
      ...(name === undefined ? {} : { username: name }),
      ...(is_bot === true ? { isBot: true } : {}),
    };
    this.#users.set(id, { known, until: Date.now() + KEEP_MS });
  }

  /** Takes an event's word for what a conversation is, which Slack may not tell when asked. */
  learnKind(id: string, kind: KnownChannel["kind"]): void {
    const { known, until = 0 } = this.#channels.get(id) ?? {};
    if (known?.kind !== kind) this.#channels.set(id, { known: { ...known, kind }, until });
  }

  learnChannel({ id = "", name, is_im, is_mpim }: ApiChannel): void {
    const kind = is_im ? "direct" : is_mpim ? "group" : "channel";
    const known = { kind, ...(name === undefined ? {} : { name }) } as const;
    this.#channels.set(id, { known, until: Date.now() + KEEP_MS });
  }

  async #askUser(id: string, signal: AbortSignal): Promise<void> {
    try {
      const { user } = await this.#client.ask((api) => api.users.info({ user: id }), signal);
      if (user !== undefined) this.learnUser({ ...user, id });
    } catch (error) {
      this.#forgo(this.#users, id, error);
    }
  }

  async #askChannel(id: string, signal: AbortSignal): Promise<void> {
    try {
      const { channel } = await this.#client.ask(
        (api) => api.conversations.info({ channel: id }),
        signal,
      );
      if (channel !== undefined) this.learnChannel({ ...channel, id });
    } catch (error) {
      this.#forgo(this.#channels, id, error);
    }
  }

  /** A message is worth more than the names in it: it is handed over without. */
  #forgo<T>(entries: Recent<string, Entry<T>>, id: string, error: unknown): void {
    if (!(error instanceof CallError)) throw error;
    this.#log.debug("Slack does not say who or what this is", { id, cause: error });
    const known = entries.get(id)?.known;
    entries.set(id, { known, until: Date.now() + KEEP_UNKNOWN_MS });
  }
}
