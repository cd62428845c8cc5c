import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import type { EventFrame } from "../../schemas/frames.ts";
import { checkProof } from "../device.ts";
import {
  type ClientOptions,
  type Close,
  ConnectionError,
  GatewayClient,
  GatewayRefusal,
  isEvent,
} from "./client.ts";
import { FakeGateway, helloFor, NONCE, Refuse } from "./fake_gateway.ts";
import { createDeviceKey } from "./identity.ts";

const CLIENT = { id: "cli", mode: "cli", version: "1", platform: "Linux" } as const;

function connect(gateway: FakeGateway, options: Partial<ClientOptions> = {}) {
  return GatewayClient.connect({ url: gateway.url, client: CLIENT, ...options });
}

Deno.test("what is larger than the gateway takes is refused here, and the connection stays", async () => {
  await using gateway = new FakeGateway({ answers: { "models.list": () => ({ models: [] }) } });
  await using client = await connect(gateway);
  const { maxPayload } = client.hello.policy;
  const params = { sessionKey: "main", message: "é".repeat(maxPayload / 2), idempotencyKey: "k" };
  const error = await client.request("chat.send", params).catch((error) => error);
  ok(error instanceof GatewayRefusal);
  match(error.message, /'chat.send' is too large: \d+ bytes, the gateway takes at most 100000/);
  deepStrictEqual(await client.request("models.list", {}), { models: [] });
  deepStrictEqual(gateway.requests.map(({ method }) => method), ["connect", "models.list"]);
});

Deno.test("connect says who we are, and resolves with what the gateway says", async () => {
  await using gateway = new FakeGateway();
  await using client = await connect(gateway, {
    scopes: ["operator.read"],
    caps: ["tool-events"],
    auth: { token: "t" },
  });
  deepStrictEqual(gateway.connects, [{
    minProtocol: 4,
    maxProtocol: 4,
    client: CLIENT,
    role: "operator",
    scopes: ["operator.read"],
    caps: ["tool-events"],
    auth: { token: "t" },
  }]);
  strictEqual(client.hello.server.version, "1.2.3");
});

Deno.test("connect proves the device over the nonce", async () => {
  await using gateway = new FakeGateway();
  const identity = createDeviceKey();
  const scopes = ["operator.write", "operator.admin"];
  await using _ = await connect(gateway, {
    client: { ...CLIENT, deviceFamily: " Linux " },
    scopes,
    auth: { deviceToken: "d" },
    identity,
  });
  const { device } = gateway.connects[0]!;
  ok(device);
  const claims = {
    clientId: "cli",
    clientMode: "cli",
    role: "operator",
    scopes,
    token: "d",
    platform: "linux",
    deviceFamily: "linux",
  };
  deepStrictEqual(checkProof(device, claims, { nonce: NONCE, now: Date.now() }), {
    publicKey: identity.publicKey,
  });
});

Deno.test("connect rejects with the gateway's refusal", async () => {
  await using gateway = new FakeGateway({
    answers: {
      connect: () => {
        const details = { code: "PAIRING_REQUIRED", requestId: "r1" };
        throw new Refuse({ code: "NOT_PAIRED", message: "pairing required", details });
      },
    },
  });
  await rejects(connect(gateway), (error) => {
    ok(error instanceof GatewayRefusal);
    strictEqual(error.code, "NOT_PAIRED");
    strictEqual(error.reason, "PAIRING_REQUIRED");
    return true;
  });
});

Deno.test("connect rejects with an error that names the URL where there is no gateway", async () => {
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const url = `ws://127.0.0.1:${listener.addr.port}`;
  listener.close();
  await rejects(GatewayClient.connect({ url, client: CLIENT }), (error) => {
    ok(error instanceof ConnectionError);
    strictEqual(error.kind, "unreachable");
    match(error.message, new RegExp(`^Cannot connect to ${url}: `));
    return true;
  });
});

Deno.test("connect rejects what is no WebSocket URL", async () => {
  await rejects(
    GatewayClient.connect({ url: "not a url", client: CLIENT }),
    /^ConnectionError: Cannot connect to 'not a url': not a ws:\/\/ or wss:\/\/ URL/,
  );
});

Deno.test("connect gives up on a gateway that says nothing", async () => {
  await using gateway = new FakeGateway({ challenge: false });
  await rejects(connect(gateway, { timeoutMs: 50 }), /no answer within 50 ms/);
});

Deno.test("connect rejects with the reason of its signal", async () => {
  await using gateway = new FakeGateway({ challenge: false });
  const controller = new AbortController();
  const connecting = connect(gateway, { signal: controller.signal });
  controller.abort(new Error("changed my mind"));
  await rejects(connecting, /changed my mind/);
});

Deno.test("connect refuses what speaks another protocol", async () => {
  await using gateway = new FakeGateway({ answers: { connect: () => ({}) } });
  await rejects(connect(gateway), /it speaks another protocol/);
});

Deno.test("requests get their own answers, in whatever order they come", async () => {
  const slow = Promise.withResolvers<string>();
  await using gateway = new FakeGateway({
    answers: {
      slow: () => slow.promise,
      fast: () => {
        slow.resolve("slow");
        return "fast";
      },
    },
  });
  await using client = await connect(gateway);
  deepStrictEqual(await Promise.all([client.call("slow", {}), client.call("fast", {})]), [
    "slow",
    "fast",
  ]);
});

Deno.test("a refused request rejects with everything that the gateway said", async () => {
  await using gateway = new FakeGateway({
    answers: {
      agent: () => {
        const error = { code: "UNAVAILABLE", message: "later", retryable: true, retryAfterMs: 5 };
        throw new Refuse(error, { status: "error" });
      },
    },
  });
  await using client = await connect(gateway);
  await rejects(client.call("agent", {}), (error) => {
    ok(error instanceof GatewayRefusal);
    const { message, retryable, retryAfterMs, payload } = error;
    deepStrictEqual({ message, retryable, retryAfterMs, payload }, {
      message: "later",
      retryable: true,
      retryAfterMs: 5,
      payload: { status: "error" },
    });
    return true;
  });
});

Deno.test("a two-phase method resolves with its first or its second answer", async () => {
  await using gateway = new FakeGateway({
    answers: {
      agent: (_params, peer) => {
        peer.answer({ status: "accepted" });
        return { status: "ok" };
      },
    },
  });
  await using client = await connect(gateway);
  const accepted: unknown[] = [];
  const onAccepted = (payload: unknown) => void accepted.push(payload);
  deepStrictEqual(await client.call("agent", {}), { status: "accepted" });
  deepStrictEqual(await client.call("agent", {}, { final: true, onAccepted }), { status: "ok" });
  deepStrictEqual(accepted, [{ status: "accepted" }]);
});

Deno.test("events come in order, and a hole in their numbers is told", async () => {
  const heard: EventFrame[] = [];
  const gaps: [number, number][] = [];
  await using gateway = new FakeGateway({
    answers: {
      go: (_params, peer) => {
        peer.event("tick", { ts: 1 }, 1);
        peer.event("node.invoke.request", {}); // has no number
        peer.event("tick", { ts: 2 }, 2);
        peer.event("tick", { ts: 5 }, 5);
      },
    },
  });
  await using client = await connect(gateway, {
    onEvent: (event) => void heard.push(event),
    onGap: (expected, received) => void gaps.push([expected, received]),
  });
  await client.call("go", {});
  deepStrictEqual(
    heard.map((event) => isEvent(event, "tick") ? event.payload.ts : event.event),
    [1, "node.invoke.request", 2, 5],
  );
  deepStrictEqual(gaps, [[3, 5]]);
});

Deno.test("when the gateway closes, what waits is rejected and everybody is told once", async () => {
  const closes: Close[] = [];
  await using gateway = new FakeGateway({
    answers: { wait: (_params, peer) => new Promise(() => peer.close(1012, "service restart")) },
  });
  await using client = await connect(gateway, { onClose: (close) => void closes.push(close) });
  await rejects(client.call("wait", {}), /closed \(1012 service restart\)/);
  const close = { code: 1012, reason: "service restart" };
  deepStrictEqual(await client.closed, close);
  await rejects(client.call("late", {}), ConnectionError);
  client.close();
  deepStrictEqual(closes, [close]);
});

Deno.test("closing rejects what waits", async () => {
  await using gateway = new FakeGateway({ answers: { wait: () => new Promise(() => {}) } });
  await using client = await connect(gateway);
  const waiting = client.call("wait", {});
  client.close();
  await rejects(waiting, /closed by this client/);
  strictEqual((await client.closed).code, 1000);
});

Deno.test("a request can be given up by time and by signal, and its late answer is ignored", async () => {
  const late = Promise.withResolvers<void>();
  await using gateway = new FakeGateway({
    answers: { wait: () => late.promise, ping: () => "pong" },
  });
  await using client = await connect(gateway);
  await rejects(client.call("wait", {}, { timeoutMs: 1 }), /No answer to 'wait' .* within 1 ms/);
  const controller = new AbortController();
  const waiting = client.call("wait", {}, { signal: controller.signal });
  controller.abort(new Error("enough"));
  await rejects(waiting, /enough/);
  late.resolve();
  strictEqual(await client.call("ping", {}), "pong");
});

Deno.test("the signal ends an established connection", async () => {
  await using gateway = new FakeGateway();
  const controller = new AbortController();
  await using client = await connect(gateway, { signal: controller.signal });
  controller.abort();
  strictEqual((await client.closed).reason, "aborted");
});

Deno.test("a connection over which nothing comes is closed", async () => {
  const policy = { maxPayload: 1, maxBufferedBytes: 1, tickIntervalMs: 5 };
  await using gateway = new FakeGateway({
    answers: { connect: (params) => ({ ...helloFor(params), policy }) },
  });
  await using client = await connect(gateway);
  strictEqual((await client.closed).code, 4000);
  await rejects(client.call("late", {}), /silent for 10 ms/);
});

for (const text of ["not json", "[]", "{}", '{"type":"res","id":1,"ok":true}']) {
  Deno.test(`a frame that no gateway sends ends the connection: ${text}`, async () => {
    await using gateway = new FakeGateway({
      answers: { go: (_params, peer) => new Promise(() => peer.send(text)) },
    });
    await using client = await connect(gateway);
    await rejects(client.call("go", {}), /what it sends is not the gateway's protocol/);
    strictEqual((await client.closed).code, 4002);
  });
}

Deno.test("frames of a kind that a later version may send are passed over", async () => {
  await using gateway = new FakeGateway({
    answers: {
      go: (_params, peer) => {
        peer.send('{"type":"later","anything":1}');
        return "done";
      },
    },
  });
  await using client = await connect(gateway);
  strictEqual(await client.call("go", {}), "done");
});
