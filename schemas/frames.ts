/** The envelopes of the wire: every WebSocket text message is one of these. */
import { closed, oneOf, type Wire } from "./contract.ts";
import * as Type from "./type.ts";

/** A non-empty string. */
export const NonEmpty: ReturnType<typeof Type.String> = Type.String({ minLength: 1 });

/** A whole number from 0 on: a count, a size in bytes, or a time in milliseconds. */
export const Count = Type.Integer({ minimum: 0 });

/** The kinds of refusal; finer reasons are in an error's `details.code`. */
export const ErrorCode = oneOf([
  "INVALID_REQUEST",
  "NOT_PAIRED",
  "FORBIDDEN",
  "UNAVAILABLE",
  "APPROVAL_NOT_FOUND",
  "NOT_LINKED",
  "AGENT_TIMEOUT",
], { $id: "ErrorCode" });
export type ErrorCode = Wire<typeof ErrorCode>;

/** Why a request was refused. `code` is an `ErrorCode`, or one of a later version. */
export const ErrorShape = closed({
  code: NonEmpty,
  message: NonEmpty,
  details: Type.Optional(Type.Unknown()),
  retryable: Type.Optional(Type.Boolean()),
  retryAfterMs: Type.Optional(Count),
}, { $id: "ErrorShape" });
export type ErrorShape = Wire<typeof ErrorShape>;

/** A client asks. Version 4 may add a trace header and a profile. */
export const RequestFrame = closed({
  type: Type.Literal("req"),
  id: NonEmpty,
  method: NonEmpty,
  params: Type.Optional(Type.Unknown()),
  traceparent: Type.Optional(Type.String({ maxLength: 128 })),
  expectedProfileId: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
}, { $id: "RequestFrame" });
export type RequestFrame = Wire<typeof RequestFrame>;

/** The gateway answers the request with the same id; a two-phase method answers twice. */
export const ResponseFrame = closed({
  type: Type.Literal("res"),
  id: NonEmpty,
  ok: Type.Boolean(),
  payload: Type.Optional(Type.Unknown()),
  error: Type.Optional(ErrorShape),
}, { $id: "ResponseFrame" });
export type ResponseFrame = Wire<typeof ResponseFrame>;

/** Counters that tell a client whether its copy of presence and health is current. */
export const StateVersion = closed({
  presence: Count,
  health: Count,
}, { $id: "StateVersion" });
export type StateVersion = Wire<typeof StateVersion>;

/** The gateway tells. `seq` counts the events of one connection from 1, without holes. */
export const EventFrame = closed({
  type: Type.Literal("event"),
  event: NonEmpty,
  payload: Type.Optional(Type.Unknown()),
  seq: Type.Optional(Count),
  stateVersion: Type.Optional(StateVersion),
  recipientProfileId: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
}, { $id: "EventFrame" });
export type EventFrame = Wire<typeof EventFrame>;

/** Any message of the wire. */
export const GatewayFrame = Type.Union([RequestFrame, ResponseFrame, EventFrame], {
  $id: "GatewayFrame",
});
export type GatewayFrame = Wire<typeof GatewayFrame>;
