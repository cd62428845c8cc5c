/** The configuration: what can be set, what is assumed, and how a text is read. No I/O. */
import type { Static, TSchema } from "@sinclair/typebox";
import { Errors, type ValueErrorType } from "@sinclair/typebox/errors";
import JSON5 from "json5";
import * as Type from "../schemas/type.ts";
import { accountsOf, ChannelSection, channelsOf, type Policy, WrittenId } from "./account.ts";
import { mentionPattern } from "./mention.ts";
import { QUEUE_MODES, THINKING_LEVELS } from "./session.ts";

const Text = Type.String({ minLength: 1 });
const optional = <T extends TSchema>(schema: T) => Type.Optional(schema);
const oneOf = <const T extends readonly string[]>(values: T) =>
  Type.Unsafe<T[number]>(
    Type.Union(values.map((value) => Type.Literal(value)), { enum: [...values] }),
  );
const HeaderName = Type.String({ pattern: "^[A-Za-z0-9-]+$" });
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

const Milliseconds = Type.Integer({ minimum: 0, maximum: 60_000 });
const GroupChat = Type.Object({
  historyLimit: optional(Type.Integer({ minimum: 0, maximum: 1000 })),
  mentionPatterns: optional(Type.Array(Text)),
}, open);

/** How far apart the conversations of those who write to us directly are kept. */
export const DM_SCOPES = [
  "main",
  "per-peer",
  "per-channel-peer",
  "per-account-channel-peer",
] as const;
/** The queue modes as people write them: the last three mean `steer`. */
const WRITTEN_QUEUE_MODES = [...QUEUE_MODES, "queue", "steer-backlog", "steer+backlog"] as const;

/** Which agent answers where; all that `match` says must be so. */
const Binding = Type.Object({
  agentId: Type.String({ pattern: "^[a-z0-9][a-z0-9_-]{0,63}$" }),
  match: Type.Object({
    channel: Text,
    /** The default account where it is absent; `*` for every one. */
    accountId: optional(Text),
    peer: optional(Type.Object({
      kind: oneOf(["direct", "dm", "group", "channel"]),
      id: WrittenId,
    }, open)),
    guildId: optional(WrittenId),
    teamId: optional(WrittenId),
    roles: optional(Type.Array(WrittenId)),
  }, open),
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
      mode: optional(oneOf(["none", "token", "password", "trusted-proxy"])),
      token: optional(Text),
      password: optional(Text),
      allowTailscale: optional(Type.Boolean()),
      trustedProxy: optional(Type.Object({
        userHeader: optional(HeaderName),
        requiredHeaders: optional(Type.Array(HeaderName)),
        allowUsers: optional(Type.Array(Text)),
        secretHeader: optional(HeaderName),
        secret: optional(Text),
        allowLoopback: optional(Type.Boolean()),
      }, open)),
      rateLimit: optional(Type.Object({
        maxAttempts: optional(Type.Integer({ minimum: 1 })),
        windowMs: optional(Type.Integer({ minimum: 1 })),
        lockoutMs: optional(Type.Integer({ minimum: 1 })),
      }, open)),
    }, open)),
    trustedProxies: optional(Type.Array(Text)),
    tailscale: optional(Type.Object({
      mode: optional(oneOf(["off", "serve", "funnel"])),
      resetOnExit: optional(Type.Boolean()),
    }, open)),
    controlUi: optional(Type.Object({
      enabled: optional(Type.Boolean()),
      allowedOrigins: optional(Type.Array(Text)),
    }, open)),
    nodes: optional(Type.Object({
      pairing: optional(Type.Object({ autoApproveLocal: optional(Type.Boolean()) }, open)),
      commands: optional(Type.Object({
        allow: optional(Type.Array(Text)),
        deny: optional(Type.Array(Text)),
      }, open)),
      // As releases of protocol 3 spell the same two.
      allowCommands: optional(Type.Array(Text)),
      denyCommands: optional(Type.Array(Text)),
    }, open)),
    tls: optional(Type.Object({
      enabled: optional(Type.Boolean()),
      autoGenerate: optional(Type.Boolean()),
      certPath: optional(Text),
      keyPath: optional(Text),
      caPath: optional(Text),
    }, open)),
    remote: optional(Type.Object({
      url: optional(Text),
      token: optional(Text),
      password: optional(Text),
      tlsFingerprint: optional(Text),
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
      typingMode: optional(oneOf(["never", "instant", "thinking", "message"])),
      typingIntervalSeconds: optional(Type.Number({ minimum: 1, maximum: 3600 })),
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
      groupChat: optional(GroupChat),
    }, open))),
  }, open)),
  models: optional(Type.Object({
    providers: optional(Type.Record(Type.String(), Provider)),
  }, open)),
  session: optional(Type.Object({
    mainKey: optional(Type.String({ pattern: "^[a-z0-9][a-z0-9_.-]{0,63}$" })),
    scope: optional(oneOf(["per-sender", "global"])),
    dmScope: optional(oneOf(DM_SCOPES)),
    /** A name for somebody, and their ids: `network:id`, or the id alone. */
    identityLinks: optional(Type.Record(Type.String(), Type.Array(WrittenId))),
  }, open)),
  messages: optional(Type.Object({
    /** Before each answer in a chat; `auto` is the agent's name. */
    responsePrefix: optional(Type.String()),
    queue: optional(Type.Object({
      mode: optional(oneOf(WRITTEN_QUEUE_MODES)),
      byChannel: optional(Type.Record(Type.String(), oneOf(WRITTEN_QUEUE_MODES))),
      debounceMs: optional(Milliseconds),
      cap: optional(Type.Integer({ minimum: 1 })),
    }, open)),
    inbound: optional(Type.Object({
      debounceMs: optional(Milliseconds),
      byChannel: optional(Type.Record(Type.String(), Milliseconds)),
    }, open)),
    groupChat: optional(GroupChat),
  }, open)),
  tools: optional(Type.Object({
    message: optional(Type.Object({
      /** Where an agent may write besides the chat that it answers in. */
      crossContext: optional(Type.Object({
        allowWithinProvider: optional(Type.Boolean()),
        allowAcrossProviders: optional(Type.Boolean()),
      }, open)),
    }, open)),
  }, open)),
  discovery: optional(Type.Object({
    mdns: optional(Type.Object({ mode: optional(oneOf(["off", "minimal", "full"])) }, open)),
  }, open)),
  plugins: optional(Type.Object({
    entries: optional(Type.Object({
      "device-pair": optional(Type.Object({
        config: optional(Type.Object({ publicUrl: optional(Text) }, open)),
      }, open)),
    }, open)),
  }, open)),
  channels: optional(Type.Record(Type.String(), ChannelSection)),
  bindings: optional(Type.Array(Binding)),
  commands: optional(Type.Object({
    native: optional(Type.Union([Type.Boolean(), Type.Literal("auto")])),
    text: optional(Type.Boolean()),
    useAccessGroups: optional(Type.Boolean()),
    /** Who may use commands, by network or `*`. Where it is set, nothing else gives the right. */
    allowFrom: optional(Type.Record(Type.String(), Type.Array(WrittenId))),
    ownerAllowFrom: optional(Type.Array(WrittenId)),
  }, open)),
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
  for (const error of Errors(ConfigSchema, value)) {
    const path = error.path.slice(1).replaceAll("/", ".");
    if (seen.has(path)) continue; // the first error of a place says it best
    seen.add(path);
    issues.push({ path, message: describe(error) });
  }
  const warnings = [...unknownKeys(ConfigSchema, value, "")];
  if (issues.length === 0) {
    issues.push(...contradictions(value as Config)); // of that form: there was no issue
    warnings.push(...vanities(value as Config));
  }
  return { config: issues.length === 0 ? value as Config : {}, value, issues, warnings };
}

/** What is of the right form and can't be meant. */
function* contradictions(config: Config): Iterable<ConfigIssue> {
  const agents = agentIds(config);
  for (const [i, { agentId }] of (config.bindings ?? []).entries()) {
    if (agents.includes(agentId)) continue;
    yield { path: `bindings.${i}.agentId`, message: `names '${agentId}', which is no agent` };
  }
  for (const channel of channelsOf(config)) {
    for (const { accountId, policy } of accountsOf(config, channel)) {
      if (policy.dmPolicy !== "open" || policy.allowFrom.includes("*")) continue;
      yield {
        path: `channels.${channel}.dmPolicy`,
        message: `is open for account '${accountId}', which needs "*" in its allowFrom`,
      };
    }
  }
}

/** What is of no effect, though somebody may think it has one. */
function* vanities(config: Config): Iterable<ConfigIssue> {
  const patterns = [
    ["messages.groupChat", config.messages?.groupChat?.mentionPatterns],
    ...(config.agents?.list ?? []).map(({ groupChat }, i) =>
      [`agents.list.${i}.groupChat`, groupChat?.mentionPatterns] as const
    ),
  ] as const;
  for (const [at, written = []] of patterns) {
    for (const [i, source] of written.entries()) {
      const pattern = mentionPattern(source);
      if (!("fault" in pattern)) continue;
      yield { path: `${at}.mentionPatterns.${i}`, message: `${pattern.fault}: never matches` };
    }
  }
  for (const channel of channelsOf(config)) {
    const found = accountsOf(config, channel).flatMap(({ policy }) => [...names(policy, channel)]);
    // what stands above the accounts is each one's
    yield* new Map(found.map((issue) => [issue.message, issue])).values();
  }
}

/** Names that stand where only ids count. */
function* names(policy: Policy, channel: string): Iterable<ConfigIssue> {
  const rooms = [
    ...Object.values(policy.groups).flatMap((group) => [group, ...Object.values(group.topics)]),
    ...Object.values(policy.spaces).flatMap((space) => [space, ...Object.values(space.rooms)]),
  ];
  const people = [
    ...policy.allowFrom,
    ...policy.groupAllowFrom,
    ...rooms.flatMap(({ allowFrom = [] }) => allowFrom),
  ];
  const named = [...people, ...Object.keys(policy.groups)].filter((id) => /^[@#]/.test(id));
  const spaces = Object.keys(policy.spaces).filter((id) => !isSpaceId(id));
  for (const name of new Set([...named, ...spaces])) {
    yield {
      path: `channels.${channel}`,
      message: `lists the name '${name}', which anybody can take: only ids count`,
    };
  }
  for (const [id, space] of Object.entries(policy.spaces)) {
    const keys = Object.keys(space.rooms);
    if (keys.some((key) => key.startsWith("room:"))) continue; // they may be listed so
    for (const name of keys.filter((key) => !isSpaceId(key))) {
      yield {
        path: `channels.${channel}.guilds.${id}`,
        message: `lists the room '${name}' by its name, which can become another's: write its ` +
          "id, or set dangerouslyAllowNameMatching",
      };
    }
  }
}

/** Whether it is how networks with spaces write ids, and not a name. */
function isSpaceId(text: string): boolean {
  return /^([A-Z0-9]+|\*)$/.test(text);
}

function describe(
  error: { type: ValueErrorType; message: string; value: unknown; schema: TSchema },
) {
  const allowed = error.schema.enum as unknown[] | undefined;
  if (allowed !== undefined) return `must be one of ${allowed.join(", ")}`;
  if (Number.isInteger(error.value) && !Number.isSafeInteger(error.value)) {
    return "is too large a number to be kept exactly: write it in quotes";
  }
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
    // Where the others have a schema of their own, somebody else knows them.
    else if (known !== undefined && typeof schema.additionalProperties !== "object") {
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
  /** Resolves once `text` and `config` are up to what others have written. Never rejects. */
  catchUp(): Promise<void>;
  /**
   * Replaces the file, whole and at once, by what `edit` makes of its text; resolves when it is on
   * disk and in force. Edits come one after the other, each on what the file says by then, whoever
   * has written it. Nothing changes where `edit` throws, which rejects, or returns `undefined`.
   */
  rewrite(edit: (text: string | undefined) => string | undefined): Promise<void>;
}

/** What stands in for a secret wherever a configuration is shown. */
export const REDACTED = "__OPENCLAW_REDACTED__";

const SECRET_KEY = /(token|password|passphrase|secret|(api|access|private)[_-]?key|credential)s?$/i;

/** An address with a secret in it: `user:password@`, or a query that names a key. */
const SECRET_ADDRESS =
  /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#@]*:[^/?#@]+@|[^#]*[?&][^=&#]*(?:token|key|secret|password|sig)[^=&#]*=[^&#])/i;

/** The same value with every secret masked. */
export function redact(value: unknown): unknown {
  if (typeof value === "string") return SECRET_ADDRESS.test(value) ? REDACTED : value;
  if (Array.isArray(value)) return value.map(redact);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, isSecret(key) ? mask(item) : redact(item)]),
  );
}

/** The texts that `redact` would mask, with the dotted paths to them. */
export function* secretsIn(
  value: unknown,
  path = "",
  within = false,
): Iterable<{ readonly path: string; readonly secret: string }> {
  if (typeof value === "string") {
    if (value !== "" && (within || SECRET_ADDRESS.test(value))) yield { path, secret: value };
  } else if (typeof value === "object" && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      const at = path === "" ? key : `${path}.${key}`;
      yield* secretsIn(item, at, within || !Array.isArray(value) && isSecret(key));
    }
  }
}

/** Whether what stands under a key is a secret, by its name. */
function isSecret(key: string): boolean {
  return key === "headers" || SECRET_KEY.test(key);
}

/** The same value with every text in it masked; a number is no secret. */
function mask(value: unknown): unknown {
  if (typeof value === "string") return value === "" ? value : REDACTED;
  if (Array.isArray(value)) return value.map(mask);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mask(item)]));
}

/**
 * The same value with every mask replaced by what `original` has in that place, or where that has
 * nothing there, by what `running` has.
 */
export function restore(value: unknown, original: unknown, running?: unknown): unknown {
  if (value === REDACTED) return original ?? running;
  if (Array.isArray(value)) {
    return value.map((item, i) =>
      restore(item, itemIn(original, item, i), itemIn(running, item, i))
    );
  }
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      restore(item, valueIn(original, key), valueIn(running, key)),
    ]),
  );
}

function valueIn(from: unknown, key: string): unknown {
  if (typeof from !== "object" || from === null || !Object.hasOwn(from, key)) return undefined;
  return from[key as keyof typeof from];
}

/** The same item in another list, wherever it stands there. */
function itemIn(list: unknown, item: unknown, place: number): unknown {
  if (!Array.isArray(list)) return undefined;
  const id = idOf(item);
  return id === undefined ? list[place] : list.find((other) => idOf(other) === id);
}

/** What names an item of a list, wherever in it the item stands now. */
function idOf(item: unknown): unknown {
  return typeof item === "object" && item !== null && "id" in item ? item.id : undefined;
}
