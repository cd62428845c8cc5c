import { deepStrictEqual, ok } from "node:assert/strict";
import { reachableUrls } from "./reach.ts";

const OFF = { tls: false, tailscale: "off", names: [] } as const;
const reach = (hostname: string, how: Partial<Parameters<typeof reachableUrls>[1]> = {}) =>
  reachableUrls({ hostname, port: 1 }, { ...OFF, ...how }).map(({ url }) => url);

Deno.test("a gateway on loopback is reached by nobody else", () => {
  for (const hostname of ["127.0.0.1", "::1", "localhost"]) deepStrictEqual(reach(hostname), []);
});

Deno.test("a gateway on one address is reached there, in clear or over TLS", () => {
  deepStrictEqual(reach("192.168.1.5"), ["ws://192.168.1.5:1"]);
  deepStrictEqual(reach("fd00::5", { tls: true }), ["wss://[fd00::5]:1"]);
});

Deno.test("a gateway on every address is reached at those of this machine's networks", () => {
  for (const url of reach("0.0.0.0")) {
    ok(/^ws:\/\/\d+\.\d+\.\d+\.\d+:1$/.test(url) && !url.includes("//127."), url);
  }
});

Deno.test("a gateway that Tailscale publishes is reached by its name there", () => {
  const names = ["box.tail1.ts.net"];
  deepStrictEqual(reach("127.0.0.1", { tailscale: "serve", names }), ["wss://box.tail1.ts.net"]);
  deepStrictEqual(reach("127.0.0.1", { tailscale: "off", names }), []);
});
