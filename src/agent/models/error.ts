/** Why a call failed, read off what the provider or the network said. */
import { ModelError, type ModelErrorKind } from "../../model.ts";
import type { Endpoint } from "./endpoint.ts";

/** What is known of a failed call before anybody has judged it. */
export interface Failure {
  /** Of an error answer. A call that broke off while it went well has none. */
  readonly status?: number;
  readonly broke?: "before the answer" | "in the answer";
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
  // Cleaned before it is cut: half a key is still a secret.
  const clean = { ...failure, text: redact(failure.text, endpoint) };
  return new ModelError(kind, describe(kind, clean, endpoint), {
    status: failure.status,
    retryAfterMs: retryAfterMs(failure.headers ?? {}),
    cause: failure.cause,
  });
}

/** Removes the endpoint's key and whatever else looks like one from a text that others wrote. */
export function redact(text: string, { apiKey, headers, baseUrl }: Endpoint): string {
  let clean = text;
  const told = Object.values(headers).flatMap((header) => [header, header.replace(SCHEME, "")]);
  for (const secret of [apiKey, ...told, ...secretsInUrl(baseUrl)]) {
    if (secret !== undefined && secret.length >= 6) clean = clean.replaceAll(secret, "[redacted]");
  }
  return clean.replace(KEY_IN_URL, "$1[redacted]").replace(KEY_LIKE, "[redacted]");
}

/** The password and what the query says, as they are spelled and as they are meant. */
function secretsInUrl(url: string): readonly string[] {
  const { password = "", searchParams } = URL.parse(url) ?? {};
  return [password, decode(password), ...searchParams?.values() ?? []];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Before the secret of an `Authorization` header. */
const SCHEME = /^(?:bearer|basic|token)\s+/i;
const MAX_TEXT = 500;
const KEY_IN_URL = /([?&](?:key|api_?key|token|access_token)=)[^&\s"')]+/gi;
const KEY_LIKE = /\b(?:Bearer\s+[\w.~+/=*-]{6,}|(?:sk|pk|gsk|xai)[-_][\w*.-]{6,}|AIza[\w*-]{6,})/g;
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

function kindOf({ status, text, broke }: Failure): ModelErrorKind {
  if (broke !== undefined) return "network";
  if (status === 402 || NO_CREDIT.test(text)) return "auth"; // waiting won't help, the account must change
  if (status === 429 || /rate.?limit/i.test(text)) return "rate_limit";
  if (status === 413 || OVERFLOW.test(text)) return "context_length";
  if (status === 401 || status === 403) return "auth";
  if (status === 408 || status === 504) return "timeout";
  if (status !== undefined && status >= 500 || /overloaded/i.test(text)) return "overloaded";
  return status === undefined ? "unknown" : "invalid";
}

function describe(kind: ModelErrorKind, { status, broke, text }: Failure, at: Endpoint): string {
  if (broke === "in the answer") return `${at.provider} stopped in the middle of its answer`;
  const reason = text.trim().slice(0, MAX_TEXT) || "no reason given";
  if (broke !== undefined) return `Cannot reach ${at.provider} at ${hostOf(at.baseUrl)}: ${reason}`;
  const code = status === undefined ? "" : ` (HTTP ${status})`;
  if (kind !== "auth") return `${at.provider} failed${code}: ${reason}`;
  return `${at.provider} refused the API key${code}: ${reason}. ` +
    `Set ${at.keyHint} to a key that may use this model`;
}

function hostOf(url: string): string {
  return URL.parse(url)?.host ?? "an invalid URL";
}

/** Reads the shapes in which the SDKs and `fetch` report a failure. */
function failureOf(thrown: unknown): Failure {
  if (typeof thrown !== "object" || thrown === null) return { text: String(thrown) };
  const text = textOf(thrown);
  const code = "code" in thrown && typeof thrown.code === "string" ? ` (${thrown.code})` : "";
  const status = "statusCode" in thrown && typeof thrown.statusCode === "number"
    ? thrown.statusCode
    : undefined;
  if (status !== undefined && status < 400 || isCutOff(thrown)) {
    return { broke: "in the answer", text };
  }
  if (status === undefined && isNetworkError(thrown)) {
    return { broke: "before the answer", text: connectionText(text) };
  }
  // the SDK's errors hold the whole conversation, which is not for the log
  const cause = thrown instanceof Error && !thrown.name.startsWith("AI_") ? thrown : undefined;
  return { status, headers: headersOf(thrown), text: text + code, cause };
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

/** A body that broke, by the words of Deno and of the SDK. */
function isCutOff(thrown: object): boolean {
  return thrown instanceof Error &&
    /error reading a body|without a finish reason|before message completed/.test(thrown.message);
}

/** `fetch` says TypeError for a refused or lost connection, as bugs do; an SDK may wrap it. */
function isNetworkError(thrown: object): boolean {
  return thrown instanceof Error &&
    /^Cannot connect to API|^Fetch failed|error sending request|connection/i
      .test(thrown.message);
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
