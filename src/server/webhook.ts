/** Networks that call us instead of being asked: `/webhooks/<network>/<account>`. */
import { Buffer } from "node:buffer";
import { ROUTES } from "./routes.ts";

/** Which account a request is for. */
export interface WebhookAccount {
  readonly channel: string;
  readonly accountId: string;
}

/**
 * Answers for an account; `undefined` where nobody expects a call. It checks by itself that the
 * request comes from its network: whoever else finds the address learns nothing.
 */
export type WebhookHandler = (
  request: Request,
  account: WebhookAccount,
) => Promise<Response> | undefined;

/** What a network may send at a time, in bytes: news of messages, not their files. */
export const MAX_WEBHOOK_BYTES = 1024 * 1024;
/** How long an account may take, in milliseconds; the network then tries again. */
const ANSWER_MS = 25_000;

/** The account that a path of the route `webhook` is the address of. */
export function webhookAccount(path: string): WebhookAccount {
  const { channel = "", accountId = "" } = ROUTES.webhook.path.exec(path)?.groups ?? {};
  return { channel, accountId };
}

/** Hands a request to its account, if it is not too large, and answers in any case. */
export async function answerWebhook(
  request: Request,
  account: WebhookAccount,
  handle: WebhookHandler,
): Promise<Response> {
  const body = await readBody(request);
  if (body === undefined) return plain(413, "too large");
  const { url, method, headers } = request;
  const whole = new Request(url, { method, headers, ...(method === "POST" ? { body } : {}) });
  const late = Promise.withResolvers<Response>();
  const timer = setTimeout(() => late.resolve(plain(503, "try again")), ANSWER_MS);
  try {
    return await Promise.race([handle(whole, account) ?? plain(404, "not found"), late.promise]);
  } catch {
    return plain(503, "try again"); // the account's own log says why
  } finally {
    clearTimeout(timer);
  }
}

/** `undefined` where it is too large. */
async function readBody(request: Request): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (Number(request.headers.get("content-length")) > MAX_WEBHOOK_BYTES) {
    await request.body?.cancel();
    return undefined;
  }
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of request.body ?? []) {
    size += part.length;
    if (size > MAX_WEBHOOK_BYTES) return undefined; // leaving the loop cancels the rest
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function plain(status: number, text: string): Response {
  return new Response(text, { status });
}
