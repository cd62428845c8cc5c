import { deepStrictEqual, match, rejects, strictEqual } from "node:assert/strict";
import { basename } from "node:path";
import { MediaFolder, type MediaOptions } from "./media.ts";

const signal = new AbortController().signal;
const PDF = new TextEncoder().encode("%PDF-1.7 and more");

async function folder(options: MediaOptions = {}) {
  const path = `${await Deno.makeTempDir()}/media/inbound`;
  return {
    path,
    media: new MediaFolder(path, options),
    names: () => [...Deno.readDirSync(path)].map(({ name }) => name).sort(),
    [Symbol.asyncDispose]: () => Deno.remove(path.slice(0, -14), { recursive: true }),
  };
}

function streamOf(...chunks: Uint8Array[]): ReadableStream<Uint8Array> {
  return ReadableStream.from(chunks);
}

Deno.test("a file is kept under a name of ours, with the type that its bytes have", async () => {
  await using at = await folder();
  const options = { maxBytes: 100, signal };
  const saved = await at.media.save(streamOf(PDF.slice(0, 3), PDF.slice(3)), {
    ...options,
    stem: "1",
    name: "../../Mein Brief.exe",
  });
  deepStrictEqual(saved, {
    path: `${at.path}/1-Mein-Brief.pdf`,
    mimeType: "application/pdf",
    size: 17,
  });
  deepStrictEqual(await Deno.readFile(saved.path), PDF);
  const info = await Deno.stat(saved.path);
  if (Deno.build.os !== "windows") strictEqual((info.mode ?? 0) & 0o777, 0o600);
  const bare = await at.media.save(streamOf(PDF), { ...options, stem: "2" });
  strictEqual(basename(bare.path), "2.pdf");
  const csv = await at.media.save(streamOf(new TextEncoder().encode("a,b")), {
    ...options,
    stem: "3",
    name: "ä/Liste.CSV",
  });
  strictEqual(basename(csv.path), "3-ä-Liste.csv");
  const none = await at.media.save(streamOf(), { ...options, stem: "4", name: "..." });
  deepStrictEqual([basename(none.path), none.size], ["4.bin", 0]);
});

Deno.test("the same file again takes the place of the first", async () => {
  await using at = await folder();
  for (let i = 0; i < 2; i++) {
    await at.media.save(streamOf(PDF), { stem: "1", name: "a", maxBytes: 100, signal });
  }
  deepStrictEqual(at.names(), ["1-a.pdf"]);
});

Deno.test("one that is too large is given up at once, and its stream with it", async () => {
  await using at = await folder();
  let asked = 0;
  let cancelled = false;
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      asked++;
      controller.enqueue(new Uint8Array(1000));
    },
    cancel() {
      cancelled = true;
    },
  });
  await rejects(at.media.save(endless, { stem: "1", maxBytes: 5_000, signal }), {
    name: "MediaError",
  });
  strictEqual(cancelled, true);
  strictEqual(asked < 10, true);
  deepStrictEqual(at.names(), []);
});

Deno.test("one that stops coming, or comes too slowly, is given up", async () => {
  for (
    const [options, reason] of [
      [{ stallMs: 5 }, /stopped sending/],
      [{ minMs: 5, minRate: 1e9 }, /too long/],
    ] as const
  ) {
    await using at = await folder(options);
    const silent = new ReadableStream<Uint8Array>();
    await rejects(at.media.save(silent, { stem: "1", maxBytes: 100, signal }), reason);
    deepStrictEqual(at.names(), []);
  }
});

Deno.test("a stop and a broken connection leave nothing behind", async () => {
  await using at = await folder();
  const stop = new AbortController();
  const silent = new ReadableStream<Uint8Array>();
  const saving = at.media.save(silent, { stem: "1", maxBytes: 100, signal: stop.signal });
  stop.abort(new Error("stopped"));
  await rejects(saving, /stopped/);
  const broken = new ReadableStream<Uint8Array>({
    start: (controller) => controller.error(new Error("reset by peer")),
  });
  await rejects(at.media.save(broken, { stem: "1", maxBytes: 100, signal }), /reset by peer/);
  deepStrictEqual(at.names(), []);
});

Deno.test("the oldest files make room for the newest", async () => {
  await using at = await folder({ quotaBytes: 40 });
  for (const stem of ["1", "2", "3"]) {
    const { path } = await at.media.save(streamOf(PDF), { stem, maxBytes: 100, signal });
    await Deno.utime(path, Number(stem), Number(stem));
  }
  deepStrictEqual(at.names(), ["2.pdf", "3.pdf"]);
  const big = await at.media.save(streamOf(PDF, new Uint8Array(50)), {
    stem: "4",
    maxBytes: 100,
    signal,
  });
  match(big.path, /4\.pdf$/);
  deepStrictEqual(at.names(), ["4.pdf"]);
});
