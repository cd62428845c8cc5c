/** Whether a message of a network may reach an agent: one decision for all networks. */
import { isListed, type Policy, roomKey, type RoomPolicy } from "../account.ts";
import type { InboundMessage, Place, Sender } from "../message.ts";

/** Why a message is not for the agent. */
export const SKIPS = [
  "own",
  "bot",
  "dm-disabled",
  "dm-not-listed",
  "pairing",
  "groups-disabled",
  "group-off",
  "group-not-listed",
  "sender-not-listed",
  "not-addressed",
  "command-not-allowed",
  "reactions-off",
  "reaction-to-others",
] as const;
export type Skip = typeof SKIPS[number];

/** What is asked to come in. */
export interface Arrival {
  readonly kind: Exclude<InboundMessage["kind"], "edit" | "delete">;
  readonly place: Place;
  readonly sender: Sender;
  /** We are meant: by a mention, by an answer to what we said, or by our name. */
  readonly isAddressed: boolean;
  /** It names us as the network does it: an answer to what we said does not count. */
  readonly isMentioned: boolean;
  /** It is for the gateway itself: a command. */
  readonly isCommand: boolean;
}

/** Who may use commands besides those who may talk to us. Ids as people write them. */
export interface CommandRules {
  readonly owners: readonly string[];
  /** Where it is there, only these and the owners may. */
  readonly allowFrom?: readonly string[];
  /** `false`: whoever may talk to us may use commands too. */
  readonly isByAccess: boolean;
}

export interface Rules {
  readonly policy: Policy;
  readonly commands: CommandRules;
  /** Who we are on the network; absent as long as it has not told. */
  readonly selfId?: string;
  /** The owner let them write to us directly. Says nothing of groups. */
  readonly isApproved: boolean;
  /** What the conversation itself was told of mentions. */
  readonly activation?: "always" | "mention";
}

/** `pair`: the sender may ask the owner for leave. */
export type Admission =
  | { readonly verdict: "admit" }
  | { readonly verdict: "pair" }
  | { readonly verdict: "skip"; readonly reason: Skip };

const ADMIT: Admission = { verdict: "admit" };
const skip = (reason: Skip): Admission => ({ verdict: "skip", reason });

/**
 * Decides by ids: what people call themselves or their groups counts for nothing. Only a room may be
 * listed by the name that those who run its space have given it, where the owner wants that.
 */
export function admit(arrival: Arrival, rules: Rules): Admission {
  const { kind, place, sender } = arrival;
  const { policy, selfId } = rules;
  if (sender.id === selfId) return skip("own");
  if (sender.isBot === true) {
    const allowsBots = roomOf(policy, place)?.allowsBots ?? policy.allowsBots;
    const isHeard = allowsBots === "always" || allowsBots === "mentioned" && arrival.isMentioned;
    if (!isHeard) return skip("bot");
  }
  const entry = place.kind === "direct" ? enterDirect(arrival, rules) : enterGroup(arrival, rules);
  if (entry !== ADMIT) return entry;
  if (kind === "reaction" && policy.reactionNotifications === "off") return skip("reactions-off");
  if (kind === "reaction" && policy.reactionNotifications === "own" && !arrival.isAddressed) {
    return skip("reaction-to-others");
  }
  if (arrival.isCommand) return mayCommand(arrival, rules) ? ADMIT : skip("command-not-allowed");
  if (kind === "message" && place.kind !== "direct" && !arrival.isAddressed) {
    const needsMention = rules.activation === undefined
      ? roomOf(policy, place)?.requiresMention ?? policy.requiresMention
      : rules.activation === "mention";
    if (needsMention) return skip("not-addressed");
  }
  return ADMIT;
}

/** Whether somebody who may talk to us in a place may give us commands there. */
export function mayCommand(
  { place, sender }: Pick<Arrival, "place" | "sender">,
  { policy, commands, isApproved }: Rules,
): boolean {
  const { channel } = place;
  if (isListed(commands.owners, sender.id, channel)) return true;
  if (commands.allowFrom !== undefined) return isListed(commands.allowFrom, sender.id, channel);
  if (!commands.isByAccess) return true;
  if (place.kind === "direct") return isApproved || isListed(policy.allowFrom, sender.id, channel);
  // Who opens a group to all does not hand it over to all: there one must be named.
  const { allowFrom = [], roles } = roomOf(policy, place) ?? {};
  const named = [...allowFrom, ...policy.groupAllowFrom, ...policy.allowFrom]
    .filter((id) => id !== "*");
  return isIn({ allowFrom: named, roles }, { place, sender });
}

function enterDirect(
  { kind, place, sender }: Arrival,
  { policy, isApproved }: Rules,
): Admission {
  if (policy.dmPolicy === "disabled") return skip("dm-disabled");
  if (policy.dmPolicy === "open") return ADMIT;
  if (isApproved || isListed(policy.allowFrom, sender.id, place.channel)) return ADMIT;
  if (policy.dmPolicy === "allowlist") return skip("dm-not-listed");
  return kind === "reaction" ? skip("pairing") : { verdict: "pair" };
}

function enterGroup({ place, sender }: Arrival, { policy }: Rules): Admission {
  if (policy.groupPolicy === "disabled") return skip("groups-disabled");
  const room = roomOf(policy, place);
  if (room?.isEnabled === false) return skip("group-off");
  if (room === undefined && policy.groupPolicy === "allowlist") return skip("group-not-listed");
  const isWelcome = room?.allowFrom !== undefined
    ? isIn(room, { place, sender })
    : policy.groupPolicy === "open" || room?.isOpen === true ||
      isListed(policy.groupAllowFrom, sender.id, place.channel);
  return isWelcome ? ADMIT : skip("sender-not-listed");
}

/** Whether a room names somebody, by their id or by a role that they have there. */
function isIn(
  { allowFrom = [], roles = [] }: RoomPolicy,
  { place, sender }: { place: Place; sender: Sender },
): boolean {
  return isListed(allowFrom, sender.id, place.channel) ||
    roles.some((role) => sender.roles?.includes(role) === true);
}

/** What is set for a place, the closest before what is around it; `undefined` for an unlisted one. */
function roomOf(policy: Policy, place: Place): RoomPolicy | undefined {
  const { spaceId, chatId, threadId, roomName = "" } = place;
  const name = roomKey(roomName);
  const space = spaceId === undefined ? undefined : entryOf(policy.spaces, spaceId);
  if (space !== undefined) {
    const { rooms, ...around } = space;
    if (Object.keys(rooms).length === 0) return around;
    const room = entryOf(rooms, chatId, name);
    return room && { ...around, ...room };
  }
  const group = entryOf(policy.groups, chatId, name);
  if (group === undefined) return undefined;
  const { topics, ...around } = group;
  return { ...around, ...(threadId === undefined ? undefined : entryOf(topics, threadId)) };
}

/** The entry of an id, or else of a name, over that of `*`. */
function entryOf<T extends object>(
  entries: Readonly<Record<string, T>>,
  id: string,
  name = "",
): T | undefined {
  const [any, byId, byName] = ["*", id, name].map((key) =>
    Object.hasOwn(entries, key) ? entries[key] : undefined
  );
  const own = id === "*" ? undefined : byId ?? byName;
  return own === undefined ? any : any === undefined ? own : { ...any, ...own };
}
