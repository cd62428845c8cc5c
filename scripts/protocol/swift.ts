/** Swift types for the protocol, made from its JSON Schema. */
import type { JsonSchema, SchemaDocument } from "./json_schema.ts";

/**
 * One Swift file: a type per definition, and what they need to be `Codable`. Names of types and
 * properties are those of the wire. A value that may be `null` is an optional; where it may also be
 * absent, which on the wire is something else, it is an optional `Nullable`.
 */
export function swiftModels(document: SchemaDocument, protocolVersion: number): string {
  const taken = new Set(Object.keys(document.$defs));
  const types = Object.entries(document.$defs).flatMap(([name, schema]) => {
    const emitter = new Emitter(document, taken);
    emitter.declare(name, schema);
    return emitter.declarations;
  });
  return [prelude(protocolVersion), ...types].join("\n");
}

class Emitter {
  readonly declarations: string[] = [];
  readonly #document: SchemaDocument;
  readonly #taken: Set<string>;

  constructor(document: SchemaDocument, taken: Set<string>) {
    this.#document = document;
    this.#taken = taken;
  }

  /** Adds the declaration of a type, and after it those of the types that only it uses. */
  declare(name: string, schema: JsonSchema): void {
    const place = this.declarations.push("") - 1;
    this.declarations[place] = docComment(schema) + this.#declaration(name, schema);
  }

  #declaration(name: string, schema: JsonSchema): string {
    if (schema.enum !== undefined) return stringEnum(name, schema.enum);
    if (isStruct(schema)) return this.#struct(name, schema);
    const options = schema.anyOf?.map(({ $ref }) => $ref);
    if (options?.every(($ref) => $ref !== undefined)) {
      return this.#union(name, options.map(refName));
    }
    return `public typealias ${name} = ${this.#type(schema, `${name}Value`)}\n`;
  }

  #struct(name: string, { properties = {}, required = [] }: JsonSchema): string {
    const fields = Object.entries(properties).map(([wireName, schema]): Field => ({
      wireName,
      name: identifier(wireName),
      ...this.#fieldType(`${name}${upperFirst(wireName)}`, schema, required.includes(wireName)),
    }));
    return block(`public struct ${name}: Codable, Sendable`, [
      ...fields.map((field) => `public let ${field.name}: ${field.type}`),
      ...(fields.length > 0 ? [""] : []),
      ...initialiser(fields),
      ...codingKeys(fields),
    ]);
  }

  #fieldType(
    owner: string,
    schema: JsonSchema,
    required: boolean,
  ): Pick<Field, "type" | "initial"> {
    const inner = withoutNull(schema);
    if (required) {
      const type = this.#type(schema, owner);
      return {
        type,
        initial: schema.const === undefined ? undefined : JSON.stringify(schema.const),
      };
    }
    const type = inner === undefined
      ? `${this.#type(schema, owner)}?`
      : `Nullable<${this.#type(inner, owner)}>?`;
    return { type, initial: "nil" };
  }

  /** The Swift type of a schema. `name` is for the type to declare if it needs one of its own. */
  #type(schema: JsonSchema, name: string): string {
    if (schema.$ref !== undefined) return refName(schema.$ref);
    const inner = withoutNull(schema);
    if (inner !== undefined) return `${this.#type(inner, name)}?`;
    if (isStruct(schema)) {
      if (this.#taken.has(name)) throw new Error(`Two Swift types would be called '${name}'`);
      this.#taken.add(name);
      this.declare(name, schema);
      return name;
    }
    switch (schema.type) {
      case "string":
        return "String";
      case "integer":
        return "Int";
      case "number":
        return "Double";
      case "boolean":
        return "Bool";
      case "array":
        return `[${this.#type(schema.items ?? {}, `${name}Item`)}]`;
      case "object":
        return `[String: ${this.#type(schema.additionalProperties || {}, `${name}Value`)}]`;
      default:
        return "AnyCodable";
    }
  }

  /** One of several objects, told apart by a property if there is such a one, else by trying. */
  #union(name: string, types: readonly string[]): string {
    const key = this.#discriminator(types);
    const cases = types.map((type): Case => {
      const tag = key && this.#constant(type, key);
      return { type, tag, name: identifier(camelCase(tag ?? lowerFirst(type))) };
    });
    return block(`public enum ${name}: Codable, Sendable`, [
      ...cases.map((option) => `case ${option.name}(${option.type})`),
      "/// Something that later versions of the protocol have.",
      "case unknown(AnyCodable)",
      "",
      ...(key === undefined ? decodeByTrying(cases) : decodeByTag(cases, key)),
      "",
      "public func encode(to encoder: Encoder) throws {",
      "    switch self {",
      ...[...cases.map((option) => option.name), "unknown"].map((option) =>
        `    case .${option}(let value): try value.encode(to: encoder)`
      ),
      "    }",
      "}",
    ]);
  }

  #discriminator(types: readonly string[]): string | undefined {
    const keys = Object.keys(this.#definition(types[0] ?? "").properties ?? {});
    return keys.find((key) => {
      const tags = types.map((type) => this.#constant(type, key));
      return !tags.includes(undefined) && new Set(tags).size === tags.length;
    });
  }

  #constant(type: string, key: string): string | undefined {
    const { properties, required } = this.#definition(type);
    const value = properties?.[key]?.const;
    return required?.includes(key) && typeof value === "string" ? value : undefined;
  }

  #definition(name: string): JsonSchema {
    const schema = this.#document.$defs[name];
    if (schema === undefined) throw new Error(`Cannot find the definition '${name}'`);
    return schema;
  }
}

interface Field {
  readonly wireName: string;
  readonly name: string;
  readonly type: string;
  readonly initial?: string;
}

interface Case {
  readonly type: string;
  readonly name: string;
  readonly tag?: string;
}

function isStruct({ type, additionalProperties }: JsonSchema): boolean {
  return type === "object" && (additionalProperties ?? false) === false;
}

/** The schema of a nullable value where it is not `null`. */
function withoutNull({ anyOf }: JsonSchema): JsonSchema | undefined {
  const [option, ...others] = anyOf?.filter(({ type }) => type !== "null") ?? [];
  return others.length === 0 && anyOf?.length === 2 ? option : undefined;
}

function refName($ref: string): string {
  return $ref.slice($ref.lastIndexOf("/") + 1);
}

function initialiser(fields: readonly Field[]): string[] {
  if (fields.length === 0) return ["public init() {}"];
  const last = fields.length - 1;
  return [
    "public init(",
    ...fields.map(({ name, type, initial }, i) =>
      `    ${name}: ${type}${initial === undefined ? "" : ` = ${initial}`}${i === last ? "" : ","}`
    ),
    ") {",
    ...fields.map(({ name }) => `    self.${name} = ${name}`),
    "}",
  ];
}

/** Needed only where a wire name is no Swift name. */
function codingKeys(fields: readonly Field[]): string[] {
  if (fields.every(({ name, wireName }) => unquoted(name) === wireName)) return [];
  return [
    "",
    "private enum CodingKeys: String, CodingKey {",
    ...fields.map(({ name, wireName }) =>
      `    case ${name}${unquoted(name) === wireName ? "" : ` = ${JSON.stringify(wireName)}`}`
    ),
    "}",
  ];
}

function decodeByTag(cases: readonly Case[], key: string): string[] {
  return [
    `private enum Tag: String, CodingKey { case ${identifier(key)} }`,
    "",
    "public init(from decoder: Decoder) throws {",
    "    let container = try decoder.container(keyedBy: Tag.self)",
    `    switch try container.decode(String.self, forKey: .${identifier(key)}) {`,
    ...cases.map(({ tag, name, type }) =>
      `    case ${JSON.stringify(tag)}: self = .${name}(try ${type}(from: decoder))`
    ),
    "    default: self = .unknown(try AnyCodable(from: decoder))",
    "    }",
    "}",
  ];
}

function decodeByTrying(cases: readonly Case[]): string[] {
  return [
    "public init(from decoder: Decoder) throws {",
    ...cases.flatMap(({ name, type }, i) => [
      `    ${i === 0 ? "if" : "} else if"} let value = try? ${type}(from: decoder) {`,
      `        self = .${name}(value)`,
    ]),
    "    } else {",
    "        self = .unknown(try AnyCodable(from: decoder))",
    "    }",
    "}",
  ];
}

function stringEnum(name: string, values: readonly string[]): string {
  return block(
    `public enum ${name}: String, Codable, CaseIterable, Sendable`,
    values.map((value) => {
      const option = identifier(camelCase(value));
      return unquoted(option) === value ? `case ${option}` : `case ${option} = "${value}"`;
    }),
  );
}

function block(head: string, lines: readonly string[]): string {
  const body = lines.map((line) => line === "" ? "" : `    ${line}`).join("\n");
  return `${head} {\n${body}\n}\n`;
}

function docComment({ description }: JsonSchema): string {
  return description === undefined ? "" : `/// ${description}\n`;
}

/** `INVALID_REQUEST`, `webchat-ui` and `inFlight` → `invalidRequest`, `webchatUi`, `inFlight`. */
function camelCase(text: string): string {
  const words = text.split(/[^A-Za-z0-9]+/).filter((word) => word !== "");
  const lower = words.map((word) => /[a-z]/.test(word) ? word : word.toLowerCase());
  return lowerFirst(lower.map(upperFirst).join(""));
}

function upperFirst(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

const KEYWORDS = new Set(
  ("associatedtype class deinit enum extension fileprivate func import init inout internal let " +
    "open operator private precedencegroup protocol public rethrows static struct subscript " +
    "typealias var break case catch continue default defer do else fallthrough for guard if in " +
    "repeat return switch throw where while Any as await false is nil self Self super throws " +
    "true try").split(" "),
);

/** A name that Swift takes: as it is, between back-quotes, or put together anew. */
function identifier(name: string): string {
  const valid = /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? name : camelCase(name);
  const started = /^[0-9]/.test(valid) ? `_${valid}` : valid;
  return KEYWORDS.has(started) ? `\`${started}\`` : started;
}

function unquoted(name: string): string {
  return name.replaceAll("`", "");
}

function prelude(protocolVersion: number): string {
  return `// Made from schemas/ by \`deno task protocol\`: change it there.

import Foundation

/// The newest version of the protocol that these types describe.
public let GATEWAY_PROTOCOL_VERSION = ${protocolVersion}

/// Any JSON value.
public enum AnyCodable: Codable, Hashable, Sendable {
    case null
    case bool(Bool)
    case int(Int)
    case double(Double)
    case string(String)
    case array([AnyCodable])
    case object([String: AnyCodable])

    public init(from decoder: Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int.self) {
            self = .int(value)
        } else if let value = try? container.decode(Double.self) {
            self = .double(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([AnyCodable].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: AnyCodable].self))
        }
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .int(let value): try container.encode(value)
        case .double(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }

    /// The value in the types of Foundation: \`NSNull\`, \`Bool\`, \`Int\`, \`Double\`, \`String\`,
    /// \`[Any]\` or \`[String: Any]\`.
    public var value: Any {
        switch self {
        case .null: return NSNull()
        case .bool(let value): return value
        case .int(let value): return value
        case .double(let value): return value
        case .string(let value): return value
        case .array(let value): return value.map { $0.value }
        case .object(let value): return value.mapValues { $0.value }
        }
    }
}

extension AnyCodable: ExpressibleByNilLiteral {
    public init(nilLiteral: ()) { self = .null }
}

extension AnyCodable: ExpressibleByBooleanLiteral {
    public init(booleanLiteral value: Bool) { self = .bool(value) }
}

extension AnyCodable: ExpressibleByIntegerLiteral {
    public init(integerLiteral value: Int) { self = .int(value) }
}

extension AnyCodable: ExpressibleByFloatLiteral {
    public init(floatLiteral value: Double) { self = .double(value) }
}

extension AnyCodable: ExpressibleByStringLiteral {
    public init(stringLiteral value: String) { self = .string(value) }
}

extension AnyCodable: ExpressibleByArrayLiteral {
    public init(arrayLiteral elements: AnyCodable...) { self = .array(elements) }
}

extension AnyCodable: ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral elements: (String, AnyCodable)...) {
        self = .object(Dictionary(elements, uniquingKeysWith: { _, last in last }))
    }
}

/// What a property is set to. \`null\` clears it; to leave it alone, leave the property out.
public enum Nullable<Value: Codable & Sendable>: Codable, Sendable {
    case null
    case value(Value)

    public init(from decoder: Decoder) throws {
        let container = try decoder.singleValueContainer()
        self = container.decodeNil() ? .null : .value(try container.decode(Value.self))
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .value(let value): try container.encode(value)
        }
    }
}
`;
}
