import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { glanceAt } from "./glance.ts";
import { openStore, SCHEMA_VERSION } from "./sqlite.ts";

Deno.test("a closed store can be looked at, and is as it was afterwards", async () => {
  const folder = await Deno.makeTempDir({ prefix: "openclaw-glance-" });
  const path = `${folder}/a store?.sqlite`;
  try {
    {
      using store = openStore(path);
      store.devices.saveDevice({
        deviceId: "d1",
        publicKey: "k",
        roles: ["operator"],
        scopes: ["operator.read"],
        tokens: {},
        createdAtMs: 1,
        approvedAtMs: 2,
        approvedVia: "owner",
      });
    }
    const files = () => [...Deno.readDirSync(folder)].map(({ name }) => name);
    const before = files();
    const { version, known, paired, pending } = glanceAt(path);
    deepStrictEqual([version, known], [SCHEMA_VERSION, SCHEMA_VERSION]);
    deepStrictEqual([paired.map(({ deviceId }) => deviceId), pending], [["d1"], []]);
    deepStrictEqual(files(), before);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("where there is no store, none is made", async () => {
  const folder = await Deno.makeTempDir({ prefix: "openclaw-glance-" });
  try {
    throws(() => glanceAt(`${folder}/x.sqlite`), Deno.errors.NotFound);
    await Deno.writeTextFile(`${folder}/no.sqlite`, "this is something else, and long enough");
    throws(() => glanceAt(`${folder}/no.sqlite`));
    strictEqual([...Deno.readDirSync(folder)].length, 1);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
