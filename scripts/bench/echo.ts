/**
 * The least that a WebSocket server can do: `Deno.serve` sends back what it gets. Measured beside
 * the gateway, it says what a number is worth on this machine. Takes the gateway's flags.
 */
import { parseArgs } from "node:util";
import { BROADCAST, PRESENCE_EVENT } from "./wire.ts";

const { values } = parseArgs({
  args: Deno.args,
  options: { port: { type: "string", default: "0" } },
  strict: false,
});
const clients = new Set<WebSocket>();

Deno.serve({ port: Number(values.port), hostname: "127.0.0.1", onListen() {} }, (request) => {
  if (request.headers.get("upgrade") !== "websocket") return new Response("ok");
  const { socket, response } = Deno.upgradeWebSocket(request);
  socket.onopen = () => clients.add(socket);
  socket.onclose = () => clients.delete(socket);
  socket.onmessage = ({ data }) => {
    if (!data.startsWith(BROADCAST)) return socket.send(data);
    const event = PRESENCE_EVENT.padEnd(Number(data.slice(BROADCAST.length)), " ");
    for (const client of clients) client.send(event);
  };
  return response;
});
