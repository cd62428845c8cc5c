import { deepStrictEqual, rejects } from "node:assert/strict";
import { RecordedLog } from "../../tests/kernel.ts";
import { UsageError } from "./flags.ts";
import { GatewaySecrets } from "./gateway_secrets.ts";
import type { ServeFlags } from "./serve_flags.ts";

const CONFIG = { gateway: { auth: { token: "configured", password: "${OF_ENV}" } } };

Deno.test("the nearer to the command line, the sooner a secret counts", async () => {
  await using folder = await Folder.make();
  const file = await folder.write("given", "in the file");
  await folder.write("gateway-token", "by systemd");
  const env = { OPENCLAW_GATEWAY_TOKEN: "in the environment", OF_ENV: "substituted" };
  const credentials = { ...env, CREDENTIALS_DIRECTORY: folder.path };
  const token = async (flags: Partial<ServeFlags>, config: unknown = CONFIG) => {
    using own = await open(flags);
    return own.read(config).token;
  };
  deepStrictEqual(await token({ token: "flagged", env: credentials }), "flagged");
  deepStrictEqual(await token({ tokenFile: file, env: credentials }), "in the file");
  deepStrictEqual(await token({ env: credentials }), "by systemd");
  deepStrictEqual(await token({ env }), "configured");
  deepStrictEqual(await token({ env }, {}), "in the environment");
  deepStrictEqual(await token({}, {}), undefined);
  using own = await open({ env });
  deepStrictEqual(own.read(CONFIG).password, "substituted");
  deepStrictEqual(own.given, { token: undefined, password: undefined });
});

Deno.test("a secret that is given and empty is no secret", async () => {
  await rejects(open({ token: "" }), UsageError);
  await rejects(open({ password: "" }), /--password is empty/);
});

Deno.test("a token and a file with one can't both be meant", async () => {
  await rejects(open({ token: "a", tokenFile: "/nowhere" }), UsageError);
  await rejects(open({ passwordFile: "/nowhere" }), /Cannot read the secret in '\/nowhere'/);
});

Deno.test({
  name: "a hang-up makes the files be read again, where no terminal sends it",
  ignore: Deno.build.os === "windows" || Deno.stderr.isTerminal(),
  async fn() {
    await using folder = await Folder.make();
    const tokenFile = await folder.write("given", "first");
    using own = await open({ tokenFile });
    const { promise: changed, resolve } = Promise.withResolvers<void>();
    own.watch(resolve);
    await folder.write("given", "second");
    Deno.kill(Deno.pid, "SIGHUP");
    await changed;
    deepStrictEqual(own.given.token, "second");
  },
});

function open(flags: Partial<ServeFlags>): Promise<GatewaySecrets> {
  return GatewaySecrets.open({
    stateDir: "/state",
    configPath: "/state/openclaw.json",
    defaultPort: 0,
    verbose: false,
    force: false,
    dev: false,
    allowUnconfigured: true,
    colour: false,
    env: {},
    ...flags,
  }, new RecordedLog());
}

class Folder implements AsyncDisposable {
  private constructor(readonly path: string) {}

  static async make(): Promise<Folder> {
    return new Folder(await Deno.makeTempDir({ prefix: "openclaw-secrets-" }));
  }

  async write(name: string, text: string): Promise<string> {
    const path = `${this.path}/${name}`;
    await Deno.writeTextFile(path, text, { mode: 0o600 });
    return path;
  }

  async [Symbol.asyncDispose]() {
    await Deno.remove(this.path, { recursive: true });
  }
}
