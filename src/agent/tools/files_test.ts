/** The file tools on a real folder. */
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import type { Tool, ToolResult } from "../../model.ts";
import { fileTools } from "./files.ts";

Deno.test("read gives a file's text", async () => {
  await using place = await workspace({ "a.md": "one\ntwo\n" });
  deepStrictEqual(await place.use("read", { path: "a.md" }), said("one\ntwo"));
});

Deno.test("read says where a long file goes on, and goes on there", async () => {
  const text = Array.from({ length: 2_500 }, (_, i) => `line ${i + 1}`).join("\n");
  await using place = await workspace({ "long.txt": text });
  const first = await place.text("read", { path: "long.txt" });
  ok(first.endsWith("line 2000\n[more follows: go on with offset 2001]"), first.slice(-80));
  const second = await place.text("read", { path: "long.txt", offset: 2_001 });
  strictEqual(second.split("\n").length, 500);
  strictEqual(
    await place.text("read", { path: "long.txt", offset: "7", limit: 2 }),
    "line 7\nline 8\n[more follows: go on with offset 9]",
  );
  strictEqual(
    await place.text("read", { path: "long.txt", offset: 9_999 }),
    "(no line 9999: the file has 2500)",
  );
});

Deno.test("read keeps one endless line short, and a page within its size", async () => {
  await using place = await workspace({
    "min.js": "x".repeat(300_000),
    "wide.txt": `${"y".repeat(1_900)}\n`.repeat(100),
  });
  const line = await place.text("read", { path: "min.js" });
  ok(line.endsWith("[line cut: 298000 more characters]"), line.slice(-60));
  const page = await place.text("read", { path: "wide.txt" });
  ok(page.length < 60_000 && page.includes("go on with offset"), `${page.length}`);
});

Deno.test("read tells an empty file, a missing one, a folder and a binary apart", async () => {
  await using place = await workspace({ "empty": "", "folder/a": "x", "binary": "PNG\0\x01" });
  deepStrictEqual(await place.use("read", { path: "empty" }), said("(the file is empty)"));
  deepStrictEqual(await place.use("read", { path: "none" }), refused("'none' does not exist"));
  deepStrictEqual(await place.use("read", { path: "folder" }), refused("'folder' is a folder"));
  deepStrictEqual(
    await place.use("read", { path: "binary" }),
    refused("'binary' is not a text file"),
  );
});

Deno.test("a tool names every argument that doesn't fit", async () => {
  await using place = await workspace({});
  const { content: [block], isError } = await place.use("read", { limit: 0, unparsed: "{" });
  strictEqual(isError, true);
  const text = block?.type === "text" ? block.text : "";
  ok(text.includes("path: ") && text.includes("limit: "), text);
});

Deno.test("write makes folders, replaces whole files, keeps their mode, and leaves nothing behind", async () => {
  await using place = await workspace({ "run.sh": "old" });
  await Deno.chmod(join(place.root, "run.sh"), 0o755);
  strictEqual(
    await place.text("write", { path: "notes/2026/a.md", content: "hej" }),
    "Created 'notes/2026/a.md' (3 characters)",
  );
  strictEqual(
    await place.text("write", { path: "run.sh", content: "new" }),
    "Replaced 'run.sh' (3 characters)",
  );
  strictEqual(await place.read("notes/2026/a.md"), "hej");
  strictEqual(await place.read("run.sh"), "new");
  strictEqual((await Deno.stat(join(place.root, "run.sh"))).mode! & 0o777, 0o755);
  deepStrictEqual(await place.names(), ["notes", "run.sh"]);
});

Deno.test({
  name: "what write makes is for nobody whom the folder above is not for",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using place = await workspace({});
    for (const [rights, folder, file] of [[0o700, 0o700, 0o600], [0o755, 0o755, 0o644]] as const) {
      await Deno.chmod(place.root, rights);
      await place.text("write", { path: `${rights}/a.md`, content: "x" });
      const mode = async (path: string) => (await Deno.stat(join(place.root, path))).mode! & 0o777;
      deepStrictEqual([await mode(`${rights}`), await mode(`${rights}/a.md`)], [folder, file]);
    }
  },
});

Deno.test("write refuses a folder's name, a file as folder, and too much text", async () => {
  await using place = await workspace({ "folder/a": "x", "file": "x" });
  deepStrictEqual(
    await place.use("write", { path: "folder", content: "" }),
    refused("'folder' is a folder"),
  );
  deepStrictEqual(
    await place.use("write", { path: ".", content: "" }),
    refused("The workspace itself is a folder; name a file in it"),
  );
  deepStrictEqual(
    await place.use("write", { path: "file/b", content: "" }),
    refused("Cannot write 'file/b': a part of the path is a file"),
  );
  strictEqual(
    (await place.use("write", { path: "b", content: "x".repeat(1_000_001) })).isError,
    true,
  );
  deepStrictEqual(await place.names(), ["file", "folder"]);
});

Deno.test("edit replaces the one passage", async () => {
  await using place = await workspace({ "a.md": "one\ntwo\nthree\n" });
  strictEqual(
    await place.text("edit", { path: "a.md", oldText: "two\n", newText: "2\n" }),
    "Edited 'a.md' at line 2",
  );
  strictEqual(await place.read("a.md"), "one\n2\nthree\n");
});

Deno.test("edit says what is wrong with a passage that isn't there once", async () => {
  await using place = await workspace({ "a.md": "  one two\nx\nx\none three\n" });
  const refusal = async (oldText: string) =>
    await place.text("edit", { path: "a.md", oldText, newText: "" });
  ok((await refusal("four")).includes("does not contain this text: read it first"));
  ok((await refusal("one\ttwo")).includes("only with other spaces or line breaks"));
  ok((await refusal("x\ny")).includes("its first line is at line 2"));
  ok((await refusal("x")).includes("more than once (lines 2, 3)"));
  strictEqual(await place.read("a.md"), "  one two\nx\nx\none three\n");
});

Deno.test("edits of one file at one time lose nothing that was said to be done", async () => {
  for (let round = 0; round < 20; round++) {
    await using place = await workspace({ "notes.md": "a\nb\nc\n" });
    const letters = ["a", "b", "c"];
    const results = await Promise.all(
      letters.map((letter) =>
        place.use("edit", { path: "notes.md", oldText: letter, newText: letter.toUpperCase() })
      ),
    );
    const text = await place.read("notes.md");
    const done = letters.map((letter, i) => results[i]?.isError ? letter : letter.toUpperCase());
    strictEqual(text, done.map((letter) => `${letter}\n`).join(""));
  }
});

Deno.test("edit leaves what is not UTF-8 as it is", async () => {
  await using place = await workspace({});
  await Deno.writeFile(join(place.root, "latin"), new Uint8Array([0x61, 0xe9, 0x62]));
  ok(
    (await place.text("edit", { path: "latin", oldText: "a", newText: "b" })).includes("not UTF-8"),
  );
});

Deno.test("list shows folders, sizes and links, and goes as deep as asked", async () => {
  await using place = await workspace({ "a.md": "four", "notes/b.md": "x", "notes/old/c.md": "" });
  await Deno.symlink("a.md", join(place.root, "link"));
  strictEqual(await place.text("list"), "a.md (4 bytes)\nlink (link)\nnotes/");
  strictEqual(
    await place.text("list", { depth: 2 }),
    "a.md (4 bytes)\nlink (link)\nnotes/\nnotes/b.md (1 bytes)\nnotes/old/",
  );
  strictEqual(await place.text("list", { path: "notes/old" }), "c.md (0 bytes)");
  deepStrictEqual(await place.use("list", { path: "a.md" }), refused("'a.md' is not a folder"));
});

Deno.test("list stops after a thousand entries", async () => {
  await using place = await workspace({});
  for (let i = 0; i < 1_005; i++) await Deno.writeTextFile(join(place.root, `f${i}`), "");
  const lines = (await place.text("list")).split("\n");
  strictEqual(lines.length, 1_001);
  ok(lines.at(-1)?.startsWith("[more than 1000 entries"));
});

Deno.test("search finds text in whatever case, by folder and by glob", async () => {
  await using place = await workspace({
    "a.md": "Hello\nworld",
    "notes/b.txt": "say hello (twice)",
    "notes/c.md": "HELLO",
    "node_modules/d.md": "hello",
    "picture": "hello\0",
  });
  const search = (args: Record<string, unknown>) =>
    place.text("search", { query: "hello", ...args });
  strictEqual(
    await search({}),
    "a.md:1: Hello\nnotes/b.txt:1: say hello (twice)\nnotes/c.md:1: HELLO",
  );
  strictEqual(await search({ glob: "*.md" }), "a.md:1: Hello\nnotes/c.md:1: HELLO");
  strictEqual(
    await search({ glob: "notes/**" }),
    "notes/b.txt:1: say hello (twice)\nnotes/c.md:1: HELLO",
  );
  strictEqual(await search({ path: "notes", glob: "*.txt" }), "notes/b.txt:1: say hello (twice)");
  strictEqual(await search({ path: "a.md" }), "a.md:1: Hello");
  strictEqual(await search({ query: "(twice)" }), "notes/b.txt:1: say hello (twice)");
  strictEqual(await search({ query: "nowhere" }), "(nothing found in 3 files)");
});

Deno.test("search takes a regular expression when told to", async () => {
  await using place = await workspace({ "a.md": "tel 123\ntel x", "b.md": "Tel 4" });
  strictEqual(
    await place.text("search", { query: "^tel \\d+$", regex: true }),
    "a.md:1: tel 123\nb.md:1: Tel 4",
  );
  strictEqual((await place.use("search", { query: "(", regex: true })).isError, true);
});

Deno.test("search ends an expression that would never end, and the program goes on meanwhile", async () => {
  await using place = await workspace({ "a.md": `${"a".repeat(60)}b` });
  let ticks = 0;
  const timer = setInterval(() => ticks++, 50);
  const { content: [block], isError } = await place.use("search", { query: "(a+)+$", regex: true });
  clearInterval(timer);
  strictEqual(isError, true);
  ok(block?.type === "text" && block.text.includes("takes too long"));
  ok(ticks > 3, "the event loop was not held up");
});

Deno.test("search stops at its limit of matches", async () => {
  await using place = await workspace({ "many": "hit\n".repeat(500) });
  const lines = (await place.text("search", { query: "hit" })).split("\n");
  strictEqual(lines.length, 201);
  ok(lines.at(-1)?.startsWith("[stopped after 200 matches"));
});

Deno.test("a tool that was aborted does nothing more", async () => {
  await using place = await workspace({ "a.md": "x" });
  const aborted = AbortSignal.abort();
  for (const [name, args] of [["read", { path: "a.md" }], ["search", { query: "x" }]] as const) {
    const run = place.tool(name).run(args, { signal: aborted, update() {} });
    strictEqual(await run.then(() => "answered", () => "stopped"), "stopped");
  }
});

/** A workspace with some files, beside a place that is not for the tools. */
Deno.test("a search whose glob fits nothing ends with its signal", async () => {
  const root = await Deno.makeTempDir();
  for (let i = 0; i < 20; i++) {
    await Deno.mkdir(`${root}/d${i}`);
    await Deno.writeTextFile(`${root}/d${i}/a.txt`, "x");
  }
  const { readDir } = Deno;
  const stop = new AbortController();
  let opened = 0;
  Deno.readDir = (path) => {
    if (++opened === 3) stop.abort();
    return readDir(path);
  };
  try {
    const search = fileTools(root).find(({ name }) => name === "search");
    const options = { signal: stop.signal, update() {} };
    await rejects(async () => await search?.run({ query: "x", glob: "*.none" }, options));
    ok(opened <= 4, `${opened} folders were read`);
  } finally {
    Deno.readDir = readDir;
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("a folder that can't be read keeps a search from no other", async () => {
  const root = await Deno.makeTempDir();
  await Deno.mkdir(`${root}/locked`);
  await Deno.writeTextFile(`${root}/notes.md`, "needle\n");
  const { readDir } = Deno;
  Deno.readDir = (path) => {
    if (String(path).endsWith("/locked")) throw new Deno.errors.PermissionDenied("no");
    return readDir(path);
  };
  try {
    const search = fileTools(root).find(({ name }) => name === "search");
    const options = { signal: new AbortController().signal, update() {} };
    deepStrictEqual(await search?.run({ query: "needle" }, options), {
      content: [{ type: "text", text: "notes.md:1: needle" }],
    });
  } finally {
    Deno.readDir = readDir;
    await Deno.remove(root, { recursive: true });
  }
});

async function workspace(files: Readonly<Record<string, string>>) {
  const base = await Deno.realPath(await Deno.makeTempDir());
  const root = join(base, "workspace");
  await Deno.mkdir(root);
  for (const [name, text] of Object.entries(files)) {
    await Deno.mkdir(join(root, name, ".."), { recursive: true });
    await Deno.writeTextFile(join(root, name), text);
  }
  const tools = fileTools(root);

  function tool(name: string): Tool {
    const found = tools.find((tool) => tool.name === name);
    ok(found !== undefined, `there is a tool '${name}'`);
    return found;
  }
  async function use(name: string, args: Record<string, unknown> = {}): Promise<ToolResult> {
    return await tool(name).run(args, { signal: new AbortController().signal, update() {} });
  }
  return {
    root,
    tool,
    use,
    async text(name: string, args: Record<string, unknown> = {}): Promise<string> {
      const { content: [block] } = await use(name, args);
      return block?.type === "text" ? block.text : "";
    },
    read: (path: string) => Deno.readTextFile(join(root, path)),
    names: async () => (await Array.fromAsync(Deno.readDir(root))).map(({ name }) => name).sort(),
    [Symbol.asyncDispose]: () => Deno.remove(base, { recursive: true }),
  };
}

function said(text: string): ToolResult {
  return { content: [{ type: "text", text }] };
}

function refused(text: string): ToolResult {
  return { ...said(text), isError: true };
}
