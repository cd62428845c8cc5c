import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { patchConfig } from "./config_patch.ts";
import { FakeIo, withHome } from "./fake_io.ts";
import { paintFor } from "./paint.ts";
import { resolvePaths } from "./paths.ts";

Deno.test("a file is changed as a gateway changes it: lists with ids, too", async () => {
  await withHome(async ({ stateDir, env: home }) => {
    const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
    const { port } = listener.addr;
    listener.close(); // no gateway is there
    const env = { ...home, OPENCLAW_GATEWAY_PORT: `${port}` };
    const path = `${stateDir}/openclaw.json`;
    await Deno.writeTextFile(path, `{ agents: { list: [{ id: "a", name: "A" }, { id: "b" }] } }`);
    const call = {
      connection: {},
      env,
      paths: resolvePaths(env, {}),
      io: new FakeIo({ env }),
      paint: paintFor(false),
    };
    const writtenBy = await patchConfig(call, { agents: { list: [{ id: "b", name: "B" }] } });
    strictEqual(writtenBy, "file");
    deepStrictEqual(JSON.parse(await Deno.readTextFile(path)), {
      agents: { list: [{ id: "a", name: "A" }, { id: "b", name: "B" }] },
    });
  });
});
