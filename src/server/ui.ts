/** Serves the built page: one document, and the hashed files that it asks for. */
import { pathToFileURL } from "node:url";
import { findRoute } from "./routes.ts";

/** What `scripts/web.ts` writes beside the files that it built. */
export interface UiManifest {
  /** Hash of everything the page was built from. */
  readonly build: string;
  /**
   * The files that may be asked for by name, in the root, with their media types. Beside each lies
   * the same with `.gz` after its name, compressed.
   */
  readonly files: Readonly<Record<string, string>>;
}

/** Answers requests for the page. */
export interface Ui {
  /**
   * Resolves to `undefined` for a path that isn't the page's; never rejects for a bad request. The
   * request is one that reads.
   */
  respond(request: Request): Promise<Response | undefined>;
}

/**
 * The page whose built files lie in `root`. Nothing is read before the first request, and nothing is
 * kept after one: a new build is served as soon as it is there.
 */
export function createUi(root: URL | string): Ui {
  const folder = folderUrl(root);
  return {
    async respond(request) {
      const { pathname } = new URL(request.url);
      const name = pathname.slice(1);
      const route = findRoute(pathname);
      if (route !== "file" && route !== "page") return undefined;
      const manifest = await readManifest(folder);
      if (manifest === undefined) return notBuilt(request);
      if (route === "page") {
        return file(request, new URL(DOCUMENT, folder), {
          "content-type": "text/html; charset=utf-8",
          "cache-control": "no-cache",
          etag: `"${manifest.build}"`,
        });
      }
      const type = Object.hasOwn(manifest.files, name) ? manifest.files[name] : undefined;
      if (type === undefined) return undefined;
      const packed = acceptsGzip(request);
      return file(request, new URL(packed ? `${name}.gz` : name, folder), {
        "content-type": type,
        ...(packed ? { "content-encoding": "gzip" } : {}),
        vary: "accept-encoding",
        "cache-control": "public, max-age=31536000, immutable",
        etag: packed ? `"${name}.gz"` : `"${name}"`,
      });
    },
  };
}

const DOCUMENT = "index.html";
const MANIFEST = "manifest.json";

/** The page runs its own script and speaks to its own host; it can make no markup out of text. */
const SECURITY = {
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    "connect-src 'self'",
    "font-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; "),
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
} as const;

function folderUrl(root: URL | string): URL {
  const url = typeof root === "string" ? pathToFileURL(root) : new URL(root);
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return url;
}

async function readManifest(folder: URL): Promise<UiManifest | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(new URL(MANIFEST, folder)));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function file(
  request: Request,
  location: URL,
  headers: { readonly etag: string } & Readonly<Record<string, string>>,
): Promise<Response> {
  if (matches(request.headers.get("if-none-match"), headers.etag)) {
    return new Response(null, { status: 304, headers: { ...SECURITY, ...headers } });
  }
  return answer(request, 200, await Deno.readFile(location), headers);
}

function acceptsGzip(request: Request): boolean {
  const codings = request.headers.get("accept-encoding")?.split(",") ?? [];
  return codings.some((coding) => /^\s*gzip\s*(?:;\s*q=(?!0(?:\.0*)?\s*$).*)?$/i.test(coding));
}

/** Whether a client's copy is current. A proxy may have made its tag weak; it's the same file. */
function matches(held: string | null, etag: string): boolean {
  return held?.split(",").some((tag) => tag.trim().replace(/^W\//, "") === etag) ?? false;
}

function notBuilt(request: Request): Response {
  const page = `<!doctype html>
<html lang="en">
<title>Page not built</title>
<h1>The page has not been built</h1>
<p>The gateway is running. To get its page, run <code>deno run -A scripts/web.ts</code> in its
folder and load this address again.</p>
</html>
`;
  return answer(request, 503, page, {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
  });
}

function answer(
  request: Request,
  status: number,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Readonly<Record<string, string>>,
): Response {
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  return new Response(request.method === "HEAD" ? null : bytes, {
    status,
    headers: {
      "content-type": "text/plain; charset=utf-8",
      "content-length": String(bytes.length),
      ...SECURITY,
      ...headers,
    },
  });
}
