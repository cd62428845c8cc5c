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

  /**
   * Asks for a WebSocket, with `headers` in the place of those that it would send itself. Resolves
   * when the server has answered; rejects with its status line if it has not switched protocols.
   */
  static async open(
    url: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<RawClient> {
    const { hostname, port, host } = new URL(url);
    const connection = await Deno.connect({ hostname, port: Number(port) });
    const client = new RawClient(connection);
    const all = {
      Host: host,
      Upgrade: "websocket",
      Connection: "Upgrade",
      "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
      ...headers,
    };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`).join("");
    await client.write(encoder.encode(`GET / HTTP/1.1\r\n${lines}\r\n`));
    const head = await client.readUntil("\r\n\r\n");
    if (!head.startsWith("HTTP/1.1 101 ")) {
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
      const body = await client.readBytes(length);
      client[Symbol.dispose]();
      throw new Error(`${head.slice(0, head.indexOf("\r\n"))}: ${body}`);
    }
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

  /** The text of the next message, which must be one frame. */
  async message(): Promise<string> {
    const [, short = 0] = Buffer.from(await this.readBytes(2), "latin1");
    const extended = short === 126 ? 2 : short === 127 ? 8 : 0;
    const length = Buffer.from(await this.readBytes(extended), "latin1");
    const size = extended === 0
      ? short
      : length.readUIntBE(Math.max(0, extended - 6), Math.min(extended, 6));
    return Buffer.from(await this.readBytes(size), "latin1").toString();
  }

  /** Reads so many bytes, one character a byte. */
  async readBytes(count: number): Promise<string> {
    const buffer = new Uint8Array(65_536);
    while (this.#unread.length < count) {
      const read = await this.#connection.read(buffer);
      if (read === null) throw new Error(`closed before ${count} bytes came`);
      this.#unread += Buffer.from(buffer.subarray(0, read)).toString("latin1");
    }
    const bytes = this.#unread.slice(0, count);
    this.#unread = this.#unread.slice(count);
    return bytes;
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
