/**
 * Slack on loopback: its Web API, its sockets and its calls to a URL, a workspace behind them, and
 * faults where a test wants them.
 */
import { Line, type LineFault } from "./line.ts";
import { Deliveries, type Delivery, type DeliveryNote } from "./slack/deliveries.ts";
import { type ApiNote, type Fault, WebApi } from "./slack/web_api.ts";
import { ANNA, APP, type Channel, type Message, shownFile, TEAM, World } from "./slack/world.ts";

export { ANNA, APP, TEAM };
export { signedRequest } from "./slack/deliveries.ts";
export type { Delivery, RequestUrl } from "./slack/deliveries.ts";
export type { Fault } from "./slack/web_api.ts";
export type { Channel, Message, User } from "./slack/world.ts";

type Json = Readonly<Record<string, unknown>>;

export interface FakeSlackOptions {
  /** 0 for any that is free. */
  readonly port?: number;
  readonly botToken?: string;
  readonly appToken?: string;
  /** Sockets at the same time. */
  readonly maxConnections?: number;
  /** How long an event may stay unacknowledged. */
  readonly acknowledgeMs?: number;
  /** How long a socket lives on after it was told that it will be closed. */
  readonly farewellMs?: number;
  readonly connectionSeconds?: number;
  /** One `client_msg_id` is one message. */
  readonly deduplicates?: boolean;
  /** How often a file is asked for until it says where it is shared. */
  readonly sharesAfter?: number;
  readonly pageSize?: number;
}

/** What happened, in order. Times are epoch milliseconds with fractions. */
export type JournalEntry = { readonly at: number } & (DeliveryNote | ApiNote);

/** Starts it on a free port of loopback, unless `port` says which. */
export function startFakeSlack(options: FakeSlackOptions = {}): FakeSlack {
  return new FakeSlack(options);
}

/** The running network. */
export class FakeSlack implements AsyncDisposable {
  /** Without a path. */
  readonly url: string;
  readonly botToken: string;
  readonly appToken: string;
  readonly journal: JournalEntry[] = [];
  readonly world = new World();
  readonly deliveries: Deliveries;
  readonly api: WebApi;
  readonly line: Line;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  #changed = Promise.withResolvers<void>();
  #ended = false;

  constructor(options: FakeSlackOptions) {
    this.botToken = options.botToken ?? "xoxb-fake-bot";
    this.appToken = options.appToken ?? "xapp-fake-app";
    this.#server = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen() {}, onError: () => new Response() },
      (request) => this.#serve(request),
    );
    this.line = new Line(this.#server.addr.port, options.port ?? 0);
    this.url = `http://127.0.0.1:${this.line.port}`;
    const note = (what: DeliveryNote | ApiNote) => this.#note(what);
    this.deliveries = new Deliveries({
      appId: APP,
      note,
      rules: {
        acknowledgeMs: options.acknowledgeMs ?? 3000,
        maxConnections: options.maxConnections ?? 10,
        farewellMs: options.farewellMs ?? 10_000,
        connectionSeconds: options.connectionSeconds ?? 18_060,
      },
    });
    this.api = new WebApi({
      world: this.world,
      deliveries: this.deliveries,
      url: () => this.url,
      note,
      tell: (event, channel, ts) => void this.event(event, { channel, ts }),
      rules: {
        botToken: this.botToken,
        appToken: this.appToken,
        deduplicates: options.deduplicates ?? false,
        sharesAfter: options.sharesAfter ?? 0,
        pageSize: options.pageSize ?? 200,
      },
    });
  }

  /** What the channel's settings call its address. */
  get apiUrl(): string {
    return `${this.url}/api/`;
  }

  /** Where orders are taken, whatever state the line is in. */
  get controlUrl(): string {
    return `http://127.0.0.1:${this.#server.addr.port}/control`;
  }

  // What people do.

  /** Somebody writes; to the bot alone unless told where. More fields as events have them. */
  say(text: string, { channel, user = ANNA.id, ...fields }: SayOptions = {}): Message {
    const where = this.world.channels.get(channel ?? "") ?? this.world.direct(user);
    const message: Message = {
      type: "message",
      ts: this.world.ts(),
      text,
      user,
      team: TEAM,
      client_msg_id: crypto.randomUUID(),
      ...fields,
    };
    this.world.add(where.id, message);
    this.tell(where, message.ts, message);
    if (text.includes(`<@${this.world.me.id}>`) && where.kind !== "im") {
      // whoever is mentioned hears of it twice
      const event = { ...message, type: "app_mention", channel: where.id, event_ts: message.ts };
      this.event(event, { channel: where.id, ts: message.ts });
    }
    return message;
  }

  /** Somebody changes what they wrote. */
  edit(channel: string, ts: string, text: string): Delivery {
    const previous = this.world.find(channel, ts);
    if (previous === undefined) throw new Error(`nothing was said at ${ts}`);
    const at = this.world.ts();
    const message = { ...previous, text, edited: { user: previous.user ?? "", ts: at } };
    this.world.replace(channel, message);
    const changed = { subtype: "message_changed", hidden: true, message };
    return this.tell(this.world.channels.get(channel)!, at, {
      ...changed,
      previous_message: previous,
    });
  }

  /** Somebody takes back what they wrote. */
  remove(channel: string, ts: string): Delivery {
    const previous = this.world.find(channel, ts);
    this.world.remove(channel, ts);
    return this.tell(this.world.channels.get(channel)!, this.world.ts(), {
      subtype: "message_deleted",
      hidden: true,
      deleted_ts: ts,
      previous_message: previous,
    });
  }

  /** Somebody reacts to a message. */
  react(channel: string, ts: string, name: string, { isAdded = true, user = ANNA.id } = {}) {
    const at = this.world.ts();
    return this.event({
      type: isAdded ? "reaction_added" : "reaction_removed",
      user,
      reaction: name,
      item: { type: "message", channel, ts },
      item_user: this.world.find(channel, ts)?.user,
      event_ts: at,
    }, { channel, ts: at });
  }

  /** Somebody uses a slash command. */
  command(command: string, text: string, { channel, user = ANNA.id }: SayOptions = {}): Delivery {
    const where = this.world.channels.get(channel ?? "") ?? this.world.direct(user);
    const id = this.world.id("R");
    this.api.responseUrls.set(id, { channel: where.id, uses: 0, isExpired: false });
    const payload = {
      token: "verification",
      team_id: TEAM,
      team_domain: "fake",
      channel_id: where.id,
      channel_name: where.name ?? "directmessage",
      user_id: user,
      user_name: this.world.users.get(user)?.name ?? user,
      command,
      text,
      api_app_id: APP,
      is_enterprise_install: "false",
      response_url: `${this.url}/commands/${id}`,
      trigger_id: `${Date.now()}.${id}`,
    };
    return this.deliveries.push({ type: "slash_commands", payload, channel: where.id });
  }

  /** Somebody presses a button below a message of the bot. */
  press(channel: string, ts: string, value: string, { user = ANNA.id } = {}): Delivery {
    const message = this.world.find(channel, ts);
    const elements = (message?.blocks ?? []).flatMap((block) => elementsOf(block));
    const element = elements.find((known) => known.value === value) ?? { action_id: "x", value };
    const where = this.world.channels.get(channel);
    const payload = {
      type: "block_actions",
      user: { id: user, username: this.world.users.get(user)?.name, team_id: TEAM },
      api_app_id: APP,
      team: { id: TEAM, domain: "fake" },
      container: { type: "message", message_ts: ts, channel_id: channel, is_ephemeral: false },
      trigger_id: `${Date.now()}.press`,
      channel: { id: channel, name: where?.name ?? "directmessage" },
      message,
      response_url: `${this.url}/commands/none`,
      actions: [{ ...element, type: "button", action_ts: this.world.ts() }],
    };
    return this.deliveries.push({ type: "interactive", payload, channel, ts });
  }

  /** A file that somebody has uploaded, as a message shows it. */
  addFile(name: string, { mimetype, size, bytes, ...fields }: {
    readonly mimetype: string;
    readonly size?: number;
    readonly bytes?: Uint8Array<ArrayBuffer>;
    readonly [field: string]: unknown;
  }): Record<string, unknown> {
    const id = this.world.id("F");
    const file = {
      id,
      name,
      mimetype,
      size: size ?? bytes?.length ?? 0,
      ...(bytes && { bytes }),
      shares: [],
    };
    this.world.files.set(id, file);
    return { ...shownFile(file, this.url), ...fields };
  }

  addChannel(channel: Channel): Channel {
    this.world.channels.set(channel.id, channel);
    return channel;
  }

  /** An event of messages in a conversation. */
  tell({ id, kind }: Channel, ts: string, event: Json): Delivery {
    return this.event(
      { type: "message", ts, channel: id, channel_type: kind, event_ts: ts, ...event },
      { channel: id, ts },
    );
  }

  /** Hands over an event as it is. */
  event(event: Json, names: { readonly channel?: string; readonly ts?: string } = {}): Delivery {
    const payload = {
      token: "verification",
      team_id: TEAM,
      api_app_id: APP,
      event,
      type: "event_callback",
      event_id: this.world.id("Ev"),
      event_time: Math.floor(Date.now() / 1000),
      authorizations: [{ team_id: TEAM, user_id: this.world.me.id, is_bot: true }],
      is_ext_shared_channel: false,
    };
    return this.deliveries.push({ type: "events_api", payload, ...names });
  }

  // What the network does.

  /** The tokens count no more; `mend` gives them again. */
  revoke(): void {
    this.api.rules.botToken = this.api.rules.appToken = crypto.randomUUID();
    this.deliveries.drop();
  }

  /** A call of this method, or any (`*`), fails so, `times` times or until `mend`. */
  fail(method: string, fault: Fault, times = Infinity): void {
    this.api.fail(method, fault, times);
  }

  /** Everything works again. */
  mend(): void {
    this.api.rules.botToken = this.botToken;
    this.api.rules.appToken = this.appToken;
    this.api.mend();
    this.line.set(undefined);
  }

  // What is seen.

  /** Messages of the bot in the order in which they appeared. */
  get sent(): readonly Message[] {
    return this.journal.flatMap((entry) => entry.kind === "sent" ? [entry.message] : []);
  }

  /** Calls of a method, answered or not. */
  calls(method: string): readonly Json[] {
    return this.journal.flatMap((entry) =>
      entry.kind === "called" && entry.method === method ? [entry.args] : []
    );
  }

  isAcknowledged(ts: string): boolean {
    return this.deliveries.all.some((delivery) => delivery.ts === ts && delivery.isAcknowledged);
  }

  /** Resolves with the first thing that `find` makes of the state of things; asked after each change. */
  async until<T>(find: () => T | undefined | false): Promise<T> {
    for (;;) {
      const found = find();
      if (found !== undefined && found !== false) return found;
      if (this.#ended) throw new Error("the fake has ended");
      await this.#changed.promise;
    }
  }

  /** Resolves when a client is in. */
  async connected(): Promise<void> {
    await this.until(() => this.deliveries.connections > 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true;
    this.#changed.resolve();
    this.api.end();
    await this.deliveries.end();
    await this.line[Symbol.asyncDispose]();
    await this.#server.shutdown();
  }

  #serve(request: Request): Promise<Response> | Response {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/control") return this.#control(request);
    if (pathname !== "/link") {
      return this.api.answer(request).catch(() => new Response("bad request", { status: 400 }));
    }
    if (!this.deliveries.redeem(searchParams.get("ticket"))) {
      return new Response("bad ticket", { status: 408 });
    }
    const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: 0 });
    this.deliveries.accept(socket);
    return response;
  }

  async #control(request: Request): Promise<Response> {
    if (request.method === "GET") {
      const from = Number(new URL(request.url).searchParams.get("from") ?? 0);
      return Response.json(this.journal.slice(from));
    }
    const order: Order = await request.json();
    return Response.json({ result: this.#obey(order) ?? null });
  }

  #obey(order: Order): unknown {
    switch (order.do) {
      case "say":
        return this.say(order.text, order.options);
      case "press":
        return void this.press(order.channel, order.ts, order.value);
      case "command":
        return void this.command(order.command, order.text, order.options);
      case "event":
        return void this.event(order.event);
      case "addChannel":
        return this.addChannel(order.channel);
      case "fail":
        return this.fail(order.method, order.fault, order.times);
      case "line":
        return this.line.set(order.fault);
      case "disconnect":
        return this.deliveries.disconnect(order.reason);
      case "babble":
        return this.deliveries.babble(order.text);
      case "release":
        return this.deliveries.release({ reversed: order.reversed });
      case "cut":
        return this.line.cut();
      case "drop":
        return this.deliveries.drop();
      case "hold":
        return this.deliveries.hold();
      case "redeliver":
        return this.deliveries.redeliver();
      case "revoke":
        return this.revoke();
      case "mend":
        return this.mend();
      case "mark":
        return this.journal.length;
    }
  }

  #note(what: DeliveryNote | ApiNote): void {
    this.journal.push({ at: performance.timeOrigin + performance.now(), ...what });
    const { resolve } = this.#changed;
    this.#changed = Promise.withResolvers();
    resolve();
  }
}

/** Where something is said, and what else an event says of it. */
export interface SayOptions {
  readonly channel?: string;
  readonly user?: string;
  readonly [field: string]: unknown;
}

/** What `controlUrl` takes; each does what the method of its name does. */
export type Order =
  | { readonly do: "say"; readonly text: string; readonly options?: SayOptions }
  | {
    readonly do: "press";
    readonly channel: string;
    readonly ts: string;
    readonly value: string;
  }
  | {
    readonly do: "command";
    readonly command: string;
    readonly text: string;
    readonly options?: SayOptions;
  }
  | { readonly do: "event"; readonly event: Json }
  | { readonly do: "addChannel"; readonly channel: Channel }
  | {
    readonly do: "fail";
    readonly method: string;
    readonly fault: Fault;
    readonly times?: number;
  }
  | { readonly do: "line"; readonly fault?: LineFault }
  | { readonly do: "disconnect"; readonly reason: string }
  | { readonly do: "babble"; readonly text: string }
  | { readonly do: "release"; readonly reversed?: boolean }
  /** How long the journal is. */
  | { readonly do: "mark" }
  | { readonly do: "cut" | "drop" | "hold" | "redeliver" | "revoke" | "mend" };

function elementsOf(block: unknown): { action_id?: string; value?: string }[] {
  if (typeof block !== "object" || block === null || !("elements" in block)) return [];
  return Array.isArray(block.elements) ? block.elements : [];
}
