import { strictEqual } from "node:assert/strict";
import { LocalServers } from "./local.ts";

Deno.test("model servers are looked for again after a while, also where the clock was set back", async () => {
  let asked = 0;
  const servers = new LocalServers({}, (input) => {
    if (String(input).endsWith("/api/tags")) asked++;
    return Promise.reject(new TypeError("connection refused"));
  });
  const hour = 3_600_000;
  for (const now of [hour, hour + 30_000, hour + 30_001, 0, 1]) await servers.find(now);
  strictEqual(asked, 3);
});
