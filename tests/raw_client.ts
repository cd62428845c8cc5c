/** A WebSocket client down to the bytes, for what a well-behaved one never does. */
import { Buffer } from "node:buffer";

const encoder = new TextEncoder();

/** Speaks the handshake, sends what it is told, and reads only when asked. */
export class RawClient implements Disposable {
  readonly #connection: Deno.TcpConn;
  #unread = "";

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  /** Upgrades; resolves when the server has switched protocols. */
  static async open(url: string): Promise<RawClient> {
    const { hostname, port, host } = new URL(url);
    const connection = await Deno.connect({ hostname, port: Number(port) });
    const client = new RawClient(connection);
    await client.write(encoder.encode(
      `GET / HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    ));
    await client.readUntil("\r\n\r\n");
    return client;
  }

  /** One text message in one frame. */
  async text(message: string): Promise<void> {
    await this.frame(encoder.encode(message), { opcode: 1, fin: true });
  }

  /** One frame, masked with zeroes. */
  async frame(
    payload: Uint8Array,
    { opcode, fin }: { opcode: number; fin: boolean },
  ): Promise<void> {
    const first = (fin ? 0x80 : 0) | opcode;
    const { length } = payload;
    const head = length < 126
      ? [first, 0x80 | length]
      : length < 65_536
      ? [first, 0xfe, length >> 8, length & 255]
      : [
        first,
        0xff,
        0,
        0,
        0,
        0,
        length >>> 24,
        length >> 16 & 255,
        length >> 8 & 255,
        length & 255,
      ];
    await this.write(new Uint8Array([...head, 0, 0, 0, 0]));
    await this.write(payload);
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let sent = 0; sent < bytes.length;) {
      sent += await this.#connection.write(bytes.subarray(sent));
    }
  }

  /** Reads until the text came, one character a byte. Returns what came before and with it. */
  async readUntil(text: string): Promise<string> {
    const buffer = new Uint8Array(65_536);
    for (;;) {
      const at = this.#unread.indexOf(text);
      if (at >= 0) {
        const read = this.#unread.slice(0, at + text.length);
        this.#unread = this.#unread.slice(at + text.length);
        return read;
      }
      const count = await this.#connection.read(buffer);
      if (count === null) throw new Error(`closed before ${JSON.stringify(text)} came`);
      this.#unread += Buffer.from(buffer.subarray(0, count)).toString("latin1");
    }
  }

  /** Reads and drops all that comes, until the other side ends. Returns how many bytes that was. */
  async drain(): Promise<number> {
    const buffer = new Uint8Array(1 << 20);
    let total = 0;
    try {
      for (let count; (count = await this.#connection.read(buffer)) !== null;) total += count;
    } catch {
      // reset by the other side, which is an end too
    }
    return total;
  }

  [Symbol.dispose](): void {
    this.#connection.close();
  }
}
