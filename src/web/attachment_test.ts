import { ok, strictEqual } from "node:assert/strict";
import { objection } from "./attachment.ts";

const limits = { image: 5_000_000, total: 8_000_000 };
const picture = { name: "a.png", type: "image/png", size: 4_000_000 };

Deno.test("an empty file is nothing to send", () => {
  for (const type of ["text/plain", "image/png"]) {
    strictEqual(objection({ name: "a", type, size: 0 }, [], limits), "a is empty");
  }
});

Deno.test("pictures and small texts may be sent", () => {
  strictEqual(objection(picture, [], limits), undefined);
  strictEqual(objection({ name: "a.md", type: "text/markdown", size: 900 }, [], limits), undefined);
  strictEqual(objection({ name: "Makefile", type: "", size: 900 }, [], limits), undefined);
});

Deno.test("what the gateway would refuse is refused here, with the reason", () => {
  const refused = (file: typeof picture, others: { bytes: number }[] = []) =>
    objection(file, others, limits) ?? "";
  ok(refused({ ...picture, size: 5_000_001 }).includes("at most 5 MB"));
  ok(refused({ ...picture, type: "image/svg+xml" }).includes("only PNG"));
  ok(refused({ name: "a.log", type: "text/plain", size: 600_000 }).includes("at most 0.5 MB"));
  ok(refused(picture, [{ bytes: 4_000_001 }]).includes("at most 8 MB in one message"));
});
