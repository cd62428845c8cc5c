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
/** What all bodies that have not ended may weigh together. */
const MAX_UNFINISHED_BYTES = 32 * MAX_WEBHOOK_BYTES;

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
  { bodies, answerMs = ANSWER_MS }: { bodies: WebhookBodies; answerMs?: number },
): Promise<Response> {
  const late = Promise.withResolvers<Response>();
  const tooLate = () => late.resolve(plain(503, "try again"));
  const timer = setTimeout(tooLate, answerMs);
  try {
    const body = await bodies.read(request, { late: late.promise, tooLate });
    if (body === undefined) return plain(413, "too large");
    if (body instanceof Response) return body;
    const { url, method, headers } = request;
    const whole = new Request(url, { method, headers, ...(method === "POST" ? { body } : {}) });
    return await Promise.race([handle(whole, account) ?? plain(404, "not found"), late.promise]);
  } catch {
    return plain(503, "try again"); // the account's own log says why
  } finally {
    clearTimeout(timer);
  }
}

/** Bodies that are being read. Anybody can begin one and never end it. */
export class WebhookBodies {
  /** The one that waits longest first. */
  readonly #reading = new Set<{ size: number; readonly tooLate: () => void }>();

  /** `undefined` where it is too large; the answer, where it did not come in time. */
  async read(
    request: Request,
    { late, tooLate }: { late: Promise<Response>; tooLate: () => void },
  ): Promise<Uint8Array<ArrayBuffer> | Response | undefined> {
    if (Number(request.headers.get("content-length")) > MAX_WEBHOOK_BYTES) {
      await request.body?.cancel();
      return undefined;
    }
    if (request.body === null) return Buffer.alloc(0);
    const parts: Uint8Array[] = [];
    const reading = { size: 0, tooLate };
    const reader = request.body.getReader();
    this.#reading.add(reading);
    try {
      for (;;) {
        const read = await Promise.race([reader.read(), late]);
        if (read instanceof Response) return read;
        if (read.done) return Buffer.concat(parts);
        reading.size += read.value.length;
        if (reading.size > MAX_WEBHOOK_BYTES) return undefined;
        parts.push(read.value);
        this.#makeRoom();
      }
    } finally {
      this.#reading.delete(reading);
      void reader.cancel().catch(() => {}); // nobody hears what is left
    }
  }

  /** Who takes longest for theirs goes first: silence keeps no network out. */
  #makeRoom(): void {
    let size = 0;
    for (const reading of this.#reading) size += reading.size;
    for (const reading of this.#reading) {
      if (size <= MAX_UNFINISHED_BYTES) return;
      size -= reading.size;
      this.#reading.delete(reading);
      reading.tooLate();
    }
  }
}

function plain(status: number, text: string): Response {
  return new Response(text, { status });
}
