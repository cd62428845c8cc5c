import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { UsageError } from "./flags.ts";
import { resolvePaths } from "./paths.ts";

const HOME = "/home/ada";

Deno.test("things are in ~/.openclaw, and the port is the usual one", () => {
  deepStrictEqual(resolvePaths({ HOME }), {
    stateDir: "/home/ada/.openclaw",
    configPath: "/home/ada/.openclaw/openclaw.json",
    port: undefined,
    defaultPort: 18_789,
  });
});

Deno.test("a profile has a folder of its own, and dev a port too", () => {
  strictEqual(resolvePaths({ HOME }, { profile: "work" }).stateDir, "/home/ada/.openclaw-work");
  strictEqual(resolvePaths({ HOME, OPENCLAW_PROFILE: "w" }).stateDir, "/home/ada/.openclaw-w");
  strictEqual(resolvePaths({ HOME }, { profile: "default" }).stateDir, "/home/ada/.openclaw");
  const { stateDir, defaultPort } = resolvePaths({ HOME }, { dev: true });
  deepStrictEqual({ stateDir, defaultPort }, {
    stateDir: "/home/ada/.openclaw-dev",
    defaultPort: 19_001,
  });
});

Deno.test("the environment names folder, file and port outright", () => {
  const env = {
    HOME,
    OPENCLAW_STATE_DIR: "~/state",
    OPENCLAW_CONFIG_PATH: "/etc/openclaw.json",
    OPENCLAW_GATEWAY_PORT: "1234",
  };
  deepStrictEqual(resolvePaths(env, { profile: "work" }), {
    stateDir: "/home/ada/state",
    configPath: "/etc/openclaw.json",
    port: 1234,
    defaultPort: 18_789,
  });
  strictEqual(resolvePaths(env, { port: 5 }).port, 5);
  strictEqual(resolvePaths({ HOME, OPENCLAW_HOME: "/srv" }).stateDir, "/srv/.openclaw");
});

Deno.test("what can't be meant is refused", () => {
  throws(() => resolvePaths({}), UsageError);
  throws(() => resolvePaths({ HOME }, { profile: "../x" }), UsageError);
  throws(() => resolvePaths({ HOME, OPENCLAW_GATEWAY_PORT: "99999" }), UsageError);
  throws(() => resolvePaths({ HOME, OPENCLAW_GATEWAY_PORT: "x" }), UsageError);
});
