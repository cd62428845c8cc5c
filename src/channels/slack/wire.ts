/**
 * A WebSocket as its client, frame by frame. The platform's own shows neither pings nor their
 * answers, and without them nobody can tell a quiet connection from a dead one.
 */
import { Buffer } from "node:buffer";
import { createHash, randomBytes } from "node:crypto";

/** What came in. */
export type Frame =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "ping" | "pong" };

const Op = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
const MAX_HEAD_BYTES = 16 * 1024;
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
const ACCEPT_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** One connection. Disposing of it breaks it off, and whoever reads hears that it ended. */
export class Wire implements Disposable {
  readonly #connection: Deno.Conn;
  #received: Buffer;
  #sending: Promise<void> = Promise.resolve();
  #isOpen = true;

  private constructor(connection: Deno.Conn, received: Buffer) {
    this.#connection = connection;
    this.#received = received;
  }

  /** Rejects where nobody answers as a WebSocket, or the signal aborts first. */
  static async open(url: string, signal: AbortSignal): Promise<Wire> {
    const { protocol, hostname, port, host, pathname, search } = new URL(url);
    const isSecure = protocol === "wss:";
    const address = {
      hostname: hostname.replace(/^\[|\]$/g, ""),
      port: Number(port || (isSecure ? 443 : 80)),
    };
    const connection = await connect(address, isSecure, signal);
    const breakOff = () => close(connection);
    signal.addEventListener("abort", breakOff);
    try {
      const key = randomBytes(16).toString("base64");
      await writeAll(
        connection,
        Buffer.from(
          `GET ${pathname}${search} HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\n` +
            `Connection: Upgrade\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
        ),
      );
      const { head, rest } = await readHead(connection);
      const accept = createHash("sha1").update(key + ACCEPT_SUFFIX).digest("base64");
      const [status = "", ...fields] = head.split("\r\n");
      const isAccepted = fields.some((field) =>
        /^sec-websocket-accept:/i.test(field) && field.split(":")[1]?.trim() === accept
      );
      if (!/^HTTP\/1\.1 101\b/.test(status) || !isAccepted) {
        throw new Error(`it is no WebSocket: ${status.slice(0, 40)}`);
      }
      return new Wire(connection, rest);
    } catch (error) {
      close(connection);
      throw error;
    } finally {
      signal.removeEventListener("abort", breakOff);
    }
  }

  /**
   * What comes in, until the other side closes; pings are answered. Throws where the connection
   * breaks, or speaks no WebSocket. To be read by one reader.
   */
  async *frames(): AsyncGenerator<Frame, void> {
    let parts: Buffer[] = [];
    let size = 0;
    for (;;) {
      const frame = await this.#next();
      if (frame === undefined) return;
      const { op, isLast, payload } = frame;
      if (op === Op.close) {
        void this.#write(Op.close, payload.subarray(0, 2));
        return;
      }
      if (op === Op.ping) void this.#write(Op.pong, payload);
      if (op === Op.ping || op === Op.pong) {
        yield { kind: op === Op.ping ? "ping" : "pong" };
        continue;
      }
      if (op !== Op.text && op !== Op.binary && op !== Op.continuation) {
        throw new Error(`the frame has an unknown kind: ${op}`);
      }
      size += payload.length;
      if (size > MAX_MESSAGE_BYTES) throw new Error("the message is too large");
      parts.push(payload);
      if (!isLast) continue;
      yield { kind: "text", text: Buffer.concat(parts).toString() };
      parts = [];
      size = 0;
    }
  }

  /** Resolves when it is on its way; what can't be sent any more is dropped. */
  send(text: string): Promise<void> {
    return this.#write(Op.text, Buffer.from(text));
  }

  ping(): Promise<void> {
    return this.#write(Op.ping, Buffer.alloc(0));
  }

  /** Says goodbye; the other side closes then. */
  close(): Promise<void> {
    return this.#write(Op.close, Buffer.from([0x03, 0xe8]));
  }

  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    close(this.#connection);
  }

  /** `undefined` where nothing more comes. */
  async #next(): Promise<{ op: number; isLast: boolean; payload: Buffer } | undefined> {
    if (!await this.#fill(2)) return undefined;
    const [first = 0, second = 0] = this.#received;
    if ((first & 0x70) !== 0 || (second & 0x80) !== 0) throw new Error("the frame makes no sense");
    const short = second & 0x7f;
    const head = short === 127 ? 10 : short === 126 ? 4 : 2;
    if (!await this.#fill(head)) return undefined;
    const length = short === 127
      ? Number(this.#received.readBigUInt64BE(2))
      : short === 126
      ? this.#received.readUInt16BE(2)
      : short;
    if (length > MAX_MESSAGE_BYTES) throw new Error("the frame is too large");
    if (!await this.#fill(head + length)) return undefined;
    const payload = this.#received.subarray(head, head + length);
    this.#received = this.#received.subarray(head + length);
    return { op: first & 0x0f, isLast: (first & 0x80) !== 0, payload };
  }

  /** Whether so many bytes are there. */
  async #fill(size: number): Promise<boolean> {
    if (this.#received.length >= size) return true;
    const parts = [this.#received];
    let length = this.#received.length;
    while (length < size) {
      const chunk = Buffer.alloc(Math.max(4096, Math.min(size - length, 64 * 1024)));
      const read = this.#isOpen ? await this.#connection.read(chunk) : null;
      if (read === null) return false;
      parts.push(chunk.subarray(0, read));
      length += read;
    }
    this.#received = Buffer.concat(parts);
    return true;
  }

  #write(op: number, payload: Buffer): Promise<void> {
    const frame = masked(op, payload);
    this.#sending = this.#sending.then(async () => {
      if (this.#isOpen) await writeAll(this.#connection, frame);
    }).catch(() => {}); // whoever reads hears that it is broken
    return this.#sending;
  }
}

async function connect(
  address: { hostname: string; port: number },
  isSecure: boolean,
  signal: AbortSignal,
): Promise<Deno.Conn> {
  signal.throwIfAborted();
  const given = Promise.withResolvers<never>();
  const giveUp = () => given.reject(signal.reason);
  signal.addEventListener("abort", giveUp);
  const connecting: Promise<Deno.Conn> = isSecure
    ? Deno.connectTls({ ...address, alpnProtocols: ["http/1.1"] })
    : Deno.connect(address);
  try {
    return await Promise.race([connecting, given.promise]);
  } catch (error) {
    // it may come about after all, when nobody wants it any more
    connecting.then(close, () => {});
    throw error;
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
}

async function readHead(connection: Deno.Conn): Promise<{ head: string; rest: Buffer }> {
  let bytes = Buffer.alloc(0);
  const chunk = new Uint8Array(4096);
  while (bytes.length < MAX_HEAD_BYTES) {
    const read = await connection.read(chunk);
    if (read === null) break;
    bytes = Buffer.concat([bytes, chunk.subarray(0, read)]);
    const end = bytes.indexOf("\r\n\r\n");
    if (end >= 0) return { head: bytes.subarray(0, end).toString(), rest: bytes.subarray(end + 4) };
  }
  throw new Error("it does not answer as a WebSocket does");
}

/** A client's frames are masked, as the protocol wants it. */
function masked(op: number, payload: Buffer): Buffer {
  const mask = randomBytes(4);
  const { length } = payload;
  const head = length < 126
    ? Buffer.from([0x80 | op, 0x80 | length])
    : length < 65536
    ? Buffer.from([0x80 | op, 0x80 | 126, length >> 8, length & 0xff])
    : Buffer.alloc(10);
  if (length >= 65536) {
    head[0] = 0x80 | op;
    head[1] = 0x80 | 127;
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  const body = Buffer.from(payload);
  for (let i = 0; i < length; i++) body[i]! ^= mask[i % 4]!;
  return Buffer.concat([head, mask, body]);
}

async function writeAll(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  let rest = bytes;
  while (rest.length > 0) rest = rest.subarray(await connection.write(rest));
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // it is closed already
  }
}
