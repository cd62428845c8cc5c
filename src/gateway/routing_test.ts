import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import type { Config } from "../config.ts";
import type { Place, Sender } from "../message.ts";
import { isMain, route, type Tier } from "./routing.ts";

const DM: Place = { channel: "net", accountId: "default", kind: "direct", chatId: "Chat1" };
const GROUP: Place = { ...DM, kind: "group", chatId: "-100" };
const ROOM: Place = { ...DM, kind: "channel", chatId: "R1", spaceId: "S1" };
const ANN: Sender = { id: "Ann", roles: ["11"] };

const agents = { list: [{ id: "main" }, { id: "a" }, { id: "b" }, { id: "z", default: true }] };
type Match = NonNullable<Config["bindings"]>[number]["match"];

Deno.test("routing: the closest binding wins, wherever it is written", () => {
  const ladder: readonly (readonly [Partial<Match>, Tier])[] = [
    [{ peer: { kind: "channel", id: "T1" } }, "peer"],
    [{ peer: { kind: "channel", id: "R1" } }, "parent peer"],
    [{ guildId: "S1", roles: ["11"] }, "roles"],
    [{ guildId: "S1" }, "guild"],
    [{ teamId: "S1" }, "team"],
    [{ accountId: "default" }, "account"],
    [{ accountId: "*" }, "channel"],
  ];
  const place = { ...ROOM, threadId: "T1" };
  for (const [i, [, tier]] of ladder.entries()) {
    const bindings = ladder.slice(i).toReversed().map(([match], j) => ({
      agentId: j === ladder.length - 1 - i ? "a" : "b",
      match: { channel: "net", ...match },
    }));
    const { agentId, matchedBy } = route({ place, sender: ANN }, { agents, bindings });
    deepStrictEqual([agentId, matchedBy], ["a", tier]);
  }
  const { agentId, matchedBy } = route({ place, sender: ANN }, { agents });
  deepStrictEqual([agentId, matchedBy], ["z", "default"]);
});

Deno.test("routing: all that a binding says must be so", () => {
  const missed: readonly (readonly [Partial<Match>, Place])[] = [
    [{ channel: "other" }, DM],
    [{ accountId: "work" }, DM],
    [{}, { ...DM, accountId: "work" }],
    [{ peer: { kind: "group", id: "Ann" } }, DM],
    [{ peer: { kind: "direct", id: "ann" } }, DM],
    [{ peer: { kind: "direct", id: "*" } }, DM],
    [{ peer: { kind: "direct", id: "Ann" }, guildId: "S1" }, DM],
    [{ guildId: "S2" }, ROOM],
    [{ guildId: "S1", roles: ["12"] }, ROOM],
    [{ guildId: "S1", peer: { kind: "channel", id: "R2" } }, ROOM],
  ];
  for (const [match, place] of missed) {
    const bindings = [{ agentId: "a", match: { channel: "net", ...match } }];
    strictEqual(route({ place, sender: ANN }, { agents, bindings }).matchedBy, "default");
  }
});

Deno.test("routing: people write ids as numbers, with the network's name, and dm for direct", () => {
  const met: readonly (readonly [Partial<Match>, Place, Tier])[] = [
    [{ peer: { kind: "dm", id: "Ann" } }, DM, "peer"],
    [{ peer: { kind: "direct", id: "net:Ann" } }, DM, "peer"],
    [{ peer: { kind: "direct", id: "Chat1" } }, DM, "peer"],
    [{ peer: { kind: "group", id: -100 } }, GROUP, "peer"],
    [{ peer: { kind: "group", id: "-100:topic:7" } }, { ...GROUP, threadId: "7" }, "peer"],
    [{ peer: { kind: "group", id: -100 } }, { ...GROUP, threadId: "7" }, "parent peer"],
    [{ accountId: "WORK" }, { ...DM, accountId: "work" }, "account"],
    [{ accountId: "*" }, { ...DM, accountId: "work" }, "channel"],
  ];
  for (const [match, place, tier] of met) {
    const bindings = [{ agentId: "a", match: { channel: "net", ...match } }];
    strictEqual(route({ place, sender: ANN }, { agents, bindings }).matchedBy, tier);
  }
});

Deno.test("routing: a binding without an account is for the network's default account", () => {
  const bindings = [{ agentId: "a", match: { channel: "net" } }];
  const channels = { net: { accounts: { home: {}, work: {} } } };
  const at = (accountId: string) =>
    route({ place: { ...DM, accountId }, sender: ANN }, { agents, bindings, channels }).agentId;
  deepStrictEqual([at("home"), at("work")], ["a", "z"]);
});

Deno.test("routing: conversations are named by place and scope", () => {
  const links = { Anna: ["net:Ann", "other:7"] };
  const named: readonly (readonly [Place, Config["session"], string])[] = [
    [DM, {}, "agent:main:main"],
    [DM, { mainKey: "home" }, "agent:main:home"],
    [DM, { dmScope: "main", identityLinks: links }, "agent:main:main"],
    [DM, { dmScope: "per-peer" }, "agent:main:direct:ann"],
    [DM, { dmScope: "per-peer", identityLinks: links }, "agent:main:direct:anna"],
    [DM, { dmScope: "per-peer", identityLinks: { x: ["ann", "*"] } }, "agent:main:direct:ann"],
    [DM, { dmScope: "per-channel-peer" }, "agent:main:net:direct:ann"],
    [DM, { dmScope: "per-channel-peer", identityLinks: links }, "agent:main:net:direct:anna"],
    [DM, { dmScope: "per-account-channel-peer" }, "agent:main:net:default:direct:ann"],
    [{ ...DM, threadId: "5" }, {}, "agent:main:main:thread:5"],
    [GROUP, {}, "agent:main:net:group:-100"],
    [GROUP, { dmScope: "per-peer" }, "agent:main:net:group:-100"],
    [{ ...GROUP, threadId: "7" }, {}, "agent:main:net:group:-100:topic:7"],
    [ROOM, {}, "agent:main:net:channel:r1"],
    [{ ...ROOM, threadId: "17.5" }, {}, "agent:main:net:channel:r1:thread:17.5"],
    [ROOM, { scope: "global" }, "global"],
  ];
  for (const [place, session, key] of named) {
    strictEqual(route({ place, sender: ANN }, { session }).sessionKey, key);
  }
});

Deno.test("routing: a place that no key can name is a fault of its network", () => {
  throws(
    () => route({ place: { ...GROUP, chatId: "x".repeat(600) }, sender: ANN }, {}),
    /Cannot name the conversation/,
  );
});

Deno.test("routing: knows the main conversation, which several may share", () => {
  strictEqual(isMain(route({ place: DM, sender: ANN }, {}), {}), true);
  strictEqual(isMain(route({ place: GROUP, sender: ANN }, {}), {}), false);
});
