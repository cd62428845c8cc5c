/** Settings that people have and this version makes nothing of. */
import { Kind, type TSchema } from "@sinclair/typebox";
import { Check } from "@sinclair/typebox/value";

/**
 * What none of the schemas knows of a value that all of them accept, as dotted paths; `*` stands for
 * any id.
 */
export function vainSettings(value: unknown, schemas: readonly TSchema[]): readonly string[] {
  return [...new Set(vainIn(value, schemas, ""))];
}

function* vainIn(value: unknown, schemas: readonly TSchema[], path: string): Iterable<string> {
  const fitting = schemas.flatMap((schema): TSchema[] => schema.anyOf ?? [schema])
    .filter((schema) => schema[Kind] !== "Unknown" && Check(schema, value));
  if (fitting.length === 0) return yield path;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return;
  for (const [key, item] of Object.entries(value)) {
    const named = fitting.flatMap(({ properties = {} }) =>
      Object.hasOwn(properties, key) ? [properties[key]] : []
    );
    const byId = fitting.flatMap(({ patternProperties = {} }) => Object.values(patternProperties));
    const step = named.length === 0 && byId.length > 0 ? "*" : key;
    const at = path === "" ? step : `${path}.${step}`;
    yield* vainIn(item, named.length > 0 ? named : byId as TSchema[], at);
  }
}
