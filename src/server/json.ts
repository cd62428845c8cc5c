/** JSON of what goes out. */
import type { Message } from "./guard_frames.ts";

/** The beginnings of answers, by payload. */
const starts = new WeakMap<object, Uint8Array>();
const encoder = new TextEncoder();

/** The JSON of a payload; `null` for none. */
export function toJson(payload: unknown): string {
  return JSON.stringify(payload) ?? "null";
}

/**
 * The answer to the request `id`. A frozen payload will not change, so what it looks like is kept as
 * long as the payload is: answers that many clients ask for are put into bytes once.
 */
export function answer(id: string, payload: unknown): Message {
  const rest = `,"id":${JSON.stringify(id)}}`;
  if (typeof payload !== "object" || payload === null || !Object.isFrozen(payload)) {
    return startOf(payload) + rest;
  }
  let start = starts.get(payload);
  if (start === undefined) starts.set(payload, start = encoder.encode(startOf(payload)));
  return { start, rest };
}

function startOf(payload: unknown): string {
  return `{"type":"res","ok":true,"payload":${toJson(payload)}`;
}
