import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { InnerServer } from "./guard_inner.ts";

/** What the server says to a plain request. */
async function ask(inner: InnerServer): Promise<string> {
  using conn = await inner.connect();
  await conn.write(
    new TextEncoder().encode("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
  );
  return await new Response(conn.readable).text();
}

Deno.test("The inner server answers on loopback, for a system without Unix sockets", async () => {
  const inner = new InnerServer({
    handler: (_, { remoteAddr }) => new Response(remoteAddr.transport),
    log: () => {},
    onLoopback: true,
  });
  ok((await ask(inner)).endsWith("\r\n\r\ntcp"));
  await inner.shutdown();
  await rejects(inner.connect());
  await inner.remove();
});

Deno.test({
  name: "The inner server's socket is in a folder that only we may enter, and is removed",
  ignore: Deno.build.os === "windows",
  async fn() {
    let path = "";
    const inner = new InnerServer({
      handler: (_, { remoteAddr }) => {
        path = "path" in remoteAddr ? remoteAddr.path : "";
        return new Response("ok");
      },
      log: () => {},
    });
    ok((await ask(inner)).endsWith("\r\n\r\nok"));
    const folder = path.slice(0, path.lastIndexOf("/"));
    strictEqual((await Deno.stat(folder)).mode! & 0o777, 0o700);
    await inner.shutdown();
    await inner.remove();
    await rejects(Deno.stat(folder), Deno.errors.NotFound);
  },
});

Deno.test({
  name: "The inner server's socket is in the folder that it is given, with nothing else",
  ignore: Deno.build.os === "windows",
  async fn() {
    const home = await Deno.makeTempDir();
    const folder = `${home}/sockets`;
    await Deno.mkdir(folder, { mode: 0o755 });
    await Deno.writeTextFile(`${folder}/1`, "left by an earlier one");
    const inner = new InnerServer({ handler: () => new Response("ok"), log: () => {}, folder });
    ok((await ask(inner)).endsWith("\r\n\r\nok"));
    deepStrictEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["1"]);
    strictEqual((await Deno.stat(folder)).mode! & 0o777, 0o700);
    strictEqual((await Deno.stat(`${folder}/1`)).mode! & 0o777, 0o600);
    await inner.shutdown();
    await inner.remove();
    deepStrictEqual([...Deno.readDirSync(home)], []);
    await Deno.remove(home);
  },
});

Deno.test({
  name: "The inner server finds itself a folder where a path is too long for a socket",
  ignore: Deno.build.os === "windows",
  async fn() {
    const home = await Deno.makeTempDir();
    const said: string[] = [];
    const inner = new InnerServer({
      handler: () => new Response("ok"),
      log: (line) => said.push(line),
      folder: `${home}/${"x".repeat(120)}`,
    });
    ok((await ask(inner)).endsWith("\r\n\r\nok"));
    ok(said.join().startsWith(`Cannot open a socket in '${home}/xxx`), said.join());
    deepStrictEqual([...Deno.readDirSync(home)], []);
    await inner.shutdown();
    await inner.remove();
    await Deno.remove(home);
  },
});
