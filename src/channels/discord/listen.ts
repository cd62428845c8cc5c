/** Deals with the events of Discord's gateway, one after the other, each stored before the next. */
import type {
  APIGuildMember,
  APIInteraction,
  GatewayDispatchPayload,
  GatewayGuildCreateDispatchData,
  GatewayReadyDispatchData,
} from "discord-api-types/v10";
import { createHash } from "node:crypto";
import type { Inbox, MenuCommand } from "../../channel.ts";
import { Deadline } from "../../deadline.ts";
import type { Log } from "../../log.ts";
import type { InboundMessage } from "../../message.ts";
import { missedIn, patiently } from "./catch_up.ts";
import { ApiError, type Client } from "./client.ts";
import { EPHEMERAL, toMenu } from "./compose.ts";
import type { Settings } from "./config.ts";
import {
  type AnyMessage,
  type Surroundings,
  toDelete,
  toEdit,
  toInteraction,
  toMessage,
  toReaction,
} from "./convert.ts";
import type { Directory } from "./directory.ts";
import type { Memory } from "./memory.ts";
import { Recent } from "../recent.ts";
import { byAge, idAt, isId, timeOf } from "./snowflake.ts";

export interface ListenerParts {
  readonly accountId: string;
  readonly settings: Settings;
  readonly client: Client;
  readonly directory: Directory;
  readonly memory: Memory;
  readonly log: Log;
  readonly commands: readonly MenuCommand[];
  readonly inbox: Inbox;
  /** Aborts when nothing needs to be dealt with any more. */
  readonly signal: AbortSignal;
}

/** What was said shortly before the youngest message that we know of, may have been missed too. */
const OVERLAP_MS = 60_000;
/** How far back a direct chat is read that we did not know of. */
const STRANGER_MS = 24 * 60 * 60_000;
/** Channels of one guild that are read after a session was lost. */
const MAX_CHANNELS = 50;
const MAX_MEMBERS = 200;
/** An interaction that has no answer by then is over. */
const INTERACTION_MS = 3_000;
const Callback = { deferredAnswer: 5, deferredUpdate: 6 } as const;
/** It was answered in an earlier life, when the same interaction was handed over. */
const ALREADY_ACKNOWLEDGED = 40060;

interface Where {
  readonly channel_id: string;
  readonly guild_id?: string;
}

export class Listener {
  readonly #parts: ListenerParts;
  /** Roles of those who wrote while we were away. */
  readonly #members = new Recent<string, Pick<APIGuildMember, "nick" | "roles"> | undefined>(
    MAX_MEMBERS,
  );

  /** The direct chat that is got to know: it is known once all is read that was missed in it. */
  #meeting: string | undefined;

  constructor(parts: ListenerParts) {
    this.#parts = parts;
  }

  /** Resolves once the event is stored, or needs not be. Rejects where it can't be. */
  async handle(event: GatewayDispatchPayload): Promise<void> {
    switch (event.t) {
      case "READY":
        return await this.#ready(event.d);
      case "RESUMED":
        return this.#connected();
      case "GUILD_CREATE":
        this.#understand(event, () => this.#parts.directory.learn(event));
        return await this.#catchUpGuild(event.d);
      case "MESSAGE_CREATE":
        await this.#meet(event.d);
        if (this.#parts.signal.aborted) return; // it comes again, behind what was not read
        return await this.#message(event.d);
      case "MESSAGE_UPDATE":
        await this.#receive(event, (around) => toEdit(event.d, around));
        return;
      case "MESSAGE_DELETE":
        await this.#receive(event, (around) => toDelete(event.d, Date.now(), around));
        return;
      case "MESSAGE_DELETE_BULK":
        for (const id of Array.isArray(event.d.ids) ? event.d.ids : []) {
          await this.#receive(event, (around) => toDelete({ ...event.d, id }, Date.now(), around));
        }
        return;
      case "MESSAGE_REACTION_ADD":
      case "MESSAGE_REACTION_REMOVE": {
        const name = { eventId: this.#nameOf(event), at: Date.now() };
        const isAdded = event.t === "MESSAGE_REACTION_ADD";
        await this.#receive(event, (around) => toReaction(event.d, { ...name, isAdded }, around));
        return;
      }
      case "INTERACTION_CREATE":
        return await this.#interaction(event);
      default:
        this.#understand(event, () => this.#parts.directory.learn(event));
    }
  }

  async #ready(ready: GatewayReadyDispatchData): Promise<void> {
    const { memory, signal } = this.#parts;
    const { user, application, guilds } = ready;
    // The first session may have been long in coming: nobody waits for answers from before.
    if (memory.self === undefined) memory.beginLater(idAt(Date.now() - OVERLAP_MS));
    memory.self = {
      id: user.id,
      ...(user.global_name != null && { name: user.global_name }),
      username: user.username,
      applicationId: application?.id ?? user.id,
    };
    // An earlier gap that was not closed reaches further back.
    const after = memory.gap?.after ?? memory.seen;
    memory.gap = after === undefined
      ? undefined
      : { ...memory.gap, after, guilds: guilds.map(({ id }) => id) };
    if (after !== undefined) memory.missedSince ??= after;
    memory.begin(idAt(Date.now()));
    this.#connected();
    await this.#register();
    const directs = memory.gap === undefined ? [] : memory.directs;
    for (const id of directs) await this.#catchUpChannel({ channel_id: id });
    this.#closeGap();
    if (signal.aborted) return;
    // Only now it can be resumed: until here it would have to be done again.
    memory.session = { id: ready.session_id, url: ready.resume_gateway_url, sequence: 0 };
  }

  #connected(): void {
    const { inbox, memory } = this.#parts;
    if (memory.self === undefined) return;
    const { id, name, username } = memory.self;
    inbox.status({ kind: "connected", self: { id, name, username } });
  }

  /** Offers the commands in Discord's own menu, where they are not what it shows already. */
  async #register(): Promise<void> {
    const { settings, client, memory, commands, log, signal } = this.#parts;
    if (!settings.hasNativeCommands || commands.length === 0) return;
    const body = toMenu(commands);
    const applicationId = settings.applicationId ?? memory.self?.applicationId;
    // With another token we are another application, which shows none of them yet.
    const print = createHash("sha256").update(JSON.stringify([applicationId, body]))
      .digest("base64url");
    if (memory.commands === print) return;
    try {
      await client.call("PUT", `/applications/${applicationId}/commands`, { body, signal });
      memory.commands = print;
    } catch (cause) {
      if (!(cause instanceof ApiError)) throw cause;
      log.warn("Discord did not take the menu of commands", { cause });
    }
  }

  /** What was said in a guild while no session was there. */
  async #catchUpGuild(guild: GatewayGuildCreateDispatchData): Promise<void> {
    const { gap } = this.#parts.memory;
    if (gap === undefined || !gap.guilds.includes(guild.id) || guild.unavailable) return;
    const spoken = this.#understand({ t: "GUILD_CREATE" }, () => spokenIn(guild, gap.after)) ?? [];
    if (spoken.length > MAX_CHANNELS) this.#tooMuch(guild.id);
    for (const channelId of spoken.slice(0, MAX_CHANNELS)) {
      await this.#catchUpChannel({ channel_id: channelId, guild_id: guild.id });
    }
    this.#closeGap(guild.id);
  }

  async #catchUpChannel(where: Where): Promise<void> {
    const { memory, signal } = this.#parts;
    const { gap } = memory;
    if (gap === undefined || signal.aborted) return;
    const after = gap.read?.[where.channel_id] ?? this.#shortlyBefore(gap.after);
    await this.#readAfter(after, where, (id) => {
      if (memory.gap === undefined) return;
      memory.gap = { ...memory.gap, read: { ...memory.gap.read, [where.channel_id]: id } };
      memory.flush(); // who is interrupted again and again must get to the end, too
    });
  }

  /**
   * Discord lists direct chats to nobody: in one that we did not know of when a session was lost,
   * what was said then is read when somebody writes there again, before that.
   */
  async #meet({ channel_id, guild_id }: AnyMessage): Promise<void> {
    const { missedSince } = this.#parts.memory;
    const isKnown = guild_id !== undefined || this.#parts.memory.knowsDirect(channel_id);
    if (isKnown || missedSince === undefined || !isId(channel_id)) return;
    const since = youngest(this.#shortlyBefore(missedSince), idAt(Date.now() - STRANGER_MS));
    this.#meeting = channel_id;
    try {
      await this.#readAfter(since, { channel_id });
    } finally {
      this.#meeting = undefined;
    }
  }

  /** Where to begin to read for what was perhaps missed since a message. */
  #shortlyBefore(messageId: string): string {
    const since = idAt(timeOf(messageId) - OVERLAP_MS);
    return youngest(this.#parts.memory.beginning ?? since, since);
  }

  /** `done` hears of each message that was dealt with. */
  async #readAfter(
    after: string,
    where: Where,
    done: (messageId: string) => void = () => {},
  ): Promise<void> {
    const { client, signal } = this.#parts;
    const cut = () => this.#tooMuch(where.channel_id);
    for await (const message of missedIn(where.channel_id, { client, after, cut }, signal)) {
      if (signal.aborted) return;
      const member = await this.#memberOf(message.author?.id, where.guild_id);
      if (signal.aborted) return; // nobody has said which roles they have
      await this.#message({ ...message, ...where, ...(member && { member }) });
      if (isId(message.id)) done(message.id);
    }
  }

  /** A guild, or everything but guilds, is up to date. */
  #closeGap(guildId?: string): void {
    const { memory, signal } = this.#parts;
    if (memory.gap === undefined || signal.aborted) return;
    const guilds = memory.gap.guilds.filter((id) => id !== guildId);
    memory.gap = guilds.length === 0 ? undefined : { ...memory.gap, guilds };
  }

  #tooMuch(where: string): void {
    const { inbox, log } = this.#parts;
    log.warn("More was said on Discord while we were away than is read", { where });
    inbox.status({ kind: "trouble", detail: "some of what was said meanwhile was not read" });
  }

  /** The roles decide who may talk to us; lists of messages don't say them. */
  async #memberOf(userId: string | undefined, guildId: string | undefined) {
    const { client, signal, memory } = this.#parts;
    if (userId === undefined || guildId === undefined || userId === memory.self?.id) {
      return undefined;
    }
    const path = `/guilds/${guildId}/members/${userId}`;
    if (!this.#members.has(path)) {
      const ask = () => client.call<APIGuildMember>("GET", path, { signal });
      const member = await patiently(ask, signal);
      if (!signal.aborted) this.#members.set(path, member);
    }
    return this.#members.get(path);
  }

  async #message(message: AnyMessage): Promise<void> {
    const { memory, settings } = this.#parts;
    const event = { t: "MESSAGE_CREATE", d: message };
    if (message.author?.id === memory.self?.id) {
      if (typeof message.nonce === "string") memory.hearEcho(message.nonce, message.id);
    } else {
      await this.#receive(event, (around) => {
        const inbound = toMessage(message, around);
        return inbound?.place.kind === "group" && !isWanted(inbound, settings)
          ? undefined
          : inbound;
      });
    }
    const { channel_id: channelId, guild_id } = message;
    if (!isId(message.id) || !isId(channelId)) return;
    const isDirect = guild_id === undefined && channelId !== this.#meeting;
    memory.see(message.id, { channelId, isDirect });
  }

  async #interaction(event: { t: string; d: APIInteraction }): Promise<void> {
    const { memory } = this.#parts;
    const { id, token, channel, guild_id } = event.d;
    const channelId = channel?.id ?? event.d.channel_id;
    const inbound = await this.#receive(
      { ...event, d: { channel_id: channelId, guild_id } },
      (around) => toInteraction(event.d, around),
    );
    if (inbound === undefined) return;
    const isCommand = inbound.kind === "command";
    // One that is handed over again may have its answer already.
    const isKnown = memory.interactions.some((known) => known.id === id);
    if (isCommand && !isKnown) memory.saveInteraction({ id, token, at: timeOf(id) });
    const told = this.#acknowledge({ id, token, isCommand });
    memory.announce(id, told);
    await told;
  }

  async #acknowledge(
    { id, token, isCommand }: { id: string; token: string; isCommand: boolean },
  ): Promise<void> {
    const { client, signal, memory, log, settings } = this.#parts;
    using deadline = new Deadline(INTERACTION_MS, signal);
    try {
      await client.call("POST", `/interactions/${id}/${encodeURIComponent(token)}/callback`, {
        body: isCommand
          ? {
            type: Callback.deferredAnswer,
            data: settings.hasEphemeralCommands ? { flags: EPHEMERAL } : {},
          }
          : { type: Callback.deferredUpdate },
        signal: deadline.signal,
      });
    } catch (cause) {
      if (!(cause instanceof ApiError)) throw cause;
      if (cause.code === ALREADY_ACKNOWLEDGED) return;
      log.warn("Discord was not told in time that we have a command", { cause });
      if (cause.fault === "rejected") memory.forgetInteraction(id);
    }
  }

  /** Stores what `convert` makes of an event; what is nothing to us or no event, is passed over. */
  async #receive(
    event: { readonly t: string; readonly d: { channel_id?: string; guild_id?: string } },
    convert: (around: Surroundings) => InboundMessage | undefined,
  ): Promise<InboundMessage | undefined> {
    const { inbox, directory, memory, accountId, signal } = this.#parts;
    const { channel_id: channelId, guild_id: guildId } = event.d;
    if (typeof channelId !== "string" || memory.self === undefined) return undefined;
    await directory.prepare({ channelId, guildId }, signal);
    const around: Surroundings = {
      accountId,
      selfId: memory.self.id,
      channel: (id) => directory.channel(id),
      role: (guild, id) => directory.role(guild, id),
    };
    const inbound = this.#understand(event, () => convert(around));
    if (inbound !== undefined) await inbox.receive(inbound);
    return inbound;
  }

  /** What Discord would never send must not stop what comes after it. */
  #understand<T>({ t }: { readonly t: string }, read: () => T): T | undefined {
    try {
      return read();
    } catch (cause) {
      this.#parts.log.warn(`An event of Discord could not be understood: ${t}`, { cause });
      return undefined;
    }
  }

  /** The same when it is handed over again. */
  #nameOf({ s }: { readonly s: number }): string {
    return `${this.#parts.memory.session?.id}:${s}`;
  }
}

function youngest(a: string, b: string): string {
  return byAge(a, b) < 0 ? b : a;
}

/** Channels in which something was said after a message, the freshest first. */
function spokenIn(
  { channels, threads }: Pick<GatewayGuildCreateDispatchData, "channels" | "threads">,
  after: string,
): string[] {
  return [...channels, ...threads].flatMap((channel) => {
    const last = "last_message_id" in channel ? channel.last_message_id : undefined;
    return last == null || byAge(last, after) <= 0 ? [] : { id: channel.id, last };
  }).sort((a, b) => byAge(b.last, a.last)).map(({ id }) => id);
}

/** Group chats are for those who asked for them. */
function isWanted({ place }: InboundMessage, { hasGroupDirect, groupDirect }: Settings): boolean {
  return hasGroupDirect && (groupDirect.length === 0 || groupDirect.includes(place.chatId));
}
