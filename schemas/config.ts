/** The configuration file, over the wire. */
import { closed, mapOf, method, nullable, type Wire } from "./contract.ts";
import { Count, NonEmpty } from "./frames.ts";
import * as Type from "./type.ts";

/** One thing wrong with, or odd in, the configuration. */
export const ConfigIssue = Type.Object(
  { path: Type.String(), message: Type.String() },
  { $id: "ConfigIssue" },
);
export type ConfigIssue = Wire<typeof ConfigIssue>;

/** How a form should show one setting. */
export const ConfigUiHint = Type.Object({
  label: Type.Optional(Type.String()),
  help: Type.Optional(Type.String()),
  tags: Type.Optional(Type.Array(Type.String())),
  group: Type.Optional(Type.String()),
  order: Type.Optional(Type.Integer()),
  advanced: Type.Optional(Type.Boolean()),
  sensitive: Type.Optional(Type.Boolean()),
  placeholder: Type.Optional(Type.String()),
}, { $id: "ConfigUiHint" });
export type ConfigUiHint = Wire<typeof ConfigUiHint>;

/** Secrets are masked; writing a mask back keeps what it hides. `hash` guards against overwriting. */
export const ConfigGet = method("config.get", {
  access: "operator.read",
  params: closed({}),
  result: Type.Object({
    path: NonEmpty,
    exists: Type.Boolean(),
    raw: nullable(Type.String()),
    parsed: Type.Unknown(),
    resolved: Type.Unknown(),
    valid: Type.Boolean(),
    config: Type.Unknown(),
    sourceConfig: Type.Optional(Type.Unknown()),
    runtimeConfig: Type.Optional(Type.Unknown()),
    hash: Type.Optional(Type.String()),
    issues: Type.Array(ConfigIssue),
    warnings: Type.Array(ConfigIssue),
    legacyIssues: Type.Array(ConfigIssue),
  }),
});

/** The JSON Schema of the configuration. */
export const ConfigSchema = method("config.schema", {
  access: { 3: "operator.admin", 4: "operator.read" },
  audited: false,
  params: closed({}),
  result: Type.Object({
    schema: Type.Unknown(),
    uiHints: mapOf(ConfigUiHint),
    version: NonEmpty,
    generatedAt: NonEmpty,
  }),
});

/** Replaces the whole text. `hash` is that of the new one, for the next change. */
export const ConfigSet = method("config.set", {
  access: "operator.admin",
  params: closed({ raw: NonEmpty, baseHash: Type.Optional(NonEmpty) }),
  result: Type.Object({
    ok: Type.Literal(true),
    path: NonEmpty,
    hash: Type.Optional(Type.String()),
    config: Type.Unknown(),
  }),
});

/**
 * Changes some settings: `raw` is a merge patch, in which `null` removes. Items of a list that all
 * have ids are merged by them; a list that is named in `replacePaths` is replaced.
 */
export const ConfigPatch = method("config.patch", {
  access: "operator.admin",
  params: closed({
    raw: NonEmpty,
    baseHash: Type.Optional(NonEmpty),
    sessionKey: Type.Optional(Type.String()),
    note: Type.Optional(Type.String()),
    restartDelayMs: Type.Optional(Count),
    deliveryContext: Type.Optional(Type.Unknown()),
    replacePaths: Type.Optional(Type.Array(NonEmpty, { maxItems: 256 })),
  }),
  result: Type.Object({
    ok: Type.Literal(true),
    path: NonEmpty,
    hash: Type.Optional(Type.String()),
    config: Type.Unknown(),
    restart: Type.Optional(Type.Unknown()),
    sentinel: Type.Optional(Type.Unknown()),
  }),
});
