import { deepStrictEqual, rejects } from "node:assert/strict";
import { sentOnce } from "./sent_once.ts";

Deno.test("a request is sent once, though its connection closes without an answer", async () => {
  await using server = new CuttingServer();
  const { url } = server;
  await (await fetch(url)).text(); // the connection that is used again
  await rejects(sentOnce(fetch)(url, { method: "POST", body: "say it" }));
  await rejects(sentOnce(fetch)(url, { method: "POST", body: "say it" }));
  deepStrictEqual(server.heard, ["say it", "say it"]);
});

Deno.test("a text is sent with its type and its length, and other bodies as they are", async () => {
  const seen: (readonly [string | null, string])[] = [];
  await using server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    async ({ headers, body }) => {
      seen.push([headers.get("content-length"), headers.get("content-type") ?? ""]);
      return new Response(body && await new Response(body).text());
    },
  );
  const url = `http://127.0.0.1:${server.addr.port}`;
  const once = sentOnce(fetch);
  const echo = async (body?: BodyInit, type?: string) =>
    await (await once(url, {
      ...(body === undefined ? {} : { method: "POST", body }),
      headers: type === undefined ? {} : { "content-type": type },
    })).text();
  deepStrictEqual(
    [
      await echo('{"a":"ü"}', "application/json"),
      await echo(new URLSearchParams({ a: "1" })),
      await echo(new Blob(["b"]).stream()),
      await echo(),
    ],
    ['{"a":"ü"}', "a=1", "b", ""],
  );
  deepStrictEqual(seen, [
    ["10", "application/json"],
    ["3", "application/x-www-form-urlencoded;charset=UTF-8"],
    [null, ""],
    [null, ""],
  ]);
});

/** Answers a GET; closes the connection once it has read a POST to its end. */
class CuttingServer implements AsyncDisposable {
  /** The body of each POST. */
  readonly heard: string[] = [];
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #open = new Set<Deno.TcpConn>();
  readonly #work = this.#serve();

  get url(): string {
    return `http://127.0.0.1:${this.#listener.addr.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#open) this.#close(connection);
    await this.#work;
  }

  async #serve(): Promise<void> {
    const answers: Promise<void>[] = [];
    for await (const connection of this.#listener) {
      this.#open.add(connection);
      answers.push(this.#answer(connection).catch(() => {}));
    }
    await Promise.all(answers);
  }

  async #answer(connection: Deno.TcpConn): Promise<void> {
    const buffer = new Uint8Array(4096);
    for (let text = "";;) {
      const size = await connection.read(buffer);
      if (size === null) return this.#close(connection);
      text += new TextDecoder().decode(buffer.subarray(0, size));
      const [head = "", body] = text.split("\r\n\r\n");
      if (body === undefined) continue;
      if (head.startsWith("GET")) {
        text = "";
        await connection.write(
          new TextEncoder().encode("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"),
        );
      } else if (body.length === Number(/^content-length: (\d+)$/im.exec(head)?.[1])) {
        this.heard.push(body);
        return this.#close(connection);
      }
    }
  }

  #close(connection: Deno.TcpConn): void {
    if (this.#open.delete(connection)) connection.close();
  }
}
