/** The networks that this program knows. Each is loaded only when an account of it is set up. */
import type { NetworkEntry } from "../channel.ts";

/** In the order in which people are shown them. */
export const NETWORKS: readonly NetworkEntry[] = [
  {
    id: "telegram",
    label: "Telegram",
    load: async () => (await import("./telegram/telegram.ts")).network,
  },
  {
    id: "discord",
    label: "Discord",
    load: async () => (await import("./discord/discord.ts")).network,
  },
  {
    id: "slack",
    label: "Slack",
    load: async () => (await import("./slack/slack.ts")).network,
  },
];
