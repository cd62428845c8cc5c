/** Calls to Slack's Web API: one request each, never repeated, and what went wrong in our words. */
import { ErrorCode, type Logger, WebClient } from "@slack/web-api";
import { ChannelError } from "../../channel.ts";
import { Deadline } from "../../deadline.ts";
import type { Receipt } from "../../message.ts";
import { sentOnce } from "../../sent_once.ts";
import { bodyText } from "../body_text.ts";
import { isUnsent, lastPart, reasonOf } from "../failed_fetch.ts";

/**
 * Why a call came to nothing. `auth`: the token is wrong. `refused`: never, as it is. `unsent`: it
 * surely did not arrive. `lost`: it may have arrived.
 */
export type CallFault = "auth" | "rate_limited" | "refused" | "unsent" | "lost";

/** A call that came to nothing. Its message is for people and has no token in it. */
export class CallError extends Error {
  override readonly name = "CallError";

  constructor(
    readonly fault: CallFault,
    message: string,
    { code, retryAfterMs, cause }: { code?: string; retryAfterMs?: number; cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }

  /** Slack's word for what is wrong. */
  readonly code: string | undefined;
  /** Slack's own wish. */
  readonly retryAfterMs: number | undefined;
}

/** What a failed call means for a message that was to be sent. Throws what is no such failure. */
export function asReceipt(error: unknown): Receipt {
  if (!(error instanceof CallError)) throw error;
  const { fault, message: detail, retryAfterMs } = error;
  const reasons = {
    auth: "auth",
    rate_limited: "rate_limited",
    refused: "rejected",
    unsent: "network",
    lost: "unknown",
  } as const;
  return {
    sent: false,
    reason: reasons[fault],
    detail,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

/** What a failed call means for the connection. Others are left as they are. */
export function asChannelError(error: unknown): unknown {
  if (!(error instanceof CallError)) return error;
  const { fault, message, retryAfterMs } = error;
  const reason = fault === "auth" ? "auth" : fault === "refused" ? "config" : "network";
  return new ChannelError(reason, message, {
    cause: error,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** The Web API for one token. Safe to use for many things at once. */
export class Client {
  readonly #token: string;
  readonly #apiUrl: string;
  readonly #patienceMs: number;

  constructor(
    { token, apiUrl, patienceMs }: { token: string; apiUrl: string; patienceMs: number },
  ) {
    this.#token = token;
    this.#apiUrl = apiUrl;
    this.#patienceMs = patienceMs;
  }

  /** Rejects with a `CallError`, also when it takes too long or the signal aborts. */
  async ask<T>(call: (api: WebClient) => Promise<T>, signal: AbortSignal): Promise<T> {
    return await this.#within(this.#patienceMs, signal, async (abort) => {
      // a client is cheap, and the only thing of theirs that can be given a signal
      const api = new WebClient(this.#token, {
        slackApiUrl: this.#apiUrl,
        fetch: (url, init) => answerTo(url, { ...init, signal: abort }),
        retryConfig: { retries: 0 },
        rejectRateLimitedCalls: true,
        allowAbsoluteUrls: false,
        maxRequestConcurrency: Infinity,
        logger: SILENT,
      });
      try {
        return await call(api);
      } catch (error) {
        throw explain(error);
      }
    });
  }

  /**
   * Brings a file's bytes to the address that Slack gave for it, and closes the file where it is read
   * to its end. Rejects with a `CallError`.
   */
  async upload(
    url: string,
    { file, size }: { file: Deno.FsFile; size: number },
    signal: AbortSignal,
  ): Promise<void> {
    const ms = this.#patienceMs + size / SLOWEST_BYTES_PER_MS;
    await this.#within(ms, signal, async (abort) => {
      const headers = { "content-type": "application/octet-stream" };
      const body = file.readable; // Deno's own: its bytes never pass through here
      const response = await answerTo(url, { method: "POST", headers, body, signal: abort });
      await response.body?.cancel();
    });
  }

  /** Answers a command by its own address. Rejects with a `CallError`; `refused` where it is over. */
  async respond(url: string, body: unknown, signal: AbortSignal): Promise<void> {
    await this.#within(this.#patienceMs, signal, async (abort) => {
      const headers = { "content-type": "application/json" };
      const init = { method: "POST", headers, body: JSON.stringify(body), signal: abort };
      const response = await answerTo(url, init);
      await response.body?.cancel();
    });
  }

  /**
   * The bytes of a file. Rejects with a `CallError`. The token goes to Slack alone, whatever the
   * address says.
   */
  async download(
    url: string,
    { isPage }: { isPage: boolean },
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array>> {
    if (!this.#isSlack(url)) throw new CallError("refused", "the file does not lie with Slack");
    const headers = { authorization: `Bearer ${this.#token}` };
    let response: Response;
    try {
      response = await fetch(url, { headers, redirect: "manual", signal });
      const elsewhere = response.headers.get("location");
      if (response.status >= 300 && response.status < 400 && elsewhere !== null) {
        await response.body?.cancel();
        response = await fetch(new URL(elsewhere, url), { redirect: "error", signal });
      }
    } catch (error) {
      throw explain(error);
    }
    const type = response.headers.get("content-type") ?? "";
    const isSignIn = !isPage && type.startsWith("text/html");
    if (response.ok && response.body !== null && !isSignIn) return response.body;
    await response.body?.cancel();
    if (isSignIn) {
      throw new CallError("refused", "Slack does not show the file to the bot: add files:read");
    }
    const fault = response.status < 500 ? "refused" : "lost";
    throw new CallError(fault, `Slack answered with status ${response.status}`);
  }

  #isSlack(url: string): boolean {
    if (!URL.canParse(url)) return false;
    const { origin, hostname, protocol } = new URL(url);
    return origin === new URL(this.#apiUrl).origin ||
      protocol === "https:" && /(^|\.)slack(-edge|-files)?\.com$/.test(hostname);
  }

  async #within<T>(
    ms: number,
    signal: AbortSignal,
    work: (abort: AbortSignal) => Promise<T>,
  ): Promise<T> {
    if (signal.aborted) throw new CallError("unsent", "it was given up before it was sent");
    using deadline = new Deadline(ms, signal);
    try {
      return await work(deadline.signal);
    } catch (cause) {
      if (deadline.isOver) throw new CallError("lost", "Slack did not answer in time", { cause });
      if (signal.aborted) throw new CallError("lost", "it was given up on the way", { cause });
      throw explain(cause);
    }
  }
}

const ask = sentOnce(fetch);

/** A slower upload counts as lost. */
const SLOWEST_BYTES_PER_MS = 50;
/** No answer of Slack's is larger. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
const MAX_WAIT_MS = 60 * 60_000;

/** Their log would go to the terminal, with what people say in it. */
const SILENT: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  setLevel() {},
  getLevel: () => "error" as ReturnType<Logger["getLevel"]>,
  setName() {},
};

/** The whole answer, where it is a success. Rejects with a `CallError`, or as `fetch` does. */
async function answerTo(url: string | URL | Request, init: RequestInit): Promise<Response> {
  const response = await ask(url, { ...init, redirect: "error" });
  const { status, headers } = response;
  if (status === 429) {
    await response.body?.cancel();
    const seconds = Number(headers.get("retry-after") ?? NaN);
    throw new CallError("rate_limited", "Slack allows no more for now", {
      ...(seconds >= 0 ? { retryAfterMs: Math.min(seconds * 1000, MAX_WAIT_MS) } : {}),
    });
  }
  if (!response.ok) {
    await response.body?.cancel();
    const fault = status < 500 ? "refused" : "lost";
    throw new CallError(fault, `Slack answered with status ${status}`);
  }
  const text = await bodyText(response, MAX_ANSWER_BYTES);
  if (text === undefined) throw new CallError("lost", "Slack's answer is too large");
  return new Response(text, { status, headers });
}

function explain(error: unknown): CallError {
  if (error instanceof CallError) return error;
  const original = originalOf(error);
  if (original instanceof CallError) return original;
  const refusal = refusalOf(error);
  if (refusal !== undefined) return explainRefusal(refusal);
  const message = reasonOf(original);
  return isUnsent(message)
    ? new CallError("unsent", `Slack can't be reached: ${lastPart(message)}`, { cause: error })
    : new CallError("lost", `the connection to Slack broke: ${lastPart(message)}`, {
      cause: error,
    });
}

/** What their error of a request wraps. */
function originalOf(error: unknown): unknown {
  return isCoded(error, ErrorCode.RequestError) && "original" in error ? error.original : error;
}

interface ApiRefusal {
  readonly error?: unknown;
  readonly needed?: unknown;
  readonly response_metadata?: { readonly messages?: readonly unknown[] };
}

/** What Slack answered instead of `ok`. */
function refusalOf(error: unknown): ApiRefusal | undefined {
  if (!isCoded(error, ErrorCode.PlatformError) || !("data" in error)) return undefined;
  const { data } = error;
  return typeof data === "object" && data !== null ? data : undefined;
}

function isCoded(error: unknown, code: ErrorCode): error is Error {
  return error instanceof Error && "code" in error && error.code === code;
}

function explainRefusal({ error: code, needed, response_metadata }: ApiRefusal): CallError {
  // what is no JSON is said to be an error, too
  if (typeof code !== "string" || !/^[\w:.-]{1,80}$/.test(code)) {
    return new CallError("lost", "Slack's answer makes no sense");
  }
  const [why] = response_metadata?.messages ?? [];
  const more = typeof needed === "string" ? ` (it needs ${needed})` : why ? ` (${why})` : "";
  const fault = AUTH.has(code)
    ? "auth"
    : RATE_LIMITS.has(code)
    ? "rate_limited"
    : UNSURE.has(code)
    ? "lost"
    : "refused";
  return new CallError(fault, `Slack says: ${code}${more}`, { code });
}

const AUTH: ReadonlySet<string> = new Set([
  "invalid_auth",
  "not_authed",
  "account_inactive",
  "token_revoked",
  "token_expired",
  "not_allowed_token_type",
  "team_access_not_granted",
]);
const RATE_LIMITS: ReadonlySet<string> = new Set([
  "ratelimited",
  "rate_limited",
  "message_limit_exceeded",
]);
/** Slack does not say whether it was done. */
const UNSURE: ReadonlySet<string> = new Set([
  "fatal_error",
  "internal_error",
  "service_unavailable",
  "request_timeout",
  "team_added_to_org",
  "too_many_websockets",
]);
