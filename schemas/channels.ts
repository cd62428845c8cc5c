/** The messaging networks that the gateway is on. */
import { Type } from "@sinclair/typebox";
import { closed, mapOf, method, nullable, type Wire } from "./contract.ts";
import { Count, NonEmpty } from "./frames.ts";

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
  lastProbeAt: Type.Optional(nullable(Count)),
  mode: Type.Optional(Type.String()),
  dmPolicy: Type.Optional(Type.String()),
  allowFrom: Type.Optional(Type.Array(Type.String())),
  probe: Type.Optional(Type.Unknown()),
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
    statusIssues: Type.Optional(Type.Array(Type.Unknown())),
  }),
});
