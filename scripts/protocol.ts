/**
 * Writes `schemas/generated/` anew from `schemas/`. With `--check` it writes nothing, and exits 1
 * where a file there is not what it would write.
 */
import { protocolSchema } from "./protocol/json_schema.ts";
import { swiftModels } from "./protocol/swift.ts";

/** A file that follows from the declarations, and what it should hold. */
export interface GeneratedFile {
  readonly url: URL;
  readonly text: string;
}

/** The files of `schemas/generated/`. The same declarations give the same texts. */
export function generatedFiles(): readonly GeneratedFile[] {
  const folder = new URL("../schemas/generated/", import.meta.url);
  const document = protocolSchema();
  return [
    {
      url: new URL("protocol.schema.json", folder),
      text: `${JSON.stringify(document, undefined, 2)}\n`,
    },
    { url: new URL("GatewayModels.swift", folder), text: swiftModels(document, 4) },
  ];
}

if (import.meta.main) {
  for (const { url, text } of generatedFiles()) {
    const name = url.pathname.slice(url.pathname.lastIndexOf("/") + 1);
    if (!Deno.args.includes("--check")) {
      Deno.mkdirSync(new URL(".", url), { recursive: true });
      Deno.writeTextFileSync(url, text);
      console.log(`wrote ${name}`);
    } else if (!isCurrent(url, text)) {
      console.error(`schemas/generated/${name} is stale: run deno task protocol`);
      Deno.exitCode = 1;
    }
  }
}

function isCurrent(url: URL, text: string): boolean {
  try {
    return Deno.readTextFileSync(url) === text;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
