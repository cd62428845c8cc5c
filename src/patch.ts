/** A change of a value such as the configuration, written as the parts of it that change. */

/**
 * The value with the patch applied. RFC 7396: `null` removes, objects merge, everything else
 * replaces. But items of a list that is kept by ids merge, too, as released gateways do it, unless
 * the list's path is among `replacePaths`.
 */
export function patched(
  value: unknown,
  patch: unknown,
  replacePaths: readonly string[] = [],
): unknown {
  return merge(value, patch, { replaced: listPaths(replacePaths), path: "" });
}

interface Where {
  /** The lists that are replaced. */
  readonly replaced: ReadonlySet<string>;
  readonly path: string;
}

function merge(target: unknown, patch: unknown, { replaced, path }: Where): unknown {
  if (Array.isArray(patch)) {
    const isKept = Array.isArray(target) && target.every(hasId) && !replaced.has(path);
    return isKept ? mergeItems(target, patch, { replaced, path: `${path}[]` }) : patch;
  }
  if (typeof patch !== "object" || patch === null) return patch;
  const base = typeof target === "object" && target !== null && !Array.isArray(target)
    ? target
    : {};
  const merged = new Map<string, unknown>(Object.entries(base));
  for (const [key, value] of Object.entries(patch)) {
    const at = path === "" ? key : `${path}.${key}`;
    if (value === null) merged.delete(key);
    else merged.set(key, merge(merged.get(key), value, { replaced, path: at }));
  }
  return Object.fromEntries(merged);
}

/** The items with those of the patch, each in the place of the one whose id it has, or behind all. */
function mergeItems(
  items: readonly { readonly id: string }[],
  patch: readonly unknown[],
  where: Where,
): readonly unknown[] {
  const merged: unknown[] = [...items];
  for (const item of patch) {
    const known = hasId(item)
      ? merged.findIndex((other) => hasId(other) && other.id === item.id)
      : -1;
    if (known < 0) merged.push(merge(undefined, item, where));
    else merged[known] = merge(merged[known], item, where);
  }
  return merged;
}

function hasId(item: unknown): item is { readonly id: string } {
  return typeof item === "object" && item !== null && "id" in item &&
    typeof item.id === "string" && item.id !== "";
}

/** The paths of lists as `merge` spells them: `agents.list`, `agents.list[].tools`. */
function listPaths(paths: readonly string[]): ReadonlySet<string> {
  return new Set(
    paths.map((path) => path.trim().replace(/\[\]$/, "").replace(/\[\d+\](?=\.)/g, "[]")),
  );
}
