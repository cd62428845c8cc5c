/** What `deno task compile` puts into the binary, run without the step that needs a runtime base. */
import { deepStrictEqual, rejects } from "node:assert/strict";
import { join } from "node:path";
import { bundle } from "../scripts/compile.ts";

Deno.test("a bundle has the workers, the files and the folders that its program names", async () => {
  await using place = await folderOf({
    "program/main.ts": `if (import.meta.main) await (await import("./src/lazy.ts")).run();`,
    "program/src/lazy.ts": `
      export async function run() {
        const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
        const { data } = await new Promise<MessageEvent>((resolve) => worker.onmessage = resolve);
        worker.terminate();
        const text = (name: string) => Deno.readTextFile(new URL(name, import.meta.url));
        const note = await Deno.readTextFile(new URL("./note.txt", import.meta.url));
        console.log(JSON.stringify([data, note, await text("./web/index.html")]));
      }`,
    "program/src/worker.ts": `
      import { answer } from "./answer.ts";
      self.postMessage(typeof setTimeout(() => {}, 0).unref === "function" ? answer : "no unref");`,
    "program/src/answer.ts": `export const answer: number = 6 * 7;`,
    "program/src/note.txt": "a note",
    "pages/index.html": "a page",
  });
  const embed = join(place.path, "embed");

  await bundle({
    entry: join(place.path, "program/main.ts"),
    folders: { web: join(place.path, "pages") },
  }, embed);

  // What the bundle was made of is gone, as it is where the binary runs.
  await Deno.remove(join(place.path, "program"), { recursive: true });
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--no-remote", "--no-npm", join(embed, "main.js")],
    stderr: "inherit",
  }).output();
  deepStrictEqual(JSON.parse(new TextDecoder().decode(stdout)), [42, "a note", "a page"]);
});

Deno.test("a bundle is refused when a file that the program names is not there", async () => {
  await using place = await folderOf({
    "main.ts": `console.log(new URL("./missing.txt", import.meta.url));`,
  });
  await rejects(
    bundle({ entry: join(place.path, "main.ts") }, join(place.path, "embed")),
    /^Error: Cannot embed '\.\/missing\.txt', which .*main\.ts names: not found$/,
  );
});

Deno.test("a bundle is refused in which something would not be disposed of", async () => {
  await using place = await folderOf({
    "main.ts": `
      export async function run(open: () => Promise<Disposable & { name: string }>) {
        using opened = await open();
        const name = opened.name;
        await close(name);
        return name;
      }
      async function close(name: string) { await Promise.resolve(name); }
      console.log(await run(() => Promise.resolve({ name: "a", [Symbol.dispose]() {} })));`,
  });
  await rejects(
    bundle({ entry: join(place.path, "main.ts") }, join(place.path, "embed")),
    /^Error: The minifier has kept 0 of 1 `using` declarations: /,
  );
});

async function folderOf(files: Readonly<Record<string, string>>) {
  const path = await Deno.makeTempDir();
  for (const [name, text] of Object.entries(files)) {
    await Deno.mkdir(join(path, name, ".."), { recursive: true });
    await Deno.writeTextFile(join(path, name), text);
  }
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}
