import { deepStrictEqual, match, rejects, strictEqual } from "node:assert/strict";
import { RecordedLog } from "../../tests/kernel.ts";
import { Failure } from "./failure.ts";
import { LiveConfig } from "./live_config.ts";

Deno.test("a file that is not there is an empty configuration", async () => {
  await using house = await open(undefined);
  deepStrictEqual([house.config.config, house.config.text], [{}, undefined]);
});

Deno.test("a file that can't be used is refused with every reason", async () => {
  const failed = (error: unknown) => {
    strictEqual(error instanceof Failure && error.code, "CONFIG_INVALID");
    match(String(error), /Cannot use config '.+': gateway\.port .+; gateway\.bind must be one of/);
    return true;
  };
  await rejects(open(`{ gateway: { port: 'x', bind: 'y' } }`), failed);
  await rejects(open("{ broken"), /: the file invalid/);
});

Deno.test("keys without effect are warned about at the start", async () => {
  await using house = await open(`{ canvasHost: {} }`);
  deepStrictEqual(house.log.lines.map(({ level, message }) => [level, message]), [
    ["warn", "Config key 'canvasHost' is not known to this version: kept, no effect"],
  ]);
});

Deno.test("what is written is on disk and in force, and for its owner only", async () => {
  await using house = await open(undefined);
  await house.config.rewrite(() => `{ "gateway": { "port": 5 } }`);
  strictEqual(house.config.config.gateway?.port, 5);
  strictEqual(await Deno.readTextFile(house.path), `{ "gateway": { "port": 5 } }`);
  if (Deno.build.os !== "windows") strictEqual((await Deno.stat(house.path)).mode! & 0o777, 0o600);
  const names = [...Deno.readDirSync(house.folder)].map(({ name }) => name);
  deepStrictEqual(names.sort(), ["openclaw.json", "openclaw.json.lock"]);
});

Deno.test("an edit by somebody else counts, whether the file was changed, replaced or made", async () => {
  await using house = await open(undefined);
  house.config.watch();
  await Deno.writeTextFile(house.path, `{ gateway: { port: 1 } }`);
  await house.log.next("Config reloaded");
  strictEqual(house.config.config.gateway?.port, 1);
  await Deno.writeTextFile(`${house.path}.new`, `{ gateway: { port: 2 } }`);
  await Deno.rename(`${house.path}.new`, house.path);
  await house.log.next("Config reloaded");
  strictEqual(house.config.config.gateway?.port, 2);
});

Deno.test("an edit that is not valid is reported, and the last valid one stays in force", async () => {
  await using house = await open(`{ gateway: { port: 1 } }`);
  house.config.watch();
  await Deno.writeTextFile(house.path, `{ gateway: { port: 'x' } }`);
  await house.log.next("Config edit ignored: gateway.port ");
  strictEqual(house.config.config.gateway?.port, 1);
  strictEqual(house.config.text, `{ gateway: { port: 'x' } }`);
});

Deno.test("an edit that was not looked at yet is not written over", async () => {
  await using house = await open(`{ "gateway": { "port": 1 } }`);
  await Deno.writeTextFile(house.path, `{ "gateway": { "port": 2 } }`);
  await house.config.rewrite((text = "") => text.replace("}", `, "bind": "lan" }`));
  deepStrictEqual(house.config.config.gateway, { port: 2, bind: "lan" });
  await Deno.writeTextFile(house.path, `{ "gateway": { "port": 3 } }`);
  await house.config.catchUp();
  deepStrictEqual(house.config.config.gateway, { port: 3 });
});

Deno.test("of what several write at once, nothing is lost, also where no file can be locked", async () => {
  const { lock } = Deno.FsFile.prototype;
  const noLock = () => Promise.reject(new Error("Operation not supported (os error 95)"));
  for (const how of [lock, noLock]) {
    await using house = await open("{}");
    Deno.FsFile.prototype.lock = how;
    try {
      const edits = [1, 2, 3].map((n) =>
        house.config.rewrite((text = "") => JSON.stringify({ ...JSON.parse(text), [`x${n}`]: n }))
      );
      await Promise.all(edits);
    } finally {
      Deno.FsFile.prototype.lock = lock;
    }
    deepStrictEqual(JSON.parse(await Deno.readTextFile(house.path)), { x1: 1, x2: 2, x3: 3 });
  }
});

Deno.test("a file stays as it is where its edit throws, or is none", async () => {
  await using house = await open("{}");
  await rejects(
    house.config.rewrite(() => {
      throw new Error("no");
    }),
    /no/,
  );
  await house.config.rewrite(() => undefined);
  strictEqual(await Deno.readTextFile(house.path), "{}");
});

Deno.test("an edit that can't be read is not written over", async () => {
  await using house = await open("{}");
  const edit = `{ "gateway": { "port": 2 } }`;
  await Deno.writeTextFile(house.path, edit);
  const { readTextFileSync } = Deno;
  const refusal = new Deno.errors.PermissionDenied("Permission denied");
  Deno.readTextFileSync = () => {
    throw refusal;
  };
  try {
    await house.config.catchUp();
    await rejects(house.config.rewrite(() => "{}"), refusal);
  } finally {
    Deno.readTextFileSync = readTextFileSync;
  }
  strictEqual(await Deno.readTextFile(house.path), edit);
});

Deno.test("a change that turns out to be none asks for no right to write", async () => {
  await using house = await open(`{ "gateway": { "port": 1 } }`);
  const readOnly = Object.assign(new Error("Read-only file system"), { code: "EROFS" });
  for (const refusal of [new Deno.errors.PermissionDenied("Permission denied"), readOnly]) {
    const { open } = Deno;
    Deno.open = (path, options) =>
      options?.write ? Promise.reject(refusal) : open.call(Deno, path, options);
    try {
      const { promise, resolve } = Promise.withResolvers<string | undefined>();
      await house.config.rewrite((text) => void resolve(text));
      strictEqual(await promise, `{ "gateway": { "port": 1 } }`);
      await rejects(house.config.rewrite(() => "{}"), refusal);
    } finally {
      Deno.open = open;
    }
  }
});

Deno.test("what could not be used is kept beside what it is replaced by", async () => {
  for (const edit of ["{ half an edit", `{ gateway: { port: "one" } }`]) {
    await using house = await open(`{ gateway: { port: 1 } }`);
    house.config.watch();
    await Deno.writeTextFile(house.path, edit);
    await house.log.next("Config edit ignored: ");
    await house.config.rewrite(() => `{ "gateway": { "port": 2 } }`);
    strictEqual(await Deno.readTextFile(`${house.path}.bak`), edit);
  }
});

/** A log whose lines can be waited for. */
class HeardLog extends RecordedLog {
  readonly #waiting = new Set<() => void>();
  #seen = 0;

  constructor() {
    super();
    const push = this.lines.push.bind(this.lines);
    this.lines.push = (...lines) => {
      const length = push(...lines);
      for (const look of [...this.#waiting]) look();
      return length;
    };
  }

  /** The next line that begins so. */
  next(beginning: string): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        const at = this.lines.findIndex(({ message }, i) =>
          i >= this.#seen && message.startsWith(beginning)
        );
        if (at < 0) return;
        this.#seen = at + 1;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }
}

/** A configuration in a folder of its own. */
async function open(text: string | undefined) {
  const folder = await Deno.makeTempDir({ prefix: "openclaw-config-" });
  const remove = () => Deno.remove(folder, { recursive: true });
  const path = `${folder}/openclaw.json`;
  if (text !== undefined) await Deno.writeTextFile(path, text);
  const log = new HeardLog();
  let config: LiveConfig;
  try {
    config = LiveConfig.open(path, log);
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    folder,
    path,
    log,
    config,
    async [Symbol.asyncDispose]() {
      config[Symbol.dispose]();
      await remove();
    },
  };
}
