/** A conversation on a terminal. */
import type { ChatMessage } from "../../../schemas/message.ts";
import type { Call } from "../command.ts";
import { UsageError } from "../flags.ts";
import { Streamed } from "../streamed.ts";
import { oneLine, printable, wrap } from "../text.ts";
import { messageText, speaker, toolCallLine, toolResultLine } from "../transcript.ts";
import type { Conversation, ConversationState, View } from "./conversation.ts";
import { Editor } from "./editor.ts";
import { Screen } from "./screen.ts";

const LOCAL_COMMANDS = [
  ["/sessions", "list the conversations"],
  ["/session <key>", "go on in another conversation"],
  ["/quit", "leave"],
] as const;

/** What a person sees of a conversation, and the line in which they write. */
export class Room implements View {
  readonly editor = new Editor();
  readonly #call: Call;
  readonly #screen: Screen;
  #streamed = new Streamed();
  /** The part of the agent's last line that fits in a row of the screen. */
  #growing = "";
  /** Whether the last line printed belongs to what the agent says. */
  #speaking = false;
  #state: ConversationState = { connected: false, working: false };

  constructor(call: Call) {
    this.#call = call;
    this.#screen = new Screen(call.io.out, call.io.columns);
  }

  /** Prints whole lines above the line in which the person writes. */
  print(lines: string): void {
    const rest = this.#growing === "" ? "" : `${this.#growing}\n`;
    this.#growing = "";
    this.draw(rest + lines);
  }

  draw(lines = ""): void {
    const { dim, bold } = this.#call.paint;
    const { text, beforeCursor } = this.editor;
    this.#screen.draw({
      growing: this.#growing,
      status: dim(this.#status()),
      prompt: bold("> "),
      input: text,
      beforeCursor,
    }, lines);
  }

  leave(): void {
    this.print("");
    this.#screen.clear();
  }

  /** Says what was written, or does it, if it is a command of this program. */
  async submit(text: string, conversation: Conversation): Promise<void> {
    const { paint } = this.#call;
    const [name = "", argument = ""] = text.split(/\s+/, 2);
    switch (name) {
      case "/session":
        if (argument === "") throw new UsageError("/session needs a key: /sessions lists them");
        this.print(`${paint.dim(`— ${oneLine(argument)}`)}\n`);
        return await conversation.switchTo(argument);
      case "/sessions": {
        const rows = await conversation.sessions();
        return this.print(
          rows.map(({ key, label = "" }) => `${oneLine(`${key} ${label}`)}\n`).join(""),
        );
      }
      case "/help":
        this.print(
          LOCAL_COMMANDS.map(([usage, about]) => `${usage.padEnd(16)} ${about}\n`).join(""),
        );
    }
    this.#endLine();
    this.print(`${speaker("user", paint)}\n${printable(text)}\n`);
    await conversation.say(text);
  }

  message(message: ChatMessage): void {
    this.#endLine();
    this.print(messageText(message, this.#call.paint));
  }

  says(text: string, delta: string): void {
    const fresh = this.#streamed.next(text, delta);
    if (fresh === "") return;
    const lines = this.#speaking ? [] : [speaker("assistant", this.#call.paint)];
    this.#speaking = true;
    const columns = this.#call.io.columns();
    const pieces = `${this.#growing}${fresh}`.split("\n").flatMap((line) => wrap(line, columns));
    this.#growing = pieces.pop() ?? "";
    lines.push(...pieces);
    this.draw(lines.map((line) => `${line}\n`).join(""));
  }

  toolStarts(name: string, args: Readonly<Record<string, unknown>>): void {
    this.#endLine();
    this.print(toolCallLine(name, args, this.#call.paint));
  }

  toolEnds(name: string, result: { readonly text: string; readonly isError: boolean }): void {
    this.#endLine();
    this.print(toolResultLine(name, result, this.#call.paint));
  }

  ends(problem?: string): void {
    this.#endLine();
    if (problem !== undefined) this.print(`${this.#call.paint.red(oneLine(problem))}\n`);
  }

  note(text: string): void {
    this.#endLine();
    this.print(`${this.#call.paint.dim(`— ${oneLine(text)}`)}\n`);
  }

  changed(state: ConversationState): void {
    this.#state = state;
    this.draw();
  }

  /** What the agent says next begins under its name. */
  #endLine(): void {
    this.#streamed = new Streamed();
    this.#speaking = false;
    if (this.#growing !== "") this.print("");
  }

  #status(): string {
    if (!this.#state.connected) return "connecting…";
    return this.#state.working ? "at work… (Ctrl-C stops it)" : "";
  }
}
