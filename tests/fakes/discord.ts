/**
 * Discord on loopback: its REST API and its gateway over real sockets, a world behind them, and
 * faults where a test wants them.
 */
import { Line, type LineFault } from "./line.ts";
import { CloseCode, FakeGateway, type GatewayRules } from "./discord/gateway.ts";
import { FakeRest, type Interaction, type RestRules } from "./discord/rest.ts";
import { type Channel, type Happening, type Message, type User, World } from "./discord/world.ts";

export { CloseCode };
export { ChannelType, snowflakeAt } from "./discord/world.ts";
export type { Channel, Guild, Message, User } from "./discord/world.ts";

export interface FakeDiscordOptions extends Partial<GatewayRules>, Partial<RestRules> {
  /** For whoever must come back at the same address. */
  readonly port?: number;
}

/** Starts a Discord of its own, with a bot and nobody else in it. */
export function startFakeDiscord(options: FakeDiscordOptions = {}): FakeDiscord {
  return new FakeDiscord(options);
}

/** The running network. */
export class FakeDiscord implements AsyncDisposable {
  /** Without a path. */
  readonly url: string;
  readonly token: string;
  readonly world: World;
  readonly gateway: FakeGateway;
  readonly rest: FakeRest;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #line: Line;
  #changed = Promise.withResolvers<void>();

  constructor(options: FakeDiscordOptions) {
    this.#server = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen() {}, onError: () => new Response() },
      (request) => this.#answer(request),
    );
    this.#line = new Line(this.#server.addr.port, options.port);
    this.url = `http://127.0.0.1:${this.#line.port}`;
    this.token = options.token ?? "fake.discord.token";
    this.world = new World((happening) => this.#tell(happening));
    const shared = { world: this.world, changed: () => this.#wake() };
    this.gateway = new FakeGateway({
      ...shared,
      url: () => `${this.url.replace("http", "ws")}/gateway`,
      rules: {
        token: this.token,
        heartbeatMs: options.heartbeatMs ?? 41_250,
        askEveryMs: options.askEveryMs,
        privileged: options.privileged ?? ~0,
        identifies: options.identifies ?? 1000,
        identifyEveryMs: options.identifyEveryMs ?? 0,
        isZombie: options.isZombie ?? false,
        isMute: options.isMute ?? false,
        closeWith: options.closeWith,
      },
    });
    this.rest = new FakeRest({
      ...shared,
      url: () => this.url,
      sessionStarts: () => this.gateway.rules.identifies,
      rules: {
        token: this.token,
        nonceMs: options.nonceMs ?? 180_000,
        listsNonces: options.listsNonces ?? true,
        limit: options.limit,
        maxUploadBytes: options.maxUploadBytes ?? 100 * 1024 * 1024,
        urlTtlMs: options.urlTtlMs ?? 86_400_000,
        interactionMs: options.interactionMs ?? 3000,
      },
    });
  }

  /** What the channel's settings call its address. */
  get apiRoot(): string {
    return `${this.url}/api`;
  }

  /** What the bot has said, in the order in which it appeared. */
  get sent(): readonly Message[] {
    return this.rest.sent;
  }

  /** Somebody writes to the bot alone. */
  say(user: User, text: string): Message {
    return this.world.post(this.world.direct(user), user, text);
  }

  /** Somebody uses a slash command. */
  command(channel: Channel, user: User, { name, options = [] }: {
    name: string;
    options?: readonly { readonly name: string; readonly type: number; readonly value: unknown }[];
  }): Interaction {
    return this.#interact(channel, user, {
      type: 2,
      data: { id: this.world.snowflake(), name, type: 1, options },
    });
  }

  /** Somebody presses a button. */
  press(message: Message, user: User, customId: string): Interaction {
    const channel = this.world.channels.get(message.channel_id)!;
    return this.#interact(channel, user, {
      type: 3,
      data: { custom_id: customId, component_type: 2 },
      message,
    });
  }

  /** Resolves with what `look` finds, once it finds something. */
  async until<T>(look: () => T | undefined | false): Promise<T> {
    for (;;) {
      const found = look();
      if (found !== undefined && found !== false) return found;
      await this.#changed.promise;
    }
  }

  /** Resolves when a client is in. */
  async connected(): Promise<void> {
    await this.until(() => this.gateway.connected > 0);
  }

  /** Takes the bot's token back; `mend` gives it again. */
  revoke(): void {
    this.gateway.rules.token = this.rest.rules.token = crypto.randomUUID();
    this.gateway.close(CloseCode.authenticationFailed, "Authentication failed.");
  }

  /** Everything works again. */
  mend(): void {
    this.gateway.rules.token = this.rest.rules.token = this.token;
    this.gateway.rules.closeWith = undefined;
    this.gateway.rules.isZombie = false;
    this.gateway.rules.isMute = false;
    this.rest.mend();
    this.#line.set(undefined);
  }

  /** The whole network fails so from now on; `undefined` mends it. */
  setLine(fault: LineFault | undefined): void {
    this.#line.set(fault);
  }

  /** Breaks whatever is open, once. */
  cut(): void {
    this.#line.cut();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.rest.end();
    await this.#line[Symbol.asyncDispose]();
    await this.#server.shutdown();
  }

  #answer(request: Request): Promise<Response> | Response {
    const { pathname } = new URL(request.url);
    if (pathname.replace(/\/$/, "") !== "/gateway") {
      return this.rest.answer(request).catch(() => new Response("bad request", { status: 400 }));
    }
    const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: 0 });
    this.gateway.accept(socket);
    return response;
  }

  #interact(channel: Channel, user: User, what: Readonly<Record<string, unknown>>): Interaction {
    const interaction: Interaction = {
      id: this.world.snowflake(),
      token: crypto.randomUUID(),
      channel,
      at: Date.now(),
    };
    this.rest.interactions.set(interaction.token, interaction);
    const { guild_id } = channel;
    this.world.tell("INTERACTION_CREATE", {
      id: interaction.id,
      token: interaction.token,
      application_id: this.world.applicationId,
      version: 1,
      channel_id: channel.id,
      channel,
      ...(guild_id === undefined ? { user } : {
        guild_id,
        member: this.world.member(guild_id, user),
      }),
      ...what,
    });
    return interaction;
  }

  #tell(happening: Happening): void {
    this.gateway.tell(happening);
    this.#wake();
  }

  #wake(): void {
    const { resolve } = this.#changed;
    this.#changed = Promise.withResolvers();
    resolve();
  }
}
