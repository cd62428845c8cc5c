/** Files on their way out: kept apart from where they came from until their message is sent. */
import { basename, join, relative, resolve, sep } from "node:path";
import { BlockList, isIP } from "node:net";
import { fileURLToPath } from "node:url";
import { invalid } from "../error.ts";
import type { MediaKind, OutboundAttachment, OutboundMessage } from "../message.ts";
import { MediaError, MediaFolder } from "./media.ts";

/** How a file is to be shown, where its bytes leave a choice. */
export type ShownAs = "voice" | "file";

export interface KeepOptions {
  /** What people see; without it, what the source calls it. */
  readonly name?: string;
  readonly maxBytes: number;
  readonly as?: ShownAs;
  readonly signal: AbortSignal;
}

export interface OutboundFilesOptions {
  /** Where files are kept; made if it is not there. */
  readonly folder: string;
  /** The only folders of this machine that files may be taken from. */
  roots(): readonly string[];
  readonly fetch?: typeof fetch;
  /** The addresses of a name. */
  readonly resolve?: (host: string) => Promise<readonly string[]>;
}

/** How often an address may point to another one. */
const MAX_REDIRECTS = 3;

export class OutboundFiles {
  readonly #path: string;
  readonly #folder: MediaFolder;
  readonly #roots: () => readonly string[];
  readonly #fetch: typeof fetch;
  readonly #resolve: (host: string) => Promise<readonly string[]>;

  constructor({ folder, roots, fetch: ask = fetch, resolve = addressesOf }: OutboundFilesOptions) {
    this.#path = folder;
    // What waits is needed, however much it is; it goes when its message is sent.
    this.#folder = new MediaFolder(folder, { quotaBytes: Infinity });
    this.#roots = roots;
    this.#fetch = ask;
    this.#resolve = resolve;
  }

  /** Keeps what a text names: an address, a `data:` URL, or a path of this machine. */
  async keep(source: string, options: KeepOptions): Promise<OutboundAttachment> {
    if (/^https?:/i.test(source)) return await this.#keepUrl(source, options);
    if (/^data:/i.test(source)) return await this.keepBytes(readDataUrl(source), options);
    const path = /^file:/i.test(source) ? fileURLToPath(source) : source;
    return await this.keepPath(path, { ...options, roots: this.#roots() });
  }

  async keepBytes(
    bytes: Uint8Array<ArrayBuffer>,
    options: KeepOptions,
  ): Promise<OutboundAttachment> {
    return await this.#save(new Blob([bytes]).stream(), { name: "file", ...options });
  }

  /** Keeps one after the other; none of them where one can't be kept. */
  async keepAll(
    keepers: Iterable<() => Promise<OutboundAttachment>>,
  ): Promise<OutboundAttachment[]> {
    const kept: OutboundAttachment[] = [];
    try {
      for (const keep of keepers) kept.push(await keep());
      return kept;
    } catch (error) {
      for (const attachment of kept) await this.release({ attachment });
      throw error;
    }
  }

  /** Removes the file of a message that needs it no more. Never rejects. */
  async release({ attachment }: Pick<OutboundMessage, "attachment">): Promise<void> {
    if (attachment === undefined || !isInside(this.#path, attachment.path)) return;
    await Deno.remove(attachment.path).catch(() => {}); // it is gone already
  }

  /** Removes files that no message waits for: a crash left them. */
  async sweep(needed: ReadonlySet<string>): Promise<void> {
    try {
      for await (const { name, isFile } of Deno.readDir(this.#path)) {
        const path = join(this.#path, name);
        if (isFile && !needed.has(path)) await Deno.remove(path);
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  /** Keeps a file of this machine that lies in one of these folders, wherever links lead. */
  async keepPath(
    path: string,
    { roots, ...options }: KeepOptions & { readonly roots: readonly string[] },
  ): Promise<OutboundAttachment> {
    const real = await Deno.realPath(path).catch(() => undefined);
    const allowed = await Promise.all(
      roots.map((root) => Deno.realPath(root).catch(() => undefined)),
    );
    // Whether it is there is nobody's business who may not have it.
    if (real === undefined || !allowed.some((root) => root !== undefined && isInside(root, real))) {
      throw invalid(
        `Cannot send '${path}': there is no such file in the workspace or the media folder`,
      );
    }
    if (!(await Deno.stat(real)).isFile) throw invalid(`Cannot send '${path}': it is no file`);
    const file = await Deno.open(real);
    return await this.#save(file.readable, { name: basename(path), ...options });
  }

  async #keepUrl(source: string, options: KeepOptions): Promise<OutboundAttachment> {
    let url = new URL(source);
    for (let hops = 0;; hops++) {
      await this.#requirePublic(url);
      const response = await this.#fetch(url, { redirect: "manual", signal: options.signal })
        .catch((cause) => {
          throw invalid(
            `Cannot fetch ${url.origin}: ${cause instanceof Error ? cause.message : cause}`,
          );
        });
      const location = response.headers.get("location");
      if (response.status >= 300 && response.status < 400 && location !== null) {
        await response.body?.cancel();
        if (hops === MAX_REDIRECTS) throw invalid(`Cannot fetch ${url.origin}: it points too far`);
        url = new URL(location, url);
        continue;
      }
      if (!response.ok || response.body === null) {
        await response.body?.cancel();
        throw invalid(`Cannot fetch ${url.origin}: it answers ${response.status}`);
      }
      const name = decoded(basename(url.pathname)) || "file";
      return await this.#save(response.body, { name, ...options });
    }
  }

  /** An address that somebody names must not lead into this machine's own network. */
  async #requirePublic({ protocol, hostname }: URL): Promise<void> {
    if (protocol !== "https:" && protocol !== "http:") {
      throw invalid(`Cannot fetch ${protocol}: only http and https addresses can be sent`);
    }
    const host = hostname.replace(/^\[|\]$/g, "");
    const addresses = isIP(host) > 0 ? [host] : await this.#resolve(host).catch(() => []);
    if (addresses.length === 0) throw invalid(`Cannot fetch ${hostname}: nobody has that name`);
    if (
      addresses.some((address) => PRIVATE.check(address, isIP(address) === 6 ? "ipv6" : "ipv4"))
    ) {
      throw invalid(`Cannot fetch ${hostname}: it is in a private network`);
    }
  }

  async #save(
    stream: ReadableStream<Uint8Array>,
    { name = "file", maxBytes, as, signal }: KeepOptions,
  ): Promise<OutboundAttachment> {
    const stem = crypto.randomUUID();
    try {
      const { path, mimeType, size } = await this.#folder.save(stream, {
        stem,
        name,
        maxBytes,
        signal,
      });
      return { path, mimeType, size, name, kind: kindOf(mimeType, as) };
    } catch (error) {
      if (error instanceof MediaError) throw invalid(`Cannot send '${name}': ${error.message}`);
      throw error;
    }
  }
}

/** Networks that a stranger's name may point into, and must not. */
const PRIVATE = new BlockList();
for (
  const [network, bits] of [
    ["0.0.0.0", 8],
    ["10.0.0.0", 8],
    ["100.64.0.0", 10],
    ["127.0.0.0", 8],
    ["169.254.0.0", 16],
    ["172.16.0.0", 12],
    ["192.0.0.0", 24],
    ["192.168.0.0", 16],
    ["198.18.0.0", 15],
    ["224.0.0.0", 3],
  ] as const
) {
  PRIVATE.addSubnet(network, bits, "ipv4");
}
for (
  const [network, bits] of [["::", 96], ["fc00::", 7], ["fe80::", 10], ["ff00::", 8], [
    "64:ff9b::",
    96,
  ]] as const
) {
  PRIVATE.addSubnet(network, bits, "ipv6");
}

async function addressesOf(host: string): Promise<readonly string[]> {
  const answers = await Promise.allSettled([
    Deno.resolveDns(host, "A"),
    Deno.resolveDns(host, "AAAA"),
  ]);
  return answers.flatMap((answer) => answer.status === "fulfilled" ? answer.value : []);
}

function kindOf(mimeType: string, as: ShownAs | undefined): MediaKind {
  if (as === "file") return "file";
  const [kind] = mimeType.split("/");
  if (kind === "audio") return as ?? "audio";
  return kind === "image" || kind === "video" ? kind : "file";
}

/** As people read it, unless it only looks as if it were encoded. */
function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

function readDataUrl(url: string): Uint8Array<ArrayBuffer> {
  const [, encoded] = /^data:[^,]*;base64,([A-Za-z0-9+/=\s]*)$/i.exec(url) ?? [];
  if (encoded === undefined) throw invalid("Cannot send that data: URL: it is not base64");
  return Uint8Array.from(atob(encoded.replace(/\s/g, "")), (letter) => letter.charCodeAt(0));
}

function isInside(folder: string, path: string): boolean {
  const way = relative(resolve(folder), resolve(path));
  return way !== "" && way !== ".." && !way.startsWith(`..${sep}`) && !way.startsWith(sep);
}
