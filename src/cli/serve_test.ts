import { doesNotMatch, match, ok, strictEqual } from "node:assert/strict";
import { runOn, withHome } from "./fake_io.ts";

Deno.test("a store that can't be used is said without a stack, to the gateway and to commands", () =>
  withHome(async ({ stateDir, env }) => {
    await Deno.writeTextFile(`${stateDir}/openclaw.sqlite`, "a letter ".repeat(1000));
    for (const line of [["gateway", "--port", "0"], ["devices", "--offline"]]) {
      const { code, stderr } = await runOn(line, { env });
      strictEqual(code, 1);
      match(stderr, /error: Cannot use store '.+': it is not an SQLite database; put a backup/);
      doesNotMatch(stderr, /^ +at /m);
    }
  }));

Deno.test("an address that is not this machine's is named, with what to set", () =>
  withHome(async ({ stateDir, env }) => {
    for (const host of ["203.0.113.1", "no such host"]) {
      const gateway = { customBindHost: host, auth: { token: "a-token-that-is-long-enough" } };
      await Deno.writeTextFile(`${stateDir}/openclaw.json`, JSON.stringify({ gateway }));
      const { code, stderr } = await runOn(["gateway", "--bind", "custom", "--port", "0"], { env });
      strictEqual(code, 1);
      ok(stderr.includes(`error: Cannot listen on ${host}:0: `), stderr);
      match(stderr, /set gateway\.customBindHost to an address of this machine/);
      doesNotMatch(stderr, /^ +at /m);
    }
  }));
