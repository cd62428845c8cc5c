import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { createUi } from "./ui.ts";

const APP = "app-0123456789ab.js";

Deno.test("the root and the places inside the page are the document, never from a stale copy", async () => {
  await using site = await built();
  for (const path of ["/", "/chat", "/devices", "/chat/", "/?session=agent%3Amain%3Amain"]) {
    const response = await site.get(path);
    strictEqual(response.status, 200, path);
    strictEqual(await response.text(), "<!doctype html>", path);
    strictEqual(response.headers.get("content-type"), "text/html; charset=utf-8");
    strictEqual(response.headers.get("cache-control"), "no-cache");
  }
});

Deno.test("a hashed file may be kept for ever", async () => {
  await using site = await built();
  const response = await site.get(`/${APP}`);
  strictEqual(await response.text(), "run()");
  strictEqual(response.headers.get("content-type"), "text/javascript; charset=utf-8");
  strictEqual(response.headers.get("cache-control"), "public, max-age=31536000, immutable");
});

Deno.test("a client that can unpack gets a packed file", async () => {
  await using site = await built();
  const encodingFor = async (accepted: string) => {
    const response = await site.get(`/${APP}`, { headers: { "accept-encoding": accepted } });
    await response.body?.cancel();
    strictEqual(response.headers.get("vary"), "accept-encoding");
    return response.headers.get("content-encoding") ?? "none";
  };
  for (const accepted of ["gzip", "br, gzip", "deflate,GZIP;q=0.5", "gzip; q=1"]) {
    strictEqual(await encodingFor(accepted), "gzip", accepted);
  }
  for (const accepted of ["", "br", "gzip;q=0", "gzip;q=0.0, br", "xgzip"]) {
    strictEqual(await encodingFor(accepted), "none", accepted);
  }
  const packed = await site.get(`/${APP}`, { headers: { "accept-encoding": "gzip" } });
  strictEqual(await packed.text(), "packed");
});

Deno.test("a copy that is current is not sent again", async () => {
  await using site = await built();
  for (const path of ["/", `/${APP}`]) {
    const first = await site.get(path);
    await first.body?.cancel();
    const etag = first.headers.get("etag") ?? "";
    for (const held of [etag, `W/${etag}`, `"other", ${etag}`]) {
      const again = await site.get(path, { headers: { "if-none-match": held } });
      strictEqual(again.status, 304, held);
      strictEqual(await again.text(), "");
    }
    const stale = await site.get(path, { headers: { "if-none-match": '"other"' } });
    strictEqual(stale.status, 200);
    await stale.body?.cancel();
  }
});

Deno.test("HEAD has the headers of GET and no body", async () => {
  await using site = await built();
  const response = await site.get(`/${APP}`, { method: "HEAD" });
  strictEqual(response.status, 200);
  strictEqual(response.headers.get("content-length"), "5");
  strictEqual(await response.text(), "");
});

Deno.test("every answer is locked down", async () => {
  await using site = await built();
  for (const path of ["/", `/${APP}`]) {
    const response = await site.get(path);
    await response.body?.cancel();
    const policy = response.headers.get("content-security-policy") ?? "";
    ok(policy.startsWith("default-src 'none'; script-src 'self'; style-src 'self'"), policy);
    ok(!policy.includes("unsafe"), policy);
    deepStrictEqual(
      ["x-content-type-options", "x-frame-options", "referrer-policy"].map((name) =>
        response.headers.get(name)
      ),
      ["nosniff", "DENY", "no-referrer"],
    );
  }
});

Deno.test("nothing outside the page is served, however it is spelled", async () => {
  await using site = await built();
  for (
    const path of [
      "/manifest.json",
      "/index.html",
      "/secret.txt",
      "/app-ffffffffffff.js",
      "/%2e%2e/secret",
      "/..%2fsecret",
      "/..%5csecret.txt",
      "/%252e%252e%252fsecret",
      "/..\\secret.txt",
      "/a%00b",
      `//${APP}`,
      `/x/${APP}`,
      `/${APP}%00`,
      `/${APP}/`,
      `/${APP}.gz`,
      "/app-0123456789ab.js.map",
      "/constructor-0123456789ab.js",
      "/api/sessions",
      "/v1/models",
      "/hooks/wake",
      "/tools/invoke",
      "/__openclaw__/canvas/",
      `/${"a".repeat(300)}`,
    ]
  ) {
    const response = await createUi(site.root).respond(new Request(`http://localhost${path}`));
    const text = await response?.text() ?? "";
    ok(!text.includes("secret") && !text.includes("run()"), path);
    if (!path.includes("%2e%2e/")) strictEqual(response, undefined, path);
  }
});

Deno.test("before the page is built, it says how to build it", async () => {
  const root = await Deno.makeTempDir();
  try {
    const response = await createUi(root).respond(new Request("http://localhost/"));
    strictEqual(response?.status, 503);
    ok((await response.text()).includes("deno run -A scripts/web.ts"));
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

async function built() {
  const parent = await Deno.makeTempDir();
  const root = `${parent}/web`;
  await Deno.mkdir(root);
  await Deno.writeTextFile(`${parent}/secret.txt`, "secret");
  await Deno.writeTextFile(`${parent}/secret`, "secret");
  await Deno.writeTextFile(`${root}/secret.txt`, "secret");
  await Deno.writeTextFile(`${root}/index.html`, "<!doctype html>");
  await Deno.writeTextFile(`${root}/${APP}`, "run()");
  await Deno.writeTextFile(`${root}/${APP}.gz`, "packed");
  await Deno.writeTextFile(
    `${root}/manifest.json`,
    JSON.stringify({ build: "b1", files: { [APP]: "text/javascript; charset=utf-8" } }),
  );
  const ui = createUi(root);
  return {
    root,
    async get(path: string, init?: RequestInit): Promise<Response> {
      const response = await ui.respond(new Request(`http://localhost${path}`, init));
      ok(response, `${path} is the page's`);
      return response;
    },
    [Symbol.asyncDispose]: () => Deno.remove(parent, { recursive: true }),
  };
}
