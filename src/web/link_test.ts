import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { stopClock } from "../../tests/clock.ts";
import { FakeGateway } from "../client/fake_gateway.ts";
import { Credentials } from "./credentials.ts";
import { loadIdentity } from "./identity.ts";
import { MemoryKeep } from "./keep.ts";
import { Link, type LinkState } from "./link.ts";

Deno.test("a link connects, says hello and hears events", async () => {
  const events = Promise.withResolvers<string>();
  await using gateway = serve((connect) => {
    strictEqual(connect.auth?.token, "t");
    return { hello: { event: "tick" } };
  });
  await using link = open(gateway.url, { token: "t", onEvent: events.resolve });
  await link.reaches("connected");
  strictEqual(await events.promise, "tick");
});

Deno.test("without a secret it asks for one, and goes on with it", async () => {
  await using gateway = serve(({ auth }) =>
    auth?.token === "right" ? { hello: {} } : {
      refused: { code: auth?.token ? "AUTH_TOKEN_MISMATCH" : "AUTH_TOKEN_MISSING" },
    }
  );
  await using link = open(gateway.url);
  deepStrictEqual(await link.reaches("asking"), {
    is: "asking",
    secret: "token",
    problem: undefined,
  });
  link.signIn({ kind: "token", secret: "wrong" });
  const asking = await link.reaches("asking");
  ok(asking.problem?.includes("doesn't know this token"));
  link.signIn({ kind: "token", secret: "right" });
  await link.reaches("connected");
});

Deno.test("a password is exchanged for a device token", async () => {
  await using gateway = serve(() => ({ hello: {}, deviceToken: "dt" }));
  const keep = new MemoryKeep();
  const credentials = new Credentials(keep);
  credentials.use({ kind: "password", secret: "p" });
  await using link = open(gateway.url, { credentials });
  await link.reaches("connected");
  deepStrictEqual(credentials.current, { kind: "deviceToken", secret: "dt" });
  ok(![...keep.values.values()].join().includes('"p"'));
});

Deno.test("an unknown browser waits for approval, and is let in without anybody's hand", async () => {
  let isApproved = false;
  await using gateway = serve(() =>
    isApproved ? { hello: {} } : {
      refused: { code: "PAIRING_REQUIRED", requestId: "r-1", reason: "not-paired" },
    }
  );
  await using link = open(gateway.url, { token: "t" });
  const pairing = await link.reaches("pairing");
  strictEqual(pairing.requestId, "r-1");
  isApproved = true;
  link.retry(); // or it does so by itself after a while
  await link.reaches("connected");
});

Deno.test("a lost connection comes back", async () => {
  await using gateway = serve(() => ({ hello: {} }));
  await using link = open(gateway.url, { token: "t" });
  await link.reaches("connected");
  gateway.drop();
  await link.reaches("waiting");
  link.retry();
  await link.reaches("connected");
});

Deno.test("what no repetition helps against is not repeated", async () => {
  let attempts = 0;
  await using gateway = serve(() => {
    attempts++;
    return { refused: { code: "CONTROL_UI_ORIGIN_NOT_ALLOWED" } };
  });
  await using link = open(gateway.url, { token: "t" });
  await link.reaches("refused");
  strictEqual(attempts, 1);
});

Deno.test("signing out forgets the secret and asks for it", async () => {
  await using gateway = serve(({ auth }) =>
    auth?.token ? { hello: {} } : { refused: { code: "AUTH_TOKEN_MISSING" } }
  );
  const credentials = new Credentials(new MemoryKeep());
  credentials.use({ kind: "token", secret: "t" });
  await using link = open(gateway.url, { credentials });
  await link.reaches("connected");
  link.signOut();
  await link.reaches("waiting");
  link.retry();
  await link.reaches("asking");
  strictEqual(credentials.current, undefined);
});

Deno.test("who signs out while it connects is out", async () => {
  const credentials = new Credentials(new MemoryKeep());
  credentials.use({ kind: "password", secret: "p" });
  const leave = () => link.signOut();
  await using gateway = serve(({ auth }) => {
    if (auth?.password === undefined) return { refused: { code: "AUTH_PASSWORD_MISSING" } };
    leave();
    return { hello: {}, deviceToken: "dt" };
  });
  await using link = open(gateway.url, { credentials });
  await link.reaches("asking");
  strictEqual(credentials.current, undefined);
});

Deno.test("a message may take as long as its way to the gateway does", async () => {
  const taken = Promise.withResolvers<unknown>();
  await using gateway = new FakeGateway({
    answers: {
      "chat.send": () => taken.promise,
      "models.list": () => new Promise(() => {}),
    },
  });
  await using link = open(gateway.url, { token: "t" });
  await link.reaches("connected");
  using clock = stopClock("setTimeout", "clearTimeout");
  const message = { sessionKey: "main", message: "large", idempotencyKey: "k" };
  const sent = link.request("chat.send", message);
  const listed = link.request("models.list", {});
  clock.tick(60_000);
  await rejects(listed, /No answer to 'models.list'/);
  taken.resolve({ runId: "k", status: "started" });
  deepStrictEqual(await sent, { runId: "k", status: "started" });
});

Deno.test("a request without a connection fails at once", async () => {
  await using gateway = serve(() => ({ refused: { code: "AUTH_TOKEN_MISSING" } }));
  await using link = open(gateway.url);
  await link.reaches("asking");
  const error = await link.request("models.list", {}).catch((error) => error);
  strictEqual(error.message, "There is no connection to the gateway");
});

/** A link at work, whose states can be waited for. */
function open(
  url: string,
  { token, credentials = new Credentials(new MemoryKeep()), onEvent = () => {} }: {
    token?: string;
    credentials?: Credentials;
    onEvent?: (event: string) => void;
  } = {},
) {
  if (token !== undefined) credentials.use({ kind: "token", secret: token });
  const link = new Link({
    url,
    client: { id: "webchat-ui", mode: "webchat", version: "0", platform: "web" },
    identity: loadIdentity(new MemoryKeep()),
    credentials,
    onHello: () => {},
    onEvent: ({ event }) => onEvent(event),
    onGap: () => {},
  });
  const end = new AbortController();
  const running = link.run(end.signal);
  const passed: LinkState[] = [link.state.value];
  const waiters = new Set<() => void>();
  link.state.watch(() => {
    passed.push(link.state.value);
    for (const look of waiters) look();
  });
  return {
    signIn: link.signIn.bind(link),
    signOut: link.signOut.bind(link),
    retry: link.retry.bind(link),
    request: link.request.bind(link),
    /** Resolves to the next state of that name, of those that were not waited for yet. */
    reaches<S extends LinkState["is"]>(name: S): Promise<LinkState & { is: S }> {
      const { promise, resolve } = Promise.withResolvers<LinkState & { is: S }>();
      const look = () => {
        const at = passed.findIndex(({ is }) => is === name);
        const state = passed[at];
        if (state === undefined) return;
        passed.splice(0, at + 1);
        waiters.delete(look);
        resolve(state as LinkState & { is: S });
      };
      waiters.add(look);
      look();
      return promise;
    },
    async [Symbol.asyncDispose]() {
      end.abort();
      await running;
    },
  };
}

interface Connect {
  readonly auth?: { readonly token?: string; readonly password?: string };
}
type Reply =
  | { readonly hello: { readonly event?: string }; readonly deviceToken?: string }
  | { readonly refused: { readonly code: string } & Readonly<Record<string, string>> };

/** A gateway that does nothing but answer `connect`. */
function serve(reply: (connect: Connect) => Reply) {
  const sockets = new Set<WebSocket>();
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request);
    const send = (frame: unknown) => socket.send(JSON.stringify(frame));
    sockets.add(socket);
    socket.onopen = () =>
      send({ type: "event", event: "connect.challenge", payload: { nonce: "n", ts: Date.now() } });
    socket.onmessage = ({ data }) => {
      const { id, params } = JSON.parse(data);
      const answer = reply(params);
      if ("refused" in answer) {
        const error = { code: "INVALID_REQUEST", message: "no", details: answer.refused };
        send({ type: "res", id, ok: false, error });
        return socket.close(1008, "no");
      }
      const policy = { maxPayload: 1, maxBufferedBytes: 1, tickIntervalMs: 30_000 };
      const auth = { role: "operator", scopes: [], deviceToken: answer.deviceToken };
      send({ type: "res", id, ok: true, payload: { type: "hello-ok", policy, auth } });
      if (answer.hello.event) send({ type: "event", event: answer.hello.event, seq: 1 });
    };
    socket.onclose = () => sockets.delete(socket);
    return response;
  });
  return {
    url: `ws://127.0.0.1:${server.addr.port}/`,
    drop: () => sockets.forEach((socket) => socket.close(1012, "service restart")),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.close();
      await server.shutdown();
    },
  };
}
