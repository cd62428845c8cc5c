/** A conversation as a terminal shows it. */
import type { ChatBlock, ChatMessage } from "../../schemas/message.ts";
import type { Paint } from "./paint.ts";
import { cut, oneLine, printable } from "./text.ts";

/** How much of a tool's arguments or result a line shows, in columns. */
const TOOL_WIDTH = 78;

/** A message under the name of who said it; empty where there is nothing to show of it. */
export function messageText(message: ChatMessage, paint: Paint): string {
  const { role, content, toolName = "tool", isError = false, errorMessage } = message;
  if (role === "toolResult") {
    return toolResultLine(toolName, { text: plainText(content), isError }, paint);
  }
  const blocks: readonly ChatBlock[] = typeof content === "string"
    ? [{ type: "text", text: content }]
    : content;
  const parts = blocks.map((block) => blockText(block, paint)).filter((part) => part !== "");
  if (errorMessage !== undefined) {
    parts.push(`${paint.red(`failed: ${printable(errorMessage)}`)}\n`);
  }
  if (parts.length === 0) return "";
  return `${speaker(role, paint)}\n${parts.join("")}`;
}

/** The line above what somebody says; a turn begins with the user, and an empty line. */
export function speaker(role: ChatMessage["role"], paint: Paint): string {
  return role === "user" ? `\n${paint.bold(paint.cyan("you"))}` : paint.bold(paint.green(role));
}

/** `⚙ read path=/etc/hosts` */
export function toolCallLine(
  name: string,
  args: Readonly<Record<string, unknown>>,
  paint: Paint,
): string {
  const pairs = Object.entries(args).map(([key, value]) =>
    `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`
  );
  return `${paint.dim(`⚙ ${cut(oneLine([name, ...pairs].join(" ")), TOOL_WIDTH)}`)}\n`;
}

/** `↳ read: 127.0.0.1 localhost…` */
export function toolResultLine(
  name: string,
  { text, isError }: { text: string; isError: boolean },
  paint: Paint,
): string {
  const line = `↳ ${cut(oneLine(`${name}: ${text}`), TOOL_WIDTH)}`;
  return `${isError ? paint.red(line) : paint.dim(line)}\n`;
}

/** What a message says, without what its agent thought and did. */
export function plainText(content: ChatMessage["content"]): string {
  if (typeof content === "string") return content;
  return content.flatMap((block) => block.type === "text" ? [block.text] : []).join("");
}

function blockText(block: ChatBlock, paint: Paint): string {
  switch (block.type) {
    case "text":
      return block.text === "" ? "" : `${printable(block.text).trimEnd()}\n`;
    case "toolCall":
      return toolCallLine(block.name, block.arguments, paint);
    case "image":
      return `${paint.dim(`[${oneLine(block.mimeType ?? "image")}]`)}\n`;
    case "thinking":
      return "";
  }
}
