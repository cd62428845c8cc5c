import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { FakeGateway } from "../client/fake_gateway.ts";
import { openStore } from "../store/sqlite.ts";
import { runOn, withHome } from "./fake_io.ts";

const TOKEN = "4f1c9a7be02d6835c1f7a90e4b6d2385";
const ignore = Deno.build.os === "windows";

Deno.test("audit of a house in order finds nothing bad, and exits with 0", () =>
  withHome(async ({ stateDir, env }) => {
    await Deno.writeTextFile(`${stateDir}/openclaw.json`, "{}", { mode: 0o600 });
    await using gateway = new FakeGateway({
      answers: { "device.pair.list": () => ({ pending: [], paired: [] }) },
    });
    const argv = ["security", "audit", "--json", "--url", gateway.url, "--token", TOKEN];
    const { code, stdout, stderr } = await runOn(argv, { env });
    deepStrictEqual({ code, stderr }, { code: 0, stderr: "" });
    const { ts, summary, findings, fixed } = JSON.parse(stdout);
    strictEqual(ts, 1_000_000_000_000);
    deepStrictEqual({ critical: summary.critical, warn: summary.warn }, { critical: 0, warn: 0 });
    deepStrictEqual(findings.map(({ checkId }: { checkId: string }) => checkId), [
      "gateway.version_differs", // the fake's
    ]);
    deepStrictEqual(fixed, []);
  }));

Deno.test({
  name: "--fix mends what is safe, says what, and leaves the rest",
  ignore,
  fn: () =>
    withHome(async ({ stateDir, env }) => {
      const path = `${stateDir}/openclaw.json`;
      const config = {
        gateway: { auth: { token: "changeme" }, controlUi: { allowInsecureAuth: true } },
        channels: { telegram: { dmPolicy: "open", allowFrom: ["*", "7"], groupPolicy: "open" } },
      };
      await Deno.writeTextFile(path, JSON.stringify(config));
      await Deno.mkdir(`${stateDir}/identity`);
      await Deno.writeTextFile(`${stateDir}/identity/device.json`, "{}");
      for (const name of ["openclaw.json", "identity/device.json"]) {
        await Deno.chmod(`${stateDir}/${name}`, 0o644);
      }
      await Deno.chmod(stateDir, 0o755);
      await Deno.chmod(`${stateDir}/identity`, 0o755);
      const before = await audit(env);
      strictEqual(before.code, 1);
      deepStrictEqual(before.report.findings.map(({ checkId }) => checkId), [
        "channels.telegram.dm.open",
        "channels.telegram.groups.open",
        "credentials.guessable",
        "fs.config.perms_world_readable",
        "fs.credentials.perms_world_readable",
        "config.insecure_or_dangerous_flags",
        "fs.state_dir.perms_readable",
        "config.secrets_plaintext",
      ]);
      const after = await audit(env, "--fix");
      strictEqual(after.code, 1, "the secret is still a bad one");
      deepStrictEqual(
        after.report.fixed,
        [
          "openclaw config unset gateway.controlUi.allowInsecureAuth",
          "openclaw config set channels.telegram.dmPolicy pairing",
          `openclaw config set channels.telegram.allowFrom '["7"]'`,
          "openclaw config set channels.telegram.groupPolicy allowlist",
          `chmod 700 ${stateDir} (was 755)`,
          `chmod 600 ${path} (was 644)`,
          `chmod 700 ${stateDir}/identity (was 755)`,
          `chmod 600 ${stateDir}/identity/device.json (was 644)`,
        ].map((line) => after.report.fixed.includes(line) ? line : `missing: ${line}`),
      );
      deepStrictEqual(
        after.report.findings.filter(({ severity }) => severity !== "info").map(({ checkId }) =>
          checkId
        ),
        ["credentials.guessable"],
      );
      strictEqual((await Deno.stat(path)).mode! & 0o777, 0o600);
      const again = await audit(env, "--fix");
      deepStrictEqual(again.report.fixed, []);
    }),
});

Deno.test("no secret is printed, and each finding says how it is mended", () =>
  withHome(async ({ stateDir, env }) => {
    const config = {
      gateway: { auth: { token: "hunter2-hunter2" } },
      hooks: { enabled: true, token: "hunter2-hunter2" },
      models: { providers: { x: { apiKey: "hunter2-hunter2" } } },
    };
    await Deno.writeTextFile(`${stateDir}/openclaw.json`, JSON.stringify(config));
    const { code, stdout, stderr } = await runOn(["security"], { env });
    strictEqual(code, 1);
    ok(!`${stdout}${stderr}`.includes("hunter2"), stdout);
    match(stdout, /critical {2}One secret opens several doors {2}hooks.token_reuse_gateway_token/);
    match(stdout, /→ openclaw config set --text hooks.token "\$\(openssl rand -hex 24\)"/);
  }));

Deno.test("a configuration that can't be read is critical, and the rest is looked at all the same", () =>
  withHome(async ({ stateDir, env }) => {
    await Deno.writeTextFile(`${stateDir}/openclaw.json`, "{ nothing", { mode: 0o600 });
    const { code, report } = await audit(env);
    strictEqual(code, 1);
    deepStrictEqual(report.findings.map(({ checkId }) => checkId), [
      "config.unreadable",
      "devices.not_checked",
    ]);
  }));

Deno.test({
  name: "links, and a state folder that others can replace, are found",
  ignore,
  fn: () =>
    withHome(async ({ stateDir }) => {
      await Deno.chmod(stateDir, 0o777);
      await Deno.mkdir(`${stateDir}/real`, { mode: 0o700 });
      await Deno.symlink(`${stateDir}/real`, `${stateDir}/link`);
      await Deno.symlink("/etc", `${stateDir}/real/workspace`);
      const { report } = await audit({ OPENCLAW_STATE_DIR: `${stateDir}/link` });
      const found = report.findings.map(({ severity, checkId }) => `${severity} ${checkId}`);
      for (
        const expected of [
          "critical fs.state_dir.parent_writable",
          "info fs.state_dir.symlink",
          "info fs.symlink",
        ]
      ) ok(found.includes(expected), `${expected} is not in ${found}`);
    }),
});

Deno.test("while no gateway runs, its devices are found in its store", () =>
  withHome(async ({ stateDir, env }) => {
    {
      using store = openStore(`${stateDir}/openclaw.sqlite`);
      store.devices.saveDevice({
        deviceId: "d1",
        publicKey: "k",
        roles: ["operator"],
        scopes: ["operator.read"],
        tokens: {},
        createdAtMs: 0,
        approvedAtMs: 0,
        approvedVia: "owner",
      });
    }
    const { code, report } = await audit(env);
    strictEqual(code, 0);
    deepStrictEqual(report.findings.map(({ checkId }) => checkId), ["devices.stale"]);
  }));

Deno.test("log prints what was written, for people or as it is", () =>
  withHome(async ({ stateDir, env }) => {
    await Deno.mkdir(`${stateDir}/logs`);
    const lines = [
      `{"ts":0,"action":"connect","allowed":false,"reason":"AUTH_TOKEN_MISMATCH"}`,
      `{"ts":1000,"action":"config.set","allowed":true}`,
    ];
    await Deno.writeTextFile(`${stateDir}/logs/audit.jsonl`, `${lines.join("\n")}\n`);
    const print = async (...flags: string[]) =>
      (await runOn(["security", "log", ...flags], { env })).stdout;
    strictEqual(
      await print("--utc"),
      "1970-01-01 00:00:00 refused connect AUTH_TOKEN_MISMATCH\n" +
        "1970-01-01 00:00:01 allowed config.set\n",
    );
    strictEqual(await print("--json", "--limit", "1"), `${lines[1]}\n`);
    strictEqual(await print("--json", "--refused"), `${lines[0]}\n`);
  }));

interface Report {
  readonly findings: readonly { readonly checkId: string; readonly severity: string }[];
  readonly fixed: readonly string[];
}

/** An audit where no gateway runs, unless the flags name one. */
async function audit(
  env: Readonly<Record<string, string | undefined>>,
  ...flags: readonly string[]
): Promise<{ code: number; report: Report }> {
  const options = { env: { OPENCLAW_GATEWAY_PORT: "1", ...env } };
  const { code, stdout } = await runOn(["security", "audit", "--json", ...flags], options);
  return { code, report: JSON.parse(stdout) };
}
