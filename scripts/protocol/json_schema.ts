/** The protocol as one JSON Schema document, made from the declarations in `schemas/`. */
import type { TSchema } from "@sinclair/typebox";
import * as frames from "../../schemas/frames.ts";
import { events, methods } from "../../schemas/mod.ts";

/** The part of JSON Schema that the protocol needs. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly description?: string;
  readonly type?: string;
  readonly const?: string | number | boolean;
  readonly enum?: readonly string[];
  readonly anyOf?: readonly JsonSchema[];
  readonly not?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: false | JsonSchema;
  readonly items?: JsonSchema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly minItems?: number;
  readonly maxItems?: number;
}

/** A document whose root is any message of the wire, and whose definitions are all the types. */
export interface SchemaDocument extends JsonSchema {
  readonly $schema: string;
  readonly title: string;
  readonly $defs: Readonly<Record<string, JsonSchema>>;
}

/**
 * Everything that is declared: each object under its own name; each method as `<Name>Params` and
 * `<Name>Result`, each event as `<Name>Event`. Throws where two types would have one name.
 */
export function protocolSchema(): SchemaDocument {
  const definitions = new Definitions();
  for (const frame of Object.values(frames)) {
    if (frame.$id !== undefined) definitions.reference(frame);
  }
  for (const { name, params, result } of Object.values(methods)) {
    definitions.define(`${typeName(name)}Params`, params, `The params of \`${name}\`.`);
    definitions.define(`${typeName(name)}Result`, result, `The result of \`${name}\`.`);
  }
  for (const { name, payload } of Object.values(events)) {
    definitions.define(`${typeName(name)}Event`, payload, `The payload of the event \`${name}\`.`);
  }
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "OpenClaw gateway protocol",
    $ref: definitions.reference(frames.GatewayFrame).$ref,
    $defs: definitions.sorted(),
  };
}

/** `node.pluginTools.update` → `NodePluginToolsUpdate`. */
function typeName(wireName: string): string {
  return wireName.split(/[.-]/).map((part) => part.charAt(0).toUpperCase() + part.slice(1)).join(
    "",
  );
}

class Definitions {
  readonly #bodies = new Map<string, JsonSchema>();
  /** What was given for each name. Kept as text: `Type.Optional` makes a copy of its argument. */
  readonly #sources = new Map<string, string>();

  /** Defines a type whose name follows from its use; one that has a name already is referred to. */
  define(name: string, schema: TSchema, description: string): void {
    if (schema.$id === name) {
      this.reference(schema);
    } else {
      this.#claim(name, schema);
      this.#bodies.set(name, { description, ...this.#schema(schema) });
    }
  }

  /** Defines a type under its own name, once. */
  reference(schema: TSchema): JsonSchema {
    const name = String(schema.$id);
    if (this.#sources.get(name) !== JSON.stringify(schema)) {
      this.#claim(name, schema);
      this.#bodies.set(name, this.#body(schema));
    }
    return { $ref: `#/$defs/${name}` };
  }

  sorted(): Record<string, JsonSchema> {
    const byName = [...this.#bodies].sort(([a], [b]) => a < b ? -1 : 1);
    return Object.fromEntries(byName);
  }

  #claim(name: string, schema: TSchema): void {
    if (this.#sources.has(name)) throw new Error(`Two types of the protocol are called '${name}'`);
    this.#sources.set(name, JSON.stringify(schema));
  }

  #schema(schema: TSchema): JsonSchema {
    return schema.$id === undefined ? this.#body(schema) : this.reference(schema);
  }

  #schemas(schemas: Record<string, TSchema>): Record<string, JsonSchema> {
    const entries = Object.entries(schemas);
    return Object.fromEntries(entries.map(([key, schema]) => [key, this.#schema(schema)]));
  }

  #body(schema: TSchema): JsonSchema {
    const literals = stringLiterals(schema);
    if (literals !== undefined) return { type: "string", enum: literals };
    const { type, const: constant, anyOf, not, properties, required, additionalProperties, items } =
      schema;
    return defined({
      type,
      const: constant,
      anyOf: anyOf?.map((option: TSchema) => this.#schema(option)),
      not,
      items: items && this.#schema(items),
      ...limits(schema),
      properties: properties && this.#schemas(properties),
      required,
      additionalProperties: additionalProperties && this.#schema(additionalProperties),
      ...(additionalProperties === false ? { additionalProperties } : {}),
    });
  }
}

/** The values of a union of string literals. */
function stringLiterals({ anyOf }: TSchema): readonly string[] | undefined {
  const values = (anyOf as TSchema[] | undefined)?.map((option) => option.const);
  return values?.every((value) => typeof value === "string") ? values : undefined;
}

function limits(schema: TSchema): JsonSchema {
  const { minimum, maximum, minLength, maxLength, pattern, minItems, maxItems } = schema;
  return { minimum, maximum, minLength, maxLength, pattern, minItems, maxItems };
}

function defined<T extends object>(object: T): T {
  const entries = Object.entries(object).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as T;
}
