/** Clients that mean harm, or mean nothing: the gateway stays small and serves the others. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { connectFrame, startGateway } from "./gateway.ts";
import { RawClient } from "./raw_client.ts";

const MIB = 1024 * 1024;
/** The head of a close frame, its length as it may be, and 1009. */
const CLOSE_1009 = "\x03\xf1";

Deno.test("a message beyond 64 KiB before the handshake ends the connection with 1009", async () => {
  await using gateway = await startGateway();
  using client = await RawClient.open(gateway.url);
  await client.frame(new Uint8Array(65_537).fill(32), { opcode: 1, fin: true }).catch(() => {});
  await client.readUntil(CLOSE_1009);
});

Deno.test("an endless fragmented message is refused at the limit, before and after the handshake", async () => {
  await using gateway = await startGateway();
  await using other = await gateway.connect();
  for (const authenticated of [false, true]) {
    using client = await RawClient.open(gateway.url);
    if (authenticated) {
      await client.readUntil("connect.challenge");
      await client.text(connectFrame());
      await client.readUntil("hello-ok");
    }
    const before = Deno.memoryUsage().rss;
    const refused = client.readUntil(CLOSE_1009);
    const chunk = new Uint8Array(authenticated ? MIB : 4096).fill(32);
    try {
      for (let sent = 0; sent < 200 * MIB; sent += chunk.length) {
        await client.frame(chunk, { opcode: sent === 0 ? 1 : 0, fin: false });
      }
    } catch {
      // cut while it still sent
    }
    await refused;
    ok(Deno.memoryUsage().rss - before < 100 * MIB, "what it sent is not kept");
  }
  strictEqual((await other.request("health", {})).ok, true);
});

Deno.test("a client that does not read is cut off, its memory comes back, others go on", async () => {
  await using gateway = await startGateway();
  await using other = await gateway.connect();
  const key = "agent:main:big";
  await other.request("sessions.create", { key });
  for (let i = 0; i < 20; i++) {
    await other.request("chat.inject", { sessionKey: key, message: "x".repeat(11_000) });
  }
  const before = Deno.memoryUsage().rss;
  using client = await RawClient.open(gateway.url);
  await client.readUntil("connect.challenge");
  await client.text(connectFrame());
  await client.readUntil("hello-ok");
  const request = JSON.stringify({
    type: "req",
    id: "h",
    method: "chat.history",
    params: { sessionKey: key },
  });
  try {
    // Some 300 answers of 220 KB are beyond the 50 MiB that may wait for one client.
    for (let i = 0; i < 500; i++) await client.text(request);
  } catch {
    // cut while it still asked
  }
  await client.drain();
  strictEqual((await other.request("health", {})).ok, true);
  ok(Deno.memoryUsage().rss - before < 150 * MIB, "what waited for it is gone");
});

Deno.test("silent sockets beyond the limit are refused, and those in time let others in", async () => {
  await using gateway = await startGateway({
    config: {
      gateway: { handshakeTimeoutMs: 400 },
      agents: { defaults: { model: { primary: "demo/demo" } } },
    },
  });
  await using other = await gateway.connect();
  const opened = await Promise.allSettled(
    Array.from({ length: 200 }, () => RawClient.open(gateway.url)),
  );
  const clients = opened.filter((result) => result.status === "fulfilled")
    .map(({ value }) => value);
  strictEqual((await other.request("health", {})).ok, true);
  // Each that got a socket and said nothing is closed in the end.
  await Promise.all(clients.map((client) => client.drain()));
  for (const client of clients) client[Symbol.dispose]();
  await using late = await gateway.connect();
  deepStrictEqual((await late.request("health", {})).ok, true);
});

Deno.test("half a head is not waited for beyond its time, and harms nobody", async () => {
  await using gateway = await startGateway();
  const { hostname, port } = new URL(gateway.http);
  const halves = await Promise.all(
    Array.from({ length: 100 }, () => Deno.connect({ hostname, port: Number(port) })),
  );
  for (const half of halves) {
    await half.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "));
  }
  const response = await fetch(`${gateway.http}/healthz`);
  strictEqual(response.status, 200);
  await response.body?.cancel();
  for (const half of halves) half.close();
});
