/** The port and the protocol, as clients with and without manners meet them. */
import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { GatewayRefusal } from "../src/client/client.ts";
import { createDeviceKey } from "../src/client/identity.ts";
import { runOn } from "../src/cli/fake_io.ts";
import { connectFrame, RawSocket, startGateway, type TestGateway, TOKEN } from "./gateway.ts";

Deno.test("the handshake tells a protocol-4 client all that its Codable types require", async () => {
  await using gateway = await startGateway();
  await using client = await gateway.connect();
  const { hello } = client.client;
  strictEqual(hello.type, "hello-ok");
  strictEqual(hello.protocol, 4);
  ok(hello.server.version.length > 0 && hello.server.connId.length > 0);
  ok(hello.features.methods.includes("chat.send") && hello.features.events.includes("chat"));
  deepStrictEqual(hello.auth?.role, "operator");
  deepStrictEqual(hello.policy.tickIntervalMs, 30_000);
  strictEqual(hello.snapshot.sessionDefaults?.mainSessionKey, "agent:main:main");
});

Deno.test("every advertised method is answered by something else than unknown method", async () => {
  await using gateway = await startGateway();
  for (const protocol of [3, 4]) {
    await using client = await gateway.connect({ protocol: { min: protocol, max: protocol } });
    for (const method of client.client.hello.features.methods) {
      const refusal = await client.client.call(method, { "no such key": 1 }).then(
        () => undefined,
        (error) => error,
      );
      if (refusal === undefined) continue;
      ok(refusal instanceof GatewayRefusal, `${method}: ${refusal}`);
      ok(!refusal.message.startsWith("unknown method"), `${method} is advertised and not built`);
    }
  }
});

Deno.test("a client of protocol 3 gets version 3, one of 3..4 version 4, others a mismatch", async () => {
  await using gateway = await startGateway();
  await using old = await gateway.connect({ protocol: { min: 3, max: 3 } });
  strictEqual(old.client.hello.protocol, 3);
  strictEqual(old.client.hello.auth, undefined);
  await using both = await gateway.connect({ protocol: { min: 3, max: 4 } });
  strictEqual(both.client.hello.protocol, 4);
  await using future = new RawSocket(gateway.url);
  await future.send(connectFrame({ minProtocol: 5, maxProtocol: 6 }));
  const { error } = await future.frame(({ type }) => type === "res") as {
    error: { code: string; message: string; details: Record<string, unknown> };
  };
  strictEqual(error.message, "protocol mismatch");
  strictEqual(error.details.expectedProtocol, 4);
  deepStrictEqual(await future.closed, { code: 1002, reason: "protocol mismatch" });
});

Deno.test("requests that wait for their answers may not be too long together", async () => {
  await using gateway = await startGateway();
  await using waiting = await gateway.connect();
  const ask = (runId: string) => waiting.client.request("agent.wait", { runId, timeoutMs: 60_000 });
  const asked = ["a", "b"].map((letter) => ask(letter.repeat(20 * 1024 * 1024)).catch(() => {}));
  await rejects(ask("c".repeat(20 * 1024 * 1024)), (error) => {
    ok(error instanceof GatewayRefusal);
    deepStrictEqual([error.code, error.retryable], ["UNAVAILABLE", true]);
    return true;
  });
  strictEqual((await waiting.client.request("health", {})).ok, true);
  await waiting.client[Symbol.asyncDispose]();
  await Promise.all(asked);
});

for (
  const [what, frame, code, reason] of [
    ["no JSON", "hello", 1000, ""],
    ["malformed UTF-8", new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]), 1000, ""],
    ["an array", "[1,2]", 1008, "invalid request frame"],
    [
      "a request with an unknown key",
      '{"type":"req","id":"1","method":"connect","x":1}',
      1008,
      "invalid request frame",
    ],
    ["an event", '{"type":"event","event":"x"}', 1008, "invalid request frame"],
    ["deep JSON", "[".repeat(20_000) + "]".repeat(20_000), 1008, "invalid request frame"],
    [
      "another method",
      '{"type":"req","id":"1","method":"health"}',
      1008,
      "invalid handshake: first request must be connect",
    ],
  ] as const
) {
  Deno.test(`a first message that is ${what} closes with ${code}`, async () => {
    await using gateway = await startGateway();
    await using socket = new RawSocket(gateway.url);
    await socket.send(frame);
    deepStrictEqual(await socket.closed, { code, reason });
  });
}

Deno.test("a close reason is cut at 123 bytes between characters", async () => {
  await using gateway = await startGateway();
  await using socket = new RawSocket(gateway.url);
  await socket.send(connectFrame({ ["ü".repeat(200)]: 1 }));
  const { code, reason } = await socket.closed;
  strictEqual(code, 1008);
  match(reason, /^invalid connect params: /);
  ok(new TextEncoder().encode(reason).length <= 123 && !reason.includes("\ufffd"));
});

Deno.test("after the handshake bad messages are answered or ignored, and harm nobody", async () => {
  await using gateway = await startGateway();
  await using other = await gateway.connect();
  await using socket = new RawSocket(gateway.url);
  await socket.send(connectFrame());
  await socket.frame(({ id }) => id === "c1");
  const answer = async (text: string, id: string) => {
    socket.socket.send(text);
    const found = await socket.frame((frame) => frame.id === id && frame.ok === false);
    socket.frames.splice(socket.frames.indexOf(found), 1);
    return found.error as { code: string; message: string };
  };
  socket.socket.send("this is no JSON");
  match((await answer('{"type":"req","id":"2"}', "2")).message, /^invalid request frame: /);
  match((await answer("[]", "invalid")).message, /^invalid request frame: /);
  strictEqual(
    (await answer(connectFrame(), "c1")).message,
    "connect is only valid as the first request",
  );
  strictEqual(
    (await answer('{"type":"req","id":"3","method":"no.such"}', "3")).message,
    "unknown method: no.such",
  );
  match(
    (await answer('{"type":"req","id":"4","method":"__proto__"}', "4")).message,
    /^unknown method/,
  );
  match(
    (await answer(
      '{"type":"req","id":"5","method":"chat.history","params":{"sessionKey":"main","__proto__":{}}}',
      "5",
    )).message,
    /^invalid chat.history params: /,
  );
  const deep = `{"type":"req","id":"6","method":"health","params":${"[".repeat(50_000)}${
    "]".repeat(50_000)
  }}`;
  match((await answer(deep, "6")).message, /^invalid health params: /);
  // The same id twice: two requests, two answers.
  socket.socket.send('{"type":"req","id":"7","method":"system-presence"}');
  socket.socket.send('{"type":"req","id":"7","method":"system-presence"}');
  await socket.frame(() => socket.frames.filter(({ id }) => id === "7").length === 2);
  strictEqual((await other.request("health", {})).ok, true);
});

Deno.test("a wrong token is refused in each version's words", async () => {
  await using gateway = await startGateway();
  for (const protocol of [3, 4]) {
    await using socket = new RawSocket(gateway.url);
    await socket.send(connectFrame({
      minProtocol: protocol,
      maxProtocol: protocol,
      auth: { token: "wrong" },
    }));
    const { error } = await socket.frame(({ type }) => type === "res") as {
      error: { code: string; message: string; details: Record<string, unknown> };
    };
    strictEqual(error.details.code, "AUTH_TOKEN_MISMATCH");
    strictEqual(error.details.recommendedNextStep !== undefined, protocol === 4);
    const { code, reason } = await socket.closed;
    strictEqual(code, 1008);
    match(reason, /^unauthorized: gateway token mismatch/);
    ok(!JSON.stringify(error).includes(TOKEN));
  }
});

Deno.test("guesses are locked out while the owner's token still opens", async () => {
  await using gateway = await startGateway();
  const guess = async (i: number) => {
    await using socket = new RawSocket(gateway.url);
    await socket.send(connectFrame({ auth: { token: `guess-${i}` } }));
    const { error } = await socket.frame(({ type }) => type === "res") as {
      error: { details: { code: string } };
    };
    await socket.closed;
    return error.details.code;
  };
  const codes: string[] = [];
  for (let i = 0; i < 15; i++) codes.push(await guess(i));
  strictEqual(codes[0], "AUTH_TOKEN_MISMATCH");
  strictEqual(codes.at(-1), "AUTH_RATE_LIMITED");
  await using owner = await gateway.connect();
  strictEqual((await owner.request("health", {})).ok, true);
});

Deno.test("a device on this machine is paired at once, and its token lets it in alone", async () => {
  await using gateway = await startGateway();
  const identity = createDeviceKey();
  await using first = await gateway.connect({ identity });
  const token = first.client.hello.auth?.deviceToken;
  ok(token !== undefined);
  await using again = await gateway.connect({ identity, auth: { deviceToken: token } });
  strictEqual(again.client.hello.auth?.method, "device-token");
  const { paired } = await again.request("device.pair.list", {});
  strictEqual(paired[0]?.deviceId, identity.deviceId);
  ok(!JSON.stringify(paired).includes(token));
});

Deno.test("a removed device loses its open connections and its token", async () => {
  await using gateway = await startGateway();
  const identity = createDeviceKey();
  const device = await gateway.connect({ identity });
  const deviceToken = device.client.hello.auth?.deviceToken ?? "";
  await using owner = await gateway.connect();
  await owner.request("device.pair.remove", { deviceId: identity.deviceId });
  strictEqual((await device.client.closed).code, 4001);
  await rejects(gateway.connect({ identity, auth: { deviceToken } }), GatewayRefusal);
});

Deno.test("pages of other origins and hosts of other names are refused at the upgrade", async () => {
  await using gateway = await startGateway();
  const upgrade = (headers: Record<string, string>) => answerToUpgrade(gateway, headers);
  strictEqual(await upgrade({}), 101);
  strictEqual(await upgrade({ Origin: gateway.http }), 101);
  strictEqual(await upgrade({ Origin: "https://evil.example" }), 403);
  strictEqual(await upgrade({ Origin: "null" }), 403);
  strictEqual(await upgrade({ Origin: `http://127.0.0.1.evil.example` }), 403);
  strictEqual(await upgrade({ Host: "evil.example" }), 403);
});

Deno.test("a handshake that a proxy took apart is no fault of the gateway", async () => {
  await using gateway = await startGateway();
  strictEqual(await answerToUpgrade(gateway, { Connection: "close" }), 400);
});

/** The status with which an upgrade is answered, with these headers besides or instead. */
async function answerToUpgrade(
  gateway: TestGateway,
  headers: Readonly<Record<string, string>>,
): Promise<number> {
  const { hostname, port } = new URL(gateway.http);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  const lines = Object.entries({
    Host: `127.0.0.1:${port}`,
    Upgrade: "websocket",
    Connection: "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  await connection.write(new TextEncoder().encode(`GET / HTTP/1.1\r\n${lines.join("")}\r\n`));
  const buffer = new Uint8Array(1024);
  const count = await connection.read(buffer) ?? 0;
  return Number(new TextDecoder().decode(buffer.subarray(0, count)).split(" ")[1]);
}

Deno.test("an owner who wants no page has none, and clients as ever", async () => {
  await using gateway = await startGateway({
    config: { gateway: { controlUi: { enabled: false } } },
  });
  for (const path of ["/", "/chat", "/app-0123456789ab.js"]) {
    const response = await fetch(gateway.http + path);
    strictEqual(response.status, 404, path);
    await response.body?.cancel();
  }
  await using client = await gateway.connect();
  strictEqual((await client.request("health", {})).ok, true);
});

Deno.test("monitors are answered without credentials", async () => {
  await using gateway = await startGateway();
  for (const path of ["/healthz", "/readyz", "/startupz"]) {
    const response = await fetch(gateway.http + path);
    strictEqual(response.status, 200);
    strictEqual(response.headers.get("x-content-type-options"), "nosniff");
    await response.body?.cancel();
  }
  deepStrictEqual(await (await fetch(`${gateway.http}/healthz`)).json(), {
    ok: true,
    status: "live",
  });
});

Deno.test("stopping tells every client, then closes with 1012", async () => {
  const gateway = await startGateway();
  const client = await gateway.connect();
  await gateway[Symbol.asyncDispose]();
  const shutdown = await client.event(({ event }) => event === "shutdown");
  deepStrictEqual(shutdown.payload, { reason: "gateway stopping", restartExpectedMs: null });
  deepStrictEqual(await client.client.closed, { code: 1012, reason: "service restart" });
});

Deno.test("a second gateway on the same state is refused with the first one's name", async () => {
  await using gateway = await startGateway();
  await rejects(
    startGateway({ stateDir: gateway.stateDir }),
    new RegExp(`in use by process ${Deno.pid}`),
  );
  await using client = await gateway.connect();
  strictEqual((await client.request("health", {})).ok, true);
});

Deno.test("a node connects, is listed as waiting, and may call nothing of an operator's", async () => {
  await using gateway = await startGateway();
  const identity = createDeviceKey();
  await using node = await gateway.connect({
    identity,
    role: "node",
    scopes: [],
    client: { id: "node-host", mode: "node", version: "test", platform: "linux" },
    caps: ["system"],
    commands: ["system.run"],
  });
  await rejects(node.client.call("sessions.list", {}), /unauthorized role: node/);
  await rejects(
    node.client.call("node.runnerInventory.update", {
      protocolFeatures: [],
      workerHost: { enabled: false },
    }),
    /awaiting operator approval/,
  );
  await using owner = await gateway.connect();
  const { nodes } = await owner.request("node.list", {});
  strictEqual(nodes[0]?.nodeId, identity.deviceId);
  strictEqual(nodes[0]?.connected, true);
  deepStrictEqual(nodes[0]?.commands, []);
  deepStrictEqual(nodes[0]?.pendingDeclaredCommands, ["system.run"]);
  await rejects(owner.client.call("node.event", { event: "x" }), /unauthorized role: operator/);
});

Deno.test("a changed secret counts at once: who showed the old one is out, devices stay", async () => {
  const auth = { token: "the-first-token-0123456789abcdef" };
  const config = (token: string) => ({ gateway: { auth: { token } } });
  await using gateway = await startGateway({ config: config(auth.token), token: null });
  const identity = createDeviceKey();
  const first = await gateway.connect({ auth, identity });
  const deviceToken = first.client.hello.auth?.deviceToken ?? "";
  await using device = await gateway.connect({ auth: { deviceToken }, identity });
  const token = "the-second-token-0123456789abcdef";
  await Deno.writeTextFile(`${gateway.stateDir}/openclaw.json`, JSON.stringify(config(token)));
  deepStrictEqual(await first.client.closed, { code: 4001, reason: "gateway auth changed" });
  await rejects(gateway.connect({ auth }), /token mismatch/);
  await using second = await gateway.connect({ auth: { token } });
  strictEqual((await second.request("health", {})).ok, true);
  strictEqual((await device.request("health", {})).ok, true);
});

Deno.test("an edit that would open the gateway to the network leaves the secret in force", async () => {
  await using gateway = await startGateway({
    config: { gateway: { bind: "lan", auth: { mode: "token" } } },
  });
  await using owner = await gateway.connect();
  const { hash } = await owner.request("config.get", {});
  const patch = { raw: '{"gateway":{"auth":{"mode":"none"}}}', baseHash: hash };
  await owner.request("config.patch", patch);
  await rejects(gateway.connect({ auth: {} }), /token missing/);
  strictEqual((await owner.request("health", {})).ok, true);
});

Deno.test({
  name: "a gateway that is bound to one address is there for this machine's commands as well",
  ignore: Deno.build.os !== "linux", // the others have no second address without being set up
  async fn() {
    await using gateway = await startGateway({
      config: { gateway: { bind: "custom", customBindHost: "127.0.0.2" } },
    });
    const env = {
      OPENCLAW_STATE_DIR: gateway.stateDir,
      OPENCLAW_GATEWAY_PORT: `${gateway.running.server.addr.port}`,
      OPENCLAW_GATEWAY_TOKEN: TOKEN,
    };
    const { code, stderr } = await runOn(["health"], { env });
    deepStrictEqual([code, stderr], [0, ""]);
    deepStrictEqual(gateway.printed, []);
  },
});

Deno.test({
  name: "a gateway whose port is another program's on loopback says so",
  ignore: Deno.build.os !== "linux", // as above
  async fn() {
    using other = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = other.addr;
    await using gateway = await startGateway({
      config: { gateway: { bind: "custom", customBindHost: "127.0.0.2" } },
      flags: { port },
    });
    strictEqual(gateway.running.server.addr.port, port);
    match(
      gateway.printed.join("\n"),
      new RegExp(`Cannot listen on 127\\.0\\.0\\.1:${port} as well`),
    );
  },
});

Deno.test("what an editor has just written and what a client changes are both kept", async () => {
  await using gateway = await startGateway({});
  await using owner = await gateway.connect();
  const path = `${gateway.stateDir}/openclaw.json`;
  await Deno.writeTextFile(path, '{ "agents": { "defaults": { "timeoutSeconds": 60 } } }');
  const { hash } = await owner.request("config.get", {});
  await owner.request("config.patch", { raw: '{"session":{"mainKey":"home"}}', baseHash: hash });
  deepStrictEqual(JSON.parse(await Deno.readTextFile(path)), {
    agents: { defaults: { timeoutSeconds: 60 } },
    session: { mainKey: "home" },
  });
});

Deno.test("the comments of a file that the gateway writes anew are kept beside it", async () => {
  const stateDir = await Deno.makeTempDir();
  const text = "{\n  // ask Ada first\n  agents: { defaults: { timeoutSeconds: 60 } },\n}\n";
  await Deno.writeTextFile(`${stateDir}/openclaw.json`, text);
  for (let start = 0; start < 2; start++) {
    // without a token one is made, and kept in the file
    await (await startGateway({ stateDir, token: null }))[Symbol.asyncDispose]();
  }
  ok(JSON.parse(await Deno.readTextFile(`${stateDir}/openclaw.json`)).gateway.auth.token);
  strictEqual(await Deno.readTextFile(`${stateDir}/openclaw.json.comments.bak`), text);
  await Deno.remove(stateDir, { recursive: true });
});
