/** Telegram, as chaos sees it. */
import { type FakeTelegram, startFakeTelegram } from "../../tests/fakes/telegram.ts";
import { type ChaosNetwork, type Chat, FAULT_TIMES, Seen } from "./network.ts";

const PEOPLE = 6;
const GROUP = -1_001_000_000_001;
/** Handing over again is of all that ever was: fine for a while. */
const MAX_REDELIVERED = 400;
/** Updates that one answer holds: in another order, more would be lost by the network itself. */
const PAGE = 100;

const { once, few } = FAULT_TIMES;

/** Starts it. */
export function chaosTelegram(): ChaosNetwork {
  const fake = startFakeTelegram();
  fake.addChat({ id: GROUP, type: "supergroup", title: "Everybody" });
  const people = Array.from({ length: PEOPLE }, (_, n) => ({
    id: 1_000 + n,
    is_bot: false,
    first_name: `Person ${n}`,
  }));
  for (const { id, first_name } of people) fake.addChat({ id, type: "private", first_name });
  const direct = people.map(({ id }): Chat => ({ id: String(id), to: String(id) }));
  const seen = new Seen();
  let [read, said] = [0, 0];

  const look = () => {
    for (const entry of fake.journal.slice(read)) {
      read++;
      switch (entry.kind) {
        case "handed":
        case "acknowledged":
          seen.came(String(entry.chatId), String(entry.messageId), entry.kind);
          seen.moments.happened(entry.kind);
          break;
        case "called":
          if (entry.method.startsWith("send") && entry.method !== "sendChatAction") {
            seen.moments.happened("called");
          }
          break;
        case "sent": {
          const { chat, message_id: id, text = "", reply_to_message: to } = entry.message;
          const replyTo = (to as { message_id: number } | undefined)?.message_id;
          seen.show({
            chat: String(chat.id),
            id: String(id),
            text,
            ...(replyTo === undefined ? {} : { replyTo: String(replyTo) }),
          });
          break;
        }
        case "edited": {
          const { chat, message_id: id, text = "" } = entry.message;
          seen.edit({ chat: String(chat.id), id: String(id), text });
        }
      }
    }
    return undefined;
  };
  const watching = fake.until(look).catch(() => {}); // until the fake ends

  const faults = faultsOf(fake);
  return {
    id: "telegram",
    settings: {
      botToken: fake.token,
      apiRoot: fake.url,
      dmPolicy: "open",
      allowFrom: ["*"],
      groupPolicy: "open",
      groups: { "*": { requireMention: false } },
      timeoutSeconds: 5,
    },
    chats: [...direct, { id: String(GROUP), to: String(GROUP) }],
    shown: seen.shown,
    moments: seen.moments,
    faults: [...Object.keys(faults), "redeliver", "reorder"],
    say(chat, text) {
      const from = people.find(({ id }) => String(id) === chat) ?? people[said % PEOPLE]!;
      const { messageId } = fake.say(text, { chat: Number(chat), from });
      said++;
      seen.said(chat, String(messageId));
      return String(messageId);
    },
    fate: (chat, messageId) => seen.fate(chat, messageId),
    begin(fault) {
      if (fault === "redeliver") {
        if (said <= MAX_REDELIVERED) fake.redeliver();
      } else if (fault === "reorder") {
        if (seen.waiting > PAGE) return;
        seen.shuffle();
        fake.reorder();
      } else faults[fault]?.();
    },
    isShuffled: (chat) => seen.isShuffled(chat),
    mend: () => fake.mend(),
    async [Symbol.asyncDispose]() {
      await fake[Symbol.asyncDispose]();
      await watching;
    },
  };
}

function faultsOf(fake: FakeTelegram): Readonly<Record<string, () => void>> {
  const tooMany = (seconds: number) => ({
    kind: "error" as const,
    code: 429,
    description: `Too Many Requests: retry after ${seconds}`,
    parameters: { retry_after: seconds },
  });
  const broken = { kind: "error", code: 500, description: "Internal Server Error" } as const;
  const nonsense = { kind: "nonsense", body: `{"ok":true,"result":` } as const;
  return {
    "send: too many": () => fake.fail("sendMessage", tooMany(1), few),
    "send: 500": () => fake.fail("sendMessage", broken, few),
    "send: bad gateway": () => fake.fail("sendMessage", { kind: "bad gateway" }, once),
    "send: half": () => fake.fail("sendMessage", { kind: "half" }, once),
    "send: nonsense": () => fake.fail("sendMessage", nonsense, once),
    "send: stall": () => fake.fail("sendMessage", { kind: "stall" }, once),
    "poll: too many": () => fake.fail("getUpdates", tooMany(1), once),
    "poll: 500": () => fake.fail("getUpdates", broken, once),
    "poll: bad gateway": () => fake.fail("getUpdates", { kind: "bad gateway" }, once),
    "poll: half": () => fake.fail("getUpdates", { kind: "half" }, once),
    "poll: nonsense": () => fake.fail("getUpdates", nonsense, once),
    "poll: stall": () => fake.fail("getUpdates", { kind: "stall" }, once),
    "line: refuse": () => fake.line.set("refuse"),
    "line: cut": () => fake.line.set("cut"),
    "line: silence": () => fake.line.set("silence"),
    "line: garbage": () => fake.line.set("garbage"),
    drop: () => fake.line.cut(),
  };
}
