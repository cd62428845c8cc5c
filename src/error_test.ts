import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { GatewayError, invalid, toWireError } from "./error.ts";

Deno.test("a refusal is told as it was meant, without what is only for us", () => {
  deepStrictEqual(toWireError(invalid("no such thing")), {
    code: "INVALID_REQUEST",
    message: "no such thing",
  });
  const refusal = new GatewayError("UNAVAILABLE", "later", {
    details: { why: "busy" },
    retryable: true,
    retryAfterMs: 5,
    payload: { runId: "1" },
    cause: new Error("the disk is full"),
  });
  deepStrictEqual(toWireError(refusal), {
    code: "UNAVAILABLE",
    message: "later",
    details: { why: "busy" },
    retryable: true,
    retryAfterMs: 5,
  });
});

Deno.test("a bug is told without its text", () => {
  for (const bug of [new TypeError("cannot read /home/me/secret"), "a string", undefined]) {
    const { code, message } = toWireError(bug);
    strictEqual(code, "UNAVAILABLE");
    strictEqual(message, "internal error: see the gateway's log");
  }
});
