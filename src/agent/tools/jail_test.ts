/** Nothing outside of the workspace can be reached, by whatever name it is called. */
import { ok, rejects, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { fileTools } from "./files.ts";
import { Jail } from "./jail.ts";

const SECRET = "the secret outside";

const ESCAPES: Readonly<Record<string, string>> = {
  "the folder above": "../secret.txt",
  "above, from below": "sub/../../secret.txt",
  "above, and back in": "../workspace/inside.txt",
  "above, with backslashes": "..\\secret.txt",
  "an absolute path": "/etc/passwd",
  "an absolute path to the secret": "$BASE/secret.txt",
  "a folder whose name begins alike": "$BASE/workspace-other/secret.txt",
  "a link to a file": "link-file",
  "a link to a folder": "link-folder/secret.txt",
  "a link to a folder, new file": "link-folder/new.txt",
  "a link to a folder, new folder": "link-folder/new/new.txt",
  "a link to the root": "link-root/etc/passwd",
  "a relative link": "sub/link-up/secret.txt",
  "a link by way of a link": "link-twice/secret.txt",
  "a link to nothing outside": "link-nothing",
  "a link to a device": "link-device",
  "a link in a circle": "link-circle",
  "a NUL character": "inside.txt\0.md",
  "a NUL character after an escape": "../secret.txt\0",
  "a pipe": "pipe",
};

for (const [what, spelled] of Object.entries(ESCAPES)) {
  Deno.test(`${what} (${JSON.stringify(spelled)}) is refused by every tool`, async () => {
    await using place = await prison();
    const path = spelled.replace("$BASE", place.base);
    const uses = {
      read: { path },
      write: { path, content: "overwritten" },
      edit: { path, oldText: "secret", newText: "overwritten" },
      list: { path },
      search: { query: "secret", path },
    };
    for (const tool of fileTools(place.root)) {
      const args = uses[tool.name as keyof typeof uses];
      const result = await tool.run(args, { signal: new AbortController().signal, update() {} });
      strictEqual(result.isError, true, `${tool.name}: ${JSON.stringify(result)}`);
      ok(!JSON.stringify(result).includes(SECRET), tool.name);
    }
    await place.requireUntouched();
  });
}

Deno.test("list and search don't follow links", async () => {
  await using place = await prison();
  for (const tool of fileTools(place.root)) {
    if (tool.name !== "list" && tool.name !== "search") continue;
    const args = tool.name === "list" ? { depth: 8 } : { query: "secret" };
    const result = await tool.run(args, { signal: new AbortController().signal, update() {} });
    strictEqual(result.isError, undefined);
    const text = JSON.stringify(result);
    ok(!text.includes("secret.txt") && !text.includes(SECRET), text);
  }
});

Deno.test("links that stay inside work, and a write goes to where they lead", async () => {
  await using place = await prison();
  const jail = new Jail(place.root);
  await Deno.symlink("inside.txt", join(place.root, "link-inside"));
  strictEqual((await jail.find("link-inside")).real, join(place.root, "inside.txt"));
  await jail.write("link-inside", "new");
  strictEqual(await Deno.readTextFile(join(place.root, "inside.txt")), "new");
  ok((await Deno.lstat(join(place.root, "link-inside"))).isSymlink);
});

Deno.test("a workspace that is itself reached by a link is one", async () => {
  await using place = await prison();
  const link = join(place.base, "by-link");
  await Deno.symlink(place.root, link);
  const jail = new Jail(link);
  strictEqual((await jail.find("inside.txt")).real, join(place.root, "inside.txt"));
  strictEqual((await jail.find(join(link, "inside.txt"))).shown, "inside.txt");
  strictEqual((await jail.find(join(place.root, "inside.txt"))).shown, "inside.txt");
  await rejects(jail.find("../secret.txt"));
});

Deno.test("a write is refused when the file has changed since it was read", async () => {
  await using place = await prison();
  const jail = new Jail(place.root);
  const { file, ...found } = await jail.open("inside.txt");
  file.close();
  await Deno.writeTextFile(join(place.root, "inside.txt"), "changed by a person");
  await rejects(
    jail.write("inside.txt", "mine", { unlessChanged: found }),
    /changed by somebody else/,
  );
  strictEqual(await Deno.readTextFile(join(place.root, "inside.txt")), "changed by a person");
});

/** A workspace full of ways out. */
async function prison() {
  const base = await Deno.realPath(await Deno.makeTempDir());
  const root = join(base, "workspace");
  for (const folder of ["workspace/sub", "workspace-other", "outside"]) {
    await Deno.mkdir(join(base, folder), { recursive: true });
  }
  const secrets = ["secret.txt", "outside/secret.txt", "workspace-other/secret.txt"];
  for (const secret of secrets) await Deno.writeTextFile(join(base, secret), SECRET);
  await Deno.writeTextFile(join(root, "inside.txt"), "nothing to hide");
  const links = {
    "link-file": "../secret.txt",
    "link-folder": join(base, "outside"),
    "link-root": "/",
    "sub/link-up": "../../outside",
    "link-twice": "link-folder",
    "link-nothing": join(base, "outside/nothing"),
    "link-device": "/dev/zero",
    "link-circle": "link-circle",
  };
  for (const [name, target] of Object.entries(links)) await Deno.symlink(target, join(root, name));
  await new Deno.Command("mkfifo", { args: [join(root, "pipe")] }).output();
  return {
    base,
    root,
    async requireUntouched() {
      for (const secret of secrets) {
        strictEqual(await Deno.readTextFile(join(base, secret)), SECRET);
      }
      const outside = await Array.fromAsync(Deno.readDir(join(base, "outside")));
      strictEqual(outside.length, 1, "nothing new lies outside");
      strictEqual((await Array.fromAsync(Deno.readDir(base))).length, 4);
    },
    [Symbol.asyncDispose]: () => Deno.remove(base, { recursive: true }),
  };
}
