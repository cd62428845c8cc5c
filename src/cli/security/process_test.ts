import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { processFindings, runningGateway } from "./process.ts";

Deno.test({
  name: "the gateway that has the store is known by its command line",
  ignore: Deno.build.os !== "linux",
  fn: () =>
    inFolder(async (home) => {
      strictEqual(await runningGateway(home), undefined);
      // Another program in the gateway's place: only its command line is looked at.
      const child = new Deno.Command("/bin/sh", {
        args: ["-c", "read line", "openclaw", "gateway", "--bind=lan", "--token", "s3cret"],
        stdin: "piped",
      }).spawn();
      const note = JSON.stringify({ pid: child.pid, startedAt: 0 });
      await Deno.writeTextFile(`${home}/openclaw.holder.json`, note);
      const running = await runningGateway(home);
      await child.stdin.close();
      await child.status;
      deepStrictEqual(running, {
        pid: child.pid,
        bind: "lan",
        auth: undefined,
        tailscale: undefined,
        secretFlags: ["--token"],
      });
      strictEqual(await runningGateway(home), undefined, "it is gone, though its note is there");
      const [finding] = await Array.fromAsync(processFindings(running, {}));
      strictEqual(finding?.checkId, "process.secret_in_arguments");
      ok(!JSON.stringify(finding).includes("s3cret"));
    }),
});

Deno.test({
  name: "a service that is given its secret in clear is found, and nothing of the secret is told",
  ignore: Deno.build.os === "windows",
  fn: () =>
    inFolder(async (home) => {
      const folder = `${home}/.config/systemd/user`;
      await Deno.mkdir(folder, { recursive: true });
      const put = async (name: string, text: string, mode: number) => {
        await Deno.writeTextFile(`${folder}/${name}`, text);
        await Deno.chmod(`${folder}/${name}`, mode);
      };
      await put("openclaw-gateway.service", "ExecStart=openclaw gateway --token s3cret\n", 0o644);
      await put("openclaw-2.service", "Environment=OPENCLAW_GATEWAY_TOKEN=s3cret\n", 0o600);
      await put(
        "openclaw-good.service",
        "LoadCredential=token:/x\nExecStart=openclaw gateway --token-file %d/token\n",
        0o644,
      );
      await put("other.service", "ExecStart=other --token s3cret\n", 0o644);
      const findings = (await Array.fromAsync(processFindings(undefined, { HOME: home })))
        .filter(({ detail }) => detail.includes(home));
      deepStrictEqual(
        findings.map(({ severity, detail }) => [severity, /[^/]*\.service/.exec(detail)?.[0]]),
        [
          ["warn", "openclaw-2.service"],
          ["critical", "openclaw-gateway.service"],
        ],
      );
      match(findings[1]?.detail ?? "", /which others can read \(644\)/);
      ok(!JSON.stringify(findings).includes("s3cret"));
    }),
});

async function inFolder(use: (home: string) => Promise<void>): Promise<void> {
  const home = await Deno.makeTempDir({ prefix: "openclaw-process-" });
  try {
    await use(home);
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}
