import { deepStrictEqual, match, notStrictEqual, strictEqual } from "node:assert/strict";
import { runOn, withHome } from "./fake_io.ts";

/** Runs config commands one after another on one file; resolves to what they did, and the file. */
function onFile(
  text: string | undefined,
  ...lines: readonly (readonly string[])[]
): Promise<
  {
    last: { code: number; stdout: string; stderr: string };
    text: string;
    backup: string;
    comments: string;
  }
> {
  return withHome(async ({ stateDir, env }) => {
    const path = `${stateDir}/openclaw.json`;
    const read = (path: string) => Deno.readTextFile(path).catch(() => "");
    if (text !== undefined) await Deno.writeTextFile(path, text);
    let last = { code: -1, stdout: "", stderr: "" };
    for (const line of lines) last = await runOn(["config", ...line], { env });
    const clean = (text: string) => text.replaceAll(stateDir, "~");
    return {
      last: { ...last, stdout: clean(last.stdout), stderr: clean(last.stderr) },
      text: await read(path),
      backup: await read(`${path}.bak`),
      comments: await read(`${path}.comments.bak`),
    };
  });
}

const WITH_SECRET = `// mine
{ gateway: { port: 5, auth: { token: "s3cret" } }, models: { providers: { "my.host": { apiKey: "k" } } } }`;

Deno.test("config path prints where the file is", async () => {
  strictEqual((await onFile(undefined, ["path"])).last.stdout, "~/openclaw.json\n");
});

Deno.test("config get prints one setting", async () => {
  strictEqual((await onFile(WITH_SECRET, ["get", "gateway.port"])).last.stdout, "5\n");
  strictEqual((await onFile(WITH_SECRET, ["get", "gateway.port", "--json"])).last.stdout, "5\n");
});

Deno.test("config get masks secrets, unless one is asked for", async () => {
  const masked = "__OPENCLAW_REDACTED__";
  const all = await onFile(WITH_SECRET, ["get"]);
  deepStrictEqual(JSON.parse(all.last.stdout), {
    gateway: { port: 5, auth: { token: masked } },
    models: { providers: { "my.host": { apiKey: masked } } },
  });
  const section = await onFile(WITH_SECRET, ["get", "gateway.auth"]);
  deepStrictEqual(JSON.parse(section.last.stdout), { token: masked });
  const one = await onFile(WITH_SECRET, ["get", "gateway.auth.token"]);
  strictEqual(one.last.stdout, "s3cret\n");
  const quoted = await onFile(WITH_SECRET, ["get", `models.providers["my.host"].apiKey`]);
  strictEqual(quoted.last.stdout, "k\n");
});

Deno.test("config get fails for what is not set", async () => {
  const { last } = await onFile("{}", ["get", "gateway.port"]);
  strictEqual(last.code, 1);
  match(last.stderr, /gateway.port is not set/);
  strictEqual((await onFile("{}", ["get", "a..b"])).last.code, 2);
  strictEqual((await onFile("{}", ["get", "__proto__.x"])).last.code, 2);
});

Deno.test("config set reads JSON5, or else text", async () => {
  const { last, text, backup } = await onFile(
    undefined,
    ["set", "gateway.port", "19000"],
    ["set", "agents.list", "[{id: 'main', name: 'Ada',}]"],
    ["set", "agents.list.0.name", "Ada L."],
    ["set", "agents.list[1]", "{id: 'other'}"],
    ["set", "session.mainKey", "--text", "19000"],
  );
  deepStrictEqual([last.code, last.stderr], [0, ""]);
  strictEqual(last.stdout, `session.mainKey is now "19000" in ~/openclaw.json\n`);
  deepStrictEqual(JSON.parse(text), {
    gateway: { port: 19000 },
    agents: { list: [{ id: "main", name: "Ada L." }, { id: "other" }] },
    session: { mainKey: "19000" },
  });
  strictEqual("session" in JSON.parse(backup), false);
});

Deno.test("config set keeps every digit of an id", async () => {
  const path = "channels.discord.applicationId";
  const { text } = await onFile(undefined, ["set", path, "1234567890123456789"]);
  deepStrictEqual(JSON.parse(text).channels.discord, { applicationId: "1234567890123456789" });
});

Deno.test("config set says nothing of a secret", async () => {
  const { last, text } = await onFile("{}", ["set", "gateway.auth.token", "s3cret", "--json"]);
  strictEqual(last.stdout.includes("s3cret"), false);
  deepStrictEqual(JSON.parse(text), { gateway: { auth: { token: "s3cret" } } });
});

Deno.test("config set refuses what is not valid, and leaves the file alone", async () => {
  const before = `{"gateway":{"port":5}}`;
  const { last, text, backup } = await onFile(before, ["set", "gateway.port", "high", "--json"]);
  deepStrictEqual([last.code, text, backup], [1, before, ""]);
  const { error } = JSON.parse(last.stdout);
  strictEqual(error.code, "CONFIG_INVALID");
  match(error.message, /gateway.port: expected integer/);
  strictEqual((await onFile(before, ["set", "gateway.port.x", "1"])).last.code, 2);
  strictEqual((await onFile("{", ["set", "gateway.port", "1"])).text, "{");
});

Deno.test("a file with mistakes can be corrected in steps", async () => {
  const { last, text } = await onFile(
    `{"gateway":{"port":"high","bind":"moon"}}`,
    ["set", "gateway.port", "5"],
  );
  strictEqual(last.code, 0);
  match(last.stderr, /warning: gateway.bind: must be one of/);
  deepStrictEqual(JSON.parse(text), { gateway: { port: 5, bind: "moon" } });
});

Deno.test("comments that get lost are told, and kept beside", async () => {
  const { last, backup } = await onFile(WITH_SECRET, ["set", "gateway.port", "6"]);
  match(last.stderr, /comments are not kept: they are in ~\/openclaw.json.comments.bak/);
  strictEqual(backup, WITH_SECRET);
  const quiet = await onFile(`{"messages":{"responsePrefix":"a//b /* c"}}`, [
    "set",
    "gateway.port",
    "6",
  ]);
  strictEqual(quiet.last.stderr, "");
});

Deno.test("comments are kept through later changes, which have one file before them too", async () => {
  const { last, backup, comments } = await onFile(
    WITH_SECRET,
    ["set", "gateway.port", "6"],
    ["set", "gateway.port", "7"],
  );
  strictEqual(last.stderr, "");
  strictEqual(comments, WITH_SECRET);
  strictEqual(JSON.parse(backup).gateway.port, 6);
});

Deno.test("a path that names no setting changes nothing", async () => {
  const list = `{"agents":{"list":[{"id":"a"},{"id":"b"}]}}`;
  for (
    const line of [
      ["set", "", "{}"],
      ["unset", ""],
      ["get", ""],
      ["set", "agents.list.-1.id", "c"],
      ["set", "agents.list.1e0.id", "c"],
      ["unset", "agents.list.length"],
    ]
  ) {
    const { last, text } = await onFile(list, line);
    notStrictEqual(last.code, 0, line.join(" "));
    strictEqual(text, list);
  }
});

Deno.test("an unknown key is kept, and told", async () => {
  const { last, text } = await onFile("{}", ["set", "gateway.colour", "blue"]);
  match(last.stderr, /gateway.colour: is not known to this version/);
  deepStrictEqual(JSON.parse(text), { gateway: { colour: "blue" } });
});

Deno.test("config unset removes", async () => {
  const { text } = await onFile(
    `{"gateway":{"port":5,"bind":"lan"},"agents":{"list":[{"id":"a"},{"id":"b"}]}}`,
    ["unset", "gateway.port"],
    ["unset", "agents.list.0"],
  );
  deepStrictEqual(JSON.parse(text), {
    gateway: { bind: "lan" },
    agents: { list: [{ id: "b" }] },
  });
  strictEqual((await onFile("{}", ["unset", "gateway.port"])).last.code, 1);
});

Deno.test("config validate says what is wrong", async () => {
  const good = await onFile(`{"gateway":{"port":5}}`, ["validate"]);
  deepStrictEqual([good.last.code, good.last.stdout], [0, "~/openclaw.json is valid\n"]);
  const none = await onFile(undefined, ["validate"]);
  deepStrictEqual([none.last.code, none.last.stdout], [
    0,
    "~/openclaw.json does not exist: everything is at its default\n",
  ]);
  const bad = await onFile(`{gateway: {port: "x", later: 1}}`, ["validate"]);
  strictEqual(bad.last.code, 1);
  match(bad.last.stdout, /^error: gateway.port: /m);
  match(bad.last.stdout, /^warning: gateway.later: /m);
  const broken = await onFile("{", ["validate", "--json"]);
  const { valid, exists } = JSON.parse(broken.last.stdout);
  deepStrictEqual({ code: broken.last.code, valid, exists }, {
    code: 1,
    valid: false,
    exists: true,
  });
});

Deno.test("of settings that are changed at the same time, none is lost", () =>
  withHome(async ({ stateDir, env }) => {
    const names = ["a", "b", "c", "d"];
    await Promise.all(names.map((name) => runOn(["config", "set", name, "1"], { env })));
    const written = JSON.parse(await Deno.readTextFile(`${stateDir}/openclaw.json`));
    deepStrictEqual(Object.keys(written).sort(), names);
  }));
