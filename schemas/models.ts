/** The models that can be chosen. */
import { closed, method, oneOf, type Wire } from "./contract.ts";
import { NonEmpty } from "./frames.ts";
import * as Type from "./type.ts";

/** A level of thinking that a model offers. */
export const ThinkingLevelOption = Type.Object(
  { id: NonEmpty, label: NonEmpty },
  { $id: "ThinkingLevelOption" },
);
export type ThinkingLevelOption = Wire<typeof ThinkingLevelOption>;

/** A model that can be chosen. */
export const ModelChoice = Type.Object({
  id: NonEmpty,
  name: NonEmpty,
  provider: NonEmpty,
  contextWindow: Type.Optional(Type.Integer({ minimum: 1 })),
  contextTokens: Type.Optional(Type.Integer({ minimum: 1 })),
  reasoning: Type.Optional(Type.Boolean()),
  input: Type.Optional(Type.Array(oneOf(["text", "image", "audio", "video", "document"]))),
  tags: Type.Optional(Type.Array(NonEmpty)),
  available: Type.Optional(Type.Boolean()),
  thinkingLevels: Type.Optional(Type.Array(ThinkingLevelOption)),
  thinkingDefault: Type.Optional(NonEmpty),
  supportsTools: Type.Optional(Type.Boolean()),
}, { $id: "ModelChoice" });
export type ModelChoice = Wire<typeof ModelChoice>;

export const ModelsList = method("models.list", {
  access: "operator.read",
  params: closed({
    view: Type.Optional(oneOf(["default", "configured", "provider-config", "all"])),
    agentId: Type.Optional(NonEmpty),
    sessionKey: Type.Optional(NonEmpty),
    authProfileId: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
    provider: Type.Optional(NonEmpty),
    includeDetails: Type.Optional(Type.Boolean()),
    includeProviderCapabilities: Type.Optional(Type.Boolean()),
    includeDefaultModels: Type.Optional(Type.Boolean()),
    preparedOnly: Type.Optional(Type.Boolean()),
    refresh: Type.Optional(Type.Boolean()),
  }),
  result: Type.Object({ models: Type.Array(ModelChoice) }),
});
