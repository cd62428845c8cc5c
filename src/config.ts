/** The configuration: what can be set, what is assumed, and how a text is read. No I/O. */
import { type Static, type TSchema, Type } from "@sinclair/typebox";
import { Value, type ValueErrorType } from "@sinclair/typebox/value";
import JSON5 from "json5";
import { QUEUE_MODES, THINKING_LEVELS } from "./session.ts";

const Text = Type.String({ minLength: 1 });
const optional = <T extends TSchema>(schema: T) => Type.Optional(schema);
const oneOf = <const T extends readonly string[]>(values: T) =>
  Type.Unsafe<T[number]>(
    Type.Union(values.map((value) => Type.Literal(value)), { enum: [...values] }),
  );
/** Keys that later parts of the program, or the original, know: kept and warned about. */
const open = { additionalProperties: true } as const;

const Heartbeat = Type.Object({ every: optional(Text) }, open);
const AgentModel = Type.Union([
  Text,
  Type.Object({ primary: optional(Text), fallbacks: optional(Type.Array(Text)) }, open),
]);
const Identity = Type.Object({
  name: optional(Text),
  theme: optional(Text),
  emoji: optional(Text),
  avatar: optional(Text),
}, open);

/** One model of a configured provider. */
const ProviderModel = Type.Object({
  id: Text,
  name: optional(Text),
  reasoning: optional(Type.Boolean()),
  input: optional(Type.Array(oneOf(["text", "image"]))),
  contextWindow: optional(Type.Integer({ minimum: 1 })),
  maxTokens: optional(Type.Integer({ minimum: 1 })),
}, open);

/** The wire formats in which a provider can be spoken to. */
export const PROVIDER_APIS = [
  "anthropic-messages",
  "openai-responses",
  "openai-completions",
  "ollama",
] as const;

const Provider = Type.Object({
  baseUrl: optional(Text),
  apiKey: optional(Text),
  api: optional(oneOf(PROVIDER_APIS)),
  headers: optional(Type.Record(Type.String(), Type.String())),
  models: optional(Type.Array(ProviderModel)),
}, open);

/** The schema of `openclaw.json`. Every key is optional. */
export const ConfigSchema = Type.Object({
  gateway: optional(Type.Object({
    mode: optional(Text),
    port: optional(Type.Integer({ minimum: 0, maximum: 65535 })),
    bind: optional(oneOf(["loopback", "lan", "tailnet", "auto", "custom"])),
    customBindHost: optional(Text),
    handshakeTimeoutMs: optional(Type.Integer({ minimum: 100 })),
    auth: optional(Type.Object({
      mode: optional(oneOf(["none", "token", "password"])),
      token: optional(Text),
      password: optional(Text),
      rateLimit: optional(Type.Object({
        maxAttempts: optional(Type.Integer({ minimum: 1 })),
        windowMs: optional(Type.Integer({ minimum: 1 })),
        lockoutMs: optional(Type.Integer({ minimum: 1 })),
      }, open)),
    }, open)),
    controlUi: optional(Type.Object({
      enabled: optional(Type.Boolean()),
      allowedOrigins: optional(Type.Array(Text)),
    }, open)),
    nodes: optional(Type.Object({
      pairing: optional(Type.Object({ autoApproveLocal: optional(Type.Boolean()) }, open)),
    }, open)),
  }, open)),
  agents: optional(Type.Object({
    defaults: optional(Type.Object({
      workspace: optional(Text),
      model: optional(AgentModel),
      thinkingDefault: optional(oneOf(THINKING_LEVELS)),
      timeoutSeconds: optional(Type.Integer({ minimum: 0 })),
      maxConcurrent: optional(Type.Integer({ minimum: 1 })),
      contextTokens: optional(Type.Integer({ minimum: 1000 })),
      bootstrapMaxChars: optional(Type.Integer({ minimum: 100 })),
      bootstrapTotalMaxChars: optional(Type.Integer({ minimum: 100 })),
      userTimezone: optional(Text),
      heartbeat: optional(Heartbeat),
      compaction: optional(Type.Object({
        reserveTokensFloor: optional(Type.Integer({ minimum: 0 })),
      }, open)),
    }, open)),
    list: optional(Type.Array(Type.Object({
      id: Type.String({ pattern: "^[a-z0-9][a-z0-9_-]{0,63}$" }),
      default: optional(Type.Boolean()),
      name: optional(Text),
      workspace: optional(Text),
      model: optional(AgentModel),
      thinkingDefault: optional(oneOf(THINKING_LEVELS)),
      identity: optional(Identity),
      heartbeat: optional(Heartbeat),
    }, open))),
  }, open)),
  models: optional(Type.Object({
    providers: optional(Type.Record(Type.String(), Provider)),
  }, open)),
  session: optional(Type.Object({
    mainKey: optional(Type.String({ pattern: "^[a-z0-9][a-z0-9_.-]{0,63}$" })),
    scope: optional(oneOf(["per-sender", "global"])),
  }, open)),
  messages: optional(Type.Object({
    queue: optional(Type.Object({
      mode: optional(oneOf(QUEUE_MODES)),
      debounceMs: optional(Type.Integer({ minimum: 0, maximum: 60_000 })),
      cap: optional(Type.Integer({ minimum: 1 })),
    }, open)),
  }, open)),
  logging: optional(Type.Object({
    level: optional(oneOf(["error", "warn", "info", "debug"])),
    file: optional(Text),
  }, open)),
  channels: optional(Type.Record(Type.String(), Type.Unknown())),
}, { $id: "OpenClawConfig", title: "openclaw.json", ...open });

/** What `openclaw.json` says. Absent keys take the defaults that their users state. */
export type Config = Static<typeof ConfigSchema>;

/** One thing wrong with, or odd in, a configuration. `path` is dotted; empty for the whole. */
export interface ConfigIssue {
  readonly path: string;
  readonly message: string;
}

/** A configuration text, read. */
export interface ParsedConfig {
  /** Valid as far as it goes: a section with an issue is left out. */
  readonly config: Config;
  /** The text's value as it was written. */
  readonly value: unknown;
  /** What is wrong. Anything here means that the text must not be started from. */
  readonly issues: readonly ConfigIssue[];
  /** Keys that this program does not know: kept, and of no effect here. */
  readonly warnings: readonly ConfigIssue[];
}

/** Reads JSON5. Never throws; an unreadable text is an issue at the root. */
export function parseConfig(text: string): ParsedConfig {
  let value: unknown;
  try {
    value = text.trim() === "" ? {} : JSON5.parse(text);
  } catch (error) {
    const message = error instanceof Error ? error.message.replace(/^JSON5: /, "") : String(error);
    return { config: {}, value: undefined, issues: [{ path: "", message }], warnings: [] };
  }
  return checkConfig(value);
}

/** Checks a value against the schema. */
export function checkConfig(value: unknown): ParsedConfig {
  const issues: ConfigIssue[] = [];
  const seen = new Set<string>();
  for (const error of Value.Errors(ConfigSchema, value)) {
    const path = error.path.slice(1).replaceAll("/", ".");
    if (seen.has(path)) continue; // the first error of a place says it best
    seen.add(path);
    issues.push({ path, message: describe(error) });
  }
  const warnings = [...unknownKeys(ConfigSchema, value, "")];
  return { config: issues.length === 0 ? value as Config : {}, value, issues, warnings };
}

function describe(
  error: { type: ValueErrorType; message: string; value: unknown; schema: TSchema },
) {
  const allowed = error.schema.enum as unknown[] | undefined;
  if (allowed !== undefined) return `must be one of ${allowed.join(", ")}`;
  return error.message.charAt(0).toLowerCase() + error.message.slice(1);
}

/** The keys of a value that its schema does not name, as dotted paths. */
function* unknownKeys(schema: TSchema, value: unknown, path: string): Iterable<ConfigIssue> {
  if (Array.isArray(value)) {
    if (schema.items === undefined) return;
    for (const [i, item] of value.entries()) yield* unknownKeys(schema.items, item, `${path}.${i}`);
    return;
  }
  if (typeof value !== "object" || value === null) return;
  if (schema.anyOf !== undefined) {
    const object = (schema.anyOf as TSchema[]).find((option) => option.type === "object");
    if (object !== undefined) yield* unknownKeys(object, value, path);
    return;
  }
  const known = schema.properties as Record<string, TSchema> | undefined;
  const values = Object.values(schema.patternProperties ?? {}) as TSchema[];
  for (const [key, item] of Object.entries(value)) {
    const at = path === "" ? key : `${path}.${key}`;
    const next = known !== undefined && Object.hasOwn(known, key) ? known[key] : values[0];
    if (next !== undefined) yield* unknownKeys(next, item, at);
    else if (known !== undefined) {
      yield { path: at, message: "is not known to this version: kept, no effect" };
    }
  }
}

/** The agent that answers where none is named. */
export function defaultAgentId({ agents }: Config): string {
  const list = agents?.list ?? [];
  return (list.find((agent) => agent.default === true) ?? list[0])?.id ?? "main";
}

/** The ids of all agents, the default one first. */
export function agentIds(config: Config): readonly string[] {
  const first = defaultAgentId(config);
  return [first, ...(config.agents?.list ?? []).map(({ id }) => id).filter((id) => id !== first)];
}

/** The `<rest>` of main session keys. */
export function mainKeyOf({ session }: Config): string {
  return session?.mainKey ?? "main";
}

/** The configuration as it stands on disk, read again when it changes. */
export interface ConfigFile {
  readonly path: string;
  /** What the program runs on: the last text that was valid. */
  readonly config: Config;
  /** What the file says now; `undefined` where there is none. */
  readonly text: string | undefined;
  /** Replaces the file, whole and at once; resolves when it is on disk and in force. */
  write(text: string): Promise<void>;
}

/** What stands in for a secret wherever a configuration is shown. */
export const REDACTED = "__OPENCLAW_REDACTED__";

const SECRET_KEY = /(token|password|passphrase|secret|(api|access|private)[_-]?key|credential)s?$/i;

/** The same value with every secret masked. */
export function redact(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(redact);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      key === "headers" || SECRET_KEY.test(key) ? mask(item) : redact(item),
    ]),
  );
}

/** The same value with every text in it masked; a number is no secret. */
function mask(value: unknown): unknown {
  if (typeof value === "string") return value === "" ? value : REDACTED;
  if (Array.isArray(value)) return value.map(mask);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mask(item)]));
}

/** The same value with every mask replaced by what `original` has in that place. */
export function restore(value: unknown, original: unknown): unknown {
  if (value === REDACTED) return original;
  if (Array.isArray(value)) {
    const items = Array.isArray(original) ? original : [];
    return value.map((item, i) => {
      const id = idOf(item);
      return restore(item, id === undefined ? items[i] : items.find((other) => idOf(other) === id));
    });
  }
  if (typeof value !== "object" || value === null) return value;
  const from = typeof original === "object" && original !== null ? original : {};
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      restore(item, Object.hasOwn(from, key) ? from[key as keyof typeof from] : undefined),
    ]),
  );
}

/** What names an item of a list, wherever in it the item stands now. */
function idOf(item: unknown): unknown {
  return typeof item === "object" && item !== null && "id" in item ? item.id : undefined;
}
