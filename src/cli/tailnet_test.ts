import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { FakeTailscale } from "../../tests/fakes/tailscale.ts";
import { RecordedLog } from "../../tests/kernel.ts";
import { Tailnet } from "./tailnet.ts";
import { Tailscale } from "./tailscale.ts";

const ignore = Deno.build.os === "windows";
const SERVE = { mode: "serve", target: "18789", resetOnExit: true } as const;

Deno.test({
  name: "the machine's name is its own, the gateway is served under it, and taken back at the end",
  ignore,
  async fn() {
    await using fake = await FakeTailscale.install();
    const log = new RecordedLog();
    {
      await using tailnet = new Tailnet({ PATH: fake.path, HOME: "/home/ada" }, { log });
      deepStrictEqual(tailnet.names, []);
      await tailnet.open(SERVE);
      deepStrictEqual(tailnet.names, ["box.tail1234.ts.net"]);
      deepStrictEqual(await fake.asked(), [
        "status --json --peers=false",
        "serve --bg --yes 18789",
      ]);
    }
    strictEqual((await fake.asked()).at(-1), "serve --https=443 off");
    for (const name of await fake.environment()) match(name, /^(PATH|HOME|PWD|OLDPWD|SHLVL|_)$/);
  },
});

Deno.test({
  name: "without a wish to reset, and without a wish to publish, nothing is changed",
  ignore,
  async fn() {
    await using fake = await FakeTailscale.install();
    const env = { PATH: fake.path };
    for (const how of [{ ...SERVE, resetOnExit: false }, { ...SERVE, mode: "off" }] as const) {
      await using tailnet = new Tailnet(env, { log: new RecordedLog() });
      await tailnet.open(how);
    }
    const asked = await fake.asked();
    strictEqual(asked.filter((line) => line.startsWith("serve")).length, 1);
    ok(!asked.some((line) => line.endsWith("off")));
  },
});

Deno.test({
  name: "a tailnet that is not there yet is warned of, and tried again",
  ignore,
  async fn() {
    await using fake = await FakeTailscale.install();
    await fake.is("Stopped");
    const log = new RecordedLog();
    await using tailnet = new Tailnet({ PATH: fake.path }, { log, retryMs: 1 });
    const published = new Promise<void>((resolve) => {
      log.info = () => resolve();
    });
    await tailnet.open(SERVE);
    match(log.lines[0]?.message ?? "", /Tailscale is not up on this machine: it says 'Stopped'/);
    await fake.is("Running");
    await published;
  },
});

Deno.test({
  name: "what Tailscale refuses is told in its own words",
  ignore,
  async fn() {
    await using fake = await FakeTailscale.install();
    await fake.breakServe();
    const log = new RecordedLog();
    await using tailnet = new Tailnet({ PATH: fake.path }, { log });
    await tailnet.open(SERVE);
    match(log.lines[0]?.message ?? "", /serve is not enabled on your tailnet/);
    deepStrictEqual(tailnet.names, []);
  },
});

Deno.test({
  name: "whois names the person of a device, and nobody where there is none",
  ignore,
  async fn() {
    await using fake = await FakeTailscale.install();
    await using tailnet = new Tailnet({ PATH: fake.path }, { log: new RecordedLog() });
    strictEqual(await tailnet.whois("100.64.0.7"), "ada@example.com");
    for (const address of ["100.64.0.9", "100.64.0.99", "--help", "$(id)", ""]) {
      strictEqual(await tailnet.whois(address), undefined, address);
    }
    ok(!(await fake.asked()).some((line) => /help|id\)/.test(line)));
    await Promise.all(Array.from({ length: 20 }, () => tailnet.whois("100.64.0.8")));
    strictEqual((await fake.asked()).filter((line) => line.endsWith("100.64.0.8")).length, 1);
  },
});

Deno.test("a machine without Tailscale knows nobody", async () => {
  await rejects(Tailscale.find({ PATH: "/nowhere" }), /`tailscale` is not in PATH/);
  await using tailnet = new Tailnet({}, { log: new RecordedLog() });
  strictEqual(await tailnet.whois("100.64.0.7"), undefined);
});

Deno.test({
  name: "whoever is still asked for at the end is nobody, and nothing is left running",
  ignore,
  async fn() {
    await using fake = await FakeTailscale.install();
    let answer: Promise<string | undefined>;
    {
      await using tailnet = new Tailnet({ PATH: fake.path }, { log: new RecordedLog() });
      answer = tailnet.whois("100.64.0.10"); // Tailscale says nothing
    }
    strictEqual(await answer, undefined);
  },
});
