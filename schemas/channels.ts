/** The messaging networks that the gateway is on. */
import { closed, mapOf, method, nullable, oneOf, type Wire } from "./contract.ts";
import { Count, NonEmpty } from "./frames.ts";
import * as Type from "./type.ts";

/** One account on a network. Networks add properties of their own. */
export const ChannelAccountSnapshot = Type.Object({
  accountId: NonEmpty,
  name: Type.Optional(Type.String()),
  enabled: Type.Optional(Type.Boolean()),
  configured: Type.Optional(Type.Boolean()),
  linked: Type.Optional(Type.Boolean()),
  running: Type.Optional(Type.Boolean()),
  connected: Type.Optional(Type.Boolean()),
  reconnectAttempts: Type.Optional(Count),
  lastConnectedAt: Type.Optional(nullable(Count)),
  lastError: Type.Optional(nullable(Type.String())),
  lastStartAt: Type.Optional(nullable(Count)),
  lastStopAt: Type.Optional(nullable(Count)),
  lastInboundAt: Type.Optional(nullable(Count)),
  lastOutboundAt: Type.Optional(nullable(Count)),
  lastTransportActivityAt: Type.Optional(nullable(Count)),
  lastProbeAt: Type.Optional(nullable(Count)),
  /** `healthy`, `degraded`, `dead` or `unproven`: told from when the network was last heard from. */
  healthState: Type.Optional(Type.String()),
  tokenSource: Type.Optional(Type.String()),
  botTokenSource: Type.Optional(Type.String()),
  appTokenSource: Type.Optional(Type.String()),
  baseUrl: Type.Optional(Type.String()),
  mode: Type.Optional(Type.String()),
  dmPolicy: Type.Optional(Type.String()),
  allowFrom: Type.Optional(Type.Array(Type.String())),
  probe: Type.Optional(Type.Unknown()),
  /** What became of the messages that came since the gateway began; `skipped` by the reason. */
  messages: Type.Optional(Type.Object({
    received: Count,
    duplicates: Count,
    admitted: Count,
    skipped: mapOf(Count),
  })),
}, { $id: "ChannelAccountSnapshot" });
export type ChannelAccountSnapshot = Wire<typeof ChannelAccountSnapshot>;

/** How a network is shown. */
export const ChannelUiMeta = Type.Object({
  id: NonEmpty,
  label: NonEmpty,
  detailLabel: NonEmpty,
  systemImage: Type.Optional(Type.String()),
}, { $id: "ChannelUiMeta" });
export type ChannelUiMeta = Wire<typeof ChannelUiMeta>;

/** Something at an account for a person to mend. */
export const ChannelStatusIssue = Type.Object({
  channel: NonEmpty,
  accountId: NonEmpty,
  kind: oneOf(["intent", "permissions", "config", "auth", "runtime"]),
  message: Type.String(),
  fix: Type.Optional(Type.String()),
}, { $id: "ChannelStatusIssue" });
export type ChannelStatusIssue = Wire<typeof ChannelStatusIssue>;

export const ChannelsStatus = method("channels.status", {
  access: "operator.read",
  params: closed({
    probe: Type.Optional(Type.Boolean()),
    timeoutMs: Type.Optional(Count),
    channel: Type.Optional(NonEmpty),
  }),
  result: Type.Object({
    ts: Count,
    channelOrder: Type.Array(NonEmpty),
    channelLabels: mapOf(NonEmpty),
    channelDetailLabels: Type.Optional(mapOf(NonEmpty)),
    channelSystemImages: Type.Optional(mapOf(NonEmpty)),
    channelMeta: Type.Optional(Type.Array(ChannelUiMeta)),
    channels: mapOf(Type.Unknown()),
    channelAccounts: mapOf(Type.Array(ChannelAccountSnapshot)),
    channelDefaultAccountId: mapOf(NonEmpty),
    statusIssues: Type.Optional(Type.Array(ChannelStatusIssue)),
  }),
});

const WhichAccount = closed({ channel: NonEmpty, accountId: Type.Optional(Type.String()) });

/** Begins an account anew, whatever it waits for. */
export const ChannelsStart = method("channels.start", {
  access: "operator.admin",
  since: 4,
  params: WhichAccount,
  result: Type.Object({ channel: NonEmpty, accountId: NonEmpty, started: Type.Boolean() }),
});

/** Ends an account until it is started, or its settings change. */
export const ChannelsStop = method("channels.stop", {
  access: "operator.admin",
  since: 4,
  params: WhichAccount,
  result: Type.Object({ channel: NonEmpty, accountId: NonEmpty, stopped: Type.Boolean() }),
});

/** Ends an account and takes its secrets out of the configuration. */
export const ChannelsLogout = method("channels.logout", {
  access: "operator.admin",
  params: WhichAccount,
  result: Type.Object({
    channel: NonEmpty,
    accountId: NonEmpty,
    /** Whether there was a secret in the configuration. */
    cleared: Type.Boolean(),
    /** Whether it has none any more, from elsewhere either. */
    loggedOut: Type.Boolean(),
    /** One of its secrets comes from the environment. */
    envToken: Type.Optional(Type.Boolean()),
  }),
});
