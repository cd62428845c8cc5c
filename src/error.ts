/** How the program refuses, and how a refusal looks on the wire. */
import type { ErrorCode, ErrorShape } from "../schemas/frames.ts";

export type { ErrorCode };

/** A refusal that the caller may read. Anything else that is thrown is a bug and is not shown. */
export class GatewayError extends Error {
  override readonly name = "GatewayError";
  readonly code: ErrorCode;
  readonly details?: unknown;
  readonly retryable?: boolean;
  readonly retryAfterMs?: number;
  /** Sent beside the error by the few methods that answer with both. */
  readonly payload?: unknown;

  constructor(
    code: ErrorCode,
    message: string,
    { details, retryable, retryAfterMs, payload, cause }: {
      details?: unknown;
      retryable?: boolean;
      retryAfterMs?: number;
      payload?: unknown;
      cause?: unknown;
    } = {},
  ) {
    super(message, { cause });
    this.code = code;
    this.details = details;
    this.retryable = retryable;
    this.retryAfterMs = retryAfterMs;
    this.payload = payload;
  }
}

/** The caller asked for something that can't be done as asked. */
export function invalid(message: string, details?: unknown): GatewayError {
  return new GatewayError("INVALID_REQUEST", message, { details });
}

/** The wire form of whatever a handler threw. A bug becomes a plain UNAVAILABLE without its text. */
export function toWireError(thrown: unknown): ErrorShape {
  if (!(thrown instanceof GatewayError)) {
    return { code: "UNAVAILABLE", message: "internal error: see the gateway's log" };
  }
  const { code, message, details, retryable, retryAfterMs } = thrown;
  return {
    code,
    message,
    ...(details === undefined ? {} : { details }),
    ...(retryable === undefined ? {} : { retryable }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}
