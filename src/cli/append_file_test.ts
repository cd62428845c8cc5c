import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { AppendFile } from "./append_file.ts";

Deno.test("lines stand in the order in which they were given, behind those of earlier times", () =>
  inFolder((path) => {
    using first = new AppendFile(path, { maxBytes: 100, keep: 1 });
    first.append("one");
    first.append("two");
    using second = new AppendFile(path, { maxBytes: 100, keep: 1 });
    second.append("drei €");
    strictEqual(Deno.readTextFileSync(path), "one\ntwo\ndrei €\n");
  }));

Deno.test("a full file is put aside, and no more of them are kept than wanted", () =>
  inFolder((path) => {
    using file = new AppendFile(path, { maxBytes: 8, keep: 2 });
    for (const line of ["aaa", "bbb", "ccc", "ddd", "eee", "fff", "ggg"]) file.append(line);
    const texts = ["", ".1", ".2"].map((age) => Deno.readTextFileSync(`${path}${age}`));
    deepStrictEqual(texts, ["ggg\n", "eee\nfff\n", "ccc\nddd\n"]);
    strictEqual([...Deno.readDirSync(path.replace(/\/[^/]*$/, ""))].length, 3);
  }));

Deno.test("a line longer than a file stands alone in one", () =>
  inFolder((path) => {
    using file = new AppendFile(path, { maxBytes: 4, keep: 1 });
    file.append("much too long");
    file.append("x");
    strictEqual(Deno.readTextFileSync(`${path}.1`), "much too long\n");
    strictEqual(Deno.readTextFileSync(path), "x\n");
  }));

Deno.test("a line that was cut in half harms no other", () =>
  inFolder((path) => {
    Deno.writeTextFileSync(path, 'whole\n{"hal');
    using file = new AppendFile(path, { maxBytes: 100, keep: 1 });
    file.append("next");
    file.append("last");
    strictEqual(Deno.readTextFileSync(path), 'whole\n{"hal\nnext\nlast\n');
  }));

Deno.test({
  name: "every file is for its owner only, also one that was open to others",
  ignore: Deno.build.os === "windows",
  fn: () =>
    inFolder((path) => {
      Deno.writeTextFileSync(path, "old\n", { mode: 0o644 });
      using file = new AppendFile(path, { maxBytes: 5, keep: 1 });
      file.append("new");
      for (const name of [path, `${path}.1`]) strictEqual(Deno.statSync(name).mode! & 0o777, 0o600);
    }),
});

function inFolder(use: (path: string) => void): void {
  const folder = Deno.makeTempDirSync({ prefix: "openclaw-append-" });
  try {
    use(`${folder}/lines`);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}
