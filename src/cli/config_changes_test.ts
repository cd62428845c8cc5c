import { deepStrictEqual } from "node:assert/strict";
import { changedPaths } from "./config_changes.ts";

const BEFORE = {
  gateway: { port: 1, auth: { token: "old", mode: "token" } },
  channels: { telegram: { allowFrom: ["1"] } },
};

Deno.test("what was set, changed and removed is named, and no value is", () => {
  const after = {
    gateway: { port: 1, auth: { token: "new" }, bind: "lan" },
    channels: { telegram: { allowFrom: ["1", "*"] } },
  };
  deepStrictEqual(changedPaths(BEFORE, after), [
    "gateway.auth.token",
    "gateway.auth.mode",
    "gateway.bind",
    "channels.telegram.allowFrom",
  ]);
});

Deno.test("a section that comes or goes is one name", () => {
  deepStrictEqual(changedPaths({}, { hooks: { token: "t", enabled: true } }), ["hooks"]);
  deepStrictEqual(changedPaths(BEFORE, { gateway: BEFORE.gateway }), ["channels"]);
});

Deno.test("a configuration is not different from itself", () => {
  deepStrictEqual(changedPaths(BEFORE, structuredClone(BEFORE)), []);
});
