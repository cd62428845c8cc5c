/** The settings of a Discord account. */
import type { TSchema } from "@sinclair/typebox";
import * as Type from "../../../schemas/type.ts";
import { checkedSettings } from "../settings.ts";

const optional = <T extends TSchema>(schema: T) => Type.Optional(schema);
const open = { additionalProperties: true };

/** What may stand under `channels.discord`, beside what all networks share. */
export const SettingsSchema = Type.Object({
  token: optional(Type.String({ minLength: 1 })),
  tokenFile: optional(Type.String({ minLength: 1 })),
  /** The application's id; learned from Discord where it is not given. */
  applicationId: optional(Type.Union([
    Type.String({ pattern: "^\\d{17,20}$" }),
    Type.Null(),
  ])),
  /** Where the REST API is, without its version: `https://discord.com/api`. */
  apiRoot: optional(Type.String({ pattern: "^https?://" })),
  /** Where the gateway is, instead of where the API says. */
  gatewayUrl: optional(Type.String({ pattern: "^wss?://" })),
  intents: optional(Type.Object({
    /** Without it only what is said to us, or with our name in it, can be read. */
    messageContent: optional(Type.Boolean()),
    guildMembers: optional(Type.Boolean()),
    presence: optional(Type.Boolean()),
  }, open)),
  /** Links are shown without a preview. */
  suppressEmbeds: optional(Type.Boolean()),
  mediaMaxMb: optional(Type.Number({ exclusiveMinimum: 0 })),
  slashCommand: optional(Type.Object({
    /** Only who uses a command sees the answer. */
    ephemeral: optional(Type.Boolean()),
  }, open)),
  commands: optional(Type.Object({
    native: optional(Type.Union([Type.Boolean(), Type.Literal("auto")])),
  }, open)),
  dm: optional(Type.Object({
    groupEnabled: optional(Type.Boolean()),
    /** Group chats by id; all of them where it is absent. */
    groupChannels: optional(Type.Array(Type.Union([Type.String(), Type.Number()]))),
  }, open)),
}, open);

/** The same with its defaults in place. */
export interface Settings {
  readonly token: string;
  readonly apiRoot: string;
  readonly gatewayUrl?: string;
  readonly applicationId?: string;
  readonly intents: number;
  readonly suppressesEmbeds: boolean;
  readonly maxUploadBytes: number;
  readonly hasEphemeralCommands: boolean;
  readonly hasNativeCommands: boolean;
  readonly hasGroupDirect: boolean;
  /** Ids of group chats; all of them where it is empty. */
  readonly groupDirect: readonly string[];
}

const INTENTS = {
  guilds: 1 << 0,
  guildMembers: 1 << 1,
  presence: 1 << 8,
  guildMessages: 1 << 9,
  guildReactions: 1 << 10,
  directMessages: 1 << 12,
  directReactions: 1 << 13,
  messageContent: 1 << 15,
};
const API_ROOT = "https://discord.com/api";
const MEDIA_MAX_MB = 100;

/** Throws for what the schema does not allow, or where there is no token. */
export function readSettings(settings: unknown): Settings {
  const written = checkedSettings(settings, { schema: SettingsSchema, label: "Discord" });
  const { token, intents = {}, dm = {}, applicationId, gatewayUrl } = written;
  if (token === undefined) throw new Error("Cannot use Discord: 'token' is not set");
  return {
    token: token.trim().replace(/^Bot\s+/i, ""),
    apiRoot: (written.apiRoot ?? API_ROOT).replace(/\/(v\d+\/?)?$/, ""),
    ...(gatewayUrl !== undefined && { gatewayUrl }),
    ...(applicationId != null && { applicationId }),
    intents: INTENTS.guilds | INTENTS.guildMessages | INTENTS.guildReactions |
      INTENTS.directMessages | INTENTS.directReactions |
      (intents.messageContent === false ? 0 : INTENTS.messageContent) |
      (intents.guildMembers ? INTENTS.guildMembers : 0) |
      (intents.presence ? INTENTS.presence : 0),
    suppressesEmbeds: written.suppressEmbeds ?? true,
    maxUploadBytes: (written.mediaMaxMb ?? MEDIA_MAX_MB) * 1024 * 1024,
    hasEphemeralCommands: written.slashCommand?.ephemeral ?? true,
    hasNativeCommands: written.commands?.native !== false,
    hasGroupDirect: dm.groupEnabled ?? false,
    groupDirect: (dm.groupChannels ?? []).map(String),
  };
}
