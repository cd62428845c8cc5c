/** The tool that writes into chats, beside the answer that the agent gives anyway. */
import { isAbsolute, join } from "node:path";
import * as Type from "../../../schemas/type.ts";
import { GatewayError } from "../../error.ts";
import type { Messenger } from "../../messenger.ts";
import type { Tool } from "../../model.ts";
import { defineTool, Refusal } from "./tool.ts";

const text = (description: string) => Type.Optional(Type.String({ description }));

const PARAMETERS = Type.Object({
  action: Type.Unsafe<"send" | "poll" | "react" | "edit" | "delete">(
    Type.Union(["send", "poll", "react", "edit", "delete"].map((name) => Type.Literal(name))),
  ),
  text: text("What to say (send), or to say instead (edit)"),
  files: Type.Optional(
    Type.Array(Type.String(), {
      maxItems: 10,
      description: "Files to send: paths in the workspace, or of files that came with a message",
    }),
  ),
  to: text("Another chat, such as telegram:12345; leave it out for this one"),
  replyTo: text("The id of the message that it answers (send)"),
  messageId: text("The message that is meant (react, edit, delete); for react, this one if absent"),
  emoji: text("The reaction; empty takes it back (react)"),
  question: text("What is asked (poll)"),
  options: Type.Optional(Type.Array(Type.String(), { description: "The choices (poll)" })),
  silent: Type.Optional(Type.Boolean({ description: "Without a sound (send)" })),
});

/** Does what the messenger of this run lets it. `messenger` is absent in a list of tools only. */
export function messageTool(messenger: Messenger | undefined, workspace: string): Tool {
  const here = messenger?.here === undefined ? "" : ` This chat is: ${messenger.here}.`;
  return defineTool({
    name: "message",
    label: "Message",
    description:
      "Sends files, polls and further messages into the chat, or reacts to, edits and deletes " +
      `messages there. Your answer itself is delivered without it.${here}`,
    parameters: PARAMETERS,
    async run({ action, to, messageId, ...args }, signal) {
      if (messenger === undefined) throw new Refusal("This conversation is in no chat");
      const chat = to === undefined || to === "" ? {} : { to };
      try {
        switch (action) {
          case "send": {
            const { text = "", files = [], replyTo, silent } = args;
            if (text.trim() === "" && files.length === 0) {
              throw new Refusal("There is nothing to send: give 'text' or 'files'");
            }
            const ids = await messenger.send({
              ...chat,
              text,
              files: files.map((file) => isAbsolute(file) ? file : join(workspace, file)),
              folder: workspace,
              ...(replyTo === undefined ? {} : { replyTo }),
              ...(silent === undefined ? {} : { isSilent: silent }),
            }, signal);
            return `Sent (${named(ids)})`;
          }
          case "poll": {
            const { question = "", options = [] } = args;
            if (question === "" || options.length < 2) {
              throw new Refusal("A poll needs a 'question', and two 'options' or more");
            }
            return `Sent (${named(await messenger.poll({ ...chat, question, options }, signal))})`;
          }
          case "react": {
            const target = messageId === undefined ? chat : { ...chat, messageId };
            await messenger.react({ ...target, emoji: args.emoji ?? "" }, signal);
            return "Done";
          }
          case "edit": {
            const target = { ...chat, messageId: required(messageId) };
            await messenger.edit({ ...target, text: args.text ?? "" }, signal);
            return "Done";
          }
          case "delete":
            await messenger.delete({ ...chat, messageId: required(messageId) }, signal);
            return "Done";
        }
      } catch (error) {
        if (error instanceof GatewayError) throw new Refusal(error.message);
        throw error;
      }
    },
  });
}

function required(messageId: string | undefined): string {
  if (messageId === undefined) throw new Refusal("Say in 'messageId' which message is meant");
  return messageId;
}

function named(ids: readonly string[]): string {
  return ids.length === 1 ? `message ${ids[0]}` : `messages ${ids.join(", ")}`;
}
