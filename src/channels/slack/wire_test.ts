import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { type Frame, Wire } from "./wire.ts";

Deno.test("a wire carries texts of all sizes both ways", async () => {
  await using server = echo();
  using wire = await Wire.open(server.url, new AbortController().signal);
  const frames = wire.frames();
  for (const size of [0, 1, 125, 126, 127, 65_535, 65_536, 300_000]) {
    const text = "ü".repeat(size / 2) + "x".repeat(size % 2);
    await wire.send(text);
    deepStrictEqual((await frames.next()).value, { kind: "text", text });
  }
});

Deno.test("a wire hears that its ping was answered", async () => {
  await using server = echo();
  using wire = await Wire.open(server.url, new AbortController().signal);
  await wire.ping();
  deepStrictEqual((await wire.frames().next()).value, { kind: "pong" });
});

Deno.test("a wire answers pings and joins what comes in parts", async () => {
  const heard = Promise.withResolvers<Uint8Array>();
  await using server = raw(async (connection) => {
    await connection.write(Uint8Array.of(0x89, 0x02, 0x68, 0x69)); // ping "hi"
    await connection.write(Uint8Array.of(0x01, 0x02, 0x68, 0x65)); // "he", and more to come
    await connection.write(Uint8Array.of(0x8a, 0x00)); // pong in between
    await connection.write(Uint8Array.of(0x80, 0x01, 0x79)); // "y"
    const pong = new Uint8Array(8);
    await connection.read(pong);
    heard.resolve(pong);
    await connection.write(Uint8Array.of(0x88, 0x00)); // goodbye
  });
  using wire = await Wire.open(server.url, new AbortController().signal);
  const frames: Frame[] = [];
  for await (const frame of wire.frames()) frames.push(frame);
  deepStrictEqual(frames, [{ kind: "ping" }, { kind: "pong" }, { kind: "text", text: "hey" }]);
  const pong = await heard.promise;
  strictEqual(pong[0], 0x8a);
  const mask = pong.subarray(2, 6);
  deepStrictEqual([pong[6]! ^ mask[0]!, pong[7]! ^ mask[1]!], [0x68, 0x69]);
});

for (
  const [what, bytes] of [
    ["a frame that is masked", [0x81, 0x81, 0, 0, 0, 0, 0]],
    ["a frame with reserved bits", [0xc1, 0x01, 0x78]],
    ["a frame of an unknown kind", [0x83, 0x00]],
    ["a frame of absurd length", [0x81, 0x7f, 0, 0, 0xff, 0xff, 0, 0, 0, 0]],
  ] as const
) {
  Deno.test(`a wire breaks at ${what}`, async () => {
    await using server = raw(async (connection) => {
      await connection.write(Uint8Array.from(bytes));
    });
    using wire = await Wire.open(server.url, new AbortController().signal);
    await rejects(wire.frames().next());
  });
}

Deno.test("a wire opens only to a WebSocket, and only to one that knows our key", async () => {
  for (
    const answer of [
      "HTTP/1.1 200 OK\r\n\r\n",
      "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: AAAA\r\n\r\n",
      "nonsense",
      "x".repeat(20_000),
    ]
  ) {
    await using server = raw(() => Promise.resolve(), answer);
    await rejects(Wire.open(server.url, new AbortController().signal));
  }
});

Deno.test("a wire is given up when its signal aborts", async () => {
  const abort = new AbortController();
  await using server = raw(() => Promise.resolve(abort.abort()), "");
  await rejects(Wire.open(server.url, abort.signal));
  await rejects(Wire.open(server.url, AbortSignal.abort()));
});

Deno.test("who disposes of a wire ends whoever reads it", async () => {
  await using server = echo();
  const wire = await Wire.open(server.url, new AbortController().signal);
  const read = wire.frames().next().then(({ done }) => done, () => true);
  wire[Symbol.dispose]();
  ok(await read);
  await wire.send("nobody hears it"); // and nobody is told off
});

function echo(): AsyncDisposable & { readonly url: string } {
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: 0 });
    socket.onmessage = ({ data }) => socket.send(data);
    return response;
  });
  return {
    url: `ws://127.0.0.1:${server.addr.port}/`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** Answers the handshake by itself, unless told what to say, and then does as it is told. */
function raw(
  behave: (connection: Deno.TcpConn) => Promise<void>,
  answer?: string,
): AsyncDisposable & { readonly url: string } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const work = (async () => {
    for await (const connection of listener) {
      try {
        const request = new Uint8Array(4096);
        const size = await connection.read(request) ?? 0;
        const text = new TextDecoder().decode(request.subarray(0, size));
        const key = /Sec-WebSocket-Key: (\S+)/.exec(text)?.[1] ?? "";
        await connection.write(new TextEncoder().encode(answer ?? await accepted(key)));
        await behave(connection);
        while (answer === undefined && await connection.read(request) !== null);
      } catch {
        // the client has gone
      } finally {
        connection.close();
      }
    }
  })();
  return {
    url: `ws://127.0.0.1:${listener.addr.port}/`,
    async [Symbol.asyncDispose]() {
      listener.close();
      await work;
    },
  };
}

async function accepted(key: string): Promise<string> {
  const text = new TextEncoder().encode(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-1", text));
  return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
    `Sec-WebSocket-Accept: ${btoa(String.fromCharCode(...hash))}\r\n\r\n`;
}
