/** Why a call failed, read off what the provider or the network said. */
import { ModelError, type ModelErrorKind } from "../../model.ts";
import type { Endpoint } from "./endpoint.ts";

/** What is known of a failed call before anybody has judged it. */
export interface Failure {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly text: string;
  readonly cause?: unknown;
}

/** The `ModelError` for anything that was thrown, or reported in a stream, by a call to `endpoint`. */
export function toModelError(thrown: unknown, endpoint: Endpoint): ModelError {
  if (thrown instanceof ModelError) return thrown;
  return judge(failureOf(thrown), endpoint);
}

/** The `ModelError` for a failure. Its message names the provider and holds no secret. */
export function judge(failure: Failure, endpoint: Endpoint): ModelError {
  const kind = kindOf(failure);
  const text = redact(failure.text.trim() || "no reason given", endpoint).slice(0, MAX_TEXT);
  return new ModelError(kind, describe(kind, failure.status, text, endpoint), {
    status: failure.status,
    retryAfterMs: retryAfterMs(failure.headers ?? {}),
    cause: failure.cause,
  });
}

/** Removes the endpoint's key and whatever else looks like one from a text that others wrote. */
export function redact(text: string, { apiKey, headers }: Endpoint): string {
  let clean = text;
  for (const secret of [apiKey, ...Object.values(headers)]) {
    if (secret !== undefined && secret.length >= 6) clean = clean.replaceAll(secret, "[redacted]");
  }
  return clean.replace(KEY_IN_URL, "$1[redacted]").replace(KEY_LIKE, "[redacted]");
}

const MAX_TEXT = 500;
const KEY_IN_URL = /([?&](?:key|api_?key|token|access_token)=)[^&\s"')]+/gi;
const KEY_LIKE =
  /\b(?:Bearer\s+[\w.~+/=*-]{6,}|(?:sk|pk|gsk|xai|key)[-_][\w*.-]{6,}|AIza[\w*-]{6,})/g;
const OVERFLOW = new RegExp(
  [
    "context[ _-]?(?:length|window|size|limit)",
    "maximum context",
    "(?:prompt|input|request) (?:is |was )?too (?:long|large)",
    "too many (?:input )?tokens",
    "request_too_large",
    "exceeds? the (?:model's )?(?:maximum )?(?:number of )?(?:input )?tokens",
  ].join("|"),
  "i",
);
const NO_CREDIT = /insufficient_quota|credit balance|billing|payment required/i;

function kindOf({ status, text }: Failure): ModelErrorKind {
  if (status === 402 || NO_CREDIT.test(text)) return "auth"; // waiting won't help, the account must change
  if (status === 429 || /rate.?limit/i.test(text)) return "rate_limit";
  if (status === 413 || OVERFLOW.test(text)) return "context_length";
  if (status === 401 || status === 403) return "auth";
  if (status === 408 || status === 504) return "timeout";
  if (status !== undefined && status >= 500 || /overloaded/i.test(text)) return "overloaded";
  if (status !== undefined && status >= 400) return "invalid";
  if (status !== undefined) return "network"; // it began to answer well, then the line broke
  return "unknown";
}

function describe(kind: ModelErrorKind, status: number | undefined, text: string, at: Endpoint) {
  const code = status === undefined || status < 400 ? "" : ` (HTTP ${status})`;
  switch (kind) {
    case "auth":
      return `${at.provider} refused the API key${code}: ${text}. Set ${at.keyHint} to a key that may use this model`;
    case "network":
      return `Cannot reach ${at.provider} at ${hostOf(at.baseUrl)}: ${text}`;
    default:
      return `${at.provider} failed${code}: ${text}`;
  }
}

function hostOf(url: string): string {
  return URL.parse(url)?.host ?? "an invalid URL";
}

/** Reads the shapes in which the SDKs and `fetch` report a failure. */
function failureOf(thrown: unknown): Failure {
  if (typeof thrown === "string") return { text: thrown, cause: thrown };
  if (typeof thrown !== "object" || thrown === null) return { text: String(thrown), cause: thrown };
  const text = textOf(thrown);
  const code = "code" in thrown && typeof thrown.code === "string" ? ` (${thrown.code})` : "";
  const status = "statusCode" in thrown && typeof thrown.statusCode === "number"
    ? thrown.statusCode
    : undefined;
  if (status === undefined && isNetworkError(thrown)) {
    return { status: 200, text: connectionText(text), cause: thrown };
  }
  return { status, headers: headersOf(thrown), text: text + code, cause: thrown };
}

function textOf(thrown: object): string {
  const message = "message" in thrown && typeof thrown.message === "string" ? thrown.message : "";
  const body = "responseBody" in thrown && typeof thrown.responseBody === "string"
    ? thrown.responseBody
    : "";
  // where the SDK could not read the error, the body is all there is; its `type` is worth having too
  if (message === "" || message === "Failed to process error response") return body || message;
  const type = /"(?:type|code)"\s*:\s*"((?!error")[a-z_]+)"/.exec(body)?.[1];
  return type === undefined || message.includes(type) ? message : `${message} (${type})`;
}

function headersOf(thrown: object): Readonly<Record<string, string | undefined>> | undefined {
  return "responseHeaders" in thrown && isStringRecord(thrown.responseHeaders)
    ? thrown.responseHeaders
    : undefined;
}

function isStringRecord(value: unknown): value is Record<string, string> {
  return typeof value === "object" && value !== null &&
    Object.values(value).every((item) => typeof item === "string");
}

/** `fetch` says TypeError for a lost or refused connection; an SDK wraps it, or finds no ending. */
function isNetworkError(thrown: object): boolean {
  if (thrown instanceof TypeError) return true;
  if (!(thrown instanceof Error)) return false;
  return /cannot connect|connection|without a finish reason|stream ended/i.test(thrown.message);
}

/** A connection error names the whole URL; what people need is the end of it. */
function connectionText(text: string): string {
  return text.replace(/^.*\burl \([^)]*\):\s*/, "").replace(/\s*\(os error \d+\)/g, "");
}

/** What `retry-after-ms` or `retry-after` (seconds or a date) asks for. */
function retryAfterMs(headers: Readonly<Record<string, string | undefined>>): number | undefined {
  const ms = Number(headers["retry-after-ms"] ?? NaN);
  if (Number.isFinite(ms)) return Math.max(0, ms);
  const after = headers["retry-after"];
  if (after === undefined || after.trim() === "") return undefined;
  const seconds = Number(after);
  const wait = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(after) - Date.now();
  return Number.isFinite(wait) ? Math.max(0, wait) : undefined;
}
