/**
 * One of our accounts on a network, as the configuration has it: what is set under
 * `channels.<network>.accounts.<account>` goes before `channels.<network>`, and that before
 * `channels.defaults`.
 */
import type { Static, TSchema } from "@sinclair/typebox";
import * as Type from "../schemas/type.ts";
import type { Network } from "./channel.ts";
import type { Config } from "./config.ts";

const optional = <T extends TSchema>(schema: T) => Type.Optional(schema);
const oneOf = <const T extends readonly string[]>(values: T) =>
  Type.Unsafe<T[number]>(
    Type.Union(values.map((value) => Type.Literal(value)), { enum: [...values] }),
  );
/** What else stands there is the network's own, and checked against its schema. */
const others = { additionalProperties: Type.Unknown() };

/** An id as people write it: a number where the network's ids are numbers that JSON can hold. */
export const WrittenId = Type.Union([
  Type.String({ minLength: 1 }),
  Type.Integer({ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }),
]);
const Ids = Type.Array(WrittenId);

/** The account that is there when nobody lists any. */
export const DEFAULT_ACCOUNT_ID = "default";

export const DM_POLICIES = ["pairing", "allowlist", "open", "disabled"] as const;
export const GROUP_POLICIES = ["allowlist", "open", "disabled"] as const;
export const REACTION_NOTIFICATIONS = ["off", "own", "all"] as const;

/** Whether what other machines say is heard: `mentions`, only where they mention us. */
const AllowBots = Type.Union([Type.Boolean(), Type.Literal("mentions")], {
  enum: [true, false, "mentions"],
});

const ROOM = {
  enabled: optional(Type.Boolean()),
  /** As older configurations spell `enabled`. */
  allow: optional(Type.Boolean()),
  requireMention: optional(Type.Boolean()),
  allowFrom: optional(Ids),
  /** As networks with servers spell `allowFrom`. */
  users: optional(Ids),
  roles: optional(Ids),
  allowBots: optional(AllowBots),
};
const Room = Type.Object(ROOM, others);
const Group = Type.Object({
  ...ROOM,
  topics: optional(Type.Record(Type.String(), Room)),
}, others);
const Space = Type.Object({
  ...ROOM,
  channels: optional(Type.Record(Type.String(), Room)),
}, others);

const ChunkMode = oneOf(["length", "newline"]);
/** The last three are how older configurations spell `block`, `partial` and `progress`. */
const STREAMING = ["off", "block", "partial", "progress", "append", "replace", "status_final"];
const StreamingMode = Type.Union([Type.Boolean(), oneOf(STREAMING)]);

const POLICY = {
  enabled: optional(Type.Boolean()),
  name: optional(Type.String()),
  dmPolicy: optional(oneOf(DM_POLICIES)),
  allowFrom: optional(Ids),
  groupPolicy: optional(oneOf(GROUP_POLICIES)),
  groupAllowFrom: optional(Ids),
  groups: optional(Type.Record(Type.String(), Group)),
  /** Rooms of a workspace. */
  channels: optional(Type.Record(Type.String(), Room)),
  /** Servers, and the rooms in each. */
  guilds: optional(Type.Record(Type.String(), Space)),
  /** As older configurations spell `dmPolicy` and `allowFrom`. */
  dm: optional(Type.Object({
    enabled: optional(Type.Boolean()),
    policy: optional(oneOf(DM_POLICIES)),
    allowFrom: optional(Ids),
  }, others)),
  requireMention: optional(Type.Boolean()),
  /** Rooms may be listed by their names too, which whoever runs their space can give to others. */
  dangerouslyAllowNameMatching: optional(Type.Boolean()),
  allowBots: optional(AllowBots),
  historyLimit: optional(Type.Integer({ minimum: 0, maximum: 1000 })),
  mediaMaxMb: optional(Type.Number({ exclusiveMinimum: 0 })),
  reactionNotifications: optional(oneOf([...REACTION_NOTIFICATIONS, "allowlist"])),
  /** Before each answer; `auto` is the agent's name. */
  responsePrefix: optional(Type.String()),
  /** Which of our messages name the one that they answer. */
  replyToMode: optional(oneOf(["off", "first", "all", "batched"])),
  textChunkLimit: optional(Type.Integer({ minimum: 1 })),
  chunkMode: optional(ChunkMode),
  /**
   * What a chat sees of an answer before it is whole. `off` and `block`: each of its messages once
   * that is written. `partial` and `progress`, or `true`: a message that is edited as the text grows,
   * where the network lets us. `off` where nothing is said: an answer that is sent once can't be
   * there twice, while a preview whose fate a crash leaves unknown stays beside the answer.
   */
  streaming: optional(Type.Union([
    StreamingMode,
    Type.Object({
      mode: optional(Type.Union([...StreamingMode.anyOf, Type.Unknown()])),
      chunkMode: optional(ChunkMode),
    }, others),
    Type.Unknown(),
  ])),
  /** As older configurations spell `streaming`. */
  streamMode: optional(Type.Union([...StreamingMode.anyOf, Type.Unknown()])),
};
/** What one account may have set that every network knows. */
export const AccountSection = Type.Object(POLICY, others);
type AccountSection = Static<typeof AccountSection>;

/** What may stand under `channels.<network>`; under `channels.defaults` too. */
export const ChannelSection = Type.Object({
  ...POLICY,
  defaultAccount: optional(Type.String({ minLength: 1 })),
  accounts: optional(Type.Record(Type.String(), AccountSection)),
}, others);
type ChannelSection = Static<typeof ChannelSection>;

/** Whether what other machines say is heard; `mentioned`: where they mention us. */
export type AllowsBots = "never" | "mentioned" | "always";

/** Who may do what in a room. What is not said follows from what is around it. */
export interface RoomPolicy {
  readonly isEnabled?: boolean;
  readonly requiresMention?: boolean;
  /** Ids of those who may talk to us there. */
  readonly allowFrom?: readonly string[];
  /** Ids of roles that may. */
  readonly roles?: readonly string[];
  readonly allowsBots?: AllowsBots;
  /** Everybody there may talk to us, where `allowFrom` says nothing. It gives nobody commands. */
  readonly isOpen?: true;
}

export interface GroupPolicy extends RoomPolicy {
  /** By the id of the topic or thread. */
  readonly topics: Readonly<Record<string, RoomPolicy>>;
}

export interface SpacePolicy extends RoomPolicy {
  /**
   * By the id of the chat, or by `roomKey` of its name where the account wants that; all of the space
   * where it is empty.
   */
  readonly rooms: Readonly<Record<string, RoomPolicy>>;
}

/** Who may talk to us through an account, and how. `*` stands for every id. */
export interface Policy {
  readonly dmPolicy: typeof DM_POLICIES[number];
  readonly allowFrom: readonly string[];
  readonly groupPolicy: typeof GROUP_POLICIES[number];
  /** Who may talk to us in groups that do not say it themselves. */
  readonly groupAllowFrom: readonly string[];
  /** By the id of the chat, or `*`; by `roomKey` of a name as in a space. */
  readonly groups: Readonly<Record<string, GroupPolicy>>;
  /** Servers, guilds, teams: by their ids, or `*`. */
  readonly spaces: Readonly<Record<string, SpacePolicy>>;
  readonly requiresMention: boolean;
  readonly allowsBots: AllowsBots;
  /** Messages of a group that are told when somebody there turns to us; unset for the general one. */
  readonly historyLimit?: number;
  /** The largest file that is fetched, in bytes. */
  readonly mediaMaxBytes: number;
  readonly reactionNotifications: typeof REACTION_NOTIFICATIONS[number];
}

export interface Account {
  /** The network. */
  readonly channel: string;
  /** Lower-case. */
  readonly accountId: string;
  /** For people. */
  readonly name?: string;
  readonly enabled: boolean;
  readonly policy: Policy;
  /** All that is set for it, merged, as it is written. Secrets are those of `secretsOf`. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** What is set for it and for no other account. */
  readonly own: Readonly<Record<string, unknown>>;
}

/** Names under `channels` that are not networks. */
const NOT_NETWORKS: ReadonlySet<string> = new Set(["defaults", "modelByChannel"]);
/** Names that have a short form in configurations. */
const SHORT_NAMES: Readonly<Record<string, string>> = { telegram: "tg" };
const DEFAULT_MEDIA_MAX_MB = 20;

/** The networks that the configuration has a section for, in its order. */
export function channelsOf({ channels = {} }: Config): readonly string[] {
  return Object.keys(channels).filter((id) => !NOT_NETWORKS.has(id));
}

/**
 * The accounts on a network, in the order of the configuration; none where it has no section for
 * it. Where none is listed there is the one called `default`, which is also there beside others if
 * the network's section has a credential itself.
 */
export function accountsOf(
  config: Config,
  channel: string,
  secrets: Network["secrets"] = [],
): readonly Account[] {
  const section = sectionOf(config, channel);
  if (section === undefined) return [];
  const listed = Object.keys(section.accounts ?? {}).map(canonicalAccountId);
  const written: Readonly<Record<string, unknown>> = section;
  const hasOwn = secrets.some(({ key, fileKey }) =>
    isGiven(written[key]) || fileKey !== undefined && isGiven(written[fileKey])
  );
  const ids = listed.length === 0 || hasOwn ? [DEFAULT_ACCOUNT_ID, ...listed] : listed;
  return [...new Set(ids)].flatMap((id) => accountOf(config, channel, id) ?? []);
}

/** One account; `undefined` where the configuration has no such, whatever its id may resemble. */
export function accountOf(
  config: Config,
  channel: string,
  accountId: string,
): Account | undefined {
  const section = sectionOf(config, channel);
  if (section === undefined) return undefined;
  const id = canonicalAccountId(accountId);
  const { accounts = {}, defaultAccount: _, ...common } = section;
  const key = accountKey(accounts, id);
  if (key === undefined && id !== DEFAULT_ACCOUNT_ID) return undefined;
  const own = key === undefined ? {} : accounts[key] ?? {};
  const { accounts: __, ...defaults } = config.channels?.defaults ?? {};
  const settings = { ...defaults, ...common, ...own };
  return {
    channel,
    accountId: id,
    ...(own.name === undefined ? {} : { name: own.name }),
    enabled: common.enabled !== false && own.enabled !== false,
    policy: policyOf(settings),
    settings,
    own: id === DEFAULT_ACCOUNT_ID ? { ...common, ...own } : own,
  };
}

/** The account that is meant where a person names none; `undefined` where the network has none. */
export function defaultAccountId(
  config: Config,
  channel: string,
  secrets: Network["secrets"] = [],
): string | undefined {
  const ids = accountsOf(config, channel, secrets).map(({ accountId }) => accountId);
  const chosen = sectionOf(config, channel)?.defaultAccount;
  return [chosen === undefined ? "" : canonicalAccountId(chosen), DEFAULT_ACCOUNT_ID]
    .find((id) => ids.includes(id)) ?? ids[0];
}

/** How an account is spelled among those that are written; `undefined` where it is not among them. */
export function accountKey(accounts: object, accountId: string): string | undefined {
  const id = canonicalAccountId(accountId);
  return Object.keys(accounts).find((key) => canonicalAccountId(key) === id);
}

/** An account's id as it is compared. */
export function canonicalAccountId(written: string): string {
  return written.trim().toLowerCase();
}

/** Where secrets are found besides the configuration. */
export interface SecretSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The text of a file. Throws where it can't be read. */
  readFile(path: string): string;
}

/**
 * The secrets of an account, by their keys; those that are nowhere are absent. An account has its
 * own: it takes none from its network's section, which is the default account's, as the environment
 * is. Throws an error that names the place, for one that is written and can't be had.
 */
export function secretsOf(
  account: Account,
  secrets: Network["secrets"],
  { env, readFile }: SecretSources,
): Readonly<Record<string, string>> {
  const { channel, accountId, own } = account;
  const found: Record<string, string> = {};
  for (const { key, fileKey, env: variable } of secrets) {
    const path = `channels.${channel}${
      accountId === DEFAULT_ACCOUNT_ID ? "" : `.accounts.${accountId}`
    }.${key}`;
    const file = fileKey === undefined ? undefined : own[fileKey];
    const secret = isGiven(own[key])
      ? readSecret(own[key], { path, env, readFile })
      : typeof file === "string" && file !== ""
      ? readFile(file).trim()
      : accountId === DEFAULT_ACCOUNT_ID
      ? env[variable]
      : undefined;
    if (secret !== undefined && secret !== "") found[key] = secret;
  }
  return found;
}

/** The same settings with the secrets filled in, and none that are another account's. */
export function withSecrets(
  { settings }: Account,
  secrets: Network["secrets"],
  found: Readonly<Record<string, string>>,
): Readonly<Record<string, unknown>> {
  const hidden = new Set(secrets.flatMap(({ key, fileKey }) => [key, fileKey]));
  const rest = Object.entries(settings).filter(([key]) => !hidden.has(key));
  return { ...Object.fromEntries(rest), ...found };
}

/**
 * Whether an id is in a list as people write it: `*`, the id itself, or the id behind `user:` or
 * the network's name. Letters count as they are: a network tells ids apart by them.
 */
export function isListed(list: readonly string[], id: string, channel: string): boolean {
  const short = SHORT_NAMES[channel] ?? channel;
  return list.some((entry) =>
    entry === "*" || entry === id || entry === `${channel}:${id}` || entry === `${short}:${id}` ||
    entry === `user:${id}` || entry === `${channel}:user:${id}`
  );
}

/**
 * The key of a room by its name: that of `#small-talk` is that of `Small talk`, too. Empty for a name
 * without letters and digits. No id is of this form.
 */
export function roomKey(name: string): string {
  const words = name.toLowerCase().match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
  return words.length === 0 ? "" : `room:${words.join("-")}`;
}

function sectionOf({ channels = {} }: Config, channel: string): ChannelSection | undefined {
  if (NOT_NETWORKS.has(channel) || !Object.hasOwn(channels, channel)) return undefined;
  return channels[channel];
}

function policyOf(settings: AccountSection): Policy {
  const { dm, groups = {}, channels = {}, guilds = {} } = settings;
  const allowFrom = texts(settings.allowFrom ?? dm?.allowFrom ?? []);
  const { historyLimit, reactionNotifications: reactions } = settings;
  const listed = settings.dangerouslyAllowNameMatching === true ? byRoom : <T>(rooms: T) => rooms;
  return {
    dmPolicy: dm?.enabled === false ? "disabled" : settings.dmPolicy ?? dm?.policy ?? "pairing",
    allowFrom,
    groupPolicy: settings.groupPolicy ?? "allowlist",
    groupAllowFrom: settings.groupAllowFrom === undefined
      ? allowFrom
      : texts(settings.groupAllowFrom),
    groups: {
      ...listed(mapped(channels, (room) => ({ ...listedRoom(room), topics: {} }))),
      ...mapped(groups, ({ topics = {}, ...room }) => ({
        ...roomOf(room),
        topics: mapped(topics, roomOf),
      })),
    },
    spaces: mapped(guilds, ({ channels: rooms = {}, ...room }) => ({
      ...listedRoom(room),
      rooms: listed(mapped(rooms, roomOf)),
    })),
    requiresMention: settings.requireMention ?? true,
    allowsBots: botsOf(settings.allowBots ?? false),
    ...(historyLimit === undefined ? {} : { historyLimit }),
    mediaMaxBytes: (settings.mediaMaxMb ?? DEFAULT_MEDIA_MAX_MB) * 1024 * 1024,
    reactionNotifications: reactions === "allowlist" ? "own" : reactions ?? "own",
  };
}

function roomOf(
  { enabled, allow, requireMention, allowFrom, users, roles, allowBots }: Static<typeof Room>,
): RoomPolicy {
  const people = allowFrom ?? users;
  return {
    ...(enabled === undefined && allow === undefined
      ? {}
      : { isEnabled: enabled !== false && allow !== false }),
    ...(requireMention === undefined ? {} : { requiresMention: requireMention }),
    ...(people === undefined && roles === undefined ? {} : { allowFrom: texts(people ?? []) }),
    ...(roles === undefined ? {} : { roles: texts(roles) }),
    ...(allowBots === undefined ? {} : { allowsBots: botsOf(allowBots) }),
  };
}

/** A server or a workspace's room that is listed is open to all in it, unless it says to whom. */
function listedRoom(written: Static<typeof Room>): RoomPolicy {
  return { ...roomOf(written), isOpen: true };
}

function botsOf(written: Static<typeof AllowBots>): AllowsBots {
  return written === "mentions" ? "mentioned" : written ? "always" : "never";
}

/** The same rooms, by their names' keys too, unless they are surely written as ids. */
function byRoom<T>(rooms: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  return Object.fromEntries(
    Object.entries(rooms).flatMap(([written, room]) => {
      const key = /^[A-Z0-9]+$/.test(written) ? "" : roomKey(written);
      const entries: [string, T][] = written.startsWith("#") ? [] : [[written, room]];
      return key === "" ? entries : [...entries, [key, room]];
    }),
  );
}

function mapped<A, B>(
  record: Readonly<Record<string, A>>,
  convert: (value: A) => B,
): Readonly<Record<string, B>> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, convert(value)]));
}

function texts(ids: readonly (string | number)[]): readonly string[] {
  return ids.map((id) => String(id).trim());
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && value !== "";
}

/** A secret that is written out, with `${NAME}` in it, or as a reference to where it is. */
function readSecret(
  written: unknown,
  { path, env, readFile }: SecretSources & { path: string },
): string {
  const variable = (name: string) => {
    const value = env[name];
    if (value !== undefined && value !== "") return value;
    throw new Error(`Cannot read ${path}: ${name} is not set in the environment`);
  };
  if (typeof written === "string") {
    return written.replace(
      /(\$?)\$\{([A-Z_][A-Z0-9_]*)\}/g,
      (whole, escaped, name) => escaped ? whole.slice(1) : variable(name),
    );
  }
  const { source, id } =
    typeof written === "object" && written !== null && "source" in written && "id" in written
      ? written
      : { source: undefined, id: undefined };
  if (source === "env" && typeof id === "string") return variable(id);
  if (source === "file" && typeof id === "string") return readFile(id).trim();
  throw new Error(`Cannot read ${path}: must be a text, or {source: "env" or "file", id}`);
}
