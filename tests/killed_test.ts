/** What a gateway leaves on the disk, killed or stopped: its state, and nothing besides. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import {
  fromSources,
  type GatewayProcess,
  startGateway,
  TOKEN,
} from "../scripts/gateway_process.ts";
import { connectTo } from "./gateway.ts";

Deno.test({
  name: "a gateway that was killed leaves nothing that the next one does not clear away",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using house = await House.build(".openclaw");
    for (let life = 0; life < 2; life++) {
      await using gateway = await house.start();
      await serves(gateway);
      deepStrictEqual(house.sockets(), ["1"]);
      await gateway.end("SIGKILL");
    }
    deepStrictEqual(house.sockets(), ["1"]);
    await using gateway = await house.start();
    await serves(gateway);
    deepStrictEqual(house.temporary(), []);
    strictEqual((await gateway.end("SIGTERM")).code, 0, gateway.output());
    strictEqual(house.sockets(), undefined);
    deepStrictEqual(house.temporary(), []);
  },
});

Deno.test({
  name: "a state folder whose path is too long for a socket has it among the temporary files",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using house = await House.build("state".repeat(30));
    await using gateway = await house.start();
    await serves(gateway);
    strictEqual(house.sockets(), undefined);
    const [folder = "", ...others] = house.temporary();
    ok(folder.startsWith("openclaw-"), folder);
    deepStrictEqual(others, []);
    strictEqual((await gateway.end("SIGTERM")).code, 0, gateway.output());
    deepStrictEqual(house.temporary(), []);
  },
});

async function serves({ url }: GatewayProcess): Promise<void> {
  await using owner = await connectTo(url, { auth: { token: TOKEN } });
  await owner.request("health", {});
}

/** A home with temporary files of its own. */
class House implements AsyncDisposable {
  readonly #home: string;
  readonly #stateDir: string;

  private constructor(home: string, state: string) {
    this.#home = home;
    this.#stateDir = `${home}/${state}`;
  }

  static async build(state: string): Promise<House> {
    const home = await Deno.makeTempDir({ prefix: "openclaw-killed-" });
    await Deno.mkdir(`${home}/tmp`);
    return new House(home, state);
  }

  async start(): Promise<GatewayProcess> {
    const { command, env } = await fromSources();
    const places = { TMPDIR: `${this.#home}/tmp`, OPENCLAW_STATE_DIR: this.#stateDir };
    return await startGateway({ command, env: { ...env, ...places } }, { home: this.#home });
  }

  /** Of a gateway, in the state folder; `undefined` where there is no place for them. */
  sockets(): readonly string[] | undefined {
    const hasPlace = namesIn(this.#stateDir).includes("openclaw.sockets");
    return hasPlace ? namesIn(`${this.#stateDir}/openclaw.sockets`) : undefined;
  }

  temporary(): readonly string[] {
    return namesIn(`${this.#home}/tmp`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#home, { recursive: true });
  }
}

function namesIn(folder: string): readonly string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name);
}
