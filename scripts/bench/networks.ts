/** Messaging networks for the gateway to be on, in the load generator's process. */
import { type FakeDiscord, startFakeDiscord } from "../../tests/fakes/discord.ts";
import { type FakeSlack, startFakeSlack } from "../../tests/fakes/slack.ts";
import { type FakeTelegram, startFakeTelegram } from "../../tests/fakes/telegram.ts";
import { type Address, Connection } from "./wire.ts";

/** What stands under `channels`. */
export type Channels = Readonly<Record<string, unknown>>;

/** What can be ordered of networks, and what comes back. Times are milliseconds. */
export interface NetworkOrders {
  /** Starts one of each. */
  networks(): Promise<Channels>;
  /** Starts Telegram alone, or beside networks that hear us and say nothing, noise, or goodbye. */
  telegram(order: { sick: boolean }): Promise<Channels>;
  /** Resolves when the gateway is on so many networks. */
  connected(order: Address & { count: number }): Promise<void>;
  /**
   * People write to Telegram, so many at once and more when all are answered, each in a chat of their
   * own and by turns: what it took from the handing over of each message until its answer was there.
   */
  replies(order: Talk): Promise<{ replyMs: readonly number[] }>;
  /** Somebody sends a file on Telegram. Resolves when it is answered. */
  receiveFile(order: { bytes: number }): Promise<void>;
  /** The gateway sends a file on Telegram. Resolves when it is there. */
  sendFile(order: Address & { file: string }): Promise<void>;
}

/** How many people write at once, and how often; and among how many they are, if that is more. */
interface Talk {
  readonly chats: number;
  readonly rounds: number;
  readonly among?: number;
}

const OPEN = { dmPolicy: "open", allowFrom: ["*"] } as const;
const PERSON = 1_000;
/** No network takes longer to be reached. */
const CONNECT_MS = 30_000;

/** The networks of one load generator. */
export class Networks implements NetworkOrders {
  #telegram: FakeTelegram | undefined;

  networks(): Promise<Channels> {
    return Promise.resolve({
      telegram: this.#start(),
      discord: discordOf(startFakeDiscord()),
      slack: slackOf(startFakeSlack()),
    });
  }

  telegram({ sick }: { sick: boolean }): Promise<Channels> {
    const telegram = this.#start();
    if (!sick) return Promise.resolve({ telegram });
    const [silent, noisy, leaving] = [startFakeTelegram(), startFakeDiscord(), startFakeSlack()];
    silent.line.set("silence");
    noisy.setLine("garbage");
    leaving.line.set("cut");
    return Promise.resolve({
      telegram: { ...OPEN, accounts: { well: telegram, silent: telegramOf(silent) } },
      discord: discordOf(noisy),
      slack: slackOf(leaving),
    });
  }

  async connected({ count, ...address }: Address & { count: number }): Promise<void> {
    const connection = await Connection.open(address);
    const deadline = performance.now() + CONNECT_MS;
    for (;;) {
      const answer = JSON.parse(await connection.ask("channels.status", {}));
      const accounts: readonly { connected?: boolean }[] = Object.values(
        answer.payload.channelAccounts,
      ).flat() as { connected?: boolean }[];
      if (accounts.filter(({ connected }) => connected).length >= count) break;
      if (performance.now() > deadline) throw new Error(`Not connected: ${JSON.stringify(answer)}`);
      await pause(20);
    }
    await connection.close();
  }

  async replies(
    { chats, rounds, among = chats }: Talk,
  ): Promise<{ replyMs: readonly number[] }> {
    const fake = this.#require();
    const replyMs: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const from = fake.journal.length;
      for (let n = 0; n < chats; n++) {
        const person = (round * chats + n) % among;
        const id = PERSON + person;
        fake.say("hello", { from: { id, is_bot: false, first_name: `Person ${person}` } });
      }
      let [at, answered] = [from, 0];
      const handed = new Map<number, number>();
      await fake.until(() => {
        for (const entry of fake.journal.slice(at)) {
          at++;
          if (entry.kind === "handed" && entry.chatId !== undefined) {
            if (!handed.has(entry.chatId)) handed.set(entry.chatId, entry.at);
          } else if (entry.kind === "sent") {
            replyMs.push(entry.at - (handed.get(entry.message.chat.id) ?? NaN));
            answered++;
          }
        }
        return answered === chats;
      });
      await pause(5); // so that the last one is done with
    }
    return { replyMs };
  }

  async receiveFile({ bytes }: { bytes: number }): Promise<void> {
    const fake = this.#require();
    fake.addFile("large", { size: bytes });
    const before = fake.sent.length;
    fake.say("", {
      caption: "a file",
      document: { file_id: "large", file_unique_id: "large", file_name: "a.bin", file_size: bytes },
    });
    await fake.until(() => fake.sent.length > before);
  }

  async sendFile({ file, ...address }: Address & { file: string }): Promise<void> {
    const fake = this.#require();
    fake.addChat({ id: PERSON, type: "private", first_name: "Person" });
    const connection = await Connection.open(address);
    const answer = JSON.parse(
      await connection.ask("send", {
        channel: "telegram",
        to: String(PERSON),
        mediaUrl: file,
        idempotencyKey: crypto.randomUUID(),
      }),
    );
    await connection.close();
    if (answer.ok !== true) throw new Error(`The file was not sent: ${JSON.stringify(answer)}`);
  }

  #start() {
    this.#telegram = startFakeTelegram({ maxDownloadBytes: Infinity });
    return telegramOf(this.#telegram);
  }

  #require(): FakeTelegram {
    if (this.#telegram === undefined) throw new Error("There is no Telegram: order it first");
    return this.#telegram;
  }
}

function telegramOf({ token, url }: FakeTelegram) {
  return { ...OPEN, botToken: token, apiRoot: url, mediaMaxMb: 100 };
}

function discordOf({ token, apiRoot }: FakeDiscord) {
  return { ...OPEN, token, apiRoot };
}

function slackOf({ botToken, appToken, apiUrl }: FakeSlack) {
  return { ...OPEN, botToken, appToken, apiUrl };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
