/** How Telegram's updates reach the inbox: we ask for them, or Telegram calls. */
import type { Update } from "grammy/types";
import { ChannelError, type Inbox, type Self } from "../../channel.ts";
import { pause } from "../../deadline.ts";
import type { InboundMessage } from "../../message.ts";
import type { Log } from "../../log.ts";
import { sameText } from "../../secret.ts";
import type { KeyValues } from "../../store.ts";
import { bodyText } from "../body_text.ts";
import { jsonObject } from "../json_object.ts";
import { CallError, type Client } from "./client.ts";
import { migrationOf, toInbound, UPDATES } from "./convert.ts";

/** What both ways need. */
export interface Reception {
  readonly client: Client;
  readonly accountId: string;
  readonly self: Self;
  readonly inbox: Inbox;
  readonly values: KeyValues;
  readonly log: Log;
  /** Instead of all that we understand. */
  readonly allowedUpdates?: readonly string[];
  readonly pace: Pace;
}

/** How long things take, in milliseconds where the name says nothing else. */
export interface Pace {
  /** How long Telegram may keep a question for news. */
  readonly pollSeconds: number;
  /** How much longer than that an answer may take. */
  readonly grace: number;
  /** The first pause after somebody else asked; it doubles. */
  readonly conflictPause: number;
  /** So many times, within so long, and the other has won. */
  readonly maxConflicts: number;
  readonly conflictWindow: number;
  /** How often it is looked whether the webhook is still ours. */
  readonly webhookCheck: number;
}

export const PACE: Pace = {
  pollSeconds: 30,
  grace: 10_000,
  conflictPause: 1000,
  maxConflicts: 6,
  conflictWindow: 120_000,
  webhookCheck: 30_000,
};

/**
 * Asks for news until the signal aborts. What is stored is acknowledged by the next question, and
 * nothing else is. Rejects with a `CallError`, or with what the inbox says when it can't store.
 */
export async function poll(to: Reception, signal: AbortSignal): Promise<void> {
  const { client, inbox, self, pace } = to;
  await client.ask((api, abort) => api.deleteWebhook({}, abort), { signal });
  let offset = savedOffset(to.values);
  let conflicts: readonly number[] = []; // when they were
  let hold = 0; // the first answer comes at once, and shows that we are let in
  while (!signal.aborted) {
    let updates: readonly Update[];
    try {
      updates = await askForNews(to, { offset, hold, signal });
    } catch (error) {
      if (!(error instanceof CallError) || error.fault !== "conflict") throw error;
      // questions that are answered in between prove nothing: the two of us take turns
      const now = Date.now();
      conflicts = [...conflicts.filter((at) => at > now - pace.conflictWindow), now];
      if (conflicts.length >= pace.maxConflicts) throw error;
      inbox.status({ kind: "trouble", detail: `somebody else uses the bot: ${error.message}` });
      // two that step aside for equally long would meet again and again
      const longer = pace.conflictPause * 2 ** (conflicts.length - 1);
      await pause(longer * (0.5 + Math.random()), signal);
      continue;
    }
    inbox.status(hold === 0 ? { kind: "connected", self } : { kind: "heartbeat" });
    hold = pace.pollSeconds;
    offset = await takeAll(updates, to, { offset, signal });
  }
}

/**
 * Tells Telegram to call `url`, and sees to it that it still means to, until the signal aborts.
 * Telegram goes on calling after that, and keeps for a day what nobody takes.
 */
export async function beCalled(
  to: Reception,
  { url, secret, signal }: { url: string; secret: string; signal: AbortSignal },
): Promise<void> {
  const { client, inbox, self, pace } = to;
  await client.ask(
    (api, abort) =>
      api.setWebhook({ url, secret_token: secret, allowed_updates: kinds(to) }, abort),
    { signal },
  );
  inbox.status({ kind: "connected", self });
  for (;;) {
    await pause(pace.webhookCheck, signal);
    if (signal.aborted) return;
    const info = await client.ask((api, abort) => api.getWebhookInfo(abort), { signal });
    if (info.url !== url) {
      throw new ChannelError("kicked", "another program has the bot's messages sent to itself");
    }
    if (info.pending_update_count > 0 && info.last_error_message !== undefined) {
      const detail = `Telegram can't reach the webhook: ${info.last_error_message}`;
      inbox.status({ kind: "trouble", detail });
    } else {
      inbox.status({ kind: "heartbeat" });
    }
  }
}

/** Telegram may keep a call open for so long, and no update is larger. */
const MAX_UPDATE_BYTES = 4 * 1024 * 1024;

/** Answers a call of Telegram's: with success only once what it says is stored. */
export async function respond(
  request: Request,
  to: Reception | undefined,
  secret: string | undefined,
): Promise<Response> {
  if (request.method !== "POST") return answer(405);
  const given = request.headers.get("x-telegram-bot-api-secret-token") ?? "";
  if (secret === undefined || !sameText(given, secret)) return answer(401);
  if (to === undefined) return answer(503); // not connected yet; Telegram calls again
  const update = jsonObject(await bodyText(request, MAX_UPDATE_BYTES) ?? "");
  if (!isUpdate(update)) return answer(400);
  try {
    // whoever waits for the answer or not
    await take({ update, said: read(update, to) }, to, new AbortController().signal);
    return answer(200);
  } catch (cause) {
    to.log.warn("Cannot take what Telegram says; it will say it again", { cause });
    return answer(503);
  }
}

/** Where the chat is now, if it was a group that became a supergroup. */
export function chatNow(chatId: string, values: KeyValues): string {
  const moved = values.get(`migrated:${chatId}`);
  return typeof moved === "string" ? moved : chatId;
}

/** Keeps for good where a chat has gone. */
export function rememberMigration(
  { from, to }: { from: string; to: string },
  { values, log }: Pick<Reception, "values" | "log">,
): void {
  if (values.get(`migrated:${from}`) === to) return;
  values.set(`migrated:${from}`, to);
  log.info("A group became a supergroup, and its id another one", { from, to });
}

async function askForNews(
  to: Reception,
  { offset, hold, signal }: { offset: number | undefined; hold: number; signal: AbortSignal },
): Promise<readonly Update[]> {
  const updates: unknown = await to.client.ask(
    (api, abort) =>
      api.getUpdates({
        timeout: hold,
        allowed_updates: kinds(to),
        ...(offset === undefined ? {} : { offset }),
      }, abort),
    { signal, timeoutMs: hold * 1000 + to.pace.grace },
  );
  if (!areUpdates(updates)) throw new CallError("lost", "the answer is no list of updates");
  // an offset acknowledges all that is before it, in whatever order it came
  return updates.toSorted((a, b) => a.update_id - b.update_id);
}

/** Resolves to the offset of the next question, which is kept, too. */
async function takeAll(
  updates: readonly Update[],
  to: Reception,
  { offset, signal }: { offset: number | undefined; signal: AbortSignal },
): Promise<number | undefined> {
  if (updates.length === 0) {
    // all is acknowledged, so nothing more depends on how Telegram counts
    if (offset !== undefined) to.values.delete("offset");
    return undefined;
  }
  to.inbox.status({ kind: "frame" });
  // chats together, since each message waits for the disk; in a chat one after another
  const chats = new Map<string, Promise<void>>();
  const taken = await Promise.allSettled(updates.map((update) => {
    const said = read(update, to);
    const chat = said[0]?.place.chatId ?? "";
    const before = chats.get(chat) ?? Promise.resolve();
    const stored = before.then(() => take({ update, said }, to, signal));
    chats.set(chat, stored);
    return stored;
  }));
  const failed = taken.find((result) => result.status === "rejected");
  const last = updates[failed === undefined ? updates.length - 1 : taken.indexOf(failed) - 1];
  const next = last === undefined ? offset : last.update_id + 1;
  if (next !== offset) to.values.set("offset", [next, Date.now()]);
  if (failed !== undefined) throw failed.reason;
  return next;
}

/** What comes after a button waits for so long at most. */
const BUTTON_MS = 5000;

/** What an update says to us. */
function read(update: Update, { accountId, self, log }: Reception): readonly InboundMessage[] {
  try {
    return toInbound(update, { accountId, self, now: Date.now() });
  } catch (cause) {
    log.warn("Cannot read an update of Telegram's; it is passed over", { cause });
    return [];
  }
}

/** Resolves once all that an update says is stored, also where it says nothing to us. */
async function take(
  { update, said }: { readonly update: Update; readonly said: readonly InboundMessage[] },
  to: Reception,
  signal: AbortSignal,
): Promise<void> {
  const { inbox, client, log } = to;
  const migration = migrationOf(update);
  if (migration !== undefined) rememberMigration(migration, to);
  for (const message of said) await inbox.receive(message);
  const id = update.callback_query?.id;
  if (id === undefined) return;
  try {
    await client.ask((api, abort) => api.answerCallbackQuery({ callback_query_id: id }, abort), {
      signal,
      timeoutMs: BUTTON_MS,
    });
  } catch (cause) {
    log.debug("A button spins on: Telegram was not told that it was seen", { cause });
  }
}

/** Telegram keeps what was not acknowledged for a day; an older offset may mean something else. */
const OFFSET_LIVES_MS = 24 * 60 * 60 * 1000;

function savedOffset(values: KeyValues): number | undefined {
  const saved = values.get("offset");
  if (!Array.isArray(saved)) return undefined;
  const [offset, at] = saved;
  return Number.isSafeInteger(offset) && Number(at) > Date.now() - OFFSET_LIVES_MS
    ? offset
    : undefined;
}

function kinds({ allowedUpdates }: Reception) {
  return UPDATES.filter((kind) => allowedUpdates?.includes(kind) ?? true);
}

function areUpdates(answer: unknown): answer is readonly Update[] {
  return Array.isArray(answer) && answer.every(isUpdate);
}

/** `toInbound` looks at the rest. */
function isUpdate(value: unknown): value is Update {
  return typeof value === "object" && value !== null && "update_id" in value &&
    Number.isSafeInteger(value.update_id);
}

function answer(status: number): Response {
  return new Response(null, { status });
}
