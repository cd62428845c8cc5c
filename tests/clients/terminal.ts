/** A terminal that a program runs in and a test looks at and types into; tmux draws it. */
import { join } from "node:path";

/** How long a screen may take to show what is awaited. */
const SCREEN_TIMEOUT_MS = 90_000;

/** A program on a screen of 120 × 40. Disposing of it ends the program. */
export class Terminal implements AsyncDisposable {
  readonly #socket: string;

  private constructor(socket: string) {
    this.#socket = socket;
  }

  /** Starts a program; `folder` is its working directory and takes tmux's socket. */
  static async open(
    { command, env }: { command: readonly string[]; env: Readonly<Record<string, string>> },
    folder: string,
  ): Promise<Terminal> {
    const terminal = new Terminal(join(folder, "tmux.sock"));
    const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    await terminal.#tmux([
      "start-server",
      // What a program said before it died is what a failed test wants to show.
      ...[";", "set-option", "-g", "remain-on-exit", "on"],
      ...[";", "new-session", "-d", "-x", "120", "-y", "40", "-c", folder],
      ...["env", "--ignore-environment", "TERM=screen-256color", ...variables, ...command],
    ]);
    return terminal;
  }

  /** What is on the screen now. */
  screen(): Promise<string> {
    return this.#tmux(["capture-pane", "-p", "-J"]);
  }

  /** Types a line and Enter. */
  async enter(line: string): Promise<void> {
    await this.#tmux(["send-keys", "-l", line]);
    await this.#tmux(["send-keys", "Enter"]);
  }

  /** Resolves to the screen once it shows what is wanted; rejects with the screen if it never does. */
  async until(what: string, wanted: (screen: string) => boolean): Promise<string> {
    const deadline = performance.now() + SCREEN_TIMEOUT_MS;
    while (true) {
      const screen = await this.screen();
      if (wanted(screen)) return screen;
      if (performance.now() > deadline) {
        throw new Error(`${what} is not on the screen\n--- screen\n${screen.trimEnd()}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tmux(["kill-server"]);
  }

  async #tmux(args: readonly string[]): Promise<string> {
    const { success, stdout, stderr } = await new Deno.Command("tmux", {
      args: ["-u", "-f", "/dev/null", "-S", this.#socket, ...args],
      stdin: "null",
    }).output();
    if (!success) throw new Error(`Cannot ${args[0]}: ${new TextDecoder().decode(stderr).trim()}`);
    return new TextDecoder().decode(stdout);
  }
}
