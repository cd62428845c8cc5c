import { deepStrictEqual, match, rejects, strictEqual } from "node:assert/strict";
import { placeOf } from "../../tests/fakes/channel.ts";
import type { OutboundAttachment } from "../message.ts";
import { type KeepOptions, OutboundFiles, type OutboundFilesOptions } from "./outbound_files.ts";

const PNG = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0]);
const OPTIONS: KeepOptions = { maxBytes: 100, signal: new AbortController().signal };

/** Files kept in a folder of the test's own, taken from another one. */
async function withFiles(
  use: (world: { files: OutboundFiles; root: string; folder: string }) => Promise<void>,
  options: Partial<OutboundFilesOptions> = {},
): Promise<void> {
  const base = await Deno.makeTempDir();
  const [root, folder] = [`${base}/workspace`, `${base}/outbound`];
  await Deno.mkdir(root);
  try {
    const files = new OutboundFiles({ folder, roots: () => [root], ...options });
    await use({ files, root, folder });
  } finally {
    await Deno.remove(base, { recursive: true });
  }
}

/** A web that answers from a table. */
function web(pages: Readonly<Record<string, () => Response>>): Partial<OutboundFilesOptions> {
  return {
    fetch: (input) => {
      const page = pages[String(input)];
      return page === undefined
        ? Promise.reject(new Error("no such page"))
        : Promise.resolve(page());
    },
    resolve: (host) => Promise.resolve(host === "inside.example" ? ["10.0.0.1"] : ["192.0.2.1"]),
  };
}

Deno.test("a file is copied, so that it stays what it was", async () => {
  await withFiles(async ({ files, root }) => {
    await Deno.writeFile(`${root}/picture.png`, PNG);
    const kept = await files.keep(`${root}/picture.png`, OPTIONS);
    await Deno.writeTextFile(`${root}/picture.png`, "changed");
    const { name, kind, mimeType, size } = kept;
    deepStrictEqual([name, kind, mimeType, size], ["picture.png", "image", "image/png", 9]);
    deepStrictEqual(await Deno.readFile(kept.path), PNG);
  });
});

Deno.test("nothing outside of the allowed folders is sent, whatever leads there", async () => {
  await withFiles(async ({ files, root, folder }) => {
    const secret = `${root}-secret`;
    await Deno.writeTextFile(secret, "secret");
    await Deno.symlink(secret, `${root}/link`);
    for (
      const path of [
        secret,
        `${root}/link`,
        `${root}/../workspace-secret`,
        `file://${secret}`,
        "/etc/passwd",
        "no-such",
        root,
        folder,
      ]
    ) {
      await rejects(files.keep(path, OPTIONS), /^GatewayError: Cannot send/, path);
    }
    await Deno.remove(secret);
  });
});

Deno.test("bytes are kept as what they are, or as what is wanted", async () => {
  await withFiles(async ({ files }) => {
    const kindOf = async (bytes: Uint8Array<ArrayBuffer>, as?: KeepOptions["as"]) =>
      (await files.keepBytes(bytes, { ...OPTIONS, as })).kind;
    const ogg = new TextEncoder().encode("OggS".padEnd(40, "."));
    deepStrictEqual(
      [await kindOf(PNG), await kindOf(PNG, "file"), await kindOf(ogg), await kindOf(ogg, "voice")],
      ["image", "file", "audio", "voice"],
    );
    const url = await files.keep("data:text/plain;base64,aGVsbG8=", { ...OPTIONS, name: "a.txt" });
    deepStrictEqual([url.name, url.size], ["a.txt", 5]);
    await rejects(files.keep("data:text/plain,hello", OPTIONS), /it is not base64/);
    await rejects(
      files.keepBytes(new Uint8Array(101), OPTIONS),
      /Cannot send 'file': it is larger/,
    );
  });
});

Deno.test("an address is fetched, and followed, but never into a private network", async () => {
  const redirect = (to: string) => () =>
    new Response(null, { status: 302, headers: { location: to } });
  await withFiles(
    async ({ files }) => {
      const kept = await files.keep("https://a.example/old", OPTIONS);
      deepStrictEqual([kept.name, kept.kind], ["cat.png", "image"]);
      strictEqual((await files.keep("https://a.example/a%20b.png", OPTIONS)).name, "a b.png");
      strictEqual((await files.keep("https://a.example/100%.png", OPTIONS)).name, "100%.png");
      for (
        const [url, why] of [
          ["https://a.example/in", /inside\.example: it is in a private network/],
          ["https://a.example/file", /Cannot fetch file:/],
          ["https://a.example/loop", /it points too far/],
          ["https://a.example/gone", /it answers 404/],
          ["https://a.example/none", /no such page/],
          ["http://127.0.0.1:1/", /private network/],
          ["http://[::1]/", /private network/],
          ["http://[::ffff:10.0.0.1]/", /private network/],
          ["http://169.254.169.254/latest/meta-data", /private network/],
        ] as const
      ) {
        await rejects(files.keep(url, OPTIONS), (error: Error) => {
          match(error.message, why);
          return true;
        });
      }
    },
    web({
      "https://a.example/old": redirect("https://b.example/cat.png"),
      "https://b.example/cat.png": () => new Response(PNG),
      "https://a.example/a%20b.png": () => new Response(PNG),
      "https://a.example/100%.png": () => new Response(PNG),
      "https://a.example/in": redirect("http://inside.example/"),
      "https://a.example/file": redirect("file:///etc/passwd"),
      "https://a.example/loop": redirect("https://a.example/loop"),
      "https://a.example/gone": () => new Response("no", { status: 404 }),
    }),
  );
});

Deno.test("a file goes when its message is sent, and what nobody waits for goes at the start", async () => {
  await withFiles(async ({ files, root, folder }) => {
    const names = () => [...Deno.readDirSync(folder)].length;
    const keep = () => files.keepBytes(PNG, OPTIONS);
    const message = (attachment: OutboundAttachment) => ({
      id: "1",
      place: placeOf("ada"),
      text: "",
      attachment,
    });
    const [sent, waiting] = [await keep(), await keep()];
    await files.release(message(sent));
    strictEqual(names(), 1);
    await keep();
    await files.sweep(new Set([waiting.path]));
    strictEqual(names(), 1);

    await Deno.writeTextFile(`${root}/own`, "stays");
    await files.release(message({ ...waiting, path: `${root}/own` }));
    strictEqual(await Deno.readTextFile(`${root}/own`), "stays");
  });
  const nowhere = new OutboundFiles({ folder: "/no/such/folder", roots: () => [] });
  await nowhere.sweep(new Set());
});
