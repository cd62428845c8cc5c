/** What we know of guilds, their channels and roles: told by the gateway, or asked for. */
import type {
  APIChannel,
  APIGuild,
  APIGuildChannel,
  APIThreadChannel,
  GatewayDispatchPayload,
} from "discord-api-types/v10";
import { ApiError, type Client } from "./client.ts";
import { Recent } from "../recent.ts";
import { isId } from "./snowflake.ts";

export interface KnownChannel {
  readonly id: string;
  readonly type: number;
  readonly name?: string;
  readonly guildId?: string;
  /** Of a thread: the channel that it is in. */
  readonly parentId?: string;
}

export interface KnownRole {
  readonly name: string;
  /** The bot whose own role it is. */
  readonly botId?: string;
}

const MAX_CHANNELS = 20_000;
const MAX_GUILDS = 1_000;
const THREADS: ReadonlySet<number> = new Set([10, 11, 12]);

export class Directory {
  readonly #client: Client;
  readonly #channels = new Recent<string, KnownChannel>(MAX_CHANNELS);
  readonly #roles = new Recent<string, ReadonlyMap<string, KnownRole>>(MAX_GUILDS);

  constructor(client: Client) {
    this.#client = client;
  }

  /** Takes from an event what there is to know. */
  learn(event: GatewayDispatchPayload): void {
    switch (event.t) {
      case "GUILD_CREATE": {
        if (event.d.unavailable) return;
        this.#learnGuild(event.d);
        for (const channel of [...event.d.channels, ...event.d.threads]) {
          this.#learnChannel(channel, event.d.id);
        }
        return;
      }
      case "GUILD_DELETE":
        this.#roles.delete(event.d.id);
        return;
      case "GUILD_ROLE_CREATE":
      case "GUILD_ROLE_UPDATE":
      case "GUILD_ROLE_DELETE":
        this.#roles.delete(event.d.guild_id); // asked for when it is needed
        return;
      case "CHANNEL_CREATE":
      case "CHANNEL_UPDATE":
      case "THREAD_CREATE":
      case "THREAD_UPDATE":
        this.#learnChannel(event.d);
        return;
      case "CHANNEL_DELETE":
      case "THREAD_DELETE":
        this.#channels.delete(event.d.id);
        return;
      case "THREAD_LIST_SYNC":
        for (const thread of event.d.threads) this.#learnChannel(thread, event.d.guild_id);
        return;
    }
  }

  /** What is known already. */
  channel(id: string): KnownChannel | undefined {
    return this.#channels.get(id);
  }

  role(guildId: string, id: string): KnownRole | undefined {
    return this.#roles.get(guildId)?.get(id);
  }

  /** Asks for what is not known of a place. Rejects where Discord can't be asked. */
  async prepare(
    { channelId, guildId }: { channelId: string; guildId?: string },
    signal: AbortSignal,
  ): Promise<void> {
    const known = await this.find(channelId, signal);
    if (known?.parentId !== undefined) await this.find(known.parentId, signal);
    if (guildId === undefined || !isId(guildId) || this.#roles.has(guildId)) return;
    const guild = await ifAllowed(
      this.#client.call<APIGuild>("GET", `/guilds/${guildId}`, { signal }),
    );
    if (guild !== undefined) this.#learnGuild(guild);
  }

  /** A channel; `undefined` for one that is not there for us. */
  async find(id: string, signal: AbortSignal): Promise<KnownChannel | undefined> {
    const known = this.#channels.get(id);
    if (known !== undefined || !isId(id)) return known;
    const channel = await ifAllowed(
      this.#client.call<APIChannel>("GET", `/channels/${id}`, { signal }),
    );
    return channel && this.#learnChannel(channel);
  }

  /** Those of all guilds whose name is this. */
  named(name: string): readonly KnownChannel[] {
    const wanted = name.toLowerCase();
    return [...this.#channels.values()].filter((known) => known.name?.toLowerCase() === wanted);
  }

  #learnGuild({ id, roles }: Pick<APIGuild, "id" | "roles">): void {
    this.#roles.set(
      id,
      new Map(roles.map((role) => [role.id, {
        name: role.name,
        ...(role.tags?.bot_id !== undefined && { botId: role.tags.bot_id }),
      }])),
    );
  }

  #learnChannel(
    channel: APIChannel | APIGuildChannel | APIThreadChannel,
    inGuild?: string,
  ): KnownChannel {
    const guildId = "guild_id" in channel ? channel.guild_id ?? inGuild : inGuild;
    const known = {
      id: channel.id,
      type: channel.type,
      ...(channel.name != null && { name: channel.name }),
      ...(guildId !== undefined && { guildId }),
      ...(isThread(channel) && channel.parent_id != null && { parentId: channel.parent_id }),
    };
    this.#channels.set(channel.id, known);
    return known;
  }
}

function isThread(channel: { readonly type: number }): channel is APIThreadChannel {
  return THREADS.has(channel.type);
}

/** `undefined` for what is not there, or not for us. */
async function ifAllowed<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ApiError && error.fault === "rejected") return undefined;
    throw error;
  }
}
