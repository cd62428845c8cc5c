import { deepStrictEqual, rejects, strictEqual, throws } from "node:assert/strict";
import { closed, method } from "../../schemas/contract.ts";
import { methods as protocol } from "../../schemas/mod.ts";
import * as Type from "../../schemas/type.ts";
import { callerOf, RecordedAudit } from "../../tests/kernel.ts";
import { GatewayError, invalid } from "../error.ts";
import { audited } from "./audited.ts";
import { createDispatch } from "./dispatch.ts";

const params = closed({ deviceId: Type.Optional(Type.String()) });
const result = Type.Unknown();
const methods = {
  read: method("read", { access: "operator.read", params, result }),
  approve: method("approve", { access: "operator.pairing", params, result }),
  later: method("later", { access: "operator.admin", params, result }),
  guarded: method("guarded", { access: "operator.read", params, result }),
  broken: method("broken", { access: "operator.admin", params, result }),
};

Deno.test("deeds are recorded with who did them and to what; reading is not", async () => {
  const { audit, ask } = start();
  const caller = callerOf({ deviceId: "me", remoteIp: "192.0.2.1" });
  ask("read", {}, caller);
  ask("approve", { deviceId: "d1" }, caller);
  strictEqual(audit.entries.length, 1);
  deepStrictEqual(audit.entries[0], {
    action: "approve",
    allowed: true,
    target: "d2", // what the answer names counts: the params may name a request only
    who: {
      connId: caller.connId,
      role: "operator",
      deviceId: "me",
      method: "token",
      clientId: "cli",
      remoteIp: "192.0.2.1",
    },
  });
  await ask("later", { deviceId: "good" }, caller);
  deepStrictEqual(short(audit), [["approve", true, undefined, "d2"], [
    "later",
    true,
    undefined,
    "good",
  ]]);
});

Deno.test("every call that is not for its caller is recorded, whatever it was for", () => {
  const { audit, ask } = start();
  throws(() => ask("read", {}, callerOf({ role: "node", scopes: [] })));
  throws(() => ask("approve", {}, callerOf({ scopes: ["operator.read"] })));
  throws(() => ask("nothing", {}));
  throws(() => ask("__proto__", {}));
  throws(() => ask("guarded", {}));
  deepStrictEqual(short(audit), [
    ["read", false, "UNAUTHORIZED_ROLE", undefined],
    ["approve", false, "MISSING_SCOPE", undefined],
    ["nothing", false, "UNKNOWN_METHOD", undefined],
    ["__proto__", false, "UNKNOWN_METHOD", undefined],
    ["guarded", false, "MISSING_SCOPE", undefined],
  ]);
});

Deno.test("a deed that failed is recorded with its code, a mistake in reading is not", async () => {
  const { audit, ask } = start();
  throws(() => ask("read", { unknown: 1 }));
  throws(() => ask("approve", { unknown: 1 }));
  await rejects(async () => await ask("later", { deviceId: "bad" }));
  throws(() => ask("broken", {}));
  deepStrictEqual(short(audit), [
    ["approve", false, "INVALID_REQUEST", undefined],
    ["later", false, "INVALID_REQUEST", "bad"],
    ["broken", false, "UNAVAILABLE", undefined],
  ]);
});

Deno.test("what changes rights or settings is audited, and asking is not", () => {
  const names = Object.values(protocol).filter(({ audited }) => audited).map(({ name }) => name);
  for (
    const name of [
      "device.pair.approve",
      "device.pair.reject",
      "device.pair.remove",
      "device.token.rotate",
      "device.token.revoke",
      "config.set",
      "config.patch",
      "sessions.delete",
      "sessions.reset",
      "chat.inject",
    ] as const
  ) {
    strictEqual(names.includes(name), true, name);
  }
  const reading = /\.(list|get|describe|tail|history|preview|schema|status|send)$/;
  deepStrictEqual(names.filter((name) => reading.test(name)), []);
});

function start() {
  const audit = new RecordedAudit();
  const dispatch = audited(
    createDispatch(methods, {
      read: () => "text",
      approve: () => ({ requestId: "r1", device: { deviceId: "d2" } }),
      later: ({ deviceId }: { deviceId: string }) =>
        deviceId === "bad" ? Promise.reject(invalid("no")) : Promise.resolve({}),
      guarded: () => {
        const details = { code: "MISSING_SCOPE" };
        throw new GatewayError("FORBIDDEN", "missing scope: operator.admin", { details });
      },
      broken: () => {
        throw new TypeError("what a bug says may hold anything");
      },
    }),
    { methods, audit },
  );
  const ask = (name: string, params: unknown, caller = callerOf()) =>
    dispatch(name, params, { caller, signal: new AbortController().signal, accept: () => {} });
  return { audit, ask };
}

function short({ entries }: RecordedAudit) {
  return entries.map(({ action, allowed, reason, target }) => [action, allowed, reason, target]);
}
