import { strictEqual } from "node:assert/strict";
import { stopClock } from "../../tests/clock.ts";
import { LocalServers } from "./local.ts";

Deno.test("model servers are looked for again after a while, also where the clock was set back", async () => {
  let asked = 0;
  const servers = new LocalServers({}, (input) => {
    if (String(input).endsWith("/api/tags")) asked++;
    return Promise.reject(new TypeError("connection refused"));
  });
  using clock = stopClock("Date", "performance");
  await servers.find();
  clock.setSystemTime(0);
  clock.tick(30_000);
  await servers.find();
  strictEqual(asked, 1);
  clock.tick(1);
  await servers.find();
  strictEqual(asked, 2);
});
