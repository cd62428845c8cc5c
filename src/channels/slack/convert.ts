/** Turns what Slack hands over into messages of ours. Pure. */
import type { Self } from "../../channel.ts";
import type { InboundAttachment, InboundMessage, MediaKind, Place, Sender } from "../../message.ts";
import { emojiOfName } from "./emoji.ts";

/** Who we are in Slack. */
export interface SlackSelf extends Self {
  readonly botId?: string;
  readonly teamId?: string;
}

/** What is known of somebody. */
export interface KnownUser {
  readonly name?: string;
  readonly username?: string;
  readonly isBot?: boolean;
}

/** What is known of a conversation. */
export interface KnownChannel {
  readonly name?: string;
  readonly kind: Place["kind"];
}

/** What must be known to understand an event. */
export interface Surroundings {
  readonly accountId: string;
  readonly self: SlackSelf;
  /** The command whose text is what was said, without its slash. */
  readonly commandName: string;
  /** Epoch milliseconds. */
  readonly now: number;
  user(id: string): KnownUser | undefined;
  channel(id: string): KnownChannel | undefined;
}

/** How an attachment is found again. */
export interface FileRef {
  readonly id: string;
  readonly url: string;
  /** It is a web page by itself, not one of Slack's in its place. */
  readonly isPage: boolean;
}

type Json = Readonly<Record<string, unknown>>;

/** What an envelope holds, or a request of Slack's. */
export type Payload = Json;

/** `undefined` for what is ours, or is nothing that somebody said. */
export function toInbound(payload: Payload, around: Surroundings): InboundMessage | undefined {
  if (payload.type === "event_callback") {
    const event = objectOf(payload.event);
    return event && toEvent(event, textAt(payload, "team_id"), around);
  }
  if (payload.type === "block_actions") return toButton(payload, around);
  return textAt(payload, "command") === undefined ? undefined : toCommand(payload, around);
}

/** The ids of people and conversations whose names would help to understand it. */
export function mentionedIn(payload: Payload): { users: string[]; channels: string[] } {
  const event = objectOf(payload.event) ?? payload;
  // what a button stands in is ours
  const changed = event === payload ? undefined : objectOf(event.message);
  const item = objectOf(event.item);
  const texts = [textAt(event, "text"), changed && textAt(changed, "text")];
  const text = texts.join(" ");
  const [user, channel] = [objectOf(payload.user), objectOf(payload.channel)];
  const people = [
    textAt(event, "user"),
    textAt(payload, "user_id"),
    changed && textAt(changed, "user"),
    user && textAt(user, "id"),
    ...ids(text, /<@([UW][A-Z0-9]+)/g),
  ];
  const rooms = [
    textAt(event, "channel"),
    textAt(payload, "channel_id"),
    item && textAt(item, "channel"),
    channel && textAt(channel, "id"),
    ...ids(text, /<#([CDG][A-Z0-9]+)(?=>|\|>)/g),
  ];
  return { users: distinct(people), channels: distinct(rooms) };
}

/** What an event itself tells of its conversation; a mention's does not. */
export function roomOf(payload: Payload): { id: string; kind: Place["kind"] } | undefined {
  const event = objectOf(payload.event);
  const id = event && textAt(event, "channel");
  const kind = event && KINDS[textAt(event, "channel_type") ?? ""];
  return id === undefined || kind === undefined ? undefined : { id, kind };
}

/** Where something is said. A message that begins a thread is not in it. */
export function placeOf(
  { channel, type, ts, threadTs, spaceId }: {
    channel: string;
    /** Slack's word for the kind of conversation, where it says one. */
    type?: string;
    ts?: string;
    threadTs?: string;
    spaceId?: string;
  },
  around: Pick<Surroundings, "accountId" | "channel">,
): Place {
  const known = around.channel(channel);
  const kind = KINDS[type ?? ""] ?? known?.kind ?? (channel.startsWith("D") ? "direct" : "channel");
  return {
    channel: "slack",
    accountId: around.accountId,
    kind,
    chatId: channel,
    ...(threadTs === undefined || threadTs === ts ? {} : { threadId: threadTs }),
    ...(spaceId === undefined ? {} : { spaceId }),
    ...(kind === "direct" || known?.name === undefined
      ? {}
      : kind === "channel"
      ? { title: `#${known.name}`, roomName: known.name }
      : { title: known.name }),
  };
}

/** Who is answered by what answers this message, where that is a command. */
export function askerOf(replyTo: string | undefined): string | undefined {
  return /^command:(\w+):/.exec(replyTo ?? "")?.[1];
}

/** The millisecond that a timestamp of Slack's means. */
export function timeOf(ts: string): number {
  return Math.floor(Number(ts) * 1000);
}

/** Slack's name of a message. */
export function isTs(id: string): boolean {
  return /^\d{10,}\.\d{6}$/.test(id);
}

/** What Slack calls kinds of conversations. A private channel is a room all the same. */
const KINDS: Readonly<Record<string, Place["kind"] | undefined>> = {
  im: "direct",
  mpim: "group",
  channel: "channel",
  group: "channel",
};

/** What somebody says; the rest is notices of Slack's. */
const SAID: ReadonlySet<string | undefined> = new Set([
  undefined,
  "bot_message",
  "file_share",
  "me_message",
  "thread_broadcast",
]);

function toEvent(
  event: Json,
  spaceId: string | undefined,
  around: Surroundings,
): InboundMessage | undefined {
  switch (event.type) {
    case "app_mention":
      return toMessage(event, spaceId, around);
    case "message":
      if (event.subtype === "message_changed") return toEdit(event, spaceId, around);
      if (event.subtype === "message_deleted") return toDelete(event, spaceId, around);
      return toMessage(event, spaceId, around);
    case "reaction_added":
    case "reaction_removed":
      return toReaction(event, spaceId, around);
    default:
      return undefined;
  }
}

/**
 * A message in a channel that mentions us comes twice, once as a mention. Both have the timestamp
 * of the message, which is its name, and become the same.
 */
function toMessage(
  event: Json,
  spaceId: string | undefined,
  around: Surroundings,
): InboundMessage | undefined {
  const [channel, ts] = [textAt(event, "channel"), textAt(event, "ts")];
  const sender = senderOf(event, around);
  if (channel === undefined || ts === undefined || !isTs(ts) || sender === undefined) {
    return undefined;
  }
  if (!SAID.has(textAt(event, "subtype"))) return undefined;
  const threadTs = textAt(event, "thread_ts");
  const type = textAt(event, "channel_type");
  const place = placeOf({ channel, type, ts, threadTs, spaceId }, around);
  const attachments = attachmentsOf(event);
  const text = textOf(event, around);
  if (text === "" && attachments.length === 0) return undefined;
  const parent = textAt(event, "parent_user_id");
  return {
    eventId: ts,
    place,
    sender,
    at: timeOf(ts),
    kind: "message",
    messageId: ts,
    text,
    attachments,
    mentionsUs: place.kind === "direct" || mentionsUs(event, around),
    ...(place.threadId === undefined ? {} : {
      replyTo: { messageId: place.threadId, toUs: parent === around.self.id },
    }),
  };
}

/** `undefined` where nobody has changed the text: Slack also tells of previews that it adds. */
function toEdit(
  event: Json,
  spaceId: string | undefined,
  around: Surroundings,
): InboundMessage | undefined {
  const message = objectOf(event.message);
  const channel = textAt(event, "channel");
  if (message === undefined || channel === undefined) return undefined;
  const ts = textAt(message, "ts");
  const edited = objectOf(message.edited);
  const at = edited && textAt(edited, "ts");
  const sender = senderOf(message, around);
  if (ts === undefined || sender === undefined) return undefined;
  const type = textAt(event, "channel_type");
  const threadTs = textAt(message, "thread_ts");
  const place = placeOf({ channel, type, ts, threadTs, spaceId }, around);
  if (message.subtype === "tombstone") {
    const changedAt = textAt(event, "event_ts") ?? textAt(event, "ts") ?? ts;
    return {
      eventId: `${ts}:deleted`,
      place,
      sender,
      at: timeOf(changedAt),
      kind: "delete",
      messageId: ts,
    };
  }
  if (at === undefined || !SAID.has(textAt(message, "subtype"))) return undefined;
  return {
    eventId: `${ts}:edited:${at}`,
    place,
    sender,
    at: timeOf(at),
    kind: "edit",
    messageId: ts,
    text: textOf(message, around),
  };
}

function toDelete(
  event: Json,
  spaceId: string | undefined,
  around: Surroundings,
): InboundMessage | undefined {
  const [channel, ts] = [textAt(event, "channel"), textAt(event, "deleted_ts")];
  const previous = objectOf(event.previous_message);
  const sender = previous && senderOf(previous, around);
  if (channel === undefined || ts === undefined || !previous || !sender) return undefined;
  const type = textAt(event, "channel_type");
  const threadTs = textAt(previous, "thread_ts");
  return {
    eventId: `${ts}:deleted`,
    place: placeOf({ channel, type, ts, threadTs, spaceId }, around),
    sender,
    at: timeOf(textAt(event, "event_ts") ?? textAt(event, "ts") ?? ts),
    kind: "delete",
    messageId: ts,
  };
}

function toReaction(
  event: Json,
  spaceId: string | undefined,
  around: Surroundings,
): InboundMessage | undefined {
  const item = objectOf(event.item);
  const [channel, ts] = [item && textAt(item, "channel"), item && textAt(item, "ts")];
  const [name, at] = [textAt(event, "reaction"), textAt(event, "event_ts")];
  const sender = senderOf(event, around);
  if (channel === undefined || ts === undefined || sender === undefined) return undefined;
  if (name === undefined || at === undefined) return undefined;
  const author = textAt(event, "item_user");
  return {
    eventId: `${ts}:reaction:${sender.id}:${name}:${at}`,
    place: placeOf({ channel, spaceId }, around),
    sender,
    at: timeOf(at),
    kind: "reaction",
    messageId: ts,
    emoji: emojiOfName(name),
    isAdded: event.type === "reaction_added",
    ...(author === undefined ? {} : { toUs: author === around.self.id }),
  };
}

/** Our command says its text; any other is what somebody would have typed. */
function toCommand(payload: Payload, around: Surroundings): InboundMessage | undefined {
  const [command, trigger] = [textAt(payload, "command"), textAt(payload, "trigger_id")];
  const [channel, user] = [textAt(payload, "channel_id"), textAt(payload, "user_id")];
  if (!command || !trigger || !channel || !user) return undefined;
  const args = plainText(textAt(payload, "text") ?? "", around).trim();
  const isOurs = command === `/${around.commandName}`;
  const type = textAt(payload, "channel_name") === "directmessage" ? "im" : undefined;
  const known = around.user(user);
  const username = known?.username ?? textAt(payload, "user_name");
  const spaceId = textAt(payload, "team_id");
  return {
    eventId: `command:${trigger}`,
    place: placeOf({ channel, type, spaceId }, around),
    sender: {
      id: user,
      ...(known?.name === undefined ? {} : { name: known.name }),
      ...(username === undefined ? {} : { username }),
    },
    at: around.now, // Slack does not say when
    kind: "command",
    messageId: `command:${user}:${trigger}`,
    text: isOurs ? args || "/help" : `${command} ${args}`.trim(),
    ...(textAt(payload, "response_url") === undefined ? {} : { isAwaited: true }),
  };
}

function toButton(payload: Payload, around: Surroundings): InboundMessage | undefined {
  const user = objectOf(payload.user);
  const container = objectOf(payload.container);
  const message = objectOf(payload.message);
  const [action] = Array.isArray(payload.actions) ? payload.actions.map(objectOf) : [];
  if (user === undefined || container === undefined || action === undefined) return undefined;
  const [id, channel] = [textAt(user, "id"), textAt(container, "channel_id")];
  const [ts, at] = [textAt(container, "message_ts"), textAt(action, "action_ts")];
  const value = textAt(action, "value");
  if (!textAt(action, "action_id")?.startsWith(ACTION_PREFIX)) return undefined;
  if (!id || !channel || !ts || !at || value === undefined) return undefined;
  const known = around.user(id);
  const username = known?.username ?? textAt(user, "username");
  const team = objectOf(payload.team);
  const threadTs = textAt(container, "thread_ts") ?? (message && textAt(message, "thread_ts"));
  const spaceId = team && textAt(team, "id");
  return {
    eventId: `${ts}:button:${id}:${at}`,
    place: placeOf({ channel, ts, threadTs, spaceId }, around),
    sender: {
      id,
      ...(known?.name === undefined ? {} : { name: known.name }),
      ...(username === undefined ? {} : { username }),
    },
    at: timeOf(at),
    kind: "button",
    messageId: ts,
    value,
  };
}

/** By it we know our own buttons. */
export const ACTION_PREFIX = "openclaw:";

/** `undefined` for ourselves, and for nobody. */
function senderOf(message: Json, { self, user }: Surroundings): Sender | undefined {
  const [id, bot] = [textAt(message, "user"), textAt(message, "bot_id")];
  if (id === self.id || (bot !== undefined && bot === self.botId)) return undefined;
  const sender = id ?? bot;
  if (sender === undefined) return undefined;
  const known = user(sender);
  const name = known?.name ?? (id === undefined ? textAt(message, "username") : undefined);
  return {
    id: sender,
    ...(name === undefined ? {} : { name }),
    ...(known?.username === undefined ? {} : { username: known.username }),
    ...(bot !== undefined || known?.isBot ? { isBot: true } : {}),
  };
}

function mentionsUs(event: Json, { self }: Surroundings): boolean {
  return (textAt(event, "text") ?? "").includes(`<@${self.id}`);
}

/** All that was said in a message, whatever form it has. */
function textOf(event: Json, around: Surroundings): string {
  const written = textAt(event, "text") ?? "";
  const own = withoutAddress(written, around);
  const shared = listAt(event, "attachments").flatMap((attachment) => {
    const isShared = attachment.is_share === true || attachment.is_msg_unfurl === true;
    // beside a text, what is attached is a preview of it
    if (!isShared && own !== "") return [];
    const text = textAt(attachment, "text") ?? textAt(attachment, "fallback") ?? "";
    const title = textAt(attachment, "title");
    const said = [title, text].filter(Boolean).join("\n");
    if (said === "") return [];
    const author = textAt(attachment, "author_name");
    return [
      (isShared ? `[Shared${author ? ` from ${author}` : ""}]\n` : "") +
      plainText(said, around),
    ];
  });
  return [own, ...shared].filter(Boolean).join("\n");
}

/** Who only calls us by name before what they say, says the rest. */
function withoutAddress(text: string, around: Surroundings): string {
  const rest = text.replace(
    new RegExp(`^\\s*<@${around.self.id}(?:\\|[^>]*)?>[\\s,:]*`),
    "",
  );
  return plainText(rest === "" ? text : rest, around).trim();
}

/** With names where Slack writes ids, and signs where it writes their names. */
function plainText(text: string, { self, user, channel }: Surroundings): string {
  return text.replace(/<([^<>]*)>/g, (whole, inner: string) => {
    const [what = "", label] = splitOnce(inner, "|");
    const id = what.slice(1);
    if (/^@[UW]/.test(what)) {
      const name = label || user(id)?.name || (id === self.id ? self.name : undefined);
      return name === undefined ? whole : `@${name}`;
    }
    if (what.startsWith("#")) {
      const name = label || channel(id)?.name;
      return name === undefined ? whole : `#${name}`;
    }
    if (what.startsWith("!subteam^")) return label ?? "@group";
    if (what.startsWith("!date^")) return label ?? "";
    if (what.startsWith("!")) return label ?? `@${id}`;
    const address = what.replace(/^(?:mailto|tel):/, "");
    if (label === undefined || label === address || label === what) return address;
    return `[${label}](${what})`;
  }).replace(/&(lt|gt|amp);/g, (_, name: string) => SIGNS[name]!);
}

const SIGNS: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&" };

function attachmentsOf(event: Json): InboundAttachment[] {
  return listAt(event, "files").flatMap((file): InboundAttachment[] => {
    const url = textAt(file, "url_private_download") ?? textAt(file, "url_private");
    const id = textAt(file, "id");
    // what lies elsewhere is a link; what is gone or hidden has no bytes
    const isHere = file.is_external !== true && file.mode !== "tombstone" &&
      file.mode !== "hidden_by_limit" && file.mode !== "external";
    if (id === undefined || !isHere) return [];
    const [name, mimeType] = [textAt(file, "name"), textAt(file, "mimetype")];
    const isPage = mimeType?.startsWith("text/html") === true || file.filetype === "html";
    const ref: FileRef = { id, url: url ?? "", isPage };
    return [{
      kind: kindOf(file, mimeType),
      ref,
      ...(name === undefined ? {} : { name }),
      ...(mimeType === undefined ? {} : { mimeType }),
      ...(typeof file.size === "number" ? { size: file.size } : {}),
    }];
  });
}

function kindOf(file: Json, mimeType = ""): MediaKind {
  if (file.subtype === "slack_audio") return "voice";
  if (file.subtype === "slack_video") return "video";
  const [family] = mimeType.split("/");
  return family === "image" || family === "audio" || family === "video" ? family : "file";
}

function textAt(object: Json, name: string): string | undefined {
  const value = object[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}

function listAt(object: Json, name: string): Json[] {
  const value = object[name];
  return Array.isArray(value) ? value.map(objectOf).filter((item) => item !== undefined) : [];
}

function objectOf(value: unknown): Json | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? { ...value }
    : undefined;
}

function splitOnce(text: string, sign: string): [string, string?] {
  const at = text.indexOf(sign);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function ids(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map(([, id = ""]) => id);
}

function distinct(names: readonly (string | undefined)[]): string[] {
  return [...new Set(names.filter((name) => name !== undefined))];
}
