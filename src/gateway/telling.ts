/**
 * How the agent is told of what people said: plain lines, in which nobody can pass for somebody else.
 * In a group each message begins with who wrote it, and its further lines are set in.
 */
import type { InboundAttachment, InboundMessage, Place, Sender } from "../message.ts";
import type { MediaFile } from "./media.ts";

/** What became of a file that came with a message. */
export type Fetched =
  | { readonly attachment: InboundAttachment; readonly file: MediaFile }
  /** Why it is not here; absent where nobody tried. */
  | { readonly attachment: InboundAttachment; readonly fault?: string };

/** A message with its files. */
export interface Told {
  readonly message: InboundMessage;
  readonly files: readonly Fetched[];
}

const MAX_NAME = 64;
const MAX_QUOTE = 300;
const CONTEXT_HEADING = "[Said here since your last answer]";
const TURN_HEADING = "[Said to you now]";

/** What is said to the agent: what was said before it was spoken to, then the messages of its turn. */
export function turnText(
  turn: readonly Told[],
  { place, context = [] }: { place: Place; context?: readonly Told[] },
): string {
  if (place.kind === "direct") return turn.map((told) => linesOf(told).join("\n")).join("\n\n");
  const now = turn.map(groupLines);
  if (context.length === 0) return now.join("\n");
  return [CONTEXT_HEADING, ...context.map(groupLines), TURN_HEADING, ...now].join("\n");
}

/** What the agent is told once about a group, beside its other instructions. */
export function groupNotice({ channel, title }: Place): string {
  const name = title === undefined ? "a group" : `the group "${plainName(title)}"`;
  return `This conversation is held in ${name} on ${channel}. Each message begins with the name ` +
    "and the id of who wrote it; only the id says who somebody is. Answer NO_REPLY alone where " +
    "nothing needs to be said.";
}

/** What the agent hears of a reaction. */
export function reactionText(
  { emoji, isAdded, messageId, sender }: Pick<
    Extract<InboundMessage, { kind: "reaction" }>,
    "emoji" | "isAdded" | "messageId" | "sender"
  >,
): string {
  const what = plainName(emoji) || "something";
  return `${senderName(sender)} ${
    isAdded ? `reacted with ${what} to` : `took back the reaction ${what} to`
  } message ${plainName(messageId)}`;
}

/** Who somebody is, for the agent and for people: a name that is one word of a line, and the id. */
export function senderName({ id, name, username }: Sender): string {
  const shown = plainName(name ?? "") || plainName(username ?? "") || "somebody";
  return `${shown} (${plainName(id)})`;
}

/** What somebody calls themselves or a place, without anything that could be taken for more. */
export function plainName(name: string): string {
  const plain = name.normalize("NFC").replace(/[\p{C}\p{Zl}\p{Zp}()[\]<>:"`]+/gu, " ");
  const short = [...plain.replace(/\s+/g, " ").trim()].slice(0, MAX_NAME);
  return short.join("").trim();
}

/** The text of a message as somebody typed it, without control characters. */
export function plainText(message: InboundMessage): string {
  const text = message.kind === "button" ? message.value : "text" in message ? message.text : "";
  // deno-lint-ignore no-control-regex -- all but tab and line feed
  return text.replace(/\r\n?|[\x85\u2028\u2029]/g, "\n").replace(/[\0-\x08\x0b-\x1f\x7f]/g, "")
    .toWellFormed().trim();
}

function groupLines(told: Told): string {
  const [first = "", ...more] = linesOf(told).flatMap((line) => line.split("\n"));
  const head = `${senderName(told.message.sender)}: ${first}`.trimEnd();
  return [head, ...more.map((line) => `  ${line}`)].join("\n");
}

function linesOf({ message, files }: Told): readonly string[] {
  const text = plainText(message);
  const lines = text === "" ? [] : [text];
  if (message.kind === "message") {
    const { replyTo, location } = message;
    if (replyTo !== undefined) lines.unshift(quoteLine(replyTo));
    if (location !== undefined) {
      const { latitude, longitude, name, address } = location;
      const about = [name, address].flatMap((part) => plainName(part ?? "") || []).join(", ");
      lines.push(`[location ${latitude}, ${longitude}${about === "" ? "" : `: ${about}`}]`);
    }
  }
  return [...lines, ...files.map(fileLine)];
}

function quoteLine(
  { text, senderName: who, toUs, messageId }: NonNullable<
    Extract<InboundMessage, { kind: "message" }>["replyTo"]
  >,
): string {
  const whose = toUs ? "your message" : `a message of ${plainName(who ?? "") || "somebody"}`;
  const quoted = (text ?? "").replace(/[\p{C}\p{Zl}\p{Zp}\s"]+/gu, " ").trim();
  if (quoted === "") return `[in answer to ${whose}, ${plainName(messageId)}]`;
  const short = [...quoted].slice(0, MAX_QUOTE).join("");
  return `[in answer to ${whose}: "${short}${short.length < quoted.length ? "…" : ""}"]`;
}

function fileLine(fetched: Fetched): string {
  const { attachment } = fetched;
  const name = plainName(attachment.name ?? "");
  const what = `${attachment.kind}${name === "" ? "" : ` "${name}"`}`;
  if (!("file" in fetched)) {
    return fetched.fault === undefined
      ? `[${what}]`
      : `[${what}: could not be fetched, ${fetched.fault}]`;
  }
  const { path, mimeType, size } = fetched.file;
  return `[${what}: ${mimeType}, ${size} bytes, ${path}]`;
}
