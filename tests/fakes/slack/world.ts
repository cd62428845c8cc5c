/** What there is in a workspace of Slack: people, conversations, messages and files. */

export interface User {
  readonly id: string;
  /** The handle. */
  readonly name: string;
  readonly realName: string;
  readonly displayName?: string;
  readonly isBot?: boolean;
}

export interface Channel {
  readonly id: string;
  readonly kind: "im" | "mpim" | "channel" | "group";
  /** All but chats of two have one. */
  readonly name?: string;
  /** Whom the bot speaks to in a chat of two. */
  readonly user?: string;
  /** The bot is in it. */
  readonly isMember: boolean;
  readonly isArchived?: boolean;
}

/** A message as the API and events show it. */
export interface Message {
  readonly type: "message";
  readonly ts: string;
  readonly text: string;
  readonly user?: string;
  readonly bot_id?: string;
  readonly subtype?: string;
  readonly thread_ts?: string;
  readonly edited?: { readonly user: string; readonly ts: string };
  readonly files?: readonly unknown[];
  readonly blocks?: readonly unknown[];
  readonly metadata?: unknown;
  readonly [field: string]: unknown;
}

/** A file; one of people's has bytes, or as many zeros as `size` says. */
export interface StoredFile {
  readonly id: string;
  readonly name: string;
  readonly size: number;
  readonly mimetype: string;
  readonly bytes?: Uint8Array<ArrayBuffer>;
  /** Of what the bot sent. */
  readonly sha256?: string;
  readonly shares: { readonly channel: string; readonly ts: string }[];
}

/** Who speaks unless a test says otherwise. */
export const ANNA: User = {
  id: "U0ANNA001",
  name: "anna",
  realName: "Anna Lind",
  displayName: "Anna",
};

export const TEAM = "T0TEAM001";
export const APP = "A0APP0001";

/** The workspace and who is in it. The bot is, from the start. */
export class World {
  readonly me: User = { id: "U0BOT0001", name: "openclaw", realName: "OpenClaw", isBot: true };
  readonly botId = "B0BOT0001";
  readonly users = new Map<string, User>([[ANNA.id, ANNA], [this.me.id, this.me]]);
  readonly channels = new Map<string, Channel>();
  readonly messages = new Map<string, Message[]>();
  readonly files = new Map<string, StoredFile>();
  readonly reactions: { channel: string; ts: string; user: string; name: string }[] = [];
  #lastTs = 0;
  #nextId = 1;

  /** Later than any before, as Slack's clock writes it. */
  ts(): string {
    this.#lastTs = Math.max(this.#lastTs + 1, Date.now() * 1000);
    const digits = String(this.#lastTs);
    return `${digits.slice(0, -6)}.${digits.slice(-6)}`;
  }

  id(letter: string): string {
    return `${letter}0NEW${String(this.#nextId++).padStart(5, "0")}`;
  }

  /** The chat of two with somebody, opened if it was not. */
  direct(user: string): Channel {
    const found = [...this.channels.values()].find((channel) =>
      channel.kind === "im" && channel.user === user
    );
    if (found !== undefined) return found;
    const channel: Channel = { id: this.id("D"), kind: "im", user, isMember: true };
    this.channels.set(channel.id, channel);
    return channel;
  }

  add(channel: string, message: Message): void {
    const said = this.messages.get(channel) ?? [];
    said.push(message);
    this.messages.set(channel, said);
  }

  find(channel: string, ts: string): Message | undefined {
    return this.messages.get(channel)?.find((message) => message.ts === ts);
  }

  replace(channel: string, message: Message): void {
    const said = this.messages.get(channel) ?? [];
    const at = said.findIndex(({ ts }) => ts === message.ts);
    if (at >= 0) said[at] = message;
  }

  remove(channel: string, ts: string): void {
    this.messages.set(
      channel,
      (this.messages.get(channel) ?? []).filter((message) => message.ts !== ts),
    );
  }
}

/** A file as the API and events show it. */
export function shownFile(file: StoredFile, url: string): Record<string, unknown> {
  const link = `${url}/files-pri/${TEAM}-${file.id}`;
  const shares: Record<string, { ts: string }[]> = {};
  for (const { channel, ts } of file.shares) (shares[channel] ??= []).push({ ts });
  return {
    id: file.id,
    name: file.name,
    title: file.name,
    mimetype: file.mimetype,
    filetype: file.name.split(".").at(-1),
    size: file.size,
    mode: "hosted",
    is_external: false,
    url_private: `${link}/${encodeURIComponent(file.name)}`,
    url_private_download: `${link}/download/${encodeURIComponent(file.name)}`,
    shares: { private: shares },
  };
}

export function shownUser({ id, name, realName, displayName = "", isBot = false }: User) {
  return {
    id,
    team_id: TEAM,
    name,
    deleted: false,
    real_name: realName,
    is_bot: isBot,
    profile: { real_name: realName, display_name: displayName },
  };
}

export function shownChannel({ id, kind, name, user, isMember, isArchived = false }: Channel) {
  return {
    id,
    ...(name === undefined ? {} : { name }),
    ...(user === undefined ? {} : { user }),
    is_channel: kind === "channel",
    is_group: kind === "group",
    is_im: kind === "im",
    is_mpim: kind === "mpim",
    is_private: kind !== "channel",
    is_archived: isArchived,
    is_member: isMember,
  };
}
