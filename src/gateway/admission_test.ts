import { strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { accountOf, DM_POLICIES, GROUP_POLICIES, type Policy } from "../account.ts";
import type { Place, Sender } from "../message.ts";
import { type Admission, admit, type Arrival, type CommandRules, type Rules } from "./admission.ts";

const DM: Place = { channel: "net", accountId: "default", kind: "direct", chatId: "c1" };
const GROUP: Place = { ...DM, kind: "group", chatId: "g1" };
const TOPIC: Place = { ...GROUP, threadId: "t1" };
const ROOM: Place = { ...DM, kind: "channel", chatId: "r1", spaceId: "s1" };

interface Case {
  readonly set?: Record<string, unknown>;
  readonly place?: Place;
  readonly sender?: Partial<Sender>;
  readonly arrival?: Partial<Arrival>;
  readonly rules?: Partial<Rules>;
  readonly commands?: Partial<CommandRules>;
  readonly is: string;
}

/** Each says, for one configuration, who comes in where. `ann` writes unless it says otherwise. */
const CASES: Readonly<Record<string, readonly Case[]>> = {
  "ourselves and other machines": [
    { set: { dmPolicy: "open" }, rules: { selfId: "ann" }, is: "own" },
    { set: { dmPolicy: "open" }, sender: { isBot: true }, is: "bot" },
    { set: { dmPolicy: "open", allowBots: true }, sender: { isBot: true }, is: "admit" },
    {
      set: { dmPolicy: "open", allowBots: true },
      sender: { isBot: true },
      rules: { selfId: "ann" },
      is: "own",
    },
    { set: { groupPolicy: "open" }, place: GROUP, sender: { isBot: true }, is: "bot" },
    machine({ allowBots: "mentions" }, { isMentioned: true }, "admit"),
    machine({ allowBots: "mentions" }, { isAddressed: true }, "bot"),
    machine({ allowBots: "mentions", groups: { g1: { allowBots: false } } }, {
      isMentioned: true,
    }, "bot"),
    machine({ groups: { g1: { allowBots: true } } }, {}, "admit"),
  ],
  "a chat of two": [
    { is: "pair" },
    { set: { dmPolicy: "pairing" }, is: "pair" },
    { set: { allowFrom: ["ann"] }, is: "admit" },
    { set: { allowFrom: ["net:ann"] }, is: "admit" },
    { set: { allowFrom: ["user:ann"] }, is: "admit" },
    { set: { allowFrom: ["*"] }, is: "admit" },
    { set: { allowFrom: ["Ann"] }, is: "pair" },
    { set: { allowFrom: ["other:ann"] }, is: "pair" },
    { set: { allowFrom: ["an"] }, is: "pair" },
    {
      set: { allowFrom: ["@ann", "Annie"] },
      sender: { name: "Annie", username: "ann" },
      is: "pair",
    },
    { rules: { isApproved: true }, is: "admit" },
    { set: { dmPolicy: "allowlist" }, is: "dm-not-listed" },
    { set: { dmPolicy: "allowlist" }, rules: { isApproved: true }, is: "admit" },
    { set: { dmPolicy: "allowlist", allowFrom: ["ann"] }, is: "admit" },
    { set: { dmPolicy: "open" }, is: "admit" },
    { set: { dmPolicy: "disabled", allowFrom: ["*"] }, is: "dm-disabled" },
    { set: { dmPolicy: "disabled" }, rules: { isApproved: true }, is: "dm-disabled" },
    { set: { dm: { enabled: false }, allowFrom: ["ann"] }, is: "dm-disabled" },
    { set: { dm: { policy: "allowlist", allowFrom: ["ann"] } }, is: "admit" },
    { set: { dm: { policy: "allowlist", allowFrom: ["bob"] } }, is: "dm-not-listed" },
    { set: { groupAllowFrom: ["ann"] }, is: "pair" },
  ],
  "whatever it is, the gate is the same": [
    { arrival: { kind: "button" }, is: "pair" },
    { arrival: { kind: "command", isCommand: true }, is: "pair" },
    { arrival: { kind: "reaction", isAddressed: true }, is: "pairing" },
    { set: { dmPolicy: "allowlist" }, arrival: { kind: "button" }, is: "dm-not-listed" },
    { set: { dmPolicy: "allowlist" }, arrival: { kind: "reaction" }, is: "dm-not-listed" },
    { place: GROUP, arrival: { kind: "button" }, is: "group-not-listed" },
    { place: GROUP, arrival: { kind: "command", isCommand: true }, is: "group-not-listed" },
    {
      set: { groups: { g1: {} } },
      place: GROUP,
      arrival: { kind: "reaction", isAddressed: true },
      is: "sender-not-listed",
    },
  ],
  "a group": [
    { place: GROUP, is: "group-not-listed" },
    { place: GROUP, rules: { isApproved: true }, is: "group-not-listed" },
    { set: { groups: { g1: {} } }, place: GROUP, is: "sender-not-listed" },
    {
      set: { groups: { g1: {} } },
      place: GROUP,
      rules: { isApproved: true },
      is: "sender-not-listed",
    },
    { set: { groups: { g1: {} }, groupAllowFrom: ["ann"] }, place: GROUP, is: "admit" },
    { set: { groups: { "*": {} }, groupAllowFrom: ["ann"] }, place: GROUP, is: "admit" },
    { set: { groups: { g2: {} }, groupAllowFrom: ["ann"] }, place: GROUP, is: "group-not-listed" },
    {
      set: { groups: { Family: {} }, groupAllowFrom: ["*"] },
      place: GROUP,
      is: "group-not-listed",
    },
    { set: { groups: { g1: {} }, allowFrom: ["ann"] }, place: GROUP, is: "admit" },
    {
      set: { groups: { g1: {} }, allowFrom: ["ann"], groupAllowFrom: ["bob"] },
      place: GROUP,
      is: "sender-not-listed",
    },
    { set: { groups: { g1: {} }, groupAllowFrom: ["*"] }, place: GROUP, is: "admit" },
    { set: { groups: { g1: { allowFrom: ["ann"] } } }, place: GROUP, is: "admit" },
    {
      set: { groups: { g1: { allowFrom: ["bob"] } }, groupAllowFrom: ["ann"] },
      place: GROUP,
      is: "sender-not-listed",
    },
    {
      set: { groups: { "*": { allowFrom: ["ann"] }, g1: { requireMention: true } } },
      place: GROUP,
      is: "admit",
    },
    {
      set: { groups: { g1: { enabled: false } }, groupAllowFrom: ["*"] },
      place: GROUP,
      is: "group-off",
    },
    { set: { groupPolicy: "open" }, place: GROUP, is: "admit" },
    { set: { groupPolicy: "open", groupAllowFrom: ["bob"] }, place: GROUP, is: "admit" },
    {
      set: { groupPolicy: "open", groups: { g1: { enabled: false } } },
      place: GROUP,
      is: "group-off",
    },
    {
      set: { groupPolicy: "open", groups: { g1: { allowFrom: ["bob"] } } },
      place: GROUP,
      is: "sender-not-listed",
    },
    {
      set: { groupPolicy: "disabled", groups: { g1: {} }, groupAllowFrom: ["*"] },
      place: GROUP,
      is: "groups-disabled",
    },
    { set: { dmPolicy: "disabled", groupPolicy: "open" }, place: GROUP, is: "admit" },
    {
      set: { groups: { __proto__: {} } },
      place: { ...GROUP, chatId: "__proto__" },
      is: "group-not-listed",
    },
    { set: { groups: { g1: {} } }, place: { ...GROUP, chatId: "*" }, is: "group-not-listed" },
  ],
  "a topic": [
    {
      set: { groups: { g1: { topics: { t1: { enabled: false } } } }, groupAllowFrom: ["*"] },
      place: TOPIC,
      is: "group-off",
    },
    {
      set: { groups: { g1: { allowFrom: ["bob"], topics: { t1: { allowFrom: ["ann"] } } } } },
      place: TOPIC,
      is: "admit",
    },
    { set: { groups: { g1: { allowFrom: ["ann"] } } }, place: TOPIC, is: "admit" },
    {
      set: { groups: { g1: { allowFrom: ["ann"], topics: { t1: { allowFrom: ["bob"] } } } } },
      place: { ...TOPIC, threadId: "t2" },
      is: "admit",
    },
  ],
  "a server with rooms": [
    { place: ROOM, is: "group-not-listed" },
    { set: { guilds: { s1: {} } }, place: ROOM, is: "admit" },
    { set: { guilds: { "*": {} } }, place: ROOM, is: "admit" },
    { set: { guilds: { s2: {} } }, place: ROOM, is: "group-not-listed" },
    { set: { guilds: { s1: { channels: { r1: {} } } } }, place: ROOM, is: "admit" },
    { set: { guilds: { s1: { channels: { r2: {} } } } }, place: ROOM, is: "group-not-listed" },
    {
      set: { guilds: { s1: { channels: { r1: { allow: false } } } } },
      place: ROOM,
      is: "group-off",
    },
    { set: { guilds: { s1: { users: ["bob"] } } }, place: ROOM, is: "sender-not-listed" },
    { set: { guilds: { s1: { users: ["ann"], channels: { r1: {} } } } }, place: ROOM, is: "admit" },
    {
      set: { guilds: { s1: { users: ["ann"], channels: { r1: { users: ["bob"] } } } } },
      place: ROOM,
      is: "sender-not-listed",
    },
    {
      set: { guilds: { s1: { roles: [11] } } },
      place: ROOM,
      sender: { roles: ["11"] },
      is: "admit",
    },
    {
      set: { guilds: { s1: { roles: ["11"] } } },
      place: ROOM,
      sender: { roles: ["1"] },
      is: "sender-not-listed",
    },
    named({ guilds: { s1: { channels: { "small-talk": {} } } } }, "admit"),
    named({ guilds: { s1: { channels: { "#small-talk": {} } } } }, "admit"),
    named({ guilds: { s1: { channels: { "Small Talk": {} } } } }, "admit"),
    named(
      { guilds: { s1: { channels: { "small-talk": {} } } }, dangerouslyAllowNameMatching: false },
      "group-not-listed",
    ),
    named({ guilds: { s1: { channels: { talk: {} } } } }, "group-not-listed"),
    named({ guilds: { s2: { channels: { "small-talk": {} } } } }, "group-not-listed"),
    named({ guilds: { s1: { channels: { SMALLTALK: {} } } } }, "group-not-listed", "smalltalk"),
    named({ guilds: { s1: { channels: { "🎉": {} } } } }, "group-not-listed", "🎈"),
    named({ channels: { "#small-talk": {} } }, "admit"),
    named({ channels: { "#small-talk": { enabled: false } } }, "group-off"),
    named({ channels: { "#small-talk": {}, r1: { enabled: false } } }, "group-off"),
    named({ groups: { "#small-talk": {} }, groupAllowFrom: ["*"] }, "group-not-listed"),
    {
      set: { channels: { "#small-talk": {} } },
      place: { ...ROOM, title: "#small-talk" },
      is: "group-not-listed",
    },
    { set: { channels: { r1: {} } }, place: ROOM, is: "admit" },
    { set: { channels: { r1: { enabled: false } } }, place: ROOM, is: "group-off" },
    { set: { channels: { r1: { users: ["bob"] } } }, place: ROOM, is: "sender-not-listed" },
  ],
  "a group that is spoken to": [
    unaddressed({}, "not-addressed"),
    unaddressed({ requireMention: false }, "admit"),
    unaddressed({ groups: { g1: { requireMention: false } } }, "admit"),
    unaddressed({ groups: { "*": { requireMention: false }, g1: {} } }, "admit"),
    unaddressed(
      { requireMention: false, groups: { g1: { requireMention: true } } },
      "not-addressed",
    ),
    { ...unaddressed({}, "admit"), rules: { activation: "always" } },
    {
      ...unaddressed({ requireMention: false }, "not-addressed"),
      rules: { activation: "mention" },
    },
    { ...unaddressed({}, "admit"), arrival: { isAddressed: false, kind: "button" } },
    { ...unaddressed({ groupPolicy: "allowlist" }, "group-not-listed") },
  ],
  "commands": [
    command({}, DM, "pair"),
    command({ allowFrom: ["ann"] }, DM, "admit"),
    { ...command({}, DM, "admit"), rules: { isApproved: true } },
    command({ dmPolicy: "open" }, DM, "command-not-allowed"),
    command({ dmPolicy: "open", allowFrom: ["*"] }, DM, "admit"),
    command({ groupPolicy: "open" }, GROUP, "command-not-allowed"),
    {
      ...command({ groupPolicy: "open" }, GROUP, "command-not-allowed"),
      rules: { isApproved: true },
    },
    command({ groupPolicy: "open", groupAllowFrom: ["ann"] }, GROUP, "admit"),
    command({ groupPolicy: "open", groupAllowFrom: ["*"] }, GROUP, "command-not-allowed"),
    command({ groupPolicy: "open", allowFrom: ["ann"], groupAllowFrom: ["bob"] }, GROUP, "admit"),
    command({ groups: { g1: { allowFrom: ["ann"] } } }, GROUP, "admit"),
    command({ guilds: { s1: {} } }, ROOM, "command-not-allowed"),
    command({ guilds: { s1: { users: ["ann"] } } }, ROOM, "admit"),
    { ...command({ guilds: { s1: { roles: ["1"] } } }, ROOM, "admit"), sender: { roles: ["1"] } },
    { ...command({ groupPolicy: "open" }, GROUP, "admit"), commands: { owners: ["net:ann"] } },
    { ...command({ groupPolicy: "open" }, GROUP, "admit"), commands: { isByAccess: false } },
    { ...command({ groupPolicy: "open" }, GROUP, "admit"), commands: { allowFrom: ["ann"] } },
    { ...command({ allowFrom: ["ann"] }, DM, "command-not-allowed"), commands: { allowFrom: [] } },
    { ...command({}, GROUP, "group-not-listed"), commands: { owners: ["ann"] } },
  ],
  "reactions": [
    reaction({}, { isAddressed: true }, "admit"),
    reaction({}, { isAddressed: false }, "reaction-to-others"),
    reaction({ reactionNotifications: "all" }, { isAddressed: false }, "admit"),
    reaction({ reactionNotifications: "off" }, { isAddressed: true }, "reactions-off"),
    reaction({ reactionNotifications: "allowlist" }, { isAddressed: true }, "admit"),
  ],
};

for (const [name, cases] of Object.entries(CASES)) {
  Deno.test(`admission: ${name}`, () => {
    for (const each of cases) {
      strictEqual(outcomeOf(each), each.is, JSON.stringify(each));
    }
  });
}

Deno.test("admission: an approval for a chat of two, and names, never open a group", () => {
  const names = fc.record({ name: fc.string(), username: fc.string(), title: fc.string() });
  fc.assert(fc.property(
    fc.constantFrom(...DM_POLICIES),
    fc.constantFrom(...GROUP_POLICIES),
    fc.array(fc.constantFrom("ann", "bob", "*"), { maxLength: 2 }),
    fc.array(fc.constantFrom("ann", "bob"), { maxLength: 2 }),
    fc.constantFrom("message", "command", "button", "reaction"),
    names,
    (dmPolicy, groupPolicy, allowFrom, groupAllowFrom, kind, { name, username, title }) => {
      const set = { dmPolicy, groupPolicy, allowFrom, groupAllowFrom, groups: { g1: {} } };
      const place = { ...GROUP, title };
      const base: Omit<Case, "is"> = { set, place, arrival: { kind } };
      const plain = outcomeOf({ ...base, is: "" });
      strictEqual(outcomeOf({ ...base, rules: { isApproved: true }, is: "" }), plain);
      strictEqual(outcomeOf({ ...base, sender: { name, username }, is: "" }), plain);
      if (groupPolicy !== "open" && !groupAllowFrom.includes("ann")) {
        strictEqual(plain === "admit", false);
      }
    },
  ));
});

function outcomeOf(each: Case): string {
  const admission = decide(each);
  return admission.verdict === "skip" ? admission.reason : admission.verdict;
}

function decide({ set = {}, place = DM, sender, arrival, rules, commands }: Case): Admission {
  return admit(
    {
      kind: "message",
      place,
      sender: { id: "ann", ...sender },
      isAddressed: true,
      isMentioned: false,
      isCommand: false,
      ...arrival,
    },
    {
      policy: policyOf(set),
      isApproved: false,
      commands: { owners: [], isByAccess: true, ...commands },
      ...rules,
    },
  );
}

function policyOf(set: Record<string, unknown>): Policy {
  const account = accountOf({ channels: { net: set } }, "net", "default");
  if (account === undefined) throw new Error("there is one");
  return account.policy;
}

function unaddressed(set: Record<string, unknown>, is: string): Case {
  return {
    set: { groupPolicy: "open", ...set },
    place: GROUP,
    arrival: { isAddressed: false },
    is,
  };
}

/** Another machine says it, in a group that is open. */
function machine(set: Record<string, unknown>, arrival: Partial<Arrival>, is: string): Case {
  return {
    set: { groupPolicy: "open", ...set },
    place: GROUP,
    sender: { isBot: true },
    arrival,
    is,
  };
}

/** In a room that has a name. */
function named(set: Record<string, unknown>, is: string, roomName = "Small Talk"): Case {
  return { set: { dangerouslyAllowNameMatching: true, ...set }, place: { ...ROOM, roomName }, is };
}

function command(set: Record<string, unknown>, place: Place, is: string): Case {
  return { set, place, arrival: { isCommand: true, isAddressed: false }, is };
}

function reaction(set: Record<string, unknown>, arrival: Partial<Arrival>, is: string): Case {
  return {
    set: { groupPolicy: "open", ...set },
    place: GROUP,
    arrival: { kind: "reaction", ...arrival },
    is,
  };
}
