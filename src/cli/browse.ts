/** Looks for gateways on the local networks, by multicast DNS. */
import { Buffer } from "node:buffer";
// @ts-types="@types/dns-packet"
import { type Answer, decode, encode } from "dns-packet";
import { type Beacon, fromTxt, SERVICE_TYPE } from "../beacon.ts";

/** A gateway that answered. Nobody vouches for what it says of itself. */
export interface Found extends Partial<Beacon> {
  /** The name by which the network knows it. */
  readonly name: string;
  readonly address: string;
  readonly port: number;
}

/** A network to look in, by this machine's address there. */
export interface Where {
  readonly address: string;
}

/**
 * Asks on every network and resolves, after the time, to those who answered. Rejects if none can be
 * asked.
 */
export async function browse(
  links: readonly Where[],
  { timeoutMs, port = 5353 }: { timeoutMs: number; port?: number },
): Promise<readonly Found[]> {
  // Asked from a port of its own, who answers answers to it alone.
  using sockets = new DisposableStack();
  const asking = links.map(({ address: hostname }) => {
    const socket = Deno.listenDatagram({ transport: "udp", hostname, port: 0, loopback: true });
    sockets.defer(() => socket.close());
    return socket;
  });
  const found = new Map<string, Found>();
  const hearing = asking.map(async (socket) => {
    for await (const [bytes] of socket) {
      for (const gateway of gatewaysIn(bytes)) {
        found.set(`${gateway.name} ${gateway.address}`, gateway);
      }
    }
  });
  const question = encode({ type: "query", questions: [{ type: "PTR", name: SERVICE_TYPE }] });
  const group = { transport: "udp", hostname: "224.0.0.251", port } as const;
  for (let i = 0; i < TIMES; i++) {
    const sent = await Promise.allSettled(asking.map((socket) => socket.send(question, group)));
    const [first] = sent;
    if (sent.every(({ status }) => status === "rejected") && first?.status === "rejected") {
      throw first.reason;
    }
    await new Promise((resolve) => setTimeout(resolve, timeoutMs / TIMES));
  }
  sockets.dispose();
  await Promise.all(hearing);
  return [...found.values()].sort((a, b) => a.name < b.name ? -1 : 1);
}

/** How often to ask: what goes to a group may get lost. */
const TIMES = 2;

/** Those of whom a packet tells all that is needed; none for what is no packet. */
function gatewaysIn(bytes: Uint8Array): readonly Found[] {
  let records: readonly Answer[];
  try {
    const { answers = [], additionals = [] } = decode(Buffer.from(bytes));
    records = [...answers, ...additionals];
  } catch {
    return []; // anybody can send anything
  }
  return records.flatMap((record) => {
    if (record.type !== "PTR" || record.name.toLowerCase() !== SERVICE_TYPE) return [];
    const name = record.data;
    const srv = records.find((other) => other.type === "SRV" && other.name === name);
    const txt = records.find((other) => other.type === "TXT" && other.name === name);
    if (srv?.type !== "SRV") return [];
    const { port, target } = srv.data;
    const a = records.find((other) => other.type === "A" && other.name === target);
    if (a?.type !== "A") return [];
    const said = txt?.type === "TXT" ? fromTxt([txt.data].flat().map(String)) : undefined;
    return [{ ...said, name: name.slice(0, -SERVICE_TYPE.length - 1), address: a.data, port }];
  });
}
