import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { close, looseIn, octal } from "./private_files.ts";

const ALL = { depth: 9, entries: 1000 };
const ignore = Deno.build.os === "windows";

Deno.test({
  name: "what others have rights to is found, a folder before what is in it",
  ignore,
  fn: () =>
    inFolder(async (folder) => {
      const put = (name: string, mode: number) => {
        Deno.writeTextFileSync(`${folder}/${name}`, "");
        Deno.chmodSync(`${folder}/${name}`, mode);
      };
      Deno.chmodSync(folder, 0o755);
      Deno.mkdirSync(`${folder}/open`, { mode: 0o770 });
      Deno.mkdirSync(`${folder}/shut`, { mode: 0o700 });
      put("open/run.sh", 0o755);
      put("open/quiet", 0o600);
      put("shut/deep", 0o640);
      Deno.chmodSync(`${folder}/open`, 0o770);
      Deno.symlinkSync("/etc/passwd", `${folder}/link`);
      const found = await Array.fromAsync(looseIn(folder, ALL));
      deepStrictEqual(
        found.map(({ path, kind, mode, wanted }) =>
          [path.slice(folder.length), kind, octal(mode), octal(wanted)].join(" ")
        ),
        [
          " folder 755 700",
          "/open folder 770 700",
          "/open/run.sh file 755 700",
          "/shut/deep file 640 600",
        ],
      );
      for (const loose of found) await close(loose);
      deepStrictEqual(await Array.fromAsync(looseIn(folder, ALL)), []);
      strictEqual(Deno.statSync("/etc/passwd").mode! & 0o777, 0o644);
    }),
});

Deno.test({
  name: "a walk goes no deeper and no further than it is told, and needs no folder to be there",
  ignore,
  fn: () =>
    inFolder(async (folder) => {
      Deno.mkdirSync(`${folder}/a/b/c`, { recursive: true, mode: 0o755 });
      const names = async (limits: typeof ALL, from = folder) =>
        (await Array.fromAsync(looseIn(from, limits))).map(({ path }) => path.slice(folder.length));
      deepStrictEqual(await names({ depth: 0, entries: 1000 }), ["/a"]);
      deepStrictEqual(await names({ depth: 1, entries: 1000 }), ["/a", "/a/b"]);
      deepStrictEqual(await names({ depth: 9, entries: 3 }), ["/a", "/a/b"]);
      deepStrictEqual(await names(ALL, `${folder}/nothing`), []);
    }),
});

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "openclaw-modes-" }); // 0700
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
