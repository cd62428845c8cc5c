import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { negotiate, WIRE } from "./version.ts";

Deno.test("the newest version that both speak is spoken", () => {
  const table: readonly [min: number, max: number, protocol: number | undefined][] = [
    [3, 3, 3],
    [4, 4, 4],
    [3, 4, 4],
    [1, 3, 3],
    [1, 100, 4],
    [4, 100, 4],
    [5, 5, undefined],
    [1, 2, undefined],
    [4, 3, undefined],
  ];
  for (const [minProtocol, maxProtocol, protocol] of table) {
    strictEqual(
      negotiate({ minProtocol, maxProtocol })?.protocol,
      protocol,
      `${minProtocol}..${maxProtocol}`,
    );
  }
});

Deno.test("version 3 has no code for a missing scope, and no details of it", () => {
  const error = {
    code: "FORBIDDEN",
    message: "missing scope: operator.write",
    details: { code: "MISSING_SCOPE" },
    retryable: false,
  };
  deepStrictEqual(WIRE[3].error(error), {
    code: "INVALID_REQUEST",
    message: "missing scope: operator.write",
    retryable: false,
  });
  strictEqual(WIRE[4].error(error), error);
});

Deno.test("other errors are the same on both versions", () => {
  for (
    const error of [
      { code: "INVALID_REQUEST", message: "no", details: { code: "X" } },
      { code: "UNAVAILABLE", message: "later", retryable: true, retryAfterMs: 5 },
    ]
  ) {
    deepStrictEqual(WIRE[3].error(error), error);
    deepStrictEqual(WIRE[4].error(error), error);
  }
});

Deno.test("version 4 adds what the client should do next to a refused credential", () => {
  const next = (
    reason: Parameters<typeof WIRE[4]["authDetails"]>[1],
    canRetryWithDeviceToken = false,
  ) => WIRE[4].authDetails("C", reason, { canRetryWithDeviceToken }).recommendedNextStep;
  strictEqual(next("token_mismatch", true), "retry_with_device_token");
  strictEqual(next("token_mismatch"), "update_auth_credentials");
  strictEqual(next("password_missing"), "update_auth_configuration");
  strictEqual(next("rate_limited"), "wait_then_retry");
  strictEqual(next("device_token_mismatch"), "update_auth_credentials");
  strictEqual(next("tailscale_user_missing"), "review_auth_configuration");
  strictEqual(next("trusted_proxy_user_not_allowed"), "review_auth_configuration");
  deepStrictEqual(WIRE[3].authDetails("C", "token_mismatch", { canRetryWithDeviceToken: true }), {
    code: "C",
    authReason: "token_mismatch",
  });
});
