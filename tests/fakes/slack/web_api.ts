/** Slack's Web API, as far as a bot of ours asks it. */
import { createHash } from "node:crypto";
import type { Deliveries } from "./deliveries.ts";
import {
  APP,
  type Channel,
  type Message,
  shownChannel,
  shownFile,
  shownUser,
  TEAM,
  type World,
} from "./world.ts";

type Json = Readonly<Record<string, unknown>>;

/** How a call is answered instead of properly. */
export type Fault =
  /** A refusal; nothing is done. */
  | { readonly kind: "error"; readonly error: string; readonly more?: Json }
  /** Too many requests; nothing is done. */
  | { readonly kind: "limit"; readonly retryAfterSeconds?: number }
  /** Done, but answered with this status. */
  | { readonly kind: "status"; readonly status: number; readonly body?: string }
  /** Done, but half of the answer is missing. */
  | { readonly kind: "half" }
  /** Done, but the answer makes no sense. */
  | { readonly kind: "nonsense"; readonly body: string }
  /** Done, but not answered before the fault is mended. */
  | { readonly kind: "stall" }
  /** Done and answered after a while, also for those who have left by then. */
  | { readonly kind: "late"; readonly ms: number };

/** What a call or an answer to a command has become. */
export type ApiNote =
  | { readonly kind: "called"; readonly method: string; readonly args: Json }
  | {
    readonly kind: "sent" | "edited";
    readonly channel: string;
    readonly message: Message;
  }
  | { readonly kind: "responded"; readonly id: string; readonly body: Json };

export interface ApiRules {
  botToken: string;
  appToken: string;
  /**
   * One `client_msg_id` is one message. Slack's clients rely on it, but Slack promises it to nobody
   * else.
   */
  deduplicates: boolean;
  /** How often a file is asked for until it says where it is shared. */
  sharesAfter: number;
  pageSize: number;
}

/** A slash command's own way to answer. */
export interface ResponseUrl {
  readonly channel: string;
  uses: number;
  isExpired: boolean;
}

const MAX_TEXT = 40_000;
const MAX_EDIT = 4_000;
const MAX_SECTION = 3_000;
const MAX_USES = 5;

export class WebApi {
  readonly rules: ApiRules;
  /** What commands were answered through their own URLs. */
  readonly responses: { readonly id: string; readonly body: Json }[] = [];
  readonly responseUrls = new Map<string, ResponseUrl>();
  readonly #world: World;
  readonly #deliveries: Deliveries;
  readonly #url: () => string;
  readonly #note: (note: ApiNote) => void;
  readonly #tell: (event: Json, channel: string, ts: string) => void;
  readonly #faults = new Map<string, { readonly fault: Fault; times: number }>();
  readonly #uploads = new Map<string, { name: string; length: number }>();
  readonly #asked = new Map<string, number>();
  readonly #clientIds = new Map<string, Message>();
  #mended = Promise.withResolvers<void>();

  constructor(
    { world, deliveries, rules, url, note, tell }: {
      world: World;
      deliveries: Deliveries;
      rules: ApiRules;
      url: () => string;
      note: (note: ApiNote) => void;
      tell: (event: Json, channel: string, ts: string) => void;
    },
  ) {
    this.#world = world;
    this.#deliveries = deliveries;
    this.rules = rules;
    this.#url = url;
    this.#note = note;
    this.#tell = tell;
  }

  /** A call of this method, or any (`*`), fails so, `times` times or until `mend`. */
  fail(method: string, fault: Fault, times = Infinity): void {
    this.#faults.set(method, { fault, times });
  }

  mend(): void {
    this.#faults.clear();
    this.#mended.resolve();
    this.#mended = Promise.withResolvers();
  }

  /** Nothing waits any more. */
  end(): void {
    this.#mended.resolve();
  }

  async answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const upload = /^\/upload\/v1\/(\w+)$/.exec(pathname)?.[1];
    if (upload !== undefined) {
      return await this.#faulty("upload", () => this.#take(upload, request));
    }
    const file = /^\/files-pri\/\w+-(\w+)\//.exec(pathname)?.[1];
    if (file !== undefined) return await this.#faulty("download", () => this.#give(file, request));
    const command = /^\/commands\/(\w+)$/.exec(pathname)?.[1];
    if (command !== undefined) {
      const body: Json = await request.json();
      return await this.#faulty("response_url", () => this.#respond(command, body));
    }
    const method = /^\/api\/([\w.]+)$/.exec(pathname)?.[1];
    if (method === undefined) return new Response("not found", { status: 404 });
    const args = await readArgs(request);
    this.#note({ kind: "called", method, args });
    return await this.#faulty(method, () => {
      try {
        return Response.json({ ok: true, ...this.#call(method, args, bearerOf(request, args)) });
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        return Response.json({ ok: false, error: error.message, ...error.more });
      }
    });
  }

  async #faulty(
    method: string,
    work: () => Response | Promise<Response>,
  ): Promise<Response> {
    const key = [method, "*"].find((known) => this.#faults.has(known));
    const found = key === undefined ? undefined : this.#faults.get(key);
    if (key === undefined || found === undefined) return await work();
    if (--found.times <= 0) this.#faults.delete(key);
    const { fault } = found;
    if (fault.kind === "error") {
      return Response.json({ ok: false, error: fault.error, ...fault.more });
    }
    if (fault.kind === "limit") {
      const headers: Record<string, string> = fault.retryAfterSeconds === undefined
        ? {}
        : { "retry-after": String(fault.retryAfterSeconds) };
      return Response.json({ ok: false, error: "ratelimited" }, { status: 429, headers });
    }
    if (fault.kind === "late") {
      await new Promise((resolve) => setTimeout(resolve, fault.ms));
      return await work();
    }
    const answer = await work();
    if (fault.kind === "stall") {
      await this.#mended.promise;
      return answer;
    }
    const text = await answer.text();
    if (fault.kind === "status") {
      return new Response(fault.body ?? "upstream failure", { status: fault.status });
    }
    if (fault.kind === "nonsense") return new Response(fault.body);
    const half = new TextEncoder().encode(text).subarray(0, text.length >> 1);
    return new Response(
      new ReadableStream({
        start: (controller) => controller.enqueue(half),
        pull: (controller) => controller.error(new Error("the connection broke")),
      }, { highWaterMark: 0 }),
      { headers: { "content-type": "application/json" } },
    );
  }

  #call(method: string, args: Json, token: string | undefined): Json {
    if (token === undefined) throw new Refusal("not_authed");
    const expected = method === "apps.connections.open" ? this.rules.appToken : this.rules.botToken;
    if (token !== expected) throw new Refusal("invalid_auth");
    const run = this.#methods[method];
    if (run === undefined) throw new Refusal("unknown_method", { req_method: method });
    return run(args);
  }

  readonly #methods: Readonly<Record<string, (args: Json) => Json>> = {
    "auth.test": () => ({
      url: "https://fake.slack.com/",
      team: "Fake",
      user: this.#world.me.name,
      team_id: TEAM,
      user_id: this.#world.me.id,
      bot_id: this.#world.botId,
      is_enterprise_install: false,
    }),
    "apps.connections.open": () => {
      const ticket = this.#deliveries.ticket();
      // that there are too many is said on the socket, or here; here it is seen first
      if (ticket === undefined) throw new Refusal("too_many_websockets");
      return { url: `${this.#url().replace("http", "ws")}/link?ticket=${ticket}&app_id=${APP}` };
    },
    "chat.postMessage": (args) => this.#post(args),
    "chat.postEphemeral": (args) => {
      this.#refuseIfClosed(this.#channel(args));
      if (!this.#world.users.has(String(args.user))) throw new Refusal("user_not_in_channel");
      return { message_ts: this.#world.ts() };
    },
    "chat.update": (args) => this.#update(args),
    "chat.delete": (args) => {
      const channel = this.#channel(args);
      const message = this.#own(channel, args, "cant_delete_message");
      this.#world.remove(channel.id, message.ts);
      this.#event(channel, this.#world.ts(), {
        subtype: "message_deleted",
        hidden: true,
        deleted_ts: message.ts,
        previous_message: message,
      });
      return { channel: channel.id, ts: message.ts };
    },
    "reactions.add": (args) => {
      const { channel, ts, name } = this.#reaction(args);
      const user = this.#world.me.id;
      if (this.#findReaction(channel, ts, name) >= 0) throw new Refusal("already_reacted");
      this.#world.reactions.push({ channel, ts, user, name });
      this.#reacted("reaction_added", { channel, ts, name });
      return {};
    },
    "reactions.remove": (args) => {
      const { channel, ts, name } = this.#reaction(args);
      const at = this.#findReaction(channel, ts, name);
      if (at < 0) throw new Refusal("no_reaction");
      this.#world.reactions.splice(at, 1);
      this.#reacted("reaction_removed", { channel, ts, name });
      return {};
    },
    "reactions.get": (args) => {
      const channel = this.#channel(args);
      const ts = String(args.timestamp ?? "");
      const message = this.#world.find(channel.id, ts);
      if (message === undefined) throw new Refusal("message_not_found");
      const given = this.#world.reactions.filter((other) =>
        other.channel === channel.id && other.ts === ts
      );
      const names = [...new Set(given.map(({ name }) => name))];
      const reactions = names.map((name) => {
        const users = given.filter((other) => other.name === name).map(({ user }) => user);
        return { name, users, count: users.length };
      });
      return { type: "message", channel: channel.id, message: { ...message, reactions } };
    },
    "conversations.open": (args) => {
      const users = String(args.users ?? "").split(",").filter(Boolean);
      if (users.length === 0) throw new Refusal("users_list_not_supplied");
      for (const user of users) {
        if (!this.#world.users.has(user)) throw new Refusal("user_not_found");
      }
      if (users.length === 1) return { channel: { id: this.#world.direct(users[0]!).id } };
      const channel: Channel = { id: this.#world.id("G"), kind: "mpim", isMember: true };
      this.#world.channels.set(channel.id, channel);
      return { channel: { id: channel.id } };
    },
    "conversations.info": (args) => ({ channel: shownChannel(this.#channel(args)) }),
    "conversations.list": (args) => {
      const types = String(args.types ?? "public_channel").split(",");
      const names = { im: "im", mpim: "mpim", channel: "public_channel", group: "private_channel" };
      const all = [...this.#world.channels.values()].filter(({ kind, isArchived = false }) =>
        types.includes(names[kind]) && !(isArchived && isTrue(args.exclude_archived))
      );
      const { page, ...more } = this.#page(all, args);
      return { channels: page.map(shownChannel), ...more };
    },
    "conversations.history": (args) => {
      const channel = this.#channel(args);
      const said = (this.#world.messages.get(channel.id) ?? []).filter((
        { thread_ts, ts, subtype },
      ) => thread_ts === undefined || thread_ts === ts || subtype === "thread_broadcast");
      const { page, ...more } = this.#page(between(said, args).reverse(), args);
      return { messages: page.map((message) => withMetadata(message, args)), ...more };
    },
    "conversations.replies": (args) => {
      const channel = this.#channel(args);
      const root = String(args.ts ?? "");
      if (this.#world.find(channel.id, root) === undefined) throw new Refusal("thread_not_found");
      const said = (this.#world.messages.get(channel.id) ?? []).filter(({ thread_ts, ts }) =>
        ts === root || thread_ts === root
      );
      // the root comes along whatever its age
      const kept = between(said, args);
      const whole = kept.some(({ ts }) => ts === root) ? kept : [said[0]!, ...kept];
      const { page, ...more } = this.#page(whole, args);
      return { messages: page.map((message) => withMetadata(message, args)), ...more };
    },
    "users.info": (args) => {
      const user = this.#world.users.get(String(args.user ?? ""));
      if (user === undefined) throw new Refusal("user_not_found");
      return { user: shownUser(user) };
    },
    "users.list": (args) => {
      const { page, ...more } = this.#page([...this.#world.users.values()], args);
      return { members: page.map(shownUser), ...more };
    },
    "files.getUploadURLExternal": (args) => {
      const name = String(args.filename ?? "");
      const length = Number(args.length);
      if (name === "" || !(length > 0)) throw new Refusal("invalid_arguments");
      const id = this.#world.id("F");
      this.#uploads.set(id, { name, length });
      return { upload_url: `${this.#url()}/upload/v1/${id}`, file_id: id };
    },
    "files.completeUploadExternal": (args) => this.#complete(args),
    "files.info": (args) => {
      const file = this.#world.files.get(String(args.file ?? ""));
      if (file === undefined) throw new Refusal("file_not_found");
      const asked = (this.#asked.get(file.id) ?? 0) + 1;
      this.#asked.set(file.id, asked);
      const shares = asked > this.rules.sharesAfter ? file.shares : [];
      return { file: shownFile({ ...file, shares }, this.#url()) };
    },
  };

  #post(args: Json): Json {
    const { text, blocks } = contentOf(args, MAX_TEXT);
    const named = String(args.channel ?? "");
    const channel = this.#world.users.has(named) ? this.#world.direct(named) : this.#channel(args);
    this.#refuseIfClosed(channel);
    const root = args.thread_ts === undefined ? undefined : String(args.thread_ts);
    if (root !== undefined && this.#world.find(channel.id, root) === undefined) {
      throw new Refusal("thread_not_found");
    }
    const clientId = typeof args.client_msg_id === "string" ? args.client_msg_id : undefined;
    const known = clientId === undefined ? undefined : this.#clientIds.get(clientId);
    if (this.rules.deduplicates && known !== undefined) {
      if (this.#world.find(channel.id, known.ts) === undefined) {
        throw new Refusal("duplicate_message_not_found");
      }
      return { channel: channel.id, ts: known.ts, message: known };
    }
    const message = this.#say(channel, {
      text,
      ...(blocks === undefined ? {} : { blocks }),
      ...(root === undefined ? {} : { thread_ts: root }),
      ...(clientId === undefined ? {} : { client_msg_id: clientId }),
      ...metadataOf(args),
    });
    if (clientId !== undefined) this.#clientIds.set(clientId, message);
    return { channel: channel.id, ts: message.ts, message };
  }

  #update(args: Json): Json {
    const channel = this.#channel(args);
    const previous = this.#own(channel, args, "cant_update_message");
    const { text, blocks } = contentOf(args, MAX_EDIT);
    const { blocks: former, ...rest } = previous;
    const kept = blocks ?? former;
    const message: Message = {
      ...rest,
      text,
      ...(kept === undefined || kept.length === 0 ? {} : { blocks: kept }),
      edited: { user: this.#world.me.id, ts: this.#world.ts() },
    };
    this.#world.replace(channel.id, message);
    this.#note({ kind: "edited", channel: channel.id, message });
    this.#event(channel, this.#world.ts(), {
      subtype: "message_changed",
      hidden: true,
      message,
      previous_message: previous,
    });
    return { channel: channel.id, ts: message.ts, text };
  }

  #complete(args: Json): Json {
    const listed = args.files;
    if (!Array.isArray(listed) || listed.length === 0) throw new Refusal("invalid_arguments");
    const files = listed.map((entry: { id?: unknown }) => {
      const file = this.#world.files.get(String(entry.id));
      if (file === undefined) throw new Refusal("file_not_found");
      return file;
    });
    if (args.channel_id !== undefined) {
      const channel = this.#channel({ channel: args.channel_id });
      this.#refuseIfClosed(channel);
      const root = args.thread_ts === undefined ? undefined : String(args.thread_ts);
      const message = this.#say(channel, {
        text: String(args.initial_comment ?? ""),
        subtype: "file_share",
        files: files.map((file) => shownFile(file, this.#url())),
        ...(root === undefined ? {} : { thread_ts: root }),
      });
      for (const file of files) file.shares.push({ channel: channel.id, ts: message.ts });
    }
    return { files: files.map(({ id, name }) => ({ id, title: name })) };
  }

  async #take(id: string, request: Request): Promise<Response> {
    const upload = this.#uploads.get(id);
    if (upload === undefined) return new Response("unknown upload", { status: 404 });
    const hash = createHash("sha256");
    let size = 0;
    try {
      for await (const chunk of request.body ?? []) {
        size += chunk.length;
        hash.update(chunk);
      }
    } catch {
      return new Response("it broke off", { status: 400 });
    }
    if (size !== upload.length) return new Response("length mismatch", { status: 400 });
    this.#uploads.delete(id);
    this.#world.files.set(id, {
      id,
      name: upload.name,
      size,
      mimetype: "application/octet-stream",
      sha256: hash.digest("hex"),
      shares: [],
    });
    return new Response(`OK - ${size}`);
  }

  #give(id: string, request: Request): Response {
    const file = this.#world.files.get(id);
    if (bearerOf(request, {}) !== this.rules.botToken) {
      // Slack shows its page to sign in, and calls that a success
      return new Response("<!DOCTYPE html><title>Sign in</title>", {
        headers: { "content-type": "text/html; charset=utf-8" },
      });
    }
    if (file === undefined) return new Response("no such file", { status: 404 });
    const headers = { "content-type": file.mimetype, "content-length": String(file.size) };
    return new Response(file.bytes ?? zeros(file.size), { headers });
  }

  #respond(id: string, body: Json): Response {
    const known = this.responseUrls.get(id);
    if (known === undefined || known.isExpired) return new Response("expired_url", { status: 404 });
    if (++known.uses > MAX_USES) return new Response("used_url", { status: 404 });
    this.responses.push({ id, body });
    this.#note({ kind: "responded", id, body });
    if (body.response_type === "in_channel") {
      const channel = this.#world.channels.get(known.channel);
      if (channel !== undefined) this.#say(channel, { text: String(body.text ?? "") });
    }
    return new Response("ok");
  }

  /** The bot says something, and hears that it did. */
  #say(channel: Channel, content: Partial<Message>): Message {
    const message: Message = {
      type: "message",
      ts: this.#world.ts(),
      text: "",
      user: this.#world.me.id,
      bot_id: this.#world.botId,
      app_id: APP,
      team: TEAM,
      ...content,
    };
    this.#world.add(channel.id, message);
    this.#note({ kind: "sent", channel: channel.id, message });
    this.#event(channel, message.ts, message);
    return message;
  }

  #event(channel: Channel, ts: string, event: Json): void {
    this.#tell(
      {
        type: "message",
        ts,
        channel: channel.id,
        channel_type: channel.kind,
        event_ts: ts,
        ...event,
      },
      channel.id,
      ts,
    );
  }

  #reacted(type: string, { channel, ts, name }: { channel: string; ts: string; name: string }) {
    const at = this.#world.ts();
    const item = { type: "message", channel, ts };
    this.#tell(
      { type, user: this.#world.me.id, reaction: name, item, event_ts: at },
      channel,
      at,
    );
  }

  #channel(args: Json): Channel {
    const named = String(args.channel ?? "");
    const channel = this.#world.channels.get(named);
    if (channel === undefined) throw new Refusal("channel_not_found");
    if (channel.kind === "group" && !channel.isMember) throw new Refusal("channel_not_found");
    return channel;
  }

  #refuseIfClosed({ isArchived, isMember }: Channel): void {
    if (isArchived) throw new Refusal("is_archived");
    if (!isMember) throw new Refusal("not_in_channel");
  }

  #own(channel: Channel, args: Json, refusal: string): Message {
    const message = this.#world.find(channel.id, String(args.ts ?? ""));
    if (message === undefined) throw new Refusal("message_not_found");
    if (message.user !== this.#world.me.id) throw new Refusal(refusal);
    return message;
  }

  #reaction(args: Json): { channel: string; ts: string; name: string } {
    const { id: channel } = this.#channel(args);
    const ts = String(args.timestamp ?? "");
    if (this.#world.find(channel, ts) === undefined) throw new Refusal("message_not_found");
    const name = String(args.name ?? "");
    if (!/^[a-z0-9_'+-]+(::skin-tone-[2-6])?$/.test(name)) throw new Refusal("invalid_name");
    return { channel, ts, name };
  }

  #findReaction(channel: string, ts: string, name: string): number {
    return this.#world.reactions.findIndex((other) =>
      other.channel === channel && other.ts === ts && other.name === name &&
      other.user === this.#world.me.id
    );
  }

  #page<T>(all: readonly T[], args: Json): {
    page: readonly T[];
    has_more: boolean;
    response_metadata: { next_cursor: string };
  } {
    const from = Number(args.cursor || 0);
    const to = from + Math.min(Number(args.limit || 100), this.rules.pageSize);
    const hasMore = to < all.length;
    return {
      page: all.slice(from, to),
      has_more: hasMore,
      response_metadata: { next_cursor: hasMore ? String(to) : "" },
    };
  }
}

/** A call that is refused, with Slack's word for it. */
class Refusal extends Error {
  constructor(error: string, readonly more: Json = {}) {
    super(error);
  }
}

function contentOf(
  args: Json,
  limit: number,
): { text: string; blocks?: readonly unknown[] } {
  const text = String(args.text ?? "");
  const { blocks } = args;
  if (blocks !== undefined && !Array.isArray(blocks)) throw new Refusal("invalid_blocks_format");
  if (text === "" && !(Array.isArray(blocks) && blocks.length > 0)) throw new Refusal("no_text");
  if (text.length > limit) throw new Refusal("msg_too_long");
  for (const block of blocks ?? []) checkBlock(block);
  return { text, ...(blocks === undefined ? {} : { blocks }) };
}

function checkBlock(block: {
  type?: string;
  text?: { text?: string };
  elements?: readonly { type?: string; text?: { text?: string }; value?: string }[];
}): void {
  const refuse = () => {
    throw new Refusal("invalid_blocks");
  };
  if (block.type === "section") {
    const length = block.text?.text?.length ?? 0;
    if (length === 0 || length > MAX_SECTION) refuse();
  } else if (block.type === "actions") {
    const elements = block.elements ?? [];
    if (elements.length === 0 || elements.length > 25) refuse();
    for (const { text, value = "" } of elements) {
      if ((text?.text?.length ?? 0) > 75 || !text?.text || value.length > 2000) refuse();
    }
  } else if (typeof block.type !== "string") refuse();
}

function metadataOf({ metadata }: Json): { metadata?: unknown } {
  const isGood = typeof metadata === "object" && metadata !== null && "event_type" in metadata &&
    "event_payload" in metadata;
  return isGood ? { metadata } : {};
}

function withMetadata(message: Message, args: Json): Message {
  if (isTrue(args.include_all_metadata)) return message;
  const { metadata: _, ...rest } = message;
  return rest;
}

function between(said: readonly Message[], args: Json): Message[] {
  const oldest = Number(args.oldest || 0);
  const latest = Number(args.latest || Infinity);
  return said.filter(({ ts }) => Number(ts) > oldest && Number(ts) < latest);
}

function isTrue(value: unknown): boolean {
  return value === true || value === "true" || value === "1";
}

function bearerOf(request: Request, args: Json): string | undefined {
  const header = /^Bearer (.+)$/.exec(request.headers.get("authorization") ?? "")?.[1];
  return header ?? (typeof args.token === "string" ? args.token : undefined);
}

/** Of a form or of JSON; what a form has as JSON is read. */
async function readArgs(request: Request): Promise<Json> {
  const text = await request.text();
  if (/^application\/json\b/.test(request.headers.get("content-type") ?? "")) {
    return text === "" ? {} : JSON.parse(text);
  }
  const args: Record<string, unknown> = {};
  for (const [name, value] of new URLSearchParams(text)) args[name] = structured(name, value);
  return args;
}

function structured(name: string, value: string): unknown {
  if (!["blocks", "metadata", "files", "attachments"].includes(name)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

function zeros(size: number): ReadableStream<Uint8Array> {
  let left = size;
  return new ReadableStream({
    pull(controller) {
      if (left === 0) return controller.close();
      const chunk = new Uint8Array(Math.min(left, 64 * 1024));
      left -= chunk.length;
      controller.enqueue(chunk);
    },
  }, { highWaterMark: 0 });
}
