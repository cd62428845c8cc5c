/** Relays one TCP connection to the inner server, and ends it where it breaks a rule. */
import type { GuardLimits, Handler, Peer } from "./guard.ts";
import { type BodyMeter, ChunkMeter, LengthMeter } from "./guard_body.ts";
import { closeFrame, FrameMeter, type Framer, lengthOf, type Message } from "./guard_frames.ts";
import { headLength, PEER_HEADER, readHead, type RequestHead, UPGRADE_MARK } from "./guard_head.ts";
import { Intake, type Sizes } from "./guard_intake.ts";
import type { Turn, Writer } from "./turn.ts";
import {
  BAD_REQUEST,
  BODY_TOO_LARGE,
  HEAD_TOO_LARGE,
  type Refusal,
  refusalBytes,
  refusalResponse,
  TIMEOUT,
  TOO_MANY_UNAUTHENTICATED,
  UNAVAILABLE,
} from "./guard_refusal.ts";

/** What a connection asks of the guard that stands around it. */
export interface Post {
  readonly limits: GuardLimits;
  readonly buffers: Sizes;
  readonly turn: Turn;
  readonly framer: Framer;
  /** Opens a connection to the inner server. */
  connect(): Promise<Deno.Conn>;
  /** Bytes wait for this peer and none leaves; it is dropped next. */
  onStuck(peer: Peer): void;
  log(line: string): void;
}

/** How many connections come from one place. */
export interface Origin {
  open: number;
  /** Those with a WebSocket that has not proved itself; the one that waits longest first. */
  readonly unauthenticated: Set<Connection>;
}

/** A request as it comes back out of the inner server. */
export interface Question {
  readonly request: Request;
  /** What stands in the private header behind the connection's token. */
  readonly mark: string;
  /** Settles when the answer was sent or lost. */
  readonly completed: Promise<void>;
}

/** What the client is waited for. */
type Phase =
  | "idle" // its next request
  | "head"
  | "body"
  | "decision" // nothing: it asked for a WebSocket, and is not listened to before the answer
  | "frames"
  | "parting"; // its goodbye: what it still says is thrown away, what it is owed goes out

/** What the inner server said on its way out: heads and bodies, or parts of control frames. */
interface Relayed {
  readonly bytes: Uint8Array;
  /** Called when it is out. */
  readonly relayed: () => void;
  /** How many messages of ours were there before it. */
  behind: number;
}

/** Messages are written together up to this length; a letter of text counts as a byte. */
const BATCH_LENGTH = 65_536;

export class Connection implements Peer, Writer {
  // What every message asks of its connection lies together, in memory too: when all are told of an
  // event, to fetch it from there is most of the work.
  readonly #post: Post;
  /** Messages of ours that wait to go out, in order. */
  readonly #messages: Message[] = [];
  /** How long all messages are that the client has not taken. */
  #waiting = 0;
  #phase: Phase = "head";
  #isUpgraded = false;
  #requests = 0;
  #isWriting = false;
  /** What the inner server said and waits to go out; it says no more before. */
  #relayed: Relayed | undefined;
  /** Knows where a frame of ours may be put in; missing where the WebSocket's start was not seen. */
  #outbound: FrameMeter | undefined;
  /** What of the current write is not out. */
  #outgoing: Uint8Array = NOTHING;
  /** How long the messages are that are in it. */
  #outgoingLength = 0;
  /** Called when it is. */
  #tellOut: (() => void) | undefined;
  /** Since when a write waits for the client, by `performance.now()`; 0 if none does. */
  #writingSince = 0;
  /** Whether any byte went out. */
  #hasAnswered = false;
  readonly #client: Deno.Conn<Deno.NetAddr>;

  /** Names this connection to the inner server. Nobody outside can guess it. */
  readonly token = crypto.randomUUID();
  readonly address: Deno.NetAddr;
  readonly secure: boolean;
  readonly closed: Promise<void>;

  readonly #origin: Origin;
  readonly #intake: Intake;
  readonly #tellClosed: () => void;
  #server: Deno.Conn | undefined;
  /** From the first request on; resolves when nothing more goes out. */
  #answers: Promise<void> | undefined;
  /** When this phase has lasted too long, by `performance.now()`. */
  #due: number;
  /** How many requests went in whose answers are not complete. */
  #pending = 0;
  /** When its WebSocket began to be unauthenticated, by `performance.now()`. */
  #unprovenSince = 0;
  /** Whether the client has closed its half. */
  #hasEnded = false;
  #isDropped = false;
  #decide: ((isUpgraded: boolean) => void) | undefined;
  #refusal: Refusal | undefined;
  #lastWords: Uint8Array | undefined;
  readonly #inbound: FrameMeter;

  constructor(
    client: Deno.Conn<Deno.NetAddr>,
    { post, origin, secure }: { post: Post; origin: Origin; secure: boolean },
  ) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#tellClosed = resolve;
    this.address = client.remoteAddr;
    this.secure = secure;
    this.#post = post;
    this.#origin = origin;
    this.#client = client;
    this.#intake = new Intake(post.buffers);
    this.#inbound = new FrameMeter(post.limits.preauthMessageBytes);
    this.#due = performance.now() + post.limits.headerMs;
  }

  get isWebSocket(): boolean {
    return this.#isUpgraded;
  }

  /** Whether a request of it went in. */
  get hasAsked(): boolean {
    return this.#requests > 0;
  }

  /** Resolves when nothing more goes out; never rejects. */
  get finished(): Promise<void> {
    return this.#answers ?? Promise.resolve();
  }

  /** Relays until both sides have ended, or only answers with `refusal`; never rejects. */
  async run(refusal?: Refusal): Promise<void> {
    try {
      const server = refusal === undefined ? await this.#relayRequests() : this.#refuse(refusal);
      if (server !== undefined) await this.#relayFrames(server);
    } catch (error) {
      this.#lost(error);
    }
    try {
      // Each side hears of the other's end and answers it with its own.
      if (!this.#isParting()) this.#enter("parting", Infinity);
      // A socket that is closed with bytes unread is reset, and its last words may be lost.
      while (await this.#fill()) this.#intake.skip(this.#intake.unread.length);
      this.#hasEnded = true;
      await this.#server?.closeWrite();
      await this.#answers;
    } catch (error) {
      this.#lost(error);
    }
    this.drop();
    this.#intake.release();
  }

  /** Has a request of this connection answered by the handler; never rejects. */
  async answer({ request, mark, completed }: Question, handler: Handler): Promise<Response> {
    const settle = () => this.#settle();
    completed.then(settle, settle);
    if (mark === REFUSED_MARK && this.#refusal !== undefined) return refusalResponse(this.#refusal);
    Object.defineProperty(request, "url", { value: this.#urlOf(request) });
    let response: Response;
    try {
      response = await handler(request, this);
    } catch (error) {
      this.#post.log(`Cannot answer ${request.url}: ${Deno.inspect(error)}`);
      response = new Response("Internal Server Error", { status: 500 });
    }
    const isUpgraded = response.status === 101;
    if (mark === UPGRADE_MARK) this.#decide?.(isUpgraded);
    else if (isUpgraded) this.drop(); // nobody would count its frames
    return response;
  }

  raise(maxMessageBytes: number): void {
    this.#inbound.limit = maxMessageBytes;
    this.#authenticated();
  }

  get buffered(): number {
    return this.#waiting;
  }

  send(message: Message): boolean {
    if (!this.#isUpgraded || this.#requests > 1) return false;
    if (this.#isParting()) return true; // nobody is there to hear it
    this.#waiting += lengthOf(message);
    this.#messages.push(message);
    this.#write();
    return true;
  }

  cut(code?: number, reason?: string): void {
    if (code === undefined || this.#phase !== "frames" || this.#writingSince > 0) this.drop();
    else this.#part(closeFrame(code, reason));
  }

  /** Ends the connection if it lets us wait for too long. */
  sweep(now: number): void {
    if (this.#writingSince > 0 && now - this.#writingSince >= this.#post.limits.stuckMs) {
      this.#post.onStuck(this);
      this.drop();
    } else if (now >= this.#due) {
      if (this.#phase === "head") this.#refuse(TIMEOUT);
      else this.drop();
    }
  }

  /** Closes both sides at once; what was buffered for them is freed. */
  drop(): void {
    if (this.#isDropped) return;
    this.#isDropped = true;
    this.#enter("parting", Infinity);
    this.#writingSince = 0;
    this.#client.close();
    this.#isOut(); // as far as it ever will be
    this.#relayed?.relayed();
    this.#relayed = undefined;
    this.#messages.length = 0;
    this.#waiting = 0;
    this.#closeServer();
    this.#authenticated();
    this.#decide?.(false);
    this.#tellClosed();
  }

  // From the client to the inner server.

  /** Resolves once the client is on a WebSocket, to its server; or, if it has no more to say. */
  async #relayRequests(): Promise<Deno.Conn | undefined> {
    for (;;) {
      const head = await this.#readHead();
      if (head === undefined) return undefined;
      const server = this.#server ?? await this.#connect();
      if (server === undefined) return undefined;
      this.#requests++;
      this.#pending++;
      if (head.isUpgrade) {
        const decision = this.#awaitDecision();
        await writeAll(server, head.bytes);
        if (await decision) return server;
      } else {
        await writeAll(server, head.bytes);
        if (!await this.#relayBody(server, head.body)) return undefined;
      }
      if (this.#isParting()) return undefined;
      this.#enter("idle", this.#pending > 0 ? Infinity : this.#post.limits.idleHttpMs);
    }
  }

  /** Resolves to the next request's head; to nothing if the client has left or was refused. */
  async #readHead(): Promise<RequestHead | undefined> {
    const { headerBytes, headerMs, bodyBytes } = this.#post.limits;
    for (let seen = 0;;) {
      const bytes = this.#intake.unread;
      if (bytes.length > 0 && this.#phase === "idle") this.#enter("head", headerMs);
      const length = headLength(bytes, seen);
      if (length < 0) return this.#refuse(BAD_REQUEST);
      if (length > headerBytes || length === 0 && bytes.length >= headerBytes) {
        return this.#refuse(HEAD_TOO_LARGE);
      }
      if (length > 0) {
        const head = readHead(bytes.subarray(0, length), this.token);
        if ("status" in head) return this.#refuse(head);
        if (head.body !== "chunked" && head.body > bodyBytes) return this.#refuse(BODY_TOO_LARGE);
        if (head.isUpgrade && !this.#findsRoom()) {
          return this.#refuse(TOO_MANY_UNAUTHENTICATED);
        }
        if (head.isUpgrade) this.#takePlace();
        this.#intake.skip(length);
        this.#enter("body", this.#post.limits.idleHttpMs);
        return head;
      }
      seen = bytes.length;
      if (!await this.#fill() || this.#isParting()) return undefined;
    }
  }

  /** Reads once. Resolves to `false` at the client's end. */
  async #fill(): Promise<boolean> {
    const count = await this.#client.read(this.#intake.space());
    if (count === null) return false;
    this.#intake.add(count);
    return true;
  }

  /** Resolves to `true` at the body's end. */
  async #relayBody(server: Deno.Conn, body: number | "chunked"): Promise<boolean> {
    const { bodyBytes, idleHttpMs } = this.#post.limits;
    const meter: BodyMeter = body === "chunked" ? new ChunkMeter(bodyBytes) : new LengthMeter(body);
    while (!meter.done) {
      this.#enter("body", idleHttpMs);
      let bytes = this.#intake.unread;
      if (bytes.length === 0) {
        if (!await this.#fill() || this.#isParting()) return false;
        bytes = this.#intake.unread;
      }
      const taken = meter.feed(bytes);
      if (typeof taken !== "number") {
        this.#part(refusalBytes(taken));
        return false;
      }
      await writeAll(server, bytes.subarray(0, taken));
      this.#intake.skip(taken);
    }
    return true;
  }

  // Here and in #relayAnswers a connection waits most of its life, with as little as possible.
  async #relayFrames(server: Deno.Conn): Promise<void> {
    for (;;) {
      const bytes = this.#intake.unread;
      const violation = this.#inbound.feed(bytes);
      if (violation !== undefined) return this.#part(closeFrame(violation));
      await writeAll(server, bytes);
      this.#intake.skip(bytes.length);
      const count = await this.#client.read(this.#intake.space());
      if (count === null || this.#isParting()) return;
      this.#intake.add(count);
    }
  }

  /** Resolves to the new connection to the inner server, whose answers go out from now on. */
  async #connect(): Promise<Deno.Conn | undefined> {
    let server: Deno.Conn;
    try {
      server = await this.#post.connect();
    } catch (error) {
      this.#post.log(`Cannot reach the inner server: ${error}`);
      return this.#refuse(UNAVAILABLE);
    }
    if (this.#isParting()) {
      server.close();
      return undefined;
    }
    this.#server = server;
    this.#answers = this.#relayAnswers(server);
    return server;
  }

  /** Resolves to whether the handler makes a WebSocket of it. */
  #awaitDecision(): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#enter("decision", this.#post.limits.headerMs);
    this.#decide = (isUpgraded) => {
      this.#decide = undefined;
      this.#isUpgraded = isUpgraded;
      if (isUpgraded) this.#enter("frames", Infinity);
      else this.#authenticated();
      resolve(isUpgraded);
    };
    return promise;
  }

  // From the inner server to the client.

  async #relayAnswers(server: Deno.Conn): Promise<void> {
    const intake = new Intake(this.#post.buffers);
    try {
      // Nothing is read that the client has not taken: the inner server sees what waits.
      for (;;) {
        const count = await server.read(intake.space());
        if (count === null) break;
        intake.add(count);
        await this.#relay(intake.unread);
        intake.skip(count);
      }
    } catch (error) {
      this.#lost(error);
    } finally {
      intake.release();
    }
    this.#decide?.(false);
    await this.#leave();
  }

  /** Resolves when the client has taken it, or is gone. */
  #relay(bytes: Uint8Array): Promise<void> {
    if (this.#isDropped) return Promise.resolve();
    return new Promise((relayed) => {
      this.#relayed = { bytes, relayed, behind: this.#messages.length };
      this.#write();
    });
  }

  /** What is said in one turn of the event loop goes out together. */
  #write(): void {
    if (this.#isWriting) return;
    this.#isWriting = true;
    this.#post.turn.atEnd(this);
  }

  prepare(): void {
    try {
      this.#outgoing = this.#take() ?? NOTHING;
    } catch (error) {
      this.#cannotWrite(error);
    }
  }

  // Callbacks that are made once, and no `await`: to all the clients that hear of an event, this is
  // most of the work.
  write(now: number): void {
    const bytes = this.#outgoing;
    if (bytes.length === 0) {
      this.#isWriting = false;
      return;
    }
    this.#hasAnswered = true;
    this.#writingSince = now;
    try {
      this.#client.write(bytes).then(this.#wrote, this.#cannotWrite);
    } catch (error) {
      this.#cannotWrite(error);
    }
  }

  readonly #wrote = (count: number): void => {
    const { length } = this.#outgoing;
    if (count < length) {
      this.#outgoing = this.#outgoing.subarray(count);
    } else {
      this.#isOut();
      this.#writingSince = 0;
      if (this.#messages.length === 0 && this.#relayed === undefined) {
        this.#isWriting = false;
        return;
      }
      this.prepare();
    }
    this.write(performance.now());
  };

  readonly #cannotWrite = (error: unknown): void => {
    this.#lost(error);
    this.drop(); // nothing is written after that
  };

  /** What went out waits no more, and who relays it may go on. */
  #isOut(): void {
    const tell = this.#tellOut;
    this.#outgoing = NOTHING;
    this.#tellOut = undefined;
    this.#waiting -= this.#outgoingLength;
    this.#outgoingLength = 0;
    tell?.();
  }

  /**
   * What goes out next. The inner server's frames are control frames, and only between them ours
   * have a place; before them all comes the head of its 101. They wait for what was there before
   * them, and for no more: it closes a socket whose client does not answer its pings.
   */
  #take(): Uint8Array | undefined {
    const isOurTurn = this.#relayed === undefined || this.#relayed.behind > 0;
    if (isOurTurn && this.#messages.length > 0 && this.#outbound?.isBetween === true) {
      return this.#takeMessages();
    }
    if (this.#relayed === undefined) return undefined;
    const { bytes, relayed } = this.#relayed;
    this.#relayed = undefined;
    this.#tellOut = relayed;
    if (this.#isUpgraded) this.#follow(bytes);
    return bytes;
  }

  /** The frames of as many messages as are written together. */
  #takeMessages(): Uint8Array {
    const messages = this.#messages;
    let count = 0;
    let length = 0;
    for (const message of messages) {
      const more = lengthOf(message);
      if (count > 0 && length + more > BATCH_LENGTH) break;
      length += more;
      count++;
    }
    this.#outgoingLength = length;
    if (this.#relayed !== undefined) this.#relayed.behind -= count;
    if (count < messages.length) return this.#post.framer.frames(messages.splice(0, count));
    const frames = this.#post.framer.frames(messages);
    if (count === 1) messages.pop(); // keeps its room, of which it mostly needs no more
    else messages.length = 0;
    return frames;
  }

  /** Keeps track of where the frames end that go out; the first one follows the head of the 101. */
  #follow(bytes: Uint8Array): void {
    if (this.#outbound !== undefined) {
      this.#outbound.feed(bytes);
    } else if (this.#requests === 1 && !this.#hasAnswered) {
      const length = headLength(bytes, 0);
      if (length <= 0) return this.drop(); // the inner server writes it whole
      this.#outbound = new FrameMeter(Infinity);
      this.#outbound.feed(bytes.subarray(length));
    }
  }

  /** The URL as the client means it; the inner server's has the private socket in it. */
  #urlOf({ url, headers }: Request): string {
    const { hostname, port } = this.#client.localAddr;
    const here = hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
    const path = url.slice(url.indexOf("/", url.indexOf("//") + 2));
    return `${this.secure ? "https" : "http"}://${headers.get("host") || here}${path}`;
  }

  /** An answer is complete. */
  #settle(): void {
    this.#pending--;
    if (this.#pending === 0 && this.#phase === "idle") {
      this.#enter("idle", this.#post.limits.idleHttpMs);
    }
  }

  // The end.

  /** Answers in place of a handler, after all earlier answers, and ends the connection. */
  #refuse(refusal: Refusal): undefined {
    if (this.#server === undefined) return this.#part(refusalBytes(refusal));
    // Earlier answers may still be under way: the inner server puts this one behind them.
    this.#enter("parting", Infinity);
    this.#refusal = refusal;
    this.#pending++;
    const question = "GET / HTTP/1.1\r\nhost: guard\r\nconnection: close\r\n" +
      `${PEER_HEADER}: ${this.token}${REFUSED_MARK}\r\n\r\n`;
    writeAll(this.#server, new TextEncoder().encode(question))
      .catch((error) => this.#lost(error));
  }

  /** Ends the connection at once, with these words if they have a place in what went out. */
  #part(lastWords: Uint8Array): undefined {
    this.#enter("parting", this.#post.limits.closeMs);
    this.#lastWords = lastWords;
    this.#closeServer(); // which ends its answers, and they say the last words
    this.#answers ??= this.#leave();
  }

  /** Says the last words and closes our half; the client has `closeMs` to close its own. */
  async #leave(): Promise<void> {
    if (this.#isDropped) return;
    this.#enter("parting", this.#post.limits.closeMs);
    try {
      const fits = this.#isUpgraded ? this.#outbound?.isBetween : !this.#hasAnswered;
      if (this.#lastWords !== undefined && fits) await this.#relay(this.#lastWords);
      if (!this.#hasEnded) await this.#client.closeWrite();
    } catch (error) {
      this.#lost(error);
    }
  }

  /** Before anything is waited for: many may ask at once. */
  #takePlace(): void {
    this.#unprovenSince = performance.now();
    this.#origin.unauthenticated.add(this);
  }

  #authenticated(): void {
    this.#origin.unauthenticated.delete(this);
  }

  /**
   * Whether its address may have one more WebSocket that proves nothing yet. One that had its time
   * goes for it: whoever holds all places in silence must not keep the owner out.
   */
  #findsRoom(): boolean {
    const { preauthPerAddress, patienceMs } = this.#post.limits;
    const { unauthenticated } = this.#origin;
    if (unauthenticated.size < preauthPerAddress) return true;
    const [oldest] = unauthenticated;
    if (oldest === undefined || performance.now() - oldest.#unprovenSince < patienceMs) {
      return false;
    }
    oldest.drop();
    return true;
  }

  #enter(phase: Phase, ms: number): void {
    this.#phase = phase;
    this.#due = performance.now() + ms;
  }

  /** A method, as the phase changes behind an `await`. */
  #isParting(): boolean {
    return this.#phase === "parting";
  }

  #closeServer(): void {
    this.#server?.close();
    this.#server = undefined;
  }

  /** A side that is gone shows itself in many errors; only a mistake of ours is worth a line. */
  #lost(error: unknown): void {
    if (error instanceof TypeError || error instanceof RangeError) {
      this.#post.log(`Cannot relay a connection: ${Deno.inspect(error)}`);
    }
  }
}

const REFUSED_MARK = ";refused";
const NOTHING = new Uint8Array(0);

async function writeAll(to: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += await to.write(at === 0 ? bytes : bytes.subarray(at));
  }
}
