/** The answers that the guard gives by itself, without asking a handler. */

/** An HTTP error whose body is `text`. */
export interface Refusal {
  readonly status: number;
  readonly reason: string;
  readonly text: string;
}

export const BAD_REQUEST = refusal(400, "Bad Request");
export const TIMEOUT = refusal(408, "Request Timeout");
export const BODY_TOO_LARGE = refusal(413, "Content Too Large");
export const HEAD_TOO_LARGE = refusal(431, "Request Header Fields Too Large");
export const UNKNOWN_CODING = refusal(501, "Not Implemented");
export const UNAVAILABLE = refusal(503, "Service Unavailable");
export const TOO_MANY_CONNECTIONS = refusal(503, "Service Unavailable", "Too many connections");
export const TOO_MANY_UNAUTHENTICATED = refusal(
  503,
  "Service Unavailable",
  "Too many unauthenticated sockets",
);
export const UNKNOWN_VERSION = refusal(505, "HTTP Version Not Supported");

/** The refusal as bytes on the wire, the last of their connection. */
export function refusalBytes({ status, reason, text }: Refusal): Uint8Array {
  return new TextEncoder().encode(
    `HTTP/1.1 ${status} ${reason}\r\n` +
      "content-type: text/plain;charset=UTF-8\r\n" +
      `content-length: ${text.length}\r\n` +
      `connection: close\r\n\r\n${text}`,
  );
}

/** The refusal as a response, for where the answers before it must go out first. */
export function refusalResponse({ status, text }: Refusal): Response {
  return new Response(text, { status });
}

function refusal(status: number, reason: string, text = reason): Refusal {
  return { status, reason, text };
}
