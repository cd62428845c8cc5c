import { deepStrictEqual, ok, rejects, strictEqual, throws } from "node:assert/strict";
import { join } from "node:path";
import { BOOTSTRAP_FILES, TEMPLATES } from "./templates.ts";
import { parseIdentity, toShow, Workspace, workspacePath } from "./workspace.ts";

const PLACE = { config: {}, stateDir: "/state", home: "/home/ada" };

Deno.test("the default agent's workspace is the state folder's, every other's has its name", () => {
  strictEqual(workspacePath("main", PLACE), "/state/workspace");
  strictEqual(workspacePath("work", PLACE), "/state/workspace-work");
  const config = { agents: { list: [{ id: "work", default: true }, { id: "main" }] } };
  strictEqual(workspacePath("work", { ...PLACE, config }), "/state/workspace");
  strictEqual(workspacePath("main", { ...PLACE, config }), "/state/workspace-main");
});

Deno.test("the configuration names workspaces, in the home folder too", () => {
  const config = {
    agents: {
      defaults: { workspace: "~/claw" },
      list: [{ id: "main" }, { id: "work", workspace: "~/work" }, {
        id: "home",
        workspace: "rooms",
      }],
    },
  };
  const at = (agentId: string) => workspacePath(agentId, { ...PLACE, config });
  strictEqual(at("main"), "/home/ada/claw");
  strictEqual(at("work"), "/home/ada/work");
  strictEqual(at("home"), "/state/rooms");
  strictEqual(at("other"), "/home/ada/claw-other");
});

Deno.test("what is no agent's id has no workspace", () => {
  throws(() => workspacePath("../etc", PLACE), /not an agent's id/);
});

Deno.test("a new workspace gets its files once, and nothing is overwritten", async () => {
  await using temp = await temporary();
  const workspace = new Workspace(join(temp.path, "deep", "workspace"));
  await workspace.ensure();
  const names = (await Array.fromAsync(Deno.readDir(workspace.path))).map(({ name }) => name);
  deepStrictEqual(names.sort(), [...BOOTSTRAP_FILES].sort());

  await Deno.writeTextFile(join(workspace.path, "SOUL.md"), "mine");
  await Deno.remove(join(workspace.path, "TOOLS.md"));
  await workspace.ensure();
  strictEqual(await Deno.readTextFile(join(workspace.path, "SOUL.md")), "mine");
  const shown = toShow(await workspace.files(), { perFile: 20_000, total: 150_000 });
  deepStrictEqual(shown.map(({ name }) => name), [
    "AGENTS.md",
    "SOUL.md",
    "USER.md",
    "IDENTITY.md",
  ]);
});

Deno.test("a new workspace whose files did not fit on the disk gets them all later", async () => {
  await using temp = await temporary();
  const workspace = new Workspace(join(temp.path, "workspace"));
  const { writeTextFile } = Deno;
  let written = 0;
  Deno.writeTextFile = async (path, text, options) => {
    const isFull = ++written === 2;
    await writeTextFile(path, isFull ? "" : text, options);
    if (isFull) throw new Error("No space left on device (os error 28)");
  };
  try {
    await rejects(workspace.ensure(), /No space left/);
  } finally {
    Deno.writeTextFile = writeTextFile;
  }
  await workspace.ensure();
  const shown = toShow(await workspace.files(), { perFile: 20_000, total: 150_000 });
  deepStrictEqual(shown.map(({ name }) => name), [...BOOTSTRAP_FILES]);
});

Deno.test("a new workspace gets all its files, whenever the making of it was killed", async () => {
  const { writeTextFile } = Deno;
  for (let last = 1; last <= BOOTSTRAP_FILES.length + 1; last++) {
    await using temp = await temporary();
    const died = Promise.withResolvers<void>();
    let written = 0;
    Deno.writeTextFile = async (path, text, options) => {
      const isLast = ++written === last;
      await writeTextFile(path, isLast ? String(text).slice(0, 9) : text, options);
      if (isLast) died.resolve();
      if (isLast) await new Promise(() => {});
    };
    try {
      void new Workspace(temp.path).ensure();
      await died.promise;
    } finally {
      Deno.writeTextFile = writeTextFile;
    }
    await Deno.writeTextFile(join(temp.path, "USER.md"), "mine");
    const workspace = new Workspace(temp.path);
    await workspace.ensure();
    for (const name of BOOTSTRAP_FILES) {
      const text = name === "USER.md" ? "mine" : TEMPLATES[name];
      strictEqual(await Deno.readTextFile(join(temp.path, name)), text);
    }
    await Deno.remove(join(temp.path, "TOOLS.md"));
    await workspace.ensure();
    const names = (await Array.fromAsync(Deno.readDir(temp.path))).map(({ name }) => name);
    deepStrictEqual(names.sort(), BOOTSTRAP_FILES.filter((name) => name !== "TOOLS.md").sort());
  }
});

Deno.test("a changed file is read again, an unchanged one is not", async () => {
  await using temp = await temporary();
  const path = join(temp.path, "SOUL.md");
  await Deno.writeTextFile(path, "first");
  const workspace = new Workspace(temp.path);
  const text = async () => toShow(await workspace.files(), { perFile: 100, total: 100 })[0]?.text;
  strictEqual(await text(), "first");
  const { mtime } = await Deno.stat(path);
  await Deno.writeTextFile(path, "1irst");
  await Deno.utime(path, mtime!, mtime!);
  strictEqual(await text(), "first", "from memory: neither time nor size has changed");
  await Deno.writeTextFile(path, "second");
  strictEqual(await text(), "second");
});

Deno.test("long files are cut where anybody can see it", async () => {
  await using temp = await temporary();
  await Deno.writeTextFile(join(temp.path, "AGENTS.md"), "a".repeat(30));
  await Deno.writeTextFile(join(temp.path, "SOUL.md"), "b".repeat(30));
  deepStrictEqual(toShow(await new Workspace(temp.path).files(), { perFile: 20, total: 25 }), [
    { name: "AGENTS.md", text: `${"a".repeat(20)}\n[cut here: 10 more characters in AGENTS.md]` },
    { name: "SOUL.md", text: `${"b".repeat(5)}\n[cut here: 25 more characters in SOUL.md]` },
  ]);
});

Deno.test("what isn't a file is left alone", async () => {
  await using temp = await temporary();
  await Deno.mkdir(join(temp.path, "SOUL.md"));
  const workspace = new Workspace(temp.path);
  deepStrictEqual(toShow(await workspace.files(), { perFile: 20, total: 25 }), []);
  const nowhere = new Workspace(join(temp.path, "nowhere"));
  deepStrictEqual(nowhere.identity(await nowhere.files()), {});
});

Deno.test("an identity is read however it is marked up", () => {
  deepStrictEqual(
    parseIdentity("# Me\n- **Name:** Ada *L.*\n* Emoji: 🦊\n**Vibe**: calm\n> avatar: a.png"),
    { name: "Ada *L.", emoji: "🦊", theme: "calm", avatar: "a.png" },
  );
  deepStrictEqual(parseIdentity("Name: (choose one)\nEmoji:\nEmoji: _🐙_\nNote: Name: x"), {
    emoji: "🐙",
  });
});

Deno.test("a new agent has a name", async () => {
  await using temp = await temporary();
  const workspace = new Workspace(temp.path);
  await workspace.ensure();
  const { name, emoji } = workspace.identity(await workspace.files());
  ok(name !== undefined && emoji !== undefined);
});

async function temporary() {
  const path = await Deno.makeTempDir();
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

Deno.test("an identity is read at once, whatever marks are in it", () => {
  const { name } = parseIdentity(`Name: a${"*".repeat(500_000)}b`);
  ok(name !== undefined && name.length <= 500);
});
