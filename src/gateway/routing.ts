/** Which agent answers a message, and in which conversation. */
import { canonicalAccountId, DEFAULT_ACCOUNT_ID, defaultAccountId, isListed } from "../account.ts";
import { type Config, defaultAgentId, mainKeyOf } from "../config.ts";
import type { Place, Sender } from "../message.ts";
import { canonicalSessionKey, mainSessionKey, type SessionKey } from "../session.ts";

/** Why this agent: what its binding matches on, the closest first. */
export const TIERS = [
  "peer",
  "parent peer",
  "roles",
  "guild",
  "team",
  "account",
  "channel",
  "default",
] as const;
export type Tier = typeof TIERS[number];

export interface Route {
  readonly agentId: string;
  readonly sessionKey: SessionKey;
  readonly matchedBy: Tier;
}

type RoutingConfig = Pick<Config, "agents" | "bindings" | "channels" | "session">;
type Binding = NonNullable<Config["bindings"]>[number];

/** The agent whose binding fits closest; of several alike, the first that is written. */
export function route(
  { place, sender }: { place: Place; sender: Sender },
  config: RoutingConfig,
): Route {
  const account = defaultAccountId(config, place.channel) ?? DEFAULT_ACCOUNT_ID;
  let best: { readonly agentId: string; readonly tier: number } | undefined;
  for (const { agentId, match } of config.bindings ?? []) {
    const tier = tierOf(match, { place, sender, defaultAccount: account });
    const index = tier === undefined ? TIERS.length : TIERS.indexOf(tier);
    if (index < (best?.tier ?? TIERS.length)) best = { agentId, tier: index };
  }
  const agentId = best?.agentId ?? defaultAgentId(config);
  return {
    agentId,
    sessionKey: sessionKeyOf(agentId, { place, sender, config }),
    matchedBy: TIERS[best?.tier ?? TIERS.length - 1] ?? "default",
  };
}

/** How closely a binding fits; `undefined` where something that it says is not so. */
function tierOf(
  { channel, accountId, peer, guildId, teamId, roles }: Binding["match"],
  { place, sender, defaultAccount }: { place: Place; sender: Sender; defaultAccount: string },
): Tier | undefined {
  if (channel !== place.channel) return undefined;
  const account = accountId === undefined ? defaultAccount : canonicalAccountId(accountId);
  if (account !== "*" && account !== canonicalAccountId(place.accountId)) return undefined;
  for (const space of [guildId, teamId]) {
    if (space !== undefined && String(space) !== place.spaceId) return undefined;
  }
  if (roles !== undefined && !roles.some((role) => sender.roles?.includes(String(role)))) {
    return undefined;
  }
  if (peer !== undefined) return peerTier(peer, { place, sender });
  if (roles !== undefined) return "roles";
  if (guildId !== undefined) return "guild";
  if (teamId !== undefined) return "team";
  return account === "*" ? "channel" : "account";
}

function peerTier(
  { kind, id }: NonNullable<Binding["match"]["peer"]>,
  { place, sender }: { place: Place; sender: Sender },
): Tier | undefined {
  const { channel, chatId, threadId } = place;
  if ((kind === "dm" ? "direct" : kind) !== place.kind) return undefined;
  const names = (peerId: string) => id !== "*" && isListed([String(id)], peerId, channel);
  if (place.kind === "direct") {
    return names(sender.id) || names(chatId) ? "peer" : undefined;
  }
  const isThread = threadId !== undefined &&
    (names(threadId) || names(`${chatId}:topic:${threadId}`) ||
      names(`${chatId}:thread:${threadId}`));
  if (isThread) return "peer";
  if (!names(chatId)) return undefined;
  return threadId === undefined ? "peer" : "parent peer";
}

/** The conversation that a place is to an agent. Throws for a place that no key can name. */
function sessionKeyOf(
  agentId: string,
  { place, sender, config }: { place: Place; sender: Sender; config: RoutingConfig },
): SessionKey {
  const keys = { defaultAgentId: defaultAgentId(config), mainKey: mainKeyOf(config) };
  const spelled = config.session?.scope === "global"
    ? "global"
    : threadOf(place, `agent:${agentId}:${chatKey(place, { sender, config })}`);
  const key = canonicalSessionKey(spelled, keys);
  if (key === undefined) throw new Error(`Cannot name the conversation '${spelled.slice(0, 200)}'`);
  return key;
}

/** A group calls its threads topics. */
function threadOf({ kind, threadId }: Place, key: string): string {
  if (threadId === undefined) return key;
  return `${key}:${kind === "group" ? "topic" : "thread"}:${threadId}`;
}

function chatKey(
  { channel, accountId, kind, chatId }: Place,
  { sender, config }: { sender: Sender; config: RoutingConfig },
): string {
  if (kind !== "direct") return `${channel}:${kind}:${chatId}`;
  const scope = config.session?.dmScope ?? "main";
  if (scope === "main") return mainKeyOf(config);
  const peer = linkedName(sender.id, { channel, links: config.session?.identityLinks ?? {} });
  switch (scope) {
    case "per-peer":
      return `direct:${peer}`;
    case "per-channel-peer":
      return `${channel}:direct:${peer}`;
    case "per-account-channel-peer":
      return `${channel}:${accountId}:direct:${peer}`;
  }
}

/** The name that a sender's ids on several networks were given; their id where there is none. */
function linkedName(
  id: string,
  { channel, links }: {
    channel: string;
    links: NonNullable<NonNullable<Config["session"]>["identityLinks"]>;
  },
): string {
  for (const [name, ids] of Object.entries(links)) {
    const listed = ids.map(String).filter((entry) => entry !== "*");
    if (name.trim() !== "" && isListed(listed, id, channel)) return name.trim();
  }
  return id;
}

/** Whether a conversation is its agent's main one, which several may share. */
export function isMain({ agentId, sessionKey }: Route, config: RoutingConfig): boolean {
  const keys = { defaultAgentId: defaultAgentId(config), mainKey: mainKeyOf(config) };
  return sessionKey === mainSessionKey(agentId, keys);
}
