/** Strangers who wrote to us on a messaging network, and the owner's leave for them. */
import type { Static } from "@sinclair/typebox";
import { closed, mapOf, method, oneOf, type Wire } from "./contract.ts";
import { Count, NonEmpty } from "./frames.ts";
import * as Type from "./type.ts";

const ACCOUNT = {
  channel: NonEmpty,
  channelLabel: NonEmpty,
  accountId: NonEmpty,
  accountLabel: Type.Optional(NonEmpty),
  /** Whether somebody who was let in can be told so. */
  notifySupported: Type.Boolean(),
};

export const ChannelPairingAccount = Type.Object(ACCOUNT, { $id: "ChannelPairingAccount" });
export type ChannelPairingAccount = Wire<typeof ChannelPairingAccount>;

/** Somebody who waits. `requestId` is the code that they were told. Times are ISO 8601. */
export const ChannelPairingRequest = Type.Object({
  requestId: NonEmpty,
  ...ACCOUNT,
  senderId: NonEmpty,
  senderLabel: NonEmpty,
  metadata: Type.Optional(mapOf(Type.String())),
  createdAt: NonEmpty,
  lastSeenAt: NonEmpty,
  expiresAt: NonEmpty,
}, { $id: "ChannelPairingRequest" });
export type ChannelPairingRequest = Wire<typeof ChannelPairingRequest>;

export const ChannelsPairingList = method("channels.pairing.list", {
  access: "operator.pairing",
  audited: false,
  since: 4,
  params: closed({ channel: Type.Optional(NonEmpty), accountId: Type.Optional(NonEmpty) }),
  result: Type.Object({
    /** Those that strangers can ask through. */
    accounts: Type.Array(ChannelPairingAccount),
    requests: Type.Array(ChannelPairingRequest),
    /** Whether somebody may use commands everywhere. */
    commandOwnerConfigured: Type.Boolean(),
    limits: Type.Object({ pendingPerAccount: Count, ttlMs: Count }),
  }),
});

const Which = { channel: NonEmpty, accountId: NonEmpty, requestId: NonEmpty };

/** Lets somebody write to us directly; into no group. */
export const ChannelsPairingApprove = method("channels.pairing.approve", {
  access: "operator.pairing",
  since: 4,
  params: closed({
    ...Which,
    /** Tells them. */
    notify: Type.Optional(Type.Boolean()),
    /** Makes them the owner of commands where there is none; for an admin. */
    bootstrapCommandOwner: Type.Optional(Type.Boolean()),
  }),
  result: Type.Object({
    requestId: NonEmpty,
    senderId: NonEmpty,
    notification: oneOf(["not-requested", "sent", "unsupported", "failed"]),
    commandOwnerBootstrap: oneOf([
      "not-requested",
      "configured",
      "already-configured",
      "unavailable",
    ]),
  }),
});
export type ChannelsPairingApproved = Static<typeof ChannelsPairingApprove.result>;

export const ChannelsPairingDismiss = method("channels.pairing.dismiss", {
  access: "operator.pairing",
  since: 4,
  params: closed(Which),
  result: Type.Object({ requestId: NonEmpty, senderId: NonEmpty }),
});
