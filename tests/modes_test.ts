/** Everything below the state folder is its owner's alone, whatever umask the gateway was given. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { fromSources, type Start, startGateway, TOKEN } from "../scripts/gateway_process.ts";
import { connectTo } from "./gateway.ts";

for (const umask of ["000", "077"]) {
  Deno.test({
    name: `under umask ${umask} nothing in the state folder is open to others`,
    ignore: Deno.build.os === "windows",
    async fn() {
      const home = await Deno.makeTempDir({ prefix: "openclaw-modes-" });
      try {
        const start = under(umask, await fromSources());
        const stateDir = `${home}/.openclaw`;
        await leaveLooseFiles(stateDir);
        {
          await using gateway = await startGateway(start, { home });
          await useEverything(gateway.url);
          await configure(start, home);
          deepStrictEqual(openToOthers(stateDir), [], "while it runs");
          const names = [...filesIn(stateDir)].map(({ path }) => path.slice(stateDir.length + 1));
          for (const name of MADE) ok(names.includes(name), `${name} is not there: ${names}`);
          strictEqual((await gateway.end("SIGTERM")).code, 0, gateway.output());
        }
        deepStrictEqual(openToOthers(stateDir), [], "after it ended");
      } finally {
        await Deno.remove(home, { recursive: true });
      }
    },
  });
}

/** What the test makes the gateway and the commands write, besides what was there before. */
const MADE = [
  "openclaw.json",
  "openclaw.json.bak",
  "openclaw.sqlite",
  "openclaw.sqlite-wal",
  "openclaw.holder.json",
  "openclaw.sockets/1",
  "identity/device.json",
  "logs/openclaw.log",
  "logs/openclaw.log.1",
  "logs/audit.jsonl",
  "logs/audit.jsonl.1",
  "workspace/AGENTS.md",
  "workspace/notes/today.md",
];

/** The same program, with another umask than ours. */
function under(umask: string, { command, env }: Start): Start {
  return { command: ["/bin/sh", "-c", `umask ${umask}; exec "$@"`, "sh", ...command], env };
}

/** A state folder as a careless backup would bring it back, with logs that are about to be full. */
async function leaveLooseFiles(stateDir: string): Promise<void> {
  await Deno.mkdir(`${stateDir}/logs`, { recursive: true });
  const config = { agents: { defaults: { model: { primary: "demo/demo" } } } };
  await Deno.writeTextFile(`${stateDir}/openclaw.json`, JSON.stringify(config));
  await Deno.writeTextFile(`${stateDir}/.env`, "SOME_API_KEY=x\n");
  await Deno.writeTextFile(`${stateDir}/logs/openclaw.log`, "x".repeat(20 * 1024 * 1024));
  await Deno.writeTextFile(`${stateDir}/logs/audit.jsonl`, "x".repeat(5 * 1024 * 1024));
  for (const { path, isDirectory } of [...filesIn(stateDir)]) {
    await Deno.chmod(path, isDirectory ? 0o777 : 0o666);
  }
}

/** Makes the gateway write: its configuration, its store, a workspace. */
async function useEverything(url: string): Promise<void> {
  await using owner = await connectTo(url, { auth: { token: TOKEN } });
  const { hash, raw } = await owner.request("config.get", {});
  const edited = { ...JSON.parse(raw ?? "{}"), session: { mainKey: "main" } };
  await owner.request("config.set", { raw: JSON.stringify(edited), baseHash: hash });
  await owner.client.call("agent", {
    message: "write notes/today.md: hello",
    agentId: "main",
    idempotencyKey: crypto.randomUUID(),
  });
  await owner.event(({ event, payload }) =>
    event === "chat" && (payload as { state?: string }).state === "final"
  );
}

/** Runs the commands that write files of their own. */
async function configure({ command: [program = "", ...args], env }: Start, home: string) {
  const openclaw = (...words: string[]) =>
    new Deno.Command(program, {
      args: [...args, ...words],
      clearEnv: true,
      env: { HOME: home, PATH: Deno.env.get("PATH") ?? "", ...env },
    }).output();
  const { success, stderr } = await openclaw("config", "set", "gateway.port", "1");
  ok(success, new TextDecoder().decode(stderr));
  // Nobody listens there, and the command has no secret: it makes its key before it finds out.
  await openclaw("devices", "list");
}

interface Entry {
  readonly path: string;
  readonly isDirectory: boolean;
}

/** The folder and all that is in it. */
function* filesIn(folder: string): Iterable<Entry> {
  yield { path: folder, isDirectory: true };
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) yield* filesIn(`${folder}/${name}`);
    else yield { path: `${folder}/${name}`, isDirectory };
  }
}

function openToOthers(folder: string): readonly string[] {
  return [...filesIn(folder)].flatMap(({ path, isDirectory }) => {
    const mode = (Deno.lstatSync(path).mode ?? 0) & 0o777;
    return mode === (isDirectory ? 0o700 : 0o600) ? [] : [`${path} ${mode.toString(8)}`];
  });
}
