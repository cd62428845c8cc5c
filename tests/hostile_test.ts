/** Clients that mean harm, or mean nothing: the gateway stays small and serves the others. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { residentMiB } from "../scripts/bench/process.ts";
import { fromSources, startGateway as startProcess } from "../scripts/gateway_process.ts";
import { connectFrame, connectTo, startGateway, TOKEN } from "./gateway.ts";
import { RawClient } from "./raw_client.ts";

const MIB = 1024 * 1024;
/** A gateway's memory is read from `/proc`. */
const MEMORY_IS_KNOWN = Deno.build.os === "linux";
/** The head of a close frame, its length as it may be, and 1009. */
const CLOSE_1009 = "\x03\xf1";

Deno.test("a message beyond 64 KiB before the handshake ends the connection with 1009", async () => {
  await using gateway = await startGateway();
  using client = await RawClient.open(gateway.url);
  await client.frame(new Uint8Array(65_537).fill(32), { opcode: 1, fin: true }).catch(() => {});
  await client.readUntil(CLOSE_1009);
});

Deno.test({
  name: "an endless fragmented message is refused at the limit, before and after the handshake",
  ignore: !MEMORY_IS_KNOWN,
  async fn() {
    await using gateway = await startAlone();
    await using other = await connectTo(gateway.url);
    for (const authenticated of [false, true]) {
      using client = await RawClient.open(gateway.url);
      if (authenticated) await enter(client);
      const before = residentMiB(gateway.pid);
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
      const grown = residentMiB(gateway.pid) - before;
      ok(grown < 100, `what it sent is not kept: ${grown.toFixed(0)} MiB more`);
    }
    strictEqual((await other.request("health", {})).ok, true);
  },
});

Deno.test({
  name: "a client that does not read is cut off, its memory comes back, others go on",
  ignore: !MEMORY_IS_KNOWN,
  async fn() {
    await using gateway = await startAlone();
    await using other = await connectTo(gateway.url);
    const key = "agent:main:big";
    await other.request("sessions.create", { key });
    for (let i = 0; i < 20; i++) {
      await other.request("chat.inject", { sessionKey: key, message: "x".repeat(11_000) });
    }
    const request = JSON.stringify({
      type: "req",
      id: "h",
      method: "chat.history",
      params: { sessionKey: key },
    });
    const askWithoutReading = async () => {
      using client = await RawClient.open(gateway.url);
      await enter(client);
      try {
        // Some 300 answers of 220 KB are beyond the 50 MiB that may wait for one client.
        for (let i = 0; i < 500; i++) await client.text(request);
      } catch {
        // cut while it still asked
      }
      await client.drain();
      strictEqual((await other.request("health", {})).ok, true);
    };
    await askWithoutReading();
    const before = residentMiB(gateway.pid);
    // How much is garbage at one moment varies a lot; if it all stayed, it would be 600 MiB.
    for (let i = 0; i < 12; i++) await askWithoutReading();
    const grown = residentMiB(gateway.pid) - before;
    ok(grown < 300, `what waited for others is still there: ${grown.toFixed(0)} MiB more`);
  },
});

Deno.test("silent sockets beyond the limit are refused, and those in time let others in", async () => {
  await using gateway = await startGateway({
    config: {
      gateway: { handshakeTimeoutMs: 2_000 }, // enough for who speaks, on a busy machine too
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

async function enter(client: RawClient): Promise<void> {
  await client.readUntil("connect.challenge");
  await client.text(connectFrame());
  await client.readUntil("hello-ok");
}

/** A gateway in a process of its own, whose memory no other test can touch. */
async function startAlone() {
  const home = await Deno.makeTempDir({ prefix: "openclaw-hostile-" });
  const gateway = await startProcess(await fromSources(), { home, flags: ["--token", TOKEN] });
  return {
    ...gateway,
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await Deno.remove(home, { recursive: true });
    },
  };
}
