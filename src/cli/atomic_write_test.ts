import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { createPrivately, writePrivately } from "./atomic_write.ts";
import { withHome } from "./fake_io.ts";
import { turnAt } from "./file_lock.ts";

Deno.test("a file is replaced, closed to others, and nothing is left beside it", () =>
  withHome(async ({ stateDir }) => {
    const path = `${stateDir}/new/file`;
    await writePrivately(path, "one");
    await Deno.chmod(path, 0o644);
    await writePrivately(path, "two");
    strictEqual(await Deno.readTextFile(path), "two");
    if (Deno.build.os !== "windows") strictEqual((await Deno.stat(path)).mode! & 0o777, 0o600);
    deepStrictEqual([...Deno.readDirSync(`${stateDir}/new`)].map(({ name }) => name), ["file"]);
  }));

Deno.test("a file may be named without its folder", async () => {
  const path = `${crypto.randomUUID()}.tmp`;
  try {
    await writePrivately(path, "one");
    using _turn = await turnAt(path);
    strictEqual(await Deno.readTextFile(path), "one");
  } finally {
    await Deno.remove(path, { recursive: true });
    await Deno.remove(`${path}.lock`);
  }
});

Deno.test("a link stays a link, and what it leads to is replaced", () =>
  withHome(async ({ stateDir }) => {
    await Deno.mkdir(`${stateDir}/elsewhere`);
    await Deno.writeTextFile(`${stateDir}/elsewhere/file`, "one");
    await Deno.symlink(`${stateDir}/elsewhere/file`, `${stateDir}/link`);
    await writePrivately(`${stateDir}/link`, "two");
    strictEqual((await Deno.lstat(`${stateDir}/link`)).isSymlink, true);
    strictEqual(await Deno.readTextFile(`${stateDir}/elsewhere/file`), "two");
  }));

Deno.test("a file is created only where there is none", () =>
  withHome(async ({ stateDir }) => {
    const path = `${stateDir}/file`;
    strictEqual(await createPrivately(path, "one"), true);
    strictEqual(await createPrivately(path, "two"), false);
    strictEqual(await Deno.readTextFile(path), "one");
    deepStrictEqual([...Deno.readDirSync(stateDir)].map(({ name }) => name), ["file"]);
  }));

Deno.test("a disk that takes no more leaves the old file, and nothing beside it", () =>
  withHome(async ({ stateDir }) => {
    const path = `${stateDir}/file`;
    await writePrivately(path, "one");
    const { sync } = Deno.FsFile.prototype;
    Deno.FsFile.prototype.sync = () => Promise.reject(new Error("No space left on device"));
    try {
      await rejects(writePrivately(path, "two"), /No space left/);
      await rejects(createPrivately(`${path}2`, "two"), /No space left/);
    } finally {
      Deno.FsFile.prototype.sync = sync;
    }
    strictEqual(await Deno.readTextFile(path), "one");
    deepStrictEqual([...Deno.readDirSync(stateDir)].map(({ name }) => name), ["file"]);
  }));
