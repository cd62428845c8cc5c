import {
  deepStrictEqual,
  fail,
  notStrictEqual,
  ok,
  rejects,
  strictEqual,
  throws,
} from "node:assert/strict";
import { Buffer } from "node:buffer";
import { generateKeyPairSync, sign } from "node:crypto";
import fc from "fast-check";
import { addressKey } from "./address.ts";
import {
  type Guard,
  type GuardLimits,
  type GuardOptions,
  type Handler,
  type Peer,
  serveGuarded,
} from "./guard.ts";
import { headLength, PEER_HEADER, readHead } from "./guard_head.ts";

const MiB = 1_048_576;
/** More is not written together. */
const BATCH = 65_536;

/** A guard whose limits never get in the way of a test that is about something else. */
function guarded(
  handler: Handler,
  { limits, ...options }: Partial<GuardOptions> & { limits?: Partial<GuardLimits> } = {},
): Guard {
  return serveGuarded(handler, { hostname: "127.0.0.1", port: 0, limits, ...options });
}

/** A TCP connection on which a test says byte by byte what it wants. */
class Wire implements Disposable {
  readonly #conn: Deno.TcpConn;
  #read = new Uint8Array();
  #ended = false;

  private constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
  }

  static async open({ addr }: Pick<Guard, "addr">, greeting?: string | Uint8Array): Promise<Wire> {
    const wire = new Wire(await Deno.connect({ hostname: addr.hostname, port: addr.port }));
    if (greeting !== undefined) await wire.say(greeting);
    return wire;
  }

  /** Opens a WebSocket and reads its 101. */
  static async upgraded(guard: Guard): Promise<Wire> {
    const wire = await Wire.open(guard, UPGRADE);
    ok((await wire.head()).startsWith("HTTP/1.1 101 "));
    return wire;
  }

  get port(): number {
    return this.#conn.localAddr.port;
  }

  async say(words: string | Uint8Array): Promise<void> {
    const bytes = typeof words === "string" ? bytesOf(words) : words;
    for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
  }

  /** Reads up to and with the empty line of a head. */
  async head(): Promise<string> {
    for (;;) {
      const end = textOf(this.#read).indexOf("\r\n\r\n");
      if (end >= 0) return textOf(this.#take(end + 4));
      if (!await this.#more()) {
        throw new Error(`The connection ended after '${textOf(this.#read)}'`);
      }
    }
  }

  /** Reads a response with its body, which must have a length. */
  async response(): Promise<{ status: number; body: string }> {
    const head = await this.head();
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1]);
    return { status: Number(head.split(" ")[1]), body: textOf(await this.bytes(length)) };
  }

  async bytes(count: number): Promise<Uint8Array> {
    while (this.#read.length < count) {
      if (!await this.#more()) {
        throw new Error(`The connection ended after '${textOf(this.#read)}'`);
      }
    }
    return this.#take(count);
  }

  /** Reads one frame of a server. */
  async frame(): Promise<{ opcode: number; payload: Uint8Array }> {
    const [first = 0, short = 0] = await this.bytes(2);
    const extended = await this.bytes(short === 127 ? 8 : short === 126 ? 2 : 0);
    const length = short < 126 ? short : extended.reduce((sum, byte) => sum * 256 + byte, 0);
    return { opcode: first & 15, payload: await this.bytes(length) };
  }

  /** Reads what is left until the other side ends, by a reset as well. */
  async rest(): Promise<string> {
    while (await this.#more());
    return textOf(this.#take(this.#read.length));
  }

  async half(): Promise<void> {
    await this.#conn.closeWrite();
  }

  [Symbol.dispose](): void {
    this.#conn.close();
  }

  async #more(): Promise<boolean> {
    if (this.#ended) return false;
    const buffer = new Uint8Array(65_536);
    const count = await this.#conn.read(buffer).catch(() => null);
    this.#ended = count === null;
    const read = new Uint8Array(this.#read.length + (count ?? 0));
    read.set(this.#read);
    read.set(buffer.subarray(0, count ?? 0), this.#read.length);
    this.#read = read;
    return !this.#ended;
  }

  #take(count: number): Uint8Array {
    const taken = this.#read.slice(0, count);
    this.#read = this.#read.slice(count);
    return taken;
  }
}

const bytesOf = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));
const textOf = (bytes: Uint8Array) => new TextDecoder("latin1").decode(bytes);

const UPGRADE = "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/** A masked frame; its mask is zeros, so its payload reads as it is. `declared` may be a lie. */
function frame(
  payload: string | Uint8Array,
  { opcode = 1, isFinal = true, declared = payload.length } = {},
): Uint8Array {
  const length = declared < 126
    ? [0x80 | declared]
    : [0xff, ...Array.from({ length: 8 }, (_, at) => Math.floor(declared / 256 ** (7 - at)) % 256)];
  const head = [(isFinal ? 0x80 : 0) | opcode, ...length, 0, 0, 0, 0];
  const bytes = new Uint8Array(head.length + payload.length);
  bytes.set(head);
  bytes.set(typeof payload === "string" ? bytesOf(payload) : payload, head.length);
  return bytes;
}

const closeCode = (
  { opcode, payload: [high = 0, low = 0] }: { opcode: number; payload: Uint8Array },
) => opcode === 8 ? high * 256 + low : undefined;

/** Accepts WebSockets and answers "ok" to all else. */
function upgrading(open: (socket: WebSocket, peer: Peer) => void): Handler {
  return (request, peer) => {
    if (!request.headers.has("upgrade")) return new Response("ok");
    const { socket, response } = Deno.upgradeWebSocket(request);
    open(socket, peer);
    return response;
  };
}

const echoing = upgrading((socket) => {
  socket.onmessage = ({ data }) => socket.send(data);
});

const eventOf = <Name extends keyof WebSocketEventMap>(socket: WebSocket, name: Name) =>
  new Promise<WebSocketEventMap[Name]>((resolve) =>
    socket.addEventListener(name, resolve, { once: true })
  );

// Plain HTTP.

Deno.test("Requests of one connection share a peer, whose address is the client's own", async () => {
  const peers: Peer[] = [];
  await using guard = guarded((request, peer) => {
    peers.push(peer);
    return new Response(request.url);
  });
  using wire = await Wire.open(guard);
  for (const path of ["/a?b=%20c", "//d/../e"]) {
    await wire.say(`GET ${path} HTTP/1.1\r\nHost: Example.org:81\r\n\r\n`);
    const { body } = await wire.response();
    strictEqual(new URL(body).href, new URL(`http://Example.org:81${path}`).href);
  }
  strictEqual(peers[0], peers[1]);
  strictEqual(peers[0]?.address.hostname, "127.0.0.1");
  strictEqual(peers[0]?.address.port, wire.port);
  strictEqual(peers[0]?.secure, false);
});

Deno.test("A request without a host gets the URL of the listener", async () => {
  await using guard = guarded((request) => new Response(request.url));
  using wire = await Wire.open(guard, "GET /x HTTP/1.0\r\n\r\n");
  ok((await wire.rest()).endsWith(`\r\n\r\nhttp://127.0.0.1:${guard.addr.port}/x`));
});

Deno.test("Bodies pass with a length, in chunks and after 100-continue, and HEAD has none", async () => {
  await using guard = guarded(async (request) => new Response(`<${await request.text()}>`));
  using wire = await Wire.open(guard);
  const start = "POST / HTTP/1.1\r\nHost: x\r\n";
  await wire.say(`${start}Content-Length: 5\r\n\r\nhe`);
  await wire.say("llo");
  deepStrictEqual(await wire.response(), { status: 200, body: "<hello>" });
  await wire.say(`${start}Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r`);
  await wire.say("\n2\r\nlo\r\n0\r\n\r\n");
  deepStrictEqual(await wire.response(), { status: 200, body: "<hello>" });
  await wire.say(`${start}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n`);
  ok((await wire.head()).startsWith("HTTP/1.1 100 "));
  await wire.say("ok");
  deepStrictEqual(await wire.response(), { status: 200, body: "<ok>" });
  await wire.say("HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  ok(/^HTTP\/1\.1 200 .*\r\n\r\n$/s.test(await wire.rest()));
});

Deno.test("Large bodies pass whole in both directions", async () => {
  await using guard = guarded(async (request) => new Response(await request.bytes()));
  const body = textOf(Uint8Array.from({ length: MiB }, (_, at) => at % 127));
  using wire = await Wire.open(guard);
  await wire.say(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  ok((await wire.response()).body === body);
});

Deno.test("Pipelined requests are answered in their order", async () => {
  await using guard = guarded((request) => new Response(new URL(request.url).pathname));
  const requests = Array.from(
    { length: 20 },
    (_, at) =>
      at % 2 === 0
        ? `GET /${at} HTTP/1.1\r\nHost: x\r\n\r\n`
        : `POST /${at} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc`,
  );
  using wire = await Wire.open(guard, requests.join(""));
  for (const at of requests.keys()) strictEqual((await wire.response()).body, `/${at}`);
});

Deno.test("A handler that throws is answered for with 500, and logged", async () => {
  const lines: string[] = [];
  await using guard = guarded(() => {
    throw new Error("oh no");
  }, { log: (line) => lines.push(line) });
  using wire = await Wire.open(guard, "GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
  deepStrictEqual(await wire.response(), { status: 500, body: "Internal Server Error" });
  ok(lines[0]?.includes("http://x/x") && lines[0].includes("oh no"));
});

Deno.test("No client can pass for another by the private header", async () => {
  const seen = new Map<number, string>();
  await using guard = guarded((request, peer) => {
    seen.set(peer.address.port, request.headers.get(PEER_HEADER) ?? "");
    return new Response("ok");
  });
  using first = await Wire.open(guard, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  await first.response();
  const stolen = seen.get(first.port);
  using second = await Wire.open(
    guard,
    `GET / HTTP/1.1\r\nX-OPENCLAW-guard-PEER: ${stolen}\r\nHost: x\r\n` +
      `${PEER_HEADER}:${stolen}\r\n${PEER_HEADER}: ${stolen};refused\r\n\r\n`,
  );
  deepStrictEqual(await second.response(), { status: 200, body: "ok" });
  notStrictEqual(seen.get(second.port), stolen);
  ok(!seen.get(second.port)?.includes(stolen ?? ""));
});

// What is refused.

Deno.test("A malformed head is refused at once and reaches no handler", async () => {
  let calls = 0;
  await using guard = guarded(() => {
    calls++;
    return new Response("ok");
  });
  const start = "POST / HTTP/1.1\r\nHost: x\r\n";
  for (
    const head of [
      `${start}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n`,
      `${start}Content-Length: 3\r\nContent-Length: 4\r\n\r\n`,
      `${start}X: a\r\n folded\r\n\r\n`,
      `${start}X : a\r\n\r\n`,
      `${start}X: \0\r\n\r\n`,
      "GET / HTTP/1.1\nHost: x\n\n",
      "\x16\x03\x01\x02\0\x01",
    ]
  ) {
    using wire = await Wire.open(guard, head);
    ok((await wire.rest()).startsWith("HTTP/1.1 400 Bad Request\r\n"), JSON.stringify(head));
  }
  strictEqual(calls, 0);
});

Deno.test("A malformed body ends the connection, with 400 if nothing was answered yet", async () => {
  const failed = Promise.withResolvers<unknown>();
  await using guard = guarded(async (request) => {
    await request.text().catch(failed.resolve);
    return new Response("never");
  });
  using wire = await Wire.open(
    guard,
    "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5;x\r\n",
  );
  ok((await wire.rest()).startsWith("HTTP/1.1 400 "));
  ok(await failed.promise instanceof Error);
});

Deno.test("A head above the limit is refused with 431, also before its end", async () => {
  await using guard = guarded(() => new Response("ok"), { limits: { headerBytes: 1_000 } });
  const start = "GET / HTTP/1.1\r\nHost: x\r\n";
  const headOf = (bytes: number) => `${start}X: ${"x".repeat(bytes - start.length - 7)}\r\n\r\n`;
  for (
    const [head, status] of [[headOf(1_000), 200], [headOf(1_001), 431], [
      headOf(9_999).slice(0, 1_000),
      431,
    ]]
  ) {
    using wire = await Wire.open(guard, String(head));
    strictEqual((await wire.response()).status, status);
  }
});

Deno.test("A head may be as large as the default limit", async () => {
  await using guard = guarded((request) => new Response(String(request.headers.get("x")?.length)));
  using wire = await Wire.open(guard);
  for (const size of [1_000, 10_000, 30_000, 5]) {
    await wire.say(`GET / HTTP/1.1\r\nHost: x\r\nX: ${"x".repeat(size)}\r\n\r\n`);
    deepStrictEqual(await wire.response(), { status: 200, body: `${size}` });
  }
});

Deno.test("A body above the limit is refused with 413, by its length or by its chunks", async () => {
  await using guard = guarded(async (request) => {
    await request.text().catch(() => {});
    return new Response("ok");
  }, { limits: { bodyBytes: 1_000 } });
  const start = "POST / HTTP/1.1\r\nHost: x\r\n";
  for (
    const request of [
      `${start}Content-Length: 1001\r\n\r\n`,
      `${start}Transfer-Encoding: chunked\r\n\r\n3e9\r\n`,
    ]
  ) {
    using wire = await Wire.open(guard, request);
    ok((await wire.rest()).startsWith("HTTP/1.1 413 "));
  }
  using wire = await Wire.open(guard, `${start}Content-Length: 1000\r\n\r\n${"x".repeat(1_000)}`);
  strictEqual((await wire.response()).status, 200);
});

Deno.test("A refusal waits for the answers that are under way", async () => {
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  await using guard = guarded(async () => {
    asked.resolve();
    await answer.promise;
    return new Response("first");
  });
  using wire = await Wire.open(
    guard,
    "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost : x\r\n\r\n",
  );
  await asked.promise;
  answer.resolve();
  deepStrictEqual(await wire.response(), { status: 200, body: "first" });
  deepStrictEqual(await wire.response(), { status: 400, body: "Bad Request" });
  strictEqual(await wire.rest(), "");
});

Deno.test("A client that says nothing, or half a head, is refused with 408", async () => {
  await using guard = guarded(() => new Response("ok"), { limits: { headerMs: 200 } });
  for (const greeting of ["", "GET / HTTP/1.1\r\nHos"]) {
    using wire = await Wire.open(guard, greeting);
    ok((await wire.rest()).startsWith("HTTP/1.1 408 "));
  }
  using wire = await Wire.open(guard, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  strictEqual((await wire.response()).status, 200);
  await wire.say("GET / HT");
  strictEqual((await wire.response()).status, 408);
  strictEqual(await wire.rest(), "");
});

Deno.test("A client that says nothing between two requests, or within a body, is dropped", async () => {
  await using guard = guarded(async (request) => {
    await request.text().catch(() => {});
    return new Response("ok");
  }, { limits: { idleHttpMs: 200 } });
  using between = await Wire.open(guard, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  strictEqual((await between.response()).status, 200);
  strictEqual(await between.rest(), "");
  using within = await Wire.open(
    guard,
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab",
  );
  strictEqual(await within.rest(), "");
});

Deno.test("A slow handler is waited for, however short the limits for the client", async () => {
  const swept = Promise.withResolvers<void>();
  await using guard = guarded(async () => {
    await swept.promise;
    return new Response("ok");
  }, { limits: { idleHttpMs: 200, headerMs: 200 } });
  using patient = await Wire.open(guard, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  using silent = await Wire.open(guard);
  ok((await silent.rest()).startsWith("HTTP/1.1 408 ")); // so the patient one's time would be up, too
  swept.resolve();
  strictEqual((await patient.response()).status, 200);
});

Deno.test("Connections above the limits are refused with 503, until others have gone", async () => {
  for (const limits of [{ connections: 2 }, { perAddress: 2 }]) {
    await using guard = guarded(() => new Response("ok"), { limits });
    const request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    const open: Wire[] = [];
    for (let at = 0; at < 2; at++) {
      const wire = await Wire.open(guard, request);
      strictEqual((await wire.response()).status, 200);
      open.push(wire);
    }
    strictEqual(guard.stats().connections, 2);
    using refused = await Wire.open(guard, request);
    deepStrictEqual(await refused.response(), { status: 503, body: "Too many connections" });
    strictEqual(await refused.rest(), "");
    for (const wire of open) {
      await wire.half();
      await wire.rest();
      wire[Symbol.dispose]();
    }
    using next = await Wire.open(guard, request);
    strictEqual((await next.response()).status, 200);
  }
});

// WebSockets.

Deno.test("Clients that have left before they were accepted keep nobody waiting", async () => {
  const lines: string[] = [];
  await using guard = guarded(() => new Response("ok"), { log: (line) => lines.push(line) });
  // while it runs, nothing is accepted here
  const { success } = new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      `import { connect } from "node:net";
      for (let n = 0; n < 10; n++) {
        await new Promise((left) => {
          const socket = connect(${guard.addr.port}, "127.0.0.1", () => socket.resetAndDestroy());
          socket.on("close", left);
        });
      }`,
    ],
  }).outputSync();
  ok(success);
  using wire = await Wire.open(guard, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  strictEqual((await wire.response()).body, "ok");
  deepStrictEqual(lines, []); // to accept had not to be tried again later
});

Deno.test("Sockets that are asked for at once are counted, too", async () => {
  await using guard = guarded(echoing, { limits: { preauthPerAddress: 4, patienceMs: 60_000 } });
  const wires = await Promise.all(Array.from({ length: 40 }, () => Wire.open(guard)));
  await Promise.all(wires.map((wire) => wire.say(UPGRADE)));
  const heads = await Promise.all(wires.map((wire) => wire.head()));
  strictEqual(heads.filter((head) => head.startsWith("HTTP/1.1 101 ")).length, 4);
  strictEqual(guard.stats().unauthenticated, 4);
  for (const wire of wires) wire[Symbol.dispose]();
});

Deno.test("A WebSocket echoes, and both sides' close codes arrive", async () => {
  const closed = Promise.withResolvers<CloseEvent>();
  await using guard = guarded(upgrading((socket) => {
    socket.onmessage = ({ data }) => data === "bye" ? socket.close(4001, "bye") : socket.send(data);
    socket.onclose = closed.resolve;
  }));
  const url = `ws://127.0.0.1:${guard.addr.port}/`;
  const first = new WebSocket(url);
  await eventOf(first, "open");
  for (const text of ["", "a", "ü".repeat(30_000)]) {
    const message = eventOf(first, "message");
    first.send(text);
    strictEqual((await message).data, text);
  }
  first.close(4002, "enough");
  strictEqual((await eventOf(first, "close")).code, 4002);
  const { code, reason } = await closed.promise;
  deepStrictEqual([code, reason], [4002, "enough"]);

  const second = new WebSocket(url);
  await eventOf(second, "open");
  second.send("bye");
  const event = await eventOf(second, "close");
  deepStrictEqual([event.code, event.reason], [4001, "bye"]);
});

Deno.test("send reaches the client in order, from the opening to the close frame", async () => {
  await using guard = guarded(upgrading((socket, peer) => {
    socket.onopen = () => strictEqual(peer.send("first"), true);
    socket.onmessage = ({ data }) => {
      for (let at = 0; at < 3; at++) strictEqual(peer.send(`${data}${at}`), true);
      socket.close(4001, "bye");
    };
  }));
  using wire = await Wire.upgraded(guard);
  strictEqual(textOf((await wire.frame()).payload), "first");
  await wire.say(frame("x".repeat(60_000)));
  for (let at = 0; at < 3; at++) {
    strictEqual(textOf((await wire.frame()).payload), `${"x".repeat(60_000)}${at}`);
  }
  strictEqual(closeCode(await wire.frame()), 4001);
});

Deno.test("send finds its place between the inner server's own frames", async () => {
  await using guard = guarded(upgrading((socket, peer) => {
    socket.onmessage = ({ data }) => void peer.send(data);
  }));
  using wire = await Wire.upgraded(guard);
  const seen: string[] = [];
  for (let at = 0; at < 200; at++) {
    await wire.say(frame(`ping ${at}`, { opcode: 9 })); // which the inner server answers itself
    await wire.say(frame(`text ${at}`));
  }
  while (seen.length < 400) {
    const { opcode, payload } = await wire.frame();
    seen.push(`${opcode} ${textOf(payload)}`);
  }
  const of = (opcode: number) => seen.filter((text) => text.startsWith(`${opcode} `));
  deepStrictEqual(of(10), Array.from({ length: 200 }, (_, at) => `10 ping ${at}`));
  deepStrictEqual(of(1), Array.from({ length: 200 }, (_, at) => `1 text ${at}`));
});

Deno.test("A client that is sent something all the time gets the inner server's frames, too", async () => {
  const peers: Peer[] = [];
  await using guard = guarded(upgrading((_, peer) => peers.push(peer)));
  using wire = await Wire.upgraded(guard);
  const [peer] = peers;
  const part = "x".repeat(BATCH);
  for (let at = 0; at < 200; at++) peer?.send(part); // more than the client's buffers take
  await wire.say(frame("ping", { opcode: 9 })); // which the inner server answers itself
  for (let at = 0; at < 600; at++) {
    if ((await wire.frame()).opcode === 10) return;
    peer?.send(part);
  }
  fail("The answer to the ping was overtaken by all that was said after it");
});

Deno.test("send leaves a socket that it can't serve to the server, and counts what is not taken", async () => {
  const opened: { socket: WebSocket; peer: Peer }[] = [];
  const stuck = Promise.withResolvers<Peer>();
  await using guard = guarded(upgrading((socket, peer) => opened.push({ socket, peer })), {
    limits: { stuckMs: 100 },
    onStuck: stuck.resolve,
  });
  using reused = await Wire.open(guard, "GET / HTTP/1.1\r\nHost: x\r\n\r\n" + UPGRADE);
  await reused.response();
  await reused.head();
  strictEqual(opened[0]?.peer.send("no"), false);

  using wire = await Wire.upgraded(guard);
  const { socket, peer } = opened[1] ?? fail("The socket was not opened");
  const closed = eventOf(socket, "close");
  const part = "x".repeat(MiB);
  for (let at = 0; at < 60; at++) peer.send(part);
  ok(peer.buffered > 40 * MiB);
  strictEqual(await stuck.promise, peer);
  await peer.closed;
  await closed;
  strictEqual(peer.buffered, 0);
  strictEqual(peer.send("too late"), true);
  ok((await wire.rest()).length < 60 * MiB);
});

Deno.test("Bytes right behind the upgrade's head are the WebSocket's first frames", async () => {
  await using guard = guarded(echoing);
  using wire = await Wire.open(guard, Uint8Array.from([...bytesOf(UPGRADE), ...frame("early")]));
  ok((await wire.head()).startsWith("HTTP/1.1 101 "));
  strictEqual(textOf((await wire.frame()).payload), "early");
});

Deno.test("A refused upgrade is an answer like any other", async () => {
  await using guard = guarded(() => new Response("no", { status: 403 }));
  using wire = await Wire.open(guard, UPGRADE + UPGRADE + "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  for (let at = 0; at < 3; at++) {
    deepStrictEqual(await wire.response(), { status: 403, body: "no" });
  }
  strictEqual(guard.stats().unauthenticated, 0);
});

Deno.test("A connection may become a WebSocket after other requests", async () => {
  await using guard = guarded(echoing);
  using wire = await Wire.open(guard, "GET / HTTP/1.1\r\nHost: x\r\n\r\n" + UPGRADE);
  strictEqual((await wire.response()).body, "ok");
  ok((await wire.head()).startsWith("HTTP/1.1 101 "));
  await wire.say(frame("x".repeat(65_536)));
  strictEqual((await wire.frame()).payload.length, 65_536);
  await wire.say(frame("x".repeat(65_537)));
  strictEqual(await wire.rest(), "");
});

Deno.test("A message above the limit ends its socket with 1009, and reaches no handler", async () => {
  const received: unknown[] = [];
  const closed = Promise.withResolvers<void>();
  await using guard = guarded(
    upgrading((socket) => {
      socket.onmessage = ({ data }) => received.push(data.length);
      socket.onclose = () => closed.resolve();
    }),
    { limits: { preauthMessageBytes: 1_000 } },
  );
  for (
    const frames of [
      [frame("x".repeat(1_001))],
      [frame("", { declared: 1_001 })],
      [frame("", { declared: 2 ** 62 })],
      [frame("x".repeat(600), { isFinal: false }), frame("x".repeat(401), { opcode: 0 })],
      [
        frame("x", { isFinal: false }),
        frame("!", { opcode: 9 }),
        frame("", { opcode: 0, declared: 1_000 }),
      ],
    ]
  ) {
    using wire = await Wire.upgraded(guard);
    for (const bytes of frames) await wire.say(bytes);
    let answer = await wire.frame();
    while (answer.opcode === 10) answer = await wire.frame();
    strictEqual(closeCode(answer), 1009);
    strictEqual(await wire.rest(), "");
    await closed.promise;
  }
  deepStrictEqual(received, []);
});

Deno.test("raise lets larger messages pass, up to its own limit", async () => {
  await using guard = guarded(
    upgrading((socket, peer) => {
      socket.onmessage = ({ data }) => {
        peer.raise(100_000);
        socket.send(`${data.length}`);
      };
    }),
    { limits: { preauthMessageBytes: 10 } },
  );
  using wire = await Wire.upgraded(guard);
  strictEqual(guard.stats().unauthenticated, 1);
  for (const size of [10, 11, 100_000]) {
    await wire.say(frame("x".repeat(size)));
    strictEqual(textOf((await wire.frame()).payload), `${size}`);
  }
  strictEqual(guard.stats().unauthenticated, 0);
  await wire.say(frame("", { declared: 100_001 }));
  strictEqual(closeCode(await wire.frame()), 1009);
});

Deno.test("A malformed frame ends its socket with 1002", async () => {
  await using guard = guarded(echoing);
  for (
    const bytes of [
      frame("x".repeat(126), { opcode: 9 }),
      frame("", { opcode: 9, isFinal: false }),
      frame("", { opcode: 0 }),
      frame("", { opcode: 3 }),
      frame("", { opcode: 11 }),
      Uint8Array.of(0xc1, 0x80, 0, 0, 0, 0),
    ]
  ) {
    using wire = await Wire.upgraded(guard);
    await wire.say(bytes);
    strictEqual(closeCode(await wire.frame()), 1002);
  }
});

Deno.test("An endless message is refused at the limit", async () => {
  const closed = Promise.withResolvers<void>();
  await using guard = guarded(upgrading((socket, peer) => {
    peer.raise(2 * MiB);
    socket.onclose = () => closed.resolve();
  }));
  using wire = await Wire.upgraded(guard);
  const [first, more] = [2, 0].map((opcode) =>
    frame(new Uint8Array(MiB), { opcode, isFinal: false })
  );
  const said = (async () => {
    await wire.say(first!);
    for (let at = 1; at < 200; at++) await wire.say(more!);
  })().catch(() => {}); // the guard may reset a client that does not stop
  strictEqual(closeCode(await wire.frame()), 1009);
  await closed.promise;
  await said;
});

Deno.test("An address has only so many sockets that are not raised", async () => {
  const peers: Peer[] = [];
  await using guard = guarded(upgrading((_, peer) => peers.push(peer)), {
    limits: { preauthPerAddress: 2 },
  });
  using first = await Wire.upgraded(guard);
  using _second = await Wire.upgraded(guard);
  const refused = { status: 503, body: "Too many unauthenticated sockets" };
  using third = await Wire.open(guard, UPGRADE);
  deepStrictEqual(await third.response(), refused);
  using plain = await Wire.open(guard, "GET / HTTP/1.1\r\nHost: x\r\n\r\n" + UPGRADE);
  deepStrictEqual(await plain.response(), { status: 200, body: "ok" });
  deepStrictEqual(await plain.response(), refused);

  peers[0]?.raise(100);
  using _fourth = await Wire.upgraded(guard);
  using fifth = await Wire.open(guard, UPGRADE);
  deepStrictEqual(await fifth.response(), refused);
  peers[1]?.cut();
  using _sixth = await Wire.upgraded(guard);
  await first.say(frame("", { opcode: 8 }));
  await first.rest();
  strictEqual(guard.stats().unauthenticated, 2);
});

Deno.test("A silent socket that had its time gives its place to a newcomer, and no other does", async () => {
  const peers: Peer[] = [];
  await using guard = guarded(upgrading((_, peer) => peers.push(peer)), {
    limits: { preauthPerAddress: 2, patienceMs: 0 },
  });
  using first = await Wire.upgraded(guard);
  using _second = await Wire.upgraded(guard);
  using _third = await Wire.upgraded(guard);
  await peers[0]?.closed;
  await first.rest();
  strictEqual(guard.stats().unauthenticated, 2);
  peers[1]?.raise(100);
  using _fourth = await Wire.upgraded(guard);
  strictEqual(guard.stats().connections, 3);
});

// The end.

Deno.test("A client that does not read is cut, and the server's end of its socket closes", async () => {
  const stuck = Promise.withResolvers<Peer>();
  const opened = Promise.withResolvers<{ socket: WebSocket; peer: Peer }>();
  await using guard = guarded(
    upgrading((socket, peer) => opened.resolve({ socket, peer })),
    { limits: { stuckMs: 100 }, onStuck: stuck.resolve },
  );
  using wire = await Wire.upgraded(guard);
  const { socket, peer } = await opened.promise;
  const closed = eventOf(socket, "close");
  const part = new Uint8Array(MiB);
  for (let at = 0; at < 60; at++) socket.send(part);
  ok(socket.bufferedAmount > 40 * MiB);
  strictEqual(await stuck.promise, peer);
  await peer.closed;
  await closed;
  ok((await wire.rest()).length < 60 * MiB);
});

Deno.test("A client that reads slowly but steadily is not cut", async () => {
  await using guard = guarded(
    upgrading((socket) => {
      socket.onopen = () => {
        for (let at = 0; at < 16; at++) socket.send(new Uint8Array(MiB));
      };
    }),
    { limits: { stuckMs: 2_000 } },
  );
  using wire = await Wire.upgraded(guard);
  for (let at = 0; at < 16; at++) strictEqual((await wire.frame()).payload.length, MiB);
});

Deno.test("cut drops a connection, and says why if the client can hear it", async () => {
  const peers: Peer[] = [];
  const closes: Promise<CloseEvent>[] = [];
  await using guard = guarded(upgrading((socket, peer) => {
    peers.push(peer);
    closes.push(eventOf(socket, "close"));
    socket.onopen = () => socket.send("hello");
  }));
  for (const [at, code] of [1008, undefined].entries()) {
    using wire = await Wire.upgraded(guard);
    strictEqual(textOf((await wire.frame()).payload), "hello");
    peers[at]?.cut(code, "slow consumer");
    if (code !== undefined) {
      const { opcode, payload } = await wire.frame();
      deepStrictEqual([opcode, textOf(payload.subarray(2))], [8, "slow consumer"]);
    }
    strictEqual(await wire.rest(), "");
    await wire.half().catch(() => {}); // it may have been reset
    await closes[at];
    await peers[at]?.closed;
    peers[at]?.cut(); // again, without effect
  }
});

Deno.test("A client that leaves closes the server's end of its socket, and ends its streams", async () => {
  const closed = Promise.withResolvers<void>();
  const cancelled = Promise.withResolvers<void>();
  await using guard = guarded((request, peer) => {
    if (request.headers.has("upgrade")) {
      return upgrading((socket) => socket.onclose = () => closed.resolve())(request, peer);
    }
    return new Response(
      new ReadableStream({
        start: (stream) => stream.enqueue(bytesOf("data: x\n\n")),
        cancel: () => cancelled.resolve(),
      }),
    );
  });
  const socket = await Wire.upgraded(guard);
  socket[Symbol.dispose]();
  await closed.promise;
  const stream = await Wire.open(guard, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  await stream.head();
  stream[Symbol.dispose]();
  await cancelled.promise;
});

for (const leaves of [true, false]) {
  const deed = leaves ? "leaves" : "reads nothing";
  Deno.test(`A client that says no more and ${deed} in the middle of its answer is forgotten`, async () => {
    const peer = Promise.withResolvers<Peer>();
    await using guard = guarded((_request, asking) => {
      peer.resolve(asking);
      return new Response(new Uint8Array(64 * MiB));
    }, { limits: { stuckMs: leaves ? 60_000 : 20 } });
    const wire = await Wire.open(guard, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await wire.half();
    const { closed } = await peer.promise;
    if (leaves) {
      await wire.head();
      wire[Symbol.dispose]();
    }
    await closed;
    await guard.shutdown(); // which waits for all that is under way
    strictEqual(guard.stats().connections, 0);
    if (!leaves) wire[Symbol.dispose]();
  });
}

Deno.test("shutdown lets closing sockets and answers under way finish", async () => {
  const sockets: WebSocket[] = [];
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  const guard = guarded(async (request, peer) => {
    if (request.headers.has("upgrade")) return upgrading((s) => sockets.push(s))(request, peer);
    asked.resolve();
    await answer.promise;
    return new Response("late");
  });
  using wire = await Wire.upgraded(guard);
  using late = await Wire.open(guard, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  using silent = await Wire.open(guard, "GET / HT");
  await asked.promise;
  for (const socket of sockets) socket.close(1012, "service restart");
  const done = guard.shutdown();
  strictEqual(closeCode(await wire.frame()), 1012);
  await wire.say(frame(Uint8Array.of(0x03, 0xf4), { opcode: 8 }));
  strictEqual(await wire.rest(), "");
  strictEqual(await silent.rest(), "");
  answer.resolve();
  deepStrictEqual(await late.response(), { status: 200, body: "late" });
  strictEqual(await late.rest(), "");
  await done;
  strictEqual(guard.stats().connections, 0);
  await guard.shutdown();
});

Deno.test("shutdown does not wait for those that never finish", async () => {
  const never = Promise.withResolvers<Response>();
  const asked = Promise.withResolvers<void>();
  const sockets: WebSocket[] = [];
  const guard = guarded((request, peer) => {
    if (request.headers.has("upgrade")) {
      return upgrading((socket) => {
        sockets.push(socket);
        socket.onopen = () => {
          for (let at = 0; at < 30; at++) socket.send(new Uint8Array(MiB));
        };
      })(request, peer);
    }
    asked.resolve();
    return never.promise;
  }, { limits: { closeMs: 50 } });
  using hung = await Wire.open(guard, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  using open = await Wire.upgraded(guard);
  await asked.promise;
  const closed = Promise.all(sockets.map((socket) => eventOf(socket, "close")));
  await guard.shutdown();
  await closed;
  strictEqual(await hung.rest(), "");
  await open.rest();
  never.resolve(new Response("too late"));
});

// The listener.

Deno.test("A port that is taken is refused at once", async () => {
  await using guard = guarded(() => new Response("ok"));
  throws(() => guarded(() => new Response("ok"), { port: guard.addr.port }), Deno.errors.AddrInUse);
});

Deno.test("Further addresses are listened on where they can be had", async () => {
  const lines: string[] = [];
  await using guard = guarded((_, { address }) => new Response(addressKey(address.hostname)), {
    also: ["203.0.113.1", "::1"],
    log: (line) => lines.push(line),
  });
  using wire = await Wire.open(guard, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  strictEqual((await wire.response()).body, "127.0.0.1");
  ok(lines[0]?.startsWith("Cannot listen on 203.0.113.1 as well: "));
  if (lines.length > 1) return; // a machine without IPv6
  using other = await Wire.open({ addr: { ...guard.addr, hostname: "::1" } });
  await other.say("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  strictEqual((await other.response()).body, "127.0.0.1");
});

Deno.test("With a certificate, the guard speaks TLS and nothing else", async () => {
  const tls = selfSigned();
  await using guard = guarded(
    (request, { secure }) => new Response(`${request.url} ${secure}`),
    { tls },
  );
  const { port } = guard.addr;
  using conn = await Deno.connectTls({ hostname: "localhost", port, caCerts: [tls.cert] });
  await conn.write(bytesOf("GET /x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
  const answer = await new Response(conn.readable).text();
  ok(answer.endsWith("\r\n\r\nhttps://localhost/x true"));
  using plain = await Wire.open(guard, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  ok(!(await plain.rest()).includes("HTTP/1.1"));
});

Deno.test("A renewed certificate is shown to who comes, and who is there stays", async () => {
  const [first, second] = [selfSigned(), selfSigned()];
  await using guard = guarded(() => new Response("hello"), { tls: first, also: ["::1"] });
  const { port } = guard.addr;
  const ask = async (connection: Deno.TlsConn) => {
    await connection.write(bytesOf("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    ok(await connection.read(new Uint8Array(1_024)));
  };
  const connect = async ({ cert }: { cert: string }) => {
    const connection = await Deno.connectTls({ hostname: "localhost", port, caCerts: [cert] });
    try {
      await connection.handshake();
      return connection;
    } catch (error) {
      connection.close();
      throw error;
    }
  };
  using old = await connect(first);
  await ask(old);

  await rejects(guard.renew({ ...second, key: first.key }), /KeyMismatch/);
  using still = await connect(first);
  await ask(still);

  await guard.renew(second);
  using renewed = await connect(second);
  for (const connection of [old, still, renewed]) await ask(connection);
  await rejects(connect(first), /certificate/);

  await using plain = guarded(() => new Response("hello"));
  await rejects(plain.renew(second), /TLS is not spoken here/);
});

Deno.test("Whatever comes, a handler sees only well-formed requests, and the guard serves on", async () => {
  let calls = 0;
  const lines: string[] = [];
  await using guard = guarded((request) => {
    calls++;
    return new Response(request.body);
  }, { limits: { closeMs: 200 }, log: (line) => lines.push(line) });
  const word = fc.constantFrom(
    "GET / HTTP/1.1\r\n",
    "POST /x HTTP/1.1\r\n",
    "Host: x\r\n",
    "Content-Length: 3\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Upgrade: websocket\r\nConnection: upgrade\r\n",
    "\r\n",
    "3\r\nabc\r\n",
    "0\r\n\r\n",
    "abc",
    "\0",
    "\n",
  );
  const garbage = fc.oneof(
    fc.array(word, { maxLength: 12 }).map((words) => bytesOf(words.join(""))),
    fc.uint8Array({ maxLength: 200 }),
  );
  await fc.assert(
    fc.asyncProperty(garbage, fc.nat(100), async (bytes, cut) => {
      calls = 0;
      using wire = await Wire.open(guard, bytes.slice(0, cut));
      await wire.say(bytes.slice(cut)).catch(() => {}); // it may have been refused by now
      await wire.half().catch(() => {});
      await wire.rest();
      const length = headLength(bytes, 0);
      const isSound = length > 0 && "bytes" in readHead(bytes.subarray(0, length), "");
      if (!isSound) strictEqual(calls, 0);
    }),
    { numRuns: 150 },
  );
  using wire = await Wire.open(guard, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  strictEqual((await wire.response()).status, 200);
  deepStrictEqual(lines, []);
});

Deno.test({
  name: "A lack of file descriptors passes, and then the guard serves as before",
  ignore: Deno.build.os === "windows",
  async fn() {
    const script = `
      import { serveGuarded } from "${import.meta.resolve("./guard.ts")}";
      const options = { hostname: "127.0.0.1", port: 0, limits: { closeMs: 100 }, log: console.log };
      console.log(serveGuarded(() => new Response("ok"), options).addr.port);
    `;
    const child = new Deno.Command("sh", {
      args: ["-c", `ulimit -n 90; exec "$0" run -A --no-check -`, Deno.execPath()],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const stdin = child.stdin.getWriter();
    await stdin.write(bytesOf(script));
    await stdin.close();
    const stdout = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    const port = Number((await stdout.read()).value);
    const guard = { addr: { transport: "tcp", hostname: "127.0.0.1", port } } as const;

    const request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    const crowd = await Promise.all(Array.from({ length: 60 }, () => Wire.open(guard, request)));
    for (let log = ""; !log.includes("Too many open files");) {
      const { value, done } = await stdout.read();
      ok(!done, "the guard has ended");
      log += value;
    }
    for (const wire of crowd) wire[Symbol.dispose]();
    let status = 0;
    for (let attempt = 0; attempt < 1_000 && status !== 200; attempt++) {
      using wire = await Wire.open(guard, request);
      status = await wire.response().then(({ status }) => status, () => 0);
    }
    strictEqual(status, 200);
    child.kill();
    await child.status;
    await stdout.cancel();
  },
});

/** A certificate for "localhost" that signs itself. */
function selfSigned(): { cert: string; key: string } {
  const der = (tag: number, ...parts: readonly (Uint8Array | readonly number[])[]) => {
    const content = parts.flatMap((part) => [...part]);
    const { length } = content;
    const size = length < 128
      ? [length]
      : length < 256
      ? [0x81, length]
      : [0x82, length >> 8, length & 255];
    return Uint8Array.from([tag, ...size, ...content]);
  };
  const sequence = (...parts: Uint8Array[]) => der(0x30, ...parts);
  const ecdsaSha256 = sequence(der(6, [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2]));
  const name = sequence(der(0x31, sequence(der(6, [0x55, 4, 3]), der(12, bytesOf("localhost")))));
  const validity = sequence(der(23, bytesOf("200101000000Z")), der(23, bytesOf("491231235959Z")));
  const altName = sequence(
    der(6, [0x55, 0x1d, 0x11]),
    der(4, sequence(der(0x82, bytesOf("localhost")))),
  );
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const body = sequence(
    der(0xa0, der(2, [2])), // version 3
    der(2, [1]), // serial number
    ecdsaSha256,
    name,
    validity,
    name,
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(altName)),
  );
  const signature = der(3, [0], sign("sha256", body, privateKey));
  const base64 = Buffer.from(sequence(body, ecdsaSha256, signature)).toString("base64");
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}
