import { ok, rejects, strictEqual } from "node:assert/strict";
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
