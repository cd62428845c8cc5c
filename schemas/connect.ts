/** The handshake: what a client says of itself, and what the gateway tells it in return. */
import { closed, event, mapOf, method, oneOf, type Wire } from "./contract.ts";
import { Count, NonEmpty, StateVersion } from "./frames.ts";
import { PresenceEntry } from "./system.ts";
import * as Type from "./type.ts";

/** The client programs that the protocol knows. */
export const ClientId = oneOf(
  [
    "webchat-ui",
    "openclaw-control-ui",
    "openclaw-browser-copilot",
    "openclaw-tui",
    "webchat",
    "cli",
    "gateway-client",
    "openclaw-macos",
    "openclaw-ios",
    "openclaw-android",
    "openclaw-linux",
    "openclaw-watchos",
    "openclaw-worker",
    "node-host",
    "test",
    "fingerprint",
    "openclaw-probe",
  ],
  { $id: "ClientId" },
);

/** What a client is for. */
export const ClientMode = oneOf(
  ["webchat", "cli", "ui", "backend", "node", "probe", "test", "worker"],
  { $id: "ClientMode" },
);

/**
 * The client's description of itself. Shown to people and used for nothing else: no right follows
 * from it. Open to properties that later clients add.
 */
export const ClientInfo = Type.Object({
  id: ClientId,
  displayName: Type.Optional(NonEmpty),
  version: NonEmpty,
  platform: NonEmpty,
  deviceFamily: Type.Optional(NonEmpty),
  modelIdentifier: Type.Optional(NonEmpty),
  mode: ClientMode,
  instanceId: Type.Optional(NonEmpty),
  buildId: Type.Optional(Type.String({ minLength: 1, maxLength: 96 })),
  timeZone: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
}, { $id: "ClientInfo" });
export type ClientInfo = Wire<typeof ClientInfo>;

/** Proof of possession of a device key: an Ed25519 signature over the handshake. */
export const DeviceProof = closed({
  id: NonEmpty,
  publicKey: NonEmpty,
  signature: NonEmpty,
  signedAt: Count,
  nonce: NonEmpty,
}, { $id: "DeviceProof" });
export type DeviceProof = Wire<typeof DeviceProof>;

/** The credentials that a client may show. */
export const ConnectAuth = closed({
  token: Type.Optional(Type.String()),
  deviceToken: Type.Optional(Type.String()),
  password: Type.Optional(Type.String()),
  bootstrapToken: Type.Optional(Type.String()),
  approvalRuntimeToken: Type.Optional(Type.String()),
  agentRuntimeIdentityToken: Type.Optional(Type.String()),
}, { $id: "ConnectAuth" });
export type ConnectAuth = Wire<typeof ConnectAuth>;

/** The params of `connect`, the first request on every connection. */
export const ConnectParams = closed({
  minProtocol: Type.Integer({ minimum: 1 }),
  maxProtocol: Type.Integer({ minimum: 1 }),
  client: ClientInfo,
  caps: Type.Optional(Type.Array(NonEmpty)),
  commands: Type.Optional(Type.Array(NonEmpty)),
  permissions: Type.Optional(mapOf(Type.Boolean())),
  pathEnv: Type.Optional(Type.String()),
  computerUse: Type.Optional(Type.Unknown()),
  workerRuns: Type.Optional(Type.Unknown()),
  modelCatalog: Type.Optional(Type.Unknown()),
  role: Type.Optional(NonEmpty),
  scopes: Type.Optional(Type.Array(NonEmpty)),
  device: Type.Optional(DeviceProof),
  auth: Type.Optional(ConnectAuth),
  locale: Type.Optional(Type.String()),
  userAgent: Type.Optional(Type.String()),
}, { $id: "ConnectParams" });
export type ConnectParams = Wire<typeof ConnectParams>;

/** Where the main conversation is, for clients that open it first. */
export const SessionDefaults = Type.Object({
  defaultAgentId: NonEmpty,
  mainKey: NonEmpty,
  mainSessionKey: NonEmpty,
  scope: Type.Optional(NonEmpty),
  modelConfigured: Type.Optional(Type.Boolean()),
}, { $id: "SessionDefaults" });

/** The state of the gateway at the moment of the handshake. */
export const Snapshot = Type.Object({
  presence: Type.Array(PresenceEntry),
  health: Type.Unknown(),
  stateVersion: StateVersion,
  uptimeMs: Count,
  configPath: Type.Optional(NonEmpty),
  stateDir: Type.Optional(NonEmpty),
  sessionDefaults: Type.Optional(SessionDefaults),
  authMode: Type.Optional(oneOf(["none", "token", "password", "trusted-proxy"])),
}, { $id: "Snapshot" });
export type Snapshot = Wire<typeof Snapshot>;

/** What the connection may do; in version 3 only where a device proved itself. */
export const HelloAuth = Type.Object({
  method: Type.Optional(NonEmpty),
  role: NonEmpty,
  scopes: Type.Array(Type.String()),
  deviceToken: Type.Optional(NonEmpty),
  issuedAtMs: Type.Optional(Count),
  /** The tokens of its other roles, for a device that came in by a setup code. */
  deviceTokens: Type.Optional(Type.Array(Type.Object({
    deviceToken: NonEmpty,
    role: NonEmpty,
    scopes: Type.Array(Type.String()),
    issuedAtMs: Count,
  }, { $id: "HelloDeviceToken" }))),
}, { $id: "HelloAuth" });
export type HelloAuth = Wire<typeof HelloAuth>;

/** The limits that the connection lives under. Sizes in bytes, times in milliseconds. */
export const Policy = Type.Object({
  maxPayload: Type.Integer({ minimum: 1 }),
  maxBufferedBytes: Type.Integer({ minimum: 1 }),
  tickIntervalMs: Type.Integer({ minimum: 1 }),
  attachments: Type.Optional(Type.Object({
    maxBytes: Type.Integer({ minimum: 1 }),
    maxImageBytes: Type.Integer({ minimum: 1 }),
  })),
}, { $id: "Policy" });

/** The answer to `connect`. */
export const HelloOk = Type.Object({
  type: Type.Literal("hello-ok"),
  protocol: Type.Integer({ minimum: 1 }),
  server: Type.Object({
    version: NonEmpty,
    connId: NonEmpty,
    bootId: Type.Optional(NonEmpty),
  }, { $id: "ServerInfo" }),
  features: Type.Object({
    methods: Type.Array(NonEmpty),
    events: Type.Array(NonEmpty),
    capabilities: Type.Optional(Type.Array(NonEmpty)),
  }, { $id: "Features" }),
  snapshot: Snapshot,
  auth: Type.Optional(HelloAuth),
  policy: Policy,
  canvasHostUrl: Type.Optional(NonEmpty),
  pluginSurfaceUrls: Type.Optional(mapOf(NonEmpty)),
}, { $id: "HelloOk" });
export type HelloOk = Wire<typeof HelloOk>;

/** Answered by the handshake, and refused everywhere after it. */
export const Connect = method("connect", {
  access: "operator.admin",
  params: ConnectParams,
  result: HelloOk,
  advertised: false,
});

/** The first frame on every connection; the client signs its nonce. */
export const ConnectChallengeEvent = event("connect.challenge", {
  access: "anyone",
  droppable: false,
  payload: Type.Object({
    nonce: NonEmpty,
    ts: Count,
    capabilities: Type.Optional(Type.Array(NonEmpty)),
  }),
});
