import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { GatewayRefusal } from "../client/client.ts";
import { Failure, failureAsJson, failureAsText } from "./failure.ts";

Deno.test("what the system refuses is one line, and a bug says where it is", () => {
  const text = (error: unknown) => failureAsText(error, (text) => text);
  strictEqual(
    text(new Error("No space left on device (os error 28): write '/x'")),
    "error: No space left on device (os error 28): write '/x'\n",
  );
  strictEqual(text(new TypeError("x is not a function")).includes("failure_test.ts"), true);
});

Deno.test("programs, too, are told what to do", () => {
  const { error } = failureAsJson(new Failure("NOT_FOUND", "There is none", { hint: "make one" }));
  deepStrictEqual([error.message, error.hint], ["There is none", "make one"]);
});

Deno.test("an error is called one once", () => {
  const message = "Error: Channel is required (no network is set up)";
  strictEqual(
    failureAsText(new GatewayRefusal({ code: "INVALID_REQUEST", message }), (text) => text),
    "error: Channel is required (no network is set up)\n",
  );
});
