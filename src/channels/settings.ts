import type { Static, TSchema } from "@sinclair/typebox";
import { Errors } from "@sinclair/typebox/errors";
import { Check } from "@sinclair/typebox/value";

/** Throws for what the schema does not allow; the error names the setting, never its value. */
export function checkedSettings<T extends TSchema>(
  settings: unknown,
  { schema, label }: { schema: T; label: string },
): Static<T> {
  if (Check(schema, settings)) return settings;
  const { path, message } = Errors(schema, settings).First() ?? {};
  const name = path?.slice(1).replaceAll("/", ".");
  throw new Error(`Cannot use the settings of ${label}: '${name}': ${message}`);
}
