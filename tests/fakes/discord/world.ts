/** What Discord keeps: people, guilds, channels and what was said, as its own objects. */

export interface User {
  readonly id: string;
  readonly username: string;
  readonly global_name: string | null;
  readonly discriminator: string;
  readonly avatar: null;
  readonly bot?: boolean;
}

export interface Role {
  readonly id: string;
  readonly name: string;
  readonly permissions: string;
  readonly managed: boolean;
  readonly tags?: { readonly bot_id: string };
}

export interface Channel {
  readonly id: string;
  readonly type: ChannelType;
  readonly guild_id?: string;
  readonly parent_id?: string | null;
  readonly owner_id?: string;
  readonly recipients?: readonly User[];
  name?: string;
  last_message_id: string | null;
  /** What we are told when we touch it: 50001, 50013, 50007. No field of Discord's. */
  refusal?: number;
}

export const ChannelType = {
  text: 0,
  direct: 1,
  groupDirect: 3,
  thread: 11,
  forum: 15,
} as const;
export type ChannelType = typeof ChannelType[keyof typeof ChannelType];

export interface Guild {
  readonly id: string;
  name: string;
  readonly roles: Role[];
  /** Roles and nickname of each member by user id. */
  readonly members: Map<string, { readonly roles: readonly string[]; readonly nick?: string }>;
}

export interface Attachment {
  readonly id: string;
  readonly filename: string;
  readonly size: number;
  readonly content_type?: string;
  readonly url: string;
  readonly proxy_url: string;
}

export interface Message {
  readonly id: string;
  readonly channel_id: string;
  readonly author: User;
  content: string;
  readonly timestamp: string;
  edited_timestamp: string | null;
  readonly tts: false;
  readonly mention_everyone: boolean;
  readonly mentions: readonly User[];
  readonly mention_roles: readonly string[];
  readonly attachments: readonly Attachment[];
  readonly embeds: readonly unknown[];
  readonly pinned: false;
  readonly type: number;
  readonly nonce?: string | number;
  readonly flags?: number;
  readonly components?: readonly unknown[];
  readonly poll?: unknown;
  readonly sticker_items?: readonly unknown[];
  readonly message_reference?: { readonly message_id: string; readonly channel_id: string };
  readonly referenced_message?: Message | null;
  reactions?: { emoji: Emoji; count: number; me: boolean }[];
}

export interface Emoji {
  readonly id: string | null;
  readonly name: string;
}

/** What a message may have beside its text. */
export interface Extras extends
  Partial<
    Pick<
      Message,
      | "attachments"
      | "components"
      | "embeds"
      | "flags"
      | "nonce"
      | "poll"
      | "sticker_items"
      | "type"
    >
  > {
  /** The id of the message that it answers. */
  readonly replyTo?: string;
}

/** Something that whoever is connected hears of. */
export interface Happening {
  readonly t: string;
  readonly d: Readonly<Record<string, unknown>>;
}

const EPOCH = 1_420_070_400_000n;

/** The first id of a moment. */
export function snowflakeAt(ms: number): string {
  return String((BigInt(ms) - EPOCH) << 22n);
}

/** A small Discord with one application in it, which is a bot. */
export class World {
  readonly users = new Map<string, User>();
  readonly guilds = new Map<string, Guild>();
  readonly channels = new Map<string, Channel>();
  readonly messages = new Map<string, Message[]>();
  readonly self: User;
  readonly applicationId: string;
  readonly #hear: (happening: Happening) => void;
  #last = 0n;

  constructor(hear: (happening: Happening) => void) {
    this.#hear = hear;
    this.self = this.addUser("clawbot", { bot: true });
    this.applicationId = this.self.id;
  }

  /** A new id, greater than all before. */
  snowflake(): string {
    const now = (BigInt(Date.now()) - EPOCH) << 22n;
    this.#last = now > this.#last ? now : this.#last + 1n;
    return String(this.#last);
  }

  addUser(username: string, { bot, name = null }: { bot?: true; name?: string | null } = {}): User {
    const user = {
      id: this.snowflake(),
      username,
      global_name: name,
      discriminator: "0",
      avatar: null,
      ...(bot && { bot }),
    };
    this.users.set(user.id, user);
    return user;
  }

  /** A guild that the bot is in, with a role of its own. */
  addGuild(name: string): Guild {
    const id = this.snowflake();
    const own = {
      id: this.snowflake(),
      name: this.self.username,
      permissions: "0",
      managed: true,
      tags: { bot_id: this.self.id },
    };
    const everyone = { id, name: "@everyone", permissions: "0", managed: false };
    const guild = { id, name, roles: [everyone, own], members: new Map() };
    this.guilds.set(id, guild);
    this.tell("GUILD_CREATE", this.wholeGuild(guild));
    return guild;
  }

  addRole(guild: Guild, name: string): Role {
    const role = { id: this.snowflake(), name, permissions: "0", managed: false };
    guild.roles.push(role);
    this.tell("GUILD_ROLE_CREATE", { guild_id: guild.id, role });
    return role;
  }

  addChannel(
    guild: Guild,
    name: string,
    { type = ChannelType.text, parent, owner }: {
      type?: ChannelType;
      parent?: Channel;
      owner?: User;
    } = {},
  ): Channel {
    const channel: Channel = {
      id: this.snowflake(),
      type,
      guild_id: guild.id,
      parent_id: parent?.id ?? null,
      ...(owner && { owner_id: owner.id }),
      name,
      last_message_id: null,
    };
    this.#keep(channel);
    this.tell(isThread(channel) ? "THREAD_CREATE" : "CHANNEL_CREATE", { ...channel });
    return channel;
  }

  /** The chat of the bot with somebody; the same each time. */
  direct(user: User): Channel {
    const known = [...this.channels.values()].find(({ type, recipients }) =>
      type === ChannelType.direct && recipients?.[0]?.id === user.id
    );
    if (known !== undefined) return known;
    const channel: Channel = {
      id: this.snowflake(),
      type: ChannelType.direct,
      recipients: [user],
      last_message_id: null,
    };
    this.#keep(channel);
    return channel;
  }

  /** A chat of the bot with several people, outside of guilds. */
  addGroup(name: string, recipients: readonly User[]): Channel {
    const channel: Channel = {
      id: this.snowflake(),
      type: ChannelType.groupDirect,
      recipients,
      name,
      last_message_id: null,
    };
    this.#keep(channel);
    return channel;
  }

  post(channel: Channel, author: User, content: string, extras: Extras = {}): Message {
    const { replyTo, ...rest } = extras;
    const answered = replyTo === undefined ? undefined : this.message(channel.id, replyTo);
    const message: Message = {
      id: this.snowflake(),
      channel_id: channel.id,
      author,
      content,
      timestamp: new Date().toISOString(),
      edited_timestamp: null,
      tts: false,
      mention_everyone: /@(everyone|here)/.test(content),
      mentions: this.#mentioned(content),
      mention_roles: [...content.matchAll(/<@&(\d+)>/g)].map(([, id]) => id!),
      attachments: [],
      embeds: [],
      pinned: false,
      type: replyTo === undefined ? 0 : 19,
      ...rest,
      ...(replyTo !== undefined && {
        message_reference: { message_id: replyTo, channel_id: channel.id },
        referenced_message: answered ?? null,
      }),
    };
    this.said(channel.id).push(message);
    channel.last_message_id = message.id;
    this.tell("MESSAGE_CREATE", this.announcement(message));
    return message;
  }

  edit(message: Message, content: string): void {
    message.content = content;
    message.edited_timestamp = new Date().toISOString();
    this.tell("MESSAGE_UPDATE", this.announcement(message));
  }

  remove(message: Message): void {
    const all = this.said(message.channel_id);
    all.splice(all.indexOf(message), 1);
    const guild_id = this.channels.get(message.channel_id)?.guild_id;
    this.tell("MESSAGE_DELETE", { id: message.id, channel_id: message.channel_id, guild_id });
  }

  react(message: Message, user: User, emoji: Emoji, isAdded = true): void {
    const me = user.id === this.self.id;
    const others = message.reactions?.filter((known) => known.emoji.name !== emoji.name) ?? [];
    message.reactions = isAdded ? [...others, { emoji, count: 1, me }] : others;
    const guild_id = this.channels.get(message.channel_id)?.guild_id;
    this.tell(isAdded ? "MESSAGE_REACTION_ADD" : "MESSAGE_REACTION_REMOVE", {
      user_id: user.id,
      channel_id: message.channel_id,
      message_id: message.id,
      guild_id,
      emoji,
      burst: false,
      type: 0,
      ...(guild_id !== undefined && isAdded && { member: this.member(guild_id, user) }),
    });
  }

  said(channelId: string): Message[] {
    const known = this.messages.get(channelId);
    if (known !== undefined) return known;
    const none: Message[] = [];
    this.messages.set(channelId, none);
    return none;
  }

  message(channelId: string, id: string): Message | undefined {
    return this.said(channelId).find((message) => message.id === id);
  }

  member(guildId: string, user: User): Readonly<Record<string, unknown>> {
    const { roles = [], nick = null } = this.guilds.get(guildId)?.members.get(user.id) ?? {};
    return { user, roles, nick, joined_at: new Date(0).toISOString(), deaf: false, mute: false };
  }

  /** A guild as it is handed over to whoever has just connected. */
  wholeGuild(guild: Guild): Readonly<Record<string, unknown>> {
    const all = [...this.channels.values()].filter(({ guild_id }) => guild_id === guild.id);
    const { members: _members, ...rest } = guild;
    return {
      ...rest,
      channels: all.filter((channel) => !isThread(channel)).map(shown),
      threads: all.filter(isThread).map(shown),
      members: [],
      presences: [],
      voice_states: [],
      member_count: guild.members.size + 1,
      large: false,
      unavailable: false,
    };
  }

  /** A message as the gateway tells of it. */
  announcement(message: Message): Readonly<Record<string, unknown>> {
    const guild_id = this.channels.get(message.channel_id)?.guild_id;
    if (guild_id === undefined) return { ...message };
    const { user: _user, ...member } = this.member(guild_id, message.author);
    return { ...message, guild_id, member };
  }

  /** Lets whoever is connected hear of it. */
  tell(t: string, d: Readonly<Record<string, unknown>>): void {
    this.#hear({ t, d });
  }

  #keep(channel: Channel): void {
    this.channels.set(channel.id, channel);
  }

  #mentioned(content: string): User[] {
    const ids = new Set([...content.matchAll(/<@!?(\d+)>/g)].map(([, id]) => id!));
    return [...ids].flatMap((id) => this.users.get(id) ?? []);
  }
}

export function isThread({ type }: Channel): boolean {
  return type === ChannelType.thread;
}

/** A channel without what only the fake knows. */
export function shown({ refusal: _refusal, ...channel }: Channel): Omit<Channel, "refusal"> {
  return channel;
}
