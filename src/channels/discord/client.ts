/**
 * Discord's REST API: each call is one request. Nothing is tried again here, and nothing waits; that
 * is the outbox's. The libraries for it do both, and hold files in memory.
 */
import { ChannelError } from "../../channel.ts";
import { Deadline } from "../../deadline.ts";
import type { SendFault } from "../../message.ts";
import { sentOnce } from "../../sent_once.ts";
import { bodyText } from "../body_text.ts";
import { isUnsent, lastPart, reasonOf } from "../failed_fetch.ts";
import { jsonObject } from "../json_object.ts";

/** A request that Discord did not do as asked. The message is for people, without secrets. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  /** What became of the request. */
  readonly fault: SendFault;
  /** Of HTTP; `undefined` where there was no answer. */
  readonly status: number | undefined;
  /** Discord's own number for what is wrong. */
  readonly code: number | undefined;
  readonly retryAfterMs: number | undefined;
  readonly isGlobal: boolean;

  constructor(
    fault: SendFault,
    message: string,
    { status, code, retryAfterMs, isGlobal = false, cause }: {
      status?: number;
      code?: number;
      retryAfterMs?: number;
      isGlobal?: boolean;
      cause?: unknown;
    } = {},
  ) {
    super(message, { cause });
    this.fault = fault;
    this.status = status;
    this.code = code;
    this.retryAfterMs = retryAfterMs;
    this.isGlobal = isGlobal;
  }
}

/** What an error of the API means for the channel as a whole. Others are left as they are. */
export function toChannelError(error: unknown): unknown {
  if (!(error instanceof ApiError)) return error;
  const reason = error.fault === "auth" ? "auth" : "network";
  return new ChannelError(reason, error.message, {
    cause: error,
    ...(error.retryAfterMs !== undefined && { retryAfterMs: error.retryAfterMs }),
  });
}

/** A file that is streamed from the disk. */
export interface Upload {
  readonly path: string;
  readonly name: string;
  readonly mimeType: string;
  readonly size: number;
}

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** Asks the API as one bot. Safe to use for many things at once. */
export class Client {
  readonly #token: string;
  readonly #root: string;
  readonly #patienceMs: number;
  readonly #spent = new Map<string, number>();

  constructor(
    { token, apiRoot, patienceMs }: { token: string; apiRoot: string; patienceMs: number },
  ) {
    this.#token = token;
    this.#root = `${apiRoot}/v10`;
    this.#patienceMs = patienceMs;
  }

  /**
   * Resolves to what Discord documents for this path, `undefined` where it answers with nothing.
   * Rejects with an `ApiError`; with `network` or `rate_limited` nothing was done, with `unknown`
   * perhaps.
   */
  async call<T>(
    method: Method,
    path: string,
    { body, upload, signal }: { body?: unknown; upload?: Upload; signal: AbortSignal },
  ): Promise<T> {
    if (signal.aborted) throw new ApiError("network", "it was given up before it was sent");
    const route = `${method} ${routeOf(path)}`;
    this.#refuseIfSpent(route);
    using form = upload && await Form.open(body, upload);
    const patienceMs = this.#patienceMs + (upload?.size ?? 0) / SLOWEST_BYTES_PER_MS;
    using deadline = new Deadline(patienceMs, signal);
    const sent = form ?? (body === undefined ? undefined : jsonOf(body));
    let response: Response;
    let text: string;
    try {
      response = await ask(`${this.#root}${path}`, {
        method,
        headers: {
          authorization: `Bot ${this.#token}`,
          "user-agent": "DiscordBot (https://openclaw.ai, 1)",
          ...(sent && { "content-type": sent.type }),
        },
        ...(sent && { body: sent.content }),
        redirect: "error",
        signal: deadline.signal,
      });
      text = await readText(response);
    } catch (error) {
      if (deadline.isOver) {
        throw new ApiError("unknown", "Discord did not answer in time", { cause: error });
      }
      if (signal.aborted) {
        throw new ApiError("unknown", "it was given up on the way", { cause: error });
      }
      const { fault, detail } = failureOf(error);
      throw new ApiError(fault, detail, { cause: error });
    }
    if (!response.ok) throw refusalOf(response, text);
    this.#remember(route, response.headers);
    if (text === "") return undefined as T;
    try {
      return JSON.parse(text); // of the form that Discord documents
    } catch (cause) {
      throw new ApiError("unknown", "Discord's answer is not JSON", {
        status: response.status,
        cause,
      });
    }
  }

  /** Discord said that the next request would be one too many. */
  #refuseIfSpent(route: string): void {
    const waitMs = (this.#spent.get(route) ?? 0) - Date.now();
    if (waitMs <= 0) return;
    throw new ApiError("rate_limited", "Discord allows no more for now", { retryAfterMs: waitMs });
  }

  #remember(route: string, headers: Headers): void {
    this.#spent.delete(route);
    const seconds = Number(headers.get("x-ratelimit-reset-after"));
    if (headers.get("x-ratelimit-remaining") !== "0" || !(seconds > 0)) return;
    const now = Date.now();
    for (const [known, until] of this.#spent) if (until <= now) this.#spent.delete(known);
    this.#spent.set(route, now + Math.min(seconds * 1000, MAX_WAIT_MS));
  }
}

const ask = sentOnce(fetch);

/** Bounds on what a hostile or a sick peer may do to us. */
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;
const MAX_WAIT_MS = 60 * 60_000;
/** A slower upload counts as lost. */
const SLOWEST_BYTES_PER_MS = 50;

/** A path without the ids that don't count: limits are per route, and per channel or guild in it. */
function routeOf(path: string): string {
  const [, major, id, ...rest] = path.replace(/\?.*/, "").split("/");
  return [major, id, ...rest.map((part) => /^\d+$/.test(part) ? ":id" : part)].join("/");
}

async function readText(response: Response): Promise<string> {
  const text = await bodyText(response, MAX_ANSWER_BYTES);
  if (text === undefined) throw new Error("the answer is too large");
  return text;
}

/** What an error of the connection says about the request. */
function failureOf(error: unknown): { fault: SendFault; detail: string } {
  const reason = reasonOf(error);
  return isUnsent(reason)
    ? { fault: "network", detail: `Discord can't be reached: ${lastPart(reason)}` }
    : { fault: "unknown", detail: `the connection to Discord broke: ${lastPart(reason)}` };
}

/** The error that an answer is. */
function refusalOf({ status, headers }: Response, text: string): ApiError {
  const { message, code, retry_after, global, isJson } = readRefusal(text);
  const detail = message === undefined
    ? `Discord answered ${status}`
    : `Discord says: ${message}${code ? ` (${code})` : ""}`;
  const seconds = retry_after ?? Number(headers.get("retry-after") ?? NaN);
  const retryAfterMs = seconds >= 0 ? Math.min(Math.ceil(seconds * 1000), MAX_WAIT_MS) : undefined;
  const facts = { status, ...(code !== undefined && { code }) };
  if (status === 429 || code === SLOW_MODE) {
    // What stands before Discord's API shuts out all that comes from here.
    const isGlobal = global === true || headers.has("x-ratelimit-global") || !isJson;
    return new ApiError("rate_limited", detail, { ...facts, retryAfterMs, isGlobal });
  }
  if (status === 401) return new ApiError("auth", "Discord does not accept the token", facts);
  if (status >= 500) return new ApiError("unknown", detail, { ...facts, retryAfterMs });
  // What stands before Discord's API speaks no JSON: it never got there.
  if (status === 403 && !isJson) return new ApiError("network", detail, facts);
  return new ApiError("rejected", detail, facts);
}

const SLOW_MODE = 20016;

interface Refusal {
  readonly message?: string;
  readonly code?: number;
  readonly retry_after?: number;
  readonly global?: boolean;
  readonly isJson: boolean;
}

function readRefusal(text: string): Refusal {
  const value = jsonObject(text);
  if (value === undefined) return { isJson: false };
  const { message, code, retry_after: wait, global, errors } = value;
  const inner = innerReason(errors);
  return {
    isJson: true,
    ...(typeof message === "string" && { message: inner ? `${message}: ${inner}` : message }),
    ...(typeof code === "number" && { code }),
    ...(typeof wait === "number" && { retry_after: wait }),
    ...(typeof global === "boolean" && { global }),
  };
}

/** The first of the reasons that a form was refused for, with where it lies in the form. */
function innerReason(errors: unknown, path: readonly string[] = []): string | undefined {
  if (typeof errors !== "object" || errors === null || path.length > 8) return undefined;
  for (const [key, value] of Object.entries(errors)) {
    if (key === "_errors" && Array.isArray(value)) {
      const [{ message = "" } = {}] = value;
      return `${path.join(".")} ${message}`.trim();
    }
    const found = innerReason(value, [...path, key]);
    if (found !== undefined) return found;
  }
  return undefined;
}

function jsonOf(body: unknown): { readonly type: string; readonly content: string } {
  return { type: "application/json", content: JSON.stringify(body) };
}

/** A form with a file in it that is read while it is sent. Disposing of it closes the file. */
class Form implements Disposable {
  readonly #boundary = crypto.randomUUID();
  readonly #file: Deno.FsFile;
  readonly content: ReadableStream<Uint8Array<ArrayBuffer>>;
  #isOpen = true;

  /** Rejects where the file can't be read. */
  static async open(body: unknown, upload: Upload): Promise<Form> {
    try {
      return new Form(body, upload, await Deno.open(upload.path));
    } catch (cause) {
      const reason = cause instanceof Deno.errors.NotFound ? "not found" : "it can't be read";
      throw new ApiError("rejected", `Cannot send file '${upload.name}': ${reason}`, { cause });
    }
  }

  private constructor(body: unknown, { name, mimeType }: Upload, file: Deno.FsFile) {
    this.#file = file;
    const boundary = `--${this.#boundary}`;
    const parts = this.#parts(
      `${boundary}\r\nContent-Disposition: form-data; name="payload_json"\r\n` +
        `Content-Type: application/json\r\n\r\n${JSON.stringify(body)}\r\n` +
        `${boundary}\r\nContent-Disposition: form-data; name="files[0]"; ` +
        `filename="${quoted(name)}"\r\nContent-Type: ${oneLine(mimeType)}\r\n\r\n`,
      `\r\n${boundary}--\r\n`,
    );
    this.content = new ReadableStream({
      async pull(controller) {
        const { done, value } = await parts.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
    }, { highWaterMark: 0 });
  }

  get type(): string {
    return `multipart/form-data; boundary=${this.#boundary}`;
  }

  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#file.close();
  }

  async *#parts(head: string, tail: string): AsyncGenerator<Uint8Array<ArrayBuffer>, undefined> {
    const encoder = new TextEncoder();
    yield encoder.encode(head);
    for (;;) {
      if (!this.#isOpen) throw new Error("the upload was given up");
      const part = new Uint8Array(CHUNK_BYTES);
      const size = await this.#file.read(part);
      if (size === null) break;
      yield part.subarray(0, size);
    }
    yield encoder.encode(tail);
  }
}

const CHUNK_BYTES = 64 * 1024;

function quoted(name: string): string {
  return oneLine(name).replace(/["\\]/g, (mark) => mark === '"' ? "%22" : "_");
}

function oneLine(text: string): string {
  return text.replace(/[\r\n\0]/g, " ");
}
