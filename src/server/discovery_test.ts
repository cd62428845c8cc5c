import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
// @ts-types="@types/dns-packet"
import { decode, type DecodedPacket, encode } from "dns-packet";
import type { Beacon } from "../beacon.ts";
import type { Log } from "../log.ts";
import { type Group, type Link, MDNS_GROUP } from "./advertise.ts";
import { discovery, type DiscoveryOptions } from "./discovery.ts";
import { joinGroup } from "./multicast.ts";

const LOOPBACK: Link = { address: "127.0.0.1", netmask: "255.0.0.0" };
const den: Beacon = { displayName: "den", lanHost: "den.local", gatewayPort: 18_789 };

/** Messages, as they come. */
class Lines implements Log {
  readonly messages: string[] = [];
  #wake = () => {};
  error = (message: string) => {
    this.messages.push(message);
    this.#wake();
  };
  warn = this.error;
  info = this.error;
  debug = this.error;
  part = () => this;

  /** Resolves to the next message. */
  async next(): Promise<string> {
    while (this.messages.length === 0) await new Promise<void>((resolve) => this.#wake = resolve);
    return this.messages.shift()!;
  }
}

/** Runs until disposed of. */
function run(options: Partial<DiscoveryOptions>): AsyncDisposable & { readonly log: Lines } {
  const stop = new AbortController();
  const log = new Lines();
  const links = () => [LOOPBACK];
  const ended = discovery({ beacon: () => den, links, log, signal: stop.signal, ...options });
  return {
    log,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await ended;
    },
  };
}

/** A group of which nothing comes. */
function silent(links: readonly Link[], sent: DecodedPacket[] = []): Group {
  const over = Promise.withResolvers<[]>();
  return {
    links,
    port: 5353,
    async *packets() {
      yield* await over.promise;
    },
    send(bytes) {
      sent.push(decode(Buffer.from(bytes)));
      return Promise.resolve();
    },
    [Symbol.dispose]: () => over.resolve([]),
  };
}

/** A port that is free on every address. */
function freePort(): number {
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "0.0.0.0", port: 0 });
  const { addr } = socket;
  socket.close();
  return addr.transport === "udp" ? addr.port : 0;
}

/** Loopback carries multicast there without being told to. */
const ignore = Deno.build.os !== "linux";

Deno.test({ name: "who asks the group over real sockets finds the gateway", ignore }, async () => {
  const port = freePort();
  await using gateway = run({
    join: (links) => joinGroup(links, { port, log: (line) => gateway.log.debug(line) }),
  });
  strictEqual(await gateway.log.next(), "Known on the network");

  using socket = closing(Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 }));
  const question = encode({
    type: "query",
    id: 7,
    questions: [{ type: "PTR", name: "_openclaw-gw._tcp.local" }],
  });
  await socket.send(question, { transport: "udp", hostname: MDNS_GROUP, port });
  const [bytes] = await socket.receive();
  const { id, answers = [], additionals = [] } = decode(Buffer.from(bytes));
  const [found] = answers;
  const txt = additionals.find((record) => record.type === "TXT");
  deepStrictEqual([id, found?.type === "PTR" && found.data], [
    7,
    "den (OpenClaw)._openclaw-gw._tcp.local",
  ]);
  deepStrictEqual(txt?.type === "TXT" && String(txt.data).split(",").slice(0, 4), [
    "role=gateway",
    "transport=gateway",
    "gatewayPort=18789",
    "lanHost=den.local",
  ]);
});

Deno.test("what changes is announced anew, after the old was taken back", async () => {
  let beacon: Beacon | undefined = den;
  const groups: DecodedPacket[][] = [];
  const join = (links: readonly Link[]) => {
    const sent: DecodedPacket[] = [];
    groups.push(sent);
    return Promise.resolve(silent(links, sent));
  };
  await using gateway = run({ beacon: () => beacon, join, lookMs: 5 });
  strictEqual(await gateway.log.next(), "Known on the network");
  beacon = { ...den, gatewayPort: 19_000 };
  strictEqual(await gateway.log.next(), "Known on the network");
  const [last] = groups[0]!.at(-1)!.answers ?? [];
  deepStrictEqual([groups.length, last?.type === "PTR" && last.ttl], [2, 0]);
});

Deno.test("without a network, or without anything to tell, no socket is opened", async () => {
  let looks = 0;
  const looked = Promise.withResolvers<void>();
  const join = () => Promise.reject(new Error("nobody may join"));
  {
    await using nothing = run({
      join,
      lookMs: 1,
      beacon: () => undefined,
      links: () => {
        if (++looks === 5) looked.resolve();
        return [LOOPBACK];
      },
    });
    await looked.promise;
    deepStrictEqual(nothing.log.messages, []);
  }
  let links: readonly Link[] = [];
  await using gateway = run({
    lookMs: 1,
    links: () => links,
    join: (links) => Promise.resolve(silent(links)),
  });
  links = [LOOPBACK]; // the network comes up after the program
  strictEqual(await gateway.log.next(), "Known on the network");
});

Deno.test("a group that can't be joined is tried again, and reported once", async () => {
  let tries = 0;
  await using gateway = run({
    lookMs: 1,
    join: (links) => {
      if (++tries < 4) return Promise.reject(new Error("port taken"));
      return Promise.resolve(silent(links));
    },
  });
  strictEqual(await gateway.log.next(), "The gateway can't be found on the network");
  strictEqual(await gateway.log.next(), "Known on the network");
});

function closing(socket: Deno.DatagramConn): Deno.DatagramConn & Disposable {
  return Object.assign(socket, { [Symbol.dispose]: () => socket.close() });
}

Deno.test("networks that can't be looked at for a while end nothing", async () => {
  let looks = 0;
  const seen = Promise.withResolvers<void>();
  await using running = run({
    lookMs: 1,
    links: () => {
      if (++looks === 4) seen.resolve();
      if (looks === 3) throw new Error("Too many open files (os error 24)");
      return [LOOPBACK];
    },
    join: (links) => Promise.resolve(silent(links)),
  });
  await seen.promise;
  strictEqual(running.log.messages.some((line) => line.includes("can't be found")), false);
});
