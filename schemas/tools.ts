/** What the agent can do besides talking. */
import { closed, method, oneOf, type Wire } from "./contract.ts";
import { NonEmpty } from "./frames.ts";
import * as Type from "./type.ts";

const PROFILES = ["minimal", "coding", "messaging", "full"] as const;

/** A tool, for people. */
export const ToolCatalogEntry = Type.Object({
  id: NonEmpty,
  label: NonEmpty,
  description: Type.String(),
  source: oneOf(["core", "plugin"]),
  pluginId: Type.Optional(NonEmpty),
  optional: Type.Optional(Type.Boolean()),
  defaultProfiles: Type.Array(oneOf(PROFILES)),
}, { $id: "ToolCatalogEntry" });
export type ToolCatalogEntry = Wire<typeof ToolCatalogEntry>;

/** Tools that belong together. */
export const ToolCatalogGroup = Type.Object({
  id: NonEmpty,
  label: NonEmpty,
  source: oneOf(["core", "plugin"]),
  pluginId: Type.Optional(NonEmpty),
  tools: Type.Array(ToolCatalogEntry),
}, { $id: "ToolCatalogGroup" });
export type ToolCatalogGroup = Wire<typeof ToolCatalogGroup>;

export const ToolsCatalog = method("tools.catalog", {
  access: "operator.read",
  params: closed({
    agentId: Type.Optional(NonEmpty),
    includePlugins: Type.Optional(Type.Boolean()),
  }),
  result: Type.Object({
    agentId: NonEmpty,
    profiles: Type.Array(
      Type.Object({ id: oneOf(PROFILES), label: NonEmpty }, { $id: "ToolCatalogProfile" }),
    ),
    groups: Type.Array(ToolCatalogGroup),
  }),
});
