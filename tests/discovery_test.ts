/** Gateways that make themselves known, and the command that looks for them, over real multicast. */
import { deepStrictEqual } from "node:assert/strict";
import type { Beacon } from "../src/beacon.ts";
import { browse } from "../src/cli/browse.ts";
import { discovery } from "../src/server/discovery.ts";
import { joinGroup } from "../src/server/multicast.ts";
import { RecordedLog } from "./kernel.ts";

const LINKS = [{ address: "127.0.0.1", netmask: "255.0.0.0" }];
/** Loopback carries multicast there without being told to. */
const ignore = Deno.build.os !== "linux";
/** Browsing takes all the time that it is given: enough for a busy machine to answer. */
const BROWSE_MS = 2_000;

Deno.test({ name: "browsing finds every gateway, each by a name of its own", ignore }, async () => {
  const port = freePort();
  const stop = new AbortController();
  const den: Beacon = { displayName: "den", lanHost: "den.local", gatewayPort: 18_789 };
  const fingerprint = `sha256:${"0a".repeat(32)}` as const;
  const gateways = [den, { ...den, gatewayPort: 19_000, tlsFingerprint: fingerprint }];
  const running: Promise<void>[] = [];
  try {
    for (const beacon of gateways) {
      const { promise: known, resolve } = Promise.withResolvers<void>();
      const log = new RecordedLog();
      const info = (message: string) => message === "Known on the network" && resolve();
      running.push(discovery({
        beacon: () => beacon,
        links: () => LINKS,
        log: Object.assign(log, { info, part: () => log }),
        signal: stop.signal,
        join: (links) => joinGroup(links, { port, log: () => {} }),
      }));
      await known;
    }
    deepStrictEqual(await browse(LINKS, { timeoutMs: BROWSE_MS, port }), [
      {
        name: "den (OpenClaw)",
        address: "127.0.0.1",
        port: 18_789,
        ...gateways[0],
      },
      {
        name: "den (OpenClaw) (2)",
        address: "127.0.0.1",
        port: 19_000,
        ...gateways[1],
      },
    ]);
  } finally {
    stop.abort();
    await Promise.all(running);
  }
  deepStrictEqual(await browse(LINKS, { timeoutMs: 50, port }), []);
});

/** A port that is free on every address. */
function freePort(): number {
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "0.0.0.0", port: 0 });
  const { addr } = socket;
  socket.close();
  return addr.transport === "udp" ? addr.port : 0;
}
