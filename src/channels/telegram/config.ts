/** The settings of one Telegram account, beside those that all networks share. */
import type { Static } from "@sinclair/typebox";
import * as Type from "../../../schemas/type.ts";

export const TelegramSettings = Type.Object({
  /** From @BotFather. */
  botToken: Type.Optional(Type.String()),
  tokenFile: Type.Optional(Type.String()),
  /** A Bot API server of one's own. */
  apiRoot: Type.Optional(Type.String({ pattern: "^https?://[^/]" })),
  /** Where a server of one's own, in local mode, may keep files that are read from disk. */
  trustedLocalFileRoots: Type.Optional(Type.Array(Type.String())),
  /** `http://`, `https://` or `socks5://`. */
  proxy: Type.Optional(Type.String({ pattern: "^(https?|socks5h?)://[^/]" })),
  /** The public address that leads to our `/webhooks/telegram/<account>`. With it Telegram calls us; without it we ask Telegram. */
  webhookUrl: Type.Optional(Type.String({ pattern: "^https?://[^/]" })),
  /** Needed with `webhookUrl`: it proves that it is Telegram who calls. */
  webhookSecret: Type.Optional(Type.String({ pattern: "^[A-Za-z0-9_-]{1,256}$" })),
  /** Instead of all that we understand. */
  allowedUpdates: Type.Optional(Type.Array(Type.String())),
  /** `false` shows no preview of links. */
  linkPreview: Type.Optional(Type.Boolean()),
  /** How long a call may take; those that carry a file have eight minutes at least. */
  timeoutSeconds: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 3600 })),
  commands: Type.Optional(Type.Object({
    /** `false` leaves the gateway's own commands out of the bot's menu. */
    native: Type.Optional(Type.Union([Type.Boolean(), Type.Literal("auto")])),
  }, { additionalProperties: true })),
  /** More entries for the bot's menu. */
  customCommands: Type.Optional(Type.Array(Type.Object({
    command: Type.String(),
    description: Type.String(),
  }))),
});
export type TelegramSettings = Static<typeof TelegramSettings>;
