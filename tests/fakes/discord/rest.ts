/** Discord's REST API, version 10, as far as a bot of ours asks it. */
import { type FormPart, readForm } from "../multipart.ts";
import {
  type Attachment,
  type Channel,
  ChannelType,
  type Emoji,
  isThread,
  type Message,
  shown,
  type World,
} from "./world.ts";

/** What a test makes of requests. */
export type RestFault =
  /** Answered so. `isDone` does what was asked all the same. */
  | {
    readonly kind: "status";
    readonly status: number;
    readonly body?: string | object;
    readonly headers?: Readonly<Record<string, string>>;
    readonly isDone?: boolean;
  }
  /** Too many requests. */
  | { readonly kind: "limit"; readonly retryAfterMs: number; readonly isGlobal?: boolean }
  /** Done, but half of the answer is missing. */
  | { readonly kind: "half" }
  /** Done, but never answered. */
  | { readonly kind: "stall" }
  /** Done, but the answer is noise. */
  | { readonly kind: "garbage" }
  /** On its way for so long: nothing is done before. */
  | { readonly kind: "slow"; readonly until: Promise<void> };

/** A request as it came, and how it was answered. */
export interface ApiRequest {
  readonly method: string;
  /** After `/api/v10`. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Body;
  readonly files: readonly FormPart[];
  readonly headers: Headers;
  readonly at: number;
  /** `0` while it is not answered. */
  status: number;
}

/** What the API is bound to. A test may change it at any time. */
export interface RestRules {
  token: string;
  /** How long a nonce is remembered. */
  nonceMs: number;
  /** Messages in lists have their nonce. */
  listsNonces: boolean;
  /** Requests for one route and channel within a time. */
  limit: { readonly requests: number; readonly withinMs: number } | undefined;
  /** The largest file. */
  maxUploadBytes: number;
  /** How long a file's address is good. */
  urlTtlMs: number;
  /** How long an interaction waits for its first answer. */
  interactionMs: number;
}

/** An interaction that was handed over. */
export interface Interaction {
  readonly id: string;
  readonly token: string;
  readonly channel: Channel;
  readonly at: number;
  /** What the first answer was, by Discord's number. */
  answer?: number;
  isEphemeral?: boolean;
  /** The message that the answer has become. */
  message?: Message;
}

type Body = Readonly<Record<string, unknown>>;

export class FakeRest {
  readonly rules: RestRules;
  readonly requests: ApiRequest[] = [];
  /** What the bot has said, in the order in which it appeared. */
  readonly sent: Message[] = [];
  readonly interactions = new Map<string, Interaction>();
  /** The commands that were registered last. */
  commands: readonly unknown[] = [];
  readonly #world: World;
  readonly #url: () => string;
  readonly #sessionStarts: () => number;
  readonly #changed: () => void;
  readonly #faults: { readonly which: RegExp; readonly fault: RestFault; left: number }[] = [];
  readonly #nonces = new Map<string, { readonly message: Message; readonly at: number }>();
  readonly #windows = new Map<string, { from: number; used: number }>();
  readonly #files = new Map<
    string,
    { readonly name: string; readonly bytes: () => ReadableStream }
  >();
  readonly #over = Promise.withResolvers<void>();

  constructor(
    { world, rules, url, sessionStarts, changed }: {
      world: World;
      rules: RestRules;
      url: () => string;
      sessionStarts: () => number;
      changed: () => void;
    },
  ) {
    this.#world = world;
    this.rules = rules;
    this.#url = url;
    this.#sessionStarts = sessionStarts;
    this.#changed = changed;
  }

  /** Answers the next requests whose `METHOD /path` fits so. */
  fault(which: RegExp, fault: RestFault, times = 1): void {
    this.#faults.push({ which, fault, left: times });
  }

  mend(): void {
    this.#faults.length = 0;
  }

  /** Nothing waits any more. */
  end(): void {
    this.#over.resolve();
  }

  /** Makes a file that a message may have; its bytes are made whenever it is downloaded. */
  file(name: string, size: number, { type, bytes }: {
    type?: string;
    bytes?: () => ReadableStream;
  } = {}): Attachment {
    const id = this.#world.snowflake();
    this.#files.set(id, { name, bytes: bytes ?? (() => zeros(size)) });
    const url = this.#address(id, name);
    return { id, filename: name, size, content_type: type, url, proxy_url: url };
  }

  async answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    if (url.pathname.startsWith("/attachments/")) return this.#download(url);
    const path = url.pathname.replace(/^\/api\/v10/, "");
    if (path === url.pathname) return refusal(404, 0, "404: Not Found");
    const { fields, files } = await formOf(request);
    const asked: ApiRequest = {
      method: request.method,
      path,
      query: url.searchParams,
      body: fields,
      files,
      headers: request.headers,
      at: Date.now(),
      status: 0,
    };
    this.requests.push(asked);
    const response = await this.#faulty(asked);
    asked.status = response.status;
    this.#changed();
    return response;
  }

  async #faulty(asked: ApiRequest): Promise<Response> {
    const found = this.#faults.find(({ which, left }) =>
      left > 0 && which.test(`${asked.method} ${asked.path}`)
    );
    if (found === undefined) return this.#limited(asked);
    found.left--;
    const { fault } = found;
    if (fault.kind === "limit") return tooMany(fault.retryAfterMs, fault.isGlobal);
    if (fault.kind === "slow") {
      this.#changed();
      await Promise.race([fault.until, this.#over.promise]);
      return this.#limited(asked);
    }
    if (fault.kind !== "status" || fault.isDone) {
      const whole = this.#limited(asked);
      this.#changed();
      if (fault.kind === "stall") {
        await this.#over.promise;
      } else if (fault.kind === "half") {
        const text = await whole.text();
        const half = new TextEncoder().encode(text.slice(0, text.length / 2));
        const headers = { "content-type": "application/json" };
        return new Response(broken(half), { headers });
      } else if (fault.kind === "garbage") {
        return new Response("\u0000<html>{]", { headers: { "content-type": "application/json" } });
      }
      if (fault.kind !== "status") return whole;
    }
    const { body = { message: `${fault.status}: fault`, code: 0 } } = fault;
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const type = typeof body === "string" ? "text/html" : "application/json";
    return new Response(text, {
      status: fault.status,
      headers: { "content-type": type, ...fault.headers },
    });
  }

  #limited(asked: ApiRequest): Response {
    const { limit } = this.rules;
    if (limit === undefined) return this.#route(asked);
    const key = `${asked.method} ${asked.path.split("/").slice(0, 4).join("/")}`;
    const now = Date.now();
    const known = this.#windows.get(key);
    const window = known && now - known.from < limit.withinMs ? known : { from: now, used: 0 };
    this.#windows.set(key, window);
    const waitMs = window.from + limit.withinMs - now;
    if (++window.used > limit.requests) return tooMany(waitMs);
    const response = this.#route(asked);
    response.headers.set("x-ratelimit-limit", String(limit.requests));
    response.headers.set("x-ratelimit-remaining", String(limit.requests - window.used));
    response.headers.set("x-ratelimit-reset", String((now + waitMs) / 1000));
    response.headers.set("x-ratelimit-reset-after", String(waitMs / 1000));
    response.headers.set("x-ratelimit-bucket", "b0b0b0b0");
    return response;
  }

  #route(asked: ApiRequest): Response {
    const line = `${asked.method} ${asked.path}`;
    // an interaction's token is all that its answers need
    const isOpen = /^\S+ \/(interactions|webhooks)\//.test(line);
    if (!isOpen && asked.headers.get("authorization") !== `Bot ${this.rules.token}`) {
      return refusal(401, 0, "401: Unauthorized");
    }
    for (const [pattern, answer] of this.#routes) {
      const match = pattern.exec(line);
      if (match !== null) return answer(asked, ...match.slice(1).map(decodeURIComponent));
    }
    return refusal(404, 0, "404: Not Found");
  }

  readonly #routes: readonly (readonly [
    RegExp,
    (asked: ApiRequest, ...ids: string[]) => Response,
  ])[] = [
    [/^GET \/gateway\/bot$/, () =>
      Response.json({
        url: this.#url().replace("http", "ws") + "/gateway",
        shards: 1,
        session_start_limit: {
          total: 1000,
          remaining: Math.max(0, this.#sessionStarts()),
          reset_after: 14_400_000,
          max_concurrency: 1,
        },
      })],
    [/^GET \/users\/@me$/, () => Response.json(this.#world.self)],
    [
      /^GET \/users\/@me\/guilds$/,
      () => Response.json([...this.#world.guilds.values()].map(({ id, name }) => ({ id, name }))),
    ],
    [/^POST \/users\/@me\/channels$/, ({ body }) => {
      const user = this.#world.users.get(String(body.recipient_id));
      if (user === undefined) {
        return refusal(400, 50035, "Invalid Form Body", "recipient_id", "NUMBER_TYPE_COERCE");
      }
      return Response.json(shown(this.#world.direct(user)));
    }],
    [/^PUT \/applications\/(\d+)\/commands$/, ({ body }) => {
      this.commands = Array.isArray(body) ? body : [];
      return Response.json(this.commands);
    }],
    [/^GET \/guilds\/(\d+)$/, (_asked, id) => this.#guild(id!)],
    [/^GET \/guilds\/(\d+)\/channels$/, (_asked, id) =>
      Response.json(
        [...this.#world.channels.values()].filter((channel) =>
          channel.guild_id === id && !isThread(channel)
        ).map(shown),
      )],
    [/^GET \/guilds\/(\d+)\/threads\/active$/, (_asked, id) =>
      Response.json({
        threads: [...this.#world.channels.values()].filter((channel) =>
          channel.guild_id === id && isThread(channel)
        ).map(shown),
        members: [],
      })],
    [/^GET \/guilds\/(\d+)\/members\/(\d+)$/, (_asked, id, userId) => {
      const user = this.#world.users.get(userId!);
      const isMember = this.#world.guilds.get(id!)?.members.has(userId!);
      if (user === undefined || !isMember) return refusal(404, 10007, "Unknown Member");
      return Response.json(this.#world.member(id!, user));
    }],
    [/^GET \/guilds\/(\d+)\/members\/search$/, ({ query }, id) => {
      const start = (query.get("query") ?? "").toLowerCase();
      const users = [...this.#world.guilds.get(id!)?.members.keys() ?? []].flatMap((userId) =>
        this.#world.users.get(userId) ?? []
      );
      return Response.json(
        users.filter(({ username }) => username.startsWith(start)).map((user) =>
          this.#world.member(id!, user)
        ),
      );
    }],
    [
      /^GET \/channels\/(\d+)$/,
      (_asked, id) => this.#inChannel(id!, (channel) => Response.json(shown(channel))),
    ],
    [/^POST \/channels\/(\d+)\/typing$/, (_asked, id) => this.#inChannel(id!, () => done())],
    [
      /^GET \/channels\/(\d+)\/messages$/,
      ({ query }, id) => this.#inChannel(id!, (channel) => this.#list(channel, query)),
    ],
    [
      /^POST \/channels\/(\d+)\/messages$/,
      (asked, id) => this.#inChannel(id!, (channel) => this.#create(channel, asked)),
    ],
    [
      /^GET \/channels\/(\d+)\/messages\/(\d+)$/,
      (_asked, id, messageId) =>
        this.#inChannel(
          id!,
          (channel) =>
            this.#withMessage(
              channel,
              messageId!,
              (message) => Response.json(this.#fresh(message)),
            ),
        ),
    ],
    [
      /^PATCH \/channels\/(\d+)\/messages\/(\d+)$/,
      ({ body }, id, messageId) =>
        this.#inChannel(id!, (channel) =>
          this.#withMessage(channel, messageId!, (message) => {
            if (message.author.id !== this.#world.self.id) {
              return refusal(403, 50005, "Cannot edit a message authored by another user");
            }
            return this.#change(message, body);
          })),
    ],
    [
      /^DELETE \/channels\/(\d+)\/messages\/(\d+)$/,
      (_asked, id, messageId) =>
        this.#inChannel(id!, (channel) =>
          this.#withMessage(channel, messageId!, (message) => {
            this.#world.remove(message);
            return done();
          })),
    ],
    [/^(PUT|DELETE) \/channels\/(\d+)\/messages\/(\d+)\/reactions\/([^/]+)\/@me$/, (
      { method },
      _method,
      id,
      messageId,
      name,
    ) =>
      this.#inChannel(id!, (channel) =>
        this.#withMessage(channel, messageId!, (message) => {
          this.#world.react(message, this.#world.self, emojiOf(name!), method === "PUT");
          return done();
        }))],
    [
      /^POST \/channels\/(\d+)\/threads$/,
      (asked, id) => this.#inChannel(id!, (channel) => this.#startThread(channel, asked)),
    ],
    [
      /^POST \/channels\/(\d+)\/messages\/\d+\/threads$/,
      (asked, id) => this.#inChannel(id!, (channel) => this.#startThread(channel, asked)),
    ],
    [
      /^POST \/interactions\/(\d+)\/([^/]+)\/callback$/,
      ({ body }, id, token) => this.#callback(id!, token!, body),
    ],
    [/^(POST|GET|PATCH|DELETE) \/webhooks\/\d+\/([^/]+)(?:\/messages\/([^/]+))?$/, (
      asked,
      method,
      token,
      messageId,
    ) => this.#followUp(asked, method!, token!, messageId)],
  ];

  #guild(id: string): Response {
    const guild = this.#world.guilds.get(id);
    if (guild === undefined) return refusal(404, 10004, "Unknown Guild");
    const { members: _members, ...rest } = guild;
    return Response.json(rest);
  }

  #inChannel(id: string, answer: (channel: Channel) => Response): Response {
    const channel = this.#world.channels.get(id);
    if (channel === undefined) return refusal(404, 10003, "Unknown Channel");
    switch (channel.refusal) {
      case undefined:
        return answer(channel);
      case 50001:
        return refusal(403, 50001, "Missing Access");
      case 50007:
        return refusal(403, 50007, "Cannot send messages to this user");
      default:
        return refusal(403, 50013, "Missing Permissions");
    }
  }

  #withMessage(
    channel: Channel,
    id: string,
    answer: (message: Message) => Response,
  ): Response {
    const message = this.#world.message(channel.id, id);
    return message === undefined ? refusal(404, 10008, "Unknown Message") : answer(message);
  }

  /** Newest first, as Discord does, whichever side was asked for. */
  #list(channel: Channel, query: URLSearchParams): Response {
    const limit = Number(query.get("limit") ?? 50);
    if (!(limit >= 1 && limit <= 100)) {
      return refusal(400, 50035, "Invalid Form Body", "limit", "NUMBER_TYPE_MAX");
    }
    const all = this.#world.said(channel.id);
    const [after, before, around] = ["after", "before", "around"].map((key) => query.get(key));
    let found: readonly Message[];
    if (after != null) {
      found = all.filter(({ id }) => BigInt(id) > BigInt(after)).slice(0, limit);
    } else if (before != null) {
      found = all.filter(({ id }) => BigInt(id) < BigInt(before)).slice(-limit);
    } else if (around != null) {
      const at = all.findIndex(({ id }) => BigInt(id) >= BigInt(around));
      const from = Math.max(0, (at < 0 ? all.length : at) - Math.floor(limit / 2));
      found = all.slice(from, from + limit);
    } else {
      found = all.slice(-limit);
    }
    return Response.json(found.toReversed().map((message) => this.#fresh(message)));
  }

  #create(channel: Channel, asked: ApiRequest): Response {
    if (channel.type === ChannelType.forum) {
      return refusal(400, 50008, "Cannot send messages in a non-text channel");
    }
    const { body } = asked;
    const fault = this.#faultOf(asked);
    if (fault !== undefined) return fault;
    const nonce = typeof body.nonce === "string" ? body.nonce : undefined;
    const known = nonce === undefined ? undefined : this.#nonces.get(nonce);
    if (body.enforce_nonce === true && known && Date.now() - known.at < this.rules.nonceMs) {
      return Response.json(known.message);
    }
    const reference = body.message_reference as
      | { message_id: string; fail_if_not_exists?: boolean }
      | undefined;
    const isMissing = reference !== undefined &&
      this.#world.message(channel.id, reference.message_id) === undefined;
    if (isMissing && reference.fail_if_not_exists !== false) {
      return refusal(
        400,
        50035,
        "Invalid Form Body",
        "message_reference",
        "REPLIES_UNKNOWN_MESSAGE",
      );
    }
    const message = this.#say(channel, asked, {
      ...(reference && !isMissing && { replyTo: reference.message_id }),
    });
    if (nonce !== undefined) this.#nonces.set(nonce, { message, at: Date.now() });
    return Response.json(message);
  }

  #say(
    channel: Channel,
    { body, files }: Pick<ApiRequest, "body" | "files">,
    extras: { replyTo?: string } = {},
  ): Message {
    const message = this.#world.post(channel, this.#world.self, String(body.content ?? ""), {
      ...extras,
      ...(typeof body.nonce === "string" && { nonce: body.nonce }),
      ...(typeof body.flags === "number" && { flags: body.flags }),
      ...(Array.isArray(body.components) && { components: body.components }),
      ...(body.poll !== undefined && { poll: body.poll }),
      attachments: files.map(({ filename = "unknown", size, type }) =>
        this.file(filename, size, { type })
      ),
    });
    this.sent.push(message);
    return message;
  }

  #change(message: Message, body: Body): Response {
    const content = String(body.content ?? "");
    if ([...content].length > 2000) return tooLong();
    this.#world.edit(message, content);
    return Response.json(message);
  }

  /** What Discord would not take. */
  #faultOf({ body, files }: Pick<ApiRequest, "body" | "files">): Response | undefined {
    const content = String(body.content ?? "");
    if ([...content].length > 2000) return tooLong();
    if (files.some(({ size }) => size > this.rules.maxUploadBytes)) {
      return refusal(413, 40005, "Request entity too large");
    }
    const isEmpty = content.trim() === "" && files.length === 0 && body.poll === undefined;
    if (isEmpty && !Array.isArray(body.components)) {
      return refusal(400, 50006, "Cannot send an empty message");
    }
    if (typeof body.nonce === "string" && body.nonce.length > 25) {
      return refusal(400, 50035, "Invalid Form Body", "nonce", "NONCE_TYPE_TOO_LONG");
    }
    return undefined;
  }

  #startThread(channel: Channel, asked: ApiRequest): Response {
    const { body, files } = asked;
    const name = String(body.name ?? "");
    if (name.length < 1 || name.length > 100) {
      return refusal(400, 50035, "Invalid Form Body", "name", "BASE_TYPE_BAD_LENGTH");
    }
    const guild = this.#world.guilds.get(channel.guild_id ?? "");
    if (guild === undefined) {
      return refusal(400, 50024, "Cannot execute action on this channel type");
    }
    const first = { body: body.message as Body, files };
    if (channel.type === ChannelType.forum) {
      const fault = this.#faultOf(first);
      if (fault !== undefined) return fault;
    }
    const thread = this.#world.addChannel(guild, name, {
      type: ChannelType.thread,
      parent: channel,
      owner: this.#world.self,
    });
    if (channel.type !== ChannelType.forum) return Response.json(shown(thread));
    const message = this.#say(thread, first);
    return Response.json({ ...shown(thread), message });
  }

  #callback(id: string, token: string, body: Body): Response {
    const interaction = this.interactions.get(token);
    const isLate = interaction && Date.now() - interaction.at > this.rules.interactionMs;
    if (interaction?.id !== id || isLate) return refusal(404, 10062, "Unknown interaction");
    if (interaction.answer !== undefined) {
      return refusal(400, 40060, "Interaction has already been acknowledged.");
    }
    interaction.answer = Number(body.type);
    interaction.isEphemeral = ((body.data as { flags?: number } | undefined)?.flags ?? 0) === 64;
    return done();
  }

  #followUp(
    asked: ApiRequest,
    method: string,
    token: string,
    messageId: string | undefined,
  ): Response {
    const interaction = this.interactions.get(token);
    if (interaction === undefined) return refusal(404, 10015, "Unknown Webhook");
    const { channel } = interaction;
    if (method === "POST") return Response.json(this.#say(channel, asked));
    if (messageId === "@original" && interaction.answer !== 5) {
      return refusal(404, 10008, "Unknown Message");
    }
    const message = messageId === "@original"
      ? interaction.message
      : this.#world.message(channel.id, messageId ?? "");
    if (method === "PATCH") {
      const fault = this.#faultOf(asked);
      if (fault !== undefined) return fault;
      if (message !== undefined) return this.#change(message, asked.body);
      interaction.message = this.#say(channel, asked);
      return Response.json(interaction.message);
    }
    if (message === undefined) return refusal(404, 10008, "Unknown Message");
    if (method === "DELETE") {
      this.#world.remove(message);
      return done();
    }
    return Response.json(message);
  }

  /** A message with addresses that are good again. */
  #fresh({ nonce, ...message }: Message): Message {
    return {
      ...message,
      ...(this.rules.listsNonces && nonce !== undefined && { nonce }),
      attachments: message.attachments.map((attachment) => {
        const url = this.#address(attachment.id, attachment.filename);
        return { ...attachment, url, proxy_url: url };
      }),
    };
  }

  #address(id: string, name: string): string {
    const ex = Math.floor((Date.now() + this.rules.urlTtlMs) / 1000).toString(16);
    return `${this.#url()}/attachments/1/${id}/${encodeURIComponent(name)}?ex=${ex}&is=0&hm=0`;
  }

  #download(url: URL): Response {
    const [, , , id = ""] = url.pathname.split("/");
    const file = this.#files.get(id);
    const isOver = parseInt(url.searchParams.get("ex") ?? "0", 16) * 1000 <= Date.now();
    if (file === undefined || isOver) {
      return new Response("This content is no longer available.", { status: 404 });
    }
    return new Response(file.bytes());
  }
}

async function formOf(
  request: Request,
): Promise<{ fields: Body; files: readonly FormPart[] }> {
  const type = request.headers.get("content-type") ?? "";
  if (type.startsWith("multipart/form-data")) {
    const parts = await readForm(request);
    const payload = parts.find(({ name }) => name === "payload_json")?.text ?? "{}";
    return {
      fields: JSON.parse(payload),
      files: parts.filter(({ filename }) => filename !== undefined),
    };
  }
  const text = await request.text();
  return { fields: text === "" ? {} : JSON.parse(text), files: [] };
}

function done(): Response {
  return new Response(null, { status: 204 });
}

/** An error as Discord writes it; `field` is where the fault of a form lies. */
function refusal(
  status: number,
  code: number,
  message: string,
  ...[field, reason]: [] | [field: string, reason: string]
): Response {
  const errors = field && { [field]: { _errors: [{ code: reason, message: "Not valid." }] } };
  return Response.json({ message, code, ...(errors && { errors }) }, { status });
}

function tooLong(): Response {
  return refusal(400, 50035, "Invalid Form Body", "content", "BASE_TYPE_MAX_LENGTH");
}

function tooMany(retryAfterMs: number, isGlobal = false): Response {
  const retry_after = retryAfterMs / 1000;
  return Response.json({
    message: "You are being rate limited.",
    retry_after,
    global: isGlobal,
  }, {
    status: 429,
    headers: {
      "retry-after": String(Math.ceil(retry_after)),
      "x-ratelimit-remaining": "0",
      "x-ratelimit-reset-after": String(retry_after),
      "x-ratelimit-scope": isGlobal ? "global" : "user",
      ...(isGlobal && { "x-ratelimit-global": "true" }),
    },
  });
}

function emojiOf(name: string): Emoji {
  const [word = "", id = null] = name.split(":");
  return { id, name: word };
}

function broken(bytes: Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array<ArrayBuffer>> {
  let isFirst = true;
  return new ReadableStream({
    pull(controller) {
      if (!isFirst) return controller.error(new Error("cut"));
      isFirst = false;
      controller.enqueue(bytes);
    },
  });
}

function zeros(size: number): ReadableStream<Uint8Array<ArrayBuffer>> {
  let left = size;
  return new ReadableStream({
    pull(controller) {
      if (left === 0) return controller.close();
      const part = Math.min(left, 64 * 1024);
      left -= part;
      controller.enqueue(new Uint8Array(part));
    },
  });
}
