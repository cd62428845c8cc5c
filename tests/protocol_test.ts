/** What is generated from the declarations is current and sound, and the declarations fit clients. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { findPackageJSON } from "node:module";
import { dirname, join } from "node:path";
import "tree-sitter-wasms/package.json" with { type: "json" };
import { Language, Parser } from "web-tree-sitter";
import { isMethodName, methods } from "../schemas/mod.ts";
import { checkParams } from "../schemas/validate.ts";
import { generatedFiles } from "../scripts/protocol.ts";
import requests from "./testdata/requests.json" with { type: "json" };

for (const { url, text } of generatedFiles()) {
  const name = url.pathname.slice(url.pathname.lastIndexOf("/") + 1);
  Deno.test(`${name} is current`, async () => {
    ok(await Deno.readTextFile(url) === text, `schemas/generated/${name}: run deno task protocol`);
  });
}

Deno.test("the JSON Schema is well-formed, and every reference in it leads somewhere", () => {
  const types = ["string", "integer", "number", "boolean", "null", "array", "object"];
  const text = generatedText("protocol.schema.json");
  const { $defs } = JSON.parse(text);
  JSON.parse(text, (_, { $ref, type, required, properties } = {}) => {
    if (typeof $ref === "string") ok($ref.replace("#/$defs/", "") in $defs, $ref);
    if (typeof type === "string") ok(types.includes(type), type);
    if (Array.isArray(required)) { for (const name of required) ok(name in properties, name); }
  });
});

Deno.test("every method and event has its definitions", () => {
  const { $defs } = JSON.parse(generatedText("protocol.schema.json"));
  const expected = ["ChatSendParams", "SessionsListResult", "DevicePairRequestedEvent", "HelloOk"];
  for (const name of [...expected, "NodePluginToolsUpdateParams", "SystemPresenceResult"]) {
    ok(name in $defs, name);
  }
});

Deno.test("the Swift file parses, and a broken one would not", async () => {
  const swift = await swiftParser();
  const text = generatedText("GatewayModels.swift");
  deepStrictEqual(syntaxErrors(swift, text), []);
  const broken = text.replace("public struct HelloOk: Codable", "public struct HelloOk: : Codable");
  ok(syntaxErrors(swift, broken).length > 0);
});

Deno.test("the Swift file has the types that the apps are written against", () => {
  const text = generatedText("GatewayModels.swift");
  const types =
    "RequestFrame ResponseFrame EventFrame ConnectParams HelloOk Snapshot PresenceEntry " +
    "StateVersion ErrorShape AgentEvent AgentParams ChatSendParams SessionsListResult";
  for (const type of types.split(" ")) ok(text.includes(`public struct ${type}: Codable`), type);
  for (const type of ["GatewayFrame: Codable", "ErrorCode: String", "ChatEvent: Codable"]) {
    ok(text.includes(`public enum ${type}`), type);
  }
  ok(text.includes("public let GATEWAY_PROTOCOL_VERSION = 4\n"));
});

Deno.test("what released clients were seen to send is accepted", () => {
  for (const { client, method, params } of requests as readonly CapturedRequest[]) {
    ok(isMethodName(method), method);
    strictEqual(checkParams(methods[method], params ?? {}), undefined, `${client}: ${method}`);
  }
});

/** A request of a real client, with its secrets replaced. */
interface CapturedRequest {
  readonly client: string;
  readonly method: string;
  readonly params?: unknown;
}

function generatedText(name: string): string {
  return Deno.readTextFileSync(new URL(`../schemas/generated/${name}`, import.meta.url));
}

async function swiftParser(): Promise<Parser> {
  await Parser.init();
  const grammars = dirname(String(findPackageJSON("tree-sitter-wasms", import.meta.url)));
  const parser = new Parser();
  parser.setLanguage(await Language.load(join(grammars, "out/tree-sitter-swift.wasm")));
  return parser;
}

/** Where a text stops being Swift. */
function syntaxErrors(parser: Parser, text: string): readonly string[] {
  const tree = parser.parse(text);
  ok(tree !== null);
  try {
    const errors = tree.rootNode.descendantsOfType("ERROR");
    const lines = errors.map((node) => `line ${(node?.startPosition.row ?? 0) + 1}`);
    return tree.rootNode.hasError && lines.length === 0 ? ["a token is missing"] : lines;
  } finally {
    tree.delete();
  }
}
