import { deepStrictEqual } from "node:assert/strict";
import * as Type from "../schemas/type.ts";
import { vainSettings } from "./vain_settings.ts";

const open = { additionalProperties: Type.Unknown() };
const Shared = Type.Object({
  groups: Type.Optional(Type.Record(
    Type.String(),
    Type.Object({ mention: Type.Optional(Type.Boolean()) }, open),
  )),
  streaming: Type.Optional(Type.Union([
    Type.Object({ chunks: Type.Optional(Type.String()) }, open),
    Type.Unknown(),
  ])),
  ids: Type.Optional(Type.Array(Type.Union([Type.String(), Type.Integer()]))),
}, open);
const Own = Type.Object({
  token: Type.String(),
  dm: Type.Optional(Type.Object({ groups: Type.Optional(Type.Boolean()) }, open)),
});

Deno.test("what no schema knows is named, once for all ids", () => {
  const settings = {
    token: "t",
    ids: ["a", 1],
    groups: { "1": { mention: true, prompt: "x" }, "2": { prompt: "y" } },
    dm: { groups: true, others: [1] },
    streaming: { chunks: "x", mode: "partial" },
    retry: { attempts: 3 },
    constructor: 1,
  };
  deepStrictEqual(vainSettings(settings, [Shared, Own]), [
    "groups.*.prompt",
    "dm.others",
    "streaming.mode",
    "retry",
    "constructor",
  ]);
  deepStrictEqual(vainSettings({ token: "t", streaming: true }, [Shared, Own]), ["streaming"]);
  deepStrictEqual(vainSettings({ token: "t" }, [Shared, Own]), []);
});
