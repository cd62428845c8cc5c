/** What an account must still know after a restart. */
import type { KeyValues } from "../../store.ts";

/** A slash command that can be answered by its own address. */
export interface OpenCommand {
  /** What its message is called. */
  readonly id: string;
  readonly url: string;
  /** Epoch milliseconds. */
  readonly at: number;
  /** Our messages that answer it. */
  readonly answers: readonly string[];
}

/** A file of ours that is on its way. */
interface Upload {
  readonly messageId: string;
  readonly fileId: string;
}

/** Slack takes answers by a command's own address for half an hour, and five of them. */
const COMMAND_MS = 30 * 60_000;
const MAX_ANSWERS = 5;
const MAX_COMMANDS = 200;
const MAX_UPLOADS = 500;

export class Memory {
  readonly #values: KeyValues;

  constructor(values: KeyValues) {
    this.#values = values;
  }

  keepCommand(command: OpenCommand): void {
    const others = this.#commands().filter(({ id, at }) =>
      id !== command.id && at > Date.now() - COMMAND_MS
    );
    this.#values.set("commands", [...others, command].slice(-MAX_COMMANDS));
  }

  /** The command that a message answers, if it can still be answered by its own address. */
  openCommand(id: string | undefined): OpenCommand | undefined {
    return this.#commands().find((command) =>
      command.id === id && command.at > Date.now() - COMMAND_MS &&
      command.answers.length < MAX_ANSWERS
    );
  }

  /** Whether a message was to be an answer by a command's own address. */
  wasAnswer(messageId: string): boolean {
    return this.#commands().some(({ answers }) => answers.includes(messageId));
  }

  /** Which file a message of ours has: known before anybody can see it. */
  keepUpload(messageId: string, fileId: string): void {
    const others = this.#uploads().filter((upload) => upload.messageId !== messageId);
    this.#values.set("uploads", [...others, { messageId, fileId }].slice(-MAX_UPLOADS));
  }

  uploadOf(messageId: string): string | undefined {
    return this.#uploads().find((upload) => upload.messageId === messageId)?.fileId;
  }

  #commands(): readonly OpenCommand[] {
    const saved = this.#values.get("commands");
    return Array.isArray(saved) ? saved.filter(isCommand) : [];
  }

  #uploads(): readonly Upload[] {
    const saved = this.#values.get("uploads");
    return Array.isArray(saved) ? saved.filter(isUpload) : [];
  }
}

function isCommand(value: unknown): value is OpenCommand {
  return typeof value === "object" && value !== null && "id" in value && "url" in value &&
    "at" in value && typeof value.at === "number" && "answers" in value &&
    Array.isArray(value.answers);
}

function isUpload(value: unknown): value is Upload {
  return typeof value === "object" && value !== null && "messageId" in value &&
    "fileId" in value && typeof value.fileId === "string";
}
