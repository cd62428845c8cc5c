/**
 * Builds the page: bundles `src/web/` into `dist/web/`. With `--if-stale` it does nothing when
 * nothing that the page is made of has changed. Needs the npm packages, and no network besides.
 */
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import type { UiManifest } from "../src/server/ui.ts";

const PROJECT = new URL("../", import.meta.url);
const OUTPUT = new URL("dist/web/", PROJECT);
/** Everything that the page is made of. */
const SOURCES = ["deno.json", "scripts/web.ts", "schemas/", "src/client/", "src/web/"];

if (import.meta.main) {
  const build = await fingerprint(SOURCES);
  if (Deno.args.includes("--if-stale") && await builtFrom() === build) Deno.exit(0);
  const page = await bundle(build);
  await publish(page);
  const plain = size(page, (name) => !name.endsWith(".gz"));
  const sent = size(page, (name) => name.endsWith(".gz"));
  console.log(`Built dist/web (${plain} kB, ${sent} kB on the way)`);
}

interface Page {
  readonly manifest: UiManifest;
  /** Name to content, without the manifest. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** What the files with these names take, in kilobytes. */
function size({ files }: Page, fits: (name: string) => boolean): number {
  let bytes = 0;
  for (const [name, content] of files) if (fits(name)) bytes += content.length;
  return Math.round(bytes / 1000);
}

/** The document, with the names of the bundled script and style written into it. */
async function bundle(build: string): Promise<Page> {
  const folder = await Deno.makeTempDir({ prefix: "openclaw-web-" });
  try {
    const [script, style] = await Promise.all([
      bundled("src/web/main.tsx", `${folder}/app.js`),
      bundled("src/web/style/page.css", `${folder}/app.css`),
    ]);
    const names = { script: hashed("app", "js", script), style: hashed("app", "css", style) };
    const { version } = JSON.parse(await Deno.readTextFile(new URL("deno.json", PROJECT)));
    const document = (await Deno.readTextFile(new URL("src/web/index.html", PROJECT)))
      .replace("main.tsx", `/${names.script}`)
      .replace("style/page.css", `/${names.style}`)
      .replace("0.0.0", version);
    return {
      manifest: {
        build,
        files: {
          [names.script]: "text/javascript; charset=utf-8",
          [names.style]: "text/css; charset=utf-8",
        },
      },
      files: new Map([
        [names.script, script],
        [`${names.script}.gz`, await packed(script)],
        [names.style, style],
        [`${names.style}.gz`, await packed(style)],
        ["index.html", new TextEncoder().encode(document)],
      ]),
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function bundled(entry: string, output: string): Promise<Uint8Array<ArrayBuffer>> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "--platform", "browser", "--minify", "-o", output, entry],
    cwd: fileURLToPath(PROJECT),
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(`Cannot bundle ${entry}: ${new TextDecoder().decode(stderr)}`);
  return Deno.readFile(output);
}

/** Once here rather than at each request. */
async function packed(content: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const stream = new Blob([content]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Files first, the manifest last, old files after it: a reader never finds half a page. */
async function publish({ manifest, files }: Page): Promise<void> {
  await Deno.mkdir(OUTPUT, { recursive: true });
  for (const [name, content] of files) await replace(name, content);
  await replace("manifest.json", new TextEncoder().encode(JSON.stringify(manifest, null, 2)));
  for await (const { name } of Deno.readDir(OUTPUT)) {
    if (files.has(name) || name === "manifest.json" || name.endsWith(".new")) continue;
    await Deno.remove(new URL(name, OUTPUT), { recursive: true });
  }
}

async function replace(name: string, content: Uint8Array): Promise<void> {
  const fresh = new URL(`${name}.${Deno.pid}.new`, OUTPUT);
  await Deno.writeFile(fresh, content);
  await Deno.rename(fresh, new URL(name, OUTPUT));
}

/** The fingerprint of the page that is there, or `undefined`. */
async function builtFrom(): Promise<string | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(new URL("manifest.json", OUTPUT))).build;
  } catch {
    return undefined; // none, or not readable: build it
  }
}

async function fingerprint(sources: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const path of (await Array.fromAsync(walk(sources))).sort()) {
    hash.update(`${path}\0`).update(await Deno.readFile(new URL(path, PROJECT))).update("\0");
  }
  return hash.digest("hex").slice(0, 16);
}

async function* walk(paths: readonly string[]): AsyncGenerator<string> {
  for (const path of paths) {
    if (!path.endsWith("/")) {
      yield path;
      continue;
    }
    for await (const entry of Deno.readDir(new URL(path, PROJECT))) {
      if (entry.name.includes("_test.") || entry.name === "generated") continue;
      yield* walk([`${path}${entry.name}${entry.isDirectory ? "/" : ""}`]);
    }
  }
}

function hashed(name: string, extension: string, content: Uint8Array): string {
  return `${name}-${createHash("sha256").update(content).digest("hex").slice(0, 12)}.${extension}`;
}
