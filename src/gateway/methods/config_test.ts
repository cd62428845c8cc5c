import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { startKernel, type TestKernel } from "../../../tests/kernel.ts";
import { type Config, REDACTED } from "../../config.ts";
import { GatewayError } from "../../error.ts";

const CONFIG: Config = {
  gateway: { port: 1, auth: { token: "t0ken" } },
  models: { providers: { mine: { apiKey: "sk-1", headers: { "x-key": "h1" } } } },
};

Deno.test("config.get shows the file without its secrets", async () => {
  await using kernel = startKernel({ config: CONFIG });
  const shown = await kernel.call("config.get", {});
  deepStrictEqual([shown.exists, shown.valid, shown.path], [true, true, "/state/openclaw.json"]);
  deepStrictEqual(shown.config, {
    gateway: { port: 1, auth: { token: REDACTED } },
    models: { providers: { mine: { apiKey: REDACTED, headers: { "x-key": REDACTED } } } },
  });
  deepStrictEqual(shown.parsed, shown.config);
  strictEqual(shown.raw, `${JSON.stringify(shown.config, null, 2)}\n`);
  for (const secret of ["t0ken", "sk-1", "h1"]) ok(!JSON.stringify(shown).includes(secret));
});

Deno.test("config.get tells that there is no file, and what is wrong with one", async () => {
  await using kernel = startKernel();
  const none = await kernel.call("config.get", {});
  deepStrictEqual([none.exists, none.raw, none.hash, none.config], [false, null, undefined, {}]);
  kernel.config.edit(`{ gateway: { port: 'x' }, extra: 1 }`);
  const wrong = await kernel.call("config.get", {});
  strictEqual(wrong.valid, false);
  deepStrictEqual(wrong.issues.map(({ path }) => path), ["gateway.port"]);
  deepStrictEqual(wrong.warnings.map(({ path }) => path), ["extra"]);
  kernel.config.edit("{ broken");
  const broken = await kernel.call("config.get", {});
  deepStrictEqual([broken.valid, broken.issues.length, broken.config], [false, 1, {}]);
});

Deno.test("config.set replaces the file, and puts secrets back behind their masks", async () => {
  await using kernel = startKernel({ config: CONFIG });
  const { raw, hash } = await kernel.call("config.get", {});
  const edited = raw!.replace('"port": 1', '"port": 2');
  const { config } = await kernel.call("config.set", { raw: edited, baseHash: hash });
  deepStrictEqual(JSON.parse(kernel.config.text ?? ""), {
    ...CONFIG,
    gateway: { port: 2, auth: { token: "t0ken" } },
  });
  ok(JSON.stringify(config).includes(REDACTED) && !JSON.stringify(config).includes("t0ken"));
  strictEqual(kernel.config.config.gateway?.port, 2);
});

Deno.test("config.set takes a first file without a hash", async () => {
  await using kernel = startKernel();
  await kernel.call("config.set", { raw: "{ gateway: { port: 3 } }" });
  strictEqual(kernel.config.config.gateway?.port, 3);
});

Deno.test("a file that is there is only written by who has read it", async () => {
  await using kernel = startKernel({ config: CONFIG });
  const { hash } = await kernel.call("config.get", {});
  for (const method of ["config.set", "config.patch"] as const) {
    await rejects(
      kernel.call(method, { raw: "{}" }),
      /^GatewayError: config base hash required; re-run config\.get and retry$/,
    );
    await rejects(
      kernel.call(method, { raw: "{}", baseHash: "other" }),
      /^GatewayError: config changed since last load; re-run config\.get and retry$/,
    );
  }
  const both = await Promise.allSettled([
    patch(kernel, { gateway: { port: 5 } }, hash),
    patch(kernel, { gateway: { port: 6 } }, hash),
  ]);
  deepStrictEqual(both.map(({ status }) => status), ["fulfilled", "rejected"]);
  strictEqual(kernel.config.config.gateway?.port, 5);
});

Deno.test("what is not valid is not written", async () => {
  await using kernel = startKernel({ config: CONFIG });
  const before = kernel.config.text;
  const { hash } = await kernel.call("config.get", {});
  const refused = (error: unknown) => {
    ok(error instanceof GatewayError);
    strictEqual(error.message, "invalid config");
    const { issues } = error.details as { issues: readonly { path: string }[] };
    return issues.length === 1;
  };
  await rejects(patch(kernel, { gateway: { port: "x" } }, hash), refused);
  await rejects(kernel.call("config.set", { raw: "{ broken", baseHash: hash }), refused);
  await rejects(
    kernel.call("config.patch", { raw: "{ broken", baseHash: hash }),
    /config patch is not JSON5: /,
  );
  strictEqual(kernel.config.text, before);
});

Deno.test("config.patch merges: null removes, objects merge, the rest replaces", async () => {
  await using kernel = startKernel({
    config: { ...CONFIG, commands: { ownerAllowFrom: ["1", "2"] } },
  });
  const { hash } = await kernel.call("config.get", {});
  const change = {
    gateway: { auth: { token: REDACTED, mode: "token" } },
    models: { providers: { mine: null, other: { baseUrl: "http://x" } } },
    commands: { ownerAllowFrom: ["3"] },
    session: { scope: "global" },
  };
  await patch(kernel, change, hash);
  deepStrictEqual(JSON.parse(kernel.config.text ?? ""), {
    gateway: { port: 1, auth: { token: "t0ken", mode: "token" } },
    models: { providers: { other: { baseUrl: "http://x" } } },
    commands: { ownerAllowFrom: ["3"] },
    session: { scope: "global" },
  });
});

Deno.test("config.patch merges a list by ids, and replaces it where it is told to", async () => {
  const list = [{ id: "a", name: "Ada", identity: { emoji: "🦀" } }, { id: "b" }];
  await using kernel = startKernel({ config: { agents: { list } } });
  const after = async (agents: unknown, replacePaths?: readonly string[]) => {
    const { hash } = await kernel.call("config.get", {});
    const raw = JSON.stringify({ agents: { list: agents } });
    await kernel.call("config.patch", { raw, baseHash: hash, replacePaths });
    return kernel.config.config.agents?.list;
  };
  deepStrictEqual(await after([{ id: "c" }, { id: "a", name: null, workspace: "/w" }]), [
    { id: "a", identity: { emoji: "🦀" }, workspace: "/w" },
    { id: "b" },
    { id: "c" },
  ]);
  deepStrictEqual(await after([{ id: "b" }], ["agents.list"]), [{ id: "b" }]);
});

Deno.test("a patch of __proto__ pollutes nothing", async () => {
  await using kernel = startKernel({ config: CONFIG });
  const { hash } = await kernel.call("config.get", {});
  const raw = '{ "__proto__": { "polluted": 1 }, "gateway": { "__proto__": { "port": 9 } } }';
  await kernel.call("config.patch", { raw, baseHash: hash });
  strictEqual("polluted" in {}, false);
  strictEqual(kernel.config.config.gateway?.port, 1);
});

Deno.test("a file that can't be read is not patched away", async () => {
  await using kernel = startKernel({ config: CONFIG });
  kernel.config.edit("{ half an edit");
  const { hash } = await kernel.call("config.get", {});
  await rejects(patch(kernel, { gateway: { port: 2 } }, hash), /invalid config/);
  strictEqual(kernel.config.text, "{ half an edit");
});

Deno.test("who has changed the file can change it again with what they were told", async () => {
  await using kernel = startKernel({ config: CONFIG });
  const { hash } = await kernel.call("config.get", {});
  const set = await kernel.call("config.set", { raw: "{ gateway: { port: 2 } }", baseHash: hash });
  const patched = await patch(kernel, { gateway: { port: 3 } }, set.hash);
  strictEqual((await kernel.call("config.get", {})).hash, patched.hash);
  strictEqual(kernel.config.config.gateway?.port, 3);
});

Deno.test("secrets that a broken file hides are still behind their masks", async () => {
  await using kernel = startKernel({ config: CONFIG });
  kernel.config.edit("{ half an edit");
  const { hash, config } = await kernel.call("config.get", {});
  await kernel.call("config.set", { raw: JSON.stringify(config), baseHash: hash });
  deepStrictEqual(JSON.parse(kernel.config.text ?? ""), CONFIG);
});

Deno.test("secrets that a file with mistakes has no more are still behind their masks", async () => {
  await using kernel = startKernel({ config: CONFIG });
  kernel.config.edit(`{ "gateway": { "port": "one" }, "models": ["none"] }`);
  const { hash, config } = await kernel.call("config.get", {});
  await kernel.call("config.set", { raw: JSON.stringify(config), baseHash: hash });
  deepStrictEqual(JSON.parse(kernel.config.text ?? ""), CONFIG);
});

Deno.test("config.schema is JSON Schema, with hints for forms", async () => {
  await using kernel = startKernel();
  const { schema, uiHints, version } = await kernel.call("config.schema", {});
  strictEqual((schema as { type: string }).type, "object");
  strictEqual(uiHints["gateway.auth.token"]?.sensitive, true);
  strictEqual(version, "1.2.3");
});

function patch(kernel: TestKernel, change: unknown, baseHash: string | undefined) {
  return kernel.call("config.patch", { raw: JSON.stringify(change), baseHash });
}
