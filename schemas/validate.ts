/** Whether a value fits the protocol and, if it does not, why: in the words that clients show. */
import type { TSchema } from "@sinclair/typebox";
import type { TypeCheck } from "@sinclair/typebox/compiler";
import { Errors, type ValueError, ValueErrorType as Fault } from "@sinclair/typebox/errors";
import { Check } from "@sinclair/typebox/value";
import type { MethodSpec } from "./contract.ts";
import { RequestFrame } from "./frames.ts";

/**
 * Returns `undefined` where the method takes these params, else what is wrong with them, to be put
 * after `invalid <method> params: `.
 */
export function checkParams({ params }: MethodSpec, value: unknown): string | undefined {
  return explain(params, value);
}

/** Whether a value that came over the wire is a request. */
export function isRequestFrame(value: unknown): value is RequestFrame {
  return validator(RequestFrame).check(value);
}

/** Returns `undefined` for a request, else why the value is none. */
export function explainRequestFrame(value: unknown): string | undefined {
  return explain(RequestFrame, value);
}

/** Checks of one schema by reading it, before a function is compiled that does the same. */
const COMPILE_AFTER = 10;

/** To compile a check takes as long as some hundred checks: who comes first shall not wait for it. */
class Validator {
  readonly #schema: TSchema;
  #checks = 0;
  #compiled: TypeCheck<TSchema> | undefined;

  constructor(schema: TSchema) {
    this.#schema = schema;
  }

  check(value: unknown): boolean {
    if (this.#compiled !== undefined) return this.#compiled.Check(value);
    if (++this.#checks === COMPILE_AFTER) void this.#compile();
    return Check(this.#schema, value);
  }

  async #compile(): Promise<void> {
    try {
      const { TypeCompiler } = await import("@sinclair/typebox/compiler");
      this.#compiled = TypeCompiler.Compile(this.#schema);
    } catch {
      this.#checks = 0; // too many files are open, say: reading does as well until it can be had
    }
  }
}

const validators = new WeakMap<TSchema, Validator>();

function validator(schema: TSchema): Validator {
  let known = validators.get(schema);
  if (known === undefined) validators.set(schema, known = new Validator(schema));
  return known;
}

const MAX_PARTS = 8;
const MAX_QUOTED = 100;

function explain(schema: TSchema, value: unknown): string | undefined {
  if (validator(schema).check(value)) return undefined;
  const parts: string[] = [];
  const missing = new Set<string>();
  for (const error of Errors(schema, value)) {
    if (missing.has(error.path)) continue; // it is also not a string, not an object, …
    if (error.type === Fault.ObjectRequiredProperty) missing.add(error.path);
    parts.push(part(error));
    if (parts.length === MAX_PARTS) break;
  }
  return parts.join("; ");
}

function part(error: ValueError): string {
  const cut = error.path.lastIndexOf("/");
  const [parent, name] = [error.path.slice(0, cut), quoted(error.path.slice(cut + 1))];
  switch (error.type) {
    case Fault.ObjectRequiredProperty:
      return at(parent, `must have required property ${name}`);
    case Fault.ObjectAdditionalProperties:
      return at(parent === "" ? "root" : parent, `unexpected property ${name}`);
    case Fault.Union:
      return unionPart(error);
    default:
      return at(error.path, wording(error));
  }
}

/** A union is one fault, however many options it has; `null` is never the option that was meant. */
function unionPart({ path, schema, errors }: ValueError): string {
  const options: readonly TSchema[] = schema.anyOf;
  if (options.every((option) => "const" in option)) {
    return at(path, "must be equal to one of the allowed values");
  }
  const meant = options.flatMap((option, i) => option.type === "null" ? [] : [errors[i]?.First()]);
  const [only, ...others] = meant;
  return only !== undefined && others.length === 0
    ? part(only)
    : at(path, "must match a schema in anyOf");
}

function wording({ type, schema }: ValueError): string {
  switch (type) {
    case Fault.Object:
      return "must be object";
    case Fault.Array:
      return "must be array";
    case Fault.String:
      return "must be string";
    case Fault.Integer:
      return "must be integer";
    case Fault.Number:
      return "must be number";
    case Fault.Boolean:
      return "must be boolean";
    case Fault.Null:
      return "must be null";
    case Fault.Literal:
      return "must be equal to constant";
    case Fault.IntegerMinimum:
    case Fault.NumberMinimum:
      return `must be >= ${schema.minimum}`;
    case Fault.IntegerMaximum:
    case Fault.NumberMaximum:
      return `must be <= ${schema.maximum}`;
    case Fault.StringMinLength:
      return `must NOT have fewer than ${schema.minLength} characters`;
    case Fault.StringMaxLength:
      return `must NOT have more than ${schema.maxLength} characters`;
    case Fault.StringPattern:
      return `must match pattern "${schema.pattern}"`;
    case Fault.ArrayMinItems:
      return `must NOT have fewer than ${schema.minItems} items`;
    case Fault.ArrayMaxItems:
      return `must NOT have more than ${schema.maxItems} items`;
    default:
      return "must be valid";
  }
}

function at(path: string, text: string): string {
  return path === "" ? text : `at ${shortened(path)}: ${text}`;
}

/** A property's name, read from a JSON pointer. Names come from the client and have any length. */
function quoted(name: string): string {
  return `'${shortened(name.replaceAll("~1", "/").replaceAll("~0", "~"))}'`;
}

function shortened(text: string): string {
  return text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text;
}
