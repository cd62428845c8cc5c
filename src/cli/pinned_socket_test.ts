import { deepStrictEqual, match, ok, rejects, strictEqual, throws } from "node:assert/strict";
import { certificateFingerprint } from "../certificate.ts";
import { type Pin, PinError, PinnedSocket, shownCertificates } from "./pinned_socket.ts";
import { selfSigned } from "./self_signed.ts";

const ours = await selfSigned(["localhost"], { from: Date.now(), days: 1 });
const theirs = await selfSigned(["localhost"], { from: Date.now(), days: 1 });
const fingerprint = certificateFingerprint(ours.cert);

interface Opened {
  readonly socket: PinnedSocket;
  /** Resolves when it may send. */
  readonly opened: Promise<void>;
  /** Resolves to the next message. */
  message(): Promise<unknown>;
  /** Resolves at the end, to what was said of it. */
  readonly closed: Promise<{ code: number; reason: string; error?: unknown }>;
}

function open(url: string, pin: Pin): Opened {
  const socket = new PinnedSocket(url, pin);
  const messages: unknown[] = [];
  const closed = Promise.withResolvers<{ code: number; reason: string; error?: unknown }>();
  const opened = Promise.withResolvers<void>();
  let wake = () => {};
  let failure: { error?: unknown } = {};
  socket.addEventListener("open", () => opened.resolve());
  socket.addEventListener("message", (event) => {
    if (event instanceof MessageEvent) messages.push(event.data);
    wake();
  });
  socket.addEventListener("error", (event) => {
    if (event instanceof ErrorEvent) failure = { error: event.error };
  });
  socket.addEventListener("close", (event) => {
    if (!(event instanceof CloseEvent)) return;
    closed.resolve({ code: event.code, reason: event.reason, ...failure });
  });
  return {
    socket,
    opened: opened.promise,
    closed: closed.promise,
    async message() {
      while (messages.length === 0) await new Promise<void>((resolve) => wake = resolve);
      return messages.shift();
    },
  };
}

/** Echoes what it is told; `bye` makes it close. */
function echo({ cert, key } = ours) {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, cert, key, onListen() {} }, (request) => {
    if (request.headers.get("upgrade") === null) return new Response("nothing here");
    if (request.url.endsWith("/no")) return new Response("no", { status: 403 });
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onmessage = ({ data }) =>
      data === "bye" ? socket.close(1012, "restart") : socket.send(`${request.url}: ${data}`);
    return response;
  });
}

/** Speaks TLS with a certificate, and remembers what it is told over each connection. */
class Listener implements AsyncDisposable {
  readonly heard: string[] = [];
  readonly #listener: Deno.TlsListener;
  readonly #ended: Promise<void>;

  constructor({ cert, key } = ours) {
    this.#listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key });
    this.#ended = this.#listen();
  }

  get url(): string {
    return `wss://127.0.0.1:${this.#listener.addr.port}`;
  }

  async #listen(): Promise<void> {
    for await (const connection of this.#listener) {
      this.heard.push(await new Response(connection.readable).text().catch(() => ""));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#ended;
  }
}

Deno.test("a socket to the pinned certificate carries messages, under any name", async () => {
  await using server = echo();
  const { port } = server.addr;
  for (const host of ["localhost", "127.0.0.1"]) { // the second is none of the certificate's names
    for (const pin of [{ fingerprint }, { fingerprint, certificates: ours.cert }]) {
      const { socket, opened, message, closed } = open(`wss://${host}:${port}/path?query`, pin);
      await opened;
      for (const text of ["hello", "é".repeat(50_000)]) {
        socket.send(text);
        strictEqual(await message(), `https://${host}:${port}/path?query: ${text}`);
      }
      socket.send("bye");
      deepStrictEqual(await closed, { code: 1012, reason: "restart" });
    }
  }
});

Deno.test("whoever closes, the socket ends with what was said", async () => {
  await using server = echo();
  const { socket, opened, closed } = open(`wss://localhost:${server.addr.port}`, { fingerprint });
  await opened;
  socket.close(1000, "done");
  deepStrictEqual(await closed, { code: 1000, reason: "done" });
});

Deno.test({
  name: "a socket that is closed before it is open ends at once, without an error",
  // a connection that is being made can't be taken back: the runtime is done with it a little later
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    await using server = echo();
    const { socket, closed } = open(`wss://localhost:${server.addr.port}`, { fingerprint });
    throws(() => socket.send("too early"), /not open yet/);
    socket.close(1000, "changed my mind");
    deepStrictEqual(await closed, { code: 1000, reason: "changed my mind" });
  },
});

Deno.test("a server with another certificate is told nothing", async () => {
  await using server = new Listener(theirs);
  for (const pin of [{ fingerprint }, { fingerprint, certificates: ours.cert }]) {
    const { code, error } = await open(server.url, pin).closed;
    strictEqual(code, 1006);
    ok(error instanceof PinError);
  }
  deepStrictEqual(server.heard.join(""), "");
});

Deno.test("the message names both certificates", async () => {
  await using server = new Listener(theirs);
  const { error } = await open(server.url, { fingerprint }).closed;
  const seen = certificateFingerprint(theirs.cert);
  strictEqual(String(error), `PinError: its certificate is ${seen}, and ${fingerprint} is pinned`);
});

Deno.test("a server that changes its certificate between two looks is told nothing", async () => {
  await using first = new Listener(ours);
  await using second = new Listener(theirs);
  let connections = 0;
  await using relay = new Relay(() => connections++ === 0 ? first.url : second.url);
  const { error } = await open(relay.url, { fingerprint }).closed;
  ok(error instanceof PinError);
  strictEqual(connections, 2);
  deepStrictEqual([...first.heard, ...second.heard].join(""), "");
});

Deno.test("what is no WebSocket, no TLS or no server is said", async () => {
  await using server = echo();
  const { port } = server.addr;
  const no = await open(`wss://localhost:${port}/no`, { fingerprint }).closed;
  match(String(no.error), /no WebSocket there: HTTP\/1.1 403/);

  await using plain = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => new Response(),
  );
  const insecure = await open(`wss://127.0.0.1:${plain.addr.port}`, { fingerprint }).closed;
  match(String(insecure.error), /InvalidContentType|wrong version/);

  const nobody = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  nobody.close();
  const refused = await open(`wss://127.0.0.1:${nobody.addr.port}`, { fingerprint }).closed;
  match(String(refused.error), /REFUSED/);
});

Deno.test("certificates are shown by who speaks TLS, and by nobody else", async () => {
  const { signal } = new AbortController();
  await using server = echo();
  const shown = await shownCertificates(new URL(`wss://localhost:${server.addr.port}`), signal);
  strictEqual(certificateFingerprint(shown), fingerprint);
  strictEqual(shown.match(/BEGIN CERTIFICATE/g)?.length, 1);

  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const stop = new AbortController();
  const url = new URL(`wss://127.0.0.1:${silent.addr.port}`);
  const asked = rejects(shownCertificates(url, stop.signal), /enough/);
  using _connection = await silent.accept();
  stop.abort(new Error("enough"));
  await asked;
});

/** Passes bytes on, over each connection to the place that it is told. */
class Relay implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #pipes: Promise<void>[] = [];
  readonly #ended: Promise<void>;

  constructor(next: () => string) {
    this.#ended = this.#listen(next);
  }

  get url(): string {
    return `wss://127.0.0.1:${this.#listener.addr.port}`;
  }

  async #listen(next: () => string): Promise<void> {
    for await (const client of this.#listener) {
      const server = await Deno.connect({ port: Number(new URL(next()).port) });
      for (const [from, to] of [[client, server], [server, client]] as const) {
        this.#pipes.push(from.readable.pipeTo(to.writable).catch(() => {}));
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#ended;
    await Promise.all(this.#pipes);
  }
}
