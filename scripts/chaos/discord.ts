/** Discord, as chaos sees it. */
import { type FakeDiscord, startFakeDiscord } from "../../tests/fakes/discord.ts";
import { type ChaosNetwork, type Chat, FAULT_TIMES, Seen } from "./network.ts";

const PEOPLE = 6;
/** What is acknowledged, is so with a heartbeat. */
const HEARTBEAT_MS = 400;
const SENDING = /^POST \/channels\/\d+\/messages$/;

const { once, few } = FAULT_TIMES;

/** Starts it. */
export function chaosDiscord(): ChaosNetwork {
  const fake = startFakeDiscord({ heartbeatMs: HEARTBEAT_MS, identifies: 1_000_000 });
  const { world } = fake;
  const people = Array.from({ length: PEOPLE }, (_, n) => world.addUser(`person${n}`));
  const guild = world.addGuild("Everybody");
  const room = world.addChannel(guild, "general");
  const direct = people.map((user): Chat & { user: typeof user } => ({
    id: world.direct(user).id,
    to: `user:${user.id}`,
    user,
  }));
  const seen = new Seen();
  let [handed, heard, requests, sent, said] = [0, 0, 0, 0, 0];

  const look = () => {
    for (const { t, d } of fake.gateway.handed.slice(handed)) {
      handed++;
      if (t !== "MESSAGE_CREATE") continue;
      seen.came(String(d.channel_id), String(d.id), "handed");
      seen.moments.happened("handed");
    }
    for (const { op } of fake.gateway.heard.slice(heard)) {
      heard++;
      if (op === 1 || op === 6) seen.moments.happened("acknowledged");
    }
    for (const { method, path } of fake.rest.requests.slice(requests)) {
      requests++;
      if (SENDING.test(`${method} ${path}`)) seen.moments.happened("called");
    }
    for (const message of fake.sent.slice(sent)) {
      sent++;
      const { channel_id: chat, id, message_reference } = message;
      seen.show({
        chat,
        id,
        get text() {
          return message.content; // edits are made to it
        },
        replyTo: message_reference?.message_id,
      });
    }
    return undefined;
  };
  void fake.until(look); // as long as the fake lives

  const faults = faultsOf(fake);
  return {
    id: "discord",
    settings: {
      token: fake.token,
      apiRoot: fake.apiRoot,
      dmPolicy: "open",
      allowFrom: ["*"],
      groupPolicy: "open",
      guilds: { "*": { requireMention: false } },
    },
    chats: [...direct, { id: room.id, to: `channel:${room.id}` }],
    shown: seen.shown,
    moments: seen.moments,
    faults: Object.keys(faults),
    say(chat, text) {
      const user = direct.find(({ id }) => id === chat)?.user;
      const message = user === undefined
        ? world.post(room, people[said % PEOPLE]!, text)
        : fake.say(user, text);
      said++;
      return message.id;
    },
    fate(chat, messageId) {
      // which sequence numbers were acknowledged, the fake knows
      const isHanded = seen.fate(chat, messageId) === "handed";
      if (isHanded && fake.gateway.isAcknowledged(messageId)) {
        seen.came(chat, messageId, "acknowledged");
      }
      return seen.fate(chat, messageId);
    },
    begin: (fault) => faults[fault]?.(),
    isShuffled: () => false,
    mend: () => {
      fake.gateway.release();
      fake.mend();
    },
    [Symbol.asyncDispose]: () => fake[Symbol.asyncDispose](),
  };
}

function faultsOf(fake: FakeDiscord): Readonly<Record<string, () => void>> {
  const { gateway, rest } = fake;
  const lost = { kind: "status", status: 502, body: "<html>Bad Gateway</html>" } as const;
  return {
    "send: too many": () => rest.fault(SENDING, { kind: "limit", retryAfterMs: 700 }, few),
    "send: too many in all": () =>
      rest.fault(SENDING, { kind: "limit", retryAfterMs: 500, isGlobal: true }, once),
    "send: 502": () => rest.fault(SENDING, lost, few),
    "send: 502 and done": () => rest.fault(SENDING, { ...lost, isDone: true }, few),
    "send: half": () => rest.fault(SENDING, { kind: "half" }, once),
    "send: garbage": () => rest.fault(SENDING, { kind: "garbage" }, once),
    "send: stall": () => rest.fault(SENDING, { kind: "stall" }, once),
    "any: 500": () => rest.fault(/./, { kind: "status", status: 500 }, few),
    "gateway: unknown error": () => gateway.close(4000, "Unknown error."),
    "gateway: session timed out": () => gateway.close(4009, "Session timed out."),
    "gateway: reconnect": () => gateway.reconnect(),
    "gateway: invalid": () => gateway.invalidate(),
    "gateway: invalid, resumable": () => gateway.invalidate(true),
    "gateway: forgets": () => gateway.expire(),
    "gateway: zombie": () => gateway.rules.isZombie = true,
    "gateway: mute": () => gateway.rules.isMute = true,
    "gateway: holds": () => gateway.hold(),
    "line: refuse": () => fake.setLine("refuse"),
    "line: cut": () => fake.setLine("cut"),
    "line: silence": () => fake.setLine("silence"),
    "line: garbage": () => fake.setLine("garbage"),
    drop: () => fake.cut(),
  };
}
