/** Devices: which may connect, and which ask to. */
import { closed, event, method, oneOf, type Wire } from "./contract.ts";
import { Count, NonEmpty } from "./frames.ts";
import * as Type from "./type.ts";

/** A device that asks to connect. At most one per device. */
export const DevicePairRequest = Type.Object({
  requestId: NonEmpty,
  deviceId: NonEmpty,
  publicKey: NonEmpty,
  displayName: Type.Optional(NonEmpty),
  platform: Type.Optional(NonEmpty),
  deviceFamily: Type.Optional(NonEmpty),
  clientId: Type.Optional(NonEmpty),
  clientMode: Type.Optional(NonEmpty),
  role: Type.Optional(NonEmpty),
  roles: Type.Optional(Type.Array(NonEmpty)),
  scopes: Type.Optional(Type.Array(NonEmpty)),
  remoteIp: Type.Optional(NonEmpty),
  silent: Type.Optional(Type.Boolean()),
  isRepair: Type.Optional(Type.Boolean()),
  ts: Count,
}, { $id: "DevicePairRequest" });
export type DevicePairRequest = Wire<typeof DevicePairRequest>;

/** What may be told of a device's right to connect: never the token itself. */
export const DeviceTokenSummary = Type.Object({
  role: NonEmpty,
  scopes: Type.Array(Type.String()),
  createdAtMs: Count,
  rotatedAtMs: Type.Optional(Count),
  revokedAtMs: Type.Optional(Count),
  lastUsedAtMs: Type.Optional(Count),
}, { $id: "DeviceTokenSummary" });
export type DeviceTokenSummary = Wire<typeof DeviceTokenSummary>;

/** A device that may connect. */
export const PairedDevice = Type.Object({
  deviceId: NonEmpty,
  publicKey: NonEmpty,
  displayName: Type.Optional(NonEmpty),
  label: Type.Optional(NonEmpty),
  platform: Type.Optional(NonEmpty),
  deviceFamily: Type.Optional(NonEmpty),
  clientId: Type.Optional(NonEmpty),
  clientMode: Type.Optional(NonEmpty),
  role: Type.Optional(NonEmpty),
  roles: Type.Optional(Type.Array(NonEmpty)),
  scopes: Type.Optional(Type.Array(NonEmpty)),
  remoteIp: Type.Optional(NonEmpty),
  tokens: Type.Optional(Type.Array(DeviceTokenSummary)),
  createdAtMs: Count,
  approvedAtMs: Count,
  approvedVia: Type.Optional(NonEmpty),
  lastSeenAtMs: Type.Optional(Count),
  connected: Type.Optional(Type.Boolean()),
}, { $id: "PairedDevice" });
export type PairedDevice = Wire<typeof PairedDevice>;

export const DevicePairList = method("device.pair.list", {
  access: "operator.pairing",
  audited: false,
  params: closed({}),
  result: Type.Object({
    pending: Type.Array(DevicePairRequest),
    paired: Type.Array(PairedDevice),
  }),
});

export const DevicePairApprove = method("device.pair.approve", {
  access: "operator.pairing",
  params: closed({ requestId: NonEmpty }),
  result: Type.Object({ requestId: NonEmpty, device: PairedDevice }),
});

export const DevicePairReject = method("device.pair.reject", {
  access: "operator.pairing",
  params: closed({ requestId: NonEmpty }),
  result: Type.Object({ requestId: NonEmpty, deviceId: NonEmpty }),
});

export const DevicePairRemove = method("device.pair.remove", {
  access: "operator.pairing",
  params: closed({ deviceId: NonEmpty }),
  result: Type.Object({ deviceId: NonEmpty }),
});

export const DevicePairRename = method("device.pair.rename", {
  access: "operator.pairing",
  since: 4,
  params: closed({ deviceId: NonEmpty, label: Type.String({ minLength: 1, maxLength: 64 }) }),
  result: Type.Object({ deviceId: NonEmpty, label: NonEmpty }),
});

/** A paired device asks to be allowed more, besides what its connection has. */
export const DeviceScopesRequestUpgrade = method("device.scopes.requestUpgrade", {
  access: "operator.read",
  audited: true,
  since: 4,
  params: closed({ scopes: Type.Array(NonEmpty, { minItems: 1, maxItems: 8 }) }),
  result: Type.Object({ requestId: NonEmpty }),
});

/** Answers when the request is decided, or void. */
export const DeviceScopesWaitUpgrade = method("device.scopes.waitUpgrade", {
  access: "operator.read",
  since: 4,
  params: closed({ requestId: NonEmpty }),
  result: Type.Object({
    status: oneOf(["approved", "rejected", "expired"]),
    requestId: NonEmpty,
    deviceToken: Type.Optional(NonEmpty),
    scopes: Type.Optional(Type.Array(NonEmpty)),
  }),
});

/** Gives a device a new token in place of its old one. Who may not see it is told all but it. */
export const DeviceTokenRotate = method("device.token.rotate", {
  access: "operator.pairing",
  params: closed({
    deviceId: NonEmpty,
    role: NonEmpty,
    scopes: Type.Optional(Type.Array(NonEmpty)),
  }),
  result: Type.Object({
    deviceId: NonEmpty,
    role: NonEmpty,
    token: Type.Optional(NonEmpty),
    tokenDelivery: Type.Optional(oneOf(["in-band", "withheld-cross-device"])),
    scopes: Type.Array(Type.String()),
    rotatedAtMs: Count,
  }),
});

export const DeviceTokenRevoke = method("device.token.revoke", {
  access: "operator.pairing",
  params: closed({ deviceId: NonEmpty, role: NonEmpty }),
  result: Type.Object({ deviceId: NonEmpty, role: NonEmpty, revokedAtMs: Count }),
});

export const DevicePairRequestedEvent = event("device.pair.requested", {
  access: "operator.pairing",
  payload: DevicePairRequest,
});

export const DevicePairResolvedEvent = event("device.pair.resolved", {
  access: "operator.pairing",
  payload: Type.Object({
    requestId: NonEmpty,
    deviceId: NonEmpty,
    decision: oneOf(["approved", "rejected"]),
    ts: Count,
  }),
});
