import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { startKernel } from "../../tests/kernel.ts";
import { toJson } from "./json.ts";

Deno.test("a payload is its JSON, and null where there is none", () => {
  strictEqual(toJson({ a: [1, "ä"] }), '{"a":[1,"ä"]}');
  strictEqual(toJson(undefined), "null");
  strictEqual(toJson(null), "null");
  strictEqual(toJson("x"), '"x"');
});

Deno.test("what is frozen is put into JSON once", () => {
  const counted = { times: 0, toJSON: () => ++counted.times };
  const frozen = Object.freeze({ counted });
  deepStrictEqual([toJson(frozen), toJson(frozen), counted.times], [
    '{"counted":1}',
    '{"counted":1}',
    1,
  ]);
  const open = { counted };
  deepStrictEqual([toJson(open), toJson(open)], ['{"counted":2}', '{"counted":3}']);
});

Deno.test("the answers that everybody asks for are frozen", async () => {
  await using kernel = startKernel();
  const health = await kernel.call("health", {});
  strictEqual(Object.isFrozen(health), true);
  strictEqual(await kernel.call("health", {}), health);
});
