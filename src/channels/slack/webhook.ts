/** Requests of Slack's to us, where it calls instead of being connected to. */
import { createHmac } from "node:crypto";
import { sameText } from "../../secret.ts";
import { bodyText } from "../body_text.ts";
import { jsonObject } from "../json_object.ts";
import type { Payload } from "./convert.ts";

/** How old a request may be; older ones may be somebody else's who has listened. */
const MAX_AGE_MS = 5 * 60_000;
const MAX_BODY_BYTES = 1024 * 1024;

/** What a request turns out to be. */
export type Call =
  /** Answer with this, and do nothing. */
  | { readonly kind: "answer"; readonly response: Response }
  | { readonly kind: "payload"; readonly payload: Payload };

/** Reads a request, and refuses it unless it is signed by Slack and fresh. */
export async function readCall(
  request: Request,
  { signingSecret, now }: { signingSecret: string; now: number },
): Promise<Call> {
  if (request.method !== "POST") return answer(405);
  const body = await bodyText(request, MAX_BODY_BYTES).catch(() => undefined); // it broke off
  if (body === undefined) return answer(413);
  if (!isSigned(request.headers, body, { signingSecret, now })) return answer(401);
  const payload = readPayload(body, request.headers.get("content-type") ?? "");
  if (payload === undefined) return answer(400);
  if (payload.type === "url_verification" && typeof payload.challenge === "string") {
    return { kind: "answer", response: new Response(payload.challenge) };
  }
  if (payload.ssl_check !== undefined) return answer(200);
  return { kind: "payload", payload };
}

/** Whether Slack has signed it, and not too long ago. */
export function isSigned(
  headers: Headers,
  body: string,
  { signingSecret, now }: { signingSecret: string; now: number },
): boolean {
  const timestamp = headers.get("x-slack-request-timestamp") ?? "";
  const given = headers.get("x-slack-signature") ?? "";
  if (!/^\d{1,12}$/.test(timestamp)) return false;
  if (Math.abs(now - Number(timestamp) * 1000) > MAX_AGE_MS) return false;
  const signature = createHmac("sha256", signingSecret).update(`v0:${timestamp}:${body}`)
    .digest("hex");
  return sameText(given, `v0=${signature}`);
}

/** Events come as JSON, buttons as JSON in a form, and commands as a form. */
function readPayload(body: string, type: string): Payload | undefined {
  if (!type.startsWith("application/x-www-form-urlencoded")) return jsonObject(body);
  const form = new URLSearchParams(body);
  const payload = form.get("payload");
  return payload === null ? Object.fromEntries(form) : jsonObject(payload);
}

function answer(status: number): Call {
  return { kind: "answer", response: new Response(null, { status }) };
}
