import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { startKernel } from "../../tests/kernel.ts";
import { textOf } from "./guard_frames.ts";
import { answer, toJson } from "./json.ts";

Deno.test("a payload is its JSON, and null where there is none", () => {
  strictEqual(toJson({ a: [1, "ä"] }), '{"a":[1,"ä"]}');
  strictEqual(toJson(undefined), "null");
  strictEqual(toJson(null), "null");
  strictEqual(toJson("x"), '"x"');
});

Deno.test("an answer names its request, whatever that calls itself", () => {
  for (const payload of [{ a: "ä" }, Object.freeze({ a: "ä" }), "x", null, undefined]) {
    for (const id of ["1", '"}{', "ü\n"]) {
      deepStrictEqual(JSON.parse(textOf(answer(id, payload))), {
        type: "res",
        id,
        ok: true,
        payload: payload ?? null,
      });
    }
  }
});

Deno.test("an answer that is frozen is put into JSON once", () => {
  const counted = { times: 0, toJSON: () => ++counted.times };
  const said = (payload: unknown) => JSON.parse(textOf(answer("1", payload))).payload;
  const frozen = Object.freeze({ counted });
  deepStrictEqual([said(frozen), said(frozen), counted.times], [
    { counted: 1 },
    { counted: 1 },
    1,
  ]);
  const open = { counted };
  deepStrictEqual([said(open), said(open)], [{ counted: 2 }, { counted: 3 }]);
});

Deno.test("the answers that everybody asks for are frozen", async () => {
  await using kernel = startKernel();
  const health = await kernel.call("health", {});
  strictEqual(Object.isFrozen(health), true);
  strictEqual(await kernel.call("health", {}), health);
});
