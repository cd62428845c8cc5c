/**
 * The least that a WebSocket server can do: `Deno.serve` sends back what it gets, or as many bytes
 * as a gateway would. Measured beside the gateway, it says what a number is worth on this machine.
 * Takes the gateway's flags.
 */
import { parseArgs } from "node:util";
import { ANSWERS, BROADCAST, ECHOED, PRESENCE_EVENT } from "./wire.ts";

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
  let answer: string | undefined;
  socket.onmessage = ({ data }: MessageEvent<string>) => {
    if (data.startsWith(BROADCAST)) {
      const event = PRESENCE_EVENT.padEnd(Number(data.slice(BROADCAST.length)), " ");
      for (const client of clients) client.send(event);
    } else if (data.startsWith(ANSWERS)) {
      answer = ECHOED.padEnd(Number(data.slice(ANSWERS.length)), " ");
    } else {
      socket.send(answer ?? data);
    }
  };
  return response;
});
