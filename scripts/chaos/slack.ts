/** Slack, as chaos sees it. */
import { type FakeSlack, startFakeSlack } from "../../tests/fakes/slack.ts";
import { type ChaosNetwork, type Chat, FAULT_TIMES, Seen } from "./network.ts";

const PEOPLE = 6;
const ROOM = "C0EVERYBODY";
/** Handing over again is of all that ever was: fine for a while. */
const MAX_REDELIVERED = 400;
/** As real ones, but less patient: a message that is not acknowledged is handed over again. */
const PATIENCE = { acknowledgeMs: 1_500, farewellMs: 500 };

const { once, few } = FAULT_TIMES;

/** Starts it. */
export function chaosSlack(): ChaosNetwork {
  const fake = startFakeSlack(PATIENCE);
  const { world } = fake;
  const people = Array.from({ length: PEOPLE }, (_, n) => `U0PERSON0${n}`);
  for (const id of people) world.users.set(id, { id, name: id.toLowerCase(), realName: id });
  fake.addChannel({ id: ROOM, kind: "channel", name: "everybody", isMember: true });
  const direct = people.map((user): Chat & { user: string } => ({
    id: world.direct(user).id,
    to: `user:${user}`,
    user,
  }));
  const seen = new Seen();
  let [read, said] = [0, 0];

  const look = () => {
    for (const entry of fake.journal.slice(read)) {
      read++;
      switch (entry.kind) {
        case "handed":
        case "acknowledged":
          seen.came(String(entry.channel), String(entry.ts), entry.kind);
          seen.moments.happened(entry.kind);
          break;
        case "called":
          if (entry.method === "chat.postMessage") seen.moments.happened("called");
          break;
        case "sent": {
          const { ts, text, thread_ts: replyTo } = entry.message;
          seen.show({ chat: entry.channel, id: ts, text, replyTo });
          break;
        }
        case "edited": {
          const { ts: id, text } = entry.message;
          seen.edit({ chat: entry.channel, id, text });
        }
      }
    }
    return undefined;
  };
  const watching = fake.until(look).catch(() => {}); // until the fake ends

  const faults = faultsOf(fake);
  return {
    id: "slack",
    settings: {
      mode: "socket",
      botToken: fake.botToken,
      appToken: fake.appToken,
      apiUrl: fake.apiUrl,
      dmPolicy: "open",
      allowFrom: ["*"],
      groupPolicy: "open",
      channels: { "*": { requireMention: false } },
    },
    chats: [...direct, { id: ROOM, to: `channel:${ROOM}` }],
    shown: seen.shown,
    moments: seen.moments,
    faults: [...Object.keys(faults), "redeliver", "reorder"],
    say(chat, text) {
      const user = direct.find(({ id }) => id === chat)?.user ?? people[said % PEOPLE]!;
      const { ts } = fake.say(text, { channel: chat, user });
      said++;
      seen.said(chat, ts);
      return ts;
    },
    fate: (chat, ts) => seen.fate(chat, ts),
    begin(fault) {
      if (fault === "redeliver") {
        if (said <= MAX_REDELIVERED) fake.deliveries.redeliver();
      } else if (fault === "reorder") {
        fake.deliveries.hold(); // in the opposite order when it is mended
      } else faults[fault]?.();
    },
    isShuffled: (chat) => seen.isShuffled(chat),
    mend() {
      if (fake.deliveries.isHeld) seen.shuffle();
      fake.deliveries.release({ reversed: fake.deliveries.isHeld });
      fake.mend();
    },
    async [Symbol.asyncDispose]() {
      await fake[Symbol.asyncDispose]();
      await watching;
    },
  };
}

function faultsOf(fake: FakeSlack): Readonly<Record<string, () => void>> {
  const send = "chat.postMessage";
  return {
    "send: too many": () => fake.fail(send, { kind: "limit", retryAfterSeconds: 1 }, few),
    "send: 503 and done": () => fake.fail(send, { kind: "status", status: 503 }, once),
    "send: internal error": () => fake.fail(send, { kind: "error", error: "internal_error" }, once),
    "send: half": () => fake.fail(send, { kind: "half" }, once),
    "send: nonsense": () => fake.fail(send, { kind: "nonsense", body: "{" }, once),
    "send: stall": () => fake.fail(send, { kind: "stall" }, once),
    "send: late": () => fake.fail(send, { kind: "late", ms: 900 }, few),
    "connect: too many": () =>
      fake.fail("apps.connections.open", { kind: "limit", retryAfterSeconds: 1 }, once),
    "connect: stall": () => fake.fail("apps.connections.open", { kind: "stall" }, once),
    "socket: refresh": () => fake.deliveries.disconnect("refresh_requested"),
    "socket: warning": () => fake.deliveries.disconnect("warning"),
    "socket: babble": () => fake.deliveries.babble(`{"type":`),
    "socket: drop": () => fake.deliveries.drop(),
    "line: refuse": () => fake.line.set("refuse"),
    "line: cut": () => fake.line.set("cut"),
    "line: silence": () => fake.line.set("silence"),
    "line: garbage": () => fake.line.set("garbage"),
    drop: () => fake.line.cut(),
  };
}
