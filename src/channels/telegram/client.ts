/** Calls to the Bot API: one request each, never repeated, and what went wrong in our words. */
import { Api, GrammyError, HttpError } from "grammy/web";
import { Deadline } from "../../deadline.ts";
import { sentOnce } from "../../sent_once.ts";
import { isUnsent, reasonOf } from "../failed_fetch.ts";

/** The Bot API's methods, as grammY types them. */
export type BotApi = Api["raw"];

/** What makes a call of theirs give up. */
export type BotSignal = NonNullable<Parameters<BotApi["getMe"]>[0]>;

/**
 * Why a call came to nothing. `auth`: the token is wrong. `conflict`: somebody else polls. `refused`:
 * never, as it is. `unsent`: it surely did not arrive. `lost`: it may have arrived.
 */
export type CallFault = "auth" | "conflict" | "rate_limited" | "refused" | "unsent" | "lost";

/** A call that came to nothing. Its message is for people and has no token in it. */
export class CallError extends Error {
  override readonly name = "CallError";

  constructor(
    readonly fault: CallFault,
    message: string,
    { retryAfterMs, migratedTo }: { retryAfterMs?: number; migratedTo?: string } = {},
  ) {
    super(message);
    this.retryAfterMs = retryAfterMs;
    this.migratedTo = migratedTo;
  }

  /** Telegram's own wish. */
  readonly retryAfterMs: number | undefined;
  /** The chat exists no more under its id, but under this one. */
  readonly migratedTo: string | undefined;
}

const CLOUD = "https://api.telegram.org";
const TIMEOUT_MS = 60_000;

/** The Bot API for one token. */
export class Client {
  readonly #api: BotApi;
  readonly #token: string;
  readonly #root: string;
  readonly #timeoutMs: number;
  readonly #http: { readonly client?: Deno.HttpClient };

  constructor(token: string, { apiRoot = CLOUD, proxy, timeoutMs = TIMEOUT_MS }: {
    apiRoot?: string;
    proxy?: string;
    /** How long a call may take unless it says otherwise. */
    timeoutMs?: number;
  } = {}) {
    this.#token = token;
    this.#root = apiRoot.replace(/\/+$/, "");
    this.#timeoutMs = timeoutMs;
    this.#http = proxy === undefined ? {} : { client: through(proxy) };
    // grammY's own time-out is far longer than any of ours, and its repetition is a plugin
    this.#api = new Api(token, {
      apiRoot: this.#root,
      fetch: sentOnce((url, init) => fetch(url, { ...init, ...this.#http })),
    }).raw;
  }

  /** Rejects with a `CallError`: after `timeoutMs`, or when the signal aborts, too. */
  async ask<T>(
    call: (api: BotApi, signal: BotSignal) => Promise<T>,
    { signal, timeoutMs = this.#timeoutMs }: { signal: AbortSignal; timeoutMs?: number },
  ): Promise<T> {
    if (signal.aborted) throw new CallError("unsent", "given up before it was sent");
    using deadline = new Deadline(timeoutMs, signal);
    try {
      // the class that grammY's types mean is an older one; its code takes the platform's
      const theirs: unknown = deadline.signal;
      return await call(this.#api, theirs as BotSignal);
    } catch (error) {
      if (signal.aborted) throw new CallError("lost", "given up on the way");
      if (deadline.isOver) {
        throw new CallError("lost", `Telegram did not answer within ${timeoutMs / 1000} s`);
      }
      throw this.#explain(error);
    }
  }

  /** The bytes of a file, by the path that `getFile` gave. Rejects with a `CallError`. */
  async download(path: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const escaped = path.split("/").map(encodeURIComponent).join("/");
    let response: Response;
    try {
      response = await fetch(`${this.#root}/file/bot${this.#token}/${escaped}`, {
        signal,
        ...this.#http,
      });
    } catch (error) {
      throw this.#explain(error);
    }
    if (response.ok && response.body !== null) return response.body;
    await response.body?.cancel();
    const fault = response.status === 401 ? "auth" : response.status < 500 ? "refused" : "lost";
    throw new CallError(fault, `Telegram answered with status ${response.status}`);
  }

  #explain(error: unknown): CallError {
    if (error instanceof GrammyError) return explainRefusal(error);
    const message = reasonOf(error instanceof HttpError ? error.error : error);
    const safe = message.replaceAll(this.#token, "<token>")
      .replaceAll(encodeURIComponent(this.#token), "<token>");
    return new CallError(isUnsent(message) ? "unsent" : "lost", safe);
  }
}

function explainRefusal({ error_code: code, description, parameters }: GrammyError): CallError {
  const { retry_after: seconds, migrate_to_chat_id: chat } = parameters ?? {};
  if (typeof code !== "number") return new CallError("lost", "the answer makes no sense");
  if (code === 401) return new CallError("auth", description);
  // a token that no bot ever had is not found, and so is a method
  if (code === 404 && description === "Not Found") return new CallError("auth", description);
  if (code === 409) return new CallError("conflict", description);
  if (code === 429) {
    return new CallError("rate_limited", description, {
      ...(typeof seconds === "number" ? { retryAfterMs: seconds * 1000 } : {}),
    });
  }
  if (code >= 500) return new CallError("lost", description);
  return new CallError("refused", description, {
    ...(chat === undefined ? {} : { migratedTo: String(chat) }),
  });
}

/** Connections through one proxy, shared by whoever uses it for as long as the process lives. */
const PROXIES = new Map<string, Deno.HttpClient>();

function through(url: string): Deno.HttpClient {
  const known = PROXIES.get(url);
  if (known !== undefined) return known;
  const client = Deno.createHttpClient({ proxy: { url } });
  PROXIES.set(url, client);
  return client;
}
