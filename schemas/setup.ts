/** Setup codes: how a new device is let in by showing it a code. */
import { closed, event, method, oneOf, type Wire } from "./contract.ts";
import { Count, NonEmpty } from "./frames.ts";
import * as Type from "./type.ts";

/** What a setup code lets a device do. */
export const SetupAccess = oneOf(["full", "limited", "node"], { $id: "SetupAccess" });
export type SetupAccess = Wire<typeof SetupAccess>;

/** A device that came in by a setup code. */
export const SetupCompletion = Type.Object({
  setupId: NonEmpty,
  deviceId: NonEmpty,
  deviceName: Type.Optional(NonEmpty),
  access: SetupAccess,
  ts: Count,
}, { $id: "SetupCompletion" });
export type SetupCompletion = Wire<typeof SetupCompletion>;

/** Makes a code that lets one device in, within minutes. It holds no lasting secret. */
export const DevicePairSetupCode = method("device.pair.setupCode", {
  access: "operator.admin",
  since: 4,
  advertised: false,
  params: closed({
    publicUrl: Type.Optional(NonEmpty),
    preferRemoteUrl: Type.Optional(Type.Boolean()),
    includeQr: Type.Optional(Type.Boolean()),
    bootstrapProfile: Type.Optional(oneOf(["limited", "node", "voice-node"])),
    joinUrl: Type.Optional(Type.Literal(true)),
  }),
  result: Type.Object({
    setupId: NonEmpty,
    expiresAtMs: Count,
    setupCode: NonEmpty,
    qrDataUrl: Type.Optional(Type.String({ maxLength: 16_384 })),
    gatewayUrl: NonEmpty,
    gatewayUrls: Type.Optional(Type.Array(NonEmpty)),
    /** How clients without a device prove themselves. */
    auth: NonEmpty,
    urlSource: NonEmpty,
    access: SetupAccess,
    /** Less than was asked for: what goes over the way to the gateway can be read. */
    accessDowngraded: Type.Optional(Type.Literal(true)),
  }),
});

/** Whether a device came in by a setup code; empty until then, and for a code that is unknown. */
export const DevicePairSetupStatus = method("device.pair.setupStatus", {
  access: "operator.admin",
  audited: false,
  since: 4,
  advertised: false,
  params: closed({ setupId: Type.String({ minLength: 1, maxLength: 128 }) }),
  result: Type.Object({ completion: Type.Optional(SetupCompletion) }),
});

export const DevicePairSetupCompletedEvent = event("device.pair.setup.completed", {
  access: "operator.pairing",
  since: 4,
  payload: SetupCompletion,
});
