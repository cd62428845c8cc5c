/** The multicast group of DNS, over sockets. */
import { type Group, type Link, MDNS_GROUP, MDNS_PORT } from "./advertise.ts";

/** Routers a packet may pass; RFC 6762 wants this number, and none lets it pass. */
const HOPS = 255;

/** Joins the group on each link that takes part. Rejects if none does. */
export async function joinGroup(
  links: readonly Link[],
  { log, port = MDNS_PORT }: { log: (line: string) => void; port?: number },
): Promise<Group> {
  using sockets = new DisposableStack();
  const open = (hostname: string) => {
    // Other programs of this machine are in the group too, and want to hear us.
    const shared = { reuseAddress: true, loopback: true };
    const socket = Deno.listenDatagram({ transport: "udp", hostname, port, ...shared });
    sockets.defer(() => socket.close());
    return socket;
  };
  const ears = open("0.0.0.0");
  // A packet leaves by the link whose address its socket is bound to.
  const mouths = new Map<Link, Deno.DatagramConn>();
  for (const link of links) {
    try {
      await ears.joinMulticastV4(MDNS_GROUP, link.address);
      const mouth = open(link.address);
      const membership = await mouth.joinMulticastV4(MDNS_GROUP, link.address);
      await membership.setTTL(HOPS);
      mouths.set(link, mouth);
    } catch (error) {
      log(`Cannot speak multicast on ${link.address}: ${error}`);
    }
  }
  if (mouths.size === 0) throw new Error("no network takes part in multicast");
  const opened = sockets.move();
  return {
    links: [...mouths.keys()],
    port,
    async *packets() {
      for await (const [bytes, from] of ears) {
        if (from.transport === "udp") yield { bytes, from };
      }
    },
    async send(bytes, link, { hostname, port: to } = { hostname: MDNS_GROUP, port }) {
      try {
        await mouths.get(link)?.send(bytes, { transport: "udp", hostname, port: to });
      } catch (error) {
        log(`Cannot send to ${hostname}: ${error}`);
      }
    },
    [Symbol.dispose]: () => opened.dispose(),
  };
}
