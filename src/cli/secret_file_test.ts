import { match, strictEqual, throws } from "node:assert/strict";
import { RecordedLog } from "../../tests/kernel.ts";
import { Failure } from "./failure.ts";
import { SecretFile } from "./secret_file.ts";

Deno.test("a file's secret is its one line", async () => {
  await using folder = await Folder.make();
  for (
    const [text, secret] of [["s3cret", "s3cret"], ["s3cret\n", "s3cret"], ["a b \r\n", "a b "]]
  ) {
    using file = SecretFile.open(await folder.write(text ?? ""), new RecordedLog());
    strictEqual(file.secret, secret);
  }
});

Deno.test("a file without a secret is refused with the reason, and never with what is in it", async () => {
  await using folder = await Folder.make();
  for (
    const [text, reason] of [
      ["", /it is empty/],
      [" \n", /it is empty/],
      ["two\nlines\n", /more than one line/],
      ["x".repeat(5_000), /too long/],
    ] as const
  ) {
    const path = await folder.write(text);
    throws(() => SecretFile.open(path, new RecordedLog()), (error: Failure) => {
      match(error.message, reason);
      strictEqual(text.trim() !== "" && error.message.includes(text), false);
      return error instanceof Failure;
    });
  }
  throws(
    () => SecretFile.open(`${folder.path}/none`, new RecordedLog()),
    /Cannot read the secret/,
  );
});

Deno.test({
  name: "a file that others may read is warned of, with the command that mends it",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using folder = await Folder.make();
    const table = [[0o600, 0], [0o400, 0], [0o640, 1], [0o604, 1], [0o602, 1]] as const;
    for (const [mode, warnings] of table) {
      const path = await folder.write("s3cret", mode);
      const log = new RecordedLog();
      using _file = SecretFile.open(path, log);
      strictEqual(log.lines.length, warnings, mode.toString(8));
      if (warnings === 1) match(JSON.stringify(log.lines), /chmod 600/);
    }
  },
});

Deno.test("a replaced file counts at once, and a broken one leaves the last secret", async () => {
  await using folder = await Folder.make();
  const path = await folder.write("first");
  using file = SecretFile.open(path, new RecordedLog());
  const { promise: changed, resolve } = Promise.withResolvers<string>();
  file.watch(() => resolve(file.secret));
  await folder.write("", 0o600);
  strictEqual(file.reread(), false);
  strictEqual(file.secret, "first");
  await Deno.writeTextFile(`${path}.new`, "second\n", { mode: 0o600 });
  await Deno.rename(`${path}.new`, path); // as careful programs write
  strictEqual(await changed, "second");
});

class Folder implements AsyncDisposable {
  private constructor(readonly path: string) {}

  static async make(): Promise<Folder> {
    return new Folder(await Deno.makeTempDir({ prefix: "openclaw-secret-" }));
  }

  async write(text: string, mode = 0o600): Promise<string> {
    const path = `${this.path}/secret`;
    await Deno.writeTextFile(path, text);
    if (Deno.build.os !== "windows") await Deno.chmod(path, mode);
    return path;
  }

  async [Symbol.asyncDispose]() {
    await Deno.remove(this.path, { recursive: true });
  }
}
