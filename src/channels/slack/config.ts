/** The settings of one Slack account, beside those that all networks share. */
import type { TSchema } from "@sinclair/typebox";
import * as Type from "../../../schemas/type.ts";
import { checkedSettings } from "../settings.ts";

const optional = <T extends TSchema>(schema: T) => Type.Optional(schema);
const open = { additionalProperties: true };

export const SlackSettings = Type.Object({
  /** `socket` where we connect to Slack; `http` where Slack calls our `/webhooks/slack/<account>`. */
  mode: optional(Type.Union([Type.Literal("socket"), Type.Literal("http")])),
  /** `xoxb-…`, from OAuth & Permissions. */
  botToken: optional(Type.String()),
  botTokenFile: optional(Type.String()),
  /** `xapp-…` with connections:write, for the mode `socket`. */
  appToken: optional(Type.String()),
  appTokenFile: optional(Type.String()),
  /** From Basic Information, for the mode `http`. */
  signingSecret: optional(Type.String()),
  signingSecretFile: optional(Type.String()),
  /** `xoxp-…`; taken, but not needed: everything is done as the bot. */
  userToken: optional(Type.String()),
  /** Where the Web API is, instead of `https://slack.com/api/`. */
  apiUrl: optional(Type.String({ pattern: "^https?://[^/]" })),
  mediaMaxMb: optional(Type.Number({ exclusiveMinimum: 0 })),
  unfurlLinks: optional(Type.Boolean()),
  unfurlMedia: optional(Type.Boolean()),
  slashCommand: optional(Type.Object({
    /** The command whose text is what was said. */
    name: optional(Type.String({ minLength: 1 })),
    /** Only who uses a command sees the answer. */
    ephemeral: optional(Type.Boolean()),
  }, open)),
  dm: optional(Type.Object({
    enabled: optional(Type.Boolean()),
    groupEnabled: optional(Type.Boolean()),
    /** Group chats by id; all of them where it is absent. */
    groupChannels: optional(Type.Array(Type.Union([Type.String(), Type.Number()]))),
  }, open)),
}, open);

/** The same with its defaults in place. */
export interface Settings {
  readonly mode: "socket" | "http";
  readonly botToken: string;
  readonly appToken: string;
  readonly signingSecret: string | undefined;
  readonly apiUrl: string;
  readonly maxUploadBytes: number;
  readonly unfurlLinks: boolean | undefined;
  readonly unfurlMedia: boolean | undefined;
  /** Without the slash. */
  readonly commandName: string;
  readonly hasEphemeralCommands: boolean;
  readonly hasDirect: boolean;
  readonly hasGroupDirect: boolean;
  /** Ids of group chats; all of them where it is empty. */
  readonly groupDirect: readonly string[];
}

const API_URL = "https://slack.com/api/";
const MEDIA_MAX_MB = 100;

/** Throws for what the schema does not allow; the error names the setting, never its value. */
export function slackSettings(settings: unknown): Settings {
  const written = checkedSettings(settings, { schema: SlackSettings, label: "Slack" });
  const { slashCommand = {}, dm = {} } = written;
  return {
    mode: written.mode ?? "socket",
    botToken: written.botToken?.trim() ?? "",
    appToken: written.appToken?.trim() ?? "",
    signingSecret: written.signingSecret?.trim() || undefined,
    apiUrl: (written.apiUrl ?? API_URL).replace(/\/*$/, "/"),
    maxUploadBytes: (written.mediaMaxMb ?? MEDIA_MAX_MB) * 1024 * 1024,
    unfurlLinks: written.unfurlLinks,
    unfurlMedia: written.unfurlMedia,
    commandName: (slashCommand.name ?? "openclaw").replace(/^\//, ""),
    hasEphemeralCommands: slashCommand.ephemeral ?? true,
    hasDirect: dm.enabled ?? true,
    hasGroupDirect: dm.groupEnabled ?? false,
    groupDirect: (dm.groupChannels ?? []).map(String),
  };
}
