/** What one configuration has that another has not, by name. */

/**
 * The dotted paths of what differs, without the values, which may be secrets. A list counts as one
 * value.
 */
export function changedPaths(before: unknown, after: unknown, path = ""): readonly string[] {
  if (isSection(before) && isSection(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...keys].flatMap((key) =>
      changedPaths(before[key], after[key], path === "" ? key : `${path}.${key}`)
    );
  }
  return JSON.stringify(before) === JSON.stringify(after) ? [] : [path];
}

function isSection(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
