/** Discord passes the suite of all channels, on a Discord of our own. */
import {
  type Channel as Chat,
  type FakeDiscord,
  startFakeDiscord,
} from "../../../tests/fakes/discord.ts";
import {
  channelContract,
  type FakeNetwork,
  type Fault,
  NO_LOG,
} from "../../../tests/channel_contract.ts";
import type { KeyValues } from "../../store.ts";
import { DiscordChannel } from "./discord.ts";

const QUICK = { answerMs: 800, connectMs: 1500, identifyEveryMs: 0, betweenMs: [0, 10] } as const;

channelContract("discord", () => {
  const discord = startFakeDiscord({ heartbeatMs: 600, askEveryMs: 50 });
  const ada = discord.world.addUser("ada");
  const chat = discord.world.direct(ada);
  return {
    network: new ContractNetwork(discord, chat),
    place: { channel: "discord", accountId: "default", kind: "direct", chatId: chat.id },
    create: (values) => channelOn(discord, values),
  };
});

function channelOn(
  discord: FakeDiscord,
  values: KeyValues,
  settings: Readonly<Record<string, unknown>> = {},
): DiscordChannel {
  return new DiscordChannel({
    accountId: "default",
    settings: { token: discord.token, apiRoot: discord.apiRoot, ...settings },
    values,
    log: NO_LOG,
  }, QUICK);
}

/** The fake as the contract's suite sees it: one chat of two. */
class ContractNetwork implements FakeNetwork {
  readonly #discord: FakeDiscord;
  readonly #chat: Chat;

  constructor(discord: FakeDiscord, chat: Chat) {
    this.#discord = discord;
    this.#chat = chat;
  }

  get sent() {
    return this.#discord.sent.map(({ id, content }) => ({ id, text: content }));
  }

  get shown() {
    const { world } = this.#discord;
    return world.said(this.#chat.id).filter(({ author }) => author.id === world.self.id)
      .map(({ id, content }) => ({ id, text: content }));
  }

  /** Who has never been here hears nothing of what was said before. */
  async say(text: string) {
    await this.#discord.until(() => this.#discord.gateway.sessions > 0);
    const [ada] = this.#chat.recipients ?? [];
    return this.#discord.world.post(this.#chat, ada!, text).id;
  }

  echo(text: string) {
    this.#discord.world.post(this.#chat, this.#discord.world.self, text);
    return Promise.resolve();
  }

  isAcknowledged(messageId: string) {
    return this.#discord.gateway.isAcknowledged(messageId);
  }

  async acknowledged(messageId: string) {
    await this.#discord.until(() => this.isAcknowledged(messageId));
  }

  redeliver() {
    const { world, gateway } = this.#discord;
    gateway.tellNext(
      world.said(this.#chat.id).map((message) => ({
        t: "MESSAGE_CREATE",
        d: world.announcement(message),
      })),
    );
    return Promise.resolve();
  }

  babble() {
    const { gateway } = this.#discord;
    gateway.sendRaw(`{"op":42,"d":null}`);
    gateway.dispatch("MESSAGE_CREATE", {});
    gateway.dispatch("MESSAGE_CREATE", { id: 7, channel_id: { is: "no id" }, author: null });
    gateway.dispatch("MESSAGE_CREATE", {
      id: this.#discord.world.snowflake(),
      channel_id: this.#chat.id,
      author: { id: "1" },
      content: null,
      type: 0,
    });
    gateway.dispatch("MESSAGE_UPDATE", { id: "1", channel_id: this.#chat.id });
    gateway.dispatch("GUILD_CREATE", { id: "1" });
    gateway.dispatch("INTERACTION_CREATE", { id: "1", channel_id: this.#chat.id, type: 99 });
    gateway.dispatch("VOICE_CHANNEL_EFFECT_SEND", { guild_id: "1" });
    gateway.dispatch("SOMETHING_NEW", { answer: [42] });
    return Promise.resolve();
  }

  async sendArrived() {
    const before = this.#discord.sent.length;
    await this.#discord.until(() => this.#discord.sent.length > before);
  }

  fault(fault: Fault) {
    const { gateway, rest } = this.#discord;
    switch (fault.kind) {
      case "refuse":
      case "cut":
      case "silence":
      case "garbage":
        this.#discord.setLine(fault.kind);
        break;
      case "unavailable":
        rest.fault(/./, { kind: "status", status: 503, isDone: true }, Infinity);
        gateway.rules.closeWith = 4000;
        gateway.close(4000, "Unknown error.");
        break;
      case "rate_limit":
        rest.fault(/./, { kind: "limit", retryAfterMs: fault.retryAfterMs }, Infinity);
        gateway.rules.closeWith = 4008;
        gateway.close(4008, "You are being rate limited.");
        break;
      case "revoked":
        this.#discord.revoke();
        break;
      case "reject":
        this.#chat.refusal = 50007;
    }
    return Promise.resolve();
  }

  mend() {
    this.#chat.refusal = undefined;
    this.#discord.mend();
    return Promise.resolve();
  }

  async [Symbol.asyncDispose]() {
    await this.#discord[Symbol.asyncDispose]();
  }
}
