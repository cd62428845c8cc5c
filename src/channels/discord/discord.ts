/** Discord: a bot's account, over its gateway and its REST API. */
import { Check } from "@sinclair/typebox/value";
import type { APIMessage, APIUser, RESTGetAPIGatewayBotResult } from "discord-api-types/v10";
import {
  type Capabilities,
  type Channel,
  ChannelError,
  type ChannelOptions,
  type Deletes,
  type Downloads,
  type Edits,
  type Inbox,
  type Lookup,
  type MenuCommand,
  type MessageRef,
  type Network,
  type Polls,
  type Probe,
  type Reactions,
  type Self,
  type Targets,
  type Typing,
} from "../../channel.ts";
import { pause } from "../../deadline.ts";
import type { Log } from "../../log.ts";
import type { InboundAttachment, OutboundMessage, Place, Receipt } from "../../message.ts";
import { Client, toChannelError } from "./client.ts";
import { measure, TEXT_LIMIT } from "./compose.ts";
import { readSettings, type Settings, SettingsSchema } from "./config.ts";
import { AttachmentRef } from "./convert.ts";
import { Directory } from "./directory.ts";
import { converse, type Ending } from "./gateway.ts";
import { Listener } from "./listen.ts";
import { Memory } from "./memory.ts";
import { idAt } from "./snowflake.ts";
import { Speaker } from "./speak.ts";
import { resolveTarget } from "./targets.ts";

export const network: Network = {
  id: "discord",
  label: "Discord",
  schema: SettingsSchema,
  secrets: [{
    key: "token",
    fileKey: "tokenFile",
    env: "DISCORD_BOT_TOKEN",
    question: "Bot token (discord.com/developers/applications → your application → Bot)",
    isRequired: true,
  }],
  nextSteps: "In the Developer Portal enable Message Content Intent under Bot, invite the bot to " +
    "your server under OAuth2 (scopes bot and applications.commands), then write to it.",
  create: (options) => new DiscordChannel(options),
};

/** How patient a channel is, in milliseconds. */
export interface Pace {
  /** For an answer of the API, and until the gateway lets us in. */
  readonly answerMs: number;
  readonly connectMs: number;
  /** Sessions are not begun more often than this. */
  readonly identifyEveryMs: number;
  /** Between a session that ended and the next: from, and to. */
  readonly betweenMs: readonly [number, number];
}

const PACE: Pace = {
  answerMs: 15_000,
  connectMs: 30_000,
  identifyEveryMs: 5_000,
  betweenMs: [1_000, 5_000],
};
/** A connection that ends sooner has come to nothing. */
const SHORT_MS = 5_000;
const MAX_SHORT = 3;
/** Two heartbeats of Discord's, and a little. */
const SILENT_AFTER_MS = 90_000;
/** Discord speaks of a few minutes. */
const IDEMPOTENT_FOR_MS = 120_000;
/** Five changes of a message in five seconds are allowed. */
const EDIT_EVERY_MS = 1_200;

type Powers =
  & Downloads
  & Edits
  & Deletes
  & Typing
  & Reactions
  & Polls
  & Lookup
  & Probe
  & Targets;

export class DiscordChannel implements Channel, Powers {
  readonly id = "discord";
  readonly accountId: string;
  readonly capabilities: Capabilities;
  readonly hasPolls = true;
  readonly #settings: Settings;
  readonly #pace: Pace;
  readonly #client: Client;
  readonly #directory: Directory;
  readonly #memory: Memory;
  readonly #speaker: Speaker;
  readonly #log: Log;
  readonly #commands: readonly MenuCommand[];

  /** Throws where the settings don't fit the schema. */
  constructor(
    { accountId, settings, values, log, commands = [] }: ChannelOptions,
    pace: Partial<Pace> = {},
  ) {
    this.accountId = accountId;
    this.#settings = readSettings(settings);
    this.#pace = { ...PACE, ...pace };
    this.#log = log;
    this.#commands = commands;
    this.#client = new Client({ ...this.#settings, patienceMs: this.#pace.answerMs });
    this.#directory = new Directory(this.#client);
    this.#memory = new Memory(values);
    this.#speaker = new Speaker({
      settings: this.#settings,
      client: this.#client,
      directory: this.#directory,
      memory: this.#memory,
    });
    this.capabilities = {
      textLimit: TEXT_LIMIT,
      captionLimit: TEXT_LIMIT,
      measure,
      maxUploadBytes: this.#settings.maxUploadBytes,
      idempotentForMs: IDEMPOTENT_FOR_MS,
      silentAfterMs: SILENT_AFTER_MS,
      editEveryMs: EDIT_EVERY_MS,
    };
  }

  async run(inbox: Inbox, signal: AbortSignal): Promise<void> {
    for (let short = 0; !signal.aborted;) {
      inbox.status({ kind: "connecting" });
      const begunAt = performance.now();
      const ending = await this.#converse(inbox, signal);
      if (ending === "stopped") return;
      if (ending === "invalid") {
        this.#memory.session = undefined;
        this.#memory.flush();
      }
      short = performance.now() - begunAt < SHORT_MS ? short + 1 : 0;
      if (short > MAX_SHORT) {
        throw new ChannelError("network", "Discord's gateway ends every session at once");
      }
      const [least, most] = this.#pace.betweenMs;
      if (ending !== "reconnect") await pause(least + Math.random() * (most - least), signal);
    }
  }

  send(message: OutboundMessage, signal: AbortSignal): Promise<Receipt> {
    return this.#speaker.send(message, signal);
  }

  edit(target: MessageRef, text: string, signal: AbortSignal): Promise<Receipt> {
    return this.#speaker.edit(target, text, signal);
  }

  delete(target: MessageRef, signal: AbortSignal): Promise<Receipt> {
    return this.#speaker.delete(target, signal);
  }

  react(target: MessageRef, emoji: string, signal: AbortSignal): Promise<Receipt> {
    return this.#speaker.react(target, emoji, signal);
  }

  typing(place: Place, signal: AbortSignal): Promise<void> {
    return this.#speaker.typing(place, signal);
  }

  find(
    message: OutboundMessage,
    signal: AbortSignal,
  ): Promise<Receipt | "absent" | undefined> {
    return this.#speaker.find(message, signal);
  }

  async probe(signal: AbortSignal): Promise<Self> {
    const { id, global_name, username } = await this.#asking(() =>
      this.#client.call<APIUser>("GET", "/users/@me", { signal })
    );
    return { id, ...(global_name != null && { name: global_name }), username };
  }

  resolve(target: string, signal: AbortSignal): Promise<Place> {
    const parts = {
      accountId: this.accountId,
      client: this.#client,
      directory: this.#directory,
    };
    return this.#asking(() => resolveTarget(target, parts, signal));
  }

  async download(
    { ref, name = "file" }: InboundAttachment,
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array>> {
    if (!Check(AttachmentRef, ref)) throw new Error(`Cannot find '${name}' on Discord`);
    const known = isOver(ref.url) ? undefined : await this.#fetch(ref.url, signal);
    if (known !== undefined) return known;
    // Addresses are good for a day; a new one stands in the message.
    const path = `/channels/${ref.channelId}/messages/${ref.messageId}`;
    const { attachments } = await this.#asking(() =>
      this.#client.call<APIMessage>("GET", path, { signal })
    );
    const fresh = attachments.find(({ id }) => id === ref.id);
    const bytes = fresh && await this.#fetch(fresh.url, signal);
    if (bytes === undefined) throw new Error(`Cannot get '${name}': Discord has it no more`);
    return bytes;
  }

  async #converse(inbox: Inbox, signal: AbortSignal): Promise<Ending> {
    const memory = this.#memory;
    const { token, intents, gatewayUrl } = this.#settings;
    const { session } = memory;
    let isThere = false;
    try {
      const told = session === undefined ? await this.#mayIdentify(signal) : session.url;
      return await converse({
        url: this.#gatewayUrl(gatewayUrl ?? (told || (await this.#askGateway(signal)).url)),
        token,
        intents,
        ...(session && { session }),
        patienceMs: this.#pace.connectMs,
        listen: (over) => {
          const listener = new Listener({
            accountId: this.accountId,
            settings: this.#settings,
            client: this.#client,
            directory: this.#directory,
            memory,
            log: this.#log,
            commands: this.#commands,
            inbox,
            signal: over,
          });
          return (event) => listener.handle(event);
        },
        keep: (sequence) => {
          if (memory.session !== undefined) memory.session = { ...memory.session, sequence };
          memory.flush();
        },
        sign: (kind) => {
          isThere = true;
          inbox.status({ kind });
        },
      }, signal);
    } catch (error) {
      if (signal.aborted) return "stopped";
      // The address to come back to may be gone for good: the API is asked for another one.
      if (!isThere && memory.session?.url) {
        memory.session = { ...memory.session, url: "" };
        memory.flush();
      }
      throw toChannelError(error);
    }
  }

  #askGateway(signal: AbortSignal): Promise<RESTGetAPIGatewayBotResult> {
    return this.#client.call<RESTGetAPIGatewayBotResult>("GET", "/gateway/bot", { signal });
  }

  /** Waits until a session may be begun, and says where. Rejects where there were too many. */
  async #mayIdentify(signal: AbortSignal): Promise<string> {
    const waitMs = this.#memory.identifiedAt + this.#pace.identifyEveryMs - Date.now();
    if (waitMs > 0) await pause(Math.min(waitMs, this.#pace.identifyEveryMs), signal);
    const { url, session_start_limit: limit } = await this.#askGateway(signal);
    if (limit.remaining <= 0) {
      throw new ChannelError("network", "Discord allows this bot no more sessions today", {
        retryAfterMs: limit.reset_after,
      });
    }
    // A first session that came to nothing: what was said since is not lost with it.
    if (this.#memory.identifiedAt > 0) this.#memory.begin(idAt(this.#memory.identifiedAt));
    this.#memory.identifiedAt = Date.now();
    this.#memory.flush();
    return url;
  }

  /** Our token goes there: it must be as safe as the API is. */
  #gatewayUrl(written: string): string {
    const url = URL.parse(written);
    const isSafe = url?.protocol === "wss:" ||
      url?.protocol === "ws:" && this.#settings.apiRoot.startsWith("http:");
    if (url === null || !isSafe) {
      this.#memory.session = undefined;
      this.#memory.flush();
      throw new ChannelError("network", `Discord's gateway has no safe address: '${written}'`);
    }
    url.searchParams.set("v", "10");
    url.searchParams.set("encoding", "json");
    return url.href;
  }

  /** The bytes at an address; `undefined` where there are none any more. */
  async #fetch(
    url: string,
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array> | undefined> {
    const { protocol } = new URL(url);
    if (protocol !== "https:" && !this.#settings.apiRoot.startsWith("http:")) return undefined;
    let response: Response;
    try {
      response = await fetch(url, { redirect: "error", signal });
    } catch (cause) {
      throw new ChannelError("network", "Discord's files can't be reached", { cause });
    }
    if (response.ok && response.body !== null) return response.body;
    await response.body?.cancel();
    if (response.status < 500 && response.status !== 429) return undefined;
    throw new ChannelError("network", `Discord's files answer ${response.status}`);
  }

  async #asking<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      throw toChannelError(error);
    }
  }
}

/** Whether an address has run out, by its own words. */
function isOver(url: string): boolean {
  const until = URL.parse(url)?.searchParams.get("ex");
  return until != null && parseInt(until, 16) * 1000 <= Date.now();
}
