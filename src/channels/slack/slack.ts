/** Slack: one app in one workspace. */
import { Check } from "@sinclair/typebox/value";
import * as Type from "../../../schemas/type.ts";
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
  type MessageRef,
  type Network,
  type Probe,
  type Reactions,
  type Self,
  type Targets,
  type Webhook,
} from "../../channel.ts";
import { pause } from "../../deadline.ts";
import type { InboundAttachment, OutboundMessage, Place, Receipt } from "../../message.ts";
import { asChannelError, asReceipt, CallError, Client } from "./client.ts";
import { measure, TEXT_LIMIT } from "./compose.ts";
import { type Settings, SlackSettings, slackSettings } from "./config.ts";
import { mentionedIn, type Payload, roomOf, type SlackSelf, toInbound } from "./convert.ts";
import { Directory } from "./directory.ts";
import { Memory } from "./memory.ts";
import { listen, PACE, type Pace } from "./socket_mode.ts";
import { Speaker } from "./speak.ts";
import { resolveTarget } from "./targets.ts";
import { readCall } from "./webhook.ts";

/** The network, for the registry. */
export const network: Network = {
  id: "slack",
  label: "Slack",
  schema: SlackSettings,
  secrets: [
    {
      key: "botToken",
      fileKey: "botTokenFile",
      env: "SLACK_BOT_TOKEN",
      question: "The bot's token, xoxb-… (api.slack.com/apps, your app, OAuth & Permissions)",
      isRequired: true,
    },
    {
      key: "appToken",
      fileKey: "appTokenFile",
      env: "SLACK_APP_TOKEN",
      question: "The app's token, xapp-… with connections:write (Basic Information, App-Level " +
        "Tokens); not needed in mode http",
      isRequired: false,
    },
    {
      key: "signingSecret",
      fileKey: "signingSecretFile",
      env: "SLACK_SIGNING_SECRET",
      question: "The signing secret (Basic Information); only needed in mode http",
      isRequired: false,
    },
  ],
  nextSteps:
    "In the app's settings turn Socket Mode on, subscribe to the bot events app_mention, " +
    "message.channels, message.groups, message.im, message.mpim, reaction_added and " +
    "reaction_removed, and enable the Messages Tab in App Home. Then write to the bot in Slack; it " +
    "answers with a code for `openclaw pairing approve slack <code>`. For channels: /invite the " +
    "bot, and allow the channel in `channels.slack.channels`.",
  create: (options) => new SlackChannel(options),
};

/** How long a message waits for the names in it. */
const NAMES_MS = 1500;
/** Slack allows about one change a second, and fifty a minute. */
const EDIT_EVERY_MS = 1500;

const FileRef = Type.Object({
  id: Type.String(),
  url: Type.String(),
  isPage: Type.Boolean(),
});

/** One account: one bot in one workspace. */
export class SlackChannel
  implements Channel, Downloads, Edits, Deletes, Reactions, Lookup, Probe, Targets, Webhook {
  readonly id = "slack";
  readonly accountId: string;
  readonly capabilities: Capabilities;
  readonly #options: ChannelOptions;
  readonly #settings: Settings;
  readonly #pace: Pace;
  readonly #bot: Client;
  readonly #app: Client;
  readonly #directory: Directory;
  readonly #memory: Memory;
  readonly #speaker: Speaker;
  /** Who we are, once Slack has said so. */
  #self: SlackSelf | undefined;
  /** Slack may call several times at once: who waits for names is not overtaken. */
  #arrived: Promise<void> = Promise.resolve();

  /** Throws for settings that the schema does not allow. */
  constructor(options: ChannelOptions, pace: Pace = PACE) {
    this.#options = options;
    this.#settings = slackSettings(options.settings);
    this.#pace = pace;
    this.accountId = options.accountId;
    const { apiUrl, botToken, appToken, maxUploadBytes } = this.#settings;
    const patienceMs = pace.patience;
    this.#bot = new Client({ token: botToken, apiUrl, patienceMs });
    this.#app = new Client({ token: appToken, apiUrl, patienceMs });
    this.#directory = new Directory({ client: this.#bot, log: options.log });
    this.#memory = new Memory(options.values);
    this.#speaker = new Speaker({
      client: this.#bot,
      memory: this.#memory,
      manners: this.#settings,
    });
    this.capabilities = {
      textLimit: TEXT_LIMIT,
      captionLimit: TEXT_LIMIT,
      measure,
      maxUploadBytes,
      idempotentForMs: 0,
      silentAfterMs: this.#settings.mode === "http"
        ? pace.check + pace.patience
        : pace.silence + 2 * pace.pingEvery,
      editEveryMs: EDIT_EVERY_MS,
    };
  }

  async run(inbox: Inbox, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    inbox.status({ kind: "connecting" });
    const { botToken, appToken, signingSecret, mode } = this.#settings;
    if (botToken === "") throw new ChannelError("config", "there is no 'botToken'");
    if (mode === "socket" && appToken === "") {
      throw new ChannelError("config", "Socket Mode needs an 'appToken'");
    }
    if (mode === "http" && signingSecret === undefined) {
      throw new ChannelError("config", "the mode 'http' needs a 'signingSecret'");
    }
    try {
      const self = this.#self = await this.#whoAmI(signal);
      if (mode === "socket") await this.#listen(self, inbox, signal);
      else await this.#beCalled(self, inbox, signal);
    } catch (error) {
      if (!signal.aborted) throw asChannelError(error);
    }
  }

  async respond(request: Request, inbox: Inbox): Promise<Response> {
    const { mode, signingSecret } = this.#settings;
    if (mode !== "http" || signingSecret === undefined) return new Response(null, { status: 404 });
    const call = await readCall(request, { signingSecret, now: Date.now() });
    if (call.kind === "answer") return call.response;
    if (this.#self === undefined) return new Response(null, { status: 503 }); // it calls again
    inbox.status({ kind: "frame" });
    const { signal } = new AbortController(); // what Slack has said is stored, whether it waits or not
    try {
      await this.#take(call.payload, { self: this.#self, inbox, signal });
      return new Response(null, { status: 200 });
    } catch (cause) {
      this.#options.log.warn("Cannot take what Slack says; it will say it again", { cause });
      return new Response(null, { status: 503 });
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

  async react(target: MessageRef, emoji: string, signal: AbortSignal): Promise<Receipt> {
    try {
      const self = await this.#selfOrAsk(signal);
      return await this.#speaker.react(target, emoji, { self, signal });
    } catch (error) {
      return asReceipt(error);
    }
  }

  async find(
    message: OutboundMessage,
    signal: AbortSignal,
  ): Promise<Receipt | "absent" | undefined> {
    try {
      return await this.#speaker.find(message, signal);
    } catch (error) {
      // what the bot may not read, it can't tell
      if (error instanceof CallError && error.fault === "refused") return undefined;
      throw asChannelError(error);
    }
  }

  async probe(signal: AbortSignal): Promise<Self> {
    const { id, name, username } = await this.#orChannelError(() => this.#whoAmI(signal));
    return { id, ...(name && { name }), ...(username && { username }) };
  }

  async download(
    { ref }: InboundAttachment,
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array>> {
    if (!Check(FileRef, ref)) throw new Error("the attachment is not one of Slack's");
    return await this.#orChannelError(async () => {
      // what comes from another workspace is told of without its address
      const url = ref.url || await this.#addressOf(ref.id, signal);
      return await this.#bot.download(url, ref, signal);
    });
  }

  async resolve(target: string, signal: AbortSignal): Promise<Place> {
    return await this.#orChannelError(async () => {
      const self = await this.#selfOrAsk(signal);
      return await resolveTarget(target, {
        accountId: this.accountId,
        client: this.#bot,
        directory: this.#directory,
        self,
      }, signal);
    });
  }

  async #listen(self: SlackSelf, inbox: Inbox, signal: AbortSignal): Promise<void> {
    await listen({
      address: async (abort) => {
        try {
          const { url } = await this.#app.ask((api) => api.apps.connections.open({}), abort);
          if (url === undefined) throw new CallError("lost", "Slack gives no address of a socket");
          return url;
        } catch (error) {
          throw asChannelError(error);
        }
      },
      handle: ({ payload }) => this.#take(payload, { self, inbox, signal }),
      connected: () => inbox.status({ kind: "connected", self }),
      sign: (kind) => inbox.status({ kind }),
      trouble: (detail) => inbox.status({ kind: "trouble", detail }),
      pace: this.#pace,
      log: this.#options.log,
    }, signal);
  }

  /** Slack calls, or not: whether it still lets us in is all that can be asked. */
  async #beCalled(self: SlackSelf, inbox: Inbox, signal: AbortSignal): Promise<void> {
    inbox.status({ kind: "connected", self });
    for (;;) {
      await pause(this.#pace.check, signal);
      if (signal.aborted) return;
      await this.#whoAmI(signal);
      inbox.status({ kind: "heartbeat" });
    }
  }

  /** Resolves once all that it says is stored, also where it says nothing to us. */
  async #take(
    payload: Payload,
    { self, inbox, signal }: { self: SlackSelf; inbox: Inbox; signal: AbortSignal },
  ): Promise<void> {
    const learned = this.#directory.learn(mentionedIn(payload), { ms: NAMES_MS, signal });
    const turn = Promise.all([this.#arrived, learned]);
    this.#arrived = turn.then(() => {}, () => {}); // whoever handed it over hears of it
    await turn;
    const room = roomOf(payload);
    if (room !== undefined) this.#directory.learnKind(room.id, room.kind);
    const message = toInbound(payload, {
      accountId: this.accountId,
      self,
      commandName: this.#settings.commandName,
      now: Date.now(),
      user: (id) => this.#directory.user(id),
      channel: (id) => this.#directory.channel(id),
    });
    if (message === undefined || !this.#isWelcome(message.place)) return;
    const { response_url: url } = payload;
    if (message.kind === "command" && typeof url === "string") {
      const { messageId: id, at } = message;
      this.#memory.keepCommand({ id, url, at, answers: [] });
    }
    await inbox.receive(message);
  }

  #isWelcome({ kind, chatId }: Place): boolean {
    const { hasDirect, hasGroupDirect, groupDirect } = this.#settings;
    if (kind === "direct") return hasDirect;
    if (kind === "channel") return true;
    return hasGroupDirect && (groupDirect.length === 0 || groupDirect.includes(chatId));
  }

  async #whoAmI(signal: AbortSignal): Promise<SlackSelf> {
    const { user_id: id, user, bot_id: botId, team_id: teamId } = await this.#bot.ask(
      (api) => api.auth.test(),
      signal,
    );
    if (id === undefined) throw new CallError("lost", "Slack's answer names no bot");
    return {
      id,
      ...(user === undefined ? {} : { name: user, username: user }),
      ...(botId === undefined ? {} : { botId }),
      ...(teamId === undefined ? {} : { teamId }),
    };
  }

  async #selfOrAsk(signal: AbortSignal): Promise<SlackSelf> {
    return this.#self ??= await this.#whoAmI(signal);
  }

  async #addressOf(id: string, signal: AbortSignal): Promise<string> {
    const { file } = await this.#bot.ask((api) => api.files.info({ file: id }), signal);
    const url = file?.url_private_download ?? file?.url_private;
    if (url === undefined) throw new CallError("refused", "Slack has the file no more");
    return url;
  }

  async #orChannelError<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw asChannelError(error);
    }
  }
}
