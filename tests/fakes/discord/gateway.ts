/** Discord's gateway: sessions that can be resumed, over WebSockets that come and go. */
import type { Happening, World } from "./world.ts";

/** What the gateway does to whoever breaks its rules, or what a test makes it do. */
export const CloseCode = {
  unknownError: 4000,
  unknownOpcode: 4001,
  decodeError: 4002,
  notAuthenticated: 4003,
  authenticationFailed: 4004,
  alreadyAuthenticated: 4005,
  invalidSequence: 4007,
  rateLimited: 4008,
  sessionTimedOut: 4009,
  invalidShard: 4010,
  shardingRequired: 4011,
  invalidVersion: 4012,
  invalidIntents: 4013,
  disallowedIntents: 4014,
} as const;

const MESSAGE_CONTENT = 1 << 15;
const KNOWN_INTENTS = (1 << 26) - 1;
const PRIVILEGED_INTENTS = (1 << 1) | (1 << 8) | MESSAGE_CONTENT;
/** As Discord allows it: commands in a minute, and bytes in a command. */
const MAX_COMMANDS = 120;
const MAX_COMMAND_BYTES = 4096;
/** Sessions of clients that never came back, and events of each. */
const MAX_SESSIONS = 8;
const MAX_BACKLOG = 50_000;

/** An event as it was handed over, or waits for a client to come back. */
export interface Handed extends Happening {
  readonly sessionId: string;
  readonly s: number;
  readonly at: number;
}

/** What a client has said on the gateway. */
export interface Heard {
  readonly op: number;
  readonly d: unknown;
  readonly at: number;
}

/** A session that outlives its connection. */
interface Session {
  readonly id: string;
  readonly intents: number;
  readonly backlog: Handed[];
  /** The last sequence number that was given out. */
  sequence: number;
  /** The highest that the client says it has. */
  acknowledged: number;
}

/** What the gateway is bound to, and how it behaves. A test may change it at any time. */
export interface GatewayRules {
  token: string;
  heartbeatMs: number;
  /** How often it asks for a heartbeat besides: whoever is slow is not taken for dead by that. */
  askEveryMs: number | undefined;
  /** Privileged intents that the application was granted. */
  privileged: number;
  /** Identifies that are left today. */
  identifies: number;
  /** Identifies closer together than this make the session invalid. */
  identifyEveryMs: number;
  /** Heartbeats are not answered: a zombie. */
  isZombie: boolean;
  /** HELLO never comes. */
  isMute: boolean;
  /** Closes whoever connects, with this code, instead of HELLO. */
  closeWith: number | undefined;
}

export class FakeGateway {
  readonly rules: GatewayRules;
  /** Every event that was handed over, also again. */
  readonly handed: Handed[] = [];
  readonly heard: Heard[] = [];
  /** What a well-behaved client would not have done. */
  readonly violations: string[] = [];
  readonly #world: World;
  readonly #url: () => string;
  readonly #changed: () => void;
  readonly #sessions = new Map<string, Session>();
  readonly #connections = new Set<Connection>();
  /** Handed to the next client that identifies. */
  readonly #later: Happening[] = [];
  /** How far the client of each session says it is, also of those that are over. */
  readonly #acknowledged = new Map<string, number>();
  /** What was handed over, by the id of the message. */
  readonly #messages = new Map<unknown, Handed[]>();
  #held: Handed[] | undefined;
  #identifiedAt = 0;

  constructor(
    { world, rules, url, changed }: {
      world: World;
      rules: GatewayRules;
      /** Where clients come back to. */
      url: () => string;
      /** Called whenever something worth waiting for has happened. */
      changed: () => void;
    },
  ) {
    this.#world = world;
    this.rules = rules;
    this.#url = url;
    this.#changed = changed;
  }

  /** How many clients are in. */
  get connected(): number {
    return [...this.#connections].filter(({ session }) => session !== undefined).length;
  }

  /** How many clients are in, or may come back. */
  get sessions(): number {
    return this.#sessions.size;
  }

  /** Takes a WebSocket that a client has opened. */
  accept(socket: WebSocket): void {
    const connection: Connection = { socket, session: undefined, commands: 0 };
    let asking: ReturnType<typeof setInterval> | undefined;
    this.#connections.add(connection);
    socket.onopen = () => {
      const { closeWith, isMute, heartbeatMs, askEveryMs } = this.rules;
      if (closeWith !== undefined) return close(connection, closeWith);
      if (isMute) return;
      send(connection, { op: 10, d: { heartbeat_interval: heartbeatMs } });
      if (askEveryMs === undefined) return;
      asking = setInterval(() => send(connection, HEARTBEAT_REQUEST), askEveryMs);
    };
    socket.onmessage = ({ data }) => this.#hear(connection, data);
    socket.onerror = () => {};
    socket.onclose = ({ code }) => {
      clearInterval(asking);
      this.#connections.delete(connection);
      // whoever says goodbye like this does not mean to come back
      if ((code === 1000 || code === 1001) && connection.session !== undefined) {
        this.#sessions.delete(connection.session.id);
      }
      this.#changed();
    };
  }

  /** Every session hears of it, now or when its client comes back. */
  tell({ t, d }: Happening): void {
    for (const session of this.#sessions.values()) {
      const shown = visible({ t, d }, session.intents, this.#world);
      if (shown !== undefined) this.#hand(session, shown);
    }
  }

  /** The next client that identifies hears of it, and nobody else. */
  tellNext(happenings: readonly Happening[]): void {
    this.#later.push(...happenings);
  }

  /** Whether a client says that it has this message. */
  isAcknowledged(messageId: string): boolean {
    return (this.#messages.get(messageId) ?? []).some(({ sessionId, s }) =>
      (this.#acknowledged.get(sessionId) ?? 0) >= s
    );
  }

  /** Events wait until `release`, and then come in this order. */
  hold(): void {
    this.#held = [];
  }

  release({ isReversed = false } = {}): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const event of isReversed ? held.reverse() : held) this.#deliver(event);
  }

  /** Asks for a heartbeat at once. */
  requestHeartbeat(): void {
    this.#sendAll(HEARTBEAT_REQUEST);
  }

  /** Asks clients to come back and resume. */
  reconnect(): void {
    this.#sendAll({ op: 7, d: null });
  }

  /** Says that the session is over; where it is resumable, it is not. */
  invalidate(isResumable = false): void {
    if (!isResumable) this.expire();
    this.#sendAll({ op: 9, d: isResumable });
  }

  /** Forgets every session, as Discord does after some minutes without a connection. */
  expire(): void {
    this.#sessions.clear();
  }

  /** Ends every connection. */
  close(code: number, reason = ""): void {
    for (const connection of this.#connections) close(connection, code, reason);
  }

  /** Sends whatever this is. */
  sendRaw(text: string): void {
    for (const { socket } of this.#connections) {
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    }
  }

  /** Sends an event that Discord never would, with a sequence number that counts. */
  dispatch(t: string, d: unknown): void {
    for (const { session } of this.#connections) {
      if (session !== undefined) this.#hand(session, { t, d: d as Happening["d"] });
    }
  }

  #hear(connection: Connection, data: unknown): void {
    if (typeof data !== "string") return close(connection, CloseCode.decodeError);
    if (data.length > MAX_COMMAND_BYTES) this.violations.push("a command was too long");
    if (++connection.commands > MAX_COMMANDS) this.violations.push("too many commands");
    let command: { op: number; d: never };
    try {
      command = JSON.parse(data);
    } catch {
      return close(connection, CloseCode.decodeError);
    }
    this.heard.push({ op: command.op, d: command.d, at: Date.now() });
    switch (command.op) {
      case 1:
        this.#acknowledge(connection.session, command.d);
        if (!this.rules.isZombie) send(connection, { op: 11, d: null });
        break;
      case 2:
        this.#identify(connection, command.d);
        break;
      case 6:
        this.#resume(connection, command.d);
        break;
      case 3: // presence
        break;
      default:
        close(connection, CloseCode.unknownOpcode);
    }
    this.#changed();
  }

  #identify(connection: Connection, { token, intents, properties }: Identify): void {
    const { rules } = this;
    if (connection.session !== undefined) {
      return close(connection, CloseCode.alreadyAuthenticated);
    }
    if (token !== rules.token) return close(connection, CloseCode.authenticationFailed);
    if (!Number.isInteger(intents) || (intents & ~KNOWN_INTENTS) !== 0) {
      return close(connection, CloseCode.invalidIntents);
    }
    if ((intents & PRIVILEGED_INTENTS & ~rules.privileged) !== 0) {
      return close(connection, CloseCode.disallowedIntents);
    }
    if (properties?.os === undefined) this.violations.push("an identify had no properties");
    if (rules.identifies <= 0) this.violations.push("an identify was beyond the budget");
    const isEarly = Date.now() - this.#identifiedAt < rules.identifyEveryMs;
    if (rules.identifies <= 0 || isEarly) return send(connection, { op: 9, d: false });
    rules.identifies--;
    this.#identifiedAt = Date.now();
    const session: Session = {
      id: crypto.randomUUID().replaceAll("-", ""),
      intents,
      backlog: [],
      sequence: 0,
      acknowledged: 0,
    };
    this.#sessions.set(session.id, session);
    for (const id of [...this.#sessions.keys()].slice(0, -MAX_SESSIONS)) this.#sessions.delete(id);
    this.#takeOver(session, connection);
    const guilds = [...this.#world.guilds.values()];
    this.#hand(session, {
      t: "READY",
      d: {
        v: 10,
        user: this.#world.self,
        guilds: guilds.map(({ id }) => ({ id, unavailable: true })),
        session_id: session.id,
        resume_gateway_url: this.#url(),
        application: { id: this.#world.applicationId, flags: 0 },
      },
    });
    for (const guild of guilds) {
      this.#hand(session, { t: "GUILD_CREATE", d: this.#world.wholeGuild(guild) });
    }
    for (const happening of this.#later.splice(0)) this.tell(happening);
  }

  #resume(connection: Connection, { token, session_id, seq }: Resume): void {
    if (token !== this.rules.token) return close(connection, CloseCode.authenticationFailed);
    const session = this.#sessions.get(session_id);
    if (session === undefined) return send(connection, { op: 9, d: false });
    if (seq > session.sequence) {
      this.#sessions.delete(session_id);
      return close(connection, CloseCode.invalidSequence);
    }
    this.#takeOver(session, connection);
    this.#acknowledge(session, seq);
    for (const event of session.backlog.filter(({ s }) => s > seq)) this.#deliver(event);
    this.#hand(session, { t: "RESUMED", d: { _trace: [] } });
  }

  /** Only one connection speaks for a session. */
  #takeOver(session: Session, connection: Connection): void {
    for (const other of this.#connections) {
      if (other.session === session) other.session = undefined;
    }
    connection.session = session;
  }

  #acknowledge(session: Session | undefined, sequence: unknown): void {
    if (session === undefined || typeof sequence !== "number") return;
    if (sequence > session.sequence) this.violations.push("a sequence came before its time");
    session.acknowledged = Math.max(session.acknowledged, sequence);
    this.#acknowledged.set(session.id, session.acknowledged);
  }

  #hand(session: Session, { t, d }: Happening): void {
    const event = { sessionId: session.id, s: ++session.sequence, t, d, at: Date.now() };
    session.backlog.push(event);
    if (session.backlog.length > MAX_BACKLOG) session.backlog.shift();
    if (this.#held !== undefined) this.#held.push(event);
    else this.#deliver(event);
  }

  #deliver(event: Handed): void {
    for (const connection of this.#connections) {
      if (connection.session?.id !== event.sessionId) continue;
      if (connection.socket.readyState !== WebSocket.OPEN) continue;
      this.handed.push(event);
      if (event.t === "MESSAGE_CREATE") {
        this.#messages.set(event.d.id, [...this.#messages.get(event.d.id) ?? [], event]);
      }
      send(connection, { op: 0, t: event.t, s: event.s, d: event.d });
    }
    this.#changed();
  }

  #sendAll(frame: object): void {
    for (const connection of this.#connections) send(connection, frame);
  }
}

interface Connection {
  readonly socket: WebSocket;
  session: Session | undefined;
  commands: number;
}

const HEARTBEAT_REQUEST = { op: 1, d: null };

interface Identify {
  readonly token: string;
  readonly intents: number;
  readonly properties?: { readonly os?: string };
}

interface Resume {
  readonly token: string;
  readonly session_id: string;
  readonly seq: number;
}

function send({ socket }: Connection, frame: object): void {
  if (socket.readyState === WebSocket.OPEN) {
    socket.send(JSON.stringify({ t: null, s: null, ...frame }));
  }
}

function close({ socket }: Connection, code: number, reason = ""): void {
  if (socket.readyState < WebSocket.CLOSING) socket.close(code, reason);
}

/** The intent without which nobody hears of an event, in guilds and in direct messages. */
const NEEDED: readonly (readonly [event: RegExp, inGuild: number, inDirect: number])[] = [
  [/^MESSAGE_REACTION/, 1 << 10, 1 << 13],
  [/^MESSAGE_/, 1 << 9, 1 << 12],
  [/^(GUILD|CHANNEL|THREAD)_/, 1 << 0, 1 << 0],
];

/** What somebody with these intents hears of an event. */
function visible({ t, d }: Happening, intents: number, world: World): Happening | undefined {
  const needed = NEEDED.find(([event]) => event.test(t));
  const isDirect = d.guild_id === undefined && !/^(GUILD|CHANNEL|THREAD)_/.test(t);
  if (needed !== undefined && (intents & needed[isDirect ? 2 : 1]) === 0) return undefined;
  const isOurs = isDirect || JSON.stringify(d).includes(`"${world.self.id}"`);
  if ((intents & MESSAGE_CONTENT) !== 0 || isOurs || d.content === undefined) return { t, d };
  return { t, d: { ...d, content: "", attachments: [], embeds: [], components: [] } };
}
